/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-monitor.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <string.h>

#include "common/common-error.h"

#define PERIPHERAL "/machine/peripheral"
#define UNATTACHED "/machine/unattached"

typedef struct
{
  HostdevMonitorAsk ask;
  gpointer data;
  GPtrArray *functions;
} Reader;

static void
function_free (gpointer data)
{
  HostdevZpciFunction *function = data;

  g_free (function->target);
  g_free (function->kind);
  g_free (function);
}

static char *
make_command (const char *name, const char *path, const char *property)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "execute");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "arguments");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "path");
  json_builder_add_string_value (builder, path);
  if (property != NULL)
    {
      json_builder_set_member_name (builder, "property");
      json_builder_add_string_value (builder, property);
    }
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static gboolean
no_answer (GError **error)
{
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE,
                       _ ("QEMU's monitor gave an answer that cannot be read."));
  return FALSE;
}

/* @answer: (out): what QEMU returned; NULL: it says no, as of what is gone */
static gboolean
ask (const Reader *reader, const char *command, const char *path, const char *property,
     JsonNode **answer, GError **error)
{
  g_autofree char *line = make_command (command, path, property);
  g_autofree char *text = reader->ask (line, reader->data, error);
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

  *answer = NULL;
  if (text == NULL)
    return FALSE;
  root = json_from_string (text, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return no_answer (error);
  object = json_node_get_object (root);
  if (json_object_has_member (object, "error"))
    return TRUE;
  if (!json_object_has_member (object, "return"))
    return no_answer (error);
  *answer = json_node_copy (json_object_get_member (object, "return"));
  return TRUE;
}

/* A text of an element of qom-list's; NULL. */
static const char *
get_text (JsonArray *list, guint which, const char *key)
{
  JsonNode *element = json_array_get_element (list, which);
  JsonNode *member = JSON_NODE_HOLDS_OBJECT (element)
                         ? json_object_get_member (json_node_get_object (element), key)
                         : NULL;

  return member != NULL && json_node_get_value_type (member) == G_TYPE_STRING
             ? json_node_get_string (member)
             : NULL;
}

/* @list: (out): the children or properties of @path; NULL: there is no such object */
static gboolean
list_object (const Reader *reader, const char *path, JsonNode **list, GError **error)
{
  if (!ask (reader, "qom-list", path, NULL, list, error))
    return FALSE;
  if (*list == NULL || JSON_NODE_HOLDS_ARRAY (*list))
    return TRUE;
  g_clear_pointer (list, json_node_unref);
  return no_answer (error);
}

static const char *
find_type (JsonNode *list, const char *name)
{
  JsonArray *array = json_node_get_array (list);

  for (guint i = 0; i < json_array_get_length (array); i++)
    if (g_strcmp0 (get_text (array, i, "name"), name) == 0)
      return get_text (array, i, "type");
  return NULL;
}

/* "child<vfio-pci>" is "vfio-pci". */
static char *
strip_child (const char *type)
{
  gsize before = strlen ("child<");

  if (type == NULL || !g_str_has_prefix (type, "child<") || !g_str_has_suffix (type, ">"))
    return NULL;
  return g_strndup (type + before, strlen (type) - before - 1);
}

/* @value: (out): of a JSON type that @kind is, G_TYPE_INT64, G_TYPE_STRING or G_TYPE_BOOLEAN; NULL:
 * the object is gone. */
static gboolean
get_property (const Reader *reader, const char *path, const char *name, GType kind,
              JsonNode **value, GError **error)
{
  if (!ask (reader, "qom-get", path, name, value, error))
    return FALSE;
  if (*value == NULL
      || (JSON_NODE_HOLDS_VALUE (*value) && json_node_get_value_type (*value) == kind))
    return TRUE;
  g_clear_pointer (value, json_node_unref);
  return no_answer (error);
}

/* FALSE also where it is gone: then @error is not set. */
static gboolean
get_number (const Reader *reader, const char *path, const char *name, guint *number, GError **error)
{
  g_autoptr (JsonNode) value = NULL;

  if (!get_property (reader, path, name, G_TYPE_INT64, &value, error) || value == NULL)
    return FALSE;
  *number = (guint) json_node_get_int (value);
  return TRUE;
}

static gboolean
get_boolean (const Reader *reader, const char *path, const char *name, gboolean *answer,
             GError **error)
{
  g_autoptr (JsonNode) value = NULL;

  if (!get_property (reader, path, name, G_TYPE_BOOLEAN, &value, error) || value == NULL)
    return FALSE;
  *answer = json_node_get_boolean (value);
  return TRUE;
}

static gboolean
get_target (const Reader *reader, const char *path, char **target, GError **error)
{
  g_autoptr (JsonNode) value = NULL;

  if (!get_property (reader, path, "target", G_TYPE_STRING, &value, error) || value == NULL)
    return FALSE;
  *target = json_node_dup_string (value);
  return TRUE;
}

/* FALSE also where it is gone. */
static gboolean
fill (const Reader *reader, const char *path, HostdevZpciFunction *function, GError **error)
{
  g_autoptr (JsonNode) properties = NULL;

  if (!list_object (reader, path, &properties, error) || properties == NULL
      || !get_number (reader, path, "uid", &function->uid, error)
      || !get_number (reader, path, "fid", &function->fid, error)
      || !get_target (reader, path, &function->target, error))
    return FALSE;
  function->can_interpret = find_type (properties, "interpret") != NULL;
  return !function->can_interpret
         || (get_boolean (reader, path, "interpret", &function->interpret, error)
             && get_boolean (reader, path, "forwarding-assist", &function->forwarding, error));
}

static gboolean
add (Reader *reader, const char *path, JsonNode *peripheral, GError **error)
{
  HostdevZpciFunction *function = g_new0 (HostdevZpciFunction, 1);
  g_autoptr (GError) local = NULL;

  if (fill (reader, path, function, &local))
    {
      function->kind = strip_child (find_type (peripheral, function->target));
      g_ptr_array_add (reader->functions, function);
      return TRUE;
    }
  function_free (function);
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Those among the children of @path, which are @list. */
static gboolean
add_all (Reader *reader, const char *path, JsonNode *list, JsonNode *peripheral, GError **error)
{
  JsonArray *array = json_node_get_array (list);

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      const char *name = get_text (array, i, "name");
      g_autofree char *child = NULL;

      if (name == NULL || g_strcmp0 (get_text (array, i, "type"), "child<zpci>") != 0)
        continue;
      child = g_strdup_printf ("%s/%s", path, name);
      if (!add (reader, child, peripheral, error))
        return FALSE;
    }
  return TRUE;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  guint first = (*(const HostdevZpciFunction *const *) a)->uid;
  guint second = (*(const HostdevZpciFunction *const *) b)->uid;

  return (first > second) - (first < second);
}

GPtrArray *
hostdev_monitor_read (HostdevMonitorAsk asker, gpointer data, GError **error)
{
  g_autoptr (GPtrArray) functions = g_ptr_array_new_with_free_func (function_free);
  g_autoptr (JsonNode) peripheral = NULL;
  g_autoptr (JsonNode) unattached = NULL;
  Reader reader = { asker, data, functions };

  if (!list_object (&reader, PERIPHERAL, &peripheral, error)
      || !list_object (&reader, UNATTACHED, &unattached, error))
    return NULL;
  if (peripheral == NULL || unattached == NULL)
    {
      no_answer (error);
      return NULL;
    }
  if (!add_all (&reader, PERIPHERAL, peripheral, peripheral, error)
      || !add_all (&reader, UNATTACHED, unattached, peripheral, error))
    return NULL;
  g_ptr_array_sort (functions, compare);
  return g_steal_pointer (&functions);
}
