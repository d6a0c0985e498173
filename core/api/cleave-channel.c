/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <cleave/cleave-channel.h>
#include <cleave/cleave-error.h>

#include "cleave-random-bulk-private.h"

#include <math.h>

G_DEFINE_INTERFACE (CleaveChannel, cleave_channel, G_TYPE_OBJECT)

static void
cleave_channel_default_init (CleaveChannelInterface *iface)
{
}

static gboolean
has_method (CleaveChannel *self, gboolean implemented, const char *method, GError **error)
{
  if (!implemented)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: the channel has no method %s",
                 G_OBJECT_TYPE_NAME (self), method);
  return implemented;
}

/* What a method gave, where it makes sense, else NaN: takes method_error. */
static double
check_amount (CleaveChannel *self, double amount, const char *unit, gsize n_elements, GError *method_error,
              GError **error)
{
  if (method_error != NULL)
    {
      g_propagate_error (error, method_error);
      return NAN;
    }
  if (isfinite (amount) && amount >= 0)
    return amount;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
               "%s: the channel gave %g %s for %" G_GSIZE_FORMAT
               " elements and set no error, expected a finite number that is not negative",
               G_OBJECT_TYPE_NAME (self), amount, unit, n_elements);
  return NAN;
}

/**
 * cleave_channel_bits:
 * @self: a channel
 * @n_elements: elements of one image that cross the cut
 * @error: return location for an error
 *
 * How many bits carry the payload of one image (D of eq. 10).
 *
 * Returns: bits, finite and not negative; NaN with an error set on failure, %CLEAVE_ERROR_PLUGIN where the channel gave
 *   no such number
 */
double
cleave_channel_bits (CleaveChannel *self, gsize n_elements, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_CHANNEL (self), NAN);

  CleaveChannelInterface *iface = CLEAVE_CHANNEL_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->bits != NULL, "bits", error))
    return NAN;
  double bits = iface->bits (self, n_elements, &method_error);
  return check_amount (self, bits, "bits", n_elements, method_error, error);
}

/**
 * cleave_channel_seconds:
 * @self: a channel
 * @n_elements: elements of one image that cross the cut
 * @error: return location for an error
 *
 * How long the payload of one image takes to cross the link (T_comm, eq. 10).
 *
 * Returns: seconds, finite and not negative; NaN with an error set on failure, %CLEAVE_ERROR_PLUGIN where the channel
 *   gave no such number
 */
double
cleave_channel_seconds (CleaveChannel *self, gsize n_elements, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_CHANNEL (self), NAN);

  CleaveChannelInterface *iface = CLEAVE_CHANNEL_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->seconds != NULL, "seconds", error))
    return NAN;
  double seconds = iface->seconds (self, n_elements, &method_error);
  return check_amount (self, seconds, "seconds", n_elements, method_error, error);
}

static gboolean
check_drop_rate (CleaveChannel *self, const char *which, double drop_rate, GError **error)
{
  if (drop_rate >= 0 && drop_rate < 1)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: %s drop rate is %g, expected at least 0 and below 1",
               G_OBJECT_TYPE_NAME (self), which, drop_rate);
  return FALSE;
}

/**
 * cleave_channel_drop_rate:
 * @self: a channel
 * @error: return location for an error
 *
 * The share of elements that the channel loses on average: the drop rate p of the link as it is.
 *
 * Returns: the channel's own drop rate, in [0, 1); 0 where the channel has no such method; NaN with an error set on
 *   failure, %CLEAVE_ERROR_PLUGIN where the channel gave no such number
 */
double
cleave_channel_drop_rate (CleaveChannel *self, GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_CHANNEL (self), NAN);

  CleaveChannelInterface *iface = CLEAVE_CHANNEL_GET_IFACE (self);
  GError *method_error = NULL;
  double drop_rate = iface->drop_rate != NULL ? iface->drop_rate (self, &method_error) : 0;

  if (method_error != NULL)
    {
      g_propagate_error (error, method_error);
      return NAN;
    }
  return check_drop_rate (self, "its own", drop_rate, error) ? drop_rate : NAN;
}

static gboolean
check_losses (CleaveChannel *self, GBytes *losses, gsize n_elements, GError **error)
{
  gsize n_bytes;
  const guint8 *arrived = g_bytes_get_data (losses, &n_bytes);

  if (n_bytes != n_elements)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
                   "%s: the channel's draw_losses gave %" G_GSIZE_FORMAT " bytes for %" G_GSIZE_FORMAT
                   " elements, expected one an element",
                   G_OBJECT_TYPE_NAME (self), n_bytes, n_elements);
      return FALSE;
    }
  gsize wrong = cleave_random_bulk_find_wrong (arrived, n_bytes);
  if (wrong == n_bytes)
    return TRUE;
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN,
               "%s: the channel's draw_losses gave %u for element %" G_GSIZE_FORMAT
               ", expected 0 (lost) or 1 (arrived)",
               G_OBJECT_TYPE_NAME (self), arrived[wrong], wrong);
  return FALSE;
}

/**
 * cleave_channel_draw_losses:
 * @self: a channel
 * @n_elements: elements of one image that cross the cut
 * @drop_rate: the share that is lost on average, below 1; negative for the channel's own
 * @random: where all randomness comes from
 * @error: return location for an error
 *
 * Draws which elements arrive. The caller zeroes the lost ones and scales the others by 1/(1 − drop rate), so that
 * their mean stays.
 *
 * An implementation is never given a negative @drop_rate, but the channel's own. The objective asks for rates that are
 * not the channel's own, so it must follow @drop_rate, whatever the channel's parameters say.
 *
 * Returns: (transfer full): one byte an element in C, H, W order: 0 = lost, 1 = arrived; %NULL with an error set on
 *   failure, %CLEAVE_ERROR_PLUGIN where the drop rate is outside [0, 1) or the channel gave other bytes
 */
GBytes *
cleave_channel_draw_losses (CleaveChannel *self, gsize n_elements, double drop_rate, CleaveRandom *random,
                            GError **error)
{
  g_return_val_if_fail (CLEAVE_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (random != NULL, NULL);

  CleaveChannelInterface *iface = CLEAVE_CHANNEL_GET_IFACE (self);
  GError *method_error = NULL;

  if (!has_method (self, iface->draw_losses != NULL, "draw_losses", error))
    return NULL;
  double rate = drop_rate < 0 ? cleave_channel_drop_rate (self, error) : drop_rate;
  if (isnan (rate) && drop_rate < 0)
    return NULL;
  if (!check_drop_rate (self, "the wanted", rate, error))
    return NULL;
  g_autoptr (GBytes) losses = iface->draw_losses (self, n_elements, rate, random, &method_error);
  if (method_error != NULL)
    {
      g_propagate_error (error, method_error);
      return NULL;
    }
  if (losses == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: the channel's draw_losses failed and set no error",
                   G_OBJECT_TYPE_NAME (self));
      return NULL;
    }
  if (!check_losses (self, losses, n_elements, error))
    return NULL;
  return g_steal_pointer (&losses);
}
