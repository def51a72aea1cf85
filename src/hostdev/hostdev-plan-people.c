/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

#include <string.h>

/*
 * What goes along with a device, and who else has to do with it: the rest of its group and its
 * card, the function that it is a virtual one of, its NUMA node, other guests. Nearly all of it is
 * good to know, and stands against nothing.
 */

static void
join (GString *list, const char *item)
{
  g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", item);
}

static gboolean
has_address (const GPtrArray *addresses, const PciAddress *address)
{
  for (guint i = 0; i < addresses->len; i++)
    if (pci_address_equal (addresses->pdata[i], address))
      return TRUE;
  return FALSE;
}

/* Those of the group that @which has, or all endpoints (NULL), with names and drivers. */
static char *
list_members (const HostdevGroup *group, const GPtrArray *which, guint *count)
{
  GString *names = g_string_new (NULL);

  *count = 0;
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];

      if (!member->endpoint || (which != NULL && !has_address (which, &member->address)))
        continue;
      g_autofree char *name = hostdev_plan_describe_function (member);
      join (names, name);
      (*count)++;
    }
  return g_string_free (names, FALSE);
}

static void
check_companions (const HostdevPlanning *planning, const HostdevGroup *group,
                  const HostdevPlanDevice *entry)
{
  if (entry->companions->len == 0)
    return;
  g_autofree char *name = hostdev_plan_describe_group (group);
  guint count;
  g_autofree char *functions = list_members (group, entry->companions, &count);

  if (count > 0)
    hostdev_plan_say (planning->plan,
                      entry->policy.companions == HOSTDEV_COMPANIONS_REFUSE
                          ? HOSTDEV_SAYS_COMPANIONS_REFUSED
                          : HOSTDEV_SAYS_COMPANIONS_LEAVE,
                      &entry->address, "group", name, "functions", functions, NULL);
}

/* The endpoints of a group are one PE on powernv, and in a partition. It is the same for all the
 * devices of a group. */
static void
check_freeze (const HostdevPlanning *planning, const HostdevGroup *group,
              const HostdevPlanDevice *entry)
{
  if (entry->policy.eeh == HOSTDEV_WISH_OFF
      || !g_hash_table_add (planning->plan->frozen, (gpointer) group))
    return;
  g_autofree char *name = hostdev_plan_describe_group (group);
  guint count;
  g_autofree char *functions = list_members (group, NULL, &count);

  if (count > 1)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_PE_SHARED, NULL, "group", name, "functions",
                      functions, NULL);
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];

      if (member->endpoint)
        continue;
      g_autofree char *bridge = hostdev_plan_describe_function (member);
      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_PE_BRIDGE, NULL, "group", name, "function",
                        bridge, NULL);
      return;
    }
}

/* Those of the card that are in other groups, and so stay. */
static void
check_card (const HostdevPlanning *planning, const HostdevFunction *function,
            const HostdevPlanDevice *entry)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < function->companions->len; i++)
    {
      const HostdevFunction *companion;
      PciAddress address;

      if (!pci_address_parse (function->companions->pdata[i], &address, NULL)
          || has_address (entry->taken, &address))
        continue;
      companion = hostdev_host_find (planning->host, &address, NULL);
      /* What is no function of the description, or is on VFIO for a guest, is not the host's. */
      if (companion == NULL || !companion->endpoint || hostdev_plan_is_vfio (companion))
        continue;
      g_autofree char *name = hostdev_plan_describe_function (companion);
      join (names, name);
    }
  if (names->len > 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_CARD_SHARED, &entry->address, "functions",
                      names->str, NULL);
}

static void
check_function (const HostdevPlanning *planning, const HostdevFunction *function,
                const HostdevPlanDevice *entry)
{
  if (function->reset_methods != NULL && *function->reset_methods == '\0')
    {
      g_autofree char *name = hostdev_plan_describe_function (function);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_NO_RESET, &entry->address, "function", name,
                        NULL);
    }
  if (function->is_vf)
    {
      const HostdevFunction *physical = hostdev_host_find (planning->host, &function->physfn, NULL);
      g_autofree char *parent = physical != NULL ? hostdev_plan_describe_function (physical)
                                                 : pci_address_to_string (&function->physfn);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_VF_PARENT, &entry->address, "function", parent,
                        NULL);
    }
}

/* Of "10 20 40" the one for @to: they are in the order of the nodes that there are. */
static char *
read_distance (const HostdevHost *host, const HostdevNode *from, guint to)
{
  g_auto (GStrv) words = g_strsplit (from->distances, " ", -1);
  const GPtrArray *nodes = hostdev_host_get_nodes (host);

  for (guint i = 0; i < nodes->len && words[i] != NULL; i++)
    if (((const HostdevNode *) nodes->pdata[i])->number == to)
      return g_strdup (words[i]);
  return g_strdup ("?");
}

/* The nearest of the nodes whose CPUs the guest has. */
static char *
nearest_distance (const HostdevPlanning *planning, const HostdevNode *from, const HostdevSet *cpus)
{
  const GPtrArray *nodes = hostdev_host_get_nodes (planning->host);
  char *best = g_strdup ("?");

  for (guint i = 0; i < nodes->len; i++)
    {
      const HostdevNode *node = nodes->pdata[i];
      g_autoptr (HostdevSet) its = *node->cpus == '\0' ? NULL : hostdev_set_new (node->cpus);
      g_autofree char *distance = NULL;

      if (its == NULL || !hostdev_set_meets (its, cpus))
        continue;
      distance = read_distance (planning->host, from, node->number);
      if (*best == '?' || g_ascii_strtoull (distance, NULL, 10) < g_ascii_strtoull (best, NULL, 10))
        {
          g_free (best);
          best = g_steal_pointer (&distance);
        }
    }
  return best;
}

/* Nodes and CPUs are those of the host: libvirt's nodeset, cpuset. */
static void
check_numa (const HostdevPlanning *planning, const HostdevFunction *function,
            const HostdevPlanDevice *entry)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  const HostdevNode *node;
  g_autoptr (HostdevSet) memory = NULL, cpus = NULL, near = NULL;

  if (!function->has_numa_node)
    return;
  g_autofree char *number = g_strdup_printf ("%u", function->numa_node);
  g_autofree char *phb = g_strdup_printf ("%u", entry->phb_index);
  memory = traits->memory_nodes == NULL ? NULL : hostdev_set_new (traits->memory_nodes);
  if (memory != NULL && !hostdev_set_has (memory, function->numa_node))
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_NUMA_MEMORY, &entry->address, "node", number,
                      "nodes", traits->memory_nodes, NULL);

  node = hostdev_host_find_node (planning->host, function->numa_node);
  cpus = traits->cpus == NULL ? NULL : hostdev_set_new (traits->cpus);
  near = node == NULL || *node->cpus == '\0' ? NULL : hostdev_set_new (node->cpus);
  if (cpus != NULL && near != NULL && !hostdev_set_meets (cpus, near))
    {
      g_autofree char *distance = nearest_distance (planning, node, cpus);

      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_NUMA_VCPUS, &entry->address, "node", number,
                        "cpus", traits->cpus, "distance", distance, NULL);
    }
  if (traits->cells > 1 && entry->has_phb && entry->phb_index <= 255
      && !traits->phb_node[entry->phb_index])
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_PHB_NODE, &entry->address, "phb", phb, "node",
                      number, NULL);
}

/* What libvirt knows of other guests; of one that runs the helper knows by who holds the group as
 * well, where it holds it. */
static void
check_others (const HostdevPlanning *planning, const HostdevGroup *group,
              const HostdevPlanDevice *entry)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *member = group->members->pdata[i];
      const HostdevClaim *claim = hostdev_host_find_claim (
          planning->host, &member->address, hostdev_domain_get_uuid (planning->domain));

      if (claim == NULL)
        continue;
      g_autofree char *name = hostdev_plan_describe_group (group);
      g_autofree char *function = hostdev_plan_describe_function (member);
      hostdev_plan_say (
          planning->plan,
          claim->running ? HOSTDEV_SAYS_GUEST_RUNS_WITH_IT : HOSTDEV_SAYS_GUEST_DEFINED_WITH_IT,
          &entry->address, "other", claim->name, "function", function, "group", name, NULL);
    }
}

void
hostdev_plan_check_people (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevGroup *group = NULL;
  const HostdevFunction *function = hostdev_host_find (planning->host, &entry->address, &group);

  if (function == NULL || group == NULL || !function->endpoint)
    return;
  check_companions (planning, group, entry);
  check_freeze (planning, group, entry);
  check_card (planning, function, entry);
  check_function (planning, function, entry);
  check_numa (planning, function, entry);
  check_others (planning, group, entry);
}
