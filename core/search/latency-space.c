/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "latency-space.h"
#include "purposes.h"

#include <math.h>

/* Random candidates that must take as long as the sums say, but for rounding, besides the best one. */
#define N_CHECKED 100
#define TOLERANCE 1e-9

struct _CleaveLatencySpace
{
  guint n_variables;   /* the split included */
  guint *n_categories; /* [variable] */
  guint *offset;       /* [variable]: where its categories begin in a split's row */
  guint row;           /* categories of all variables but the split */
  double *base_ms;     /* [split]: all variables at their first category */
  double *added_ms;    /* [split][category of each variable]: what it adds to that */
};

static guint
n_splits (const CleaveLatencySpace *self)
{
  return self->n_categories[self->n_variables - 1];
}

static CleaveLatencySpace *
space_new (GVariant *variables)
{
  CleaveLatencySpace *self = g_new0 (CleaveLatencySpace, 1);

  self->n_variables = g_variant_n_children (variables);
  self->n_categories = g_new (guint, self->n_variables);
  self->offset = g_new (guint, self->n_variables);
  for (guint d = 0; d < self->n_variables; d++)
    {
      g_autoptr (GVariant) variable = g_variant_get_child_value (variables, d);
      g_autoptr (GVariant) categories = g_variant_get_child_value (variable, 1);

      self->n_categories[d] = g_variant_n_children (categories);
      self->offset[d] = self->row;
      if (d + 1 < self->n_variables)
        self->row += self->n_categories[d];
    }
  self->base_ms = g_new (double, n_splits (self));
  self->added_ms = g_new0 (double, (gsize)n_splits (self) * self->row);
  return self;
}

void
cleave_latency_space_free (CleaveLatencySpace *self)
{
  g_free (self->n_categories);
  g_free (self->offset);
  g_free (self->base_ms);
  g_free (self->added_ms);
  g_free (self);
}

/* NaN with an error set. */
static double
estimate_ms (const CleaveLatencySpace *self, CleaveComponents *components, const guint *choices, GError **error)
{
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, self->n_variables);
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (components->space), candidate, error);
  CleaveLatency latency;

  if (network == NULL || !cleave_latency_estimate (components, network, CLEAVE_PLACEMENT_SPLIT, &latency, error))
    return NAN;
  return latency.total_ms;
}

static gboolean
fill_split (CleaveLatencySpace *self, CleaveComponents *components, guint split, GError **error)
{
  g_autofree guint *choices = g_new0 (guint, self->n_variables);
  double *added_ms = self->added_ms + (gsize)split * self->row;

  choices[self->n_variables - 1] = split;
  self->base_ms[split] = estimate_ms (self, components, choices, error);
  if (isnan (self->base_ms[split]))
    return FALSE;
  for (guint d = 0; d + 1 < self->n_variables; d++)
    {
      for (choices[d] = 1; choices[d] < self->n_categories[d]; choices[d]++)
        {
          double total_ms = estimate_ms (self, components, choices, error);

          if (isnan (total_ms))
            return FALSE;
          added_ms[self->offset[d] + choices[d]] = total_ms - self->base_ms[split];
        }
      choices[d] = 0;
    }
  return TRUE;
}

static void
draw (const CleaveLatencySpace *self, CleaveRandom *random, guint *choices)
{
  for (guint d = 0; d < self->n_variables; d++)
    choices[d] = cleave_random_below (random, self->n_categories[d]);
}

static gboolean
check_sum (const CleaveLatencySpace *self, CleaveComponents *components, const guint *choices, GError **error)
{
  double expected_ms = cleave_latency_space_total_ms (self, choices);
  double total_ms = estimate_ms (self, components, choices, error);

  if (isnan (total_ms))
    return FALSE;
  if (fabs (total_ms - expected_ms) <= TOLERANCE * fabs (total_ms))
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
               "the latency of a candidate is %g ms where its choices one by one make %g ms: they depend on each other "
               "in this space or to these oracles, so there is no exact bound",
               total_ms, expected_ms);
  return FALSE;
}

static gboolean
check_sums (const CleaveLatencySpace *self, CleaveComponents *components, guint64 seed, GError **error)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (seed, CLEAVE_PURPOSE_LATENCY_CHECKS, 0, 0);
  g_autoptr (CleaveCandidate) best = cleave_latency_space_find_best (self);
  g_autofree guint *choices = g_new (guint, self->n_variables);

  for (guint i = 0; i < N_CHECKED; i++)
    {
      draw (self, random, choices);
      if (!check_sum (self, components, choices, error))
        return FALSE;
    }
  return check_sum (self, components, cleave_candidate_get_choices (best, NULL), error);
}

CleaveLatencySpace *
cleave_latency_space_new (CleaveComponents *components, GVariant *variables, guint64 seed, GError **error)
{
  g_autoptr (CleaveLatencySpace) self = space_new (variables);

  for (guint split = 0; split < n_splits (self); split++)
    if (!fill_split (self, components, split, error))
      return NULL;
  if (!check_sums (self, components, seed, error))
    return NULL;
  return g_steal_pointer (&self);
}

double
cleave_latency_space_total_ms (const CleaveLatencySpace *self, const guint *choices)
{
  guint split = choices[self->n_variables - 1];
  const double *added_ms = self->added_ms + (gsize)split * self->row;
  double total_ms = self->base_ms[split];

  for (guint d = 0; d + 1 < self->n_variables; d++)
    total_ms += added_ms[self->offset[d] + choices[d]];
  return total_ms;
}

/* Each variable's category that adds least at this split point. */
static void
choose_least (const CleaveLatencySpace *self, guint split, guint *choices)
{
  const double *added_ms = self->added_ms + (gsize)split * self->row;

  choices[self->n_variables - 1] = split;
  for (guint d = 0; d + 1 < self->n_variables; d++)
    {
      const double *own_ms = added_ms + self->offset[d];

      choices[d] = 0;
      for (guint category = 1; category < self->n_categories[d]; category++)
        if (own_ms[category] < own_ms[choices[d]])
          choices[d] = category;
    }
}

CleaveCandidate *
cleave_latency_space_find_best (const CleaveLatencySpace *self)
{
  g_autofree guint *choices = g_new (guint, self->n_variables);
  double best_ms = INFINITY;
  guint best_split = 0;

  for (guint split = 0; split < n_splits (self); split++)
    {
      choose_least (self, split, choices);
      double total_ms = cleave_latency_space_total_ms (self, choices);

      if (total_ms < best_ms)
        {
          best_ms = total_ms;
          best_split = split;
        }
    }
  choose_least (self, best_split, choices);
  return cleave_candidate_new (choices, self->n_variables);
}

guint64
cleave_latency_space_count_within (const CleaveLatencySpace *self, double limit_ms, guint64 n, CleaveRandom *random)
{
  g_autofree guint *choices = g_new (guint, self->n_variables);
  guint64 count = 0;

  for (guint64 i = 0; i < n; i++)
    {
      draw (self, random, choices);
      count += cleave_latency_space_total_ms (self, choices) <= limit_ms;
    }
  return count;
}
