/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave new-plugin: a project that holds a component of one's own, made from a template.
 *
 * Templates are whole projects of a component called my-plugin; its name is replaced in the three ways in which it is
 * spelled. The first line of each file is the template's licence tag, and stays behind: what is made is its author's.
 */

#include "cli.h"

#include "cleave-locate.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#define TEMPLATES "/cleave/templates"

typedef struct
{
  char *name;   /* my-link, as configs use it */
  char *prefix; /* my_link, before C functions */
  char *type;   /* MyLink, the C or Python type */
  char *title;  /* My link, in the manifest */
} Names;

static void
names_clear (Names *names)
{
  g_free (names->name);
  g_free (names->prefix);
  g_free (names->type);
  g_free (names->title);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Names, names_clear)

static gboolean
check_name (CleaveHost *host, const char *name, GError **error)
{
  /* Meson's targets, among them that of the project's own test.c. */
  static const char *const taken[]
      = { "all", "benchmark", "clean", "coverage", "dist", "install", "test", "uninstall", NULL };
  const CleavePluginDescription *other = cleave_host_find (host, name);

  if (g_strv_contains (taken, name) || g_str_has_prefix (name, "cleave-") || g_str_has_prefix (name, "g-"))
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                 "%s: a name that the build, GLib or Cleave has for itself; choose another, such as my-%s", name, name);
  /* GObject takes no type names below three letters. */
  else if (strlen (name) < 3 || !g_regex_match_simple ("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", name, 0, 0))
    g_set_error (
        error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
        "%s: expected a name of small letters and digits, three or more, words with - between them, such as my-link",
        name);
  else if (other != NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: there is a plugin of this name already: %s", name,
                 other->manifest);
  else
    return TRUE;
  return FALSE;
}

static void
spell (Names *names, const char *name)
{
  g_auto (GStrv) words = g_strsplit (name, "-", -1);
  g_autoptr (GString) type = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    {
      g_string_append_c (type, g_ascii_toupper (words[i][0]));
      g_string_append (type, words[i] + 1);
    }
  names->name = g_strdup (name);
  names->type = g_string_free (g_steal_pointer (&type), FALSE);
  names->prefix = g_strjoinv ("_", words);
  names->title = g_strjoinv (" ", words);
  names->title[0] = g_ascii_toupper (names->title[0]);
}

static char *
fill_in (const char *text, const Names *names)
{
  g_autoptr (GString) filled = g_string_new (text);

  g_string_replace (filled, "my-plugin", names->name, 0);
  g_string_replace (filled, "my_plugin", names->prefix, 0);
  g_string_replace (filled, "MyPlugin", names->type, 0);
  g_string_replace (filled, "My plugin", names->title, 0);
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

static gboolean
has_licence_tag (const char *text)
{
  g_autofree char *line = g_strndup (text, strcspn (text, "\n"));

  return strstr (line, "SPDX-License-Identifier") != NULL;
}

static gboolean
write_file (const char *resource, const char *file, const Names *names, const char *folder, GError **error)
{
  g_autofree char *path_in = g_build_path ("/", resource, file, NULL);
  g_autofree char *name = fill_in (file, names);
  g_autofree char *path_out = g_build_filename (folder, name, NULL);
  g_autoptr (GBytes) template = g_resources_lookup_data (path_in, 0, error);
  g_autofree char *text = NULL;
  const char *begin;

  if (template == NULL)
    return FALSE;
  begin = g_bytes_get_data (template, NULL);
  if (has_licence_tag (begin))
    begin += strcspn (begin, "\n") + 1;
  text = fill_in (begin, names);
  if (!cleave_file_replace (path_out, text, strlen (text), error))
    return FALSE;
  g_print ("%s\n", path_out);
  return TRUE;
}

/* The template's files: those of its language and those of its kind. */
static gboolean
write_files (const char *resource, const Names *names, const char *folder, GError **error)
{
  g_auto (GStrv) files = g_resources_enumerate_children (resource, 0, error);

  for (guint i = 0; files != NULL && files[i] != NULL; i++)
    if (!g_str_has_suffix (files[i], "/") && !write_file (resource, files[i], names, folder, error))
      return FALSE;
  return files != NULL;
}

static gboolean
make_folder (const char *folder, GError **error)
{
  g_autoptr (GDir) listing = NULL;

  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't make this folder: %s", folder, g_strerror (errno));
      return FALSE;
    }
  listing = g_dir_open (folder, 0, error);
  if (listing == NULL)
    return FALSE;
  if (g_dir_read_name (listing) == NULL)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: this folder is not empty; name another", folder);
  return FALSE;
}

/* The test runs in a Python of its own, which has to find this Cleave. NULL where there is no support for Python. */
static char *
describe_python_test (void)
{
  g_autofree char *python = cleave_locate_python ();
  g_autofree char *typelib = cleave_locate_typelib ();
  g_autofree char *library = cleave_locate_library ();
  g_autofree char *python_word = NULL, *typelib_word = NULL, *library_word = NULL;

  if (python == NULL || typelib == NULL || library == NULL)
    return NULL;
  python_word = g_shell_quote (python);
  typelib_word = g_shell_quote (typelib);
  library_word = g_shell_quote (library);
  return g_strdup_printf ("  PYTHONPATH=%s GI_TYPELIB_PATH=%s LD_LIBRARY_PATH=%s python3 test.py\n", python_word,
                          typelib_word, library_word);
}

static void
tell_next_steps (CleaveKind kind, gboolean is_c, const Names *names, const char *folder)
{
  const char *section = kind == CLEAVE_KIND_ORACLE ? "device" : cleave_kind_to_string (kind);
  g_autofree char *test = describe_python_test ();
  g_autofree char *own_plugins_path = g_build_filename (g_get_user_data_dir (), "cleave", "plugins", NULL);
  g_autofree char *own_plugins = g_shell_quote (own_plugins_path);

  g_print ("\nNext, in %s:\n", folder);
  if (is_c)
    g_print ("  meson setup build && meson test -C build\n"
             "  cleave inspect %s --plugin-path build\n"
             "  cleave search demo --set %s.plugin=%s --plugin-path build\n"
             "  meson install -C build\n"
             "To install it for yourself alone, set it up with -Dplugins=%s\n",
             names->name, section, names->name, own_plugins);
  else
    g_print ("%s"
             "  cleave check-plugin .\n"
             "  cleave search demo --set %s.plugin=%s --plugin-path .\n"
             "  mkdir -p %s && cp %s.py %s.plugin %s\n",
             test != NULL ? test : "", section, names->name, own_plugins, names->name, names->name, own_plugins);
}

static gboolean
parse_kind (const char *text, CleaveKind *kind, GError **error)
{
  for (guint i = 0; text != NULL && i < CLEAVE_N_KINDS; i++)
    if (g_str_equal (text, cleave_kind_to_string (i)))
      {
        *kind = i;
        return TRUE;
      }
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
               "--kind %s: expected space, oracle, channel, optimizer or dataset", text != NULL ? text : "is missing");
  return FALSE;
}

static gboolean
make_project (CleaveHost *host, CleaveKind kind, const char *language, const char *name, const char *folder,
              GError **error)
{
  g_auto (Names) names = { 0 };
  g_autofree char *common = g_build_path ("/", TEMPLATES, language, NULL);
  g_autofree char *own = g_build_path ("/", common, cleave_kind_to_string (kind), NULL);

  if (!check_name (host, name, error) || !make_folder (folder, error))
    return FALSE;
  spell (&names, name);
  if (!write_files (own, &names, folder, error) || !write_files (common, &names, folder, error))
    return FALSE;
  tell_next_steps (kind, g_str_equal (language, "c"), &names, folder);
  return TRUE;
}

int
cli_new_plugin (int argc, char **argv)
{
  g_auto (CliShared) shared = { 0 };
  g_autofree char *kind_text = NULL;
  g_autofree char *language = NULL;
  const GOptionEntry options[] = {
    { "kind", 0, 0, G_OPTION_ARG_STRING, &kind_text, "space, oracle, channel, optimizer or dataset", "KIND" },
    { "language", 0, 0, G_OPTION_ARG_STRING, &language, "c (the default) or python", "LANGUAGE" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments
      = cli_parse (argc, argv, "NAME [DIR]",
                   "Writes a small project to begin a plugin with: source, manifest, build, test; in the new folder "
                   "DIR, by default NAME.",
                   options, 0, &shared, 1, 2, &error);
  g_autoptr (CleaveHost) host = NULL;
  CleaveKind kind;

  if (arguments == NULL || !parse_kind (kind_text, &kind, &error))
    return cli_fail (error);
  if (language != NULL && !g_str_equal (language, "c") && !g_str_equal (language, "python"))
    {
      g_set_error (&error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "--language %s: expected c or python", language);
      return cli_fail (error);
    }
  host = cli_make_host (&shared, &error);
  if (host == NULL
      || !make_project (host, kind, language != NULL ? language : "c", arguments[0],
                        arguments[1] != NULL ? arguments[1] : arguments[0], &error))
    return cli_fail (error);
  return CLI_DONE;
}
