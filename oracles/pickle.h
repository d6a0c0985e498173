/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads Python's pickles as data, protocols 0–5: dicts, lists, tuples, sets, numbers, strings, and NumPy's scalars and
 * arrays. Nothing is ever executed: what names any other object is refused by that name. */

#include <gio/gio.h>

G_BEGIN_DECLS

/* A pickle that has been read; it owns its values and keeps the bytes. */
typedef struct _Pickle Pickle;
typedef struct _PickleValue PickleValue;

/* Fails with CLEAVE_ERROR_DATA and the offset where the bytes are damaged, truncated or name code. */
Pickle *pickle_read (GBytes *bytes, GError **error);
void pickle_free (Pickle *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pickle, pickle_free)

const PickleValue *pickle_get_root (const Pickle *self);
/* "a dict of 8", "an array of 12 numbers": for messages; free with g_free(). */
char *pickle_value_describe (const PickleValue *value);
/* The number of pairs of a dict or of items of a list, tuple or set; 0 for anything else. */
gsize pickle_value_get_length (const PickleValue *value);
/* Item INDEX of a list, tuple or set. */
const PickleValue *pickle_value_get_item (const PickleValue *value, gsize index);
gboolean pickle_value_is_dict (const PickleValue *value);
/* Pair INDEX of a dict, in the order of insertion; where a key repeats, the last pair counts. */
void pickle_value_get_pair (const PickleValue *value, gsize index, const PickleValue **key, const PickleValue **item);
/* The value of the string KEY in a dict; NULL where it is not there or VALUE is no dict. */
const PickleValue *pickle_value_find (const PickleValue *value, const char *key);
/* A str or bytes without NUL; NULL for anything else. */
char *pickle_value_dup_string (const PickleValue *value);
/* An int, float, bool, NumPy scalar or array of one number. */
gboolean pickle_value_get_number (const PickleValue *value, double *number);
/* Number INDEX, in the order stored, of a NumPy array or scalar; the count is 0 for anything else. */
gsize pickle_value_get_n_numbers (const PickleValue *value);
double pickle_value_get_array_number (const PickleValue *value, gsize index);

G_END_DECLS
