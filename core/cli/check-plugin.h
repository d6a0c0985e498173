/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The parts of cleave check-plugin. The plugin is loaded by a process of its own, the child, which is this program with
 * the option --report-fd, and tells there what it does, a line each, with tabs between the fields:
 *
 *   begin NAME DETAIL          a check begins, or goes on to another case
 *   end NAME VERDICT TEXT      it has ended; VERDICT is 0, 1 or 2, as in CleaveVerdict
 *   usage TEXT                 the command line is wrong
 *   done                       all checks have ended */

#include "cli.h"
#include "conformance.h"

G_BEGIN_DECLS

typedef struct
{
  CliShared shared;    /* the plugin's folder is put first on the plugin path */
  char **assignments;  /* KEY=VALUE */
  char *config;        /* nullable */
  char *space;         /* nullable: the plugin whose networks an oracle is asked about */
  double time_limit;   /* s, of a check up to its first case, and of each case */
  double memory_limit; /* GiB, of the process */
  int report_fd;       /* −1 in the parent */
} CheckPluginOptions;

/* --- check-plugin-child.c --- */

/* Checks PLUGIN, one of HOST's, and tells it to the parent. */
void check_plugin_report (CleaveHost *host, const CleavePluginDescription *plugin, const CheckPluginOptions *options);

/* --- check-plugin-watch.c --- */

/* FIELDS (NULL-terminated) are those of a line. */
typedef void (*CheckPluginLineFunc) (gpointer data, char **fields);

/* Runs this program anew with these arguments, ARGUMENTS[0] the command, and gives every line that it tells to FUNC.
 * How it has ended goes to END: NULL where all was well, else such as "crashed (SIGSEGV)". FALSE with an error set
 * where it can't be started or a signal said to stop. */
gboolean check_plugin_watch (char **arguments, const CheckPluginOptions *options, CheckPluginLineFunc func,
                             gpointer data, char **end, GError **error);

G_END_DECLS
