/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-error.h"
#include "hostdev-recorded.h"

/* What QEMU says of its zPCI functions, from the answers of a real one. */

#define ZPCI5 "/machine/peripheral/zpci5"
#define GONE  "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device not found\"}}"

static GPtrArray *
read_all (Recorded *recorded)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *functions = hostdev_monitor_read (recorded_ask, recorded, &error);

  g_assert_no_error (error);
  return functions;
}

static void
expect (const GPtrArray *functions, guint which, guint uid, guint fid, const char *target,
        const char *kind, gboolean interpret)
{
  const HostdevZpciFunction *function = functions->pdata[which];

  g_assert_cmphex (function->uid, ==, uid);
  g_assert_cmphex (function->fid, ==, fid);
  g_assert_cmpstr (function->target, ==, target);
  g_assert_cmpstr (function->kind, ==, kind);
  g_assert_true (function->can_interpret);
  g_assert_cmpint (function->interpret, ==, interpret);
  g_assert_cmpint (function->forwarding, ==, interpret);
}

/* All four, by uid; also the one that QEMU made, and the one without a device, of which all is
 * still as it was asked for. */
static void
test_read (void)
{
  g_autoptr (Recorded) recorded = recorded_new ();
  g_autoptr (GPtrArray) functions = read_all (recorded);

  g_assert_cmpuint (functions->len, ==, 4);
  expect (functions, 0, 1, 0, "alone", "virtio-rng-pci", FALSE);
  expect (functions, 1, 5, 7, "hostdev0", "virtio-net-pci", FALSE);
  expect (functions, 2, 6, 8, "rng1", "virtio-rng-pci", FALSE);
  expect (functions, 3, 0xffff, 0xffffffff, "hostdev1", NULL, TRUE);
  /* and no question was asked twice */
  g_assert_cmpuint (recorded->asked, ==, g_hash_table_size (recorded->answers));
}

/* Plugged and with what KVM allows: as QEMU would say it on such a machine. */
static void
test_interpreted (void)
{
  g_autoptr (Recorded) recorded = recorded_new ();

  recorded_set (recorded, ZPCI5, "interpret", "{\"return\": true}");
  g_autoptr (GPtrArray) functions = read_all (recorded);
  const HostdevZpciFunction *function = functions->pdata[1];
  g_assert_true (function->interpret);
  g_assert_false (function->forwarding);
}

/* QEMU of before 7.2 has no such property, and is not asked for it. */
static void
test_old (void)
{
  g_autoptr (Recorded) recorded = recorded_new ();
  guint all = g_hash_table_size (recorded->answers);

  recorded_set (recorded, ZPCI5, NULL,
                "{\"return\": [{\"name\": \"uid\", \"type\": \"uint16\"}, {\"name\": \"fid\", "
                "\"type\": \"zpci_fid\"}, {\"name\": \"target\", \"type\": \"str\"}]}");
  g_autoptr (GPtrArray) functions = read_all (recorded);
  const HostdevZpciFunction *function = functions->pdata[1];
  g_assert_false (function->can_interpret);
  g_assert_cmpuint (recorded->asked, ==, all - 2);
}

/* Unplugged while it is asked about: it is left out. */
static void
test_gone (void)
{
  static const char *const properties[] = { NULL, "uid", "target", "forwarding-assist" };

  for (gsize i = 0; i < G_N_ELEMENTS (properties); i++)
    {
      g_autoptr (Recorded) recorded = recorded_new ();

      recorded_set (recorded, ZPCI5, properties[i], GONE);
      g_autoptr (GPtrArray) functions = read_all (recorded);
      g_assert_cmpuint (functions->len, ==, 3);
      expect (functions, 1, 6, 8, "rng1", "virtio-rng-pci", FALSE);
    }
}

/* An answer that is none is an error, and never a guess. */
static void
test_nonsense (void)
{
  static const struct
  {
    const char *path, *property, *answer;
  } cases[] = {
    { ZPCI5, "uid", "" },
    { ZPCI5, "uid", "{" },
    { ZPCI5, "uid", "[]" },
    { ZPCI5, "uid", "{}" },
    { ZPCI5, "uid", "{\"return\": \"5\"}" },
    { ZPCI5, "uid", "{\"return\": null}" },
    { ZPCI5, "interpret", "{\"return\": 1}" },
    { ZPCI5, "target", "{\"return\": {}}" },
    { ZPCI5, NULL, "{\"return\": {}}" },
    { "/machine/peripheral", NULL, GONE },
    { "/machine/unattached", NULL, GONE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Recorded) recorded = recorded_new ();
      g_autoptr (GError) error = NULL;

      recorded_set (recorded, cases[i].path, cases[i].property, cases[i].answer);
      g_test_message ("%s", cases[i].answer);
      g_assert_null (hostdev_monitor_read (recorded_ask, recorded, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE);
    }
}

/* Elements of a list that are no children, or of which the name is missing, are passed over. */
static void
test_odd_list (void)
{
  g_autoptr (Recorded) recorded = recorded_new ();

  recorded_set (recorded, "/machine/peripheral", NULL,
                "{\"return\": [1, {}, {\"name\": 7, \"type\": \"child<zpci>\"}, {\"type\": "
                "\"child<zpci>\"}, {\"name\": \"zpci5\", \"type\": \"child<zpci>\"}, {\"name\": "
                "\"hostdev0\", \"type\": \"link<bus>\"}]}");
  g_autoptr (GPtrArray) functions = read_all (recorded);
  g_assert_cmpuint (functions->len, ==, 2);
  expect (functions, 1, 5, 7, "hostdev0", NULL, FALSE);
}

static char *
refuse (const char *command, gpointer data, GError **error)
{
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED, "no");
  return NULL;
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (hostdev_monitor_read (refuse, NULL, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/monitor/read", test_read);
  g_test_add_func ("/hostdev/monitor/interpreted", test_interpreted);
  g_test_add_func ("/hostdev/monitor/old", test_old);
  g_test_add_func ("/hostdev/monitor/gone", test_gone);
  g_test_add_func ("/hostdev/monitor/nonsense", test_nonsense);
  g_test_add_func ("/hostdev/monitor/odd-list", test_odd_list);
  g_test_add_func ("/hostdev/monitor/refused", test_refused);
  return g_test_run ();
}
