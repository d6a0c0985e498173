/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kernel, at every level that this processor has, against plain loops in double: odd sizes, lanes that the kernels
 * have as a literal and lanes that they have not, and nothing written beside what is theirs. */
#include "cpu.h"
#include "kernels/kernels.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sums of some hundred products of numbers around 1, in single precision. */
#define TOLERANCE 2e-5

/* --- arrays --- */

typedef struct
{
  gsize n;
  float *data; /* aligned as kernels want it */
  double *expected;
} Array;

/* Drawn, and so expected to stay. */
static Array
array_new (CleaveRandom *random, gsize n)
{
  Array array = { n, aligned_alloc (64, (n * sizeof (float) + 63) / 64 * 64), g_new (double, n) };

  g_assert (array.data != NULL);
  for (gsize i = 0; i < n; i++)
    array.expected[i] = array.data[i] = cleave_random_normal (random);
  return array;
}

static void
array_clear (Array *array)
{
  free (array->data);
  g_free (array->expected);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Array, array_clear)

static void
expect_array (const Array *array, const char *what)
{
  for (gsize i = 0; i < array->n; i++)
    {
      double off = fabs (array->data[i] - array->expected[i]);

      /* So written that a NaN fails; one failure an array is enough. */
      if (!test_check (off <= TOLERANCE * (1 + fabs (array->expected[i])), __FILE__, __LINE__,
                       "%s: element %" G_GSIZE_FORMAT " is %g, not %g", what, i, array->data[i], array->expected[i]))
        return;
    }
}

static void
expect_sums (const double *actual, const double *expected, guint n, const char *what)
{
  for (guint i = 0; i < n; i++)
    test_check (fabs (actual[i] - expected[i]) <= TOLERANCE * (10 + fabs (expected[i])), __FILE__, __LINE__,
                "%s: sum %u is %g, not %g", what, i, actual[i], expected[i]);
}

/* --- all levels and lanes --- */

typedef struct
{
  const NnKernels *kernels;
  guint lanes;
  CleaveRandom *random;
  char name[32];
} Fixture;

static void
at_all_levels (void (*check) (Fixture *fixture))
{
  static const guint lanes[] = { 16, 32, 48 };

  for (NnCpu cpu = NN_CPU_BASELINE; cpu <= nn_cpu_detect (); cpu++)
    for (guint i = 0; i < G_N_ELEMENTS (lanes); i++)
      {
        g_autoptr (CleaveRandom) random = cleave_random_new (3, cpu, i, 0);
        Fixture fixture = { nn_cpu_kernels (cpu, lanes[i]), lanes[i], random, "" };

        g_snprintf (fixture.name, sizeof fixture.name, "%s, %u lanes", nn_cpu_to_string (cpu), lanes[i]);
        check (&fixture);
      }
}

/* The number of floats that a view of this extent covers, its last pixel's padding included. */
static gsize
view_size (NnView view, NnExtent extent)
{
  gsize pixels = extent.rows * view.row + extent.columns * view.pixel;

  return pixels + extent.channels * view.channel;
}

static gsize
place (NnView view, guint row, guint column, guint channel, guint lane)
{
  return row * view.row + column * view.pixel + channel * view.channel + lane;
}

/* By pixels with room for one channel more, or by rows. */
static NnView
lay_out (NnExtent extent, gboolean by_rows)
{
  gsize lanes = extent.lanes, pixel = (extent.channels + 1) * lanes;

  if (by_rows)
    return (NnView){ NULL, extent.channels * extent.columns * lanes, lanes, extent.columns * lanes };
  return (NnView){ NULL, extent.columns * pixel, pixel, lanes };
}

/* --- multiply, outer --- */

#define BLOCK 12

/* Written, added, scaled, and scaled with ReLU. */
static void
check_multiply (Fixture *f)
{
  for (guint n = 1; n <= BLOCK; n++)
    for (guint k = 1, way = n; k <= 17; k += 2, way++)
      {
        gboolean accumulate = way % 4 == 1, scaled = way % 4 >= 2, relu = way % 4 == 3;
        NnExtent from_extent = { k, 2, 3, f->lanes }, extent = { n, 2, 3, f->lanes };
        NnView from_view = lay_out (from_extent, FALSE), view = lay_out (extent, n % 3 == 0);
        g_auto (Array) from = array_new (f->random, view_size (from_view, from_extent));
        g_auto (Array) to = array_new (f->random, view_size (view, extent));
        g_auto (Array) weights = array_new (f->random, k * BLOCK);
        g_auto (Array) norm = array_new (f->random, 2 * BLOCK);

        from_view.data = from.data;
        view.data = to.data;
        for (guint row = 0; row < 2; row++)
          for (guint column = 0; column < 3; column++)
            for (guint i = 0; i < n; i++)
              for (guint lane = 0; lane < f->lanes; lane++)
                {
                  double *sum = &to.expected[place (view, row, column, i, lane)];

                  *sum = accumulate ? *sum : 0;
                  for (guint j = 0; j < k; j++)
                    *sum += weights.expected[j * BLOCK + i] * from.expected[place (from_view, row, column, j, lane)];
                  *sum = scaled ? norm.expected[i] * *sum + norm.expected[BLOCK + i] : *sum;
                  *sum = relu ? fmax (*sum, 0) : *sum;
                }
        /* Fetching changes no output. */
        NnAhead ahead = { from.data, 40, 64, 2, 0 }, *fetched = k % 2 ? &ahead : NULL;
        if (scaled)
          f->kernels->multiply_scaled (view, from_view, weights.data, BLOCK, n, k, extent, norm.data, norm.data + BLOCK,
                                       relu, fetched);
        else
          f->kernels->multiply (view, from_view, weights.data, BLOCK, n, k, extent, accumulate, fetched);
        expect_array (&to, f->name);
      }
}

TEST (Kernels, Multiply) { at_all_levels (check_multiply); }

/* Left by 1, right by the left's number and one: as a row-major matrix transposed. */
static void
check_outer (Fixture *f)
{
  for (guint n = 1; n <= 9; n++)
    for (guint k = 1; k <= 13; k++)
      {
        NnExtent left_extent = { n, 2, 3, f->lanes }, right_extent = { k, 2, 3, f->lanes };
        NnView left_view = lay_out (left_extent, FALSE), right_view = lay_out (right_extent, FALSE);
        g_auto (Array) left = array_new (f->random, view_size (left_view, left_extent));
        g_auto (Array) right = array_new (f->random, view_size (right_view, right_extent));
        g_auto (Array) product = array_new (f->random, (gsize)k * (n + 1));

        for (guint i = 0; i < n; i++)
          for (guint j = 0; j < k; j++)
            {
              double *sum = &product.expected[i + j * (n + 1)];

              *sum = (n + k) % 2 ? *sum : 0;
              for (guint pixel = 0; pixel < 6; pixel++)
                for (guint lane = 0; lane < f->lanes; lane++)
                  *sum += left.expected[place (left_view, pixel / 3, pixel % 3, i, lane)]
                          * right.expected[place (right_view, pixel / 3, pixel % 3, j, lane)];
            }
        gboolean accumulate = (n + k) % 2;
        f->kernels->outer (product.data, 1, n + 1, (NnFactor){ left.data, left_view.row, left_view.pixel, n },
                           (NnFactor){ right.data, right_view.row, right_view.pixel, k }, 2, 3, f->lanes, accumulate);
        expect_array (&product, f->name);
      }
}

TEST (Kernels, Outer) { at_all_levels (check_outer); }

/* --- depthwise --- */

typedef struct
{
  guint rows, columns, stride;
} Window;

static const Window windows[] = {
  { 3, 3, 1 }, { 3, 3, 2 }, { 5, 5, 1 }, { 5, 5, 2 }, { 1, 1, 1 }, { 1, 2, 1 }, { 2, 1, 1 }, { 2, 2, 1 },
  { 2, 3, 1 }, { 3, 2, 1 }, { 7, 7, 1 }, { 7, 7, 2 }, { 4, 4, 2 }, { 3, 3, 3 }, { 9, 9, 1 },
};

/* Floats of a pixel, and how many pixels lie side by side. */
typedef struct
{
  guint lanes, side;
} Cell;

#define N_CELLS 3

static Cell
cell_of (const Fixture *f, guint way)
{
  return way == 0 ? (Cell){ f->lanes / 2, 2 } : way == 1 ? (Cell){ f->lanes / 2, 1 } : (Cell){ f->lanes, 1 };
}

/* One to four rows of outputs, some of which stay what they are: to's cells lie apart. */
static NnPlane
plane_of (const Window *window, guint columns, Cell cell)
{
  gsize from_row = ((columns - 1) * window->stride + window->columns) * (gsize)cell.lanes;

  return (NnPlane){ .rows = 1 + columns / 3 % 4,
                    .columns = columns,
                    .kernel_rows = window->rows,
                    .kernel_columns = window->columns,
                    .stride = window->stride,
                    .lanes = cell.lanes,
                    .side = cell.side,
                    .to_row = (columns + 1) * 2 * (gsize)cell.lanes,
                    .to_cell = 2 * cell.side * (gsize)cell.lanes,
                    .from_row = from_row };
}

static gsize
output_place (const NnPlane *plane, guint y, guint x, guint lane)
{
  return y * plane->to_row + x / plane->side * plane->to_cell + x % plane->side * plane->lanes + lane;
}

static gsize
source_size (const NnPlane *plane)
{
  return ((plane->rows - 1) * plane->stride + plane->kernel_rows) * plane->from_row;
}

static gsize
source_place (const NnPlane *plane, guint y, guint x, guint tap, guint lane)
{
  guint row = y * plane->stride + tap / plane->kernel_columns;
  guint column = x * plane->stride + tap % plane->kernel_columns;

  return row * plane->from_row + (gsize)column * plane->lanes + lane;
}

static void
expect_depthwise (const NnPlane *plane, const Array *to, const Array *from, const Array *weights, guint valid,
                  double sums[2], const NnActivation *activation)
{
  for (guint y = 0; y < plane->rows; y++)
    for (guint x = 0; x < plane->columns; x++)
      for (guint lane = 0; lane < plane->lanes; lane++)
        {
          double result = 0;

          for (guint tap = 0; tap < weights->n; tap++)
            result += weights->expected[tap] * from->expected[source_place (plane, y, x, tap, lane)];
          sums[0] += lane < valid ? result : 0;
          sums[1] += lane < valid ? result * result : 0;
          if (activation != NULL)
            result = result + activation->shift;
          if (activation != NULL && activation->relu)
            result = fmax (result, 0);
          to->expected[output_place (plane, y, x, lane)] = result;
        }
}

static void
check_depthwise_window (Fixture *f, const Window *window, guint columns, Cell cell, guint way)
{
  NnPlane plane = plane_of (window, columns, cell);
  NnActivation activation = { 0.3f, way == 3 };
  double sums[2] = { 1, 2 }, expected[2] = { 1, 2 };
  NnMoments moments = { way == 1 ? sums : NULL, cell.lanes - 3 * columns % cell.lanes, cell.lanes };
  g_auto (Array) from = array_new (f->random, source_size (&plane));
  g_auto (Array) to = array_new (f->random, plane.rows * plane.to_row);
  g_auto (Array) weights = array_new (f->random, window->rows * window->columns);
  g_autofree char *what
      = g_strdup_printf ("%s, %u × %u, stride %u, %u columns of %u lanes, %u a cell, way %u", f->name, window->rows,
                         window->columns, window->stride, columns, cell.lanes, cell.side, way);

  expect_depthwise (&plane, &to, &from, &weights, moments.valid, expected, way >= 2 ? &activation : NULL);
  f->kernels->depthwise (to.data, from.data, weights.data, &plane, moments, way >= 2 ? &activation : NULL);
  expect_array (&to, what);
  if (way == 1)
    expect_sums (sums, expected, 2, what);
}

/* Plain, with moments of some lanes, with an activation without and with ReLU. */
static void
check_depthwise (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    for (guint columns = 1; columns <= 19; columns += 3)
      for (guint cell = 0; cell < N_CELLS; cell++)
        for (guint way = 0; way < 4; way++)
          check_depthwise_window (f, &windows[i], columns, cell_of (f, cell), way);
}

/* Rows one by one give the same bytes as all at once: where strips are cut depends on the number of threads. */
static void
check_rows_alone (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    for (guint cell = 0; cell < N_CELLS; cell++)
      {
        NnPlane plane = plane_of (&windows[i], 19, cell_of (f, cell)), alone = plane;
        NnActivation activation = { 0.3f, TRUE };
        g_auto (Array) from = array_new (f->random, source_size (&plane));
        g_auto (Array) to = array_new (f->random, plane.rows * plane.to_row);
        g_auto (Array) weights = array_new (f->random, windows[i].rows * windows[i].columns);
        gsize size = plane.rows * plane.to_row * sizeof (float);
        g_autofree float *together = NULL;

        f->kernels->depthwise (to.data, from.data, weights.data, &plane, (NnMoments){ 0 }, &activation);
        together = g_memdup2 (to.data, size);
        alone.rows = 1;
        for (guint row = 0; row < plane.rows; row++)
          f->kernels->depthwise (to.data + row * plane.to_row, from.data + row * plane.stride * plane.from_row,
                                 weights.data, &alone, (NnMoments){ 0 }, &activation);
        EXPECT_TRUE (memcmp (to.data, together, size) == 0);
      }
}

TEST (Kernels, DepthwiseRowsAlone) { at_all_levels (check_rows_alone); }

/* Where the mask, as large as the outputs, is not positive, they are 0. */
static void
check_masked (Fixture *f)
{
  for (guint i = 0; i < G_N_ELEMENTS (windows); i++)
    for (guint columns = 1; columns <= 19 && windows[i].stride == 1; columns += 3)
      for (guint cell = 0; cell < N_CELLS; cell++)
        {
          NnPlane plane = plane_of (&windows[i], columns, cell_of (f, cell));
          g_auto (Array) from = array_new (f->random, source_size (&plane));
          g_auto (Array) to = array_new (f->random, plane.rows * plane.to_row);
          g_auto (Array) weights = array_new (f->random, windows[i].rows * windows[i].columns);
          g_auto (Array) positive = array_new (f->random, plane.rows * 3 * columns * plane.lanes);
          NnMask mask = { positive.data, 3 * columns * plane.lanes, 2 * plane.lanes };
          double ignored[2] = { 0 }, expected = 0, sum;

          expect_depthwise (&plane, &to, &from, &weights, 0, ignored, NULL);
          for (guint y = 0; y < plane.rows; y++)
            for (guint x = 0; x < columns; x++)
              for (guint lane = 0; lane < plane.lanes; lane++)
                {
                  double *result = &to.expected[output_place (&plane, y, x, lane)];

                  if (positive.data[y * mask.row + x * mask.column + lane] <= 0)
                    *result = 0;
                  expected += *result;
                }
          sum = f->kernels->depthwise_masked (to.data, from.data, weights.data, &plane, &mask);
          expect_array (&to, f->name);
          expect_sums (&sum, &expected, 1, f->name);
        }
}

TEST (Kernels, DepthwiseMasked) { at_all_levels (check_masked); }

TEST (Kernels, Depthwise) { at_all_levels (check_depthwise); }

static void
check_depthwise_weights (Fixture *f)
{
  for (guint i = 0; i < 2 * G_N_ELEMENTS (windows); i++)
    {
      const Window *window = &windows[i / 2];
      NnPlane plane = plane_of (window, 5, cell_of (f, 1 + i % 2));
      g_auto (Array) from = array_new (f->random, source_size (&plane));
      g_auto (Array) gradient = array_new (f->random, plane.rows * plane.to_row);
      g_auto (Array) weights = array_new (f->random, window->rows * window->columns);

      /* The kernel is for stride 1 and one pixel a cell. */
      if (window->stride != 1)
        continue;
      for (guint tap = 0; tap < weights.n; tap++)
        {
          weights.expected[tap] = 0;
          for (guint y = 0; y < plane.rows; y++)
            for (guint x = 0; x < plane.columns; x++)
              for (guint lane = 0; lane < plane.lanes; lane++)
                weights.expected[tap] += gradient.expected[output_place (&plane, y, x, lane)]
                                         * from.expected[source_place (&plane, y, x, tap, lane)];
        }
      f->kernels->depthwise_weights (weights.data, from.data, gradient.data, &plane);
      expect_array (&weights, f->name);
    }
}

TEST (Kernels, DepthwiseWeights) { at_all_levels (check_depthwise_weights); }

/* --- moments --- */

static void
check_moments (Fixture *f)
{
  for (guint channels = 1; channels <= 9; channels++)
    for (guint count = 1; count <= f->lanes; count += count == f->lanes - 1 ? 1 : 5)
      for (guint way = 0; way < 4; way++)
        {
          gboolean by_rows = way % 2;
          guint images = f->lanes / (1 + way / 2), valid = MIN (count, images);
          NnExtent extent = { channels, 3, 5, f->lanes };
          NnView x_view = lay_out (extent, by_rows), y_view = lay_out (extent, by_rows);
          g_auto (Array) x = array_new (f->random, view_size (x_view, extent));
          g_auto (Array) y = array_new (f->random, view_size (y_view, extent));
          double sums[18], expected[18];

          x_view.data = x.data;
          y_view.data = y.data;
          for (guint j = 0; j < channels; j++)
            {
              /* They are added to what is there. */
              expected[2 * j] = sums[2 * j] = j;
              expected[2 * j + 1] = sums[2 * j + 1] = -1;
              for (guint pixel = 0; pixel < 15; pixel++)
                for (guint lane = 0; lane < f->lanes; lane++)
                  {
                    if (lane % images >= valid)
                      continue;
                    gsize at = place (x_view, pixel / 5, pixel % 5, j, lane);

                    expected[2 * j] += x.expected[at];
                    expected[2 * j + 1] += x.expected[at] * y.expected[at];
                  }
            }
          /* A lane without an image may hold anything. */
          for (guint pixel = 0; pixel < 15 && valid < images; pixel++)
            for (guint j = 0; j < channels; j++)
              x.data[place (x_view, pixel / 5, pixel % 5, j, f->lanes - 1)] = NAN;
          f->kernels->moments (x_view, y_view, extent, (NnMoments){ sums, valid, images });
          expect_sums (sums, expected, 2 * channels, f->name);
        }
}

TEST (Kernels, MomentsOfSomeLanes) { at_all_levels (check_moments); }

/* --- transform, offset --- */

/* With or without a norm, ReLU, and channels in another order; from rows to pixels and back. */
static void
check_transform (Fixture *f)
{
  for (guint channels = 1; channels <= 19; channels += 3)
    for (guint way = 0; way < 16; way++)
      {
        NnExtent extent = { channels, 2, 3, f->lanes };
        NnView from_view = lay_out (extent, way & 4), view = lay_out (extent, way & 8);
        g_auto (Array) from = array_new (f->random, view_size (from_view, extent));
        g_auto (Array) to = array_new (f->random, view_size (view, extent));
        g_auto (Array) norm = array_new (f->random, 2 * channels);
        guint32 index[19];
        NnTransform transform = { way & 1 ? norm.data : NULL, way & 1 ? norm.data + channels : NULL, index, way & 2 };

        from_view.data = from.data;
        view.data = to.data;
        for (guint j = 0; j < channels; j++)
          index[j] = channels - 1 - j;
        for (guint pixel = 0; pixel < 6; pixel++)
          for (guint j = 0; j < channels; j++)
            for (guint lane = 0; lane < f->lanes; lane++)
              {
                double x = from.expected[place (from_view, pixel / 3, pixel % 3, index[j], lane)];

                x = way & 1 ? norm.expected[index[j]] * x + norm.expected[channels + index[j]] : x;
                to.expected[place (view, pixel / 3, pixel % 3, j, lane)] = way & 2 ? fmax (x, 0) : x;
              }
        f->kernels->transform (view, from_view, &transform, extent);
        expect_array (&to, f->name);
      }
}

TEST (Kernels, Transform) { at_all_levels (check_transform); }

static void
check_offset (Fixture *f)
{
  for (guint way = 0; way < 16; way++)
    {
      NnExtent extent = { 5, 2, 3, f->lanes };
      NnView from_view = lay_out (extent, way & 4), view = lay_out (extent, way & 8);
      g_auto (Array) from = array_new (f->random, view_size (from_view, extent));
      g_auto (Array) to = array_new (f->random, view_size (view, extent));
      g_auto (Array) shift = array_new (f->random, 5);

      from_view.data = way & 1 ? from.data : NULL;
      view.data = to.data;
      for (guint pixel = 0; pixel < 6; pixel++)
        for (guint j = 0; j < 5; j++)
          for (guint lane = 0; lane < f->lanes; lane++)
            to.expected[place (view, pixel / 3, pixel % 3, j, lane)]
                = (way & 1 ? from.expected[place (from_view, pixel / 3, pixel % 3, j, lane)] : 0)
                  + (way & 2 ? shift.expected[j] : 0);
      f->kernels->offset (view, from_view, way & 2 ? shift.data : NULL, extent);
      expect_array (&to, f->name);
    }
}

TEST (Kernels, Offset) { at_all_levels (check_offset); }
