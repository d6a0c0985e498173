/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The search: the optimizer's trials are scored with the shared weights fixed (Algorithm 1, lines 6–13). */

#include "run-private.h"

#include <math.h>

/* Steps that an optimizer may take after the budget is used up, besides one for each category of each variable, so that
 * these can be tried in turn; one that never says done would run for ever. */
#define SPARE_CLOSING_STEPS 100u

/* The drop rates that count for a trial: nothing crosses the link where the device computes all. */
static const double *
list_drop_rates (CleaveRun *self, CleavePlacement placement, guint *n)
{
  static const double nothing_lost[] = { 0 };

  if (placement == CLEAVE_PLACEMENT_DEVICE)
    {
      *n = G_N_ELEMENTS (nothing_lost);
      return nothing_lost;
    }
  *n = self->settings->drop_rates->len;
  return (const double *)self->settings->drop_rates->data;
}

static double
loss_on_batch (CleaveRun *self, NnPlan *plan, CleaveNetwork *network, CleavePlacement placement,
               const CleaveMinibatch *batch, guint32 purpose, guint32 step, GHashTable *drawn, GError **error)
{
  CleaveLossStream stream = { self->settings->run->seed, purpose, step, 0, drawn };
  guint n_drop_rates;
  const double *drop_rates = list_drop_rates (self, placement, &n_drop_rates);

  self->n_step_images += batch->n;
  return cleave_objective_loss (plan, network, batch, CLEAVE_CHANNEL (self->components->channel), drop_rates,
                                n_drop_rates, &stream, error);
}

/* Mean over all full batches of the distribution half, as they are. */
static double
loss_on_half (CleaveRun *self, NnPlan *plan, CleaveNetwork *network, CleavePlacement placement, GError **error)
{
  const guint32 *indices = self->shuffled + self->n_weight_images;
  guint n_batches = (self->n_images - self->n_weight_images) / self->batch.n;
  g_auto (CleaveMinibatch) batch = { 0 };
  double sum = 0;

  cleave_minibatch_allocate (&batch, self->info, self->batch.n);
  for (guint b = 0; b < n_batches; b++)
    {
      double loss;

      if (cleave_run_should_stop (self))
        {
          cleave_error_set_literal (error, CLEAVE_ERROR_CANCELLED, "stopped");
          return NAN;
        }
      cleave_minibatch_fill (&self->source, indices + b * batch.n, batch.n, NULL, 0, 0, 0, batch.pixels, batch.labels);
      loss = loss_on_batch (self, plan, network, placement, &batch, CLEAVE_PURPOSE_SEARCH_FULL_LOSSES, b, NULL, error);
      if (isnan (loss))
        return NAN;
      sum += loss;
    }
  return sum / n_batches;
}

/* The network of a candidate that the optimizer gave. */
static CleaveNetwork *
build_network (CleaveRun *self, CleaveCandidate *candidate, GError **error)
{
  CleaveNetwork *network = cleave_space_build (CLEAVE_SPACE (self->components->space), candidate, error);

  if (network == NULL)
    g_prefix_error (error, "[optimizer]: a candidate of %s: ", G_OBJECT_TYPE_NAME (self->components->optimizer));
  return network;
}

/* The objective (eq. 4) of one trial, or the penalty where it reaches the trial's cutoff; the tally counts only what
 * was measured. DRAWN keeps the losses of the step's minibatch. */
static gboolean
score_trial (CleaveRun *self, CleaveTrials *trials, guint index, guint32 step, GHashTable *drawn, CleaveScore *score,
             GError **error)
{
  CleaveCandidate *candidate = cleave_trials_get_candidate (trials, index);
  CleavePlacement placement = cleave_trials_get_placement (trials, index);
  g_autoptr (CleaveNetwork) network = build_network (self, candidate, error);
  g_autoptr (NnPlan) plan = NULL;
  CleaveLatency latency;
  double penalty;

  if (network == NULL || !cleave_latency_estimate (self->components, network, placement, &latency, error))
    return FALSE;
  penalty = cleave_objective_penalty (latency.total_ms, self->settings->objective->latency_threshold);
  *score = (CleaveScore){ .loss = NAN, .latency_ms = latency.total_ms, .objective = penalty };
  if (penalty >= cleave_trials_get_cutoff (trials, index))
    return TRUE;
  if (!cleave_run_add_network (self, candidate, network, error))
    return FALSE;
  plan = nn_plan_new (self->engine, self->supernet, network, self->batch.n, NN_PLAN_FORWARD, error);
  if (plan == NULL)
    return FALSE;
  if (cleave_trials_get_fidelity (trials, index) == CLEAVE_FIDELITY_FULL)
    score->loss = loss_on_half (self, plan, network, placement, error);
  else
    score->loss = loss_on_batch (self, plan, network, placement, &self->batch, CLEAVE_PURPOSE_SEARCH_LOSSES, step,
                                 drawn, error);
  if (isnan (score->loss))
    return FALSE;

  score->objective = score->loss + penalty;
  self->tally.loss += score->loss;
  self->tally.n_losses++;
  self->tally.objective += score->objective;
  return TRUE;
}

static gboolean
is_same_trial (CleaveTrials *trials, guint a, guint b)
{
  return cleave_trials_get_placement (trials, a) == cleave_trials_get_placement (trials, b)
         && cleave_trials_get_fidelity (trials, a) == cleave_trials_get_fidelity (trials, b)
         && cleave_trials_get_cutoff (trials, a) == cleave_trials_get_cutoff (trials, b)
         && cleave_candidate_equal (cleave_trials_get_candidate (trials, a), cleave_trials_get_candidate (trials, b));
}

/* Scores each trial; the same trial asked twice is scored once. */
static gboolean
score_trials (CleaveRun *self, CleaveTrials *trials, guint32 step, CleaveScore *scores, GError **error)
{
  g_autoptr (GHashTable) drawn = cleave_objective_drawn_new ();

  for (guint i = 0; i < cleave_trials_get_length (trials); i++)
    {
      guint twin = 0;

      while (!is_same_trial (trials, twin, i))
        twin++;
      if (twin < i)
        scores[i] = scores[twin];
      else if (!score_trial (self, trials, i, step, drawn, &scores[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
tell_scores (CleaveRun *self, CleaveTrials *trials, const CleaveScore *scores, GError **error)
{
  guint n_trials = cleave_trials_get_length (trials);
  g_autofree double *values = g_new (double, n_trials);

  for (guint i = 0; i < n_trials; i++)
    values[i] = scores[i].objective;
  return cleave_optimizer_tell (CLEAVE_OPTIMIZER (self->components->optimizer), trials, values, n_trials, error);
}

/* Keeps what a checkpoint needs, and the latency of the present answer for progress and metrics. */
static gboolean
note_state (CleaveRun *self, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (self->components->optimizer);
  g_autoptr (CleaveCandidate) candidate = cleave_optimizer_recommend (optimizer, error);
  g_autoptr (CleaveNetwork) network = NULL;
  CleaveLatency latency;
  GVariant *state;

  if (candidate == NULL)
    return FALSE;
  network = build_network (self, candidate, error);
  if (network == NULL || !cleave_latency_estimate (self->components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error))
    return FALSE;
  state = cleave_optimizer_save (optimizer, error);
  if (state == NULL)
    return FALSE;
  self->latency_ms = latency.total_ms;
  g_clear_pointer (&self->optimizer_state, g_variant_unref);
  self->optimizer_state = state;
  return TRUE;
}

static guint
count_closing_steps (CleaveRun *self)
{
  guint n = SPARE_CLOSING_STEPS;

  for (gsize d = 0; d < g_variant_n_children (self->variables); d++)
    {
      g_autoptr (GVariant) variable = g_variant_get_child_value (self->variables, d);
      g_autoptr (GVariant) categories = g_variant_get_child_value (variable, 1);

      n += g_variant_n_children (categories);
    }
  return n;
}

static gboolean
take_step (CleaveRun *self, const CleaveStageLoop *loop, gboolean *done, GError **error)
{
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (self->components->optimizer);
  guint32 step = cleave_stage_loop_step (self, loop);
  guint64 budget = (guint64)loop->n_epochs * cleave_stage_loop_n_steps (self, loop);
  double progress = step < budget ? (double)step / budget : 1;
  g_autoptr (CleaveRandom) random = cleave_random_new (self->settings->run->seed, CLEAVE_PURPOSE_SEARCH_ASK, step, 0);
  g_autoptr (CleaveTrials) trials = cleave_optimizer_ask (optimizer, progress, random, error);
  g_autofree CleaveScore *scores = NULL;
  guint n_closing_steps = count_closing_steps (self);
  guint n_trials;

  if (trials == NULL)
    return FALSE;
  n_trials = cleave_trials_get_length (trials);
  *done = n_trials == 0;
  if (*done)
    return TRUE;
  if (step >= budget + n_closing_steps)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "[optimizer]: %s still asks for trials %u steps after the search's end",
                   G_OBJECT_TYPE_NAME (optimizer), n_closing_steps);
      return FALSE;
    }
  scores = g_new (CleaveScore, n_trials);
  return score_trials (self, trials, step, scores, error) && tell_scores (self, trials, scores, error)
         && note_state (self, error) && cleave_metrics_add_trials (self, loop, trials, scores, error);
}

gboolean
cleave_run_search (CleaveRun *self, GError **error)
{
  CleaveStageLoop loop = {
    .n_epochs = self->settings->search->epochs,
    .indices = self->shuffled + self->n_weight_images,
    .n_indices = self->n_images - self->n_weight_images,
    .order_purpose = CLEAVE_PURPOSE_SEARCH_ORDER,
    .augmentation_purpose = CLEAVE_PURPOSE_SEARCH_AUGMENTATION,
    .until_done = TRUE,
    .take_step = take_step,
  };

  if (!cleave_stage_loop (self, &loop, error))
    return FALSE;
  self->answer = cleave_optimizer_recommend (CLEAVE_OPTIMIZER (self->components->optimizer), error);
  return self->answer != NULL;
}
