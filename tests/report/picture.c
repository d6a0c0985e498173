/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "picture.h"

#include "test.h"

#include <math.h>
#include <string.h>

static void
shape_free (gpointer data)
{
  g_free (((PictureShape *)data)->colour);
  g_free (data);
}

static const char *
find_attribute (const char **names, const char **values, const char *name)
{
  for (guint i = 0; names[i] != NULL; i++)
    if (g_str_equal (names[i], name))
      return values[i];
  return "";
}

static void
add_shape (Picture *self, const char **names, const char **values)
{
  PictureShape *shape = g_new0 (PictureShape, 1);
  g_auto (GStrv) points = g_strsplit_set (find_attribute (names, values, "points"), " \n", 0);
  double lowest = INFINITY, highest = -INFINITY;
  gboolean skips;

  shape->filled = !g_str_equal (find_attribute (names, values, "fill"), "none");
  shape->colour = g_strdup (find_attribute (names, values, shape->filled ? "fill" : "stroke"));
  shape->opacity
      = g_ascii_strtod (find_attribute (names, values, shape->filled ? "fill-opacity" : "stroke-opacity"), NULL);
  skips = shape->filled; /* a polygon ends with its first corner */
  for (guint i = 0; points[i] != NULL; i++)
    if (strchr (points[i], ',') == NULL)
      continue;
    else if (skips)
      skips = FALSE;
    else
      {
        double y = g_ascii_strtod (strchr (points[i], ',') + 1, NULL);

        shape->x += g_ascii_strtod (points[i], NULL);
        shape->y += y;
        lowest = fmin (lowest, y);
        highest = fmax (highest, y);
        shape->n_corners++;
      }
  shape->height = highest - lowest;
  shape->x /= shape->n_corners;
  shape->y /= shape->n_corners;
  g_ptr_array_add (self->shapes, shape);
}

static void
start_element (GMarkupParseContext *context, const char *element, const char **names, const char **values,
               gpointer data, GError **error)
{
  Picture *self = data;

  self->n_ids += *find_attribute (names, values, "id") != '\0';
  if (g_str_equal (element, "polyline") || g_str_equal (element, "polygon"))
    add_shape (self, names, values);
  if (g_str_equal (element, "text"))
    g_ptr_array_add (self->texts, g_strdup (""));
}

static void
add_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error)
{
  Picture *self = data;

  if (g_str_equal (g_markup_parse_context_get_element (context), "tspan"))
    {
      char *before = g_ptr_array_steal_index (self->texts, self->texts->len - 1);
      g_autofree char *part = g_strndup (text, length);

      g_ptr_array_add (self->texts, g_strconcat (before, part, NULL));
      g_free (before);
    }
}

Picture *
picture_load (const char *folder, const char *name)
{
  static const GMarkupParser parser = { .start_element = start_element, .text = add_text };
  g_autoptr (GBytes) content = picture_read (folder, name);
  g_autoptr (Picture) self = g_new0 (Picture, 1);
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, self, NULL);
  g_autoptr (GError) error = NULL;

  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->shapes = g_ptr_array_new_with_free_func (shape_free);
  if (!EXPECT_TRUE (content != NULL))
    return NULL;
  if (g_markup_parse_context_parse (context, g_bytes_get_data (content, NULL), g_bytes_get_size (content), &error))
    g_markup_parse_context_end_parse (context, &error);
  return EXPECT_NO_ERROR (error) ? g_steal_pointer (&self) : NULL;
}

void
picture_free (Picture *self)
{
  g_ptr_array_unref (self->texts);
  g_ptr_array_unref (self->shapes);
  g_free (self);
}

gboolean
picture_has_text (const Picture *self, const char *text)
{
  return g_ptr_array_find_with_equal_func (self->texts, text, g_str_equal, NULL);
}

const PictureShape *
picture_get_mark (const Picture *self, const char *colour, double opacity, guint index)
{
  for (guint i = 0; i < self->shapes->len; i++)
    {
      const PictureShape *shape = self->shapes->pdata[i];

      if (shape->filled && g_str_equal (shape->colour, colour) && fabs (shape->opacity - opacity) < 1e-6
          && index-- == 0)
        return shape;
    }
  return NULL;
}

guint
picture_count_marks (const Picture *self, const char *colour, double opacity)
{
  guint n = 0;

  while (picture_get_mark (self, colour, opacity, n) != NULL)
    n++;
  return n;
}

GBytes *
picture_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *content;
  gsize length;

  return g_file_get_contents (path, &content, &length, NULL) ? g_bytes_new_take (content, length) : NULL;
}
