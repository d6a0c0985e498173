/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a run found: result.json. */

#include "evaluation.h"
#include "latency.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint seed;
  CleaveCandidate *candidate;
  GStrv variable_names;
  GStrv choice_names; /* a name for every choice of the candidate, the split's last */
  double latency_threshold_ms;
  CleaveLatency latency;
  double channel_drop_rate;
  guint n_test_images;
  GArray *accuracies; /* CleaveAccuracy */
} CleaveResult;

/* VARIABLES as a space gives them. Takes over ACCURACIES. */
CleaveResult *cleave_result_new (guint seed, CleaveCandidate *candidate, GVariant *variables,
                                 double latency_threshold_ms, const CleaveLatency *latency, double channel_drop_rate,
                                 guint n_test_images, GArray *accuracies);
void cleave_result_free (CleaveResult *self);
/* Ends with a line break; no time, path or thread count in it, so the same run gives the same text. */
char *cleave_result_to_json (CleaveResult *self);
/* What is in result.json, as an object. */
void cleave_result_add (JsonBuilder *builder, CleaveResult *self);
/* As an array of objects. */
void cleave_result_add_accuracies (JsonBuilder *builder, GArray *accuracies, guint n_test_images);
CleaveResult *cleave_result_load (const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveResult, cleave_result_free)

G_END_DECLS
