/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What stands beside the command and must not fall behind it: the man page and the completion. */

#include "tiny.h"

#include <string.h>

/* The commands, as `cleave --help` lists them. */
static GStrv
list_commands (void)
{
  g_autoptr (GPtrArray) commands = g_ptr_array_new ();
  g_autofree char *help = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean inside = FALSE;

  EXPECT_INT (test_run_cleave (&help, NULL, "--help", NULL), 0);
  lines = g_strsplit (help, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_equal (lines[i], "Commands:"))
      inside = TRUE;
    else if (inside && g_str_has_prefix (lines[i], "  "))
      g_ptr_array_add (commands, g_strndup (lines[i] + 2, strcspn (lines[i] + 2, " ")));
    else
      inside = FALSE;
  g_ptr_array_add (commands, NULL);
  return (GStrv)g_ptr_array_free (g_steal_pointer (&commands), FALSE);
}

/* The long options in a command's help, such as "--out". */
static GPtrArray *
list_options (const char *command)
{
  GPtrArray *options = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *help = NULL;
  g_auto (GStrv) lines = NULL;

  EXPECT_INT (test_run_cleave (&help, NULL, command, "--help", NULL), 0);
  lines = g_strsplit (help, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *option = g_str_has_prefix (lines[i], "  -") ? strstr (lines[i], "--") : NULL;

      if (option != NULL)
        g_ptr_array_add (options, g_strndup (option, strcspn (option, "= ")));
    }
  return options;
}

/* As a man page writes it. */
static char *
escape_hyphens (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "-", -1);

  return g_strjoinv ("\\-", parts);
}

static gboolean
has_option (const char *page, const char *option)
{
  g_autofree char *escaped = escape_hyphens (option);
  const char *place = page;

  while ((place = strstr (place, escaped)) != NULL)
    {
      place += strlen (escaped);
      if (strchr (" =\n\"", *place) != NULL)
        return TRUE;
    }
  return FALSE;
}

TEST (Documents, the_man_page_tells_every_command_and_option)
{
  g_autofree char *page = NULL;
  g_auto (GStrv) commands = list_commands ();

  REQUIRE (g_file_get_contents (TEST_SOURCE_ROOT "/core/cli/man/cleave.1", &page, NULL, NULL));
  EXPECT_TRUE (g_strv_length (commands) >= 9);
  for (guint c = 0; commands[c] != NULL; c++)
    {
      g_autofree char *name = escape_hyphens (commands[c]);
      g_autofree char *heading = g_strdup_printf ("\n.SS %s ", name);
      g_autoptr (GPtrArray) options = list_options (commands[c]);

      test_check (strstr (page, heading) != NULL, __FILE__, __LINE__, "%s is not in the man page", commands[c]);
      EXPECT_TRUE (options->len >= 3);
      for (guint i = 0; i < options->len; i++)
        test_check (has_option (page, options->pdata[i]), __FILE__, __LINE__, "%s: %s is not in the man page",
                    commands[c], (const char *)options->pdata[i]);
    }
}

/* What bash would offer for these words, the last of which is being written. */
static char *
complete (const char *words, guint current)
{
  static const char script[] = "source %s; COMP_WORDS=(%s); COMP_CWORD=%u; _cleave 2>/dev/null;"
                               " printf '%%s\\n' \"${COMPREPLY[@]}\"";
  g_autofree char *command = tiny_command ();
  g_autofree char *folder = g_path_get_dirname (command);
  g_autofree char *path = g_strdup_printf ("%s:%s", folder, g_getenv ("PATH"));
  g_autofree char *file = g_shell_quote (TEST_SOURCE_ROOT "/core/cli/completion/cleave");
  g_autofree char *text = g_strdup_printf (script, file, words, current);
  char *arguments[] = { "bash", "--norc", "-c", text, NULL };
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), "PATH", path, TRUE);
  g_autoptr (GError) error = NULL;
  char *out = NULL;

  g_spawn_sync (NULL, arguments, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, NULL, &error);
  EXPECT_NO_ERROR (error);
  return out;
}

TEST (Documents, bash_completes_commands_options_and_plugins)
{
  g_autofree char *commands = complete ("cleave c", 1);
  g_autofree char *options = complete ("cleave compare --s", 2);
  g_autofree char *plugins = complete ("cleave inspect lossy", 2);
  g_autofree char *sections = complete ("cleave inspect obj", 2);
  g_autofree char *checked = complete ("cleave check-plugin lossy", 2);
  g_autofree char *unchecked = complete ("cleave check-plugin obj", 2);

  EXPECT_STRING (commands, "calibrate\ncheck\ncheck-plugin\ncompare\n");
  EXPECT_STRING (options, "--seeds=\n--set=\n");
  EXPECT_STRING (plugins, "lossy-link\n");
  EXPECT_STRING (sections, "objective\n");
  EXPECT_STRING (checked, "lossy-link\n");
  EXPECT_STRING (unchecked, "\n");
}
