/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../conformance/suite.h"
#include "../plugins/fixtures.h"
#include "tiny.h"

#include <json-glib/json-glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Runs the command on a plugin of tests/fixtures/conformance with this fault. */
static int
check_fault (const char *plugin, const char *fault, char **out, char **err)
{
  g_autofree char *set = g_strconcat ("fault=", fault, NULL);

  return test_run_cleave (out, err, "check-plugin", plugin, "--plugin-path", suite_fixtures (), "--set", set,
                          "--timeout", g_str_equal (fault, "hang") ? "4" : "300", "--memory", "0.5", NULL);
}

/* The last lines of a report, after the passed checks, are these. */
static void
expect_end (const char *out, const char *end)
{
  g_autofree char *shown = g_strconcat ("\n", end, "\n", NULL);

  test_check (strstr (out, shown) != NULL, __FILE__, __LINE__, "“%s” is not in\n%s", end, out);
}

TEST (CheckPlugin, TellsOfEveryCheck)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (check_fault ("faulty-channel", "", &out, &err), 0);
  EXPECT_TRUE (g_str_has_prefix (out, "faulty-channel (channel): "));
  expect_end (out, "ok    manifest\nok    component\nok    use\nok    parameters: declared");
  expect_end (out, "14 passed, 0 failed, 0 skipped");
  EXPECT_STRING (err, "");
}

TEST (CheckPlugin, TellsOfAFailedCheckAndGoesOn)
{
  g_autofree char *out = NULL;

  EXPECT_INT (check_fault ("faulty-channel", "weightless", &out, NULL), 1);
  expect_end (out, "FAIL  transfer: a million elements take 0 bits\nok    losses");
  expect_end (out, "13 passed, 1 failed, 0 skipped");
}

/* A child that is ended has no report of its own. */
TEST (CheckPlugin, OutlivesWhatAPluginDoes)
{
  static const char *const cases[][2] = {
    { "abort", "FAIL  use: crashed (SIGABRT)" },
    { "exit", "FAIL  use: ended the process with status 0" },
    { "exit 7", "FAIL  use: ended the process with status 7" },
    { "hang", "FAIL  use: took more than 4 s" },
    { "memory", "FAIL  use: took more than 0.5 GiB of memory" },
    { "abort at 9 bit", "FAIL  parameters: values in use: crashed (SIGABRT), at header = 9" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *out = NULL;

      EXPECT_INT (check_fault ("faulty-channel", cases[i][0], &out, NULL), 1);
      expect_end (out, cases[i][1]);
      EXPECT_TRUE (g_str_has_suffix (out, " 1 failed, 0 skipped; the checks after this were not run\n"));
    }
}

TEST (CheckPlugin, WarningsFail)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (check_fault ("faulty-channel", "warn", &out, &err), 1);
  expect_end (out, "FAIL  transfer: it warns: something is amiss");
  EXPECT_STRING (err, "");
}

TEST (CheckPlugin, WhatAPluginPrintsIsNotInTheReport)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (check_fault ("faulty-channel", "print", &out, &err), 0);
  EXPECT_TRUE (strstr (out, "likes") == NULL);
  EXPECT_TRUE (strstr (err, "a plugin may print what it likes\n") != NULL);
}

/* Stderr is read to its end, which is when all that hold it have ended. */
TEST (CheckPlugin, WhatAPluginStartsEndsWithIt)
{
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  EXPECT_INT (check_fault ("faulty-channel", "process", &out, &err), 0);
  expect_end (out, "14 passed, 0 failed, 0 skipped");
  EXPECT_STRING (err, "");
}

/* An oracle whose parts don't add up to the whole says why in its manifest. */
TEST (CheckPlugin, AnOracleSaysWhyItIsNotAdditive)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *manifest = g_build_filename (suite_fixtures (), "faulty-oracle.plugin", NULL);
  g_autofree char *module = g_build_filename (suite_fixtures (), "libfaulty-oracle.so", NULL);
  g_autofree char *own_manifest = g_build_filename (folder, "faulty-oracle.plugin", NULL);
  g_autofree char *own_module = g_build_filename (folder, "libfaulty-oracle.so", NULL);
  g_autofree char *text = NULL;
  g_autofree char *out = NULL;

  REQUIRE (g_file_get_contents (manifest, &text, NULL, NULL));
  g_autofree char *longer = g_strconcat (text, "X-Cleave-Not-Additive=it has to start up\n", NULL);
  EXPECT_TRUE (g_file_set_contents (own_manifest, longer, -1, NULL));
  EXPECT_INT (symlink (module, own_module), 0);
  EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", folder, "--set", "fault=start-up", NULL), 0);
  expect_end (out, "14 passed, 0 failed, 0 skipped");
  EXPECT_TRUE (strstr (out, "\nok    estimates: additive: no, by ") != NULL);
  EXPECT_TRUE (strstr (out, " % of the whole: it has to start up\n") != NULL);
}

/* A sanitizer has an allocator of its own, and finds leaks itself. */
TEST (CheckPlugin, FindsLeaks)
{
  g_autofree char *out = NULL;

#ifdef __SANITIZE_ADDRESS__
  SKIP ("the sanitizer's allocator tells nothing of the heap");
#endif
  EXPECT_INT (check_fault ("faulty-channel", "leak", &out, NULL), 1);
  EXPECT_TRUE (strstr (out, "\nFAIL  memory: making, using and dropping it leaves ") != NULL);
}

TEST (CheckPlugin, OneLineForWhatCannotBeLoaded)
{
  static const char *const cases[][2] = {
    { "missing-module", "FAIL  component: plugin missing-module: its module can't be loaded: " },
    { "no-symbol", "FAIL  component: plugin no-symbol: its module can't be loaded: it has no peas_register_types" },
    { "undefined-symbol", "function_that_is_nowhere" },
    { "wrong-api", "FAIL  manifest: X-Cleave-API = 0.1: made for another version of Cleave, expected 1.0\n" },
    { "wrong-kind", "FAIL  component: plugin wrong-kind: its module registers no oracle\n" },
    { "taken-type", "registers no channel (the type name CleaveHost is taken by another plugin or library)\n" },
    { "wrong-default", "its component is declared wrong: the default of delay, 0, is outside 1 to 10\n" },
    { "no-kind", "FAIL  manifest: [Plugin] X-Cleave-Kind: missing\n" },
    { "garbage", "FAIL  manifest: the manifest can't be read: " },
    { "missing-library", "its module can't be loaded: libcleave-absent.so.9: cannot open shared object file" },
    { "missing-dependency", "FAIL  component: plugin missing-dependency: it depends on the plugin "
                            "plugin-that-is-nowhere: there is none\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *out = NULL;
      g_autofree char *err = NULL;
      const char *failure;

      EXPECT_INT (test_run_cleave (&out, &err, "check-plugin", cases[i][0], "--plugin-path", fixture_plugins (),
                                   "--plugin-path", suite_fixtures (), NULL),
                  1);
      failure = strstr (out, "\nFAIL");
      test_check (failure != NULL && strstr (failure, cases[i][1]) != NULL && strstr (failure + 1, "\nFAIL") == NULL,
                  __FILE__, __LINE__, "%s: “%s” is not the one failure of\n%s", cases[i][0], cases[i][1], out);
      EXPECT_STRING (err, "");
    }
}

TEST (CheckPlugin, OutlivesACrashWhenLoaded)
{
  static const char *const plugins[] = { "crash-class", "crash-instance" };
  g_autofree char *beside = g_path_get_dirname (suite_fixtures ());
  g_autofree char *folder = g_build_filename (beside, "crash", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (plugins); i++)
    {
      g_autofree char *out = NULL;

      EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", plugins[i], "--plugin-path", folder, NULL), 1);
      expect_end (out, "ok    manifest\nFAIL  component: crashed (SIGABRT)\n1 passed, 1 failed, 0 skipped; the checks "
                       "after this were not run");
    }
}

TEST (CheckPlugin, SkipsWhatNeedsAFile)
{
  g_autofree char *out = NULL;

  EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", "hw-nas-bench", NULL), 0);
  expect_end (out, "skip  use: hw-nas-bench: the parameter “table” is not set, expected HW-NAS-Bench's file (JSON or "
                   "pickle)");
  expect_end (out, "skip  estimates: it can't be used, as told above");
  expect_end (out, "8 passed, 0 failed, 6 skipped");
}

/* The same plugin by a folder above, its folder, and its manifest. */
TEST (CheckPlugin, TakesPaths)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *below = g_build_filename (folder, "below", NULL);
  g_autofree char *manifest = NULL;
  g_autofree char *module = g_build_filename (suite_fixtures (), "libfaulty-channel.so", NULL);
  g_autofree char *link = g_build_filename (below, "libfaulty-channel.so", NULL);
  g_autofree char *text = tiny_read (suite_fixtures (), "faulty-channel.plugin");
  g_autoptr (GFile) file = g_file_new_for_path (link);

  EXPECT_INT (g_mkdir_with_parents (below, 0700), 0);
  manifest = fixture_write (below, "faulty-channel.plugin", text);
  EXPECT_TRUE (g_file_make_symbolic_link (file, module, NULL, NULL));
  const char *const places[] = { folder, below, manifest };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *out = NULL;

      EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", places[i], NULL), 0);
      expect_end (out, "14 passed, 0 failed, 0 skipped");
      EXPECT_TRUE (strstr (out, manifest) != NULL);
    }
}

TEST (CheckPlugin, TakesParametersFromAConfig)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *config = fixture_write (folder, "a.ini",
                                           "[device]\nplugin = roofline\n[server]\nplugin = flops\ndevice = nowhere\n"
                                           "[space]\nplugin = extended\n");
  g_autofree char *out = NULL;
  g_autofree char *mended = NULL;

  EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", "flops", "--config", config, NULL), 1);
  EXPECT_TRUE (strstr (out, "\nFAIL  use: flops: the speed of the device “nowhere” is not known") != NULL);
  EXPECT_INT (
      test_run_cleave (&mended, NULL, "check-plugin", "flops", "--config", config, "--set", "device=raspi4", NULL), 0);
}

TEST (CheckPlugin, TellsWrongUsage)
{
  const char *fixtures = suite_fixtures ();
  const char *const cases[][5] = {
    { "check-plugin", "lossy-lnik", NULL, NULL, "no such plugin as lossy-lnik; did you mean lossy-link?" },
    { "check-plugin", "/nowhere/at/all", NULL, NULL, "/nowhere/at/all: no such folder" },
    { "check-plugin", fixtures, NULL, NULL, "more than one plugin, " },
    { "check-plugin", "gilbert", "--set", "drop-rate=2", "--set: [channel] drop-rate = 2: expected 0 to 0.99" },
    { "check-plugin", "gilbert", "--set", "dorp-rate=0.2", "no such parameter of gilbert; did you mean drop-rate?" },
    { "check-plugin", "gilbert", "--set", "nonsense", "--set nonsense: expected key=value" },
    { "check-plugin", "gilbert", "--set", "drop\trate=1", "--set drop rate=1: expected key=value" },
    { "check-plugin", "gilbert", "--timeout", "0", "expected numbers above 0" },
    { "check-plugin", "gilbert", "--config", "/nowhere.ini", "/nowhere.ini" },
    { "check-plugin", "flops", "--space", "asng", "asng is an optimizer, expected a space" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *err = NULL;

      EXPECT_INT (test_run_cleave (NULL, &err, cases[i][0], cases[i][1], cases[i][2], cases[i][3], NULL), 2);
      test_check (g_str_has_prefix (err, "cleave: ") && strstr (err, cases[i][4]) != NULL
                      && strchr (err, '\n') == err + strlen (err) - 1,
                  __FILE__, __LINE__, "“%s” is not the one line of\n%s", cases[i][4], err);
    }
}

TEST (CheckPlugin, PrintsJson)
{
  g_autofree char *out = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *report, *check;
  JsonArray *checks;

  EXPECT_INT (test_run_cleave (&out, NULL, "check-plugin", "faulty-channel", "--plugin-path", suite_fixtures (),
                               "--json", "--set", "fault=weightless", NULL),
              1);
  root = json_from_string (out, NULL);
  REQUIRE (root != NULL);
  report = json_node_get_object (root);
  EXPECT_STRING (json_object_get_string_member (report, "name"), "faulty-channel");
  EXPECT_STRING (json_object_get_string_member (report, "kind"), "channel");
  EXPECT_INT (json_object_get_int_member (report, "passed"), 13);
  EXPECT_INT (json_object_get_int_member (report, "failed"), 1);
  EXPECT_INT (json_object_get_int_member (report, "skipped"), 0);
  EXPECT_TRUE (json_object_get_boolean_member (report, "complete"));
  checks = json_object_get_array_member (report, "checks");
  REQUIRE (json_array_get_length (checks) == 14);
  check = json_array_get_object_element (checks, 7);
  EXPECT_STRING (json_object_get_string_member (check, "check"), "transfer");
  EXPECT_STRING (json_object_get_string_member (check, "verdict"), "failed");
  EXPECT_STRING (json_object_get_string_member (check, "text"), "a million elements take 0 bits");
}

/* Starts the command on a plugin that hangs; its stdout is given. */
static GSubprocess *
start_hanging (void)
{
  g_autofree char *command = tiny_command ();
  g_autoptr (GError) error = NULL;
  GSubprocess *process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error,
                                           command, "check-plugin", "faulty-channel", "--plugin-path",
                                           suite_fixtures (), "--set", "fault=hang", NULL);

  EXPECT_NO_ERROR (error);
  return process;
}

/* The plugin's process holds the other end of stderr; that of stdout is closed when the command has ended. */
TEST (CheckPlugin, CtrlCEndsIt)
{
  g_autoptr (GSubprocess) process = start_hanging ();
  g_autoptr (GDataInputStream) out = NULL;
  REQUIRE (process != NULL);

  out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (process));
  for (gboolean is_there = FALSE; !is_there;)
    {
      g_autofree char *line = g_data_input_stream_read_line (out, NULL, NULL, NULL);
      REQUIRE (line != NULL);
      is_there = g_str_equal (line, "ok    component");
    }
  g_subprocess_send_signal (process, SIGINT);
  g_subprocess_wait (process, NULL, NULL);
  EXPECT_TRUE (g_subprocess_get_if_exited (process));
  EXPECT_INT (g_subprocess_get_exit_status (process), 130);
}
