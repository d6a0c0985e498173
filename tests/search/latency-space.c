/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "latency-space.h"

#include "cleave-config.h"
#include "tiny.h"

#include <math.h>

#define N_VARIABLES 4
#define N_CHOICES 3
#define N_SPLITS 4

/* Components of the tiny config, with this oracle as device; NULL with a failure recorded. */
static CleaveComponents *
make_components (const char *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveConfig) config = tiny_load_config ();
  g_autofree char *assignment = g_strdup_printf ("device.plugin=%s", device);
  g_autoptr (CleaveHost) host = tiny_make_host (&error);
  CleaveComponents *components = NULL;

  if (host != NULL && cleave_config_set (config, assignment, &error))
    components = cleave_components_new (host, config, &error);
  EXPECT_NO_ERROR (error);
  return components;
}

static CleaveLatencySpace *
make_space (CleaveComponents *components, GError **error)
{
  g_autoptr (GVariant) variables = cleave_space_variables (CLEAVE_SPACE (components->space), error);

  return variables != NULL ? cleave_latency_space_new (components, variables, 1, error) : NULL;
}

static double
estimate_ms (CleaveComponents *components, const guint *choices)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, N_VARIABLES);
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (components->space), candidate, &error);
  CleaveLatency latency = { 0 };

  if (network != NULL)
    cleave_latency_estimate (components, network, CLEAVE_PLACEMENT_SPLIT, &latency, &error);
  EXPECT_NO_ERROR (error);
  return latency.total_ms;
}

/* Candidate i of all. */
static void
count_up (guint i, guint *choices)
{
  for (guint d = 0; d + 1 < N_VARIABLES; d++, i /= N_CHOICES)
    choices[d] = i % N_CHOICES;
  choices[N_VARIABLES - 1] = i;
}

#define N_CANDIDATES (N_CHOICES * N_CHOICES * N_CHOICES * N_SPLITS)

/* Brute force over the tiny space's 108 candidates. */
TEST (LatencySpace, AgreesWithBruteForce)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveComponents) components = make_components ("flops");
  REQUIRE (components != NULL);
  g_autoptr (CleaveLatencySpace) space = make_space (components, &error);
  REQUIRE_NO_ERROR (error);
  double least_ms = INFINITY;

  for (guint i = 0; i < N_CANDIDATES; i++)
    {
      guint choices[N_VARIABLES];
      count_up (i, choices);
      double total_ms = estimate_ms (components, choices);

      EXPECT_RELATIVE (cleave_latency_space_total_ms (space, choices), total_ms, 1e-12);
      least_ms = MIN (least_ms, total_ms);
    }
  g_autoptr (CleaveCandidate) best = cleave_latency_space_find_best (space);
  EXPECT_RELATIVE (estimate_ms (components, cleave_candidate_get_choices (best, NULL)), least_ms, 1e-12);
}

/* Of n uniform draws a share of the candidates' that are within, to five standard deviations; none is below the bound,
 * all are within infinity. */
TEST (LatencySpace, CountsRandomCandidates)
{
  const guint64 n = 20000;
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveComponents) components = make_components ("flops");
  REQUIRE (components != NULL);
  g_autoptr (CleaveLatencySpace) space = make_space (components, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveCandidate) best = cleave_latency_space_find_best (space);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 1, 0, 0);
  double least_ms = cleave_latency_space_total_ms (space, cleave_candidate_get_choices (best, NULL)), limit_ms = 0;
  guint n_within = 0;

  for (guint i = 0; i < N_CANDIDATES; i++)
    {
      guint choices[N_VARIABLES];
      count_up (i, choices);
      limit_ms += cleave_latency_space_total_ms (space, choices) / N_CANDIDATES;
    }
  for (guint i = 0; i < N_CANDIDATES; i++)
    {
      guint choices[N_VARIABLES];
      count_up (i, choices);
      n_within += cleave_latency_space_total_ms (space, choices) <= limit_ms;
    }
  double share = (double)n_within / N_CANDIDATES;
  EXPECT_TRUE (share > 0.1 && share < 0.9);
  EXPECT_NEAR (cleave_latency_space_count_within (space, limit_ms, n, random) / (double)n, share,
               5 * sqrt (share * (1 - share) / n));
  EXPECT_INT (cleave_latency_space_count_within (space, least_ms * (1 - 1e-9), n, random), 0);
  EXPECT_INT (cleave_latency_space_count_within (space, INFINITY, n, random), n);
}

TEST (LatencySpace, RefusesChoicesThatDependOnEachOther)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveComponents) components = make_components ("slowing-oracle");
  REQUIRE (components != NULL);
  g_autoptr (CleaveLatencySpace) space = make_space (components, &error);

  EXPECT_TRUE (space == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "there is no exact bound");
}
