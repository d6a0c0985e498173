/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution: a task is a few neighbouring channels of one group of images, as planes with borders in
 * scratch memory. It goes through their rows in the order in which they lie.
 *
 * Backward by input, input pixel x gets from output i by tap t = x + padding − stride·i. Pixels of the same phase, (x +
 * padding) mod stride, have the same taps, phase, phase + stride, …, and neighbours among them are made of neighbouring
 * outputs. So each phase of rows and columns is a convolution of stride 1 over the output's gradient, with its taps
 * turned round. */
#include "plan.h"

#include <string.h>

/* Floats of scratch memory that a task's planes may take: most of a second-level cache of 2 MiB. */
#define PLANES_FLOATS (320 * 1024)
/* Pixels whose moments are gathered at a time. */
#define PIXELS_AT_ONCE 32

/* --- planes --- */

/* One channel's plane of a value, with a margin of zeros around it. */
typedef struct
{
  guint height, width, margin;
  gsize row, size; /* floats */
} Plane;

static Plane
plane_of (const NnPlan *plan, const NnValue *value, guint margin)
{
  Plane plane = { value->height, value->width, margin, 0, 0 };

  plane.row = (gsize)(value->width + 2 * margin) * plan->images;
  plane.size = (value->height + 2 * margin) * plane.row;
  return plane;
}

static void
clear_margin (const NnPlan *plan, const Plane *plane, float *data)
{
  gsize side = (gsize)plane->margin * plan->images, inner = (gsize)plane->width * plan->images;

  memset (data, 0, plane->margin * plane->row * sizeof (float));
  data += plane->margin * plane->row;
  for (guint row = 0; row < plane->height; row++, data += plane->row)
    {
      memset (data, 0, side * sizeof (float));
      memset (data + side + inner, 0, side * sizeof (float));
    }
  memset (data, 0, plane->margin * plane->row * sizeof (float));
}

/* Planes in scratch memory, seen from their first pixel within the margin. */
static NnView
inner_view (const NnPlan *plan, const Plane *plane, float *planes)
{
  return (NnView){ planes + plane->margin * (plane->row + plan->images), plane->row, plan->lanes, plane->size };
}

static Plane
input_plane (const NnPlan *plan, const NnStep *step)
{
  return plane_of (plan, step->in, step->padding);
}

static Plane
result_plane (const NnPlan *plan, const NnStep *step)
{
  return plane_of (plan, step->in, 0);
}

/* --- phases --- */

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

/* The output's gradient, with a margin as wide as a phase's taps reach beyond it. */
static Plane
gradient_plane (const NnPlan *plan, const NnStep *step)
{
  gint margin = 0;

  for (guint i = 0; i < step->stride; i++)
    {
      Phase y = phase_of (step, i, step->in->height), x = phase_of (step, i, step->in->width);

      margin = MAX (margin, MAX (-y.source, -x.source));
      margin = MAX (margin, y.source + (gint)(y.n + y.taps) - 1 - (gint)step->out->height);
      margin = MAX (margin, x.source + (gint)(x.n + x.taps) - 1 - (gint)step->out->width);
    }
  return plane_of (plan, step->out, margin);
}

/* --- tasks --- */

typedef struct
{
  guint group, first, n; /* channels first to first + n */
} Channels;

/* Floats of a channel's planes, backward's too where there is one. */
static gsize
channel_size (const NnPlan *plan, const NnStep *step)
{
  gsize size = input_plane (plan, step).size;

  if (plan->flags & NN_PLAN_BACKWARD)
    size += gradient_plane (plan, step).size + result_plane (plan, step).size;
  return size;
}

static guint
channels_at_once (const NnPlan *plan, const NnStep *step)
{
  return CLAMP (PLANES_FLOATS / channel_size (plan, step), 1, MIN (32, step->out->channels));
}

static guint
n_tasks (const NnPlan *plan, const NnStep *step)
{
  guint at_once = channels_at_once (plan, step);

  return plan->n_groups * ((step->out->channels + at_once - 1) / at_once);
}

static Channels
task_channels (const NnPlan *plan, const NnStep *step, guint task)
{
  guint at_once = channels_at_once (plan, step), n = (step->out->channels + at_once - 1) / at_once;
  guint first = task % n * at_once;

  return (Channels){ task / n, first, MIN (at_once, step->out->channels - first) };
}

/* The value's sums, which lie as if all channels of a group of images were one task; these are set to 0. */
static NnMoments
begin_moments (NnPlan *plan, const NnValue *value, const Channels *channels, const guint32 *index)
{
  NnMoments moments = nn_value_moments (plan, value, channels->group, NULL);

  if (value->norm == NULL)
    return moments;
  moments.sums = plan->sums + (gsize)channels->group * value->channels * 2;
  for (guint i = 0; i < channels->n; i++)
    moments.sums[2 * index[channels->first + i]] = moments.sums[2 * index[channels->first + i] + 1] = 0;
  return moments;
}

static void
fill_padded (NnPlan *plan, const NnStep *step, const Channels *channels, float *padded)
{
  const NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);
  Plane plane = input_plane (plan, step);

  transform.index += channels->first;
  for (guint i = 0; i < channels->n; i++)
    clear_margin (plan, &plane, padded + i * plane.size);
  plan->engine->kernels->transform (inner_view (plan, &plane, padded), nn_value_view (in, channels->group, 0),
                                    &transform, (NnExtent){ channels->n, in->height, in->cells, plan->lanes });
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
                    .lanes = plan->images,
                    .side = plan->side,
                    .to_row = out->row_stride,
                    .to_cell = out->cell_stride,
                    .from_row = input_plane (plan, step).row };
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *out = step->out;
  Channels channels = task_channels (plan, step, task);
  float *padded = nn_engine_get_scratch (plan->engine);
  gsize plane_size = input_plane (plan, step).size;
  NnPlane plane = forward_plane (plan, step);
  NnMoments moments = begin_moments (plan, out, &channels, out->index);
  guint taps = step->kernel * step->kernel, at_once = MAX (1, PIXELS_AT_ONCE / out->width);

  fill_padded (plan, step, &channels, padded);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint row = 0; row < out->height; row += at_once)
    for (guint i = 0; i < channels.n; i++)
      {
        guint channel = channels.first + i;
        NnMoments sums = { NULL, moments.valid, moments.images };

        plane.rows = MIN (at_once, out->height - row);
        if (moments.sums != NULL && plan->mode != NN_MODE_EVALUATE)
          sums.sums = moments.sums + 2 * channel;
        plan->engine->kernels->depthwise (nn_value_view (out, channels.group, row).data + channel * out->channel_stride,
                                          padded + i * plane_size + row * step->stride * plane.from_row,
                                          step->weight->data + (gsize)channel * taps, &plane, sums, NULL);
      }
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

  nn_plan_run (plan, step, forward_task, tasks);
  nn_norm_finish_forward (plan, step->out, plan->n_groups);
}

/* --- backward --- */

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
convolve_back (NnPlan *plan, const NnStep *step, guint channel, const float *gradient, float *result, float *turned)
{
  Plane from = gradient_plane (plan, step), to = result_plane (plan, step);
  guint taps = step->kernel * step->kernel;
  gsize images = plan->images;

  for (guint phase = 0; phase < step->stride * step->stride; phase++)
    {
      Phase y = phase_of (step, phase / step->stride, step->in->height);
      Phase x = phase_of (step, phase % step->stride, step->in->width);
      NnPlane plane = { .rows = y.n,
                        .columns = x.n,
                        .kernel_rows = y.taps,
                        .kernel_columns = x.taps,
                        .stride = 1,
                        .lanes = images,
                        .side = 1,
                        .to_row = to.row * step->stride,
                        .to_cell = images * step->stride,
                        .from_row = from.row };
      gsize row = from.margin + y.source, column = from.margin + x.source;

      turn_taps (step, step->weight->data + (gsize)channel * taps, &y, &x, turned);
      plan->engine->kernels->depthwise (result + y.first * to.row + x.first * images,
                                        gradient + row * from.row + column * images, turned, &plane,
                                        (NnMoments){ NULL, images, images }, NULL);
    }
}

static void
write_input_gradient (NnPlan *plan, NnStep *step, const Channels *channels, float *results)
{
  NnValue *in = step->in;
  Plane plane = result_plane (plan, step);
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = begin_moments (plan, in, channels, in->index);
  guint at_once = MAX (1, PIXELS_AT_ONCE / in->width);

  transform.index += channels->first;
  for (guint row = 0; row < in->height; row += at_once)
    {
      NnExtent extent = { channels->n, MIN (at_once, in->height - row), in->cells, plan->lanes };
      NnView to = nn_value_gradient_view (in, channels->group, row);
      NnView from = { results + row * plane.row, plane.row, plan->lanes, plane.size };

      if (step->accumulate)
        {
          /* What others add to is plain, its channels in order. */
          to.data += channels->first * to.channel;
          plan->engine->kernels->add (to, from, extent);
        }
      else
        plan->engine->kernels->transform_backward (to, from, nn_value_view (in, channels->group, row), &transform,
                                                   extent, moments);
    }
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *out = step->out;
  Channels channels = task_channels (plan, step, task);
  Plane padded_plane = input_plane (plan, step), plane = gradient_plane (plan, step);
  guint taps = step->kernel * step->kernel;
  float *padded = nn_engine_get_scratch (plan->engine);
  float *gradients = padded + channels.n * padded_plane.size;
  float *results = gradients + channels.n * plane.size;
  float *turned = results + channels.n * result_plane (plan, step).size;
  NnView gradient = inner_view (plan, &plane, gradients);
  NnPlane forward = forward_plane (plan, step);

  for (guint i = 0; i < channels.n; i++)
    clear_margin (plan, &plane, gradients + i * plane.size);
  nn_value_read_gradient (plan, out, channels.group, 0, 0,
                          (NnExtent){ channels.n, out->height, out->cells, plan->lanes }, channels.first, gradient);
  nn_clock_lap (&clock, NN_WORK_NORM);
  fill_padded (plan, step, &channels, padded);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  forward.to_row = gradient.row;
  forward.to_cell = gradient.pixel;
  for (guint i = 0; i < channels.n; i++)
    {
      guint channel = channels.first + i;

      plan->engine->kernels->depthwise_weights (
          plan->workspace + ((gsize)channels.group * out->channels + channel) * taps, padded + i * padded_plane.size,
          gradient.data + i * gradient.channel, &forward);
      if (step->in->needs_gradient)
        convolve_back (plan, step, channel, gradients + i * plane.size, results + i * result_plane (plan, step).size,
                       turned);
    }
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
  if (step->in->needs_gradient)
    write_input_gradient (plan, step, &channels, results);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

  nn_plan_run (plan, step, backward_task, tasks);
  nn_plan_reduce_gradients (plan, step->weight, plan->n_groups);
  if (step->in->needs_gradient)
    nn_norm_finish_backward (plan, step->in, plan->n_groups);
}

NnStep *
nn_step_depthwise_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);

  step->kind = NN_STEP_DEPTHWISE;
  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  step->weight = weight;
  step->kernel = op->kernel;
  step->stride = op->stride;
  step->padding = op->padding;
  nn_plan_reserve (plan, channels_at_once (plan, step) * channel_size (plan, step) + op->kernel * op->kernel,
                   plan->max_groups * weight->size, (gsize)plan->max_groups * MAX (out->channels, in->channels) * 2);
  return step;
}
