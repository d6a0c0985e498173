/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objective (eq. 4): the loss averaged over drop rates, plus the latency above the threshold. */

#include "latency.h"
#include "minibatch.h"
#include "nn.h"

G_BEGIN_DECLS

/* Which random streams a link's losses come from: image i of a minibatch draws from item first_item + i. */
typedef struct
{
  guint64 seed;
  guint32 purpose;
  guint32 step;
  guint32 first_item;
  GHashTable *drawn; /* nullable: keeps what was drawn of this seed, purpose and step */
} CleaveLossStream;

/* Candidates that are scored on one minibatch draw from the same streams, so payloads of one size lose the same: drawn
 * once, kept here. */
GHashTable *cleave_objective_drawn_new (void);
/* What the channel loses of n images' payloads: [n, n_elements], 0 = lost, for nn_plan_forward_tail(). */
GBytes *cleave_objective_draw_losses (CleaveChannel *channel, gsize n_elements, guint n, double drop_rate,
                                      const CleaveLossStream *stream, GError **error);

/* Mean over the drop rates of the cross-entropy on a minibatch, with batch statistics: the head runs once, the tail
 * once a rate. Rate r draws from first_item + r · n on. NaN with an error set. */
double cleave_objective_loss (NnPlan *plan, CleaveNetwork *network, const CleaveMinibatch *batch,
                              CleaveChannel *channel, const double *drop_rates, guint n_drop_rates,
                              const CleaveLossStream *stream, GError **error);

/* τ = max(0, T − T_th), eq. 4b, in ms. */
double cleave_objective_penalty (double total_ms, double threshold_ms);

G_END_DECLS
