/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-calls.h"

#include <stddef.h>

#include "kvmhelper/kvmhelper-abi.h"

#define FIELD(type, member)         CONFORMANCE_FIELD (type, member, NULL)
#define NAMED(type, member, prefix) CONFORMANCE_FIELD (type, member, prefix)

static const ConformanceField group_status[] = {
  FIELD (vfio_group_status, argsz),
  NAMED (vfio_group_status, flags, "VFIO_GROUP_FLAGS_"),
  { NULL },
};

static const ConformanceField device_info[] = {
  FIELD (vfio_device_info, argsz),
  NAMED (vfio_device_info, flags, "VFIO_DEVICE_FLAGS_"),
  FIELD (vfio_device_info, num_regions),
  FIELD (vfio_device_info, num_irqs),
  { NULL },
};

#define INDEX(type, what)                                                                          \
  {                                                                                                \
    "index", offsetof (struct type, index), 4, 0, 0, "VFIO_PCI_", what                             \
  }

static const ConformanceField feature[] = {
  FIELD (vfio_device_feature, argsz),
  NAMED (vfio_device_feature, flags, "VFIO_DEVICE_FEATURE_"),
  { NULL },
};

static const ConformanceField region_info[] = {
  FIELD (vfio_region_info, argsz),
  NAMED (vfio_region_info, flags, "VFIO_REGION_INFO_FLAG_"),
  INDEX (vfio_region_info, "_REGION_INDEX"),
  FIELD (vfio_region_info, cap_offset),
  FIELD (vfio_region_info, size),
  FIELD (vfio_region_info, offset),
  { NULL },
};

static const ConformanceField irq_info[] = {
  FIELD (vfio_irq_info, argsz),
  NAMED (vfio_irq_info, flags, "VFIO_IRQ_INFO_"),
  INDEX (vfio_irq_info, "_IRQ_INDEX"),
  FIELD (vfio_irq_info, count),
  { NULL },
};

static const ConformanceField irq_set[] = {
  FIELD (vfio_irq_set, argsz),        NAMED (vfio_irq_set, flags, "VFIO_IRQ_SET_"),
  INDEX (vfio_irq_set, "_IRQ_INDEX"), FIELD (vfio_irq_set, start),
  FIELD (vfio_irq_set, count),        { NULL },
};

static const ConformanceField hot_reset_info[] = {
  FIELD (vfio_pci_hot_reset_info, argsz),
  FIELD (vfio_pci_hot_reset_info, flags),
  FIELD (vfio_pci_hot_reset_info, count),
  { NULL },
};

static const ConformanceField hot_reset[] = {
  FIELD (vfio_pci_hot_reset, argsz),
  FIELD (vfio_pci_hot_reset, flags),
  FIELD (vfio_pci_hot_reset, count),
  { NULL },
};

static const ConformanceField tce_info[] = {
  FIELD (vfio_iommu_spapr_tce_info, argsz),
  NAMED (vfio_iommu_spapr_tce_info, flags, "VFIO_IOMMU_SPAPR_INFO_"),
  FIELD (vfio_iommu_spapr_tce_info, dma32_window_start),
  FIELD (vfio_iommu_spapr_tce_info, dma32_window_size),
  FIELD (vfio_iommu_spapr_tce_info, ddw.pgsizes),
  FIELD (vfio_iommu_spapr_tce_info, ddw.max_dynamic_windows_supported),
  FIELD (vfio_iommu_spapr_tce_info, ddw.levels),
  { NULL },
};

static const ConformanceField dma_map[] = {
  FIELD (vfio_iommu_type1_dma_map, argsz),
  NAMED (vfio_iommu_type1_dma_map, flags, "VFIO_DMA_MAP_FLAG_"),
  FIELD (vfio_iommu_type1_dma_map, vaddr),
  FIELD (vfio_iommu_type1_dma_map, iova),
  FIELD (vfio_iommu_type1_dma_map, size),
  { NULL },
};

static const ConformanceField dma_unmap[] = {
  FIELD (vfio_iommu_type1_dma_unmap, argsz),
  NAMED (vfio_iommu_type1_dma_unmap, flags, "VFIO_DMA_UNMAP_FLAG_"),
  FIELD (vfio_iommu_type1_dma_unmap, iova),
  FIELD (vfio_iommu_type1_dma_unmap, size),
  { NULL },
};

static const ConformanceField register_memory[] = {
  FIELD (vfio_iommu_spapr_register_memory, argsz),
  FIELD (vfio_iommu_spapr_register_memory, flags),
  FIELD (vfio_iommu_spapr_register_memory, vaddr),
  FIELD (vfio_iommu_spapr_register_memory, size),
  { NULL },
};

static const ConformanceField tce_create[] = {
  FIELD (vfio_iommu_spapr_tce_create, argsz),
  FIELD (vfio_iommu_spapr_tce_create, flags),
  FIELD (vfio_iommu_spapr_tce_create, page_shift),
  FIELD (vfio_iommu_spapr_tce_create, window_size),
  FIELD (vfio_iommu_spapr_tce_create, levels),
  FIELD (vfio_iommu_spapr_tce_create, start_addr),
  { NULL },
};

static const ConformanceField tce_remove[] = {
  FIELD (vfio_iommu_spapr_tce_remove, argsz),
  FIELD (vfio_iommu_spapr_tce_remove, flags),
  FIELD (vfio_iommu_spapr_tce_remove, start_addr),
  { NULL },
};

static const ConformanceField eeh_pe_op[] = {
  FIELD (vfio_eeh_pe_op, argsz),
  FIELD (vfio_eeh_pe_op, flags),
  NAMED (vfio_eeh_pe_op, op, "VFIO_EEH_PE_"),
  FIELD (vfio_eeh_pe_op, err.type),
  FIELD (vfio_eeh_pe_op, err.func),
  FIELD (vfio_eeh_pe_op, err.addr),
  FIELD (vfio_eeh_pe_op, err.mask),
  { NULL },
};

#define NONE(name)                                                                                 \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_NONE                                                         \
  }
#define VALUE(name)                                                                                \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_VALUE                                                        \
  }
#define STRUCT(name, type, fields, positional)                                                     \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_STRUCT, sizeof(struct type), fields, positional, TRUE        \
  }
#define WITH_DATA(name, type, fields)                                                              \
  {                                                                                                \
#name, name, CONFORMANCE_ARGUMENT_STRUCT, sizeof(struct type), fields, NULL, TRUE, FALSE, 0,   \
        sizeof(struct type)                                                                        \
  }

const ConformanceCall conformance_vfio_calls[] = {
  NONE (VFIO_GET_API_VERSION),
  VALUE (VFIO_CHECK_EXTENSION),
  VALUE (VFIO_SET_IOMMU),
  STRUCT (VFIO_GROUP_GET_STATUS, vfio_group_status, group_status, NULL),
  { "VFIO_GROUP_SET_CONTAINER", VFIO_GROUP_SET_CONTAINER, CONFORMANCE_ARGUMENT_HANDLE },
  NONE (VFIO_GROUP_UNSET_CONTAINER),
  { "VFIO_GROUP_GET_DEVICE_FD", VFIO_GROUP_GET_DEVICE_FD, CONFORMANCE_ARGUMENT_STRING,
    .gives_handle = TRUE },
  STRUCT (VFIO_DEVICE_GET_INFO, vfio_device_info, device_info, NULL),
  STRUCT (VFIO_DEVICE_FEATURE, vfio_device_feature, feature, NULL),
  STRUCT (VFIO_DEVICE_GET_REGION_INFO, vfio_region_info, region_info, "index"),
  STRUCT (VFIO_DEVICE_GET_IRQ_INFO, vfio_irq_info, irq_info, "index"),
  WITH_DATA (VFIO_DEVICE_SET_IRQS, vfio_irq_set, irq_set),
  NONE (VFIO_DEVICE_RESET),
  STRUCT (VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, vfio_pci_hot_reset_info, hot_reset_info, NULL),
  WITH_DATA (VFIO_DEVICE_PCI_HOT_RESET, vfio_pci_hot_reset, hot_reset),
  STRUCT (VFIO_IOMMU_SPAPR_TCE_GET_INFO, vfio_iommu_spapr_tce_info, tce_info, NULL),
  STRUCT (VFIO_IOMMU_MAP_DMA, vfio_iommu_type1_dma_map, dma_map, NULL),
  STRUCT (VFIO_IOMMU_UNMAP_DMA, vfio_iommu_type1_dma_unmap, dma_unmap, NULL),
  NONE (VFIO_IOMMU_ENABLE),
  NONE (VFIO_IOMMU_DISABLE),
  STRUCT (VFIO_IOMMU_SPAPR_REGISTER_MEMORY, vfio_iommu_spapr_register_memory, register_memory,
          NULL),
  STRUCT (VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, vfio_iommu_spapr_register_memory, register_memory,
          NULL),
  STRUCT (VFIO_IOMMU_SPAPR_TCE_CREATE, vfio_iommu_spapr_tce_create, tce_create, NULL),
  STRUCT (VFIO_IOMMU_SPAPR_TCE_REMOVE, vfio_iommu_spapr_tce_remove, tce_remove, NULL),
  STRUCT (VFIO_EEH_PE_OP, vfio_eeh_pe_op, eeh_pe_op, "op"),
  { NULL },
};
