/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "result.h"

#include <math.h>

CleaveResult *
cleave_result_new (guint seed, CleaveCandidate *candidate, GVariant *variables, double latency_threshold_ms,
                   const CleaveLatency *latency, double channel_drop_rate, guint n_test_images, GArray *accuracies)
{
  CleaveResult *self = g_new0 (CleaveResult, 1);
  gsize n_choices = cleave_candidate_get_length (candidate);

  self->seed = seed;
  self->candidate = cleave_candidate_ref (candidate);
  self->variable_names = g_new0 (char *, n_choices + 1);
  self->choice_names = g_new0 (char *, n_choices + 1);
  for (gsize i = 0; i < n_choices; i++)
    {
      g_autofree const char **categories = NULL;

      g_variant_get_child (variables, i, "(s^a&s)", &self->variable_names[i], &categories);
      self->choice_names[i] = g_strdup (categories[cleave_candidate_get (candidate, i)]);
    }
  self->latency_threshold_ms = latency_threshold_ms;
  self->latency = *latency;
  self->channel_drop_rate = channel_drop_rate;
  self->n_test_images = n_test_images;
  self->accuracies = accuracies;
  return self;
}

void
cleave_result_free (CleaveResult *self)
{
  g_clear_pointer (&self->candidate, cleave_candidate_unref);
  g_strfreev (self->variable_names);
  g_strfreev (self->choice_names);
  g_clear_pointer (&self->accuracies, g_array_unref);
  g_free (self);
}

static void
add_number (JsonBuilder *builder, const char *key, double value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_double_value (builder, value);
}

static void
add_integer (JsonBuilder *builder, const char *key, gint64 value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, value);
}

static void
add_texts (JsonBuilder *builder, const char *key, char **texts, gsize n)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (gsize i = 0; i < n; i++)
    json_builder_add_string_value (builder, texts[i]);
  json_builder_end_array (builder);
}

static void
add_candidate (JsonBuilder *builder, CleaveResult *self)
{
  gsize n_choices = cleave_candidate_get_length (self->candidate);

  json_builder_set_member_name (builder, "architecture");
  json_builder_begin_array (builder);
  for (gsize i = 0; i + 1 < n_choices; i++)
    json_builder_add_int_value (builder, cleave_candidate_get (self->candidate, i));
  json_builder_end_array (builder);
  add_texts (builder, "architecture_variables", self->variable_names, n_choices - 1);
  add_texts (builder, "architecture_choices", self->choice_names, n_choices - 1);
  add_integer (builder, "split", cleave_candidate_get_split (self->candidate));
  json_builder_set_member_name (builder, "split_choice");
  json_builder_add_string_value (builder, self->choice_names[n_choices - 1]);
}

void
cleave_result_add_accuracies (JsonBuilder *builder, GArray *accuracies, guint n_test_images)
{
  json_builder_begin_array (builder);
  for (guint i = 0; i < accuracies->len; i++)
    {
      const CleaveAccuracy *accuracy = &g_array_index (accuracies, CleaveAccuracy, i);

      json_builder_begin_object (builder);
      add_number (builder, "drop_rate", accuracy->drop_rate);
      add_integer (builder, "correct", accuracy->n_correct);
      add_number (builder, "accuracy", (double)accuracy->n_correct / n_test_images);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

char *
cleave_result_to_json (CleaveResult *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  json_builder_begin_object (builder);
  add_integer (builder, "seed", self->seed);
  add_candidate (builder, self);
  add_number (builder, "head_ms", self->latency.head_ms);
  add_number (builder, "transfer_ms", self->latency.transfer_ms);
  add_number (builder, "tail_ms", self->latency.tail_ms);
  add_number (builder, "total_ms", self->latency.total_ms);
  add_number (builder, "latency_threshold_ms", self->latency_threshold_ms);
  add_integer (builder, "payload_elements", self->latency.payload_elements);
  add_number (builder, "payload_bits", self->latency.payload_bits);
  add_number (builder, "channel_drop_rate", self->channel_drop_rate);
  add_integer (builder, "test_images", self->n_test_images);
  json_builder_set_member_name (builder, "accuracies");
  cleave_result_add_accuracies (builder, self->accuracies, self->n_test_images);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}

/* A reader that keeps its first mistake, so that the caller checks once. */
typedef struct
{
  JsonReader *reader;
  const char *path;
  GError *error;
} Reading;

static void
fail (Reading *reading, const char *key, const char *expected)
{
  if (reading->error == NULL)
    g_set_error (&reading->error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: \"%s\" is missing or wrong, expected %s",
                 reading->path, key, expected);
}

static double
read_number (Reading *reading, const char *key)
{
  double value = NAN;

  if (json_reader_read_member (reading->reader, key) && json_reader_is_value (reading->reader))
    value = json_reader_get_double_value (reading->reader);
  json_reader_end_member (reading->reader);
  if (!isfinite (value) || value < 0)
    {
      fail (reading, key, "a number of 0 or more");
      return 0;
    }
  return value;
}

static guint
read_count (Reading *reading, const char *key)
{
  gint64 value = -1;

  if (json_reader_read_member (reading->reader, key) && json_reader_is_value (reading->reader))
    value = json_reader_get_int_value (reading->reader);
  json_reader_end_member (reading->reader);
  if (value < 0 || value > G_MAXUINT32)
    {
      fail (reading, key, "a whole number of 0 or more");
      return 0;
    }
  return value;
}

static char *
read_text (Reading *reading, const char *key)
{
  const char *value = NULL;

  if (json_reader_read_member (reading->reader, key) && json_reader_is_value (reading->reader))
    value = json_reader_get_string_value (reading->reader);
  json_reader_end_member (reading->reader);
  if (value == NULL)
    {
      fail (reading, key, "a text");
      return g_strdup ("");
    }
  return g_strdup (value);
}

/* The choices of all variables but the split, then room for the split's. */
static guint *
read_architecture (Reading *reading, gsize *n_blocks)
{
  guint *choices;

  *n_blocks = 0;
  if (json_reader_read_member (reading->reader, "architecture") && json_reader_is_array (reading->reader))
    *n_blocks = json_reader_count_elements (reading->reader);
  choices = g_new0 (guint, *n_blocks + 1);
  for (gsize i = 0; i < *n_blocks; i++)
    {
      gint64 value = -1;

      if (json_reader_read_element (reading->reader, i) && json_reader_is_value (reading->reader))
        value = json_reader_get_int_value (reading->reader);
      json_reader_end_element (reading->reader);
      if (value < 0 || value > G_MAXUINT32)
        fail (reading, "architecture", "whole numbers of 0 or more");
      choices[i] = MAX (value, 0);
    }
  json_reader_end_member (reading->reader);
  if (*n_blocks == 0)
    fail (reading, "architecture", "an array of whole numbers");
  return choices;
}

/* N texts, with room for one more. */
static GStrv
read_texts (Reading *reading, const char *key, gsize n)
{
  GStrv texts = g_new0 (char *, n + 2);
  gint n_there = -1;

  if (json_reader_read_member (reading->reader, key) && json_reader_is_array (reading->reader))
    n_there = json_reader_count_elements (reading->reader);
  if (n_there < 0 || (gsize)n_there != n)
    fail (reading, key, "as many texts as \"architecture\" has numbers");
  for (gsize i = 0; i < n; i++)
    {
      const char *text = NULL;

      if (json_reader_read_element (reading->reader, i) && json_reader_is_value (reading->reader))
        text = json_reader_get_string_value (reading->reader);
      json_reader_end_element (reading->reader);
      if (text == NULL)
        fail (reading, key, "texts");
      texts[i] = g_strdup (text != NULL ? text : "");
    }
  json_reader_end_member (reading->reader);
  return texts;
}

static void
read_candidate (Reading *reading, CleaveResult *self)
{
  gsize n_blocks;
  g_autofree guint *choices = read_architecture (reading, &n_blocks);

  choices[n_blocks] = read_count (reading, "split");
  self->candidate = cleave_candidate_new (choices, n_blocks + 1);
  self->variable_names = read_texts (reading, "architecture_variables", n_blocks);
  self->variable_names[n_blocks] = g_strdup ("split");
  self->choice_names = read_texts (reading, "architecture_choices", n_blocks);
  self->choice_names[n_blocks] = read_text (reading, "split_choice");
}

static void
read_accuracies (Reading *reading, CleaveResult *self)
{
  gint n = -1;

  self->accuracies = g_array_new (FALSE, TRUE, sizeof (CleaveAccuracy));
  if (json_reader_read_member (reading->reader, "accuracies") && json_reader_is_array (reading->reader))
    n = json_reader_count_elements (reading->reader);
  if (n < 0)
    fail (reading, "accuracies", "an array of objects");
  for (gint i = 0; i < n; i++)
    {
      CleaveAccuracy accuracy = { 0 };

      json_reader_read_element (reading->reader, i);
      accuracy.drop_rate = read_number (reading, "drop_rate");
      accuracy.n_correct = read_count (reading, "correct");
      json_reader_end_element (reading->reader);
      g_array_append_val (self->accuracies, accuracy);
    }
  json_reader_end_member (reading->reader);
}

CleaveResult *
cleave_result_load (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (JsonReader) reader = NULL;
  g_autoptr (CleaveResult) self = g_new0 (CleaveResult, 1);
  g_autoptr (GError) parse_error = NULL;
  Reading reading = { NULL, path, NULL };

  if (!json_parser_load_from_file (parser, path, &parse_error))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: can't be read as JSON: %s", path, parse_error->message);
      return NULL;
    }
  if (json_parser_get_root (parser) == NULL || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser)))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: expected a JSON object", path);
      return NULL;
    }
  reading.reader = reader = json_reader_new (json_parser_get_root (parser));

  self->seed = read_count (&reading, "seed");
  read_candidate (&reading, self);
  self->latency.head_ms = read_number (&reading, "head_ms");
  self->latency.transfer_ms = read_number (&reading, "transfer_ms");
  self->latency.tail_ms = read_number (&reading, "tail_ms");
  self->latency.total_ms = read_number (&reading, "total_ms");
  self->latency_threshold_ms = read_number (&reading, "latency_threshold_ms");
  self->latency.payload_elements = read_count (&reading, "payload_elements");
  self->latency.payload_bits = read_number (&reading, "payload_bits");
  self->channel_drop_rate = read_number (&reading, "channel_drop_rate");
  self->n_test_images = read_count (&reading, "test_images");
  read_accuracies (&reading, self);
  if (reading.error != NULL)
    {
      g_propagate_error (error, reading.error);
      return NULL;
    }
  return g_steal_pointer (&self);
}
