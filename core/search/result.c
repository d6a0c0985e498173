/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "result.h"

#include <math.h>
#include <string.h>

/* VARIABLE's category in the candidate is this one. */
static gboolean
has_choice (CleaveCandidate *candidate, GVariant *variables, gsize variable, const char *choice)
{
  g_autofree const char **categories = NULL;

  g_variant_get_child (variables, variable, "(&s^a&s)", NULL, &categories);
  return strcmp (categories[cleave_candidate_get (candidate, variable)], choice) == 0;
}

CleaveCut
cleave_cut_find (CleaveNetwork *network, CleaveCandidate *candidate, GVariant *variables)
{
  const CleaveCut unknown = { .head_blocks = -1 };
  const gsize n_variables = cleave_candidate_get_length (candidate) - 1;
  const guint cut_op = cleave_network_get_cut (network);
  CleaveCut cut = { 0 };
  gsize n_chosen = 0;

  for (guint i = 0; i < cleave_network_get_n_blocks (network); i++)
    {
      const CleaveBlock *block = cleave_network_get_block (network, i);

      if (block->choice == NULL)
        continue;
      /* A space may let one variable choose several blocks, or leave blocks out. */
      if (n_chosen == n_variables || !has_choice (candidate, variables, n_chosen, block->choice))
        return unknown;
      n_chosen++;
      cut.head_blocks += block->end_op <= cut_op;
      cut.inside_block |= block->first_op < cut_op && cut_op < block->end_op;
    }
  return n_chosen == n_variables ? cut : unknown;
}

CleaveResult *
cleave_result_new (guint seed, CleaveCandidate *candidate, GVariant *variables, double latency_threshold_ms,
                   const CleaveLatency *latency, CleaveCut cut, double channel_drop_rate, guint n_test_images,
                   GArray *accuracies)
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
  self->cut = cut;
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

/* Nulls where the place is unknown. */
static void
add_cut (JsonBuilder *builder, CleaveCut cut)
{
  json_builder_set_member_name (builder, "head_blocks");
  if (cut.head_blocks >= 0)
    json_builder_add_int_value (builder, cut.head_blocks);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "cut_inside_block");
  if (cut.head_blocks >= 0)
    json_builder_add_boolean_value (builder, cut.inside_block);
  else
    json_builder_add_null_value (builder);
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

void
cleave_result_add (JsonBuilder *builder, CleaveResult *self)
{
  json_builder_begin_object (builder);
  add_integer (builder, "seed", self->seed);
  add_candidate (builder, self);
  add_cut (builder, self->cut);
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
}

char *
cleave_result_to_json (CleaveResult *self)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;

  cleave_result_add (builder, self);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}

/* Keeps the first mistake, so that the caller checks once. */
typedef struct
{
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

/* KEY names what NODE (nullable) is, for messages. */
static double
read_number (Reading *reading, const char *key, JsonNode *node)
{
  double value = NAN;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) != G_TYPE_STRING)
    value = json_node_get_double (node);
  if (!isfinite (value) || value < 0)
    {
      fail (reading, key, "a number of 0 or more");
      return 0;
    }
  return value;
}

static double
read_drop_rate (Reading *reading, const char *key, JsonNode *node)
{
  double rate = read_number (reading, key, node);

  if (rate >= 1)
    fail (reading, key, "a number below 1");
  return rate;
}

static guint
read_count (Reading *reading, const char *key, JsonNode *node)
{
  gint64 value = -1;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
    value = json_node_get_int (node);
  if (value < 0 || value > G_MAXUINT32)
    {
      fail (reading, key, "a whole number of 0 or more");
      return 0;
    }
  return value;
}

static char *
read_text (Reading *reading, const char *key, JsonNode *node)
{
  if (node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_dup_string (node);
  fail (reading, key, "a text");
  return g_strdup ("");
}

/* The array under KEY, an empty one where there is none. */
static JsonArray *
read_array (Reading *reading, const char *key, JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, key);

  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    return json_array_ref (json_node_get_array (node));
  fail (reading, key, "an array");
  return json_array_new ();
}

/* A text for each of N variables, with room for the split's. */
static GStrv
read_texts (Reading *reading, const char *key, JsonObject *object, gsize n)
{
  g_autoptr (JsonArray) array = read_array (reading, key, object);
  GStrv texts = g_new0 (char *, n + 2);

  if (json_array_get_length (array) != n)
    fail (reading, key, "as many texts as \"architecture\" has numbers");
  for (gsize i = 0; i < n; i++)
    texts[i] = read_text (reading, key, i < json_array_get_length (array) ? json_array_get_element (array, i) : NULL);
  return texts;
}

static void
read_candidate (Reading *reading, JsonObject *object, CleaveResult *self)
{
  g_autoptr (JsonArray) architecture = read_array (reading, "architecture", object);
  gsize n_blocks = json_array_get_length (architecture);
  g_autofree guint *choices = g_new (guint, n_blocks + 1);

  for (gsize i = 0; i < n_blocks; i++)
    choices[i] = read_count (reading, "architecture", json_array_get_element (architecture, i));
  choices[n_blocks] = read_count (reading, "split", json_object_get_member (object, "split"));
  self->candidate = cleave_candidate_new (choices, n_blocks + 1);
  self->variable_names = read_texts (reading, "architecture_variables", object, n_blocks);
  self->variable_names[n_blocks] = g_strdup ("split");
  self->choice_names = read_texts (reading, "architecture_choices", object, n_blocks);
  self->choice_names[n_blocks] = read_text (reading, "split_choice", json_object_get_member (object, "split_choice"));
}

static CleaveCut
read_cut (Reading *reading, JsonObject *object, guint n_blocks)
{
  JsonNode *head_blocks = json_object_get_member (object, "head_blocks");
  JsonNode *inside = json_object_get_member (object, "cut_inside_block");
  CleaveCut cut = { .head_blocks = -1 };
  guint n_head_blocks;

  if (head_blocks != NULL && JSON_NODE_HOLDS_NULL (head_blocks))
    {
      if (inside == NULL || !JSON_NODE_HOLDS_NULL (inside))
        fail (reading, "cut_inside_block", "null, as \"head_blocks\" is");
      return cut;
    }
  n_head_blocks = read_count (reading, "head_blocks", head_blocks);
  if (n_head_blocks > n_blocks)
    fail (reading, "head_blocks", "at most the number of blocks in \"architecture\"");
  if (inside == NULL || !JSON_NODE_HOLDS_VALUE (inside) || json_node_get_value_type (inside) != G_TYPE_BOOLEAN)
    {
      fail (reading, "cut_inside_block", "true or false");
      return cut;
    }
  cut.head_blocks = n_head_blocks;
  cut.inside_block = json_node_get_boolean (inside);
  if (cut.inside_block && n_head_blocks == n_blocks)
    fail (reading, "cut_inside_block", "false where all blocks are in the head");
  return cut;
}

static void
read_accuracies (Reading *reading, JsonObject *object, CleaveResult *self)
{
  g_autoptr (JsonArray) array = read_array (reading, "accuracies", object);

  self->accuracies = g_array_new (FALSE, TRUE, sizeof (CleaveAccuracy));
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      CleaveAccuracy accuracy = { 0 };

      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          fail (reading, "accuracies", "objects");
          return;
        }
      object = json_node_get_object (node);
      accuracy.drop_rate = read_drop_rate (reading, "drop_rate", json_object_get_member (object, "drop_rate"));
      accuracy.n_correct = read_count (reading, "correct", json_object_get_member (object, "correct"));
      g_array_append_val (self->accuracies, accuracy);
    }
}

static void
read_result (Reading *reading, JsonObject *object, CleaveResult *self)
{
  const struct
  {
    const char *key;
    double *value;
  } numbers[] = {
    { "head_ms", &self->latency.head_ms },
    { "transfer_ms", &self->latency.transfer_ms },
    { "tail_ms", &self->latency.tail_ms },
    { "total_ms", &self->latency.total_ms },
    { "latency_threshold_ms", &self->latency_threshold_ms },
    { "payload_bits", &self->latency.payload_bits },
  };

  self->seed = read_count (reading, "seed", json_object_get_member (object, "seed"));
  read_candidate (reading, object, self);
  self->cut = read_cut (reading, object, cleave_candidate_get_length (self->candidate) - 1);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    *numbers[i].value = read_number (reading, numbers[i].key, json_object_get_member (object, numbers[i].key));
  self->channel_drop_rate
      = read_drop_rate (reading, "channel_drop_rate", json_object_get_member (object, "channel_drop_rate"));
  self->latency.payload_elements
      = read_count (reading, "payload_elements", json_object_get_member (object, "payload_elements"));
  self->n_test_images = read_count (reading, "test_images", json_object_get_member (object, "test_images"));
  if (self->n_test_images == 0)
    fail (reading, "test_images", "a whole number of 1 or more");
  read_accuracies (reading, object, self);
}

CleaveResult *
cleave_result_load (const char *path, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (CleaveResult) self = g_new0 (CleaveResult, 1);
  g_autoptr (GError) problem = NULL;
  Reading reading = { path, NULL };
  JsonNode *root;

  if (!json_parser_load_from_file (parser, path, &problem))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: can't be read as JSON: %s", path, problem->message);
      return NULL;
    }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: expected a JSON object", path);
      return NULL;
    }
  read_result (&reading, json_node_get_object (root), self);
  if (reading.error != NULL)
    {
      g_propagate_error (error, reading.error);
      return NULL;
    }
  return g_steal_pointer (&self);
}
