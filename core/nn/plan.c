/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

/* Scratch panels of a task stay within this many floats, half of a core's second-level cache or so … */
#define TILE_FLOATS (256 * 1024)
/* … but a tile is large enough that packed weights are used several times, and small enough to share the work. */
#define MIN_TILE_PIXELS 4
#define MAX_TILE_PIXELS 64

guint
nn_plan_tile_pixels (const NnPlan *plan, gsize floats_a_pixel, guint pixels)
{
  gsize fitting = TILE_FLOATS / (floats_a_pixel * plan->lanes);

  return MIN (pixels, CLAMP (fitting, MIN_TILE_PIXELS, MAX_TILE_PIXELS));
}

guint
nn_plan_n_tiles (guint pixels, guint tile_pixels)
{
  return (pixels + tile_pixels - 1) / tile_pixels;
}

void
nn_plan_reserve (NnPlan *plan, gsize scratch_floats, gsize workspace_floats, gsize n_sums)
{
  plan->scratch_size = MAX (plan->scratch_size, scratch_floats);
  plan->workspace_size = MAX (plan->workspace_size, workspace_floats);
  plan->sums_size = MAX (plan->sums_size, n_sums);
}

double *
nn_plan_task_sums (NnPlan *plan, guint channels, guint task)
{
  return plan->sums + (gsize)task * channels * 2;
}

static void
value_free (gpointer data)
{
  NnValue *value = data;

  g_free (value->index);
  g_free (value);
}

/* A plan without memory. */
static NnPlan *
plan_compile (NnEngine *engine, NnSupernet *supernet, CleaveNetwork *network, guint batch, NnPlanFlags flags,
              GError **error)
{
  g_autoptr (NnPlan) plan = g_new0 (NnPlan, 1);

  plan->engine = engine;
  plan->supernet = supernet;
  plan->flags = flags;
  plan->lanes = engine->lanes;
  plan->max_groups = (batch + engine->lanes - 1) / engine->lanes;
  plan->values = g_ptr_array_new_with_free_func (value_free);
  plan->steps = g_ptr_array_new_with_free_func (g_free);
  plan->norms = g_ptr_array_new_with_free_func (nn_norm_free);
  plan->buffers = g_ptr_array_new_with_free_func (g_free);
  return nn_plan_compile (plan, network, error) ? g_steal_pointer (&plan) : NULL;
}

NnPlan *
nn_plan_new (NnEngine *engine, NnSupernet *supernet, CleaveNetwork *network, guint batch, NnPlanFlags flags,
             GError **error)
{
  g_autoptr (NnPlan) plan = NULL;

  g_return_val_if_fail (batch > 0, NULL);
  plan = plan_compile (engine, supernet, network, batch, flags, error);
  return plan != NULL && nn_plan_take_memory (plan, error) ? g_steal_pointer (&plan) : NULL;
}

gsize
nn_plan_measure (NnEngine *engine, CleaveNetwork *network, guint batch, NnPlanFlags flags, GError **error)
{
  g_autoptr (NnSupernet) supernet = nn_supernet_new (0);
  g_autoptr (NnPlan) plan = NULL;

  g_return_val_if_fail (batch > 0, 0);
  plan = plan_compile (engine, supernet, network, batch, flags, error);
  if (plan == NULL)
    return 0;
  return (plan->memory_size + plan->scratch_size * engine->n_threads) * sizeof (float);
}

void
nn_plan_free (NnPlan *plan)
{
  if (plan == NULL)
    return;
  g_ptr_array_unref (plan->steps);
  g_ptr_array_unref (plan->norms);
  g_ptr_array_unref (plan->buffers);
  g_ptr_array_unref (plan->values);
  nn_engine_give (plan->engine, plan->memory);
  g_free (plan);
}

/* --- between NCHW and lanes --- */

/* Lanes without an image are set to 0. */
static void
pack (NnPlan *plan, const NnValue *value, const float *from, float *to)
{
  gsize image = (gsize)value->channels * value->pixels;
  guint n_tasks = plan->n_groups * value->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint task = 0; task < n_tasks; task++)
    {
      guint group = task / value->channels, channel = task % value->channels;
      guint valid = nn_plan_valid_lanes (plan, group);
      const float *source = from + (gsize)group * plan->lanes * image + (gsize)channel * value->pixels;
      float *target = to + group * value->group_stride + channel * value->channel_stride;

      for (guint pixel = 0; pixel < value->pixels; pixel++)
        for (guint lane = 0; lane < plan->lanes; lane++)
          target[pixel * value->pixel_stride + lane] = lane < valid ? source[lane * image + pixel] : 0;
    }
}

static void
unpack (NnPlan *plan, const NnValue *value, const float *from, float *to)
{
  gsize image = (gsize)value->channels * value->pixels;

  for (guint i = 0; i < plan->n; i++)
    for (guint channel = 0; channel < value->channels; channel++)
      {
        const float *source
            = from + i / plan->lanes * value->group_stride + channel * value->channel_stride + i % plan->lanes;
        for (guint pixel = 0; pixel < value->pixels; pixel++)
          to[i * image + (gsize)channel * value->pixels + pixel] = source[pixel * value->pixel_stride];
      }
}

/* The scale of each payload element: 0 if lost, else 1 / (1 − drop rate). */
static void
pack_losses (NnPlan *plan, const guint8 *arrived, double drop_rate)
{
  const NnValue *value = plan->payload;
  gsize image = (gsize)value->channels * value->pixels;
  float scale = 1 / (1 - drop_rate);
  guint n_tasks = plan->n_groups * value->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint task = 0; task < n_tasks; task++)
    {
      guint group = task / value->channels, channel = task % value->channels;
      guint valid = nn_plan_valid_lanes (plan, group);
      const guint8 *source = arrived + (gsize)group * plan->lanes * image + (gsize)channel * value->pixels;
      float *target = plan->arrived + group * value->group_stride + channel * value->channel_stride;

      for (guint pixel = 0; pixel < value->pixels; pixel++)
        for (guint lane = 0; lane < plan->lanes; lane++)
          target[pixel * value->pixel_stride + lane] = lane < valid && source[lane * image + pixel] ? scale : 0;
    }
}

/* --- running --- */

static void
run_steps (NnPlan *plan, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    {
      NnStep *step = plan->steps->pdata[i];
      step->forward (plan, step);
    }
}

void
nn_plan_forward_head (NnPlan *plan, NnMode mode, const float *images, guint n)
{
  g_return_if_fail (n > 0 && n <= plan->max_groups * plan->lanes);

  plan->mode = mode;
  plan->n = n;
  plan->n_groups = (n + plan->lanes - 1) / plan->lanes;
  pack (plan, plan->input, images, plan->input->data);
  run_steps (plan, 0, plan->cut_step);
}

void
nn_plan_forward_tail (NnPlan *plan, NnMode mode, const guint8 *arrived, double drop_rate)
{
  g_return_if_fail (plan->n > 0);

  plan->mode = mode;
  plan->has_losses = arrived != NULL && plan->payload != NULL;
  if (plan->has_losses)
    pack_losses (plan, arrived, drop_rate);
  run_steps (plan, plan->cut_step, plan->steps->len);
}

gsize
nn_plan_get_output_size (NnPlan *plan)
{
  return (gsize)plan->output->channels * plan->output->pixels;
}

void
nn_plan_get_output (NnPlan *plan, float *output)
{
  unpack (plan, plan->output, plan->output->data, output);
}

void
nn_plan_backward (NnPlan *plan, const float *output_gradient)
{
  g_return_if_fail (plan->flags & NN_PLAN_BACKWARD && plan->mode != NN_MODE_EVALUATE);

  pack (plan, plan->output, output_gradient, plan->output->gradient);
  for (guint i = plan->steps->len; i > 0; i--)
    {
      NnStep *step = plan->steps->pdata[i - 1];
      step->backward (plan, step);
    }
}

void
nn_plan_get_input_gradient (NnPlan *plan, float *input_gradient)
{
  g_return_if_fail (plan->flags & NN_PLAN_INPUT_GRADIENT);

  unpack (plan, plan->input, plan->input->gradient, input_gradient);
}
