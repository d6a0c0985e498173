/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cleave/cleave-quantity.h"

#include "cleave/cleave-error.h"

#include <math.h>
#include <string.h>

/* A unit taken apart: the base times 10^decimal · 1024^binary. */
typedef struct
{
  char *base;
  int decimal;
  int binary;
} Unit;

typedef struct
{
  const char *text;
  int decimal;
  int binary;
} Prefix;

static const Prefix prefixes[] = {
  { "", 0, 0 },        { "p", -12, 0 }, { "n", -9, 0 }, { "u", -6, 0 }, { "\u00b5", -6, 0 }, /* micro sign */
  { "\u03bc", -6, 0 }, /* Greek mu, which some keyboards give */
  { "m", -3, 0 },      { "k", 3, 0 },   { "M", 6, 0 },  { "G", 9, 0 },  { "T", 12, 0 },
  { "Ki", 0, 1 },      { "Mi", 0, 2 },  { "Gi", 0, 3 },
};

/* Longer ones first where one ends with another. */
static const char *const bases[] = { "bit/s", "B/s", "FLOPS", "FLOP/s", "bit", "B", "s", "J", "Hz" };

static void
unit_clear (Unit *unit)
{
  g_free (unit->base);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Unit, unit_clear)

/* FLOP/s is another way to write FLOPS. */
static const char *
canonical_base (const char *base)
{
  return g_str_equal (base, "FLOP/s") ? "FLOPS" : base;
}

/* Whether TEXT is a prefix before BASE. Binary prefixes go with bytes only. */
static gboolean
unit_match (const char *text, const char *base, Unit *unit)
{
  g_autofree char *before = NULL;

  if (!g_str_has_suffix (text, base))
    return FALSE;
  before = g_strndup (text, strlen (text) - strlen (base));
  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_equal (before, prefixes[i].text) && (prefixes[i].binary == 0 || base[0] == 'B'))
      {
        unit->base = g_strdup (canonical_base (base));
        unit->decimal = prefixes[i].decimal;
        unit->binary = prefixes[i].binary;
        return TRUE;
      }
  return FALSE;
}

/* The unit that a parameter declares; one of no known base is a base itself. */
static void
unit_declared (const char *text, Unit *unit)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bases); i++)
    if (unit_match (text, bases[i], unit))
      return;
  unit->base = g_strdup (text);
}

static gboolean
unit_written (const char *text, const Unit *declared, Unit *unit)
{
  if (*declared->base == '\0')
    return FALSE;
  return unit_match (text, declared->base, unit)
         || (g_str_equal (declared->base, "FLOPS") && unit_match (text, "FLOP/s", unit));
}

/* The length of the decimal number that TEXT begins with; EXPONENT is where its exponent begins, or its end. */
static gsize
scan_number (const char *text, gsize *exponent)
{
  gsize n = strspn (text, "+-") > 1 ? 0 : strspn (text, "+-");
  gsize digits = strspn (text + n, "0123456789");
  gsize sign;

  n += digits;
  if (text[n] == '.')
    {
      gsize fraction = strspn (text + n + 1, "0123456789");

      digits += fraction;
      n += 1 + fraction;
    }
  *exponent = n;
  if (digits == 0)
    return 0;
  if (text[n] == 'e' || text[n] == 'E')
    {
      sign = text[n + 1] == '+' || text[n + 1] == '-';
      if (g_ascii_isdigit (text[n + 1 + sign]))
        n += 1 + sign + strspn (text + n + 1 + sign, "0123456789");
    }
  return n;
}

/* The number times 10^SHIFT. The shift goes into the decimal exponent, so that the result is the double nearest to the
 * value meant: multiplying a double by 1e-3 would round twice. */
static double
shifted_number (const char *text, gsize length, gsize exponent, int shift)
{
  g_autofree char *mantissa = g_strndup (text, exponent);
  gint64 written = exponent < length ? g_ascii_strtoll (text + exponent + 1, NULL, 10) : 0;
  /* Far beyond what a double holds either way; the bound keeps the sum from overflowing. */
  g_autofree char *shifted
      = g_strdup_printf ("%se%" G_GINT64_FORMAT, mantissa, CLAMP (written, -1000000, 1000000) + shift);

  return g_ascii_strtod (shifted, NULL);
}

/**
 * cleave_quantity_parse:
 * @text: a number, with or without a unit, such as `30 ms`
 * @unit: the unit that the value is wanted in, such as `ms`; "" for none
 * @value: (out): the number, in @unit
 * @error: return location for an error
 *
 * Reads a quantity. The text's unit may have another SI prefix (p n u µ m k M G T; Ki Mi Gi for bytes) than @unit; a
 * bare number is in @unit itself: `8 Mbit/s` in `bit/s` is 8e6, and so is `8000000`. Scaling by a power of ten is
 * exact: `0.03 s` in `ms` is the double 30. The locale plays no part, and the whole text must be used up.
 *
 * Fails with %CLEAVE_ERROR_CONFIG where the text is no finite number, or in another unit.
 *
 * Returns: whether @value was set
 */
gboolean
cleave_quantity_parse (const char *text, const char *unit, double *value, GError **error)
{
  g_autofree char *stripped = NULL;
  g_auto (Unit) declared = { 0 };
  g_auto (Unit) written = { 0 };
  gsize length, exponent;

  g_return_val_if_fail (text != NULL && unit != NULL && value != NULL, FALSE);

  stripped = g_strstrip (g_strdup (text));
  unit_declared (unit, &declared);
  length = scan_number (stripped, &exponent);
  if (length > 0)
    {
      const char *rest = stripped + length;
      gboolean known;

      rest += strspn (rest, " \t");
      known = *rest == '\0' || unit_written (rest, &declared, &written);
      if (known)
        {
          int decimal = *rest == '\0' ? 0 : written.decimal - declared.decimal;
          int binary = *rest == '\0' ? 0 : written.binary - declared.binary;
          double number = ldexp (shifted_number (stripped, length, exponent, decimal), 10 * binary);

          if (isfinite (number))
            {
              *value = number;
              return TRUE;
            }
        }
    }
  if (*unit == '\0')
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected a number, such as 0.5", text);
  else
    g_set_error (error, CLEAVE_ERROR, CLEAVE_ERROR_CONFIG, "%s: expected a number in %s, such as 30 %s", text, unit,
                 unit);
  return FALSE;
}

/**
 * cleave_quantity_format:
 * @value: a finite number
 * @unit: its unit, "" for none
 *
 * Writes a quantity with as few digits as give back the same double through [func@quantity_parse].
 *
 * Returns: (transfer full): the text
 */
char *
cleave_quantity_format (double value, const char *unit)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_return_val_if_fail (unit != NULL, NULL);

  /* 17 digits tell any two doubles apart (IEEE 754). */
  for (int digits = 15; digits <= 17; digits++)
    {
      g_autofree char *format = g_strdup_printf ("%%.%dg", digits);

      g_ascii_formatd (number, sizeof number, format, value);
      if (g_ascii_strtod (number, NULL) == value)
        break;
    }
  return *unit == '\0' ? g_strdup (number) : g_strdup_printf ("%s %s", number, unit);
}
