/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* NumPy's .npy and .npz files (NEP 1; a zip of .npy), little-endian, C order. */

#include <cleave/cleave.h>

G_BEGIN_DECLS

typedef enum
{
  NPY_FLOAT32, /* <f4 */
  NPY_FLOAT64, /* <f8 */
  NPY_INT32,   /* <i4 */
  NPY_INT64,   /* <i8 */
  NPY_UINT8,   /* |u1 */
} NpyType;

typedef struct
{
  char *name; /* without .npy */
  NpyType type;
  guint rank; /* 0 … 8; 0 is a scalar */
  gsize shape[8];
  gsize n_elements;
  gpointer data; /* owned; aligned to 64 bytes */
} NpyArray;

typedef struct _NpzFile NpzFile;

gsize npy_type_size (NpyType type);
/* Reads all arrays; sizes are checked before anything is allocated. */
NpzFile *npz_load (const char *path, GError **error);
void npz_free (NpzFile *file);
guint npz_get_n_arrays (NpzFile *file);
const NpyArray *npz_get_array (NpzFile *file, guint index);
const NpyArray *npz_find (NpzFile *file, const char *name);
/* The array NAME if it has this type and shape; an error that says what it has instead. */
const NpyArray *npz_expect (NpzFile *file, const char *name, NpyType type, guint rank, const gsize *shape,
                            GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NpzFile, npz_free)

/* One entry of an .npz being written. */
gboolean npz_write_array (CleaveArchiveWriter *writer, const char *name, NpyType type, guint rank, const gsize *shape,
                          gconstpointer data, GError **error);
/* A single .npy file, written beside and renamed. */
gboolean npy_save (const char *path, NpyType type, guint rank, const gsize *shape, gconstpointer data, GError **error);

G_END_DECLS
