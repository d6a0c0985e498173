/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan.h"

#include <string.h>

static NnView
view_of (const NnValue *value, float *data, guint group, guint row)
{
  return (NnView){ data + group * value->group_stride + row * value->row_stride, value->row_stride, value->cell_stride,
                   value->channel_stride };
}

NnView
nn_value_view (const NnValue *value, guint group, guint row)
{
  return view_of (value, value->data, group, row);
}

NnView
nn_value_gradient_view (const NnValue *value, guint group, guint row)
{
  return view_of (value, value->gradient, group, row);
}

NnTransform
nn_value_transform (const NnValue *value)
{
  return (NnTransform){ value->norm != NULL ? value->norm->scale : NULL,
                        value->norm != NULL ? value->norm->shift : NULL, value->index, value->relu };
}

gboolean
nn_value_is_plain (const NnValue *value)
{
  return value->norm == NULL && !value->relu && !value->is_permuted;
}

gboolean
nn_value_is_panels (const NnPlan *plan, const NnValue *value)
{
  return nn_value_is_plain (value) && value->channel_stride == plan->lanes;
}

gsize
nn_value_size (const NnPlan *plan, const NnValue *value)
{
  return value->group_stride * plan->max_groups;
}

NnMoments
nn_value_moments (const NnPlan *plan, const NnValue *value, guint group, double *sums)
{
  return (NnMoments){ sums, nn_plan_group_images (plan, group), value->width == 1 ? plan->lanes : plan->images };
}

void
nn_value_clear_invalid (const NnPlan *plan, const NnValue *value, guint group, NnView view, NnExtent extent)
{
  NnMoments lanes = nn_value_moments (plan, value, group, NULL);
  guint valid = lanes.valid, images = MIN (lanes.images, extent.lanes);

  if (valid >= images)
    return;
  for (guint row = 0; row < extent.rows; row++)
    for (guint channel = 0; channel < extent.channels; channel++)
      for (guint column = 0; column < extent.columns; column++)
        for (guint first = 0; first < extent.lanes; first += images)
          memset (view.data + row * view.row + channel * view.channel + column * view.pixel + first + valid, 0,
                  (images - valid) * sizeof (float));
}

NnAhead
nn_value_ahead (const NnPlan *plan, const NnValue *value, NnTile tile, guint first_channel, guint n)
{
  NnView view = nn_value_view (value, tile.group, tile.row);
  const float *data = view.data + first_channel * view.channel;

  /* Rows of one cell lie alike either way. */
  if (value->channel_stride != plan->lanes || value->cells == 1)
    return (NnAhead){ data, n * view.channel, view.row, tile.rows, 0 };
  if (n < value->channels)
    return (NnAhead){ data, n * view.channel, view.pixel, tile.rows * value->cells, 0 };
  return (NnAhead){ data, view.row, view.row, tile.rows, 0 };
}

void
nn_value_read_gradient (NnPlan *plan, const NnValue *value, guint group, guint row, guint column, NnExtent extent,
                        guint first_channel, NnView view)
{
  const NnNorm *norm = value->norm;
  NnView gradient = nn_value_gradient_view (value, group, row);
  NnView raw = nn_value_view (value, group, row);
  gsize offset = nn_plan_column_offset (plan, value->cell_stride, column) + first_channel * value->channel_stride;

  gradient.data += offset;
  raw.data += offset;
  plan->engine->kernels->norm_backward (view, gradient, raw, norm != NULL ? norm->a + first_channel : NULL,
                                        norm != NULL ? norm->b + first_channel : NULL,
                                        norm != NULL ? norm->c + first_channel : NULL, extent);
  nn_value_clear_invalid (plan, value, group, view, extent);
}
