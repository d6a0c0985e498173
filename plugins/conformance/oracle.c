/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What holds for every oracle. It is asked about networks of a space, since one that looks blocks up in a table knows
 * no others. */

#include "conformance-private.h"

#include <math.h>

#define N_NETWORKS 4
#define PURPOSE 3
/* Of sums in another order. */
#define TOLERANCE 1e-9

/* A network of three blocks, where there is no space. */
static CleaveNetwork *
build_plain (GError **error)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (3, 32, 32);

  cleave_network_builder_block (builder, "stem", NULL);
  cleave_network_builder_conv_norm_relu (builder, 16, 3, 1);
  cleave_network_builder_block (builder, "cells.0", "k3_e3");
  cleave_network_builder_expand_depthwise (builder, 48, 3, 2, 1);
  cleave_network_builder_project (builder, 24, 1);
  cleave_network_builder_cut (builder);
  cleave_network_builder_block (builder, "avgpool", NULL);
  cleave_network_builder_pool (builder);
  cleave_network_builder_block (builder, "fc", NULL);
  cleave_network_builder_linear (builder, NULL, 100);
  return cleave_network_builder_build (builder, error);
}

/* The first category of every variable, then categories at random. */
static CleaveNetwork *
build_network (Conformance *self, guint32 index, GError **error)
{
  CleaveSpace *space = self->subject->space;

  if (space == NULL)
    return build_plain (error);
  g_autoptr (GVariant) variables = cleave_space_variables (space, error);
  if (variables == NULL)
    return NULL;

  gsize n_variables = g_variant_n_children (variables);
  g_autofree guint *zeros = g_new0 (guint, n_variables);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, PURPOSE, index, 0);
  g_autoptr (CleaveCandidate) candidate
      = index > 0 ? cleave_candidate_new_random (variables, random) : cleave_candidate_new (zeros, n_variables);
  return cleave_space_build (space, candidate, error);
}

static gboolean
use_oracle (Conformance *self, GObject *component, GError **error)
{
  g_autoptr (CleaveNetwork) network = build_network (self, 0, error);

  return network != NULL
         && !isnan (
             cleave_oracle_estimate (CLEAVE_ORACLE (component), network, 0, cleave_network_get_n_ops (network), error));
}

/* --- stretches --- */

/* Seconds of the beginning and the rest of a network at every op: NaN where the oracle says that it can't tell. */
typedef struct
{
  guint n_ops;
  double *heads; /* ops 0 … i − 1 */
  double *tails; /* ops i … */
  guint n_refused;
  char *refusal; /* nullable: what it said */
} Stretches;

static void
stretches_clear (Stretches *self)
{
  g_free (self->heads);
  g_free (self->tails);
  g_free (self->refusal);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Stretches, stretches_clear)

static gboolean
estimate (Stretches *self, CleaveOracle *oracle, CleaveNetwork *network, guint first_op, guint end_op, double *seconds,
          GError **error)
{
  g_autoptr (GError) problem = NULL;

  *seconds = cleave_oracle_estimate (oracle, network, first_op, end_op, &problem);
  if (problem == NULL)
    return TRUE;
  if (!g_error_matches (problem, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&problem), "ops %u to %u of %u: ", first_op, end_op - 1,
                                  self->n_ops);
      return FALSE;
    }
  self->n_refused++;
  if (self->refusal == NULL)
    self->refusal = g_strdup (problem->message);
  return TRUE;
}

static gboolean
estimate_stretches (Stretches *self, CleaveOracle *oracle, CleaveNetwork *network, GError **error)
{
  guint n_ops = cleave_network_get_n_ops (network);

  self->n_ops = n_ops;
  self->heads = g_new0 (double, n_ops + 1);
  self->tails = g_new0 (double, n_ops + 1);
  for (guint i = 0; i <= n_ops; i++)
    if (!estimate (self, oracle, network, 0, i, &self->heads[i], error)
        || !estimate (self, oracle, network, i, n_ops, &self->tails[i], error))
      return FALSE;
  return TRUE;
}

typedef gboolean (*StretchesCheck) (Conformance *self, const Stretches *stretches, GError **error);

static gboolean
check_all (Conformance *self, StretchesCheck check, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);

  for (guint32 i = 0; component != NULL && i < N_NETWORKS; i++)
    {
      g_autoptr (CleaveNetwork) network = build_network (self, i, error);
      g_auto (Stretches) stretches = { 0 };

      if (network == NULL || !estimate_stretches (&stretches, CLEAVE_ORACLE (component), network, error)
          || !check (self, &stretches, error))
        return FALSE;
    }
  return component != NULL;
}

/* --- checks --- */

/* That estimates are finite and not negative is looked at where they are asked for. */
static gboolean
check_refusals (Conformance *self, const Stretches *stretches, GError **error)
{
  if (isnan (stretches->heads[stretches->n_ops]))
    return conformance_fail (error, "a whole network is refused: %s", stretches->refusal);
  if (stretches->n_refused > 0)
    conformance_note (self, "%u of %u stretches of a network are refused: %s", stretches->n_refused,
                      2 * stretches->n_ops + 2, stretches->refusal);
  return TRUE;
}

static gboolean
check_estimates (Conformance *self, GError **error)
{
  return check_all (self, check_refusals, error);
}

static gboolean
check_order (Conformance *self, const Stretches *stretches, GError **error)
{
  double longest_head = 0, longest_tail = 0;

  for (guint i = 0; i <= stretches->n_ops; i++)
    {
      double head = stretches->heads[i], tail = stretches->tails[stretches->n_ops - i];

      if (head < longest_head * (1 - TOLERANCE))
        return conformance_fail (error, "the first %u ops take %g s, fewer of them %g s: expected no less for more", i,
                                 head, longest_head);
      if (tail < longest_tail * (1 - TOLERANCE))
        return conformance_fail (error, "the last %u ops take %g s, fewer of them %g s: expected no less for more", i,
                                 tail, longest_tail);
      longest_head = fmax (longest_head, head);
      longest_tail = fmax (longest_tail, tail);
    }
  return TRUE;
}

static gboolean
check_monotone (Conformance *self, GError **error)
{
  return check_all (self, check_order, error);
}

/* The bound of `cleave latency --best` adds blocks up, so head and tail should add up to the whole. On a real device
 * they need not: an oracle of which that is meant says so in its manifest. */
static gboolean
check_sums (Conformance *self, const Stretches *stretches, GError **error)
{
  double whole = stretches->heads[stretches->n_ops];
  double largest = 0;
  guint place = 0;

  for (guint i = 0; i <= stretches->n_ops; i++)
    {
      double difference = fabs (stretches->heads[i] + stretches->tails[i] - whole) / whole;

      if (difference > largest)
        {
          largest = difference;
          place = i;
        }
    }
  if (largest <= TOLERANCE)
    return TRUE;

  const CleavePluginDescription *plugin = self->subject->plugin;
  if (plugin == NULL || plugin->not_additive == NULL)
    return conformance_fail (error,
                             "cut after %u ops, head and tail differ from the whole by %.3g %% of it; where that is "
                             "meant, the manifest says why in X-Cleave-Not-Additive",
                             place, 100 * largest);
  if (self->text == NULL)
    conformance_note (self, "no, by %.3g %% of the whole: %s", 100 * largest, plugin->not_additive);
  return TRUE;
}

static gboolean
check_additive (Conformance *self, GError **error)
{
  return check_all (self, check_sums, error);
}

/* A refusal is an answer too. */
static gboolean
check_same_seconds (const char *where, guint n_ops, double before, double now, GError **error)
{
  return before == now || (isnan (before) && isnan (now))
         || conformance_fail (error, "the %s %u ops took %.17g s and take %.17g s now", where, n_ops, before, now);
}

/* The same stretch takes the same time whatever was asked before, and of whichever component. */
static gboolean
check_same_twice (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);
  g_autoptr (GObject) another = component != NULL ? conformance_make (self, error) : NULL;
  g_autoptr (CleaveNetwork) network = another != NULL ? build_network (self, 1, error) : NULL;
  GObject *const asked[] = { component, component, another };
  g_auto (Stretches) first = { 0 };

  if (network == NULL || !estimate_stretches (&first, CLEAVE_ORACLE (component), network, error))
    return FALSE;
  for (gsize i = 1; i < G_N_ELEMENTS (asked); i++)
    {
      g_auto (Stretches) again = { 0 };

      if (!estimate_stretches (&again, CLEAVE_ORACLE (asked[i]), network, error))
        return FALSE;
      for (guint op = 0; op <= first.n_ops; op++)
        if (!check_same_seconds ("first", op, first.heads[op], again.heads[op], error)
            || !check_same_seconds ("last", first.n_ops - op, first.tails[op], again.tails[op], error))
          return FALSE;
    }
  return TRUE;
}

/* Networks as no space makes them: an estimate, or why there is none. */
static gboolean
check_nonsense (Conformance *self, GError **error)
{
  g_autoptr (GObject) component = conformance_make (self, error);

  for (guint i = 0; component != NULL && i < 3; i++)
    {
      g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (1 + i, 1, 1 + 7 * i);
      g_autoptr (GError) problem = NULL;

      cleave_network_builder_block (builder, "x", i == 1 ? "unheard-of" : NULL);
      if (i == 0)
        cleave_network_builder_identity (builder);
      else
        cleave_network_builder_conv (builder, "conv", 5, i, 3, 2, 1);
      g_autoptr (CleaveNetwork) network = cleave_network_builder_build (builder, error);
      if (network == NULL)
        return FALSE;
      if (isnan (cleave_oracle_estimate (CLEAVE_ORACLE (component), network, 0, 1, &problem))
          && !conformance_is_clean (problem))
        return conformance_fail (error, "a network of one op: %s", problem->message);
    }
  return component != NULL;
}

static const ConformanceCheck checks[] = {
  { "estimates", check_estimates, FALSE },          { "estimates: monotone", check_monotone, FALSE },
  { "estimates: additive", check_additive, FALSE }, { "estimates: same twice", check_same_twice, FALSE },
  { "estimates: nonsense", check_nonsense, FALSE }, { NULL, NULL, FALSE },
};

const ConformanceKind conformance_oracle = { use_oracle, 50, FALSE, checks };
