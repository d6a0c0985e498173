/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <json-glib/json-glib.h>

static double
calibrate (const char *file, const char *device)
{
  g_autofree char *table = g_build_filename (test_data_folder (), file, NULL);
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  EXPECT_INT (test_run_cleave (&out, &err, "calibrate", "--table", table, "--device", device, "--json", NULL), 0);
  EXPECT_STRING (err, "");
  if (!json_parser_load_from_data (parser, out, -1, &error))
    return EXPECT_NO_ERROR (error), 0;
  return json_object_get_double_member (json_node_get_object (json_parser_get_root (parser)), "gflops");
}

/* The paper's Table III, to every digit that it has, from both forms of the measurements. */
TEST (Calibrate, TableThree)
{
  static const char *const files[] = { "hw-nas-bench-fbnet.json", "hw-nas-bench-like.pickle" };
  if (test_data_folder () == NULL)
    SKIP ("no data folder");

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *table = g_build_filename (test_data_folder (), files[i], NULL);
      if (!g_file_test (table, G_FILE_TEST_EXISTS))
        SKIP ("no HW-NAS-Bench table");
      EXPECT_NEAR (calibrate (files[i], "edgegpu"), 8.0213, 0.00005);
      EXPECT_NEAR (calibrate (files[i], "raspi4"), 2.3562, 0.00005);
      g_autofree char *out = NULL;
      EXPECT_INT (test_run_cleave (&out, NULL, "calibrate", "--table", table, "--device", "edgegpu", NULL), 0);
      EXPECT_TRUE (g_str_has_prefix (out, "8.0213 GFLOPS\n"));
    }
}

TEST (Calibrate, Mistakes)
{
  g_autofree char *table = test_fixture ("latency-table.json");
  g_autofree char *missing = NULL, *device = NULL, *entry = NULL, *option = NULL;

  EXPECT_INT (test_run_cleave (NULL, &option, "calibrate", "--device", "small", NULL), 2);
  EXPECT_TRUE (g_strstr_len (option, -1, "--table is missing") != NULL);
  EXPECT_TRUE (test_run_cleave (NULL, &missing, "calibrate", "--table", "/nowhere/t", "--device", "d", NULL) != 0);
  EXPECT_TRUE (g_strstr_len (missing, -1, "/nowhere/t") != NULL);
  EXPECT_INT (test_run_cleave (NULL, &device, "calibrate", "--table", table, "--device", "huge", NULL), 2);
  EXPECT_TRUE (g_strstr_len (device, -1, "no device “huge”, expected one of: small, large") != NULL);
  EXPECT_INT (test_run_cleave (NULL, &entry, "calibrate", "--table", table, "--device", "small", NULL), 1);
  EXPECT_TRUE (g_strstr_len (entry, -1, "no entry ConvBlock_H32_W32_Cin16_Cout16_exp1_kernel3_stride1_group2") != NULL);
}
