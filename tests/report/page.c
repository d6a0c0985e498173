/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "drawing.h"
#include "invented.h"
#include "page.h"

#include <math.h>
#include <string.h>

#include "test.h"

#define PROLOG                                                                                                         \
  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                                       \
  "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">\n"

typedef struct
{
  double x;
  double width;
} Box;

/* What reading a page as XML comes upon. */
typedef struct
{
  guint n_blocks;
  guint n_architectures;
  guint n_cuts;
  guint n_rests;
  guint n_details;
  guint n_headings;
  GArray *blocks_before; /* guint, a cut: the boxes that end left of it; G_MAXUINT where it lies on one */
  GArray *blocks;        /* Box, of the drawing that is being read */
  Box rest;              /* the last second piece of a block */
  double after_rest;     /* where the next block begins */
  char fill[32];         /* the last block's colour */
  double cut_x;
} Reading;

static const char *
find_value (const char **names, const char **values, const char *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return values[i];
  return "";
}

static gboolean
has_class (const char **names, const char **values, const char *class)
{
  return strcmp (find_value (names, values, "class"), class) == 0;
}

static double
read_number (const char **names, const char **values, const char *name)
{
  return g_ascii_strtod (find_value (names, values, name), NULL);
}

static void
read_start (GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer data,
            GError **error)
{
  Reading *reading = data;

  reading->n_headings += strcmp (element, "h1") == 0 || strcmp (element, "h2") == 0;
  reading->n_details += strcmp (element, "details") == 0;
  if (strcmp (element, "svg") == 0 && has_class (names, values, "architecture"))
    {
      reading->n_architectures++;
      reading->cut_x = NAN;
      g_array_set_size (reading->blocks, 0);
    }
  else if (strcmp (element, "rect") == 0 && has_class (names, values, "block"))
    {
      const Box box = { read_number (names, values, "x"), read_number (names, values, "width") };

      if (isnan (reading->after_rest))
        reading->after_rest = box.x;
      g_strlcpy (reading->fill, find_value (names, values, "fill"), sizeof reading->fill);
      g_array_append_val (reading->blocks, box);
      reading->n_blocks++;
    }
  else if (strcmp (element, "rect") == 0 && has_class (names, values, "block rest"))
    {
      reading->rest = (Box){ read_number (names, values, "x"), read_number (names, values, "width") };
      reading->after_rest = NAN;
      EXPECT_STRING (find_value (names, values, "fill"), reading->fill);
      reading->n_rests++;
    }
  else if (strcmp (element, "line") == 0 && has_class (names, values, "cut"))
    {
      reading->cut_x = read_number (names, values, "x1");
      reading->n_cuts++;
    }
}

static void
read_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Reading *reading = data;
  guint before = 0, after = 0;

  if (strcmp (element, "svg") != 0 || reading->blocks->len == 0 || isnan (reading->cut_x))
    return;
  for (guint i = 0; i < reading->blocks->len; i++)
    {
      const Box *box = &g_array_index (reading->blocks, Box, i);

      before += box->x + box->width < reading->cut_x;
      after += box->x > reading->cut_x;
    }
  if (before + after != reading->blocks->len)
    before = G_MAXUINT;
  g_array_append_val (reading->blocks_before, before);
  g_array_set_size (reading->blocks, 0);
}

static void
read_page (Reading *reading, const char *text)
{
  const GMarkupParser parser = { read_start, read_end, NULL, NULL, NULL };
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, reading, NULL);
  g_autoptr (GError) error = NULL;

  *reading = (Reading){ .blocks = g_array_new (FALSE, FALSE, sizeof (Box)),
                        .blocks_before = g_array_new (FALSE, FALSE, sizeof (guint)) };
  if (g_markup_parse_context_parse (context, text, -1, &error))
    g_markup_parse_context_end_parse (context, &error);
  EXPECT_NO_ERROR (error);
}

static void
reading_clear (Reading *reading)
{
  g_array_unref (reading->blocks);
  g_array_unref (reading->blocks_before);
}

static char *
write_page (const CleaveComparison *comparison)
{
  const char *folder = test_temporary_folder ();
  static const char *const names[] = { "comparison.svg", "accuracy.svg" };
  g_autofree char *page_path = g_build_filename (folder, "report.html", NULL);
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_autofree char *picture
          = g_strdup_printf (PROLOG "<svg xmlns=\"http://www.w3.org/2000/svg\"><g>%s</g></svg>\n", names[i]);

      g_file_set_contents (path, picture, -1, NULL);
    }
  cleave_page_write (comparison, folder, &error);
  if (EXPECT_NO_ERROR (error))
    g_file_get_contents (page_path, &text, NULL, NULL);
  return text != NULL ? text : g_strdup ("");
}

static gboolean
expect_text (const char *page, const char *part)
{
  return test_check (strstr (page, part) != NULL, __FILE__, __LINE__, "the page lacks %s", part);
}

/* Medians, differences and counts of invented_comparison(), by hand. */
TEST (Page, holds_the_numbers)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  g_autofree char *page = write_page (comparison);

  expect_text (page, "<h1>nasc against &lt;b&gt;&amp;</h1>");
  expect_text (page, "<p>2 methods, 2 to 3 runs a method. The threshold of the end-to-end latency is 30 ms, the channel"
                     " loses each element with a probability of 0.2, accuracy is the share of 40 test images");
  expect_text (page,
               "<strong>nasc</strong>: median latency <strong>22.0 ms</strong>, 45.0 % below &lt;b&gt;&amp;; median"
               " accuracy <strong>62.5 %</strong>, 7.5 points below &lt;b&gt;&amp;; <strong>2 of 2</strong> models"
               " within 30 ms, against 1 of 3 of &lt;b&gt;&amp;.");
  expect_text (page, "<th scope=\"row\">nasc</th><td>2</td><td>62.50</td><td>50.00</td><td>75.00</td><td>22.00</td>"
                     "<td>20.00</td><td>24.00</td><td>2 of 2</td><td>17.25</td><td>–</td><td>–</td></tr>");
  expect_text (page, "<th scope=\"row\">&lt;b&gt;&amp;</th><td>3</td><td>70.00</td><td>60.00</td><td>75.00</td>"
                     "<td>40.00</td><td>30.00</td><td>50.00</td><td>1 of 3</td><td>–</td><td>−45.00</td>"
                     "<td>−7.50</td></tr>");
  expect_text (page, "<th scope=\"row\">nasc</th><td>2</td><td>12.00</td><td>4.10</td><td>7.90</td><td>24.00</td>"
                     "<td>yes</td><td>1024</td><td>2</td><td>80.00</td><td>75.00</td></tr>");
  expect_text (page, "<th scope=\"row\">&lt;b&gt;&amp;</th><td>77.50</td><td>70.00</td></tr>");
  expect_text (page, "<pre>[run]\nseed = 1 &lt; 2\n</pre>");
  expect_text (page, "<g>comparison.svg</g></svg>");
  expect_text (page, "<g>accuracy.svg</g></svg>");
  EXPECT_TRUE (strstr (page, "<b>&") == NULL);
}

/* Medians that are equal to the baseline's 40 ms and 0.7, above, and all but equal. */
TEST (Page, finding_is_honest_for_every_sign)
{
  static const struct
  {
    double latency_ms, accuracy;
    const char *part;
  } cases[] = {
    { 40, 0.7,
      "<strong>40.0 ms</strong>, the same as &lt;b&gt;&amp;; median accuracy <strong>70.0 %</strong>, the same as"
      " &lt;b&gt;&amp;;" },
    { 44, 0.75, ", 10.0 % above &lt;b&gt;&amp;; median accuracy <strong>75.0 %</strong>, 5.0 points above" },
    { 39.99, 0.7004,
      ", less than 0.1 % below &lt;b&gt;&amp;; median accuracy <strong>70.0 %</strong>, less than 0.1 points"
      " above" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (CleaveComparison) comparison = invented_comparison ();
      CleaveMethod *first = comparison->methods->pdata[0];
      const CleaveMethod *baseline = comparison->methods->pdata[1];
      g_autofree char *page = NULL;

      first->latency_ms.median = i == 0 ? baseline->latency_ms.median : cases[i].latency_ms;
      first->accuracy.median = i == 0 ? baseline->accuracy.median : cases[i].accuracy;
      page = write_page (comparison);
      expect_text (page, cases[i].part);
    }
}

/* Here the baseline's first run was not evaluated without loss. */
TEST (Page, median_over_other_runs_is_none)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  const CleaveMethod *baseline = comparison->methods->pdata[1];
  CleaveResult *run = baseline->runs->pdata[0];
  g_autofree char *page = NULL;

  g_array_remove_index (run->accuracies, 0);
  page = write_page (comparison);
  expect_text (page, "<th scope=\"row\">&lt;b&gt;&amp;</th><td>–</td><td>70.00</td></tr>");
}

TEST (Page, one_method_is_compared_with_nothing)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  g_autofree char *page = NULL;

  g_ptr_array_set_size (comparison->methods, 1);
  page = write_page (comparison);
  expect_text (page, "<h1>nasc</h1>");
  expect_text (page, "median latency <strong>22.0 ms</strong>; median accuracy <strong>62.5 %</strong>; <strong>2 of"
                     " 2</strong> models within 30 ms.</p>");
}

TEST (Page, draws_every_architecture_with_its_cut)
{
  static const guint splits[] = { 0, 2, 3, 3, 3 };
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  g_autofree char *page = write_page (comparison);
  Reading reading;

  read_page (&reading, page);
  EXPECT_INT (reading.n_architectures, 5);
  EXPECT_INT (reading.n_blocks, 5 * 3);
  EXPECT_INT (reading.n_cuts, 5);
  EXPECT_INT (reading.n_rests, 0);
  EXPECT_INT (reading.n_details, 2);
  EXPECT_INT (reading.n_headings, 6);
  if (EXPECT_INT (reading.blocks_before->len, 5))
    for (guint i = 0; i < 5; i++)
      EXPECT_INT (g_array_index (reading.blocks_before, guint, i), splits[i]);
  reading_clear (&reading);
  expect_text (page, ">1024 elements, 4.10 ms</text>");
  expect_text (page,
               "aria-label=\"nasc, seed 2: on the device k3_e6, skip, cut, 1024 elements; on the server k3_e6,\"");
  expect_text (page, "<title>block-2: skip</title>");
}

/* One run of three blocks, the second of them z&, with this cut. */
static char *
write_cut_page (CleaveCut cut)
{
  static const InventedRun run = { 1, { 0, 1, 0, 0 }, 10, 2, 8, 512, { 30, 28 } };
  g_autoptr (CleaveComparison) comparison = cleave_comparison_new ();
  GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);
  CleaveResult *result
      = invented_result (&run, "[('a', ['x']), ('b', ['y<', 'z&']), ('c', ['x']), ('split', ['late'])]");

  result->cut = cut;
  g_ptr_array_add (runs, result);
  cleave_comparison_add (comparison, "any", "", runs, NAN, NULL);
  return write_page (comparison);
}

/* The first piece is left of the line, the rest right of it and left of the next block; both of one colour. */
TEST (Page, draws_a_block_that_is_cut_inside_in_two_pieces)
{
  static const char *const labels[] = {
    " on the device cut inside x, 512 elements; on the server the rest of it, z&amp;, x,\"",
    " on the device x, cut inside z&amp;, 512 elements; on the server the rest of it, x,\"",
    " on the device x, z&amp;, cut inside x, 512 elements; on the server the rest of it,\"",
  };

  for (guint block = 0; block < 3; block++)
    {
      g_autofree char *page = write_cut_page ((CleaveCut){ block, TRUE });
      Reading reading;

      read_page (&reading, page);
      EXPECT_INT (reading.n_blocks, 3);
      EXPECT_INT (reading.n_rests, 1);
      if (EXPECT_INT (reading.blocks_before->len, 1))
        EXPECT_INT (g_array_index (reading.blocks_before, guint, 0), block + 1);
      EXPECT_TRUE (reading.rest.x > reading.cut_x && reading.rest.width < 20);
      if (block < 2)
        EXPECT_TRUE (reading.rest.x + reading.rest.width < reading.after_rest);
      reading_clear (&reading);
      expect_text (page, labels[block]);
      expect_text (page, ">512 elements, 2.00 ms</text>");
    }
}

TEST (Page, only_what_does_nothing_is_nearly_white)
{
  static const InventedRun run = { 1, { 0, 0, 0, 0 }, 10, 2, 8, 512, { 30, 28 } };
  g_autoptr (CleaveComparison) comparison = cleave_comparison_new ();
  GPtrArray *runs = g_ptr_array_new_with_free_func ((GDestroyNotify)cleave_result_free);
  g_autofree char *page = NULL;

  g_ptr_array_add (
      runs, invented_result (&run, "[('a', ['skip']), ('b', ['skip_conv']), ('c', ['nonelinear']), ('split', ['0'])]"));
  cleave_comparison_add (comparison, "any", "", runs, NAN, NULL);
  page = write_page (comparison);
  expect_text (page, "background:#fafafa\"></span>skip</li>");
  EXPECT_TRUE (strstr (page, "#fafafa\"></span>skip_conv</li>") == NULL);
  EXPECT_TRUE (strstr (page, "#fafafa\"></span>nonelinear</li>") == NULL);
}

/* A foreign space need not have a block for each variable. */
TEST (Page, draws_no_cut_whose_place_is_unknown)
{
  g_autofree char *page = write_cut_page ((CleaveCut){ -1, FALSE });
  Reading reading;

  read_page (&reading, page);
  EXPECT_INT (reading.n_blocks, 3);
  EXPECT_INT (reading.n_cuts, 0);
  EXPECT_INT (reading.n_rests, 0);
  reading_clear (&reading);
  expect_text (page, ">z&amp;</text>");
  expect_text (page, ">split late: 512 elements, 2.00 ms (not drawn");
  expect_text (page, "aria-label=\"any, seed 1: x, z&amp;, x,\"");
}

TEST (Page, needs_no_other_file)
{
  static const char *const loads[] = { "src=", "@import", "url(", "<link", "<script", "http" };
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  g_autofree char *page = write_page (comparison);
  g_autoptr (GString) text = g_string_new (page);

  g_string_replace (text, "xmlns=\"http://www.w3.org/2000/svg\"", "", 0);
  EXPECT_TRUE (text->len > 1000);
  for (gsize i = 0; i < G_N_ELEMENTS (loads); i++)
    test_check (strstr (text->str, loads[i]) == NULL, __FILE__, __LINE__, "the page holds %s", loads[i]);
}

TEST (Page, same_runs_give_the_same_bytes)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison (), again = invented_comparison ();
  g_autofree char *page = write_page (comparison), *page_again = write_page (again);

  EXPECT_TRUE (strlen (page) > 1000);
  EXPECT_STRING (page_again, page);
}

TEST (Page, missing_picture_is_named)
{
  g_autoptr (CleaveComparison) comparison = invented_comparison ();
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "comparison.svg", NULL);
  g_autofree char *page = g_build_filename (folder, "report.html", NULL);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (!cleave_page_write (comparison, folder, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "comparison.svg");
  g_file_set_contents (path, "<svg/>", -1, NULL);
  EXPECT_TRUE (!cleave_page_write (comparison, folder, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "comparison.svg: expected an SVG picture");
  g_file_set_contents (path, "<svg></svg>", -1, NULL);
  EXPECT_TRUE (!cleave_page_write (comparison, folder, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "accuracy.svg");
  EXPECT_TRUE (!g_file_test (page, G_FILE_TEST_EXISTS));
}
