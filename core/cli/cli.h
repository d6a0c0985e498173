/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the subcommands share: options, components, output, exit status. */

#include "cleave-config.h"

G_BEGIN_DECLS

enum
{
  CLI_DONE = 0,
  CLI_FAILED = 1,
  CLI_USAGE = 2,
  CLI_INTERRUPTED = 130,
};

/* Options that several commands take; a command asks for those it has by flags. */
typedef enum
{
  CLI_OPTION_SET = 1 << 0,  /* --set section.key=value, may be given often */
  CLI_OPTION_JSON = 1 << 1, /* --json */
} CliOptions;

typedef struct
{
  char **plugin_paths; /* --plugin-path DIR, may be given often; every command has it */
  char **assignments;
  int threads; /* 0 = all cores */
  gboolean json;
} CliShared;

/* Parses argv (argv[0] is the command's name) by OWN (nullable, ended by a NULL entry) and the shared options asked
 * for. --help prints and exits 0. Fails with CLEAVE_ERROR_CONFIG unless MINIMUM ≤ number of positional arguments ≤
 * MAXIMUM; these are returned. USAGE is like "CONFIG", SUMMARY one sentence or more for the help. */
GStrv cli_parse (int argc, char **argv, const char *usage, const char *summary, const GOptionEntry *own,
                 CliOptions options, CliShared *shared, int minimum, int maximum, GError **error);
void cli_shared_clear (CliShared *shared);
/* The config with --set applied. */
CleaveConfig *cli_load_config (const char *name, const CliShared *shared, GError **error);
/* What a config is called: its file's name without .ini. */
char *cli_config_name (const char *name);
CleaveHost *cli_make_host (const CliShared *shared, GError **error);
/* The error for a plugin that is none of HOST's, with a suggestion. */
void cli_set_unknown_plugin_error (CleaveHost *host, const char *name, GError **error);
/* Prints JSON, which is UTF-8 whatever the locale. */
void cli_print_json (const char *text);
/* Whether this process was started so that the signal does nothing, as nohup does it. */
gboolean cli_is_signal_ignored (int number);
/* Prints "cleave: MESSAGE" on stderr and gives the exit status that fits the error. */
int cli_fail (const GError *error);

/* The commands, one file each. */
int cli_search (int argc, char **argv);
int cli_evaluate (int argc, char **argv);
int cli_latency (int argc, char **argv);
int cli_bench (int argc, char **argv);
int cli_calibrate (int argc, char **argv);
int cli_inspect (int argc, char **argv);
int cli_check (int argc, char **argv);
int cli_check_plugin (int argc, char **argv);
int cli_compare (int argc, char **argv);
int cli_new_plugin (int argc, char **argv);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliShared, cli_shared_clear)

G_END_DECLS
