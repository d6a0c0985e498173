/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Global average pooling: a task is one channel of one group of images. */
#include "plan.h"

#include <string.h>

/* From a pixel of a plane to the next; a row of one pixel is a whole cell. */
static gsize
step_of (const NnPlan *plan, const NnValue *in)
{
  return in->width == 1 ? plan->lanes : plan->images;
}

static NnView
plane_view (const NnPlan *plan, const NnValue *in, float *plane)
{
  return (NnView){ plane, (gsize)in->cells * plan->lanes, plan->lanes, 0 };
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  guint group = task / in->channels, channel = task % in->channels, images = plan->images;
  NnTransform transform = nn_value_transform (in);
  float *plane = nn_engine_get_scratch (plan->engine);
  float *out = nn_value_view (step->out, group, 0).data + channel * step->out->channel_stride;

  transform.index += channel;
  plan->engine->kernels->transform (plane_view (plan, in, plane), nn_value_view (in, group, 0), &transform,
                                    (NnExtent){ 1, in->height, in->cells, plan->lanes });
  memset (out, 0, plan->lanes * sizeof (float));
  for (guint lane = 0; lane < images; lane++)
    {
      double sum = 0;
      for (guint pixel = 0; pixel < in->pixels; pixel++)
        sum += plane[pixel * step_of (plan, in) + lane];
      out[lane] = sum / in->pixels;
    }
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->in->channels;

  nn_plan_run (plan, step, forward_task, n_tasks);
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  guint group = task / in->channels, channel = task % in->channels, raw = in->index[channel];
  NnExtent extent = { 1, in->height, in->cells, plan->lanes };
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = nn_value_moments (plan, in, group, NULL);
  float *plane = nn_engine_get_scratch (plan->engine);
  const float *out = nn_value_gradient_view (step->out, group, 0).data + channel * step->out->channel_stride;
  NnView to = nn_value_gradient_view (in, group, 0), from = plane_view (plan, in, plane);

  memset (plane, 0, (gsize)in->height * in->cells * plan->lanes * sizeof (float));
  for (guint pixel = 0; pixel < in->pixels; pixel++)
    for (guint lane = 0; lane < plan->images; lane++)
      plane[pixel * step_of (plan, in) + lane] = out[lane] / in->pixels;
  if (step->accumulate)
    {
      to.data += raw * to.channel;
      plan->engine->kernels->add (to, from, extent);
      nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
      return;
    }
  if (in->norm != NULL)
    {
      moments.sums = plan->sums + (gsize)group * in->channels * 2;
      moments.sums[2 * raw] = moments.sums[2 * raw + 1] = 0;
    }
  transform.index += channel;
  plan->engine->kernels->transform_backward (to, from, nn_value_view (in, group, 0), &transform, extent, moments);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->in->channels;

  if (!step->in->needs_gradient)
    return;
  nn_plan_run (plan, step, backward_task, n_tasks);
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
  nn_plan_reserve (plan, (gsize)in->height * in->cells * plan->lanes, 0, (gsize)plan->max_groups * in->channels * 2);
  return step;
}
