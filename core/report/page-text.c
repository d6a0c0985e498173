/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is compared, and what came out, in words. */

#include "page-private.h"

#include "markup.h"

#include <math.h>

static const CleaveMethod *
get_method (const CleaveComparison *self, guint index)
{
  return self->methods->pdata[index];
}

/* "5 runs", "3 to 5 runs" */
static void
append_counts (GString *page, guint least, guint most, const char *one, const char *many)
{
  if (least == most)
    markup_append (page, "%u %s", least, least == 1 ? one : many);
  else
    markup_append (page, "%u to %u %s", least, most, many);
}

static void
append_setting (GString *page, const CleaveComparison *self)
{
  guint least_runs = G_MAXUINT, most_runs = 0, least_images = G_MAXUINT, most_images = 0;

  for (guint m = 0; m < self->methods->len; m++)
    {
      const GPtrArray *runs = get_method (self, m)->runs;

      least_runs = MIN (least_runs, runs->len);
      most_runs = MAX (most_runs, runs->len);
      for (guint r = 0; r < runs->len; r++)
        {
          const CleaveResult *run = runs->pdata[r];

          least_images = MIN (least_images, run->n_test_images);
          most_images = MAX (most_images, run->n_test_images);
        }
    }
  g_string_append (page, "<p>");
  append_counts (page, self->methods->len, self->methods->len, "method", "methods");
  g_string_append (page, ", ");
  append_counts (page, least_runs, most_runs, "run", "runs");
  markup_append (page,
                 " a method. The threshold of the end-to-end latency is %g ms, the channel loses each element with a"
                 " probability of %g, accuracy is the share of ",
                 self->latency_threshold_ms, self->drop_rate);
  append_counts (page, least_images, most_images, "test image", "test images");
  g_string_append (page, " that a model classifies correctly.</p>\n");
}

/* A difference as it is, with its sign in words; one too small for a decimal is not called none. */
static void
append_difference (GString *page, double difference, const char *unit)
{
  const char *side = difference < 0 ? "below" : "above";

  if (!isfinite (difference))
    g_string_append (page, "against 0 ms of");
  else if (difference == 0)
    g_string_append (page, "the same as");
  else if (fabs (difference) < 0.05)
    markup_append (page, "less than 0.1 %s %s", unit, side);
  else
    markup_append (page, "%.1f %s %s", fabs (difference), unit, side);
}

static const char *
get_separator (const CleaveComparison *self, guint index)
{
  return index == 1 ? " " : index + 1 == self->methods->len ? " and " : ", ";
}

static void
append_finding (GString *page, const CleaveComparison *self)
{
  const CleaveMethod *first = get_method (self, 0);

  markup_append (page, "<p class=\"finding\"><strong>%s</strong>: median latency <strong>%.1f ms</strong>%s",
                 first->name, first->latency_ms.median, self->methods->len > 1 ? "," : "");
  for (guint m = 1; m < self->methods->len; m++)
    {
      g_string_append (page, get_separator (self, m));
      append_difference (page, cleave_comparison_latency_percent (self, get_method (self, m)), "%");
      markup_append (page, " %s", get_method (self, m)->name);
    }
  markup_append (page, "; median accuracy <strong>%.1f %%</strong>%s", 100 * first->accuracy.median,
                 self->methods->len > 1 ? "," : "");
  for (guint m = 1; m < self->methods->len; m++)
    {
      g_string_append (page, get_separator (self, m));
      append_difference (page, cleave_comparison_accuracy_points (self, get_method (self, m)), "points");
      markup_append (page, " %s", get_method (self, m)->name);
    }
  markup_append (page, "; <strong>%u of %u</strong> models within %g ms%s", first->n_within_threshold, first->runs->len,
                 self->latency_threshold_ms, self->methods->len > 1 ? ", against" : "");
  for (guint m = 1; m < self->methods->len; m++)
    {
      g_string_append (page, get_separator (self, m));
      markup_append (page, "%u of %u of %s", get_method (self, m)->n_within_threshold, get_method (self, m)->runs->len,
                     get_method (self, m)->name);
    }
  g_string_append (page, ".</p>\n");
}

void
page_append_introduction (GString *page, const CleaveComparison *self)
{
  append_setting (page, self);
  append_finding (page, self);
}
