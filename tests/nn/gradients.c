/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Backward against central differences, for every kind of op and the ways that ops meet. With F(x) = Σ w·y(x), the
 * slope along a direction d is (F(x + εd) − F(x − εd)) / 2ε and must be ⟨∇F, d⟩. Single precision leaves some 1e-6 of F
 * / ε; the third derivative of a norm leaves some ε²: with ε = 1e-2, 3e-3 of the slope's natural size ‖∇F‖·‖d‖/√n
 * covers both, and a wrong gradient is off by its own size. Inputs keep away from a ReLU's kink. */
#include "nn.h"
#include "test.h"

#include <math.h>
#include <string.h>

#define EPSILON 1e-2
#define BATCH 5 /* no multiple of any number of lanes: some are without image */

typedef void (*Build) (CleaveNetworkBuilder *builder);

typedef struct
{
  NnEngine *engine;
  NnSupernet *supernet;
  NnPlan *plan;
  gsize n_inputs, n_outputs;
  float *input, *weights;
  guint8 *arrived;
} Problem;

static double
loss (Problem *problem, const float *input)
{
  g_autofree float *output = g_new (float, problem->n_outputs);
  double sum = 0;

  nn_plan_forward_head (problem->plan, NN_MODE_BATCH_STATISTICS, input, BATCH);
  nn_plan_forward_tail (problem->plan, NN_MODE_BATCH_STATISTICS, problem->arrived, 0.5);
  nn_plan_get_output (problem->plan, output);
  for (gsize i = 0; i < problem->n_outputs; i++)
    sum += (double)problem->weights[i] * output[i];
  return sum;
}

/* Values whose size is between 0.2 and 1.2. */
static void
fill (CleaveRandom *random, float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = (cleave_random_below (random, 2) ? 1 : -1) * (0.2 + cleave_random_uniform (random));
}

/* Moves VALUES along a direction of ±1 and back; GRADIENT is what backward said of them. */
static void
check_slope (Problem *problem, const char *what, float *values, const float *gradient, gsize n, CleaveRandom *random)
{
  g_autofree float *before = g_memdup2 (values, n * sizeof (float));
  g_autofree float *direction = g_new (float, n);
  double expected = 0, square = 0, above, below;

  for (gsize i = 0; i < n; i++)
    {
      direction[i] = cleave_random_below (random, 2) ? 1 : -1;
      expected += (double)gradient[i] * direction[i];
      square += (double)gradient[i] * gradient[i];
    }
  for (gsize i = 0; i < n; i++)
    values[i] = before[i] + EPSILON * direction[i];
  above = loss (problem, problem->input);
  for (gsize i = 0; i < n; i++)
    values[i] = before[i] - EPSILON * direction[i];
  below = loss (problem, problem->input);
  memcpy (values, before, n * sizeof (float));
  double slope = (above - below) / (2 * EPSILON);
  test_check (fabs (slope - expected) <= 3e-3 * (sqrt (square) + 1), __FILE__, __LINE__,
              "slope along %s is %g, backward says %g (gradient's norm %g)", what, slope, expected, sqrt (square));
}

static void
check_network (const char *name, guint channels, guint size, Build build)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (channels, size, size);
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  REQUIRE_NO_ERROR (error);
  cleave_network_builder_block (builder, "b", NULL);
  build (builder);
  g_autoptr (CleaveNetwork) network = cleave_network_builder_build (builder, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (3);
  g_autoptr (NnPlan) plan
      = nn_plan_new (engine, supernet, network, BATCH, NN_PLAN_BACKWARD | NN_PLAN_INPUT_GRADIENT, &error);
  REQUIRE_NO_ERROR (error);
  gsize payload = MAX (1, cleave_network_get_payload_elements (network)) * BATCH;
  Problem problem
      = { engine, supernet, plan, (gsize)BATCH * channels * size * size, BATCH * nn_plan_get_output_size (plan),
          NULL,   NULL,     NULL };
  g_autofree float *input = problem.input = g_new (float, problem.n_inputs);
  g_autofree float *weights = problem.weights = g_new (float, problem.n_outputs);
  g_autofree float *gradient = g_new (float, problem.n_inputs);
  g_autoptr (CleaveRandom) random = cleave_random_new (7, 0, 0, 0);
  g_autoptr (GBytes) flags = cleave_random_flags (random, payload, 0.5);

  problem.arrived = (guint8 *)g_bytes_get_data (flags, NULL);
  fill (random, input, problem.n_inputs);
  fill (random, weights, problem.n_outputs);
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    fill (random, nn_supernet_get_array (supernet, i)->data, nn_supernet_get_array (supernet, i)->size);
  nn_supernet_begin_step (supernet);
  loss (&problem, input);
  nn_plan_backward (plan, weights);
  nn_plan_get_input_gradient (plan, gradient);
  for (guint try = 0; try < 4; try++)
    {
      g_autofree char *what = g_strdup_printf ("%s, input", name);
      check_slope (&problem, what, input, gradient, problem.n_inputs, random);
      for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
        {
          NnArray *array = nn_supernet_get_array (supernet, i);
          g_autofree char *array_name = g_strdup_printf ("%s, %s", name, array->name);
          if (array->gradient != NULL)
            check_slope (&problem, array_name, array->data, array->gradient, array->size, random);
        }
    }
}

/* --- convolutions --- */

static void
conv3 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 5, 3, 1, 1, 1);
}

static void
conv3_stride2_groups2 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 6, 3, 2, 1, 2);
}

static void
conv5_stride3 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 3, 5, 3, 2, 1);
}

static void
pointwise (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 13, 1, 1, 0, 1);
}

static void
pointwise_stride2 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 3, 1, 2, 0, 1);
}

static void
pointwise_groups (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 6, 1, 1, 0, 2);
}

static void
depthwise3 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 4, 3, 1, 1, 4);
}

static void
depthwise5_stride2 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 4, 5, 2, 2, 4);
}

static void
depthwise7_unpadded (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c", 4, 7, 1, 0, 4);
}

TEST (Gradients, Convolutions)
{
  check_network ("conv 3×3", 3, 5, conv3);
  check_network ("conv 3×3, stride 2, 2 groups", 4, 5, conv3_stride2_groups2);
  check_network ("conv 5×5, stride 3", 2, 7, conv5_stride3);
  check_network ("conv 1×1", 7, 3, pointwise);
  check_network ("conv 1×1, stride 2", 4, 5, pointwise_stride2);
  check_network ("conv 1×1, 2 groups", 4, 3, pointwise_groups);
}

TEST (Gradients, DepthwiseConvolutions)
{
  check_network ("depthwise 3×3", 4, 6, depthwise3);
  check_network ("depthwise 5×5, stride 2", 4, 7, depthwise5_stride2);
  check_network ("depthwise 7×7, no padding", 4, 8, depthwise7_unpadded);
}

/* --- the other kinds alone --- */

static void
norm (CleaveNetworkBuilder *b)
{
  cleave_network_builder_norm (b, "n");
}

static void
relu (CleaveNetworkBuilder *b)
{
  cleave_network_builder_relu (b);
}

static void
shuffle (CleaveNetworkBuilder *b)
{
  cleave_network_builder_shuffle (b, 2);
}

static void
add (CleaveNetworkBuilder *b)
{
  cleave_network_builder_identity (b);
  cleave_network_builder_add (b, -1);
}

static void
pool_linear (CleaveNetworkBuilder *b)
{
  cleave_network_builder_pool (b);
  cleave_network_builder_linear (b, "l", 7);
}

static void
link_only (CleaveNetworkBuilder *b)
{
  cleave_network_builder_identity (b);
  cleave_network_builder_cut (b);
  cleave_network_builder_conv (b, "c", 3, 1, 1, 0, 1);
}

TEST (Gradients, OtherOps)
{
  check_network ("norm", 3, 4, norm);
  check_network ("ReLU", 3, 4, relu);
  check_network ("shuffle", 6, 3, shuffle);
  check_network ("add", 3, 4, add);
  check_network ("pool and linear", 5, 3, pool_linear);
  check_network ("link", 3, 4, link_only);
}

/* --- how ops meet --- */

static void
norms_between (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 6, 1, 1, 0, 1);
  cleave_network_builder_norm (b, "n1");
  cleave_network_builder_shuffle (b, 3);
  cleave_network_builder_norm (b, "n2");
  cleave_network_builder_conv (b, "c2", 6, 3, 1, 1, 6);
  cleave_network_builder_norm (b, "n3");
  cleave_network_builder_conv (b, "c3", 4, 1, 1, 0, 2);
  cleave_network_builder_norm (b, "n4");
  cleave_network_builder_pool (b);
  cleave_network_builder_norm (b, "n5");
  cleave_network_builder_linear (b, "l", 3);
}

/* Sums of sums, one across a cut, one of a raw convolution that a norm reads too. */
static void
adds_and_cut (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 3, 1, 1, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_norm (b, "n1");
  cleave_network_builder_conv (b, "c2", 4, 3, 1, 1, 4);
  cleave_network_builder_add (b, first);
  gint second = cleave_network_builder_get_last_op (b);
  cleave_network_builder_add (b, first);
  cleave_network_builder_conv (b, "c3", 4, 1, 1, 0, 1);
  cleave_network_builder_norm (b, "n3");
  cleave_network_builder_add (b, second);
  gint cut = cleave_network_builder_get_last_op (b);
  cleave_network_builder_cut (b);
  cleave_network_builder_conv (b, "c4", 4, 1, 1, 0, 1);
  cleave_network_builder_norm (b, "n4");
  cleave_network_builder_add (b, cut);
  cleave_network_builder_norm (b, "n5");
}

/* An add whose two gradients are the same while the step that reads one of them adds to the other. */
static void
residual_conv3 (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c2", 4, 3, 1, 1, 1);
  cleave_network_builder_add (b, first);
}

/* y = x + f(x); z = x₀ + y */
static void
nested_adds (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint outer = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c2", 4, 1, 1, 0, 1);
  gint inner = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c3", 4, 1, 1, 0, 1);
  cleave_network_builder_add (b, inner);
  cleave_network_builder_add (b, outer);
}

static void
overlapping_adds (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c2", 4, 1, 1, 0, 1);
  gint second = cleave_network_builder_get_last_op (b);
  cleave_network_builder_add (b, first);
  cleave_network_builder_add (b, second);
}

/* The same source twice in a row, and an add to itself. */
static void
repeated_adds (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c2", 4, 1, 1, 0, 1);
  cleave_network_builder_add (b, first);
  cleave_network_builder_add (b, first);
  cleave_network_builder_add (b, cleave_network_builder_get_last_op (b));
}

/* A norm that reads a sum works on the sum's gradient in place. */
static void
norm_of_sum_added (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_conv (b, "c2", 4, 1, 1, 0, 1);
  gint second = cleave_network_builder_get_last_op (b);
  cleave_network_builder_add (b, first);
  cleave_network_builder_norm (b, "n");
  cleave_network_builder_add (b, second);
}

/* As norm_of_sum_added(), with the link's losses in place of the norm. */
static void
link_added (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 1, 1, 0, 1);
  gint first = cleave_network_builder_get_last_op (b);
  cleave_network_builder_cut (b);
  cleave_network_builder_add (b, first);
  cleave_network_builder_conv (b, "c2", 4, 3, 1, 1, 1);
  cleave_network_builder_add (b, first);
}

/* The statistics are those of what the linear layer gives with its bias. */
static void
norm_of_linear (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 4, 3, 1, 1, 1);
  cleave_network_builder_pool (b);
  cleave_network_builder_linear (b, "l1", 6);
  cleave_network_builder_norm (b, "n");
  cleave_network_builder_linear (b, "l2", 3);
}

/* A stride of two digits, far beyond the kernel. */
static void
wide_stride (CleaveNetworkBuilder *b)
{
  cleave_network_builder_conv (b, "c1", 3, 1, 11, 1, 3);
  cleave_network_builder_norm (b, "n");
  cleave_network_builder_conv (b, "c2", 4, 1, 1, 0, 1);
}

TEST (Gradients, OpsTogether)
{
  check_network ("norm of linear", 3, 4, norm_of_linear);
  check_network ("wide stride", 3, 13, wide_stride);
  check_network ("norms between", 3, 4, norms_between);
  check_network ("adds and cut", 3, 4, adds_and_cut);
  check_network ("residual conv 3×3", 3, 12, residual_conv3);
  check_network ("nested adds", 3, 4, nested_adds);
  check_network ("overlapping adds", 3, 4, overlapping_adds);
  check_network ("repeated adds", 3, 4, repeated_adds);
  check_network ("norm of a sum, added to", 3, 4, norm_of_sum_added);
  check_network ("link, added to", 3, 4, link_added);
}
