/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "latency-table.h"
#include "pickle.h"

#include <cleave/cleave.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* The published pickle, with all of NAS-Bench-201 beside FBNet, is smaller. */
#define MAX_FILE_SIZE (256 * 1024 * 1024)
#define SUFFIX "_latency"

static GBytes *
load_file (const char *path, GError **error)
{
  GStatBuf status;

  if (g_stat (path, &status) != 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "can't open the table %s: %s", path, g_strerror (errno));
      return NULL;
    }
  if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "the table %s is no regular file", path);
      return NULL;
    }
  if (status.st_size == 0 || status.st_size > MAX_FILE_SIZE)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "the table %s has %" G_GINT64_FORMAT " bytes, expected 1–%d",
                   path, (gint64)status.st_size, MAX_FILE_SIZE);
      return NULL;
    }
  g_autofree char *data = NULL;
  gsize size;
  g_autoptr (GError) failure = NULL;
  if (!g_file_get_contents (path, &data, &size, &failure))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "can't read the table %s: %s", path, failure->message);
      return NULL;
    }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

/* What is common to both kinds of file: the entries of one device, while they are read. */
typedef struct
{
  const char *path;
  const char *device;
  GHashTable *entries; /* key → double * */
} Table;

static gboolean
add_entry (Table *self, const char *key, gboolean is_number, double milliseconds, GError **error)
{
  if (!is_number || !isfinite (milliseconds) || milliseconds < 0)
    {
      g_autofree char *value = is_number ? g_strdup_printf ("%g", milliseconds) : g_strdup ("no number");
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "%s: %s" SUFFIX " of %s is %s, expected finite milliseconds ≥ 0", self->path, self->device, key,
                   value);
      return FALSE;
    }
  g_hash_table_replace (self->entries, g_strdup (key), g_memdup2 (&milliseconds, sizeof milliseconds));
  return TRUE;
}

/* METRICS are the names in the file; those of latencies are devices. */
static gboolean
fail_no_device (Table *self, GPtrArray *metrics, GError **error)
{
  g_autoptr (GString) devices = g_string_new (NULL);

  for (guint i = 0; i < metrics->len; i++)
    {
      const char *metric = g_ptr_array_index (metrics, i);
      if (g_str_has_suffix (metric, SUFFIX))
        g_string_append_printf (devices, "%s%.*s", devices->len > 0 ? ", " : "",
                                (int)(strlen (metric) - strlen (SUFFIX)), metric);
    }
  if (devices->len == 0)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                 "%s holds no table of latencies, expected “DEVICE" SUFFIX "” at the top or under “fbnet”", self->path);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s has no device “%s”, expected one of: %s", self->path,
                 self->device, devices->str);
  return FALSE;
}

/* --- JSON --- */

/* JSON-GLib calls itself once a level, and its scanner knows comments: a hostile file could exhaust the stack. */
static gboolean
check_json (const char *path, const char *text, gsize size, GError **error)
{
  const gsize deepest = 32;
  gsize depth = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < size; i++)
    {
      const char c = text[i];
      if (in_string && c == '\\')
        i++;
      else if (c == '"')
        in_string = !in_string;
      else if (!in_string && (c == '{' || c == '['))
        depth++;
      else if (!in_string && (c == '}' || c == ']') && depth > 0)
        depth--;
      if (depth > deepest || c == '\0'
          || (!in_string && !g_ascii_isspace (c) && !g_ascii_isalnum (c) && strchr ("{}[]\",:.+-", c) == NULL))
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: JSON, byte %" G_GSIZE_FORMAT ": %s", path, i,
                       depth > deepest ? "it is nested too deeply for a table" : "a character that JSON has not here");
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
read_json_entries (Table *self, JsonObject *section, GError **error)
{
  g_autofree char *metric = g_strconcat (self->device, SUFFIX, NULL);
  JsonNode *node = json_object_get_member (section, metric);
  JsonObjectIter iterator;
  const char *key;

  if (node == NULL)
    {
      g_autoptr (GPtrArray) metrics = g_ptr_array_new ();
      json_object_iter_init_ordered (&iterator, section);
      while (json_object_iter_next_ordered (&iterator, &key, &node))
        g_ptr_array_add (metrics, (char *)key);
      return fail_no_device (self, metrics, error);
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: %s is no object", self->path, metric);
      return FALSE;
    }
  json_object_iter_init_ordered (&iterator, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iterator, &key, &node))
    {
      const GType type = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : G_TYPE_INVALID;
      const gboolean is_number = type == G_TYPE_DOUBLE || type == G_TYPE_INT64;
      if (!add_entry (self, key, is_number, is_number ? json_node_get_double (node) : 0, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_json (Table *self, GBytes *bytes, GError **error)
{
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) failure = NULL;

  if (!check_json (self->path, text, size, error))
    return FALSE;
  if (!json_parser_load_from_data (parser, text, (gssize)size, &failure))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: %s", self->path, failure->message);
      return FALSE;
    }
  JsonNode *root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: its top is no object", self->path);
      return FALSE;
    }
  JsonObject *section = json_node_get_object (root);
  JsonNode *fbnet = json_object_get_member (section, "fbnet");
  if (fbnet != NULL && JSON_NODE_HOLDS_OBJECT (fbnet))
    section = json_node_get_object (fbnet);
  return read_json_entries (self, section, error);
}

/* --- pickle --- */

static gboolean
read_pickle_entries (Table *self, const PickleValue *section, GError **error)
{
  g_autofree char *metric = g_strconcat (self->device, SUFFIX, NULL);
  const PickleValue *entries = pickle_value_find (section, metric);
  const PickleValue *key, *value;

  if (entries == NULL)
    {
      g_autoptr (GPtrArray) metrics = g_ptr_array_new_with_free_func (g_free);
      for (gsize i = 0; pickle_value_is_dict (section) && i < pickle_value_get_length (section); i++)
        {
          pickle_value_get_pair (section, i, &key, &value);
          char *name = pickle_value_dup_string (key);
          if (name != NULL)
            g_ptr_array_add (metrics, name);
        }
      return fail_no_device (self, metrics, error);
    }
  if (!pickle_value_is_dict (entries))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: %s is no dict", self->path, metric);
      return FALSE;
    }
  for (gsize i = 0; i < pickle_value_get_length (entries); i++)
    {
      double milliseconds = 0;
      pickle_value_get_pair (entries, i, &key, &value);
      g_autofree char *name = pickle_value_dup_string (key);
      if (name == NULL)
        {
          g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: a key of %s is no string", self->path, metric);
          return FALSE;
        }
      const gboolean is_number = pickle_value_get_number (value, &milliseconds);
      if (!add_entry (self, name, is_number, milliseconds, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_pickle (Table *self, GBytes *bytes, GError **error)
{
  g_autoptr (Pickle) pickle = pickle_read (bytes, error);

  if (pickle == NULL)
    {
      g_prefix_error (error, "%s: ", self->path);
      return FALSE;
    }
  const PickleValue *root = pickle_get_root (pickle);
  const PickleValue *fbnet = pickle_value_find (root, "fbnet");
  return read_pickle_entries (self, fbnet != NULL ? fbnet : root, error);
}

GHashTable *
latency_table_read (const char *path, const char *device, GError **error)
{
  g_autoptr (GBytes) bytes = load_file (path, error);
  if (bytes == NULL)
    return NULL;

  /* No opcode of a pickle is a brace or bracket that opens, or white space. */
  gsize size, i = 0;
  const char *data = g_bytes_get_data (bytes, &size);
  while (i < size && g_ascii_isspace (data[i]))
    i++;
  const gboolean is_json = i < size && (data[i] == '{' || data[i] == '[');

  g_autoptr (GHashTable) entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  Table table = { path, device, entries };
  if (!(is_json ? read_json : read_pickle) (&table, bytes, error))
    return NULL;
  return g_steal_pointer (&entries);
}
