/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* /sys/kernel/debug/kvm/PID-HANDLE/xive and /xics: the only place where it can be seen whether a
 * device's interrupt goes straight to the guest. The words are the kernel's, to the blank
 * (arch/powerpc/kvm/book3s_xive.c and book3s_xive_native.c: xive_debug_show,
 * xive_native_debug_show, kvmppc_xive_debug_show_queues, kvmppc_xive_debug_show_sources). */

static char
letter (guint8 pq, guint8 bit, char name)
{
  return (pq & bit) != 0 ? name : '-';
}

static guint32
queue_word (const KvmHelperSimVcpu *vcpu, const KvmHelperSimQueue *queue, guint number)
{
  guint32 word = 0;
  guint64 user;

  if (!vcpu->presenter->xive->native)
    return GUINT32_FROM_BE (queue->first[number]);
  user = kvmhelper_sim_vm_address (vcpu->vm, queue->guest_page + number * 4);
  if (user != 0)
    kvmhelper_sim_copy_in (user, &word, sizeof word);
  return GUINT32_FROM_BE (word);
}

/* The kernel reads no queue of a guest here (T=0, and always the first two words). The escalation's
 * ESB is that of the queue itself; KVM keeps it off while the vCPU needs no waking. */
static void
show_queues (GString *text, const KvmHelperSimVcpu *vcpu)
{
  for (guint i = 0; i < KVMHELPER_SIM_QUEUES; i++)
    {
      const KvmHelperSimQueue *queue = &vcpu->presenter->queues[i];

      if (queue->enabled)
        g_string_append_printf (text, "    q[%u]: T=%d %08x %08x...\n", i, 0,
                                queue_word (vcpu, queue, 0), queue_word (vcpu, queue, 1));
      if (queue->escalation != 0)
        g_string_append_printf (
            text, "    ESC %u -Q EOI @%" G_GINT64_MODIFIER "x\n", queue->escalation,
            G_GUINT64_CONSTANT (0x6016000010000) + (guint64) queue->escalation * 0x20000);
    }
}

/* CPPR, the priority that the vCPU works at, and what is pending: as a vCPU has them that never
 * ran. */
static void
show_vcpu (GString *text, const KvmHelperSimVcpu *vcpu)
{
  const KvmHelperSimPresenter *presenter = vcpu->presenter;

  if (presenter->xive->native)
    g_string_append_printf (text,
                            "VCPU %u: VP=0x%x/%02x\n"
                            "    NSR=%02x CPPR=%02x IBP=%02x PIPR=%02x w01=%016x w2=%08x\n",
                            presenter->server, presenter->vp, 0, 0, 0, 0, 0, 0xff000000u,
                            0x80000000u | (presenter->vp & 0xffffff));
  else
    g_string_append_printf (text,
                            "VCPU %u: VP:0x%x/%02x\n"
                            "    CPPR:0x%x HWCPPR:0x%x MFRR:0x%x PEND:0x%x h_xirr: R=%d V=%d\n",
                            presenter->server, presenter->vp, 0, 0, 0, 0xff, 0, 0, 0);
  show_queues (text, vcpu);
}

static void
show_hypercalls (GString *text)
{
  static const char *const names[] = { "H_XIRR ", "H_IPOLL", "H_CPPR ", "H_EOI  ", "H_IPI  " };

  g_string_append (text, "Hcalls totals\n");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    g_string_append_printf (text, " %s R=%10d V=%10d\n", names[i], 0, 0);
}

static void
show_source (GString *text, const KvmHelperSimGuestSource *source)
{
  const KvmHelperSimEsb *esb = kvmhelper_sim_xive_selected (source);
  guint8 pq = kvmhelper_sim_esb_pq (esb);

  g_string_append_printf (text, "%08x  %08x/%02x", source->number, esb->hw, 0);
  if (source->lsi)
    g_string_append_printf (text, " %cLSI", source->asserted ? '^' : ' ');
  else
    g_string_append (text, "  MSI");
  g_string_append_printf (text, " %s  %c%c  %08x   % 4d/%d\n", esb == source->ipi ? "IPI" : " PT",
                          letter (pq, KVMHELPER_SIM_PQ_PENDING, 'P'),
                          letter (pq, KVMHELPER_SIM_PQ_OFF, 'Q'), source->eisn,
                          (int) source->act_server, source->act_priority);
}

static char *
show_xive (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimXive *xive = ((const KvmHelperSimVm *) object)->xive;
  GString *text = g_string_new ("=========\nVCPU state\n=========\n");

  for (guint i = 0; i < xive->vm->vcpus->len; i++)
    {
      const KvmHelperSimVcpu *vcpu = xive->vm->vcpus->pdata[i];

      if (vcpu->presenter != NULL)
        show_vcpu (text, vcpu);
    }
  if (!xive->native)
    show_hypercalls (text);
  g_string_append (text, "=========\nSources\n=========\n");
  for (guint i = 0; i < KVMHELPER_SIM_XIVE_BLOCKS; i++)
    {
      if (xive->blocks[i] == NULL)
        continue;
      g_string_append (text, "    LISN      HW/CHIP   TYPE    PQ      EISN    CPU/PRIO\n");
      for (guint j = 0; j < KVMHELPER_SIM_XIVE_BLOCK; j++)
        if (xive->blocks[i]->sources[j].valid)
          show_source (text, &xive->blocks[i]->sources[j]);
    }
  return g_string_free (text, FALSE);
}

static gboolean
has_xive (gpointer object)
{
  const KvmHelperSimVm *vm = object;

  return vm->xive != NULL;
}

static gboolean
has_xics (gpointer object)
{
  const KvmHelperSimVm *vm = object;

  return vm->xics != NULL;
}

const KvmHelperSimAttribute kvmhelper_sim_vm_attributes[] = {
  { .name = "xive", .mode = 0444, .show = show_xive, .visible = has_xive },
  { .name = "xics", .mode = 0444, .show = kvmhelper_sim_xics_show, .visible = has_xics },
  { .name = NULL },
};
