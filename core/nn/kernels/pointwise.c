/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kernels that touch each element once. Channels are the outer loop: what is per channel stays in registers. */
#include "table.h"

void
NN_NAME (transform) (NnView to, NnView from, const NnTransform *transform, NnExtent extent)
{
  for (unsigned j = 0; j < extent.channels; j++)
    {
      unsigned raw = transform->index[j];
      const float *source = from.data + raw * from.channel;
      float *target = to.data + j * to.channel;
      Vector scale = vector_splat (transform->scale != NULL ? transform->scale[raw] : 1);
      Vector shift = vector_splat (transform->scale != NULL ? transform->shift[raw] : 0);

      for (unsigned pixel = 0; pixel < extent.pixels; pixel++, source += from.pixel, target += to.pixel)
        for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
          {
            Vector x = scale * vector_load (source + lane) + shift;
            vector_store (target + lane, transform->relu ? vector_relu (x) : x);
          }
    }
}

void
NN_NAME (transform_backward) (NnView to, NnView gradient, NnView value, const NnTransform *transform, NnExtent extent)
{
  for (unsigned j = 0; j < extent.channels; j++)
    {
      unsigned raw = transform->index[j];
      const float *source = gradient.data + j * gradient.channel;
      const float *activation = value.data + raw * value.channel;
      float *target = to.data + raw * to.channel;
      Vector scale = vector_splat (transform->scale != NULL ? transform->scale[raw] : 1);
      Vector shift = vector_splat (transform->scale != NULL ? transform->shift[raw] : 0);

      for (unsigned pixel = 0; pixel < extent.pixels; pixel++)
        {
          for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
            {
              Vector x = scale * vector_load (activation + lane) + shift;
              Vector g = vector_load (source + lane);
              vector_store (target + lane, transform->relu ? vector_where_positive (x, g) : g);
            }
          source += gradient.pixel;
          activation += value.pixel;
          target += to.pixel;
        }
    }
}

void
NN_NAME (norm_backward) (NnView to, NnView gradient, NnView value, const float *a, const float *b, const float *c,
                         NnExtent extent)
{
  for (unsigned j = 0; j < extent.channels; j++)
    {
      const float *source = gradient.data + j * gradient.channel;
      const float *activation = value.data + j * value.channel;
      float *target = to.data + j * to.channel;

      for (unsigned pixel = 0; pixel < extent.pixels; pixel++)
        {
          for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
            {
              Vector g = vector_load (source + lane);
              if (a != NULL)
                g = a[j] * g + b[j] * vector_load (activation + lane) + c[j];
              vector_store (target + lane, g);
            }
          source += gradient.pixel;
          activation += value.pixel;
          target += to.pixel;
        }
    }
}

void
NN_NAME (add) (NnView to, NnView from, NnExtent extent)
{
  for (unsigned j = 0; j < extent.channels; j++)
    for (unsigned pixel = 0; pixel < extent.pixels; pixel++)
      {
        const float *source = from.data + j * from.channel + pixel * from.pixel;
        float *target = to.data + j * to.channel + pixel * to.pixel;

        for (unsigned lane = 0; lane < extent.lanes; lane += NN_VECTOR)
          vector_store (target + lane, vector_load (target + lane) + vector_load (source + lane));
      }
}

/* Single precision carries at most this many pixels of a lane before double takes over. */
#define NN_MOMENT_RUN 64
#define NN_MAX_LANES 64

/* Lane sums of a run of pixels of one channel. */
static void
add_run (float *sums, float *products, const float *x, size_t x_pixel, const float *y, size_t y_pixel, unsigned pixels,
         unsigned lanes)
{
  for (unsigned lane = 0; lane < lanes; lane += NN_VECTOR)
    {
      Vector sum = { 0 }, product = { 0 };
      for (unsigned pixel = 0; pixel < pixels; pixel++)
        {
          Vector a = vector_load (x + pixel * x_pixel + lane);
          sum += a;
          product += a * vector_load (y + pixel * y_pixel + lane);
        }
      vector_store (sums + lane, sum);
      vector_store (products + lane, product);
    }
}

void
NN_NAME (moments) (double *sums, NnView x, NnView y, NnExtent extent, unsigned valid)
{
  float lane_sums[NN_MAX_LANES] __attribute__ ((aligned (64)));
  float lane_products[NN_MAX_LANES] __attribute__ ((aligned (64)));

  for (unsigned j = 0; j < extent.channels; j++)
    {
      double sum = 0, product = 0;
      for (unsigned first = 0; first < extent.pixels; first += NN_MOMENT_RUN)
        {
          unsigned run = extent.pixels - first < NN_MOMENT_RUN ? extent.pixels - first : NN_MOMENT_RUN;
          add_run (lane_sums, lane_products, x.data + j * x.channel + first * x.pixel, x.pixel,
                   y.data + j * y.channel + first * y.pixel, y.pixel, run, extent.lanes);
          for (unsigned lane = 0; lane < valid; lane++)
            {
              sum += lane_sums[lane];
              product += lane_products[lane];
            }
        }
      sums[2 * j] = sum;
      sums[2 * j + 1] = product;
    }
}
