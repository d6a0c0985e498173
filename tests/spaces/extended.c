/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "nn.h"
#include "test.h"
#include "tiny.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define N_BLOCKS 22
#define N_CHOICES 15
#define SKIP_BLOCK 8
/* The first of the six that compress, and some more. */
#define C3_E1_2 9
#define C3_E1_8 11
#define C5_E1_4 13

/* Mid channels are those in × expansion ÷ divisor. The skip has none. */
static const struct
{
  guint kernel, expansion, divisor, groups;
} forms[N_CHOICES] = { { 3, 1, 1, 1 }, { 3, 1, 1, 2 }, { 3, 3, 1, 1 }, { 3, 6, 1, 1 }, { 5, 1, 1, 1 },
                       { 5, 1, 1, 2 }, { 5, 3, 1, 1 }, { 5, 6, 1, 1 }, { 0, 0, 0, 0 }, { 3, 1, 2, 1 },
                       { 3, 1, 4, 1 }, { 3, 1, 8, 1 }, { 5, 1, 2, 1 }, { 5, 1, 4, 1 }, { 5, 1, 8, 1 } };

/* The stages on CIFAR's images: blocks, channels of the first one's input and of all outputs, rows likewise. */
static const struct
{
  guint n_blocks, in_channels, out_channels, in_rows, out_rows;
} stages[] = {
  { 1, 16, 16, 32, 32 }, { 4, 16, 24, 32, 32 }, { 4, 24, 32, 32, 16 }, { 4, 32, 64, 16, 8 },
  { 4, 64, 112, 8, 8 },  { 4, 112, 184, 8, 4 }, { 1, 184, 352, 4, 4 },
};

typedef struct
{
  guint in_channels, out_channels, in_rows, out_rows;
} Shape;

/* Of block NUMBER, from 1. */
static Shape
block_shape (guint number)
{
  guint stage = 0, index = number - 1;

  while (index >= stages[stage].n_blocks)
    index -= stages[stage++].n_blocks;
  return index == 0 ? (Shape){ stages[stage].in_channels, stages[stage].out_channels, stages[stage].in_rows,
                               stages[stage].out_rows }
                    : (Shape){ stages[stage].out_channels, stages[stage].out_channels, stages[stage].out_rows,
                               stages[stage].out_rows };
}

static GObject *
make (CleaveKind kind, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  GObject *component = host != NULL ? cleave_host_create (host, kind, name, &error) : NULL;

  EXPECT_NO_ERROR (error);
  return component;
}

static CleaveSpace *
make_space (const char *name)
{
  return (CleaveSpace *)make (CLEAVE_KIND_SPACE, name);
}

/* All blocks k3_e1 but block number OTHER_BLOCK (from 1; 0: none), which is of OTHER. */
static CleaveNetwork *
build (CleaveSpace *space, guint other_block, guint other, guint split)
{
  guint choices[N_BLOCKS + 1] = { 0 };
  g_autoptr (GError) error = NULL;

  if (other_block > 0)
    choices[other_block - 1] = other;
  choices[N_BLOCKS] = split;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_BLOCKS + 1);
  CleaveNetwork *network = cleave_space_build (space, candidate, &error);
  EXPECT_NO_ERROR (error);
  return network;
}

/* The six that compress in turn, beginning with the one of this number. */
static CleaveNetwork *
build_compressing (CleaveSpace *space, guint first, guint split)
{
  guint choices[N_BLOCKS + 1];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_BLOCKS; i++)
    choices[i] = C3_E1_2 + (first + i) % 6;
  choices[N_BLOCKS] = split;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_BLOCKS + 1);
  CleaveNetwork *network = cleave_space_build (space, candidate, &error);
  EXPECT_NO_ERROR (error);
  return network;
}

TEST (Extended, Variables)
{
  g_autoptr (CleaveSpace) space = make_space ("extended");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL);
  g_autoptr (GVariant) variables = cleave_space_variables (space, &error);
  REQUIRE_NO_ERROR (error);
  const char *name;

  REQUIRE (EXPECT_INT (g_variant_n_children (variables), 23));
  for (guint i = 0; i < N_BLOCKS; i++)
    {
      g_autofree const char **categories = NULL;
      g_autofree char *expected = g_strdup_printf ("block-%u", i + 1);
      g_variant_get_child (variables, i, "(&s^a&s)", &name, &categories);
      g_autofree char *joined = g_strjoinv (" ", (GStrv)categories);
      EXPECT_STRING (name, expected);
      EXPECT_STRING (joined, "k3_e1 k3_e1_g2 k3_e3 k3_e6 k5_e1 k5_e1_g2 k5_e3 k5_e6 skip "
                             "c3_e1/2 c3_e1/4 c3_e1/8 c5_e1/2 c5_e1/4 c5_e1/8");
    }

  g_autoptr (GVariant) splits = NULL;
  g_variant_get_child (variables, N_BLOCKS, "(&s@as)", &name, &splits);
  EXPECT_STRING (name, "split");
  EXPECT_INT (g_variant_n_children (splits), 23);
}

/* --- shapes --- */

/* The conv at this index and its norm. */
static void
expect_conv (CleaveNetwork *network, guint index, guint in_channels, guint out_channels, guint kernel, guint stride,
             guint groups, guint out_rows)
{
  const CleaveOp *op = cleave_network_get_op (network, index);

  EXPECT_INT (op->kind, CLEAVE_OP_CONV);
  EXPECT_INT (op->in_channels, in_channels);
  EXPECT_INT (op->out_channels, out_channels);
  EXPECT_INT (op->kernel, kernel);
  EXPECT_INT (op->stride, stride);
  EXPECT_INT (op->padding, kernel / 2);
  EXPECT_INT (op->groups, groups);
  EXPECT_INT (op->out_height, out_rows);
  EXPECT_INT (op->out_width, out_rows);
  EXPECT_INT (cleave_network_get_op (network, index + 1)->kind, CLEAVE_OP_NORM);
}

/* Block NUMBER of this choice, where the network is cut. */
static void
check_block (CleaveNetwork *network, guint number, guint choice)
{
  const CleaveBlock *block = cleave_network_get_block (network, number);
  const Shape shape = block_shape (number);
  const gboolean compresses = forms[choice].divisor > 1;
  const gboolean adds = !compresses && shape.in_channels == shape.out_channels && shape.in_rows == shape.out_rows;
  const guint mid_channels = shape.in_channels * forms[choice].expansion / forms[choice].divisor;
  const guint depthwise = block->first_op + 3 + (forms[choice].groups > 1), project = depthwise + 3;

  if (!EXPECT_INT (block->end_op, project + 2 + adds))
    return;
  expect_conv (network, block->first_op, shape.in_channels, mid_channels, 1, 1, forms[choice].groups, shape.in_rows);
  EXPECT_INT (cleave_network_get_op (network, block->first_op + 2)->kind, CLEAVE_OP_RELU);
  if (forms[choice].groups > 1)
    EXPECT_INT (cleave_network_get_op (network, depthwise - 1)->kind, CLEAVE_OP_SHUFFLE);
  expect_conv (network, depthwise, mid_channels, mid_channels, forms[choice].kernel, shape.in_rows / shape.out_rows,
               mid_channels, shape.out_rows);
  EXPECT_INT (cleave_network_get_op (network, depthwise + 2)->kind, CLEAVE_OP_RELU);
  expect_conv (network, project, mid_channels, shape.out_channels, 1, 1, forms[choice].groups, shape.out_rows);
  EXPECT_INT (cleave_network_get_op (network, block->end_op - 1)->kind, adds ? CLEAVE_OP_ADD : CLEAVE_OP_NORM);
  EXPECT_INT (cleave_network_get_cut (network), compresses ? project : block->end_op);
  EXPECT_INT (cleave_network_get_payload_elements (network),
              (compresses ? mid_channels : shape.out_channels) * shape.out_rows * shape.out_rows);
}

TEST (Extended, EveryBlockAndTheCutThere)
{
  g_autoptr (CleaveSpace) space = make_space ("extended");
  REQUIRE (space != NULL);

  for (guint number = 1; number <= N_BLOCKS; number++)
    for (guint choice = 0; choice < N_CHOICES; choice++)
      {
        g_autoptr (CleaveNetwork) network = build (space, number, choice, number);
        REQUIRE (network != NULL);
        if (choice != SKIP_BLOCK)
          check_block (network, number, choice);
      }
}

/* By hand: channels in ÷ 2, 4 or 8, times rows and columns out. */
TEST (Extended, PayloadsByHand)
{
  static const struct
  {
    const char *macro_architecture;
    guint block, choice;
    gsize payload;
  } cases[] = {
    { "cifar", 1, C3_E1_2, 8 * 32 * 32 },      { "cifar", 2, C3_E1_8, 2 * 32 * 32 },
    { "cifar", 3, C3_E1_8, 3 * 32 * 32 },      { "cifar", 6, C5_E1_4, 6 * 16 * 16 },
    { "cifar", 18, C3_E1_8, 14 * 4 * 4 },      { "cifar", 22, C3_E1_8, 23 * 4 * 4 },
    { "imagenet", 1, C3_E1_2, 8 * 112 * 112 }, { "imagenet", 2, C5_E1_4, 4 * 56 * 56 },
    { "imagenet", 18, C3_E1_8, 14 * 7 * 7 },   { "imagenet", 22, C3_E1_2, 92 * 7 * 7 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (CleaveSpace) space = make_space ("extended");
      REQUIRE (space != NULL);
      g_object_set (space, "macro-architecture", cases[i].macro_architecture, NULL);
      g_autoptr (CleaveNetwork) network = build (space, cases[i].block, cases[i].choice, cases[i].block);
      REQUIRE (network != NULL);
      EXPECT_INT (cleave_network_get_payload_elements (network), cases[i].payload);
    }
}

/* Only the block at the split point is cut inside: the stem and all others are cut at their end. */
TEST (Extended, CutsElsewhere)
{
  g_autoptr (CleaveSpace) space = make_space ("extended");
  REQUIRE (space != NULL);

  for (guint split = 0; split <= N_BLOCKS; split++)
    {
      const guint other = split < N_BLOCKS ? split + 1 : 1;
      g_autoptr (CleaveNetwork) network = build (space, other, C3_E1_8, split);
      REQUIRE (network != NULL);
      EXPECT_INT (cleave_network_get_cut (network), cleave_network_get_block (network, split)->end_op);
    }
}

/* All blocks compress, at every split point: no op adds, though the shapes of 16 blocks would allow it. */
TEST (Extended, CompressingBlocksAddNothing)
{
  g_autoptr (CleaveSpace) space = make_space ("extended");
  REQUIRE (space != NULL);

  for (guint split = 0; split <= N_BLOCKS; split++)
    {
      g_autoptr (CleaveNetwork) network = build_compressing (space, split, split);
      REQUIRE (network != NULL);
      for (guint i = 0; i < cleave_network_get_n_ops (network); i++)
        EXPECT_TRUE (cleave_network_get_op (network, i)->kind != CLEAVE_OP_ADD);
    }
}

static gboolean
is_same_op (const CleaveOp *a, const CleaveOp *b)
{
  return a->kind == b->kind && g_strcmp0 (a->name, b->name) == 0 && a->block == b->block
         && a->in_channels == b->in_channels && a->in_height == b->in_height && a->in_width == b->in_width
         && a->out_channels == b->out_channels && a->out_height == b->out_height && a->out_width == b->out_width
         && a->kernel == b->kernel && a->stride == b->stride && a->padding == b->padding && a->groups == b->groups
         && a->source == b->source;
}

static void
expect_same_network (CleaveNetwork *a, CleaveNetwork *b)
{
  REQUIRE (a != NULL && b != NULL);
  REQUIRE (EXPECT_INT (cleave_network_get_n_ops (a), cleave_network_get_n_ops (b)));
  REQUIRE (EXPECT_INT (cleave_network_get_n_blocks (a), cleave_network_get_n_blocks (b)));

  for (guint i = 0; i < cleave_network_get_n_ops (a); i++)
    EXPECT_TRUE (is_same_op (cleave_network_get_op (a, i), cleave_network_get_op (b, i)));
  for (guint i = 0; i < cleave_network_get_n_blocks (a); i++)
    {
      EXPECT_STRING (cleave_network_get_block (a, i)->name, cleave_network_get_block (b, i)->name);
      EXPECT_STRING (cleave_network_get_block (a, i)->choice, cleave_network_get_block (b, i)->choice);
    }
  EXPECT_INT (cleave_network_get_cut (a), cleave_network_get_cut (b));
}

/* The first nine choices of every block are those of fbnet. */
TEST (Extended, FirstNineAreFbnets)
{
  g_autoptr (CleaveSpace) extended = make_space ("extended");
  g_autoptr (CleaveSpace) fbnet = make_space ("fbnet");
  REQUIRE (extended != NULL && fbnet != NULL);

  for (guint number = 1; number <= N_BLOCKS; number++)
    for (guint choice = 0; choice < C3_E1_2; choice++)
      {
        g_autoptr (CleaveNetwork) network = build (extended, number, choice, number);
        g_autoptr (CleaveNetwork) expected = build (fbnet, number, choice, number);
        expect_same_network (network, expected);
      }
}

/* Named as the blocks of HW-NAS-Bench's PyTorch model are. */
TEST (Extended, ParameterNames)
{
  static const char *const expected[]
      = { "cells.3.conv1.weight", "cells.3.bn1.weight", NULL, "cells.3.conv2.weight", "cells.3.bn2.weight", NULL,
          "cells.3.conv3.weight", "cells.3.bn3.weight" };
  g_autoptr (CleaveSpace) space = make_space ("extended");
  REQUIRE (space != NULL);
  g_autoptr (CleaveNetwork) network = build (space, 4, C5_E1_4, 4);
  REQUIRE (network != NULL);
  const CleaveBlock *block = cleave_network_get_block (network, 4);

  EXPECT_STRING (block->name, "cells.3");
  EXPECT_STRING (block->choice, "c5_e1/4");
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    if (expected[i] != NULL)
      {
        g_autofree char *name = cleave_network_parameter_name (network, block->first_op + i, "weight");
        EXPECT_STRING (name, expected[i]);
      }
}

TEST (Extended, CandidatesThatDoNotFit)
{
  guint choices[N_BLOCKS + 1] = { 0 };
  g_autoptr (CleaveSpace) space = make_space ("extended");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL);

  choices[2] = N_CHOICES;
  g_autoptr (CleaveCandidate) category = cleave_candidate_new (choices, N_BLOCKS + 1);
  EXPECT_TRUE (cleave_space_build (space, category, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "block-3 15 is outside 0–14");
}

/* --- latency of half a block --- */

TEST (Extended, FlopsOfHeadAndTail)
{
  g_autoptr (CleaveSpace) space = make_space ("extended");
  g_autoptr (GObject) flops = make (CLEAVE_KIND_ORACLE, "flops");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL && flops != NULL);
  CleaveOracle *oracle = CLEAVE_ORACLE (flops);

  for (guint split = 0; split <= N_BLOCKS; split++)
    {
      g_autoptr (CleaveNetwork) network = build_compressing (space, split, split);
      REQUIRE (network != NULL);
      const guint cut = cleave_network_get_cut (network), n_ops = cleave_network_get_n_ops (network);
      const double head = cleave_oracle_estimate (oracle, network, 0, cut, &error);
      const double tail = cleave_oracle_estimate (oracle, network, cut, n_ops, &error);
      EXPECT_RELATIVE (head + tail, cleave_oracle_estimate (oracle, network, 0, n_ops, &error), 1e-12);
      EXPECT_TRUE (head > 0 && tail > 0);
    }

  /* Block 2, 16 → 24 at 32², 8 inside. The head has 8·16·32², 5·8·32², 8·9·32², 5·8·32² of it; the tail 24·8·32² and
   * 5·24·32². raspi4, the default, does 2.3562 GFLOPS (NASC, Table III). */
  g_autoptr (CleaveNetwork) network = build (space, 2, C3_E1_2, 2);
  REQUIRE (network != NULL);
  const CleaveBlock *block = cleave_network_get_block (network, 2);
  const guint cut = cleave_network_get_cut (network);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, block->first_op, cut, &error),
                   (131072 + 40960 + 73728 + 40960) / 2.3562e9, 1e-14);
  EXPECT_RELATIVE (cleave_oracle_estimate (oracle, network, cut, block->end_op, &error), (196608 + 122880) / 2.3562e9,
                   1e-14);
  EXPECT_NO_ERROR (error);
}

/* The fixture has k3_e1 only, which is all of this network but the block in question. */
TEST (Extended, TableHasNoHalfBlocks)
{
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autoptr (CleaveSpace) space = make_space ("extended");
  g_autoptr (GObject) component = make (CLEAVE_KIND_ORACLE, "hw-nas-bench");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL && component != NULL);
  CleaveOracle *oracle = CLEAVE_ORACLE (component);
  g_object_set (component, "table", table, "device", "small", NULL);

  g_autoptr (CleaveNetwork) inside = build (space, 7, C3_E1_2, 7);
  g_autoptr (CleaveNetwork) before = build (space, 7, C3_E1_2, 6);
  REQUIRE (inside != NULL && before != NULL);
  const guint cut = cleave_network_get_cut (inside), n_ops = cleave_network_get_n_ops (inside);

  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, inside, 0, cut, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED,
                "part of block cells.6; a table has whole blocks only, expected an oracle that estimates single ops, "
                "such as flops");
  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, inside, cut, n_ops, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "part of block cells.6; a table has whole blocks only");
  EXPECT_TRUE (cleave_oracle_estimate (oracle, before, 0, cleave_network_get_cut (before), &error) > 0);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (isnan (cleave_oracle_estimate (oracle, before, cleave_network_get_cut (before), n_ops, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED,
                "block cells.6, c3_e1/2 is of no form that HW-NAS-Bench has measured, expected an oracle that "
                "estimates single ops, such as flops");
}

/* --- training --- */

#define N_IMAGES 8
#define N_CLASSES 4
#define N_STEPS 20

/* Loss of the images before each step. */
static void
train (NnEngine *engine, NnSupernet *supernet, CleaveNetwork *network, double losses[N_STEPS], GError **error)
{
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, N_IMAGES, NN_PLAN_BACKWARD, error);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 0, 0, 0);
  const gsize n_lossy = N_IMAGES * cleave_network_get_payload_elements (network);
  const NnSgd sgd = { 0.05, 0.9, 0, 5 };
  g_autofree float *images = g_new (float, N_IMAGES * 3 * 32 * 32);
  float logits[N_IMAGES * N_CLASSES], gradient[N_IMAGES * N_CLASSES];
  guint16 labels[N_IMAGES];

  for (guint i = 0; i < N_IMAGES * 3 * 32 * 32; i++)
    images[i] = cleave_random_normal (random);
  for (guint i = 0; i < N_IMAGES; i++)
    labels[i] = i % N_CLASSES;
  for (guint step = 0; plan != NULL && step < N_STEPS; step++)
    {
      g_autoptr (GBytes) arrived = cleave_random_flags (random, n_lossy, 0.9);
      nn_supernet_begin_step (supernet);
      nn_plan_forward_head (plan, NN_MODE_TRAIN, images, N_IMAGES);
      nn_plan_forward_tail (plan, NN_MODE_TRAIN, g_bytes_get_data (arrived, NULL), 0.1);
      nn_plan_get_output (plan, logits);
      losses[step] = nn_cross_entropy (logits, labels, N_IMAGES, N_CLASSES, 1, gradient);
      nn_plan_backward (plan, gradient);
      EXPECT_TRUE (nn_supernet_step (engine, supernet, &sgd) > 0);
    }
}

/* The first blocks of the stages but the first, 2, 6, 10, 14, 18 and 22, compress, each in another way; the others are
 * skips. The link lies inside block 10. The images are learnt by heart, and no weight, before or after the link, stays
 * as it was. */
TEST (Extended, CompressingBlocksLearn)
{
  guint choices[N_BLOCKS + 1];
  g_autoptr (GError) error = NULL;
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveSpace) space = make_space ("extended");
  REQUIRE (space != NULL);
  g_object_set (space, "classes", N_CLASSES, NULL);
  for (guint i = 0; i < N_BLOCKS; i++)
    choices[i] = i % 4 == 1 ? C3_E1_2 + i / 4 : SKIP_BLOCK;
  choices[N_BLOCKS] = 10;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_BLOCKS + 1);
  g_autoptr (CleaveNetwork) network = cleave_space_build (space, candidate, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (3), untrained = nn_supernet_new (3);
  double losses[N_STEPS] = { 0 }, late = 0;

  train (engine, supernet, network, losses, &error);
  REQUIRE_NO_ERROR (error);
  REQUIRE (nn_supernet_add_network (untrained, network, &error));
  /* It begins at about ln 4 and falls to some 0.1, more in a step with unlucky losses on the link. */
  for (guint step = N_STEPS / 2; step < N_STEPS; step++)
    late += losses[step] / (N_STEPS - N_STEPS / 2);
  EXPECT_NEAR (losses[0], log (4), 0.3);
  EXPECT_TRUE (late < 0.5 * losses[0]);
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      const NnArray *after = nn_supernet_get_array (supernet, i), *before = nn_supernet_find (untrained, after->key);
      REQUIRE (before != NULL);
      test_check (memcmp (after->data, before->data, after->size * sizeof (float)) != 0, __FILE__, __LINE__,
                  "%s did not change", after->key);
    }
}

/* A search through the command: pre-training, search, re-training, result. The checkpoint, whose arrays bear the
 * choices' names, gives the same result again. */
TEST (Extended, SearchRunsToTheEnd)
{
  static const char *const more[]
      = { "--set", "space.plugin=extended", "--set", "dataset.size=32",  "--set", "pretrain.epochs=1",
          "--set", "search.epochs=1",       "--set", "retrain.epochs=1", "--set", "dataset.train-images=16",
          "--set", "dataset.test-images=4", NULL };
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autofree char *result_path = g_build_filename (out, "result.json", NULL);
  g_autofree char *err = NULL;

  test_check (tiny_search (out, more, &err) == 0, __FILE__, __LINE__, "%s", err);
  g_autofree char *result = tiny_read (out, "result.json");
  EXPECT_TRUE (strstr (result, "\"c3_e1/") != NULL || strstr (result, "\"c5_e1/") != NULL);
  EXPECT_TRUE (tiny_exists (out, "model.npz"));
  REQUIRE (g_unlink (result_path) == 0);
  EXPECT_INT (tiny_resume (out, NULL, NULL), 0);
  g_autofree char *again = tiny_read (out, "result.json");
  EXPECT_STRING (again, result);
}
