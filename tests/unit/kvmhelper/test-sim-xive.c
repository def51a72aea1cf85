/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"
#include "sim-kvm-host.h"

/* XIVE of the simulated host: what tests/conformance cannot ask a kernel for, or not see. */

#define LISN 0x1300

static int
set (const SimKvmHost *host, guint group, guint64 attribute, guint64 value)
{
  return sim_kvm_host_set (host, host->controller, group, attribute, &value);
}

static void
host_start (SimKvmHost *host, const char *xml, guint type)
{
  sim_kvm_host_start (host, xml);
  host->controller = sim_kvm_host_create_device (host, host->vm, type);
  sim_kvm_host_open_group (host);
  host->event = host->kernel->calls->eventfd (host->kernel->data);
  host->device = sim_host_open_device (host->kernel, host->group, SIM_KVM_HOST_FUNCTION);
}

/* Gives vector @vector to @event, or with -1 takes it away. */
static int
set_vectors (const SimKvmHost *host, guint vector, int event)
{
  union
  {
    struct vfio_irq_set set;
    guint8 bytes[sizeof (struct vfio_irq_set) + sizeof (gint32)];
  } request = { .set = { .argsz = sizeof request.bytes,
                         .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                         .index = VFIO_PCI_MSIX_IRQ_INDEX,
                         .start = vector,
                         .count = 1 } };

  memcpy (request.set.data, &(gint32){ event }, sizeof (gint32));
  return sim_kvm_host_ioctl (host, host->device, VFIO_DEVICE_SET_IRQS, &request);
}

static int
set_irqfd (const SimKvmHost *host, int event, guint gsi, guint flags)
{
  const struct kvm_irqfd request = { .fd = (guint32) event, .gsi = gsi, .flags = flags };

  return sim_kvm_host_ioctl (host, host->vm, KVM_IRQFD, &request);
}

static char *
read_table (const SimKvmHost *host, int vm)
{
  g_autofree char *path = g_strdup_printf ("kernel/debug/kvm/%u-%d/xive", host->kernel->pid, vm);

  return kvmhelper_kernel_read (host->kernel, KVMHELPER_SYS, path, 1 << 20, NULL, NULL);
}

static void
raise_vector (const SimKvmHost *host, guint vector)
{
  PciAddress address;

  g_assert_true (pci_address_parse (SIM_KVM_HOST_FUNCTION, &address, NULL));
  g_mutex_lock (&host->sim->lock);
  kvmhelper_sim_irq_raise (kvmhelper_sim_vfio_irq (kvmhelper_sim_find (host->sim, &address),
                                                   VFIO_PCI_MSIX_IRQ_INDEX, vector));
  g_mutex_unlock (&host->sim->lock);
}

/* --- the event state buffer, without KVM --- */

static void
test_pq (void)
{
  /* what was, what a trigger, an EOI and Linux' EOI make of it */
  static const guint8 table[4][4]
      = { { 0, 2, 0, 0 }, { 1, 1, 1, 2 }, { 2, 3, 0, 0 }, { 3, 3, 2, 2 } };
  KvmHelperSimEsb *esb = kvmhelper_sim_esb_new (7, NULL);

  g_assert_cmpuint (kvmhelper_sim_esb_pq (esb), ==, KVMHELPER_SIM_PQ_OFF);
  for (guint i = 0; i < 4; i++)
    {
      esb->own_pq = table[i][0];
      kvmhelper_sim_esb_trigger (esb);
      g_assert_cmpuint (esb->own_pq, ==, table[i][1]);
      esb->own_pq = table[i][0];
      g_assert_cmpuint (kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_EOI), ==, i == 3);
      g_assert_cmpuint (esb->own_pq, ==, table[i][2]);
      esb->own_pq = table[i][0];
      kvmhelper_sim_esb_eoi (esb);
      g_assert_cmpuint (esb->own_pq, ==, table[i][3]);
      for (guint to = 0; to < 4; to++)
        {
          esb->own_pq = table[i][0];
          g_assert_cmpuint (
              kvmhelper_sim_esb_manage (esb, KVMHELPER_SIM_ESB_SET_PQ_00 + to * 0x100), ==, i);
          g_assert_cmpuint (esb->own_pq, ==, to);
        }
    }
  /* the first page gives nothing, the second repeats every 4 KiB */
  esb->own_pq = 2;
  g_assert_cmphex (kvmhelper_sim_esb_load (&esb->pages[0], KVMHELPER_SIM_ESB_SET_PQ_00), ==,
                   G_MAXUINT64);
  g_assert_cmphex (kvmhelper_sim_esb_load (&esb->pages[1], 0x3800), ==, 2);
  g_assert_cmphex (kvmhelper_sim_esb_load (&esb->pages[1], 0x9c00), ==, 2);
  g_assert_cmphex (kvmhelper_sim_esb_load (&esb->pages[1], KVMHELPER_SIM_ESB_GET), ==, 0);
  kvmhelper_sim_esb_free (esb);
}

/* --- numbers of the firmware --- */

static void
test_ipis (void)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  for (guint i = 0; i < 3; i++)
    set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN + i, 0);
  before = read_table (&host, host.vm);
  g_assert_nonnull (strstr (before, "\n00001300  00000014/00  MSI IPI  -Q  00000000      0/255\n"
                                    "00001301  00000015/00  MSI IPI  -Q  00000000      0/255\n"
                                    "00001302  00000016/00  MSI IPI  -Q  00000000      0/255\n"));
  /* Another VM goes on where this one is, and again when this one has gone. */
  {
    int vm = sim_kvm_host_ioctl (&host, host.kvm, KVM_CREATE_VM, NULL);
    int first = host.controller;

    host.controller = sim_kvm_host_create_device (&host, vm, KVM_DEV_TYPE_XIVE);
    set (&host, KVM_DEV_XIVE_GRP_SOURCE, 0, 0);
    kvmhelper_kernel_close (host.kernel, first);
    set (&host, KVM_DEV_XIVE_GRP_SOURCE, 1, 0);
    after = read_table (&host, vm);
    g_assert_nonnull (strstr (after, "\n00000000  00000017/00 "));
    g_assert_nonnull (strstr (after, "\n00000001  00000014/00 "));
  }
  sim_kvm_host_stop (&host);
}

static guint32
connect_first (const SimKvmHost *host, int vm, int controller, guint32 servers)
{
  struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
  struct kvm_enable_cap request
      = { .cap = KVM_CAP_PPC_IRQ_XIVE, .args = { (guint64) controller, 0 } };
  int vcpu = sim_kvm_host_ioctl (host, vm, KVM_CREATE_VCPU, NULL);
  g_autofree char *table = NULL;

  g_assert_cmpint (
      sim_kvm_host_set (host, controller, KVM_DEV_XIVE_GRP_CTRL, KVM_DEV_XIVE_NR_SERVERS, &servers),
      ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (host, vcpu, KVM_ENABLE_CAP, &papr), ==, 0);
  g_assert_cmpint (sim_kvm_host_ioctl (host, vcpu, KVM_ENABLE_CAP, &request), ==, 0);
  table = read_table (host, vm);
  return (guint32) g_ascii_strtoull (strstr (table, "VP=0x") + 5, NULL, 16);
}

/* As skiboot gives them: blocks of virtual processors have a size of 2^n, begin at a multiple of
 * it, and do not overlap.
 */
static void
test_processors (void)
{
  static const struct
  {
    guint32 servers, vp;
  } blocks[] = { { 1, 0x41000002 }, { 2, 0x41000004 },  { 3, 0x42000008 },   { 4, 0x4200000c },
                 { 5, 0x43000010 }, { 16, 0x44000020 }, { 100, 0x47000100 }, { 2048, 0x4b000800 } };
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    {
      int vm = sim_kvm_host_ioctl (&host, host.kvm, KVM_CREATE_VM, NULL);
      int controller = sim_kvm_host_create_device (&host, vm, KVM_DEV_TYPE_XIVE);

      g_assert_cmphex (connect_first (&host, vm, controller, blocks[i].servers), ==, blocks[i].vp);
    }
  sim_kvm_host_stop (&host);
}

/* --- bypass --- */

static void
test_refused (void)
{
  g_autofree char *table = NULL;
  SimKvmHost host;
  gint64 count = 0;

  host_start (&host, SIM_KVM_HOST_XML ("bypass='refused'"), KVM_DEV_TYPE_XIVE);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, 0);
  g_assert_cmpint (set_irqfd (&host, host.event, LISN, 0), ==, 0);
  /* Nobody is told; only the log says so, three times. */
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (
      sim_host_count_lines (host.sim, "kvmppc_set_passthru_irq_hv: Could not assign IRQ map for ("),
      ==, 1);
  g_assert_cmpuint (sim_host_count_lines (host.sim, ", gsi 4864) fails: -2"), ==, 1);
  g_assert_cmpuint (
      sim_host_count_lines (host.sim, "vfio-pci 0000:01:00.0: irq bypass producer (token "), ==, 1);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "registration fails: -2"), ==, 1);
  table = read_table (&host, host.vm);
  g_assert_nonnull (strstr (table, "IPI  -Q"));
  /* The long way: the irqfd takes it. */
  raise_vector (&host, 0);
  g_assert_cmpint (host.kernel->calls->read (host.kernel->data, host.event, &count, sizeof count),
                   ==, -EAGAIN);
  /* With VFIO first it is the consumer that is refused. */
  set_vectors (&host, 0, -1);
  set_irqfd (&host, host.event, LISN, KVM_IRQFD_FLAG_DEASSIGN);
  set_vectors (&host, 0, host.event);
  g_assert_cmpint (set_irqfd (&host, host.event, LISN, 0), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "irq bypass consumer (token "), ==, 1);
  sim_kvm_host_stop (&host);
}

/* kvmppc_set_passthru_irq gives 0 though nothing is passed on, and leaves no word of it. */
static void
test_swallowed (void)
{
  g_autofree char *table = NULL;
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML ("bypass='swallowed'"), KVM_DEV_TYPE_XIVE);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, 0);
  set_irqfd (&host, host.event, LISN, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "fails"), ==, 0);
  table = read_table (&host, host.vm);
  g_assert_nonnull (strstr (table, "IPI  -Q"));
  g_assert_cmpint (set_vectors (&host, 0, -1), ==, 0);
  sim_kvm_host_stop (&host);
}

/* 1024 interrupts can be passed on, ever: entries are used again for the same source alone. */
static void
test_limit (void)
{
  SimKvmHost host;
  int event;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  event = host.kernel->calls->eventfd (host.kernel->data);
  g_assert_cmpint (set_vectors (&host, 1, event), ==, 0);
  for (guint i = 0; i < KVMHELPER_SIM_MAX_PASSED; i++)
    {
      set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN + i, 0);
      g_assert_cmpint (set_irqfd (&host, host.event, LISN + i, 0), ==, 0);
      g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
      g_assert_cmpint (set_vectors (&host, 0, -1), ==, 0);
      g_assert_cmpint (set_irqfd (&host, host.event, LISN + i, KVM_IRQFD_FLAG_DEASSIGN), ==, 0);
    }
  g_assert_cmpuint (sim_host_count_lines (host.sim, "fails"), ==, 0);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, 0, 0);
  set_irqfd (&host, host.event, 0, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "gsi 0) fails: -11"), ==, 1);
  /* One that was passed on before can be again, but not twice. */
  set_vectors (&host, 0, -1);
  set_irqfd (&host, host.event, 0, KVM_IRQFD_FLAG_DEASSIGN);
  set_irqfd (&host, host.event, LISN, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "fails: -22"), ==, 0);
  set_irqfd (&host, event, LISN, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "gsi 4864) fails: -22"), ==, 1);
  sim_kvm_host_stop (&host);
}

/* One eventfd on two vectors is one producer, and the other is refused. */
static void
test_same_eventfd (void)
{
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  g_assert_cmpint (set_vectors (&host, 1, host.event), ==, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "registration fails: -16"), ==, 1);
  /* The other's end is not the first one's. */
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, 0);
  g_assert_cmpint (set_vectors (&host, 0, -1), ==, 0);
  g_assert_cmpint (set_irqfd (&host, host.event, LISN, 0), ==, 0);
  {
    g_autofree char *table = read_table (&host, host.vm);

    g_assert_nonnull (strstr (table, " PT  P-"));
  }
  sim_kvm_host_stop (&host);
}

static void
switch_bypass (const SimKvmHost *host, const char *value)
{
  g_assert_true (kvmhelper_kernel_write (host->kernel, KVMHELPER_SYS,
                                         "module/kvm_hv/parameters/kvm_irq_bypass", value, NULL));
}

/* Switched off while an interrupt is passed on, KVM does not take it back: the guest keeps the
 * pages of an interrupt that the host has freed. */
static void
test_switched_off_meanwhile (void)
{
  const gsize page = 0x10000;
  g_autofree char *table = NULL;
  SimKvmHost host;
  void *esb;
  const guint8 *manage;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, 0);
  g_assert_cmpint (host.kernel->calls->mmap (host.kernel->data, host.controller,
                                             2 * page * (LISN + 1), 4 * page, &esb),
                   ==, 0);
  manage = (const guint8 *) esb + (2 * LISN + 1) * page;
  set_irqfd (&host, host.event, LISN, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (host.kernel->calls->load (host.kernel->data, manage + 0xc00), ==, 2);
  switch_bypass (&host, "0");
  g_assert_cmpint (set_vectors (&host, 0, -1), ==, 0);
  table = read_table (&host, host.vm);
  g_assert_nonnull (strstr (table, " PT  --"));
  g_assert_cmpuint (host.kernel->calls->load (host.kernel->data, manage + 0xf00), ==, 0);
  g_assert_cmpuint (host.kernel->calls->load (host.kernel->data, manage + 0x800), ==, 3);
  switch_bypass (&host, "1");
  g_assert_cmpint (host.kernel->calls->munmap (host.kernel->data, esb, 2 * page * (LISN + 1)), ==,
                   0);
  sim_kvm_host_stop (&host);
}

/* A source that was not made, in a block that is there: a kernel would die of it. */
static void
test_not_made (void)
{
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, 0);
  set_irqfd (&host, host.event, LISN + 1, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  raise_vector (&host, 0);
  g_assert_cmpint (set_vectors (&host, 0, -1), ==, 0);
  sim_kvm_host_stop (&host);
}

/* XICS in software takes note of a device's interrupt, but the host's handler has it still. */
static void
test_software (void)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML ("command-line='xive=off'"), KVM_DEV_TYPE_XICS);
  set (&host, KVM_DEV_XICS_GRP_SOURCES, LISN, KVM_XICS_MASKED | 0xffull << KVM_XICS_PRIORITY_SHIFT);
  set_irqfd (&host, host.event, LISN, 0);
  g_assert_cmpint (set_vectors (&host, 0, host.event), ==, 0);
  g_assert_cmpuint (sim_host_count_lines (host.sim, "fails"), ==, 0);
  raise_vector (&host, 0);
  path = g_strdup_printf ("kernel/debug/kvm/%u-%d/xics", host.kernel->pid, host.vm);
  text = kvmhelper_kernel_read (host.kernel, KVMHELPER_SYS, path, 1 << 20, NULL, NULL);
  g_assert_true (g_str_has_prefix (text, "========\nPIRQ mappings: 1 maps\n===========\nr_hwirq="));
  g_assert_nonnull (strstr (text, ", v_hwirq=1300\n"));
  g_assert_nonnull (strstr (text,
                            "irq 0x001300: server 0x0 prio 0xff save prio 0xff pq_state 1 resend "
                            "0 masked pending 1\n"));
  sim_kvm_host_stop (&host);
}

/* An event for a queue whose page the guest has lost is lost, and harms nobody. */
static void
test_queue_without_memory (void)
{
  struct kvm_userspace_memory_region slot = { .memory_size = 0x10000 };
  struct kvm_ppc_xive_eq queue = { .flags = KVM_XIVE_EQ_ALWAYS_NOTIFY, .qshift = 16, .qtoggle = 1 };
  const guint64 one = 1;
  g_autofree char *table = NULL;
  SimKvmHost host;

  host_start (&host, SIM_KVM_HOST_XML (""), KVM_DEV_TYPE_XIVE);
  slot.userspace_addr = (gulong) host.memory;
  connect_first (&host, host.vm, host.controller, 1);
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_SET_USER_MEMORY_REGION, &slot), ==, 0);
  g_assert_cmpint (sim_kvm_host_set (&host, host.controller, KVM_DEV_XIVE_GRP_EQ_CONFIG, 6, &queue),
                   ==, 0);
  /* LSI, which has a level too */
  set (&host, KVM_DEV_XIVE_GRP_SOURCE, LISN, KVM_XIVE_LEVEL_SENSITIVE);
  set (&host, KVM_DEV_XIVE_GRP_SOURCE_CONFIG, LISN, 6);
  slot.memory_size = 0;
  g_assert_cmpint (sim_kvm_host_ioctl (&host, host.vm, KVM_SET_USER_MEMORY_REGION, &slot), ==, 0);
  g_assert_cmpint (set_irqfd (&host, host.event, LISN, 0), ==, 0);
  {
    void *esb;

    g_assert_cmpint (host.kernel->calls->mmap (host.kernel->data, host.controller,
                                               2 * 0x10000 * (LISN + 1), 4 * 0x10000, &esb),
                     ==, 0);
    host.kernel->calls->load (host.kernel->data,
                              (guint8 *) esb + (2 * LISN + 1) * 0x10000ul + 0xc00);
  }
  g_assert_cmpint (host.kernel->calls->write (host.kernel->data, host.event, &one, sizeof one), ==,
                   sizeof one);
  table = read_table (&host, host.vm);
  g_assert_nonnull (strstr (table, " ^LSI IPI  P-  00000000      0/6\n"));
  sim_kvm_host_stop (&host);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-xive/pq", test_pq);
  g_test_add_func ("/sim-xive/ipis", test_ipis);
  g_test_add_func ("/sim-xive/processors", test_processors);
  g_test_add_func ("/sim-xive/refused", test_refused);
  g_test_add_func ("/sim-xive/swallowed", test_swallowed);
  g_test_add_func ("/sim-xive/limit", test_limit);
  g_test_add_func ("/sim-xive/same-eventfd", test_same_eventfd);
  g_test_add_func ("/sim-xive/switched-off-meanwhile", test_switched_off_meanwhile);
  g_test_add_func ("/sim-xive/not-made", test_not_made);
  g_test_add_func ("/sim-xive/software", test_software);
  g_test_add_func ("/sim-xive/queue-without-memory", test_queue_without_memory);
  return g_test_run ();
}
