/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-random.h>

G_BEGIN_DECLS

/**
 * CleaveChannel:
 *
 * A channel between device and server: what the payload's transfer costs, and which of its elements arrive.
 *
 * The core asks for the losses of one image at a time; with the drop rates of the objective they make a candidate's
 * loss (eq. 4), with the channel's own the accuracy of the trained model. Dropout in training is the core's own.
 */
#define CLEAVE_TYPE_CHANNEL (cleave_channel_get_type ())
CLEAVE_EXPORT
G_DECLARE_INTERFACE (CleaveChannel, cleave_channel, CLEAVE, CHANNEL, GObject)

/**
 * CleaveChannelInterface:
 * @parent_interface: the parent
 * @bits: bits that carry n_elements payload elements; NaN with an error set on failure
 * @seconds: seconds that they take; likewise
 * @drop_rate: (nullable): the channel's own drop rate, in [0, 1); likewise. Without it, 0
 * @draw_losses: which of n_elements arrive, one byte each in C, H, W order: 0 = lost, 1 = arrived. drop_rate is in
 *   [0, 1); all randomness comes from random
 *
 * The methods of a [iface@Channel].
 */
struct _CleaveChannelInterface
{
  GTypeInterface parent_interface;

  double (*bits) (CleaveChannel *self, gsize n_elements, GError **error);
  double (*seconds) (CleaveChannel *self, gsize n_elements, GError **error);
  double (*drop_rate) (CleaveChannel *self, GError **error);
  GBytes *(*draw_losses) (CleaveChannel *self, gsize n_elements, double drop_rate, CleaveRandom *random,
                          GError **error);
};

CLEAVE_EXPORT double cleave_channel_bits (CleaveChannel *self, gsize n_elements, GError **error);
CLEAVE_EXPORT double cleave_channel_seconds (CleaveChannel *self, gsize n_elements, GError **error);
CLEAVE_EXPORT double cleave_channel_drop_rate (CleaveChannel *self, GError **error);
CLEAVE_EXPORT GBytes *cleave_channel_draw_losses (CleaveChannel *self, gsize n_elements, double drop_rate,
                                                  CleaveRandom *random, GError **error);

G_END_DECLS
