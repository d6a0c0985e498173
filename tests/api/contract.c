/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Optimizers and channels that break their contract: the core says so and names them. */
#include "test.h"
#include <math.h>

/* An optimizer that fails without saying why, and a channel that answers what its members say. */
typedef struct
{
  GObject parent_instance;
  double seconds;
  double drop_rate;
  const char *metric;
  GBytes *losses;
} Broken;

typedef GObjectClass BrokenClass;

static void broken_optimizer_init (CleaveOptimizerInterface *iface);
static void broken_channel_init (CleaveChannelInterface *iface);
G_DEFINE_TYPE_WITH_CODE (Broken, broken, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CLEAVE_TYPE_OPTIMIZER, broken_optimizer_init)
                             G_IMPLEMENT_INTERFACE (CLEAVE_TYPE_CHANNEL, broken_channel_init))

static void
broken_class_init (BrokenClass *klass)
{
}

static void
broken_init (Broken *self)
{
}

static CleaveTrials *
broken_ask (CleaveOptimizer *self, double progress, CleaveRandom *random, GError **error)
{
  return NULL;
}

static gboolean
broken_tell (CleaveOptimizer *self, CleaveTrials *trials, const double *values, gsize n_values, GError **error)
{
  return FALSE;
}

/* Gives a state and an error at once: the error counts. */
static GVariant *
broken_save (CleaveOptimizer *self, GError **error)
{
  cleave_error_set_literal (error, CLEAVE_ERROR_NUMERIC, "the state is lost");
  return g_variant_new_int32 (1);
}

static GVariant *
broken_metrics (CleaveOptimizer *self, GError **error)
{
  const char *metric = ((Broken *)self)->metric;

  return metric != NULL ? g_variant_new_parsed ("{%s: 1.0}", metric) : g_variant_new_int32 (1);
}

static void
broken_optimizer_init (CleaveOptimizerInterface *iface)
{
  iface->ask = broken_ask;
  iface->tell = broken_tell;
  iface->save = broken_save;
  iface->metrics = broken_metrics;
}

static double
broken_seconds (CleaveChannel *self, gsize n_elements, GError **error)
{
  return ((Broken *)self)->seconds;
}

static double
broken_drop_rate (CleaveChannel *self, GError **error)
{
  return ((Broken *)self)->drop_rate;
}

static GBytes *
broken_draw_losses (CleaveChannel *self, gsize n_elements, double drop_rate, CleaveRandom *random, GError **error)
{
  GBytes *losses = ((Broken *)self)->losses;

  return losses != NULL ? g_bytes_ref (losses) : NULL;
}

static void
broken_channel_init (CleaveChannelInterface *iface)
{
  iface->seconds = broken_seconds;
  iface->drop_rate = broken_drop_rate;
  iface->draw_losses = broken_draw_losses;
}

TEST (Contract, OptimizerThatFailsInSilence)
{
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);
  CleaveOptimizer *optimizer = CLEAVE_OPTIMIZER (broken);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (CleaveTrials) none = cleave_trials_new ();
  GError *error = NULL;

  EXPECT_TRUE (cleave_optimizer_ask (optimizer, 0, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the optimizer's ask failed");
  EXPECT_TRUE (!cleave_optimizer_tell (optimizer, none, NULL, 0, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the optimizer's tell failed");
  EXPECT_TRUE (cleave_optimizer_save (optimizer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_NUMERIC, "the state is lost");
  EXPECT_TRUE (cleave_optimizer_recommend (optimizer, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the optimizer has no method recommend");
  EXPECT_TRUE (cleave_optimizer_recommend (optimizer, NULL) == NULL);
}

TEST (Contract, OptimizerToldTheWrongNumberOfValues)
{
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);
  g_autoptr (CleaveTrials) none = cleave_trials_new ();
  const double value = 1;
  GError *error = NULL;

  EXPECT_TRUE (!cleave_optimizer_tell (CLEAVE_OPTIMIZER (broken), none, &value, 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "told 1 values for 0 trials");
}

TEST (Contract, MetricsOfAnotherType)
{
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);
  GError *error = NULL;

  EXPECT_TRUE (cleave_optimizer_metrics (CLEAVE_OPTIMIZER (broken), &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the optimizer's metrics are of type i, expected a{sd}");
}

/* Metrics are columns of metrics.csv. */
TEST (Contract, MetricsWhoseNamesAreNoColumns)
{
  static const char *const names[] = { "a, b", "a\nb", "a\"b", "" };
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      GError *error = NULL;

      ((Broken *)broken)->metric = names[i];
      EXPECT_TRUE (cleave_optimizer_metrics (CLEAVE_OPTIMIZER (broken), &error) == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "expected a name without commas, quotes and line breaks");
    }
}

TEST (Contract, ChannelThatTakesNoTime)
{
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);
  CleaveChannel *channel = CLEAVE_CHANNEL (broken);
  GError *error = NULL;

  ((Broken *)broken)->seconds = NAN;
  EXPECT_TRUE (isnan (cleave_channel_seconds (channel, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the channel gave");
  ((Broken *)broken)->seconds = -1;
  EXPECT_TRUE (isnan (cleave_channel_seconds (channel, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "-1 seconds for 3 elements");
  EXPECT_TRUE (isnan (cleave_channel_bits (channel, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: the channel has no method bits");
}

TEST (Contract, ChannelWithWrongLosses)
{
  g_autoptr (GObject) broken = g_object_new (broken_get_type (), NULL);
  CleaveChannel *channel = CLEAVE_CHANNEL (broken);
  g_autoptr (CleaveRandom) random = cleave_random_new (1, 2, 3, 4);
  g_autoptr (GBytes) losses = g_bytes_new_static ("\0\1\2", 3);
  GError *error = NULL;

  EXPECT_TRUE (cleave_channel_draw_losses (channel, 3, 0.5, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "draw_losses failed and set no error");
  EXPECT_TRUE (cleave_channel_draw_losses (channel, 3, 1, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "the wanted drop rate is 1, expected at least 0 and below 1");
  EXPECT_TRUE (cleave_channel_draw_losses (channel, 3, NAN, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "the wanted drop rate is nan");
  ((Broken *)broken)->losses = losses;
  EXPECT_TRUE (cleave_channel_draw_losses (channel, 4, 0.5, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "3 bytes for 4 elements");
  EXPECT_TRUE (cleave_channel_draw_losses (channel, 3, 0.5, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "gave 2 for element 2");
  ((Broken *)broken)->drop_rate = 1;
  EXPECT_TRUE (cleave_channel_draw_losses (channel, 3, -1, random, &error) == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_PLUGIN, "Broken: its own drop rate is 1,");
}
