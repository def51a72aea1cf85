/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-kvm-host.h"

#include <fcntl.h>

#include "kvmhelper/kvmhelper-abi.h"

void
sim_kvm_host_start (SimKvmHost *host, const char *xml)
{
  *host = (SimKvmHost){ .sim = sim_host_new (xml) };
  host->process = sim_host_start (host->sim, 0);
  host->kernel = kvmhelper_sim_process_kernel (host->process);
  host->kvm = kvmhelper_kernel_open (host->kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  g_assert_cmpint (host->kvm, >=, 0);
  host->vm = sim_kvm_host_ioctl (host, host->kvm, KVM_CREATE_VM, NULL);
  host->memory = g_aligned_alloc0 (1, SIM_KVM_HOST_MEMORY, 0x10000);
}

void
sim_kvm_host_stop (SimKvmHost *host)
{
  kvmhelper_sim_process_exit (host->process);
  g_assert_cmpuint (kvmhelper_sim_handles (host->sim), ==, 0);
  kvmhelper_sim_free (host->sim);
  g_aligned_free (host->memory);
}

void
sim_kvm_host_open_group (SimKvmHost *host)
{
  sim_host_open_group (host->kernel, 0, VFIO_SPAPR_TCE_v2_IOMMU, &host->group, &host->container);
}

int
sim_kvm_host_ioctl (const SimKvmHost *host, int handle, gulong request, const void *argument)
{
  return kvmhelper_kernel_ioctl (host->kernel, handle, request, (gulong) argument);
}

int
sim_kvm_host_create_device (const SimKvmHost *host, int vm, guint type)
{
  struct kvm_create_device request = { .type = type };
  int answer = sim_kvm_host_ioctl (host, vm, KVM_CREATE_DEVICE, &request);

  return answer < 0 ? answer : (int) request.fd;
}

int
sim_kvm_host_set (const SimKvmHost *host, int device, guint group, guint64 attribute,
                  const void *value)
{
  const struct kvm_device_attr request
      = { .group = group, .attr = attribute, .addr = (guint64) (gulong) value };

  return sim_kvm_host_ioctl (host, device, KVM_SET_DEVICE_ATTR, &request);
}
