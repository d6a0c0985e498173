/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The runs of a comparison, each a `cleave search` of its own, several at a time. */

#include "run.h"

G_BEGIN_DECLS

typedef struct
{
  char *label;                               /* NAME-seedN, for messages */
  char *folder;                              /* of the run */
  char *config_text;                         /* resolved */
  char *config_path;                         /* of a file with that */
  char *stage_names[CLEAVE_N_SHARED_STAGES]; /* of the ends of its stages in the shared folder */
} CompareJob;

void compare_job_free (CompareJob *self);
/* Whether the run has ended, in this process or an earlier one. */
gboolean compare_job_is_finished (const CompareJob *self);
/* Runs all JOBS (CompareJob) that are not finished, at most N_AT_ONCE at a time, and tells of their progress on stderr.
 * OPTIONS (NULL-terminated) is what each `cleave search` is given. A stage that several need is computed by one while
 * those wait that need it. The error is CLEAVE_ERROR_CANCELLED where a signal stopped them; those that had begun have
 * then written a checkpoint. One that fails does not keep the others from running. */
gboolean compare_jobs_run (GPtrArray *jobs, const char *const *options, const char *stages_folder, guint n_at_once,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CompareJob, compare_job_free)

G_END_DECLS
