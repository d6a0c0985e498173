/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The state of a pickle's stack machine and what all its opcodes use. */

#include "pickle-value.h"

G_BEGIN_DECLS

/* Limits what a hostile file can make us hold; the published table has about a million values. */
#define PICKLE_MAX_VALUES (8 * 1024 * 1024)

typedef struct
{
  Pickle *pickle;
  const guint8 *data;
  gsize size;
  gsize position;
  gsize opcode_position;
  GPtrArray *stack; /* PickleValue */
  GArray *marks;    /* gsize: heights of the stack */
  GHashTable *memo; /* number → PickleValue */
} PickleReader;

/* Sets an error that names the place; always FALSE. */
gboolean pickle_reader_fail (PickleReader *self, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The next SIZE bytes; NULL with an error where the file ends before. */
const guint8 *pickle_reader_take_bytes (PickleReader *self, guint64 size, GError **error);
/* A little-endian unsigned number of SIZE bytes. */
gboolean pickle_reader_take_uint (PickleReader *self, guint size, guint64 *number, GError **error);
/* A line without its end. */
gboolean pickle_reader_take_line (PickleReader *self, const guint8 **line, gsize *length, GError **error);
gboolean pickle_reader_push (PickleReader *self, PickleValue *value, GError **error);
/* The value on top; NULL with an error where there is none above the last mark. */
PickleValue *pickle_reader_pop (PickleReader *self, GError **error);
PickleValue *pickle_reader_peek (PickleReader *self, GError **error);
/* Moves what lies above the last mark into ITEMS (nullable: drops it) and takes the mark away. */
gboolean pickle_reader_pop_to_mark (PickleReader *self, GPtrArray *items, GError **error);

/* pickle-names.c: the opcodes that name objects. */
gboolean pickle_op_global (PickleReader *self, guint unused, GError **error);
gboolean pickle_op_stack_global (PickleReader *self, guint unused, GError **error);
gboolean pickle_op_reduce (PickleReader *self, guint unused, GError **error);
gboolean pickle_op_build (PickleReader *self, guint unused, GError **error);
/* Always fail; an object that is named by LINES lines, by a code of SIZE bytes, or not at all. */
gboolean pickle_op_refuse_line (PickleReader *self, guint lines, GError **error);
gboolean pickle_op_refuse_extension (PickleReader *self, guint size, GError **error);
gboolean pickle_op_refuse (PickleReader *self, guint unused, GError **error);

G_END_DECLS
