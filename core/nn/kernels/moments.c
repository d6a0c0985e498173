/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums over a channel, and ReLU's backward, which gathers those that the norm's backward needs. Sums run in single
 * precision along the pixels of a lane; lanes are added in double. Callers give at most some hundred pixels. */
#include "table.h"

/* Vectors of a pixel whose sums are kept apart. */
#define NN_PARTS 2
/* Channels at once where they lie side by side. */
#define NN_CHANNELS 4

typedef struct
{
  Vector sum[NN_PARTS], product[NN_PARTS];
} LaneSums;

NN_INLINE void
finish (const LaneSums *lane_sums, NnMoments moments, unsigned channel)
{
  for (unsigned part = 0; part < NN_PARTS; part++)
    {
      moments.sums[2 * channel] += vector_wide_sum (lane_sums->sum[part]);
      moments.sums[2 * channel + 1] += vector_wide_sum (lane_sums->product[part]);
    }
}

NN_INLINE void
gather (LaneSums *lane_sums, Vector x, Vector y, unsigned lane)
{
  unsigned part = lane / NN_VECTOR % NN_PARTS;

  lane_sums->sum[part] += x;
  lane_sums->product[part] += x * y;
}

/* --- mean --- */

void
NN_NAME (mean) (float *to, const float *from, size_t step, unsigned pixels, unsigned lanes)
{
  for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR / 2)
    {
      Wide sum = { 0 };

      for (unsigned pixel = 0; pixel < pixels; pixel++)
        sum += __builtin_convertvector(*(const Half *)(from + pixel * step + lane), Wide);
      *(Half *)(to + lane) = __builtin_convertvector(sum / (double)pixels, Half);
    }
}

/* --- moments --- */

NN_INLINE void
moments_body (NnView x, NnView y, NnExtent extent, NnMoments moments, unsigned channel, unsigned n, unsigned lanes,
              int all_valid)
{
  LaneSums sums[NN_CHANNELS] = { 0 };

  for (unsigned row = 0; row < extent.rows; row++)
    for (unsigned column = 0; column < extent.columns; column++)
      {
        const float *left = x.data + row * x.row + column * x.pixel + channel * x.channel;
        const float *right = y.data + row * y.row + column * y.pixel + channel * y.channel;

        for (unsigned j = 0; j < n; j++)
          for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
            {
              Vector a = vector_load (left + j * x.channel + lane), b = vector_load (right + j * y.channel + lane);
              if (!all_valid)
                {
                  a = vector_keep (a, lane, moments.valid, moments.images);
                  b = vector_keep (b, lane, moments.valid, moments.images);
                }
              gather (&sums[j], a, b, lane);
            }
      }
  for (unsigned j = 0; j < n; j++)
    finish (&sums[j], moments, channel + j);
}

NN_INLINE void
moments_variant (NnView x, NnView y, NnExtent extent, NnMoments moments, unsigned lanes, int all_valid)
{
  unsigned channel = 0;

  if (x.channel == lanes)
    for (; channel + NN_CHANNELS <= extent.channels; channel += NN_CHANNELS)
      moments_body (x, y, extent, moments, channel, NN_CHANNELS, lanes, all_valid);
  for (; channel < extent.channels; channel++)
    moments_body (x, y, extent, moments, channel, 1, lanes, all_valid);
}

void
NN_NAME (moments) (NnView x, NnView y, NnExtent extent, NnMoments moments)
{
  if (moments.valid < moments.images)
    moments_variant (x, y, extent, moments, extent.lanes, 0);
  else if (extent.lanes == NN_USUAL_LANES)
    moments_variant (x, y, extent, moments, NN_USUAL_LANES, 1);
  else
    moments_variant (x, y, extent, moments, extent.lanes, 1);
}

/* --- ReLU's backward --- */

NN_INLINE void
backward_body (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent,
               NnMoments moments, unsigned j, unsigned lanes, int relu, int gathers)
{
  unsigned raw = transform->index[j];
  Vector scale = vector_splat (transform->scale != NULL ? transform->scale[raw] : 1);
  Vector shift = vector_splat (transform->scale != NULL ? transform->shift[raw] : 0);
  LaneSums sums = { 0 };

  for (unsigned row = 0; row < extent.rows; row++)
    {
      const float *source = gradient.data + row * gradient.row + j * gradient.channel;
      const float *activation = value.data + row * value.row + raw * value.channel;
      float *target = to.data + row * to.row + raw * to.channel;

      for (unsigned column = 0; column < extent.columns; column++)
        for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
          {
            Vector x = vector_load (activation + column * value.pixel + lane);
            Vector g = vector_load (source + column * gradient.pixel + lane);

            if (relu)
              g = vector_where_positive (scale * x + shift, g);
            vector_store (target + column * to.pixel + lane, g);
            /* A gradient's lanes without an image hold 0. */
            if (gathers)
              gather (&sums, g, x, lane);
          }
    }
  if (gathers)
    finish (&sums, moments, raw);
}

NN_INLINE void
backward_variant (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent,
                  NnMoments moments, unsigned lanes)
{
  for (unsigned j = 0; j < extent.channels; j++)
    if (transform->relu && moments.sums != NULL)
      backward_body (to, gradient, value, transform, extent, moments, j, lanes, 1, 1);
    else if (transform->relu)
      backward_body (to, gradient, value, transform, extent, moments, j, lanes, 1, 0);
    else
      backward_body (to, gradient, value, transform, extent, moments, j, lanes, 0, moments.sums != NULL);
}

void
NN_NAME (transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent,
                              NnMoments moments)
{
  if (extent.lanes == NN_USUAL_LANES)
    backward_variant (to, gradient, value, transform, extent, moments, NN_USUAL_LANES);
  else
    backward_variant (to, gradient, value, transform, extent, moments, extent.lanes);
}
