/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tiny.h"

#include <math.h>
#include <string.h>
#include <sys/wait.h>

static const char config_text[] = "[dataset]\nplugin = synthetic\nclasses = 4\nsize = 16\n"
                                  "train-images = 64\ntest-images = 44\n"
                                  "[space]\nplugin = tiny-space\n"
                                  "[device]\nplugin = flops\ndevice = raspi4\n"
                                  "[server]\nplugin = flops\ndevice = edgegpu\n"
                                  "[channel]\nplugin = lossy-link\ndrop-rate = 0.25\n"
                                  "[optimizer]\nplugin = asng\n"
                                  "[objective]\nlatency-threshold = 1 ms\ndrop-rates = 0; 0.2; 0.5\n"
                                  "[training]\nbatch-size = 8\ncrop-padding = 2\ncutout = 4\n"
                                  "[pretrain]\nepochs = 2\n[search]\nepochs = 2\n[retrain]\nepochs = 3\n"
                                  "[evaluate]\ndrop-rates = 0.2; 0.5\n";

static char *
beside_this_program (const char *first, const char *second, const char *third)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (self != NULL ? self : ".");

  return g_build_filename (folder, first, second, third, NULL);
}

const char *
tiny_plugins (void)
{
  static char *path;

  if (path == NULL)
    path = beside_this_program ("fixtures", "search", NULL);
  return path;
}

CleaveHost *
tiny_make_host (GError **error)
{
  const char *const paths[] = { tiny_plugins (), NULL };

  return cleave_host_new (paths, error);
}

char *
tiny_command (void)
{
  return beside_this_program ("..", "core/cli", "cleave");
}

char *
tiny_write_config (const char *folder)
{
  char *path = g_build_filename (folder, "tiny.ini", NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, config_text, -1, &error);
  EXPECT_NO_ERROR (error);
  return path;
}

CleaveConfig *
tiny_load_config (void)
{
  g_autoptr (GError) error = NULL;
  CleaveConfig *config = cleave_config_load_from_text (config_text, NULL, &error);

  EXPECT_NO_ERROR (error);
  return config;
}

CleaveRun *
tiny_make_run (const char *out, const char *const *settings, GError **error)
{
  g_autoptr (CleaveHost) host = tiny_make_host (error);
  g_autoptr (CleaveConfig) config = tiny_load_config ();

  for (; host != NULL && *settings != NULL; settings++)
    if (!cleave_config_set (config, *settings, error))
      return NULL;
  return host != NULL ? cleave_run_new (host, config, out, 1, error) : NULL;
}

/* One thread unless a test says otherwise later: on so little work, threads only wait for each other. */
static GPtrArray *
begin_arguments (void)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (arguments, tiny_command ());
  g_ptr_array_add (arguments, g_strdup ("search"));
  g_ptr_array_add (arguments, g_strdup ("--plugin-path"));
  g_ptr_array_add (arguments, g_strdup (tiny_plugins ()));
  g_ptr_array_add (arguments, g_strdup ("--threads"));
  g_ptr_array_add (arguments, g_strdup ("1"));
  return arguments;
}

static void
add_arguments (GPtrArray *arguments, const char *const *more)
{
  for (gsize i = 0; more != NULL && more[i] != NULL; i++)
    g_ptr_array_add (arguments, g_strdup (more[i]));
}

static int
exit_status (int wait_status)
{
  return WIFSIGNALED (wait_status) ? 128 + WTERMSIG (wait_status) : WEXITSTATUS (wait_status);
}

static int
run (GPtrArray *arguments, char **err)
{
  g_autoptr (GError) error = NULL;
  int wait_status = 0;

  g_ptr_array_add (arguments, NULL);
  g_spawn_sync (NULL, (char **)arguments->pdata, NULL,
                G_SPAWN_STDOUT_TO_DEV_NULL | (err == NULL ? G_SPAWN_STDERR_TO_DEV_NULL : 0), NULL, NULL, NULL, err,
                &wait_status, &error);
  EXPECT_NO_ERROR (error);
  return exit_status (wait_status);
}

int
tiny_search (const char *out, const char *const *more, char **err)
{
  g_autoptr (GPtrArray) arguments = begin_arguments ();
  g_autofree char *config = tiny_write_config (test_temporary_folder ());
  const char *own[] = { config, "--json", "--out", out, NULL };

  add_arguments (arguments, own);
  add_arguments (arguments, more);
  return run (arguments, err);
}

int
tiny_resume (const char *folder, const char *const *more, char **err)
{
  g_autoptr (GPtrArray) arguments = begin_arguments ();
  const char *own[] = { "--json", "--resume", folder, NULL };

  add_arguments (arguments, own);
  add_arguments (arguments, more);
  return run (arguments, err);
}

GPid
tiny_start (const char *const *more)
{
  g_autoptr (GPtrArray) arguments = begin_arguments ();
  g_autoptr (GError) error = NULL;
  GPid process = 0;

  add_arguments (arguments, more);
  g_ptr_array_add (arguments, NULL);
  g_spawn_async (NULL, (char **)arguments->pdata, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                 &process, &error);
  EXPECT_NO_ERROR (error);
  return process;
}

int
tiny_wait (GPid process)
{
  int wait_status = 0;

  while (waitpid (process, &wait_status, 0) < 0)
    continue;
  return exit_status (wait_status);
}

char *
tiny_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  EXPECT_NO_ERROR (error);
  return text != NULL ? text : g_strdup ("");
}

gboolean
tiny_exists (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

gboolean
tiny_same_file (const char *first, const char *second, const char *name)
{
  g_autofree char *first_path = g_build_filename (first, name, NULL);
  g_autofree char *second_path = g_build_filename (second, name, NULL);
  g_autofree char *first_text = NULL, *second_text = NULL;
  gsize first_size = 0, second_size = 0;

  return g_file_get_contents (first_path, &first_text, &first_size, NULL)
         && g_file_get_contents (second_path, &second_text, &second_size, NULL) && first_size == second_size
         && memcmp (first_text, second_text, first_size) == 0;
}

double
tiny_metric (const char *folder, const char *stage, const char *column)
{
  g_autofree char *text = tiny_read (folder, "metrics.csv");
  g_auto (GStrv) rows = g_strsplit (text, "\n", 0);
  g_auto (GStrv) names = g_strsplit (rows[0] != NULL ? rows[0] : "", ",", 0);
  double value = NAN;

  for (gsize i = 1; rows[0] != NULL && rows[i] != NULL; i++)
    {
      g_auto (GStrv) cells = g_strsplit (rows[i], ",", 0);

      for (gsize c = 0; cells[c] != NULL && names[c] != NULL; c++)
        if (g_strcmp0 (cells[0], stage) == 0 && g_str_equal (names[c], column) && *cells[c] != '\0')
          value = g_ascii_strtod (cells[c], NULL);
    }
  return value;
}
