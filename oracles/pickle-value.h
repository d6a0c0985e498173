/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The values of a pickle, as its reader builds them. */

#include "pickle.h"

G_BEGIN_DECLS

typedef enum
{
  PICKLE_NONE,
  PICKLE_NUMBER,
  PICKLE_STRING, /* str or bytes */
  PICKLE_LIST,   /* list, tuple or set */
  PICKLE_TUPLE,
  PICKLE_DICT,
  PICKLE_NAME,  /* one of the names below: what a REDUCE may call */
  PICKLE_TYPE,  /* numpy.dtype */
  PICKLE_ARRAY, /* NumPy scalar or array */
} PickleKind;

/* The named objects that are known to stand for data. */
typedef enum
{
  PICKLE_NAME_SCALAR,      /* numpy.core.multiarray.scalar (dtype, bytes) */
  PICKLE_NAME_RECONSTRUCT, /* numpy.core.multiarray._reconstruct (ndarray, shape, typecode), state by BUILD */
  PICKLE_NAME_FROM_BUFFER, /* numpy.core.numeric._frombuffer (bytes, dtype, shape, order) */
  PICKLE_NAME_TYPE,        /* numpy.dtype (code, align, copy), state by BUILD */
  PICKLE_NAME_ARRAY,       /* numpy.ndarray, only as an argument */
  PICKLE_NAME_ENCODE,      /* _codecs.encode (str, "latin1"): how protocols 0–2 write bytes */
} PickleName;

/* A NumPy type of numbers: 'f' float, 'i' int, 'u' unsigned, 'b' bool. */
typedef struct
{
  char kind;
  guint8 size; /* bytes */
  gboolean big_endian;
} PickleType;

struct _PickleValue
{
  PickleKind kind;
  union
  {
    double number;
    struct
    {
      const guint8 *data;
      gsize size;
    } string;
    GPtrArray *items; /* list, tuple; dict: key, value, key, value … */
    PickleName name;
    PickleType type;
    struct
    {
      PickleType type;
      const guint8 *data;
      gsize n_numbers;
    } array;
  };
};

struct _Pickle
{
  GBytes *bytes;
  GPtrArray *values;  /* every value made; values refer to each other freely, cycles included */
  GPtrArray *buffers; /* strings that had to be decoded */
  gsize buffers_size; /* bytes in them */
  const PickleValue *root;
};

void pickle_value_free (PickleValue *value);
/* A new value, owned by SELF. */
PickleValue *pickle_value_new (Pickle *self, PickleKind kind);
PickleValue *pickle_value_new_number (Pickle *self, double number);
/* DATA must live as long as SELF. */
PickleValue *pickle_value_new_string (Pickle *self, const guint8 *data, gsize size);
/* Gives DATA to SELF. */
PickleValue *pickle_value_new_string_take (Pickle *self, guint8 *data, gsize size);
gboolean pickle_value_string_equal (const PickleValue *value, const char *text);
/* Text for a message: valid UTF-8, of bounded length. */
char *pickle_make_printable (const guint8 *data, gsize size);

/* pickle-text.c: the strings of protocol 0, to be freed with g_free(); NULL where LINE is damaged. */

/* Python 2's repr: in quotes, with escapes. */
guint8 *pickle_unquote (const guint8 *line, gsize length, gsize *size);
/* Python's raw-unicode-escape, to UTF-8. */
guint8 *pickle_unescape (const guint8 *line, gsize length, gsize *size);

/* pickle-numpy.c: the known names and what they build, as data. */

/* FALSE where MODULE.NAME is not known. */
gboolean pickle_name_lookup (const char *module, const char *name, PickleName *result);
const char *pickle_name_to_string (PickleName name);
/* What REDUCE gives for a known name; NULL with an error. */
PickleValue *pickle_reduce (Pickle *self, const PickleValue *callable, const PickleValue *arguments, GError **error);
/* What BUILD does to a value. */
gboolean pickle_build (Pickle *self, PickleValue *value, const PickleValue *state, GError **error);

G_END_DECLS
