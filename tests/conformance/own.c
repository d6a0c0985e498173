/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every plugin of the project keeps what its kind promises. */
#include "suite.h"

#include <string.h>

/* CIFAR-100 is unpacked once: it is loaded often here. NULL where the archive is absent. */
static char *
unpack_cifar100 (void)
{
  const char *data = test_data_folder (), *folder = test_temporary_folder (), *name;
  g_autofree char *path = data != NULL ? g_build_filename (data, "cifar-100-binary.tar.gz", NULL) : NULL;
  g_autoptr (CleaveArchive) archive = path != NULL ? cleave_archive_open (path, NULL) : NULL;
  g_autoptr (GError) error = NULL;

  if (archive == NULL)
    return NULL;
  while ((name = cleave_archive_next (archive, &error)) != NULL)
    {
      g_autofree char *base = g_path_get_basename (name);
      g_autofree char *file = g_build_filename (folder, base, NULL);
      g_autoptr (GBytes) bytes = cleave_archive_read_bytes (archive, 1 << 28, &error);

      if (!EXPECT_NO_ERROR (error))
        return NULL;
      g_file_set_contents_full (file, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                                G_FILE_SET_CONTENTS_NONE, 0600, &error);
      EXPECT_NO_ERROR (error);
    }
  EXPECT_NO_ERROR (error);
  return g_strdup (folder);
}

static char *
find_table (void)
{
  const char *data = test_data_folder ();
  g_autofree char *path = data != NULL ? g_build_filename (data, "hw-nas-bench-fbnet.json", NULL) : NULL;

  return path != NULL && g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path) : NULL;
}

/* No line fails. None is skipped, unless the plugin lacks a file. */
static void
expect_kept (const char *plugin, const char *report, gboolean may_skip)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);

  test_check (g_strv_length (lines) > 9, __FILE__, __LINE__, "%s: only these checks were run:\n%s", plugin, report);
  for (gsize i = 0; lines[i] != NULL; i++)
    test_check (!g_str_has_prefix (lines[i], "FAIL") && (may_skip || !g_str_has_prefix (lines[i], "skip")), __FILE__,
                __LINE__, "%s: %s", plugin, lines[i]);
}

static void
check_kind (CleaveKind kind)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GPtrArray) plugins = cleave_host_list (host);
  g_autofree char *cifar100 = kind == CLEAVE_KIND_DATASET ? unpack_cifar100 () : NULL;
  g_autofree char *table = kind == CLEAVE_KIND_ORACLE ? find_table () : NULL;
  guint n_checked = 0;

  for (guint i = 0; i < plugins->len; i++)
    {
      const CleavePluginDescription *plugin = plugins->pdata[i];
      const char *const few_images[] = { "train-images", "64", "test-images", "64", NULL };
      const char *const real_images[] = { "path", cifar100 != NULL ? cifar100 : "/nonexistent", NULL };
      const char *const latencies[] = { "table", table != NULL ? table : "", "device", "raspi4", NULL };
      const char *const *parameters = NULL;
      gboolean may_skip = FALSE;

      if (plugin->kind != kind)
        continue;
      if (g_str_equal (plugin->name, "synthetic"))
        parameters = few_images;
      if (g_str_equal (plugin->name, "cifar100"))
        {
          parameters = real_images;
          may_skip = cifar100 == NULL;
        }
      if (g_str_equal (plugin->name, "hw-nas-bench"))
        {
          parameters = latencies;
          may_skip = table == NULL;
        }
      g_autofree char *report = suite_run_plugin (host, plugin->name, parameters, "fbnet");
      expect_kept (plugin->name, report, may_skip);
      n_checked++;
    }
  EXPECT_TRUE (n_checked > 0);
}

TEST (Conformance, EveryOwnSpace) { check_kind (CLEAVE_KIND_SPACE); }

TEST (Conformance, EveryOwnOracle) { check_kind (CLEAVE_KIND_ORACLE); }

TEST (Conformance, EveryOwnChannel) { check_kind (CLEAVE_KIND_CHANNEL); }

TEST (Conformance, EveryOwnOptimizer) { check_kind (CLEAVE_KIND_OPTIMIZER); }

TEST (Conformance, EveryOwnDataset) { check_kind (CLEAVE_KIND_DATASET); }
