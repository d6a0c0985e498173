/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is in a picture, for tests. */

#include <glib.h>

G_BEGIN_DECLS

/* A filled polygon or a line, at the mean of its corners. */
typedef struct
{
  char *colour; /* "#0072B2" */
  double opacity;
  gboolean filled;
  guint n_corners;
  double x;
  double y;      /* upwards */
  double height; /* from the lowest corner to the highest */
} PictureShape;

typedef struct
{
  GPtrArray *texts;  /* each whole */
  GPtrArray *shapes; /* PictureShape, in the order drawn, without the background */
  guint n_ids;       /* elements that have one */
} Picture;

/* NULL with a test failure unless the file is well-formed XML. */
Picture *picture_load (const char *folder, const char *name);
void picture_free (Picture *self);
gboolean picture_has_text (const Picture *self, const char *text);
/* Filled shapes of this colour and opacity: the marks of a series, the legend's last one among them. */
guint picture_count_marks (const Picture *self, const char *colour, double opacity);
/* The INDEXth of them, NULL if there are fewer. */
const PictureShape *picture_get_mark (const Picture *self, const char *colour, double opacity, guint index);
/* The content of FOLDER/NAME, NULL if it can't be read. */
GBytes *picture_read (const char *folder, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Picture, picture_free)

G_END_DECLS
