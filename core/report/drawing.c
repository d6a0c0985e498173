/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drawing.h"

#include "markup.h"

#include <string.h>

/* Pixels. */
#define LINE_HEIGHT 14
#define CHARACTER_WIDTH 7.3 /* of the boxes' monospace */
#define GAP 4               /* between boxes */
#define CUT_GAP 18
#define REST_WIDTH 12 /* of what the server computes of a block that is cut inside */
#define END_WIDTH 14  /* of a part before its first block or after its last */
#define BAND_TOP 20   /* the cut's label is above */
#define BOX_TOP (BAND_TOP + 5)
#define NUMBER_HEIGHT 16
#define MIN_WIDTH 240 /* of what is written beside the boxes */

#define TEXT_BREAK "_"

typedef struct
{
  char *name;
  guint index;
  guint family; /* choices whose names begin with the same part: a hue */
  guint rank;   /* in its family: a lightness */
} Choice;

struct _Drawing
{
  GPtrArray *choices; /* Choice, by index, then by name */
  GArray *families;   /* guint, the number of choices in each */
  double box_width;
  double box_height;
};

static void
choice_free (gpointer data)
{
  Choice *self = data;

  g_free (self->name);
  g_free (self);
}

static const Choice *
find_choice (const Drawing *self, const char *name)
{
  for (guint i = 0; i < self->choices->len; i++)
    {
      const Choice *choice = self->choices->pdata[i];

      if (strcmp (choice->name, name) == 0)
        return choice;
    }
  return NULL;
}

static int
compare_choices (gconstpointer a, gconstpointer b)
{
  const Choice *first = *(const Choice *const *)a, *second = *(const Choice *const *)b;

  if (first->index != second->index)
    return first->index < second->index ? -1 : 1;
  return strcmp (first->name, second->name);
}

/* A name is written in lines, broken at underscores. */
static void
fit_box (Drawing *self, const char *name)
{
  g_auto (GStrv) lines = g_strsplit (name, TEXT_BREAK, -1);

  for (guint i = 0; lines[i] != NULL; i++)
    self->box_width = MAX (self->box_width, 8 + CHARACTER_WIDTH * g_utf8_strlen (lines[i], -1));
  self->box_height = MAX (self->box_height, 8.0 + LINE_HEIGHT * g_strv_length (lines));
}

static void
add_choices (Drawing *self, const CleaveResult *run)
{
  for (gsize i = 0; i + 1 < cleave_candidate_get_length (run->candidate); i++)
    if (find_choice (self, run->choice_names[i]) == NULL)
      {
        Choice *choice = g_new0 (Choice, 1);

        choice->name = g_strdup (run->choice_names[i]);
        choice->index = cleave_candidate_get (run->candidate, i);
        g_ptr_array_add (self->choices, choice);
        fit_box (self, choice->name);
      }
}

static gboolean
same_family (const Choice *a, const Choice *b)
{
  const gsize length = strcspn (a->name, TEXT_BREAK);

  return length == strcspn (b->name, TEXT_BREAK) && strncmp (a->name, b->name, length) == 0;
}

static void
find_family (Drawing *self, guint index)
{
  Choice *choice = self->choices->pdata[index];
  const guint alone = 1;

  for (guint i = 0; i < index; i++)
    {
      const Choice *other = self->choices->pdata[i];

      if (same_family (choice, other))
        {
          choice->family = other->family;
          choice->rank = g_array_index (self->families, guint, other->family)++;
          return;
        }
    }
  choice->family = self->families->len;
  g_array_append_val (self->families, alone);
}

Drawing *
drawing_new (const CleaveComparison *comparison)
{
  Drawing *self = g_new0 (Drawing, 1);

  self->choices = g_ptr_array_new_with_free_func (choice_free);
  self->families = g_array_new (FALSE, FALSE, sizeof (guint));
  self->box_width = 36;
  for (guint m = 0; m < comparison->methods->len; m++)
    {
      const CleaveMethod *method = comparison->methods->pdata[m];

      for (guint r = 0; r < method->runs->len; r++)
        add_choices (self, method->runs->pdata[r]);
    }
  g_ptr_array_sort (self->choices, compare_choices);
  for (guint i = 0; i < self->choices->len; i++)
    find_family (self, i);
  return self;
}

void
drawing_free (Drawing *self)
{
  g_ptr_array_unref (self->choices);
  g_array_unref (self->families);
  g_free (self);
}

/* Light enough for dark text; what does nothing is nearly white. */
static void
append_colour (const Drawing *self, GString *page, const Choice *choice)
{
  static const guint hues[] = { 207, 32, 158, 322, 52, 265 };
  static const char *const nothing[] = { "skip", "identity", "none" };
  const guint n = g_array_index (self->families, guint, choice->family);

  for (gsize i = 0; i < G_N_ELEMENTS (nothing); i++)
    if (strcmp (choice->name, nothing[i]) == 0)
      {
        g_string_append (page, "#fafafa");
        return;
      }
  g_string_append_printf (page, "hsl(%u,65%%,%u%%)", hues[choice->family % G_N_ELEMENTS (hues)],
                          91 - 29 * (choice->rank + 1) / n);
}

void
drawing_append_legend (const Drawing *self, GString *page)
{
  g_string_append (page, "<ul class=\"legend\" aria-label=\"Choices\">\n");
  for (guint i = 0; i < self->choices->len; i++)
    {
      const Choice *choice = self->choices->pdata[i];

      g_string_append (page, "<li><span style=\"background:");
      append_colour (self, page, choice);
      markup_append (page, "\"></span>%s</li>\n", choice->name);
    }
  g_string_append (page, "</ul>\n");
}

/* --- a run --- */

/* Of box number N (from 0), were there no cut; for the number of blocks, where one more would be. */
static double
find_uncut_x (const Drawing *self, guint n)
{
  return END_WIDTH + n * (self->box_width + GAP);
}

static double
find_x (const Drawing *self, CleaveCut cut, guint n)
{
  const gboolean is_right = cut.head_blocks >= 0 && n >= (guint)cut.head_blocks + cut.inside_block;

  return find_uncut_x (self, n) + (is_right ? CUT_GAP + (cut.inside_block ? REST_WIDTH + GAP : 0) : 0);
}

/* In the middle between what is left and right of it. */
static double
find_cut_x (const Drawing *self, CleaveCut cut)
{
  return find_uncut_x (self, cut.head_blocks + cut.inside_block) + (CUT_GAP - GAP) / 2.0;
}

static double
find_bottom (const Drawing *self)
{
  return BAND_TOP + self->box_height + NUMBER_HEIGHT + 8;
}

static void
append_band (const Drawing *self, GString *page, const char *class, double left, double right)
{
  markup_append (page, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\" rx=\"5\"/>\n", class,
                 left, BAND_TOP, right - left, find_bottom (self) - BAND_TOP);
}

static void
append_cut (const Drawing *self, GString *page, const CleaveResult *run, double width)
{
  const double x = find_cut_x (self, run->cut);
  const double bottom = find_bottom (self);
  const char *anchor = x < 100 ? "start" : x > width - 100 ? "end" : "middle";
  const double text_x = x < 100 ? 0 : x > width - 100 ? width : x;

  append_band (self, page, "device", 0.5, x - 5);
  append_band (self, page, "server", x + 5, width - 0.5);
  markup_append (page, "<line class=\"cut\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>\n", x, BAND_TOP - 4, x,
                 bottom + 4);
  markup_append (
      page, "<text class=\"cut\" x=\"%.1f\" y=\"12\" text-anchor=\"%s\">%" G_GSIZE_FORMAT " elements, %.2f ms</text>\n",
      text_x, anchor, run->latency.payload_elements, run->latency.transfer_ms);
  markup_append (page, "<text class=\"part\" x=\"1\" y=\"%.1f\">device, %.2f ms</text>\n", bottom + 19,
                 run->latency.head_ms);
  markup_append (page, "<text class=\"part\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">server, %.2f ms</text>\n",
                 width - 1, bottom + 19, run->latency.tail_ms);
}

static void
append_unplaced_cut (GString *page, const CleaveResult *run)
{
  markup_append (page,
                 "<text class=\"cut\" x=\"0\" y=\"12\">split %s: %" G_GSIZE_FORMAT
                 " elements, %.2f ms (not drawn: blocks and variables of this space do not correspond)</text>\n",
                 run->choice_names[cleave_candidate_get_length (run->candidate) - 1], run->latency.payload_elements,
                 run->latency.transfer_ms);
}

static void
append_rect (const Drawing *self, GString *page, const char *class, const char *choice, double x, double width)
{
  markup_append (page, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%.1f\" rx=\"3\" fill=\"", class,
                 x, BOX_TOP, width, self->box_height);
  append_colour (self, page, find_choice (self, choice));
  g_string_append (page, "\"/>");
}

static void
append_box (const Drawing *self, GString *page, const CleaveResult *run, guint block)
{
  const double x = find_x (self, run->cut, block);
  g_auto (GStrv) lines = g_strsplit (run->choice_names[block], TEXT_BREAK, -1);
  const double center = x + self->box_width / 2;
  const double first_line = BOX_TOP + (self->box_height - LINE_HEIGHT * g_strv_length (lines)) / 2 + 11;

  markup_append (page, "<g><title>%s: %s</title>", run->variable_names[block], run->choice_names[block]);
  append_rect (self, page, "block", run->choice_names[block], x, self->box_width);
  if (run->cut.inside_block && (int)block == run->cut.head_blocks)
    append_rect (self, page, "block rest", run->choice_names[block], find_uncut_x (self, block + 1) + CUT_GAP,
                 REST_WIDTH);
  for (guint i = 0; lines[i] != NULL; i++)
    markup_append (page, "<text class=\"choice\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>", center,
                   first_line + i * LINE_HEIGHT, lines[i]);
  markup_append (page, "<text class=\"number\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%u</text></g>\n", center,
                 BOX_TOP + self->box_height + 13, block + 1);
}

/* All that the drawing shows, in words. */
static void
append_label (GString *page, const char *method, const CleaveResult *run)
{
  const guint n_blocks = cleave_candidate_get_length (run->candidate) - 1;

  markup_append (page, "%s, seed %u:%s", method, run->seed, run->cut.head_blocks >= 0 ? " on the device" : "");
  for (guint i = 0; i <= n_blocks; i++)
    {
      const gboolean is_cut = (int)i == run->cut.head_blocks, is_inside = is_cut && run->cut.inside_block;

      if (is_cut)
        markup_append (page, " cut%s%s, %" G_GSIZE_FORMAT " elements; on the server%s", is_inside ? " inside " : "",
                       is_inside ? run->choice_names[i] : "", run->latency.payload_elements,
                       is_inside ? " the rest of it," : "");
      if (i < n_blocks && !is_inside)
        markup_append (page, " %s,", run->choice_names[i]);
    }
}

void
drawing_append_run (const Drawing *self, GString *page, const char *method, const CleaveResult *run)
{
  const guint n_blocks = cleave_candidate_get_length (run->candidate) - 1;
  const double width = MAX (MIN_WIDTH, find_x (self, run->cut, n_blocks) - GAP + END_WIDTH);
  const double height = find_bottom (self) + 24;

  markup_append (page,
                 "<svg class=\"architecture\" width=\"%.1f\" height=\"%.1f\" viewBox=\"0 0 %.1f %.1f\" role=\"img\""
                 " aria-label=\"",
                 width, height, width, height);
  append_label (page, method, run);
  g_string_append (page, "\">\n");
  if (run->cut.head_blocks >= 0)
    append_cut (self, page, run, width);
  else
    append_unplaced_cut (page, run);
  for (guint i = 0; i < n_blocks; i++)
    append_box (self, page, run, i);
  g_string_append (page, "</svg>\n");
}
