/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The only file that talks to PLplot. PLplot only draws lines, polygons and text here: places are pixels of a page of
 * 1200 × 800, counted from its lower left corner, so that both devices give the same picture. */

#include "chart-draw.h"
#include "chart-scale.h"

#include <errno.h>
#include <math.h>
#include <plplot.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_WIDTH 1200
#define PAGE_HEIGHT 800
#define DOTS_PER_INCH 90.0
#define MM_PER_PX (25.4 / DOTS_PER_INCH)

#define EDGE 24 /* what stays white around */
#define TITLE_PX 28
#define LABEL_PX 26
#define TEXT_PX 24
#define LINE_HEIGHT 38    /* of texts one below the other */
#define CHARACTER_EM 0.58 /* width of the mean character of a sans-serif, in text heights; PLplot can't be asked */
#define KEY_WIDTH 44      /* of a line or mark in the legend */
#define KEY_GAP 12
#define TICK_GAP 10
#define PANEL_GAP 30

/* Of PLplot's map of colours; 0 is the background. */
enum
{
  PEN_INK = 1,
  PEN_GREY,
  PEN_GRID,
  PEN_SERIES,
};

/* Of Okabe and Ito, Color Universal Design, 2008, without black, which is the text's, and the yellow, which is faint on
 * white. */
static const guint8 palette[CLEAVE_N_COLOURS][3] = {
  [CLEAVE_COLOUR_BLUE] = { 0, 114, 178 },   [CLEAVE_COLOUR_VERMILLION] = { 213, 94, 0 },
  [CLEAVE_COLOUR_GREEN] = { 0, 158, 115 },  [CLEAVE_COLOUR_PURPLE] = { 204, 121, 167 },
  [CLEAVE_COLOUR_ORANGE] = { 230, 159, 0 }, [CLEAVE_COLOUR_SKY] = { 86, 180, 233 },
  [CLEAVE_COLOUR_GREY] = { 110, 110, 110 },
};

/* Regular polygons, with diameters that make them look equally large. */
static const struct
{
  guint n_corners;
  double first_corner; /* degrees from the right, to the left */
  double diameter;
} marks[CLEAVE_N_MARKS] = {
  [CLEAVE_MARK_CIRCLE] = { 24, 0, 1 },      [CLEAVE_MARK_SQUARE] = { 4, 45, 1.25 },
  [CLEAVE_MARK_TRIANGLE] = { 3, 90, 1.35 }, [CLEAVE_MARK_DIAMOND] = { 4, 0, 1.25 },
  [CLEAVE_MARK_DOT] = { 6, 0, 1 },          [CLEAVE_MARK_INVERTED_TRIANGLE] = { 3, 270, 1.35 },
};
#define MAX_CORNERS 24

typedef struct
{
  double left, right, bottom, top;
} Box;

/* Where a panel is on the page, and what it shows there. */
typedef struct
{
  const CleavePanel *panel;
  Box box;
  CleaveScale x, y;
} View;

/* PLplot has one state for the whole process. What it would print or end the process with comes here. */
static struct
{
  PLINT code;
  char message[4096];
  jmp_buf way_out;
} trouble;

G_GNUC_NORETURN static int
leave_plplot (PLCHAR_VECTOR message)
{
  g_strlcpy (trouble.message, message, sizeof trouble.message);
  trouble.code = 1;
  longjmp (trouble.way_out, 1);
}

static double
text_width (const char *text, double height)
{
  return g_utf8_strlen (text, -1) * CHARACTER_EM * height;
}

/* As much of TEXT as the room holds, without what PLplot or XML would stumble over. */
static char *
prepare_text (const char *text, double height, double room)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  gsize limit = fmax (1, floor (room / (CHARACTER_EM * height)));
  gboolean fits = (gsize)g_utf8_strlen (valid, -1) <= limit;
  GString *prepared = g_string_new (NULL);

  for (const char *c = valid; *c != '\0' && (fits || limit-- > 1); c = g_utf8_next_char (c))
    if (*c == '#') /* begins PLplot's escapes */
      g_string_append (prepared, "##");
    else
      g_string_append_unichar (prepared, g_unichar_isprint (g_utf8_get_char (c)) ? g_utf8_get_char (c) : 0xFFFD);
  if (!fits)
    g_string_append (prepared, "…");
  return g_string_free (prepared, FALSE);
}

/* JUSTIFICATION is the share of the text that is before X, or below Y where it runs upwards. */
static void
draw_text (double x, double y, double justification, gboolean upwards, double height, double room, const char *text)
{
  g_autofree char *prepared = prepare_text (text, height, room);

  plcol0 (PEN_INK);
  plschr (height * MM_PER_PX, 1);
  plptex (x, y, !upwards, upwards, justification, prepared);
}

static void
draw_line (double x, double y, double end_x, double end_y, double width, int pen)
{
  plcol0 (pen);
  plwidth (width);
  pljoin (x, y, end_x, end_y);
}

static void
set_colour (const CleaveStyle *style)
{
  const guint8 *colour = palette[style->colour];

  plscol0a (PEN_SERIES, colour[0], colour[1], colour[2], style->opacity);
  plcol0 (PEN_SERIES);
}

static void
draw_mark (const CleaveStyle *style, double x, double y)
{
  double xs[MAX_CORNERS + 1], ys[MAX_CORNERS + 1];
  guint n = marks[style->mark].n_corners;
  double radius = style->mark_px / 2 * marks[style->mark].diameter;

  for (guint i = 0; i <= n; i++)
    {
      double angle = (marks[style->mark].first_corner + 360.0 * (i % n) / n) * G_PI / 180;

      xs[i] = x + radius * cos (angle);
      ys[i] = y + radius * sin (angle);
    }
  set_colour (style);
  plwidth (0); /* some devices draw the edge, too */
  plfill (n, xs, ys);
  if (!style->outlined)
    return;
  plcol0 (PEN_INK);
  plwidth (2);
  plline (n + 1, xs, ys);
}

/* For all that panels FIRST … END − 1 show on an axis. */
static CleaveScale
scale_axis (const CleaveChart *chart, guint first, guint end, CleaveAxis axis, guint n_steps)
{
  double minimum = INFINITY, maximum = -INFINITY;

  for (guint p = first; p < end; p++)
    {
      const CleavePanel *panel = chart->panels->pdata[p];

      for (guint s = 0; s < panel->series->len; s++)
        {
          const CleaveSeries *series = panel->series->pdata[s];

          for (guint i = 0; i < series->points->len; i++)
            {
              const CleavePoint *point = &g_array_index (series->points, CleavePoint, i);
              double value = axis == CLEAVE_AXIS_X ? point->x : point->y;

              minimum = fmin (minimum, value);
              maximum = fmax (maximum, value);
            }
        }
      for (guint i = 0; i < panel->references->len; i++)
        {
          const CleaveReference *reference = &g_array_index (panel->references, CleaveReference, i);

          if (reference->axis != axis)
            continue;
          minimum = fmin (minimum, reference->value);
          maximum = fmax (maximum, reference->value);
        }
    }
  return cleave_scale_new (minimum, maximum, n_steps);
}

static gboolean
has_reference (const CleaveChart *chart, CleaveAxis axis)
{
  for (guint p = 0; p < chart->panels->len; p++)
    {
      const CleavePanel *panel = chart->panels->pdata[p];

      for (guint i = 0; i < panel->references->len; i++)
        if (g_array_index (panel->references, CleaveReference, i).axis == axis)
          return TRUE;
    }
  return FALSE;
}

static double
measure_ticks (const CleaveScale *scale)
{
  double widest = 0;

  for (guint i = 0; i < scale->n_ticks; i++)
    {
      g_autofree char *label = cleave_scale_label (scale, i);

      widest = fmax (widest, text_width (label, TEXT_PX));
    }
  return widest;
}

static double
place_x (const View *view, double x)
{
  return view->box.left + (x - view->x.low) / (view->x.high - view->x.low) * (view->box.right - view->box.left);
}

static double
place_y (const View *view, double y)
{
  return view->box.bottom + (y - view->y.low) / (view->y.high - view->y.low) * (view->box.top - view->box.bottom);
}

static void
draw_dashes (double x, double y, double end_x, double end_y)
{
  static const PLINT dash_um[] = { 2800 }, gap_um[] = { 1700 };

  plstyl (1, dash_um, gap_um);
  draw_line (x, y, end_x, end_y, 2, PEN_GREY);
  plstyl (0, NULL, NULL);
}

/* Where the next key of the legend is, in rows that begin at LEFT. */
typedef struct
{
  double left;
  double x, y;
} Legend;

/* Writes NAME at the next place, in a row of its own if this one is full; leaves the key to be drawn before it. */
static double
add_key (Legend *legend, const char *name)
{
  double room = PAGE_WIDTH - EDGE - legend->left - KEY_WIDTH - KEY_GAP;
  double width = fmin (room, text_width (name, TEXT_PX)), x;

  if (legend->x > legend->left && legend->x + KEY_WIDTH + KEY_GAP + width > PAGE_WIDTH - EDGE)
    {
      legend->x = legend->left;
      legend->y -= LINE_HEIGHT;
    }
  x = legend->x;
  draw_text (x + KEY_WIDTH + KEY_GAP, legend->y, 0, FALSE, TEXT_PX, room, name);
  legend->x += KEY_WIDTH + KEY_GAP + width + KEY_WIDTH;
  return x;
}

static void
add_series_key (Legend *legend, const CleaveSeries *series)
{
  const CleaveStyle *style = &series->style;
  double x = add_key (legend, series->name);

  set_colour (style);
  plwidth (style->line_px);
  if (style->line_px > 0)
    pljoin (x, legend->y, x + KEY_WIDTH, legend->y);
  if (style->mark != CLEAVE_MARK_NONE)
    draw_mark (style, x + KEY_WIDTH / 2.0, legend->y);
}

/* Gives what is below it. */
static double
draw_legend (const CleaveChart *chart, double left, double top)
{
  Legend legend = { left, left, top - LINE_HEIGHT / 2.0 };

  for (guint p = 0; p < chart->panels->len; p++)
    {
      const CleavePanel *panel = chart->panels->pdata[p];

      for (guint i = 0; i < panel->series->len; i++)
        if (((const CleaveSeries *)panel->series->pdata[i])->name != NULL)
          add_series_key (&legend, panel->series->pdata[i]);
      for (guint i = 0; i < panel->references->len; i++)
        {
          const CleaveReference *reference = &g_array_index (panel->references, CleaveReference, i);

          if (reference->axis == CLEAVE_AXIS_Y)
            {
              double x = add_key (&legend, reference->label);

              draw_dashes (x, legend.y, x + KEY_WIDTH, legend.y);
            }
        }
    }
  return legend.x > left ? legend.y - LINE_HEIGHT / 2.0 : top;
}

static void
draw_grid (const View *view, gboolean with_x_labels)
{
  const Box *box = &view->box;

  for (guint i = 0; i < view->x.n_ticks; i++)
    {
      double x = place_x (view, cleave_scale_tick (&view->x, i));
      g_autofree char *label = cleave_scale_label (&view->x, i);

      draw_line (x, box->bottom, x, box->top, 1, PEN_GRID);
      if (with_x_labels)
        draw_text (x, box->bottom - TICK_GAP - TEXT_PX / 2.0, 0.5, FALSE, TEXT_PX, PAGE_WIDTH, label);
    }
  for (guint i = 0; i < view->y.n_ticks; i++)
    {
      double y = place_y (view, cleave_scale_tick (&view->y, i));
      g_autofree char *label = cleave_scale_label (&view->y, i);

      draw_line (box->left, y, box->right, y, 1, PEN_GRID);
      draw_text (box->left - TICK_GAP, y, 1, FALSE, TEXT_PX, PAGE_WIDTH, label);
    }
  draw_line (box->left, box->bottom, box->right, box->bottom, 1.5, PEN_INK);
  draw_line (box->left, box->bottom, box->left, box->top, 1.5, PEN_INK);
  draw_text (EDGE + LABEL_PX / 2.0, (box->bottom + box->top) / 2, 0.5, TRUE, LABEL_PX,
             box->top - box->bottom + PANEL_GAP, view->panel->y_label);
}

static void
draw_series (const View *view, const CleaveSeries *series)
{
  guint n = series->points->len;
  g_autofree double *xs = g_new (double, n);
  g_autofree double *ys = g_new (double, n);

  for (guint i = 0; i < n; i++)
    {
      xs[i] = place_x (view, g_array_index (series->points, CleavePoint, i).x);
      ys[i] = place_y (view, g_array_index (series->points, CleavePoint, i).y);
    }
  if (series->style.line_px > 0 && n > 1)
    {
      set_colour (&series->style);
      plwidth (series->style.line_px);
      plline (n, xs, ys);
    }
  for (guint i = 0; series->style.mark != CLEAVE_MARK_NONE && i < n; i++)
    draw_mark (&series->style, xs[i], ys[i]);
}

static void
draw_reference (const View *view, const CleaveReference *reference)
{
  const Box *box = &view->box;
  double half = text_width (reference->label, TEXT_PX) / 2;

  if (reference->axis == CLEAVE_AXIS_X)
    {
      double x = place_x (view, reference->value);

      draw_dashes (x, box->bottom, x, box->top);
      draw_text (CLAMP (x, EDGE + half, PAGE_WIDTH - EDGE - half), box->top + LINE_HEIGHT / 2.0, 0.5, FALSE, TEXT_PX,
                 PAGE_WIDTH, reference->label);
    }
  else
    {
      double y = place_y (view, reference->value);

      draw_dashes (box->left, y, box->right, y);
    }
}

static void
draw_panel (const View *view, gboolean with_x_labels)
{
  draw_grid (view, with_x_labels);
  for (guint i = 0; i < view->panel->references->len; i++)
    draw_reference (view, &g_array_index (view->panel->references, CleaveReference, i));
  for (guint i = 0; i < view->panel->series->len; i++)
    draw_series (view, view->panel->series->pdata[i]);
}

static void
draw_panels (const CleaveChart *chart, double top)
{
  guint n = chart->panels->len;
  g_autofree View *views = g_new0 (View, n);
  double widest_tick = 0, height;
  Box all = { 0 };

  for (guint i = 0; i < n; i++)
    {
      views[i].panel = chart->panels->pdata[i];
      views[i].x = scale_axis (chart, 0, n, CLEAVE_AXIS_X, 7);
      views[i].y = scale_axis (chart, i, i + 1, CLEAVE_AXIS_Y, n == 1 ? 6 : 4);
      widest_tick = fmax (widest_tick, measure_ticks (&views[i].y));
    }
  all.left = EDGE + 1.5 * LABEL_PX + widest_tick + TICK_GAP;
  all.right = PAGE_WIDTH - 2 * EDGE; /* half a tick's label is beside it */
  all.bottom = EDGE + LABEL_PX + LINE_HEIGHT + TICK_GAP;
  all.top = draw_legend (chart, all.left, top);
  all.top -= has_reference (chart, CLEAVE_AXIS_X) ? 1.25 * LINE_HEIGHT : EDGE / 2.0;
  height = (all.top - all.bottom - (n - 1) * PANEL_GAP) / n;
  for (guint i = 0; i < n; i++)
    {
      double panel_top = all.top - i * (height + PANEL_GAP);

      views[i].box = (Box){ all.left, all.right, panel_top - height, panel_top };
      draw_panel (&views[i], i == n - 1);
    }
  draw_text ((all.left + all.right) / 2, EDGE + LABEL_PX / 2.0, 0.5, FALSE, LABEL_PX, all.right - all.left,
             chart->x_label);
}

static void
draw_page (const CleaveChart *chart)
{
  double top = PAGE_HEIGHT - EDGE - LINE_HEIGHT;

  plscol0 (PEN_INK, 34, 34, 34);
  plscol0 (PEN_GREY, 90, 90, 90);
  plscol0 (PEN_GRID, 226, 226, 226);
  pladv (0);
  plvpor (0, 1, 0, 1);
  plwind (0, PAGE_WIDTH, 0, PAGE_HEIGHT);
  draw_text (PAGE_WIDTH / 2.0, PAGE_HEIGHT - EDGE - TITLE_PX / 2.0, 0.5, FALSE, TITLE_PX, PAGE_WIDTH - 2 * EDGE,
             chart->title);
  if (chart->message != NULL)
    draw_text (PAGE_WIDTH / 2.0, PAGE_HEIGHT / 2.0, 0.5, FALSE, LABEL_PX, PAGE_WIDTH - 2 * EDGE, chart->message);
  else
    draw_panels (chart, top);
}

/* PLplot asks on the terminal for another device where it lacks the one that it is told. */
static gboolean
has_device (const char *device)
{
  const char *menu[100], *names[G_N_ELEMENTS (menu)];
  const char **menu_list = menu, **name_list = names;
  int n = G_N_ELEMENTS (menu);

  plgDevs (&menu_list, &name_list, &n);
  for (int i = 0; i < n; i++)
    if (g_str_equal (names[i], device))
      return TRUE;
  return FALSE;
}

/* Closes FILE. What goes wrong is in TROUBLE afterwards. */
static void
run_plplot (const CleaveChart *chart, const char *device, FILE *file)
{
  PLINT stream;

  trouble.code = 0;
  trouble.message[0] = '\0';
  plsexit (leave_plplot);
  plsError (&trouble.code, trouble.message);
  if (setjmp (trouble.way_out) != 0)
    {
      /* The stream is in no state to be ended; it stays unused. */
      plsfile (NULL);
      plsstrm (0);
      fclose (file);
      return;
    }
  if (!has_device (device))
    leave_plplot ("there is no such device; the packages libplplot17 and plplot-driver-cairo have them");
  plmkstrm (&stream);
  plsError (&trouble.code, trouble.message);
  plsdev (device);
  plsfile (file);
  plscolbg (255, 255, 255);
  plspage (DOTS_PER_INCH, DOTS_PER_INCH, PAGE_WIDTH, PAGE_HEIGHT, 0, 0);
  plspause (FALSE);
  plsetopt ("drvopt", "text_clipping=0"); /* clip paths have ids, which would clash in a page of several pictures */
  plinit ();
  draw_page (chart);
  plend1 (); /* plend() would unload the driver, whose libraries can't be loaded twice */
}

GBytes *
cleave_chart_draw (const CleaveChart *chart, const char *device, GError **error)
{
  char *content = NULL;
  gsize size = 0;
  FILE *file = open_memstream (&content, &size);

  if (file == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "no memory to draw in: %s", g_strerror (errno));
      return NULL;
    }
  run_plplot (chart, device, file);
  if (trouble.code != 0)
    {
      free (content);
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_UNSUPPORTED, "PLplot with device %s: %s", device, trouble.message);
      return NULL;
    }
  return g_bytes_new_with_free_func (content, size, free, content);
}
