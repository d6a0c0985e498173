/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <string.h>

typedef struct
{
  GObject parent_instance;
  double delay;
  guint width;
  gboolean reliable;
  char *label;
  char *file;
  char *mode;
  char *rates;
  gpointer buffer;
} Everything;
typedef GObjectClass EverythingClass;

GType everything_get_type (void);
G_DEFINE_TYPE (Everything, everything, G_TYPE_OBJECT)

static guint n_finalized;

static void
everything_free_rest (gpointer object)
{
  n_finalized++;
  g_free (((Everything *)object)->buffer);
}

static void
everything_class_init (EverythingClass *cleave_class)
{
  typedef Everything CleaveSelf;

  cleave_parameter_class_init (cleave_class);
  cleave_parameter_class_set_finalize (cleave_class, everything_free_rest);
  CLEAVE_PARAMETER (delay, DOUBLE, "ms", 0.5, 1000, 30, "A time")
  CLEAVE_PARAMETER (width, UINT, "bit", 1, 64, 32, "A count")
  CLEAVE_PARAMETER (reliable, BOOLEAN, "", 0, 1, TRUE, "A switch")
  CLEAVE_PARAMETER_STRING (label, NULL, "A text")
  CLEAVE_PARAMETER_PATH (file, "images.tar", "A file")
  CLEAVE_PARAMETER_CHOICE (mode, "wifi|lora|wire", "wifi", "A word")
  CLEAVE_PARAMETER_NUMBERS (rates, 0, 0.99, "0; 0.5", "Some numbers")
}

static void
everything_init (Everything *self)
{
  self->buffer = g_malloc (16);
}

static const CleaveParameter *
find (gpointer object, const char *name)
{
  return cleave_parameter_get (g_object_class_find_property (G_OBJECT_GET_CLASS (object), name));
}

static void
expect_text (gpointer object, const char *name, const char *expected)
{
  g_autofree char *text = cleave_parameter_get_text (object, find (object, name));

  EXPECT_STRING (text, expected);
}

static void
expect_refusal (gpointer object, const char *name, const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = cleave_parameter_get_text (object, find (object, name));
  g_autofree char *after = NULL;

  if (!EXPECT_TRUE (!cleave_parameter_set_text (object, find (object, name), text, &error)))
    return;
  EXPECT_STRING (error->message, message);
  EXPECT_TRUE (g_error_matches (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG));
  after = cleave_parameter_get_text (object, find (object, name));
  EXPECT_STRING (after, before);
}

TEST (Parameter, DefaultsAreThereAfterMaking)
{
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);
  Everything *self = (Everything *)object;

  EXPECT_TRUE (self->delay == 30);
  EXPECT_INT (self->width, 32);
  EXPECT_TRUE (self->reliable == TRUE);
  EXPECT_TRUE (self->label == NULL);
  EXPECT_STRING (self->file, "images.tar");
  EXPECT_STRING (self->mode, "wifi");
  EXPECT_STRING (self->rates, "0; 0.5");
}

TEST (Parameter, ListKeepsTheOrderOfDeclaration)
{
  static const char *const names[] = { "delay", "width", "reliable", "label", "file", "mode", "rates" };
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (object);
  const CleaveParameter *delay;

  REQUIRE (parameters->len == G_N_ELEMENTS (names));
  for (guint i = 0; i < parameters->len; i++)
    EXPECT_STRING (((const CleaveParameter *)g_ptr_array_index (parameters, i))->name, names[i]);
  delay = g_ptr_array_index (parameters, 0);
  EXPECT_INT (delay->type, CLEAVE_PARAMETER_TYPE_DOUBLE);
  EXPECT_STRING (delay->unit, "ms");
  EXPECT_STRING (delay->default_text, "30 ms");
  EXPECT_STRING (delay->help, "A time");
  EXPECT_TRUE (delay->minimum == 0.5 && delay->maximum == 1000);
}

TEST (Parameter, ObjectsWithPlainPropertiesHaveNone)
{
  g_autoptr (GObject) action = G_OBJECT (g_simple_action_new ("x", NULL));
  g_autoptr (GPtrArray) parameters = cleave_parameter_list (action);

  EXPECT_INT (parameters->len, 0);
}

TEST (Parameter, TextSetsEveryType)
{
  static const char *const values[][2]
      = { { "delay", "0.002 s" }, { "width", "16" },  { "reliable", "false" }, { "label", "a b c" },
          { "file", "/tmp/x" },   { "mode", "lora" }, { "rates", "0.1;0.25" } };
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);
  Everything *self = (Everything *)object;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      cleave_parameter_set_text (object, find (object, values[i][0]), values[i][1], &error);
      REQUIRE_NO_ERROR (error);
    }
  EXPECT_TRUE (self->delay == 2);
  EXPECT_INT (self->width, 16);
  EXPECT_TRUE (self->reliable == FALSE);
  EXPECT_STRING (self->label, "a b c");
  EXPECT_STRING (self->file, "/tmp/x");
  EXPECT_STRING (self->mode, "lora");
  EXPECT_STRING (self->rates, "0.1;0.25");
}

TEST (Parameter, RefusalsNameKeyValueAndWhatIsExpected)
{
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);

  expect_refusal (object, "delay", "30 kg", "delay = 30 kg: expected a number in ms, such as 30 ms");
  expect_refusal (object, "delay", "2 s", "delay = 2 s: expected 0.5 ms to 1000 ms");
  expect_refusal (object, "delay", "0.4999", "delay = 0.4999: expected 0.5 ms to 1000 ms");
  expect_refusal (object, "delay", "", "delay = : expected a number in ms, such as 30 ms");
  expect_refusal (object, "width", "0", "width = 0: expected 1 bit to 64 bit");
  expect_refusal (object, "width", "65", "width = 65: expected 1 bit to 64 bit");
  expect_refusal (object, "width", "2.5", "width = 2.5: expected a whole number");
  expect_refusal (object, "reliable", "yes", "reliable = yes: expected true or false");
  expect_refusal (object, "mode", "wimax", "mode = wimax: expected wifi, lora or wire");
  expect_refusal (object, "rates", "0; 1", "rates = 0; 1: expected numbers with ; between them, each 0 to 0.99");
  expect_refusal (object, "rates", "0;", "rates = 0;: expected numbers with ; between them, each 0 to 0.99");
  expect_refusal (object, "rates", "", "rates = : expected numbers with ; between them");
}

TEST (Parameter, BoundsThemselvesAreAllowed)
{
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);
  g_autoptr (GError) error = NULL;

  EXPECT_TRUE (cleave_parameter_set_text (object, find (object, "delay"), "500 us", &error));
  EXPECT_TRUE (cleave_parameter_set_text (object, find (object, "delay"), "1 s", &error));
  EXPECT_TRUE (cleave_parameter_set_text (object, find (object, "width"), "64 bit", &error));
  EXPECT_NO_ERROR (error);
  expect_text (object, "delay", "1000 ms");
  expect_text (object, "width", "64 bit");
}

TEST (Parameter, TextGivesTheSameValueBack)
{
  static const double values[] = { 1.0 / 3 * 2, 0.1 + 0.2 + 1, 999.9999999999999, 2.3562 };
  g_autoptr (GObject) object = g_object_new (everything_get_type (), NULL);
  g_autoptr (GError) error = NULL;
  Everything *self = (Everything *)object;

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = NULL;

      g_object_set (object, "delay", values[i], NULL);
      text = cleave_parameter_get_text (object, find (object, "delay"));
      self->delay = 0;
      cleave_parameter_set_text (object, find (object, "delay"), text, &error);
      REQUIRE_NO_ERROR (error);
      EXPECT_TRUE (self->delay == values[i]);
    }
  /* A string that is not set stays so. */
  expect_text (object, "label", "");
  cleave_parameter_set_text (object, find (object, "label"), "", &error);
  EXPECT_NO_ERROR (error);
  EXPECT_TRUE (self->label == NULL);
  /* One that is empty though it has a default stays empty. */
  cleave_parameter_set_text (object, find (object, "file"), "", &error);
  EXPECT_NO_ERROR (error);
  EXPECT_STRING (self->file, "");
}

TEST (Parameter, FinalizeRunsOnceForAnInstance)
{
  guint before = n_finalized;
  GObject *object = g_object_new (everything_get_type (), "label", "freed with it", NULL);

  g_object_unref (object);
  EXPECT_INT (n_finalized - before, 1);
}

TEST (Parameter, NumbersKeepOrderAndValue)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) numbers = cleave_parameter_parse_numbers (" 0.3; 0 ;0.1", 0, 1, &error);

  REQUIRE_NO_ERROR (error);
  REQUIRE (numbers->len == 3);
  EXPECT_TRUE (g_array_index (numbers, double, 0) == 0.3);
  EXPECT_TRUE (g_array_index (numbers, double, 1) == 0);
  EXPECT_TRUE (g_array_index (numbers, double, 2) == 0.1);
}
