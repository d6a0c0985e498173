/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The seam between GoogleTest (shim.cc) and C (test.c). */

#ifdef __cplusplus
extern "C"
{
#endif

  /* A test as test_register() kept it. Registration with GoogleTest waits for main: the constructors that register may
   * run before GoogleTest's own statics are made. */
  typedef struct
  {
    const char *suite;
    const char *name;
    const char *file;
    int line;
    void (*body) (void);
  } ShimCase;

  const ShimCase *shim_cases (unsigned *n_cases);
  /* Once, before any test. */
  void shim_start (void);
  /* Around each test. */
  void shim_case_begin (const char *file, int line);
  void shim_case_end (void);
  /* Removes the test's temporary folders. */
  void shim_remove_folders (void);

  void shim_add_failure (const char *file, int line, const char *message);
  void shim_add_skip (const char *file, int line, const char *reason);

#ifdef __cplusplus
}
#endif
