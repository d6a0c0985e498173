/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave-host.h"
#include "test.h"

#include <math.h>

/* A conv of 8·4·9·8·8 = 18432 multiply-accumulates and a norm of 5·8·8·8 = 2560. */
static CleaveNetwork *
make_network (void)
{
  g_autoptr (CleaveNetworkBuilder) builder = cleave_network_builder_new (4, 8, 8);

  cleave_network_builder_block (builder, "a", NULL);
  cleave_network_builder_conv_norm_relu (builder, 8, 3, 1);
  return cleave_network_builder_build (builder, NULL);
}

TEST (FlopsOracle, CostOverSpeed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  g_autoptr (CleaveNetwork) network = make_network ();
  REQUIRE (host != NULL && network != NULL);
  g_autoptr (GObject) oracle = cleave_host_create (host, CLEAVE_KIND_ORACLE, "flops", &error);
  REQUIRE_NO_ERROR (error);
  CleaveOracle *flops = CLEAVE_ORACLE (oracle);

  /* Eq. 8 with Table III's speeds; raspi4 is the default. */
  EXPECT_RELATIVE (cleave_oracle_estimate (flops, network, 0, 3, &error), 20992 / 2.3562e9, 1e-15);
  g_object_set (oracle, "device", "edgegpu", NULL);
  EXPECT_RELATIVE (cleave_oracle_estimate (flops, network, 0, 3, &error), 20992 / 8.0213e9, 1e-15);
  EXPECT_RELATIVE (cleave_oracle_estimate (flops, network, 1, 2, &error), 2560 / 8.0213e9, 1e-15);
  EXPECT_NEAR (cleave_oracle_estimate (flops, network, 2, 3, &error), 0, 0);
  g_object_set (oracle, "device", "pixel3", "speed", 1e6, NULL);
  EXPECT_RELATIVE (cleave_oracle_estimate (flops, network, 0, 3, &error), 20992e-6, 1e-15);
  EXPECT_NO_ERROR (error);

  g_object_set (oracle, "speed", 0.0, NULL);
  EXPECT_TRUE (isnan (cleave_oracle_estimate (flops, network, 0, 3, &error)));
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "“pixel3” is not known, expected raspi4 or edgegpu, or a speed");
}
