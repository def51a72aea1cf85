/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-calls.h"

#include <stddef.h>

#include "kvmhelper/kvmhelper-abi.h"

/* What the attributes of KVM's devices carry (Documentation/virt/kvm/devices: xive.rst, xics.rst,
 * vfio.rst). */
static const ConformanceField u32[] = {
  { "value", 0, 4 },
  { NULL },
};

static const ConformanceField fd[] = {
  { "fd", 0, 4 },
  { NULL },
};

static const ConformanceField spapr_tce[] = {
  CONFORMANCE_FIELD (kvm_vfio_spapr_tce, groupfd, NULL),
  CONFORMANCE_FIELD (kvm_vfio_spapr_tce, tablefd, NULL),
  { NULL },
};

static const ConformanceField xive_source[] = {
  { "value", 0, 8, 0, 0, "KVM_XIVE_" },
  { NULL },
};

static const ConformanceField xive_source_config[] = {
  { "value", 0, 8 },
  { "priority", 0, 8, KVM_XIVE_SOURCE_PRIORITY_SHIFT, 3 },
  { "server", 0, 8, KVM_XIVE_SOURCE_SERVER_SHIFT, 29 },
  { "masked", 0, 8, KVM_XIVE_SOURCE_MASKED_SHIFT, 1 },
  { "eisn", 0, 8, KVM_XIVE_SOURCE_EISN_SHIFT, 31 },
  { NULL },
};

static const ConformanceField xive_eq[] = {
  CONFORMANCE_FIELD (kvm_ppc_xive_eq, flags, "KVM_XIVE_EQ_"),
  CONFORMANCE_FIELD (kvm_ppc_xive_eq, qshift, NULL),
  CONFORMANCE_FIELD (kvm_ppc_xive_eq, qaddr, NULL),
  CONFORMANCE_FIELD (kvm_ppc_xive_eq, qtoggle, NULL),
  CONFORMANCE_FIELD (kvm_ppc_xive_eq, qindex, NULL),
  { NULL },
};

static const ConformanceField xics_source[] = {
  { "value", 0, 8, 0, 0, "KVM_XICS_" },
  { "destination", 0, 8, KVM_XICS_DESTINATION_SHIFT, 32 },
  { "priority", 0, 8, KVM_XICS_PRIORITY_SHIFT, 8 },
  { "flags", 0, 8, 40, 24 },
  { NULL },
};

#define PAYLOAD(size, fields, positional)                                                          \
  {                                                                                                \
    NULL, 0, CONFORMANCE_ARGUMENT_STRUCT, size, fields, positional                                 \
  }
#define NAMED(group, attribute, payload)                                                           \
  {                                                                                                \
#group, #attribute, group, attribute, payload                                                  \
  }
#define NUMBERED(group, payload)                                                                   \
  {                                                                                                \
#group, NULL, group, 0, payload                                                                \
  }
#define NOTHING PAYLOAD (0, NULL, NULL)
#define HANDLE  PAYLOAD (4, fd, "fd")
#define U32     PAYLOAD (4, u32, "value")

static const ConformanceAttribute attributes[] = {
  NAMED (KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, HANDLE),
  NAMED (KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, HANDLE),
  NAMED (KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE,
         PAYLOAD (sizeof (struct kvm_vfio_spapr_tce), spapr_tce, "groupfd tablefd")),

  NAMED (KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_RESET, NOTHING),
  NAMED (KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_EQ_SYNC, NOTHING),
  NAMED (KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_NR_SERVERS, U32),
  NUMBERED (KVM_DEV_XIVE_GRP_SOURCE, PAYLOAD (8, xive_source, "value")),
  NUMBERED (KVM_DEV_XIVE_GRP_SOURCE_CONFIG, PAYLOAD (8, xive_source_config, "value")),
  NUMBERED (KVM_DEV_XIVE_GRP_EQ_CONFIG,
            PAYLOAD (sizeof (struct kvm_ppc_xive_eq), xive_eq, "flags")),
  NUMBERED (KVM_DEV_XIVE_GRP_SOURCE_SYNC, NOTHING),

  NUMBERED (KVM_DEV_XICS_GRP_SOURCES, PAYLOAD (8, xics_source, "value")),
  NAMED (KVM_DEV_XICS_GRP_CTRL, KVM_DEV_XICS_NR_SERVERS, U32),
};

const ConformanceAttribute *
conformance_attribute_find (const char *group, const char *attribute)
{
  for (guint i = 0; i < G_N_ELEMENTS (attributes); i++)
    if (g_str_equal (attributes[i].group, group)
        && (attributes[i].attribute == NULL || g_str_equal (attributes[i].attribute, attribute)))
      return &attributes[i];
  return NULL;
}
