/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-calls.h"

#include <stddef.h>

#include "kvmhelper/kvmhelper-abi.h"

#define FIELD(type, member)         CONFORMANCE_FIELD (type, member, NULL)
#define NAMED(type, member, prefix) CONFORMANCE_FIELD (type, member, prefix)

static const ConformanceField create_device[] = {
  NAMED (kvm_create_device, type, "KVM_DEV_TYPE_"),
  FIELD (kvm_create_device, fd),
  NAMED (kvm_create_device, flags, "KVM_CREATE_DEVICE_"),
  { NULL },
};

static const ConformanceField irqfd[] = {
  FIELD (kvm_irqfd, fd),
  FIELD (kvm_irqfd, gsi),
  NAMED (kvm_irqfd, flags, "KVM_IRQFD_FLAG_"),
  FIELD (kvm_irqfd, resamplefd),
  { NULL },
};

static const ConformanceField irq_level[] = {
  FIELD (kvm_irq_level, irq),
  FIELD (kvm_irq_level, level),
  { NULL },
};

static const ConformanceField enable_cap[] = {
  NAMED (kvm_enable_cap, cap, "KVM_CAP_"),
  FIELD (kvm_enable_cap, flags),
  FIELD (kvm_enable_cap, args[0]),
  FIELD (kvm_enable_cap, args[1]),
  FIELD (kvm_enable_cap, args[2]),
  FIELD (kvm_enable_cap, args[3]),
  { NULL },
};

static const ConformanceField memory_region[] = {
  FIELD (kvm_userspace_memory_region, slot),
  NAMED (kvm_userspace_memory_region, flags, "KVM_MEM_"),
  FIELD (kvm_userspace_memory_region, guest_phys_addr),
  FIELD (kvm_userspace_memory_region, memory_size),
  FIELD (kvm_userspace_memory_region, userspace_addr),
  { NULL },
};

static const ConformanceField mmuv3_cfg[] = {
  NAMED (kvm_ppc_mmuv3_cfg, flags, "KVM_PPC_MMUV3_"),
  FIELD (kvm_ppc_mmuv3_cfg, process_table),
  { NULL },
};

static const ConformanceField tce[] = {
  FIELD (kvm_create_spapr_tce, liobn),
  FIELD (kvm_create_spapr_tce, window_size),
  { NULL },
};

static const ConformanceField tce_64[] = {
  FIELD (kvm_create_spapr_tce_64, liobn), FIELD (kvm_create_spapr_tce_64, page_shift),
  FIELD (kvm_create_spapr_tce_64, flags), FIELD (kvm_create_spapr_tce_64, offset),
  FIELD (kvm_create_spapr_tce_64, size),  { NULL },
};

static const ConformanceField irq_routing[] = {
  FIELD (kvm_irq_routing, nr),
  FIELD (kvm_irq_routing, flags),
  { NULL },
};

/* 16 bytes for the value: the largest registers that are asked for have 128 bits. */
struct one_reg
{
  guint64 id;
  guint64 addr;
};

static const ConformanceField one_reg[] = {
  NAMED (one_reg, id, "KVM_REG_PPC_"),
  FIELD (one_reg, addr),
  { NULL },
};

#define NONE(name)                                                                                 \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_NONE                                                         \
  }
#define VALUE(name, handle)                                                                        \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_VALUE, .gives_handle = handle                                \
  }
#define STRUCT(name, type, fields, positional)                                                     \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_STRUCT, sizeof(struct type), fields, positional, FALSE       \
  }
#define ATTRIBUTE(name)                                                                            \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_ATTRIBUTE                                                    \
  }

const ConformanceCall conformance_kvm_calls[] = {
  NONE (KVM_GET_API_VERSION),
  NONE (KVM_GET_VCPU_MMAP_SIZE),
  VALUE (KVM_CHECK_EXTENSION, FALSE),
  VALUE (KVM_CREATE_VM, TRUE),
  VALUE (KVM_CREATE_VCPU, TRUE),
  { "KVM_CREATE_DEVICE", KVM_CREATE_DEVICE, CONFORMANCE_ARGUMENT_STRUCT,
    sizeof (struct kvm_create_device), create_device, "type",
    .handle_at = offsetof (struct kvm_create_device, fd) },
  ATTRIBUTE (KVM_SET_DEVICE_ATTR),
  ATTRIBUTE (KVM_GET_DEVICE_ATTR),
  ATTRIBUTE (KVM_HAS_DEVICE_ATTR),
  STRUCT (KVM_IRQFD, kvm_irqfd, irqfd, "fd gsi"),
  STRUCT (KVM_IRQ_LINE, kvm_irq_level, irq_level, "irq level"),
  STRUCT (KVM_SET_GSI_ROUTING, kvm_irq_routing, irq_routing, "nr"),
  STRUCT (KVM_ENABLE_CAP, kvm_enable_cap, enable_cap, "cap args[0] args[1] args[2] args[3]"),
  STRUCT (KVM_SET_USER_MEMORY_REGION, kvm_userspace_memory_region, memory_region, NULL),
  STRUCT (KVM_PPC_CONFIGURE_V3_MMU, kvm_ppc_mmuv3_cfg, mmuv3_cfg, NULL),
  { "KVM_CREATE_SPAPR_TCE", KVM_CREATE_SPAPR_TCE, CONFORMANCE_ARGUMENT_STRUCT,
    sizeof (struct kvm_create_spapr_tce), tce, .gives_handle = TRUE },
  { "KVM_CREATE_SPAPR_TCE_64", KVM_CREATE_SPAPR_TCE_64, CONFORMANCE_ARGUMENT_STRUCT,
    sizeof (struct kvm_create_spapr_tce_64), tce_64, .gives_handle = TRUE },
  { "KVM_GET_SREGS", KVM_GET_SREGS, CONFORMANCE_ARGUMENT_REGISTERS },
  { "KVM_SET_SREGS", KVM_SET_SREGS, CONFORMANCE_ARGUMENT_REGISTERS },
  STRUCT (KVM_GET_ONE_REG, one_reg, one_reg, "id addr"),
  STRUCT (KVM_SET_ONE_REG, one_reg, one_reg, "id addr"),
  NONE (KVM_RUN),
  { NULL },
};

const ConformanceCall *
conformance_call_find (const char *name)
{
  const ConformanceCall *const tables[] = { conformance_vfio_calls, conformance_kvm_calls };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const ConformanceCall *call = tables[i]; call->name != NULL; call++)
      if (g_str_equal (call->name, name))
        return call;
  return NULL;
}

static void
print_table (const ConformanceCall *call)
{
  static const char *const arguments[]
      = { "", " VALUE", " HANDLE", " TEXT", "", "", " GROUP ATTRIBUTE [VALUE…] [FIELD=VALUE…]" };

  for (; call->name != NULL; call++)
    {
      g_print ("%s HANDLE%s", call->name, arguments[call->argument]);
      if (call->positional != NULL)
        g_print (" [%s]", call->positional);
      for (const ConformanceField *field = call->fields; field != NULL && field->name != NULL;
           field++)
        g_print (" %s=", field->name);
      g_print (call->data_at != 0 ? " data=\n" : "\n");
    }
}

void
conformance_calls_print (void)
{
  print_table (conformance_vfio_calls);
  print_table (conformance_kvm_calls);
}
