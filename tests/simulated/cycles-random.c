/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cycles-random.h"

/* About as many calls as a cycle makes. */
#define CALLS 900

static const char *const failures[]
    = { "EIO", "ENOMEM", "EBUSY", "EACCES", "EPERM", "EMFILE", "ENFILE", "EAGAIN" };
static const char *const refusals[]
    = { "EINVAL", "ENODEV", "ENOENT", "ENXIO", "ENOSPC", "EFAULT", "ENOTTY", "EBADF", "E2BIG" };

static const char *const looks[] = { "open", "read", "readlink", "list", "stat" };
static const char *const deeds[] = { "write", "ioctl", "mmap", "eventfd" };

static const char *const patterns[] = {
  "write *driver_override",
  "write *unbind",
  "write *drivers_probe",
  "write */bind",
  "readlink *driver",
  "readlink *iommu_group",
  "read *vendor",
  "read *driver_override",
  "open *config",
  "open /dev/vfio/?*",
  "open /dev/vfio/vfio",
  "open /dev/kvm",
  "list *fd",
  "list /proc/.",
  "stat /proc/*",
  "read */route",
  "open *eeh_pe_state",
  "list *devices",
};

static const char *const ioctls[] = {
  "KVM_*",
  "VFIO_*",
  "KVM_CREATE_VM",
  "KVM_CREATE_VCPU",
  "KVM_CREATE_DEVICE",
  "KVM_CREATE_SPAPR_TCE_64",
  "KVM_SET_DEVICE_ATTR",
  "KVM_ENABLE_CAP",
  "KVM_IRQFD",
  "KVM_SET_SREGS",
  "VFIO_GROUP_SET_CONTAINER",
  "VFIO_GROUP_UNSET_CONTAINER",
  "VFIO_SET_IOMMU",
  "VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
  "VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY",
  "VFIO_IOMMU_SPAPR_TCE_CREATE",
  "VFIO_IOMMU_SPAPR_TCE_REMOVE",
  "VFIO_GROUP_GET_DEVICE_FD",
  "VFIO_DEVICE_SET_IRQS",
  "VFIO_EEH_PE_OP",
};

#define PICK(random, list) ((list)[g_rand_int_range ((random), 0, G_N_ELEMENTS (list))])

static guint
number (GRand *random, guint most)
{
  return (guint) g_rand_int_range (random, 1, (gint32) most + 1);
}

static const char *
refusal (GRand *random)
{
  return g_rand_boolean (random) ? PICK (random, failures) : PICK (random, refusals);
}

char *
cycles_random_kill (GRand *random, guint calls)
{
  return g_strdup_printf ("call %u kill", number (random, calls));
}

static void
append_rule (GRand *random, const char *const *addresses, gboolean loses, gboolean *changes,
             GString *rules)
{
  const char *pattern;

  switch (g_rand_int_range (random, 0, 12))
    {
    case 0:
    case 1:
      g_string_append_printf (rules, "%s %u %s", PICK (random, looks), number (random, 300),
                              PICK (random, failures));
      break;
    case 2:
    case 3:
      g_string_append_printf (rules, "%s %u %s", PICK (random, deeds), number (random, 60),
                              refusal (random));
      break;
    case 4:
    case 5:
      g_string_append_printf (rules, "write %u lie", number (random, 14));
      break;
    case 6:
      g_string_append_printf (rules, "read %u short %u", number (random, 300), number (random, 8));
      break;
    case 7:
      pattern = PICK (random, patterns);
      g_string_append_printf (rules, "%s%s %s", pattern, g_rand_boolean (random) ? "" : " 2",
                              g_str_has_prefix (pattern, "write") ? refusal (random)
                                                                  : PICK (random, failures));
      break;
    case 8:
      g_string_append_printf (rules, "ioctl %s%s %s", PICK (random, ioctls),
                              g_rand_boolean (random) ? "" : " 2", refusal (random));
      break;
    case 9:
      *changes = TRUE;
      g_string_append_printf (
          rules, "%s %u %s %s", g_rand_boolean (random) ? "write" : "call", number (random, 40),
          g_rand_boolean (random) ? "vanish" : "replace",
          addresses[g_rand_int_range (random, 0, (gint32) g_strv_length ((char **) addresses))]);
      break;
    case 10:
      g_string_append_printf (rules, "call %u delay 1", number (random, CALLS));
      break;
    default:
      if (loses)
        g_string_append_printf (rules, "munmap %u EIO", number (random, 2));
      else
        g_string_append_printf (rules, "open %u %s", number (random, 300), PICK (random, failures));
      break;
    }
}

char *
cycles_random_rules (GRand *random, const char *const *addresses, gboolean loses, gboolean *changes)
{
  GString *rules = g_string_new (NULL);
  int chance = g_rand_int_range (random, 0, 100);
  guint count = chance < 15 ? 0 : chance < 75 ? 1 : 2;

  for (guint i = 0; i < count; i++)
    {
      if (i > 0)
        g_string_append (rules, "; ");
      append_rule (random, addresses, loses, changes, rules);
    }
  return g_string_free (rules, FALSE);
}
