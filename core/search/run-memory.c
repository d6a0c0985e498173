/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run-memory.h"

#include "run-private.h"
#include "survey.h"

#include <string.h>

/* Weight, gradient and momentum. */
#define ARRAYS_PER_PARAMETER 3
/* The present one, the next, and one of a trial on the whole search split. */
#define N_MINIBATCHES 3

/* --- the shared weights, and what crosses the cut --- */

typedef struct
{
  GHashTable *choices; /* of blocks, by name and choice: those counted */
  GHashTable *payloads;
  guint64 n_parameters;
  guint64 n_payload_elements; /* of all payload sizes together */
} Count;

static guint64
count_parameters (const CleaveOp *op)
{
  switch (op->kind)
    {
    case CLEAVE_OP_CONV:
      return (guint64)op->out_channels * (op->in_channels / op->groups) * op->kernel * op->kernel;
    case CLEAVE_OP_LINEAR:
      return (guint64)op->out_channels * (op->in_channels + 1);
    case CLEAVE_OP_NORM:
      return 4 * (guint64)op->out_channels;
    default:
      return 0;
    }
}

static gboolean
count_network (CleaveNetwork *network, gpointer data, GError **error)
{
  Count *count = data;
  gsize n_elements = cleave_network_get_payload_elements (network);

  for (guint i = 0; i < cleave_network_get_n_blocks (network); i++)
    {
      const CleaveBlock *block = cleave_network_get_block (network, i);

      if (!g_hash_table_add (count->choices,
                             g_strdup_printf ("%s/%s", block->name, block->choice != NULL ? block->choice : "")))
        continue;
      for (guint op = block->first_op; op < block->end_op; op++)
        count->n_parameters += count_parameters (cleave_network_get_op (network, op));
    }
  if (g_hash_table_add (count->payloads, GSIZE_TO_POINTER (n_elements)))
    count->n_payload_elements += n_elements;
  return TRUE;
}

/* --- the largest plan --- */

/* The network of these choices; NULL where the space has none. */
static CleaveNetwork *
try_build (CleaveRun *run, const guint *choices)
{
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, g_variant_n_children (run->variables));

  return cleave_space_build (CLEAVE_SPACE (run->components->space), candidate, NULL);
}

static guint
count_categories (CleaveRun *run, gsize variable)
{
  g_autoptr (GVariant) categories = NULL;

  g_variant_get_child (run->variables, variable, "(&s@as)", NULL, &categories);
  return g_variant_n_children (categories);
}

/* Keeps CHOICES in BEST where their network's training plan is larger than *largest. FALSE with an error set. */
static gboolean
keep_larger (CleaveRun *run, const guint *choices, guint *best, gsize *largest, GError **error)
{
  g_autoptr (CleaveNetwork) network = try_build (run, choices);
  gsize bytes;

  if (network == NULL)
    return TRUE;
  bytes = nn_plan_measure (run->engine, network, run->batch.n, NN_PLAN_BACKWARD, error);
  if (bytes > *largest)
    {
      *largest = bytes;
      memcpy (best, choices, g_variant_n_children (run->variables) * sizeof *best);
    }
  return bytes > 0;
}

/* BEST ← the choices, but for the split, with the largest training plan: from the best of those that have one category
 * everywhere, variable by variable until no other category makes it larger. FALSE with an error set. */
static gboolean
choose_largest (CleaveRun *run, guint *best, GError **error)
{
  gsize n_variables = g_variant_n_children (run->variables), largest = 0, before;
  g_autofree guint *choices = g_new0 (guint, n_variables);
  guint n_most = 0;

  for (gsize variable = 0; variable + 1 < n_variables; variable++)
    n_most = MAX (n_most, count_categories (run, variable));
  for (guint category = 0; category < n_most; category++)
    {
      for (gsize variable = 0; variable + 1 < n_variables; variable++)
        choices[variable] = MIN (category, count_categories (run, variable) - 1);
      if (!keep_larger (run, choices, best, &largest, error))
        return FALSE;
    }
  do
    {
      before = largest;
      for (gsize variable = 0; variable + 1 < n_variables; variable++)
        for (guint category = 0; category < count_categories (run, variable); category++)
          {
            memcpy (choices, best, n_variables * sizeof *choices);
            choices[variable] = category;
            if (!keep_larger (run, choices, best, &largest, error))
              return FALSE;
          }
    }
  while (largest > before);
  return TRUE;
}

/* Bytes of the largest candidate's training plan, at the worst of its split points: one for each size of payload. 0
 * with an error set. */
static gsize
measure_largest (CleaveRun *run, GError **error)
{
  gsize n_variables = g_variant_n_children (run->variables);
  guint n_splits = count_categories (run, n_variables - 1);
  g_autofree guint *choices = g_new0 (guint, n_variables);
  g_autoptr (GHashTable) payloads = g_hash_table_new (NULL, NULL);
  gsize largest = 0;

  if (!choose_largest (run, choices, error))
    return 0;
  for (guint split = 0; split < n_splits; split++)
    {
      g_autoptr (CleaveNetwork) network = NULL;
      gsize size;

      choices[n_variables - 1] = split;
      network = try_build (run, choices);
      if (network == NULL
          || !g_hash_table_add (payloads, GSIZE_TO_POINTER (cleave_network_get_payload_elements (network))))
        continue;
      size = nn_plan_measure (run->engine, network, run->batch.n, NN_PLAN_BACKWARD, error);
      if (size == 0)
        return 0;
      largest = MAX (largest, size);
    }
  return largest;
}

/* --- all together --- */

static guint64
count_held_weights (CleaveRun *run)
{
  guint64 bytes = 0;

  for (guint i = 0; i < nn_supernet_get_n_arrays (run->supernet); i++)
    {
      const NnArray *array = nn_supernet_get_array (run->supernet, i);

      bytes += array->size * sizeof (float) * (array->gradient != NULL ? ARRAYS_PER_PARAMETER : 1);
    }
  return bytes;
}

/* Minibatches, and a round's losses: those of every payload size at every drop rate, and dropout. */
static guint64
count_minibatches (CleaveRun *run, guint64 n_payload_elements)
{
  const CleaveDatasetInfo *info = run->info;
  guint64 image = (guint64)info->channels * info->height * info->width * sizeof (float);

  return run->batch.n * (N_MINIBATCHES * image + (run->settings->drop_rates->len + 1) * n_payload_elements);
}

static guint64
subtract (guint64 from, guint64 what)
{
  return from > what ? from - what : 0;
}

gboolean
cleave_memory_estimate (CleaveRun *run, CleaveMemory *memory, GError **error)
{
  g_autoptr (GHashTable) choices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) payloads = g_hash_table_new (NULL, NULL);
  Count count = { choices, payloads, 0, 0 };

  *memory = (CleaveMemory){ .present = cleave_memory_read ("/proc/self/status", "VmRSS") };
  memory->images = g_bytes_get_size (cleave_images_get_pixels (run->images))
                   + g_bytes_get_size (cleave_images_get_labels (run->images));
  memory->other = subtract (memory->present, memory->images + count_held_weights (run));
  if (!cleave_survey (CLEAVE_SPACE (run->components->space), run->variables, count_network, &count, error))
    return FALSE;
  memory->weights = count.n_parameters * ARRAYS_PER_PARAMETER * sizeof (float);
  memory->other += count_minibatches (run, count.n_payload_elements);
  memory->plan = measure_largest (run, error);
  if (memory->plan == 0)
    return FALSE;
  /* Making ready may have taken more than the run will. */
  memory->other += subtract (cleave_memory_read ("/proc/self/status", "VmHWM"), cleave_memory_get_total (memory));
  return TRUE;
}

guint64
cleave_memory_get_total (const CleaveMemory *memory)
{
  return memory->plan + memory->weights + memory->images + memory->other;
}

char *
cleave_memory_to_string (const CleaveMemory *memory)
{
  gboolean large = cleave_memory_get_total (memory) >= 1000000000;
  const guint64 step = large ? 10000000 : 1000000; /* hundredths of a GB, or MB */
  const guint64 bytes[]
      = { cleave_memory_get_total (memory), memory->plan, memory->weights, memory->images, memory->other };
  double numbers[G_N_ELEMENTS (bytes)];

  for (gsize i = 0; i < G_N_ELEMENTS (bytes); i++)
    numbers[i] = (bytes[i] + step - 1) / step / (large ? 100.0 : 1.0);
  return g_strdup_printf ("memory: at most %g %s: plan %g, weights %g, images %g, other %g", numbers[0],
                          large ? "GB" : "MB", numbers[1], numbers[2], numbers[3], numbers[4]);
}

char *
cleave_memory_warning (const CleaveMemory *memory, guint64 available)
{
  guint64 to_come = subtract (cleave_memory_get_total (memory), memory->present);

  if (to_come <= available)
    return NULL;
  return g_strdup_printf ("the run may take %.2f GB more, but only %.2f GB are available; a smaller [training] "
                          "batch-size needs less",
                          to_come / 1e9, available / 1e9);
}

guint64
cleave_memory_read (const char *path, const char *key)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gsize length = strlen (key);

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  lines = g_strsplit (text, "\n", 0);
  for (gsize i = 0; lines[i] != NULL; i++)
    if (strncmp (lines[i], key, length) == 0 && lines[i][length] == ':')
      return g_ascii_strtoull (lines[i] + length + 1, NULL, 10) * 1024;
  return 0;
}
