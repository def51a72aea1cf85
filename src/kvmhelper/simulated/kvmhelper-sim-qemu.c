/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

#include <glib/gi18n-lib.h>

/* What QEMU says stands here as QEMU says it, in English. */

#define LINGER (6 * G_TIME_SPAN_SECOND)

int
kvmhelper_sim_qemu_ioctl (KvmHelperSimQemu *qemu, int handle, gulong request, const void *argument)
{
  return kvmhelper_kernel_ioctl (qemu->kernel, handle, request, (gulong) argument);
}

int
kvmhelper_sim_qemu_attribute (KvmHelperSimQemu *qemu, int handle, guint group, guint64 attribute,
                              const void *value)
{
  const struct kvm_device_attr request
      = { .group = group, .attr = attribute, .addr = (guint64) (gulong) value };

  return kvmhelper_sim_qemu_ioctl (qemu, handle, KVM_SET_DEVICE_ATTR, &request);
}

void
kvmhelper_sim_qemu_fail (GError **error, const char *call, int answer, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (call == NULL)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, text);
  else
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, "%s (%s: %s)", text, call,
                 g_strerror (-answer));
}

void
kvmhelper_sim_qemu_warn (KvmHelperSimQemu *qemu, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_string_append_vprintf (qemu->log, format, arguments);
  va_end (arguments);
  g_string_append_c (qemu->log, '\n');
}

void
kvmhelper_sim_qemu_close (KvmHelperSimQemu *qemu, int *handle)
{
  if (*handle >= 0)
    kvmhelper_kernel_close (qemu->kernel, *handle);
  *handle = -1;
}

QemuDevice *
kvmhelper_sim_qemu_find (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  for (guint i = 0; i < qemu->devices->len; i++)
    {
      QemuDevice *device = qemu->devices->pdata[i];

      if (pci_address_equal (&device->address, address))
        return device;
    }
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN, _ ("%s has no function %s"),
               qemu->name, pci_address_format (address, name));
  return NULL;
}

/* kvm_init (accel/kvm/kvm-all.c). */
static gboolean
make_vm (KvmHelperSimQemu *qemu, GError **error)
{
  qemu->kvm = kvmhelper_kernel_open (qemu->kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  if (qemu->kvm < 0)
    {
      kvmhelper_sim_qemu_fail (error, "open", qemu->kvm, "Could not access KVM kernel module: %s",
                               g_strerror (-qemu->kvm));
      return FALSE;
    }
  qemu->vm = kvmhelper_kernel_ioctl (qemu->kernel, qemu->kvm, KVM_CREATE_VM, 0);
  if (qemu->vm < 0)
    {
      kvmhelper_sim_qemu_fail (error, "KVM_CREATE_VM", qemu->vm, "ioctl(KVM_CREATE_VM) failed: %s",
                               g_strerror (-qemu->vm));
      return FALSE;
    }
  return TRUE;
}

/* The guest's RAM: address space alone, that costs nothing until it is touched. */
static gboolean
make_memory (KvmHelperSimQemu *qemu, GError **error)
{
  struct kvm_userspace_memory_region region = { .memory_size = qemu->memory_size };
  gsize page = qemu->kernel->page_size;
  guint8 *start;
  int answer;

  start = mmap (NULL, qemu->memory_size + page, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED)
    {
      kvmhelper_sim_qemu_fail (error, "mmap", -errno, "cannot set up guest memory 'ppc_spapr.ram'");
      return FALSE;
    }
  qemu->memory = start;
  region.userspace_addr = ((guint64) (gulong) start + page - 1) / page * page;
  answer = kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_SET_USER_MEMORY_REGION, &region);
  if (answer < 0)
    kvmhelper_sim_qemu_fail (error, "KVM_SET_USER_MEMORY_REGION", answer,
                             "kvm_set_phys_mem: error registering slot");
  return answer >= 0;
}

static gboolean
make_vcpu (KvmHelperSimQemu *qemu, guint id, GError **error)
{
  struct kvm_sregs registers = { 0 };
  const struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
  int handle = kvmhelper_kernel_ioctl (qemu->kernel, qemu->vm, KVM_CREATE_VCPU, id);

  if (handle < 0)
    {
      kvmhelper_sim_qemu_fail (error, "KVM_CREATE_VCPU", handle,
                               "kvm_init_vcpu: kvm_create_vcpu failed (%u): %s", id,
                               g_strerror (-handle));
      return FALSE;
    }
  g_array_append_val (qemu->vcpu_handles, handle);
  /* The kernel takes a vCPU for whole when it knows its processor and that it is a PAPR one. */
  kvmhelper_sim_qemu_ioctl (qemu, handle, KVM_GET_SREGS, &registers);
  kvmhelper_sim_qemu_ioctl (qemu, handle, KVM_SET_SREGS, &registers);
  kvmhelper_sim_qemu_ioctl (qemu, handle, KVM_ENABLE_CAP, &papr);
  return TRUE;
}

/* kvmppc_spapr_enable_inkernel_multitce: the hypercalls that fill TCEs by the page. */
static void
enable_hypercalls (KvmHelperSimQemu *qemu)
{
  static const guint hypercalls[] = { 0x13c, 0x138 };

  for (guint i = 0; i < G_N_ELEMENTS (hypercalls); i++)
    {
      const struct kvm_enable_cap request
          = { .cap = KVM_CAP_PPC_ENABLE_HCALL, .args = { hypercalls[i], 1 } };

      kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_ENABLE_CAP, &request);
    }
}

static gboolean
start (KvmHelperSimQemu *qemu, KvmHelperSimIcMode mode, GError **error)
{
  if (!make_vm (qemu, error) || !make_memory (qemu, error))
    return FALSE;
  for (guint i = 0; i < qemu->vcpus; i++)
    if (!make_vcpu (qemu, i, error))
      return FALSE;
  enable_hypercalls (qemu);
  kvmhelper_sim_qemu_make_irqchip (qemu, mode);
  kvmhelper_sim_qemu_phb_new (qemu);
  return TRUE;
}

KvmHelperSimQemu *
kvmhelper_sim_qemu_new (KvmHelperSim *sim, const KvmHelperSimQemuConfig *config, GError **error)
{
  const char *const arguments[] = { "-name", config->name, "-machine", "pseries-10.0", NULL };
  const KvmHelperSimProcessConfig process = { .command = "qemu-system-ppc64",
                                              .arguments = arguments,
                                              .uid = config->uid,
                                              .ipc_lock = config->ipc_lock,
                                              .memlock = config->memlock };
  KvmHelperSimQemu *qemu = g_new0 (KvmHelperSimQemu, 1);

  qemu->sim = sim;
  qemu->process = kvmhelper_sim_process_new (sim, &process);
  qemu->base = kvmhelper_sim_process_kernel (qemu->process);
  if (config->faults != NULL)
    qemu->base = qemu->faulty = kvmhelper_faults_wrap (config->faults, qemu->base);
  kvmhelper_sim_qemu_make_mortal (qemu);
  qemu->pid = qemu->kernel->pid;
  qemu->name = g_strdup (config->name);
  qemu->uuid = g_strdup (config->uuid);
  qemu->uid = config->uid;
  qemu->session = config->session;
  qemu->vcpus = MAX (config->vcpus, 1);
  qemu->one_phb = config->one_phb;
  qemu->linger = LINGER;
  qemu->log = g_string_new (NULL);
  qemu->memory_size = config->memory;
  qemu->kvm = qemu->vm = qemu->kvm_vfio = qemu->irqchip = -1;
  qemu->vcpu_handles = g_array_new (FALSE, FALSE, sizeof (int));
  qemu->phbs = g_ptr_array_new_with_free_func (kvmhelper_sim_qemu_phb_free);
  qemu->devices = g_ptr_array_new_with_free_func (kvmhelper_sim_qemu_device_free);
  qemu->lingering = g_ptr_array_new_with_free_func (g_free);
  /* Its user is in the group "kvm", to which udev gives the node; of groups the host has none. */
  if (qemu->uid != 0)
    kvmhelper_sim_chown (sim, KVMHELPER_DEV, "kvm", qemu->uid);
  if (!start (qemu, config->ic_mode, error))
    {
      kvmhelper_sim_qemu_free (qemu);
      return NULL;
    }
  return qemu;
}

void
kvmhelper_sim_qemu_crash (KvmHelperSimQemu *qemu)
{
  gsize page;

  if (qemu->process == NULL)
    return;
  page = qemu->kernel->page_size;
  kvmhelper_sim_qemu_forget (qemu);
  kvmhelper_sim_process_exit (qemu->process);
  g_clear_pointer (&qemu->faulty, kvmhelper_faults_unwrap);
  qemu->process = NULL;
  g_ptr_array_set_size (qemu->devices, 0);
  g_ptr_array_set_size (qemu->phbs, 0);
  if (qemu->memory != NULL)
    munmap (qemu->memory, qemu->memory_size + page);
  qemu->memory = NULL;
}

void
kvmhelper_sim_qemu_kill_at (KvmHelperSimQemu *qemu, guint call)
{
  qemu->calls_left = call;
}

void
kvmhelper_sim_qemu_free (KvmHelperSimQemu *qemu)
{
  if (qemu->process != NULL)
    {
      while (qemu->devices->len > 0)
        kvmhelper_sim_qemu_release (qemu, qemu->devices->pdata[0], 0);
      kvmhelper_sim_qemu_unmap_irqchip (qemu);
      kvmhelper_sim_qemu_crash (qemu);
    }
  g_ptr_array_unref (qemu->lingering);
  g_ptr_array_unref (qemu->devices);
  g_ptr_array_unref (qemu->phbs);
  g_array_unref (qemu->vcpu_handles);
  g_string_free (qemu->log, TRUE);
  g_free (qemu->name);
  g_free (qemu->uuid);
  g_free (qemu);
}

guint
kvmhelper_sim_qemu_pid (const KvmHelperSimQemu *qemu)
{
  return qemu->pid;
}

const char *
kvmhelper_sim_qemu_name (const KvmHelperSimQemu *qemu)
{
  return qemu->name;
}

const char *
kvmhelper_sim_qemu_uuid (const KvmHelperSimQemu *qemu)
{
  return qemu->uuid;
}

const char *
kvmhelper_sim_qemu_log (const KvmHelperSimQemu *qemu)
{
  return qemu->log->str;
}

KvmHelperSimProcess *
kvmhelper_sim_qemu_process (const KvmHelperSimQemu *qemu)
{
  return qemu->process;
}

void
kvmhelper_sim_qemu_set_linger (KvmHelperSimQemu *qemu, gint64 usec)
{
  qemu->linger = usec;
}
