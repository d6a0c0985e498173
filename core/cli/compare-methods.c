/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "compare-methods.h"

#include "latency-space.h"
#include "run.h"
#include "settings.h"

#include <math.h>

void
compare_method_free (CompareMethod *self)
{
  g_free (self->name);
  g_free (self->config_name);
  g_free (self->config_text);
  g_free (self);
}

/* NaN where the choices depend on each other. */
static gboolean
find_bound (CleaveComponents *components, guint seed, double *bound_ms, GError **error)
{
  g_autoptr (GVariant) variables = cleave_space_variables (CLEAVE_SPACE (components->space), error);
  g_autoptr (CleaveLatencySpace) space = NULL;
  g_autoptr (CleaveCandidate) best = NULL;
  g_autoptr (GError) problem = NULL;

  *bound_ms = NAN;
  if (variables == NULL)
    return FALSE;
  space = cleave_latency_space_new (components, variables, seed, &problem);
  if (space == NULL)
    {
      if (g_error_matches (problem, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  best = cleave_latency_space_find_best (space);
  *bound_ms = cleave_latency_space_total_ms (space, cleave_candidate_get_choices (best, NULL));
  return TRUE;
}

static CompareMethod *
load (const CliShared *shared, CleaveHost *host, const char *config_name, GError **error)
{
  g_autoptr (CompareMethod) self = g_new0 (CompareMethod, 1);
  g_autoptr (CleaveConfig) config = cli_load_config (config_name, shared, error);
  g_autoptr (CleaveSettings) settings = config != NULL ? cleave_settings_new (config, error) : NULL;
  g_autoptr (CleaveComponents) components = settings != NULL ? cleave_components_new (host, config, error) : NULL;

  if (components == NULL)
    return NULL;
  self->name = cli_config_name (config_name);
  self->config_name = g_strdup (config_name);
  self->config_text = cleave_run_resolve_config (components, settings, config);
  self->seed = settings->run->seed;
  self->latency_threshold_ms = settings->objective->latency_threshold;
  self->drop_rate = cleave_channel_drop_rate (CLEAVE_CHANNEL (components->channel), error);
  if (isnan (self->drop_rate))
    {
      g_prefix_error (error, "[channel]: ");
      return NULL;
    }
  return find_bound (components, self->seed, &self->bound_ms, error) ? g_steal_pointer (&self) : NULL;
}

static GKeyFile *
parse (const char *config_text)
{
  GKeyFile *config = g_key_file_new ();

  g_key_file_load_from_data (config, config_text, -1, G_KEY_FILE_NONE, NULL);
  return config;
}

/* Whether two methods have the same in a section, as far as the first's keys go. */
static gboolean
has_same_section (const CompareMethod *self, const CompareMethod *other, const char *section)
{
  g_autoptr (GKeyFile) config = parse (self->config_text);
  g_autoptr (GKeyFile) other_config = parse (other->config_text);
  g_auto (GStrv) keys = g_key_file_get_keys (config, section, NULL, NULL);

  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      g_autofree char *value = g_key_file_get_value (config, section, keys[i], NULL);
      g_autofree char *other_value = g_key_file_get_value (other_config, section, keys[i], NULL);

      if (g_strcmp0 (value, other_value) != 0)
        return FALSE;
    }
  return TRUE;
}

/* Latencies on other hardware may be what is to be compared, or a mistake. */
static void
warn_of_differences (const CompareMethod *self, const CompareMethod *other)
{
  static const char *const sections[] = { "device", "server", "channel" };

  for (gsize i = 0; i < G_N_ELEMENTS (sections); i++)
    if (!has_same_section (self, other, sections[i]))
      g_printerr ("cleave: warning: %s has another [%s] than %s\n", self->name, sections[i], other->name);
}

/* One figure has one threshold and one drop rate, accuracies are of the same images, and a name stands for one method.
 */
static gboolean
check_pair (const CompareMethod *self, const CompareMethod *other, GError **error)
{
  if (g_str_equal (self->name, other->name))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s and %s are both called %s, expected different names",
                 other->config_name, self->config_name, self->name);
  else if (self->latency_threshold_ms != other->latency_threshold_ms)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "[objective] latency-threshold is %g ms in %s and %g ms in %s, expected the same in all",
                 self->latency_threshold_ms, self->name, other->latency_threshold_ms, other->name);
  else if (self->drop_rate != other->drop_rate)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "[channel]: the drop rate is %g in %s and %g in %s, expected the same in all", self->drop_rate,
                 self->name, other->drop_rate, other->name);
  else if (!has_same_section (self, other, "dataset"))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "[dataset] differs between %s and %s, expected the same in all", self->name, other->name);
  else
    return TRUE;
  return FALSE;
}

/* The seeds that follow must be seeds too. */
static gboolean
check_seeds (const CompareMethod *self, guint n_seeds, GError **error)
{
  if (n_seeds - 1 <= G_MAXUINT32 - self->seed)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
               "%s: [run] seed: %u and the %u that follow, expected none above %u", self->name, self->seed, n_seeds - 1,
               G_MAXUINT32);
  return FALSE;
}

GPtrArray *
compare_methods_load (const CliShared *shared, GStrv config_names, guint n_seeds, GError **error)
{
  g_autoptr (CleaveHost) host = cli_make_host (shared, error);
  g_autoptr (GPtrArray) methods = g_ptr_array_new_with_free_func ((GDestroyNotify)compare_method_free);

  for (gsize i = 0; host != NULL && config_names[i] != NULL; i++)
    {
      CompareMethod *method = load (shared, host, config_names[i], error);

      if (method == NULL)
        {
          if (error != NULL && !g_str_has_prefix ((*error)->message, config_names[i]))
            g_prefix_error (error, "%s: ", config_names[i]);
          return NULL;
        }
      g_ptr_array_add (methods, method);
      if (!check_seeds (method, n_seeds, error))
        return NULL;
      for (gsize m = 0; m < i; m++)
        if (!check_pair (method, methods->pdata[m], error))
          return NULL;
      if (i > 0)
        warn_of_differences (method, methods->pdata[0]);
    }
  return host != NULL ? g_steal_pointer (&methods) : NULL;
}

char *
compare_method_set_seed (const CompareMethod *self, guint seed)
{
  g_autoptr (GKeyFile) config = parse (self->config_text);
  g_autofree char *number = g_strdup_printf ("%u", seed);

  g_key_file_set_value (config, "run", "seed", number);
  return g_key_file_to_data (config, NULL, NULL);
}
