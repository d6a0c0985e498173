/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of this oracle; what holds for every oracle is left to cleave check-plugin. */
#include "my-plugin.c"

int
main (void)
{
  MyPlugin oracle = { .speed = 1e6, .start = 1e-3 };
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, 8, 8);
  g_autoptr (CleaveNetwork) network = NULL;

  cleave_network_builder_block (builder, "stem", NULL);
  cleave_network_builder_conv (builder, "conv", 4, 3, 1, 1, 1);
  network = cleave_network_builder_build (builder, NULL);
  /* 4·3·3·3 products at each of 8·8 places, a million a second, and 1 ms to begin. */
  g_assert_cmpfloat_with_epsilon (my_plugin_estimate ((CleaveOracle *)&oracle, network, 0, 1, NULL), 7.912e-3, 1e-12);
}
