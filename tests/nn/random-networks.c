/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine against reference.h on networks drawn at random: what compiling does to ops that meet in ways nobody
 * thought of, at odd shapes and batch sizes. */
#include "plan.h"
#include "reference.h"
#include "test.h"

#include <math.h>

#define N_NETWORKS 60
#define N_WIDENINGS 40
#define DROP_RATE 0.4

/* --- drawing a network --- */

typedef struct
{
  guint channels, height, width;
} Shape;

typedef struct
{
  CleaveRandom *random;
  CleaveNetworkBuilder *builder;
  GArray *shapes;     /* Shape of the input and of each op's output */
  gint first_source;  /* the first op that an add may read: the one before the cut, if there is one */
  GString *described; /* for messages: the ops in short */
} Draft;

static guint
draw (Draft *draft, guint least, guint most)
{
  return least + cleave_random_below (draft->random, most - least + 1);
}

static gboolean
draw_chance (Draft *draft, guint one_in)
{
  return cleave_random_below (draft->random, one_in) == 0;
}

static Shape
get_shape (Draft *draft)
{
  return g_array_index (draft->shapes, Shape, draft->shapes->len - 1);
}

/* Half of the kernels are the common 3×3. None is larger than its padded input. */
static void
add_conv (Draft *draft, const char *name, guint largest_kernel, guint out_channels, guint groups)
{
  Shape shape = get_shape (draft);
  gboolean common = draw_chance (draft, 2);
  guint kernel = common ? 3 : draw (draft, 1, largest_kernel);
  guint padding = common ? 1 : draw (draft, 0, 4);
  guint stride = common ? draw (draft, 1, 2) : draw (draft, 1, 3);

  kernel = MIN (kernel, MIN (shape.height, shape.width) + 2 * padding);
  cleave_network_builder_conv (draft->builder, name, out_channels, kernel, stride, padding, groups);
  g_string_append_printf (draft->described, " conv%u/%u+%u,g%u:%u", kernel, stride, padding, groups, out_channels);
}

static void
draw_conv (Draft *draft, const char *name)
{
  Shape shape = get_shape (draft);
  guint groups = shape.channels % 2 == 0 && draw_chance (draft, 3) ? 2 : 1;
  /* As many channels as before let a later add find a source. */
  guint out_channels = draw_chance (draft, 2) ? shape.channels : groups * draw (draft, 1, 9 / groups);

  if (draw_chance (draft, 3))
    add_conv (draft, name, 9, shape.channels, shape.channels);
  else if (draw_chance (draft, 2))
    add_conv (draft, name, 3, out_channels, groups);
  else
    {
      cleave_network_builder_conv (draft->builder, name, out_channels, 1, 1, 0, groups);
      g_string_append_printf (draft->described, " conv1,g%u:%u", groups, out_channels);
    }
}

static void
draw_add (Draft *draft)
{
  Shape shape = get_shape (draft);
  gint last = cleave_network_builder_get_last_op (draft->builder);
  gint source = last - (gint)draw (draft, 0, last - draft->first_source);
  Shape *other = &g_array_index (draft->shapes, Shape, source + 1);

  /* Where the drawn one does not fit, the value itself does. */
  if (other->channels != shape.channels || other->height != shape.height || other->width != shape.width)
    source = last;
  cleave_network_builder_add (draft->builder, source);
  g_string_append_printf (draft->described, " add%d", source);
}

static void
draw_end (Draft *draft, const char *name)
{
  Shape shape = get_shape (draft);

  if (shape.height * shape.width == 1)
    {
      cleave_network_builder_linear (draft->builder, name, draw (draft, 1, 20));
      g_string_append (draft->described, " linear");
    }
  else if (draw_chance (draft, 2))
    {
      cleave_network_builder_pool (draft->builder);
      g_string_append (draft->described, " pool");
    }
}

static void
draw_op (Draft *draft, guint index)
{
  g_autofree char *name = g_strdup_printf ("o%u", index);
  guint kind = draw (draft, 0, 11), channels = get_shape (draft).channels;
  if (kind <= 3)
    draw_conv (draft, name);
  else if (kind <= 5)
    {
      cleave_network_builder_norm (draft->builder, name);
      g_string_append (draft->described, " norm");
    }
  else if (kind == 6)
    {
      cleave_network_builder_relu (draft->builder);
      g_string_append (draft->described, " relu");
    }
  else if (kind == 7)
    {
      cleave_network_builder_shuffle (draft->builder, channels % 3 == 0 ? 3 : channels % 2 == 0 ? 2 : 1);
      g_string_append (draft->described, " shuffle");
    }
  else if (kind <= 10)
    draw_add (draft);
  else
    draw_end (draft, name);
}

static void
note_shape (Draft *draft)
{
  Shape shape
      = { cleave_network_builder_get_channels (draft->builder), cleave_network_builder_get_height (draft->builder),
          cleave_network_builder_get_width (draft->builder) };

  if (cleave_network_builder_get_last_op (draft->builder) + 2 > (gint)draft->shapes->len)
    g_array_append_val (draft->shapes, shape);
}

/* Up to 12 ops after an input of odd shape; an add in the tail reads nothing of the head. */
static CleaveNetwork *
draw_network (CleaveRandom *random, GString *described, GError **error)
{
  guint channels = 1 + cleave_random_below (random, 6), height = 1 + cleave_random_below (random, 14);
  guint width = 1 + cleave_random_below (random, 14), n_ops = 1 + cleave_random_below (random, 12);
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (channels, height, width);
  g_autoptr (GArray) shapes = g_array_new (FALSE, FALSE, sizeof (Shape));
  Draft draft = { random, builder, shapes, -1, described };

  g_string_append_printf (described, "%u×%u×%u:", channels, height, width);
  cleave_network_builder_block (builder, "b", NULL);
  note_shape (&draft);
  for (guint i = 0; i < n_ops; i++)
    {
      draw_op (&draft, i);
      note_shape (&draft);
      gint last = cleave_network_builder_get_last_op (builder);
      if (draft.first_source < 0 && last >= 0 && draw_chance (&draft, 5))
        {
          cleave_network_builder_cut (builder);
          draft.first_source = last;
          g_string_append (described, " | ");
        }
    }
  /* The tail, and a network that drew no op, has one. */
  cleave_network_builder_identity (builder);
  return cleave_network_builder_build (builder, error);
}

/* Something that widens its input enough to be computed twice rather than stored, of odd and even sizes. */
static CleaveNetwork *
draw_widening (CleaveRandom *random, GString *described, GError **error)
{
  Draft draft = { random, NULL, NULL, -1, described };
  guint channels = draw (&draft, 1, 4), height = draw (&draft, 16, 21), width = draw (&draft, 16, 21);
  guint widened = channels * draw (&draft, 3, 6), kernel = draw (&draft, 1, 5), stride = draw (&draft, 1, 2);
  guint padding = draw (&draft, 0, kernel - 1);
  gboolean begins = draw_chance (&draft, 2), adds = stride == 1 && 2 * padding + 1 == kernel;
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (channels, height, width);
  gint source;

  g_string_append_printf (described, "%u×%u×%u:%s widens to %u, conv%u/%u+%u%s", channels, height, width,
                          begins ? " conv1," : "", widened, kernel, stride, padding, adds ? " add" : "");
  cleave_network_builder_block (b, "b", NULL);
  cleave_network_builder_identity (b);
  if (begins)
    {
      cleave_network_builder_conv (b, "c0", channels, 1, 1, 0, 1);
      /* Whose shift is not 0 in lanes without an image. */
      cleave_network_builder_norm (b, "n0");
    }
  /* An add makes it plain. */
  cleave_network_builder_add (b, cleave_network_builder_get_last_op (b));
  source = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c1", widened, 1, 1, 0, 1);
  cleave_network_builder_norm (b, "n1");
  cleave_network_builder_relu (b);
  cleave_network_builder_conv (b, "c2", widened, kernel, stride, padding, widened);
  cleave_network_builder_norm (b, "n2");
  cleave_network_builder_conv (b, "c3", channels, 1, 1, 0, 1);
  if (adds)
    cleave_network_builder_add (b, source);
  cleave_network_builder_pool (b);
  return cleave_network_builder_build (b, error);
}

/* --- comparing --- */

typedef struct
{
  NnSupernet *supernet;
  Reference *reference;
  const char *described;
  const guint8 *arrived;
  float *images, *output_gradient;
} Problem;

/* A norm multiplies by up to 1/√1e-5 = 316 where a channel's values are all the same, and with them the 6e-8 by which
 * single precision is off: some 2e-4 of values about 10, so 1e-3 for outputs. For gradients the same difference of
 * large numbers may be zero in exact arithmetic (a norm after a norm, one value a channel); its rounding error is not
 * bound by the array's own size: so 1e-3 of the array and 5e-4 of all gradients together. The networks here use a
 * fourth of that. A wrong gradient is off by its own size. */
#define OUTPUT_TOLERANCE 1e-3
#define GRADIENT_TOLERANCE 1e-3
#define GRADIENT_FLOOR 5e-4
/* A ReLU input below this may have another sign in the engine, whose values of about 1 are off by 1e-7 to 1e-6; its
 * gradients are not compared then. */
#define RELU_MARGIN 1e-5

static double
square_sum (const double *values, gsize n)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++)
    sum += values[i] * values[i];
  return sum;
}

static void
expect_close (Problem *problem, const char *what, const float *actual, const double *expected, gsize n,
              double tolerance, double floor)
{
  double off = 0, size = sqrt (square_sum (expected, n));
  for (gsize i = 0; i < n; i++)
    off += (actual[i] - expected[i]) * (actual[i] - expected[i]);
  off = sqrt (off);
  test_check (off <= tolerance * size + floor, __FILE__, __LINE__, "%s is off by %g of %g, floor %g: %u images, %s",
              what, off, size, floor, problem->reference->n, problem->described);
}

/* The norm of all gradients together, of input and output too. */
static double
get_gradient_scale (Reference *reference)
{
  ReferenceTensor *input = reference->input, *output = reference->output;
  double sum = square_sum (input->gradient, input->size) + square_sum (output->gradient, output->size);

  for (guint i = 0; i < reference->arrays->len; i++)
    sum += square_sum (reference->gradients[i], ((NnArray *)reference->arrays->pdata[i])->size);
  return sqrt (sum);
}

/* Values whose size is between 0.2 and 1.2: a norm's weight near 0 would have the next norm magnify rounding errors. */
static void
fill (CleaveRandom *random, float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = (cleave_random_below (random, 2) ? 1 : -1) * (0.2 + cleave_random_uniform (random));
}

static void
check_forward (Problem *problem, NnPlan *plan)
{
  ReferenceTensor *output = problem->reference->output;
  g_autofree float *actual = g_new (float, output->size);

  nn_plan_forward_head (plan, NN_MODE_BATCH_STATISTICS, problem->images, problem->reference->n);
  /* The first run of the tail must leave what the second reads as it was. */
  nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, NULL, 0);
  nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, problem->arrived, DROP_RATE);
  nn_plan_get_output (plan, actual);
  expect_close (problem, "output", actual, output->values, output->size, OUTPUT_TOLERANCE, 0);
}

static void
check_backward (Problem *problem, NnPlan *plan, gboolean gives_input_gradient)
{
  ReferenceTensor *input = problem->reference->input;
  g_autofree float *actual = g_new (float, input->size);
  double floor = GRADIENT_FLOOR * get_gradient_scale (problem->reference);

  nn_supernet_begin_step (problem->supernet);
  nn_plan_backward (plan, problem->output_gradient);
  if (gives_input_gradient)
    {
      nn_plan_get_input_gradient (plan, actual);
      expect_close (problem, "input gradient", actual, input->gradient, input->size, GRADIENT_TOLERANCE, floor);
    }
  for (guint i = 0; i < problem->reference->arrays->len; i++)
    {
      NnArray *array = problem->reference->arrays->pdata[i];
      if (array->gradient != NULL)
        expect_close (problem, array->name, array->gradient, problem->reference->gradients[i], array->size,
                      GRADIENT_TOLERANCE, floor);
    }
}

/* TRUE where the gradients were compared too. */
static gboolean
check_plans (Problem *problem, CleaveRandom *random, NnPlan *plans[3])
{
  ReferenceTensor *input = problem->reference->input, *output = problem->reference->output;
  gsize payload = cleave_network_get_payload_elements (problem->reference->network) * problem->reference->n;
  g_autoptr (GBytes) flags = cleave_random_flags (random, MAX (1, payload), 1 - DROP_RATE);
  g_autofree float *images = problem->images = g_new (float, input->size);
  g_autofree float *output_gradient = problem->output_gradient = g_new (float, output->size);

  problem->arrived = g_bytes_get_data (flags, NULL);
  for (guint i = 0; i < nn_supernet_get_n_arrays (problem->supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (problem->supernet, i);
      fill (random, array->data, array->size);
    }
  fill (random, images, input->size);
  fill (random, output_gradient, output->size);
  reference_forward (problem->reference, images, problem->arrived, DROP_RATE);
  for (guint i = 0; i < 3; i++)
    check_forward (problem, plans[i]);
  if (problem->reference->relu_margin < RELU_MARGIN)
    return FALSE;
  reference_backward (problem->reference, output_gradient, problem->arrived, DROP_RATE);
  check_backward (problem, plans[1], FALSE);
  check_backward (problem, plans[2], TRUE);
  return TRUE;
}

typedef CleaveNetwork *(*DrawNetwork) (CleaveRandom *random, GString *described, GError **error);

static gboolean
check_network (NnEngine *engine, guint seed, DrawNetwork draw_one, guint *n_widenings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveRandom) random = cleave_random_new (seed, 0, 0, 0);
  g_autoptr (GString) described = g_string_new (NULL);
  g_autoptr (CleaveNetwork) network = draw_one (random, described, &error);
  if (!EXPECT_NO_ERROR (error))
    return FALSE;
  /* Up to 8, where lanes are without image, or up to 72, more than a tile. */
  guint n = 1 + cleave_random_below (random, cleave_random_below (random, 3) == 0 ? 72 : 8);
  guint batch = n + cleave_random_below (random, 3);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (seed);
  g_autoptr (NnPlan) forward = nn_plan_new (engine, supernet, network, batch, NN_PLAN_FORWARD, &error);
  g_autoptr (NnPlan) backward = nn_plan_new (engine, supernet, network, batch, NN_PLAN_BACKWARD, &error);
  g_autoptr (NnPlan) all
      = nn_plan_new (engine, supernet, network, batch, NN_PLAN_BACKWARD | NN_PLAN_INPUT_GRADIENT, &error);
  if (!EXPECT_NO_ERROR (error))
    return FALSE;
  g_autoptr (Reference) reference = reference_new (network, supernet, n);
  for (guint i = 0; i < backward->steps->len; i++)
    *n_widenings += ((NnStep *)backward->steps->pdata[i])->widen != NULL;
  Problem problem = { supernet, reference, described->str, NULL, NULL, NULL };

  return check_plans (&problem, random, (NnPlan *[]){ forward, backward, all });
}

/* How many had their gradients compared too. */
static guint
check_networks (guint n, DrawNetwork draw_one, guint *n_widenings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  guint n_gradients = 0;

  *n_widenings = 0;
  if (!EXPECT_NO_ERROR (error))
    return 0;
  for (guint seed = 0; seed < n; seed++)
    n_gradients += check_network (engine, seed, draw_one, n_widenings);
  return n_gradients;
}

TEST (RandomNetworks, AgreeWithAReference)
{
  guint n_widenings, n_gradients = check_networks (N_NETWORKS, draw_network, &n_widenings);

  /* A ReLU of many values has one near 0 now and then, no more. */
  EXPECT_TRUE (n_gradients >= N_NETWORKS * 3 / 4);
}

/* Their ReLU reads many values, one of which is often near 0. */
TEST (RandomNetworks, WideningAgreesWithAReference)
{
  guint n_widenings, n_gradients = check_networks (N_WIDENINGS, draw_widening, &n_widenings);

  EXPECT_INT (n_widenings, N_WIDENINGS);
  EXPECT_TRUE (n_gradients >= N_WIDENINGS / 4);
}

/* A depthwise step of several tasks whose norm a shuffle follows: each task's sums are of its own channels. */
static CleaveNetwork *
build_shuffled (G_GNUC_UNUSED CleaveRandom *random, GString *described, GError **error)
{
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (4, 6, 6);

  g_string_append (described, "96 channels shuffled behind a depthwise convolution");
  cleave_network_builder_block (b, "b", NULL);
  cleave_network_builder_conv (b, "c1", 96, 1, 1, 0, 1);
  cleave_network_builder_norm (b, "n1");
  cleave_network_builder_conv (b, "c2", 96, 3, 1, 1, 96);
  cleave_network_builder_norm (b, "n2");
  cleave_network_builder_shuffle (b, 3);
  cleave_network_builder_relu (b);
  cleave_network_builder_conv (b, "c3", 4, 1, 1, 0, 1);
  return cleave_network_builder_build (b, error);
}

TEST (RandomNetworks, ShuffleBehindSeveralTasks)
{
  guint n_widenings;

  check_networks (4, build_shuffled, &n_widenings);
}
