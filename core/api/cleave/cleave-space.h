/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <cleave/cleave-candidate.h>
#include <cleave/cleave-dataset.h>
#include <cleave/cleave-network.h>

G_BEGIN_DECLS

/**
 * CleaveSpace:
 *
 * A search space: which networks there are and where each can be cut. A network is named by a [struct@Candidate], a
 * choice for each variable, of which the last is the split point.
 */
#define CLEAVE_TYPE_SPACE (cleave_space_get_type ())
CLEAVE_EXPORT
G_DECLARE_INTERFACE (CleaveSpace, cleave_space, CLEAVE, SPACE, GObject)

/**
 * CleaveSpaceInterface:
 * @parent_interface: the parent
 * @variables: the variables as a GVariant `a(sas)`: name, and the names of its categories; the last is the split point.
 *   Does not depend on the data set
 * @build: the network of a candidate, cut at its split point: it takes the data set's images and gives one number a
 *   class. The core has checked the candidate against the variables
 * @set_dataset: (nullable): tells classes and image shape of the data set before anything is built; NULL where there is
 *   none that fits
 *
 * The methods of a [iface@Space].
 */
struct _CleaveSpaceInterface
{
  GTypeInterface parent_interface;

  GVariant *(*variables) (CleaveSpace *self, GError **error);
  CleaveNetwork *(*build) (CleaveSpace *self, CleaveCandidate *candidate, GError **error);
  gboolean (*set_dataset) (CleaveSpace *self, const CleaveDatasetInfo *info, GError **error);
};

CLEAVE_EXPORT GVariant *cleave_space_variables (CleaveSpace *self, GError **error);
CLEAVE_EXPORT CleaveNetwork *cleave_space_build (CleaveSpace *self, CleaveCandidate *candidate, GError **error);
CLEAVE_EXPORT gboolean cleave_space_set_dataset (CleaveSpace *self, const CleaveDatasetInfo *info, GError **error);

G_END_DECLS
