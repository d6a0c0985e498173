/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution: a task is a few neighbouring channels of one group of images, as planes with borders in
 * scratch memory. It goes through their rows in the order in which they lie.
 *
 * Backward by input, input pixel x gets from output i by tap t = x + padding − stride·i. Pixels of the same phase, (x +
 * padding) mod stride, have the same taps, phase, phase + stride, …, and neighbours among them are made of neighbouring
 * outputs. So each phase of rows and columns is a convolution of stride 1 over the output's gradient, with its taps
 * turned round. */
#include "plan.h"

/* Floats of scratch memory that a task's planes may take: most of a second-level cache of 2 MiB. */
#define PLANES_FLOATS (320 * 1024)
/* Pixels whose moments are gathered at a time. */
#define PIXELS_AT_ONCE 32

/* --- phases --- */

/* Input pixels of one phase along one dimension: first, first + stride, …, n of them from `begin` on; the first is made
 * of outputs from `source` on, by `taps` taps: phase, phase + stride, … */
typedef struct
{
  guint phase, taps, first, n;
  gint source;
} Phase;

static Phase
phase_of (const NnStep *step, guint phase, guint begin, guint end)
{
  guint stride = step->stride;
  Phase result = { .phase = phase };

  if (stride == 1) /* the same without divisions, which a channel of few pixels would wait for */
    return (Phase){ .taps = step->kernel,
                    .first = begin,
                    .n = end - begin,
                    .source = (gint)(begin + step->padding + 1) - (gint)step->kernel };
  result.taps = phase < step->kernel ? (step->kernel - phase + stride - 1) / stride : 0;
  result.first = begin + (phase + stride - (begin + step->padding) % stride) % stride;
  result.n = result.first < end ? (end - result.first + stride - 1) / stride : 0;
  /* The last tap of the window is `phase` itself, of output (first + padding − phase) / stride. */
  result.source = (gint)((result.first + step->padding - phase) / stride) - (gint)result.taps + 1;
  return result;
}

NnPlanes
nn_depthwise_gradient_planes (const NnPlan *plan, const NnStep *step, guint begin, guint end)
{
  gint margin = 0, first = G_MAXINT, last = G_MININT;

  for (guint i = 0; i < step->stride; i++)
    {
      Phase y = phase_of (step, i, begin, end), x = phase_of (step, i, 0, step->in->width);

      first = MIN (first, y.source);
      last = MAX (last, y.source + (gint)(y.n + y.taps) - 1);
      margin = MAX (margin, MAX (-x.source, x.source + (gint)(x.n + x.taps) - 1 - (gint)step->out->width));
    }
  return nn_planes_of (plan, step->out, margin, first, last - first);
}

/* A pair of phases as a convolution over the output's gradient, and where in its planes the first window begins. */
typedef struct
{
  Phase y, x;
  NnPlane plane;
  gsize source;
} PhasePair;

static PhasePair
phase_pair_of (const NnPlan *plan, const NnStep *step, guint index, guint begin, guint end, const NnPlanes *planes)
{
  PhasePair pair = { .y = phase_of (step, index / step->stride, begin, end),
                     .x = phase_of (step, index % step->stride, 0, step->in->width) };
  gsize row = pair.y.source - planes->first_row, column = pair.x.source + (gint)planes->margin;

  pair.plane = (NnPlane){ .rows = pair.y.n,
                          .columns = pair.x.n,
                          .kernel_rows = pair.y.taps,
                          .kernel_columns = pair.x.taps,
                          .stride = 1,
                          .lanes = plan->images,
                          .side = 1,
                          .from_row = planes->row };
  pair.source = row * planes->row + column * plan->images;
  return pair;
}

/* Which of the step's taps a tap of the pair is: they are turned round. */
static guint
turned_tap (const NnStep *step, const PhasePair *pair, guint row, guint column)
{
  return (pair->y.phase + (pair->y.taps - 1 - row) * step->stride) * step->kernel + pair->x.phase
         + (pair->x.taps - 1 - column) * step->stride;
}

void
nn_depthwise_weights (NnPlan *plan, const NnStep *step, guint begin, guint end, const NnPlanes *planes,
                      const float *gradient, const float *input, float *weights, float *taps)
{
  gsize row = (gsize)step->in->width * plan->images;

  for (guint i = 0; i < step->stride * step->stride; i++)
    {
      PhasePair pair = phase_pair_of (plan, step, i, begin, end, planes);

      pair.plane.to_row = row * step->stride;
      pair.plane.to_cell = (gsize)plan->images * step->stride;
      plan->engine->kernels->depthwise_weights (
          taps, gradient + pair.source, input + (pair.y.first - begin) * row + (gsize)pair.x.first * plan->images,
          &pair.plane);
      for (guint y = 0; y < pair.y.taps; y++)
        for (guint x = 0; x < pair.x.taps; x++)
          weights[turned_tap (step, &pair, y, x)] = taps[y * pair.x.taps + x];
    }
}

double
nn_depthwise_inputs (NnPlan *plan, const NnStep *step, guint channel, guint begin, guint end, const NnPlanes *planes,
                     const float *gradient, NnView to, guint side, const float *mask, float *taps)
{
  const float *weights = step->weight->data + (gsize)channel * step->kernel * step->kernel;
  gsize mask_row = (gsize)step->in->width * plan->images;
  double sum = 0;

  for (guint i = 0; i < step->stride * step->stride; i++)
    {
      PhasePair pair = phase_pair_of (plan, step, i, begin, end, planes);
      float *first = to.data + (pair.y.first - begin) * to.row + pair.x.first / side * to.pixel
                     + pair.x.first % side * plan->images;

      for (guint y = 0; y < pair.y.taps; y++)
        for (guint x = 0; x < pair.x.taps; x++)
          taps[y * pair.x.taps + x] = weights[turned_tap (step, &pair, y, x)];
      pair.plane.to_row = to.row * step->stride;
      /* Every other column is the same one of the next cell. */
      pair.plane.side = step->stride == 1 ? side : 1;
      pair.plane.to_cell = step->stride == 1 ? to.pixel : to.pixel * step->stride / side;
      if (mask == NULL)
        plan->engine->kernels->depthwise (first, gradient + pair.source, taps, &pair.plane, (NnMoments){ 0 }, NULL);
      else
        sum += plan->engine->kernels->depthwise_masked (
            first, gradient + pair.source, taps, &pair.plane,
            &(NnMask){ mask + (pair.y.first - begin) * mask_row + (gsize)pair.x.first * plan->images,
                       mask_row * step->stride, (gsize)plan->images * step->stride });
    }
  return sum;
}

/* --- tasks --- */

typedef struct
{
  guint group, first, n; /* channels first to first + n */
} Channels;

NnPlanes
nn_depthwise_input_planes (const NnPlan *plan, const NnStep *step, guint row, guint rows)
{
  return nn_planes_of (plan, step->in, step->padding, (gint)(row * step->stride) - (gint)step->padding,
                       (rows - 1) * step->stride + step->kernel);
}

/* The whole input, with its margin and without. */
static NnPlanes
padded_planes (const NnPlan *plan, const NnStep *step)
{
  return nn_depthwise_input_planes (plan, step, 0, step->out->height);
}

static NnPlanes
inner_planes (const NnPlan *plan, const NnStep *step)
{
  return nn_planes_of (plan, step->in, 0, 0, step->in->height);
}

/* Floats of a channel's planes, backward's too where there is one. */
static gsize
channel_size (const NnPlan *plan, const NnStep *step)
{
  gsize forward = padded_planes (plan, step).size;

  if ((plan->flags & NN_PLAN_BACKWARD) == 0)
    return forward;
  return MAX (forward,
              nn_depthwise_gradient_planes (plan, step, 0, step->in->height).size + 2 * inner_planes (plan, step).size);
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

/* The value's sums, which lie as if all channels of a group of images were one task; those of these raw channels are
 * set to 0, or of those that a reader's channels are where INDEX is given. */
static NnMoments
begin_moments (NnPlan *plan, const NnValue *value, const Channels *channels, const guint32 *index)
{
  NnMoments moments = nn_value_moments (plan, value, channels->group, NULL);

  if (value->norm == NULL)
    return moments;
  moments.sums = plan->sums + (gsize)channels->group * value->channels * 2;
  for (guint i = 0; i < channels->n; i++)
    {
      guint channel = channels->first + i, raw = index != NULL ? index[channel] : channel;

      moments.sums[2 * raw] = moments.sums[2 * raw + 1] = 0;
    }
  return moments;
}

static void
read_input (NnPlan *plan, const NnStep *step, const Channels *channels, const NnPlanes *planes, float *data)
{
  const NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);

  transform.index += channels->first;
  nn_planes_clear_margins (plan, planes, data, channels->n);
  plan->engine->kernels->transform (nn_planes_view (plan, planes, data),
                                    nn_value_view (in, channels->group, planes->begin), &transform,
                                    (NnExtent){ channels->n, planes->end - planes->begin, in->cells, plan->lanes });
}

/* --- forward --- */

NnPlane
nn_depthwise_plane (const NnPlan *plan, const NnStep *step, guint rows, gsize from_row)
{
  return (NnPlane){ .rows = rows,
                    .columns = step->out->width,
                    .kernel_rows = step->kernel,
                    .kernel_columns = step->kernel,
                    .stride = step->stride,
                    .lanes = plan->images,
                    .side = plan->side,
                    .to_row = step->out->row_stride,
                    .to_cell = step->out->cell_stride,
                    .from_row = from_row };
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *out = step->out;
  Channels channels = task_channels (plan, step, task);
  float *padded = nn_engine_get_scratch (plan->engine);
  NnPlanes planes = padded_planes (plan, step);
  NnPlane plane = nn_depthwise_plane (plan, step, out->height, planes.row);
  NnMoments moments = begin_moments (plan, out, &channels, NULL);
  guint taps = step->kernel * step->kernel, at_once = MAX (1, PIXELS_AT_ONCE / out->width);

  read_input (plan, step, &channels, &planes, padded);
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
                                          padded + i * planes.size + row * step->stride * plane.from_row,
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
write_input_gradient (NnPlan *plan, NnStep *step, const Channels *channels, float *results)
{
  NnValue *in = step->in;
  NnPlanes planes = inner_planes (plan, step);
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = begin_moments (plan, in, channels, in->index);
  guint at_once = MAX (1, PIXELS_AT_ONCE / in->width);

  transform.index += channels->first;
  for (guint row = 0; row < in->height; row += at_once)
    {
      NnExtent extent = { channels->n, MIN (at_once, in->height - row), in->cells, plan->lanes };
      NnView to = nn_value_gradient_view (in, channels->group, row);
      NnView from = { results + row * planes.row, planes.row, plan->lanes, planes.size };

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
  NnValue *in = step->in, *out = step->out;
  Channels channels = task_channels (plan, step, task);
  NnPlanes planes = inner_planes (plan, step);
  NnPlanes gradient_planes = nn_depthwise_gradient_planes (plan, step, 0, in->height);
  guint n_taps = step->kernel * step->kernel;
  float *inputs = nn_engine_get_scratch (plan->engine);
  float *results = inputs + channels.n * planes.size;
  float *gradients = results + channels.n * planes.size;
  float *taps = gradients + channels.n * gradient_planes.size;

  nn_planes_clear_margins (plan, &gradient_planes, gradients, channels.n);
  nn_value_read_gradient (
      plan, out, channels.group, gradient_planes.begin, 0,
      (NnExtent){ channels.n, gradient_planes.end - gradient_planes.begin, out->cells, plan->lanes }, channels.first,
      nn_planes_view (plan, &gradient_planes, gradients));
  nn_clock_lap (&clock, NN_WORK_NORM);
  read_input (plan, step, &channels, &planes, inputs);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint i = 0; i < channels.n; i++)
    {
      guint channel = channels.first + i;
      const float *gradient = gradients + i * gradient_planes.size;
      NnView to = { results + i * planes.size, planes.row, plan->images, planes.size };

      nn_depthwise_weights (plan, step, 0, in->height, &gradient_planes, gradient, inputs + i * planes.size,
                            plan->workspace + ((gsize)channels.group * out->channels + channel) * n_taps, taps);
      if (in->needs_gradient)
        nn_depthwise_inputs (plan, step, channel, 0, in->height, &gradient_planes, gradient, to, 1, NULL, taps);
    }
  nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
  if (in->needs_gradient)
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
