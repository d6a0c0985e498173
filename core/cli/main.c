/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* cleave: finds, trains and judges neural networks that are cut in two. */

#include "cli.h"

#include <locale.h>
#include <unistd.h>

typedef struct
{
  const char *name;
  int (*run) (int argc, char **argv);
  const char *summary;
} Command;

static const Command commands[] = {
  { "bench", cli_bench, "Tell how fast this machine trains and runs networks, and where the time goes" },
  { "calibrate", cli_calibrate, "Tell the computation speed that explains a device's measured latencies" },
  { "check", cli_check, "Check a config and all that it names" },
  { "check-plugin", cli_check_plugin, "Check that a plugin keeps what its kind promises" },
  { "compare", cli_compare, "Run several methods with several seeds and set them side by side" },
  { "evaluate", cli_evaluate, "Tell the accuracy of a trained model over the lossy link" },
  { "inspect", cli_inspect, "List the plugins and settings, or describe one" },
  { "latency", cli_latency, "Tell the end-to-end latency of a candidate" },
  { "new-plugin", cli_new_plugin, "Write a small project to begin a plugin with" },
  { "search", cli_search, "Search architecture and split point, and train what is found" },
};

static void
print_help (void)
{
  g_print ("Usage: cleave COMMAND [OPTION…]\n\n"
           "Finds, trains and judges neural networks that are cut in two.\n\nCommands:\n");
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_print ("  %-12s %s\n", commands[i].name, commands[i].summary);
  g_print ("\ncleave COMMAND --help tells a command's options; cleave --version the version.\n");
}

static int
fail_unknown (const char *name)
{
  const char *names[G_N_ELEMENTS (commands) + 1] = { NULL };
  const char *suggestion;

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    names[i] = commands[i].name;
  suggestion = cleave_suggest (name, names);
  if (suggestion != NULL)
    g_printerr ("cleave: no such command as %s; did you mean %s?\n", name, suggestion);
  else
    g_printerr ("cleave: no such command as %s; see cleave --help\n", name);
  return CLI_USAGE;
}

/* Turns of GNU OpenMP's waiting loop before a thread sleeps: a few tenths of a millisecond, as long as a step of the
 * engine leaves a thread without work. */
#define WAITING_TURNS "10000"

/* OpenMP's threads spin while they wait for each other. On a machine that others use too, a thread that is not running
 * is waited for by one that spins, and training takes several times as long; going to sleep at once costs an idle
 * machine a twentieth. The library reads the variables when it is loaded, so the program has to start anew to set them.
 */
static void
let_threads_sleep (char **argv)
{
  if (g_getenv ("OMP_WAIT_POLICY") != NULL)
    return;
  g_setenv ("OMP_WAIT_POLICY", "passive", TRUE);
  g_setenv ("GOMP_SPINCOUNT", WAITING_TURNS, FALSE);
  execv ("/proc/self/exe", argv);
}

int
main (int argc, char **argv)
{
  let_threads_sleep (argv);
  /* Characters only: numbers are printed and read the same everywhere. */
  setlocale (LC_CTYPE, "");
  if (argc < 2)
    {
      g_printerr ("cleave: which command? See cleave --help\n");
      return CLI_USAGE;
    }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help"))
    {
      print_help ();
      return CLI_DONE;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      g_print ("cleave %s\n", CLEAVE_VERSION);
      return CLI_DONE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[1], commands[i].name))
      return commands[i].run (argc - 1, argv + 1);
  return fail_unknown (argv[1]);
}
