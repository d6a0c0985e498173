/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of this space; what holds for every space is left to cleave check-plugin. */
#include "my-plugin.c"

int
main (void)
{
  MyPlugin space = { .channels = 16, .dataset = { .n_classes = 10, .channels = 3, .height = 32, .width = 32 } };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new ((guint[]){ 0, 1, 0, 1 }, 4);
  g_autoptr (CleaveNetwork) network = my_plugin_build ((CleaveSpace *)&space, candidate, NULL);

  /* After the second convolution: 32 channels of 8×8. */
  g_assert_cmpuint (cleave_network_get_payload_elements (network), ==, 2048);
}
