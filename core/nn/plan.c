/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <string.h>

/* Cells of a tile, or so: few, so that panels of hundreds of channels stay in a core's second-level cache and the
 * columns of a weight gradient in its first-level one; many, so that packed weights are used several times. */
#define TILE_CELLS 32

guint
nn_plan_tile_rows (const NnPlan *plan, const NnValue *value)
{
  return nn_plan_strip_rows (plan, value, TILE_CELLS);
}

guint
nn_plan_strip_rows (const NnPlan *plan, const NnValue *value, guint cells)
{
  guint rows = CLAMP (cells / value->cells, 1, value->height);

  /* A second thread should have work too. */
  if (plan->max_groups == 1 && rows == value->height && value->height > 1)
    rows = (value->height + 1) / 2;
  return rows;
}

guint
nn_plan_n_tiles (const NnPlan *plan, guint height, guint tile_rows, guint n_groups)
{
  return n_groups * ((height + tile_rows - 1) / tile_rows);
}

NnTile
nn_plan_tile (guint height, guint tile_rows, guint task)
{
  guint n_tiles = (height + tile_rows - 1) / tile_rows, row = task % n_tiles * tile_rows;

  return (NnTile){ task / n_tiles, row, MIN (tile_rows, height - row) };
}

void
nn_plan_reserve (NnPlan *plan, gsize scratch_floats, gsize workspace_floats, gsize n_sums)
{
  plan->scratch_size = MAX (plan->scratch_size, scratch_floats);
  plan->workspace_size = MAX (plan->workspace_size, workspace_floats);
  plan->sums_size = MAX (plan->sums_size, n_sums);
}

/* Tasks that a thread takes at a time. */
static guint
tasks_at_once (const NnPlan *plan, guint n_tasks)
{
  return MAX (1, n_tasks / (64 * plan->engine->n_threads));
}

guint
nn_plan_next_task (const NnPlan *plan, guint task, guint n_tasks)
{
  guint at_once = tasks_at_once (plan, n_tasks);

  return (task + 1) % at_once > 0 ? task + 1 : task + 1 + at_once * (plan->engine->n_threads - 1);
}

void
nn_plan_run (NnPlan *plan, NnStep *step, void (*task) (NnPlan *plan, NnStep *step, guint task), guint n_tasks)
{
#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic, tasks_at_once(plan, n_tasks))
  for (guint i = 0; i < n_tasks; i++)
    task (plan, step, i);
}

NnMoments
nn_plan_task_moments (NnPlan *plan, const NnValue *value, guint task, guint group)
{
  NnMoments moments = nn_value_moments (plan, value, group, NULL);

  if (value->norm != NULL)
    {
      moments.sums = plan->sums + (gsize)task * value->channels * 2;
      memset (moments.sums, 0, value->channels * 2 * sizeof (double));
    }
  return moments;
}

/* Elements that a thread reduces at a time. */
#define REDUCED_AT_ONCE 4096

void
nn_plan_reduce_gradients (NnPlan *plan, NnArray *array, guint n_tasks)
{
  nn_supernet_touch (plan->supernet, array);
#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (gsize first = 0; first < array->size; first += REDUCED_AT_ONCE)
    {
      NnClock clock = nn_clock_start (plan->engine);
      plan->engine->kernels->reduce (array->gradient + first, plan->workspace + first, array->size, n_tasks,
                                     MIN (REDUCED_AT_ONCE, array->size - first));
      nn_clock_lap (&clock, NN_WORK_OPTIMISER);
    }
}

static void
value_free (gpointer data)
{
  NnValue *value = data;

  g_free (value->index);
  g_free (value);
}

static void
step_free (gpointer data)
{
  NnStep *step = data;

  g_free (step->block);
  g_free (step->widen);
  g_free (step);
}

/* Pixels of a cell: two where no row that a convolution reads or writes has an odd number of them. */
static guint
side_of (const NnEngine *engine, CleaveNetwork *network)
{
  if (engine->lanes / 2 % engine->kernels->vector != 0 || cleave_network_get_in_width (network) % 2 != 0)
    return 1;
  for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);

      if (op->out_width % 2 != 0 && (op->kind == CLEAVE_OP_CONV || op->out_width != 1))
        return 1;
      if (op->kind == CLEAVE_OP_CONV && op->in_width % 2 != 0)
        return 1;
    }
  return 2;
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
  plan->side = side_of (engine, network);
  plan->images = engine->lanes / plan->side;
  plan->max_groups = (batch + plan->images - 1) / plan->images;
  plan->values = g_ptr_array_new_with_free_func (value_free);
  plan->steps = g_ptr_array_new_with_free_func (step_free);
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
  supernet->is_hollow = TRUE;
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

/* One channel of a group of images, as floats, to lanes; lanes without an image are set to 0. */
static void
pack_channel (const NnPlan *plan, const NnValue *value, guint group, guint channel, const float *from, float *to)
{
  gsize image = (gsize)value->channels * value->pixels;
  guint valid = nn_plan_group_images (plan, group);
  const float *source = from + (gsize)group * plan->images * image + (gsize)channel * value->pixels;
  float *target = to + group * value->group_stride + channel * value->channel_stride;

  for (guint row = 0; row < value->height; row++, target += value->row_stride)
    for (guint column = 0; column < value->cells * plan->side; column++)
      {
        float *pixel = target + nn_plan_column_offset (plan, value->cell_stride, column);
        gboolean counts = column < value->width;

        for (guint lane = 0; lane < plan->images; lane++)
          pixel[lane] = counts && lane < valid ? source[lane * image] : 0;
        source += counts;
      }
}

static void
pack (NnPlan *plan, const NnValue *value, const float *from, float *to)
{
  guint n_tasks = plan->n_groups * value->channels;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint task = 0; task < n_tasks; task++)
    {
      NnClock clock = nn_clock_start (plan->engine);
      pack_channel (plan, value, task / value->channels, task % value->channels, from, to);
      nn_clock_lap (&clock, NN_WORK_DATA);
    }
}

static void
unpack (NnPlan *plan, const NnValue *value, const float *from, float *to)
{
  NnClock clock = nn_clock_start (plan->engine);

  for (guint i = 0; i < plan->n; i++)
    for (guint channel = 0; channel < value->channels; channel++)
      {
        const float *source
            = from + i / plan->images * value->group_stride + channel * value->channel_stride + i % plan->images;
        for (guint row = 0; row < value->height; row++)
          for (guint column = 0; column < value->width; column++)
            *to++ = source[row * value->row_stride + nn_plan_column_offset (plan, value->cell_stride, column)];
      }
  nn_clock_lap (&clock, NN_WORK_DATA);
}

/* The scale of each payload element of a channel: 0 if lost, else 1 / (1 − drop rate). */
static void
pack_losses_channel (const NnPlan *plan, guint group, guint channel, const guint8 *arrived, float scale)
{
  const NnValue *value = plan->payload;
  gsize image = (gsize)value->channels * value->pixels;
  guint valid = nn_plan_group_images (plan, group);
  const guint8 *source = arrived + (gsize)group * plan->images * image + (gsize)channel * value->pixels;
  float *target = plan->arrived + group * value->group_stride + channel * value->channel_stride;

  for (guint row = 0; row < value->height; row++, target += value->row_stride)
    for (guint column = 0; column < value->cells * plan->side; column++)
      {
        float *pixel = target + nn_plan_column_offset (plan, value->cell_stride, column);
        gboolean counts = column < value->width;

        for (guint lane = 0; lane < plan->images; lane++)
          pixel[lane] = counts && lane < valid && source[lane * image] ? scale : 0;
        source += counts;
      }
}

static void
pack_losses (NnPlan *plan, const guint8 *arrived, double drop_rate)
{
  guint channels = plan->payload->channels, n_tasks = plan->n_groups * channels;

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint task = 0; task < n_tasks; task++)
    {
      NnClock clock = nn_clock_start (plan->engine);
      pack_losses_channel (plan, task / channels, task % channels, arrived, 1 / (1 - drop_rate));
      nn_clock_lap (&clock, NN_WORK_DATA);
    }
}

/* --- running --- */

static void
run_steps (NnPlan *plan, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    {
      NnStep *step = plan->steps->pdata[i];

      if (step->block != NULL && plan->mode == NN_MODE_EVALUATE)
        {
          nn_block_forward (plan, step->block);
          i += step->n_block_steps - 1;
        }
      else if (step->widen != NULL)
        {
          nn_widen_forward (plan, step->widen);
          i++;
        }
      else
        step->forward (plan, step);
    }
}

void
nn_plan_forward_head (NnPlan *plan, NnMode mode, const float *images, guint n)
{
  g_return_if_fail (n > 0 && n <= plan->max_groups * plan->images);

  plan->mode = mode;
  plan->n = n;
  plan->n_groups = (n + plan->images - 1) / plan->images;
  pack (plan, plan->input, images, plan->input->data);
  run_steps (plan, 0, plan->cut_step);
}

void
nn_plan_forward_tail (NnPlan *plan, NnMode mode, const guint8 *arrived, double drop_rate)
{
  g_return_if_fail (plan->n > 0);
  /* Evaluation leaves no values that a backward could read. */
  g_return_if_fail ((mode == NN_MODE_EVALUATE) == (plan->mode == NN_MODE_EVALUATE));

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
      NnStep *before = i > 1 ? plan->steps->pdata[i - 2] : NULL;

      if (before != NULL && before->widen != NULL)
        {
          nn_widen_backward (plan, before->widen);
          i--;
        }
      else
        step->backward (plan, step);
    }
}

void
nn_plan_get_input_gradient (NnPlan *plan, float *input_gradient)
{
  g_return_if_fail (plan->flags & NN_PLAN_INPUT_GRADIENT);

  unpack (plan, plan->input, plan->input->gradient, input_gradient);
}
