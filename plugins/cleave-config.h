/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cleave-host.h"

G_BEGIN_DECLS

/* A config: sections of keys (GKeyFile's form), with overrides from the command line on top. */
#define CLEAVE_TYPE_CONFIG (cleave_config_get_type ())
G_DECLARE_FINAL_TYPE (CleaveConfig, cleave_config, CLEAVE, CONFIG, GObject)

/* NAME is a path or the name of an installed experiment. */
CleaveConfig *cleave_config_load (const char *name, GError **error);
/* FOLDER (nullable): what relative paths are beside. */
CleaveConfig *cleave_config_load_from_text (const char *text, const char *folder, GError **error);
/* "section.key=value", as --set gives it. */
gboolean cleave_config_set (CleaveConfig *self, const char *assignment, GError **error);
/* NULL where the section or key is not there. */
char *cleave_config_get (CleaveConfig *self, const char *section, const char *key);
/* An error that names the first section not in KNOWN, with a suggestion. Sections below a known one,
 * [optimizer.search], are looked at where that one is applied. */
gboolean cleave_config_check_sections (CleaveConfig *self, const char *const *known, GError **error);
/* Sets OBJECT's parameters from the keys of SECTION. A key that OBJECT lacks is an error with a suggestion. */
gboolean cleave_config_apply (CleaveConfig *self, const char *section, GObject *object, GError **error);
/* The component that SECTION's "plugin" names, made by HOST, its parameters set likewise; but a key that another plugin
 * of the same kind has is ignored with a warning. A parameter that is a component is made of the plugin that its key
 * names, with its own parameters from the section SECTION.KEY. */
GObject *cleave_config_create (CleaveConfig *self, const char *section, CleaveHost *host, CleaveKind kind,
                               GError **error);
/* SECTION with every parameter of OBJECT written out, PLUGIN (nullable) first; paths as OBJECT holds them. Then the
 * sections of the components that it holds. */
void cleave_config_append_resolved (GString *text, const char *section, const char *plugin, GObject *object);

/* The components that a config names. */
typedef struct
{
  GObject *space;     /* CleaveSpace */
  GObject *device;    /* CleaveOracle */
  GObject *server;    /* CleaveOracle */
  GObject *channel;   /* CleaveChannel */
  GObject *optimizer; /* CleaveOptimizer */
  GObject *dataset;   /* CleaveDataset; the space has been told its number of classes */
} CleaveComponents;

/* All six; an error names the first section or plugin that is wrong or missing. */
CleaveComponents *cleave_components_new (CleaveHost *host, CleaveConfig *config, GError **error);
void cleave_components_free (CleaveComponents *self);
/* The component sections of a resolved config, dataset, space, device, server, channel, optimizer. */
void cleave_components_append_resolved (CleaveComponents *self, CleaveConfig *config, GString *text);

/* The closest of WORDS to WORD, or NULL if none is close: for "did you mean". */
const char *cleave_suggest (const char *word, const char *const *words);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveComponents, cleave_components_free)

G_END_DECLS
