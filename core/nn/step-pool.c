/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Global average pooling: a task is a few channels of one group of images, as planes in scratch memory. */
#include "plan.h"

#include <string.h>

/* Channels of a task, and floats that their planes may take. */
#define CHANNELS_AT_ONCE 32
#define PLANES_FLOATS (64 * 1024)

static gsize
plane_size (const NnPlan *plan, const NnValue *in)
{
  return (gsize)in->height * in->cells * plan->lanes;
}

static guint
channels_at_once (const NnPlan *plan, const NnValue *in)
{
  return CLAMP (PLANES_FLOATS / plane_size (plan, in), 1, CHANNELS_AT_ONCE);
}

static guint
n_tasks (const NnPlan *plan, const NnValue *in, guint n_groups)
{
  guint at_once = channels_at_once (plan, in);

  return n_groups * ((in->channels + at_once - 1) / at_once);
}

typedef struct
{
  guint group, first, n; /* channels */
} Channels;

static Channels
task_channels (const NnPlan *plan, const NnValue *in, guint task)
{
  guint at_once = channels_at_once (plan, in), n = (in->channels + at_once - 1) / at_once;
  guint first = task % n * at_once;

  return (Channels){ task / n, first, MIN (at_once, in->channels - first) };
}

static NnView
planes_view (const NnPlan *plan, const NnValue *in, float *planes)
{
  return (NnView){ planes, (gsize)in->cells * plan->lanes, plan->lanes, plane_size (plan, in) };
}

/* From a pixel of a plane to the next; a row of one pixel is a whole cell. */
static gsize
step_of (const NnPlan *plan, const NnValue *in)
{
  return in->width == 1 ? plan->lanes : plan->images;
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  Channels channels = task_channels (plan, in, task);
  NnTransform transform = nn_value_transform (in);
  float *planes = nn_engine_get_scratch (plan->engine);
  NnView out = nn_value_view (step->out, channels.group, 0);

  transform.index += channels.first;
  plan->engine->kernels->transform (planes_view (plan, in, planes), nn_value_view (in, channels.group, 0), &transform,
                                    (NnExtent){ channels.n, in->height, in->cells, plan->lanes });
  for (guint i = 0; i < channels.n; i++)
    {
      float *mean = out.data + (channels.first + i) * out.channel;

      memset (mean, 0, plan->lanes * sizeof (float));
      plan->engine->kernels->mean (mean, planes + i * plane_size (plan, in), step_of (plan, in), in->pixels,
                                   plan->images);
    }
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
}

static void
forward (NnPlan *plan, NnStep *step)
{
  nn_plan_run (plan, step, forward_task, n_tasks (plan, step->in, plan->n_groups));
}

/* planes ← each output's gradient, shared among the pixels. */
static void
spread (const NnPlan *plan, const NnStep *step, const Channels *channels, float *planes)
{
  const NnValue *in = step->in;
  NnView out = nn_value_gradient_view (step->out, channels->group, 0);
  gsize pixel_step = step_of (plan, in);

  memset (planes, 0, channels->n * plane_size (plan, in) * sizeof (float));
  for (guint i = 0; i < channels->n; i++, planes += plane_size (plan, in))
    {
      const float *gradient = out.data + (channels->first + i) * out.channel;

      for (guint lane = 0; lane < plan->images; lane++)
        planes[lane] = gradient[lane] / in->pixels;
      for (guint pixel = 1; pixel < in->pixels; pixel++)
        memcpy (planes + pixel * pixel_step, planes, plan->images * sizeof (float));
    }
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  Channels channels = task_channels (plan, in, task);
  NnExtent extent = { channels.n, in->height, in->cells, plan->lanes };
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = nn_value_moments (plan, in, channels.group, NULL);
  float *planes = nn_engine_get_scratch (plan->engine);
  NnView to = nn_value_gradient_view (in, channels.group, 0), from = planes_view (plan, in, planes);

  spread (plan, step, &channels, planes);
  if (step->accumulate)
    {
      /* What others add to is plain, its channels in order. */
      to.data += channels.first * to.channel;
      plan->engine->kernels->add (to, from, extent);
      nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
      return;
    }
  transform.index += channels.first;
  if (in->norm != NULL)
    {
      moments.sums = plan->sums + (gsize)channels.group * in->channels * 2;
      for (guint i = 0; i < channels.n; i++)
        moments.sums[2 * transform.index[i]] = moments.sums[2 * transform.index[i] + 1] = 0;
    }
  plan->engine->kernels->transform_backward (to, from, nn_value_view (in, channels.group, 0), &transform, extent,
                                             moments);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  if (!step->in->needs_gradient)
    return;
  nn_plan_run (plan, step, backward_task, n_tasks (plan, step->in, plan->n_groups));
  nn_norm_finish_backward (plan, step->in, plan->n_groups);
}

NnStep *
nn_step_pool_new (NnPlan *plan, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);

  step->kind = NN_STEP_POOL;
  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  nn_plan_reserve (plan, channels_at_once (plan, in) * plane_size (plan, in), 0,
                   (gsize)plan->max_groups * in->channels * 2);
  return step;
}
