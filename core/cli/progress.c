/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "progress.h"

#include <math.h>
#include <unistd.h>

#define REDRAW_INTERVAL_US (G_USEC_PER_SEC / 5)
#define ERASE_LINE "\r\033[K"

static void
restart (CliProgress *self)
{
  self->begin_us = g_get_monotonic_time ();
  self->n_images = 0;
  self->n_steps = 0;
}

void
cli_progress_begin (CliProgress *self)
{
  *self = (CliProgress){ .terminal = isatty (STDERR_FILENO) };
  restart (self);
}

void
cli_progress_end_line (CliProgress *self)
{
  if (self->drawn_us > 0)
    g_printerr ("\n");
  self->drawn_us = 0;
}

/* Steps of the stage that are still to do, as far as its epochs tell. */
static guint64
count_left (const CleaveProgress *progress)
{
  guint64 all = (guint64)progress->n_epochs * progress->n_steps;
  guint64 done = (guint64)progress->epoch * progress->n_steps + progress->step;

  return all > done ? all - done : 0;
}

/* Where in the stage: an optimizer may go on after the last epoch, for as long as it sees fit. */
static void
append_place (GString *text, const CleaveProgress *progress, gboolean is_closing)
{
  if (is_closing && progress->kind == CLEAVE_PROGRESS_STEP)
    g_string_append_printf (text, " closing step %u",
                            (progress->epoch - progress->n_epochs) * progress->n_steps + progress->step);
  else if (is_closing)
    g_string_append (text, " closing");
  else if (progress->kind == CLEAVE_PROGRESS_STEP)
    g_string_append_printf (text, " epoch %u/%u step %u/%u", progress->epoch + 1, progress->n_epochs, progress->step,
                            progress->n_steps);
  else
    g_string_append_printf (text, " epoch %u/%u", progress->epoch, progress->n_epochs);
}

static char *
describe (CliProgress *self, const CleaveProgress *progress, gint64 now_us)
{
  double elapsed_s = MAX (now_us - self->begin_us, 1) / (double)G_USEC_PER_SEC;
  guint left_s = self->n_steps > 0 ? elapsed_s / self->n_steps * count_left (progress) : 0;
  guint epochs_begun = progress->epoch + (progress->kind == CLEAVE_PROGRESS_STEP);
  gboolean is_closing = epochs_begun > progress->n_epochs;
  GString *text = g_string_new (cleave_stage_to_string (progress->stage));

  append_place (text, progress, is_closing);
  if (!isnan (progress->loss))
    g_string_append_printf (text, ", loss %.4f", progress->loss);
  if (!isnan (progress->latency_ms))
    g_string_append_printf (text, ", best latency %.2f ms", progress->latency_ms);
  g_string_append_printf (text, ", %.1f images/s", self->n_images / elapsed_s);
  if (!is_closing)
    g_string_append_printf (text, ", %u:%02u:%02u left in this stage", left_s / 3600, left_s / 60 % 60, left_s % 60);
  return g_string_free (text, FALSE);
}

static void
show_stage (CliProgress *self, const CleaveProgress *progress, gint64 now_us)
{
  double elapsed_s = MAX (now_us - self->begin_us, 1) / (double)G_USEC_PER_SEC;

  if (self->drawn_us > 0)
    g_printerr (ERASE_LINE);
  self->drawn_us = 0;
  if (self->n_images > 0)
    g_printerr ("%s done: %.1f s, %.1f images/s\n", cleave_stage_to_string (progress->stage), elapsed_s,
                self->n_images / elapsed_s);
  else
    g_printerr ("%s done\n", cleave_stage_to_string (progress->stage));
}

void
cli_progress_show (const CleaveProgress *progress, gpointer data)
{
  CliProgress *self = data;
  gint64 now_us = g_get_monotonic_time ();
  g_autofree char *text = NULL;

  if (progress->kind == CLEAVE_PROGRESS_TAKEN)
    {
      g_printerr ("%s taken from another run\n", cleave_stage_to_string (progress->stage));
      restart (self);
      return;
    }
  if (progress->kind == CLEAVE_PROGRESS_STAGE)
    {
      show_stage (self, progress, now_us);
      restart (self);
      return;
    }
  if (progress->kind == CLEAVE_PROGRESS_STEP)
    {
      self->n_images += progress->n_images;
      self->n_steps++;
      if (!self->terminal || now_us - self->drawn_us < REDRAW_INTERVAL_US)
        return;
    }
  text = describe (self, progress, now_us);
  if (!self->terminal)
    {
      g_printerr ("%s\n", text);
      return;
    }
  g_printerr (ERASE_LINE "%s", text);
  self->drawn_us = now_us;
}
