/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a plugin sees of Cleave: all of it, and the only header it includes. */

#include <cleave/cleave-archive.h>
#include <cleave/cleave-candidate.h>
#include <cleave/cleave-channel.h>
#include <cleave/cleave-dataset.h>
#include <cleave/cleave-error.h>
#include <cleave/cleave-file.h>
#include <cleave/cleave-network-builder.h>
#include <cleave/cleave-network.h>
#include <cleave/cleave-optimizer.h>
#include <cleave/cleave-oracle.h>
#include <cleave/cleave-parameter.h>
#include <cleave/cleave-plugin.h>
#include <cleave/cleave-quantity.h>
#include <cleave/cleave-random.h>
#include <cleave/cleave-space.h>
#include <cleave/cleave-trials.h>
#include <cleave/cleave-types.h>
