/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * Where ppc64-kvmhelper is on the system bus. Its interface, which has the name of the service, is
 * data/org.libvirt.Ppc64.KvmHelper1.xml.
 */
#define COMMON_DBUS_KVMHELPER_NAME "org.libvirt.Ppc64.KvmHelper1"
#define COMMON_DBUS_KVMHELPER_PATH "/org/libvirt/Ppc64/KvmHelper1"

/**
 * Where a helper on a simulated host is: never on the system bus, and not under the name of one
 * that is real. It has the same object at the same path, and beside it what makes the host do
 * things: data/org.libvirt.Ppc64.Simulation1.xml.
 */
#define COMMON_DBUS_SIMULATION_NAME "org.libvirt.Ppc64.Simulation1"
#define COMMON_DBUS_SIMULATION_PATH "/org/libvirt/Ppc64/Simulation1"
