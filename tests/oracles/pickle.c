/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The fixtures were written by Python 3.11 and NumPy 1.24, one a protocol, with the same content. */

#include "pickle.h"
#include "test.h"

#include <math.h>
#include <string.h>

static Pickle *
read_bytes (const char *bytes, gsize size, GError **error)
{
  /* A copy of the exact size, so that a sanitizer sees what reads beyond it. */
  g_autoptr (GBytes) copy = g_bytes_new (bytes, size);

  return pickle_read (copy, error);
}

static Pickle *
read_fixture (const char *name, GError **error)
{
  g_autofree char *path = test_fixture (name);
  g_autofree char *bytes = NULL;
  gsize size;

  if (!g_file_get_contents (path, &bytes, &size, error))
    return NULL;
  return read_bytes (bytes, size, error);
}

/* A literal with NULs in it. */
#define READ(literal, error) read_bytes (literal, sizeof (literal) - 1, error)

static void
expect_number (const PickleValue *value, double expected)
{
  double number = NAN;

  REQUIRE (value != NULL);
  EXPECT_TRUE (pickle_value_get_number (value, &number));
  EXPECT_NEAR (number, expected, 0);
}

static void
expect_root_number (const char *bytes, gsize size, double expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) pickle = read_bytes (bytes, size, &error);

  REQUIRE_NO_ERROR (error);
  expect_number (pickle_get_root (pickle), expected);
}

#define EXPECT_NUMBER(literal, expected) expect_root_number (literal, sizeof (literal) - 1, expected)

static void
expect_refusal (const char *bytes, gsize size, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) pickle = read_bytes (bytes, size, &error);

  EXPECT_TRUE (pickle == NULL);
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA, text);
}

#define EXPECT_REFUSAL(literal, text) expect_refusal (literal, sizeof (literal) - 1, text)

static void
check_strings (const PickleValue *list)
{
  g_autofree char *bytes = pickle_value_dup_string (pickle_value_get_item (list, 11));
  g_autofree char *text = pickle_value_dup_string (pickle_value_get_item (list, 12));
  g_autofree char *described = pickle_value_describe (pickle_value_get_item (list, 11));

  EXPECT_TRUE (bytes == NULL); /* b"by\0\xff" holds a NUL */
  EXPECT_TRUE (g_str_has_prefix (described, "the string “by"));
  EXPECT_STRING (text, "é€😀");
  for (guint i = 0; i <= 4; i++)
    EXPECT_INT (pickle_value_get_length (pickle_value_get_item (list, 13 + i)), i);
  g_autofree char *shared = pickle_value_dup_string (
      pickle_value_get_item (pickle_value_get_item (list, pickle_value_get_length (list) - 1), 0));
  EXPECT_STRING (shared, "shared");
}

static void
check_content (const char *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) pickle = read_fixture (fixture, &error);
  REQUIRE_NO_ERROR (error);
  const PickleValue *other = pickle_value_find (pickle_get_root (pickle), "other");
  const PickleValue *table
      = pickle_value_find (pickle_value_find (pickle_get_root (pickle), "fbnet"), "raspi4_latency");
  REQUIRE (other != NULL && table != NULL);

  /* 2^40, −2^70 and the rest: all exact in double. */
  const double numbers[] = { 1, -2, 1099511627776.0, -1180591620717411303424.0, 300, 70000, -70000, 1.5 };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    expect_number (pickle_value_get_item (other, i), numbers[i]);
  expect_number (pickle_value_get_item (other, 9), 1);
  expect_number (pickle_value_get_item (other, 10), 0);
  check_strings (other);

  const struct
  {
    const char *key;
    double value;
  } entries[] = { { "float", 1.5 },  { "int", 3 },          { "float64", 2.5 },         { "float32", 0.25 },
                  { "int32", -7 },   { "uint8", 200 },      { "int64", 1099511627776 }, { "bool", 1 },
                  { "array", 1.25 }, { "zero-rank", 0.75 }, { "big-endian", 6.5 },      { "one-by-one", 9 } };
  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    expect_number (pickle_value_find (table, entries[i].key), entries[i].value);
  EXPECT_INT (pickle_value_get_length (table), G_N_ELEMENTS (entries));
  EXPECT_TRUE (pickle_value_find (table, "nothing") == NULL);
}

TEST (Pickle, EveryProtocol)
{
  for (guint protocol = 0; protocol <= 5; protocol++)
    {
      g_autofree char *name = g_strdup_printf ("pickle/protocol-%u.pickle", protocol);
      check_content (name);
    }
}

TEST (Pickle, NumPyTwo) { check_content ("pickle/numpy-2.pickle"); }

/* Opcodes that Python no longer writes, or only for large values. Meanings from pickletools. */
TEST (Pickle, OpcodesByHand)
{
  EXPECT_NUMBER ("I42\n.", 42);
  EXPECT_NUMBER ("I01\n.", 1);
  EXPECT_NUMBER ("L-12L\n.", -12);
  EXPECT_NUMBER ("F-2.5e3\n.", -2500);
  EXPECT_NUMBER ("J\xff\xff\xff\xff.", -1);
  EXPECT_NUMBER ("\x8a\x00.", 0);
  EXPECT_NUMBER ("\x8a\x02\x00\xff.", -256);
  EXPECT_NUMBER ("\x8b\x02\x00\x00\x00\x00\x01.", 256);
  EXPECT_NUMBER ("G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5);
  EXPECT_NUMBER ("K\x01K\x02"
                 "0.",
                 1); /* POP */
  EXPECT_NUMBER ("K\x01(K\x02K\x03"
                 "1.",
                 1);             /* POP_MARK */
  EXPECT_NUMBER ("K\x01(0.", 1); /* POP of a mark */
  EXPECT_NUMBER ("K\x07"
                 "2"
                 "0.",
                 7); /* DUP */
  EXPECT_NUMBER ("K\x05p7\n0g7\n.", 5);
  EXPECT_NUMBER ("K\x05r\x00\x00\x01\x00"
                 "0j\x00\x00\x01\x00.",
                 5);
  EXPECT_NUMBER ("\x80\x04K\x05\x94"
                 "0h\x00.",
                 5);
}

static void
expect_root_string (const char *bytes, gsize size, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) pickle = read_bytes (bytes, size, &error);
  REQUIRE_NO_ERROR (error);
  g_autofree char *text = pickle_value_dup_string (pickle_get_root (pickle));

  EXPECT_STRING (text, expected);
}

#define EXPECT_TEXT(literal, expected) expect_root_string (literal, sizeof (literal) - 1, expected)

TEST (Pickle, StringsByHand)
{
  EXPECT_TEXT ("S'it\\'s \\x41\\n'\n.", "it's A\n");
  EXPECT_TEXT ("S\"\"\n.", "");
  EXPECT_TEXT ("V\\u20ac\\U0001f600 \xe9\n.", "€😀 é");
  EXPECT_TEXT ("U\x02hi.", "hi");
  EXPECT_TEXT ("T\x02\x00\x00\x00hi.", "hi");
  EXPECT_TEXT ("C\x02hi.", "hi");
  EXPECT_TEXT ("B\x02\x00\x00\x00hi.", "hi");
  EXPECT_TEXT ("\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi.", "hi");
  EXPECT_TEXT ("\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi.", "hi");
  EXPECT_TEXT ("\x96\x02\x00\x00\x00\x00\x00\x00\x00hi.", "hi");
  EXPECT_REFUSAL ("Sno quotes\n.", "is no string");
  EXPECT_REFUSAL ("S'\\xzz'\n.", "is no string");
  EXPECT_REFUSAL ("V\\u12\n.", "is no string");
}

/* Of a key that repeats, the last counts, as in Python. */
TEST (Pickle, Dicts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) pickle = READ ("(U\x01"
                                    "aK\x01U\x01"
                                    "aK\x02"
                                    "dU\x01"
                                    "bK\x03s.",
                                    &error);
  REQUIRE_NO_ERROR (error);

  expect_number (pickle_value_find (pickle_get_root (pickle), "a"), 2);
  expect_number (pickle_value_find (pickle_get_root (pickle), "b"), 3);
  EXPECT_REFUSAL ("(K\x01"
                  "d.",
                  "key has no value");
  EXPECT_REFUSAL ("](K\x01K\x02u.", "can't be added to a list");
}

/* A list in itself, a dict as its own value: no reason to hang, leak or crash. */
TEST (Pickle, Cycles)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Pickle) list = READ ("]q\x00h\x00"
                                  "a.",
                                  &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (Pickle) dict = READ ("}q\x00U\x01"
                                  "ah\x00s.",
                                  &error);
  REQUIRE_NO_ERROR (error);

  EXPECT_TRUE (pickle_value_get_item (pickle_get_root (list), 0) == pickle_get_root (list));
  EXPECT_TRUE (pickle_value_find (pickle_get_root (dict), "a") == pickle_get_root (dict));
}

/* What could run code, each refused by its name and before anything after it is read. */
TEST (Pickle, CodeIsRefusedByName)
{
  EXPECT_REFUSAL ("cposix\nsystem\n(S'true'\ntR.", "refuses to load posix.system");
  EXPECT_REFUSAL ("c__builtin__\neval\n", "refuses to load __builtin__.eval");
  EXPECT_REFUSAL ("\x80\x04\x8c\x02os\x8c\x06system\x93.", "refuses to load os.system");
  EXPECT_REFUSAL ("\x80\x04\x8c\x08"
                  "builtins\x8c\x03set\x93.",
                  "refuses to load builtins.set");
  EXPECT_REFUSAL ("ccollections\nOrderedDict\n)R.", "refuses to load collections.OrderedDict");
  EXPECT_REFUSAL ("cnumpy\nload\n.", "refuses to load numpy.load");
  EXPECT_REFUSAL ("cnumpy.core.multiarray\nfromfile\n.", "refuses to load numpy.core.multiarray.fromfile");
  EXPECT_REFUSAL ("(S'true'\nios\nsystem\n.", "refuses to make os.system");
  EXPECT_REFUSAL ("(cnumpy\ndtype\no.", "refuses to make an object (OBJ)");
  EXPECT_REFUSAL ("cnumpy\nndarray\n)\x81.", "(NEWOBJ)");
  EXPECT_REFUSAL ("cnumpy\nndarray\n)}\x92.", "(NEWOBJ_EX)");
  EXPECT_REFUSAL ("Pfile:///x\n.", "refuses the persistent object “file:///x”");
  EXPECT_REFUSAL ("K\x01Q.", "BINPERSID");
  EXPECT_REFUSAL ("\x82\x07.", "registered extension 7");
  EXPECT_REFUSAL ("\x83\x07\x01.", "registered extension 263");
  EXPECT_REFUSAL ("\x84\x07\x00\x00\x01.", "registered extension 16777223");
  EXPECT_REFUSAL ("\x97.", "NEXT_BUFFER");
  EXPECT_REFUSAL ("K\x01\x98.", "READONLY_BUFFER");
}

/* Names that stand for data build nothing but that data. */
TEST (Pickle, NamesMisused)
{
  EXPECT_REFUSAL ("cnumpy\nndarray\n(K\x01tR.", "a known name that may be called");
  EXPECT_REFUSAL ("cnumpy\ndtype\n(S'O8'\ntR.", "the NumPy type “O8” is not known");
  EXPECT_REFUSAL ("cnumpy\ndtype\n(K\x01tR.", "expected the name of a type");
  EXPECT_REFUSAL ("c_codecs\nencode\n(S'a'\nS'rot13'\ntR.", "expected a str and “latin1”");
  EXPECT_REFUSAL ("c_codecs\nencode\n(V\\u20ac\nS'latin1'\ntR.", "expected a str of Latin-1");
  EXPECT_REFUSAL ("K\x01)R.", "REDUCE is given the number 1");
  EXPECT_REFUSAL ("}}b.", "BUILD is given a dict of 0");
  EXPECT_REFUSAL ("cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'f8'\ntRS'abc'\ntR.",
                  "an array of 1 numbers of type f8 has 3 bytes");
  EXPECT_REFUSAL ("cnumpy.core.numeric\n_frombuffer\n(S'abcdefgh'\ncnumpy\ndtype\n(S'f8'\ntR(I4294967295\nI4294967295\n"
                  "I4294967295\ntS'C'\ntR.",
                  "is no size");
  EXPECT_REFUSAL ("cnumpy.core.numeric\n_frombuffer\n(S'abcdefgh'\ncnumpy\ndtype\n(S'f8'\ntR(I-1\ntS'C'\ntR.",
                  "dimension 0 of an array is no size");
}

TEST (Pickle, Damage)
{
  EXPECT_REFUSAL ("", "truncated: it ends without STOP (pickle, byte 0)");
  EXPECT_REFUSAL (".", "no value on the stack");
  EXPECT_REFUSAL ("(.", "no value on the stack");
  EXPECT_REFUSAL ("K\x01(0"
                  "00.",
                  "no value on the stack");
  EXPECT_REFUSAL ("K\x01(\x85.", "no value on the stack");
  EXPECT_REFUSAL ("t.", "no mark");
  EXPECT_REFUSAL ("h\x09.", "the memo has no entry 9");
  EXPECT_REFUSAL ("gx\n.", "no number");
  EXPECT_REFUSAL ("I4x\n.", "“4x” is no number");
  EXPECT_REFUSAL ("\x80\x06.", "protocol 6 is not known");
  EXPECT_REFUSAL ("\xff.", "0xff is no opcode (pickle, byte 0)");
  EXPECT_REFUSAL ("\x8d\xff\xff\xff\xff\xff\xff\xff\xffx.", "truncated");
  EXPECT_REFUSAL ("\x8b\xff\xff\xff\xff.", "truncated");
  EXPECT_REFUSAL ("\x95\x05\x00\x00\x00\x00\x00\x00\x00N.", "truncated: a frame of 5 bytes");
  EXPECT_REFUSAL ("K\x01I42", "truncated: a line has no end before byte 5 (pickle, byte 2)");
}

typedef void (*Damage) (char *bytes, gsize size);

static void
for_every_fixture (Damage damage)
{
  static const char *const names[]
      = { "protocol-0", "protocol-1", "protocol-2", "protocol-3", "protocol-4", "protocol-5", "numpy-2" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *name = g_strdup_printf ("pickle/%s.pickle", names[i]);
      g_autofree char *path = test_fixture (name);
      g_autofree char *bytes = NULL;
      g_autoptr (GError) error = NULL;
      gsize size;
      g_file_get_contents (path, &bytes, &size, &error);
      REQUIRE_NO_ERROR (error);
      damage (bytes, size);
    }
}

static void
truncate_everywhere (char *bytes, gsize size)
{
  for (gsize length = 0; length < size; length++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (Pickle) pickle = read_bytes (bytes, length, &error);
      EXPECT_TRUE (pickle == NULL);
      EXPECT_ERROR (error, CLEAVE_ERROR_DATA, "pickle, byte");
    }
}

TEST (Pickle, TruncatedAtEveryByte) { for_every_fixture (truncate_everywhere); }

/* Reads every value reachable in a few steps, as a table's reader would. */
static void
visit (const PickleValue *value, guint depth)
{
  double number;
  const PickleValue *key, *item;

  g_free (pickle_value_describe (value));
  g_free (pickle_value_dup_string (value));
  pickle_value_get_number (value, &number);
  for (gsize i = 0; i < pickle_value_get_n_numbers (value); i++)
    pickle_value_get_array_number (value, i);
  for (gsize i = 0; depth > 0 && i < pickle_value_get_length (value); i++)
    if (pickle_value_is_dict (value))
      {
        pickle_value_get_pair (value, i, &key, &item);
        visit (key, 0);
        visit (item, depth - 1);
      }
    else
      visit (pickle_value_get_item (value, i), depth - 1);
}

/* Whether it is read or refused, it says which, and neither crashes. */
static void
change_every_byte (char *bytes, gsize size)
{
  static const guint8 flips[] = { 1, 8, 64, 255 };

  for (gsize i = 0; i < size; i++)
    for (guint j = 0; j < G_N_ELEMENTS (flips); j++)
      {
        g_autoptr (GError) error = NULL;
        bytes[i] = (char)(bytes[i] ^ flips[j]);
        g_autoptr (Pickle) pickle = read_bytes (bytes, size, &error);
        bytes[i] = (char)(bytes[i] ^ flips[j]);
        EXPECT_TRUE ((pickle == NULL) == (error != NULL));
        if (pickle != NULL)
          visit (pickle_get_root (pickle), 4);
      }
}

TEST (Pickle, EveryByteChanged) { for_every_fixture (change_every_byte); }
