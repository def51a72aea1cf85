/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-set.h"

#define BYTES (HOSTDEV_SET_MAX / 8 + 1)

struct _HostdevSet
{
  guint8 bits[BYTES];
};

void
hostdev_set_free (HostdevSet *set)
{
  g_free (set);
}

static gboolean
read_number (const char **text, guint *number)
{
  guint64 value = 0;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  while (g_ascii_isdigit (**text) && value <= HOSTDEV_SET_MAX)
    value = value * 10 + (guint64) g_ascii_digit_value (*(*text)++);
  *number = (guint) value;
  return value <= HOSTDEV_SET_MAX;
}

static void
change (HostdevSet *set, guint first, guint last, gboolean on)
{
  for (guint i = first; i <= last; i++)
    if (on)
      set->bits[i / 8] |= (guint8) (1u << (i % 8));
    else
      set->bits[i / 8] &= (guint8) ~(1u << (i % 8));
}

static const char *
skip_space (const char *text)
{
  while (g_ascii_isspace (*text))
    text++;
  return text;
}

HostdevSet *
hostdev_set_new (const char *text)
{
  g_autoptr (HostdevSet) set = g_new0 (HostdevSet, 1);

  for (;;)
    {
      gboolean on = TRUE;
      guint first, last;

      text = skip_space (text);
      if (*text == '^')
        {
          on = FALSE;
          text++;
        }
      if (!read_number (&text, &first))
        return NULL;
      last = first;
      if (*text == '-')
        {
          text++;
          if (!on || !read_number (&text, &last) || last < first)
            return NULL;
        }
      change (set, first, last, on);
      text = skip_space (text);
      if (*text == '\0')
        return g_steal_pointer (&set);
      if (*text++ != ',')
        return NULL;
    }
}

gboolean
hostdev_set_has (const HostdevSet *set, guint number)
{
  return number <= HOSTDEV_SET_MAX && (set->bits[number / 8] & (1u << (number % 8))) != 0;
}

gboolean
hostdev_set_meets (const HostdevSet *a, const HostdevSet *b)
{
  for (gsize i = 0; i < BYTES; i++)
    if ((a->bits[i] & b->bits[i]) != 0)
      return TRUE;
  return FALSE;
}
