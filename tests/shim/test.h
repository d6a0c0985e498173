/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* GoogleTest for C: a test body is C, the runner is GoogleTest's, so filters, shards and reports work. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef void (*TestBody) (void);

void test_register (const char *suite, const char *name, const char *file, int line, TestBody body);
/* Record a failure at a place; a test goes on unless it returns. Each gives whether the check held. */
gboolean test_check (gboolean holds, const char *file, int line, const char *format, ...) G_GNUC_PRINTF (4, 5);
gboolean test_check_int (gint64 actual, gint64 expected, const char *file, int line, const char *text);
gboolean test_check_near (double actual, double expected, double tolerance, gboolean relative, const char *file,
                          int line, const char *text);
gboolean test_check_string (const char *actual, const char *expected, const char *file, int line, const char *text);
gboolean test_check_no_error (GError **error, const char *file, int line);
/* The error is set, has this code, and its message contains this text; frees it. */
gboolean test_check_error (GError **error, int code, const char *text, const char *file, int line);
void test_skip (const char *file, int line, const char *reason);
/* One warning or critical that contains this text will come before the test ends: any other, or none, is a failure. */
void test_expect_warning (const char *text);

#define TEST(suite, name)                                                                                              \
  static void test_##suite##_##name (void);                                                                            \
  __attribute__ ((constructor)) static void test_add_##suite##_##name (void)                                           \
  {                                                                                                                    \
    test_register (#suite, #name, __FILE__, __LINE__, test_##suite##_##name);                                          \
  }                                                                                                                    \
  static void test_##suite##_##name (void)

#define EXPECT_TRUE(condition) test_check ((condition), __FILE__, __LINE__, "%s", #condition)
#define EXPECT_INT(actual, expected) test_check_int (actual, expected, __FILE__, __LINE__, #actual)
#define EXPECT_NEAR(actual, expected, tolerance)                                                                       \
  test_check_near (actual, expected, tolerance, FALSE, __FILE__, __LINE__, #actual)
#define EXPECT_RELATIVE(actual, expected, tolerance)                                                                   \
  test_check_near (actual, expected, tolerance, TRUE, __FILE__, __LINE__, #actual)
#define EXPECT_STRING(actual, expected) test_check_string (actual, expected, __FILE__, __LINE__, #actual)
/* These take the variable itself, "error", not its address. */
#define EXPECT_NO_ERROR(error) test_check_no_error (&(error), __FILE__, __LINE__)
#define EXPECT_ERROR(error, code, text) test_check_error (&(error), code, text, __FILE__, __LINE__)
/* As above, but leave the test where the check fails. */
#define REQUIRE(condition)                                                                                             \
  if (!EXPECT_TRUE (condition))                                                                                        \
  return
#define REQUIRE_NO_ERROR(error)                                                                                        \
  if (!EXPECT_NO_ERROR (error))                                                                                        \
  return
#define EXPECT_WARNING(text) test_expect_warning (text)
#define SKIP(reason)                                                                                                   \
  do                                                                                                                   \
    {                                                                                                                  \
      test_skip (__FILE__, __LINE__, reason);                                                                          \
      return;                                                                                                          \
    }                                                                                                                  \
  while (0)

/* Whatever the user or the test before it set, a test runs with no CLEAVE_ variable in its environment but the two
 * below.
 *
 * CLEAVE_GOLDEN_DIR, else ../shared/golden beside the source tree; NULL where absent: SKIP then. */
const char *test_golden_folder (void);
/* CLEAVE_DATA_DIR, else ../shared/data beside the source tree; NULL where absent. */
const char *test_data_folder (void);
/* A new empty folder at each call, removed with all its content when the test ends. */
const char *test_temporary_folder (void);
/* A file below tests/fixtures. */
char *test_fixture (const char *name);
/* The built cleave command, for tests that need more than test_run_cleave(). */
const char *test_cleave_path (void);
/* Runs the built cleave command with these arguments (NULL-terminated list); gives its exit status, 128 + signal where
 * one ended it. OUT and ERR (nullable) get what it printed. */
int test_run_cleave (char **out, char **err, const char *first_argument, ...) G_GNUC_NULL_TERMINATED;

G_END_DECLS
