/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * Where ppc64-kvmhelper is on the system bus. Its interface, which has the name of the service, is
 * data/org.libvirt.Ppc64.KvmHelper1.xml.
 */
#define COMMON_DBUS_KVMHELPER_NAME "org.libvirt.Ppc64.KvmHelper1"
#define COMMON_DBUS_KVMHELPER_PATH "/org/libvirt/Ppc64/KvmHelper1"
