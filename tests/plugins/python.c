/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Components in Python (tests/fixtures/python) do what those in C do, and what is wrong with one is told in a line. The
 * command runs them, so that Python is not started in the tests' own process. */

#include "../search/tiny.h"
#include "fixtures.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* Below the build folder's tests/. */
static char *
python_plugins (void)
{
  return g_build_filename (tiny_plugins (), "..", "python", NULL);
}

static gboolean
has_typelib (void)
{
  g_autofree char *path = g_build_filename (tiny_plugins (), "../../../plugins/Cleave-1.0.typelib", NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

#define NEEDS_TYPELIB()                                                                                                \
  if (!has_typelib ())                                                                                                 \
  SKIP ("Python plugins need the typelib, and this build has none (-Dintrospection=false)")

/* A plugin in FOLDER: its manifest, and its code below the usual imports. */
static void
write_plugin (const char *folder, const char *name, const char *kind, const char *code)
{
  g_autofree char *manifest_name = g_strconcat (name, ".plugin", NULL);
  g_autofree char *module_name = g_strconcat (name, ".py", NULL);
  g_autofree char *manifest = g_strdup_printf ("[Plugin]\nModule=%s\nLoader=python3\nName=%s\nX-Cleave-Kind=%s\n"
                                               "X-Cleave-API=1.0\n",
                                               name, name, kind);
  g_autofree char *module = g_strconcat ("from gi.repository import Cleave, GLib, GObject\n", code, NULL);

  g_free (fixture_write (folder, manifest_name, manifest));
  g_free (fixture_write (folder, module_name, module));
}

/* --- a component of each kind drives a search --- */

/* The files of a run that do not name its plugins. */
static const char *const same_files[] = { "result.json", "model.npz", "metrics.csv", "trials.csv" };

/* The tiny search gives the same bytes with IN_PYTHON's settings as with IN_C's (both NULL-terminated). */
static void
expect_same_search (const char *const *in_python, const char *const *in_c)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *plugins = python_plugins ();
  g_autofree char *out_python = g_build_filename (folder, "python", NULL);
  g_autofree char *out_c = g_build_filename (folder, "c", NULL);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *err = NULL;

  g_ptr_array_add (arguments, (char *)"--plugin-path");
  g_ptr_array_add (arguments, plugins);
  for (; *in_python != NULL; in_python++)
    {
      g_ptr_array_add (arguments, (char *)"--set");
      g_ptr_array_add (arguments, (char *)*in_python);
    }
  g_ptr_array_add (arguments, NULL);
  if (!EXPECT_INT (tiny_search (out_python, (const char *const *)arguments->pdata, &err), 0))
    test_check (FALSE, __FILE__, __LINE__, "%s", err);

  g_ptr_array_set_size (arguments, 0);
  for (; *in_c != NULL; in_c++)
    {
      g_ptr_array_add (arguments, (char *)"--set");
      g_ptr_array_add (arguments, (char *)*in_c);
    }
  g_ptr_array_add (arguments, NULL);
  EXPECT_INT (tiny_search (out_c, (const char *const *)arguments->pdata, NULL), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (same_files); i++)
    test_check (tiny_same_file (out_python, out_c, same_files[i]), __FILE__, __LINE__, "%s differs", same_files[i]);
}

TEST (Python, OracleDrivesASearch)
{
  const char *in_python[] = { "device.plugin=python-roofline", "device.peak=2 GFLOPS", "server.plugin=python-roofline",
                              "server.bandwidth=2e10 B/s", NULL };
  const char *in_c[] = { "device.plugin=roofline", "device.peak=2 GFLOPS", "server.plugin=roofline",
                         "server.bandwidth=2e10 B/s", NULL };

  NEEDS_TYPELIB ();
  expect_same_search (in_python, in_c);
}

/* The Python one draws element by element what lossy-link draws at once. */
TEST (Python, ChannelDrivesASearch)
{
  const char *in_python[] = { "channel.plugin=python-link", "channel.throughput=4 Mbit/s", NULL };
  const char *in_c[] = { "channel.throughput=4 Mbit/s", NULL };

  NEEDS_TYPELIB ();
  expect_same_search (in_python, in_c);
}

TEST (Python, SpaceDrivesASearch)
{
  const char *in_python[] = { "space.plugin=python-space", NULL };
  const char *in_c[] = { NULL };

  NEEDS_TYPELIB ();
  expect_same_search (in_python, in_c);
}

/* With a limit that some candidates meet, so that some wait, some are scored, and some are drawn again. */
TEST (Python, OptimizerDrivesASearch)
{
  const char *in_python[]
      = { "optimizer.plugin=python-random", "optimizer.draws=4", "objective.latency-threshold=2.06 ms", NULL };
  const char *in_c[] = { "optimizer.plugin=random", "optimizer.draws=4", "objective.latency-threshold=2.06 ms", NULL };

  NEEDS_TYPELIB ();
  expect_same_search (in_python, in_c);
}

/* It holds another component, which the host makes. */
TEST (Python, DatasetDrivesASearch)
{
  const char *in_python[] = { "dataset.plugin=python-dataset",
                              "dataset.source=synthetic",
                              "dataset.source.classes=4",
                              "dataset.source.size=16",
                              "dataset.source.train-images=64",
                              "dataset.source.test-images=44",
                              NULL };
  const char *in_c[] = { NULL };

  NEEDS_TYPELIB ();
  expect_same_search (in_python, in_c);
}

TEST (Python, ThreadsDoNotMatter)
{
  const char *in_python[] = { "optimizer.plugin=python-random", "channel.plugin=python-link", NULL };
  const char *folder = test_temporary_folder ();
  g_autofree char *plugins = python_plugins ();
  const char *more[]
      = { "--plugin-path", plugins, "--set", in_python[0], "--set", in_python[1], "--threads", "2", NULL };
  g_autofree char *one = g_build_filename (folder, "one", NULL);
  g_autofree char *two = g_build_filename (folder, "two", NULL);

  NEEDS_TYPELIB ();
  EXPECT_INT (tiny_search (two, more, NULL), 0);
  more[6] = NULL;
  EXPECT_INT (tiny_search (one, more, NULL), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (same_files); i++)
    EXPECT_TRUE (tiny_same_file (one, two, same_files[i]));
  EXPECT_TRUE (tiny_same_file (one, two, "checkpoint.npz"));
}

/* --- parameters --- */

/* The fixture sample.c, in Python. */
static const char sample_code[]
    = "import pathlib\n"
      "class Sample(GObject.Object, Cleave.Channel):\n"
      "    throughput = Cleave.parameter(float, 'bit/s', 1, 1e12, 8e6, 'Throughput')\n"
      "    width = Cleave.parameter(int, 'bit', 1, 64, 32, 'Bits an element')\n"
      "    reliable = Cleave.parameter(bool, False, 'Whether nothing is lost')\n"
      "    label = Cleave.parameter(str, None, 'A name')\n"
      "    trace = Cleave.parameter(pathlib.Path, None, 'A recorded trace')\n"
      "    mode = Cleave.parameter(('wifi', 'lora'), 'wifi', 'Kind of link')\n"
      "    rates = Cleave.parameter([float], 0, 0.99, [0, 0.5], 'Loss rates')\n"
      "    def do_bits(self, n_elements): return 0\n"
      "    def do_draw_losses(self, n_elements, rate, random): return b'\\1' * n_elements\n"
      "    def do_seconds(self, n_elements):\n"
      "        raise Cleave.error(Cleave.Error.UNSUPPORTED, repr((self.throughput, self.width, self.reliable,\n"
      "            self.label, self.trace, self.mode, self.rates)))\n";

/* What inspect --json says of the parameters. */
static char *
inspect_parameters (const char *plugins, const char *name)
{
  g_autofree char *out = NULL;
  const char *parameters;

  EXPECT_INT (test_run_cleave (&out, NULL, "inspect", name, "--json", "--plugin-path", plugins, NULL), 0);
  parameters = strstr (out, "\"parameters\"");
  return g_strdup (parameters != NULL ? parameters : "");
}

TEST (Python, ParametersAreDeclaredAsInC)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *in_c = NULL;
  g_autofree char *in_python = NULL;

  NEEDS_TYPELIB ();
  write_plugin (folder, "sample", "channel", sample_code);
  in_c = inspect_parameters (fixture_plugins (), "sample");
  in_python = inspect_parameters (folder, "sample");
  EXPECT_TRUE (strstr (in_c, "Loss rates") != NULL);
  EXPECT_STRING (in_python, in_c);
}

/* Runs check on the tiny config with these plugins and settings; gives what it prints on stderr. */
static char *
check_with (const char *folder, const char *first, const char *second)
{
  g_autofree char *config = tiny_write_config (folder);
  char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "check", config, "--plugin-path", folder, "--plugin-path", tiny_plugins (),
                               "--set", first, second != NULL ? "--set" : NULL, second, NULL),
              2);
  return err;
}

TEST (Python, ParametersHaveTheConfigsValues)
{
  const char *folder = test_temporary_folder ();
  static const char *const cases[][2]
      = { { "channel.throughput=2 Mbit/s", "(2000000.0, 32, False, None, None, 'wifi', [0.0, 0.5])" },
          { "channel.width=8", "(8000000.0, 8, False," },
          { "channel.reliable=true", "32, True, None" },
          { "channel.label=x y", "False, 'x y', None" },
          { "channel.mode=lora", "'lora', [" },
          { "channel.rates=0.25; 0.5; 0", "'wifi', [0.25, 0.5, 0.0])" },
          { "channel.width=65", "[channel] width = 65: expected 1 bit to 64 bit" },
          { "channel.mode=lan", "[channel] mode = lan: expected wifi or lora" },
          { "channel.rates=2", "[channel] rates = 2: expected numbers with ; between them, each 0 to 0.99" },
          { "channel.witdh=8", "no such parameter of python-sample; did you mean width?" } };

  NEEDS_TYPELIB ();
  write_plugin (folder, "python-sample", "channel", sample_code);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *err = check_with (folder, "channel.plugin=python-sample", cases[i][0]);
      test_check (strstr (err, cases[i][1]) != NULL, __FILE__, __LINE__, "%s: %s", cases[i][0], err);
    }
}

/* --- what is broken --- */

/* That stderr is one line, which ends with TEXT. */
static void
expect_line (const char *err, const char *text)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);
  const char *end = strchr (err, '\n');

  test_check (g_str_has_suffix (err, line) && end != NULL && end[1] == '\0', __FILE__, __LINE__,
              "\"%s\" is not one line that ends with \"%s\"", err, text);
}

#define CLASS "class Broken(GObject.Object, Cleave.Oracle):\n"

TEST (Python, ModulesThatCannotBeLoadedAreNamed)
{
  static const char *const cases[][2]
      = { { "def f(:\n", "SyntaxError: invalid syntax (broken.py:2)" },
          { "import nothing_of_this_name\n",
            "ModuleNotFoundError: No module named 'nothing_of_this_name' (broken.py:2 in <module>)" },
          { "def helper():\n    return 1 / 0\nhelper()\n",
            "ZeroDivisionError: division by zero (broken.py:4 in <module>, broken.py:3 in helper)" },
          { "raise SystemExit(3)\n", "SystemExit: 3 (broken.py:2 in <module>)" },
          { CLASS "    def __init__(self):\n        super().__init__()\n        raise ValueError('two\\nlines')\n",
            "ValueError: two lines (broken.py:5 in __init__)" },
          { CLASS "    def __init__(self):\n        self.count = 0\n",
            "Broken.__init__ does not call super().__init__()" },
          { "class Broken(Cleave.Oracle):\n    pass\n", "TypeError: class Broken is no GObject.Object; expected class "
                                                        "Broken(GObject.Object, …) (broken.py:2 in <module>)" },
          { "", "expected one class with Cleave.Oracle in its module, found none" },
          { CLASS "    pass\nclass Second(Broken):\n    pass\n",
            "expected one class with Cleave.Oracle in its module, found Broken, Second" },
          { CLASS "    delay = Cleave.parameter(float, 'ms', 1, 10, 0, 'Delay')\n",
            "ValueError: the default of delay, 0, is outside 1 to 10 (broken.py:2 in <module>)" },
          { CLASS "    rates = Cleave.parameter([float], 0, 1, [0, 2], 'Rates')\n",
            "ValueError: the default of rates, 2, is outside 0 to 1 (broken.py:2 in <module>)" },
          { CLASS "    mode = Cleave.parameter(('a', 'b'), 'c', 'Mode')\n",
            "ValueError: the default of mode, c, is none of a|b (broken.py:2 in <module>)" },
          { CLASS "    plugin = Cleave.parameter(str, None, 'Plugin')\n",
            "that key of a config names the plugin itself (broken.py:2 in <module>)" },
          { CLASS "    size = Cleave.parameter(dict, None, 'Size')\n",
            "expected float, int, bool, str, pathlib.Path, [float], a tuple of words or one of Cleave's interfaces "
            "(broken.py:2 in <module>, broken.py:3 in Broken)" } };

  NEEDS_TYPELIB ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *folder = test_temporary_folder ();
      g_autofree char *err = NULL;

      write_plugin (folder, "broken", "oracle", cases[i][0]);
      EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
      EXPECT_TRUE (g_str_has_prefix (err, "cleave: plugin broken: "));
      expect_line (err, cases[i][1]);
    }
}

TEST (Python, AModuleThatIsNotThereIsNamed)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *module = g_build_filename (folder, "broken.py", NULL);
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  write_plugin (folder, "broken", "oracle", "");
  EXPECT_INT (g_remove (module), 0);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  EXPECT_TRUE (strstr (err, "there is no broken.py beside its manifest") != NULL);
}

/* One method of a working component is replaced by a wrong one. */
typedef struct
{
  const char *section;
  const char *kind;
  const char *fixture; /* whose code comes before */
  const char *name;    /* of its class */
  const char *method;
  const char *text;
} WrongMethod;

static const WrongMethod wrong_methods[] = {
  { "device", "oracle", "python-roofline", "Roofline", "do_estimate(self, network, first, end): return None",
    "broken: do_estimate gave None, expected a number" },
  { "device", "oracle", "python-roofline", "Roofline", "do_estimate(self, network, first, end): return '1'",
    "broken: do_estimate gave '1', expected a number" },
  { "device", "oracle", "python-roofline", "Roofline", "do_estimate(self, network, first, end): return float('nan')",
    "gave nan seconds and set no error, expected a finite number ≥ 0" },
  { "device", "oracle", "python-roofline", "Roofline", "do_estimate(self): return 1",
    "broken: TypeError: Roofline.do_estimate() takes 1 positional argument but 4 were given" },
  { "device", "oracle", "python-roofline", "Roofline", "do_estimate(self, network, first, end): {}['x']",
    "broken: KeyError: 'x' (broken.py:13 in do_estimate)" },
  { "channel", "channel", "python-link", "Link", "do_draw_losses(self, n, rate, random): return None",
    "broken: do_draw_losses gave None, expected bytes" },
  { "channel", "channel", "python-link", "Link", "do_draw_losses(self, n, rate, random): return [2] * n",
    "draw_losses gave 2 for element 0, expected 0 (lost) or 1 (arrived)" },
  { "channel", "channel", "python-link", "Link",
    "do_draw_losses(self, n, rate, random): import array; return array.array('i', [1] * n)[:1]",
    "broken: do_draw_losses gave array('i', [1]), expected bytes, not items of 4" },
  { "channel", "channel", "python-link", "Link",
    "do_seconds(self, n_elements): raise Cleave.error(Cleave.Error.DATA, 'no\\nrate')", ": no rate\n" },
  { "space", "space", "python-space", "Space", "do_variables(self): return [('first', 3)]",
    "broken: do_variables gave [('first', 3)], expected a list of (name, [category, …])" },
  { "space", "space", "python-space", "Space", "do_build(self, candidate): pass",
    "broken: do_build gave None, expected a Cleave.Network" },
  { "space", "space", "python-space", "Space", "do_set_dataset(self, info): return False",
    "broken: do_set_dataset gave False, expected an exception where it fails" },
  { "dataset", "dataset", "python-dataset", "Handed", "do_info(self): return (4, 3, 16, 16)",
    "broken: do_info gave (4, 3, 16, 16), expected a Cleave.DatasetInfo" },
  { "dataset", "dataset", "python-dataset", "Handed",
    "do_info(self): return Cleave.DatasetInfo(4, 3, 16, 16, [0.5], [1, 1, 1])",
    "broken: ValueError: 3 channels, 1 means, 3 deviations; expected as many (broken.py:23 in do_info)" },
  { "optimizer", "optimizer", "python-random", "RandomSearch", "do_start(self, variables): raise KeyboardInterrupt",
    "broken: KeyboardInterrupt (broken.py:50 in do_start)" },
};

TEST (Python, WrongMethodsAreNamed)
{
  g_autofree char *plugins = python_plugins ();

  NEEDS_TYPELIB ();
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_methods); i++)
    {
      const WrongMethod *wrong = &wrong_methods[i];
      const char *folder = test_temporary_folder ();
      g_autofree char *file = g_strconcat (wrong->fixture, ".py", NULL);
      g_autofree char *whole = tiny_read (plugins, file);
      g_autofree char *code = g_strdup_printf ("%s\n    def %s\n", whole, wrong->method);
      g_autofree char *setting = g_strconcat (wrong->section, ".plugin=broken", NULL);
      g_autofree char *err = NULL;

      write_plugin (folder, "broken", wrong->kind, code);
      err = check_with (folder, setting, NULL);
      test_check (strstr (err, wrong->text) != NULL, __FILE__, __LINE__, "%s\n%s", wrong->method, err);
    }
}

TEST (Python, AMethodThatIsMissingIsNamed)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  write_plugin (folder, "broken", "oracle", CLASS "    pass\n");
  err = check_with (folder, "device.plugin=broken", NULL);
  EXPECT_TRUE (strstr (err, "[device] plugin = broken: the plugin has no method estimate\n") != NULL);
}

/* --- runs that are stopped --- */

/* A roofline whose 30th estimate fails: in the search, where pre-training's checkpoint is there. */
static const char failing_code[] = "class Failing(GObject.Object, Cleave.Oracle):\n"
                                   "    n_estimates = 0\n"
                                   "    def do_estimate(self, network, first, end):\n"
                                   "        Failing.n_estimates += 1\n"
                                   "        return sum(self.seconds(op) for op in network.ops[first:end])\n"
                                   "    def seconds(self, op):\n"
                                   "        return max(op.flops, op.bytes) / 1e10 / (Failing.n_estimates < 30)\n";

TEST (Python, AnExceptionLeavesTheCheckpoint)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  const char *failing[] = { "--plugin-path", folder, "--set", "device.plugin=failing", NULL };
  const char *mended[] = { "--plugin-path", folder, NULL };
  const char *in_c[] = { "--set", "device.plugin=roofline", NULL };
  g_autofree char *err = NULL;
  g_autofree char *mended_code = NULL;
  char *failure;

  NEEDS_TYPELIB ();
  write_plugin (folder, "failing", "oracle", failing_code);
  EXPECT_INT (tiny_search (out, failing, &err), 2);
  EXPECT_TRUE (strstr (err, "failing: ZeroDivisionError: float division by zero (failing.py:6 in do_estimate, "
                            "failing.py:6 in <genexpr>, failing.py:8 in seconds)")
               != NULL);
  EXPECT_TRUE (strstr (err, "Traceback") == NULL);
  EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
  EXPECT_TRUE (!tiny_exists (out, "result.json"));
  EXPECT_NEAR (tiny_metric (out, "pretrain", "step"), 8, 0);

  mended_code = g_strdup (failing_code);
  failure = strstr (mended_code, " / (Failing");
  memcpy (failure, "\n", 2);
  write_plugin (folder, "failing", "oracle", mended_code);
  EXPECT_INT (tiny_resume (out, mended, NULL), 0);
  EXPECT_INT (tiny_search (reference, in_c, NULL), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (same_files); i++)
    EXPECT_TRUE (tiny_same_file (out, reference, same_files[i]));
}

/* Python does not take the signal: the run ends as one in C does. On a busy machine it may be over before it: then once
 * more. */
TEST (Python, CtrlCStillWritesACheckpoint)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *plugins = python_plugins ();
  g_autofree char *config = tiny_write_config (folder);
  int status = 0;

  NEEDS_TYPELIB ();
  for (guint attempt = 0; attempt < 50 && status != 130; attempt++)
    {
      g_autofree char *out = g_strdup_printf ("%s/out-%u", folder, attempt);
      const char *arguments[] = { config,
                                  "--out",
                                  out,
                                  "--plugin-path",
                                  plugins,
                                  "--set",
                                  "device.plugin=python-roofline",
                                  "--set",
                                  "channel.plugin=python-link",
                                  NULL };
      GPid process = tiny_start (arguments);

      while (!tiny_exists (out, "checkpoint.npz") && !tiny_exists (out, "result.json"))
        g_usleep (1000);
      kill (process, SIGINT);
      status = tiny_wait (process);
      EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
      EXPECT_TRUE (status != 130 || !tiny_exists (out, "result.json"));
    }
  EXPECT_INT (status, 130);
}

/* --- starting Python --- */

/* Runs inspect with the dynamic linker telling of the files it opens. */
static char *
inspect_with_linker (const char *name)
{
  g_autofree char *plugins = python_plugins ();
  char *err = NULL;

  g_setenv ("LD_DEBUG", "files", TRUE);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", name, "--plugin-path", plugins, NULL), 0);
  g_unsetenv ("LD_DEBUG");
  return err;
}

TEST (Python, IsNotLoadedForPluginsInC)
{
  g_autofree char *with = NULL;
  g_autofree char *without = NULL;

  NEEDS_TYPELIB ();
  with = inspect_with_linker ("python-roofline");
  without = inspect_with_linker ("roofline");
  EXPECT_TRUE (strstr (with, "libpython") != NULL);
  EXPECT_TRUE (strstr (without, "libroofline") != NULL);
  EXPECT_TRUE (strstr (without, "libpython") == NULL);
}

/* The user's PYTHONPATH holds, a PYTHONHOME and a PATH that lead elsewhere do no harm, programs that a plugin starts
 * get them all, and a plugin may be called like a module of Python's own. */
TEST (Python, TheEnvironmentIsTheUsers)
{
  static const char code[]
      = "import os, random, own_module, beside\n"
        "assert random.random() < 1\n"
        "names = ('PYTHONPATH', 'PYTHONHOME', 'PATH', 'GI_TYPELIB_PATH')\n"
        "shown = ' '.join(str(os.environ.get(name)) for name in names)\n"
        "assert os.popen('echo $PYTHONPATH $PYTHONHOME $PATH').read().split() == shown.split()[:3]\n"
        "class Broken(GObject.Object, Cleave.Oracle):\n"
        "    text = Cleave.parameter(str, f'{own_module.text} {beside.text} {shown}', 'Text')\n"
        "print('a line that is no JSON')\n";
  const char *folder = test_temporary_folder ();
  const char *own = test_temporary_folder ();
  g_autofree char *given_path = g_strdup (g_getenv ("PATH"));
  g_autofree char *text = g_strdup_printf ("\"default\" : \"own near %s /nowhere/at/all /nowhere None\"", own);
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  write_plugin (folder, "random", "oracle", code);
  g_free (fixture_write (own, "own_module.py", "text = 'own'\n"));
  g_free (fixture_write (folder, "beside.py", "text = 'near'\n"));
  g_setenv ("PYTHONPATH", own, TRUE);
  g_setenv ("PYTHONHOME", "/nowhere/at/all", TRUE);
  g_setenv ("PATH", "/nowhere", TRUE);
  EXPECT_INT (test_run_cleave (&out, &err, "inspect", "random", "--json", "--plugin-path", folder, NULL), 0);
  g_unsetenv ("PYTHONPATH");
  g_unsetenv ("PYTHONHOME");
  g_setenv ("PATH", given_path, TRUE);
  test_check (strstr (out, text) != NULL, __FILE__, __LINE__, "%s%s", out, err);
  EXPECT_STRING (err, "a line that is no JSON\n");
}

TEST (Python, IsRefusedWithoutTheTypelib)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  if (has_typelib ())
    return; /* nothing to refuse */
  write_plugin (folder, "broken", "oracle", "");
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  expect_line (err, "plugin broken: it is in Python, and this Cleave was built or installed without Cleave-1.0.typelib "
                    "(see meson's option introspection)");
}

/* --- what else there is for authors --- */

/* Both files stand in README.md, the code without its licence tag. */
TEST (Python, TheReadmeHasTheCode)
{
  static const char *const names[] = { "python/python-roofline.py", "python/python-roofline.plugin" };
  static const char *const fences[] = { "```python\n", "```ini\n" };
  g_autofree char *readme = tiny_read (TEST_SOURCE_ROOT, "README.md");

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = test_fixture (names[i]);
      g_autofree char *text = tiny_read ("/", path);
      const char *code = *text == '#' ? strchr (text, '\n') + 1 : text;
      g_autofree char *fenced = g_strconcat (fences[i], code, "```\n", NULL);

      EXPECT_TRUE (strstr (readme, fenced) != NULL);
    }
}

TEST (Python, AuthorsHaveTheRestOfTheApi)
{
  static const char code[]
      = "stream, twin = Cleave.Random.new(1, 2, 3, 4), Cleave.Random.new(1, 2, 3, 4)\n"
        "draws = memoryview(stream.fill_bits(3).get_data()).cast('I')\n"
        "assert list(draws) == [twin.bits() for i in range(3)]\n"
        "assert stream.flags(4, 1).get_data() == b'\\1' * 4 and 0 <= stream.uniform() < 1\n"
        "candidate = Cleave.Candidate([2, 0, 1])\n"
        "assert list(candidate) == [2, 0, 1] and candidate.split == candidate[-1] == 1 and len(candidate) == 3\n"
        "assert candidate.with_split(0) == Cleave.Candidate((2, 0, 0)) != candidate\n"
        "assert {candidate: 5}[Cleave.Candidate([2, 0, 1])] == 5\n"
        "trials = Cleave.Trials()\n"
        "trials.add(candidate)\n"
        "trials.add(candidate, Cleave.Placement.DEVICE, Cleave.Fidelity.FULL)\n"
        "assert len(trials) == 2 and [list(trial) for trial in trials] == [[2, 0, 1]] * 2\n"
        "assert trials.get_placement(0) == Cleave.Placement.SPLIT and trials.get_fidelity(1) == Cleave.Fidelity.FULL\n"
        "builder = Cleave.NetworkBuilder.new(3, 8, 8)\n"
        "builder.block('stem', 'wide')\n"
        "builder.conv_norm_relu(4, 3, 1)\n"
        "builder.cut()\n"
        "builder.linear('fc', 2)\n"
        "try:\n"
        "    builder.build()\n"
        "except GLib.Error as problem:\n"
        "    assert problem.matches(Cleave.error_quark(), Cleave.Error.UNSUPPORTED), problem\n"
        "builder = Cleave.NetworkBuilder.new(3, 8, 8)\n"
        "builder.block('stem', 'wide')\n"
        "builder.conv_norm_relu(4, 3, 1)\n"
        "builder.cut()\n"
        "builder.pool()\n"
        "builder.linear('fc', 2)\n"
        "network = builder.build()\n"
        "assert [Cleave.op_kind_to_string(op.kind) for op in network.ops] == ['conv', 'norm', 'relu', 'pool', "
        "'linear']\n"
        "assert network.cut == 3 and network.get_payload_elements() == 4 * 8 * 8\n"
        "assert network.ops[0].flops == 4 * 3 * 9 * 64 and network.blocks[0].choice == 'wide'\n"
        "assert network.parameter_name(4, 'bias') == 'stem.fc.bias'\n"
        "assert Cleave.quantity_parse('30 ms', 's') == (True, 0.03) and Cleave.quantity_format(30, 'ms') == '30 ms'\n"
        "images = Cleave.Images(bytes(12), [1, 258])\n"
        "assert len(images) == 2 and images.get_labels().get_data() == (1 + 258 * 65536).to_bytes(4, 'little')\n"
        "info = Cleave.DatasetInfo(10, 1, 28, 28, [0.25], [0.5])\n"
        "assert (info.n_classes, info.channels, info.mean[0], info.deviation[0]) == (10, 1, 0.25, 0.5)\n"
        "import os\n"
        "folder = os.path.dirname(__file__) + '/files'\n"
        "os.mkdir(folder)\n"
        "Cleave.file_replace(folder + '/text', b'abc')\n"
        "archive = Cleave.Archive.open(folder)\n"
        "assert archive.next() == 'text' and archive.read_bytes(3).get_data() == b'abc' and archive.next() is None\n"
        "class Broken(GObject.Object, Cleave.Oracle):\n"
        "    pass\n";
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  write_plugin (folder, "user", "oracle", code);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "user", "--plugin-path", folder, NULL), 0);
  EXPECT_STRING (err, "");
}
