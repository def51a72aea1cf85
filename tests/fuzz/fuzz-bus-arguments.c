/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/common-error.h"
#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-details.h"
#include "kvmhelper/kvmhelper-guest-address.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-methods.h"
#include "kvmhelper/kvmhelper-service-private.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The arguments of a call: a byte that chooses the method, and then the arguments as GVariant has
 * them. What is told to polkit is canonical; what a method takes is what the interface says; what
 * it does not take says why. */

#define LEASE                                                                                      \
  "[lease]\nversion=1\nid=2f7d0c30-6b46-4f5c-8a6f-2c5f2a0f8a11\nboot-id=\n"                        \
  "domain-uuid=4dea22b3-1d52-d8f3-2516-782e98ab3fa0\ndomain-name=guest\naddress=0003:01:00.0\n"    \
  "phase=active\nsince=1\nholder-pid=7\ngranted=\nleft=\n[member 0003:01:00.0]\nvendor=1\n"        \
  "device=1\nsubsystem-vendor=1\nsubsystem-device=1\nclass=1\ndriver=nvme\ndriver-override=\n"

static char *directory;
static KvmHelperLeases *leases;
static KvmHelperLease *lease;

/* A kernel that knows nothing but which boot this is. */
static int
fuzz_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  return g_str_has_suffix (path, "boot_id") ? open ("/proc/sys/kernel/random/boot_id", O_RDONLY)
                                            : -ENOENT;
}

static void
fuzz_close (gpointer data, int handle)
{
  close (handle);
}

static gssize
fuzz_read (gpointer data, int handle, void *buffer, gsize length)
{
  return read (handle, buffer, length);
}

static gssize
fuzz_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  return -ENOENT;
}

static int
fuzz_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  return -ENOENT;
}

static int
fuzz_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  return -ENOENT;
}

static const KvmHelperKernelCalls calls = {
  .open = fuzz_open,
  .close = fuzz_close,
  .read = fuzz_read,
  .readlink = fuzz_readlink,
  .list = fuzz_list,
  .stat = fuzz_stat,
};

static void
clean (void)
{
  g_autofree char *records = g_build_filename (directory, "leases", NULL);

  kvmhelper_lease_free (lease);
  kvmhelper_leases_free (leases);
  rmdir (records);
  rmdir (directory);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  static const KvmHelperKernel kernel = { &calls, NULL, 0x10000, 4242, NULL };
  static const KvmHelperListener listener = { NULL, NULL, NULL };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  fuzz_strict ();
  directory = g_strdup ("/dev/shm/fuzz-arguments-XXXXXX");
  g_assert_nonnull (g_mkdtemp (directory));
  leases = kvmhelper_leases_open (&kernel, directory, NULL, &listener, cancellable, &error);
  g_assert_no_error (error);
  lease = kvmhelper_lease_from_text (LEASE, strlen (LEASE), &error);
  g_assert_no_error (error);
  return atexit (clean);
}

static void
check_details (const GDBusMethodInfo *method, GVariant *parameters)
{
  g_auto (KvmHelperDetails) details = { NULL };
  g_auto (KvmHelperDetails) again = { NULL };
  PciAddress address;

  kvmhelper_details_init (&details, leases, method, parameters);
  kvmhelper_details_init (&again, leases, method, parameters);
  g_assert_true (kvmhelper_details_equal (&details, &again));
  g_assert_true (details.address == NULL || pci_address_parse (details.address, &address, NULL));
  g_assert_true (details.domain == NULL || g_uuid_string_is_valid (details.domain));
  if (details.domain_name == NULL)
    return;
  g_assert_cmpuint (strlen (details.domain_name), <=, KVMHELPER_MAX_DOMAIN_NAME);
  for (const char *c = details.domain_name; *c != '\0'; c++)
    g_assert_false (g_ascii_iscntrl (*c));
}

static void
check_error (gboolean taken, GError *error)
{
  g_assert_true (taken == (error == NULL));
  g_assert_true (taken || (error->domain == COMMON_ERROR && *error->message != '\0'));
  g_clear_error (&error);
}

static void
check_options (const GDBusMethodInfo *method, GVariant *parameters, GVariant *options)
{
  KvmHelperRehearseMode mode;
  guint seconds = G_MAXUINT;
  GError *error = NULL;

  check_error (kvmhelper_method_get_mode (options, &mode, &error), error);
  error = NULL;
  check_error (kvmhelper_method_get_timeout (options, &seconds, &error), error);
  g_assert_cmpuint (seconds, <=, KVMHELPER_MAX_RELEASE_SECONDS);
  kvmhelper_details_has_option (method, parameters, "override");
}

static void
check_functions (GVariant *functions)
{
  g_autoptr (KvmHelperGuestAddresses) addresses = kvmhelper_guest_addresses_new ();
  const PciAddress function = { 3, 1, 0, 0 };
  KvmHelperGuestAddress address;
  GVariantBuilder builder;
  GError *error = NULL;

  check_error (kvmhelper_guest_addresses_set (addresses, lease, functions, &error), error);
  if (!kvmhelper_guest_addresses_find (addresses, lease->id, &function, &address))
    return;
  g_free (kvmhelper_guest_address_pe_name (&address));
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  kvmhelper_guest_address_add (&address, &builder);
  g_variant_builder_clear (&builder);
}

static void
check_argument (const GDBusMethodInfo *method, GVariant *parameters, const char *name,
                GVariant *value)
{
  GError *error = NULL;

  if (g_str_equal (name, "options"))
    check_options (method, parameters, value);
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("aa{sv}")))
    check_functions (value);
  else if (g_str_equal (name, "domain_uuid"))
    check_error (
        kvmhelper_method_check_domain (g_variant_get_string (value, NULL), "guest", &error), error);
  else if (g_str_equal (name, "domain_name"))
    check_error (kvmhelper_method_check_domain (lease->domain_uuid,
                                                g_variant_get_string (value, NULL), &error),
                 error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const GDBusInterfaceInfo *interface = kvm_helper_dbus_kvm_helper1_interface_info ();
  const GDBusMethodInfo *method;
  g_autoptr (GString) type = g_string_new ("(");
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) raw = NULL;
  g_autoptr (GVariant) parameters = NULL;
  guint methods = 0;

  while (interface->methods[methods] != NULL)
    methods++;
  if (size == 0)
    return 0;
  method = interface->methods[data[0] % methods];
  for (gsize i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    g_string_append (type, method->in_args[i]->signature);
  g_string_append_c (type, ')');
  bytes = g_bytes_new (data + 1, size - 1);
  raw = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type->str), bytes, FALSE));
  /* as GDBus gives it */
  parameters = g_variant_get_normal_form (raw);
  check_details (method, parameters);
  for (gsize i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    {
      g_autoptr (GVariant) value = g_variant_get_child_value (parameters, i);

      check_argument (method, parameters, method->in_args[i]->name, value);
    }
  return 0;
}
