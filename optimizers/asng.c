/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adaptive stochastic natural gradient (Akimoto et al., ICML 2019; NASC, Algorithm 1): the distribution of every
 * variable moves along the natural gradient by a step δ = δ⁰/Δ, where Δ grows while the gradients' signal is weaker
 * than their noise.
 *
 * The state that it saves is an a{sv}: "theta" (aad, a probability per variable and category), "delta" (d, Δ),
 * "gamma" (d) and "s" (ad, the accumulated gradient, K − 1 numbers per variable). */
#include <cleave/cleave.h>
#include <math.h>

typedef struct
{
  GObject parent_instance;
  double alpha;
  double initial_delta; /* δ⁰ */
  double maximum_delta; /* Δ_max */
  guint samples;        /* λ */

  guint n_variables; /* 0 = not started */
  guint *categories; /* K of each variable */
  guint n_theta;     /* n_θ = Σ(K − 1), the free parameters */
  guint n_free;      /* D, the variables with K > 1 */
  guint n_total;     /* ΣK */

  /* The state, which save and load carry. */
  double *theta; /* n_total, variable after variable */
  double *s;     /* n_theta, likewise */
  double delta;  /* Δ */
  double gamma;
} Asng;

typedef struct
{
  double value;
  double utility;
  guint index;
} Ranked;

static void
asng_finalize (gpointer instance)
{
  Asng *self = instance;

  g_free (self->categories);
  g_free (self->theta);
  g_free (self->s);
}

static gboolean
check_started (Asng *self, GError **error)
{
  if (self->n_variables == 0)
    cleave_error_set_literal (error, CLEAVE_ERROR_PLUGIN, "asng: it was not started");
  return self->n_variables > 0;
}

/* Past β = 2 the accumulation has no meaning (eq. of s: √(β(2 − β))), which few parameters or a large δ⁰ can bring
 * about. Then Δ goes to where β = 1 and s is the last gradient alone. */
static double
keep_possible (Asng *self, double delta)
{
  double smallest = self->n_theta > 0 ? self->initial_delta / sqrt (self->n_theta) : 0;

  return delta > smallest / 2 ? delta : smallest;
}

static gboolean
asng_start (CleaveOptimizer *optimizer, GVariant *variables, GError **error)
{
  Asng *self = (Asng *)optimizer;
  guint n_variables = g_variant_n_children (variables);
  g_autofree guint *categories = g_new0 (guint, n_variables);
  guint n_theta = 0, n_free = 0, n_total = 0;

  if (n_variables == 0)
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_CONFIG, "asng: the space has no variables, expected one at least");
      return FALSE;
    }
  for (guint d = 0; d < n_variables; d++)
    {
      g_autoptr (GVariant) variable = g_variant_get_child_value (variables, d);
      g_autoptr (GVariant) names = g_variant_get_child_value (variable, 1);

      categories[d] = g_variant_n_children (names);
      n_total += categories[d];
      n_theta += categories[d] - 1;
      n_free += categories[d] > 1;
    }

  asng_finalize (self);
  self->n_variables = n_variables;
  self->categories = g_steal_pointer (&categories);
  self->n_theta = n_theta;
  self->n_free = n_free;
  self->n_total = n_total;
  self->theta = g_new (double, n_total);
  self->s = g_new0 (double, n_theta);
  double *theta = self->theta;
  for (guint d = 0; d < n_variables; d++)
    for (guint i = 0; i < self->categories[d]; i++)
      *theta++ = 1.0 / self->categories[d];
  self->delta = keep_possible (self, 1);
  self->gamma = 0;
  return TRUE;
}

static CleaveCandidate *
draw_candidate (Asng *self, CleaveRandom *random)
{
  g_autofree guint *choices = g_new (guint, self->n_variables);
  const double *theta = self->theta;

  for (guint d = 0; d < self->n_variables; d++)
    {
      double left = cleave_random_uniform (random);
      guint choice = 0;
      /* Rounding may leave the sum just under 1: the last category takes the rest. */
      while (choice + 1 < self->categories[d] && left >= theta[choice])
        left -= theta[choice++];
      choices[d] = choice;
      theta += self->categories[d];
    }
  return cleave_candidate_new (choices, self->n_variables);
}

static CleaveTrials *
asng_ask (CleaveOptimizer *optimizer, double progress, CleaveRandom *random, GError **error)
{
  Asng *self = (Asng *)optimizer;

  if (!check_started (self, error))
    return NULL;

  CleaveTrials *trials = cleave_trials_new ();
  for (guint i = 0; i < self->samples && progress < 1; i++)
    {
      g_autoptr (CleaveCandidate) candidate = draw_candidate (self, random);
      cleave_trials_add (trials, candidate, CLEAVE_PLACEMENT_SPLIT, CLEAVE_FIDELITY_MINIBATCH);
    }
  return trials;
}

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  double first = ((const Ranked *)a)->value, second = ((const Ranked *)b)->value;

  return (first > second) - (first < second);
}

static gboolean
are_tied (double better, double worse)
{
  if (better == worse)
    return TRUE;
  return isfinite (better) && isfinite (worse) && worse - better < 1e-14 * fabs (better);
}

/* The μ = ⌈λ/4⌉ best get 1/μ, the μ worst −1/μ, the others 0; tied values share their mean. Gives whether the
 * utilities differ at all. */
static gboolean
rank_values (const double *values, guint n_values, Ranked *ranked)
{
  guint n_best = (n_values + 3) / 4;

  for (guint i = 0; i < n_values; i++)
    ranked[i] = (Ranked){ values[i], 0, i };
  qsort (ranked, n_values, sizeof (Ranked), compare_ranked);
  for (guint first = 0, end; first < n_values; first = end)
    {
      double sum = 0;
      end = first;
      do
        {
          sum += end < n_best ? 1.0 / n_best : end >= n_values - n_best ? -1.0 / n_best : 0;
          end++;
        }
      while (end < n_values && are_tied (ranked[end - 1].value, ranked[end].value));
      for (guint i = first; i < end; i++)
        ranked[i].utility = sum / (end - first);
      if (first == 0 && end == n_values)
        return FALSE;
    }
  return TRUE;
}

/* G, the mean over the samples of u·(a − θ), where a is 1 at the chosen category and 0 elsewhere. */
static double *
natural_gradient (Asng *self, CleaveTrials *trials, const Ranked *ranked, guint n_values)
{
  double *gradient = g_new0 (double, self->n_total);

  for (guint n = 0; n < n_values; n++)
    {
      const guint *choices = cleave_candidate_get_choices (cleave_trials_get_candidate (trials, ranked[n].index), NULL);
      for (guint d = 0, first = 0; d < self->n_variables; first += self->categories[d++])
        for (guint i = 0; i < self->categories[d]; i++)
          gradient[first + i] += ranked[n].utility * ((choices[d] == i) - self->theta[first + i]) / n_values;
    }
  return gradient;
}

/* F^½G over each variable's first K − 1 categories: G_j/√θ_j + √θ_j·ΣG_i/(θ_K + √θ_K). */
static double *
fisher_root_product (Asng *self, const double *gradient)
{
  double *product = g_new (double, self->n_theta);
  double *out = product;
  const double *theta = self->theta;

  for (guint d = 0; d < self->n_variables; d++)
    {
      guint last = self->categories[d] - 1;
      double sum = 0;
      for (guint i = 0; i < last; i++)
        sum += gradient[i];
      for (guint i = 0; i < last; i++)
        *out++ = gradient[i] / sqrt (theta[i]) + sqrt (theta[i]) * sum / (theta[last] + sqrt (theta[last]));
      theta += last + 1;
      gradient += last + 1;
    }
  return product;
}

/* θ ≥ θ_min = 1/(D(K − 1)), what exceeds a sum of 1 taken off in proportion to θ − θ_min. With one free variable, or
 * two where K = 2, that bound would leave no freedom; half of 1/K takes its place. */
static void
project (Asng *self, double *theta)
{
  for (guint d = 0; d < self->n_variables; theta += self->categories[d++])
    {
      guint n = self->categories[d];
      if (n == 1)
        {
          theta[0] = 1;
          continue;
        }
      double bound = self->n_free * (n - 1) > n ? 1.0 / (self->n_free * (n - 1)) : 0.5 / n;
      double sum = 0;
      for (guint i = 0; i < n; i++)
        sum += theta[i] = MAX (theta[i], bound);
      double excess = sum - 1, room = sum - n * bound;
      sum = 0;
      for (guint i = 0; i < n; i++)
        sum += theta[i] -= excess * (theta[i] - bound) / room;
      for (guint i = 0; i < n; i++)
        theta[i] /= sum;
    }
}

/* Algorithm 1, lines 8 and 9, from G. */
static void
update (Asng *self, const double *gradient)
{
  double step = self->initial_delta / self->delta;
  double beta = step / sqrt (self->n_theta);
  g_autofree double *product = fisher_root_product (self, gradient);
  double norm = 0, s_squared = 0;

  for (guint j = 0; j < self->n_theta; j++)
    norm += product[j] * product[j];
  /* The small number is the published code's: identical samples give a zero gradient. */
  norm = sqrt (norm) + 1e-9;
  for (guint i = 0; i < self->n_total; i++)
    self->theta[i] += step * gradient[i] / norm;
  project (self, self->theta);

  for (guint j = 0; j < self->n_theta; j++)
    {
      self->s[j] = (1 - beta) * self->s[j] + sqrt (beta * (2 - beta)) * product[j] / norm;
      s_squared += self->s[j] * self->s[j];
    }
  self->gamma = (1 - beta) * (1 - beta) * self->gamma + beta * (2 - beta);
  double delta = self->delta * exp (beta * (self->gamma - s_squared / self->alpha));
  self->delta = keep_possible (self, MIN (delta, self->maximum_delta));
}

static gboolean
check_trials (Asng *self, CleaveTrials *trials, GError **error)
{
  for (guint n = 0; n < cleave_trials_get_length (trials); n++)
    {
      gsize n_choices;
      const guint *choices = cleave_candidate_get_choices (cleave_trials_get_candidate (trials, n), &n_choices);
      if (n_choices != self->n_variables)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                       "asng: trial %u has %" G_GSIZE_FORMAT " choices, expected %u", n + 1, n_choices,
                       self->n_variables);
          return FALSE;
        }
      for (guint d = 0; d < self->n_variables; d++)
        if (choices[d] >= self->categories[d])
          {
            g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                         "asng: trial %u has choice %u for variable %u, expected 0 to %u", n + 1, choices[d], d,
                         self->categories[d] - 1);
            return FALSE;
          }
    }
  return TRUE;
}

static gboolean
asng_tell (CleaveOptimizer *optimizer, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  Asng *self = (Asng *)optimizer;

  if (!check_started (self, error) || !check_trials (self, trials, error))
    return FALSE;
  g_autofree Ranked *ranked = g_new (Ranked, n_values);
  if (self->n_theta == 0 || n_values == 0 || !rank_values (values, n_values, ranked))
    return TRUE;
  g_autofree double *gradient = natural_gradient (self, trials, ranked, n_values);
  update (self, gradient);
  return TRUE;
}

static CleaveCandidate *
asng_recommend (CleaveOptimizer *optimizer, GError **error)
{
  Asng *self = (Asng *)optimizer;

  if (!check_started (self, error))
    return NULL;

  g_autofree guint *choices = g_new0 (guint, self->n_variables);
  const double *theta = self->theta;
  for (guint d = 0; d < self->n_variables; theta += self->categories[d++])
    for (guint i = 1; i < self->categories[d]; i++)
      if (theta[i] > theta[choices[d]])
        choices[d] = i;
  return cleave_candidate_new (choices, self->n_variables);
}

static GVariant *
asng_save (CleaveOptimizer *optimizer, GError **error)
{
  Asng *self = (Asng *)optimizer;
  GVariantBuilder theta, state;

  if (!check_started (self, error))
    return NULL;

  g_variant_builder_init (&theta, G_VARIANT_TYPE ("aad"));
  for (guint d = 0, first = 0; d < self->n_variables; first += self->categories[d++])
    g_variant_builder_add_value (&theta, g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, self->theta + first,
                                                                    self->categories[d], sizeof (double)));
  g_variant_builder_init (&state, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&state, "{sv}", "theta", g_variant_builder_end (&theta));
  g_variant_builder_add (&state, "{sv}", "delta", g_variant_new_double (self->delta));
  g_variant_builder_add (&state, "{sv}", "gamma", g_variant_new_double (self->gamma));
  g_variant_builder_add (&state, "{sv}", "s",
                         g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, self->s, self->n_theta, sizeof (double)));
  return g_variant_builder_end (&state);
}

static GVariant *
lookup (GVariant *state, const char *key, const char *type, GError **error)
{
  GVariant *value = g_variant_lookup_value (state, key, G_VARIANT_TYPE (type));

  if (value == NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "asng: the state has no %s of type %s", key, type);
  return value;
}

static gboolean
read_numbers (GVariant *value, double *numbers, guint n_expected, const char *what, GError **error)
{
  gsize n;
  const double *given = g_variant_get_fixed_array (value, &n, sizeof (double));

  if (n != n_expected)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "asng: the state's %s has %" G_GSIZE_FORMAT " numbers, expected %u", what, n, n_expected);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    {
      if (!isfinite (given[i]))
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "asng: the state's %s holds %g, expected finite numbers",
                       what, given[i]);
          return FALSE;
        }
      numbers[i] = given[i];
    }
  return TRUE;
}

static gboolean
read_theta (Asng *self, GVariant *value, double *theta, GError **error)
{
  if (g_variant_n_children (value) != self->n_variables)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "asng: the state's theta has %" G_GSIZE_FORMAT " variables, expected %u",
                   g_variant_n_children (value), self->n_variables);
      return FALSE;
    }
  for (guint d = 0; d < self->n_variables; theta += self->categories[d++])
    {
      g_autofree char *what = g_strdup_printf ("theta of variable %u", d);
      g_autoptr (GVariant) child = g_variant_get_child_value (value, d);
      if (!read_numbers (child, theta, self->categories[d], what, error))
        return FALSE;
      double sum = 0, smallest = 1;
      for (guint i = 0; i < self->categories[d]; i++)
        {
          sum += theta[i];
          smallest = MIN (smallest, theta[i]);
        }
      if (smallest <= 0 || fabs (sum - 1) > 1e-9)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                       "asng: the state's %s sums to %g and its smallest is %g, expected positive numbers of sum 1",
                       what, sum, smallest);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
asng_load (CleaveOptimizer *optimizer, GVariant *state, GError **error)
{
  Asng *self = (Asng *)optimizer;

  if (!check_started (self, error))
    return FALSE;
  if (!g_variant_is_of_type (state, G_VARIANT_TYPE_VARDICT))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "asng: the state is of type %s, expected a{sv}",
                   g_variant_get_type_string (state));
      return FALSE;
    }
  g_autoptr (GVariant) theta_value = lookup (state, "theta", "aad", error);
  g_autoptr (GVariant) delta_value = theta_value != NULL ? lookup (state, "delta", "d", error) : NULL;
  g_autoptr (GVariant) gamma_value = delta_value != NULL ? lookup (state, "gamma", "d", error) : NULL;
  g_autoptr (GVariant) s_value = gamma_value != NULL ? lookup (state, "s", "ad", error) : NULL;
  if (s_value == NULL)
    return FALSE;

  g_autofree double *theta = g_new (double, self->n_total);
  g_autofree double *s = g_new (double, self->n_theta);
  if (!read_theta (self, theta_value, theta, error) || !read_numbers (s_value, s, self->n_theta, "s", error))
    return FALSE;
  double delta = g_variant_get_double (delta_value), gamma = g_variant_get_double (gamma_value);
  if (!(isfinite (delta) && delta > 0 && gamma >= 0 && gamma < 1 + 1e-9))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "asng: the state has delta %g and gamma %g, expected delta > 0 and gamma in 0 to 1", delta, gamma);
      return FALSE;
    }
  g_free (self->theta);
  g_free (self->s);
  self->theta = g_steal_pointer (&theta);
  self->s = g_steal_pointer (&s);
  self->delta = delta;
  self->gamma = gamma;
  return TRUE;
}

/* theta_entropy: the mean over the variables with K > 1 of their entropy ÷ log K: 1 is uniform, 0 is certain. */
static GVariant *
asng_metrics (CleaveOptimizer *optimizer, GError **error)
{
  Asng *self = (Asng *)optimizer;
  const double *theta = self->theta;
  double entropy = 0;
  GVariantBuilder metrics;

  for (guint d = 0; d < self->n_variables; theta += self->categories[d++])
    for (guint i = 0; i < self->categories[d] && self->categories[d] > 1; i++)
      entropy -= theta[i] * log (theta[i]) / log (self->categories[d]) / self->n_free;
  g_variant_builder_init (&metrics, G_VARIANT_TYPE ("a{sd}"));
  g_variant_builder_add (&metrics, "{sd}", "theta_entropy", entropy);
  g_variant_builder_add (&metrics, "{sd}", "delta", self->delta);
  g_variant_builder_add (&metrics, "{sd}", "gamma", self->gamma);
  return g_variant_builder_end (&metrics);
}

CLEAVE_PLUGIN_BEGIN (Asng, asng, OPTIMIZER)
  CLEAVE_PARAMETER (alpha, DOUBLE, "", 0.01, 100, 1.5,
                    "Signal-to-noise ratio that keeps the step length; larger takes shorter steps")
  CLEAVE_PARAMETER (initial_delta, DOUBLE, "", 1e-6, 100, 1, "Step length at the start")
  CLEAVE_PARAMETER (maximum_delta, DOUBLE, "", 1, 1e12, 1e12,
                    "Largest divisor of the step length; the default is no limit")
  CLEAVE_PARAMETER (samples, UINT, "", 2, 1024, 2, "Candidates scored together for one update")
  CLEAVE_METHOD (start, asng_start)
  CLEAVE_METHOD (ask, asng_ask)
  CLEAVE_METHOD (tell, asng_tell)
  CLEAVE_METHOD (recommend, asng_recommend)
  CLEAVE_METHOD (save, asng_save)
  CLEAVE_METHOD (load, asng_load)
  CLEAVE_METHOD (metrics, asng_metrics)
  CLEAVE_FINALIZE (asng_finalize)
CLEAVE_PLUGIN_END
