/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "npz.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64               /* of data in memory, and of data in a file as NEP 1 asks */
#define LONGEST_HEADER (1 << 20)   /* bytes; NumPy writes some 128 */
#define FIRST_ALLOCATION (1 << 24) /* bytes; more only when the file has shown that it holds as much */

static const struct
{
  const char *descr;
  gsize size;
} types[] = { [NPY_FLOAT32] = { "<f4", 4 },
              [NPY_FLOAT64] = { "<f8", 8 },
              [NPY_INT32] = { "<i4", 4 },
              [NPY_INT64] = { "<i8", 8 },
              [NPY_UINT8] = { "|u1", 1 } };

struct _NpzFile
{
  char *path;
  GPtrArray *arrays;   /* NpyArray */
  GHashTable *by_name; /* name → NpyArray; both owned by arrays */
};

gsize
npy_type_size (NpyType type)
{
  return types[type].size;
}

static void
array_free (gpointer data)
{
  NpyArray *array = data;

  g_free (array->name);
  free (array->data);
  g_free (array);
}

G_GNUC_PRINTF (4, 5)
static gboolean
fail (const char *path, const char *member, GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_autofree char *reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: member %s: %s", path, member, reason);
  return FALSE;
}

/* --- the header's dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } --- */

static void
skip_spaces (const char **text)
{
  *text += strspn (*text, " \t\r\n");
}

static gboolean
accept (const char **text, const char *token)
{
  skip_spaces (text);
  if (!g_str_has_prefix (*text, token))
    return FALSE;
  *text += strlen (token);
  return TRUE;
}

/* A quoted word without escapes, as all of NumPy's are. */
static char *
parse_word (const char **text)
{
  skip_spaces (text);
  char quote = **text;
  const char *end = quote == '\'' || quote == '"' ? strchr (*text + 1, quote) : NULL;
  if (end == NULL)
    return NULL;

  char *word = g_strndup (*text + 1, end - *text - 1);
  *text = end + 1;
  return word;
}

/* NULL, or what is wrong. */
static const char *
parse_shape (const char **text, NpyArray *array)
{
  if (!accept (text, "("))
    return "its shape is no tuple";
  for (array->rank = 0; !accept (text, ")"); array->rank++)
    {
      char *end;

      if (array->rank == G_N_ELEMENTS (array->shape))
        return "more than 8 dimensions";
      skip_spaces (text);
      guint64 length = g_ascii_isdigit (**text) ? g_ascii_strtoull (*text, &end, 10) : G_MAXUINT64;
      if (length > G_MAXSSIZE)
        return "its shape has a length that is no sensible number";
      *text = end;
      array->shape[array->rank] = length;
      if (!accept (text, ",") && **text != ')')
        return "its shape is no tuple";
    }
  return NULL;
}

static gboolean
find_type (const char *descr, NpyType *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (descr, types[i].descr))
      {
        *type = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
parse_entry (const char **text, NpyArray *array, guint *seen, const char *path, const char *member, GError **error)
{
  g_autofree char *key = parse_word (text);

  if (key == NULL || !accept (text, ":"))
    return fail (path, member, error, "its header is no dictionary");
  if (g_str_equal (key, "descr"))
    {
      const char *begin = *text;
      g_autofree char *descr = parse_word (text);
      if (descr == NULL)
        return fail (path, member, error, "data type %.60s; expected one of <f4 <f8 <i4 <i8 |u1", begin);
      if (!find_type (descr, &array->type))
        return fail (path, member, error, "data type %s; expected one of <f4 <f8 <i4 <i8 |u1", descr);
      *seen |= 1;
    }
  else if (g_str_equal (key, "fortran_order"))
    {
      if (accept (text, "True"))
        return fail (path, member, error, "Fortran order; expected C order");
      if (!accept (text, "False"))
        return fail (path, member, error, "fortran_order is neither True nor False");
      *seen |= 2;
    }
  else if (g_str_equal (key, "shape"))
    {
      const char *wrong = parse_shape (text, array);
      if (wrong != NULL)
        return fail (path, member, error, "%s", wrong);
      *seen |= 4;
    }
  else
    return fail (path, member, error, "unknown key %s in its header", key);
  return TRUE;
}

static gboolean
parse_header (const char *text, NpyArray *array, const char *path, const char *member, GError **error)
{
  guint seen = 0;

  if (!accept (&text, "{"))
    return fail (path, member, error, "its header is no dictionary");
  while (!accept (&text, "}"))
    {
      if (!parse_entry (&text, array, &seen, path, member, error))
        return FALSE;
      if (!accept (&text, ",") && *text != '}')
        return fail (path, member, error, "its header is no dictionary");
    }
  if (seen != 7)
    return fail (path, member, error, "its header lacks descr, fortran_order or shape");

  array->n_elements = 1;
  gboolean fits = TRUE;
  for (guint d = 0; d < array->rank; d++)
    fits = fits && g_size_checked_mul (&array->n_elements, array->n_elements, array->shape[d]);
  gsize size;
  if (!fits || !g_size_checked_mul (&size, array->n_elements, npy_type_size (array->type)) || size > G_MAXSSIZE / 2)
    return fail (path, member, error, "its shape has more elements than fit in memory");
  return TRUE;
}

/* --- reading --- */

static gboolean
read_exactly (CleaveArchive *archive, gpointer buffer, gsize size, const char *path, const char *member, GError **error)
{
  gssize got = cleave_archive_read (archive, buffer, size, error);

  if (got < 0)
    return FALSE;
  if ((gsize)got < size)
    return fail (path, member, error, "truncated");
  return TRUE;
}

static gboolean
read_header (CleaveArchive *archive, NpyArray *array, const char *path, const char *member, GError **error)
{
  guint8 start[8], length_bytes[4] = { 0 };

  if (!read_exactly (archive, start, sizeof start, path, member, error))
    return FALSE;
  if (memcmp (start, "\x93NUMPY", 6) != 0)
    return fail (path, member, error, "not a .npy array");
  if (start[6] < 1 || start[6] > 3 || start[7] != 0)
    return fail (path, member, error, "version %u.%u of the .npy format; expected 1.0, 2.0 or 3.0", start[6], start[7]);
  if (!read_exactly (archive, length_bytes, start[6] == 1 ? 2 : 4, path, member, error))
    return FALSE;

  guint32 length;
  memcpy (&length, length_bytes, sizeof length);
  length = GUINT32_FROM_LE (length);
  if (length > LONGEST_HEADER)
    return fail (path, member, error, "a header of %u bytes; expected %d at most", length, LONGEST_HEADER);

  g_autofree char *text = g_malloc0 (length + 1);
  if (!read_exactly (archive, text, length, path, member, error))
    return FALSE;
  g_autofree char *valid = g_utf8_make_valid (text, -1); /* parts of it go into messages */
  return parse_header (valid, array, path, member, error);
}

/* Grows as data arrive, since a damaged header may promise anything. */
static gboolean
read_data (CleaveArchive *archive, NpyArray *array, const char *path, const char *member, GError **error)
{
  gsize size = array->n_elements * npy_type_size (array->type);
  gsize allocated = 0, done = 0;

  do
    {
      gsize wanted = MIN (size, MAX (FIRST_ALLOCATION, 2 * allocated));
      gpointer data = aligned_alloc (ALIGNMENT, MAX (ALIGNMENT, (wanted + ALIGNMENT - 1) & ~(gsize)(ALIGNMENT - 1)));
      if (data == NULL)
        return fail (path, member, error, "no memory for its %" G_GSIZE_FORMAT " bytes", size);
      if (done > 0)
        memcpy (data, array->data, done);
      free (array->data);
      array->data = data;
      allocated = wanted;
      if (!read_exactly (archive, (char *)data + done, allocated - done, path, member, error))
        return FALSE;
      done = allocated;
    }
  while (done < size);

  guint8 beyond;
  gssize got = cleave_archive_read (archive, &beyond, 1, error); /* at the end the checksum is compared */
  if (got > 0)
    return fail (path, member, error, "longer than its shape says");
  return got == 0;
}

static gboolean
read_array (NpzFile *file, CleaveArchive *archive, const char *member, GError **error)
{
  NpyArray *array = g_new0 (NpyArray, 1);

  g_ptr_array_add (file->arrays, array);
  if (!g_str_has_suffix (member, ".npy"))
    return fail (file->path, member, error, "not a .npy array");
  array->name = g_strndup (member, strlen (member) - strlen (".npy"));
  if (!g_hash_table_insert (file->by_name, array->name, array))
    return fail (file->path, member, error, "there twice");
  return read_header (archive, array, file->path, member, error)
         && read_data (archive, array, file->path, member, error);
}

NpzFile *
npz_load (const char *path, GError **error)
{
  g_autoptr (CleaveArchive) archive = cleave_archive_open (path, error);
  if (archive == NULL)
    return NULL;

  g_autoptr (NpzFile) file = g_new0 (NpzFile, 1);
  file->path = g_strdup (path);
  file->arrays = g_ptr_array_new_with_free_func (array_free);
  file->by_name = g_hash_table_new (g_str_hash, g_str_equal);

  GError *archive_error = NULL;
  const char *member;
  while ((member = cleave_archive_next (archive, &archive_error)) != NULL)
    if (!read_array (file, archive, member, error))
      return NULL;
  if (archive_error != NULL)
    {
      g_propagate_error (error, archive_error);
      return NULL;
    }
  return g_steal_pointer (&file);
}

void
npz_free (NpzFile *file)
{
  g_hash_table_unref (file->by_name);
  g_ptr_array_unref (file->arrays);
  g_free (file->path);
  g_free (file);
}

guint
npz_get_n_arrays (NpzFile *file)
{
  return file->arrays->len;
}

const NpyArray *
npz_get_array (NpzFile *file, guint index)
{
  g_return_val_if_fail (index < file->arrays->len, NULL);

  return g_ptr_array_index (file->arrays, index);
}

const NpyArray *
npz_find (NpzFile *file, const char *name)
{
  return g_hash_table_lookup (file->by_name, name);
}

/* As NumPy writes it: "()", "(3,)", "(3, 4)". */
static void
append_shape (GString *text, guint rank, const gsize *shape)
{
  g_string_append_c (text, '(');
  for (guint d = 0; d < rank; d++)
    g_string_append_printf (text, "%s%" G_GSIZE_FORMAT "%s", d > 0 ? " " : "", shape[d],
                            rank == 1 || d + 1 < rank ? "," : "");
  g_string_append_c (text, ')');
}

const NpyArray *
npz_expect (NpzFile *file, const char *name, NpyType type, guint rank, const gsize *shape, GError **error)
{
  const NpyArray *array = npz_find (file, name);

  if (array == NULL)
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: no array %s", file->path, name);
      return NULL;
    }
  gboolean same = array->type == type && array->rank == rank;
  for (guint d = 0; d < rank && same; d++)
    same = array->shape[d] == shape[d];
  if (same)
    return array;

  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GString) expected = g_string_new (NULL);
  append_shape (found, array->rank, array->shape);
  append_shape (expected, rank, shape);
  g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: array %s is %s %s; expected %s %s", file->path, name,
               types[array->type].descr, found->str, types[type].descr, expected->str);
  return NULL;
}

/* --- writing --- */

/* The bytes before the data, and how many data bytes there are. */
static GString *
make_header (NpyType type, guint rank, const gsize *shape, gsize *data_size)
{
  gsize size = npy_type_size (type);
  g_autoptr (GString) header = g_string_new_len ("\x93NUMPY\x01\x00\x00\x00", 10);

  for (guint d = 0; d < rank; d++)
    size *= shape[d];
  *data_size = size;

  g_string_append_printf (header, "{'descr': '%s', 'fortran_order': False, 'shape': ", types[type].descr);
  append_shape (header, rank, shape);
  g_string_append (header, ", }");
  while ((header->len + 1) % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  header->str[8] = (header->len - 10) & 0xff;
  header->str[9] = (header->len - 10) >> 8;
  return g_steal_pointer (&header);
}

gboolean
npz_write_array (CleaveArchiveWriter *writer, const char *name, NpyType type, guint rank, const gsize *shape,
                 gconstpointer data, GError **error)
{
  gsize size;
  g_autoptr (GString) header = make_header (type, rank, shape, &size);
  g_autofree char *member = g_strconcat (name, ".npy", NULL);

  return cleave_archive_writer_add (writer, member, header->len + size, error)
         && cleave_archive_writer_write (writer, header->str, header->len, error)
         && cleave_archive_writer_write (writer, data, size, error);
}

gboolean
npy_save (const char *path, NpyType type, guint rank, const gsize *shape, gconstpointer data, GError **error)
{
  gsize size;
  g_autoptr (GString) content = make_header (type, rank, shape, &size);

  g_string_append_len (content, data, size);
  return cleave_file_replace (path, content->str, content->len, error);
}
