/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "sim-host.h"

/**
 * A simulated host with KVM and one function, 0000:01:00.0 in group 0, and a process that has made
 * a VM: for tests of what KVM and VFIO do with each other. The other handles are what the test
 * opens; 0: not yet.
 */
#define SIM_KVM_HOST_XML(attributes)                                                               \
  "<simulated-host kernel='6.12' platform='powernv' " attributes ">"                               \
  "<phb domain='0'>"                                                                               \
  "<bridge address='0000:00:00.0' bus='1' vendor='0x1014' device='0x04c1' driver='pcieport'>"      \
  "<function address='" SIM_KVM_HOST_FUNCTION "' vendor='0x8086' device='0x1572'"                  \
  " class='0x020000' driver='vfio-pci' msi='1' msix='2048' bars='4' reset='pm bus' group='0'/>"    \
  "</bridge></phb></simulated-host>"

#define SIM_KVM_HOST_FUNCTION "0000:01:00.0"

/* Bytes of memory for the guest. */
#define SIM_KVM_HOST_MEMORY 0x100000

typedef struct
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;
  const KvmHelperKernel *kernel;
  int kvm;
  int vm; /* negative errno where there are none */
  int controller;
  int group, container; /* sim_kvm_host_open_group */
  int device, event;
  guint8 *memory; /* of the process */
} SimKvmHost;

void sim_kvm_host_start (SimKvmHost *host, const char *xml);

/** sim_kvm_host_stop: ends the process, whose handles all go, and the host. */
void sim_kvm_host_stop (SimKvmHost *host);

/** sim_kvm_host_open_group: group 0, with a container for it. */
void sim_kvm_host_open_group (SimKvmHost *host);

/** sim_kvm_host_ioctl: what the call answers. */
int sim_kvm_host_ioctl (const SimKvmHost *host, int handle, gulong request, const void *argument);

/** sim_kvm_host_create_device: KVM_CREATE_DEVICE: its handle, or negative errno. */
int sim_kvm_host_create_device (const SimKvmHost *host, int vm, guint type);

/** sim_kvm_host_set: KVM_SET_DEVICE_ATTR: what the call answers. */
int sim_kvm_host_set (const SimKvmHost *host, int device, guint group, guint64 attribute,
                      const void *value);
