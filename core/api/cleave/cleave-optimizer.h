/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-random.h>
#include <cleave/cleave-trials.h>

G_BEGIN_DECLS

/**
 * CleaveOptimizer:
 *
 * A search algorithm that is asked for candidates and told how good they are.
 *
 * A step of the search is one [method@Optimizer.ask], the scoring of its trials on one minibatch with the shared
 * weights fixed, and one [method@Optimizer.tell] (Algorithm 1, lines 6–13). Between two steps the state may be saved,
 * and loaded in another process, which must go on to the same answer.
 */
#define CLEAVE_TYPE_OPTIMIZER (cleave_optimizer_get_type ())
CLEAVE_EXPORT
G_DECLARE_INTERFACE (CleaveOptimizer, cleave_optimizer, CLEAVE, OPTIMIZER, GObject)

/**
 * CleaveOptimizerInterface:
 * @parent_interface: the parent
 * @start: begins anew over these variables (a GVariant as [vfunc@Space.variables] gives; each has a category)
 * @ask: the trials to score next, or an empty list when done. progress is the share of the search's budget that is
 *   used, in [0, 1]; at 1 an optimizer may still ask for closing trials, and the search lasts until its list is empty.
 *   All randomness comes from random
 * @tell: the values of the trials asked last, in their order; smaller is better, infinity is worst
 * @recommend: the answer by what is known now
 * @save: the whole state, in any form; with @load it continues exactly where it was
 * @load: takes back what @save gave; @start has been called with the same variables
 * @metrics: (nullable): numbers worth logging, as a GVariant `a{sd}`
 *
 * The methods of a [iface@Optimizer].
 */
struct _CleaveOptimizerInterface
{
  GTypeInterface parent_interface;

  gboolean (*start) (CleaveOptimizer *self, GVariant *variables, GError **error);
  CleaveTrials *(*ask) (CleaveOptimizer *self, double progress, CleaveRandom *random, GError **error);
  gboolean (*tell) (CleaveOptimizer *self, CleaveTrials *trials, const double *values, gsize n_values, GError **error);
  CleaveCandidate *(*recommend) (CleaveOptimizer *self, GError **error);
  GVariant *(*save) (CleaveOptimizer *self, GError **error);
  gboolean (*load) (CleaveOptimizer *self, GVariant *state, GError **error);
  GVariant *(*metrics) (CleaveOptimizer *self, GError **error);
};

CLEAVE_EXPORT gboolean cleave_optimizer_start (CleaveOptimizer *self, GVariant *variables, GError **error);
CLEAVE_EXPORT CleaveTrials *cleave_optimizer_ask (CleaveOptimizer *self, double progress, CleaveRandom *random,
                                                  GError **error);
CLEAVE_EXPORT gboolean cleave_optimizer_tell (CleaveOptimizer *self, CleaveTrials *trials, const double *values,
                                              gsize n_values, GError **error);
CLEAVE_EXPORT CleaveCandidate *cleave_optimizer_recommend (CleaveOptimizer *self, GError **error);
CLEAVE_EXPORT GVariant *cleave_optimizer_save (CleaveOptimizer *self, GError **error);
CLEAVE_EXPORT gboolean cleave_optimizer_load (CleaveOptimizer *self, GVariant *state, GError **error);
CLEAVE_EXPORT GVariant *cleave_optimizer_metrics (CleaveOptimizer *self, GError **error);

G_END_DECLS
