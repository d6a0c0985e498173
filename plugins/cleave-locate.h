/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where Cleave's own files lie: found from libcleave's place, so that a build tree or an installation can be moved. */

#include <glib.h>

G_BEGIN_DECLS

/* The folder of libcleave; NULL if it can't be told. */
char *cleave_locate_library (void);
/* The folder of Cleave's own plugins, NULL if there is none. */
char *cleave_locate_plugins (void);
/* The folder for Python's path, with the overrides and the importer; NULL if there is none. */
char *cleave_locate_python (void);
/* The folder with the typelib; NULL if there is none. */
char *cleave_locate_typelib (void);
/* The config of the experiment NAME that comes with Cleave, NULL if there is none. */
char *cleave_locate_experiment (const char *name);
/* The names of these experiments, sorted. */
GStrv cleave_locate_experiments (void);

G_END_DECLS
