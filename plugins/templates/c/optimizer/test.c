/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of this optimizer; what holds for every optimizer is left to cleave check-plugin. */
#include "my-plugin.c"

int
main (void)
{
  MyPlugin optimizer = { .samples = 3 };
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("[('a', ['x', 'y']), ('split', ['0'])]"));
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 0, 0, 0);

  my_plugin_start ((CleaveOptimizer *)&optimizer, variables, NULL);
  g_autoptr (CleaveTrials) trials = my_plugin_ask ((CleaveOptimizer *)&optimizer, 0, random, NULL);
  my_plugin_tell ((CleaveOptimizer *)&optimizer, trials, (double[]){ 3, 1, 2 }, 3, NULL);
  g_autoptr (CleaveCandidate) best = my_plugin_recommend ((CleaveOptimizer *)&optimizer, NULL);
  g_assert_true (cleave_candidate_equal (best, cleave_trials_get_candidate (trials, 1)));
  my_plugin_finalize (&optimizer);
}
