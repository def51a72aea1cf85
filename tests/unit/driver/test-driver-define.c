/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>

#include "driver-held.h"

/* Definitions: they pass, but for one that requires what the host does not have. */

#define DEFINE       11
#define DEFINE_FLAGS 350
#define REQUIRED                                                                                   \
  "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "                \
  "xive='required'/></metadata>"
#define PREFERRED                                                                                  \
  "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "                \
  "xive='preferred'/><!-- nothing is required --></metadata>"
#define BROKEN                                                                                     \
  "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "                \
  "xive='required' eeh='of course'/></metadata>"
#define XICS                                                                                       \
  "<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-machine'/>"        \
  "<arg value='ic-mode=xics'/></commandline>"
#define S390X                                                                                      \
  "<domain type='kvm'><name>guest</name><uuid>" TEST_UUID "</uuid>" REQUIRED                       \
  "<os><type arch='s390x' machine='s390-ccw-virtio-8.2'>hvm</type></os><devices>" TEST_HOSTDEV     \
  "</devices></domain>"
#define DOMAIN(type, more, devices)                                                                \
  "<domain type='" type "'><name>guest</name><uuid>" TEST_UUID "</uuid>" more                      \
  "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices>"                        \
  "<controller type='pci' index='0' model='pci-root'/><controller type='pci' index='1' "           \
  "model='pci-root'><target index='1'/></controller>" devices "</devices></domain>"

static GBytes *
define_call (guint32 procedure, guint32 serial, const char *xml)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_string (payload, xml);
  if (procedure == DEFINE_FLAGS)
    test_put_u32 (payload, 1);
  return test_frame (0x20008086u, procedure, 0, serial, 0, payload);
}

static void
check_passes (TestHeld *self, const char *xml, const char *log)
{
  static const guint32 procedures[] = { DEFINE, DEFINE_FLAGS };

  for (guint32 i = 0; i < G_N_ELEMENTS (procedures); i++)
    {
      test_send (self->relay.client, define_call (procedures[i], 2, xml));
      test_held_expect_forwarded (self, define_call (procedures[i], 2, xml), log);
      /* A reply that is no device call's. */
      test_send (self->relay.server, test_error (procedures[i], 2, "as libvirt says"));
      test_expect (self->relay.client, test_error (procedures[i], 2, "as libvirt says"));
    }
  g_assert_cmpuint (self->lookups, ==, 0);
}

/* Without asking anybody. */
static void
test_others (TestHeld *self, gconstpointer data)
{
  g_autofree char *long_name = g_strnfill (300 * 1024, 'x');
  g_autofree char *huge
      = g_strconcat (long_name, DOMAIN ("kvm", REQUIRED XICS, TEST_HOSTDEV), NULL);

  check_passes (self, "no XML", "");
  check_passes (self, DOMAIN ("kvm", "", TEST_HOSTDEV), "");
  check_passes (self, DOMAIN ("kvm", XICS, TEST_HOSTDEV), "");
  check_passes (self, DOMAIN ("qemu", REQUIRED XICS, TEST_HOSTDEV), "");
  check_passes (self, DOMAIN ("kvm", REQUIRED XICS, ""), "");
  check_passes (self, DOMAIN ("kvm", BROKEN XICS, TEST_HOSTDEV), "");
  check_passes (self, S390X, "");
  check_passes (self, huge, "");
}

/* What else stands against its start is for the start. */
static void
test_met (TestHeld *self, gconstpointer data)
{
  check_passes (self, DOMAIN ("kvm", REQUIRED, TEST_HOSTDEV), "GetHost");
  check_passes (self, DOMAIN ("kvm", REQUIRED, TEST_HOSTDEV_XML ("0x0077", "0x0")), "GetHost");
  check_passes (self, DOMAIN ("kvm", PREFERRED XICS, TEST_HOSTDEV), "GetHost");
}

static void
test_unmet (TestHeld *self, gconstpointer data)
{
  static const guint32 procedures[] = { DEFINE, DEFINE_FLAGS };

  for (guint32 i = 0; i < G_N_ELEMENTS (procedures); i++)
    {
      test_send (self->relay.client,
                 define_call (procedures[i], 3, DOMAIN ("kvm", REQUIRED XICS, TEST_HOSTDEV)));
      test_held_expect_error (self, 3, VIR_ERR_CONFIG_UNSUPPORTED, "XIVE");
      test_expect_none (self->relay.server);
    }
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
}

/* That the host cannot be asked is no reason. */
static void
test_no_helper (TestHeld *self, gconstpointer data)
{
  test_helper_leave (self->fake);
  check_passes (self, DOMAIN ("kvm", REQUIRED XICS, TEST_HOSTDEV), "");
}

static gboolean
offer_limited (DriverCall *call, gpointer transactions)
{
  driver_call_set_user (call, 1000, TRUE);
  return driver_transactions_offer (call, transactions);
}

static void
set_up_limited (TestHeld *self, gconstpointer data)
{
  self->offer = offer_limited;
  test_held_set_up (self, data);
}

/* Whether libvirt lets him is not known: nothing of the host is told. */
static void
test_limited (TestHeld *self, gconstpointer data)
{
  check_passes (self, DOMAIN ("kvm", REQUIRED XICS, TEST_HOSTDEV), "");
}

int
main (int argc, char **argv)
{
#define ADD(name, set_up, function)                                                                \
  g_test_add ("/driver/define/" name, TestHeld, NULL, set_up, function, test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("others", test_held_set_up, test_others);
  ADD ("met", test_held_set_up, test_met);
  ADD ("unmet", test_held_set_up, test_unmet);
  ADD ("no-helper", test_held_set_up, test_no_helper);
  ADD ("limited", set_up_limited, test_limited);
  return g_test_run ();
}
