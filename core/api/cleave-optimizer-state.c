/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Save and load of optimizers whose whole state is one GVariant. */

#include <cleave/cleave-error.h>
#include <cleave/cleave-plugin.h>

typedef struct
{
  gsize offset; /* of the GVariant * in the instance */
  GVariantType *type;
} State;

static GQuark
state_quark (void)
{
  return g_quark_from_static_string ("cleave-optimizer-state");
}

static const State *
find_state (CleaveOptimizer *optimizer, GVariant ***member)
{
  const State *state = g_type_get_qdata (G_OBJECT_TYPE (optimizer), state_quark ());

  *member = G_STRUCT_MEMBER_P (optimizer, state->offset);
  return state;
}

static gboolean
check_started (CleaveOptimizer *optimizer, GVariant *member, GError **error)
{
  if (member == NULL)
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_PLUGIN, "%s: it was not started", G_OBJECT_TYPE_NAME (optimizer));
  return member != NULL;
}

static GVariant *
save (CleaveOptimizer *optimizer, GError **error)
{
  GVariant **member;

  find_state (optimizer, &member);
  return check_started (optimizer, *member, error) ? g_variant_ref (*member) : NULL;
}

static gboolean
load (CleaveOptimizer *optimizer, GVariant *saved, GError **error)
{
  GVariant **member;
  const State *state = find_state (optimizer, &member);

  if (!check_started (optimizer, *member, error))
    return FALSE;
  if (!g_variant_is_of_type (saved, state->type))
    {
      g_autofree char *expected = g_variant_type_dup_string (state->type);

      g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_DATA, "%s: the state is of type %s, expected %s",
                   G_OBJECT_TYPE_NAME (optimizer), g_variant_get_type_string (saved), expected);
      return FALSE;
    }
  g_variant_unref (*member);
  *member = g_variant_ref (saved);
  return TRUE;
}

/**
 * cleave_optimizer_install_state: (skip)
 * @iface: the optimizer's interface, as its init function gets it
 * @offset: where the instance has the state, a GVariant * that is %NULL until the optimizer is started
 * @type: the state's GVariant type
 *
 * Makes save and load of an optimizer; CLEAVE_STATE() calls it.
 */
void
cleave_optimizer_install_state (CleaveOptimizerInterface *iface, gsize offset, const char *type)
{
  State *state = g_new (State, 1);

  g_return_if_fail (g_variant_type_string_is_valid (type));

  /* Types live as long as the process. */
  state->offset = offset;
  state->type = g_variant_type_new (type);
  g_type_set_qdata (iface->parent_interface.g_instance_type, state_quark (), state);
  iface->save = save;
  iface->load = load;
}
