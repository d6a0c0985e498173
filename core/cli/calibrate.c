/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave calibrate: the computation speed that explains a device's measured latencies best (eq. 9). */

#include "cli.h"

#include <json-glib/json-glib.h>
#include <math.h>

/* What least squares over pairs of cost C (FLOPs) and time T (s) need. */
typedef struct
{
  guint n;
  double cost_cost; /* ΣC² */
  double cost_time; /* ΣC·T */
  double time_time; /* ΣT² */
  double time;      /* ΣT */
} Sums;

/* Searchable block number INDEX; NULL where the network has fewer. */
static const CleaveBlock *
find_searchable_block (CleaveNetwork *network, guint index)
{
  for (guint i = 0; i < cleave_network_get_n_blocks (network); i++)
    {
      const CleaveBlock *block = cleave_network_get_block (network, i);
      if (block->choice != NULL && index-- == 0)
        return block;
    }
  return NULL;
}

/* Adds the block that CATEGORY of VARIABLE makes. */
static gboolean
add_block (Sums *sums, CleaveSpace *space, CleaveOracle *oracle, guint *choices, gsize n_variables, guint variable,
           guint category, GError **error)
{
  choices[variable] = category;
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, n_variables);
  choices[variable] = 0;
  g_autoptr (CleaveNetwork) network = cleave_space_build (space, candidate, error);
  if (network == NULL)
    return FALSE;
  const CleaveBlock *block = find_searchable_block (network, variable);
  if (block == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED,
                   "the space has a variable %u, but its network no searchable block %u", variable + 1, variable + 1);
      return FALSE;
    }
  const double cost = cleave_network_get_flops (network, block->first_op, block->end_op);
  const double time = cleave_oracle_estimate (oracle, network, block->first_op, block->end_op, error);
  if (isnan (time))
    return FALSE;
  sums->n++;
  sums->cost_cost += cost * cost;
  sums->cost_time += cost * time;
  sums->time_time += time * time;
  sums->time += time;
  return TRUE;
}

/* All categories of all variables but the split. */
static gboolean
add_blocks (Sums *sums, CleaveSpace *space, CleaveOracle *oracle, GError **error)
{
  g_autoptr (GVariant) variables = cleave_space_variables (space, error);
  if (variables == NULL)
    return FALSE;
  const gsize n_variables = g_variant_n_children (variables);
  g_autofree guint *choices = g_new0 (guint, n_variables);

  for (guint variable = 0; variable + 1 < n_variables; variable++)
    {
      g_autoptr (GVariant) categories = NULL;
      g_variant_get_child (variables, variable, "(&s@as)", NULL, &categories);
      for (guint category = 0; category < g_variant_n_children (categories); category++)
        if (!add_block (sums, space, oracle, choices, n_variables, variable, category, error))
          return FALSE;
    }
  return TRUE;
}

static void
print_result (const Sums *sums, double speed, gboolean json)
{
  const double gflops = speed / 1e9;
  /* Σ(T − C/π)² with π = ΣC² / ΣC·T. */
  const double residual = sums->time_time - sums->cost_time * sums->cost_time / sums->cost_cost;
  const double r_squared = 1 - residual / (sums->time_time - sums->time * sums->time / sums->n);

  if (!json)
    {
      g_print ("%.4f GFLOPS\n", gflops);
      g_print ("R² %.4f over %u blocks\n", r_squared, sums->n);
      return;
    }
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "gflops");
  json_builder_add_double_value (builder, gflops);
  json_builder_set_member_name (builder, "r_squared");
  json_builder_add_double_value (builder, r_squared);
  json_builder_set_member_name (builder, "blocks");
  json_builder_add_int_value (builder, sums->n);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}

/* A config with the two components, so that paths, keys and values are checked as in any config. */
static CleaveConfig *
make_config (const char *space, const char *oracle, const char *table, const char *device, const CliShared *shared,
             GError **error)
{
  /* A relative path on the command line is first of all one from here. */
  g_autofree char *folder = g_get_current_dir ();
  g_autoptr (CleaveConfig) config = cleave_config_load_from_text ("", folder, error);
  const char *const keys[][2] = {
    { "space.plugin", space }, { "device.plugin", oracle }, { "device.table", table }, { "device.device", device }
  };

  for (guint i = 0; config != NULL && i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *assignment = g_strdup_printf ("%s=%s", keys[i][0], keys[i][1]);
      if (!cleave_config_set (config, assignment, error))
        return NULL;
    }
  for (gsize i = 0; config != NULL && shared->assignments != NULL && shared->assignments[i] != NULL; i++)
    if (!cleave_config_set (config, shared->assignments[i], error))
      return NULL;
  return g_steal_pointer (&config);
}

static gboolean
run_calibrate (const char *space_name, const char *oracle_name, const char *table, const char *device,
               const CliShared *shared, GError **error)
{
  static const char *const sections[] = { "space", "device", NULL };
  Sums sums = { 0 };

  if (table == NULL || device == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "calibrate: %s is missing; see cleave calibrate --help",
                   table == NULL ? "--table" : "--device");
      return FALSE;
    }
  g_autoptr (CleaveConfig) config = make_config (space_name, oracle_name, table, device, shared, error);
  if (config == NULL || !cleave_config_check_sections (config, sections, error))
    return FALSE;
  g_autoptr (CleaveHost) host = cli_make_host (shared, error);
  g_autoptr (GObject) space
      = host != NULL ? cleave_config_create (config, "space", host, CLEAVE_KIND_SPACE, error) : NULL;
  g_autoptr (GObject) oracle
      = space != NULL ? cleave_config_create (config, "device", host, CLEAVE_KIND_ORACLE, error) : NULL;
  if (oracle == NULL || !add_blocks (&sums, CLEAVE_SPACE (space), CLEAVE_ORACLE (oracle), error))
    return FALSE;
  if (!(sums.cost_cost > 0 && sums.cost_time > 0))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_NUMERIC, "%s: no block of the space takes both FLOPs and time",
                   table);
      return FALSE;
    }
  print_result (&sums, sums.cost_cost / sums.cost_time, shared->json);
  return TRUE;
}

int
cli_calibrate (int argc, char **argv)
{
  g_autofree char *table = NULL, *device = NULL;
  g_autofree char *space = g_strdup ("fbnet"), *oracle = g_strdup ("hw-nas-bench");
  const GOptionEntry own[] = {
    { "table", 0, 0, G_OPTION_ARG_STRING, &table, "The oracle's table of measured latencies", "FILE" },
    { "device", 0, 0, G_OPTION_ARG_STRING, &device, "The device in it", "NAME" },
    { "space", 0, 0, G_OPTION_ARG_STRING, &space, "The space whose blocks are taken (default: fbnet)", "PLUGIN" },
    { "oracle", 0, 0, G_OPTION_ARG_STRING, &oracle, "The oracle that reads the table (default: hw-nas-bench)",
      "PLUGIN" },
    G_OPTION_ENTRY_NULL,
  };
  g_auto (CliShared) shared = { 0 };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, NULL,
                   "Tells the computation speed of a device: least squares of measured latency over FLOPs, for every "
                   "category\nof every block. Parameters of the two components: --set space.KEY=VALUE, --set "
                   "device.KEY=VALUE.",
                   own, CLI_OPTION_SET | CLI_OPTION_JSON, &shared, 0, 0, &error);

  if (arguments == NULL || !run_calibrate (space, oracle, table, device, &shared, &error))
    return cli_fail (error);
  return CLI_DONE;
}
