/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

/* Names and values of one statement: no more than anything has to say. */
#define MAX_WORDS 12

typedef struct
{
  HostdevWord words[MAX_WORDS];
  gsize count;
  char device[PCI_ADDRESS_LEN];
} Words;

static void
add_word (Words *words, const char *name, const char *value)
{
  g_assert (words->count < MAX_WORDS);
  words->words[words->count].name = name;
  words->words[words->count].value = value;
  words->count++;
}

static void
take_words (Words *words, const HostdevPlan *plan, const PciAddress *address, va_list arguments)
{
  const char *name;

  words->count = 0;
  while ((name = va_arg (arguments, const char *)) != NULL)
    add_word (words, name, va_arg (arguments, const char *));
  add_word (words, "guest", plan->domain_name);
  if (address != NULL)
    add_word (words, "device", pci_address_format (address, words->device));
}

static void
say (HostdevPlan *plan, HostdevStatementId id, HostdevSeverity severity, const PciAddress *address,
     const Words *words)
{
  const HostdevStatement *statement = hostdev_statement_get (id);
  HostdevReason *reason;
  char *sentence = hostdev_statement_fill (g_dgettext (GETTEXT_PACKAGE, statement->sentence),
                                           words->words, words->count);

  if (g_hash_table_contains (plan->said, sentence))
    {
      g_free (sentence);
      return;
    }
  reason = g_new0 (HostdevReason, 1);
  reason->statement = statement;
  reason->severity = severity;
  reason->code = statement->reason;
  reason->sentence = sentence;
  reason->remedy = hostdev_statement_fill (g_dgettext (GETTEXT_PACKAGE, statement->remedy),
                                           words->words, words->count);
  reason->has_address = address != NULL;
  if (address != NULL)
    reason->address = *address;
  g_ptr_array_add (plan->reasons, reason);
  g_hash_table_add (plan->said, reason->sentence);
}

void
hostdev_plan_say (HostdevPlan *plan, HostdevStatementId id, const PciAddress *address, ...)
{
  va_list arguments;
  Words words;

  va_start (arguments, address);
  take_words (&words, plan, address, arguments);
  va_end (arguments);
  say (plan, id, hostdev_statement_get (id)->severity, address, &words);
}

/* What of the metadata it was that requires it. */
static char *
name_setting (const HostdevPlan *plan, const char *attribute, const PciAddress *address)
{
  for (guint i = 0; i < plan->devices->len; i++)
    {
      const HostdevPlanDevice *device = plan->devices->pdata[i];

      if (device->policy.refuse_lacking && pci_address_equal (&device->address, address))
        return g_strdup ("lacking='refuse'");
    }
  return g_strdup_printf ("%s='required'", attribute);
}

void
hostdev_plan_say_wish (HostdevPlan *plan, HostdevStatementId id, HostdevWish wish,
                       const char *attribute, const PciAddress *address, ...)
{
  HostdevSeverity severity = hostdev_statement_get (id)->severity;
  va_list arguments;
  Words words;

  if (wish == HOSTDEV_WISH_OFF)
    return;
  va_start (arguments, address);
  take_words (&words, plan, address, arguments);
  va_end (arguments);
  if (wish != HOSTDEV_WISH_REQUIRED)
    {
      say (plan, id, severity, NULL, &words);
      return;
    }
  g_autofree char *setting = name_setting (plan, attribute, address);
  say (plan, id, HOSTDEV_REFUSE, address, &words);
  hostdev_plan_say (plan, HOSTDEV_SAYS_POLICY_REQUIRES, address, "setting", setting, NULL);
}
