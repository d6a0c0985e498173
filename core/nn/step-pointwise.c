/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 1×1 convolution of stride 1 and linear layers, on BLIS.
 *
 * A task takes a tile of pixels of one group of images. The side of the layer that a depthwise convolution
 * widened may have hundreds of channels, so a tile passes through in chunks of channels whose panels stay in cache: a
 * chunk is read once, with the norm and ReLU that were left to be done to it, and serves all products that it is in.
 * Where a value is plain, by cells already, it is a panel as it lies. */
#include "plan.h"

#include <string.h>

/* Floats of a chunk's panel: a quarter of a second-level cache of 2 MiB. */
#define CHUNK_FLOATS (128 * 1024)
/* Outputs whose statistics are gathered after they were computed, while they are in cache. */
#define BLOCKS_AT_ONCE 2
/* Up to so many blocks of outputs, reading the input takes so large a part of the time that forward fetches the next
 * tile while it computes one. */
#define MOST_BLOCKS_FETCHING 3

/* Channels of a chunk, whole blocks of packed weights. */
static guint
chunk_channels (const NnPlan *plan, const NnStep *step, guint channels)
{
  guint block = nn_gemm_block (plan->engine->gemm), cells = step->tile_rows * step->out->cells;
  gsize fitting = CHUNK_FLOATS / ((gsize)cells * plan->lanes) / block * block;

  return MIN (channels, MAX (fitting, block));
}

static guint
input_chunk (const NnPlan *plan, const NnStep *step)
{
  return nn_value_is_panels (plan, step->in) ? nn_step_group_inputs (step)
                                             : chunk_channels (plan, step, nn_step_group_inputs (step));
}

static guint
output_chunk (const NnPlan *plan, const NnStep *step)
{
  return chunk_channels (plan, step, nn_step_group_outputs (step));
}

/* A tile's panels in scratch memory. */
static NnView
panel_view (const NnPlan *plan, const NnStep *step, guint channels, float *scratch)
{
  gsize cell = nn_plan_cell_stride (plan, channels);

  return (NnView){ scratch, step->out->cells * cell, cell, plan->lanes };
}

static gsize
panel_size (const NnPlan *plan, const NnStep *step, guint channels)
{
  return step->tile_rows * step->out->cells * nn_plan_cell_stride (plan, channels);
}

static NnView
channel_view (NnView view, guint channel)
{
  view.data += channel * view.channel;
  return view;
}

/* `n` channels of the input, from `first` on, as panels: where they lie, or read into scratch memory. */
static NnView
read_input (NnPlan *plan, const NnStep *step, NnTile tile, guint first, guint n, float *scratch)
{
  NnView view = nn_value_view (step->in, tile.group, tile.row);
  NnTransform transform = nn_value_transform (step->in);

  if (nn_value_is_panels (plan, step->in))
    return channel_view (view, first);
  NnView panel = panel_view (plan, step, n, scratch);
  transform.index += first;
  plan->engine->kernels->transform (panel, view, &transform, (NnExtent){ n, tile.rows, step->out->cells, plan->lanes });
  return panel;
}

/* --- weights --- */

static gsize
packed_size (const NnPlan *plan, guint n, guint k)
{
  return nn_gemm_packed_size (plan->engine->gemm, n, k);
}

/* Each group's matrix of n × k weights, whose rows and columns lie so far apart. */
static void
pack (NnPlan *plan, const NnStep *step, const float *scale, guint n, guint k, gsize row_stride, gsize column_stride,
      float *packed)
{
  guint block = nn_gemm_block (plan->engine->gemm), n_blocks = (n + block - 1) / block;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint task = 0; task < step->groups * n_blocks; task++)
    {
      NnClock clock = nn_clock_start (plan->engine);
      guint group = task / n_blocks, first = task % n_blocks * block;

      nn_gemm_pack (plan->engine->gemm, packed + group * packed_size (plan, n, k) + (gsize)first * k,
                    step->weight->data + (gsize)group * n * k + first * row_stride,
                    scale != NULL ? scale + group * n + first : NULL, MIN (block, n - first), k, row_stride,
                    column_stride);
      nn_clock_lap (&clock, NN_WORK_GEMM);
    }
}

void
nn_step_pointwise_pack (NnPlan *plan, const NnStep *step, const float *scale, float *packed)
{
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step);

  pack (plan, step, scale, n, k, k, 1, packed);
}

/* The transposed matrix, for backward by input. */
static void
pack_backward (NnPlan *plan, const NnStep *step, float *packed)
{
  guint n = nn_step_group_inputs (step), k = nn_step_group_outputs (step);

  pack (plan, step, NULL, n, k, 1, n, packed);
}

/* Backward, the weights' partial gradients lie before the packed weights. */
static float *
transposed_weights (const NnPlan *plan, const NnStep *step)
{
  gsize n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->max_groups);

  return plan->workspace + (n_tasks * step->weight->size + 15) / 16 * 16;
}

/* --- forward --- */

static void
add_bias (const NnPlan *plan, const NnStep *step, NnView out, NnExtent extent)
{
  for (guint row = 0; row < extent.rows; row++)
    for (guint column = 0; column < extent.columns; column++)
      for (guint channel = 0; channel < extent.channels; channel++)
        for (guint lane = 0; lane < plan->lanes; lane++)
          out.data[row * out.row + column * out.pixel + channel * out.channel + lane] += step->bias->data[channel];
}

static gboolean
is_fetching (const NnPlan *plan, const NnStep *step)
{
  return !nn_value_is_panels (plan, step->in)
         && nn_step_group_outputs (step) <= MOST_BLOCKS_FETCHING * nn_gemm_block (plan->engine->gemm);
}

/* AHEAD ← these channels of the tile that this thread takes next, as a rule, and is given; NULL where none is fetched,
 * which depends on the shapes alone, since another kernel does the product then. */
static NnAhead *
next_tile (const NnPlan *plan, const NnStep *step, NnTile tile, guint first, guint n, NnAhead *ahead)
{
  guint tiles = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, 1);
  guint n_tasks = tiles * plan->n_groups;
  guint next = nn_plan_next_task (plan, tiles * tile.group + tile.row / step->tile_rows, n_tasks);

  if (!is_fetching (plan, step))
    return NULL;
  *ahead = (NnAhead){ 0 };
  if (next < n_tasks)
    *ahead = nn_value_ahead (plan, step->in, nn_plan_tile (step->out->height, step->tile_rows, next), first, n);
  return ahead;
}

/* The last of a group's chunks: outputs are complete, a few blocks at a time. */
static void
finish_outputs (NnPlan *plan, const NnStep *step, const float *packed, guint first_input, guint n_inputs, NnView input,
                NnView out, NnExtent extent, NnMoments moments, NnAhead *ahead, NnClock *clock)
{
  guint span = BLOCKS_AT_ONCE * nn_gemm_block (plan->engine->gemm), n = extent.channels;

  for (guint first = 0; first < n; first += span)
    {
      NnView part = channel_view (out, first);

      extent.channels = MIN (span, n - first);
      nn_gemm_multiply (plan->engine->gemm,
                        nn_gemm_part (plan->engine->gemm, packed, nn_step_group_inputs (step), first, extent.channels,
                                      first_input, n_inputs),
                        input, part, extent, first_input > 0, ahead);
      nn_clock_lap (clock, NN_WORK_GEMM);
      if (moments.sums == NULL)
        continue;
      NnMoments part_moments = { moments.sums + 2 * first, moments.valid, moments.images };
      plan->engine->kernels->moments (part, part, extent, part_moments);
      nn_clock_lap (clock, NN_WORK_NORM);
    }
}

static void
forward_group (NnPlan *plan, NnStep *step, NnTile tile, guint group, NnMoments moments, NnClock *clock)
{
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step), chunk = input_chunk (plan, step);
  const float *packed = plan->workspace + group * packed_size (plan, n, k);
  NnView out = channel_view (nn_value_view (step->out, tile.group, tile.row), group * n);
  NnExtent extent = { n, tile.rows, step->out->cells, plan->lanes };

  for (guint first = 0; first < k; first += chunk)
    {
      guint count = MIN (chunk, k - first);
      NnView input = read_input (plan, step, tile, group * k + first, count, nn_engine_get_scratch (plan->engine));
      NnAhead next, *ahead = next_tile (plan, step, tile, group * k + first, count, &next);

      nn_clock_lap (clock, NN_WORK_ELEMENTWISE);
      if (first + count == k)
        {
          if (moments.sums != NULL)
            moments.sums += 2 * group * n;
          finish_outputs (plan, step, packed, first, count, input, out, extent, moments, ahead, clock);
          break;
        }
      nn_gemm_multiply (plan->engine->gemm, nn_gemm_part (plan->engine->gemm, packed, k, 0, n, first, count), input,
                        out, extent, first > 0, ahead);
      nn_clock_lap (clock, NN_WORK_GEMM);
    }
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  NnMoments moments = nn_plan_task_moments (plan, step->out, task, tile.group);

  if (plan->mode == NN_MODE_EVALUATE)
    moments.sums = NULL;
  for (guint group = 0; group < step->groups; group++)
    forward_group (plan, step, tile, group, moments, &clock);
  if (step->bias != NULL)
    add_bias (plan, step, nn_value_view (step->out, tile.group, tile.row),
              (NnExtent){ step->out->channels, tile.rows, step->out->cells, plan->lanes });
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->n_groups);

  nn_step_pointwise_pack (plan, step, NULL, plan->workspace);
  nn_plan_run (plan, step, forward_task, n_tasks);
  nn_norm_finish_forward (plan, step->out, n_tasks);
}

void
nn_step_pointwise_expand (NnPlan *plan, const NnStep *step, const float *packed, NnView input, guint first, guint n,
                          guint rows, NnView planes, NnAhead *ahead)
{
  const NnNorm *norm = step->out->norm;
  guint groups = step->groups, outputs = nn_step_group_outputs (step), k = nn_step_group_inputs (step);

  for (guint group = 0; group < groups; group++)
    {
      NnView to = channel_view (planes, group);
      guint channel = group * outputs + first / groups;

      to.channel *= groups;
      nn_gemm_multiply_scaled (plan->engine->gemm,
                               nn_gemm_part (plan->engine->gemm, packed + group * packed_size (plan, outputs, k), k,
                                             first / groups, n / groups, 0, k),
                               channel_view (input, group * k), to,
                               (NnExtent){ n / groups, rows, step->out->cells, plan->lanes }, norm->scale + channel,
                               norm->shift + channel, step->out->relu, ahead);
    }
}

/* --- backward --- */

/* A chunk of one group's outputs, whose gradient is in panels. */
typedef struct
{
  NnTile tile;
  guint task, group;
  guint first, n; /* outputs */
  NnView gradient;
  NnMoments moments; /* of the input's gradient */
  float *scratch;
} OutputChunk;

/* Where the sums of the bias's gradient lie: after those over the input. */
static double *
bias_sums (NnPlan *plan, const NnStep *step, guint task)
{
  gsize n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->max_groups);

  return plan->sums + (n_tasks * step->in->channels + (gsize)task * step->out->channels) * 2;
}

static void
weight_products (NnPlan *plan, const NnStep *step, const OutputChunk *chunk, NnView input, guint first_input,
                 guint n_inputs)
{
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step);
  float *partial = plan->workspace + (gsize)chunk->task * step->weight->size
                   + ((gsize)chunk->group * n + chunk->first) * k + first_input;
  NnFactor outputs = { chunk->gradient.data, chunk->gradient.row, chunk->gradient.pixel, chunk->n };
  NnFactor inputs = { input.data, input.row, input.pixel, n_inputs };

  if (chunk->n <= n_inputs)
    plan->engine->kernels->outer (partial, k, 1, outputs, inputs, chunk->tile.rows, step->out->cells, plan->lanes,
                                  FALSE);
  else
    plan->engine->kernels->outer (partial, 1, k, inputs, outputs, chunk->tile.rows, step->out->cells, plan->lanes,
                                  FALSE);
}

/* This chunk's share of the input's gradient; with the last share, ReLU's backward and the norm's sums. */
static void
input_products (NnPlan *plan, const NnStep *step, const OutputChunk *chunk, guint first_input, guint n_inputs,
                NnClock *clock)
{
  NnValue *in = step->in;
  guint n = nn_step_group_inputs (step), k = nn_step_group_outputs (step), channel = chunk->group * n + first_input;
  const float *packed = transposed_weights (plan, step) + chunk->group * packed_size (plan, n, k);
  NnExtent extent = { n_inputs, chunk->tile.rows, step->out->cells, plan->lanes };
  NnView to = nn_value_gradient_view (in, chunk->tile.group, chunk->tile.row);
  NnTransform transform = nn_value_transform (in);

  nn_gemm_multiply (plan->engine->gemm,
                    nn_gemm_part (plan->engine->gemm, packed, k, first_input, n_inputs, chunk->first, chunk->n),
                    chunk->gradient, channel_view (to, channel), extent, step->accumulate || chunk->first > 0, NULL);
  nn_clock_lap (clock, NN_WORK_GEMM);
  if (chunk->first + chunk->n < k || (!in->relu && in->norm == NULL))
    return;
  transform.index += channel;
  plan->engine->kernels->transform_backward (to, channel_view (to, channel),
                                             nn_value_view (in, chunk->tile.group, chunk->tile.row), &transform, extent,
                                             chunk->moments);
  nn_clock_lap (clock, NN_WORK_NORM);
}

static void
backward_chunk (NnPlan *plan, const NnStep *step, const OutputChunk *chunk, NnClock *clock)
{
  guint k = nn_step_group_inputs (step), span = input_chunk (plan, step);

  for (guint first = 0; first < k; first += span)
    {
      guint n_inputs = MIN (span, k - first);
      NnView input = read_input (plan, step, chunk->tile, chunk->group * k + first, n_inputs, chunk->scratch);

      nn_clock_lap (clock, NN_WORK_ELEMENTWISE);
      weight_products (plan, step, chunk, input, first, n_inputs);
      nn_clock_lap (clock, NN_WORK_GEMM);
      if (step->in->needs_gradient)
        input_products (plan, step, chunk, first, n_inputs, clock);
    }
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  guint n = nn_step_group_outputs (step), span = output_chunk (plan, step);
  float *scratch = nn_engine_get_scratch (plan->engine);
  OutputChunk chunk = { .tile = tile, .task = task };

  chunk.scratch = scratch + panel_size (plan, step, span);
  chunk.moments = nn_plan_task_moments (plan, step->in, task, tile.group);
  for (chunk.group = 0; chunk.group < step->groups; chunk.group++)
    for (chunk.first = 0; chunk.first < n; chunk.first += span)
      {
        chunk.n = MIN (span, n - chunk.first);
        chunk.gradient = panel_view (plan, step, chunk.n, scratch);
        NnExtent extent = { chunk.n, tile.rows, step->out->cells, plan->lanes };
        guint channel = chunk.group * n + chunk.first;

        nn_value_read_gradient (plan, step->out, tile.group, tile.row, 0, extent, channel, chunk.gradient);
        nn_clock_lap (&clock, NN_WORK_NORM);
        if (step->bias != NULL)
          {
            NnMoments sums = { bias_sums (plan, step, task) + 2 * channel, plan->lanes, plan->lanes };
            memset (sums.sums, 0, 2 * chunk.n * sizeof (double));
            plan->engine->kernels->moments (chunk.gradient, chunk.gradient, extent, sums);
          }
        backward_chunk (plan, step, &chunk, &clock);
      }
}

static void
reduce_weights (NnPlan *plan, NnStep *step, guint n_tasks)
{
  nn_plan_reduce_gradients (plan, step->weight, n_tasks);
  if (step->bias == NULL)
    return;
  nn_supernet_touch (plan->supernet, step->bias);
  for (guint channel = 0; channel < step->out->channels; channel++)
    for (guint task = 0; task < n_tasks; task++)
      step->bias->gradient[channel] += bias_sums (plan, step, task)[2 * channel];
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->n_groups);

  if (step->in->needs_gradient)
    pack_backward (plan, step, transposed_weights (plan, step));
  nn_plan_run (plan, step, backward_task, n_tasks);
  reduce_weights (plan, step, n_tasks);
  if (step->in->needs_gradient)
    nn_norm_finish_backward (plan, step->in, n_tasks);
}

/* --- making --- */

static void
reserve (NnPlan *plan, NnStep *step)
{
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step);
  gsize n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->max_groups);
  gsize input_panel = nn_value_is_panels (plan, step->in) ? 0 : panel_size (plan, step, input_chunk (plan, step));

  nn_plan_reserve (plan, input_panel, step->groups * packed_size (plan, n, k), n_tasks * step->out->channels * 2);
  if (plan->flags & NN_PLAN_BACKWARD)
    nn_plan_reserve (plan, input_panel + panel_size (plan, step, output_chunk (plan, step)),
                     n_tasks * step->weight->size + 16 + step->groups * packed_size (plan, k, n),
                     n_tasks * (step->in->channels + step->out->channels) * 2);
}

NnStep *
nn_step_pointwise_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnArray *bias, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);
  gboolean linear = op->kind == CLEAVE_OP_LINEAR;

  step->kind = NN_STEP_POINTWISE;
  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  step->weight = weight;
  step->bias = bias;
  step->kernel = 1;
  step->stride = 1;
  step->groups = linear ? 1 : op->groups;
  step->tile_rows = nn_plan_tile_rows (plan, out);
  reserve (plan, step);
  return step;
}
