/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plugins/fixtures.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const char config[] = "[dataset]\nplugin = synthetic\n[space]\nplugin = fbnet\n"
                             "[device]\nplugin = flops\ndevice = raspi4\n[server]\nplugin = flops\ndevice = edgegpu\n"
                             "[channel]\nplugin = lossy-link\n[optimizer]\nplugin = asng\n";

/* Runs check on the config with one assignment; gives the exit status. */
static int
check_with (const char *assignment, char **err)
{
  g_autofree char *path = fixture_write (test_temporary_folder (), "exp.ini", config);

  return test_run_cleave (NULL, err, "check", path, "--no-data", "--set", assignment, NULL);
}

TEST (Check, ReportsWhatItFound)
{
  g_autofree char *path = fixture_write (test_temporary_folder (), "exp.ini", config);
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonObject *root, *space, *channel;

  EXPECT_INT (test_run_cleave (&out, &err, "check", "--json", path, NULL), 0);
  EXPECT_STRING (err, "");
  json_parser_load_from_data (parser, out, -1, &error);
  REQUIRE_NO_ERROR (error);
  root = json_node_get_object (json_parser_get_root (parser));
  REQUIRE (json_object_has_member (root, "space") && json_object_has_member (root, "channel"));
  space = json_object_get_object_member (root, "space");
  channel = json_object_get_object_member (root, "channel");
  /* 22 blocks of nine choices, 23 split points. */
  EXPECT_INT (json_object_get_int_member (space, "variables"), 23);
  EXPECT_INT (json_object_get_int_member (space, "networks"), 22 * 9 * 2 + 23);
  /* After a block of stage 1: 24×32×32; of stage 5: 184×4×4. At 32 bit and 8 Mbit/s, 4 µs an element. */
  EXPECT_NEAR (json_object_get_double_member (space, "maximum_payload_elements"), 24 * 32 * 32, 0);
  EXPECT_NEAR (json_object_get_double_member (space, "minimum_payload_elements"), 184 * 4 * 4, 0);
  EXPECT_RELATIVE (json_object_get_double_member (channel, "maximum_ms"), 24 * 32 * 32 * 4e-3, 1e-12);
}

TEST (Check, SaysTheFirstProblem)
{
  static const char *const cases[][2] = {
    { "channel.throughput=8 kg", "[channel] throughput = 8 kg: expected a number in bit/s" },
    { "chanel.throughput=8", "[chanel]: no such section; did you mean [channel]?" },
    { "optimizer.sampels=2", "[optimizer] sampels: no such parameter of asng; did you mean samples?" },
    { "pretrain.epochs=-1", "[pretrain] epochs = -1: expected 0 to" },
    { "search.eopchs=1", "[search] eopchs: no such key; did you mean epochs?" },
    { "space.plugin=fbnte", "no such space plugin as fbnte; did you mean fbnet?" },
    { "space.plugin=asng", "asng is an optimizer, expected a space" },
    { "space.macro-architecture=imagenet",
      "its networks take images of 3×224×224, but those of [dataset] are 3×32×32" },
    { "space.classes=10", "its networks give 10 numbers an image, but [dataset] has 100 classes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *err = NULL;

      EXPECT_INT (check_with (cases[i][0], &err), 2);
      test_check (strstr (err, cases[i][1]) != NULL, __FILE__, __LINE__, "%s gave:\n%s", cases[i][0], err);
      test_check (g_str_has_prefix (err, "cleave: "), __FILE__, __LINE__, "%s gave:\n%s", cases[i][0], err);
    }
}

TEST (Check, LooksIntoNestedComponents)
{
  static const char *const cases[][2] = {
    { "optimizer.search.alhpa=2", "--set: [optimizer.search] alhpa: no such parameter of asng; did you mean alpha?" },
    { "optimizer.search.alpha=2 ms", "--set: [optimizer.search] alpha = 2 ms: expected" },
    { "optimizer.search=fbnet", "--set: [optimizer] search = fbnet: fbnet is a space, expected an optimizer" },
    { "optimizer.serach=asng", "--set: [optimizer] serach: no such parameter of hwnas; did you mean search?" },
    { "optimizer.serach.alpha=2", "--set: [optimizer.serach]: no such section; did you mean [optimizer.search]?" },
  };
  g_autofree char *path = fixture_write (test_temporary_folder (), "exp.ini", config);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *err = NULL;

      EXPECT_INT (test_run_cleave (NULL, &err, "check", path, "--no-data", "--set", "optimizer.plugin=hwnas", "--set",
                                   cases[i][0], NULL),
                  2);
      test_check (strstr (err, cases[i][1]) != NULL, __FILE__, __LINE__, "%s gave:\n%s", cases[i][0], err);
    }
  EXPECT_INT (test_run_cleave (NULL, NULL, "check", path, "--no-data", "--set", "optimizer.plugin=hwnas", "--set",
                               "optimizer.search.alpha=2", NULL),
              0);
}

TEST (Check, CountsTheTrainingImages)
{
  g_autofree char *path = fixture_write (test_temporary_folder (), "exp.ini", config);
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "check", path, "--set", "dataset.train-images=64", NULL), 2);
  test_check (strstr (err, "[training] batch-size: 64 is more than half of the 64 training images") != NULL, __FILE__,
              __LINE__, "%s", err);
}

TEST (Check, LoadsTheDataUnlessToldNotTo)
{
  g_autofree char *path = fixture_write (test_temporary_folder (), "exp.ini", config);
  g_autofree char *err = NULL;

  EXPECT_INT (test_run_cleave (NULL, &err, "check", path, "--set", "dataset.plugin=cifar100", "--set",
                               "dataset.path=/nowhere.tar.gz", NULL),
              2);
  test_check (strstr (err, "/nowhere.tar.gz") != NULL, __FILE__, __LINE__, "%s", err);
  EXPECT_INT (test_run_cleave (NULL, NULL, "check", path, "--no-data", "--set", "dataset.plugin=cifar100", "--set",
                               "dataset.path=/nowhere.tar.gz", NULL),
              0);
}
