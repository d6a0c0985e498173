/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A search that an optimizer plays: a problem whose optimum is known, in place of networks. */

#include "conformance-private.h"

G_BEGIN_DECLS

/* What the optimizer is told. */
typedef enum
{
  OPTIMIZER_PLAY_LOSS,
  OPTIMIZER_PLAY_MIXED,    /* the loss, but infinity for the first trial of every third step */
  OPTIMIZER_PLAY_INFINITY, /* for every trial */
} OptimizerPlayValues;

/* A search, at the moment between two calls. */
typedef struct
{
  CleaveOptimizer *optimizer;
  guint32 seed;
  guint n_steps; /* of the budget; then progress is 1 */
  OptimizerPlayValues values;
  guint step;
  CleaveTrials *trials; /* nullable: asked, and not yet told of */
  gboolean is_done;
} OptimizerPlay;

/* An optimizer of the subject, started on the problem; FALSE with an error set. */
gboolean optimizer_play_start (OptimizerPlay *self, Conformance *conformance, guint32 seed, guint n_steps,
                               OptimizerPlayValues values, GError **error);
/* The same moment of the same search, but with a new optimizer that has loaded this state. */
gboolean optimizer_play_resume (OptimizerPlay *self, Conformance *conformance, const OptimizerPlay *stopped,
                                GVariant *state, GError **error);
/* Begins a search anew with the same optimizer. */
gboolean optimizer_play_restart (OptimizerPlay *self, guint32 seed, GError **error);
void optimizer_play_clear (OptimizerPlay *self);
/* Asks, or tells of what was asked; checks what is asked. Nothing when it is done. */
gboolean optimizer_play_go_on (OptimizerPlay *self, GError **error);
/* Asks and tells until it is done. */
gboolean optimizer_play_finish (OptimizerPlay *self, GError **error);
/* The loss of what it recommends; NaN with an error set, also for what is outside the space. */
double optimizer_play_recommended_loss (OptimizerPlay *self, GError **error);
/* Whether both have asked the same. */
gboolean optimizer_play_is_same (const OptimizerPlay *self, const OptimizerPlay *other);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OptimizerPlay, optimizer_play_clear)

G_END_DECLS
