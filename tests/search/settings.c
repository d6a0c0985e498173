/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "settings.h"

#include "test.h"

static CleaveSettings *
read_settings (const char *text, GError **error)
{
  g_autoptr (CleaveConfig) config = cleave_config_load_from_text (text, NULL, error);

  return config != NULL ? cleave_settings_new (config, error) : NULL;
}

TEST (Settings, defaults_are_those_of_the_published_code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveSettings) settings = read_settings ("", &error);

  REQUIRE_NO_ERROR (error);
  /* NASC: Algorithm 1, section III-A; the rest as in the published ASNG-NAS code. */
  EXPECT_INT (settings->pretrain->epochs, 30);
  EXPECT_INT (settings->pretrain->samples, 2);
  EXPECT_NEAR (settings->pretrain->drop_rate, 0.5, 0);
  EXPECT_INT (settings->search->epochs, 90);
  EXPECT_INT (settings->retrain->epochs, 300);
  EXPECT_NEAR (settings->retrain->drop_rate, 0.5, 0);
  EXPECT_NEAR (settings->objective->latency_threshold, 30, 0);
  EXPECT_INT (settings->drop_rates->len, 6);
  for (guint i = 0; i < settings->drop_rates->len; i++)
    EXPECT_NEAR (g_array_index (settings->drop_rates, double, i), i / 10.0, 1e-15);
  EXPECT_INT (settings->training->batch_size, 64);
  EXPECT_NEAR (settings->training->learning_rate, 0.025, 0);
  EXPECT_NEAR (settings->training->momentum, 0.9, 0);
  EXPECT_NEAR (settings->training->weight_decay, 3e-4, 0);
  EXPECT_NEAR (settings->training->gradient_clip, 5, 0);
  EXPECT_INT (settings->training->crop_padding, 4);
  EXPECT_TRUE (settings->training->flip);
  EXPECT_INT (settings->training->cutout, 16);
  EXPECT_INT (settings->run->seed, 1);
}

TEST (Settings, resolved_text_reads_back_the_same)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveSettings) settings = read_settings ("[objective]\nlatency-threshold = 0.015 s\ndrop-rates = 0.25\n"
                                                       "[training]\nflip = false\nlearning-rate = 0.1\n"
                                                       "[run]\nseed = 4294967295\n",
                                                       &error);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) again = g_string_new (NULL);
  g_autoptr (CleaveSettings) reread = NULL;

  REQUIRE_NO_ERROR (error);
  EXPECT_NEAR (settings->objective->latency_threshold, 15, 0);
  cleave_settings_append_resolved (settings, text);
  reread = read_settings (text->str, &error);
  REQUIRE_NO_ERROR (error);
  cleave_settings_append_resolved (reread, again);
  EXPECT_STRING (again->str, text->str);
  EXPECT_TRUE (!reread->training->flip);
  EXPECT_NEAR (reread->training->learning_rate, 0.1, 0);
  EXPECT_TRUE (reread->run->seed == G_MAXUINT32);
}

TEST (Settings, wrong_ones_are_named)
{
  static const struct
  {
    const char *text;
    const char *part;
  } cases[] = {
    { "[retrian]\nepochs = 3\n", "retrain" },
    { "[retrain]\nepoch = 3\n", "epochs" },
    { "[objective]\nlatency-threshold = 30 bit/s\n", "latency-threshold" },
    { "[objective]\ndrop-rates = 0; 1\n", "drop-rates" },
    { "[objective]\ndrop-rates =\n", "drop-rates" },
    { "[training]\nbatch-size = 1\n", "batch-size" },
    { "[pretrain]\nsamples = 0\n", "samples" },
    { "[pretrain.optimizer]\n", "[pretrain.optimizer]: no such section" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (CleaveSettings) settings = read_settings (cases[i].text, &error);

      EXPECT_TRUE (settings == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, cases[i].part);
    }
}

TEST (Settings, a_batch_must_fit_in_each_half)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveSettings) settings = read_settings ("[training]\nbatch-size = 8\n", &error);

  REQUIRE_NO_ERROR (error);
  EXPECT_TRUE (cleave_settings_check_images (settings, 16, &error));
  EXPECT_TRUE (!cleave_settings_check_images (settings, 15, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "batch-size: 8 is more than half of the 15 training images");
}
