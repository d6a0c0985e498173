/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* model.npz: the arrays of one trained network under the names of its state dict. */

#include "nn.h"

G_BEGIN_DECLS

gboolean cleave_model_save (const char *path, NnSupernet *supernet, CleaveNetwork *network, GError **error);
/* Fills the network's arrays in the supernet. An error that names every array that is missing, the first of another
 * shape, or one that the network lacks. */
gboolean cleave_model_load (const char *path, NnSupernet *supernet, CleaveNetwork *network, GError **error);

G_END_DECLS
