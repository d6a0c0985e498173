/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Convolution (but depthwise) and linear layers, on BLIS.
 *
 * A task takes a tile of output pixels of one group of images, lays their inputs out as panels [pixel][k][lane] with k
 * = (channel, row, column) of the kernel, and multiplies. A 1×1 convolution with stride 1 on a plain value by pixels
 * needs no panels: the value is one. Backward by input is the same with the taps turned round: the panels are those of
 * the output's gradient, k = (output channel, row, column). */
#include "plan.h"

#include <string.h>

static gboolean
is_pointwise (const NnStep *step)
{
  return step->kernel == 1 && step->stride == 1 && step->padding == 0;
}

static guint
taps (const NnStep *step)
{
  return step->kernel * step->kernel;
}

static guint
group_inputs (const NnStep *step)
{
  return step->in->channels / step->groups;
}

static guint
group_outputs (const NnStep *step)
{
  return step->out->channels / step->groups;
}

static gboolean
reads_directly (const NnPlan *plan, const NnStep *step)
{
  return is_pointwise (step) && nn_value_is_plain (step->in) && nn_value_is_by_pixels (plan, step->in);
}

/* --- weights --- */

static void
pack_forward (NnPlan *plan, NnStep *step)
{
  guint n = group_outputs (step), k = group_inputs (step) * taps (step);
  gsize size = nn_gemm_packed_size (plan->engine->gemm, n, k);

  for (guint g = 0; g < step->groups; g++)
    nn_gemm_pack (plan->engine->gemm, plan->workspace + g * size, step->weight->data + (gsize)g * n * k, n, k, k, 1);
}

/* Packed weights for backward by input; the weights' partial gradients lie before. */
static float *
transposed_weights (NnPlan *plan, const NnStep *step)
{
  gsize n_tasks = (gsize)plan->max_groups * nn_plan_n_tiles (step->out->pixels, step->tile_pixels);

  return plan->workspace + (n_tasks * step->weight->size + 15) / 16 * 16;
}

/* The transposed problem: n inputs, k = (output, row, column). Its matrix element (input, (output, tap)) is
 * weight[output][input][tap], so each tap's and output's column is strided by input. */
static void
pack_backward (NnPlan *plan, NnStep *step, float *scratch)
{
  guint outputs = group_outputs (step), inputs = group_inputs (step), n_taps = taps (step);
  guint k = outputs * n_taps;
  gsize size = nn_gemm_packed_size (plan->engine->gemm, inputs, k);

  for (guint g = 0; g < step->groups; g++)
    {
      const float *weights = step->weight->data + (gsize)g * outputs * inputs * n_taps;
      if (n_taps == 1)
        {
          nn_gemm_pack (plan->engine->gemm, transposed_weights (plan, step) + g * size, weights, inputs, outputs, 1,
                        inputs);
          continue;
        }
      for (guint input = 0; input < inputs; input++)
        for (guint output = 0; output < outputs; output++)
          memcpy (scratch + ((gsize)input * outputs + output) * n_taps,
                  weights + ((gsize)output * inputs + input) * n_taps, n_taps * sizeof (float));
      nn_gemm_pack (plan->engine->gemm, transposed_weights (plan, step) + g * size, scratch, inputs, k, k, 1);
    }
}

/* --- panels --- */

/* Rows and columns of the value that tap (row, column) of pixel (y, x) reads; FALSE outside. Backward, the pixel is the
 * input's and what is read is the output: those that this tap took the pixel for. */
static gboolean
tap_pixel (const NnStep *step, gboolean backward, guint pixel, guint row, guint column, guint *source)
{
  const NnValue *here = backward ? step->in : step->out, *there = backward ? step->out : step->in;
  gint y = pixel / here->width, x = pixel % here->width;

  if (backward)
    {
      y += (gint)step->padding - (gint)row;
      x += (gint)step->padding - (gint)column;
      if (y < 0 || x < 0 || y % step->stride != 0 || x % step->stride != 0)
        return FALSE;
      y /= (gint)step->stride;
      x /= (gint)step->stride;
    }
  else
    {
      y = y * (gint)step->stride + (gint)row - (gint)step->padding;
      x = x * (gint)step->stride + (gint)column - (gint)step->padding;
      if (y < 0 || x < 0)
        return FALSE;
    }
  *source = y * there->width + x;
  return (guint)y < there->height && (guint)x < there->width;
}

/* One tap of one pixel, all channels. */
static void
read_tap (NnPlan *plan, const NnStep *step, gboolean backward, guint group, guint source, NnView to)
{
  if (backward)
    nn_value_read_gradient (plan, step->out, group, source, (NnExtent){ step->out->channels, 1, plan->lanes }, 0, to);
  else
    {
      NnTransform transform = nn_value_transform (step->in);
      plan->engine->kernels->transform (to, nn_value_view (step->in, group, source), &transform,
                                        (NnExtent){ step->in->channels, 1, plan->lanes });
    }
}

static void
fill_panels (NnPlan *plan, const NnStep *step, gboolean backward, guint group, guint first, guint n_pixels,
             float *panels)
{
  guint channels = (backward ? step->out : step->in)->channels, lanes = plan->lanes;
  gsize channel_stride = (gsize)taps (step) * lanes, pixel_stride = channels * channel_stride;

  if (is_pointwise (step))
    {
      NnView to = { panels, pixel_stride, channel_stride };
      NnExtent extent = { channels, n_pixels, lanes };
      NnTransform transform = nn_value_transform (step->in);

      if (backward)
        nn_value_read_gradient (plan, step->out, group, first, extent, 0, to);
      else
        plan->engine->kernels->transform (to, nn_value_view (step->in, group, first), &transform, extent);
      return;
    }
  for (guint pixel = 0; pixel < n_pixels; pixel++)
    for (guint tap = 0; tap < taps (step); tap++)
      {
        NnView to = { panels + pixel * pixel_stride + tap * lanes, pixel_stride, channel_stride };
        guint source;

        if (tap_pixel (step, backward, first + pixel, tap / step->kernel, tap % step->kernel, &source))
          read_tap (plan, step, backward, group, source, to);
        else
          for (guint channel = 0; channel < channels; channel++)
            memset (to.data + channel * channel_stride, 0, lanes * sizeof (float));
      }
}

/* --- forward --- */

static void
add_bias (NnPlan *plan, const NnStep *step, NnView out, guint n_pixels)
{
  for (guint pixel = 0; pixel < n_pixels; pixel++)
    for (guint channel = 0; channel < step->out->channels; channel++)
      for (guint lane = 0; lane < plan->lanes; lane++)
        out.data[pixel * out.pixel + channel * out.channel + lane] += step->bias->data[channel];
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  guint n_tiles = nn_plan_n_tiles (step->out->pixels, step->tile_pixels), group = task / n_tiles;
  guint first = task % n_tiles * step->tile_pixels;
  guint n_pixels = MIN (step->tile_pixels, step->out->pixels - first);
  guint n = group_outputs (step), k = group_inputs (step) * taps (step);
  gsize pixel_stride = (gsize)k * step->groups * plan->lanes;
  gsize packed_size = nn_gemm_packed_size (plan->engine->gemm, n, k);
  NnView out = nn_value_view (step->out, group, first);
  const float *panels;

  if (reads_directly (plan, step))
    panels = nn_value_view (step->in, group, first).data;
  else
    {
      float *scratch = nn_engine_get_scratch (plan->engine);
      fill_panels (plan, step, FALSE, group, first, n_pixels, scratch);
      panels = scratch;
    }
  for (guint g = 0; g < step->groups; g++)
    nn_gemm_multiply (plan->engine->gemm, n, k, plan->workspace + g * packed_size, n_pixels,
                      panels + (gsize)g * k * plan->lanes, pixel_stride, out.data + (gsize)g * n * out.channel,
                      out.pixel, out.channel, 0);
  if (step->bias != NULL)
    add_bias (plan, step, out, n_pixels);
  if (step->out->norm != NULL && plan->mode != NN_MODE_EVALUATE)
    plan->engine->kernels->moments (nn_plan_task_sums (plan, step->out->channels, task), out, out,
                                    (NnExtent){ step->out->channels, n_pixels, plan->lanes },
                                    nn_plan_valid_lanes (plan, group));
}

static void
forward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * nn_plan_n_tiles (step->out->pixels, step->tile_pixels);

  pack_forward (plan, step);
#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < n_tasks; task++)
    forward_task (plan, step, task);
  nn_norm_finish_forward (plan, step->out, n_tasks);
}

/* --- backward --- */

/* Where the sums of the bias's gradient lie: after those over the input. */
static double *
bias_sums (NnPlan *plan, const NnStep *step, guint task)
{
  gsize n_input_tasks = (gsize)plan->max_groups * nn_plan_n_tiles (step->in->pixels, step->input_tile_pixels);

  return plan->sums + (n_input_tasks * step->in->channels + (gsize)task * step->out->channels) * 2;
}

/* The weights' share of a tile: products of the output's gradient, [pixel][out][lane], and the input's panels. */
static void
weight_products (NnPlan *plan, NnStep *step, guint task, guint group, guint first, guint n_pixels,
                 const float *gradient, float *scratch)
{
  guint n = group_outputs (step), k = group_inputs (step) * taps (step), lanes = plan->lanes;
  gsize left_pixel = (gsize)step->out->channels * lanes, right_pixel = (gsize)k * step->groups * lanes;
  const float *panels = scratch;
  float *partial = plan->workspace + (gsize)task * step->weight->size;
  NnView view = { (float *)gradient, left_pixel, lanes };

  if (reads_directly (plan, step))
    panels = nn_value_view (step->in, group, first).data;
  else
    fill_panels (plan, step, FALSE, group, first, n_pixels, scratch);
  for (guint g = 0; g < step->groups; g++)
    plan->engine->kernels->outer (partial + (gsize)g * n * k, k, gradient + (gsize)g * n * lanes, left_pixel, n,
                                  panels + (gsize)g * k * lanes, right_pixel, k, n_pixels, lanes);
  if (step->bias != NULL)
    plan->engine->kernels->moments (bias_sums (plan, step, task), view, view,
                                    (NnExtent){ step->out->channels, n_pixels, lanes },
                                    nn_plan_valid_lanes (plan, group));
}

/* The input's share of a tile of its pixels: PANELS are of the output's gradient; PRODUCTS is scratch. */
static void
input_products (NnPlan *plan, NnStep *step, guint task, guint group, guint first, guint n_pixels, const float *panels,
                float *products)
{
  NnValue *in = step->in;
  guint n = group_inputs (step), k = group_outputs (step) * taps (step), lanes = plan->lanes;
  gsize pixel_stride = (gsize)k * step->groups * lanes;
  gsize packed_size = nn_gemm_packed_size (plan->engine->gemm, n, k);
  gboolean direct = !in->relu && !in->is_permuted;
  NnView to = nn_value_gradient_view (in, group, first);
  NnView product = direct ? to : (NnView){ products, (gsize)in->channels * lanes, lanes };

  for (guint g = 0; g < step->groups; g++)
    nn_gemm_multiply (plan->engine->gemm, n, k, transposed_weights (plan, step) + g * packed_size, n_pixels,
                      panels + (gsize)g * k * lanes, pixel_stride, product.data + (gsize)g * n * product.channel,
                      product.pixel, product.channel, direct && step->accumulate ? 1 : 0);
  if (!direct)
    {
      NnTransform transform = nn_value_transform (in);
      plan->engine->kernels->transform_backward (to, product, nn_value_view (in, group, first), &transform,
                                                 (NnExtent){ in->channels, n_pixels, lanes });
    }
  nn_value_gradient_moments (plan, in, group, first, n_pixels, task);
}

/* A tile of output pixels: the weights' share, and the input's too where its pixels are the same. */
static void
output_task (NnPlan *plan, NnStep *step, guint task)
{
  guint n_tiles = nn_plan_n_tiles (step->out->pixels, step->tile_pixels), group = task / n_tiles;
  guint first = task % n_tiles * step->tile_pixels;
  guint n_pixels = MIN (step->tile_pixels, step->out->pixels - first);
  gsize pixel_stride = (gsize)step->out->channels * plan->lanes;
  float *gradient = nn_engine_get_scratch (plan->engine), *scratch = gradient + pixel_stride * step->tile_pixels;

  nn_value_read_gradient (plan, step->out, group, first, (NnExtent){ step->out->channels, n_pixels, plan->lanes }, 0,
                          (NnView){ gradient, pixel_stride, plan->lanes });
  weight_products (plan, step, task, group, first, n_pixels, gradient, scratch);
  if (is_pointwise (step) && step->in->needs_gradient)
    input_products (plan, step, task, group, first, n_pixels, gradient, scratch);
}

/* A tile of input pixels, where they are not the output's. */
static void
input_task (NnPlan *plan, NnStep *step, guint task)
{
  guint n_tiles = nn_plan_n_tiles (step->in->pixels, step->input_tile_pixels), group = task / n_tiles;
  guint first = task % n_tiles * step->input_tile_pixels;
  guint n_pixels = MIN (step->input_tile_pixels, step->in->pixels - first);
  float *panels = nn_engine_get_scratch (plan->engine);

  fill_panels (plan, step, TRUE, group, first, n_pixels, panels);
  input_products (plan, step, task, group, first, n_pixels, panels,
                  panels + (gsize)step->out->channels * taps (step) * plan->lanes * step->input_tile_pixels);
}

static void
reduce_weights (NnPlan *plan, NnStep *step, guint n_tasks)
{
  gsize size = step->weight->size;

  nn_supernet_touch (plan->supernet, step->weight);
#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (gsize i = 0; i < size; i++)
    {
      double sum = 0;
      for (guint task = 0; task < n_tasks; task++)
        sum += plan->workspace[task * size + i];
      step->weight->gradient[i] += sum;
    }
  if (step->bias == NULL)
    return;
  nn_supernet_touch (plan->supernet, step->bias);
  for (guint channel = 0; channel < step->out->channels; channel++)
    for (guint task = 0; task < n_tasks; task++)
      step->bias->gradient[channel] += bias_sums (plan, step, task)[2 * channel];
}

static void
backward (NnPlan *plan, NnStep *step)
{
  guint n_tasks = plan->n_groups * nn_plan_n_tiles (step->out->pixels, step->tile_pixels);
  guint n_input_tasks = plan->n_groups * nn_plan_n_tiles (step->in->pixels, step->input_tile_pixels);

  if (step->in->needs_gradient)
    pack_backward (plan, step, nn_engine_get_scratch (plan->engine));
#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint task = 0; task < n_tasks; task++)
    output_task (plan, step, task);
  if (step->in->needs_gradient && !is_pointwise (step))
    {
#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
      for (guint task = 0; task < n_input_tasks; task++)
        input_task (plan, step, task);
    }
  reduce_weights (plan, step, n_tasks);
  if (step->in->needs_gradient)
    nn_norm_finish_backward (plan, step->in, n_input_tasks);
}

/* --- making --- */

static void
reserve (NnPlan *plan, NnStep *step)
{
  gsize in_panel = (gsize)step->in->channels * taps (step), out_panel = (gsize)step->out->channels * taps (step);
  guint in_pixels = step->in->pixels, out_pixels = step->out->pixels;

  step->tile_pixels = nn_plan_tile_pixels (plan, in_panel + step->out->channels, out_pixels);
  step->input_tile_pixels
      = is_pointwise (step) ? step->tile_pixels : nn_plan_tile_pixels (plan, out_panel + step->in->channels, in_pixels);

  gsize n_tasks = (gsize)plan->max_groups * nn_plan_n_tiles (out_pixels, step->tile_pixels);
  gsize n_input_tasks = (gsize)plan->max_groups * nn_plan_n_tiles (in_pixels, step->input_tile_pixels);
  gsize packed = step->groups
                 * nn_gemm_packed_size (plan->engine->gemm, group_outputs (step), group_inputs (step) * taps (step));
  gsize transposed
      = step->groups
        * nn_gemm_packed_size (plan->engine->gemm, group_inputs (step), group_outputs (step) * taps (step));

  nn_plan_reserve (plan, (in_panel + step->out->channels) * step->tile_pixels * plan->lanes, packed,
                   n_tasks * step->out->channels * 2);
  if ((plan->flags & NN_PLAN_BACKWARD) == 0)
    return;
  nn_plan_reserve (plan, (out_panel + step->in->channels) * step->input_tile_pixels * plan->lanes,
                   n_tasks * step->weight->size + 16 + transposed,
                   (n_input_tasks * step->in->channels + n_tasks * step->out->channels) * 2);
  nn_plan_reserve (plan, step->weight->size, 0, 0);
}

NnStep *
nn_step_conv_new (NnPlan *plan, const CleaveOp *op, NnArray *weight, NnArray *bias, NnValue *in, NnValue *out)
{
  NnStep *step = g_new0 (NnStep, 1);
  gboolean linear = op->kind == CLEAVE_OP_LINEAR;

  step->forward = forward;
  step->backward = backward;
  step->in = in;
  step->out = out;
  step->weight = weight;
  step->bias = bias;
  step->kernel = linear ? 1 : op->kernel;
  step->stride = linear ? 1 : op->stride;
  step->padding = linear ? 0 : op->padding;
  step->groups = linear ? 1 : op->groups;
  reserve (plan, step);
  return step;
}
