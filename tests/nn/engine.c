/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine promises beside right numbers: the same bytes for any number of threads, weights shared by block and
 * choice, SGD and loss by hand-computed numbers, clear refusals. */
#include "cpu.h"
#include "nn.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* A network with every kind of step, larger than a tile. */
static CleaveNetwork *
small_network (guint width, GError **error)
{
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (3, 16, 16);

  cleave_network_builder_block (b, "stem", NULL);
  cleave_network_builder_conv_norm_relu (b, 8, 3, 1);
  cleave_network_builder_cut (b);
  cleave_network_builder_block (b, "cells.0", "k3");
  gint source = cleave_network_builder_get_last_op (b);
  cleave_network_builder_expand_depthwise (b, width, 3, 1, 2);
  cleave_network_builder_project (b, 8, 2);
  cleave_network_builder_add (b, source);
  cleave_network_builder_block (b, "cells.1", "k5");
  cleave_network_builder_expand_depthwise (b, width, 5, 2, 1);
  cleave_network_builder_project (b, 12, 1);
  cleave_network_builder_block (b, "fc", NULL);
  cleave_network_builder_pool (b);
  cleave_network_builder_linear (b, NULL, 10);
  return cleave_network_builder_build (b, error);
}

/* Three training steps; all weights after them. */
static GBytes *
train (guint n_threads, GError **error)
{
  enum
  {
    N = 40
  };
  g_autoptr (NnEngine) engine = nn_engine_new (n_threads, error);
  g_autoptr (CleaveNetwork) network = small_network (24, error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (5);
  g_autoptr (NnPlan) plan
      = engine != NULL && network != NULL ? nn_plan_new (engine, supernet, network, N, NN_PLAN_BACKWARD, error) : NULL;
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 0, 0, 0);
  g_autofree float *images = g_new (float, N * 3 * 256);
  float logits[N * 10], gradient[N * 10];
  guint16 labels[N];
  NnSgd sgd = { 0.1, 0.9, 3e-4, 5 };
  GByteArray *weights = g_byte_array_new ();

  if (plan == NULL)
    return g_byte_array_free_to_bytes (weights);
  for (guint i = 0; i < N * 3 * 256; i++)
    images[i] = cleave_random_normal (random);
  for (guint i = 0; i < N; i++)
    labels[i] = i % 10;
  for (guint step = 0; step < 3; step++)
    {
      g_autoptr (GBytes) arrived = cleave_random_flags (random, N * cleave_network_get_payload_elements (network), 0.5);
      nn_supernet_begin_step (supernet);
      nn_plan_forward_head (plan, NN_MODE_TRAIN, images, N);
      nn_plan_forward_tail (plan, NN_MODE_TRAIN, g_bytes_get_data (arrived, NULL), 0.5);
      nn_plan_get_output (plan, logits);
      EXPECT_TRUE (isfinite (nn_cross_entropy (logits, labels, N, 10, 1, gradient)));
      nn_plan_backward (plan, gradient);
      EXPECT_TRUE (nn_supernet_step (engine, supernet, &sgd) > 0);
    }
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);
      g_byte_array_append (weights, (const guint8 *)array->data, array->size * sizeof (float));
    }
  return g_byte_array_free_to_bytes (weights);
}

TEST (Engine, ThreadsDoNotChangeABit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) one = train (1, &error);
  REQUIRE_NO_ERROR (error);
  for (guint n_threads = 2; n_threads <= 5; n_threads++)
    {
      g_autoptr (GBytes) many = train (n_threads, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (g_bytes_equal (one, many));
    }
}

/* The tail may run again on the same head: each time as if alone. */
TEST (Engine, TailRunsManyTimesAfterOneHead)
{
  enum
  {
    N = 3
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveNetwork) network = small_network (24, &error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (5);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, N, NN_PLAN_FORWARD, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 0, 0, 0);
  g_autoptr (GBytes) flags = cleave_random_flags (random, N * cleave_network_get_payload_elements (network), 0.7);
  const guint8 *arrived = g_bytes_get_data (flags, NULL);
  g_autofree float *images = g_new (float, N * 3 * 256);
  float alone[N * 10], again[N * 10], without[N * 10];

  for (guint i = 0; i < N * 3 * 256; i++)
    images[i] = cleave_random_normal (random);
  nn_plan_forward_head (plan, NN_MODE_BATCH_STATISTICS, images, N);
  nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, arrived, 0.3);
  nn_plan_get_output (plan, alone);
  nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, NULL, 0);
  nn_plan_get_output (plan, without);
  nn_plan_forward_tail (plan, NN_MODE_BATCH_STATISTICS, arrived, 0.3);
  nn_plan_get_output (plan, again);
  EXPECT_TRUE (memcmp (alone, again, sizeof alone) == 0);
  EXPECT_TRUE (memcmp (alone, without, sizeof alone) != 0);
}

TEST (Engine, WeightsAreSharedByBlockAndChoice)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1), other = nn_supernet_new (1);
  g_autoptr (CleaveNetwork) network = small_network (24, &error), wider = small_network (48, &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_TRUE (nn_supernet_add_network (supernet, network, &error));
  guint n = nn_supernet_get_n_arrays (supernet);
  EXPECT_TRUE (nn_supernet_add_network (supernet, network, &error));
  EXPECT_INT (nn_supernet_get_n_arrays (supernet), n);
  /* stem 5, two blocks of 3 convolutions and 3 norms, linear 2 */
  EXPECT_INT (n, 5 + 2 * 15 + 2);
  EXPECT_STRING (nn_supernet_find (supernet, "cells.0/k3/conv1.weight")->name, "cells.0.conv1.weight");
  EXPECT_STRING (nn_supernet_find (supernet, "fc//weight")->name, "fc.weight");
  EXPECT_TRUE (!nn_supernet_add_network (supernet, wider, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "cells.0/k3/conv1.weight");
  /* Initial values hang on the key alone. */
  EXPECT_TRUE (nn_supernet_add_network (other, network, &error));
  NnArray *a = nn_supernet_find (supernet, "stem//conv.weight"), *b = nn_supernet_find (other, "stem//conv.weight");
  EXPECT_TRUE (memcmp (a->data, b->data, a->size * sizeof (float)) == 0);
}

/* Kaiming normal, fan-out: the variance of a 3×3 convolution to 8 channels is 2 / (8·9). */
TEST (Engine, InitialValuesHaveTheirVariance)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (400, 3, 3);
  cleave_network_builder_block (b, "x", NULL);
  cleave_network_builder_conv (b, "c", 8, 3, 1, 1, 1);
  g_autoptr (CleaveNetwork) network = cleave_network_builder_build (b, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (2);
  REQUIRE (nn_supernet_add_network (supernet, network, &error));
  NnArray *array = nn_supernet_get_array (supernet, 0);
  double square = 0;

  for (gsize i = 0; i < array->size; i++)
    square += (double)array->data[i] * array->data[i];
  /* 28800 values: the sample variance's own deviation is √(2/28800) = 0.8 %. */
  EXPECT_RELATIVE (square / array->size, 2.0 / 72, 0.03);
}

/* Two classes, logits (0, ln 3): probabilities 1/4 and 3/4. */
TEST (Engine, CrossEntropyByHand)
{
  float logits[4] = { 0, 1.0986123f, 2, 2 }, gradient[4];
  guint16 labels[2] = { 0, 1 };

  EXPECT_NEAR (nn_cross_entropy (logits, labels, 2, 2, 0.5, gradient), (log (4) + log (2)) / 2, 1e-7);
  EXPECT_NEAR (gradient[0], 0.5 * (0.25 - 1) / 2, 1e-7);
  EXPECT_NEAR (gradient[1], 0.5 * 0.75 / 2, 1e-7);
  EXPECT_NEAR (gradient[3], 0.5 * (0.5 - 1) / 2, 1e-7);
}

/* A linear layer 1 → 1 with weight w, bias b, input 3, output gradient 1: gradients 3 and 1, norm √10. */
TEST (Engine, SgdByHand)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (1, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (1, 1, 1);
  cleave_network_builder_block (b, "fc", NULL);
  cleave_network_builder_linear (b, NULL, 1);
  g_autoptr (CleaveNetwork) network = cleave_network_builder_build (b, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (2);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, 1, NN_PLAN_BACKWARD, &error);
  REQUIRE_NO_ERROR (error);
  NnArray *weight = nn_supernet_find (supernet, "fc//weight"), *bias = nn_supernet_find (supernet, "fc//bias");
  float input = 3, one = 1;
  double w = 2, v = 0;

  weight->data[0] = 2;
  bias->data[0] = 0;
  for (guint step = 0; step < 2; step++)
    {
      NnSgd sgd = { 0.1, 0.9, 0.01, step == 0 ? 0 : 1 };
      double clip = step == 0 ? 1 : 1 / (sqrt (10) + 1e-6);

      nn_supernet_begin_step (supernet);
      nn_plan_forward_head (plan, NN_MODE_TRAIN, &input, 1);
      nn_plan_forward_tail (plan, NN_MODE_TRAIN, NULL, 0);
      nn_plan_backward (plan, &one);
      EXPECT_NEAR (nn_supernet_step (engine, supernet, &sgd), sqrt (10), 1e-6);
      v = 0.9 * v + 3 * clip + 0.01 * w;
      w -= 0.1 * v;
      EXPECT_NEAR (weight->data[0], w, 1e-6);
    }
  /* A step whose gradient is not finite changes nothing. */
  input = NAN;
  float before = weight->data[0];
  NnSgd sgd = { 0.1, 0.9, 0.01, 5 };
  nn_supernet_begin_step (supernet);
  nn_plan_forward_head (plan, NN_MODE_TRAIN, &input, 1);
  nn_plan_forward_tail (plan, NN_MODE_TRAIN, NULL, 0);
  nn_plan_backward (plan, &one);
  EXPECT_TRUE (isnan (nn_supernet_step (engine, supernet, &sgd)));
  EXPECT_TRUE (weight->data[0] == before);
}

/* What no address could name is refused before anyone is asked for it, and the engine goes on. */
TEST (Engine, RefusesWhatMemoryCannotHold)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (1, 32768, 32768);
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  REQUIRE_NO_ERROR (error);
  cleave_network_builder_block (b, "stem", NULL);
  cleave_network_builder_conv (b, "conv", 2, 1, 1, 0, 1);
  g_autoptr (CleaveNetwork) large = cleave_network_builder_build (b, &error);
  g_autoptr (CleaveNetwork) small = small_network (24, &error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (5);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnPlan) refused = nn_plan_new (engine, supernet, large, G_MAXINT32, NN_PLAN_FORWARD, &error);
  EXPECT_TRUE (refused == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "out of memory");
  g_autoptr (NnSupernet) other = nn_supernet_new (5);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, other, small, 2, NN_PLAN_BACKWARD, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (plan != NULL);
}

TEST (Engine, RefusesAnUnknownInstructionSet)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = g_strdup (g_getenv ("CLEAVE_CPU"));
  NnCpu cpu;

  g_setenv ("CLEAVE_CPU", "avx1024", TRUE);
  EXPECT_TRUE (!nn_cpu_choose (&cpu, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "CLEAVE_CPU=avx1024: expected baseline, avx2 or avx512");
  g_setenv ("CLEAVE_CPU", "baseline", TRUE);
  EXPECT_TRUE (nn_cpu_choose (&cpu, &error));
  EXPECT_INT (cpu, NN_CPU_BASELINE);
  if (before != NULL)
    g_setenv ("CLEAVE_CPU", before, TRUE);
  else
    g_unsetenv ("CLEAVE_CPU");
}
