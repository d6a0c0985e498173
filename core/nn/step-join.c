/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that write a value out plain: with what was left to be done to it done, with another value added, or with the
 * link's losses. */
#include "plan.h"

#include <string.h>

static guint
n_tasks (const NnPlan *plan, const NnStep *step)
{
  return nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->n_groups);
}

static NnExtent
tile_extent (const NnPlan *plan, const NnStep *step, NnTile tile)
{
  return (NnExtent){ step->out->channels, tile.rows, step->out->cells, plan->lanes };
}

/* --- join --- */

static void
join_forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  NnExtent extent = tile_extent (plan, step, tile);
  NnTransform transform = nn_value_transform (step->in);
  NnView out = nn_value_view (step->out, tile.group, tile.row);
  NnMoments moments = nn_plan_task_moments (plan, step->out, task, tile.group);

  plan->engine->kernels->transform (out, nn_value_view (step->in, tile.group, tile.row), &transform, extent);
  if (step->source != NULL)
    plan->engine->kernels->add (out, nn_value_view (step->source, tile.group, tile.row), extent);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  if (moments.sums != NULL && plan->mode != NN_MODE_EVALUATE)
    plan->engine->kernels->moments (out, out, extent, moments);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
join_forward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

  nn_plan_run (plan, step, join_forward_task, tasks);
  nn_norm_finish_forward (plan, step->out, tasks);
}

/* target's gradient ← or + gradient, channel by channel as they are. */
static void
pass_gradient (NnPlan *plan, NnValue *target, NnTile tile, NnExtent extent, NnView gradient, gboolean accumulate)
{
  NnView to = nn_value_gradient_view (target, tile.group, tile.row);

  if (accumulate)
    plan->engine->kernels->add (to, gradient, extent);
  else
    plan->engine->kernels->norm_backward (to, gradient, gradient, NULL, NULL, NULL, extent);
}

static void
join_backward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  NnExtent extent = tile_extent (plan, step, tile);
  NnValue *in = step->in;
  NnView gradient = nn_value_gradient_view (step->out, tile.group, tile.row);
  NnView to, value = nn_value_view (in, tile.group, tile.row);
  NnTransform transform = nn_value_transform (in);

  if (step->out->norm != NULL)
    nn_value_read_gradient (plan, step->out, tile.group, tile.row, 0, extent, 0, gradient);
  if (step->source != NULL && step->source->needs_gradient && !step->aliases_source)
    pass_gradient (plan, step->source, tile, extent, gradient, step->accumulate_source);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  if (!in->needs_gradient)
    return;
  NnMoments moments = nn_plan_task_moments (plan, in, task, tile.group);
  to = nn_value_gradient_view (in, tile.group, tile.row);
  if (step->accumulate)
    pass_gradient (plan, in, tile, extent, gradient, TRUE);
  else if (!step->aliases)
    plan->engine->kernels->transform_backward (to, gradient, value, &transform, extent, moments);
  else if (moments.sums != NULL)
    plan->engine->kernels->moments (to, value, extent, moments);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
join_backward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

  nn_plan_run (plan, step, join_backward_task, tasks);
  if (step->in->needs_gradient)
    nn_norm_finish_backward (plan, step->in, tasks);
}

/* --- link --- */

/* to ← from times what the link did to each element. */
static void
apply_losses (NnPlan *plan, const NnValue *value, const float *from, float *to)
{
  gsize n = value->group_stride * plan->n_groups;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (gsize i = 0; i < n; i++)
    to[i] = from[i] * plan->arrived[i];
}

static void
link_forward (NnPlan *plan, NnStep *step)
{
  if (plan->has_losses)
    apply_losses (plan, step->in, step->in->data, step->out->data);
  else
    memcpy (step->out->data, step->in->data, step->in->group_stride * plan->n_groups * sizeof (float));
}

static void
link_backward (NnPlan *plan, NnStep *step)
{
  NnValue *in = step->in, *out = step->out;
  gsize n = in->group_stride * plan->n_groups;

  if (plan->has_losses)
    apply_losses (plan, out, out->gradient, out->gradient);
  if (!in->needs_gradient || step->aliases)
    return;
  for (gsize i = 0; i < n; i++)
    in->gradient[i] = (step->accumulate ? in->gradient[i] : 0) + out->gradient[i];
}

/* --- making --- */

static NnStep *
step_new (NnPlan *plan, NnValue *in, NnValue *source, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);

  step->in = in;
  step->source = source;
  step->out = out;
  step->tile_rows = nn_plan_tile_rows (plan, out);
  nn_plan_reserve (plan, 0, 0,
                   (gsize)nn_plan_n_tiles (plan, out->height, step->tile_rows, plan->max_groups) * out->channels * 2);
  return step;
}

NnStep *
nn_step_join_new (NnPlan *plan, NnValue *in, NnValue *source, NnValue *out)
{
  NnStep *step = step_new (plan, in, source, out);

  step->kind = NN_STEP_JOIN;
  step->forward = join_forward;
  step->backward = join_backward;
  return step;
}

NnStep *
nn_step_link_new (NnPlan *plan, NnValue *in, NnValue *out)
{
  NnStep *step = step_new (plan, in, NULL, out);

  step->kind = NN_STEP_LINK;
  step->forward = link_forward;
  step->backward = link_backward;
  return step;
}
