/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <float.h>
#include <locale.h>
#include <math.h>

/* The value as parsed, NaN where it is refused. */
static double
parse (const char *text, const char *unit)
{
  g_autoptr (GError) error = NULL;
  double value = NAN;

  return cleave_quantity_parse (text, unit, &value, &error) ? value : NAN;
}

/* Values by the definition of the SI prefixes; scaling must give the double nearest to the decimal value, so equality
 * is exact. */
TEST (Quantity, ScalesExactly)
{
  EXPECT_TRUE (parse ("30 ms", "ms") == 30);
  EXPECT_TRUE (parse ("30", "ms") == 30);
  EXPECT_TRUE (parse ("0.03 s", "ms") == 30);
  EXPECT_TRUE (parse ("8 Mbit/s", "bit/s") == 8e6);
  EXPECT_TRUE (parse ("8Mbit/s", "bit/s") == 8e6);
  EXPECT_TRUE (parse ("2.3562 GFLOPS", "FLOPS") == 2356200000.0);
  EXPECT_TRUE (parse ("2.3562 GFLOP/s", "FLOPS") == 2356200000.0);
  EXPECT_TRUE (parse ("2356.2 MFLOPS", "GFLOPS") == 2.3562);
  EXPECT_TRUE (parse ("1 TFLOPS", "FLOP/s") == 1e12);
  EXPECT_TRUE (parse ("4 us", "ms") == 0.004);
  EXPECT_TRUE (parse ("4 \u00b5s", "ms") == 0.004);
  EXPECT_TRUE (parse ("4 \u03bcs", "ms") == 0.004);
  EXPECT_TRUE (parse ("7 ns", "s") == 7e-9);
  EXPECT_TRUE (parse ("7 ps", "s") == 7e-12);
  EXPECT_TRUE (parse ("2.4 GHz", "Hz") == 2.4e9);
  EXPECT_TRUE (parse ("5 kB", "B") == 5000);
  EXPECT_TRUE (parse ("3 mJ", "J") == 0.003);
}

TEST (Quantity, MultipliesRatherThanDivides)
{
  /* 1.1e-3 as a double differs from 1.1 * 1e-3 rounded twice. */
  EXPECT_TRUE (parse ("1.1 ms", "s") == 1.1e-3);
  EXPECT_TRUE (parse ("8.0213e0 GFLOPS", "FLOPS") == 8021300000.0);
  EXPECT_TRUE (parse ("12e-1 ms", "us") == 1200);
}

TEST (Quantity, KnowsBinaryPrefixesOfBytes)
{
  EXPECT_TRUE (parse ("1 KiB", "B") == 1024);
  EXPECT_TRUE (parse ("1.5 MiB", "B") == 1572864);
  EXPECT_TRUE (parse ("2 GiB/s", "B/s") == 2147483648.0);
  EXPECT_TRUE (isnan (parse ("1 Kibit", "bit")));
}

TEST (Quantity, TakesAnyDeclaredUnit)
{
  EXPECT_TRUE (parse ("3 pixels", "pixels") == 3);
  EXPECT_TRUE (parse ("3 m", "m") == 3);
  EXPECT_TRUE (parse ("3 km", "m") == 3000);
  EXPECT_TRUE (parse (" 3 ", "") == 3);
  EXPECT_TRUE (parse ("-2.5e+1", "") == -25);
  EXPECT_TRUE (parse (".5", "") == 0.5);
}

TEST (Quantity, RefusesWhatIsNoQuantity)
{
  static const char *const bad[]
      = { "",      " ",   "ms",  "30 m", "30 kg",   "30 ms x", "30 mss", "inf",    "nan", "-inf",   "1e999 ms",
          "0x1p3", "1,5", "--1", "1 2",  "1e ms x", "+",       ".",      "30 Ms ", "e5",  "1 bit/s" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      /* "30 Ms" is 30 megaseconds, a quantity. */
      if (g_str_equal (bad[i], "30 Ms "))
        EXPECT_TRUE (parse (bad[i], "ms") == 3e10);
      else
        test_check (isnan (parse (bad[i], "ms")), __FILE__, __LINE__, "\"%s\" was taken", bad[i]);
    }
  EXPECT_TRUE (isnan (parse ("5 s", "")));
  EXPECT_TRUE (isnan (parse ("8 MB/s", "bit/s")));
}

TEST (Quantity, SaysWhatIsExpected)
{
  g_autoptr (GError) error = NULL;
  double value = 7;

  EXPECT_TRUE (!cleave_quantity_parse ("30 kg", "ms", &value, &error));
  EXPECT_STRING (error->message, "30 kg: expected a number in ms, such as 30 ms");
  EXPECT_ERROR (error, CLEAVE_ERROR_CONFIG, "30 kg");
  EXPECT_TRUE (!cleave_quantity_parse ("half", "", &value, &error));
  EXPECT_STRING (error->message, "half: expected a number, such as 0.5");
  EXPECT_TRUE (value == 7);
}

TEST (Quantity, FormatsAsShortAsRoundTripAllows)
{
  static const double values[] = { 0, 30, 8e6, 0.1, 1.0 / 3, 2.3562, 5e-324, DBL_MAX, -1.1, 1e22, 123456789.123456789 };
  g_autofree char *rate = cleave_quantity_format (8e6, "bit/s");
  g_autofree char *tenth = cleave_quantity_format (0.1, "");
  g_autofree char *time = cleave_quantity_format (30, "ms");

  EXPECT_STRING (rate, "8000000 bit/s");
  EXPECT_STRING (tenth, "0.1");
  EXPECT_STRING (time, "30 ms");
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autofree char *text = cleave_quantity_format (values[i], "ms");

      test_check (parse (text, "ms") == values[i], __FILE__, __LINE__, "%s does not give %.17g back", text, values[i]);
    }
}
