/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-interrupts.h"

#include <string.h>

/* "intx", "msi[0]" or "msix[2047]", and nothing else: the name goes on to callers. */
static gboolean
is_vector_name (const char *name)
{
  if (g_str_equal (name, "intx"))
    return TRUE;
  if (!g_str_has_prefix (name, "msi"))
    return FALSE;
  name += strlen ("msi");
  name += *name == 'x';
  if (*name != '[')
    return FALSE;
  name++;
  return g_ascii_isdigit (*name) && g_str_equal (name + strspn (name, "0123456789"), "]");
}

/* "vfio-msix[0](0000:01:00.0)"; of INTx there may be more on a line, with commas between. */
static gboolean
parse_action (const char *word, KvmHelperVector *vector)
{
  const char *open = strchr (word, '(');
  const char *close = open == NULL ? NULL : strchr (open, ')');
  g_autofree char *address = NULL;
  gsize length;

  if (close == NULL || !g_str_has_prefix (word, "vfio-"))
    return FALSE;
  word += strlen ("vfio-");
  length = (gsize) (open - word);
  if (length >= sizeof vector->name)
    return FALSE;
  memcpy (vector->name, word, length);
  vector->name[length] = '\0';
  if (!is_vector_name (vector->name))
    return FALSE;
  vector->message = vector->name[0] == 'm';
  address = g_strndup (open + 1, (gsize) (close - open - 1));
  return pci_address_parse (address, &vector->function, NULL);
}

/* A decimal number that ends with @end: TRUE, and *text is behind it. */
static gboolean
take_number (const char **text, char end, guint64 *number)
{
  char *behind;

  while (**text == ' ')
    (*text)++;
  if (!g_ascii_isdigit (**text))
    return FALSE;
  *number = g_ascii_strtoull (*text, &behind, 10);
  if (*behind != end)
    return FALSE;
  *text = behind + 1;
  return TRUE;
}

static void
parse_line (const char *line, guint cpus, GArray *vectors)
{
  KvmHelperVector vector = { .count = 0 };
  g_auto (GStrv) words = NULL;
  guint64 number;

  if (!take_number (&line, ':', &number) || number > G_MAXUINT)
    return;
  vector.number = (guint) number;
  for (guint cpu = 0; cpu < cpus; cpu++)
    {
      if (!take_number (&line, ' ', &number))
        return;
      vector.count += number;
    }
  words = g_strsplit_set (line, " ,", -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (parse_action (words[i], &vector))
      g_array_append_val (vectors, vector);
}

/* "           CPU0       CPU1       ": those that are online. */
static guint
count_cpus (const char *header)
{
  guint count = 0;

  for (const char *cpu = strstr (header, "CPU"); cpu != NULL; cpu = strstr (cpu + 1, "CPU"))
    count++;
  return count;
}

GArray *
kvmhelper_interrupts_parse (const char *text)
{
  GArray *vectors = g_array_new (FALSE, FALSE, sizeof (KvmHelperVector));
  g_autofree char *copy = g_strdup (text);
  char *rest = copy;
  guint cpus = count_cpus (strsep (&rest, "\n"));

  for (char *line; cpus > 0 && (line = strsep (&rest, "\n")) != NULL;)
    parse_line (line, cpus, vectors);
  return vectors;
}
