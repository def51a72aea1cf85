/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-host-build.h"

/* What a host is made of: groups, and functions. */

HostdevGroup *
hostdev_group_new (void)
{
  HostdevGroup *group = g_new0 (HostdevGroup, 1);

  group->name = g_strdup ("");
  group->pe_state = g_strdup ("unknown");
  group->pe_state_source = g_strdup ("");
  group->holder = g_strdup ("none");
  group->lease = g_strdup ("");
  group->domain_uuid = g_strdup ("");
  group->domain_name = g_strdup ("");
  group->members = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_function_free);
  return group;
}

void
hostdev_group_free (HostdevGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->name);
  g_free (group->pe_state);
  g_free (group->pe_state_source);
  g_free (group->holder);
  g_free (group->lease);
  g_free (group->domain_uuid);
  g_free (group->domain_name);
  g_ptr_array_unref (group->members);
  g_free (group);
}

static void
free_busy (gpointer data)
{
  HostdevBusy *busy = data;

  g_free (busy->kind);
  g_free (busy->detail);
  g_free (busy);
}

HostdevFunction *
hostdev_function_new (void)
{
  HostdevFunction *function = g_new0 (HostdevFunction, 1);

  function->vendor_name = g_strdup ("");
  function->device_name = g_strdup ("");
  function->class_name = g_strdup ("");
  function->endpoint = TRUE;
  function->driver = g_strdup ("");
  function->driver_override = g_strdup ("");
  function->busy = g_ptr_array_new_with_free_func (free_busy);
  function->companions = g_ptr_array_new_with_free_func (g_free);
  return function;
}

void
hostdev_function_free (HostdevFunction *function)
{
  if (function == NULL)
    return;
  g_free (function->vendor_name);
  g_free (function->device_name);
  g_free (function->class_name);
  g_free (function->driver);
  g_free (function->driver_override);
  g_free (function->reset_methods);
  g_ptr_array_unref (function->busy);
  g_ptr_array_unref (function->companions);
  g_free (function);
}

void
hostdev_function_add_busy (HostdevFunction *function, const char *kind, const char *detail)
{
  HostdevBusy *busy = g_new0 (HostdevBusy, 1);

  busy->kind = g_strdup (kind);
  busy->detail = g_strdup (detail);
  g_ptr_array_add (function->busy, busy);
}

gboolean
hostdev_function_add_companion (HostdevFunction *function, const char *address)
{
  PciAddress companion;
  char text[PCI_ADDRESS_LEN];

  if (!pci_address_parse (address, &companion, NULL))
    return FALSE;
  g_ptr_array_add (function->companions, g_strdup (pci_address_format (&companion, text)));
  return TRUE;
}
