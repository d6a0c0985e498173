/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A config's text: reading, overrides, look-up. */

#include "cleave-config-private.h"
#include "cleave-locate.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (CleaveConfig, cleave_config, G_TYPE_OBJECT)

/* A config is a page of text; whatever is larger is some other file. */
#define LARGEST_CONFIG (1 << 20)

static void
cleave_config_finalize (GObject *object)
{
  CleaveConfig *self = CLEAVE_CONFIG (object);

  g_key_file_unref (self->keys);
  g_hash_table_unref (self->overridden);
  g_hash_table_unref (self->warned);
  g_free (self->label);
  g_free (self->folder);
  G_OBJECT_CLASS (cleave_config_parent_class)->finalize (object);
}

static void
cleave_config_class_init (CleaveConfigClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cleave_config_finalize;
}

static void
cleave_config_init (CleaveConfig *self)
{
  self->keys = g_key_file_new ();
  self->overridden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->warned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/* --- reading --- */

static gboolean
loads (const char *text, gsize length)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  return length == 0 || g_key_file_load_from_data (keys, text, length, G_KEY_FILE_NONE, NULL);
}

/* GKeyFile does not tell where it failed: the first line with which the text up to there does not load. A text that
 * fails goes on failing when lines are added, so the line is found by halving. */
static guint
failing_line (const char *text)
{
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  gsize length = strlen (text);
  guint low = 0, high;

  for (gsize i = 0; i < length; i++)
    if (text[i] == '\n' || i + 1 == length)
      {
        gsize end = i + 1;

        g_array_append_val (ends, end);
      }
  high = ends->len > 0 ? ends->len - 1 : 0;
  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (loads (text, g_array_index (ends, gsize, middle)))
        low = middle + 1;
      else
        high = middle;
    }
  return low + 1;
}

static guint
line_at (const char *text, const char *place)
{
  guint line = 1;

  for (; text < place; text++)
    line += *text == '\n';
  return line;
}

static CleaveConfig *
config_parse (const char *text, gsize length, const char *label, const char *folder, GError **error)
{
  g_autoptr (CleaveConfig) self = g_object_new (CLEAVE_TYPE_CONFIG, NULL);
  const char *bad;

  self->label = g_strdup (label);
  self->folder = g_strdup (folder);
  if (!g_utf8_validate (text, (gssize)length, &bad))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s:%u: expected text in UTF-8", label,
                   line_at (text, bad));
      return NULL;
    }
  if (length > 0 && !g_key_file_load_from_data (self->keys, text, length, G_KEY_FILE_NONE, NULL))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s:%u: expected [section], key = value or # comment",
                   label, failing_line (text));
      return NULL;
    }
  return g_steal_pointer (&self);
}

CleaveConfig *
cleave_config_load_from_text (const char *text, const char *folder, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  return config_parse (text, strlen (text), "config", folder, error);
}

static char *
find_config (const char *name, GError **error)
{
  g_auto (GStrv) experiments = NULL;
  char *path;
  const char *suggestion;

  if (g_file_test (name, G_FILE_TEST_EXISTS))
    return g_strdup (name);
  path = cleave_locate_experiment (name);
  if (path != NULL)
    return path;
  experiments = cleave_locate_experiments ();
  suggestion = cleave_suggest (name, (const char *const *)experiments);
  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: no such file or experiment; did you mean %s?", name,
                 suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: no such file or experiment", name);
  return NULL;
}

CleaveConfig *
cleave_config_load (const char *name, GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *absolute = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GError) problem = NULL;
  gsize length = 0;

  g_return_val_if_fail (name != NULL, NULL);

  path = find_config (name, error);
  if (path == NULL)
    return NULL;
  absolute = g_canonicalize_filename (path, NULL);
  folder = g_path_get_dirname (absolute);
  file = g_file_new_for_path (absolute);
  text = g_malloc (LARGEST_CONFIG + 1);
  stream = g_file_read (file, NULL, &problem);
  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), text, LARGEST_CONFIG + 1, &length, NULL, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: can't be read: %s", path, problem->message);
      return NULL;
    }
  if (length > LARGEST_CONFIG)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: larger than 1 MiB, so this is no config", path);
      return NULL;
    }
  text[length] = '\0';
  return config_parse (text, length, path, folder, error);
}

/* --- overrides and look-up --- */

/* Letters, digits and the characters in MORE: what GKeyFile accepts and a command line can name. */
static gboolean
is_word (const char *text, const char *more)
{
  for (const char *c = text; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr (more, *c) == NULL)
      return FALSE;
  return *text != '\0';
}

gboolean
cleave_config_set (CleaveConfig *self, const char *assignment, GError **error)
{
  const char *equals;
  g_autofree char *section = NULL;
  g_autofree char *value = NULL;
  char *key;

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && assignment != NULL, FALSE);

  equals = strchr (assignment, '=');
  section = g_strndup (assignment, equals != NULL ? (gsize)(equals - assignment) : 0);
  key = strrchr (g_strstrip (section), '.');
  if (key != NULL)
    *key++ = '\0';
  value = g_strstrip (g_strdup (equals != NULL ? equals + 1 : ""));
  if (key == NULL || !is_word (section, "-_.") || !is_word (key, "-_") || strpbrk (value, "\r\n") != NULL
      || !g_utf8_validate (value, -1, NULL))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--set %s: expected section.key=value", assignment);
      return FALSE;
    }
  g_key_file_set_value (self->keys, section, key, value);
  g_hash_table_add (self->overridden, g_strdup_printf ("%s.%s", section, key));
  return TRUE;
}

char *
cleave_config_get (CleaveConfig *self, const char *section, const char *key)
{
  char *value;

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && section != NULL && key != NULL, NULL);

  value = g_key_file_get_value (self->keys, section, key, NULL);
  return value != NULL ? g_strstrip (value) : NULL;
}

char *
cleave_config_describe_place (CleaveConfig *self, const char *section, const char *key)
{
  g_autofree char *name = g_strdup_printf ("%s.%s", section, key != NULL ? key : "");

  return g_strdup_printf ("%s: [%s]", g_hash_table_contains (self->overridden, name) ? "--set" : self->label, section);
}

/* A section that only --set names is there, too. */
static gboolean
section_is_overridden (CleaveConfig *self, const char *section)
{
  g_auto (GStrv) keys = g_key_file_get_keys (self->keys, section, NULL, NULL);

  for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s.%s", section, keys[i]);

      if (!g_hash_table_contains (self->overridden, name))
        return FALSE;
    }
  return keys != NULL && keys[0] != NULL;
}

void
cleave_config_set_section_error (CleaveConfig *self, const char *section, const char *const *known, GError **error)
{
  const char *place = section_is_overridden (self, section) ? "--set" : self->label;
  const char *suggestion = cleave_suggest (section, known);

  if (suggestion != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: [%s]: no such section; did you mean [%s]?", place,
                 section, suggestion);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: [%s]: no such section", place, section);
}

gboolean
cleave_config_check_sections (CleaveConfig *self, const char *const *known, GError **error)
{
  g_auto (GStrv) sections = NULL;

  g_return_val_if_fail (CLEAVE_IS_CONFIG (self) && known != NULL, FALSE);

  sections = g_key_file_get_groups (self->keys, NULL);
  for (gsize i = 0; sections[i] != NULL; i++)
    {
      g_autofree char *first = g_strndup (sections[i], strcspn (sections[i], "."));

      if (g_strv_contains (known, first))
        continue;
      cleave_config_set_section_error (self, sections[i], known, error);
      return FALSE;
    }
  return TRUE;
}

char *
cleave_config_find_path (CleaveConfig *self, const char *path)
{
  const char *data = g_getenv ("CLEAVE_DATA_DIR");
  const char *const folders[] = { self->folder, data, "." };

  if (*path == '\0' || g_path_is_absolute (path))
    return g_strdup (path);
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    if (folders[i] != NULL && *folders[i] != '\0')
      {
        g_autofree char *joined = g_build_filename (folders[i], path, NULL);

        if (g_file_test (joined, G_FILE_TEST_EXISTS))
          return g_canonicalize_filename (joined, NULL);
      }
  return g_strdup (path);
}
