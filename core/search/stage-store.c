/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends of stages in a folder that runs share. Stages are deterministic, so runs whose configs agree in all that counts
 * until the end of a stage have the same checkpoint there, but for the config in it: who comes first computes it, and
 * the others go on from there. A file is named by the stage and a digest of that part of the config and of the form of
 * checkpoints. */

#include "run-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Enough of a SHA-256 to tell configs apart, and short enough to read. */
#define DIGEST_LENGTH 16

/* The sections that count in a stage, besides those of the stages before. What comes after the search is no other
 * run's. */
static const char *const stage_sections[CLEAVE_N_SHARED_STAGES][7] = {
  { "run", "dataset", "space", "training", "pretrain", NULL },
  { "device", "server", "channel", "objective", "optimizer", "search", NULL },
};

/* Whether a section counts until the end of STAGE; those of a component's own components go with it. */
static gboolean
counts (const char *section, CleaveStage stage)
{
  g_autofree char *root = g_strndup (section, strcspn (section, "."));

  for (guint s = 0; s <= stage; s++)
    if (g_strv_contains (stage_sections[s], root))
      return TRUE;
  return FALSE;
}

static void
add_section (GChecksum *checksum, GKeyFile *config, const char *section)
{
  g_auto (GStrv) keys = g_key_file_get_keys (config, section, NULL, NULL);

  g_checksum_update (checksum, (const guchar *)section, strlen (section) + 1);
  for (guint k = 0; keys != NULL && keys[k] != NULL; k++)
    {
      g_autofree char *value = g_key_file_get_value (config, section, keys[k], NULL);

      g_checksum_update (checksum, (const guchar *)keys[k], strlen (keys[k]) + 1);
      g_checksum_update (checksum, (const guchar *)value, strlen (value) + 1);
    }
}

char *
cleave_stage_store_name (const char *config_text, CleaveStage stage)
{
  g_autoptr (GKeyFile) config = g_key_file_new ();
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_auto (GStrv) sections = NULL;
  const guchar form = CLEAVE_CHECKPOINT_FORM;

  g_return_val_if_fail (stage < CLEAVE_N_SHARED_STAGES, NULL);

  g_checksum_update (checksum, &form, sizeof form);
  if (g_key_file_load_from_data (config, config_text, -1, G_KEY_FILE_NONE, NULL))
    sections = g_key_file_get_groups (config, NULL);
  for (guint s = 0; sections != NULL && sections[s] != NULL; s++)
    if (counts (sections[s], stage))
      add_section (checksum, config, sections[s]);
  return g_strdup_printf ("%s-%.*s.npz", cleave_stage_to_string (stage), DIGEST_LENGTH,
                          g_checksum_get_string (checksum));
}

static gboolean
copy_file (const char *source, const char *destination, GError **error)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) problem = NULL;
  gsize size;

  if (g_file_get_contents (source, &data, &size, &problem))
    return cleave_file_replace (destination, data, size, error);
  g_set_error_literal (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, problem->message);
  return FALSE;
}

/* The checkpoint of a run that has just entered the next stage. A second name costs no space, and stays when the run's
 * checkpoint is replaced. */
static gboolean
keep (CleaveRun *self, CleaveStage stage, GError **error)
{
  g_autofree char *checkpoint = cleave_run_path (self, "checkpoint.npz");
  g_autofree char *name = cleave_stage_store_name (self->config_text, stage);
  g_autofree char *path = g_build_filename (self->stages_folder, name, NULL);

  if (link (checkpoint, path) == 0 || errno == EEXIST)
    return TRUE;
  /* Another file system, or one that has no links. */
  return copy_file (checkpoint, path, error);
}

static gboolean
take (CleaveRun *self, gboolean *taken, GError **error)
{
  g_autofree char *name = cleave_stage_store_name (self->config_text, self->stage);
  g_autofree char *path = g_build_filename (self->stages_folder, name, NULL);

  *taken = g_file_test (path, G_FILE_TEST_EXISTS);
  if (!*taken || cleave_checkpoint_take (self, path, error))
    return TRUE;
  cleave_run_add_hint (error, "without this file, the stage is computed again");
  return FALSE;
}

gboolean
cleave_stage_store_enter (CleaveRun *self, gboolean *taken, GError **error)
{
  *taken = FALSE;
  if (self->stages_folder == NULL || self->epoch > 0 || self->step > 0)
    return TRUE;
  if (self->stage > 0 && !keep (self, self->stage - 1, error))
    return FALSE;
  return self->stage >= CLEAVE_N_SHARED_STAGES || take (self, taken, error);
}
