/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A plan's inside. A network becomes a chain of steps over values.
 *
 * A value is a tensor as a step wrote it, plus what a reader still has to do to it: normalise, ReLU, shuffle. So a norm
 * or a ReLU is never a pass of its own: the step that makes a value gathers its statistics while the tile is in cache,
 * and the step that reads it applies scale, shift and ReLU on the way in. The same goes backwards: a value's gradient
 * is kept as it was before the norm's backward, which the reader applies as an affine function of gradient and value.
 *
 * Images come in groups, innermost. A cell is what fills the lanes of a BLIS panel: one pixel of `lanes` images or,
 * where all widths are even, two neighbouring pixels of a row of half as many, [pixel][image]; the fewer images, the
 * more rows of them a cache holds. Within a group a value lies either by cells, [row][cell][channel][lane], where one
 * cell is a ready panel for BLIS, or by rows, [row][channel][cell][lane], where a depthwise convolution finds a
 * channel's row in one piece, [column][image], and a tile of a few rows is still one stretch of memory. A value that is
 * one pixel wide is one cell wide, of which only the first pixel counts.
 *
 * Work is cut into tasks fixed by shapes alone, most of them tiles of rows that stay in a core's cache; each writes its
 * own partial sums, which are added in order. So the number of threads changes nothing. */

#include "engine.h"
#include "supernet.h"

G_BEGIN_DECLS

/* A stretch of the plan's memory; shared where a gradient serves two values. */
typedef struct
{
  gsize offset; /* floats */
  gsize size;
  guint users;
} NnBuffer;

/* Batch normalisation of a value. */
typedef struct
{
  NnArray *weight, *bias, *running_mean, *running_variance;
  double *mean, *inverse_deviation;
  float *scale, *shift; /* forward: scale·x + shift */
  float *a, *b, *c;     /* backward: a·gradient + b·x + c */
} NnNorm;

typedef struct
{
  guint channels, height, width, pixels;
  guint cells; /* of a row */
  gsize row_stride, cell_stride, channel_stride, group_stride;
  NnBuffer *buffer, *gradient_buffer;
  float *data, *gradient;
  guint32 *index; /* raw channel that a reader's channel is */
  gboolean is_permuted;
  NnNorm *norm;
  gboolean relu;
  gboolean is_shared;     /* read by an add or sent over the link too: must be plain */
  gboolean can_have_norm; /* its step gathers statistics */
  gboolean needs_gradient;
} NnValue;

typedef struct _NnStep NnStep;
typedef struct _NnBlock NnBlock;
typedef struct _NnWiden NnWiden;

typedef enum
{
  NN_STEP_CONV,
  NN_STEP_POINTWISE,
  NN_STEP_DEPTHWISE,
  NN_STEP_JOIN,
  NN_STEP_LINK,
  NN_STEP_POOL,
} NnStepKind;

struct _NnStep
{
  NnStepKind kind;
  void (*forward) (NnPlan *plan, NnStep *step);
  void (*backward) (NnPlan *plan, NnStep *step);
  NnValue *in, *source, *out;            /* source: what an add adds; NULL elsewhere */
  guint kernel, stride, padding, groups; /* of convolutions */
  NnArray *weight, *bias;
  guint tile_rows;       /* of output pixels, of a task */
  guint input_tile_rows; /* of input pixels, of a task of backward by input */
  /* What backward does to the gradients of `in` and `source`: it adds to them where an earlier step wrote them. Where
   * they share the memory of out's, a depthwise step replaces that, any other leaves it as it is. */
  gboolean accumulate, accumulate_source;
  gboolean aliases, aliases_source;
  /* Where this step and those after it are one block: what runs instead of so many steps in NN_MODE_EVALUATE. */
  NnBlock *block;
  guint n_block_steps;
  /* Where this step and the next one are done together, elsewhere: no memory holds what is between. */
  NnWiden *widen;
};

struct _NnPlan
{
  NnEngine *engine;
  NnSupernet *supernet;
  NnPlanFlags flags;
  guint lanes;  /* side · images */
  guint side;   /* pixels of a cell: 1 or 2 */
  guint images; /* of a group */
  guint max_groups;
  GPtrArray *values;  /* NnValue */
  GPtrArray *steps;   /* NnStep, in forward order */
  GPtrArray *norms;   /* NnNorm */
  GPtrArray *buffers; /* NnBuffer */
  NnBuffer *workspace_buffer, *sums_buffer, *arrived_buffer;
  guint cut_step; /* the first of the tail */
  NnValue *input, *payload, *output;
  float *memory;
  gsize memory_size;  /* floats */
  float *arrived;     /* scale of each payload element, as the payload lies; NULL where there is no cut */
  gsize scratch_size; /* floats a thread */
  float *workspace;   /* of the step that runs: packed weights, partial weight gradients */
  gsize workspace_size;
  double *sums; /* of the step that runs: [task][channel][2]; Σx, Σx² forward; Σg, Σg·x backward */
  gsize sums_size;
  /* of the present run */
  NnMode mode;
  guint n, n_groups;
  gboolean has_losses;
};

/* Rows of one group of images. */
typedef struct
{
  guint group, row, rows;
} NnTile;

/* How many images a group has. */
static inline guint
nn_plan_group_images (const NnPlan *plan, guint group)
{
  return MIN (plan->images, plan->n - group * plan->images);
}

/* From the first pixel of a row to another. */
static inline gsize
nn_plan_column_offset (const NnPlan *plan, gsize cell_stride, guint column)
{
  return column / plan->side * cell_stride + column % plan->side * plan->images;
}

/* Channels of one group of a convolution. */
static inline guint
nn_step_group_inputs (const NnStep *step)
{
  return step->in->channels / step->groups;
}

static inline guint
nn_step_group_outputs (const NnStep *step)
{
  return step->out->channels / step->groups;
}

/* --- values (value.c) --- */

/* From the first pixel of this row on. */
NnView nn_value_view (const NnValue *value, guint group, guint row);
NnView nn_value_gradient_view (const NnValue *value, guint group, guint row);
NnTransform nn_value_transform (const NnValue *value);
/* Nothing is left to be done to it. */
gboolean nn_value_is_plain (const NnValue *value);
/* It is panels as it lies: plain, by cells. */
gboolean nn_value_is_panels (const NnPlan *plan, const NnValue *value);
gsize nn_value_size (const NnPlan *plan, const NnValue *value);
/* Sets lanes without images to 0 in a view of this value or one that lies alike. */
void nn_value_clear_invalid (const NnPlan *plan, const NnValue *value, guint group, NnView view, NnExtent extent);
/* Moments over this value that are added to SUMS. */
NnMoments nn_value_moments (const NnPlan *plan, const NnValue *value, guint group, double *sums);
/* That part of the value, to be fetched ahead. */
NnAhead nn_value_ahead (const NnPlan *plan, const NnValue *value, NnTile tile, guint first_channel, guint n);
/* view ← the gradient of the raw value (the norm's backward applied) from this column on, lanes without images set to
 * 0. The extent's lanes are a cell's, or those of one pixel. */
void nn_value_read_gradient (NnPlan *plan, const NnValue *value, guint group, guint row, guint column, NnExtent extent,
                             guint first_channel, NnView view);

/* --- planes (planes.c): rows of a value's channels in scratch memory, [channel][row][column][image], with a margin of
 * zeros around the image --- */

typedef struct
{
  gint first_row;     /* negative: above the image */
  guint begin, end;   /* rows of the image that are among them */
  guint above, below; /* rows of zeros before and after those */
  guint margin;       /* columns of zeros on either side */
  gsize row, size;    /* floats of a row, of a plane */
} NnPlanes;

/* As many rows from first_row on; where it is negative, it lies above the image. */
NnPlanes nn_planes_of (const NnPlan *plan, const NnValue *value, guint margin, gint first_row, guint rows);
void nn_planes_clear_margins (const NnPlan *plan, const NnPlanes *planes, float *data, guint n);
/* From the first pixel that is in the image on. */
NnView nn_planes_view (const NnPlan *plan, const NnPlanes *planes, float *data);

/* --- norms (norm.c) --- */

NnNorm *nn_norm_new (NnPlan *plan, NnValue *value, CleaveNetwork *network, guint op);
void nn_norm_free (gpointer norm);
/* After the step that makes the value: its scale and shift. */
void nn_norm_finish_forward (NnPlan *plan, NnValue *value, guint n_tasks);
/* After the step that makes its gradient: a, b, c and the parameters' gradients. */
void nn_norm_finish_backward (NnPlan *plan, NnValue *value, guint n_tasks);

/* plan-compile.c: steps over values and how much memory they need; then the memory */
gboolean nn_plan_compile (NnPlan *plan, CleaveNetwork *network, GError **error);
gboolean nn_plan_take_memory (NnPlan *plan, GError **error);

/* --- steps --- */

/* From a cell to the next of a panel of so many channels. Panels an even number of cache lines apart would meet in few
 * of a cache's sets, so a lane of padding keeps them odd. */
static inline gsize
nn_plan_cell_stride (const NnPlan *plan, guint channels)
{
  return (gsize)(channels + (channels > 1 && channels % 2 == 0)) * plan->lanes;
}

/* Making a step, say what its tasks need; the largest need of all steps counts. */
void nn_plan_reserve (NnPlan *plan, gsize scratch_floats, gsize workspace_floats, gsize n_sums);
/* Rows a task, for values of this size; of so many cells, or so. */
guint nn_plan_tile_rows (const NnPlan *plan, const NnValue *value);
guint nn_plan_strip_rows (const NnPlan *plan, const NnValue *value, guint cells);
guint nn_plan_n_tiles (const NnPlan *plan, guint height, guint tile_rows, guint n_groups);
NnTile nn_plan_tile (guint height, guint tile_rows, guint task);
/* Runs tasks 0 to n_tasks − 1 of a step on all threads. */
void nn_plan_run (NnPlan *plan, NnStep *step, void (*task) (NnPlan *plan, NnStep *step, guint task), guint n_tasks);
/* The task that this thread takes after that one, as a rule; n_tasks or more: none. */
guint nn_plan_next_task (const NnPlan *plan, guint task, guint n_tasks);
/* Where a task puts its sums over a value, set to 0; none are wanted of a value without a norm. */
NnMoments nn_plan_task_moments (NnPlan *plan, const NnValue *value, guint task, guint group);

/* Adds the tasks' partial gradients, which fill the workspace from its start, to the array's. */
void nn_plan_reduce_gradients (NnPlan *plan, NnArray *array, guint n_tasks);

/* step-pointwise.c: 1×1 convolutions and linear layers. */
NnStep *nn_step_pointwise_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnArray *bias, NnValue *in,
                               NnValue *out);
/* Weights packed for forward, each output's times its scale (nullable: 1). */
void nn_step_pointwise_pack (NnPlan *plan, const NnStep *step, const float *scale, float *packed);
/* Channels first to first + n of an output with a norm, that and ReLU done, into planes of these rows. Where there are
 * groups, they come as a shuffle has them: one of each in turn. */
void nn_step_pointwise_expand (NnPlan *plan, const NnStep *step, const float *packed, NnView input, guint first,
                               guint n, guint rows, NnView planes, NnAhead *ahead);
/* step-conv.c: any other convolution but depthwise. */
NnStep *nn_step_conv_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnValue *in, NnValue *out);
/* step-depthwise.c */
NnStep *nn_step_depthwise_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnValue *in, NnValue *out);
/* What these rows of the output are made of. */
NnPlanes nn_depthwise_input_planes (const NnPlan *plan, const NnStep *step, guint row, guint rows);
/* The convolution of so many rows of outputs, which lie as the value does. */
NnPlane nn_depthwise_plane (const NnPlan *plan, const NnStep *step, guint rows, gsize from_row);
/* The output's gradient as far as it depends on these rows of the input. */
NnPlanes nn_depthwise_gradient_planes (const NnPlan *plan, const NnStep *step, guint begin, guint end);
/* WEIGHTS ← one channel's gradient of its weights, of a plane of these rows of the input without margin. TAPS is room
 * for as many floats. */
void nn_depthwise_weights (NnPlan *plan, const NnStep *step, guint begin, guint end, const NnPlanes *planes,
                           const float *gradient, const float *input, float *weights, float *taps);
/* TO ← one channel's gradient of these rows of the input, SIDE pixels in one cell of TO (1, or 2 where the stride is 1
 * or even); where MASK is given, a plane of those rows without margin, 0 where that is not positive, and their sum is
 * given. TAPS is room for as many floats as the channel has weights. */
double nn_depthwise_inputs (NnPlan *plan, const NnStep *step, guint channel, guint begin, guint end,
                            const NnPlanes *planes, const float *gradient, NnView to, guint side, const float *mask,
                            float *taps);
/* step-join.c: writes a value out plain, with another added where SOURCE is given. */
NnStep *nn_step_join_new (NnPlan *plan, NnValue *in, NnValue *source, NnValue *out);
/* step-join.c: losses on the link: each element times its scale in plan->arrived. */
NnStep *nn_step_link_new (NnPlan *plan, NnValue *in, NnValue *out);
/* step-pool.c: global average. */
NnStep *nn_step_pool_new (NnPlan *plan, NnValue *in, NnValue *out);

/* step-block.c: the block that begins with the step at this index, if there is one, and how many steps it has. */
NnBlock *nn_block_find (NnPlan *plan, guint index, guint *n_steps);
void nn_block_forward (NnPlan *plan, NnBlock *block);

/* step-widen.c: the widening that begins with the step at this index, if there is one. */
NnWiden *nn_widen_find (NnPlan *plan, guint index);
void nn_widen_forward (NnPlan *plan, NnWiden *widen);
void nn_widen_backward (NnPlan *plan, NnWiden *widen);

G_END_DECLS
