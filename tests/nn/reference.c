/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reference.h"

#include <math.h>
#include <string.h>

#define NORM_EPSILON 1e-5

/* One op at work. */
typedef struct
{
  const CleaveOp *op;
  guint n;
  ReferenceTensor *in, *out;
  ReferenceTensor *source; /* of an add, else NULL */
  NnArray **arrays;        /* the op's own, weight first, bias second */
  double **gradients;
} Step;

/* --- convolution; a linear op is one of kernel 1 with a bias --- */

typedef void (*Visit) (Step *step, gsize out, gsize in, gsize weight);

/* VISIT the taps that make the output element at row Y, column X. */
static void
visit_window (Step *step, guint image, guint out_channel, gint y, gint x, Visit visit)
{
  gboolean linear = step->op->kind == CLEAVE_OP_LINEAR;
  gint kernel = linear ? 1 : step->op->kernel, stride = linear ? 1 : step->op->stride;
  gint padding = linear ? 0 : step->op->padding;
  guint groups = linear ? 1 : step->op->groups, inputs = step->in->channels / groups;
  guint group = out_channel / (step->out->channels / groups);
  gsize out = (((gsize)image * step->out->channels + out_channel) * step->out->height + y) * step->out->width + x;

  for (guint c = 0; c < inputs; c++)
    for (gint i = 0; i < kernel; i++)
      for (gint j = 0; j < kernel; j++)
        {
          gint row = y * stride + i - padding, column = x * stride + j - padding;
          gsize plane = (gsize)image * step->in->channels + group * inputs + c;
          if (row >= 0 && row < (gint)step->in->height && column >= 0 && column < (gint)step->in->width)
            visit (step, out, (plane * step->in->height + row) * step->in->width + column,
                   (((gsize)out_channel * inputs + c) * kernel + i) * kernel + j);
        }
}

static void
visit_conv (Step *step, Visit visit)
{
  for (guint image = 0; image < step->n; image++)
    for (guint channel = 0; channel < step->out->channels; channel++)
      for (guint y = 0; y < step->out->height; y++)
        for (guint x = 0; x < step->out->width; x++)
          visit_window (step, image, channel, y, x, visit);
}

static void
multiply (Step *step, gsize out, gsize in, gsize weight)
{
  step->out->values[out] += step->in->values[in] * step->arrays[0]->data[weight];
}

static void
multiply_backward (Step *step, gsize out, gsize in, gsize weight)
{
  step->in->gradient[in] += step->out->gradient[out] * step->arrays[0]->data[weight];
  step->gradients[0][weight] += step->out->gradient[out] * step->in->values[in];
}

static void
conv_forward (Step *step)
{
  for (gsize i = 0; i < step->out->size; i++)
    step->out->values[i] = step->op->kind == CLEAVE_OP_LINEAR ? step->arrays[1]->data[i % step->out->channels] : 0;
  visit_conv (step, multiply);
}

static void
conv_backward (Step *step)
{
  if (step->op->kind == CLEAVE_OP_LINEAR)
    for (gsize i = 0; i < step->out->size; i++)
      step->gradients[1][i % step->out->channels] += step->out->gradient[i];
  visit_conv (step, multiply_backward);
}

/* --- norm --- */

/* The element I of a channel, counted through all images. */
static gsize
element (const ReferenceTensor *tensor, guint channel, gsize i)
{
  return (i / tensor->area * tensor->channels + channel) * tensor->area + i % tensor->area;
}

static void
get_statistics (Step *step, guint channel, double *mean, double *inverse_deviation)
{
  gsize count = step->n * step->in->area;
  double sum = 0, square = 0;

  for (gsize i = 0; i < count; i++)
    sum += step->in->values[element (step->in, channel, i)];
  *mean = sum / count;
  for (gsize i = 0; i < count; i++)
    square += pow (step->in->values[element (step->in, channel, i)] - *mean, 2);
  *inverse_deviation = 1 / sqrt (square / count + NORM_EPSILON);
}

static void
norm_forward (Step *step)
{
  for (guint channel = 0; channel < step->in->channels; channel++)
    {
      double mean, inverse_deviation;
      get_statistics (step, channel, &mean, &inverse_deviation);
      for (gsize i = 0; i < step->n * step->in->area; i++)
        {
          gsize at = element (step->in, channel, i);
          double normal = (step->in->values[at] - mean) * inverse_deviation;
          step->out->values[at] = normal * step->arrays[0]->data[channel] + step->arrays[1]->data[channel];
        }
    }
}

static void
norm_backward (Step *step)
{
  gsize count = step->n * step->in->area;

  for (guint channel = 0; channel < step->in->channels; channel++)
    {
      double *weight = &step->gradients[0][channel], *bias = &step->gradients[1][channel], mean, inverse_deviation;
      get_statistics (step, channel, &mean, &inverse_deviation);
      for (gsize i = 0; i < count; i++)
        {
          gsize at = element (step->in, channel, i);
          *weight += step->out->gradient[at] * (step->in->values[at] - mean) * inverse_deviation;
          *bias += step->out->gradient[at];
        }
      for (gsize i = 0; i < count; i++)
        {
          gsize at = element (step->in, channel, i);
          double normal = (step->in->values[at] - mean) * inverse_deviation;
          step->in->gradient[at] += step->arrays[0]->data[channel] * inverse_deviation
                                    * (step->out->gradient[at] - *bias / count - normal * *weight / count);
        }
    }
}

/* --- the others --- */

/* Where the shuffled element I comes from: the channels, seen as [groups, C/groups], are transposed. */
static gsize
shuffle_source (Step *step, gsize i)
{
  guint channels = step->in->channels, groups = step->op->groups;
  guint channel = i / step->in->area % channels;
  guint from = channel % groups * (channels / groups) + channel / groups;

  return i - channel * step->in->area + from * step->in->area;
}

static void
step_forward (Step *step)
{
  ReferenceTensor *in = step->in, *out = step->out;

  switch (step->op->kind)
    {
    case CLEAVE_OP_CONV:
    case CLEAVE_OP_LINEAR:
      conv_forward (step);
      break;
    case CLEAVE_OP_NORM:
      norm_forward (step);
      break;
    case CLEAVE_OP_POOL:
      memset (out->values, 0, out->size * sizeof (double));
      for (gsize i = 0; i < in->size; i++)
        out->values[i / in->area] += in->values[i] / in->area;
      break;
    case CLEAVE_OP_RELU:
      for (gsize i = 0; i < in->size; i++)
        out->values[i] = MAX (0, in->values[i]);
      break;
    case CLEAVE_OP_SHUFFLE:
      for (gsize i = 0; i < in->size; i++)
        out->values[i] = in->values[shuffle_source (step, i)];
      break;
    case CLEAVE_OP_ADD:
    case CLEAVE_OP_IDENTITY:
      for (gsize i = 0; i < in->size; i++)
        out->values[i] = in->values[i] + (step->source != NULL ? step->source->values[i] : 0);
      break;
    }
}

static void
step_backward (Step *step)
{
  ReferenceTensor *in = step->in, *out = step->out;

  switch (step->op->kind)
    {
    case CLEAVE_OP_CONV:
    case CLEAVE_OP_LINEAR:
      conv_backward (step);
      break;
    case CLEAVE_OP_NORM:
      norm_backward (step);
      break;
    case CLEAVE_OP_POOL:
      for (gsize i = 0; i < in->size; i++)
        in->gradient[i] += out->gradient[i / in->area] / in->area;
      break;
    case CLEAVE_OP_RELU:
      for (gsize i = 0; i < in->size; i++)
        in->gradient[i] += in->values[i] > 0 ? out->gradient[i] : 0;
      break;
    case CLEAVE_OP_SHUFFLE:
      for (gsize i = 0; i < in->size; i++)
        in->gradient[shuffle_source (step, i)] += out->gradient[i];
      break;
    case CLEAVE_OP_ADD:
    case CLEAVE_OP_IDENTITY:
      for (gsize i = 0; i < in->size; i++)
        in->gradient[i] += out->gradient[i];
      for (gsize i = 0; step->source != NULL && i < in->size; i++)
        step->source->gradient[i] += out->gradient[i];
      break;
    }
}

/* --- the network --- */

static void
tensor_init (ReferenceTensor *tensor, guint n, guint channels, guint height, guint width)
{
  gsize area = (gsize)height * width, size = n * channels * area;

  *tensor = (ReferenceTensor){ channels, height, width, area, size, g_new0 (double, size), g_new0 (double, size) };
}

Reference *
reference_new (CleaveNetwork *network, NnSupernet *supernet, guint n)
{
  Reference *self = g_new0 (Reference, 1);
  guint n_ops = cleave_network_get_n_ops (network);
  self->network = cleave_network_ref (network);
  self->n = n;
  self->arrays = nn_supernet_list_network (supernet, network);
  self->gradients = g_new0 (double *, self->arrays->len + 1);
  for (guint i = 0; i < self->arrays->len; i++)
    self->gradients[i] = g_new0 (double, ((NnArray *)self->arrays->pdata[i])->size);
  self->tensors = g_new0 (ReferenceTensor, n_ops + 1);
  tensor_init (&self->tensors[0], n, cleave_network_get_in_channels (network), cleave_network_get_in_height (network),
               cleave_network_get_in_width (network));
  for (guint i = 0; i < n_ops; i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);
      tensor_init (&self->tensors[i + 1], n, op->out_channels, op->out_height, op->out_width);
    }
  self->input = &self->tensors[0];
  self->output = &self->tensors[n_ops];
  return self;
}

void
reference_free (Reference *self)
{
  for (guint i = 0; i <= cleave_network_get_n_ops (self->network); i++)
    {
      g_free (self->tensors[i].values);
      g_free (self->tensors[i].gradient);
    }
  g_free (self->tensors);
  g_strfreev ((char **)self->gradients);
  g_ptr_array_unref (self->arrays);
  cleave_network_unref (self->network);
  g_free (self);
}

/* How many arrays an op has, running statistics included. */
static guint
count_arrays (CleaveOpKind kind)
{
  return kind == CLEAVE_OP_CONV ? 1 : kind == CLEAVE_OP_LINEAR ? 2 : kind == CLEAVE_OP_NORM ? 4 : 0;
}

static Step
get_step (Reference *self, guint index)
{
  const CleaveOp *op = cleave_network_get_op (self->network, index);
  Step step = { op, self->n, &self->tensors[index], &self->tensors[index + 1], NULL, NULL, NULL };
  guint first = 0;

  for (guint i = 0; i < index; i++)
    first += count_arrays (cleave_network_get_op (self->network, i)->kind);
  step.arrays = (NnArray **)self->arrays->pdata + first;
  step.gradients = self->gradients + first;
  step.source = op->kind == CLEAVE_OP_ADD ? &self->tensors[op->source + 1] : NULL;
  return step;
}

/* Lost elements count as 0, the others are scaled up. */
static void
lose (double *values, gsize n, const guint8 *arrived, double drop_rate)
{
  for (gsize i = 0; i < n; i++)
    values[i] *= arrived[i] ? 1 / (1 - drop_rate) : 0;
}

void
reference_forward (Reference *self, const float *images, const guint8 *arrived, double drop_rate)
{
  guint n_ops = cleave_network_get_n_ops (self->network), cut = cleave_network_get_cut (self->network);

  self->relu_margin = INFINITY;
  for (gsize i = 0; i < self->input->size; i++)
    self->input->values[i] = images[i];
  for (guint i = 0; i < n_ops; i++)
    {
      Step step = get_step (self, i);
      if (i == cut)
        lose (step.in->values, step.in->size, arrived, drop_rate);
      for (gsize j = 0; step.op->kind == CLEAVE_OP_RELU && j < step.in->size; j++)
        if (step.in->values[j] != 0)
          self->relu_margin = MIN (self->relu_margin, fabs (step.in->values[j]));
      step_forward (&step);
    }
}

void
reference_backward (Reference *self, const float *output_gradient, const guint8 *arrived, double drop_rate)
{
  guint n_ops = cleave_network_get_n_ops (self->network), cut = cleave_network_get_cut (self->network);

  for (gsize i = 0; i < self->output->size; i++)
    self->output->gradient[i] = output_gradient[i];
  for (guint i = n_ops; i-- > 0;)
    {
      Step step = get_step (self, i);
      step_backward (&step);
      if (i == cut)
        lose (step.in->gradient, step.in->size, arrived, drop_rate);
    }
}
