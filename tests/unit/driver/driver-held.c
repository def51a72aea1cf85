/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-held.h"

#include <string.h>

#include "common/common-error.h"

#define GRACE_SECONDS 1

static gboolean
get_xml (gpointer data, const char *uuid, guint timeout, char **xml, GError **error)
{
  TestHeld *self = data;
  gboolean unavailable;

  g_assert_cmpstr (uuid, ==, TEST_UUID);
  g_mutex_lock (&self->lock);
  self->lookups++;
  *xml = g_strdup (self->xml);
  unavailable = self->unavailable;
  g_mutex_unlock (&self->lock);
  if (unavailable)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE, "libvirt is gone.");
  return !unavailable;
}

static gboolean
get_network (gpointer data, const char *name, guint timeout, GStrv *texts, GError **error)
{
  TestHeld *self = data;

  g_assert_cmpstr (name, ==, "functions");
  *texts = g_strdupv ((GStrv) self->network);
  return TRUE;
}

void
test_held_set_unavailable (TestHeld *self, gboolean unavailable)
{
  g_mutex_lock (&self->lock);
  self->unavailable = unavailable;
  g_mutex_unlock (&self->lock);
}

void
test_held_set_guest (TestHeld *self, TestGuest guest, const char *devices)
{
  g_mutex_lock (&self->lock);
  g_free (self->xml);
  self->xml = g_strdup_printf (
      "<domain type='%s'%s><name>guest</name><uuid>" TEST_UUID "</uuid>"
      "%s<os><type arch=%s>hvm</type></os><devices>"
      "<controller type='pci' index='0' model='pci-root'/>%s%s</devices></domain>",
      (guest & TCG) != 0 ? "qemu" : "kvm", (guest & STOPPED) != 0 ? "" : " id='7'",
      self->metadata != NULL ? self->metadata : "",
      (guest & S390X) != 0 ? "'s390x' machine='s390-ccw-virtio-8.2'"
                           : "'ppc64le' machine='pseries-7.2'",
      (guest & (NO_PHB | S390X)) != 0 ? ""
                                      : "<controller type='pci' index='1' model='pci-root'>"
                                        "<target index='1'/></controller>"
                                        "<controller type='pci' index='2' model='pci-root'>"
                                        "<target index='2'/></controller>",
      devices);
  g_mutex_unlock (&self->lock);
}

void
test_held_set_up (TestHeld *self, gconstpointer data)
{
  g_mutex_init (&self->lock);
  self->fake = test_helper_new ();
  self->helper = driver_helper_new (test_helper_get_address (self->fake));
  self->domains = (DriverDomains){ get_xml, self, get_network };
  self->transactions = driver_transactions_new (self->helper, &self->domains, GRACE_SECONDS);
  test_held_set_guest (self, RUNNING, "");
  test_relay_start (&self->relay, self->offer != NULL ? self->offer : driver_transactions_offer,
                    self->transactions);
  test_relay_open (&self->relay);
}

gboolean
test_held_is_idle (gpointer transactions)
{
  return driver_transactions_get_length (transactions) == 0;
}

void
test_held_tear_down (TestHeld *self, gconstpointer data)
{
  test_wait (test_held_is_idle, self->transactions);
  test_relay_stop (&self->relay);
  driver_transactions_free (self->transactions);
  driver_helper_free (self->helper);
  test_helper_free (self->fake);
  g_free (self->xml);
  g_mutex_clear (&self->lock);
}

void
test_held_expect_forwarded (TestHeld *self, GBytes *call, const char *log)
{
  test_expect (self->relay.server, call);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, log);
  test_helper_clear_log (self->fake);
}

gboolean
test_held_has_no_lease (gpointer fake)
{
  return test_helper_get_n_leases (fake) == 0;
}

gboolean
test_held_is_committed (gpointer fake)
{
  return strstr (test_helper_get_log (fake), "Commit(L1)") != NULL;
}

void
test_held_expect_error (TestHeld *self, guint32 serial, int code, const char *words)
{
  g_autoptr (GBytes) frame = test_receive (self->relay.client);
  DriverFrameHeader header;
  int got;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_assert_cmpuint (header.serial, ==, serial);
  g_assert_cmpuint (header.type, ==, DRIVER_FRAME_REPLY);
  g_autofree char *message = driver_frame_error_message (frame, &got);
  g_assert_cmpint (got, ==, code);
  if (strstr (message, words) == NULL)
    g_error ("“%s” is not in “%s”", words, message);
}
