/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Depthwise convolution: a task is one channel of one group of images, as a plane with borders in scratch memory. */
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

/* The output's gradient spread out for backward by input: rows and columns of the input, plus kernel − 1. */
static guint
spread_width (const NnStep *step)
{
  return step->in->width + step->kernel - 1;
}

static gsize
spread_size (const NnPlan *plan, const NnStep *step)
{
  return (gsize)(step->in->height + step->kernel - 1) * spread_width (step) * plan->lanes;
}

static NnPlane
forward_plane (const NnPlan *plan, const NnStep *step)
{
  return (NnPlane){ step->out->height, step->out->width, step->kernel, step->stride, padded_width (step), plan->lanes };
}

static void
fill_padded (NnPlan *plan, const NnStep *step, guint group, guint channel, float *padded)
{
  const NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);
  guint width = padded_width (step), lanes = plan->lanes;

  transform.index += channel;
  memset (padded, 0, padded_size (plan, step) * sizeof (float));
  for (guint row = 0; row < in->height; row++)
    {
      float *to = padded + ((gsize)(row + step->padding) * width + step->padding) * lanes;
      plan->engine->kernels->transform ((NnView){ to, lanes, 0 }, nn_value_view (in, group, row * in->width),
                                        &transform, (NnExtent){ 1, in->width, lanes });
    }
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnValue *out = step->out;
  guint group = task / out->channels, channel = task % out->channels;
  guint taps = step->kernel * step->kernel;
  float *padded = nn_engine_get_scratch (plan->engine);
  NnPlane plane = forward_plane (plan, step);
  NnView to = nn_value_view (out, group, 0);

  to.data += channel * to.channel;
  fill_padded (plan, step, group, channel, padded);
  plan->engine->kernels->depthwise (to.data, padded, step->weight->data + (gsize)channel * taps, &plane);
  if (out->norm != NULL && plan->mode != NN_MODE_EVALUATE)
    plan->engine->kernels->moments (nn_plan_task_sums (plan, out->channels, group) + 2 * channel, to, to,
                                    (NnExtent){ 1, out->pixels, plan->lanes }, nn_plan_valid_lanes (plan, group));
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->out->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < n_tasks; task++)
    forward_task (plan, step, task);
  nn_norm_finish_forward (plan, step->out, plan->n_groups);
}

/* Output (y, x) goes to row y·stride + kernel − 1 − padding, likewise the column; the rest is 0. Then backward by input
 * is a convolution of stride 1 with the kernel turned round. */
static void
spread (NnPlan *plan, const NnStep *step, const float *gradient, float *to)
{
  gint offset = (gint)step->kernel - 1 - (gint)step->padding;
  gint height = step->in->height + step->kernel - 1, width = spread_width (step);
  gsize lanes = plan->lanes;

  memset (to, 0, spread_size (plan, step) * sizeof (float));
  for (guint y = 0; y < step->out->height; y++)
    for (guint x = 0; x < step->out->width; x++)
      {
        gint row = (gint)(y * step->stride) + offset, column = (gint)(x * step->stride) + offset;
        if (row >= 0 && row < height && column >= 0 && column < width)
          memcpy (to + ((gsize)row * width + column) * lanes, gradient + ((gsize)y * step->out->width + x) * lanes,
                  lanes * sizeof (float));
      }
}

static void
write_input_gradient (NnPlan *plan, NnStep *step, guint group, guint channel, float *result)
{
  NnValue *in = step->in;
  NnTransform transform = nn_value_transform (in);
  guint raw = in->index[channel];
  NnExtent extent = { 1, in->pixels, plan->lanes };
  NnView to = nn_value_gradient_view (in, group, 0), from = { result, plan->lanes, 0 };
  NnView value = nn_value_view (in, group, 0);

  transform.index += channel;
  if (step->accumulate)
    {
      to.data += raw * to.channel;
      plan->engine->kernels->add (to, from, extent);
      return;
    }
  plan->engine->kernels->transform_backward (to, from, value, &transform, extent);
  if (in->norm == NULL)
    return;
  to.data += raw * to.channel;
  value.data += raw * value.channel;
  plan->engine->kernels->moments (nn_plan_task_sums (plan, in->channels, group) + 2 * raw, to, value, extent,
                                  nn_plan_valid_lanes (plan, group));
}

static void
backward_task (NnPlan *plan, NnStep *step, guint task)
{
  guint channels = step->out->channels, group = task / channels, channel = task % channels;
  guint taps = step->kernel * step->kernel;
  const float *weights = step->weight->data + (gsize)channel * taps;
  float *padded = nn_engine_get_scratch (plan->engine);
  float *gradient = padded + padded_size (plan, step);
  float *spread_out = gradient + (gsize)step->out->pixels * plan->lanes;
  float *result = spread_out + spread_size (plan, step);
  float *turned = result + (gsize)step->in->pixels * plan->lanes;
  NnPlane plane = forward_plane (plan, step);

  fill_padded (plan, step, group, channel, padded);
  nn_value_read_gradient (plan, step->out, group, 0, (NnExtent){ 1, step->out->pixels, plan->lanes }, channel,
                          (NnView){ gradient, plan->lanes, 0 });
  plan->engine->kernels->depthwise_weights (plan->workspace + (gsize)task * taps, padded, gradient, &plane);
  if (!step->in->needs_gradient)
    return;
  spread (plan, step, gradient, spread_out);
  for (guint tap = 0; tap < taps; tap++)
    turned[tap] = weights[taps - 1 - tap];
  plane = (NnPlane){ step->in->height, step->in->width, step->kernel, 1, spread_width (step), plan->lanes };
  plan->engine->kernels->depthwise (result, spread_out, turned, &plane);
  write_input_gradient (plan, step, group, channel, result);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * step->out->channels;
  gsize size = step->weight->size;

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < n_tasks; task++)
    backward_task (plan, step, task);
  nn_supernet_touch (plan->supernet, step->weight);
  for (guint group = 0; group < plan->n_groups; group++)
    for (gsize i = 0; i < size; i++)
      step->weight->gradient[i] += plan->workspace[group * size + i];
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
                   padded_size (plan, step) + spread_size (plan, step) + (gsize)(in->pixels + out->pixels) * plan->lanes
                       + op->kernel * op->kernel,
                   plan->max_groups * weight->size, (gsize)plan->max_groups * out->channels * 2);
  return step;
}
