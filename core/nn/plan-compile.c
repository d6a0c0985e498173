/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a network to steps over values, and from values to memory. */
#include "plan.h"

/* --- values --- */

static guint32 *
identity_index (guint channels)
{
  guint32 *index = g_new (guint32, channels);

  for (guint i = 0; i < channels; i++)
    index[i] = i;
  return index;
}

static NnValue *
add_value (NnPlan *plan, guint channels, guint height, guint width, gboolean by_rows)
{
  NnValue *value = g_new0 (NnValue, 1);

  value->channels = channels;
  value->height = height;
  value->width = width;
  value->pixels = height * width;
  value->cells = (width + plan->side - 1) / plan->side;
  if (by_rows)
    {
      value->cell_stride = plan->lanes;
      value->channel_stride = (gsize)value->cells * plan->lanes;
      value->row_stride = channels * value->channel_stride;
    }
  else
    {
      value->channel_stride = plan->lanes;
      value->cell_stride = nn_plan_cell_stride (plan, channels);
      value->row_stride = value->cells * value->cell_stride;
    }
  value->group_stride = height * value->row_stride;
  value->index = identity_index (channels);
  value->needs_gradient = TRUE;
  g_ptr_array_add (plan->values, value);
  return value;
}

/* --- network to steps --- */

typedef struct
{
  NnPlan *plan;
  CleaveNetwork *network;
  guint n_ops;
  gboolean *is_shared; /* [op + 1]: an add reads the op's output (0: the input), or it crosses the link */
  NnValue **values;    /* [op + 1]: the plain value of a shared output */
  NnValue *current;
} Compiler;

static gboolean
is_depthwise (const CleaveOp *op)
{
  return op->kind == CLEAVE_OP_CONV && op->groups == op->in_channels && op->in_channels == op->out_channels;
}

/* Whether what op `index` makes is read by a depthwise convolution, which wants rows. */
static gboolean
wants_rows (const Compiler *compiler, gint index)
{
  for (guint i = index + 1; i < compiler->n_ops; i++)
    {
      const CleaveOp *op = cleave_network_get_op (compiler->network, i);

      if (compiler->is_shared[i])
        return FALSE;
      if (op->kind == CLEAVE_OP_CONV)
        return is_depthwise (op);
      if (op->kind == CLEAVE_OP_ADD || op->kind == CLEAVE_OP_POOL || op->kind == CLEAVE_OP_LINEAR)
        return FALSE;
    }
  return FALSE;
}

static void
add_step (Compiler *compiler, NnStep *step)
{
  g_ptr_array_add (compiler->plan->steps, step);
  compiler->current = step->out;
}

/* Writes the present value out plain. */
static void
join (Compiler *compiler, NnValue *source, gint op)
{
  NnValue *in = compiler->current;
  NnValue *out = add_value (compiler->plan, in->channels, in->height, in->width, wants_rows (compiler, op));

  out->can_have_norm = TRUE;
  add_step (compiler, nn_step_join_new (compiler->plan, in, source, out));
}

static void
compile_conv (Compiler *compiler, gint index, const CleaveOp *op)
{
  NnPlan *plan = compiler->plan;
  gboolean depthwise = is_depthwise (op), linear = op->kind == CLEAVE_OP_LINEAR;
  NnArray *weight = nn_supernet_find_parameter (plan->supernet, compiler->network, index, "weight");
  NnArray *bias = linear ? nn_supernet_find_parameter (plan->supernet, compiler->network, index, "bias") : NULL;
  NnValue *out
      = add_value (plan, op->out_channels, op->out_height, op->out_width, depthwise || wants_rows (compiler, index));

  /* A linear layer adds its bias after its product's statistics would be gathered. */
  out->can_have_norm = !linear;
  if (depthwise)
    {
      add_step (compiler, nn_step_depthwise_new (plan, op, weight, compiler->current, out));
      return;
    }
  /* Only the depthwise step reads channels in another order. */
  if (compiler->current->is_permuted)
    join (compiler, NULL, index - 1);
  if (linear || (op->kernel == 1 && op->padding == 0 && op->stride == 1))
    add_step (compiler, nn_step_pointwise_new (plan, op, weight, bias, compiler->current, out));
  else
    add_step (compiler, nn_step_conv_new (plan, op, weight, compiler->current, out));
}

static void
compile_norm (Compiler *compiler, gint index)
{
  NnValue *value = compiler->current;

  if (!nn_value_is_plain (value) || value->is_shared || !value->can_have_norm)
    join (compiler, NULL, index);
  value = compiler->current;
  value->norm = nn_norm_new (compiler->plan, value, compiler->network, index);
  g_ptr_array_add (compiler->plan->norms, value->norm);
}

/* Channels seen as [groups, C / groups], transposed: channel b·groups + a comes from a·(C / groups) + b. */
static void
compile_shuffle (Compiler *compiler, gint index, const CleaveOp *op)
{
  if (compiler->current->is_shared)
    join (compiler, NULL, index);

  NnValue *value = compiler->current;
  guint size = value->channels / op->groups;
  g_autofree guint32 *before = value->index;
  value->index = g_new (guint32, value->channels);
  for (guint j = 0; j < value->channels; j++)
    value->index[j] = before[j % op->groups * size + j / op->groups];
  value->is_permuted = TRUE;
}

static void
compile_op (Compiler *compiler, gint index)
{
  const CleaveOp *op = cleave_network_get_op (compiler->network, index);
  NnPlan *plan = compiler->plan;

  switch (op->kind)
    {
    case CLEAVE_OP_CONV:
    case CLEAVE_OP_LINEAR:
      compile_conv (compiler, index, op);
      break;
    case CLEAVE_OP_NORM:
      compile_norm (compiler, index);
      break;
    case CLEAVE_OP_RELU:
      if (compiler->current->is_shared)
        join (compiler, NULL, index);
      compiler->current->relu = TRUE;
      break;
    case CLEAVE_OP_SHUFFLE:
      compile_shuffle (compiler, index, op);
      break;
    case CLEAVE_OP_ADD:
      join (compiler, compiler->values[op->source + 1], index);
      break;
    case CLEAVE_OP_POOL:
      add_step (compiler, nn_step_pool_new (plan, compiler->current, add_value (plan, op->out_channels, 1, 1, FALSE)));
      break;
    case CLEAVE_OP_IDENTITY:
      break;
    }
}

/* What others read too must be plain; at the cut the link follows. */
static void
finish_op (Compiler *compiler, gint index, guint cut)
{
  NnPlan *plan = compiler->plan;

  if (!compiler->is_shared[index + 1])
    return;
  if (!nn_value_is_plain (compiler->current))
    join (compiler, NULL, index);
  compiler->current->is_shared = TRUE;
  compiler->values[index + 1] = compiler->current;
  if (index + 1 != (gint)cut)
    return;
  NnValue *payload = compiler->current;
  NnValue *out = add_value (plan, payload->channels, payload->height, payload->width, FALSE);
  out->row_stride = payload->row_stride;
  out->cell_stride = payload->cell_stride;
  out->channel_stride = payload->channel_stride;
  out->group_stride = payload->group_stride;
  plan->payload = payload;
  plan->cut_step = plan->steps->len;
  add_step (compiler, nn_step_link_new (plan, payload, out));
  /* Adds in the tail have what arrived, not what was sent. */
  out->is_shared = TRUE;
  compiler->values[index + 1] = out;
}

static void
make_steps (NnPlan *plan, CleaveNetwork *network)
{
  guint n_ops = cleave_network_get_n_ops (network), cut = cleave_network_get_cut (network);
  g_autofree gboolean *is_shared = g_new0 (gboolean, n_ops + 1);
  g_autofree NnValue **values = g_new0 (NnValue *, n_ops + 1);
  Compiler compiler = { plan, network, n_ops, is_shared, values, NULL };

  for (guint i = 0; i < n_ops; i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);
      if (op->kind == CLEAVE_OP_ADD)
        is_shared[op->source + 1] = TRUE;
    }
  if (cut < n_ops)
    is_shared[cut] = TRUE;
  plan->input = add_value (plan, cleave_network_get_in_channels (network), cleave_network_get_in_height (network),
                           cleave_network_get_in_width (network), FALSE);
  plan->input->needs_gradient = (plan->flags & NN_PLAN_INPUT_GRADIENT) != 0;
  compiler.current = plan->input;
  finish_op (&compiler, -1, cut < n_ops ? cut : G_MAXUINT);
  for (guint i = 0; i < n_ops; i++)
    {
      compile_op (&compiler, i);
      finish_op (&compiler, i, cut < n_ops ? cut : G_MAXUINT);
    }
  if (!nn_value_is_plain (compiler.current))
    join (&compiler, NULL, n_ops - 1);
  plan->output = compiler.current;
  if (plan->payload == NULL)
    plan->cut_step = plan->steps->len;
}

/* Blocks that evaluation runs in one go, and what of them other modes do. */
static void
find_blocks (NnPlan *plan)
{
  for (guint i = 0; i < plan->steps->len; i++)
    {
      NnStep *step = plan->steps->pdata[i];

      step->block = nn_block_find (plan, i, &step->n_block_steps);
      step->widen = nn_widen_find (plan, i);
      if (step->block != NULL)
        i += step->n_block_steps - 1;
    }
}

/* --- memory: first fit over what values need and when --- */

typedef struct
{
  GArray *gaps; /* NnBuffer, by offset, none touching the next */
  gsize end;
  GPtrArray *buffers; /* who owns them */
} Layout;

static NnBuffer *
layout_take (Layout *layout, gsize size)
{
  NnBuffer *buffer = g_new0 (NnBuffer, 1);

  g_ptr_array_add (layout->buffers, buffer);
  size = (size + 15) / 16 * 16;
  *buffer = (NnBuffer){ layout->end, size, 1 };
  for (guint i = 0; i < layout->gaps->len; i++)
    {
      NnBuffer *gap = &g_array_index (layout->gaps, NnBuffer, i);
      if (gap->size < size)
        continue;
      buffer->offset = gap->offset;
      gap->offset += size;
      gap->size -= size;
      if (gap->size == 0)
        g_array_remove_index (layout->gaps, i);
      return buffer;
    }
  layout->end += size;
  return buffer;
}

static void
layout_give (Layout *layout, NnBuffer *buffer)
{
  guint i = 0;

  if (--buffer->users > 0)
    return;
  while (i < layout->gaps->len && g_array_index (layout->gaps, NnBuffer, i).offset < buffer->offset)
    i++;
  g_array_insert_val (layout->gaps, i, *buffer);
  if (i > 0)
    i--;
  while (i + 1 < layout->gaps->len)
    {
      NnBuffer *gap = &g_array_index (layout->gaps, NnBuffer, i), *next = gap + 1;
      if (gap->offset + gap->size != next->offset)
        {
          if (gap->offset >= buffer->offset)
            break;
          i++;
          continue;
        }
      gap->size += next->size;
      g_array_remove_index (layout->gaps, i + 1);
    }
}

/* The step after which nobody reads the value going forward; a block reads its input until its last one. */
static guint
last_use (const NnPlan *plan, const NnValue *value)
{
  if (plan->flags & NN_PLAN_BACKWARD || value == plan->input || value == plan->payload || value == plan->output)
    return G_MAXUINT;
  for (guint i = plan->steps->len; i > 0; i--)
    {
      const NnStep *step = plan->steps->pdata[i - 1];
      if (step->in == value || step->source == value)
        return i - 1 + (step->block != NULL ? step->n_block_steps - 1 : 0);
    }
  return 0;
}

static void
lay_out_forward (NnPlan *plan, Layout *layout)
{
  plan->input->buffer = layout_take (layout, nn_value_size (plan, plan->input));
  for (guint i = 0; i < plan->steps->len; i++)
    {
      NnStep *step = plan->steps->pdata[i];
      if (step->widen == NULL)
        step->out->buffer = layout_take (layout, nn_value_size (plan, step->out));
      for (guint j = 0; j < plan->values->len; j++)
        {
          NnValue *value = plan->values->pdata[j];
          if (value->buffer != NULL && last_use (plan, value) == i)
            layout_give (layout, value->buffer);
        }
    }
}

/* Where the gradient of what a step reads goes: into out's own memory where it is a copy of that or replaces it, into
 * new memory, or added to what a later step has written. */
static void
place_gradient (NnPlan *plan, Layout *layout, NnStep *step, NnValue *target, gboolean may_share, gboolean *accumulate,
                gboolean *aliases)
{
  if (target == NULL || !target->needs_gradient)
    return;
  if (target->gradient_buffer != NULL)
    *accumulate = TRUE;
  else if (may_share)
    {
      *aliases = TRUE;
      target->gradient_buffer = step->out->gradient_buffer;
      target->gradient_buffer->users++;
    }
  else
    target->gradient_buffer = layout_take (layout, nn_value_size (plan, target));
}

static gboolean
same_layout (const NnValue *a, const NnValue *b)
{
  return a->row_stride == b->row_stride && a->cell_stride == b->cell_stride && a->channel_stride == b->channel_stride;
}

/* Whether a depthwise step may write its input's gradient where its output's lies: each task has read its channels by
 * then, and nobody else reads them. */
static gboolean
replaces_gradient (const NnStep *step)
{
  return step->kind == NN_STEP_DEPTHWISE && same_layout (step->in, step->out) && step->in->pixels == step->out->pixels
         && !step->in->is_permuted && step->out->gradient_buffer->users == 1;
}

/* Whether an add's `in` and `source` may both have out's memory. The next to run backward is the step that made `in`:
 * it must read that gradient only, neither changing it in place, as joins and links do, nor adding to `source`'s. */
static gboolean
both_may_share (const NnPlan *plan, guint index)
{
  const NnStep *step = plan->steps->pdata[index];
  const NnStep *maker = index > 0 ? plan->steps->pdata[index - 1] : NULL;

  return maker != NULL && maker->weight != NULL && maker->in != step->source;
}

static void
lay_out_backward (NnPlan *plan, Layout *layout)
{
  plan->output->gradient_buffer = layout_take (layout, nn_value_size (plan, plan->output));
  for (guint i = plan->steps->len; i > 0; i--)
    {
      NnStep *step = plan->steps->pdata[i - 1], *before = i > 1 ? plan->steps->pdata[i - 2] : NULL;

      if (before != NULL && before->widen != NULL)
        {
          place_gradient (plan, layout, before, before->in, FALSE, &before->accumulate, &before->aliases);
          layout_give (layout, step->out->gradient_buffer);
          i--;
          continue;
        }
      gboolean copies = step->weight == NULL && step->out->pixels == step->in->pixels
                        && same_layout (step->in, step->out) && !step->in->relu && !step->in->is_permuted;

      place_gradient (plan, layout, step, step->source, step->source != NULL && same_layout (step->source, step->out),
                      &step->accumulate_source, &step->aliases_source);
      if (step->aliases_source && !both_may_share (plan, i - 1))
        copies = FALSE;
      place_gradient (plan, layout, step, step->in, copies || replaces_gradient (step), &step->accumulate,
                      &step->aliases);
      if (step->out != plan->output)
        layout_give (layout, step->out->gradient_buffer);
    }
}

static void
lay_out (NnPlan *plan)
{
  Layout layout = { g_array_new (FALSE, FALSE, sizeof (NnBuffer)), 0, plan->buffers };
  NnBuffer *workspace = layout_take (&layout, plan->workspace_size);
  NnBuffer *sums = layout_take (&layout, plan->sums_size * (sizeof (double) / sizeof (float)));
  NnBuffer *arrived = layout_take (&layout, plan->payload != NULL ? nn_value_size (plan, plan->payload) : 0);

  lay_out_forward (plan, &layout);
  if (plan->flags & NN_PLAN_BACKWARD)
    lay_out_backward (plan, &layout);
  g_array_unref (layout.gaps);
  plan->memory_size = layout.end;
  plan->workspace_buffer = workspace;
  plan->sums_buffer = sums;
  plan->arrived_buffer = arrived;
}

gboolean
nn_plan_take_memory (NnPlan *plan, GError **error)
{
  plan->memory = nn_engine_take (plan->engine, plan->memory_size, error);
  if (plan->memory == NULL || !nn_engine_reserve_scratch (plan->engine, plan->scratch_size, error))
    return FALSE;
  plan->workspace = plan->memory + plan->workspace_buffer->offset;
  plan->sums = (double *)(plan->memory + plan->sums_buffer->offset);
  plan->arrived = plan->memory + plan->arrived_buffer->offset;
  for (guint i = 0; i < plan->values->len; i++)
    {
      NnValue *value = plan->values->pdata[i];
      if (value->buffer != NULL)
        value->data = plan->memory + value->buffer->offset;
      if (value->gradient_buffer != NULL)
        value->gradient = plan->memory + value->gradient_buffer->offset;
    }
  return TRUE;
}

gboolean
nn_plan_compile (NnPlan *plan, CleaveNetwork *network, GError **error)
{
  if (!nn_supernet_add_network (plan->supernet, network, error))
    return FALSE;
  make_steps (plan, network);
  find_blocks (plan);
  lay_out (plan);
  return TRUE;
}
