/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of cleave inspect share. */

#include "cli.h"

G_BEGIN_DECLS

/* What can be inspected: a plugin, or one of the core's own sections of a config. */
typedef struct
{
  const char *name;
  const char *kind; /* "channel", "settings"; "-" of a plugin whose manifest is wrong */
  const char *description;
  const CleavePluginDescription *plugin; /* NULL for a section */
  char *problem;                         /* why the plugin can't be used; NULL if it can */
  GObject *object;                       /* with the defaults; NULL where there is a problem */
  GPtrArray *parameters;                 /* const CleaveParameter *; NULL likewise */
} Inspected;

/* "number", "component: optimizer" */
char *inspect_describe_type (const CleaveParameter *parameter);
/* "1 to 64", "a|b", or "" where anything goes. */
char *inspect_describe_range (const CleaveParameter *parameter);
/* The variables of a space with its defaults: a GVariant a(sas); NULL for all else, or where they can't be told. */
GVariant *inspect_variables (const Inspected *inspected);
/* "22 of 9 categories, then 23 split points"; NULL likewise. */
char *inspect_describe_variables (const Inspected *inspected);
/* The section of a config with all defaults, those of the components that it holds below. */
char *inspect_config (const Inspected *inspected);

/* A table of all, and all of one. LIST has Inspected *. */
void inspect_print_list (GPtrArray *list);
void inspect_print_one (const Inspected *inspected);
void inspect_print_list_json (GPtrArray *list);
void inspect_print_one_json (const Inspected *inspected);
/* Markdown: what LIST has, by kind, without those that can't be used. */
void inspect_print_catalogue (GPtrArray *list);
void inspect_print_one_markdown (const Inspected *inspected);

G_END_DECLS
