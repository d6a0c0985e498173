/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What must hold for every plugin, as checks that can be run over any of them. */

#include "cleave-host.h"

G_BEGIN_DECLS

typedef enum
{
  CLEAVE_VERDICT_PASSED,
  CLEAVE_VERDICT_FAILED,
  CLEAVE_VERDICT_SKIPPED,
} CleaveVerdict;

/* What is checked. */
typedef struct
{
  CleaveKind kind;
  const CleavePluginDescription *plugin;            /* nullable: a component that no plugin made */
  GObject *(*make) (gpointer data, GError **error); /* (transfer full): a new component, its parameters set */
  gpointer data;                                    /* for make */
  CleaveSpace *space;                               /* nullable: whose networks an oracle is asked about */
} CleaveSubject;

/* Who is told. BEGIN comes before a check, and again with a DETAIL (else NULL) where the check goes on to another case:
 * so that it is known where a plugin crashed. TEXT is what a check found, one line; NULL where there is nothing to say.
 */
typedef struct
{
  void (*begin) (gpointer data, const char *check, const char *detail);
  void (*end) (gpointer data, const char *check, CleaveVerdict verdict, const char *text);
  gpointer data;
} CleaveReporter;

/* Runs all checks that there are for the subject's kind. Where there is no component to check, the others are left out;
 * where it can't be used, those that would use it are skipped. */
void cleave_conformance_run (const CleaveSubject *subject, const CleaveReporter *reporter);

G_END_DECLS
