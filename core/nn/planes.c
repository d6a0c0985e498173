/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <string.h>

NnPlanes
nn_planes_of (const NnPlan *plan, const NnValue *value, guint margin, gint first_row, guint rows)
{
  NnPlanes planes = { .first_row = first_row, .margin = margin };

  planes.begin = CLAMP (first_row, 0, (gint)value->height);
  planes.end = CLAMP (first_row + (gint)rows, (gint)planes.begin, (gint)value->height);
  planes.above = planes.begin < planes.end ? (gint)planes.begin - first_row : (gint)rows;
  planes.below = rows - planes.above - (planes.end - planes.begin);
  planes.row = (gsize)(value->width + 2 * margin) * plan->images;
  planes.size = rows * planes.row;
  if (planes.size / plan->lanes % 2 == 0)
    planes.size += plan->lanes;
  return planes;
}

void
nn_planes_clear_margins (const NnPlan *plan, const NnPlanes *planes, float *data, guint n)
{
  gsize side = (gsize)planes->margin * plan->images;
  guint rows = planes->end - planes->begin;

  for (guint i = 0; i < n; i++, data += planes->size)
    {
      float *row = data + planes->above * planes->row;

      memset (data, 0, planes->above * planes->row * sizeof (float));
      for (guint y = 0; y < rows; y++, row += planes->row)
        {
          memset (row, 0, side * sizeof (float));
          memset (row + planes->row - side, 0, side * sizeof (float));
        }
      memset (row, 0, planes->below * planes->row * sizeof (float));
    }
}

NnView
nn_planes_view (const NnPlan *plan, const NnPlanes *planes, float *data)
{
  return (NnView){ data + planes->above * planes->row + planes->margin * plan->images, planes->row, plan->lanes,
                   planes->size };
}
