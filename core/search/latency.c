/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "latency.h"

#include <math.h>

gboolean
cleave_latency_estimate_stretch (GObject *oracle, const char *section, CleaveNetwork *network, guint first_op,
                                 guint end_op, double *milliseconds, GError **error)
{
  const double seconds = cleave_oracle_estimate (CLEAVE_ORACLE (oracle), network, first_op, end_op, error);

  if (isnan (seconds))
    {
      g_prefix_error (error, "[%s]: ", section);
      return FALSE;
    }
  *milliseconds = seconds * 1000;
  return TRUE;
}

/* Eq. 10: the payload's bits over the link's throughput. */
static gboolean
estimate_transfer (GObject *channel, gsize n_elements, CleaveLatency *latency, GError **error)
{
  const double seconds = cleave_channel_seconds (CLEAVE_CHANNEL (channel), n_elements, error);
  const double bits = isnan (seconds) ? NAN : cleave_channel_bits (CLEAVE_CHANNEL (channel), n_elements, error);

  if (isnan (bits))
    {
      g_prefix_error (error, "[channel]: ");
      return FALSE;
    }
  latency->payload_elements = n_elements;
  latency->payload_bits = bits;
  latency->transfer_ms = seconds * 1000;
  return TRUE;
}

/* Eq. 3: T = T_head + T_comm + T_tail. */
gboolean
cleave_latency_estimate (CleaveComponents *components, CleaveNetwork *network, CleavePlacement placement,
                         CleaveLatency *latency, GError **error)
{
  const guint n_ops = cleave_network_get_n_ops (network);
  const guint cut = placement == CLEAVE_PLACEMENT_SPLIT ? cleave_network_get_cut (network) : n_ops;

  *latency = (CleaveLatency){ 0 };
  if (!cleave_latency_estimate_stretch (components->device, "device", network, 0, cut, &latency->head_ms, error)
      || !cleave_latency_estimate_stretch (components->server, "server", network, cut, n_ops, &latency->tail_ms, error))
    return FALSE;
  if (placement == CLEAVE_PLACEMENT_SPLIT
      && !estimate_transfer (components->channel, cleave_network_get_payload_elements (network), latency, error))
    return FALSE;
  latency->total_ms = latency->head_ms + latency->transfer_ms + latency->tail_ms;
  return TRUE;
}
