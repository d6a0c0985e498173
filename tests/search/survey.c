/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "survey.h"

#include "cleave-host.h"
#include "test.h"

#include <string.h>

typedef struct
{
  guint n;
  guint n_at_first_split; /* little but the stem in the head */
  const char *refused;    /* nullable: the choice that is an error */
} Visits;

static gboolean
count (CleaveNetwork *network, gpointer data, GError **error)
{
  Visits *visits = data;

  visits->n++;
  visits->n_at_first_split += cleave_network_get_cut (network) == 3;
  for (guint i = 0; visits->refused != NULL && i < cleave_network_get_n_blocks (network); i++)
    if (g_strcmp0 (cleave_network_get_block (network, i)->choice, visits->refused) == 0)
      {
        cleave_error_set_literal (error, CLEAVE_ERROR_DATA, "no such entry");
        return FALSE;
      }
  return TRUE;
}

/* fbnet: 22 blocks of 9 choices, each with the first and the last split point, and 23 split points. */
TEST (Survey, SeesEveryChoiceInHeadAndTail)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CleaveHost) host = cleave_host_new (NULL, &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GObject) space = cleave_host_create (host, CLEAVE_KIND_SPACE, "fbnet", &error);
  REQUIRE_NO_ERROR (error);
  g_autoptr (GVariant) variables = cleave_space_variables (CLEAVE_SPACE (space), &error);
  REQUIRE_NO_ERROR (error);
  Visits visits = { 0, 0, NULL };

  EXPECT_TRUE (cleave_survey (CLEAVE_SPACE (space), variables, count, &visits, &error));
  EXPECT_NO_ERROR (error);
  EXPECT_INT (visits.n, 2 * 22 * 9 + 23);
  EXPECT_INT (visits.n_at_first_split, 22 * 9 + 1);
  visits.refused = "k5_e3";
  EXPECT_TRUE (!cleave_survey (CLEAVE_SPACE (space), variables, count, &visits, &error));
  EXPECT_ERROR (error, CLEAVE_ERROR_DATA,
                "block-1 = k5_e3, the other variables at their first category: no such entry");
}
