/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-qemu-private.h"

#include "kvmhelper/kvmhelper-abi.h"

/* The guest's interrupt controller: hw/intc/spapr_xive_kvm.c: kvmppc_xive_connect,
 * xics_kvm.c: xics_kvm_connect; and what the guest does with it when it boots. */

#define ESB_SET_PQ_00  0xc00 /* asm/xive-regs.h: XIVE_ESB_SET_PQ_00 */
#define GUEST_PRIORITY 6     /* "xive: Using priority 6 for all interrupts" */
#define FIRST_EISN     0x10

/* Whatever the host's are, QEMU reckons with it (kvmppc_xive_mmap): with others the kernel refuses
 * the offset. */
#define QEMU_XIVE_PAGE (G_GUINT64_CONSTANT (1) << 16)

static int
create (KvmHelperSimQemu *qemu, guint type)
{
  struct kvm_create_device request = { .type = type };
  int answer = kvmhelper_sim_qemu_ioctl (qemu, qemu->vm, KVM_CREATE_DEVICE, &request);

  return answer < 0 ? answer : (int) request.fd;
}

/* kvmppc_xive_source_reset_one; icp_set_kvm_state for XICS comes when it is used. */
int
kvmhelper_sim_qemu_claim (KvmHelperSimQemu *qemu, guint lisn, gboolean lsi)
{
  guint64 native = lsi ? KVM_XIVE_LEVEL_SENSITIVE : 0;
  guint64 xics = (G_GUINT64_CONSTANT (0xff) << KVM_XICS_PRIORITY_SHIFT) | KVM_XICS_MASKED
                 | (lsi ? KVM_XICS_LEVEL_SENSITIVE : 0);

  if (qemu->irqchip < 0)
    return 0;
  if (qemu->native)
    return kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XIVE_GRP_SOURCE, lisn,
                                         &native);
  return kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XICS_GRP_SOURCES, lisn, &xics);
}

/* The guest gives a source a target, H_INT_SET_SOURCE_CONFIG or ibm,set-xive, and lets it through:
 * of XIVE by a load from its ESB, which the guest has as memory. */
void
kvmhelper_sim_qemu_unmask (KvmHelperSimQemu *qemu, guint lisn)
{
  if (qemu->irqchip < 0)
    return;
  if (!qemu->native)
    {
      guint64 state = (guint64) GUEST_PRIORITY << KVM_XICS_PRIORITY_SHIFT;

      kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XICS_GRP_SOURCES, lisn, &state);
    }
  else
    {
      guint64 eisn = lisn >= QEMU_LISN_MSI ? FIRST_EISN + 6 + (lisn - QEMU_LISN_MSI) : FIRST_EISN;
      guint64 state = GUEST_PRIORITY | (eisn << KVM_XIVE_SOURCE_EISN_SHIFT);

      kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XIVE_GRP_SOURCE_CONFIG, lisn,
                                    &state);
      if (qemu->esb != NULL)
        qemu->kernel->calls->load (qemu->kernel->data,
                                   qemu->esb + (2 * (gsize) lisn + 1) * KVMHELPER_ESB_PAGE
                                       + ESB_SET_PQ_00);
    }
}

/* H_INT_SET_QUEUE_CONFIG: each vCPU has its queue in the guest's memory, one page after another. */
static void
make_queues (KvmHelperSimQemu *qemu)
{
  for (guint i = 0; i < qemu->vcpus; i++)
    {
      const struct kvm_ppc_xive_eq queue = { .flags = KVM_XIVE_EQ_ALWAYS_NOTIFY,
                                             .qshift = 16,
                                             .qaddr = 0x1000000 + (guint64) i * 0x10000,
                                             .qtoggle = 1 };

      kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XIVE_GRP_EQ_CONFIG,
                                    GUEST_PRIORITY | ((guint64) i << KVM_XIVE_EQ_SERVER_SHIFT),
                                    &queue);
    }
}

static gboolean
map (KvmHelperSimQemu *qemu, guint page, gsize pages, guint8 **address, GError **error)
{
  const gsize size = QEMU_XIVE_PAGE;
  void *mapped;
  int answer = qemu->kernel->calls->mmap (qemu->kernel->data, qemu->irqchip, pages * size,
                                          (guint64) page * size, &mapped);

  if (answer < 0)
    {
      kvmhelper_sim_qemu_fail (error, "mmap", answer, "XIVE: unable to set memory mapping");
      return FALSE;
    }
  *address = mapped;
  return TRUE;
}

void
kvmhelper_sim_qemu_unmap_irqchip (KvmHelperSimQemu *qemu)
{
  if (qemu->esb != NULL)
    qemu->kernel->calls->munmap (qemu->kernel->data, qemu->esb, 2 * QEMU_LISNS * QEMU_XIVE_PAGE);
  if (qemu->tima != NULL)
    qemu->kernel->calls->munmap (qemu->kernel->data, qemu->tima, 4 * QEMU_XIVE_PAGE);
  qemu->esb = qemu->tima = NULL;
}

static gboolean
connect_vcpus (KvmHelperSimQemu *qemu, guint capability, GError **error)
{
  for (guint i = 0; i < qemu->vcpu_handles->len; i++)
    {
      const struct kvm_enable_cap request
          = { .cap = capability, .args = { (guint64) qemu->irqchip, i } };
      int answer = kvmhelper_sim_qemu_ioctl (qemu, g_array_index (qemu->vcpu_handles, int, i),
                                             KVM_ENABLE_CAP, &request);

      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, "KVM_ENABLE_CAP", answer,
                                   capability == KVM_CAP_PPC_IRQ_XIVE
                                       ? "XIVE: unable to connect CPU%u to KVM device"
                                       : "Unable to connect CPU%u to kernel XICS",
                                   i);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
claim_all (KvmHelperSimQemu *qemu, GError **error)
{
  /* XICS has no IPIs of this kind, and no numbers below 16 */
  for (guint lisn = qemu->native ? 0 : QEMU_LISN_EPOW; lisn < QEMU_LISN_LSI + QEMU_LSIS; lisn++)
    {
      int answer;

      if (lisn >= qemu->vcpus && lisn != QEMU_LISN_EPOW && lisn != QEMU_LISN_HOTPLUG
          && lisn != QEMU_LISN_VIO && lisn != QEMU_LISN_VIO + 1 && lisn < QEMU_LISN_LSI)
        continue;
      answer = kvmhelper_sim_qemu_claim (qemu, lisn, lisn >= QEMU_LISN_LSI);
      if (answer < 0)
        {
          kvmhelper_sim_qemu_fail (error, "KVM_SET_DEVICE_ATTR", answer, "Failed to claim IRQ 0x%x",
                                   lisn);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
connect_xive (KvmHelperSimQemu *qemu, GError **error)
{
  guint32 servers = qemu->vcpus;

  qemu->irqchip = create (qemu, KVM_DEV_TYPE_XIVE);
  if (qemu->irqchip < 0)
    {
      kvmhelper_sim_qemu_fail (error, "KVM_CREATE_DEVICE", qemu->irqchip,
                               "XIVE: error creating KVM device");
      return FALSE;
    }
  qemu->native = TRUE;
  kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_NR_SERVERS,
                                &servers);
  if (!map (qemu, KVM_XIVE_ESB_PAGE_OFFSET, 2 * QEMU_LISNS, &qemu->esb, error)
      || !map (qemu, KVM_XIVE_TIMA_PAGE_OFFSET, 4, &qemu->tima, error)
      || !connect_vcpus (qemu, KVM_CAP_PPC_IRQ_XIVE, error) || !claim_all (qemu, error))
    return FALSE;
  make_queues (qemu);
  for (guint i = 0; i < qemu->vcpus; i++)
    kvmhelper_sim_qemu_unmask (qemu, i);
  return TRUE;
}

static gboolean
connect_xics (KvmHelperSimQemu *qemu, GError **error)
{
  guint32 servers = qemu->vcpus;

  qemu->irqchip = create (qemu, KVM_DEV_TYPE_XICS);
  if (qemu->irqchip < 0)
    {
      kvmhelper_sim_qemu_fail (error, "KVM_CREATE_DEVICE", qemu->irqchip,
                               "Error on KVM_CREATE_DEVICE for XICS");
      return FALSE;
    }
  kvmhelper_sim_qemu_attribute (qemu, qemu->irqchip, KVM_DEV_XICS_GRP_CTRL, KVM_DEV_XICS_NR_SERVERS,
                                &servers);
  return connect_vcpus (qemu, KVM_CAP_IRQ_XICS, error) && claim_all (qemu, error);
}

static void
fall_back (KvmHelperSimQemu *qemu, const char *reason)
{
  kvmhelper_sim_qemu_warn (qemu, "warning: kernel_irqchip allowed but unavailable: %s", reason);
  kvmhelper_sim_qemu_warn (qemu, "Falling back to kernel-irqchip=off");
}

/* spapr_irq_init_kvm: what the kernel does not have QEMU emulates, and warns. */
void
kvmhelper_sim_qemu_make_irqchip (KvmHelperSimQemu *qemu, KvmHelperSimIcMode mode)
{
  gboolean xics = mode == KVMHELPER_SIM_IC_XICS;
  gulong capability = xics ? KVM_CAP_IRQ_XICS : KVM_CAP_PPC_IRQ_XIVE;
  g_autoptr (GError) error = NULL;

  if (kvmhelper_kernel_ioctl (qemu->kernel, qemu->vm, KVM_CHECK_EXTENSION, capability) <= 0)
    fall_back (qemu, xics ? "IRQ_XICS capability must be present for KVM"
                          : "IRQ_XIVE capability must be present for KVM");
  else if (!(xics ? connect_xics (qemu, &error) : connect_xive (qemu, &error)))
    {
      kvmhelper_sim_qemu_unmap_irqchip (qemu);
      kvmhelper_sim_qemu_close (qemu, &qemu->irqchip);
      qemu->native = FALSE;
      fall_back (qemu, error->message);
    }
}
