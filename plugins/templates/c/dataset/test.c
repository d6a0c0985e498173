/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of this data set; what holds for every data set is left to cleave check-plugin. */
#include "my-plugin.c"

int
main (void)
{
  MyPlugin dataset = { .classes = 4, .images = 8 };
  g_autoptr (CleaveImages) images = my_plugin_load ((CleaveDataset *)&dataset, CLEAVE_SUBSET_TEST, NULL);

  g_assert_cmpuint (cleave_images_get_length (images), ==, 8);
  /* Label 1 of 4: columns 8 to 15. */
  g_assert_cmpuint (pixel (&dataset, 1, 0, 8), ==, 255);
  g_assert_cmpuint (pixel (&dataset, 1, 0, 16), ==, 0);
}
