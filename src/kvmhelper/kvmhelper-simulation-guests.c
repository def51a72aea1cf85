/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-simulation-guests.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-policy.h"
#include "kvmhelper/simulated/kvmhelper-sim-qemu.h"

#include <glib/gi18n-lib.h>

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define GIB (G_GUINT64_CONSTANT (1) << 30)

#define MAX_GUESTS       64
#define DEFAULT_MEMORY   (1 * GIB)
#define MAX_MEMORY_MIB   (1u << 20)
#define MAX_VCPUS        64
#define MAX_VECTORS      2048
#define MAX_LINGER_MSEC  (60u * 60 * 1000)
#define LIBVIRT_QEMU_UID 64055

/* What a session may lock by itself: systemd's DefaultLimitMEMLOCK=. */
#define SESSION_MEMLOCK (8 * MIB)

/* libvirt allows a pSeries guest more than its memory, for DMA windows and their tables
 * (src/qemu/qemu_domain.c: getPPC64MemLockLimitBytes); this is more than it comes to. */
#define MEMLOCK(memory) (2 * (memory) + 8 * GIB)

struct _KvmHelperGuests
{
  KvmHelperSim *host;
  GMutex lock;
  GHashTable *table; /* name -> KvmHelperSimQemu */
};

static void
guests_free (gpointer data)
{
  KvmHelperGuests *guests = data;

  g_hash_table_unref (guests->table);
  g_mutex_clear (&guests->lock);
  g_free (guests);
}

static gboolean
fail (GDBusMethodInvocation *invocation, GError *error)
{
  g_dbus_method_invocation_take_error (invocation, error);
  return TRUE;
}

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

/* With the lock held. */
static KvmHelperSimQemu *
find (KvmHelperGuests *guests, const char *name, GError **error)
{
  KvmHelperSimQemu *qemu = g_hash_table_lookup (guests->table, name);

  if (qemu == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                 _ ("No guest \"%s\" runs on the simulated host"), name);
  return qemu;
}

static gboolean
read_ic_mode (const char *text, KvmHelperSimIcMode *mode, GError **error)
{
  static const char *const names[] = { "dual", "xive", "xics" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (names[i], text))
      {
        *mode = (KvmHelperSimIcMode) i;
        return TRUE;
      }
  return refuse (error, _ ("The option \"ic-mode\" is \"dual\", \"xive\" or \"xics\""));
}

static gboolean
read_number (GVariant *value, guint max, guint *number, GError **error)
{
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    *number = g_variant_get_uint32 (value);
  else
    *number = 0;
  return (*number >= 1 && *number <= max)
         || refuse (error, _ ("An option of the guest is no number, or too large"));
}

/* One option, into the configuration. */
static gboolean
read_option (const char *key, GVariant *value, KvmHelperSimQemuConfig *config, char **uuid,
             GError **error)
{
  gboolean text = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING);
  guint number;

  if (g_str_equal (key, "uuid") && text)
    {
      g_free (*uuid);
      config->uuid = *uuid = g_variant_dup_string (value, NULL);
      return kvmhelper_uuid_is_canonical (config->uuid)
             || refuse (error, _ ("The guest's UUID is none, or not in lower case"));
    }
  if (g_str_equal (key, "ic-mode") && text)
    return read_ic_mode (g_variant_get_string (value, NULL), &config->ic_mode, error);
  if (g_str_equal (key, "memory"))
    {
      if (!read_number (value, MAX_MEMORY_MIB, &number, error))
        return FALSE;
      config->memory = number * MIB;
      return TRUE;
    }
  if (g_str_equal (key, "vcpus"))
    return read_number (value, MAX_VCPUS, &config->vcpus, error);
  if (g_str_equal (key, "user") && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    {
      config->session = TRUE;
      config->uid = g_variant_get_uint32 (value);
      return TRUE;
    }
  if (g_str_equal (key, "memlock") && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    config->memlock = g_variant_get_uint64 (value);
  else if (g_str_equal (key, "one-phb") && g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
    config->one_phb = g_variant_get_boolean (value);
  else
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("There is no option \"%s\", or not of this type"), key);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_options (GVariant *options, KvmHelperSimQemuConfig *config, char **uuid, GError **error)
{
  GVariantIter iter;
  GVariant *value;
  const char *key;

  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      gboolean read = read_option (key, value, config, uuid, error);

      g_variant_unref (value);
      if (!read)
        return FALSE;
    }
  if (config->memlock == 0)
    config->memlock = config->session ? SESSION_MEMLOCK : MEMLOCK (config->memory);
  return TRUE;
}

/* With the lock held. */
static KvmHelperSimQemu *
start (KvmHelperGuests *guests, const char *name, GVariant *options, GError **error)
{
  KvmHelperSimQemuConfig config
      = { .name = name, .uuid = "", .memory = DEFAULT_MEMORY, .uid = LIBVIRT_QEMU_UID };
  g_autofree char *uuid = NULL;
  KvmHelperSimQemu *qemu;

  if (*name == '\0' || g_hash_table_contains (guests->table, name)
      || g_hash_table_size (guests->table) >= MAX_GUESTS)
    {
      refuse (error, *name == '\0' ? _ ("A guest has a name")
                                   : _ ("A guest of that name runs, or too many do"));
      return NULL;
    }
  if (!read_options (options, &config, &uuid, error))
    return NULL;
  qemu = kvmhelper_sim_qemu_new (guests->host, &config, error);
  if (qemu != NULL)
    g_hash_table_insert (guests->table, g_strdup (name), qemu);
  return qemu;
}

static gboolean
on_start_guest (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                const char *name, GVariant *options, gpointer data)
{
  KvmHelperGuests *guests = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guests->lock);
  GError *error = NULL;
  KvmHelperSimQemu *qemu = start (guests, name, options, &error);

  if (qemu == NULL)
    return fail (invocation, error);
  kvm_helper_dbus_simulation1_complete_start_guest (object, invocation,
                                                    kvmhelper_sim_qemu_pid (qemu));
  return TRUE;
}

static gboolean
on_open_process (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                 GUnixFDList *list, guint pid, gpointer data)
{
  g_autofree char *name = g_strdup_printf (KVMHELPER_SIM_STAND_IN "%u", pid);
  int descriptor = memfd_create (name, MFD_CLOEXEC);
  g_autoptr (GUnixFDList) out = NULL;
  GError *error = NULL;

  if (descriptor < 0)
    {
      common_error_set_errno (&error, errno, "memfd_create");
      return fail (invocation, error);
    }
  out = g_unix_fd_list_new_from_array (&descriptor, 1);
  kvm_helper_dbus_simulation1_complete_open_process (object, invocation, out,
                                                     g_variant_new_handle (0));
  return TRUE;
}

/* What is done to a function of a guest; @number is what the method has beside it, if anything. */
typedef gboolean (*FunctionFunc) (KvmHelperSimQemu *qemu, const PciAddress *function, guint number,
                                  GError **error);

static gboolean
attach (KvmHelperSimQemu *qemu, const PciAddress *function, guint number, GError **error)
{
  return kvmhelper_sim_qemu_attach (qemu, function, error);
}

static gboolean
use (KvmHelperSimQemu *qemu, const PciAddress *function, guint vectors, GError **error)
{
  if (vectors > MAX_VECTORS)
    return refuse (error, _ ("A function has 2048 interrupts at most"));
  return kvmhelper_sim_qemu_use (qemu, function, vectors, error);
}

static gboolean
recover (KvmHelperSimQemu *qemu, const PciAddress *function, guint number, GError **error)
{
  return kvmhelper_sim_qemu_recover (qemu, function, error);
}

static gboolean
detach (KvmHelperSimQemu *qemu, const PciAddress *function, guint linger, GError **error)
{
  if (linger > MAX_LINGER_MSEC)
    return refuse (error, _ ("QEMU keeps a group for no more than an hour"));
  kvmhelper_sim_qemu_set_linger (qemu, linger * G_TIME_SPAN_MILLISECOND);
  return kvmhelper_sim_qemu_detach (qemu, function, error);
}

/* A method about a function of a guest; its answer has nothing in it. */
static gboolean
do_with_function (KvmHelperGuests *guests, GDBusMethodInvocation *invocation, const char *name,
                  const char *address, FunctionFunc func, guint number)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guests->lock);
  GError *error = NULL;
  KvmHelperSimQemu *qemu = find (guests, name, &error);
  PciAddress function;

  if (qemu == NULL || !pci_address_parse (address, &function, &error)
      || !func (qemu, &function, number, &error))
    return fail (invocation, error);
  g_dbus_method_invocation_return_value (invocation, NULL);
  return TRUE;
}

static gboolean
on_attach_device (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                  const char *name, const char *address, gpointer data)
{
  return do_with_function (data, invocation, name, address, attach, 0);
}

static gboolean
on_use_device (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
               const char *name, const char *address, guint vectors, gpointer data)
{
  return do_with_function (data, invocation, name, address, use, vectors);
}

static gboolean
on_recover_device (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                   const char *name, const char *address, gpointer data)
{
  return do_with_function (data, invocation, name, address, recover, 0);
}

static gboolean
on_detach_device (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation,
                  const char *name, const char *address, guint linger, gpointer data)
{
  return do_with_function (data, invocation, name, address, detach, linger);
}

static gboolean
on_end_guest (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation, const char *name,
              gboolean crash, gpointer data)
{
  KvmHelperGuests *guests = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guests->lock);
  GError *error = NULL;
  KvmHelperSimQemu *qemu = find (guests, name, &error);

  if (qemu == NULL)
    return fail (invocation, error);
  if (crash)
    kvmhelper_sim_qemu_crash (qemu);
  g_hash_table_remove (guests->table, name);
  kvm_helper_dbus_simulation1_complete_end_guest (object, invocation);
  return TRUE;
}

static gboolean
on_list_guests (KvmHelperDBusSimulation1 *object, GDBusMethodInvocation *invocation, gpointer data)
{
  KvmHelperGuests *guests = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&guests->lock);
  GVariantBuilder list;
  GHashTableIter iter;
  gpointer qemu;

  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(suss)"));
  g_hash_table_iter_init (&iter, guests->table);
  while (g_hash_table_iter_next (&iter, NULL, &qemu))
    g_variant_builder_add (&list, "(suss)", kvmhelper_sim_qemu_name (qemu),
                           kvmhelper_sim_qemu_pid (qemu), kvmhelper_sim_qemu_uuid (qemu),
                           kvmhelper_sim_qemu_log (qemu));
  kvm_helper_dbus_simulation1_complete_list_guests (object, invocation,
                                                    g_variant_builder_end (&list));
  return TRUE;
}

void
kvmhelper_guests_connect (KvmHelperDBusSimulation1 *skeleton, KvmHelperSim *host)
{
  static const struct
  {
    const char *signal;
    GCallback handler;
  } handlers[] = {
    { "handle-start-guest", G_CALLBACK (on_start_guest) },
    { "handle-open-process", G_CALLBACK (on_open_process) },
    { "handle-attach-device", G_CALLBACK (on_attach_device) },
    { "handle-use-device", G_CALLBACK (on_use_device) },
    { "handle-recover-device", G_CALLBACK (on_recover_device) },
    { "handle-detach-device", G_CALLBACK (on_detach_device) },
    { "handle-end-guest", G_CALLBACK (on_end_guest) },
    { "handle-list-guests", G_CALLBACK (on_list_guests) },
  };
  KvmHelperGuests *guests = g_new0 (KvmHelperGuests, 1);

  guests->host = host;
  g_mutex_init (&guests->lock);
  guests->table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) kvmhelper_sim_qemu_free);
  g_object_set_data_full (G_OBJECT (skeleton), "guests", guests, guests_free);
  for (guint i = 0; i < G_N_ELEMENTS (handlers); i++)
    g_signal_connect (skeleton, handlers[i].signal, handlers[i].handler, guests);
}
