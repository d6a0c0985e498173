/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-file-private.h"
#include <cleave/cleave-error.h>
#include <cleave/cleave-file.h>

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _CleaveFileReplacement
{
  char *path;      /* as the caller named it, for messages */
  char *target;    /* behind symbolic links */
  char *temporary; /* NULL once it is in place */
  int fd;          /* −1 once closed */
};

static gboolean
fail (const char *path, const char *doing, GError **error)
{
  int code = errno;

  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: %s: %s", path, doing, g_strerror (code));
  return FALSE;
}

/* The file that PATH leads to. One that is there must be regular: renaming over a device or a pipe would destroy it. */
static char *
find_target (const char *path, GError **error)
{
  struct stat status;

  if (stat (path, &status) != 0)
    return g_strdup (path);
  if (!S_ISREG (status.st_mode))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_IO, "%s: can't be written: it is no regular file", path);
      return NULL;
    }

  char *resolved = realpath (path, NULL);
  char *target = g_strdup (resolved != NULL ? resolved : path);
  free (resolved);
  return target;
}

CleaveFileReplacement *
cleave_file_replacement_new (const char *path, GError **error)
{
  g_autofree char *target = find_target (path, error);
  if (target == NULL)
    return NULL;

  /* A name of its own length, since PATH's may already be as long as the file system allows. */
  g_autofree char *folder = g_path_get_dirname (target);
  g_autofree char *temporary = g_build_filename (folder, ".cleave-XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666); /* adds O_CREAT | O_EXCL */
  if (fd < 0)
    {
      fail (path, "can't be written", error);
      return NULL;
    }

  CleaveFileReplacement *self = g_new0 (CleaveFileReplacement, 1);
  self->path = g_strdup (path);
  self->target = g_steal_pointer (&target);
  self->temporary = g_steal_pointer (&temporary);
  self->fd = fd;
  return self;
}

gboolean
cleave_file_replacement_write (CleaveFileReplacement *self, gconstpointer data, gsize size, GError **error)
{
  const char *next = data;

  while (size > 0)
    {
      gssize written = write (self->fd, next, size);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return fail (self->path, "can't be written", error);
      next += written;
      size -= written;
    }
  return TRUE;
}

/* Makes the renaming last. File systems that can't sync a folder say EINVAL: nothing more can be done there. */
static gboolean
sync_folder (const char *target, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (target);
  int fd = g_open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0)
    return errno == EACCES ? TRUE : fail (path, "its folder can't be synced", error); /* writable, but not readable */

  gboolean synced = fsync (fd) == 0 || errno == EINVAL || fail (path, "its folder can't be synced", error);
  close (fd);
  return synced;
}

gboolean
cleave_file_replacement_finish (CleaveFileReplacement *self, GError **error)
{
  if (fsync (self->fd) != 0)
    return fail (self->path, "can't be synced", error);

  int fd = self->fd;
  self->fd = -1;
  if (close (fd) != 0)
    return fail (self->path, "can't be written", error);
  if (g_rename (self->temporary, self->target) != 0)
    return fail (self->path, "can't be put in place", error);
  g_clear_pointer (&self->temporary, g_free);
  return sync_folder (self->target, self->path, error);
}

void
cleave_file_replacement_free (CleaveFileReplacement *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->temporary != NULL)
    g_unlink (self->temporary);
  g_free (self->temporary);
  g_free (self->target);
  g_free (self->path);
  g_free (self);
}

/**
 * cleave_file_replace:
 * @path: (type filename): the file; its folder must be there
 * @data: (array length=length) (element-type guint8): its content
 * @length: bytes, or −1 if @data ends with a NUL
 * @error: return location for an error
 *
 * Gives a file this content, whole or not at all, whatever happens to process or machine: it is written beside under a
 * temporary name (`.cleave-` and six more characters), synced, renamed, and the folder synced. Where @path is a
 * symbolic link, the file behind it is replaced.
 *
 * Returns: whether it worked; if not, %CLEAVE_ERROR_IO is set and a file that was there before is as it was
 */
gboolean
cleave_file_replace (const char *path, const char *data, gssize length, GError **error)
{
  g_return_val_if_fail (path != NULL && (data != NULL || length == 0), FALSE);

  g_autoptr (CleaveFileReplacement) replacement = cleave_file_replacement_new (path, error);
  return replacement != NULL
         && cleave_file_replacement_write (replacement, data, length < 0 ? strlen (data) : (gsize)length, error)
         && cleave_file_replacement_finish (replacement, error);
}
