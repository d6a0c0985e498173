/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "../plugins/fixtures.h"
#include "tiny.h"

#include "nn.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <string.h>

/* Multiply-accumulates of tiny-space's networks: the stem is 8·8 outputs × 8 channels × 27, the linear layer 8·4. A
 * wide block is 64 pixels × (8·24 + 24·9 + 24·8), a narrow one 64 × (8·8 + 8·9 + 8·8). */
#define SKIP_MACS (13824 + 32)
#define MIXED_MACS (SKIP_MACS + 38400 + 12800)

static char *
write_list (const char *text)
{
  return fixture_write (test_temporary_folder (), "list.json", text);
}

/* Runs cleave bench --json on the tiny config with a list of architectures and MORE (nullable) in one argument. */
static JsonNode *
bench (const char *list, const char *n_repeats, const char *more)
{
  g_autofree char *config = tiny_write_config (test_temporary_folder ());
  g_autofree char *path = write_list (list);
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *root;

  EXPECT_INT (test_run_cleave (&out, &err, "bench", config, "--plugin-path", tiny_plugins (), "--json", "--threads",
                               "1", "--steps", "1", "--repeats", n_repeats, "--architectures", path, more, NULL),
              0);
  EXPECT_STRING (err, "");
  root = json_from_string (out, &error);
  EXPECT_NO_ERROR (error);
  return root;
}

/* NaN where there is none. */
static double
get (JsonObject *object, const char *key)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, key) : NULL;

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : NAN;
}

static JsonObject *
get_architecture (JsonObject *root, guint index)
{
  return json_array_get_object_element (json_object_get_array_member (root, "architectures"), index);
}

/* Each number follows from others of the same output. One architecture: its milliseconds are the list's rate. */
TEST (Bench, NumbersFollowFromEachOther)
{
  static const char *const works[] = { "train", "pretrain", "infer", "score" };
  static const double flops_per_mac[] = { 6, 6, 2 };
  g_autoptr (JsonNode) node = bench ("[[0, 1, 2]]", "3", NULL);
  REQUIRE (node != NULL);
  JsonObject *root = json_node_get_object (node);
  JsonObject *architecture = get_architecture (root, 0);
  double peak_gflops = get (root, "gemm_peak_gflops");

  EXPECT_INT (json_array_get_length (json_object_get_array_member (root, "architectures")), 1);
  EXPECT_NEAR (get (architecture, "macs"), MIXED_MACS, 0);
  EXPECT_TRUE (peak_gflops > 0 && get (root, "memory_gb_per_s") > 0);
  for (guint i = 0; i < G_N_ELEMENTS (works); i++)
    {
      g_autofree char *rate_key = g_strconcat (works[i], "_images_per_s", NULL);
      g_autofree char *minimum_key = g_strconcat ("minimum_", rate_key, NULL);
      g_autofree char *maximum_key = g_strconcat ("maximum_", rate_key, NULL);
      g_autofree char *ms_key = g_strconcat (works[i], "_ms_per_image", NULL);
      g_autofree char *gflops_key = g_strconcat (works[i], "_gflops", NULL);
      g_autofree char *share_key = g_strconcat (works[i], "_gemm_peak_share", NULL);
      double rate = get (root, rate_key);

      EXPECT_TRUE (get (root, minimum_key) <= rate && rate <= get (root, maximum_key));
      EXPECT_RELATIVE (get (architecture, ms_key), 1000 / rate, 1e-9);
      if (i == G_N_ELEMENTS (flops_per_mac))
        break;
      EXPECT_RELATIVE (get (root, gflops_key), 1e-9 * flops_per_mac[i] * MIXED_MACS * rate, 1e-9);
      EXPECT_RELATIVE (get (architecture, gflops_key), get (root, gflops_key), 1e-9);
      EXPECT_RELATIVE (get (root, share_key), get (root, gflops_key) / peak_gflops, 1e-9);
    }
  EXPECT_INT (get (root, "threads"), 1);
  EXPECT_INT (get (root, "batch"), 8); /* the config's */
  EXPECT_INT (get (root, "steps"), 1);
  EXPECT_INT (get (root, "repeats"), 3);
  EXPECT_INT (get (root, "split"), 2); /* the middle of 0 … 3, rounded up */
  EXPECT_NEAR (get (root, "drop_rate"), 0.5, 0);
  EXPECT_TRUE (!json_object_has_member (root, "profile"));
}

/* Images of the list by its time: the harmonic mean of the architectures' rates. Operations by the mean's MACs. */
TEST (Bench, ListCountsByItsTime)
{
  g_autoptr (JsonNode) node = bench ("[[0, 1, 2], [2, 2, 2]]", "1", "--batch=5");
  REQUIRE (node != NULL);
  JsonObject *root = json_node_get_object (node);
  JsonObject *first = get_architecture (root, 0), *second = get_architecture (root, 1);
  double rate = get (root, "train_images_per_s");

  EXPECT_INT (get (root, "batch"), 5);
  EXPECT_NEAR (get (second, "macs"), SKIP_MACS, 0);
  EXPECT_RELATIVE (rate, 2000 / (get (first, "train_ms_per_image") + get (second, "train_ms_per_image")), 1e-9);
  EXPECT_RELATIVE (get (root, "train_gflops"), 6e-9 * (MIXED_MACS + SKIP_MACS) / 2 * rate, 1e-9);
  EXPECT_INT (json_array_get_int_element (json_object_get_array_member (first, "architecture"), 1), 1);
  EXPECT_INT (json_array_get_length (json_object_get_array_member (first, "architecture")), 3);
}

/* The tiny config has 2, 2 and 3 epochs and two samples a step in pre-training and search; of 51 images, 26 are for
 * weights and 25 for the search. */
TEST (Bench, ScheduleIsTheConfigs)
{
  g_autoptr (JsonNode) node = bench ("[[2, 2, 2]]", "1", "--images=51");
  REQUIRE (node != NULL);
  JsonObject *root = json_node_get_object (node);
  REQUIRE (json_object_has_member (root, "schedule"));
  JsonObject *schedule = json_object_get_object_member (root, "schedule");
  double pretrain_s = 2 * 26 * 2 / get (root, "pretrain_images_per_s");
  double search_s = 2 * 25 * 2 / get (root, "score_images_per_s");
  double retrain_s = 3 * 51 / get (root, "train_images_per_s");

  EXPECT_INT (get (schedule, "train_images"), 51);
  EXPECT_RELATIVE (get (schedule, "pretrain_hours"), pretrain_s / 3600, 1e-9);
  EXPECT_RELATIVE (get (schedule, "search_hours"), search_s / 3600, 1e-9);
  EXPECT_RELATIVE (get (schedule, "retrain_hours"), retrain_s / 3600, 1e-9);
  EXPECT_RELATIVE (get (schedule, "total_hours"), (pretrain_s + search_s + retrain_s) / 3600, 1e-9);
}

/* Kinds of work and waiting make up the whole of each, and no kind takes longer than all threads did. */
TEST (Bench, ProfileAddsUp)
{
  static const char *const works[] = { "train", "pretrain", "infer", "score" };
  static const char *const kinds[]
      = { "gemm", "depthwise", "norm", "elementwise", "optimiser", "data", "waiting", "total" };
  g_autoptr (JsonNode) node = bench ("[[0, 1, 2]]", "1", "--profile");
  REQUIRE (node != NULL);
  JsonObject *root = json_node_get_object (node);
  REQUIRE (json_object_has_member (root, "profile"));
  JsonObject *profile = json_object_get_object_member (root, "profile");

  EXPECT_TRUE (get (profile, "augment_images_per_s") > 0);
  for (guint w = 0; w < G_N_ELEMENTS (works); w++)
    {
      REQUIRE (json_object_has_member (profile, works[w]));
      JsonObject *work = json_object_get_object_member (profile, works[w]);
      double sum = 0, total = get (work, "total_us_per_image");

      EXPECT_INT (json_object_get_size (work), G_N_ELEMENTS (kinds));
      for (guint k = 0; k + 1 < G_N_ELEMENTS (kinds); k++)
        {
          g_autofree char *key = g_strconcat (kinds[k], "_us_per_image", NULL);

          EXPECT_TRUE (get (work, key) >= 0 && get (work, key) <= total);
          sum += get (work, key);
        }
      EXPECT_RELATIVE (sum, total, 1e-9);
    }
}

/* FBNet with nothing but skips keeps the 1×1 convolutions that change the shape:
 * stem 32²·16·27, then 32²·24·16, 16²·32·24, 8²·64·32, 8²·112·64, 4²·184·112, 4²·352·184, header 4²·1504·352, linear
 * 1504·100. Memory is what the engine says of the same network. */
TEST (Bench, DefaultConfig)
{
  const double macs = 442368 + 393216 + 196608 + 131072 + 458752 + 329728 + 1036288 + 8470528 + 150400;
  const guint choices[] = { 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 11 };
  g_autofree char *list = write_list ("[[8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]]");
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = fixture_host ();
  g_autoptr (GObject) space = cleave_host_create (host, CLEAVE_KIND_SPACE, "fbnet", &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (CleaveCandidate) candidate = cleave_candidate_new (choices, G_N_ELEMENTS (choices));
  g_autoptr (CleaveNetwork) network = cleave_space_build (CLEAVE_SPACE (space), candidate, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (NnEngine) engine = nn_engine_new (1, &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_INT (test_run_cleave (&out, NULL, "bench", "--architectures", list, "--batch", "2", "--steps", "1",
                               "--repeats", "1", "--threads", "1", "--json", NULL),
              0);
  g_autoptr (JsonNode) node = json_from_string (out, &error);
  REQUIRE_NO_ERROR (error);
  REQUIRE (node != NULL);
  JsonObject *root = json_node_get_object (node);
  JsonObject *architecture = get_architecture (root, 0);

  EXPECT_STRING (json_object_get_string_member (root, "config"), "nasc-fbnet");
  EXPECT_INT (get (root, "split"), 11);
  EXPECT_NEAR (get (architecture, "macs"), macs, 0);
  EXPECT_INT (get (architecture, "train_plan_bytes"), nn_plan_measure (engine, network, 2, NN_PLAN_BACKWARD, &error));
  EXPECT_INT (get (architecture, "infer_plan_bytes"), nn_plan_measure (engine, network, 2, NN_PLAN_FORWARD, &error));
  REQUIRE_NO_ERROR (error);
}

/* The last column of the table, the architectures, where no list is given. */
static char *
draw_architectures (void)
{
  g_autofree char *config = tiny_write_config (test_temporary_folder ());
  g_autofree char *out = NULL;
  g_auto (GStrv) lines = NULL;
  GString *column = g_string_new (NULL);

  EXPECT_INT (test_run_cleave (&out, NULL, "bench", config, "--plugin-path", tiny_plugins (), "--threads", "1",
                               "--steps", "1", "--repeats", "1", "--profile", NULL),
              0);
  EXPECT_TRUE (strstr (out, ": 8 architectures, batch 8, split point 2, dropout 0.5; steps: 1, repeats: 1\n") != NULL);
  EXPECT_TRUE (strstr (out, "\nschedule ") != NULL && strstr (out, "\ndepthwise ") != NULL);
  lines = g_strsplit (out, "\n", -1);
  /* Two lines of heading, an empty one and two heads of columns come first. */
  for (guint i = 5; g_strv_length (lines) > 13 && i < 13; i++)
    g_string_append_printf (column, "%s\n", lines[i][0] != '\0' ? strrchr (lines[i], ' ') + 1 : "");
  return g_string_free (column, FALSE);
}

/* Eight, each three numbers, the same at every call and not eight times one. */
TEST (Bench, DrawsTheSameArchitectures)
{
  g_autofree char *drawn = draw_architectures ();
  g_autofree char *again = draw_architectures ();
  g_auto (GStrv) architectures = g_strsplit (drawn, "\n", -1);
  gboolean differ = FALSE;

  EXPECT_STRING (again, drawn);
  REQUIRE (g_strv_length (architectures) == 9);
  for (guint i = 0; i < 8; i++)
    {
      EXPECT_TRUE (g_regex_match_simple ("^[0-2],[0-2],[0-2]$", architectures[i], 0, 0));
      differ = differ || !g_str_equal (architectures[i], architectures[0]);
    }
  EXPECT_TRUE (differ);
}

TEST (Bench, MistakesInTheList)
{
  const struct
  {
    const char *list, *text;
  } mistakes[] = {
    { "[[0, 1,", "list.json: can't be read as JSON: " },
    { "", "list.json: it is empty, expected a list of one architecture or more" },
    { "[]", "list.json: it is [], expected a list of one architecture or more" },
    { "{\"a\": 1}", "list.json: it is {\"a\":1}, expected a list of one architecture or more" },
    { "[0, 1, 2]", "list.json: entry 1 is 0, expected a list of 3 numbers" },
    { "[[0, 1, 2], [0, 1]]", "list.json: entry 2 has 2 numbers, expected 3" },
    { "[[0, 1, 2, 0]]", "list.json: entry 1 has 4 numbers, expected 3" },
    { "[[0, 1, 2], [0, 3, 1]]", "list.json: entry 2, number 2 (second) is 3, expected a whole number from 0 to 2\n" },
    { "[[0, 1, -1]]", "list.json: entry 1, number 3 (third) is -1, expected a whole number from 0 to 2\n" },
    { "[[0.5, 1, 2]]", "list.json: entry 1, number 1 (first) is 0.5, expected a whole number from 0 to 2\n" },
    { "[[\"wide\", 1, 2]]", "list.json: entry 1, number 1 (first) is \"wide\", expected a whole number" },
    { "[[null, [1], 2]]", "list.json: entry 1, number 1 (first) is null, expected a whole number" },
    { "[[0, [1], 2]]", "list.json: entry 1, number 2 (second) is [1], expected a whole number" },
    { "[\"ääääääääääääääääääääääääääääääääääääääääääääääääääää\"]",
      "entry 1 is \"äääääääääääääääääääääääääääääääääääääää…, expected a list" },
  };
  g_autofree char *config = tiny_write_config (test_temporary_folder ());

  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *list = write_list (mistakes[i].list);
      g_autofree char *out = NULL, *err = NULL;

      EXPECT_INT (test_run_cleave (&out, &err, "bench", config, "--plugin-path", tiny_plugins (), "--architectures",
                                   list, NULL),
                  2);
      test_check (strstr (err, mistakes[i].text) != NULL, __FILE__, __LINE__, "“%s” says: %s, expected: %s",
                  mistakes[i].list, err, mistakes[i].text);
      EXPECT_TRUE (strstr (err, list) != NULL && g_str_has_prefix (err, "cleave: "));
      EXPECT_STRING (strchr (err, '\n'), "\n"); /* one line */
      EXPECT_STRING (out, "");
    }
}

TEST (Bench, MistakesInOptions)
{
  const struct
  {
    const char *option, *text;
  } mistakes[] = {
    { "--batch=-1", "--batch -1: expected a whole number from 1 to 65536" },
    { "--batch=65537", "--batch 65537: expected" },
    { "--batch=x", "see cleave bench --help" },
    { "--steps=0", "--steps 0: expected a whole number from 1 to" },
    { "--repeats=0", "--repeats 0: expected a whole number from 1 to" },
    { "--images=1", "--images 1: expected a whole number from 2 to" },
    { "--threads=-1", "--threads -1: expected" },
    { "--architectures=/nowhere/list.json", "/nowhere/list.json: can't be read as JSON: " },
    { "--set=retrain.drop-rate=2", "drop-rate" },
    { "another-config", "usage: cleave bench [OPTION…] [CONFIG]" },
  };
  g_autofree char *config = tiny_write_config (test_temporary_folder ());

  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *out = NULL, *err = NULL;

      EXPECT_INT (
          test_run_cleave (&out, &err, "bench", config, "--plugin-path", tiny_plugins (), mistakes[i].option, NULL), 2);
      test_check (strstr (err, mistakes[i].text) != NULL, __FILE__, __LINE__, "%s says: %s, expected: %s",
                  mistakes[i].option, err, mistakes[i].text);
      EXPECT_STRING (out, "");
    }
}

/* A shell's background jobs ignore it, and so would theirs. */
static void
heed_interrupt (gpointer data)
{
  signal (SIGINT, SIG_DFL);
}

/* Wherever the command is at that moment: the steps asked for would take hours. */
TEST (Bench, InterruptEndsIt)
{
  g_autofree char *command = tiny_command ();
  g_autofree char *config = tiny_write_config (test_temporary_folder ());
  const char *const arguments[] = { command, "bench",   config,    "--plugin-path", tiny_plugins (), "--threads",
                                    "1",     "--steps", "1000000", "--repeats",     "1000000",       NULL };
  g_autoptr (GError) error = NULL;
  GPid process = 0;

  g_spawn_async (NULL, (char **)arguments, NULL,
                 G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, heed_interrupt,
                 NULL, &process, &error);
  REQUIRE_NO_ERROR (error);
  kill (process, SIGINT);
  EXPECT_INT (tiny_wait (process), 130);
}
