/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-eeh-report.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-eeh-host.h"

#define FIRST  "0003:01:00.0"
#define SECOND "0003:01:00.1"
#define THIRD  "0003:02:00.0"

/* The first word is the firmware's, the second the kernel's. */
static void
test_states (void)
{
  static const struct
  {
    const char *text, *name;
    gboolean recovering;
  } states[] = {
    { "0x00000078 0x00000800", KVMHELPER_EEH_NORMAL },
    { "0x00000000 0x00000801", KVMHELPER_EEH_FROZEN },
    { "0x00000078 0x00000801", KVMHELPER_EEH_FROZEN }, /* noticed, and thawed meanwhile */
    { "0x00000010 0x00000800", KVMHELPER_EEH_FROZEN }, /* memory, not DMA */
    { "0x00000078 0x0000090f", KVMHELPER_EEH_FROZEN, TRUE },
    { "0x00000001 0x00000801", KVMHELPER_EEH_UNAVAILABLE },
    { "0x00000002 0x00000801", KVMHELPER_EEH_FAILED },
    { "0x00000078 0x00000c00", KVMHELPER_EEH_FAILED },
    { "", KVMHELPER_EEH_UNKNOWN },
    { "normal", KVMHELPER_EEH_UNKNOWN },
  };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      KvmHelperEehState state = kvmhelper_eeh_parse (states[i].text);

      g_test_message ("%s", states[i].text);
      g_assert_cmpstr (state.name, ==, states[i].name);
      g_assert_cmpint (state.recovering, ==, states[i].recovering);
    }
}

static void
add_function (KvmHelperDouble *host, const char *address, const char *number, const char *state)
{
  g_autofree char *directory = g_strconcat ("sys/devices/pci0003:00/", address, NULL);
  g_autofree char *config = g_strconcat (directory, "/eeh_pe_config_addr", NULL);
  g_autofree char *words = g_strconcat (directory, "/eeh_pe_state", NULL);

  kvmhelper_double_function (host, address, 3, "vfio-pci", 0);
  kvmhelper_double_file (host, config, number);
  kvmhelper_double_file (host, words, state);
}

/* A group of a partition: two PEs, one of them with two functions. The worst counts. */
static void
test_group (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  g_autoptr (KvmHelperGroup) group = NULL;
  g_autoptr (GArray) pes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  PciAddress first = kvmhelper_double_address (FIRST);
  KvmHelperFact fact;

  add_function (host, FIRST, "0x10001\n", "0x00000078 0x00000000\n");
  add_function (host, SECOND, "0x10001\n", "0x00000078 0x00000000\n");
  add_function (host, THIRD, "0x20001\n", "0x00000000 0x00000001\n");
  group = kvmhelper_group_read (&host->kernel, &first, &error);
  g_assert_no_error (error);
  pes = kvmhelper_eeh_group (&host->kernel, group);
  g_assert_cmpuint (pes->len, ==, 2);
  name = kvmhelper_eeh_pe_name (&g_array_index (pes, KvmHelperEehPe, 1));
  g_assert_cmpstr (name, ==, "PHB#3-PE#20001");
  fact = kvmhelper_eeh_fact (&host->kernel, group);
  g_assert_cmpstr (fact.value, ==, "frozen");
  g_assert_cmpstr (fact.source, ==, "/sys/bus/pci/devices/" THIRD "/eeh_pe_state");
  kvmhelper_fact_clear (&fact);
}

static const char *
setting (GVariant *settings, const char *name)
{
  const char *value = NULL, *source;

  g_variant_lookup (settings, name, "(&s&s)", &value, &source);
  return value;
}

static void
test_host (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  g_autoptr (GVariant) none = g_variant_ref_sink (kvmhelper_eeh_host_read (&host->kernel));
  g_autoptr (GVariant) all = NULL;

  g_assert_cmpuint (g_variant_n_children (none), ==, 0);
  kvmhelper_double_file (host, "sys/kernel/debug/powerpc/eeh_max_freezes", "5\n");
  kvmhelper_double_file (host, "sys/kernel/debug/powerpc/eeh_disable_recovery", "Y\n");
  kvmhelper_double_file (host, "sys/kernel/debug/powerpc/eeh_force_recover", "");
  kvmhelper_double_file (host, "proc/powerpc/eeh",
                         "EEH Subsystem is enabled\nno device=0\ncheck not wanted=3\n"
                         "eeh_total_mmio_ffs=7\neeh_slot_resets=2\nlater=much\n");
  all = g_variant_ref_sink (kvmhelper_eeh_host_read (&host->kernel));
  g_assert_cmpstr (setting (all, "max-freezes"), ==, "5");
  g_assert_cmpstr (setting (all, "recovery"), ==, "disabled");
  g_assert_cmpstr (setting (all, "force-recover"), ==, "available");
  g_assert_cmpstr (setting (all, "no-device"), ==, "0");
  g_assert_cmpstr (setting (all, "check-not-wanted"), ==, "3");
  g_assert_cmpstr (setting (all, "total-mmio-ffs"), ==, "7");
  g_assert_cmpstr (setting (all, "slot-resets"), ==, "2");
  g_assert_cmpuint (g_variant_n_children (all), ==, 7);
  g_assert_cmpuint (host->writes, ==, 0);
}

static KvmHelperLease *
new_lease (void)
{
  g_autoptr (GPtrArray) functions = g_ptr_array_new ();
  KvmHelperFunction function = { .address = kvmhelper_double_address (FIRST),
                                 .endpoint = TRUE,
                                 .driver = (char *) "",
                                 .driver_override = (char *) "" };

  g_ptr_array_add (functions, &function);
  return kvmhelper_lease_new ("boot", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0", "web",
                              &function.address, functions);
}

static void
set (KvmHelperGuestAddresses *addresses, const KvmHelperLease *lease, const char *text, int code)
{
  g_autoptr (GVariant) list = g_variant_parse (G_VARIANT_TYPE ("aa{sv}"), text, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (list);
  g_assert_cmpint (kvmhelper_guest_addresses_set (addresses, lease, list, &error), ==, code < 0);
  if (code >= 0)
    g_assert_error (error, COMMON_ERROR, code);
}

static void
test_guest_addresses (void)
{
  g_autoptr (KvmHelperGuestAddresses) addresses = kvmhelper_guest_addresses_new ();
  g_autoptr (KvmHelperLease) lease = new_lease ();
  PciAddress first = kvmhelper_double_address (FIRST);
  KvmHelperGuestAddress guest;
  g_autofree char *pe = NULL;

  g_assert_false (kvmhelper_guest_addresses_find (addresses, lease->id, &first, &guest));
  set (addresses, lease,
       "[{'address': <'" FIRST "'>, 'guest-address': <'0001:00:01.0'>, "
       "'guest-buid': <uint64 0x800000020000001>, 'guest-pe': <uint32 1>}]",
       -1);
  /* What is wrong changes nothing. */
  set (addresses, lease, "[{'address': <'" SECOND "'>}]", COMMON_ERROR_INVALID_ARGUMENT);
  set (addresses, lease, "[{'guest-pe': <uint32 1>}]", COMMON_ERROR_INVALID_ARGUMENT);
  set (addresses, lease, "[{'address': <'../../x'>}]", COMMON_ERROR_INVALID_ADDRESS);
  set (addresses, lease, "[{'address': <'" FIRST "'>, 'guest-address': <'a\nb'>}]",
       COMMON_ERROR_INVALID_ADDRESS);
  set (addresses, lease, "[{'address': <'" FIRST "'>, 'guest-pe': <'1'>}]",
       COMMON_ERROR_INVALID_ARGUMENT);
  set (addresses, lease, "[{'address': <'" FIRST "'>, 'more': <'1'>}]",
       COMMON_ERROR_INVALID_ARGUMENT);
  g_assert_true (kvmhelper_guest_addresses_find (addresses, lease->id, &first, &guest));
  g_assert_cmpstr (guest.guest, ==, "0001:00:01.0");
  g_assert_cmphex (guest.buid, ==, G_GUINT64_CONSTANT (0x800000020000001));
  pe = kvmhelper_guest_address_pe_name (&guest);
  g_assert_cmpstr (pe, ==, "PHB#1-PE#1");
  kvmhelper_guest_addresses_forget (addresses, lease->id);
  g_assert_false (kvmhelper_guest_addresses_find (addresses, lease->id, &first, &guest));
}

/* What was logged last, as "FIELD=value" lines. */
static GString *logged;

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  if (logged == NULL)
    return g_log_writer_default (level, fields, count, data);
  g_string_truncate (logged, 0);
  for (gsize i = 0; i < count; i++)
    g_string_append_printf (logged, "%s=%s\n", fields[i].key, (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

static void
assert_logged (const char *line)
{
  if (strstr (logged->str, line) == NULL)
    g_error ("%s has no %s", logged->str, line);
}

static void
test_report (void)
{
  g_autoptr (KvmHelperLease) lease = new_lease ();
  KvmHelperEehPe pe = { kvmhelper_double_address (FIRST), 3, 0x1fd };
  KvmHelperEehChange change = { lease, &pe, KVMHELPER_EEH_NORMAL, KVMHELPER_EEH_FROZEN };
  KvmHelperGuestAddress guest = { "0001:00:01.0", G_GUINT64_CONSTANT (0x800000020000001), TRUE, 1 };
  g_autoptr (GVariant) variant = NULL;
  const char *text;
  guint64 buid;
  guint number;

  logged = g_string_new (NULL);
  kvmhelper_eeh_report_log (&change, &guest);
  assert_logged ("MESSAGE_ID=" KVMHELPER_MESSAGE_EEH_FROZEN "\n");
  assert_logged ("MESSAGE=EEH: the PE PHB#3-PE#1fd is frozen, and was normal: " FIRST
                 ", which is 0001:00:01.0 (PHB#1-PE#1) in guest web\n");
  assert_logged ("PRIORITY=4\n");
  assert_logged ("PCI_ADDRESS=" FIRST "\n");
  assert_logged ("DOMAIN_UUID=4dea22b3-1d52-d8f3-2516-782e98ab3fa0\n");
  assert_logged ("EEH_PE=PHB#3-PE#1fd\n");
  assert_logged ("GUEST_ADDRESS=0001:00:01.0\n");
  assert_logged ("GUEST_BUID=800000020000001\n");
  assert_logged ("GUEST_PE=PHB#1-PE#1\n");
  change.after = KVMHELPER_EEH_FAILED;
  kvmhelper_eeh_report_log (&change, NULL);
  assert_logged ("MESSAGE_ID=" KVMHELPER_MESSAGE_EEH_LOST "\n");
  assert_logged (FIRST ", in guest web\n");
  g_assert_null (strstr (logged->str, "GUEST_"));
  change.after = KVMHELPER_EEH_NORMAL;
  kvmhelper_eeh_report_log (&change, NULL);
  assert_logged ("MESSAGE_ID=" KVMHELPER_MESSAGE_EEH_NORMAL "\n");
  assert_logged ("PRIORITY=5\n");
  g_string_free (g_steal_pointer (&logged), TRUE);

  variant = g_variant_ref_sink (kvmhelper_eeh_report_variant (&change, &guest));
  g_assert_true (g_variant_lookup (variant, "state", "&s", &text));
  g_assert_cmpstr (text, ==, "normal");
  g_assert_true (g_variant_lookup (variant, "domain-name", "&s", &text));
  g_assert_true (g_variant_lookup (variant, "pe", "u", &number));
  g_assert_cmphex (number, ==, 0x1fd);
  g_assert_true (g_variant_lookup (variant, "guest-buid", "t", &buid));
}

/* The entry of a message in a catalog, up to the next one. */
static char *
find_entry (const char *catalog, const char *id)
{
  g_autofree char *head = g_strdup_printf ("\n-- %s\nSubject: ", id);
  const char *start = strstr (catalog, head);
  const char *end;

  g_assert_nonnull (start);
  end = strstr (start + 1, "\n-- ");
  return end == NULL ? g_strdup (start) : g_strndup (start, (gsize) (end - start));
}

static void
check_fields (const char *entry)
{
  static const char *const fields[] = { "@PCI_ADDRESS@",
                                        "@DOMAIN_NAME@",
                                        "@DOMAIN_UUID@",
                                        "@EEH_PE@",
                                        "@EEH_STATE@",
                                        "@EEH_BEFORE@",
                                        NULL };
  g_autoptr (GRegex) regex = g_regex_new ("@[A-Z_]+@", 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  for (g_regex_match (regex, entry, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    {
      g_autofree char *field = g_match_info_fetch (match, 0);

      g_test_message ("%s", field);
      g_assert_true (g_strv_contains (fields, field));
    }
}

/* Every message has its entry, in each language, and every field in it is one that is logged. */
static void
test_catalog (void)
{
  static const char *const files[]
      = { DATA_DIR "/ppc64-kvmhelper.catalog", DATA_DIR "/ppc64-kvmhelper.de.catalog",
          DATA_DIR "/ppc64-kvmhelper.fr.catalog" };
  static const char *const ids[]
      = { KVMHELPER_MESSAGE_EEH_FROZEN, KVMHELPER_MESSAGE_EEH_LOST, KVMHELPER_MESSAGE_EEH_NORMAL };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      g_file_get_contents (files[i], &text, NULL, &error);
      g_assert_no_error (error);
      for (guint j = 0; j < G_N_ELEMENTS (ids); j++)
        {
          g_autofree char *entry = find_entry (text, ids[j]);

          check_fields (entry);
        }
    }
}

int
main (int argc, char **argv)
{
  g_log_set_writer_func (keep, NULL, NULL);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/eeh/states", test_states);
  g_test_add_func ("/kvmhelper/eeh/group", test_group);
  g_test_add_func ("/kvmhelper/eeh/host", test_host);
  g_test_add_func ("/kvmhelper/eeh/guest-addresses", test_guest_addresses);
  g_test_add_func ("/kvmhelper/eeh/report", test_report);
  g_test_add_func ("/kvmhelper/eeh/catalog", test_catalog);
  return g_test_run ();
}
