/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#define N_BLOCKS 22
#define K3_E1 0
#define K3_E6 3
#define K5_E1_G2 5
#define SKIP_BLOCK 8

static CleaveSpace *
make_space (const char *macro_architecture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (GObject) space = host != NULL ? cleave_host_create (host, CLEAVE_KIND_SPACE, "fbnet", &error) : NULL;

  if (!EXPECT_NO_ERROR (error))
    return NULL;
  g_object_set (space, "macro-architecture", macro_architecture, NULL);
  return CLEAVE_SPACE (g_steal_pointer (&space));
}

/* All blocks of one choice but block number OTHER_BLOCK (from 1), which is of OTHER. */
static CleaveNetwork *
build (CleaveSpace *space, guint choice, guint other_block, guint other, guint split)
{
  guint choices[N_BLOCKS + 1];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_BLOCKS; i++)
    choices[i] = i + 1 == other_block ? other : choice;
  choices[N_BLOCKS] = split;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_BLOCKS + 1);
  CleaveNetwork *network = cleave_space_build (space, candidate, &error);
  EXPECT_NO_ERROR (error);
  return network;
}

/* Block 0 is the stem, 1 … 22 the searchable ones, then header, pool, fc. */
static double
block_flops (CleaveNetwork *network, guint index)
{
  const CleaveBlock *block = cleave_network_get_block (network, index);

  return cleave_network_get_flops (network, block->first_op, block->end_op);
}

TEST (Fbnet, Variables)
{
  g_autoptr (CleaveSpace) space = make_space ("cifar");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL);
  g_autoptr (GVariant) variables = cleave_space_variables (space, &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_INT (g_variant_n_children (variables), 23);
  const char *name;
  g_autofree const char **categories = NULL;
  g_variant_get_child (variables, 21, "(&s^a&s)", &name, &categories);
  g_autofree char *joined = g_strjoinv (" ", (GStrv)categories);
  EXPECT_STRING (name, "block-22");
  EXPECT_STRING (joined, "k3_e1 k3_e1_g2 k3_e3 k3_e6 k5_e1 k5_e1_g2 k5_e3 k5_e6 skip");

  g_autoptr (GVariant) splits = NULL;
  g_variant_get_child (variables, 22, "(&s@as)", &name, &splits);
  EXPECT_STRING (name, "split");
  EXPECT_INT (g_variant_n_children (splits), 23);
}

/* Channels × rows × columns after the stem (0) and each block. */
static void
expect_payloads (const char *macro_architecture, const gsize *by_stage)
{
  static const guint first_of_stage[] = { 0, 2, 6, 10, 14, 18, 22, 23 };
  g_autoptr (CleaveSpace) space = make_space (macro_architecture);
  REQUIRE (space != NULL);

  for (guint choice = 0; choice <= SKIP_BLOCK; choice += 4)
    for (guint stage = 0; stage < 7; stage++)
      for (guint split = first_of_stage[stage]; split < first_of_stage[stage + 1]; split++)
        {
          g_autoptr (CleaveNetwork) network = build (space, choice, 0, 0, split);
          REQUIRE (network != NULL);
          EXPECT_INT (cleave_network_get_payload_elements (network), by_stage[stage]);
          EXPECT_INT (cleave_network_get_cut (network), cleave_network_get_block (network, split)->end_op);
        }
}

TEST (Fbnet, PayloadCifar)
{
  const gsize by_stage[]
      = { 16 * 32 * 32, 24 * 32 * 32, 32 * 16 * 16, 64 * 8 * 8, 112 * 8 * 8, 184 * 4 * 4, 352 * 4 * 4 };

  expect_payloads ("cifar", by_stage);
}

TEST (Fbnet, PayloadImagenet)
{
  const gsize by_stage[]
      = { 16 * 112 * 112, 24 * 56 * 56, 32 * 28 * 28, 64 * 14 * 14, 112 * 14 * 14, 184 * 7 * 7, 352 * 7 * 7 };

  expect_payloads ("imagenet", by_stage);
}

TEST (Fbnet, CostOfBlocks)
{
  g_autoptr (CleaveSpace) space = make_space ("cifar");
  REQUIRE (space != NULL);
  g_autoptr (CleaveNetwork) wide = build (space, K3_E1, 2, K3_E6, 0);
  g_autoptr (CleaveNetwork) grouped = build (space, K3_E1, 6, K5_E1_G2, 0);
  g_autoptr (CleaveNetwork) skip = build (space, SKIP_BLOCK, 0, 0, 0);
  REQUIRE (wide != NULL && grouped != NULL && skip != NULL);

  /* stem: 16·3·9·32² + 5·16·32² */
  EXPECT_NEAR (block_flops (wide, 0), 442368 + 81920, 0);
  /* 16 → 24 at 32², 96 inside: 96·16·32², 5·96·32², 96·9·32², 5·96·32², 24·96·32², 5·24·32² */
  EXPECT_NEAR (block_flops (wide, 2), 1572864 + 491520 + 884736 + 491520 + 2359296 + 122880, 0);
  /* 24 → 32, 32² to 16², 24 inside in 2 groups: 24·12·32², 5·24·32², 24·25·16², 5·24·16², 32·12·16², 5·32·16² */
  EXPECT_NEAR (block_flops (grouped, 6), 294912 + 122880 + 153600 + 30720 + 98304 + 40960, 0);
  /* An identity; then 32 → 64, 16² to 8²: 64·32·8² + 5·64·8². */
  EXPECT_NEAR (block_flops (skip, 1), 0, 0);
  EXPECT_NEAR (block_flops (skip, 10), 131072 + 20480, 0);
  /* header: 1504·352·4² + 5·1504·4²; pool; fc: 1504·100 */
  EXPECT_NEAR (block_flops (skip, 23), 8470528 + 120320, 0);
  EXPECT_NEAR (block_flops (skip, 24), 0, 0);
  EXPECT_NEAR (block_flops (skip, 25), 150400, 0);
}

TEST (Fbnet, ResidualsWhereShapesAllow)
{
  g_autoptr (CleaveSpace) space = make_space ("cifar");
  REQUIRE (space != NULL);
  g_autoptr (CleaveNetwork) network = build (space, K3_E6, 0, 0, 5);
  REQUIRE (network != NULL);

  for (guint i = 1; i <= N_BLOCKS; i++)
    {
      const CleaveBlock *block = cleave_network_get_block (network, i);
      const CleaveOp *last = cleave_network_get_op (network, block->end_op - 1);
      /* The first blocks of the stages but the first change the width: 2, 6, 10, 14, 18, 22. */
      const gboolean adds = i % 4 != 2;
      EXPECT_INT (last->kind == CLEAVE_OP_ADD, adds);
      if (adds)
        EXPECT_INT (last->source, (gint)block->first_op - 1);
    }
}

static char *
list_names (CleaveNetwork *network, guint block_index)
{
  const CleaveBlock *block = cleave_network_get_block (network, block_index);
  GString *names = g_string_new (NULL);

  for (guint i = block->first_op; i < block->end_op; i++)
    {
      const CleaveOpKind kind = cleave_network_get_op (network, i)->kind;
      if (kind != CLEAVE_OP_CONV && kind != CLEAVE_OP_NORM && kind != CLEAVE_OP_LINEAR)
        continue;
      g_autofree char *name = cleave_network_parameter_name (network, i, "weight");
      g_string_append_printf (names, "%s%s", names->len > 0 ? " " : "", name);
    }
  return g_string_free (names, FALSE);
}

/* The names of HW-NAS-Bench's PyTorch model. */
TEST (Fbnet, ParameterNames)
{
  g_autoptr (CleaveSpace) space = make_space ("cifar");
  REQUIRE (space != NULL);
  g_autoptr (CleaveNetwork) network = build (space, SKIP_BLOCK, 4, K5_E1_G2, 0);
  REQUIRE (network != NULL);
  const struct
  {
    guint block;
    const char *names;
  } expected[] = {
    { 0, "stem.conv.weight stem.bn.weight" },
    { 1, "" },
    { 2, "cells.1.conv.weight cells.1.bn.weight" },
    { 4, "cells.3.conv1.weight cells.3.bn1.weight cells.3.conv2.weight cells.3.bn2.weight cells.3.conv3.weight "
         "cells.3.bn3.weight" },
    { 23, "header.conv.weight header.bn.weight" },
    { 24, "" },
    { 25, "fc.weight" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *names = list_names (network, expected[i].block);
      EXPECT_STRING (names, expected[i].names);
    }
  EXPECT_STRING (cleave_network_get_block (network, 4)->choice, "k5_e1_g2");
  EXPECT_INT (cleave_network_get_op (network, cleave_network_get_block (network, 1)->first_op)->kind,
              CLEAVE_OP_IDENTITY);
}

static guint
count_classes (CleaveSpace *space)
{
  g_autoptr (CleaveNetwork) network = build (space, K3_E1, 0, 0, 0);

  return network != NULL ? cleave_network_get_op (network, cleave_network_get_n_ops (network) - 1)->out_channels : 0;
}

TEST (Fbnet, Classes)
{
  const double mean[] = { 0.5, 0.5, 0.5 };
  g_autoptr (CleaveDatasetInfo) info = cleave_dataset_info_new (10, 3, 32, 32, mean, mean);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveSpace) cifar = make_space ("cifar");
  g_autoptr (CleaveSpace) imagenet = make_space ("imagenet");
  REQUIRE (cifar != NULL && imagenet != NULL);

  EXPECT_INT (count_classes (cifar), 100);
  EXPECT_INT (count_classes (imagenet), 1000);
  EXPECT_TRUE (cleave_space_set_dataset (cifar, info, &error));
  EXPECT_INT (count_classes (cifar), 10);
  g_object_set (cifar, "classes", 7u, NULL);
  EXPECT_INT (count_classes (cifar), 7);
}

TEST (Fbnet, CandidatesThatDoNotFit)
{
  guint choices[24] = { 0 };
  g_autoptr (CleaveSpace) space = make_space ("cifar");
  g_autoptr (GError) error = NULL;
  REQUIRE (space != NULL);

  g_autoptr (CleaveCandidate) shorter = cleave_candidate_new (choices, 22);
  EXPECT_TRUE (cleave_space_build (space, shorter, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "architecture has 21 numbers, expected 22");
  g_autoptr (CleaveCandidate) empty = cleave_candidate_new (NULL, 0);
  EXPECT_TRUE (cleave_space_build (space, empty, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "empty");
  g_autoptr (CleaveCandidate) longer = cleave_candidate_new (choices, 24);
  EXPECT_TRUE (cleave_space_build (space, longer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "architecture has 23 numbers, expected 22");

  choices[22] = 23;
  g_autoptr (CleaveCandidate) split = cleave_candidate_new (choices, 23);
  EXPECT_TRUE (cleave_space_build (space, split, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "split 23 is outside 0–22");
  choices[22] = 0;
  choices[2] = 9;
  g_autoptr (CleaveCandidate) category = cleave_candidate_new (choices, 23);
  EXPECT_TRUE (cleave_space_build (space, category, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "block-3 9 is outside 0–8");
}
