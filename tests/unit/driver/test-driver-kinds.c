/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>

#include "driver-held.h"

/* What beside <hostdev> may take a PCI device of the host, and several of them in a row. */

#define UPDATE 174

#define NVME                                                                                       \
  "<disk type='nvme' device='disk'><source type='pci' managed='yes' namespace='1'><address "       \
  "domain='0x0001' bus='0x01' slot='0x00' function='0x0'/></source><target dev='vda'/></disk>"

static GBytes *
attach (guint32 procedure, guint32 serial)
{
  return test_device_call (procedure, serial, TEST_HOSTDEV, LIVE);
}

/* Held, so that it is in order with the others; libvirt gives no device by it. */
static void
test_update (TestHeld *self, gconstpointer data)
{
  test_helper_hold (self->fake);
  test_send (self->relay.client, attach (ATTACH, 2));
  test_send (self->relay.client, attach (UPDATE, 3));
  test_wait (test_helper_is_holding, self->fake);
  test_expect_none (self->relay.server);
  test_helper_go (self->fake);
  test_expect (self->relay.server, attach (ATTACH, 2));
  test_expect_none (self->relay.server);
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  test_helper_clear_log (self->fake);
  test_expect (self->relay.server, attach (UPDATE, 3));
  test_send (self->relay.server, test_reply (UPDATE, 3));
  test_expect (self->relay.client, test_reply (UPDATE, 3));
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

static void
test_nvme (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, test_device_call (ATTACH, 2, NVME, LIVE));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "Type 1 IOMMU");
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  test_send (self->relay.client, test_device_call (DETACH, 3, NVME, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 3, NVME, LIVE));
  test_held_set_guest (self, TCG, "");
  test_send (self->relay.client, test_device_call (ATTACH, 4, NVME, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, 4, NVME, LIVE));
  test_held_set_unavailable (self, TRUE);
  test_send (self->relay.client, test_device_call (ATTACH, 5, NVME, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, 5, NVME, LIVE));
}

#define ON_NETWORK "<interface type='network'><source network='functions'/></interface>"
#define HANDED_OUT                                                                                 \
  "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:01'/><source><address "    \
  "type='pci' domain='0x0002' bus='0x01' slot='0x00' function='0x0'/></source><alias "             \
  "name='hostdev0'/></interface>"

/* The first function is another guest's. */
static const char *const functions[]
    = { "<network><name>functions</name><forward mode='hostdev' managed='yes'><driver name='vfio'/>"
        "<address type='pci' domain='0x0001' bus='0x01' slot='0x00' function='0x0'/>"
        "<address type='pci' domain='0x0002' bus='0x01' slot='0x00' function='0x0'/>"
        "</forward></network>",
        "<networkport><owner><name>other</name></owner><plug type='hostdev-pci' managed='yes'>"
        "<driver name='vfio'/><address domain='0x0001' bus='0x01' slot='0x00' function='0x0'/>"
        "</plug></networkport>",
        NULL };
static const char *const bridge[]
    = { "<network><name>functions</name><forward mode='nat'/><bridge name='virbr0'/></network>",
        NULL };

static void
test_network (TestHeld *self, gconstpointer data)
{
  GBytes *call = test_device_call (ATTACH, 2, ON_NETWORK, LIVE);

  self->network = functions;
  test_send (self->relay.client, g_bytes_ref (call));
  test_held_expect_forwarded (self, call, "GetHost Prepare(0002:01:00.0,auto)");
  /* Or libvirt chose another one than it looked like. */
  if (data != NULL)
    test_held_set_guest (self, RUNNING, data);
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==,
                   data != NULL ? "Commit(L1)" : "Release(L1)");
}

/* A bridge, a network whose functions are all taken, and none of that name: libvirt's own. */
static void
test_network_other (TestHeld *self, gconstpointer data)
{
  const char *const all_taken[] = {
    functions[0], functions[1],
    "<networkport><plug type='hostdev-pci'><address domain='2' bus='1'/></plug></networkport>", NULL
  };
  const char *const *const networks[] = { bridge, all_taken, NULL };

  for (guint32 i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      GBytes *call = test_device_call (8, i, ON_NETWORK, 0);

      self->network = networks[i];
      test_send (self->relay.client, g_bytes_ref (call));
      test_held_expect_forwarded (self, call, "");
      test_wait (test_held_is_idle, self->transactions);
    }
  g_assert_cmpuint (self->lookups, ==, 0);
}

/* A card of two functions, each with a slot of its own: libvirt attaches nothing but function 0 of
   a slot to a guest that runs (src/conf/domain_addr.c: virDomainPCIAddressEnsureAddr). */
#define FUNCTION(host, guest)                                                                      \
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0001' "           \
  "bus='0x01' slot='0x00' function='" host "'/></source><address type='pci' domain='0x0000' "      \
  "bus='0x01' slot='" guest "' function='0x0'/></hostdev>"

static void
test_functions (TestHeld *self, gconstpointer data)
{
  static const char *const devices[] = { FUNCTION ("0x1", "0x1"), FUNCTION ("0x0", "0x2") };
  static const char both[] = FUNCTION ("0x1", "0x1") FUNCTION ("0x0", "0x2");

  /* In one go: the second waits for the first. */
  for (guint32 i = 0; i < G_N_ELEMENTS (devices); i++)
    test_send (self->relay.client, test_device_call (ATTACH, i, devices[i], LIVE));
  test_held_expect_forwarded (self, test_device_call (ATTACH, 0, devices[0], LIVE),
                              "GetHost Prepare(0001:01:00.1,auto)");
  test_expect_none (self->relay.server);
  test_held_set_guest (self, RUNNING, devices[0]);
  test_send (self->relay.server, test_reply (ATTACH, 0));
  test_expect (self->relay.client, test_reply (ATTACH, 0));
  test_held_expect_forwarded (self, test_device_call (ATTACH, 1, devices[1], LIVE),
                              "Commit(L1) GetHost Prepare(0001:01:00.0,auto)");
  test_held_set_guest (self, RUNNING, both);
  test_send (self->relay.server, test_reply (ATTACH, 1));
  test_expect (self->relay.client, test_reply (ATTACH, 1));
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);

  /* The group goes back with the last of them. */
  test_helper_clear_log (self->fake);
  for (guint32 i = 0; i < G_N_ELEMENTS (devices); i++)
    {
      test_send (self->relay.client, test_device_call (DETACH, i, devices[i], LIVE));
      test_expect (self->relay.server, test_device_call (DETACH, i, devices[i], LIVE));
      test_held_set_guest (self, RUNNING, i == 0 ? devices[1] : "");
      test_send (self->relay.server, test_reply (DETACH, i));
      test_expect (self->relay.client, test_reply (DETACH, i));
      g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, i == 0 ? 1 : 0);
    }
}

static gboolean
host_was_asked (gpointer fake)
{
  return strcmp (test_helper_get_log (fake), "GetHost") == 0;
}

static guint
count_lookups (TestHeld *self)
{
  g_mutex_lock (&self->lock);
  guint lookups = self->lookups;
  g_mutex_unlock (&self->lock);
  return lookups;
}

static gboolean
was_looked_up (gpointer held)
{
  return count_lookups (held) > 0;
}

/* A check that comes to its end. */
static void
check_definition (TestHeld *self)
{
  g_mutex_lock (&self->lock);
  self->lookups = 0;
  g_mutex_unlock (&self->lock);
  driver_transactions_check (self->transactions, TEST_UUID);
  test_wait (was_looked_up, self);
  test_wait (test_held_is_idle, self->transactions);
}

/* Nothing is refused, and the helper is asked only where it has something to say. */
static void
test_define (TestHeld *self, gconstpointer data)
{
  static const TestGuest others[] = { RUNNING, TCG | STOPPED };

  for (gsize i = 0; i <= G_N_ELEMENTS (others); i++)
    {
      test_held_set_guest (self, i < G_N_ELEMENTS (others) ? others[i] : STOPPED,
                           i < G_N_ELEMENTS (others) ? GIVEN : "");
      check_definition (self);
    }
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  test_held_set_guest (self, STOPPED | NO_PHB, GIVEN GIVEN_SIBLING);
  driver_transactions_check (self->transactions, TEST_UUID);
  test_wait (host_was_asked, self->fake);
  test_wait (test_held_is_idle, self->transactions);
  test_held_set_unavailable (self, TRUE);
  check_definition (self);
}

/* A guest that starts is not looked for: libvirt holds it, and everybody would wait. Two
   definitions are checked once. */
static void
test_define_starting (TestHeld *self, gconstpointer data)
{
  test_held_set_guest (self, STOPPED, GIVEN);
  driver_transactions_check (self->transactions, TEST_UUID);
  test_run_for (100);
  g_assert_cmpuint (count_lookups (self), ==, 0);
  driver_transactions_starting (self->transactions, TEST_UUID);
  test_run_for (2500);
  g_assert_cmpuint (count_lookups (self), ==, 0);

  driver_transactions_check (self->transactions, TEST_UUID);
  driver_transactions_check (self->transactions, TEST_UUID);
  test_wait (was_looked_up, self);
  test_run_for (1500);
  g_assert_cmpuint (count_lookups (self), ==, 1);
}

int
main (int argc, char **argv)
{
#define ADD(name, data, function)                                                                  \
  g_test_add ("/driver/kinds/" name, TestHeld, data, test_held_set_up, function,                   \
              test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("update", NULL, test_update);
  ADD ("nvme", NULL, test_nvme);
  ADD ("network", HANDED_OUT, test_network);
  ADD ("network/another", NULL, test_network);
  ADD ("network/other", NULL, test_network_other);
  ADD ("functions", NULL, test_functions);
  ADD ("define", NULL, test_define);
  ADD ("define/starting", NULL, test_define_starting);
  return g_test_run ();
}
