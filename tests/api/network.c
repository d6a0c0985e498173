/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

static CleaveNetworkBuilder *
begin (void)
{
  CleaveNetworkBuilder *builder = cleave_network_builder_new (4, 8, 8);

  cleave_network_builder_block (builder, "a", "choice");
  return builder;
}

/* A mistake keeps the network from being built, and whatever comes after it does no harm. */
static void
expect_mistake (CleaveNetworkBuilder *builder, const char *text)
{
  g_autoptr (GError) error = NULL;

  cleave_network_builder_relu (builder);
  EXPECT_TRUE (cleave_network_builder_build (builder, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, text);
  cleave_network_builder_unref (builder);
}

/* 3×8×8 → conv 3×3 to 4 → FBNet's block of 8 channels in 2 groups, stride 2, to 6 → pool → 10 classes. */
static CleaveNetwork *
make_network (void)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, 8, 8);
  g_autoptr (GError) error = NULL;

  cleave_network_builder_block (builder, "stem", NULL);
  cleave_network_builder_conv_norm_relu (builder, 4, 3, 1);
  cleave_network_builder_cut (builder);
  cleave_network_builder_block (builder, "cells.0", "wide");
  cleave_network_builder_expand_depthwise (builder, 8, 3, 2, 2);
  cleave_network_builder_project (builder, 6, 2);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_linear (builder, NULL, 10);
  CleaveNetwork *network = cleave_network_builder_build (builder, &error);
  EXPECT_NO_ERROR (error);
  return network;
}

TEST (Network, ShapesAndCost)
{
  /* Costs by hand. conv: out·in/groups·k²·H·W; norm: 5·C·H·W; linear: in·out. */
  const struct
  {
    CleaveOpKind kind;
    guint channels, size;
    double flops;
  } expected[] = {
    { CLEAVE_OP_CONV, 4, 8, 4 * 3 * 9 * 64 },
    { CLEAVE_OP_NORM, 4, 8, 5 * 4 * 64 },
    { CLEAVE_OP_RELU, 4, 8, 0 },
    { CLEAVE_OP_CONV, 8, 8, 8 * 2 * 64 },
    { CLEAVE_OP_NORM, 8, 8, 5 * 8 * 64 },
    { CLEAVE_OP_RELU, 8, 8, 0 },
    { CLEAVE_OP_SHUFFLE, 8, 8, 0 },
    { CLEAVE_OP_CONV, 8, 4, 8 * 9 * 16 },
    { CLEAVE_OP_NORM, 8, 4, 5 * 8 * 16 },
    { CLEAVE_OP_RELU, 8, 4, 0 },
    { CLEAVE_OP_CONV, 6, 4, 6 * 4 * 16 },
    { CLEAVE_OP_NORM, 6, 4, 5 * 6 * 16 },
    { CLEAVE_OP_POOL, 6, 1, 0 },
    { CLEAVE_OP_LINEAR, 10, 1, 60 },
  };
  g_autoptr (CleaveNetwork) network = make_network ();
  REQUIRE (network != NULL);
  REQUIRE (cleave_network_get_n_ops (network) == G_N_ELEMENTS (expected));

  double total = 0;
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      const CleaveOp *op = cleave_network_get_op (network, i);
      EXPECT_INT (op->kind, expected[i].kind);
      EXPECT_INT (op->out_channels, expected[i].channels);
      EXPECT_INT (op->out_height, expected[i].size);
      EXPECT_INT (op->out_width, expected[i].size);
      EXPECT_NEAR (op->flops, expected[i].flops, 0);
      total += expected[i].flops;
    }
  EXPECT_NEAR (cleave_network_get_flops (network, 0, 14), total, 0);
  EXPECT_NEAR (cleave_network_get_flops (network, 3, 5), 1024 + 2560, 0);
  /* fp32: 3·64 in, 4·64 out, 108 weights; norm: in, out, 4 numbers a channel; linear: 6 in, 10 out, 60 + 10. */
  EXPECT_NEAR (cleave_network_get_op (network, 0)->bytes, 4 * (192 + 256 + 108), 0);
  EXPECT_NEAR (cleave_network_get_op (network, 1)->bytes, 4 * (256 + 256 + 16), 0);
  EXPECT_NEAR (cleave_network_get_op (network, 13)->bytes, 4 * (6 + 10 + 70), 0);
}

TEST (Network, BlocksCutAndNames)
{
  g_autoptr (CleaveNetwork) network = make_network ();
  REQUIRE (network != NULL);

  EXPECT_INT (cleave_network_get_n_blocks (network), 3);
  EXPECT_INT (cleave_network_get_cut (network), 3);
  EXPECT_INT (cleave_network_get_payload_elements (network), 4 * 8 * 8);
  EXPECT_INT (cleave_network_get_in_channels (network), 3);
  const CleaveBlock *block = cleave_network_get_block (network, 1);
  EXPECT_STRING (block->name, "cells.0");
  EXPECT_STRING (block->choice, "wide");
  EXPECT_INT (block->first_op, 3);
  EXPECT_INT (block->end_op, 12);
  EXPECT_TRUE (cleave_network_get_block (network, 0)->choice == NULL);

  g_autofree char *norm = cleave_network_parameter_name (network, 4, "running_mean");
  g_autofree char *linear = cleave_network_parameter_name (network, 13, "bias");
  EXPECT_STRING (norm, "cells.0.bn1.running_mean");
  EXPECT_STRING (linear, "fc.bias");
}

TEST (Network, CopiesOutliveIt)
{
  CleaveNetwork *network = make_network ();
  REQUIRE (network != NULL);
  CleaveOp *op = g_boxed_copy (CLEAVE_TYPE_OP, cleave_network_get_op (network, 3));
  CleaveBlock *block = g_boxed_copy (CLEAVE_TYPE_BLOCK, cleave_network_get_block (network, 1));

  cleave_network_unref (network);
  EXPECT_STRING (op->name, "conv1");
  EXPECT_STRING (block->choice, "wide");
  g_boxed_free (CLEAVE_TYPE_OP, op);
  g_boxed_free (CLEAVE_TYPE_BLOCK, block);
}

TEST (Network, WithoutCut)
{
  g_autoptr (CleaveNetworkBuilder) builder = begin ();
  g_autoptr (GError) error = NULL;

  cleave_network_builder_relu (builder);
  g_autoptr (CleaveNetwork) network = cleave_network_builder_build (builder, &error);
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (cleave_network_get_cut (network), 1);
  EXPECT_INT (cleave_network_get_payload_elements (network), 0);
}

/* ⌊(rows + 2·padding − kernel) ÷ stride⌋ + 1: (8 + 2 − 5) ÷ 2 + 1 = 3.5 and (7 + 2 − 5) ÷ 2 + 1 = 3; then 2. */
TEST (Network, ConvRoundsDown)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (1, 8, 7);

  cleave_network_builder_block (builder, "a", NULL);
  cleave_network_builder_conv (builder, "even", 1, 5, 2, 1, 1);
  EXPECT_INT (cleave_network_builder_get_height (builder), 3);
  EXPECT_INT (cleave_network_builder_get_width (builder), 3);
  cleave_network_builder_conv (builder, "odd", 2, 3, 2, 1, 1);
  EXPECT_INT (cleave_network_builder_get_height (builder), 2);
  EXPECT_INT (cleave_network_builder_get_channels (builder), 2);
}

TEST (NetworkBuilder, ImageWithoutSize)
{
  expect_mistake (cleave_network_builder_new (0, 8, 8), "channels is 0, expected 1–65535");
  expect_mistake (cleave_network_builder_new (3, 0, 8), "height is 0");
  expect_mistake (cleave_network_builder_new (3, 8, 65536), "width is 65536");
  expect_mistake (cleave_network_builder_new (65535, 65535, 65535), "more than 2^31 elements");
}

TEST (NetworkBuilder, EmptyNetwork)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, 8, 8);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_network_builder_build (builder, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "it has no op");
}

TEST (NetworkBuilder, OpBeforeBlock) { expect_mistake (cleave_network_builder_new (3, 8, 8), "before any block"); }

TEST (NetworkBuilder, EmptyBlock)
{
  CleaveNetworkBuilder *builder = begin ();
  g_autoptr (GError) error = NULL;

  cleave_network_builder_block (builder, "b", NULL);
  expect_mistake (builder, "block “a” (choice), op 0: the block has no op");

  g_autoptr (CleaveNetworkBuilder) last = begin ();
  cleave_network_builder_relu (last);
  cleave_network_builder_block (last, "b", NULL);
  EXPECT_TRUE (cleave_network_builder_build (last, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "block “b”, op 1: the block has no op");
}

TEST (NetworkBuilder, ConvSizes)
{
  const struct
  {
    guint out_channels, kernel, stride, padding, groups;
    const char *text;
  } mistakes[] = {
    { 0, 1, 1, 0, 1, "out_channels is 0" },
    { 65536, 1, 1, 0, 1, "out_channels is 65536" },
    { 4, 0, 1, 0, 1, "kernel is 0" },
    { 4, 1, 0, 0, 1, "stride is 0" },
    { 4, 1, 1, 0, 0, "groups is 0" },
    { 4, 1, 1, G_MAXUINT, 1, "padding is 4294967295" },
    { 4, 9, 1, 0, 1, "the kernel (9) is larger than the padded height (8 + 2 × 0)" },
    { 4, 11, 1, 1, 1, "the kernel (11) is larger than the padded height (8 + 2 × 1)" },
    { 4, 1, 1, 0, 3, "3 groups do not divide 4 channels in and 4 out" },
    { 6, 1, 1, 0, 4, "4 groups do not divide 4 channels in and 6 out" },
    { 65535, 1, 1, 100, 1, "the output has more than 2^31 elements (65535 × 208 × 208)" },
    { 65535, 1000, 1, 500, 1, "more than 2^31 elements" },
    { 65535, 4001, 65535, 2000, 1, "the weight has more than 2^31 elements (65535 × 4 × 16008001)" },
    { 1, 1, 1, 65535, 1, "height is 131078, expected 1–65535" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      CleaveNetworkBuilder *builder = begin ();
      cleave_network_builder_conv (builder, "c", mistakes[i].out_channels, mistakes[i].kernel, mistakes[i].stride,
                                   mistakes[i].padding, mistakes[i].groups);
      EXPECT_INT (cleave_network_builder_get_last_op (builder), -1);
      expect_mistake (builder, mistakes[i].text);
    }
}

TEST (NetworkBuilder, Shuffle)
{
  CleaveNetworkBuilder *builder = begin ();
  cleave_network_builder_shuffle (builder, 3);
  expect_mistake (builder, "shuffle: 3 groups do not divide 4 channels");

  builder = begin ();
  cleave_network_builder_shuffle (builder, 0);
  expect_mistake (builder, "groups is 0");
}

TEST (NetworkBuilder, Add)
{
  CleaveNetworkBuilder *builder = begin ();
  cleave_network_builder_conv (builder, "c", 5, 1, 1, 0, 1);
  cleave_network_builder_add (builder, -1);
  expect_mistake (builder, "add: shapes differ: 5×8×8 here, 4×8×8 at op -1");

  builder = begin ();
  cleave_network_builder_relu (builder);
  cleave_network_builder_add (builder, 1);
  expect_mistake (builder, "add: source 1 is outside");

  builder = begin ();
  cleave_network_builder_relu (builder);
  cleave_network_builder_add (builder, -2);
  expect_mistake (builder, "add: source -2 is outside");
}

TEST (NetworkBuilder, Linear)
{
  CleaveNetworkBuilder *builder = begin ();
  cleave_network_builder_linear (builder, NULL, 10);
  expect_mistake (builder, "linear: its input is 4×8×8, expected 1×1");

  builder = begin ();
  cleave_network_builder_pool (builder);
  cleave_network_builder_linear (builder, NULL, 0);
  expect_mistake (builder, "out_features is 0");
}

TEST (NetworkBuilder, NamesUsedTwice)
{
  CleaveNetworkBuilder *builder = begin ();
  cleave_network_builder_norm (builder, "x");
  cleave_network_builder_norm (builder, "x");
  expect_mistake (builder, "the parameter name “a.x” is used twice");

  builder = begin ();
  cleave_network_builder_norm (builder, "x.y");
  cleave_network_builder_block (builder, "a.x", NULL);
  cleave_network_builder_norm (builder, "y");
  expect_mistake (builder, "“a.x.y” is used twice");

  builder = cleave_network_builder_new (1, 1, 1);
  cleave_network_builder_block (builder, "", NULL);
  cleave_network_builder_norm (builder, NULL);
  expect_mistake (builder, "has no name");
}

TEST (NetworkBuilder, Cut)
{
  CleaveNetworkBuilder *builder = begin ();
  cleave_network_builder_cut (builder);
  expect_mistake (builder, "before the first op");

  builder = begin ();
  cleave_network_builder_relu (builder);
  cleave_network_builder_cut (builder);
  cleave_network_builder_relu (builder);
  cleave_network_builder_cut (builder);
  expect_mistake (builder, "a second cut; the first is after op 0");

  g_autoptr (CleaveNetworkBuilder) last = begin ();
  g_autoptr (GError) error = NULL;
  cleave_network_builder_relu (last);
  cleave_network_builder_cut (last);
  EXPECT_TRUE (cleave_network_builder_build (last, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "no op comes after the cut");
}

/* Ops 0, 1, 2 and an add of SOURCE as op 3; the cut after op CUT. */
static CleaveNetworkBuilder *
make_residual (gint source, guint cut)
{
  CleaveNetworkBuilder *builder = begin ();

  for (guint i = 0; i < 4; i++)
    {
      if (i < 3)
        cleave_network_builder_relu (builder);
      else
        cleave_network_builder_add (builder, source);
      if (i == cut)
        cleave_network_builder_cut (builder);
    }
  return builder;
}

TEST (NetworkBuilder, CutBetweenAddAndItsSource)
{
  expect_mistake (make_residual (0, 1), "cut after op 1 lies between the add, op 3, and its source, op 0");
  expect_mistake (make_residual (0, 2), "two arrays would cross");
  expect_mistake (make_residual (-1, 0), "and its source, op -1");

  /* What is added is the payload itself, or the add is before the cut. */
  g_autoptr (CleaveNetworkBuilder) payload = make_residual (0, 0);
  g_autoptr (CleaveNetworkBuilder) before = make_residual (0, 3);
  g_autoptr (GError) error = NULL;
  cleave_network_builder_relu (before);
  g_autoptr (CleaveNetwork) first = cleave_network_builder_build (payload, &error);
  EXPECT_NO_ERROR (error);
  g_autoptr (CleaveNetwork) second = cleave_network_builder_build (before, &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (first != NULL && second != NULL);
}

TEST (Candidate, ChoicesAndSplit)
{
  const guint choices[] = { 3, 1, 7 };
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, 3);
  g_autoptr (CleaveCandidate) same = cleave_candidate_new (choices, 3);
  g_autoptr (CleaveCandidate) shorter = cleave_candidate_new (choices, 2);
  g_autoptr (CleaveCandidate) other = cleave_candidate_with_split (candidate, 5);

  EXPECT_INT (cleave_candidate_get_length (candidate), 3);
  EXPECT_INT (cleave_candidate_get (candidate, 1), 1);
  EXPECT_INT (cleave_candidate_get_split (candidate), 7);
  EXPECT_INT (cleave_candidate_get_split (other), 5);
  EXPECT_INT (cleave_candidate_get (other, 0), 3);
  EXPECT_TRUE (cleave_candidate_equal (candidate, same));
  EXPECT_TRUE (!cleave_candidate_equal (candidate, other));
  EXPECT_TRUE (!cleave_candidate_equal (candidate, shorter));
}
