/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-buses.h"

#include <string.h>

#include "hostdev/hostdev-xml.h"

#define NONE G_MAXUINT

typedef struct
{
  gboolean present;
  guint parent;    /* the bus that a bridge sits on; NONE: a PHB */
  HostdevPhb *phb; /* that it is, or is behind; NULL: a bridge on nothing */
} Bus;

struct _HostdevBuses
{
  Bus bus[HOSTDEV_BUS_MAX + 1];
  GPtrArray *phbs;
};

void
hostdev_buses_free (HostdevBuses *buses)
{
  if (buses == NULL)
    return;
  g_ptr_array_unref (buses->phbs);
  g_free (buses);
}

guint
hostdev_buses_get_free (const HostdevBuses *buses, guint from)
{
  while (from <= HOSTDEV_BUS_MAX && buses->bus[from].present)
    from++;
  return from;
}

static guint
free_target_index (const HostdevBuses *buses)
{
  gboolean taken[HOSTDEV_PHB_TARGET_MAX + 1] = { TRUE }; /* 0 is PHB 0's */
  guint target = 0;

  for (guint i = 0; i < buses->phbs->len; i++)
    {
      const HostdevPhb *phb = buses->phbs->pdata[i];

      if (phb->target_index <= HOSTDEV_PHB_TARGET_MAX)
        taken[phb->target_index] = TRUE;
    }
  while (target <= HOSTDEV_PHB_TARGET_MAX && taken[target])
    target++;
  return target;
}

static gboolean
add_phb (HostdevBuses *buses, guint index, const xmlNode *node, GError **error)
{
  const xmlNode *target = node != NULL ? common_xml_child (node, "target") : NULL;
  guint target_index = NONE;

  if (target != NULL
      && !common_xml_get_number (target, "index", HOSTDEV_PHB_TARGET_MAX,
                                 COMMON_ERROR_INVALID_DOMAIN, &target_index, error))
    return FALSE;

  HostdevPhb *phb = g_new0 (HostdevPhb, 1);
  phb->index = index;
  phb->target_index = target_index;
  g_ptr_array_add (buses->phbs, phb);
  buses->bus[index] = (Bus){ TRUE, NONE, phb };
  return TRUE;
}

/* Without a model it can be PHB 0 alone, for libvirt; what is no pci-root is a bridge. */
static gboolean
is_root (const xmlNode *node)
{
  g_autofree char *model = common_xml_get (node, "model");

  return model == NULL || strcmp (model, "pci-root") == 0;
}

static gboolean
add_controller (HostdevBuses *buses, guint index, const xmlNode *node, GError **error)
{
  const xmlNode *address = common_xml_child (node, "address");
  guint parent = 0;

  if (is_root (node))
    return add_phb (buses, index, node, error);
  if (address != NULL
      && !common_xml_get_number (address, "bus", HOSTDEV_BUS_MAX, COMMON_ERROR_INVALID_DOMAIN,
                                 &parent, error))
    return FALSE;
  buses->bus[index] = (Bus){ TRUE, parent, NULL };
  return TRUE;
}

/* Reads those that have an index (@indexed), or gives the others one: the lowest that is unused
 * (libvirt src/conf/domain_postparse.c: virDomainAssignControllerIndexes). */
static gboolean
add_controllers (HostdevBuses *buses, const xmlNode *devices, gboolean indexed, GError **error)
{
  for (const xmlNode *node = common_xml_child (devices, "controller"); node != NULL;
       node = common_xml_next (node, "controller"))
    {
      guint index = NONE;

      if (!common_xml_attribute_is (node, "type", "pci"))
        continue;
      if (!common_xml_get_number (node, "index", HOSTDEV_BUS_MAX, COMMON_ERROR_INVALID_DOMAIN,
                                  &index, error))
        return FALSE;
      if ((index != NONE) != indexed)
        continue;
      if (!indexed)
        index = hostdev_buses_get_free (buses, is_root (node) ? 0 : 1);
      /* One too many, or a number a second time: libvirt refuses such a domain itself. */
      if (index <= HOSTDEV_BUS_MAX && !buses->bus[index].present
          && !add_controller (buses, index, node, error))
        return FALSE;
    }
  return TRUE;
}

/* libvirt numbers those that have no target index in the XML's order
 * (src/qemu/qemu_domain_address.c: qemuDomainAddressFindNewTargetIndex). */
static void
fill_target_indexes (HostdevBuses *buses)
{
  for (guint i = 0; i < buses->phbs->len; i++)
    {
      HostdevPhb *phb = buses->phbs->pdata[i];

      if (phb->target_index == NONE)
        phb->target_index = phb->index == 0 ? 0 : free_target_index (buses);
    }
}

/* No chain of bridges is longer than there are buses; one that is goes in a circle. */
static HostdevPhb *
follow_bridges (const HostdevBuses *buses, guint bus)
{
  for (guint hops = 0; hops <= HOSTDEV_BUS_MAX && buses->bus[bus].present; hops++)
    {
      if (buses->bus[bus].parent == NONE)
        return buses->bus[bus].phb;
      bus = buses->bus[bus].parent;
    }
  return NULL;
}

static int
compare_phbs (gconstpointer a, gconstpointer b)
{
  const HostdevPhb *first = *(const HostdevPhb *const *) a;
  const HostdevPhb *second = *(const HostdevPhb *const *) b;

  return (first->index > second->index) - (first->index < second->index);
}

HostdevBuses *
hostdev_buses_new (const xmlNode *devices, GError **error)
{
  g_autoptr (HostdevBuses) buses = g_new0 (HostdevBuses, 1);

  buses->phbs = g_ptr_array_new_with_free_func (g_free);
  if (devices != NULL && !add_controllers (buses, devices, TRUE, error))
    return NULL;
  if (devices != NULL && !add_controllers (buses, devices, FALSE, error))
    return NULL;
  if (!buses->bus[0].present && !add_phb (buses, 0, NULL, error))
    return NULL;

  fill_target_indexes (buses);
  for (guint i = 0; i <= HOSTDEV_BUS_MAX; i++)
    if (buses->bus[i].present)
      buses->bus[i].phb = follow_bridges (buses, i);
  g_ptr_array_sort (buses->phbs, compare_phbs);
  return g_steal_pointer (&buses);
}

const GPtrArray *
hostdev_buses_get_phbs (const HostdevBuses *buses)
{
  return buses->phbs;
}

gboolean
hostdev_buses_find_phb (const HostdevBuses *buses, guint bus, guint *phb_index)
{
  if (bus > HOSTDEV_BUS_MAX || buses->bus[bus].phb == NULL)
    return FALSE;
  *phb_index = buses->bus[bus].phb->index;
  return TRUE;
}

void
hostdev_buses_count_emulated (HostdevBuses *buses, guint bus)
{
  if (bus <= HOSTDEV_BUS_MAX && buses->bus[bus].phb != NULL)
    buses->bus[bus].phb->emulated++;
}
