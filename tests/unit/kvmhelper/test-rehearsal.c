/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal.h"

#include <errno.h>
#include <fcntl.h>

#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-abi.h"

#define ADDRESS "0003:01:00.0"

/* A KVM and a VFIO that know no more than the order of things. */
typedef struct
{
  KvmHelperDouble *host;
  gulong fail_request; /* this one is refused, with that */
  guint fail_capability;
  int fail_errno;
  int xive, eeh; /* what they say of these extensions */
  guint msix, msi;
  guint page_shift; /* of the smallest page that a window can have */
  gboolean window, added;
  gboolean accepts_unknown; /* a kernel that attaches what it was not given */
  gboolean bypasses;
  int vm, kvm_vfio;
} Machine;

static int
new_handle (Machine *machine)
{
  return kvmhelper_kernel_open (&machine->host->kernel, KVMHELPER_DEV, "kvm", O_RDWR);
}

static int
set_attribute (Machine *machine, int handle, const struct kvm_device_attr *request)
{
  if (handle != machine->kvm_vfio)
    return 0;
  g_assert_cmpuint (request->group, ==, KVM_DEV_VFIO_FILE);
  switch (request->attr)
    {
    case KVM_DEV_VFIO_FILE_ADD:
      machine->added = TRUE;
      return 0;
    case KVM_DEV_VFIO_FILE_DEL:
      return machine->added ? 0 : -ENOENT;
    default:
      if (!machine->added && !machine->accepts_unknown)
        return -ENOENT;
      return machine->window || machine->accepts_unknown ? 0 : -EINVAL;
    }
}

static int
create_device (Machine *machine, struct kvm_create_device *request)
{
  request->fd = (guint) new_handle (machine);
  if (request->type == KVM_DEV_TYPE_VFIO)
    machine->kvm_vfio = (int) request->fd;
  return 0;
}

static void
write_table (Machine *machine)
{
  g_autofree char *path
      = g_strdup_printf ("sys/kernel/debug/kvm/%u-%d/xive", machine->host->kernel.pid, machine->vm);

  kvmhelper_double_file (machine->host, path,
                         machine->bypasses
                             ? "00001300  000fe000/00  MSI  PT  --  00000016      0/6\n"
                             : "00001300  00000014/00  MSI IPI  --  00000016      0/6\n");
}

static int
check_extension (const Machine *machine, gulong capability)
{
  return capability == KVM_CAP_PPC_IRQ_XIVE ? machine->xive : 1;
}

static int
answer (gpointer data, int handle, gulong request, gulong argument)
{
  Machine *machine = data;

  if (request == machine->fail_request
      && (request != KVM_ENABLE_CAP
          || ((struct kvm_enable_cap *) argument)->cap == machine->fail_capability))
    return -machine->fail_errno;
  switch (request)
    {
    case KVM_CREATE_VM:
      machine->vm = new_handle (machine);
      return machine->vm;
    case KVM_CHECK_EXTENSION:
      return check_extension (machine, argument);
    case VFIO_CHECK_EXTENSION:
      return argument == VFIO_EEH ? machine->eeh : 1;
    case KVM_CREATE_DEVICE:
      return create_device (machine, (struct kvm_create_device *) argument);
    case KVM_CREATE_VCPU:
    case KVM_CREATE_SPAPR_TCE_64:
    case VFIO_GROUP_GET_DEVICE_FD:
      return new_handle (machine);
    case KVM_SET_DEVICE_ATTR:
      return set_attribute (machine, handle, (struct kvm_device_attr *) argument);
    case VFIO_GROUP_GET_STATUS:
      ((struct vfio_group_status *) argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
      return 0;
    case VFIO_IOMMU_SPAPR_TCE_GET_INFO:
      ((struct vfio_iommu_spapr_tce_info *) argument)->dma32_window_size = 0x80000000;
      ((struct vfio_iommu_spapr_tce_info *) argument)->ddw.pgsizes = 0x40211ULL
                                                                     << machine->page_shift;
      return 0;
    case VFIO_IOMMU_SPAPR_TCE_CREATE:
      g_assert_cmpuint (((struct vfio_iommu_spapr_tce_create *) argument)->page_shift, ==,
                        machine->page_shift);
      machine->window = TRUE;
      return 0;
    case VFIO_DEVICE_GET_IRQ_INFO:
      ((struct vfio_irq_info *) argument)->count
          = ((struct vfio_irq_info *) argument)->index == VFIO_PCI_MSIX_IRQ_INDEX ? machine->msix
                                                                                  : machine->msi;
      return 0;
    case KVM_IRQFD:
      write_table (machine);
      return 0;
    default:
      return 0;
    }
}

typedef struct
{
  Machine machine;
  GPtrArray *steps;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, ADDRESS, 3, "vfio-pci", 0);
  kvmhelper_double_file (host, "dev/kvm", "");
  fixture->machine = (Machine){ .host = host,
                                .xive = 1,
                                .eeh = 1,
                                .msix = 5,
                                .msi = 1,
                                .page_shift = 12,
                                .kvm_vfio = -1,
                                .bypasses = TRUE };
  host->ioctl = answer;
  host->ioctl_data = &fixture->machine;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->steps, g_ptr_array_unref);
  kvmhelper_double_free (fixture->machine.host);
}

static void
ignore_step (const KvmHelperStep *step, gpointer data)
{
}

static void
rehearse (Fixture *fixture)
{
  KvmHelperDouble *host = fixture->machine.host;
  PciAddress address;

  g_assert_true (pci_address_parse (ADDRESS, &address, NULL));
  fixture->machine.added = fixture->machine.window = FALSE;
  fixture->steps
      = kvmhelper_rehearsal_here (&host->kernel, 3, &address, ignore_step, NULL, NULL, NULL);
  for (guint i = 0; i < fixture->steps->len; i++)
    {
      const KvmHelperStep *step = fixture->steps->pdata[i];

      g_test_message ("%s: %d %s %s", step->name, step->result, kvmhelper_errno_name (step->errnum),
                      step->detail);
    }
  /* whatever happened, all is closed; the eventfd is not of the double's counting */
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
}

static const KvmHelperStep *
get_step (Fixture *fixture, const char *name)
{
  for (guint i = 0; i < fixture->steps->len; i++)
    {
      const KvmHelperStep *step = fixture->steps->pdata[i];

      if (g_str_equal (step->name, name))
        return step;
    }
  g_error ("no step %s", name);
}

static void
assert_results (Fixture *fixture, const char *names, KvmHelperStepResult result)
{
  g_auto (GStrv) list = g_strsplit (names, " ", -1);

  for (guint i = 0; list[i] != NULL; i++)
    {
      g_test_message ("%s", list[i]);
      g_assert_cmpint (get_step (fixture, list[i])->result, ==, result);
    }
}

static void
test_passes (Fixture *fixture, gconstpointer data)
{
  rehearse (fixture);
  g_assert_true (kvmhelper_steps_passed (fixture->steps));
  for (guint i = 0; i < fixture->steps->len; i++)
    assert_results (fixture, ((KvmHelperStep *) fixture->steps->pdata[i])->name, KVMHELPER_STEP_OK);
  g_assert_cmpint (get_step (fixture, "attach-unknown")->errnum, ==, ENOENT);
  g_assert_cmpint (get_step (fixture, "attach-no-window")->errnum, ==, EINVAL);
  g_assert_nonnull (strstr (get_step (fixture, "bypass")->detail, "000fe000"));
  g_assert_cmpstr (get_step (fixture, "vector")->detail, ==, "MSI-X");
}

/* As under PowerVM: no native XIVE, no EEH; the rest is made, and nothing failed. */
static void
test_partition (Fixture *fixture, gconstpointer data)
{
  fixture->machine.xive = 0;
  fixture->machine.eeh = 0;
  rehearse (fixture);
  g_assert_true (kvmhelper_steps_passed (fixture->steps));
  assert_results (fixture,
                  "xive xive-servers vcpu-xive xive-source xive-esb irqfd bypass eeh-enable "
                  "eeh-state undo-irqfd",
                  KVMHELPER_STEP_SKIPPED);
  assert_results (fixture, "vm vcpu attach device vector group-free", KVMHELPER_STEP_OK);
  g_assert_nonnull (strstr (get_step (fixture, "bypass")->detail, "KVM_CAP_PPC_IRQ_XIVE"));
  g_assert_nonnull (strstr (get_step (fixture, "eeh-state")->detail, "VFIO_EEH"));
}

static void
test_window_refused (Fixture *fixture, gconstpointer data)
{
  fixture->machine.fail_request = VFIO_IOMMU_SPAPR_TCE_CREATE;
  fixture->machine.fail_errno = ENOMEM;
  rehearse (fixture);
  g_assert_false (kvmhelper_steps_passed (fixture->steps));
  assert_results (fixture, "window", KVMHELPER_STEP_FAILED);
  g_assert_cmpint (get_step (fixture, "window")->errnum, ==, ENOMEM);
  g_assert_cmpstr (get_step (fixture, "window")->meaning, !=, "");
  assert_results (fixture, "attach undo-window", KVMHELPER_STEP_SKIPPED);
  g_assert_nonnull (
      strstr (get_step (fixture, "attach")->detail, get_step (fixture, "window")->title));
  assert_results (fixture, "device bypass undo-container group-free", KVMHELPER_STEP_OK);
}

/* A kernel that says yes to what it must refuse has its yes not believed. */
static void
test_controls (Fixture *fixture, gconstpointer data)
{
  fixture->machine.accepts_unknown = TRUE;
  rehearse (fixture);
  assert_results (fixture, "attach-unknown attach-no-window", KVMHELPER_STEP_FAILED);
  g_assert_cmpstr (get_step (fixture, "attach-unknown")->meaning, !=, "");
}

static void
test_no_bypass (Fixture *fixture, gconstpointer data)
{
  fixture->machine.bypasses = FALSE;
  rehearse (fixture);
  assert_results (fixture, "bypass", KVMHELPER_STEP_FAILED);
  g_clear_pointer (&fixture->steps, g_ptr_array_unref);
  kvmhelper_double_file (fixture->machine.host, "sys/module/kvm_hv/parameters/kvm_irq_bypass",
                         "0\n");
  rehearse (fixture);
  assert_results (fixture, "bypass", KVMHELPER_STEP_SKIPPED);
}

static void
test_interrupts (Fixture *fixture, gconstpointer data)
{
  fixture->machine.msix = 0;
  rehearse (fixture);
  g_assert_cmpstr (get_step (fixture, "vector")->detail, ==, "MSI");
  g_clear_pointer (&fixture->steps, g_ptr_array_unref);
  fixture->machine.msi = 0;
  rehearse (fixture);
  g_assert_true (kvmhelper_steps_passed (fixture->steps));
  assert_results (fixture, "vectors vector irqfd bypass", KVMHELPER_STEP_SKIPPED);
}

/* With 4 KiB pages the first touch of a source's page would end the process; all else is as ever.
 */
static void
test_small_pages (Fixture *fixture, gconstpointer data)
{
  fixture->machine.host->kernel.page_size = 4096;
  rehearse (fixture);
  g_assert_true (kvmhelper_steps_passed (fixture->steps));
  g_assert_nonnull (strstr (get_step (fixture, "xive")->detail, "4096"));
  assert_results (fixture, "xive xive-servers xive-source xive-esb bypass", KVMHELPER_STEP_SKIPPED);
  assert_results (fixture, "window attach vector", KVMHELPER_STEP_OK);
}

/* A window's start and size have fewer bits than such a page. */
static void
test_huge_pages (Fixture *fixture, gconstpointer data)
{
  fixture->machine.page_shift = 40;
  rehearse (fixture);
  assert_results (fixture, "window-info tce-table window", KVMHELPER_STEP_OK);
}

static void
test_busy_group (Fixture *fixture, gconstpointer data)
{
  kvmhelper_double_hold_in_kernel (fixture->machine.host, 3, TRUE);
  rehearse (fixture);
  assert_results (fixture, "group", KVMHELPER_STEP_FAILED);
  g_assert_cmpint (get_step (fixture, "group")->errnum, ==, EBUSY);
  g_assert_cmpstr (get_step (fixture, "group")->meaning, !=, "");
  assert_results (fixture, "set-container window attach device vector group-free",
                  KVMHELPER_STEP_SKIPPED);
}

/* Every call is refused once: nothing stays open, what follows is skipped with a reason, and a step
 * failed. */
static void
test_each_refusal (Fixture *fixture, gconstpointer data)
{
  static const gulong requests[] = {
    KVM_CREATE_VM,
    KVM_CREATE_DEVICE,
    KVM_CREATE_VCPU,
    KVM_SET_DEVICE_ATTR,
    KVM_SET_SREGS,
    KVM_ENABLE_CAP,
    KVM_CREATE_SPAPR_TCE_64,
    KVM_IRQFD,
    VFIO_GROUP_GET_STATUS,
    VFIO_GROUP_SET_CONTAINER,
    VFIO_SET_IOMMU,
    VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
    VFIO_IOMMU_SPAPR_TCE_GET_INFO,
    VFIO_IOMMU_SPAPR_TCE_REMOVE,
    VFIO_GROUP_GET_DEVICE_FD,
    VFIO_DEVICE_GET_IRQ_INFO,
    VFIO_DEVICE_SET_IRQS,
    VFIO_EEH_PE_OP,
  };

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      fixture->machine.fail_request = requests[i];
      fixture->machine.fail_capability = KVM_CAP_PPC_IRQ_XIVE;
      fixture->machine.fail_errno = EPERM;
      rehearse (fixture);
      g_assert_false (kvmhelper_steps_passed (fixture->steps));
      for (guint j = 0; j < fixture->steps->len; j++)
        {
          const KvmHelperStep *step = fixture->steps->pdata[j];

          if (step->result == KVMHELPER_STEP_SKIPPED)
            g_assert_cmpstr (step->detail, !=, "");
        }
      g_clear_pointer (&fixture->steps, g_ptr_array_unref);
    }
}

static void
test_steps (void)
{
  KvmHelperStep step = {
    .name = (char *) "attach",
    .title = (char *) "Attach\nit",
    .result = KVMHELPER_STEP_FAILED,
    .errnum = EINVAL,
    .meaning = (char *) "no window",
    .detail = (char *) "",
    .usec = 12345678901,
  };
  g_autoptr (GVariant) variant = g_variant_ref_sink (kvmhelper_step_to_variant (&step));
  g_autoptr (KvmHelperStep) read = kvmhelper_step_from_variant (variant);
  g_autoptr (GVariant) empty = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  const char *name;

  g_assert_cmpstr (read->title, ==, "Attach\nit");
  g_assert_cmpint (read->result, ==, KVMHELPER_STEP_FAILED);
  g_assert_cmpint (read->errnum, ==, EINVAL);
  g_assert_true (read->usec == 12345678901);
  g_assert_true (g_variant_lookup (variant, "errno-name", "&s", &name));
  g_assert_cmpstr (name, ==, "EINVAL");
  g_assert_false (g_variant_lookup (variant, "detail", "&s", &name));
  g_assert_null (kvmhelper_step_from_variant (empty));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/rehearsal/passes", test_passes },
    { "/kvmhelper/rehearsal/partition", test_partition },
    { "/kvmhelper/rehearsal/window-refused", test_window_refused },
    { "/kvmhelper/rehearsal/controls", test_controls },
    { "/kvmhelper/rehearsal/no-bypass", test_no_bypass },
    { "/kvmhelper/rehearsal/interrupts", test_interrupts },
    { "/kvmhelper/rehearsal/small-pages", test_small_pages },
    { "/kvmhelper/rehearsal/huge-pages", test_huge_pages },
    { "/kvmhelper/rehearsal/busy-group", test_busy_group },
    { "/kvmhelper/rehearsal/each-refusal", test_each_refusal },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  g_test_add_func ("/kvmhelper/rehearsal/steps", test_steps);
  return g_test_run ();
}
