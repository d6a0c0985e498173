/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Global average pooling: a task is one channel of one group of images. */
#include "plan.h"

static NnView
plane_view (const NnPlan *plan, const NnValue *in, float *plane)
{
  return (NnView){ plane, (gsize)in->width * plan->lanes, plan->lanes, 0 };
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  guint group = task / in->channels, channel = task % in->channels, lanes = plan->lanes;
  NnTransform transform = nn_value_transform (in);
  float *plane = nn_engine_get_scratch (plan->engine);
  float *out = nn_value_view (step->out, group, 0).data + channel * step->out->channel_stride;

  transform.index += channel;
  plan->engine->kernels->transform (plane_view (plan, in, plane), nn_value_view (in, group, 0), &transform,
                                    (NnExtent){ 1, in->height, in->width, lanes });
  for (guint lane = 0; lane < lanes; lane++)
    {
      double sum = 0;
      for (guint pixel = 0; pixel < in->pixels; pixel++)
        sum += plane[(gsize)pixel * lanes + lane];
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
  guint group = task / in->channels, channel = task % in->channels, lanes = plan->lanes, raw = in->index[channel];
  NnExtent extent = { 1, in->height, in->width, lanes };
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = { NULL, nn_plan_valid_lanes (plan, group) };
  float *plane = nn_engine_get_scratch (plan->engine);
  const float *out = nn_value_gradient_view (step->out, group, 0).data + channel * step->out->channel_stride;
  NnView to = nn_value_gradient_view (in, group, 0), from = plane_view (plan, in, plane);

  for (guint pixel = 0; pixel < in->pixels; pixel++)
    for (guint lane = 0; lane < lanes; lane++)
      plane[(gsize)pixel * lanes + lane] = out[lane] / in->pixels;
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
  nn_plan_reserve (plan, (gsize)in->pixels * plan->lanes, 0, (gsize)plan->max_groups * in->channels * 2);
  return step;
}
