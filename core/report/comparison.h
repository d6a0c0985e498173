/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finished runs of several methods side by side. */

#include "result.h"

G_BEGIN_DECLS

typedef struct
{
  double median;
  double minimum;
  double maximum;
} CleaveSpread;

typedef struct
{
  char *name;            /* of its config */
  char *config_text;     /* resolved, as its first run has it, but paths without their folders */
  GPtrArray *runs;       /* CleaveResult, by seed */
  CleaveSpread accuracy; /* share of the test images at the channel's drop rate */
  CleaveSpread latency_ms;
  guint n_within_threshold; /* runs */
  double bound_ms;          /* no candidate of the space has a lower latency; NaN where that can't be told */
} CleaveMethod;

/* Its methods have threshold and drop rate in common; the first is the one that is compared with the others. */
typedef struct
{
  double latency_threshold_ms;
  double drop_rate;   /* the channel's */
  GPtrArray *methods; /* CleaveMethod */
} CleaveComparison;

CleaveComparison *cleave_comparison_new (void);
void cleave_comparison_free (CleaveComparison *self);
/* Adds a method of one run or more; takes over RUNS. An error if its threshold or drop rate is another than that of the
 * methods before, or if a run was not evaluated at the channel's drop rate. */
gboolean cleave_comparison_add (CleaveComparison *self, const char *name, const char *config_text, GPtrArray *runs,
                                double bound_ms, GError **error);
/* The first method's median latency against this one's in percent, −45 being 45 % below; not finite where this one's is
 * 0. */
double cleave_comparison_latency_percent (const CleaveComparison *self, const CleaveMethod *baseline);
/* The first method's median accuracy less this one's, in percentage points. */
double cleave_comparison_accuracy_points (const CleaveComparison *self, const CleaveMethod *baseline);
/* What any run was evaluated at, ascending: GArray of double. */
GArray *cleave_comparison_drop_rates (const CleaveComparison *self);
gboolean cleave_comparison_is_within (const CleaveComparison *self, const CleaveResult *run);
/* The share of the test images that a run classifies correctly at this drop rate; NaN where it was not evaluated. */
double cleave_comparison_accuracy (const CleaveResult *run, double drop_rate);
/* NaN unless every run of the method was evaluated there: a median of some would be of other models. */
double cleave_comparison_median_accuracy (const CleaveMethod *method, double drop_rate);
/* Of the N > 0 values, which are sorted by this; the median of an even number is the mean of the middle two. */
CleaveSpread cleave_spread (double *values, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveComparison, cleave_comparison_free)

G_END_DECLS
