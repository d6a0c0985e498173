/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* What a component is; manifests name it in X-Cleave-Kind. */
typedef enum
{
  CLEAVE_KIND_SPACE,
  CLEAVE_KIND_ORACLE,
  CLEAVE_KIND_CHANNEL,
  CLEAVE_KIND_OPTIMIZER,
  CLEAVE_KIND_DATASET,
} CleaveKind;

#define CLEAVE_N_KINDS 5
/* A component may hold another, and that one again: so many below the first, lest one that holds its like never ends.
 */
#define CLEAVE_MOST_NESTED 8

/* What a manifest says of a plugin, known without loading its code. */
typedef struct
{
  char *name; /* the module's name, as a config gives it: "lossy-link" */
  CleaveKind kind;
  char *description; /* one line */
  char *version;
  char **authors;      /* nullable */
  char *not_additive;  /* why an oracle's heads and tails don't add up to the whole; nullable */
  char **dependencies; /* names of the plugins in Depends; nullable */
  char *website;       /* nullable */
  char *folder;        /* where its manifest lies */
  char *manifest;      /* the manifest's path */
  char *loader;        /* libpeas's loader for its language, lower case: "c", "python3" */
  char
      *problem; /* why it can't be used, as far as its manifest tells; NULL if nothing is wrong. KIND holds only then */
} CleavePluginDescription;

/* The plugins that can be found: a wrapper of libpeas's engine, of which a process has one. */
#define CLEAVE_TYPE_HOST (cleave_host_get_type ())
G_DECLARE_FINAL_TYPE (CleaveHost, cleave_host, CLEAVE, HOST, GObject)

const char *cleave_kind_to_string (CleaveKind kind);
GType cleave_kind_get_interface (CleaveKind kind);
CleaveKind cleave_kind_of_interface (GType interface);

/* PLUGIN_PATHS (nullable, NULL-terminated) are searched first, then CLEAVE_PLUGIN_PATH (':' between folders),
 * $XDG_DATA_HOME/cleave/plugins, then the folders of the build tree or $libdir/cleave-1.0/plugins. A plugin found
 * earlier hides one of the same name found later. */
CleaveHost *cleave_host_new (const char *const *plugin_paths, GError **error);
/* GPtrArray of CleavePluginDescription without a problem, by kind, then name; (transfer container), the descriptions
 * are the host's. */
GPtrArray *cleave_host_list (CleaveHost *self);
/* Likewise those with a problem, by name. */
GPtrArray *cleave_host_list_broken (CleaveHost *self);
/* With a problem or without. */
const CleavePluginDescription *cleave_host_find (CleaveHost *self, const char *name);
/* A new component with its parameters at their defaults. An unknown name gets a suggestion. */
GObject *cleave_host_create (CleaveHost *self, CleaveKind kind, const char *name, GError **error);
/* Likewise, but parameters that are components stay NULL, for the caller to make. */
GObject *cleave_host_create_bare (CleaveHost *self, CleaveKind kind, const char *name, GError **error);
/* The name of the plugin that a host has made COMPONENT of. */
const char *cleave_component_get_plugin (GObject *component);

G_END_DECLS
