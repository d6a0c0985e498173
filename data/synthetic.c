/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Procedural images that a small network can learn: a bright shape over dark stripes. A class is a combination of the
 * shape, its hue, and the stripes' hue, direction and width; place, size, tilt, phase, brightness and noise vary from
 * image to image. No class is the mirror image of another. */

#include <cleave/cleave.h>

#include <math.h>

#define N_HUES 5
#define N_SHAPES 5
#define N_DIRECTIONS 4
#define N_TEXTURES (2 * N_DIRECTIONS) /* direction and width of the stripes */
#define MOST_CLASSES 1000             /* N_HUES² · N_SHAPES · N_TEXTURES */
#define MOST_BYTES (G_GUINT64_CONSTANT (1) << 31)
#define FIRST_PURPOSE 0x44000001 /* of the random streams; + subset */

typedef struct
{
  GObject parent_instance;
  guint classes;
  guint size;
  guint train_images;
  guint test_images;
  guint seed;
  double noise;

  char *cached_for;     /* the parameters that the next two are for */
  GBytes *train_pixels; /* kept, since their statistics are asked for before they are */
  CleaveDatasetInfo *cached_info;
} Synthetic;

/* What makes a class. */
typedef struct
{
  guint shape;
  double shape_colour[3]; /* red, green, blue, each 0 … 1 */
  double stripe_colour[3];
  double direction; /* of the stripes, rad */
  double stripes;   /* across the image */
} Look;

/* What else makes an image. Lengths in half sides of the image. */
typedef struct
{
  double x, y;
  double radius;
  double tilt;      /* rad */
  double direction; /* rad, mirrored in half of the images */
  double phase;     /* rad */
  double brightness;
} Pose;

/* A saturated colour of this hue, 0 … 1. */
static void
set_colour (double *colour, double hue)
{
  for (guint c = 0; c < 3; c++)
    {
      double distance = fabs (hue - c / 3.0); /* red at 0, green at 1/3, blue at 2/3 of the circle */
      distance = MIN (distance, 1 - distance);
      colour[c] = 0.15 + 0.85 * CLAMP (2 - 6 * distance, 0, 1);
    }
}

/* Neighbouring labels differ in what is seen first: hues, then shape. The texture runs along, so that up to 125 classes
 * differ in it too. */
static Look
make_look (guint label)
{
  guint shape_hue = label % N_HUES;
  guint stripe_hue = label / N_HUES % N_HUES;
  guint shape = label / (N_HUES * N_HUES) % N_SHAPES;
  guint rest = label / (N_HUES * N_HUES * N_SHAPES);
  guint texture = (rest + shape_hue + 2 * stripe_hue + 3 * shape) % N_TEXTURES;
  Look look = { .shape = shape };

  set_colour (look.shape_colour, (double)shape_hue / N_HUES);
  set_colour (look.stripe_colour, (stripe_hue + 0.5) / N_HUES); /* half a step apart: never the shape's hue */
  look.direction = G_PI / 2 * (texture % N_DIRECTIONS) / (N_DIRECTIONS - 1);
  look.stripes = texture < N_DIRECTIONS ? 2.5 : 5;
  return look;
}

static double
between (CleaveRandom *random, double low, double high)
{
  return low + (high - low) * cleave_random_uniform (random);
}

static Pose
draw_pose (CleaveRandom *random, const Look *look)
{
  Pose pose;

  pose.x = between (random, -0.35, 0.35);
  pose.y = between (random, -0.35, 0.35);
  pose.radius = between (random, 0.45, 0.65);
  pose.tilt = between (random, -0.25, 0.25);
  pose.direction = cleave_random_bits (random) >> 31 ? look->direction : -look->direction;
  pose.phase = between (random, 0, 2 * G_PI);
  pose.brightness = between (random, 0.8, 1);
  return pose;
}

/* Whether a point lies in the shape; x, y in the shape's own frame, where its radius is 1. */
static gboolean
is_inside (guint shape, double x, double y)
{
  double across = fabs (x), along = fabs (y);

  switch (shape)
    {
    case 0: /* disc */
      return x * x + y * y < 1;
    case 1: /* ring */
      return x * x + y * y < 1 && x * x + y * y > 0.3;
    case 2: /* square */
      return MAX (across, along) < 0.85;
    case 3: /* cross */
      return MAX (across, along) < 1 && MIN (across, along) < 0.3;
    default: /* triangle */
      return y < 0.7 && 2 * across < y + 1;
    }
}

/* In 1/255, of mean 0 and variance 1: the sum of a draw's four bytes is nearly normal (Irwin–Hall), its mean 4 · 127.5,
 * its variance 4 · (256² − 1) / 12. */
static double
draw_noise (CleaveRandom *random)
{
  guint32 bits = cleave_random_bits (random);
  int sum = (bits & 0xff) + (bits >> 8 & 0xff) + (bits >> 16 & 0xff) + (bits >> 24);

  return (sum - 510) / sqrt ((256.0 * 256.0 - 1) / 3);
}

static void
draw_image (Synthetic *self, CleaveSubset subset, guint index, guint8 *pixels)
{
  g_autoptr (CleaveRandom) random = cleave_random_new (self->seed, FIRST_PURPOSE + subset, 0, index);
  Look look = make_look (index % self->classes);
  Pose pose = draw_pose (random, &look);
  gsize channel_size = (gsize)self->size * self->size;
  double sine = sin (pose.tilt), cosine = cos (pose.tilt);
  double wave_x = G_PI * look.stripes * cos (pose.direction), wave_y = G_PI * look.stripes * sin (pose.direction);

  for (guint i = 0; i < channel_size; i++)
    {
      double x = (2 * (i % self->size) + 1.0) / self->size - 1;
      double y = (2 * (i / self->size) + 1.0) / self->size - 1;
      double dx = (x - pose.x) / pose.radius, dy = (y - pose.y) / pose.radius;
      gboolean inside = is_inside (look.shape, cosine * dx + sine * dy, cosine * dy - sine * dx);
      const double *colour = inside ? look.shape_colour : look.stripe_colour;
      double value = inside ? pose.brightness : 0.3 + 0.2 * cos (wave_x * x + wave_y * y + pose.phase);

      for (guint c = 0; c < 3; c++)
        {
          double noisy = 255 * (colour[c] * value + self->noise * draw_noise (random));
          pixels[c * channel_size + i] = (guint8)(CLAMP (noisy, 0, 255) + 0.5);
        }
    }
}

/* (transfer full): the pixels of a subset, or NULL with an error set. */
static GBytes *
draw_subset (Synthetic *self, CleaveSubset subset, GError **error)
{
  guint n_images = subset == CLEAVE_SUBSET_TRAIN ? self->train_images : self->test_images;
  gsize image_size = 3 * (gsize)self->size * self->size;
  guint64 size = (guint64)n_images * image_size;
  guint8 *pixels = size <= MOST_BYTES ? g_try_malloc (size) : NULL;

  if (pixels == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG,
                   "%u images of %u × %u pixels take %" G_GUINT64_FORMAT " bytes; expected no more than 2 GiB",
                   n_images, self->size, self->size, size);
      return NULL;
    }
  for (guint i = 0; i < n_images; i++)
    draw_image (self, subset, i, pixels + i * image_size);
  return g_bytes_new_take (pixels, size);
}

static CleaveDatasetInfo *
measure (Synthetic *self, const guint8 *pixels)
{
  gsize channel_size = (gsize)self->size * self->size;
  double n = 255.0 * channel_size * self->train_images;
  guint64 sums[3] = { 0 }, squares[3] = { 0 }; /* exact */
  double mean[3], deviation[3];

  for (guint i = 0; i < self->train_images; i++)
    for (guint c = 0; c < 3; c++)
      for (gsize p = 0; p < channel_size; p++, pixels++)
        {
          sums[c] += *pixels;
          squares[c] += *pixels * *pixels;
        }
  for (guint c = 0; c < 3; c++)
    {
      mean[c] = sums[c] / n;
      deviation[c] = sqrt (squares[c] / (255 * n) - mean[c] * mean[c]);
    }
  return cleave_dataset_info_new (self->classes, 3, self->size, self->size, mean, deviation);
}

static gboolean
ensure_training_images (Synthetic *self, GError **error)
{
  g_autofree char *parameters
      = g_strdup_printf ("%u %u %u %u %a", self->classes, self->size, self->train_images, self->seed, self->noise);

  if (g_strcmp0 (parameters, self->cached_for) == 0)
    return TRUE;

  g_autoptr (GBytes) pixels = draw_subset (self, CLEAVE_SUBSET_TRAIN, error);
  if (pixels == NULL)
    return FALSE;
  g_clear_pointer (&self->train_pixels, g_bytes_unref);
  g_clear_pointer (&self->cached_info, cleave_dataset_info_free);
  g_free (self->cached_for);
  self->cached_info = measure (self, g_bytes_get_data (pixels, NULL));
  self->train_pixels = g_steal_pointer (&pixels);
  self->cached_for = g_steal_pointer (&parameters);
  return TRUE;
}

static CleaveDatasetInfo *
synthetic_info (CleaveDataset *dataset, GError **error)
{
  Synthetic *self = (Synthetic *)dataset;

  return ensure_training_images (self, error) ? cleave_dataset_info_copy (self->cached_info) : NULL;
}

static GStrv
synthetic_class_names (CleaveDataset *dataset, GError **error)
{
  static const char *const shape_hues[N_HUES] = { "red", "yellow-green", "sea-green", "blue", "magenta" };
  static const char *const stripe_hues[N_HUES] = { "orange", "green", "cyan", "violet", "crimson" };
  static const char *const shapes[N_SHAPES] = { "disc", "ring", "square", "cross", "triangle" };
  Synthetic *self = (Synthetic *)dataset;
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < self->classes; i++)
    {
      Look look = make_look (i);
      g_autofree char *name = g_strdup_printf ("%s %s on %s %s stripes at %.0f°", shape_hues[i % N_HUES],
                                               shapes[look.shape], look.stripes < 4 ? "wide" : "narrow",
                                               stripe_hues[i / N_HUES % N_HUES], look.direction * 180 / G_PI);
      g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}

static CleaveImages *
synthetic_load (CleaveDataset *dataset, CleaveSubset subset, GError **error)
{
  Synthetic *self = (Synthetic *)dataset;
  guint n_images = subset == CLEAVE_SUBSET_TRAIN ? self->train_images : self->test_images;
  g_autoptr (GBytes) pixels = NULL;

  if (subset == CLEAVE_SUBSET_TEST)
    pixels = draw_subset (self, subset, error);
  else if (ensure_training_images (self, error))
    pixels = g_bytes_ref (self->train_pixels);
  if (pixels == NULL)
    return NULL;

  guint16 *labels = g_new (guint16, n_images);
  for (guint i = 0; i < n_images; i++)
    labels[i] = i % self->classes;
  g_autoptr (GBytes) label_bytes = g_bytes_new_take (labels, n_images * sizeof (guint16));
  return cleave_images_new (n_images, pixels, label_bytes);
}

static void
synthetic_finalize (gpointer instance)
{
  Synthetic *self = instance;

  g_clear_pointer (&self->train_pixels, g_bytes_unref);
  g_clear_pointer (&self->cached_info, cleave_dataset_info_free);
  g_free (self->cached_for);
}

CLEAVE_PLUGIN_BEGIN (Synthetic, synthetic, DATASET)
  CLEAVE_PARAMETER (classes, UINT, "", 2, MOST_CLASSES, 100, "Classes")
  CLEAVE_PARAMETER (size, UINT, "pixel", 8, 512, 32, "Side of an image")
  CLEAVE_PARAMETER (train_images, UINT, "", 1, 1000000, 5000, "Training images")
  CLEAVE_PARAMETER (test_images, UINT, "", 1, 1000000, 1000, "Test images")
  CLEAVE_PARAMETER (seed, UINT, "", 0, 4294967295, 1, "What the images are drawn from")
  CLEAVE_PARAMETER (noise, DOUBLE, "", 0, 1, 0.1, "Standard deviation of each pixel's noise, of full brightness")
  CLEAVE_FINALIZE (synthetic_finalize)
  CLEAVE_METHOD (info, synthetic_info)
  CLEAVE_METHOD (class_names, synthetic_class_names)
  CLEAVE_METHOD (load, synthetic_load)
CLEAVE_PLUGIN_END
