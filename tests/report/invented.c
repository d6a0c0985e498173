/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "invented.h"

#include <math.h>

#define SPACE                                                                                                          \
  "[('block-1', ['k3_e1', 'k3_e6', 'skip']), ('block-2', ['k3_e1', 'k3_e6', 'skip']),"                                 \
  " ('block-3', ['k3_e1', 'k3_e6', 'skip']), ('split', ['0', '1', '2', '3'])]"

CleaveResult *
invented_result (const InventedRun *run, const char *space)
{
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (run->choices, G_N_ELEMENTS (run->choices));
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed (space));
  const double total_ms = run->head_ms + run->transfer_ms + run->tail_ms;
  const CleaveLatency latency
      = { run->head_ms, run->transfer_ms, run->tail_ms, total_ms, run->payload_elements, 32.0 * run->payload_elements };
  const CleaveAccuracy accuracies[] = { { 0, run->n_correct[0] }, { 0.2, run->n_correct[1] } };
  GArray *array = g_array_new (FALSE, FALSE, sizeof (CleaveAccuracy));

  g_array_append_vals (array, accuracies, G_N_ELEMENTS (accuracies));
  return cleave_result_new (run->seed, candidate, variables, 30, &latency, (CleaveCut){ run->choices[3], FALSE }, 0.2,
                            40, array);
}

static void
add_method (CleaveComparison *comparison, const char *name, const char *config, const InventedRun *runs, guint n,
            double bound_ms)
{
  GPtrArray *results = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (results, invented_result (&runs[i], SPACE));
  cleave_comparison_add (comparison, name, config, results, bound_ms, NULL);
}

CleaveComparison *
invented_comparison (void)
{
  static const InventedRun nasc[] = {
    { 1, { 0, 1, 2, 0 }, 4, 8.192, 7.808, 2048, { 24, 20 } },
    { 2, { 1, 2, 1, 2 }, 12, 4.096, 7.904, 1024, { 32, 30 } },
  };
  static const InventedRun baseline[] = {
    { 1, { 0, 0, 0, 3 }, 20, 2.048, 7.952, 512, { 30, 28 } },
    { 2, { 1, 1, 1, 3 }, 40, 2.048, 7.952, 512, { 31, 24 } },
    { 3, { 1, 0, 1, 3 }, 30, 2.048, 7.952, 512, { 33, 30 } },
  };
  CleaveComparison *comparison = cleave_comparison_new ();

  add_method (comparison, "nasc", "[run]\nseed = 1\n", nasc, G_N_ELEMENTS (nasc), 17.25);
  add_method (comparison, "<b>&", "[run]\nseed = 1 < 2\n", baseline, G_N_ELEMENTS (baseline), NAN);
  return comparison;
}
