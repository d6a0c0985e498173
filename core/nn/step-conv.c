/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution with a larger kernel or stride than 1, but depthwise, on BLIS.
 *
 * A task takes a tile of output pixels of one group of images, lays their inputs out as panels [cell][k][lane] with k
 * = (channel, row, column) of the kernel, and multiplies. Backward by input is the same with the taps turned round: the
 * panels are those of the output's gradient, k = (output channel, row, column). */
#include "plan.h"

#include <string.h>

static guint
taps (const NnStep *step)
{
  return step->kernel * step->kernel;
}

/* --- weights --- */

static void
pack_forward (NnPlan *plan, NnStep *step)
{
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step) * taps (step);
  gsize size = nn_gemm_packed_size (plan->engine->gemm, n, k);

  for (guint g = 0; g < step->groups; g++)
    nn_gemm_pack (plan->engine->gemm, plan->workspace + g * size, step->weight->data + (gsize)g * n * k, NULL, n, k, k,
                  1);
}

/* Packed weights for backward by input; the weights' partial gradients lie before. */
static float *
transposed_weights (NnPlan *plan, const NnStep *step)
{
  gsize n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->max_groups);

  return plan->workspace + (n_tasks * step->weight->size + 15) / 16 * 16;
}

/* The transposed problem: n inputs, k = (output, row, column). */
static void
pack_backward (NnPlan *plan, NnStep *step, float *scratch)
{
  guint outputs = nn_step_group_outputs (step), inputs = nn_step_group_inputs (step), n_taps = taps (step);
  guint k = outputs * n_taps;
  gsize size = nn_gemm_packed_size (plan->engine->gemm, inputs, k);

  for (guint g = 0; g < step->groups; g++)
    {
      const float *weights = step->weight->data + (gsize)g * outputs * inputs * n_taps;
      for (guint input = 0; input < inputs; input++)
        for (guint output = 0; output < outputs; output++)
          memcpy (scratch + ((gsize)input * outputs + output) * n_taps,
                  weights + ((gsize)output * inputs + input) * n_taps, n_taps * sizeof (float));
      nn_gemm_pack (plan->engine->gemm, transposed_weights (plan, step) + g * size, scratch, NULL, inputs, k, k, 1);
    }
}

/* --- panels --- */

/* Which pixel a tap reads for a pixel, along one dimension; FALSE outside. Backward, the pixel is the input's and what
 * is read is the output: the one that this tap took the pixel for. */
static gboolean
tap_reads (const NnStep *step, gboolean backward, gint pixel, gint tap, guint size, guint *read)
{
  gint padding = step->padding, stride = step->stride, at = pixel * stride + tap - padding;

  if (backward)
    {
      if ((pixel + padding - tap) % stride != 0)
        return FALSE;
      at = (pixel + padding - tap) / stride;
    }
  *read = at;
  return at >= 0 && (guint)at < size;
}

/* Every so many pixels of a row of panels, for one tap. */
typedef struct
{
  guint column, step, n;
} Run;

/* What a tap reads for these pixels, which lie equally far apart in source and panel; zeros where it reads nothing. */
static void
fill_run (NnPlan *plan, const NnStep *step, gboolean backward, guint group, guint row, guint tap_column, Run run,
          NnView to)
{
  const NnValue *value = backward ? step->out : step->in;
  NnTransform transform = nn_value_transform (value);
  guint source = 0, skipped = 0, n = 0, ignored;

  while (skipped < run.n
         && !tap_reads (step, backward, run.column + skipped * run.step, tap_column, value->width, &source))
    skipped++;
  while (skipped + n < run.n
         && tap_reads (step, backward, run.column + (skipped + n) * run.step, tap_column, value->width, &ignored))
    n++;
  for (guint i = 0; i < run.n; i++)
    for (guint channel = 0; (i < skipped || i >= skipped + n) && channel < value->channels; channel++)
      memset (to.data + i * to.pixel + channel * to.channel, 0, plan->images * sizeof (float));
  if (n == 0)
    return;
  NnExtent extent = { value->channels, 1, n, plan->images };
  NnView from = nn_value_view (value, group, row);
  to.data += skipped * to.pixel;
  if (backward)
    {
      nn_value_read_gradient (plan, value, group, row, source, extent, 0, to);
      return;
    }
  from.data += nn_plan_column_offset (plan, value->cell_stride, source);
  from.pixel *= step->stride;
  plan->engine->kernels->transform (to, from, &transform, extent);
}

/* One row of one tap. */
static void
fill_tap (NnPlan *plan, const NnStep *step, gboolean backward, guint group, guint row, guint tap, NnView to)
{
  const NnValue *here = backward ? step->in : step->out, *there = backward ? step->out : step->in;
  guint source_row, tap_column = tap % step->kernel;
  /* Backward by a stride, one pixel's source is not a whole number of cells from the next one's. */
  gboolean one_by_one = backward && step->stride > 1;

  if (!tap_reads (step, backward, row, tap / step->kernel, there->height, &source_row))
    {
      for (guint cell = 0; cell < here->cells; cell++)
        for (guint channel = 0; channel < there->channels; channel++)
          memset (to.data + cell * to.pixel + channel * to.channel, 0, plan->lanes * sizeof (float));
      return;
    }
  for (guint column = 0; column < (one_by_one ? here->width : plan->side); column++)
    {
      Run run = { column, plan->side, one_by_one ? 1 : here->cells };
      NnView part = to;

      part.data += nn_plan_column_offset (plan, to.pixel, column);
      fill_run (plan, step, backward, group, source_row, tap_column, run, part);
    }
}

static void
fill_panels (NnPlan *plan, const NnStep *step, gboolean backward, NnTile tile, float *panels)
{
  const NnValue *here = backward ? step->in : step->out;
  guint channels = (backward ? step->out : step->in)->channels;
  NnView to = { panels, 0, (gsize)channels * taps (step) * plan->lanes, (gsize)taps (step) * plan->lanes };

  for (guint row = tile.row; row < tile.row + tile.rows; row++, panels += here->cells * to.pixel)
    for (guint tap = 0; tap < taps (step); tap++)
      {
        to.data = panels + tap * plan->lanes;
        fill_tap (plan, step, backward, tile.group, row, tap, to);
      }
}

/* --- forward --- */

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step) * taps (step);
  gsize cell_stride = (gsize)k * step->groups * plan->lanes;
  gsize packed_size = nn_gemm_packed_size (plan->engine->gemm, n, k);
  NnExtent extent = { n, tile.rows, step->out->cells, plan->lanes };
  NnView out = nn_value_view (step->out, tile.group, tile.row), part = out;
  NnView panels = { nn_engine_get_scratch (plan->engine), step->out->cells * cell_stride, cell_stride, plan->lanes };
  NnMoments moments = nn_plan_task_moments (plan, step->out, task, tile.group);

  fill_panels (plan, step, FALSE, tile, panels.data);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint g = 0; g < step->groups; g++)
    {
      nn_gemm_multiply (plan->engine->gemm,
                        nn_gemm_part (plan->engine->gemm, plan->workspace + g * packed_size, k, 0, n, 0, k), panels,
                        part, extent, 0, NULL);
      panels.data += (gsize)k * plan->lanes;
      part.data += n * part.channel;
    }
  nn_clock_lap (&clock, NN_WORK_GEMM);
  extent.channels = step->out->channels;
  if (moments.sums != NULL && plan->mode != NN_MODE_EVALUATE)
    plan->engine->kernels->moments (out, out, extent, moments);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->n_groups);

  pack_forward (plan, step);
  nn_plan_run (plan, step, forward_task, n_tasks);
  nn_norm_finish_forward (plan, step->out, n_tasks);
}

/* --- backward --- */

/* A tile of output pixels: the weights' share. */
static void
weight_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnTile tile = nn_plan_tile (step->out->height, step->tile_rows, task);
  guint n = nn_step_group_outputs (step), k = nn_step_group_inputs (step) * taps (step), cells = step->out->cells;
  gsize lanes = plan->lanes, gradient_cell = step->out->channels * lanes, panel_cell = k * step->groups * lanes;
  float *gradient = nn_engine_get_scratch (plan->engine);
  float *panels = gradient + step->tile_rows * cells * gradient_cell;
  float *partial = plan->workspace + (gsize)task * step->weight->size;

  nn_value_read_gradient (plan, step->out, tile.group, tile.row, 0,
                          (NnExtent){ step->out->channels, tile.rows, cells, lanes }, 0,
                          (NnView){ gradient, cells * gradient_cell, gradient_cell, lanes });
  nn_clock_lap (&clock, NN_WORK_NORM);
  fill_panels (plan, step, FALSE, tile, panels);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint g = 0; g < step->groups; g++)
    plan->engine->kernels->outer (partial + (gsize)g * n * k, k, 1,
                                  (NnFactor){ gradient + g * n * lanes, cells * gradient_cell, gradient_cell, n },
                                  (NnFactor){ panels + g * k * lanes, cells * panel_cell, panel_cell, k }, tile.rows,
                                  cells, lanes, FALSE);
  nn_clock_lap (&clock, NN_WORK_GEMM);
}

/* A tile of input pixels: PRODUCTS, by cells, is where the input's gradient is computed. */
static void
input_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  NnValue *in = step->in;
  NnTile tile = nn_plan_tile (in->height, step->input_tile_rows, task);
  guint n = nn_step_group_inputs (step), k = nn_step_group_outputs (step) * taps (step);
  gsize lanes = plan->lanes, cell_stride = (gsize)k * step->groups * lanes, product_cell = in->channels * lanes;
  gsize packed_size = nn_gemm_packed_size (plan->engine->gemm, n, k);
  NnExtent extent = { n, tile.rows, in->cells, lanes };
  NnView panels = { nn_engine_get_scratch (plan->engine), in->cells * cell_stride, cell_stride, lanes };
  NnView products = { panels.data + step->input_tile_rows * in->cells * cell_stride, in->cells * product_cell,
                      product_cell, lanes };
  NnView part = products, to = nn_value_gradient_view (in, tile.group, tile.row);
  NnTransform transform = nn_value_transform (in);
  NnMoments moments = nn_plan_task_moments (plan, in, task, tile.group);

  fill_panels (plan, step, TRUE, tile, panels.data);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint g = 0; g < step->groups; g++)
    {
      nn_gemm_multiply (
          plan->engine->gemm,
          nn_gemm_part (plan->engine->gemm, transposed_weights (plan, step) + g * packed_size, k, 0, n, 0, k), panels,
          part, extent, 0, NULL);
      panels.data += (gsize)k * lanes;
      part.data += n * lanes;
    }
  nn_clock_lap (&clock, NN_WORK_GEMM);
  extent.channels = in->channels;
  if (step->accumulate)
    plan->engine->kernels->add (to, products, extent);
  else
    plan->engine->kernels->transform_backward (to, products, nn_value_view (in, tile.group, tile.row), &transform,
                                               extent, moments);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->n_groups);
  guint n_input_tasks = nn_plan_n_tiles (plan, step->in->height, step->input_tile_rows, plan->n_groups);

  nn_plan_run (plan, step, weight_task, n_tasks);
  nn_plan_reduce_gradients (plan, step->weight, n_tasks);
  if (!step->in->needs_gradient)
    return;
  pack_backward (plan, step, nn_engine_get_scratch (plan->engine));
  nn_plan_run (plan, step, input_task, n_input_tasks);
  nn_norm_finish_backward (plan, step->in, n_input_tasks);
}

/* --- making --- */

static void
reserve (NnPlan *plan, NnStep *step)
{
  gsize in_panel = (gsize)step->in->channels * taps (step), out_panel = (gsize)step->out->channels * taps (step);
  gsize n_tasks = nn_plan_n_tiles (plan, step->out->height, step->tile_rows, plan->max_groups);
  gsize n_input_tasks = nn_plan_n_tiles (plan, step->in->height, step->input_tile_rows, plan->max_groups);
  gsize packed = step->groups
                 * nn_gemm_packed_size (plan->engine->gemm, nn_step_group_outputs (step),
                                        nn_step_group_inputs (step) * taps (step));
  gsize transposed = step->groups
                     * nn_gemm_packed_size (plan->engine->gemm, nn_step_group_inputs (step),
                                            nn_step_group_outputs (step) * taps (step));

  nn_plan_reserve (plan, (in_panel + step->out->channels) * step->tile_rows * step->out->cells * plan->lanes, packed,
                   n_tasks * step->out->channels * 2);
  if ((plan->flags & NN_PLAN_BACKWARD) == 0)
    return;
  nn_plan_reserve (plan, (out_panel + step->in->channels) * step->input_tile_rows * step->in->cells * plan->lanes,
                   n_tasks * step->weight->size + 16 + transposed, n_input_tasks * step->in->channels * 2);
  nn_plan_reserve (plan, step->weight->size, 0, 0);
}

NnStep *
nn_step_conv_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);

  step->kind = NN_STEP_CONV;
  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  step->weight = weight;
  step->kernel = op->kernel;
  step->stride = op->stride;
  step->padding = op->padding;
  step->groups = op->groups;
  step->tile_rows = nn_plan_tile_rows (plan, out);
  step->input_tile_rows = nn_plan_tile_rows (plan, in);
  reserve (plan, step);
  return step;
}
