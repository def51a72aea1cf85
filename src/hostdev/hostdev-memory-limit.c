/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-memory-limit.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-xml.h"

#define MIB G_GUINT64_CONSTANT (1024)                  /* in KiB */
#define GIB (G_GUINT64_CONSTANT (1024) * 1024)         /* in KiB */
#define EIB (G_GUINT64_CONSTANT (1) << (10 * (6 - 1))) /* in KiB */

/* What libvirt takes for no limit: VIR_DOMAIN_MEMORY_PARAM_UNLIMITED, in KiB. */
#define UNLIMITED G_GUINT64_CONSTANT (9007199254740991)

/* libvirt, src/util/virutil.c: virScaleInteger: "b" and "bytes", or K, M, G, T, P and E, which
 * alone or with "iB" count in 1024 and with "B" in 1000; in either case. @bytes: of one. */
static gboolean
unit_bytes (const char *unit, guint64 *bytes)
{
  static const char scales[] = "kmgtpe";
  const char *scale;
  guint64 base = 1024;

  *bytes = 1;
  if (g_ascii_strcasecmp (unit, "b") == 0 || g_ascii_strcasecmp (unit, "bytes") == 0
      || g_ascii_strcasecmp (unit, "byte") == 0)
    return TRUE;
  scale = strchr (scales, g_ascii_tolower (*unit));
  if (*unit == '\0' || scale == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (unit + 1, "b") == 0)
    base = 1000;
  else if (unit[1] != '\0' && g_ascii_strcasecmp (unit + 1, "ib") != 0)
    return FALSE;
  for (const char *power = scales; power <= scale; power++)
    *bytes *= base;
  return TRUE;
}

/* <page size='2' unit='M'/>, in KiB where it says nothing; 0: it cannot be read. */
static guint64
read_page (const xmlNode *page)
{
  g_autofree char *size = common_xml_get_or_empty (page, "size");
  g_autofree char *unit = common_xml_get (page, "unit");
  guint64 bytes, number;

  if (!unit_bytes (unit == NULL ? "KiB" : unit, &bytes)
      || !g_ascii_string_to_unsigned (size, 10, 0, G_MAXUINT64 / bytes, &number, NULL))
    return 0;
  return number * bytes / 1024;
}

static guint64
read_pages (const xmlNode *hugepages)
{
  guint64 smallest = 0;

  for (const xmlNode *page = common_xml_child (hugepages, "page"); page != NULL;
       page = common_xml_next (page, "page"))
    {
      g_autofree char *nodeset = common_xml_get (page, "nodeset");
      guint64 size = read_page (page);

      if (nodeset != NULL || size == 0)
        return 0;
      smallest = smallest == 0 ? size : MIN (smallest, size);
    }
  return smallest;
}

static gboolean
read_size (const xmlNode *parent, const char *name, guint64 *kib, GError **error)
{
  const xmlNode *node = parent == NULL ? NULL : common_xml_child (parent, name);
  g_autofree char *unit = NULL;
  g_autofree char *text = NULL;
  xmlChar *content;
  guint64 bytes, number;

  *kib = 0;
  if (node == NULL)
    return TRUE;
  unit = common_xml_get (node, "unit");
  content = xmlNodeGetContent (node);
  text = g_strstrip (g_strdup (content == NULL ? "" : (const char *) content));
  xmlFree (content);
  if (!unit_bytes (unit == NULL ? "KiB" : unit, &bytes)
      || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, &number, NULL)
      || (number > 0 && bytes > (EIB * 1024 * 8 - 1) / number))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN,
                   _ ("Line %ld: <%s> “%.40s” is not an amount of memory"), xmlGetLineNo (node),
                   name, text);
      return FALSE;
    }
  number *= bytes;
  *kib = number / 1024 + (number % 1024 != 0 ? 1 : 0);
  return TRUE;
}

guint64
hostdev_memory_read_size (const xmlNode *domain, const char *name)
{
  guint64 kib;

  return read_size (domain, name, &kib, NULL) ? kib : 0;
}

gboolean
hostdev_memory_read (const xmlNode *domain, HostdevMemory *memory, GError **error)
{
  const xmlNode *tune = common_xml_child (domain, "memtune");
  const xmlNode *backing = common_xml_child (domain, "memoryBacking");
  const xmlNode *hugepages;

  *memory = (HostdevMemory){ .memory = 0 };
  if (!read_size (domain, "memory", &memory->memory, error)
      || !read_size (domain, "maxMemory", &memory->max_memory, error)
      || !read_size (tune, "hard_limit", &memory->hard_limit, error))
    return FALSE;
  if (memory->hard_limit >= UNLIMITED)
    memory->hard_limit = 0;
  memory->locked = backing != NULL && common_xml_child (backing, "locked") != NULL;
  hugepages = backing == NULL ? NULL : common_xml_child (backing, "hugepages");
  memory->hugepages = hugepages != NULL;
  memory->page = hugepages == NULL ? 0 : read_pages (hugepages);
  return TRUE;
}

/* In libvirt's words, all in KiB:
 *   base        max memory / 128 (the guest's page table) + 4 MiB for each PHB (the TCE table of
 * its first window) + 8 MiB passthrough the larger of 2 GiB for each PHB, and memory + memory / 512
 * for each PHB (64-bit windows of 64 KiB pages map all of it) + 8 MiB */
guint64
hostdev_memory_formula (const HostdevMemory *memory, guint phbs, gboolean vfio)
{
  guint64 most = memory->max_memory != 0 ? memory->max_memory : memory->memory;
  guint64 base = most / 128 + 4 * MIB * phbs + 8 * MIB;
  guint64 passthrough
      = vfio ? MAX (2 * GIB * phbs, memory->memory + memory->memory / 512 * phbs + 8 * MIB) : 0;

  return (base + passthrough) * 1024;
}

guint64
hostdev_memory_limit (const HostdevMemory *memory, guint phbs, gboolean vfio)
{
  if (memory->hard_limit != 0)
    return memory->hard_limit * 1024;
  if (memory->locked)
    return G_MAXUINT64;
  return hostdev_memory_formula (memory, phbs, vfio);
}
