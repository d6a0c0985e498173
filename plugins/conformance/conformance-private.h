/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance.h"

G_BEGIN_DECLS

/* A check that runs. */
typedef struct
{
  const CleaveSubject *subject;
  const CleaveReporter *reporter;
  const char *name;
  gboolean is_skipped;
  char *text; /* nullable: a note, or why it is skipped */
} Conformance;

typedef struct
{
  const char *name;                                    /* NULL ends a list */
  gboolean (*run) (Conformance *self, GError **error); /* FALSE with an error set: failed */
  gboolean is_without_use;                             /* runs also where the component can't be used */
} ConformanceCheck;

/* What is particular to a kind of component. */
typedef struct
{
  /* A short piece of the component's work, all of its methods in it. */
  gboolean (*use) (Conformance *self, GObject *component, GError **error);
  guint n_rounds;              /* uses after which a leak shows */
  gboolean is_sized_by_values; /* how much work a use is depends on the values of its parameters */
  const ConformanceCheck *checks;
} ConformanceKind;

extern const ConformanceKind conformance_space;
extern const ConformanceKind conformance_oracle;
extern const ConformanceKind conformance_channel;
extern const ConformanceKind conformance_optimizer;
extern const ConformanceKind conformance_dataset;

extern const ConformanceCheck conformance_parameter_checks[];
extern const ConformanceCheck conformance_lifecycle_checks[];

const ConformanceKind *conformance_get_kind (Conformance *self);
/* A new component of the subject. */
GObject *conformance_make (Conformance *self, GError **error);
/* Fails a check: FALSE. */
gboolean conformance_fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Skips it: TRUE. */
gboolean conformance_skip (Conformance *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* What is worth telling of a check that does not fail. */
void conformance_note (Conformance *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* What the check does next. */
void conformance_go_on (Conformance *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Whether a component has failed as it may: it says why, and has not broken its contract. */
gboolean conformance_is_clean (const GError *error);

G_END_DECLS
