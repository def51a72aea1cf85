/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-fault-private.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"

#include <glib/gi18n-lib.h>

/* The largest errno of Linux. */
#define MAX_ERRNO 4095

/* A delay of an hour is a mistake. */
#define MAX_DELAY_MS (60 * 60 * 1000)

static const char *const calls[] = {
  [KVMHELPER_CALL_OPEN] = "open",         [KVMHELPER_CALL_CLOSE] = "close",
  [KVMHELPER_CALL_READ] = "read",         [KVMHELPER_CALL_WRITE] = "write",
  [KVMHELPER_CALL_READLINK] = "readlink", [KVMHELPER_CALL_LIST] = "list",
  [KVMHELPER_CALL_STAT] = "stat",         [KVMHELPER_CALL_IOCTL] = "ioctl",
  [KVMHELPER_CALL_MMAP] = "mmap",         [KVMHELPER_CALL_MUNMAP] = "munmap",
  [KVMHELPER_CALL_LOAD] = "load",         [KVMHELPER_CALL_EVENTFD] = "eventfd",
  [KVMHELPER_CALL_GET_ACL] = "get_acl",   [KVMHELPER_CALL_SET_ACL] = "set_acl",
  [KVMHELPER_CALL_PIDFD] = "pidfd",       [KVMHELPER_CALL_MEMLOCK] = "memlock",
  [KVMHELPER_CALL_ANY] = "call",
};

typedef struct
{
  const char *name;
  gulong request;
} Ioctl;

#define IOCTL(name)                                                                                \
  {                                                                                                \
#name, name                                                                                    \
  }

static const Ioctl ioctls[] = {
  IOCTL (KVM_CHECK_EXTENSION),
  IOCTL (KVM_CREATE_DEVICE),
  IOCTL (KVM_CREATE_SPAPR_TCE_64),
  IOCTL (KVM_CREATE_VCPU),
  IOCTL (KVM_CREATE_VM),
  IOCTL (KVM_ENABLE_CAP),
  IOCTL (KVM_GET_API_VERSION),
  IOCTL (KVM_GET_DEVICE_ATTR),
  IOCTL (KVM_GET_SREGS),
  IOCTL (KVM_GET_VCPU_MMAP_SIZE),
  IOCTL (KVM_HAS_DEVICE_ATTR),
  IOCTL (KVM_IRQFD),
  IOCTL (KVM_RUN),
  IOCTL (KVM_SET_DEVICE_ATTR),
  IOCTL (KVM_SET_GSI_ROUTING),
  IOCTL (KVM_SET_SREGS),
  IOCTL (KVM_SET_USER_MEMORY_REGION),
  IOCTL (VFIO_CHECK_EXTENSION),
  IOCTL (VFIO_DEVICE_GET_INFO),
  IOCTL (VFIO_DEVICE_GET_IRQ_INFO),
  IOCTL (VFIO_DEVICE_GET_PCI_HOT_RESET_INFO),
  IOCTL (VFIO_DEVICE_GET_REGION_INFO),
  IOCTL (VFIO_DEVICE_PCI_HOT_RESET),
  IOCTL (VFIO_DEVICE_RESET),
  IOCTL (VFIO_DEVICE_SET_IRQS),
  IOCTL (VFIO_EEH_PE_OP),
  IOCTL (VFIO_GET_API_VERSION),
  IOCTL (VFIO_GROUP_GET_DEVICE_FD),
  IOCTL (VFIO_GROUP_GET_STATUS),
  IOCTL (VFIO_GROUP_SET_CONTAINER),
  IOCTL (VFIO_GROUP_UNSET_CONTAINER),
  IOCTL (VFIO_IOMMU_DISABLE),
  IOCTL (VFIO_IOMMU_ENABLE),
  IOCTL (VFIO_IOMMU_MAP_DMA),
  IOCTL (VFIO_IOMMU_SPAPR_REGISTER_MEMORY),
  IOCTL (VFIO_IOMMU_SPAPR_TCE_CREATE),
  IOCTL (VFIO_IOMMU_SPAPR_TCE_GET_INFO),
  IOCTL (VFIO_IOMMU_SPAPR_TCE_REMOVE),
  IOCTL (VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY),
  IOCTL (VFIO_IOMMU_UNMAP_DMA),
  IOCTL (VFIO_SET_IOMMU),
};

gboolean
kvmhelper_ioctl_matches (gulong request, GPatternSpec *pattern)
{
  for (guint i = 0; i < G_N_ELEMENTS (ioctls); i++)
    if (ioctls[i].request == request && g_pattern_spec_match_string (pattern, ioctls[i].name))
      return TRUE;
  return FALSE;
}

gboolean
kvmhelper_ioctl_is_known (GPatternSpec *pattern)
{
  for (guint i = 0; i < G_N_ELEMENTS (ioctls); i++)
    if (g_pattern_spec_match_string (pattern, ioctls[i].name))
      return TRUE;
  return FALSE;
}

void
kvmhelper_fault_rule_free (KvmHelperFaultRule *rule)
{
  g_clear_pointer (&rule->pattern, g_pattern_spec_free);
  g_free (rule->text);
  g_free (rule);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperFaultRule, kvmhelper_fault_rule_free)

/* All messages are of one form: what is wrong, in which rule. */
static gboolean refuse (const KvmHelperFaultRule *rule, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
refuse (const KvmHelperFaultRule *rule, GError **error, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list arguments;

  va_start (arguments, format);
  reason = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("The fault \"%s\" is no rule: %s"), rule->text, reason);
  return FALSE;
}

static gboolean
parse_call (KvmHelperFaultRule *rule, const char *word, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    if (g_strcmp0 (word, calls[i]) == 0)
      {
        rule->call = (KvmHelperCall) i;
        return TRUE;
      }
  return refuse (rule, error,
                 _ ("there is no call \"%s\"; it begins with open, close, read, write, readlink, "
                    "list, stat, ioctl, mmap, munmap, load, eventfd, or call for any of them"),
                 word == NULL ? "" : word);
}

static gboolean
is_pattern (const KvmHelperFaultRule *rule, const char *word)
{
  if (strpbrk (word, "*?/") != NULL)
    return TRUE;
  return rule->call == KVMHELPER_CALL_IOCTL
         && (g_str_has_prefix (word, "KVM_") || g_str_has_prefix (word, "VFIO_"));
}

static gboolean
parse_pattern (KvmHelperFaultRule *rule, const char *word, GError **error)
{
  rule->pattern = g_pattern_spec_new (word);
  if (rule->call == KVMHELPER_CALL_MUNMAP || rule->call == KVMHELPER_CALL_LOAD
      || rule->call == KVMHELPER_CALL_EVENTFD)
    return refuse (rule, error, _ ("%s has no path"), calls[rule->call]);
  if (rule->call == KVMHELPER_CALL_IOCTL && strchr (word, '/') == NULL
      && !kvmhelper_ioctl_is_known (rule->pattern))
    return refuse (rule, error, _ ("there is no ioctl \"%s\""), word);
  return TRUE;
}

/* "3" or "3+" */
static gboolean
parse_number (KvmHelperFaultRule *rule, const char *word, GError **error)
{
  g_autofree char *digits = g_strdup (word);
  gsize length = strlen (digits);

  if (length > 0 && digits[length - 1] == '+')
    {
      rule->onwards = TRUE;
      digits[length - 1] = '\0';
    }
  if (!g_ascii_string_to_unsigned (digits, 10, 1, G_MAXINT64, &rule->number, NULL))
    return refuse (rule, error, _ ("\"%s\" is no number of a call; they count from 1"), word);
  return TRUE;
}

static gboolean
parse_errno (KvmHelperFaultRule *rule, const char *word, GError **error)
{
  for (int i = 1; i <= MAX_ERRNO && rule->errnum == 0; i++)
    if (g_strcmp0 (strerrorname_np (i), word) == 0)
      rule->errnum = i;
  if (rule->errnum == 0)
    return refuse (rule, error,
                   _ ("there is no action \"%s\"; it is an errno such as EIO, or short, lie, "
                      "delay, kill, vanish or replace"),
                   word);
  if (rule->call == KVMHELPER_CALL_CLOSE || rule->call == KVMHELPER_CALL_LOAD)
    return refuse (rule, error, _ ("%s cannot be refused"), calls[rule->call]);
  rule->action = KVMHELPER_FAULT_REFUSE;
  return TRUE;
}

typedef struct
{
  const char *name;
  const char *wants; /* what comes after it; NULL: nothing */
} Action;

static const Action actions[] = {
  [KVMHELPER_FAULT_SHORT] = { "short", N_ ("a number of bytes") },
  [KVMHELPER_FAULT_LIE] = { "lie", NULL },
  [KVMHELPER_FAULT_DELAY] = { "delay", N_ ("a number of milliseconds, at most an hour") },
  [KVMHELPER_FAULT_KILL] = { "kill", NULL },
  [KVMHELPER_FAULT_VANISH] = { "vanish", N_ ("a PCI address such as 0000:01:00.0") },
  [KVMHELPER_FAULT_REPLACE] = { "replace", N_ ("a PCI address such as 0000:01:00.0") },
};

static gboolean
can (KvmHelperFaultAction action, KvmHelperCall call)
{
  if (action == KVMHELPER_FAULT_SHORT)
    return call == KVMHELPER_CALL_READ || call == KVMHELPER_CALL_WRITE
           || call == KVMHELPER_CALL_READLINK;
  return action != KVMHELPER_FAULT_LIE || call == KVMHELPER_CALL_WRITE
         || call == KVMHELPER_CALL_IOCTL;
}

static gboolean
end_here (const KvmHelperFaultRule *rule, const char *word, GError **error)
{
  return word == NULL || refuse (rule, error, _ ("\"%s\" is one word too many"), word);
}

static gboolean
parse_action (KvmHelperFaultRule *rule, const char *const *words, GError **error)
{
  const char *argument = words[0] == NULL ? NULL : words[1];
  gboolean good;
  guint i = KVMHELPER_FAULT_SHORT;

  if (words[0] == NULL)
    return refuse (rule, error, _ ("it does not say what is to happen"));
  while (i < G_N_ELEMENTS (actions) && !g_str_equal (words[0], actions[i].name))
    i++;
  if (i == G_N_ELEMENTS (actions))
    return parse_errno (rule, words[0], error) && end_here (rule, argument, error);
  rule->action = (KvmHelperFaultAction) i;
  if (!can (rule->action, rule->call))
    return refuse (rule, error, _ ("%s cannot %s"), calls[rule->call], words[0]);
  if (actions[i].wants == NULL)
    return end_here (rule, argument, error);
  if (argument == NULL)
    return refuse (rule, error, _ ("%s wants %s"), words[0], _ (actions[i].wants));
  if (rule->action == KVMHELPER_FAULT_VANISH || rule->action == KVMHELPER_FAULT_REPLACE)
    good = pci_address_parse (argument, &rule->address, NULL);
  else
    good = g_ascii_string_to_unsigned (argument, 10, 0, MAX_DELAY_MS, &rule->amount, NULL);
  if (!good)
    return refuse (rule, error, _ ("%s wants %s, and \"%s\" is none"), words[0],
                   _ (actions[i].wants), argument);
  return end_here (rule, words[2], error);
}

KvmHelperFaultRule *
kvmhelper_fault_rule_parse (const char *text, GError **error)
{
  g_autoptr (KvmHelperFaultRule) rule = g_new0 (KvmHelperFaultRule, 1);
  g_auto (GStrv) split = g_strsplit_set (text, " \t", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  const char *const *word;

  rule->text = g_strdup (text);
  for (guint i = 0; split[i] != NULL; i++)
    if (*split[i] != '\0')
      g_ptr_array_add (words, split[i]);
  g_ptr_array_add (words, NULL);
  word = (const char *const *) words->pdata;
  if (!parse_call (rule, *word, error))
    return NULL;
  word++;
  if (*word != NULL && is_pattern (rule, *word) && !parse_pattern (rule, *word++, error))
    return NULL;
  if (*word != NULL && g_ascii_isdigit (**word) && !parse_number (rule, *word++, error))
    return NULL;
  if (!parse_action (rule, word, error))
    return NULL;
  return g_steal_pointer (&rule);
}
