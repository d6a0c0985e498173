/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The accuracy of a trained network over a lossy link. */

#include "nn.h"

G_BEGIN_DECLS

typedef struct
{
  NnEngine *engine;
  NnSupernet *supernet;
  CleaveNetwork *network;
  CleaveChannel *channel;
  CleaveImages *images;
  const CleaveDatasetInfo *info;
  guint batch_size;
  guint64 seed;
  gboolean (*should_stop) (gpointer data); /* nullable */
  gpointer data;
} CleaveEvaluation;

typedef struct
{
  double drop_rate;
  guint n_correct;
} CleaveAccuracy;

/* With running statistics, in file order: GArray of CleaveAccuracy, one a drop rate. Losses depend on the seed, the
 * drop rate and the image only, not on batch or threads, so the same model always gives the same numbers. LOGITS
 * (nullable) [images, classes] gets the outputs at drop rate 0. */
GArray *cleave_evaluation_run (const CleaveEvaluation *self, const double *drop_rates, guint n_drop_rates,
                               float *logits, GError **error);
/* An error unless the network takes the data set's images and gives a number for each of its classes. */
gboolean cleave_evaluation_check_shapes (CleaveNetwork *network, const CleaveDatasetInfo *info, GError **error);
/* Puts the drop rates (double) in ascending order, each once. */
void cleave_evaluation_sort_drop_rates (GArray *drop_rates);
/* The index of the largest, the first of equals. */
guint cleave_evaluation_arg_max (const float *values, gsize n);

G_END_DECLS
