/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Components in Python (tests/fixtures/python) do what those in C do, and what is wrong with one is told in a line. The
 * command runs them, so that Python is not started in the tests' own process. */

#include "../search/tiny.h"
#include "fixtures.h"

#include <signal.h>
#include <string.h>

/* --- a component of each kind drives a search --- */

/* The files of a run that do not name its plugins. */
static const char *const same_files[] = { "result.json", "model.npz", "metrics.csv", "trials.csv" };

/* The tiny search gives the same bytes with IN_PYTHON's settings as with IN_C's (both NULL-terminated). */
static void
expect_same_search (const char *const *in_python, const char *const *in_c)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *plugins = fixture_python_plugins ();
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
  g_autofree char *plugins = fixture_python_plugins ();
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
  fixture_write_python (folder, "sample", "channel", sample_code);
  in_c = inspect_parameters (fixture_plugins (), "sample");
  in_python = inspect_parameters (folder, "sample");
  EXPECT_TRUE (strstr (in_c, "Loss rates") != NULL);
  EXPECT_STRING (in_python, in_c);
}

/* The channel tells its values when it is asked for a time. */
TEST (Python, ParametersHaveTheConfigsValues)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *config = tiny_write_config (folder);
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
  fixture_write_python (folder, "python-sample", "channel", sample_code);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *err = NULL;

      EXPECT_INT (test_run_cleave (NULL, &err, "check", config, "--plugin-path", folder, "--plugin-path",
                                   tiny_plugins (), "--set", "channel.plugin=python-sample", "--set", cases[i][0],
                                   NULL),
                  2);
      test_check (strstr (err, cases[i][1]) != NULL, __FILE__, __LINE__, "%s: %s", cases[i][0], err);
    }
}

/* --- runs that are stopped --- */

/* A roofline whose 48th estimate does something else, in the search's second epoch. */
static const char failing_code[]
    = "def fail(): %s\n"
      "class Failing(GObject.Object, Cleave.Oracle):\n"
      "    n_estimates = 0\n"
      "    def do_estimate(self, network, first, end):\n"
      "        Failing.n_estimates += 1\n"
      "        if Failing.n_estimates == 48: fail()\n"
      "        return sum(max(op.flops, op.bytes) / 1e10 for op in network.ops[first:end])\n";

static void
write_failing (const char *folder, const char *failure)
{
  g_autofree char *code = g_strdup_printf (failing_code, failure);

  fixture_write_python (folder, "failing", "oracle", code);
}

/* The run that FAILURE ends in the midst of its search with STATUS and TEXT goes on once the plugin is mended, and
 * gives what one gives that was never stopped. */
static void
expect_run_goes_on (const char *failure, int status, const char *text)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *out = g_build_filename (folder, "out", NULL);
  g_autofree char *reference = g_build_filename (folder, "reference", NULL);
  g_autofree char *plugins = fixture_python_plugins ();
  const char *plugin_paths[] = { "--plugin-path", folder, "--plugin-path", plugins, NULL };
  const char *failing[] = { "--plugin-path",
                            folder,
                            "--plugin-path",
                            plugins,
                            "--set",
                            "device.plugin=failing",
                            "--set",
                            "optimizer.plugin=python-random",
                            "--set",
                            "optimizer.draws=4",
                            "--set",
                            "objective.latency-threshold=2.06 ms",
                            NULL };
  const char *in_c[] = { "--set", "device.plugin=roofline", "--set", "optimizer.plugin=random",
                         "--set", "optimizer.draws=4",      "--set", "objective.latency-threshold=2.06 ms",
                         NULL };
  g_autofree char *err = NULL;

  write_failing (folder, failure);
  EXPECT_INT (tiny_search (out, failing, &err), status);
  test_check (strstr (err, text) != NULL, __FILE__, __LINE__, "%s", err);
  EXPECT_TRUE (strstr (err, "Traceback") == NULL);
  EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
  EXPECT_TRUE (!tiny_exists (out, "result.json"));
  EXPECT_NEAR (tiny_metric (out, "search", "step"), 4, 0); /* the last of the first epoch */

  write_failing (folder, "pass");
  EXPECT_INT (tiny_resume (out, plugin_paths, NULL), 0);
  EXPECT_INT (tiny_search (reference, in_c, NULL), 0);
  for (gsize i = 0; i < G_N_ELEMENTS (same_files); i++)
    EXPECT_TRUE (tiny_same_file (out, reference, same_files[i]));
}

TEST (Python, AnExceptionLeavesTheLastCheckpoint)
{
  NEEDS_TYPELIB ();
  expect_run_goes_on (
      "[][54]", 2,
      "failing: IndexError: list index out of range (failing.py:7 in do_estimate, failing.py:2 in fail)\n");
}

/* It has its checkpoint written there, from which the optimizer in Python takes back its state. */
TEST (Python, AnInterruptWritesACheckpoint)
{
  NEEDS_TYPELIB ();
  expect_run_goes_on ("raise KeyboardInterrupt", 130, "--resume");
}

/* Python does not take the signal: the run ends as one in C does. On a busy machine it may be over before it: then once
 * more. */
TEST (Python, CtrlCStillWritesACheckpoint)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *plugins = fixture_python_plugins ();
  g_autofree char *config = tiny_write_config (folder);
  int status = 0;

  NEEDS_TYPELIB ();
  for (guint attempt = 0; attempt < 50 && status == 0; attempt++)
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

      for (guint i = 0; i < 60000 && !tiny_exists (out, "checkpoint.npz"); i++)
        g_usleep (1000);
      kill (process, SIGINT);
      status = tiny_wait (process);
      EXPECT_TRUE (tiny_exists (out, "checkpoint.npz"));
      EXPECT_TRUE (status != 130 || !tiny_exists (out, "result.json"));
    }
  EXPECT_INT (status, 130);
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
  fixture_write_python (folder, "user", "oracle", code);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "user", "--plugin-path", folder, NULL), 0);
  EXPECT_STRING (err, "");
}
