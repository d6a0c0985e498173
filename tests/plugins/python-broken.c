/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is wrong with a plugin in Python is told in a line; and how Python is started. */

#include "../search/tiny.h"
#include "fixtures.h"

#include <glib/gstdio.h>
#include <string.h>

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

TEST (PythonBroken, ModulesThatCannotBeLoadedAreNamed)
{
  static const char *const cases[][2] = {
    { "def f(:\n", "SyntaxError: invalid syntax (broken.py:2)" },
    { "import nothing_of_this_name\n",
      "ModuleNotFoundError: No module named 'nothing_of_this_name' (broken.py:2 in <module>)" },
    { "def helper():\n    return 1 / 0\nhelper()\n",
      "ZeroDivisionError: division by zero (broken.py:4 in <module>, broken.py:3 in helper)" },
    { "raise SystemExit(3)\n", "SystemExit: 3 (broken.py:2 in <module>)" },
    { "raise ValueError('caf\\udce9.csv\\0: what is no UTF-8')\n",
      "ValueError: caf\\udce9.csv\\0: what is no UTF-8 (broken.py:2 in <module>)" },
    { "open('/nowhere/at/all.csv')\n",
      "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all.csv' (broken.py:2 in <module>)" },
    { CLASS "    def __init__(self):\n        super().__init__()\n        raise ValueError('two\\nlines')\n",
      "ValueError: two lines (broken.py:5 in __init__)" },
    { CLASS "    def __init__(self):\n        self.count = 0\n", "Broken.__init__ does not call super().__init__()" },
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
    { "import pathlib\n" CLASS "    file = Cleave.parameter(pathlib.Path, 5, 'File')\n",
      "expected str, bytes or os.PathLike object, not int (broken.py:3 in <module>, broken.py:4 in Broken)" },
    { CLASS "    label = Cleave.parameter(str, 5, 'Label')\n",
      "TypeError: the default of a parameter is 5, expected str or NoneType (broken.py:2 in <module>, broken.py:3 in "
      "Broken)" },
    { CLASS "    size = Cleave.parameter(int, '', -5, 5, 0, 'Size')\n",
      "ValueError: -5 in a parameter of kind int, expected whole numbers from 0 to 2³² − 1 (broken.py:2 in <module>, "
      "broken.py:3 in Broken)" },
    { CLASS "    _size = Cleave.parameter(int, '', 0, 5, 0, 'Size')\n",
      "ValueError: a parameter is called _size, expected small letters a to z, digits and _ (broken.py:2 in "
      "<module>)" },
    { CLASS "    plugin = Cleave.parameter(str, None, 'Plugin')\n",
      "that key of a config names the plugin itself (broken.py:2 in <module>)" },
    { CLASS "    size = Cleave.parameter(dict, None, 'Size')\n",
      "expected float, int, bool, str, pathlib.Path, [float], a tuple of words or one of Cleave's interfaces "
      "(broken.py:2 in <module>, broken.py:3 in Broken)" }
  };

  NEEDS_TYPELIB ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *folder = test_temporary_folder ();
      g_autofree char *err = NULL;

      fixture_write_python (folder, "broken", "oracle", cases[i][0]);
      EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
      EXPECT_TRUE (g_str_has_prefix (err, "cleave: plugin broken: "));
      expect_line (err, cases[i][1]);
    }
}

/* Its exception can't even be told: its text is asked for, and fails in a way of its own. */
TEST (PythonBroken, AnExceptionWithoutWordsIsAnError)
{
  static const char code[] = "class Odd(Exception):\n    def __reduce__(self): pass\n"
                             "    @property\n    def __traceback__(self): raise self\nraise Odd()\n";
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  fixture_write_python (folder, "broken", "oracle", code);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  expect_line (err, "broken: Odd, which can't be told in words");
}

TEST (PythonBroken, DependenciesAreLookedAt)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *manifest = g_build_filename (folder, "broken.plugin", NULL);
  g_autofree char *text = NULL;
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  fixture_write_python (folder, "broken", "oracle", CLASS "    pass\n");
  EXPECT_TRUE (g_file_get_contents (manifest, &text, NULL, NULL));
  g_autofree char *longer = g_strconcat (text, "Depends=nowhere\n", NULL);
  EXPECT_TRUE (g_file_set_contents (manifest, longer, -1, NULL));
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  expect_line (err, "plugin broken: it depends on the plugin nowhere: there is none");
}

TEST (PythonBroken, AModuleThatIsNotThereIsNamed)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *module = g_build_filename (folder, "broken.py", NULL);
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  fixture_write_python (folder, "broken", "oracle", "");
  EXPECT_INT (g_remove (module), 0);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  EXPECT_TRUE (strstr (err, "there is no broken.py beside its manifest") != NULL);
}

/* Runs check on the tiny config with a plugin of FOLDER in the place of another; gives what it prints on stderr. */
static char *
check_with (const char *folder, const char *setting)
{
  g_autofree char *config = tiny_write_config (folder);
  char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "check", config, "--plugin-path", folder, "--plugin-path", tiny_plugins (),
                               "--set", setting, NULL),
              2);
  return err;
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
    "broken: KeyboardInterrupt (broken.py:58 in do_start)" },
};

TEST (PythonBroken, WrongMethodsAreNamed)
{
  g_autofree char *plugins = fixture_python_plugins ();

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

      fixture_write_python (folder, "broken", wrong->kind, code);
      err = check_with (folder, setting);
      test_check (strstr (err, wrong->text) != NULL, __FILE__, __LINE__, "%s\n%s", wrong->method, err);
    }
}

TEST (PythonBroken, AMethodThatIsMissingIsNamed)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  NEEDS_TYPELIB ();
  fixture_write_python (folder, "broken", "oracle", CLASS "    pass\n");
  err = check_with (folder, "device.plugin=broken");
  EXPECT_TRUE (strstr (err, "[device] plugin = broken: the plugin has no method estimate\n") != NULL);
}

/* --- starting Python --- */

/* Runs inspect with the dynamic linker telling of the files it opens. */
static char *
inspect_with_linker (const char *name)
{
  g_autofree char *plugins = fixture_python_plugins ();
  char *err = NULL;

  g_setenv ("LD_DEBUG", "files", TRUE);
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", name, "--plugin-path", plugins, NULL), 0);
  g_unsetenv ("LD_DEBUG");
  return err;
}

TEST (PythonBroken, IsNotLoadedForPluginsInC)
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
TEST (PythonBroken, TheEnvironmentIsTheUsers)
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
  fixture_write_python (folder, "random", "oracle", code);
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

TEST (PythonBroken, IsRefusedWithoutTheTypelib)
{
  const char *folder = test_temporary_folder ();
  g_autofree char *err = NULL;

  if (fixture_has_typelib ())
    SKIP ("this build has the typelib, so that nothing is refused for want of it");
  fixture_write_python (folder, "broken", "oracle", "");
  EXPECT_INT (test_run_cleave (NULL, &err, "inspect", "broken", "--plugin-path", folder, NULL), 2);
  expect_line (err, "plugin broken: it is in Python, and this Cleave was built or installed without Cleave-1.0.typelib "
                    "(see meson's option introspection)");
}
