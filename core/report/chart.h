/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A chart as data: panels one above the other, over one x axis. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef enum
{
  CLEAVE_MARK_NONE,
  CLEAVE_MARK_CIRCLE,
  CLEAVE_MARK_SQUARE,
  CLEAVE_MARK_TRIANGLE,
  CLEAVE_MARK_DIAMOND,
  CLEAVE_MARK_INVERTED_TRIANGLE,
  CLEAVE_MARK_DOT, /* of few corners, since files hold thousands */
  CLEAVE_N_MARKS,
} CleaveMark;

/* Colours that are told apart by the colour-blind too. */
typedef enum
{
  CLEAVE_COLOUR_BLUE,
  CLEAVE_COLOUR_VERMILLION,
  CLEAVE_COLOUR_GREEN,
  CLEAVE_COLOUR_PURPLE,
  CLEAVE_COLOUR_ORANGE,
  CLEAVE_COLOUR_SKY,
  CLEAVE_COLOUR_GREY,
  CLEAVE_N_COLOURS,
} CleaveColour;

/* In pixels of a chart of 1200 × 800. */
typedef struct
{
  CleaveColour colour;
  double opacity;
  CleaveMark mark;
  double mark_px; /* diameter */
  gboolean outlined;
  double line_px; /* width of the line through the points; 0 for none */
} CleaveStyle;

typedef struct
{
  double x;
  double y;
} CleavePoint;

typedef struct
{
  char *name; /* in the legend; nullable: not there */
  CleaveStyle style;
  GArray *points; /* CleavePoint */
} CleaveSeries;

typedef enum
{
  CLEAVE_AXIS_X,
  CLEAVE_AXIS_Y,
} CleaveAxis;

/* A dashed line across the panel. Its label is above it if it is vertical, else in the legend. */
typedef struct
{
  CleaveAxis axis; /* on which the value is */
  double value;
  char *label;
} CleaveReference;

typedef struct
{
  char *y_label;
  GPtrArray *series;  /* CleaveSeries, drawn in this order */
  GArray *references; /* CleaveReference */
} CleavePanel;

typedef struct
{
  char *title;
  char *x_label;
  char *message;     /* nullable: stands in place of the panels */
  GPtrArray *panels; /* CleavePanel, from the top; at least one unless there is a message */
} CleaveChart;

CleaveChart *cleave_chart_new (const char *title, const char *x_label);
void cleave_chart_free (CleaveChart *self);
CleavePanel *cleave_chart_add_panel (CleaveChart *self, const char *y_label);
/* A series of no points only stands in the legend. */
CleaveSeries *cleave_panel_add_series (CleavePanel *self, const char *name, CleaveStyle style);
void cleave_panel_add_reference (CleavePanel *self, CleaveAxis axis, double value, const char *label);
/* A point is left out if a coordinate is not finite, or too large for a label of ordinary digits: 1e12 or more. */
void cleave_series_add (CleaveSeries *self, double x, double y);
/* Writes FOLDER/NAME.svg and FOLDER/NAME.png; the same chart gives the same bytes. */
gboolean cleave_chart_write (const CleaveChart *self, const char *folder, const char *name, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CleaveChart, cleave_chart_free)

G_END_DECLS
