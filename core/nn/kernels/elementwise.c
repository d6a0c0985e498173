/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that touch each element once. The bodies take what branches on as literals, so that each variant is a loop
 * of its own. */
#include "table.h"

/* Channels that are taken cell by cell before the next ones, so that both sides move along whole cache lines and few
 * streams: all of them between values by cells, one between values by rows, and a few from one to the other. Rows come
 * first, since a row of a tile is one stretch of memory. */
NN_INLINE unsigned
channels_at_once (NnView a, NnView b, NnExtent extent)
{
  if (a.channel == extent.lanes && b.channel == extent.lanes)
    return extent.channels;
  if (a.pixel == extent.lanes && b.pixel == extent.lanes)
    return 1;
  return 8;
}

/* --- transform --- */

NN_INLINE void
transform_body (NnView to, NnView from, const NnTransform *transform, NnExtent extent, unsigned lanes, int scaled,
                int relu)
{
  unsigned step = channels_at_once (to, from, extent);

  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned first = 0; first < extent.channels; first += step)
      for (unsigned column = 0; column < extent.columns; column++)
        {
          const float *source = from.data + row * from.row + column * from.pixel;
          float *target = to.data + row * to.row + column * to.pixel;
          unsigned end = first + step < extent.channels ? first + step : extent.channels;

          for (unsigned j = first; j < end; j++)
            {
              unsigned raw = transform->index[j];
              Vector scale = vector_splat (scaled ? transform->scale[raw] : 1);
              Vector shift = vector_splat (scaled ? transform->shift[raw] : 0);

              for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
                {
                  Vector x = vector_load (source + raw * from.channel + lane);
                  if (scaled)
                    x = scale * x + shift;
                  vector_store (target + j * to.channel + lane, relu ? vector_relu (x) : x);
                }
            }
        }
}

NN_INLINE void
transform_variant (NnView to, NnView from, const NnTransform *transform, NnExtent extent, unsigned lanes)
{
  if (transform->scale != NULL && transform->relu)
    transform_body (to, from, transform, extent, lanes, 1, 1);
  else if (transform->scale != NULL)
    transform_body (to, from, transform, extent, lanes, 1, 0);
  else if (transform->relu)
    transform_body (to, from, transform, extent, lanes, 0, 1);
  else
    transform_body (to, from, transform, extent, lanes, 0, 0);
}

void
NN_NAME (transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent)
{
  if (extent.lanes == NN_USUAL_LANES)
    transform_variant (to, from, transform, extent, NN_USUAL_LANES);
  else
    transform_variant (to, from, transform, extent, extent.lanes);
}

/* --- offset --- */

void
NN_NAME (offset) (NnView to, NnView from, const float *shift, NnExtent extent)
{
  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned column = 0; column < extent.columns; column++)
      for (unsigned j = 0; j < extent.channels; j++)
        for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
          {
            Vector x = vector_splat (shift != NULL ? shift[j] : 0);

            if (from.data != NULL)
              x += vector_load (from.data + row * from.row + column * from.pixel + j * from.channel + lane);
            vector_store (to.data + row * to.row + column * to.pixel + j * to.channel + lane, x);
          }
}

/* --- norm's backward --- */

NN_INLINE void
norm_backward_body (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                    NnExtent extent, unsigned lanes)
{
  unsigned step = channels_at_once (to, gradient, extent);

  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned first = 0; first < extent.channels; first += step)
      for (unsigned column = 0; column < extent.columns; column++)
        {
          const float *source = gradient.data + row * gradient.row + column * gradient.pixel;
          const float *activation = value.data + row * value.row + column * value.pixel;
          float *target = to.data + row * to.row + column * to.pixel;
          unsigned end = first + step < extent.channels ? first + step : extent.channels;

          for (unsigned j = first; j < end; j++)
            for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
              {
                Vector g = vector_load (source + j * gradient.channel + lane);
                if (a != NULL)
                  g = a[j] * g + (b[j] * vector_load (activation + j * value.channel + lane) + c[j]);
                vector_store (target + j * to.channel + lane, g);
              }
        }
}

void
NN_NAME (norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                         NnExtent extent)
{
  if (a == NULL)
    norm_backward_body (to, gradient, value, NULL, NULL, NULL, extent, extent.lanes);
  else if (extent.lanes == NN_USUAL_LANES)
    norm_backward_body (to, gradient, value, a, b, c, extent, NN_USUAL_LANES);
  else
    norm_backward_body (to, gradient, value, a, b, c, extent, extent.lanes);
}

/* --- add --- */

void
NN_NAME (add) (NnView to, NnView from, NnExtent extent)
{
  unsigned step = channels_at_once (to, from, extent);

  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned first = 0; first < extent.channels; first += step)
      for (unsigned column = 0; column < extent.columns; column++)
        {
          const float *source = from.data + row * from.row + column * from.pixel;
          float *target = to.data + row * to.row + column * to.pixel;
          unsigned end = first + step < extent.channels ? first + step : extent.channels;

          for (unsigned j = first; j < end; j++)
            for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
              vector_store (target + j * to.channel + lane, vector_load (target + j * to.channel + lane)
                                                                + vector_load (source + j * from.channel + lane));
        }
}
