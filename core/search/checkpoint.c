/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* checkpoint.npz: all that a run needs to go on as if it had never stopped.
 *
 *   config     uint8    the resolved config's text
 *   position   int64    form, stage, epochs done, steps done
 *   tally      float64  sums of the present epoch
 *   latency_ms float64  of the search's present answer
 *   metrics    uint8    metrics.csv so far
 *   trials     uint8    trials.csv so far
 *   makers     int32    [n, variables]: the candidates whose networks made the arrays, in order
 *   answer     int32    [variables], once the search has ended
 *   optimizer  uint8    its state: a GVariant of type v, normal form, little-endian
 *   weights/KEY, momentum/KEY  float32, momentum where a stage that trains is under way */

#include "run-folder.h"
#include "run-private.h"

#include "npz.h"

#include <string.h>

#define N_POSITION 4

static gboolean
write_text (CleaveArchiveWriter *writer, const char *name, const char *text, gsize size, GError **error)
{
  return npz_write_array (writer, name, NPY_UINT8, 1, &size, text, error);
}

static gboolean
write_candidates (CleaveArchiveWriter *writer, const char *name, CleaveCandidate *const *candidates, gsize n,
                  guint rank, gsize n_variables, GError **error)
{
  gsize shape[2] = { n, n_variables };
  g_autofree gint32 *numbers = g_new (gint32, n * n_variables);

  for (gsize i = 0; i < n; i++)
    for (gsize v = 0; v < n_variables; v++)
      numbers[i * n_variables + v] = cleave_candidate_get (candidates[i], v);
  return npz_write_array (writer, name, NPY_INT32, rank, shape + 2 - rank, numbers, error);
}

static gboolean
write_optimizer (CleaveRun *self, CleaveArchiveWriter *writer, GError **error)
{
  g_autoptr (GVariant) boxed = g_variant_ref_sink (g_variant_new_variant (self->optimizer_state));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (boxed);
  g_autoptr (GVariant) portable
      = G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref (normal) : g_variant_byteswap (normal);

  return write_text (writer, "optimizer", g_variant_get_data (portable), g_variant_get_size (portable), error);
}

static gboolean
write_arrays (CleaveRun *self, CleaveArchiveWriter *writer, GError **error)
{
  gboolean trains = self->stage == CLEAVE_STAGE_PRETRAIN || self->stage == CLEAVE_STAGE_RETRAIN;

  for (guint i = 0; i < nn_supernet_get_n_arrays (self->supernet); i++)
    {
      const NnArray *array = nn_supernet_get_array (self->supernet, i);
      g_autofree char *weights = g_strconcat ("weights/", array->key, NULL);
      g_autofree char *momentum = g_strconcat ("momentum/", array->key, NULL);
      gsize shape[4];

      for (guint d = 0; d < array->rank; d++)
        shape[d] = array->shape[d];
      if (!npz_write_array (writer, weights, NPY_FLOAT32, array->rank, shape, array->data, error))
        return FALSE;
      if (trains && array->momentum != NULL
          && !npz_write_array (writer, momentum, NPY_FLOAT32, array->rank, shape, array->momentum, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_all (CleaveRun *self, CleaveArchiveWriter *writer, GError **error)
{
  const gint64 position[N_POSITION] = { CLEAVE_CHECKPOINT_FORM, self->stage, self->epoch, self->step };
  const gsize n_position = N_POSITION;
  const gsize n_tally = CLEAVE_TALLY_SIZE;
  gsize n_variables = g_variant_n_children (self->variables);

  return write_text (writer, "config", self->config_text, strlen (self->config_text), error)
         && npz_write_array (writer, "position", NPY_INT64, 1, &n_position, position, error)
         && npz_write_array (writer, "tally", NPY_FLOAT64, 1, &n_tally, &self->tally, error)
         && npz_write_array (writer, "latency_ms", NPY_FLOAT64, 0, NULL, &self->latency_ms, error)
         && write_text (writer, "metrics", self->metrics->str, self->metrics->len, error)
         && write_text (writer, "trials", self->trials->str, self->trials->len, error)
         && write_candidates (writer, "makers", (CleaveCandidate **)self->makers->pdata, self->makers->len, 2,
                              n_variables, error)
         && (self->answer == NULL || write_candidates (writer, "answer", &self->answer, 1, 1, n_variables, error))
         && (self->optimizer_state == NULL || write_optimizer (self, writer, error))
         && write_arrays (self, writer, error);
}

static char *
describe_position (CleaveRun *self)
{
  return g_strdup_printf ("%s after %u epochs and %u steps", cleave_stage_to_string (self->stage), self->epoch,
                          self->step);
}

gboolean
cleave_checkpoint_save (CleaveRun *self, GError **error)
{
  gint64 begin_us = g_get_monotonic_time ();
  g_autofree char *path = cleave_run_path (self, "checkpoint.npz");
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (path, error);

  if (writer == NULL || !write_all (self, writer, error) || !cleave_archive_writer_close (writer, error))
    return FALSE;
  g_free (self->last_checkpoint);
  self->last_checkpoint = describe_position (self);
  self->checkpoint_time_us = g_get_monotonic_time ();
  self->checkpoint_duration_us = self->checkpoint_time_us - begin_us;
  return TRUE;
}

static char *
read_text (NpzFile *file, const char *name, GError **error)
{
  const NpyArray *array = npz_find (file, name);
  const gsize any_size = array != NULL && array->rank == 1 ? array->shape[0] : 0;

  if (npz_expect (file, name, NPY_UINT8, 1, &any_size, error) == NULL)
    return NULL;
  return g_strndup (array->data, array->n_elements);
}

static gboolean
read_position (CleaveRun *self, NpzFile *file, GError **error)
{
  const gsize n_position = N_POSITION;
  const gsize n_tally = CLEAVE_TALLY_SIZE;
  const NpyArray *position = npz_expect (file, "position", NPY_INT64, 1, &n_position, error);
  const NpyArray *tally = position != NULL ? npz_expect (file, "tally", NPY_FLOAT64, 1, &n_tally, error) : NULL;
  const NpyArray *latency = tally != NULL ? npz_expect (file, "latency_ms", NPY_FLOAT64, 0, NULL, error) : NULL;
  const gint64 *numbers;

  if (latency == NULL)
    return FALSE;
  numbers = position->data;
  if (numbers[0] != CLEAVE_CHECKPOINT_FORM || numbers[1] < CLEAVE_STAGE_PRETRAIN || numbers[1] > CLEAVE_STAGE_EVALUATE
      || numbers[2] < 0 || numbers[2] > G_MAXINT || numbers[3] < 0 || numbers[3] > G_MAXINT)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                   "position is %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
                   ", expected form %d and a stage, an epoch and a step that there are",
                   numbers[0], numbers[1], numbers[2], numbers[3], CLEAVE_CHECKPOINT_FORM);
      return FALSE;
    }
  self->stage = numbers[1];
  self->epoch = numbers[2];
  self->step = numbers[3];
  memcpy (&self->tally, tally->data, sizeof self->tally);
  self->latency_ms = *(const double *)latency->data;
  return TRUE;
}

/* Whether they are choices that there are is checked when their networks are built. */
static CleaveCandidate *
read_candidate (const gint32 *numbers, gsize n_variables)
{
  g_autofree guint *choices = g_new (guint, n_variables);

  for (gsize v = 0; v < n_variables; v++)
    choices[v] = numbers[v];
  return cleave_candidate_new (choices, n_variables);
}

static gboolean
make_arrays (CleaveRun *self, NpzFile *file, GError **error)
{
  const NpyArray *makers = npz_find (file, "makers");
  gsize n_variables = g_variant_n_children (self->variables);
  gsize shape[2] = { makers != NULL && makers->rank == 2 ? makers->shape[0] : 0, n_variables };

  makers = npz_expect (file, "makers", NPY_INT32, 2, shape, error);
  if (makers == NULL)
    return FALSE;
  for (gsize i = 0; i < shape[0]; i++)
    {
      g_autoptr (CleaveCandidate) candidate
          = read_candidate ((const gint32 *)makers->data + i * n_variables, n_variables);
      g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (self->components->space), candidate, error);

      if (network == NULL || !cleave_run_add_network (self, candidate, network, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_array (NpzFile *file, const char *prefix, const NnArray *array, float *destination, GError **error)
{
  g_autofree char *name = g_strconcat (prefix, array->key, NULL);
  const NpyArray *source;
  gsize shape[4];

  for (guint d = 0; d < array->rank; d++)
    shape[d] = array->shape[d];
  source = npz_expect (file, name, NPY_FLOAT32, array->rank, shape, error);
  if (source == NULL)
    return FALSE;
  memcpy (destination, source->data, array->size * sizeof (float));
  return TRUE;
}

static gboolean
read_arrays (CleaveRun *self, NpzFile *file, GError **error)
{
  gboolean trains = self->stage == CLEAVE_STAGE_PRETRAIN || self->stage == CLEAVE_STAGE_RETRAIN;

  for (guint i = 0; i < nn_supernet_get_n_arrays (self->supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (self->supernet, i);

      if (!read_array (file, "weights/", array, array->data, error))
        return FALSE;
      if (trains && array->momentum != NULL && !read_array (file, "momentum/", array, array->momentum, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_answer (CleaveRun *self, NpzFile *file, GError **error)
{
  gsize n_variables = g_variant_n_children (self->variables);
  const NpyArray *array;

  if (self->stage < CLEAVE_STAGE_RETRAIN)
    return TRUE;
  array = npz_expect (file, "answer", NPY_INT32, 1, &n_variables, error);
  if (array == NULL)
    return FALSE;
  self->answer = read_candidate (array->data, n_variables);
  return TRUE;
}

static gboolean
read_optimizer (CleaveRun *self, NpzFile *file, GError **error)
{
  const NpyArray *array = npz_find (file, "optimizer");
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) boxed = NULL;
  g_autoptr (GVariant) native = NULL;

  if (array == NULL)
    return TRUE;
  bytes = g_bytes_new (array->data, array->n_elements * npy_type_size (array->type));
  boxed = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARIANT, bytes, FALSE));
  if (!g_variant_is_normal_form (boxed))
    {
      cleave_error_set_literal (error, CLEAVE_ERROR_DATA, "optimizer: damaged");
      return FALSE;
    }
  native = G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref (boxed) : g_variant_byteswap (boxed);
  g_clear_pointer (&self->optimizer_state, g_variant_unref);
  self->optimizer_state = g_variant_get_variant (native);
  return cleave_optimizer_load (CLEAVE_OPTIMIZER (self->components->optimizer), self->optimizer_state, error);
}

/* Replaces the rows of a table of the run's. Where the checkpoint is that of a run with another optimizer, whose
 * columns are others, no row has anything in them yet: each ends after the core's columns. */
static gboolean
read_rows (NpzFile *file, const char *name, GString *table, GError **error)
{
  g_autofree char *text = read_text (file, name, error);
  g_auto (GStrv) rows = text != NULL ? g_strsplit (text, "\n", 0) : NULL;
  g_auto (GStrv) own = g_strsplit (table->str, "\n", 2);

  if (rows == NULL)
    return FALSE;
  if (g_strcmp0 (rows[0], own[0]) == 0)
    g_string_assign (table, text);
  else
    for (guint r = 1; rows[0] != NULL && rows[r] != NULL && rows[r][0] != '\0'; r++)
      cleave_metrics_append_core (table, rows[0], rows[r]);
  return TRUE;
}

/* All that lies behind the config. */
static gboolean
read_state (CleaveRun *self, NpzFile *file, GError **error)
{
  if (!read_position (self, file, error))
    return FALSE;
  cleave_run_renew_supernet (self, self->stage < CLEAVE_STAGE_RETRAIN ? CLEAVE_PURPOSE_SUPERNET_WEIGHTS
                                                                      : CLEAVE_PURPOSE_RETRAIN_WEIGHTS);
  return read_rows (file, "metrics", self->metrics, error) && read_rows (file, "trials", self->trials, error)
         && read_answer (self, file, error) && make_arrays (self, file, error) && read_arrays (self, file, error)
         && read_optimizer (self, file, error);
}

static gboolean
check_config (CleaveRun *self, NpzFile *file, const char *path, GError **error)
{
  g_autofree char *config_path = cleave_run_path (self, "config.ini");
  g_autofree char *config = read_text (file, "config", error);

  return config != NULL && cleave_run_folder_compare_configs (config_path, self->config_text, path, config, error);
}

static gboolean
load (CleaveRun *self, const char *path, gboolean own, GError **error)
{
  g_autoptr (NpzFile) file = npz_load (path, error);

  if (file == NULL)
    return FALSE;
  if ((own && !check_config (self, file, path, error)) || !read_state (self, file, error))
    {
      /* Some errors, such as those of npz_expect(), begin with the file already. */
      if (error != NULL && *error != NULL && !g_str_has_prefix ((*error)->message, path))
        g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  g_free (self->last_checkpoint);
  self->last_checkpoint = describe_position (self);
  return TRUE;
}

gboolean
cleave_checkpoint_load (CleaveRun *self, const char *path, GError **error)
{
  return load (self, path, TRUE, error);
}

gboolean
cleave_checkpoint_take (CleaveRun *self, const char *path, GError **error)
{
  CleaveStage stage = self->stage;

  if (!load (self, path, FALSE, error))
    return FALSE;
  if (self->stage == stage + 1 && self->epoch == 0 && self->step == 0)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: it stands at %s, expected the end of %s", path,
               self->last_checkpoint, cleave_stage_to_string (stage));
  return FALSE;
}
