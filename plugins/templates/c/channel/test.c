/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of this channel; what holds for every channel is left to cleave check-plugin. */
#include "my-plugin.c"

int
main (void)
{
  MyPlugin channel = { .throughput = 8e6, .delay = 1e-3 };

  /* 1000 elements of 32 bit at 8 Mbit/s are 4 ms. */
  g_assert_cmpfloat_with_epsilon (my_plugin_seconds ((CleaveChannel *)&channel, 1000, NULL), 5e-3, 1e-12);
}
