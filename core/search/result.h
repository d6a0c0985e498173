/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a run found: result.json. */

#include "evaluation.h"
#include "latency.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Where a network is cut, counted in the blocks that are chosen; fixed ones such as a stem do not count. */
typedef struct
{
  int head_blocks;       /* that lie wholly in the head; −1 where blocks and variables do not correspond */
  gboolean inside_block; /* the next one is begun in the head and ended in the tail */
} CleaveCut;

typedef struct
{
  guint seed;
  CleaveCandidate *candidate;
  GStrv variable_names;
  GStrv choice_names; /* a name for every choice of the candidate, the split's last */
  double latency_threshold_ms;
  CleaveLatency latency;
  CleaveCut cut;
  double channel_drop_rate;
  guint n_test_images;
  GArray *accuracies; /* CleaveAccuracy */
} CleaveResult;

/* Of the network that a space, whose VARIABLES these are, builds for a candidate. */
CleaveCut cleave_cut_find (CleaveNetwork *network, CleaveCandidate *candidate, GVariant *variables);

/* VARIABLES as a space gives them. Takes over ACCURACIES. */
CleaveResult *cleave_result_new (guint seed, CleaveCandidate *candidate, GVariant *variables,
                                 double latency_threshold_ms, const CleaveLatency *latency, CleaveCut cut,
                                 double channel_drop_rate, guint n_test_images, GArray *accuracies);
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
