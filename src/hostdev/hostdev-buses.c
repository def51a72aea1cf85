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

/* One <controller type='pci'>, and its index: what it has, or got. */
typedef struct
{
  const xmlNode *node; /* NULL: libvirt adds it */
  guint index;
} Controller;

struct _HostdevBuses
{
  Bus bus[HOSTDEV_BUS_MAX + 1];
  HostdevSlots slots;
  HostdevEmulated emulated;
  GArray *controllers; /* Controller, in libvirt's order */
  GPtrArray *phbs;
};

void
hostdev_buses_free (HostdevBuses *buses)
{
  if (buses == NULL)
    return;
  g_array_unref (buses->controllers);
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
  hostdev_slots_add_bus (&buses->slots, index, HOSTDEV_BUS_OPEN);
  return TRUE;
}

/* Without a model it can be PHB 0 alone, for libvirt; what is no pci-root is a bridge. */
static gboolean
is_root (const xmlNode *node)
{
  g_autofree char *model = common_xml_get (node, "model");

  return model == NULL || strcmp (model, "pci-root") == 0;
}

/* Bridges whose slots libvirt chooses from (src/conf/domain_addr.c:
 * virDomainPCIAddressBusSetModel). */
static HostdevBusKind
get_kind (const xmlNode *node)
{
  static const char *const open[]
      = { "pci-bridge", "pci-expander-bus", "pcie-to-pci-bridge", NULL };
  g_autofree char *model = common_xml_get_or_empty (node, "model");

  return g_strv_contains (open, model) ? HOSTDEV_BUS_OPEN : HOSTDEV_BUS_CLOSED;
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
  hostdev_slots_add_bus (&buses->slots, index, get_kind (node));
  return TRUE;
}

/* libvirt keeps them by index, and one without an index behind the last there is at that point
 * (src/conf/domain_conf.c: virDomainControllerInsertPreAlloced). */
static void
insert_controller (HostdevBuses *buses, const xmlNode *node, guint index)
{
  Controller controller = { node, index };
  guint place = buses->controllers->len;

  if (index != NONE)
    {
      for (guint i = buses->controllers->len; i-- > 0;)
        {
          guint other = g_array_index (buses->controllers, Controller, i).index;

          if (other != NONE && other > index)
            place = i;
        }
      buses->bus[index].present = TRUE;
    }
  g_array_insert_val (buses->controllers, place, controller);
}

static gboolean
list_controllers (HostdevBuses *buses, const xmlNode *devices, GError **error)
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
      /* One too many, or a number a second time: libvirt refuses such a domain itself. */
      if (index != NONE ? !buses->bus[index].present : buses->controllers->len <= HOSTDEV_BUS_MAX)
        insert_controller (buses, node, index);
    }
  return TRUE;
}

/* Those without an index get the lowest that is unused (libvirt src/conf/domain_postparse.c:
 * virDomainAssignControllerIndexes). */
static gboolean
add_controllers (HostdevBuses *buses, GError **error)
{
  for (guint i = 0; i < buses->controllers->len; i++)
    {
      Controller *controller = &g_array_index (buses->controllers, Controller, i);

      if (controller->index == NONE)
        {
          controller->index = hostdev_buses_get_free (buses, is_root (controller->node) ? 0 : 1);
          if (controller->index > HOSTDEV_BUS_MAX)
            continue;
          buses->bus[controller->index].present = TRUE;
        }
      if (!add_controller (buses, controller->index, controller->node, error))
        return FALSE;
    }
  return TRUE;
}

/* Every bus up to the highest that a controller is or an address names is there. As libvirt 11.3
 * does it; 9.0 has those that it adds behind all others, and so numbers their targets last. */
static void
fill_gaps (HostdevBuses *buses)
{
  for (guint index = 0; index < buses->slots.count; index++)
    {
      if (buses->bus[index].present)
        continue;
      insert_controller (buses, NULL, index);
      add_phb (buses, index, NULL, NULL);
    }
}

/* libvirt numbers those that have no target index in that order
 * (src/qemu/qemu_domain_address.c: qemuDomainAddressFindNewTargetIndex). */
static void
fill_target_indexes (HostdevBuses *buses)
{
  for (guint i = 0; i < buses->controllers->len; i++)
    {
      guint index = g_array_index (buses->controllers, Controller, i).index;
      HostdevPhb *phb = index <= HOSTDEV_BUS_MAX ? buses->bus[index].phb : NULL;

      if (phb != NULL && phb->index == index && phb->target_index == NONE)
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

  buses->controllers = g_array_new (FALSE, FALSE, sizeof (Controller));
  buses->phbs = g_ptr_array_new_with_free_func (g_free);
  if (devices != NULL && !list_controllers (buses, devices, error))
    return NULL;
  if (!add_controllers (buses, error))
    return NULL;
  hostdev_buses_name (buses, 0);
  return g_steal_pointer (&buses);
}

void
hostdev_buses_name (HostdevBuses *buses, guint bus)
{
  buses->slots.count = MAX (buses->slots.count, bus + 1);
}

void
hostdev_buses_add_emulated (HostdevBuses *buses, const xmlNode *node, const PciAddress *address)
{
  hostdev_emulated_add (&buses->emulated, node, address != NULL);
  if (address == NULL)
    return;
  /* A bridge on a bus that is not there yet: libvirt refuses such a domain. */
  if (!common_xml_is (node, "controller") || !common_xml_attribute_is (node, "type", "pci"))
    hostdev_buses_name (buses, address->bus);
  hostdev_slots_mark (&buses->slots, address->bus, address->slot, 0);
}

void
hostdev_buses_finish (HostdevBuses *buses)
{
  hostdev_emulated_finish (&buses->emulated);
  fill_gaps (buses);
  fill_target_indexes (buses);
  for (guint i = 0; i <= HOSTDEV_BUS_MAX; i++)
    if (buses->bus[i].present)
      buses->bus[i].phb = follow_bridges (buses, i);
  for (guint i = 0; i <= HOSTDEV_BUS_MAX; i++)
    if (buses->bus[i].phb != NULL)
      buses->bus[i].phb->emulated += (guint) __builtin_popcount (buses->slots.bus[i].used);
  g_ptr_array_sort (buses->phbs, compare_phbs);
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

const HostdevSlots *
hostdev_buses_get_slots (const HostdevBuses *buses)
{
  return &buses->slots;
}

const HostdevEmulated *
hostdev_buses_get_emulated (const HostdevBuses *buses)
{
  return &buses->emulated;
}
