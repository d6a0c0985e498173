/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Steps that write a value out plain: with what was left to be done to it done, with another value added, or with the
 * link's losses. */
#include "plan.h"

#include <string.h>

typedef struct
{
  guint group, first, n_pixels;
  NnExtent extent;
} Tile;

static Tile
tile_of (const NnPlan *plan, const NnStep *step, guint task)
{
  guint n_tiles = nn_plan_n_tiles (step->out->pixels, step->tile_pixels);
  guint first = task % n_tiles * step->tile_pixels;
  guint n_pixels = MIN (step->tile_pixels, step->out->pixels - first);

  return (Tile){ task / n_tiles, first, n_pixels, { step->out->channels, n_pixels, plan->lanes } };
}

static guint
n_tasks (const NnPlan *plan, const NnStep *step)
{
  return plan->n_groups * nn_plan_n_tiles (step->out->pixels, step->tile_pixels);
}

/* --- join --- */

static void
join_forward_task (NnPlan *plan, NnStep *step, guint task)
{
  Tile tile = tile_of (plan, step, task);
  NnTransform transform = nn_value_transform (step->in);
  NnView out = nn_value_view (step->out, tile.group, tile.first);

  plan->engine->kernels->transform (out, nn_value_view (step->in, tile.group, tile.first), &transform, tile.extent);
  if (step->source != NULL)
    plan->engine->kernels->add (out, nn_value_view (step->source, tile.group, tile.first), tile.extent);
  if (step->out->norm != NULL && plan->mode != NN_MODE_EVALUATE)
    plan->engine->kernels->moments (nn_plan_task_sums (plan, step->out->channels, task), out, out, tile.extent,
                                    nn_plan_valid_lanes (plan, tile.group));
}

static void
join_forward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < tasks; task++)
    join_forward_task (plan, step, task);
  nn_norm_finish_forward (plan, step->out, tasks);
}

/* target's gradient ← or + gradient, channel by channel as they are. */
static void
pass_gradient (NnPlan *plan, NnValue *target, Tile tile, NnView gradient, gboolean accumulate)
{
  NnView to = nn_value_gradient_view (target, tile.group, tile.first);

  if (accumulate)
    plan->engine->kernels->add (to, gradient, tile.extent);
  else
    plan->engine->kernels->norm_backward (to, gradient, gradient, NULL, NULL, NULL, tile.extent);
}

static void
join_backward_task (NnPlan *plan, NnStep *step, guint task)
{
  Tile tile = tile_of (plan, step, task);
  NnValue *in = step->in;
  NnView gradient = nn_value_gradient_view (step->out, tile.group, tile.first);

  if (step->out->norm != NULL)
    nn_value_read_gradient (plan, step->out, tile.group, tile.first, tile.extent, 0, gradient);
  if (step->source != NULL && step->source->needs_gradient && !step->aliases_source)
    pass_gradient (plan, step->source, tile, gradient, step->accumulate_source);
  if (!in->needs_gradient)
    return;
  if (step->accumulate)
    pass_gradient (plan, in, tile, gradient, TRUE);
  else if (!step->aliases)
    {
      NnTransform transform = nn_value_transform (in);
      plan->engine->kernels->transform_backward (nn_value_gradient_view (in, tile.group, tile.first), gradient,
                                                 nn_value_view (in, tile.group, tile.first), &transform, tile.extent);
    }
  nn_value_gradient_moments (plan, in, tile.group, tile.first, tile.n_pixels, task);
}

static void
join_backward (NnPlan *plan, NnStep *step)
{
  guint tasks = n_tasks (plan, step);

#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < tasks; task++)
    join_backward_task (plan, step, task);
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
  step->tile_pixels = nn_plan_tile_pixels (plan, out->channels, out->pixels);
  nn_plan_reserve (plan, 0, 0,
                   (gsize)plan->max_groups * nn_plan_n_tiles (out->pixels, step->tile_pixels) * out->channels * 2);
  return step;
}

NnStep *
nn_step_join_new (NnPlan *plan, NnValue *in, NnValue *source, NnValue *out)
{
  NnStep *step = step_new (plan, in, source, out);

  step->forward = join_forward;
  step->backward = join_backward;
  return step;
}

NnStep *
nn_step_link_new (NnPlan *plan, NnValue *in, NnValue *out)
{
  NnStep *step = step_new (plan, in, NULL, out);

  step->forward = link_forward;
  step->backward = link_backward;
  return step;
}
