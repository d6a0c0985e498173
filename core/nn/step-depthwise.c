/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution: a task is one channel of one group of images, as planes with borders in scratch memory.
 *
 * Backward by input, input pixel x gets from output i by tap t = x + padding − stride·i. Pixels of the same phase, (x +
 * padding) mod stride, have the same taps, phase, phase + stride, …, and neighbours among them are made of neighbouring
 * outputs. So each phase of rows and columns is a convolution of stride 1 over the output's gradient, with its taps
 * turned round. */
#include "plan.h"

#include <string.h>

static guint
padded_width (const NnStep *step)
{
  return step->in->width + 2 * step->padding;
}

static gsize
padded_size (const NnPlan *plan, const NnStep *step)
{
  return (gsize)(step->in->height + 2 * step->padding) * padded_width (step) * plan->lanes;
}

/* Rows and columns of zeros around the output's gradient: as many as a phase's taps may reach. */
static guint
border (const NnStep *step)
{
  return (step->kernel + step->stride - 1) / step->stride;
}

static guint
bordered_width (const NnStep *step)
{
  return step->out->width + 2 * border (step);
}

static gsize
bordered_size (const NnPlan *plan, const NnStep *step)
{
  return (gsize)(step->out->height + 2 * border (step)) * bordered_width (step) * plan->lanes;
}

/* A plane in scratch memory, seen from its first pixel within the borders. */
static NnView
inner_view (const NnPlan *plan, float *plane, guint width, guint margin)
{
  gsize lanes = plan->lanes;

  return (NnView){ plane + ((gsize)margin * width + margin) * lanes, width * lanes, lanes, 0 };
}

static void
fill_padded (NnPlan *plan, const NnStep *step, guint group, guint channel, float *padded)
{
  const NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);

  transform.index += channel;
  memset (padded, 0, padded_size (plan, step) * sizeof (float));
  plan->engine->kernels->transform (inner_view (plan, padded, padded_width (step), step->padding),
                                    nn_value_view (in, group, 0), &transform,
                                    (NnExtent){ 1, in->height, in->width, plan->lanes });
}

/* --- forward --- */

static NnPlane
forward_plane (const NnPlan *plan, const NnStep *step)
{
  const NnValue *out = step->out;

  return (NnPlane){ .rows = out->height,
                    .columns = out->width,
                    .kernel_rows = step->kernel,
                    .kernel_columns = step->kernel,
                    .stride = step->stride,
                    .lanes = plan->lanes,
                    .to_row = out->row_stride,
                    .to_pixel = out->pixel_stride,
                    .from_row = (gsize)padded_width (step) * plan->lanes };
}

/* A channel's sums, which lie as if all channels of a group of images were one task. */
static NnMoments
channel_moments (NnPlan *plan, const NnValue *value, guint group, guint channel)
{
  NnMoments moments = { NULL, nn_plan_valid_lanes (plan, group) };

  if (value->norm != NULL)
    {
      moments.sums = plan->sums + ((gsize)group * value->channels + channel) * 2;
      moments.sums[0] = moments.sums[1] = 0;
    }
  return moments;
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *out = step->out;
  guint group = task / out->channels, channel = task % out->channels;
  float *padded = nn_engine_get_scratch (plan->engine);
  NnPlane plane = forward_plane (plan, step);
  NnView to = nn_value_view (out, group, 0);
  NnMoments moments = channel_moments (plan, out, group, channel);

  if (plan->mode == NN_MODE_EVALUATE)
    moments.sums = NULL;
  fill_padded (plan, step, group, channel, padded);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  plan->engine->kernels->depthwise (to.data + channel * to.channel, padded,
                                    step->weight->data + (gsize)channel * step->kernel * step->kernel, &plane, moments);
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
}

/* Neighbouring channels' rows lie next to each other, so a thread takes some in turn. */
#define CHANNELS_AT_ONCE 4

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->out->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic, CHANNELS_AT_ONCE)
  for (guint task = 0; task < n_tasks; task++)
    forward_task (plan, step, task);
  nn_norm_finish_forward (plan, step->out, plan->n_groups);
}

/* --- backward --- */

/* Input pixels of one phase along one dimension: first, first + stride, …, n of them; the first is made of outputs
 * from `source` on, by `taps` taps: phase, phase + stride, … */
typedef struct
{
  guint phase, taps, first, n;
  gint source;
} Phase;

static Phase
phase_of (const NnStep *step, guint phase, guint size)
{
  Phase result = { .phase = phase };

  result.taps = phase < step->kernel ? (step->kernel - phase + step->stride - 1) / step->stride : 0;
  result.first = (phase + step->stride - step->padding % step->stride) % step->stride;
  result.n = result.first < size ? (size - result.first + step->stride - 1) / step->stride : 0;
  /* The last tap of the window is `phase` itself, of output (first + padding − phase) / stride. */
  result.source = (gint)((result.first + step->padding - phase) / step->stride) - (gint)result.taps + 1;
  return result;
}

static void
turn_taps (const NnStep *step, const float *weights, const Phase *y, const Phase *x, float *turned)
{
  for (guint row = 0; row < y->taps; row++)
    for (guint column = 0; column < x->taps; column++)
      turned[(y->taps - 1 - row) * x->taps + x->taps - 1 - column]
          = weights[(y->phase + row * step->stride) * step->kernel + x->phase + column * step->stride];
}

/* result ← the input's gradient, [row][column][lane] */
static void
convolve_back (NnPlan *plan, const NnStep *step, guint channel, const float *bordered, float *result, float *turned)
{
  guint taps = step->kernel * step->kernel, margin = border (step);
  gsize lanes = plan->lanes, row_stride = step->in->width * lanes, from_row = bordered_width (step) * lanes;

  for (guint phase = 0; phase < step->stride * step->stride; phase++)
    {
      Phase y = phase_of (step, phase / step->stride, step->in->height);
      Phase x = phase_of (step, phase % step->stride, step->in->width);
      NnPlane plane = { y.n, x.n, y.taps, x.taps, 1, lanes, row_stride * step->stride, lanes * step->stride, from_row };
      gssize row = (gssize)margin + y.source, column = (gssize)margin + x.source;

      turn_taps (step, step->weight->data + (gsize)channel * taps, &y, &x, turned);
      plan->engine->kernels->depthwise (result + y.first * row_stride + x.first * lanes,
                                        bordered + row * (gssize)from_row + column * (gssize)lanes, turned, &plane,
                                        (NnMoments){ NULL, lanes });
    }
}

static void
write_input_gradient (NnPlan *plan, NnStep *step, guint group, guint channel, float *result)
{
  NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);
  guint raw = in->index[channel];
  NnExtent extent = { 1, in->height, in->width, plan->lanes };
  NnView to = nn_value_gradient_view (in, group, 0);
  NnView from = { result, in->width * (gsize)plan->lanes, plan->lanes, 0 };
  NnMoments moments = channel_moments (plan, in, group, raw);

  if (step->accumulate)
    {
      to.data += raw * to.channel;
      plan->engine->kernels->add (to, from, extent);
      return;
    }
  if (moments.sums != NULL)
    moments.sums -= 2 * raw;
  transform.index += channel;
  plan->engine->kernels->transform_backward (to, from, nn_value_view (in, group, 0), &transform, extent, moments);
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *out = step->out;
  guint group = task / out->channels, channel = task % out->channels, taps = step->kernel * step->kernel;
  float *padded = nn_engine_get_scratch (plan->engine);
  float *bordered = padded + padded_size (plan, step);
  float *result = bordered + bordered_size (plan, step);
  float *turned = result + (gsize)step->in->pixels * plan->lanes;
  NnView gradient = inner_view (plan, bordered, bordered_width (step), border (step));
  NnPlane plane = forward_plane (plan, step);

  memset (bordered, 0, bordered_size (plan, step) * sizeof (float));
  nn_value_read_gradient (plan, out, group, 0, 0, (NnExtent){ 1, out->height, out->width, plan->lanes }, channel,
                          gradient);
  nn_clock_lap (&clock, NN_WORK_NORM);
  fill_padded (plan, step, group, channel, padded);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  plane.to_row = gradient.row;
  plane.to_pixel = gradient.pixel;
  plan->engine->kernels->depthwise_weights (plan->workspace + (gsize)task * taps, padded, gradient.data, &plane);
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
  if (!step->in->needs_gradient)
    return;
  convolve_back (plan, step, channel, bordered, result, turned);
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
  write_input_gradient (plan, step, group, channel, result);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->out->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic, CHANNELS_AT_ONCE)
  for (guint task = 0; task < n_tasks; task++)
    backward_task (plan, step, task);
  nn_plan_reduce_gradients (plan, step->weight, plan->n_groups);
  if (step->in->needs_gradient)
    nn_norm_finish_backward (plan, step->in, plan->n_groups);
}

NnStep *
nn_step_depthwise_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);

  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  step->weight = weight;
  step->kernel = op->kernel;
  step->stride = op->stride;
  step->padding = op->padding;
  nn_plan_reserve (plan,
                   padded_size (plan, step) + bordered_size (plan, step) + (gsize)in->pixels * plan->lanes
                       + op->kernel * op->kernel,
                   plan->max_groups * weight->size, (gsize)plan->max_groups * MAX (out->channels, in->channels) * 2);
  return step;
}
