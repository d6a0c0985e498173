/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "chart.h"

G_BEGIN_DECLS

/* The file that this PLplot device makes of the chart; an error if PLplot lacks the device or fails. */
GBytes *cleave_chart_draw (const CleaveChart *chart, const char *device, GError **error);

G_END_DECLS
