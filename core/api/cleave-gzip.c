/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-gzip-private.h"
#include <cleave/cleave-error.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct _CleaveGzip
{
  int fd;
  GConverter *inflater; /* checks length and checksum at the end of each member */
  gboolean input_ended;
  gboolean output_ended;
  gsize begin; /* input not yet consumed is input[begin … end − 1] */
  gsize end;
  guint8 input[1 << 16];
};

CleaveGzip *
cleave_gzip_new (int fd)
{
  CleaveGzip *self = g_new0 (CleaveGzip, 1);

  self->fd = fd;
  self->inflater = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  return self;
}

void
cleave_gzip_free (CleaveGzip *self)
{
  close (self->fd);
  g_object_unref (self->inflater);
  g_free (self);
}

/* Has at least N bytes of input ready unless the file ends before. */
static gboolean
fill_input (CleaveGzip *self, gsize n, GError **error)
{
  if (self->end - self->begin >= n || self->input_ended)
    return TRUE;

  memmove (self->input, self->input + self->begin, self->end - self->begin);
  self->end -= self->begin;
  self->begin = 0;
  while (self->end < n && !self->input_ended)
    {
      gssize got = read (self->fd, self->input + self->end, sizeof self->input - self->end);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        {
          int code = errno;
          g_set_error_literal (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, g_strerror (code));
          return FALSE;
        }
      self->input_ended = got == 0;
      self->end += got;
    }
  return TRUE;
}

/* After a member may come another; anything else is padding, as gzip(1) takes it. */
static gboolean
begin_next_member (CleaveGzip *self, GError **error)
{
  if (!fill_input (self, 2, error))
    return FALSE;
  if (self->end - self->begin >= 2 && self->input[self->begin] == 0x1f && self->input[self->begin + 1] == 0x8b)
    g_converter_reset (self->inflater);
  else
    self->output_ended = TRUE;
  return TRUE;
}

gssize
cleave_gzip_read (CleaveGzip *self, gpointer buffer, gsize size, GError **error)
{
  while (!self->output_ended)
    {
      gsize consumed = 0, produced = 0;
      g_autoptr (GError) inflate_error = NULL;

      if (!fill_input (self, 1, error))
        return -1;
      GConverterResult result = g_converter_convert (
          self->inflater, self->input + self->begin, self->end - self->begin, buffer, size,
          self->input_ended ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS, &consumed, &produced, &inflate_error);
      if (result == G_CONVERTER_ERROR)
        {
          gboolean truncated = g_error_matches (inflate_error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
          g_set_error_literal (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA,
                               truncated ? "truncated gzip data" : "corrupt gzip data");
          return -1;
        }
      self->begin += consumed;
      if (result == G_CONVERTER_FINISHED && !begin_next_member (self, error))
        return -1;
      if (produced > 0)
        return produced;
    }
  return 0;
}
