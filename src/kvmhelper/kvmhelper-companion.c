/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-companion.h"

struct _KvmHelperCards
{
  GPtrArray *functions; /* those that can be companions, by address */
  GPtrArray *cards;     /* char *, of each: "0003:01:00", where its card begins */
};

/* "0003:01:00", the place of a device on its bus. */
static char *
device_name (const PciAddress *address)
{
  return g_strdup_printf ("%04x:%02x:%02x", address->domain, address->bus, address->slot);
}

/* The devices that sit in slots. A slot without a number of its own has the name of a bus there
 * (drivers/pci/slot.c: address_read_file), and says nothing that the device number does not. */
static GHashTable *
read_slots (const KvmHelperKernel *kernel)
{
  GHashTable *slots = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "bus/pci/slots");

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("bus/pci/slots/%s/address", (char *) names->pdata[i]);
      char *address = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

      if (address != NULL)
        g_hash_table_add (slots, address);
    }
  return slots;
}

/* The innermost device in a slot that @address is, or is below; else itself. */
static char *
find_card (const KvmHelperKernel *kernel, GHashTable *slots, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, NULL);
  g_autofree char *link = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, path);
  g_auto (GStrv) parts = g_strsplit (link == NULL ? "" : link, "/", -1);

  for (guint i = g_strv_length (parts); i > 0; i--)
    {
      PciAddress above;

      if (!pci_address_parse (parts[i - 1], &above, NULL))
        continue;
      g_autofree char *name = device_name (&above);
      if (g_hash_table_contains (slots, name))
        return g_steal_pointer (&name);
    }
  return device_name (address);
}

static gboolean
can_be_companion (const KvmHelperFunction *function)
{
  return function->endpoint && !function->is_vf;
}

KvmHelperCards *
kvmhelper_cards_new (const KvmHelperKernel *kernel, const GPtrArray *functions)
{
  KvmHelperCards *cards = g_new0 (KvmHelperCards, 1);
  g_autoptr (GHashTable) slots = read_slots (kernel);

  cards->functions = g_ptr_array_new ();
  cards->cards = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperFunction *function = functions->pdata[i];

      if (!can_be_companion (function))
        continue;
      g_ptr_array_add (cards->functions, function);
      g_ptr_array_add (cards->cards, find_card (kernel, slots, &function->address));
    }
  return cards;
}

void
kvmhelper_cards_free (KvmHelperCards *cards)
{
  g_ptr_array_unref (cards->functions);
  g_ptr_array_unref (cards->cards);
  g_free (cards);
}

GPtrArray *
kvmhelper_cards_companions (const KvmHelperCards *cards, const KvmHelperFunction *function)
{
  GPtrArray *companions = g_ptr_array_new ();
  const char *card = NULL;

  for (guint i = 0; i < cards->functions->len && card == NULL; i++)
    if (pci_address_equal (&((KvmHelperFunction *) cards->functions->pdata[i])->address,
                           &function->address))
      card = cards->cards->pdata[i];
  for (guint i = 0; card != NULL && i < cards->functions->len; i++)
    {
      KvmHelperFunction *other = cards->functions->pdata[i];

      if (g_str_equal (cards->cards->pdata[i], card)
          && !pci_address_equal (&other->address, &function->address))
        g_ptr_array_add (companions, other);
    }
  return companions;
}
