/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A search whose config names a plugin that breaks its promises ends in one clear line. */
#include "../conformance/suite.h"
#include "../plugins/fixtures.h"
#include "tiny.h"

#include <string.h>

/* SECTION's plugin, and its fault (nullable), in the tiny search. */
static void
expect_line (const char *section, const char *plugin, const char *fault, int status, const char *text)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  g_autofree char *plugin_set = g_strdup_printf ("%s.plugin=%s", section, plugin);
  g_autofree char *fault_set = fault != NULL ? g_strdup_printf ("%s.fault=%s", section, fault) : NULL;
  const char *more[] = { "--plugin-path",
                         suite_fixtures (),
                         "--plugin-path",
                         fixture_plugins (),
                         "--set",
                         plugin_set,
                         fault != NULL ? "--set" : NULL,
                         fault_set,
                         NULL };
  g_autofree char *err = NULL;
  const char *line;

  EXPECT_INT (tiny_search (out, more, &err), status);
  line = strstr (err, "cleave: ");
  while (line != NULL && g_str_has_prefix (line, "cleave: warning: "))
    line = strstr (line + 1, "cleave: ");
  test_check (line != NULL && strstr (line, text) != NULL && strchr (line, '\n') == line + strlen (line) - 1, __FILE__,
              __LINE__, "%s, %s: “%s” is not in the last line of\n%s", plugin, fault != NULL ? fault : "", text, err);
}

TEST (FaultySearch, AFaultlessOneIsDone)
{
  g_autofree char *out = g_build_filename (test_temporary_folder (), "out", NULL);
  const char *more[] = { "--plugin-path",
                         suite_fixtures (),
                         "--set",
                         "dataset.plugin=faulty-dataset",
                         "--set",
                         "space.plugin=faulty-space",
                         "--set",
                         "device.plugin=faulty-oracle",
                         "--set",
                         "server.plugin=faulty-oracle",
                         "--set",
                         "channel.plugin=faulty-channel",
                         "--set",
                         "optimizer.plugin=faulty-optimizer",
                         NULL };

  EXPECT_INT (tiny_search (out, more, NULL), 0);
}

TEST (FaultySearch, WhatCannotBeLoaded)
{
  static const char *const cases[][2] = {
    { "missing-module", "plugin missing-module: its module can't be loaded: " },
    { "no-symbol", "it has no peas_register_types" },
    { "wrong-api", "made for another version of Cleave, expected 1.0" },
    { "taken-type", "the type name CleaveHost is taken by another plugin or library" },
    { "missing-library", "libcleave-absent.so.9" },
    { "missing-dependency", "it depends on the plugin plugin-that-is-nowhere" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    expect_line ("channel", cases[i][0], NULL, 2, cases[i][1]);
}

TEST (FaultySearch, NumbersThatAreNone)
{
  expect_line ("device", "faulty-oracle", "nan", 2, "FaultyOracle: “estimate” gave nan seconds");
  expect_line ("server", "faulty-oracle", "negative", 2, "FaultyOracle: “estimate” gave -1 seconds");
  expect_line ("channel", "faulty-channel", "nan seconds", 2, "FaultyChannel: the channel gave nan seconds");
  expect_line ("channel", "faulty-channel", "nan bits", 2, "FaultyChannel: the channel gave nan bits");
  expect_line ("channel", "faulty-channel", "nan drop rate", 2, "FaultyChannel: its own drop rate is nan");
  expect_line ("dataset", "faulty-dataset", "nan mean", 2, "FaultyDataset: channel 1 has mean nan");
}

TEST (FaultySearch, WrongShapes)
{
  expect_line ("space", "faulty-space", "no pool", 2,
               "its networks give 2048 numbers an image, but [dataset] has 4 classes");
  expect_line ("space", "faulty-space", "other classes", 2, "5 numbers an image, but [dataset] has 4 classes");
  expect_line ("space", "faulty-space", "other images", 2, "3×17×17");
  expect_line ("space", "faulty-space", "no cut", 2, "a network without a cut for split 0");
  expect_line ("dataset", "faulty-dataset", "too few pixels", 2, "49151 bytes of pixels and 128 of labels");
  expect_line ("dataset", "faulty-dataset", "wrong label", 1, "label 4 of image 9 is outside 0–3");
  expect_line ("channel", "faulty-channel", "too many losses", 2, "FaultyChannel: the channel's draw_losses gave ");
}

TEST (FaultySearch, OptimizersWithoutEnd)
{
  expect_line ("optimizer", "faulty-optimizer", "never done", 2, "still asks for trials ");
  expect_line ("optimizer", "faulty-optimizer", "outside", 2, "first 7 is outside 0–2");
  expect_line ("optimizer", "faulty-optimizer", "too short", 2, "architecture has 2 numbers, expected 3");
  expect_line ("optimizer", "faulty-optimizer", "recommends outside", 2, "split 9 is outside 0–3");
}
