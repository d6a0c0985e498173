/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "chart-draw.h"
#include "chart-scale.h"

#include "picture.h"
#include "test.h"

#include <math.h>
#include <string.h>

#define BLUE "#0072B2" /* Okabe and Ito: 0, 114, 178 */

static const CleaveStyle style
    = { .colour = CLEAVE_COLOUR_BLUE, .opacity = 0.5, .mark = CLEAVE_MARK_SQUARE, .mark_px = 10, .line_px = 2 };

/* Of these points, in one panel, after the key in the legend. */
static CleaveChart *
make_chart (const CleavePoint *points, gsize n)
{
  CleaveChart *chart = cleave_chart_new ("title", "x label");
  CleaveSeries *series = cleave_panel_add_series (cleave_chart_add_panel (chart, "y label"), "series", style);

  for (gsize i = 0; i < n; i++)
    cleave_series_add (series, points[i].x, points[i].y);
  return chart;
}

static Picture *
draw (const CleaveChart *chart)
{
  const char *folder = test_temporary_folder ();
  g_autoptr (GError) error = NULL;

  cleave_chart_write (chart, folder, "a", &error);
  return EXPECT_NO_ERROR (error) ? picture_load (folder, "a.svg") : NULL;
}

TEST (Chart, marks_lie_where_the_numbers_say)
{
  const CleavePoint points[] = { { 20, 70 }, { 60, 80 }, { 30, 75 } };
  g_autoptr (CleaveChart) chart = make_chart (points, G_N_ELEMENTS (points));
  g_autoptr (Picture) picture = NULL;
  const PictureShape *key, *low, *high, *middle;

  cleave_panel_add_reference (chart->panels->pdata[0], CLEAVE_AXIS_X, 30, "limit");
  picture = draw (chart);
  REQUIRE (picture != NULL);
  EXPECT_INT (picture_count_marks (picture, BLUE, 0.5), 4);
  key = picture_get_mark (picture, BLUE, 0.5, 0);
  low = picture_get_mark (picture, BLUE, 0.5, 1);
  high = picture_get_mark (picture, BLUE, 0.5, 2);
  middle = picture_get_mark (picture, BLUE, 0.5, 3);
  REQUIRE (middle != NULL);
  EXPECT_TRUE (key->y > high->y);
  /* A quarter of the way, and half of it; coordinates are written with two decimals. */
  EXPECT_NEAR (middle->x, low->x + (high->x - low->x) / 4, 0.1);
  EXPECT_NEAR (middle->y, (low->y + high->y) / 2, 0.1);
  EXPECT_TRUE (high->x - low->x > 800 && high->y - low->y > 400); /* of 1200 × 800 */
  /* The last dash of the reference is straight above the mark. */
  for (guint i = 1; i < picture->shapes->len; i++)
    if (((PictureShape *)picture->shapes->pdata[i])->filled && picture->shapes->pdata[i] == low)
      EXPECT_NEAR (((PictureShape *)picture->shapes->pdata[i - 2])->x, middle->x, 0.1);
}

TEST (Chart, texts_are_text)
{
  const CleavePoint points[] = { { 20, 70 }, { 60, 80 } };
  static const char *const texts[] = { "title", "x label", "limit <#1> & \"θ\"", "series", "20", "60", "70", "80" };
  g_autoptr (CleaveChart) chart = make_chart (points, G_N_ELEMENTS (points));
  g_autoptr (Picture) picture = NULL;

  cleave_panel_add_reference (chart->panels->pdata[0], CLEAVE_AXIS_Y, 75, texts[2]);
  picture = draw (chart);
  REQUIRE (picture != NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    test_check (picture_has_text (picture, texts[i]), __FILE__, __LINE__, "\"%s\" is missing", texts[i]);
  EXPECT_INT (picture->n_ids, 0); /* several pictures go in one page */
}

TEST (Chart, texts_that_do_not_fit_are_cut)
{
  g_autofree char *name = g_strnfill (5000, '#');
  g_autoptr (CleaveChart) chart = cleave_chart_new ("\xff\x01", name);
  g_autoptr (Picture) picture = NULL;
  gboolean is_cut = FALSE;

  cleave_panel_add_series (cleave_chart_add_panel (chart, name), name, style);
  picture = draw (chart);
  REQUIRE (picture != NULL);
  EXPECT_TRUE (picture_has_text (picture, "\xef\xbf\xbd\xef\xbf\xbd")); /* two U+FFFD */
  for (guint i = 0; i < picture->texts->len; i++)
    is_cut |= g_str_has_prefix (picture->texts->pdata[i], "####") && g_str_has_suffix (picture->texts->pdata[i], "#…");
  EXPECT_TRUE (is_cut);
}

TEST (Chart, same_chart_same_bytes)
{
  static const char *const names[] = { "a.svg", "a.png" };
  const CleavePoint points[] = { { 1, 2 }, { 2, 1 }, { 3, 5 } };
  g_autoptr (CleaveChart) chart = make_chart (points, G_N_ELEMENTS (points));
  g_autoptr (CleaveChart) other = make_chart (points, 2);
  const char *first = test_temporary_folder (), *second = test_temporary_folder ();
  g_autoptr (GError) error = NULL;

  cleave_chart_write (chart, first, "a", &error);
  REQUIRE_NO_ERROR (error);
  cleave_chart_write (other, first, "b", &error);
  REQUIRE_NO_ERROR (error);
  cleave_chart_write (chart, second, "a", &error);
  REQUIRE_NO_ERROR (error);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GBytes) one = picture_read (first, names[i]);
      g_autoptr (GBytes) two = picture_read (second, names[i]);

      EXPECT_TRUE (one != NULL && two != NULL && g_bytes_equal (one, two));
    }
}

/* Portable Network Graphics (2nd edition), 5.2 and 11.2.2: signature, length and name of IHDR, width, height. */
TEST (Chart, png_is_of_1200_by_800)
{
  static const guint8 head[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,    13,
                                 'I',  'H', 'D', 'R', 0,    0,    0x04, 0xb0, 0, 0, 0x03, 0x20 };
  const CleavePoint point = { 1, 2 };
  g_autoptr (CleaveChart) chart = make_chart (&point, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) png = cleave_chart_draw (chart, "pngcairo", &error);

  REQUIRE_NO_ERROR (error);
  REQUIRE (g_bytes_get_size (png) > sizeof head);
  EXPECT_INT (memcmp (g_bytes_get_data (png, NULL), head, sizeof head), 0);
}

TEST (Chart, draws_what_there_is_to_draw)
{
  static const struct
  {
    CleavePoint points[3];
    guint n, n_drawn;
  } cases[] = {
    { .n = 0, .n_drawn = 0 },
    { { { 3, 4 } }, 1, 1 },
    { { { 3, 4 }, { 3, 4 }, { 3, 4 } }, 3, 3 },
    { { { 0, 0 }, { 0, 0 } }, 2, 2 },
    { { { 1, NAN }, { NAN, 2 }, { 1, 2 } }, 3, 1 },
    { { { 1, INFINITY }, { -INFINITY, 1 }, { 1e300, 1 } }, 3, 0 },
    { { { -INFINITY, 1 }, { 1, 2 }, { 3, 4 } }, 3, 2 },
    { { { -9e11, 9e11 }, { 9e11, -9e11 } }, 2, 2 },
    { { { 1, 1e-200 }, { 1 + 1e-15, -1e-200 } }, 2, 2 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (CleaveChart) chart = make_chart (cases[i].points, cases[i].n);
      g_autoptr (Picture) picture = draw (chart);

      REQUIRE (picture != NULL);
      EXPECT_INT (picture_count_marks (picture, BLUE, 0.5), 1 + cases[i].n_drawn);
    }
}

TEST (Chart, panels_share_the_x_axis)
{
  const CleavePoint points[] = { { 1, 2 }, { 9, 5 } };
  g_autoptr (CleaveChart) chart = make_chart (points, G_N_ELEMENTS (points));
  CleaveStyle lower = style;
  g_autoptr (Picture) picture = NULL;

  lower.opacity = 0.25;
  cleave_series_add (cleave_panel_add_series (cleave_chart_add_panel (chart, "lower"), NULL, lower), 5, 1000);
  picture = draw (chart);
  REQUIRE (picture != NULL && picture_count_marks (picture, BLUE, 0.25) == 1);
  EXPECT_NEAR (picture_get_mark (picture, BLUE, 0.25, 0)->x,
               (picture_get_mark (picture, BLUE, 0.5, 1)->x + picture_get_mark (picture, BLUE, 0.5, 2)->x) / 2, 0.1);
  EXPECT_TRUE (picture_get_mark (picture, BLUE, 0.25, 0)->y < picture_get_mark (picture, BLUE, 0.5, 1)->y);
}

TEST (Chart, failures_are_errors)
{
  const CleavePoint point = { 1, 2 };
  g_autoptr (CleaveChart) chart = make_chart (&point, 1);
  g_autofree char *missing = g_build_filename (test_temporary_folder (), "missing", NULL);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (!cleave_chart_write (chart, missing, "a", &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "missing/a.svg");
  EXPECT_TRUE (cleave_chart_draw (chart, "no-such-device", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "plplot-driver-cairo");
  /* This device ends the process if it has not been given memory. */
  EXPECT_TRUE (cleave_chart_draw (chart, "mem", &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_UNSUPPORTED, "plsmem");
  /* The next one is drawn all the same. */
  g_autoptr (Picture) picture = draw (chart);
  EXPECT_TRUE (picture != NULL);
}

TEST (ChartScale, steps_are_1_2_or_5_times_a_power_of_ten)
{
  static const struct
  {
    double minimum, maximum;
    const char *labels;
  } cases[] = {
    { 71, 75, "71 72 73 74 75" },
    { 20, 60, "20 30 40 50 60" },
    { 1, 780, "0 100 200 300 400 500 600 700 800" },
    { 1, 70000, "0 10000 20000 30000 40000 50000 60000 70000" },
    { 0, 0.6, "0.0 0.1 0.2 0.3 0.4 0.5 0.6" },
    { -0.001, 0.001, "-0.0010 -0.0005 0.0000 0.0005 0.0010" },
    { 30, 30, "28.5 29.0 29.5 30.0 30.5 31.0 31.5" },
    { 0, 0, "-1.0 -0.5 0.0 0.5 1.0" },
    { INFINITY, -INFINITY, "0.0 0.2 0.4 0.6 0.8 1.0" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      CleaveScale scale = cleave_scale_new (cases[i].minimum, cases[i].maximum, 6);
      g_autoptr (GString) labels = g_string_new (NULL);

      for (guint j = 0; j < scale.n_ticks; j++)
        {
          g_autofree char *label = cleave_scale_label (&scale, j);

          g_string_append_printf (labels, "%s%s", j > 0 ? " " : "", label);
        }
      EXPECT_STRING (labels->str, cases[i].labels);
    }
}
