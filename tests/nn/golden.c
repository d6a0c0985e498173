/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine against PyTorch 1.13: every entry of golden/torch/index.json (see golden/README.md). Blocks within 1e-4
 * (relative L2, each array), networks' loss and logits within 1e-3. Networks' gradients are wider, since a ReLU that
 * flips on a rounding error moves whole channels: each array within 15 %, all together within 10 %; those that are zero
 * in exact arithmetic (norm under 1e-5) must be so. */
#include "nn.h"
#include "npz.h"
#include "test.h"

#include "cleave-host.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double
norm (const float *values, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double)values[i] * values[i];
  return sqrt (sum);
}

static double
distance (const float *a, const float *b, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
  return sqrt (sum);
}

static void
expect_close (const char *file, const char *name, const float *actual, const NpyArray *expected, double tolerance)
{
  double off = distance (actual, expected->data, expected->n_elements);
  double size = norm (expected->data, expected->n_elements);

  test_check (off <= tolerance * size, __FILE__, __LINE__, "%s: %s is off by %g of %g", file, name, off, size);
}

/* A mean that is zero in exact arithmetic holds rounding noise: in a network, what is below this counts as equal. */
#define NOISE 1e-5

/* Sets the supernet's arrays from the file's "param.*". */
static gboolean
load_parameters (NnSupernet *supernet, NpzFile *file)
{
  guint n = 0;

  for (guint i = 0; i < npz_get_n_arrays (file); i++)
    n += g_str_has_prefix (npz_get_array (file, i)->name, "param.");
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);
      g_autofree char *name = g_strconcat ("param.", array->name, NULL);
      const NpyArray *golden = npz_find (file, name);

      if (array->gradient == NULL)
        continue;
      if (!EXPECT_TRUE (golden != NULL) || !EXPECT_INT (golden->n_elements, array->size))
        return FALSE;
      memcpy (array->data, golden->data, array->size * sizeof (float));
      n--;
    }
  return EXPECT_INT (n, 0);
}

static const NpyArray *
find (NpzFile *file, const char *prefix, const char *name)
{
  g_autofree char *key = g_strconcat (prefix, name, NULL);

  return npz_find (file, key);
}

static void
expect_running_statistics (const char *name, NnSupernet *supernet, NpzFile *file, double tolerance, double noise)
{
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);

      const NpyArray *golden = find (file, "after.", array->name);

      if (array->gradient != NULL || !EXPECT_TRUE (golden != NULL))
        continue;
      if (distance (array->data, golden->data, array->size) > noise)
        expect_close (name, array->name, array->data, golden, tolerance);
    }
}

/* --- blocks --- */

/* FBNet's block by its name, such as k5_e1_g2 or skip. */
static CleaveNetwork *
build_block (JsonObject *entry, GError **error)
{
  const char *name = json_object_get_string_member (entry, "block");
  guint in = json_object_get_int_member (entry, "cin"), out = json_object_get_int_member (entry, "cout");
  guint size = json_object_get_int_member (entry, "h"), stride = json_object_get_int_member (entry, "stride");
  guint kernel = 1, expansion = 1, groups = 1;
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (in, size, size);

  cleave_network_builder_block (builder, "", name);
  if (g_str_equal (name, "skip") && in == out && stride == 1)
    cleave_network_builder_identity (builder);
  else if (g_str_equal (name, "skip"))
    cleave_network_builder_conv_norm_relu (builder, out, 1, stride);
  else
    {
      EXPECT_TRUE (sscanf (name, "k%u_e%u_g%u", &kernel, &expansion, &groups) >= 2);
      cleave_network_builder_expand_depthwise (builder, in * expansion, kernel, stride, groups);
      cleave_network_builder_project (builder, out, groups);
      if (in == out && stride == 1)
        cleave_network_builder_add (builder, -1);
    }
  return cleave_network_builder_build (builder, error);
}

static void
check_block (NnEngine *engine, const char *name, JsonObject *entry, NpzFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetwork) network = build_block (entry, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1);
  const NpyArray *x = npz_find (file, "x"), *y = npz_find (file, "y"), *dx = npz_find (file, "dx");
  guint n = x->shape[0];
  g_autoptr (NnPlan) plan
      = nn_plan_new (engine, supernet, network, n, NN_PLAN_BACKWARD | NN_PLAN_INPUT_GRADIENT, &error);
  REQUIRE_NO_ERROR (error);
  REQUIRE (load_parameters (supernet, file));
  g_autofree float *output = g_new (float, y->n_elements);
  g_autofree float *gradient = g_new (float, x->n_elements);

  nn_supernet_begin_step (supernet);
  nn_plan_forward_head (plan, NN_MODE_TRAIN, x->data, n);
  nn_plan_forward_tail (plan, NN_MODE_TRAIN, NULL, 0);
  nn_plan_get_output (plan, output);
  expect_close (name, "y", output, y, 1e-4);
  nn_plan_backward (plan, npz_find (file, "dy")->data);
  nn_plan_get_input_gradient (plan, gradient);
  expect_close (name, "dx", gradient, dx, 1e-4);
  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);
      if (array->gradient != NULL)
        expect_close (name, array->name, array->gradient, find (file, "grad.", array->name), 1e-4);
    }
  expect_running_statistics (name, supernet, file, 1e-4, 0);
  nn_plan_forward_head (plan, NN_MODE_EVALUATE, x->data, n);
  nn_plan_forward_tail (plan, NN_MODE_EVALUATE, NULL, 0);
  nn_plan_get_output (plan, output);
  expect_close (name, "y_eval", output, npz_find (file, "y_eval"), 1e-4);
}

/* --- networks --- */

static CleaveNetwork *
build_network (JsonObject *entry, GError **error)
{
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, error);
  g_autoptr (GObject) space = host != NULL ? cleave_host_create (host, CLEAVE_KIND_SPACE, "fbnet", error) : NULL;
  JsonArray *architecture = json_object_get_array_member (entry, "architecture");
  guint n = json_array_get_length (architecture);
  g_autofree guint *choices = g_new (guint, n + 1);

  if (space == NULL)
    return NULL;
  for (guint i = 0; i < n; i++)
    choices[i] = json_array_get_int_element (architecture, i);
  choices[n] = json_object_get_int_member (entry, "split");
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, n + 1);
  return cleave_space_build (CLEAVE_SPACE (space), candidate, error);
}

static void
check_gradients (const char *name, NnSupernet *supernet, NpzFile *file)
{
  double off = 0, size = 0;

  for (guint i = 0; i < nn_supernet_get_n_arrays (supernet); i++)
    {
      NnArray *array = nn_supernet_get_array (supernet, i);
      const NpyArray *golden = find (file, "grad.", array->name);

      if (array->gradient == NULL || !EXPECT_TRUE (golden != NULL))
        continue;
      off += pow (distance (array->gradient, golden->data, array->size), 2);
      size += pow (norm (golden->data, array->size), 2);
      if (norm (golden->data, array->size) < 1e-5)
        test_check (norm (array->gradient, array->size) < 1e-5, __FILE__, __LINE__, "%s: gradient of %s is %g", name,
                    array->name, norm (array->gradient, array->size));
      else
        expect_close (name, array->name, array->gradient, golden, 0.15);
    }
  test_check (sqrt (off) <= 0.1 * sqrt (size), __FILE__, __LINE__, "%s: all gradients are off by %g of %g", name,
              sqrt (off), sqrt (size));
}

static void
check_network (NnEngine *engine, const char *name, JsonObject *entry, NpzFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveNetwork) network = build_network (entry, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnSupernet) supernet = nn_supernet_new (1);
  const NpyArray *x = npz_find (file, "x"), *labels = npz_find (file, "labels"), *logits = npz_find (file, "logits");
  guint n = x->shape[0], n_classes = logits->shape[1];
  g_autofree guint16 *targets = g_new (guint16, n);
  g_autoptr (NnPlan) plan = nn_plan_new (engine, supernet, network, n, NN_PLAN_BACKWARD, &error);
  REQUIRE_NO_ERROR (error);
  REQUIRE (load_parameters (supernet, file));
  g_autofree float *output = g_new (float, logits->n_elements);
  g_autofree float *gradient = g_new (float, logits->n_elements);

  for (guint i = 0; i < n; i++)
    targets[i] = ((const gint32 *)labels->data)[i];
  nn_supernet_begin_step (supernet);
  nn_plan_forward_head (plan, NN_MODE_TRAIN, x->data, n);
  nn_plan_forward_tail (plan, NN_MODE_TRAIN, npz_find (file, "mask")->data,
                        json_object_get_double_member (entry, "drop_rate"));
  nn_plan_get_output (plan, output);
  expect_close (name, "logits", output, logits, 1e-3);
  EXPECT_RELATIVE (nn_cross_entropy (output, targets, n, n_classes, 1, gradient),
                   *(const float *)npz_find (file, "loss")->data, 1e-3);
  nn_plan_backward (plan, gradient);
  check_gradients (name, supernet, file);
  expect_running_statistics (name, supernet, file, 1e-3, NOISE);
  nn_plan_forward_head (plan, NN_MODE_EVALUATE, x->data, n);
  nn_plan_forward_tail (plan, NN_MODE_EVALUATE, NULL, 0);
  nn_plan_get_output (plan, output);
  expect_close (name, "logits_eval", output, npz_find (file, "logits_eval"), 1e-3);
}

/* --- all entries --- */

static void
check_entries (gboolean networks)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (NnEngine) engine = nn_engine_new (2, &error);
  REQUIRE_NO_ERROR (error);
  g_autofree char *index = g_build_filename (test_golden_folder (), "torch", "index.json", NULL);
  json_parser_load_from_file (parser, index, &error);
  REQUIRE_NO_ERROR (error);
  JsonArray *entries = json_node_get_array (json_parser_get_root (parser));
  guint checked = 0;

  for (guint i = 0; i < json_array_get_length (entries); i++)
    {
      JsonObject *entry = json_array_get_object_element (entries, i);
      const char *name = json_object_get_string_member (entry, "file");
      g_autofree char *path = g_build_filename (test_golden_folder (), "torch", name, NULL);

      if (json_object_has_member (entry, "architecture") != networks)
        continue;
      g_autoptr (NpzFile) file = npz_load (path, &error);
      REQUIRE_NO_ERROR (error);
      if (networks)
        check_network (engine, name, entry, file);
      else
        check_block (engine, name, entry, file);
      checked++;
    }
  g_print ("%u entries of %s\n", checked, index);
  EXPECT_TRUE (checked > 0);
}

TEST (Golden, BlocksAgreeWithPyTorch)
{
  if (test_golden_folder () == NULL)
    SKIP ("no golden folder");
  check_entries (FALSE);
}

TEST (Golden, NetworksAgreeWithPyTorch)
{
  if (test_golden_folder () == NULL)
    SKIP ("no golden folder");
  check_entries (TRUE);
}
