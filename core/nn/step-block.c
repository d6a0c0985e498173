/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole block in one step, where statistics are known beforehand (NN_MODE_EVALUATE): 1×1 convolution, depthwise
 * convolution, 1×1 convolution and, where there is one, the join that adds the block's input.
 *
 * A task takes a strip of output rows of one group of images and goes through the widened channels in chunks: the first
 * convolution writes a chunk, its norm and ReLU done, straight into padded planes; then, a few rows at a time, the
 * depthwise kernel writes panels by cells, its own norm and ReLU done, and the last convolution adds the chunk's share
 * to the output. So what is between never leaves the cache. Rows that two strips need are computed twice. Chunks are
 * fixed by shapes, so every sum has its order, however the rows are cut. */
#include "plan.h"

/* Output cells of a strip, or so. */
#define STRIP_CELLS 128
/* Output cells of a band, or so. */
#define BAND_CELLS 32
/* Floats of a chunk's planes. */
#define CHUNK_FLOATS (160 * 1024)

struct _NnBlock
{
  NnStep *expand, *depthwise, *project;
  NnStep *join; /* NULL: what follows does the last norm */
  NnValue *out;
};

/* --- sizes --- */

static guint
chunk_channels (const NnPlan *plan, const NnBlock *block)
{
  guint rows = MIN (block->out->height, MAX (1, STRIP_CELLS / block->out->cells));
  gsize plane = nn_depthwise_input_planes (plan, block->depthwise, 0, rows).size;
  guint unit = nn_gemm_block (plan->engine->gemm) * block->expand->groups;

  return MIN (block->depthwise->in->channels, MAX (CHUNK_FLOATS / plane / unit, 1) * unit);
}

/* Output rows of a strip: fewer where threads would have none. */
static guint
strip_rows (const NnPlan *plan, const NnBlock *block, guint n_groups)
{
  guint height = block->out->height, rows = CLAMP (STRIP_CELLS / block->out->cells, 1, height);
  guint strips = (plan->engine->n_threads + n_groups - 1) / n_groups;

  return MIN (rows, MAX (1, (height + strips - 1) / strips));
}

/* Where a task's chunk lies in scratch memory. */
typedef struct
{
  gsize panel_cell, input_cell; /* floats */
  gsize planes, panel, input;   /* floats in all */
} Sizes;

/* Rows of a strip that are taken at a time behind the depthwise convolution. */
static guint
band_rows (const NnBlock *block, guint rows)
{
  return CLAMP (BAND_CELLS / block->out->cells, 1, rows);
}

static Sizes
sizes_of (const NnPlan *plan, const NnBlock *block, guint rows)
{
  const NnStep *depthwise = block->depthwise;
  guint chunk = chunk_channels (plan, block);
  guint input_rows = (rows - 1) * depthwise->stride + depthwise->kernel;
  Sizes sizes = { 0 };

  sizes.planes = chunk * nn_depthwise_input_planes (plan, depthwise, 0, rows).size;
  sizes.panel_cell = nn_plan_cell_stride (plan, chunk);
  sizes.panel = band_rows (block, rows) * block->out->cells * sizes.panel_cell;
  sizes.input_cell = nn_plan_cell_stride (plan, block->expand->in->channels);
  sizes.input = nn_value_is_panels (plan, block->expand->in) ? 0 : input_rows * depthwise->in->cells * sizes.input_cell;
  return sizes;
}

static gsize
packed_size (const NnPlan *plan, const NnStep *step)
{
  return nn_gemm_packed_size (plan->engine->gemm, step->out->channels / step->groups,
                              step->in->channels / step->groups);
}

static gsize
n_taps (const NnStep *depthwise)
{
  return (gsize)depthwise->out->channels * depthwise->kernel * depthwise->kernel;
}

static void
reserve (NnPlan *plan, NnBlock *block)
{
  /* More images make strips no smaller. */
  Sizes sizes = sizes_of (plan, block, strip_rows (plan, block, plan->max_groups));

  nn_plan_reserve (plan, sizes.planes + sizes.panel + sizes.input,
                   block->expand->groups * packed_size (plan, block->expand)
                       + block->project->groups * packed_size (plan, block->project) + n_taps (block->depthwise),
                   0);
}

/* --- finding blocks --- */

/* Channels are in order, or as a shuffle of the expansion's groups has them. */
static gboolean
is_in_known_order (const NnValue *value, guint groups)
{
  guint size = value->channels / groups;

  if (!value->is_permuted)
    return groups == 1;
  for (guint j = 0; j < value->channels; j++)
    if (value->index[j] != j % groups * size + j / groups)
      return FALSE;
  return TRUE;
}

static gboolean
is_pointwise (const NnStep *step)
{
  return step->kind == NN_STEP_POINTWISE && step->bias == NULL;
}

static NnStep *
step_at (const NnPlan *plan, guint index)
{
  return index < plan->steps->len ? plan->steps->pdata[index] : NULL;
}

NnBlock *
nn_block_find (NnPlan *plan, guint index, guint *n_steps)
{
  NnStep *expand = step_at (plan, index), *depthwise = step_at (plan, index + 1);
  NnStep *project = step_at (plan, index + 2), *join = step_at (plan, index + 3);

  if (project == NULL || !is_pointwise (expand) || depthwise->kind != NN_STEP_DEPTHWISE || !is_pointwise (project)
      || depthwise->in != expand->out || expand->out->norm == NULL || project->in != depthwise->out
      || expand->out->is_shared || depthwise->out->is_shared || depthwise->out->is_permuted
      || !is_in_known_order (expand->out, expand->groups)
      /* A strip's rows might all lie beside the image. */
      || depthwise->padding >= depthwise->kernel)
    return NULL;
  if (join == NULL || join->kind != NN_STEP_JOIN || join->in != project->out || project->out->relu
      || project->out->is_permuted || project->out->is_shared)
    join = NULL;
  *n_steps = join != NULL ? 4 : 3;

  NnBlock *block = g_new0 (NnBlock, 1);
  *block = (NnBlock){ expand, depthwise, project, join, join != NULL ? join->out : project->out };
  reserve (plan, block);
  return block;
}

/* --- a task --- */

typedef struct
{
  const NnBlock *block;
  const float *expand_weights, *project_weights; /* packed */
  const float *depthwise_weights;                /* times its norm's scale */
  NnTile tile;                                   /* of output rows */
  Sizes sizes;
  NnPlanes shape;
  NnView input; /* panels of those of its rows that are in the image */
  NnAhead ahead;
  float *planes, *panel;
  guint first, n; /* channels of the chunk */
} Task;

/* panel ← the chunk's outputs in these rows of the strip. */
static void
convolve (NnPlan *plan, const Task *task, guint row, guint rows)
{
  const NnStep *step = task->block->depthwise;
  const NnValue *out = step->out;
  guint taps = step->kernel * step->kernel;
  NnPlane plane = nn_depthwise_plane (plan, step, rows, task->shape.row);

  plane.to_row = out->cells * task->sizes.panel_cell;
  plane.to_cell = task->sizes.panel_cell;
  for (guint i = 0; i < task->n; i++)
    {
      guint channel = task->first + i;
      NnActivation activation = { out->norm != NULL ? out->norm->shift[channel] : 0, out->relu };

      plan->engine->kernels->depthwise (task->panel + (gsize)i * plan->lanes,
                                        task->planes + i * task->shape.size + row * step->stride * task->shape.row,
                                        task->depthwise_weights + (gsize)channel * taps, &plane,
                                        (NnMoments){ NULL, plan->images, plan->images }, &activation);
    }
}

/* Adds the chunk's share to the output's rows. */
static void
project (NnPlan *plan, const Task *task, guint row, guint rows)
{
  const NnStep *step = task->block->project;
  const NnValue *out = task->block->out;
  guint groups = step->groups, k = step->in->channels / groups, n = out->channels / groups;
  NnExtent extent = { n, rows, out->cells, plan->lanes };

  for (guint group = 0; group < groups; group++)
    {
      guint first = MAX (task->first, group * k), end = MIN (task->first + task->n, (group + 1) * k);
      NnView panel = { task->panel + (gsize)(first - task->first) * plan->lanes, out->cells * task->sizes.panel_cell,
                       task->sizes.panel_cell, plan->lanes };
      NnView output = nn_value_view (out, task->tile.group, task->tile.row + row);

      if (first >= end)
        continue;
      output.data += group * n * output.channel;
      nn_gemm_multiply (plan->engine->gemm,
                        nn_gemm_part (plan->engine->gemm, task->project_weights + group * packed_size (plan, step), k,
                                      0, n, first - group * k, end - first),
                        panel, output, extent, task->block->join != NULL || first > group * k, NULL);
    }
}

/* Where the block ends with a join, its output begins with the last norm's shift and what is added; the norm's scale is
 * in the weights. */
static void
begin_output (NnPlan *plan, const Task *task)
{
  const NnStep *join = task->block->join;
  const NnNorm *norm;
  NnExtent extent = { task->block->out->channels, task->tile.rows, task->block->out->cells, plan->lanes };

  if (join == NULL)
    return;
  norm = join->in->norm;
  plan->engine->kernels->offset (nn_value_view (join->out, task->tile.group, task->tile.row),
                                 join->source != NULL ? nn_value_view (join->source, task->tile.group, task->tile.row)
                                                      : (NnView){ 0 },
                                 norm != NULL ? norm->shift : NULL, extent);
}

static void
read_input (NnPlan *plan, Task *task, float *scratch)
{
  const NnValue *in = task->block->expand->in;
  NnTransform transform = nn_value_transform (in);
  guint rows = task->shape.end - task->shape.begin;

  task->input = nn_value_view (in, task->tile.group, task->shape.begin);
  if (nn_value_is_panels (plan, in))
    return;
  NnView panels = { scratch, in->cells * task->sizes.input_cell, task->sizes.input_cell, plan->lanes };
  plan->engine->kernels->transform (panels, task->input, &transform,
                                    (NnExtent){ in->channels, rows, in->cells, plan->lanes });
  task->input = panels;
}

static void
run_task (NnPlan *plan, Task *task)
{
  NnClock clock = nn_clock_start (plan->engine);
  const NnStep *depthwise = task->block->depthwise;
  guint channels = depthwise->in->channels, chunk = chunk_channels (plan, task->block);
  guint band = band_rows (task->block, task->tile.rows);

  task->sizes = sizes_of (plan, task->block, task->tile.rows);
  task->shape = nn_depthwise_input_planes (plan, depthwise, task->tile.row, task->tile.rows);
  task->planes = nn_engine_get_scratch (plan->engine);
  task->panel = task->planes + task->sizes.planes;
  read_input (plan, task, task->panel + task->sizes.panel);
  nn_planes_clear_margins (plan, &task->shape, task->planes, chunk);
  /* The output is written behind the first chunk's expansion: until then its memory comes into cache. */
  task->ahead = nn_value_ahead (plan, task->block->out, task->tile, 0, task->block->out->channels);
  nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
  for (task->first = 0; task->first < channels; task->first += chunk)
    {
      task->n = MIN (chunk, channels - task->first);
      nn_step_pointwise_expand (plan, task->block->expand, task->expand_weights, task->input, task->first, task->n,
                                task->shape.end - task->shape.begin, nn_planes_view (plan, &task->shape, task->planes),
                                &task->ahead);
      nn_clock_lap (&clock, NN_WORK_GEMM);
      /* Here rather than before, so that what is added, the expansion's input as a rule, is in cache. */
      if (task->first == 0)
        begin_output (plan, task);
      nn_clock_lap (&clock, NN_WORK_ELEMENTWISE);
      for (guint row = 0; row < task->tile.rows; row += band)
        {
          guint rows = MIN (band, task->tile.rows - row);

          convolve (plan, task, row, rows);
          nn_clock_lap (&clock, NN_WORK_DEPTHWISE);
          project (plan, task, row, rows);
          nn_clock_lap (&clock, NN_WORK_GEMM);
        }
    }
}

/* --- the step --- */

static void
scale_taps (float *to, const NnStep *depthwise)
{
  const NnNorm *norm = depthwise->out->norm;
  guint taps = depthwise->kernel * depthwise->kernel;

  for (gsize i = 0; i < n_taps (depthwise); i++)
    to[i] = (norm != NULL ? norm->scale[i / taps] : 1) * depthwise->weight->data[i];
}

void
nn_block_forward (NnPlan *plan, NnBlock *block)
{
  guint rows = strip_rows (plan, block, plan->n_groups);
  guint n_tasks = nn_plan_n_tiles (plan, block->out->height, rows, plan->n_groups);
  float *expand_weights = plan->workspace;
  float *project_weights = expand_weights + block->expand->groups * packed_size (plan, block->expand);
  float *depthwise_weights = project_weights + block->project->groups * packed_size (plan, block->project);
  const NnNorm *norm = block->project->out->norm;

  nn_norm_finish_forward (plan, block->expand->out, 0);
  nn_norm_finish_forward (plan, block->depthwise->out, 0);
  nn_norm_finish_forward (plan, block->project->out, 0);
  nn_step_pointwise_pack (plan, block->expand, NULL, expand_weights);
  nn_step_pointwise_pack (plan, block->project, block->join != NULL && norm != NULL ? norm->scale : NULL,
                          project_weights);
  scale_taps (depthwise_weights, block->depthwise);
#pragma omp parallel for num_threads(plan->engine->n_threads) schedule(dynamic)
  for (guint i = 0; i < n_tasks; i++)
    {
      Task task = { .block = block,
                    .expand_weights = expand_weights,
                    .project_weights = project_weights,
                    .depthwise_weights = depthwise_weights };
      task.tile = nn_plan_tile (block->out->height, rows, i);
      run_task (plan, &task);
    }
  if (block->join != NULL)
    nn_norm_finish_forward (plan, block->out, 0);
}
