/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A block that evaluation runs in one go against its steps one by one, over the same weights. Steps are kept apart in
 * two ways: a plan's blocks are taken out of it, and, where the network may be cut there, a cut lies between the
 * depthwise convolution and the projection. The results must be the same but for the order of sums. */
#include "nn.h"
#include "plan.h"
#include "test.h"

#include <math.h>
#include <string.h>

/* Sums of some hundred products in single precision, in another order. */
#define TOLERANCE 1e-5

typedef struct
{
  const char *name;
  guint channels, height, width; /* of the block's input */
  guint stem; /* 0: the network's input is the block's; 1: a 3×3 convolution, norm and ReLU come first */
  guint middle, kernel, stride, padding;
  guint groups; /* of the expansion, which is shuffled where there are several */
  guint project_groups;
  guint out;
  gboolean residual; /* adds the block's input, plain */
  guint again;       /* middle channels of a second block, which reads what the first leaves pending; 0: none */
} Case;

/* Where the network is cut. */
typedef enum
{
  NOWHERE,
  FIRST_BLOCK,
  SECOND_BLOCK,
  N_CUTS,
} Cut;

/* --- networks --- */

static void
append_block (CleaveNetworkBuilder *b, const Case *c, guint middle, guint stride, gboolean cut)
{
  cleave_network_builder_conv (b, "conv1", middle, 1, 1, 0, c->groups);
  cleave_network_builder_norm (b, "bn1");
  cleave_network_builder_relu (b);
  if (c->groups > 1)
    cleave_network_builder_shuffle (b, c->groups);
  cleave_network_builder_conv (b, "conv2", middle, c->kernel, stride, c->padding, middle);
  cleave_network_builder_norm (b, "bn2");
  cleave_network_builder_relu (b);
  if (cut)
    cleave_network_builder_cut (b);
  cleave_network_builder_project (b, c->out, c->project_groups);
}

static CleaveNetwork *
build (const Case *c, Cut cut, GError **error)
{
  g_autoptr (CleaveNetworkBuilder) b = cleave_network_builder_new (c->stem ? 3 : c->channels, c->height, c->width);

  if (c->stem)
    {
      cleave_network_builder_block (b, "stem", NULL);
      cleave_network_builder_conv_norm_relu (b, c->channels, 3, 1);
    }
  gint source = cleave_network_builder_get_last_op (b);
  cleave_network_builder_block (b, "cells.0", "first");
  append_block (b, c, c->middle, c->stride, cut == FIRST_BLOCK);
  if (c->residual)
    cleave_network_builder_add (b, source);
  if (c->again > 0)
    {
      cleave_network_builder_block (b, "cells.1", "second");
      append_block (b, c, c->again, 1, cut == SECOND_BLOCK);
    }
  return cleave_network_builder_build (b, error);
}

/* Seeded values for everything that the engine reads, none of them what a new network has: a norm whose scale is 1 and
 * whose shift is 0 would hide that it is left out. */
static void
fill_arrays (NnSupernet *supernet, CleaveRandom *random)
{
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);
      double fan_in = array->rank == 4 ? array->shape[1] * array->shape[2] * array->shape[3] : 1;

      for (gsize j = 0; j < array->size; j++)
        {
          double value = cleave_random_normal (random);

          if (g_str_has_suffix (array->key, "running_var"))
            array->data[j] = 0.5 + fabs (value);
          else if (array->rank == 4)
            array->data[j] = value * sqrt (2 / fan_in);
          else if (g_str_has_suffix (array->key, ".weight"))
            array->data[j] = 1 + 0.3 * value;
          else
            array->data[j] = 0.5 * value;
        }
    }
}

static float *
draw_images (CleaveNetwork *network, guint n, CleaveRandom *random)
{
  gsize size = (gsize)n * cleave_network_get_in_channels (network) * cleave_network_get_in_height (network)
               * cleave_network_get_in_width (network);
  float *images = g_new (float, size);

  for (gsize i = 0; i < size; i++)
    images[i] = cleave_random_normal (random);
  return images;
}

/* --- runs --- */

static guint
count_blocks (const NnPlan *plan)
{
  guint n = 0;

  for (guint i = 0; i < plan->steps->len; i++)
    n += ((const NnStep *)plan->steps->pdata[i])->block != NULL;
  return n;
}

/* Leaves the steps, which evaluation then runs one by one, or two together where they widen. */
static void
take_blocks_out (NnPlan *plan)
{
  for (guint i = 0; i < plan->steps->len; i++)
    g_clear_pointer (&((NnStep *)plan->steps->pdata[i])->block, g_free);
}

typedef struct
{
  guint n_threads;
  /* Without NN_PLAN_BACKWARD, values lie where others were. */
  NnPlanFlags flags;
  guint n_blocks; /* that the plan should find; ANY: not looked at */
  gboolean apart; /* takes them out */
} Run;

#define ANY G_MAXUINT

/* The output, SIZE floats; NULL where something failed. */
static float *
evaluate (NnSupernet *supernet, CleaveNetwork *network, Run run, const float *images, guint n, gsize *size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (run.n_threads, &error);
  g_autoptr (NnPlan) plan = engine != NULL ? nn_plan_new (engine, supernet, network, n, run.flags, &error) : NULL;

  if (!EXPECT_NO_ERROR (error) || (run.n_blocks != ANY && !EXPECT_INT (count_blocks (plan), run.n_blocks)))
    return NULL;
  if (run.apart)
    take_blocks_out (plan);
  *size = n * nn_plan_get_output_size (plan);
  float *output = g_new (float, *size);
  nn_plan_forward_head (plan, NN_MODE_EVALUATE, images, n);
  nn_plan_forward_tail (plan, NN_MODE_EVALUATE, NULL, 0);
  nn_plan_get_output (plan, output);
  return output;
}

static void
expect_close (const char *name, guint n, const char *against, const float *actual, const float *expected, gsize size)
{
  double off = 0, length = 0;

  for (gsize i = 0; i < size; i++)
    {
      off += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
      length += (double)expected[i] * expected[i];
    }
  off = sqrt (off / length);
  /* So written that a NaN fails. */
  test_check (length > 0 && off < TOLERANCE, __FILE__, __LINE__, "%s, %u images: off by %g of the length of those %s",
              name, n, off, against);
}

static void
check_batch (const Case *c, NnSupernet *supernet, CleaveNetwork *networks[N_CUTS], guint n, CleaveRandom *random)
{
  guint n_blocks = c->padding >= c->kernel ? ANY : c->again > 0 ? 2 : 1;
  const Run whole[] = { { 1, NN_PLAN_FORWARD, n_blocks, FALSE },
                        { 3, NN_PLAN_FORWARD, n_blocks, FALSE },
                        { 1, NN_PLAN_BACKWARD, n_blocks, FALSE },
                        { 3, NN_PLAN_BACKWARD, n_blocks, FALSE } };
  g_autofree float *images = draw_images (networks[NOWHERE], n, random);
  g_autofree float *apart = NULL;
  gsize size = 0;

  apart = evaluate (supernet, networks[NOWHERE], (Run){ 1, NN_PLAN_BACKWARD, n_blocks, TRUE }, images, n, &size);
  g_autofree float *first = evaluate (supernet, networks[NOWHERE], whole[0], images, n, &size);
  if (apart == NULL || first == NULL)
    return;
  expect_close (c->name, n, "taken apart", first, apart, size);
  for (guint i = 1; i < G_N_ELEMENTS (whole); i++)
    {
      g_autofree float *output = evaluate (supernet, networks[NOWHERE], whole[i], images, n, &size);

      test_check (output != NULL && memcmp (first, output, size * sizeof (float)) == 0, __FILE__, __LINE__,
                  "%s, %u images: %u threads and plan flags %u change bytes", c->name, n, whole[i].n_threads,
                  whole[i].flags);
    }
  for (Cut cut = FIRST_BLOCK; cut < N_CUTS; cut++)
    {
      const Run run = { 1, NN_PLAN_FORWARD, n_blocks == ANY ? ANY : n_blocks - 1, FALSE };
      g_autofree float *output = NULL;

      if (networks[cut] == NULL)
        continue;
      output = evaluate (supernet, networks[cut], run, images, n, &size);
      if (output != NULL)
        expect_close (c->name, n, cut == FIRST_BLOCK ? "cut in the first block" : "cut in the second block", first,
                      output, size);
    }
}

/* What an add reads can't cross the link beside what it is added to. */
static gboolean
may_be_cut (const Case *c, Cut cut)
{
  return cut == NOWHERE || (cut == FIRST_BLOCK && !c->residual) || (cut == SECOND_BLOCK && c->again > 0);
}

static void
check_case (const Case *c)
{
  /* One image; one more than a group of 32; several groups, the last not full. */
  static const guint sizes[] = { 1, 33, 70 };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1);
  g_autoptr (CleaveRandom) random = cleave_random_new (11, 0, 0, 0);
  CleaveNetwork *networks[N_CUTS] = { NULL };
  gboolean ready = TRUE;

  for (Cut cut = NOWHERE; cut < N_CUTS && ready; cut++)
    {
      if (!may_be_cut (c, cut))
        continue;
      networks[cut] = build (c, cut, &error);
      ready = networks[cut] != NULL && nn_supernet_add_network (supernet, networks[cut], &error);
    }
  EXPECT_NO_ERROR (error);
  fill_arrays (supernet, random);
  for (guint i = 0; i < G_N_ELEMENTS (sizes) && ready; i++)
    check_batch (c, supernet, networks, sizes[i], random);
  for (Cut cut = NOWHERE; cut < N_CUTS; cut++)
    g_clear_pointer (&networks[cut], cleave_network_unref);
}

static void
check_cases (const Case *cases, guint n)
{
  for (guint i = 0; i < n; i++)
    check_case (&cases[i]);
}

/* --- tests --- */

/* Expansion 1, 3 and 6; an output as large as the input and one that is not. */
TEST (Blocks, KernelsAndStrides)
{
  static const Case cases[] = {
    { "k3 s1", 10, 9, 7, 1, 30, 3, 1, 1, 1, 1, 10, FALSE, 0 },
    { "k3 s2", 10, 9, 7, 1, 60, 3, 2, 1, 1, 1, 14, FALSE, 0 },
    { "k5 s1", 7, 8, 11, 1, 7, 5, 1, 2, 1, 1, 9, FALSE, 0 },
    { "k5 s2", 7, 8, 11, 1, 42, 5, 2, 2, 1, 1, 13, FALSE, 0 },
    { "k7 s1", 5, 10, 6, 1, 15, 7, 1, 3, 1, 1, 5, FALSE, 0 },
    { "k7 s2", 5, 10, 6, 1, 30, 7, 2, 3, 1, 1, 6, FALSE, 0 },
    { "k1 s1", 5, 6, 6, 1, 15, 1, 1, 0, 1, 1, 7, FALSE, 0 },
    { "k1 s3", 5, 7, 7, 1, 15, 1, 3, 0, 1, 1, 7, FALSE, 0 },
    { "k2 s1", 5, 6, 5, 1, 15, 2, 1, 1, 1, 1, 7, FALSE, 0 },
    { "k4 s2", 5, 6, 5, 1, 15, 4, 2, 2, 1, 1, 7, FALSE, 0 },
    { "k3 without padding", 5, 8, 9, 1, 15, 3, 1, 0, 1, 1, 7, FALSE, 0 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

TEST (Blocks, GroupsWithShuffle)
{
  static const Case cases[] = {
    { "2 groups", 8, 6, 6, 1, 24, 3, 1, 1, 2, 2, 10, FALSE, 0 },
    { "3 groups", 9, 6, 5, 1, 27, 5, 1, 2, 3, 3, 12, FALSE, 0 },
    { "3 groups, s2", 6, 7, 7, 1, 36, 3, 2, 1, 3, 3, 6, FALSE, 0 },
    { "2 groups, then 1", 8, 6, 6, 1, 8, 3, 1, 1, 2, 1, 10, FALSE, 0 },
    { "1 group, then 3", 8, 6, 6, 1, 24, 3, 1, 1, 1, 3, 9, FALSE, 0 },
    { "2 groups, with the input", 8, 6, 6, 1, 48, 5, 1, 2, 2, 2, 8, TRUE, 0 },
    { "3 groups of many chunks", 6, 40, 40, 1, 90, 5, 1, 2, 3, 2, 6, TRUE, 0 },
    { "2 groups of many chunks", 4, 21, 40, 1, 62, 3, 2, 1, 2, 2, 6, FALSE, 0 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* With and without something between the network's input and the block: the one is read as it lies, the other with its
 * norm and ReLU pending; an added one is written out plain before. */
TEST (Blocks, ResidualAdds)
{
  static const Case cases[] = {
    { "the network's input", 10, 9, 7, 0, 30, 3, 1, 1, 1, 1, 10, FALSE, 0 },
    { "the network's input added", 10, 9, 7, 0, 30, 3, 1, 1, 1, 1, 10, TRUE, 0 },
    { "an odd number of channels added", 13, 7, 9, 1, 13, 5, 1, 2, 1, 1, 13, TRUE, 0 },
    { "expansion 6 added", 7, 12, 12, 1, 42, 3, 1, 1, 1, 1, 7, TRUE, 0 },
    { "one channel in and out", 1, 6, 6, 1, 5, 3, 1, 1, 1, 1, 1, TRUE, 0 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* A strip of many rows, of some, of one; chunks that do not divide the channels. */
TEST (Blocks, HeightsAndWidths)
{
  static const Case cases[] = {
    { "1 × 1", 6, 1, 1, 1, 18, 3, 1, 1, 1, 1, 6, TRUE, 0 },
    { "1 × 1, k7", 6, 1, 1, 1, 18, 7, 1, 3, 1, 1, 6, FALSE, 0 },
    { "1 × 13, s2", 6, 1, 13, 1, 18, 5, 2, 2, 1, 1, 8, FALSE, 0 },
    { "13 × 1", 6, 13, 1, 1, 18, 5, 1, 2, 1, 1, 6, TRUE, 0 },
    { "2 × 3, k7", 6, 2, 3, 1, 18, 7, 1, 3, 1, 1, 8, FALSE, 0 },
    { "40 × 40, many chunks", 5, 40, 40, 1, 50, 5, 1, 2, 1, 1, 5, FALSE, 0 },
    { "39 × 40, s2", 5, 39, 40, 1, 31, 3, 2, 1, 1, 1, 9, FALSE, 0 },
    { "5 × 150, a row a strip", 3, 5, 150, 1, 19, 3, 1, 1, 1, 1, 3, TRUE, 0 },
    { "150 × 1, s2", 3, 150, 1, 1, 19, 5, 2, 2, 1, 1, 4, FALSE, 0 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* The second block reads what the first one leaves: its norm pending, or plain where an add made it. */
TEST (Blocks, TwoInARow)
{
  static const Case cases[] = {
    { "pending norm", 10, 9, 7, 1, 30, 3, 1, 1, 1, 1, 10, FALSE, 20 },
    { "pending norm, s2", 8, 13, 13, 1, 48, 5, 2, 2, 2, 2, 8, FALSE, 48 },
    { "pending norm, wide", 6, 20, 40, 1, 36, 3, 1, 1, 3, 3, 6, FALSE, 18 },
    { "after an add", 8, 12, 12, 1, 24, 3, 1, 1, 1, 1, 8, TRUE, 48 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* More padding than the kernel is large: whole strips of output whose windows hold no pixel. Whether they run as blocks
 * is the engine's choice. */
TEST (Blocks, WindowsBesideTheImage)
{
  static const Case cases[] = {
    { "k1, padding 1", 4, 3, 150, 1, 12, 1, 1, 1, 1, 1, 5, FALSE, 0 },
    { "k1, padding 3", 4, 3, 150, 1, 12, 1, 1, 3, 1, 1, 5, FALSE, 0 },
    { "k2, padding 4, s2", 4, 3, 5, 1, 12, 2, 2, 4, 1, 1, 5, FALSE, 0 },
    { "k3, padding 4", 4, 2, 40, 1, 12, 3, 1, 4, 1, 1, 5, FALSE, 0 },
  };

  check_cases (cases, G_N_ELEMENTS (cases));
}

/* An image's output depends on no other image, nor on how many groups the plan could hold. */
TEST (Blocks, FewerImagesThanThePlanHolds)
{
  static const Case c = { "batch", 8, 11, 9, 1, 48, 5, 1, 2, 2, 2, 8, TRUE, 0 };
  static const guint sizes[] = { 1, 31, 33 };
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (3, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveNetwork) network = build (&c, NOWHERE, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1);
  g_autoptr (CleaveRandom) random = cleave_random_new (12, 0, 0, 0);
  REQUIRE (nn_supernet_add_network (supernet, network, &error));
  fill_arrays (supernet, random);
  g_autofree float *images = draw_images (network, 70, random);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, 70, NN_PLAN_FORWARD, &error);
  REQUIRE_NO_ERROR (error);
  gsize size = nn_plan_get_output_size (plan);
  g_autofree float *all = g_new (float, 70 * size), *some = g_new (float, 70 * size);

  nn_plan_forward_head (plan, NN_MODE_EVALUATE, images, 70);
  nn_plan_forward_tail (plan, NN_MODE_EVALUATE, NULL, 0);
  nn_plan_get_output (plan, all);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      nn_plan_forward_head (plan, NN_MODE_EVALUATE, images, sizes[i]);
      nn_plan_forward_tail (plan, NN_MODE_EVALUATE, NULL, 0);
      nn_plan_get_output (plan, some);
      EXPECT_TRUE (memcmp (some, all, sizes[i] * size * sizeof (float)) == 0);
    }
}
