/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-config.h"

#include <string.h>

/* Levenshtein's distance where a swap of neighbours counts one too (optimal string alignment). */
static gsize
distance (const char *a, const char *b)
{
  gsize rows = strlen (a) + 1;
  gsize columns = strlen (b) + 1;
  g_autofree gsize *table = g_new (gsize, rows * columns);

  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      {
        gsize *here = &table[i * columns + j];
        gsize change = i > 0 && j > 0 && a[i - 1] != b[j - 1];

        if (i == 0 || j == 0)
          {
            *here = i + j;
            continue;
          }
        *here = MIN (here[-1] + 1, here[-(gssize)columns] + 1);
        *here = MIN (*here, here[-(gssize)columns - 1] + change);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          *here = MIN (*here, here[-2 * (gssize)columns - 2] + 1);
      }
  return table[rows * columns - 1];
}

/* A word more than 64 bytes long is no slip of the keyboard. */
#define LONGEST_WORD 64

const char *
cleave_suggest (const char *word, const char *const *words)
{
  const char *best = NULL;
  gsize best_distance = 0;

  g_return_val_if_fail (word != NULL && words != NULL, NULL);

  if (strlen (word) > LONGEST_WORD)
    return NULL;
  for (; *words != NULL; words++)
    {
      /* The beginning of a word, such as batch of batch-size, is as close as one slip. */
      gboolean begins = strlen (word) >= 3 && g_str_has_prefix (*words, word);
      gsize here = begins ? 1 : distance (word, *words);
      /* One slip in three letters, and one even in a short word. */
      gsize allowed = MAX (1, MAX (strlen (word), strlen (*words)) / 3);

      if (here <= allowed && here < MAX (strlen (word), 1) && (best == NULL || here < best_distance))
        {
          best = *words;
          best_distance = here;
        }
    }
  return best;
}
