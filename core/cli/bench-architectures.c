/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The architectures that cleave bench takes. */

#include "bench.h"

#include <json-glib/json-glib.h>

/* The same architectures at every call. */
#define SEED 1
#define PURPOSE 0x42000001
#define N_DRAWN 8

/* Longer values are cut off in messages. */
#define SHOWN_CHARACTERS 40

static guint
count_categories (GVariant *variables, gsize variable, const char **name)
{
  g_autoptr (GVariant) categories = NULL;

  g_variant_get_child (variables, variable, "(&s@as)", name, &categories);
  return g_variant_n_children (categories);
}

static guint
middle_split (GVariant *variables)
{
  return count_categories (variables, g_variant_n_children (variables) - 1, NULL) / 2;
}

static GPtrArray *
draw_candidates (GVariant *variables)
{
  GPtrArray *candidates = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  gsize n_variables = g_variant_n_children (variables);
  g_autofree guint *choices = g_new (guint, n_variables);

  choices[n_variables - 1] = middle_split (variables);
  for (guint i = 0; i < N_DRAWN; i++)
    {
      g_autoptr (CleaveRandom) random = cleave_random_new (SEED, PURPOSE, 0, i);

      for (gsize variable = 0; variable + 1 < n_variables; variable++)
        choices[variable] = cleave_random_below (random, count_categories (variables, variable, NULL));
      g_ptr_array_add (candidates, cleave_candidate_new (choices, n_variables));
    }
  return candidates;
}

/* A value as JSON, for a message. */
static char *
quote (JsonNode *node)
{
  g_autofree char *text = json_to_string (node, FALSE);
  g_autofree char *start = NULL;

  if (g_utf8_strlen (text, -1) <= SHOWN_CHARACTERS)
    return g_steal_pointer (&text);
  start = g_utf8_substring (text, 0, SHOWN_CHARACTERS);
  return g_strconcat (start, "…", NULL);
}

static CleaveCandidate *
read_candidate (const char *path, guint entry, JsonNode *node, GVariant *variables, GError **error)
{
  gsize n_variables = g_variant_n_children (variables);
  g_autofree guint *choices = g_new (guint, n_variables);
  JsonArray *numbers;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    {
      g_autofree char *value = quote (node);

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s: entry %u is %s, expected a list of %" G_GSIZE_FORMAT " numbers", path, entry, value,
                   n_variables - 1);
      return NULL;
    }
  numbers = json_node_get_array (node);
  if (json_array_get_length (numbers) != n_variables - 1)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s: entry %u has %u numbers, expected %" G_GSIZE_FORMAT ", one a block", path, entry,
                   json_array_get_length (numbers), n_variables - 1);
      return NULL;
    }
  choices[n_variables - 1] = middle_split (variables);
  for (guint i = 0; i + 1 < n_variables; i++)
    {
      JsonNode *number = json_array_get_element (numbers, i);
      const char *name;
      guint n_categories = count_categories (variables, i, &name);

      if (json_node_get_value_type (number) != G_TYPE_INT64 || json_node_get_int (number) < 0
          || json_node_get_int (number) >= n_categories)
        {
          g_autofree char *value = quote (number);

          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                       "%s: entry %u, number %u (%s) is %s, expected a whole number from 0 to %u", path, entry, i + 1,
                       name, value, n_categories - 1);
          return NULL;
        }
      choices[i] = json_node_get_int (number);
    }
  return cleave_candidate_new (choices, n_variables);
}

static GPtrArray *
read_candidates (const char *path, GVariant *variables, GError **error)
{
  g_autoptr (GPtrArray) candidates = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_candidate_unref);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) problem = NULL;
  JsonNode *root;
  JsonArray *entries;

  if (!json_parser_load_from_file (parser, path, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: can't be read as JSON: %s", path, problem->message);
      return NULL;
    }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root) || json_array_get_length (json_node_get_array (root)) == 0)
    {
      g_autofree char *value = root != NULL ? quote (root) : g_strdup ("empty");

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%s: it is %s, expected a list of one architecture or more, each a list of numbers", path, value);
      return NULL;
    }
  entries = json_node_get_array (root);
  for (guint i = 0; i < json_array_get_length (entries); i++)
    {
      CleaveCandidate *candidate = read_candidate (path, i + 1, json_array_get_element (entries, i), variables, error);

      if (candidate == NULL)
        return NULL;
      g_ptr_array_add (candidates, candidate);
    }
  return g_steal_pointer (&candidates);
}

GPtrArray *
bench_list_candidates (const char *path, GVariant *variables, GError **error)
{
  return path != NULL ? read_candidates (path, variables, error) : draw_candidates (variables);
}
