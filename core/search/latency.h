/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cleave-config.h"
#include <cleave/cleave.h>

G_BEGIN_DECLS

/* End-to-end latency of one image in its three parts (eq. 3), and what crosses the link (eq. 10). */
typedef struct
{
  double head_ms;
  double transfer_ms;
  double tail_ms;
  double total_ms;
  gsize payload_elements;
  double payload_bits;
} CleaveLatency;

/* Milliseconds of ops first_op … end_op − 1 on one device; SECTION names the oracle in an error. */
gboolean cleave_latency_estimate_stretch (GObject *oracle, const char *section, CleaveNetwork *network, guint first_op,
                                          guint end_op, double *milliseconds, GError **error);

/* DEVICE placement: all of it in head_ms, the rest 0. */
gboolean cleave_latency_estimate (CleaveComponents *components, CleaveNetwork *network, CleavePlacement placement,
                                  CleaveLatency *latency, GError **error);

G_END_DECLS
