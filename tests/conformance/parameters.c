/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the suite says of a manifest, of how components are made, and of their parameters: types that break one rule
 * each.
 */
#include "../plugins/fixtures.h"
#include "suite.h"

typedef struct
{
  GObject parent_instance;
  guint width;
  char *mode;
  char *label;
} Broken;

static GQuark
fault_quark (void)
{
  return g_quark_from_static_string ("test-fault");
}

static gboolean
has (gpointer instance, const char *fault)
{
  return g_strcmp0 (g_type_get_qdata (G_OBJECT_TYPE (instance), fault_quark ()), fault) == 0;
}

static void (*keep_property) (GObject *object, guint id, const GValue *value, GParamSpec *pspec);
static void (*give_property) (GObject *object, guint id, GValue *value, GParamSpec *pspec);

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  Broken *self = (Broken *)object;

  if (has (object, "forgets a word") && g_str_equal (pspec->name, "mode")
      && g_strcmp0 (g_value_get_string (value), "lora") == 0)
    return;
  keep_property (object, id, value, pspec);
  if (has (object, "stops short"))
    self->width = MIN (self->width, 50);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  give_property (object, id, value, pspec);
  if (has (object, "outside") && g_str_equal (pspec->name, "width"))
    g_value_set_uint (value, 99);
  if (has (object, "grows") && g_str_equal (pspec->name, "label"))
    g_value_take_string (value, g_strconcat (g_value_get_string (value), "x", NULL));
}

static void
class_init (gpointer klass, gpointer fault)
{
  GObjectClass *object_class = klass;
  gboolean helpless = g_str_equal (fault, "no help"), stops = g_str_equal (fault, "full stop");

  g_type_set_qdata (G_OBJECT_CLASS_TYPE (klass), fault_quark (), fault);
  cleave_parameter_class_init (object_class);
  cleave_parameter_install_number (object_class, CLEAVE_PARAMETER_TYPE_UINT, "width", G_STRUCT_OFFSET (Broken, width),
                                   "bit", 1, 64, 32,
                                   helpless ? ""
                                   : stops  ? "Bits an element."
                                            : "Bits an element");
  cleave_parameter_install_text (object_class, CLEAVE_PARAMETER_TYPE_CHOICE, "mode", G_STRUCT_OFFSET (Broken, mode),
                                 "wifi|lora", "wifi", "Kind of link");
  cleave_parameter_install_text (object_class, CLEAVE_PARAMETER_TYPE_STRING, "label", G_STRUCT_OFFSET (Broken, label),
                                 NULL, "a", "A name");
  keep_property = object_class->set_property;
  give_property = object_class->get_property;
  object_class->set_property = set_property;
  object_class->get_property = get_property;
}

static GObject *
make (gpointer fault, GError **error)
{
  g_autofree char *name = g_strdelimit (g_strconcat ("Broken-", fault, NULL), " ", '-');
  GType type = g_type_from_name (name);

  if (type == 0)
    {
      const GTypeInfo info = { .class_size = sizeof (GObjectClass),
                               .class_init = class_init,
                               .class_data = fault,
                               .instance_size = sizeof (Broken) };
      const GInterfaceInfo interface = { 0 };

      type = g_type_register_static (G_TYPE_OBJECT, name, &info, 0);
      g_type_add_interface_static (type, CLEAVE_TYPE_CHANNEL, &interface);
    }
  return g_object_new (type, NULL);
}

TEST (ConformanceFaults, Parameters)
{
  static const char *const cases[][2] = {
    { "none", "ok parameters: declared" },
    { "none", "ok parameters: as text" },
    { "none", "ok parameters: bounds" },
    { "none", "FAIL use: Broken-none: the channel has no method bits" },
    { "no help", "FAIL parameters: declared: width has no help, expected a line that cleave inspect shows" },
    { "full stop", "FAIL parameters: declared: the help of width ends in a full stop, expected a line without" },
    { "outside", "FAIL parameters: declared: width is 99 in a new component, expected 1 to 64" },
    { "grows", "FAIL parameters: as text: label was ax, and is axx when that is set" },
    { "stops short", "FAIL parameters: bounds: width is 50 after it was set to its bound 64" },
    { "forgets a word", "FAIL parameters: bounds: mode is wifi after it was set to lora" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const CleaveSubject subject = { CLEAVE_KIND_CHANNEL, NULL, make, (gpointer)cases[i][0], NULL };
      g_autofree char *report = suite_run (&subject);

      suite_expect (report, cases[i][1], cases[i][0]);
    }
}

static GObject *
give_again (gpointer object, GError **error)
{
  return g_object_ref (object);
}

TEST (ConformanceFaults, SameObjectTwice)
{
  g_autoptr (GObject) object = make ((gpointer) "none", NULL);
  const CleaveSubject subject = { CLEAVE_KIND_CHANNEL, NULL, give_again, object, NULL };
  g_autofree char *report = suite_run (&subject);

  EXPECT_STRING (report, "FAIL component: the same object was made twice\n");
}

/* Nothing more is looked at where the manifest is wrong. */
TEST (ConformanceFaults, Manifest)
{
  static const char *const cases[][2] = {
    { "X-Cleave-Kind=channel\nX-Cleave-API=1.0\nDescription=A link\n",
      "FAIL manifest: [Plugin] Version: missing, expected the plugin's own version\n" },
    { "X-Cleave-Kind=channel\nX-Cleave-API=0.1\nVersion=1.0\nDescription=A link\n",
      "FAIL manifest: X-Cleave-API = 0.1: made for another version of Cleave, expected 1.0\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *folder = test_temporary_folder ();
      const char *const paths[] = { folder, NULL };
      g_autofree char *text = g_strconcat ("[Plugin]\nModule=link\nName=Link\n", cases[i][0], NULL);
      g_free (fixture_write (folder, "link.plugin", text));
      g_autoptr (GError) error = NULL;
      g_autoptr (CleaveHost) host = cleave_host_new (paths, &error);
      REQUIRE_NO_ERROR (error);
      g_autofree char *report = suite_run_plugin (host, "link", NULL, NULL);

      EXPECT_STRING (report, cases[i][1]);
    }
}
