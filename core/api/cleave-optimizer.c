/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-error.h>
#include <cleave/cleave-optimizer.h>
#include <math.h>
#include <string.h>

G_DEFINE_INTERFACE (CleaveOptimizer, cleave_optimizer, G_TYPE_OBJECT)

static void
cleave_optimizer_default_init (CleaveOptimizerInterface *iface)
{
}

static gboolean
has_method (CleaveOptimizer *self, gboolean implemented, const char *method, GError **error)
{
  if (!implemented)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: the optimizer has no method %s",
                 G_OBJECT_TYPE_NAME (self), method);
  return implemented;
}

/* What a method reported: takes method_error. A failure that sets no error is the plugin's fault and gets one here. */
static gboolean
check_result (CleaveOptimizer *self, gboolean succeeded, const char *method, GError *method_error, GError **error)
{
  if (method_error != NULL)
    {
      g_propagate_error (error, method_error);
      return FALSE;
    }
  if (!succeeded)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: the optimizer's %s failed and set no error",
                 G_OBJECT_TYPE_NAME (self), method);
  return succeeded;
}

static gboolean
check_variables (CleaveOptimizer *self, GVariant *variables, GError **error)
{
  for (gsize i = 0; i < g_variant_n_children (variables); i++)
    {
      const char *name;
      g_autoptr (GVariant) categories = NULL;

      g_variant_get_child (variables, i, "(&s@as)", &name, &categories);
      if (g_variant_n_children (categories) == 0)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                       "%s: the variable %s has no categories, expected one at least", G_OBJECT_TYPE_NAME (self), name);
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * cleave_optimizer_start:
 * @self: an optimizer
 * @variables: the space's variables, `a(sas)` as [method@Space.variables] gives them
 * @error: return location for an error
 *
 * Begins a new search over these variables; what the optimizer knew before is forgotten.
 *
 * Returns: whether the search can begin; if not, an error is set
 */
gboolean
cleave_optimizer_start (CleaveOptimizer *self, GVariant *variables, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), FALSE);
  g_return_val_if_fail (variables != NULL && g_variant_is_of_type (variables, G_VARIANT_TYPE ("a(sas)")), FALSE);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->start != NULL, "start", error) || !check_variables (self, variables, error))
    return FALSE;
  gboolean started = iface->start (self, variables, &method_error);
  return check_result (self, started, "start", method_error, error);
}

/**
 * cleave_optimizer_ask:
 * @self: an optimizer that was started
 * @progress: the share of the search's budget that is used, in [0, 1]
 * @random: where all randomness comes from
 * @error: return location for an error
 *
 * The trials to score next, together and on the same data (of NASC: the λ_θ samples of eq. 6).
 *
 * At a @progress of 1 an optimizer may still ask for closing trials; the search lasts until the list is empty, but a
 * bounded number of steps. An implementation draws from @random and nowhere else, and does not keep it.
 *
 * Returns: (transfer full): the trials; an empty list when the optimizer is done; %NULL with an error set on failure
 */
CleaveTrials *
cleave_optimizer_ask (CleaveOptimizer *self, double progress, CleaveRandom *random, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), NULL);
  g_return_val_if_fail (progress >= 0 && progress <= 1, NULL);
  g_return_val_if_fail (random != NULL, NULL);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->ask != NULL, "ask", error))
    return NULL;
  g_autoptr (CleaveTrials) trials = iface->ask (self, progress, random, &method_error);
  if (!check_result (self, trials != NULL, "ask", method_error, error))
    return NULL;
  return g_steal_pointer (&trials);
}

/**
 * cleave_optimizer_tell:
 * @self: an optimizer that was started
 * @trials: trials that were scored
 * @values: (array length=n_values): the value of each trial, in their order; smaller is better, infinity is worst
 * @n_values: the number of values
 * @error: return location for an error
 *
 * Reports how good the trials asked last are: their values of the objective (eq. 4), loss and latency penalty together.
 * A NaN among the values is an error, %CLEAVE_ERROR_NUMERIC, and changes nothing.
 *
 * Returns: whether the optimizer took the values; if not, an error is set (%CLEAVE_ERROR_PLUGIN where their number is
 *   not that of the trials)
 */
gboolean
cleave_optimizer_tell (CleaveOptimizer *self, CleaveTrials *trials, const double *values, gsize n_values,
                       GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), FALSE);
  g_return_val_if_fail (trials != NULL, FALSE);
  g_return_val_if_fail (values != NULL || n_values == 0, FALSE);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  guint n_trials = cleave_trials_get_length (trials);
  GError *method_error = NULL;

  if (n_values != n_trials)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: told %" G_GSIZE_FORMAT " values for %u trials, expected one a trial", G_OBJECT_TYPE_NAME (self),
                   n_values, n_trials);
      return FALSE;
    }
  for (gsize i = 0; i < n_values; i++)
    if (isnan (values[i]))
      {
        g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC,
                     "%s: the value of trial %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
                     " is NaN, expected a number or infinity",
                     G_OBJECT_TYPE_NAME (self), i + 1, n_values);
        return FALSE;
      }
  if (!has_method (self, iface->tell != NULL, "tell", error))
    return FALSE;
  gboolean taken = iface->tell (self, trials, values, n_values, &method_error);
  return check_result (self, taken, "tell", method_error, error);
}

/**
 * cleave_optimizer_recommend:
 * @self: an optimizer that was started
 * @error: return location for an error
 *
 * The best candidate by what is known now (of NASC: a* of Algorithm 1, line 14). May be called at any time after
 * [method@Optimizer.start], and changes nothing.
 *
 * Returns: (transfer full): a candidate of the variables; %NULL with an error set on failure
 */
CleaveCandidate *
cleave_optimizer_recommend (CleaveOptimizer *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), NULL);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->recommend != NULL, "recommend", error))
    return NULL;
  g_autoptr (CleaveCandidate) candidate = iface->recommend (self, &method_error);
  if (!check_result (self, candidate != NULL, "recommend", method_error, error))
    return NULL;
  return g_steal_pointer (&candidate);
}

/**
 * cleave_optimizer_save:
 * @self: an optimizer that was started
 * @error: return location for an error
 *
 * The optimizer's whole state. Loaded into a new optimizer of the same type and parameters that was started with the
 * same variables, the search goes on exactly as it would have.
 *
 * Returns: (transfer full): the state, of a form that the optimizer chooses; %NULL with an error set on failure
 */
GVariant *
cleave_optimizer_save (CleaveOptimizer *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), NULL);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->save != NULL, "save", error))
    return NULL;
  GVariant *result = iface->save (self, &method_error);
  g_autoptr (GVariant) state = result != NULL ? g_variant_take_ref (result) : NULL;
  if (!check_result (self, state != NULL, "save", method_error, error))
    return NULL;
  return g_steal_pointer (&state);
}

/**
 * cleave_optimizer_load:
 * @self: an optimizer that was started with the variables of the one that was saved
 * @state: what [method@Optimizer.save] gave
 * @error: return location for an error
 *
 * Takes a state back. One that does not fit is refused, and the optimizer stays as it was.
 *
 * Returns: whether the state was taken; if not, an error is set
 */
gboolean
cleave_optimizer_load (CleaveOptimizer *self, GVariant *state, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), FALSE);
  g_return_val_if_fail (state != NULL, FALSE);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->load != NULL, "load", error))
    return FALSE;
  gboolean loaded = iface->load (self, state, &method_error);
  return check_result (self, loaded, "load", method_error, error);
}

/* Names are columns of a table. */
static gboolean
check_metric_names (CleaveOptimizer *self, GVariant *metrics, GError **error)
{
  GVariantIter iter;
  const char *name;

  g_variant_iter_init (&iter, metrics);
  while (g_variant_iter_next (&iter, "{&sd}", &name, NULL))
    if (*name == '\0' || strpbrk (name, ",\"\r\n") != NULL)
      {
        g_autofree char *escaped = g_strescape (name, NULL);

        g_set_error (
            error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
            "%s: the optimizer's metrics have one called “%s”, expected a name without commas, quotes and line "
            "breaks",
            G_OBJECT_TYPE_NAME (self), escaped);
        return FALSE;
      }
  return TRUE;
}

/**
 * cleave_optimizer_metrics:
 * @self: an optimizer that was started
 * @error: return location for an error
 *
 * Numbers worth logging by name, `a{sd}`, such as the entropy of a distribution: columns of `metrics.csv` and
 * `trials.csv`. An implementation gives the same names at all times.
 *
 * Returns: (transfer full): the dictionary; an empty one where the optimizer has no such method; %NULL with an error
 *   set on failure, %CLEAVE_ERROR_PLUGIN where it is of another type
 */
GVariant *
cleave_optimizer_metrics (CleaveOptimizer *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_OPTIMIZER (self), NULL);

  CleaveOptimizerInterface *iface = CLEAVE_OPTIMIZER_GET_IFACE (self);
  GError *method_error = NULL;

  if (iface->metrics == NULL)
    return g_variant_ref_sink (g_variant_new ("a{sd}", NULL));
  GVariant *result = iface->metrics (self, &method_error);
  g_autoptr (GVariant) metrics = result != NULL ? g_variant_take_ref (result) : NULL;
  if (!check_result (self, metrics != NULL, "metrics", method_error, error))
    return NULL;
  if (!g_variant_is_of_type (metrics, G_VARIANT_TYPE ("a{sd}")))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: the optimizer's metrics are of type %s, expected a{sd}", G_OBJECT_TYPE_NAME (self),
                   g_variant_get_type_string (metrics));
      return NULL;
    }
  return check_metric_names (self, metrics, error) ? g_steal_pointer (&metrics) : NULL;
}
