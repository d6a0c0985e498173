/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The compute engine as the search sees it. Everything is fp32. Arrays at this interface are NCHW, as in PyTorch. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* --- engine: the processor's kernels and the threads --- */

typedef struct _NnEngine NnEngine;

/* N_THREADS = 0: all cores. CLEAVE_CPU and BLIS_ARCH_TYPE are read here, at the first engine of the process. */
NnEngine *nn_engine_new (guint n_threads, GError **error);
void nn_engine_free (NnEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnEngine, nn_engine_free)

/* --- where the time goes --- */

typedef enum
{
  NN_WORK_GEMM,        /* convolutions but depthwise, linear layers, packing their weights */
  NN_WORK_DEPTHWISE,   /* depthwise convolutions */
  NN_WORK_NORM,        /* statistics and normalisation, there and back */
  NN_WORK_ELEMENTWISE, /* ReLU, residuals, losses, pooling, copies */
  NN_WORK_OPTIMISER,   /* reducing weight gradients, SGD */
  NN_WORK_DATA,        /* images and outputs between NCHW and the engine's layout */
  NN_N_WORKS,
} NnWork;

/* From here on the time of each kind of work is kept, from zero. */
void nn_engine_start_profile (NnEngine *engine);
/* Seconds since then, summed over the threads; what is missing to threads × wall time was spent waiting. */
double nn_engine_get_profile (NnEngine *engine, NnWork work);

/* --- weights --- */

typedef struct
{
  char *key;  /* unique in the supernet: "cells.3/k3_e6/conv1.weight", "stem//conv.weight" */
  char *name; /* the name in a state dict: "cells.3.conv1.weight" */
  guint rank;
  guint shape[4];
  gsize size; /* elements */
  float *data;
  float *gradient; /* NULL for running statistics */
  float *momentum; /* likewise */
} NnArray;

/* The shared weights of all candidates, by block and choice. An array is made when a network first needs it, its
 * initial values drawn from (seed, key), so that they do not depend on the order of the networks. */
typedef struct _NnSupernet NnSupernet;

NnSupernet *nn_supernet_new (guint64 seed);
void nn_supernet_free (NnSupernet *supernet);
/* Makes all arrays of the network that are not there yet; an error if one is there with another shape. */
gboolean nn_supernet_add_network (NnSupernet *supernet, CleaveNetwork *network, GError **error);
guint nn_supernet_get_n_arrays (NnSupernet *supernet);
/* In the order of making. */
NnArray *nn_supernet_get_array (NnSupernet *supernet, guint index);
/* NULL if there is none. */
NnArray *nn_supernet_find (NnSupernet *supernet, const char *key);
/* The network's own arrays, in the order of its ops: GPtrArray of NnArray *, (transfer container). */
GPtrArray *nn_supernet_list_network (NnSupernet *supernet, CleaveNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnSupernet, nn_supernet_free)

/* --- plan: a network compiled for a batch size --- */

typedef enum
{
  NN_MODE_TRAIN,            /* statistics of the batch; running ones are updated */
  NN_MODE_BATCH_STATISTICS, /* statistics of the batch; nothing is updated */
  NN_MODE_EVALUATE,         /* running statistics */
} NnMode;

typedef enum
{
  NN_PLAN_FORWARD = 0,
  NN_PLAN_BACKWARD = 1 << 0,       /* keep what backward needs */
  NN_PLAN_INPUT_GRADIENT = 1 << 1, /* backward also gives the gradient of the input */
} NnPlanFlags;

typedef struct _NnPlan NnPlan;

/* The supernet gets the arrays it lacks. BATCH is the largest number of images. Memory comes from the engine's pool and
 * goes back there, so making plans often is cheap. */
NnPlan *nn_plan_new (NnEngine *engine, NnSupernet *supernet, CleaveNetwork *network, guint batch, NnPlanFlags flags,
                     GError **error);
void nn_plan_free (NnPlan *plan);
/* Bytes that nn_plan_new() would take from the engine; nothing is taken. 0 with an error set. */
gsize nn_plan_measure (NnEngine *engine, CleaveNetwork *network, guint batch, NnPlanFlags flags, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NnPlan, nn_plan_free)

/* Ops before the cut (all of them where there is none). IMAGES is [n, C, H, W], n ≤ batch. */
void nn_plan_forward_head (NnPlan *plan, NnMode mode, const float *images, guint n);
/* Ops after the cut, on what the head gave, evaluating if it did; may be called many times after one head. ARRIVED
 * (nullable: all did) is [n, payload elements], 0 = lost: lost elements count as 0, the others are scaled by 1 / (1 −
 * drop_rate). */
void nn_plan_forward_tail (NnPlan *plan, NnMode mode, const guint8 *arrived, double drop_rate);
/* Copies the network's output [n, C, H, W], or [n, classes], of the last forward_tail. */
void nn_plan_get_output (NnPlan *plan, float *output);
gsize nn_plan_get_output_size (NnPlan *plan); /* elements an image */
/* Backward through tail and head of the last forward (mode TRAIN or BATCH_STATISTICS), given the output's gradient.
 * Parameter gradients are added to those of the step, see nn_supernet_begin_step(). */
void nn_plan_backward (NnPlan *plan, const float *output_gradient);
void nn_plan_get_input_gradient (NnPlan *plan, float *input_gradient);

/* --- loss and SGD --- */

/* Mean cross-entropy over n images, in double. GRADIENT (nullable) [n, classes] gets its gradient times WEIGHT. */
double nn_cross_entropy (const float *logits, const guint16 *labels, guint n, guint n_classes, double weight,
                         float *gradient);

typedef struct
{
  double learning_rate;
  double momentum;
  double weight_decay;
  double gradient_clip; /* limit of the norm of all gradients together; 0 = none */
} NnSgd;

/* Begins a training step: gradients count from zero, no array is touched yet. */
void nn_supernet_begin_step (NnSupernet *supernet);
/* One SGD step (PyTorch's form: v ← m·v + g + d·w, w ← w − l·v) on the arrays touched since begin_step, and only
 * those. Returns the gradient's norm before clipping; NaN or infinity there means that nothing was changed. */
double nn_supernet_step (NnEngine *engine, NnSupernet *supernet, const NnSgd *sgd);

G_END_DECLS
