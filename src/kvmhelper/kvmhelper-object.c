/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-object.h"

#include "kvmhelper/kvmhelper-call.h"

#define KVMHELPER_TYPE_OBJECT (kvmhelper_object_get_type ())
G_DECLARE_FINAL_TYPE (KvmHelperObject, kvmhelper_object, KVMHELPER, OBJECT,
                      KvmHelperDBusKvmHelper1Skeleton)

struct _KvmHelperObject
{
  KvmHelperDBusKvmHelper1Skeleton parent;
  KvmHelperService *service;
};

G_DEFINE_TYPE (KvmHelperObject, kvmhelper_object, KVM_HELPER_DBUS_TYPE_KVM_HELPER1_SKELETON)

static void
method_call (GDBusConnection *connection, const char *sender, const char *path,
             const char *interface, const char *method, GVariant *parameters,
             GDBusMethodInvocation *invocation, gpointer object)
{
  kvmhelper_call_arrived (KVMHELPER_OBJECT (object)->service, invocation);
}

/* Without get_property and set_property GDBus has no answer of its own for properties: they come as
 * calls of org.freedesktop.DBus.Properties. */
static GDBusInterfaceVTable *
get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  static GDBusInterfaceVTable vtable = { .method_call = method_call };

  return &vtable;
}

static void
kvmhelper_object_class_init (KvmHelperObjectClass *class)
{
  G_DBUS_INTERFACE_SKELETON_CLASS (class)->get_vtable = get_vtable;
}

static void
kvmhelper_object_init (KvmHelperObject *object)
{
}

KvmHelperDBusKvmHelper1 *
kvmhelper_object_new (KvmHelperService *service)
{
  KvmHelperObject *object = g_object_new (KVMHELPER_TYPE_OBJECT, NULL);

  object->service = service;
  return KVM_HELPER_DBUS_KVM_HELPER1 (object);
}

void
kvmhelper_object_dispatch (GDBusMethodInvocation *invocation)
{
  gpointer object = g_dbus_method_invocation_get_user_data (invocation);
  const GDBusInterfaceVTable *generated
      = G_DBUS_INTERFACE_SKELETON_CLASS (kvmhelper_object_parent_class)
            ->get_vtable (G_DBUS_INTERFACE_SKELETON (object));

  generated->method_call (g_dbus_method_invocation_get_connection (invocation),
                          g_dbus_method_invocation_get_sender (invocation),
                          g_dbus_method_invocation_get_object_path (invocation),
                          g_dbus_method_invocation_get_interface_name (invocation),
                          g_dbus_method_invocation_get_method_name (invocation),
                          g_dbus_method_invocation_get_parameters (invocation), invocation, object);
}
