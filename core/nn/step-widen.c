/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A 1×1 convolution that widens its input X, norm, ReLU and depthwise convolution in one step, where statistics are the
 * batch's. What is between, U = W·X and its gradient, is several times as large as X and would cross memory seven
 * times. It is computed strip by strip instead, in chunks of channels that stay in cache, backward once more. So its
 * norm's sums are wanted before there is a U, and follow from those over X:
 *
 *   s = Σ x,  S = Σ x·xᵀ;  Σ u = W·s,  Σ u_j² = w_jᵀ·S·w_j
 *
 * Backward, with g the gradient behind the ReLU and a, b, c as in norm.c, the gradient of U is a·g + b·u + c, of which
 * b and c are known when all of g has passed. With G = Σ g·xᵀ, gathered on the way,
 *
 *   Σ g_j·u_j = Σ_i G_ji·W_ji
 *   ∂W = diag(a)·G + diag(b)·W·S + c·sᵀ
 *   ∂x = Wᵀ·diag(a)·g + Wᵀ·diag(b)·W·x + Wᵀ·c
 *
 * whose first term is written with G and whose others, X's size, follow.
 *
 * Where the products w_ji·x_i nearly cancel in u, by a factor κ, the variance is off by κ² times single precision's
 * rounding error, not κ: by 1e-4 of u where channels are the same but for a hundredth, by 1e-6 as a rule. */
#include "plan.h"

#include <string.h>

/* Cells of a strip, or so. */
#define STRIP_CELLS 128
/* Floats of a chunk's planes, forward; of its planes and panels, backward. */
#define FORWARD_FLOATS (100 * 1024)
#define BACKWARD_FLOATS (200 * 1024)
/* A strip reads at most so many times as many rows as its own: else too much is computed twice. */
#define MOST_ROWS_READ 2
/* Below this many pixels U stays in the processor's cache anyway, and below this widening it costs little. */
#define LEAST_PIXELS 256
#define LEAST_WIDENING 3

struct _NnWiden
{
  NnStep *expand, *depthwise;
  guint strip_rows;       /* of the output, forward */
  guint input_strip_rows; /* of the input, elsewhere */
  double *s;              /* [inputs] */
  double *S;              /* [inputs][inputs] */
};

static guint
n_inputs (const NnWiden *widen)
{
  return widen->expand->in->channels;
}

static guint
n_channels (const NnWiden *widen)
{
  return widen->expand->out->channels;
}

static gsize
packed_size (const NnPlan *plan, guint n, guint k)
{
  return nn_gemm_packed_size (plan->engine->gemm, n, k);
}

/* --- strips and chunks --- */

static guint
n_strips (const NnPlan *plan, const NnWiden *widen, guint n_groups)
{
  return nn_plan_n_tiles (plan, widen->depthwise->out->height, widen->strip_rows, n_groups);
}

static guint
n_input_strips (const NnPlan *plan, const NnWiden *widen, guint n_groups)
{
  return nn_plan_n_tiles (plan, widen->expand->in->height, widen->input_strip_rows, n_groups);
}

static guint
chunk_of (const NnPlan *plan, const NnWiden *widen, gsize fitting)
{
  guint block = nn_gemm_block (plan->engine->gemm);

  return MIN (n_channels (widen), MAX (fitting / block, 1) * block);
}

static guint
forward_chunk (const NnPlan *plan, const NnWiden *widen)
{
  return chunk_of (plan, widen,
                   FORWARD_FLOATS / nn_depthwise_input_planes (plan, widen->depthwise, 0, widen->strip_rows).size);
}

/* Backward's pieces of scratch memory, for a strip of the input. */
typedef struct
{
  NnPlanes gradient, inner; /* of the output's gradient; of U behind its ReLU */
  guint chunk;
  gsize panel_cell, panel; /* floats of a cell, in all */
} Pieces;

static Pieces
pieces_of (const NnPlan *plan, const NnWiden *widen, guint row, guint rows)
{
  const NnStep *step = widen->depthwise;
  gsize largest = nn_depthwise_gradient_planes (plan, step, 0, widen->input_strip_rows).size
                  + 2 * (gsize)widen->input_strip_rows * step->in->cells * plan->lanes;
  Pieces pieces = { .gradient = nn_depthwise_gradient_planes (plan, step, row, row + rows),
                    .inner = nn_planes_of (plan, step->in, 0, row, rows),
                    .chunk = chunk_of (plan, widen, BACKWARD_FLOATS / largest) };

  pieces.panel_cell = nn_plan_cell_stride (plan, pieces.chunk);
  pieces.panel = rows * step->in->cells * pieces.panel_cell;
  return pieces;
}

/* --- workspace: backward's partial sums, each task's after the other, and packed weights --- */

typedef struct
{
  float *taps;     /* [task][channel][tap] */
  float *products; /* [task][channel][input]: G */
  float *total;    /* [channel][input] */
  float *packed, *transposed, *square;
  gsize size; /* floats */
} Workspace;

static Workspace
workspace_of (const NnPlan *plan, const NnWiden *widen, guint n_tasks)
{
  guint n = n_channels (widen), k = n_inputs (widen);
  Workspace w = { .taps = plan->workspace };
  gsize offset = (gsize)n_tasks * widen->depthwise->weight->size;

  w.products = w.taps + offset;
  offset += (gsize)n_tasks * n * k;
  w.total = w.taps + offset;
  offset = (offset + (gsize)n * k + 15) / 16 * 16;
  w.packed = w.taps + offset;
  offset += packed_size (plan, n, k);
  w.transposed = w.taps + offset;
  offset += packed_size (plan, k, n);
  w.square = w.taps + offset;
  w.size = offset + packed_size (plan, k, k);
  return w;
}

/* --- forward --- */

/* s and S over a strip of the input. */
static void
gather_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  const NnWiden *widen = step->widen;
  const NnValue *in = step->in;
  guint k = in->channels;
  NnTile tile = nn_plan_tile (in->height, widen->input_strip_rows, task);
  NnMoments moments = nn_value_moments (plan, in, tile.group, plan->sums + (gsize)task * k * 2);
  float *products = plan->workspace + (gsize)task * k * k;

  memset (moments.sums, 0, 2 * k * sizeof (double));
  for (guint row = 0; row < tile.rows; row += step->tile_rows)
    {
      NnExtent extent = { k, MIN (step->tile_rows, tile.rows - row), in->cells, plan->lanes };
      NnView x = nn_value_view (in, tile.group, tile.row + row);

      if (moments.valid < moments.images)
        {
          NnView valid = { nn_engine_get_scratch (plan->engine), x.row, x.pixel, x.channel };

          plan->engine->kernels->norm_backward (valid, x, x, NULL, NULL, NULL, extent);
          nn_value_clear_invalid (plan, in, tile.group, valid, extent);
          x = valid;
        }
      NnFactor factor = { x.data, x.row, x.pixel, k };
      plan->engine->kernels->moments (x, x, extent, moments);
      plan->engine->kernels->outer (products, k, 1, factor, factor, extent.rows, extent.columns, plan->lanes, row > 0);
    }
  nn_clock_lap (&clock, NN_WORK_NORM);
}

static void
gather (NnPlan *plan, NnWiden *widen)
{
  guint k = n_inputs (widen), n_tasks = n_input_strips (plan, widen, plan->n_groups);

  nn_plan_run (plan, widen->expand, gather_task, n_tasks);
#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint i = 0; i < k; i++)
    {
      memset (widen->S + i * k, 0, k * sizeof (double));
      widen->s[i] = 0;
      for (guint task = 0; task < n_tasks; task++)
        {
          widen->s[i] += plan->sums[((gsize)task * k + i) * 2];
          for (guint j = 0; j < k; j++)
            widen->S[i * k + j] += plan->workspace[((gsize)task * k + i) * k + j];
        }
    }
}

/* The widened channels' sums, from those over the input. */
static void
widen_sums (NnPlan *plan, const NnWiden *widen)
{
  guint k = n_inputs (widen);

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint j = 0; j < n_channels (widen); j++)
    {
      const float *weights = widen->expand->weight->data + (gsize)j * k;
      double sum = 0, square = 0;

      for (guint i = 0; i < k; i++)
        {
          double product = 0;

          for (guint l = 0; l < k; l++)
            product += widen->S[i * k + l] * weights[l];
          sum += weights[i] * widen->s[i];
          square += weights[i] * product;
        }
      plan->sums[2 * j] = sum;
      plan->sums[2 * j + 1] = square;
    }
}

static void
convolve (NnPlan *plan, const NnWiden *widen, NnTile tile, const NnPlanes *planes, const float *data, guint first,
          guint n, NnMoments moments)
{
  const NnStep *step = widen->depthwise;
  const NnValue *out = step->out;
  guint taps = step->kernel * step->kernel;
  NnPlane plane = nn_depthwise_plane (plan, step, 1, planes->row);

  for (guint row = 0; row < tile.rows; row++)
    for (guint i = 0; i < n; i++)
      {
        guint channel = first + i;
        NnMoments sums = { moments.sums != NULL ? moments.sums + 2 * channel : NULL, moments.valid, moments.images };

        plan->engine->kernels->depthwise (nn_value_view (out, tile.group, tile.row + row).data
                                              + channel * out->channel_stride,
                                          data + i * planes->size + row * step->stride * planes->row,
                                          step->weight->data + (gsize)channel * taps, &plane, sums, NULL);
      }
}

static void
forward_task (NnPlan *plan, NnStep *step, guint task)
{
  NnClock clock = nn_clock_start (plan->engine);
  const NnWiden *widen = step->widen;
  NnTile tile = nn_plan_tile (widen->depthwise->out->height, widen->strip_rows, task);
  NnPlanes planes = nn_depthwise_input_planes (plan, widen->depthwise, tile.row, tile.rows);
  NnMoments moments = nn_plan_task_moments (plan, widen->depthwise->out, task, tile.group);
  float *data = nn_engine_get_scratch (plan->engine);
  guint n = n_channels (widen), chunk = forward_chunk (plan, widen);

  nn_planes_clear_margins (plan, &planes, data, chunk);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (guint first = 0; first < n; first += chunk)
    {
      guint count = MIN (chunk, n - first);

      nn_step_pointwise_expand (plan, step, plan->workspace, nn_value_view (step->in, tile.group, planes.begin), first,
                                count, planes.end - planes.begin, nn_planes_view (plan, &planes, data), NULL);
      nn_clock_lap (&clock, NN_WORK_GEMM);
      convolve (plan, widen, tile, &planes, data, first, count, moments);
      nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
    }
}

void
nn_widen_forward (NnPlan *plan, NnWiden *widen)
{
  guint n_tasks = n_strips (plan, widen, plan->n_groups);

  gather (plan, widen);
  widen_sums (plan, widen);
  nn_norm_finish_forward (plan, widen->expand->out, 1);
  nn_step_pointwise_pack (plan, widen->expand, NULL, plan->workspace);
  nn_plan_run (plan, widen->expand, forward_task, n_tasks);
  nn_norm_finish_forward (plan, widen->depthwise->out, n_tasks);
}

/* --- backward --- */

typedef struct
{
  const NnWiden *widen;
  guint task;
  NnTile tile; /* of the input */
  Pieces pieces;
  Workspace workspace;
  float *gradients, *inner, *panel, *taps;
  guint first, n; /* channels of the chunk */
} Task;

/* The output's gradient and U of the chunk. */
static void
fill_planes (NnPlan *plan, const Task *task, NnClock *clock)
{
  const NnStep *expand = task->widen->expand, *depthwise = task->widen->depthwise;
  const NnPlanes *planes = &task->pieces.gradient;
  NnExtent extent = { task->n, planes->end - planes->begin, depthwise->out->cells, plan->lanes };

  nn_value_read_gradient (plan, depthwise->out, task->tile.group, planes->begin, 0, extent, task->first,
                          nn_planes_view (plan, planes, task->gradients));
  nn_clock_lap (clock, NN_WORK_NORM);
  nn_step_pointwise_expand (plan, expand, task->workspace.packed,
                            nn_value_view (expand->in, task->tile.group, task->tile.row), task->first, task->n,
                            task->tile.rows, nn_planes_view (plan, &task->pieces.inner, task->inner), NULL);
  nn_clock_lap (clock, NN_WORK_GEMM);
}

/* panel ← g; the taps' gradients. */
static void
convolve_back (NnPlan *plan, const Task *task)
{
  const NnStep *step = task->widen->depthwise;
  gsize n_taps = (gsize)step->kernel * step->kernel;
  guint begin = task->tile.row, end = begin + task->tile.rows;

  for (guint i = 0; i < task->n; i++)
    {
      guint channel = task->first + i;
      const float *gradient = task->gradients + i * task->pieces.gradient.size;
      const float *inner = task->inner + i * task->pieces.inner.size;
      NnView to = { task->panel + (gsize)i * plan->lanes, step->in->cells * task->pieces.panel_cell,
                    task->pieces.panel_cell, plan->lanes };
      double *sums = plan->sums + ((gsize)task->task * step->in->channels + channel) * 2;

      nn_depthwise_weights (plan, step, begin, end, &task->pieces.gradient, gradient, inner,
                            task->workspace.taps + (task->task * (gsize)step->in->channels + channel) * n_taps,
                            task->taps);
      sums[0] = nn_depthwise_inputs (plan, step, channel, begin, end, &task->pieces.gradient, gradient, to, plan->side,
                                     inner, task->taps);
      sums[1] = 0;
    }
}

/* G and the first term of the input's gradient. */
static void
multiply_back (NnPlan *plan, const Task *task)
{
  const NnStep *step = task->widen->expand;
  const NnValue *in = step->in;
  guint n = step->out->channels, k = in->channels;
  gsize cell = task->pieces.panel_cell;
  float *products = task->workspace.products + ((gsize)task->task * n + task->first) * k;

  for (guint row = 0; row < task->tile.rows; row += step->tile_rows)
    {
      NnExtent extent = { k, MIN (step->tile_rows, task->tile.rows - row), in->cells, plan->lanes };
      NnView panel = { task->panel + row * in->cells * cell, in->cells * cell, cell, plan->lanes };
      NnView x = nn_value_view (in, task->tile.group, task->tile.row + row);
      NnFactor gradients = { panel.data, panel.row, panel.pixel, task->n }, inputs = { x.data, x.row, x.pixel, k };

      if (task->n <= k)
        plan->engine->kernels->outer (products, k, 1, gradients, inputs, extent.rows, extent.columns, plan->lanes,
                                      row > 0);
      else
        plan->engine->kernels->outer (products, 1, k, inputs, gradients, extent.rows, extent.columns, plan->lanes,
                                      row > 0);
      if (in->needs_gradient)
        nn_gemm_multiply (plan->engine->gemm,
                          nn_gemm_part (plan->engine->gemm, task->workspace.transposed, n, 0, k, task->first, task->n),
                          panel, nn_value_gradient_view (in, task->tile.group, task->tile.row + row), extent,
                          step->accumulate || task->first > 0, NULL);
    }
}

static void
backward_task (NnPlan *plan, NnStep *step, guint index)
{
  NnClock clock = nn_clock_start (plan->engine);
  const NnWiden *widen = step->widen;
  NnTile tile = nn_plan_tile (step->in->height, widen->input_strip_rows, index);
  Task task = { .widen = widen,
                .task = index,
                .tile = tile,
                .pieces = pieces_of (plan, widen, tile.row, tile.rows),
                .workspace = workspace_of (plan, widen, n_input_strips (plan, widen, plan->n_groups)) };
  guint n = n_channels (widen), chunk = task.pieces.chunk;

  task.panel = nn_engine_get_scratch (plan->engine);
  task.gradients = task.panel + task.pieces.panel;
  task.inner = task.gradients + chunk * task.pieces.gradient.size;
  task.taps = task.inner + chunk * task.pieces.inner.size;
  nn_planes_clear_margins (plan, &task.pieces.gradient, task.gradients, chunk);
  for (task.first = 0; task.first < n; task.first += chunk)
    {
      task.n = MIN (chunk, n - task.first);
      fill_planes (plan, &task, &clock);
      convolve_back (plan, &task);
      nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
      multiply_back (plan, &task);
      nn_clock_lap (&clock, NN_WORK_GEMM);
    }
}

/* Wᵀ·diag(a), packed. */
static void
pack_scaled (NnPlan *plan, const NnWiden *widen, float *scaled, float *transposed)
{
  const NnStep *step = widen->expand;
  guint n = n_channels (widen), k = n_inputs (widen);

  for (guint j = 0; j < n; j++)
    for (guint i = 0; i < k; i++)
      scaled[(gsize)j * k + i] = step->out->norm->scale[j] * step->weight->data[(gsize)j * k + i];
  nn_gemm_pack (plan->engine->gemm, transposed, scaled, NULL, k, n, 1, k);
}

/* The norm's sums of g·u. */
static void
finish_sums (NnPlan *plan, const NnWiden *widen, const float *products)
{
  guint k = n_inputs (widen);

  for (guint j = 0; j < n_channels (widen); j++)
    for (guint i = 0; i < k; i++)
      plan->sums[2 * j + 1] += (double)products[(gsize)j * k + i] * widen->expand->weight->data[(gsize)j * k + i];
}

static void
finish_weights (NnPlan *plan, const NnWiden *widen, const float *products)
{
  const NnStep *step = widen->expand;
  const NnNorm *norm = step->out->norm;
  guint k = n_inputs (widen);

  nn_supernet_touch (plan->supernet, step->weight);
#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint j = 0; j < n_channels (widen); j++)
    {
      const float *weights = step->weight->data + (gsize)j * k;

      for (guint i = 0; i < k; i++)
        {
          double product = 0;

          for (guint l = 0; l < k; l++)
            product += widen->S[i * k + l] * weights[l];
          step->weight->gradient[(gsize)j * k + i]
              += norm->a[j] * products[(gsize)j * k + i] + norm->b[j] * product + norm->c[j] * widen->s[i];
        }
    }
}

/* square ← Wᵀ·diag(b)·W, packed; shift ← Wᵀ·c. SCRATCH holds the square. */
static void
pack_correction (NnPlan *plan, const NnWiden *widen, float *scratch, float *square, float *shift)
{
  const NnStep *step = widen->expand;
  const NnNorm *norm = step->out->norm;
  guint n = n_channels (widen), k = n_inputs (widen);

#pragma omp parallel for num_threads(plan->engine->n_threads)
  for (guint i = 0; i < k; i++)
    {
      double sum = 0;

      for (guint l = 0; l < k; l++)
        {
          double product = 0;

          for (guint j = 0; j < n; j++)
            product += (double)norm->b[j] * step->weight->data[(gsize)j * k + i] * step->weight->data[(gsize)j * k + l];
          scratch[i * k + l] = product;
        }
      for (guint j = 0; j < n; j++)
        sum += (double)norm->c[j] * step->weight->data[(gsize)j * k + i];
      shift[i] = sum;
    }
  nn_gemm_pack (plan->engine->gemm, square, scratch, NULL, k, k, k, 1);
}

/* The other terms of the input's gradient. */
static void
correct_task (NnPlan *plan, NnStep *step, guint index)
{
  NnClock clock = nn_clock_start (plan->engine);
  const NnWiden *widen = step->widen;
  NnValue *in = step->in;
  NnTile tile = nn_plan_tile (in->height, step->tile_rows, index);
  Workspace workspace = workspace_of (plan, widen, n_input_strips (plan, widen, plan->n_groups));
  NnExtent extent = { in->channels, tile.rows, in->cells, plan->lanes };
  NnView to = nn_value_gradient_view (in, tile.group, tile.row);

  nn_gemm_multiply (plan->engine->gemm,
                    nn_gemm_part (plan->engine->gemm, workspace.square, in->channels, 0, in->channels, 0, in->channels),
                    nn_value_view (in, tile.group, tile.row), to, extent, 1, NULL);
  plan->engine->kernels->offset (to, to, workspace.transposed, extent);
  nn_value_clear_invalid (plan, in, tile.group, to, extent);
  nn_clock_lap (&clock, NN_WORK_NORM);
}

void
nn_widen_backward (NnPlan *plan, NnWiden *widen)
{
  NnStep *step = widen->expand;
  guint n_tasks = n_input_strips (plan, widen, plan->n_groups);
  Workspace workspace = workspace_of (plan, widen, n_tasks);

  nn_step_pointwise_pack (plan, step, NULL, workspace.packed);
  pack_scaled (plan, widen, workspace.total, workspace.transposed);
  nn_plan_run (plan, step, backward_task, n_tasks);
  nn_plan_reduce_gradients (plan, widen->depthwise->weight, n_tasks);
  memset (workspace.total, 0, step->weight->size * sizeof (float));
  plan->engine->kernels->reduce (workspace.total, workspace.products, step->weight->size, n_tasks, step->weight->size);
  finish_sums (plan, widen, workspace.total);
  nn_norm_finish_backward (plan, step->out, n_tasks);
  finish_weights (plan, widen, workspace.total);
  if (!step->in->needs_gradient)
    return;
  pack_correction (plan, widen, workspace.products, workspace.square, workspace.transposed);
  nn_plan_run (plan, step, correct_task, nn_plan_n_tiles (plan, step->in->height, step->tile_rows, plan->n_groups));
}

/* --- making --- */

static void
reserve (NnPlan *plan, const NnWiden *widen)
{
  guint n = n_channels (widen), k = n_inputs (widen);
  guint strips = n_strips (plan, widen, plan->max_groups), inputs = n_input_strips (plan, widen, plan->max_groups);
  NnPlanes padded = nn_depthwise_input_planes (plan, widen->depthwise, 0, widen->strip_rows);
  gsize tile = widen->expand->tile_rows * widen->expand->in->row_stride;

  nn_plan_reserve (plan, MAX (tile, forward_chunk (plan, widen) * padded.size),
                   MAX ((gsize)inputs * k * k, packed_size (plan, n, k)), (gsize)MAX (strips * n, inputs * k) * 2);
  if ((plan->flags & NN_PLAN_BACKWARD) == 0)
    return;
  Pieces pieces = pieces_of (plan, widen, 0, widen->input_strip_rows);
  nn_plan_reserve (plan,
                   pieces.panel + pieces.chunk * (pieces.gradient.size + pieces.inner.size)
                       + widen->depthwise->kernel * widen->depthwise->kernel,
                   workspace_of (plan, widen, inputs).size, (gsize)inputs * n * 2);
}

NnWiden *
nn_widen_find (NnPlan *plan, guint index)
{
  NnStep *expand = plan->steps->pdata[index], *depthwise;
  NnValue *in = expand->in, *out = expand->out;

  if (expand->block == NULL)
    return NULL;
  depthwise = plan->steps->pdata[index + 1];
  if (expand->groups > 1 || !nn_value_is_panels (plan, in) || !out->relu || depthwise->stride > 2
      || in->pixels < LEAST_PIXELS || out->channels < LEAST_WIDENING * in->channels)
    return NULL;

  guint k = in->channels, rows = nn_plan_strip_rows (plan, in, STRIP_CELLS);
  guint strip_rows = nn_plan_strip_rows (plan, depthwise->out, STRIP_CELLS), own = strip_rows * depthwise->stride;
  if (own + depthwise->kernel > MOST_ROWS_READ * own + depthwise->stride)
    return NULL;
  NnWiden *widen = g_malloc0 (sizeof *widen + (k + k * k) * sizeof (double));
  widen->expand = expand;
  widen->depthwise = depthwise;
  widen->strip_rows = strip_rows;
  widen->input_strip_rows = MAX (depthwise->stride, rows / depthwise->stride * depthwise->stride);
  widen->s = (double *)(widen + 1);
  widen->S = widen->s + k;
  reserve (plan, widen);
  return widen;
}
