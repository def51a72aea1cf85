/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-eeh.h"

#include <fcntl.h>
#include <stdio.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* The two words of eeh_pe_state: what the firmware says, and what the kernel holds
 * (arch/powerpc/include/asm/eeh.h: EEH_STATE_*, EEH_PE_*). */
#define STATE_UNAVAILABLE 0x001
#define STATE_NOT_SUPPORT 0x002
#define STATE_MMIO_ACTIVE 0x008
#define STATE_DMA_ACTIVE  0x010
#define PE_ISOLATED       0x001
#define PE_RECOVERING     0x002
#define PE_REMOVED        0x400

#define STATE_FILE "eeh_pe_state"

/* NOT_SUPPORT is "permanently unavailable": of OPAL (platforms/powernv/eeh-powernv.c:
 * pnv_eeh_get_pe_state), of RTAS where it gives no time to wait (pseries/eeh_pseries.c:
 * pseries_eeh_get_state). */
KvmHelperEehState
kvmhelper_eeh_parse (const char *text)
{
  guint firmware, kernel;
  KvmHelperEehState state = { KVMHELPER_EEH_UNKNOWN, FALSE };

  if (sscanf (text, "%x %x", &firmware, &kernel) != 2)
    return state;
  state.recovering = (kernel & PE_RECOVERING) != 0;
  if ((firmware & STATE_NOT_SUPPORT) != 0 || (kernel & PE_REMOVED) != 0)
    state.name = KVMHELPER_EEH_FAILED;
  else if ((firmware & STATE_UNAVAILABLE) != 0)
    state.name = KVMHELPER_EEH_UNAVAILABLE;
  else if ((kernel & (PE_ISOLATED | PE_RECOVERING)) == 0 && (firmware & STATE_MMIO_ACTIVE) != 0
           && (firmware & STATE_DMA_ACTIVE) != 0)
    state.name = KVMHELPER_EEH_NORMAL;
  else
    state.name = KVMHELPER_EEH_FROZEN;
  return state;
}

KvmHelperEehState
kvmhelper_eeh_read (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, STATE_FILE);
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

  return kvmhelper_eeh_parse (text == NULL ? "" : text);
}

static gboolean
has_pe (const GArray *pes, const KvmHelperEehPe *pe)
{
  for (guint i = 0; i < pes->len; i++)
    {
      const KvmHelperEehPe *other = &g_array_index (pes, KvmHelperEehPe, i);

      if (other->phb == pe->phb && other->number == pe->number)
        return TRUE;
    }
  return FALSE;
}

static void
add_pe (const KvmHelperKernel *kernel, const PciAddress *address, GArray *pes)
{
  g_autofree char *path = kvmhelper_function_path (address, "eeh_pe_config_addr");
  KvmHelperEehPe pe = { *address, address->domain, 0 };
  guint64 number;

  if (!kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, path, &number))
    return;
  pe.number = (guint) number;
  if (!has_pe (pes, &pe))
    g_array_append_val (pes, pe);
}

GArray *
kvmhelper_eeh_group (const KvmHelperKernel *kernel, const KvmHelperGroup *group)
{
  GArray *pes = g_array_new (FALSE, FALSE, sizeof (KvmHelperEehPe));

  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];

      if (member->endpoint)
        add_pe (kernel, &member->address, pes);
    }
  return pes;
}

GArray *
kvmhelper_eeh_lease (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  GArray *pes = g_array_new (FALSE, FALSE, sizeof (KvmHelperEehPe));

  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *driver = kvmhelper_function_driver (kernel, &member->address);

      /* What somebody gave to another driver, or put in its place, is not the lease's any more. */
      if (common_driver_is_vfio (driver))
        add_pe (kernel, &member->address, pes);
    }
  return pes;
}

static guint
rank (const char *name)
{
  static const char *const order[] = { KVMHELPER_EEH_UNKNOWN, KVMHELPER_EEH_NORMAL,
                                       KVMHELPER_EEH_FROZEN, KVMHELPER_EEH_UNAVAILABLE };
  guint i = 0;

  while (i < G_N_ELEMENTS (order) && !g_str_equal (order[i], name))
    i++;
  return i;
}

KvmHelperEehState
kvmhelper_eeh_worst (const KvmHelperKernel *kernel, const GArray *pes, const KvmHelperEehPe **pe)
{
  KvmHelperEehState worst = { KVMHELPER_EEH_UNKNOWN, FALSE };

  *pe = NULL;
  for (guint i = 0; i < pes->len; i++)
    {
      const KvmHelperEehPe *one = &g_array_index (pes, KvmHelperEehPe, i);
      KvmHelperEehState state = kvmhelper_eeh_read (kernel, &one->function);

      if (*pe != NULL && rank (state.name) <= rank (worst.name))
        continue;
      worst = state;
      *pe = one;
    }
  return worst;
}

/* Where a group's state is read: of the PE that has it, else where one would be. */
static char *
fact_source (const KvmHelperGroup *group, const KvmHelperEehPe *pe)
{
  g_autofree char *path = pe == NULL ? NULL : kvmhelper_function_path (&pe->function, STATE_FILE);

  for (guint i = 0; path == NULL && i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];

      if (member->endpoint)
        path = kvmhelper_function_path (&member->address, STATE_FILE);
    }
  return path == NULL ? g_strdup ("inferred: the group has no endpoint")
                      : g_strconcat ("/sys/", path, NULL);
}

KvmHelperFact
kvmhelper_eeh_fact (const KvmHelperKernel *kernel, const KvmHelperGroup *group)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_group (kernel, group);
  const KvmHelperEehPe *pe;
  const char *state = kvmhelper_eeh_worst (kernel, pes, &pe).name;

  return (KvmHelperFact){ state, fact_source (group, pe) };
}

KvmHelperFact
kvmhelper_eeh_lease_fact (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_lease (kernel, lease);
  const KvmHelperEehPe *pe;
  const char *state = kvmhelper_eeh_worst (kernel, pes, &pe).name;
  g_autofree char *path = pe == NULL ? NULL : kvmhelper_function_path (&pe->function, STATE_FILE);

  return (KvmHelperFact){ state, path == NULL ? NULL : g_strconcat ("/sys/", path, NULL) };
}

char *
kvmhelper_eeh_pe_name (const KvmHelperEehPe *pe)
{
  return g_strdup_printf ("PHB#%x-PE#%x", pe->phb, pe->number);
}

/* Says why a PE that is not normal cannot be used, and what to do. */
static void
set_state_error (GError **error, const KvmHelperEehPe *pe, const KvmHelperEehState *state)
{
  g_autofree char *pe_name = kvmhelper_eeh_pe_name (pe);
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&pe->function, name);
  if (g_str_equal (state->name, KVMHELPER_EEH_FAILED))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_PE_FAILED,
                 _ ("The PE of %s (%s) has failed for good: EEH gave it up; replace the card, or "
                    "restart the host"),
                 name, pe_name);
  else if (state->recovering)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_PE_FROZEN,
                 _ ("The host's EEH recovers the PE of %s (%s) just now; try again in some "
                    "seconds"),
                 name, pe_name);
  else if (g_str_equal (state->name, KVMHELPER_EEH_UNAVAILABLE))
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_PE_FROZEN,
                 _ ("The firmware cannot tell the state of the PE of %s (%s): its host bridge is "
                    "being reset, or is dead; try again in a minute, and see the kernel's log for "
                    "EEH; if it stays so, restart the host"),
                 name, pe_name);
  else
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_PE_FROZEN,
                 _ ("The PE of %s (%s) is frozen after an error, and does not thaw; see the "
                    "kernel's log for EEH; replace the card, or restart the host"),
                 name, pe_name);
}

gboolean
kvmhelper_eeh_check (const KvmHelperKernel *kernel, const GArray *pes, GError **error)
{
  for (guint i = 0; i < pes->len; i++)
    {
      const KvmHelperEehPe *pe = &g_array_index (pes, KvmHelperEehPe, i);
      KvmHelperEehState state = kvmhelper_eeh_read (kernel, &pe->function);

      if (!state.recovering && !g_str_equal (state.name, KVMHELPER_EEH_FAILED)
          && !g_str_equal (state.name, KVMHELPER_EEH_UNAVAILABLE))
        continue;
      set_state_error (error, pe, &state);
      return FALSE;
    }
  return TRUE;
}

/* Lets the group's PE change hands in a container of our own: 0, or why VFIO does not. */
static int
change_owner (const KvmHelperKernel *kernel, int group)
{
  struct vfio_eeh_pe_op request = { .argsz = sizeof request, .op = VFIO_EEH_PE_ENABLE };
  gint32 container = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);
  int answer;

  if (container < 0)
    return container;
  answer = kvmhelper_kernel_ioctl (kernel, group, VFIO_GROUP_SET_CONTAINER, (gulong) &container);
  if (answer >= 0)
    {
      answer = kvmhelper_kernel_ioctl (kernel, container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU);
      if (answer >= 0)
        answer = kvmhelper_kernel_ioctl (kernel, container, VFIO_EEH_PE_OP, (gulong) &request);
      /* Else no driver of the host could take a function of the group. */
      kvmhelper_kernel_ioctl (kernel, group, VFIO_GROUP_UNSET_CONTAINER, 0);
    }
  kvmhelper_kernel_close (kernel, container);
  return answer;
}

static void
thaw_pe (const KvmHelperKernel *kernel, int group, const KvmHelperEehPe *pe)
{
  g_autofree char *path = kvmhelper_function_path (&pe->function, STATE_FILE);
  g_autofree char *pe_name = kvmhelper_eeh_pe_name (pe);
  g_autoptr (GError) error = NULL;
  char name[PCI_ADDRESS_LEN];

  common_log_lease (G_LOG_LEVEL_MESSAGE, pci_address_format (&pe->function, name), NULL, NULL,
                    "%s: the PE %s is frozen on the host's side; thawing it", name, pe_name);
  if (group >= 0 && change_owner (kernel, group) >= 0)
    return;
  /* Whether it helped the state tells, and not the answer. */
  if (!kvmhelper_kernel_write (kernel, KVMHELPER_SYS, path, "1", &error))
    common_log_lease (G_LOG_LEVEL_MESSAGE, name, NULL, NULL, "%s: the PE %s cannot be thawed: %s",
                      name, pe_name, error->message);
}

static gboolean
is_fine (const KvmHelperEehState *state)
{
  return g_str_equal (state->name, KVMHELPER_EEH_NORMAL)
         || g_str_equal (state->name, KVMHELPER_EEH_UNKNOWN);
}

/* Looks at all, and with @may_try thaws what is frozen. */
static gboolean
thaw (const KvmHelperKernel *kernel, int group, const GArray *pes, gboolean may_try,
      gboolean *tried, GError **error)
{
  *tried = FALSE;
  for (guint i = 0; i < pes->len; i++)
    {
      const KvmHelperEehPe *pe = &g_array_index (pes, KvmHelperEehPe, i);
      KvmHelperEehState state = kvmhelper_eeh_read (kernel, &pe->function);

      if (may_try && g_str_equal (state.name, KVMHELPER_EEH_FROZEN) && !state.recovering)
        {
          *tried = TRUE;
          thaw_pe (kernel, group, pe);
          state = kvmhelper_eeh_read (kernel, &pe->function);
        }
      if (is_fine (&state))
        continue;
      set_state_error (error, pe, &state);
      return FALSE;
    }
  return TRUE;
}

gboolean
kvmhelper_eeh_thaw (const KvmHelperKernel *kernel, int group, const GArray *pes, GError **error)
{
  gboolean tried;

  return thaw (kernel, group, pes, TRUE, &tried, error);
}

gboolean
kvmhelper_eeh_thaw_taken (const KvmHelperKernel *kernel, guint group, const KvmHelperLease *lease,
                          GError **error)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_lease (kernel, lease);
  KvmHelperObstacle obstacle;
  gboolean tried, done;
  int handle;

  /* Most often that is all. */
  if (thaw (kernel, -1, pes, FALSE, &tried, NULL))
    return TRUE;
  handle = kvmhelper_holder_seize (kernel, group, &obstacle);
  if (handle < 0 && obstacle.held)
    {
      g_autofree char *why = kvmhelper_obstacle_to_string (&obstacle, group);

      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE, why);
      return FALSE;
    }
  done = kvmhelper_eeh_thaw (kernel, handle, pes, error);
  if (handle >= 0)
    kvmhelper_kernel_close (kernel, handle);
  return done;
}

gboolean
kvmhelper_eeh_thaw_left (const KvmHelperKernel *kernel, int group, KvmHelperLease *lease,
                         GError **error)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_lease (kernel, lease);
  gboolean may_try = lease->thaws < KVMHELPER_EEH_TRIES;
  gboolean tried;

  if (thaw (kernel, group, pes, may_try, &tried, error))
    return TRUE;
  if (tried)
    lease->thaws++;
  /* It goes with what is left, so that a try more is news. */
  if (lease->thaws > 0)
    g_prefix_error (error, _ ("thawed in vain, %u of %u times: "), lease->thaws,
                    KVMHELPER_EEH_TRIES);
  return FALSE;
}
