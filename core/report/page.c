/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "page.h"

#include "drawing.h"
#include "markup.h"
#include "page-private.h"

#include <gio/gio.h>
#include <page-resources.h>
#include <string.h>

#define STYLE "/cleave/page.css"

/* What a page can hold of an SVG file: its root, without XML declaration and document type. */
static char *
read_picture (const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) problem = NULL;
  char *start, *end;

  if (!g_file_get_contents (path, &text, NULL, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be read: %s", path, problem->message);
      return NULL;
    }
  start = strstr (text, "<svg");
  end = g_strrstr (text, "</svg>");
  if (start == NULL || end == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: expected an SVG picture", path);
      return NULL;
    }
  return g_strndup (start, end + strlen ("</svg>") - start);
}

static void
append_figure (GString *page, const char *picture, const char *label, const char *caption)
{
  markup_append (page, "<figure>\n<div class=\"picture\" role=\"img\" aria-label=\"%s\">\n", label);
  g_string_append (page, picture);
  markup_append (page, "\n</div>\n<figcaption>%s</figcaption>\n</figure>\n", caption);
}

static void
append_title (GString *page, const CleaveComparison *self)
{
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      markup_append (page, "%s%s",
                     m == 0                        ? ""
                     : m == 1                      ? " against "
                     : m + 1 == self->methods->len ? " and "
                                                   : ", ",
                     method->name);
    }
}

static void
append_head (GString *page, const CleaveComparison *self)
{
  g_autoptr (GBytes) style = g_resource_lookup_data (cleave_page_get_resource (), STYLE, 0, NULL);
  const char *text = g_bytes_get_data (style, NULL);

  g_string_append (page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>");
  append_title (page, self);
  g_string_append (page, "</title>\n<style>\n");
  /* Its first line is the licence of the file, not of the page. */
  g_string_append (page, strchr (text, '\n') + 1);
  g_string_append (page, "</style>\n</head>\n");
}

static void
append_comparison_figure (GString *page, const CleaveComparison *self, const char *picture)
{
  g_autofree char *caption = g_strdup_printf (
      "Every run’s model by its latency and its accuracy at a drop rate of %g, and the median of each"
      " method. The dashed line is the threshold of %g ms.",
      self->drop_rate, self->latency_threshold_ms);

  append_figure (page, picture, "Accuracy against latency, a mark a run; the numbers are in the tables", caption);
}

static void
append_architectures (GString *page, const CleaveComparison *self)
{
  g_autoptr (Drawing) drawing = drawing_new (self);

  g_string_append (page, "<h2>Architectures</h2>\n<p>A box a block, from the input on the left to the output on the"
                         " right. The heavy line is the cut: the device computes what is left of it, the server what is"
                         " right of it.</p>\n");
  drawing_append_legend (drawing, page);
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      markup_append (page, "<h3>%s</h3>\n", method->name);
      for (guint r = 0; r < method->runs->len; r++)
        {
          const CleaveResult *run = method->runs->pdata[r];

          markup_append (page,
                         "<figure class=\"run\"><figcaption>Seed %u: split %s, %.2f ms in all, accuracy %.2f %%"
                         "</figcaption><div class=\"scroll\" role=\"region\" tabindex=\"0\""
                         " aria-label=\"Architecture of %s, seed %u\">\n",
                         run->seed, run->choice_names[cleave_candidate_get_length (run->candidate) - 1],
                         run->latency.total_ms, 100 * cleave_comparison_accuracy (run, self->drop_rate), method->name,
                         run->seed);
          drawing_append_run (drawing, page, method->name, run);
          g_string_append (page, "</div></figure>\n");
        }
    }
}

static void
append_configs (GString *page, const CleaveComparison *self)
{
  g_string_append (page, "<h2>Configs</h2>\n");
  for (guint m = 0; m < self->methods->len; m++)
    {
      const CleaveMethod *method = self->methods->pdata[m];

      markup_append (page, "<details><summary>%s</summary>\n<pre>%s</pre></details>\n", method->name,
                     method->config_text);
    }
}

gboolean
cleave_page_write (const CleaveComparison *self, const char *folder, GError **error)
{
  g_autofree char *comparison = read_picture (folder, "comparison.svg", error);
  g_autofree char *accuracy = comparison != NULL ? read_picture (folder, "accuracy.svg", error) : NULL;
  g_autofree char *path = g_build_filename (folder, "report.html", NULL);
  g_autoptr (GString) page = g_string_new (NULL);

  if (accuracy == NULL)
    return FALSE;
  append_head (page, self);
  g_string_append (page, "<body>\n<main>\n<h1>");
  append_title (page, self);
  g_string_append (page, "</h1>\n");
  page_append_introduction (page, self);
  append_comparison_figure (page, self, comparison);
  page_append_summary (page, self);
  g_string_append (page, "<h2>Accuracy under loss</h2>\n");
  append_figure (page, accuracy, "Accuracy against drop rate, a line a method; the numbers are in the table below",
                 "The methods’ median accuracy by the share of elements that the channel loses.");
  page_append_drop_rates (page, self);
  page_append_runs (page, self);
  append_architectures (page, self);
  append_configs (page, self);
  g_string_append (page, "</main>\n</body>\n</html>\n");
  return cleave_file_replace (path, page->str, page->len, error);
}
