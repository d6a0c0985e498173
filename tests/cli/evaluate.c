/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tiny.h"

#include "npz.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* A finished run, and the path of its model. */
static char *
make_model (char **out)
{
  *out = g_build_filename (test_temporary_folder (), "out", NULL);
  EXPECT_INT (tiny_search (*out, NULL, NULL), 0);
  return g_build_filename (*out, "model.npz", NULL);
}

static JsonNode *
read_accuracies (const char *text)
{
  g_autoptr (JsonNode) root = json_from_string (text, NULL);

  return root != NULL ? json_node_copy (json_object_get_member (json_node_get_object (root), "accuracies")) : NULL;
}

TEST (Evaluate, repeats_what_the_run_reported)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  g_autofree char *result = tiny_read (out, "result.json");
  g_autofree char *text = NULL;
  g_autofree char *other_batch = NULL;
  g_autoptr (JsonNode) expected = read_accuracies (result);
  g_autoptr (JsonNode) actual = NULL;

  EXPECT_INT (test_run_cleave (&text, NULL, "evaluate", model, "--plugin-path", tiny_plugins (), "--json", NULL), 0);
  actual = read_accuracies (text);
  REQUIRE (expected != NULL && actual != NULL);
  EXPECT_INT (json_array_get_length (json_node_get_array (actual)), 4); /* 0.2, 0.5, always 0 and the channel's 0.25 */
  EXPECT_TRUE (json_node_equal (actual, expected));

  /* 44 test images are no multiple of either batch size. */
  EXPECT_INT (test_run_cleave (&other_batch, NULL, "evaluate", model, "--plugin-path", tiny_plugins (), "--json",
                               "--threads", "1", "--set", "training.batch-size=5", NULL),
              0);
  EXPECT_STRING (other_batch, text);
}

TEST (Evaluate, another_list_of_rates_repeats_those_it_shares)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  g_autofree char *result = tiny_read (out, "result.json");
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) expected = read_accuracies (result);
  g_autoptr (JsonNode) actual = NULL;

  EXPECT_INT (test_run_cleave (&text, NULL, "evaluate", model, "--plugin-path", tiny_plugins (), "--json",
                               "--drop-rates", "0.5", NULL),
              0);
  actual = read_accuracies (text);
  REQUIRE (expected != NULL && actual != NULL);
  EXPECT_INT (json_array_get_length (json_node_get_array (actual)), 1);
  EXPECT_TRUE (json_node_equal (json_array_get_element (json_node_get_array (actual), 0),
                                json_array_get_element (json_node_get_array (expected), 3)));
}

TEST (Evaluate, outputs_agree_with_the_accuracy)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  g_autofree char *folder = g_build_filename (test_temporary_folder (), "outputs", NULL);
  g_autofree char *logits_path = g_build_filename (folder, "logits.npy", NULL);
  g_autofree char *predictions_path = g_build_filename (folder, "predictions.npy", NULL);
  g_autofree char *text = NULL;
  g_autoptr (NpzFile) file = NULL;
  g_autoptr (GError) error = NULL;
  const gsize shape[2] = { 44, 4 };
  const NpyArray *logits, *predictions;

  g_mkdir_with_parents (folder, 0700);
  EXPECT_INT (test_run_cleave (&text, NULL, "evaluate", model, "--plugin-path", tiny_plugins (), "--logits",
                               logits_path, "--predictions", predictions_path, "--drop-rates", "0.5", NULL),
              0);
  /* A folder of .npy files reads like an .npz. */
  file = npz_load (folder, &error);
  REQUIRE_NO_ERROR (error);
  logits = npz_expect (file, "logits", NPY_FLOAT32, 2, shape, &error);
  REQUIRE_NO_ERROR (error);
  predictions = npz_expect (file, "predictions", NPY_INT32, 1, shape, &error);
  REQUIRE_NO_ERROR (error);
  for (gsize i = 0; i < 44; i++)
    {
      const float *row = (const float *)logits->data + 4 * i;
      gint32 prediction = ((const gint32 *)predictions->data)[i];

      REQUIRE (prediction >= 0 && prediction < 4);
      for (gsize c = 0; c < 4; c++)
        EXPECT_TRUE (row[prediction] >= row[c]);
    }
}

TEST (Evaluate, a_model_that_does_not_fit_is_refused)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  REQUIRE (model != NULL);
  g_autofree char *stray = g_build_filename (out, "stray.npz", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveArchiveWriter) writer = cleave_archive_writer_new (stray, &error);
  const gsize shape[1] = { 4 };
  const float values[4] = { 0 };
  g_autofree char *err = NULL;

  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (npz_write_array (writer, "fc.bias", NPY_FLOAT32, 1, shape, values, &error));
  EXPECT_TRUE (cleave_archive_writer_close (writer, &error));
  REQUIRE_NO_ERROR (error);
  EXPECT_INT (test_run_cleave (NULL, &err, "evaluate", stray, "--plugin-path", tiny_plugins (), NULL), 1);
  EXPECT_TRUE (strstr (err, "missing: stem.conv.weight, stem.bn.weight") != NULL);
  EXPECT_TRUE (strstr (err, "fc.weight") != NULL);
}

TEST (Evaluate, wrong_arguments_are_told)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  g_autofree char *err = NULL;
  g_autofree char *folder_err = NULL;

  EXPECT_INT (
      test_run_cleave (NULL, &err, "evaluate", model, "--plugin-path", tiny_plugins (), "--drop-rates", "0,2", NULL),
      2);
  EXPECT_TRUE (strstr (err, "--drop-rates") != NULL);
  EXPECT_TRUE (test_run_cleave (NULL, &folder_err, "evaluate", model, "--plugin-path", tiny_plugins (), "--run",
                                test_temporary_folder (), NULL)
               != 0);
  EXPECT_TRUE (strstr (folder_err, "config.ini") != NULL);
}

/* 12 is BLIS's Bulldozer, which no other processor can run, and 999 is nothing: BLIS itself would end the process. */
TEST (Evaluate, a_blis_configuration_that_cannot_run_is_refused)
{
  g_autofree char *out = NULL;
  g_autofree char *model = make_model (&out);
  g_autofree char *before = g_strdup (g_getenv ("BLIS_ARCH_TYPE"));
  const char *const chosen[] = { "12", "999" };

  for (gsize i = 0; i < G_N_ELEMENTS (chosen); i++)
    {
      g_autofree char *err = NULL;

      g_setenv ("BLIS_ARCH_TYPE", chosen[i], TRUE);
      int status = test_run_cleave (NULL, &err, "evaluate", model, "--plugin-path", tiny_plugins (), NULL);
      EXPECT_TRUE (status == 2 || (i == 0 && status == 0));
      EXPECT_TRUE (status == 0 || strstr (err, "BLIS_ARCH_TYPE=") != NULL);
    }
  if (before != NULL)
    g_setenv ("BLIS_ARCH_TYPE", before, TRUE);
  else
    g_unsetenv ("BLIS_ARCH_TYPE");
}
