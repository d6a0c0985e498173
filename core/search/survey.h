/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a search can meet, choice by choice: so that a mistake shows before a long run and not in the middle of it. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

/* FALSE with an error set ends the survey. */
typedef gboolean (*CleaveSurveyFunc) (CleaveNetwork *network, gpointer data, GError **error);

/* Calls FUNC with the network of every category of every variable, the other variables at their first category: each
 * with the first and with the last split point, so that every block has been in the tail and in the head. VARIABLES are
 * the space's. An error names the category. */
gboolean cleave_survey (CleaveSpace *space, GVariant *variables, CleaveSurveyFunc func, gpointer data, GError **error);

G_END_DECLS
