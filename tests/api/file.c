/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static guint
count_entries (const char *folder)
{
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (directory) != NULL)
    n++;
  return n;
}

static char *
read_file (const char *path)
{
  char *content = NULL;

  g_file_get_contents (path, &content, NULL, NULL);
  return content;
}

TEST (file, replace_writes_and_overwrites)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "a", NULL);

  EXPECT_TRUE (cleave_file_replace (path, "first, and long", -1, &error));
  EXPECT_TRUE (cleave_file_replace (path, "second", 3, &error));
  REQUIRE_NO_ERROR (error);
  g_autofree char *content = read_file (path);
  EXPECT_STRING (content, "sec");
  EXPECT_INT (count_entries (folder), 1);
}

TEST (file, replace_takes_the_longest_name)
{
  g_autoptr (GError) error = NULL;
  char name[256] = { 0 }; /* NAME_MAX is 255 */
  memset (name, 'n', 255);
  g_autofree char *path = g_build_filename (test_temporary_folder (), name, NULL);

  EXPECT_TRUE (cleave_file_replace (path, "x", 1, &error));
  EXPECT_NO_ERROR (error);
}

TEST (file, replace_follows_a_link)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "real", NULL);
  g_autofree char *link_path = g_build_filename (folder, "link", NULL);

  REQUIRE (g_file_set_contents (path, "old", -1, NULL) && symlink ("real", link_path) == 0);
  EXPECT_TRUE (cleave_file_replace (link_path, "new", -1, &error));
  EXPECT_NO_ERROR (error);
  g_autofree char *content = read_file (path);
  EXPECT_STRING (content, "new");
  EXPECT_TRUE (g_file_test (link_path, G_FILE_TEST_IS_SYMLINK));
}

TEST (file, replace_refuses_what_is_no_file)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *pipe_path = g_build_filename (folder, "pipe", NULL);
  g_autofree char *missing = g_build_filename (folder, "missing", "a", NULL);

  EXPECT_TRUE (!cleave_file_replace (folder, "x", 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, folder);
  REQUIRE (mkfifo (pipe_path, 0600) == 0);
  EXPECT_TRUE (!cleave_file_replace (pipe_path, "x", 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "no regular file");
  EXPECT_TRUE (!cleave_file_replace (missing, "x", 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, missing);
  EXPECT_TRUE (!cleave_file_replace ("", "x", 1, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, "can't be");
  EXPECT_INT (count_entries (folder), 1);
}

/* A limit of the file size stands for a full disk: write() fails in the same way, with EFBIG for ENOSPC. */
TEST (file, a_failing_write_leaves_what_was_there)
{
  g_autoptr (GError) error = NULL;
  const char *folder = test_temporary_folder ();
  g_autofree char *path = g_build_filename (folder, "a", NULL);
  g_autofree char *archive_path = g_build_filename (folder, "b", NULL);
  g_autofree char *large = g_malloc0 (1 << 20);
  struct rlimit limit;

  REQUIRE (cleave_file_replace (path, "old", -1, NULL) && cleave_file_replace (archive_path, "old", -1, NULL));
  REQUIRE (getrlimit (RLIMIT_FSIZE, &limit) == 0);
  struct rlimit small = { .rlim_cur = 100000, .rlim_max = limit.rlim_max };
  void (*handler) (int) = signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &small);

  gboolean replaced = cleave_file_replace (path, large, 1 << 20, &error);
  g_autoptr (GError) archive_error = NULL;
  CleaveArchiveWriter *writer = cleave_archive_writer_new (archive_path, &archive_error);
  gboolean written = writer != NULL && cleave_archive_writer_add (writer, "large", 1 << 20, &archive_error)
                     && cleave_archive_writer_write (writer, large, 1 << 20, &archive_error)
                     && cleave_archive_writer_close (writer, &archive_error);
  g_clear_pointer (&writer, cleave_archive_writer_unref);

  setrlimit (RLIMIT_FSIZE, &limit);
  signal (SIGXFSZ, handler);
  EXPECT_TRUE (!replaced && !written);
  EXPECT_ERROR (error, CLEAVE_ERROR_IO, path);
  EXPECT_ERROR (archive_error, CLEAVE_ERROR_IO, archive_path);
  g_autofree char *content = read_file (path);
  g_autofree char *archive_content = read_file (archive_path);
  EXPECT_STRING (content, "old");
  EXPECT_STRING (archive_content, "old");
  EXPECT_INT (count_entries (folder), 2);
}
