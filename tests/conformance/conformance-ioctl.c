/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-actor.h"

#include <linux/ioctl.h>
#include <string.h>
#include <sys/mman.h>

#include "common/common-error.h"
#include "conformance-calls.h"
#include "conformance-value.h"
#include "kvmhelper/kvmhelper-abi.h"

/* An address where no process has anything. */
#define BAD ((gulong) 16)

/* Room for every struct, and for what the kernel may write behind it where argsz lies. */
#define STRUCT_SIZE 4096

/* Of any kernel's pages at least one. */
#define CUT_PAGE 65536

static guint64
get_field (const ConformanceField *field, const guint8 *data)
{
  guint64 value = 0;
  guint8 byte;
  guint16 half;
  guint32 word;

  switch (field->size)
    {
    case 1:
      memcpy (&byte, data + field->offset, sizeof byte);
      value = byte;
      break;
    case 2:
      memcpy (&half, data + field->offset, sizeof half);
      value = half;
      break;
    case 4:
      memcpy (&word, data + field->offset, sizeof word);
      value = word;
      break;
    default:
      memcpy (&value, data + field->offset, sizeof value);
      break;
    }
  return field->width == 0 ? value
                           : value >> field->shift & ((G_GUINT64_CONSTANT (1) << field->width) - 1);
}

static void
set_field (const ConformanceField *field, guint8 *data, guint64 value)
{
  guint8 byte = (guint8) value;
  guint16 half = (guint16) value;
  guint32 word = (guint32) value;
  guint64 all = value;

  if (field->width != 0)
    {
      guint64 mask = ((G_GUINT64_CONSTANT (1) << field->width) - 1) << field->shift;

      memcpy (&all, data + field->offset, sizeof all);
      all = (all & ~mask) | (value << field->shift & mask);
    }
  if (field->size == 1)
    memcpy (data + field->offset, &byte, sizeof byte);
  else if (field->size == 2)
    memcpy (data + field->offset, &half, sizeof half);
  else if (field->size == 4)
    memcpy (data + field->offset, &word, sizeof word);
  else
    memcpy (data + field->offset, &all, sizeof all);
}

static const ConformanceField *
find_field (const ConformanceField *fields, const char *name)
{
  for (; fields != NULL && fields->name != NULL; fields++)
    if (g_str_equal (fields->name, name))
      return fields;
  return NULL;
}

/* "data=event1,event2,-1": handles, or bytes where the flags say so. Its length is added. */
static gboolean
set_data (ConformanceActor *actor, const ConformanceCall *call, const char *text, guint8 *data,
          gsize *length, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  guint32 flags;

  memcpy (&flags, data + sizeof (guint32), sizeof flags);
  for (guint i = 0; words[i] != NULL; i++)
    {
      guint64 value;
      gint32 word;
      gsize size = call->request == VFIO_DEVICE_SET_IRQS && (flags & VFIO_IRQ_SET_DATA_BOOL) != 0
                       ? 1
                       : sizeof word;

      if (!conformance_actor_value (actor, words[i], NULL, NULL, &value, error))
        return FALSE;
      word = (gint32) value;
      if (*length + size > STRUCT_SIZE)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "too much data");
          return FALSE;
        }
      if (size == 1)
        data[*length] = (guint8) word;
      else
        memcpy (data + *length, &word, size);
      *length += size;
    }
  return TRUE;
}

/* Fills the struct at @data from the words from @first on. */
static gboolean
fill (ConformanceActor *actor, const ConformanceCall *call, const ConformanceWords *words,
      guint first, guint8 *data, GError **error)
{
  g_auto (GStrv) positional
      = g_strsplit (call->positional != NULL ? call->positional : "", " ", -1);
  const char *extra = call->data_at != 0 ? conformance_words_named (words, "data") : NULL;
  gsize length = call->size;
  guint next = 0;

  for (guint i = first; i < words->words->len; i++)
    {
      const char *word = g_ptr_array_index (words->words, i);
      const char *equals = strchr (word, '=');
      g_autofree char *name = equals != NULL ? g_strndup (word, (gsize) (equals - word)) : NULL;
      const ConformanceField *field;
      guint64 value;

      if (name == NULL && positional[next] != NULL)
        name = g_strdup (positional[next++]);
      field = name != NULL ? find_field (call->fields, name) : NULL;
      if (field == NULL
          && (g_strcmp0 (name, "argument") == 0 || g_strcmp0 (name, "data") == 0
              || g_strcmp0 (name, "addr") == 0 || g_strcmp0 (name, "cut") == 0))
        continue;
      if (field == NULL)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       "\"%s\" belongs to no field", word);
          return FALSE;
        }
      if (!conformance_actor_value (actor, equals != NULL ? equals + 1 : word, field->prefix,
                                    field->suffix, &value, error))
        return FALSE;
      set_field (field, data, value);
    }
  if (extra != NULL && !set_data (actor, call, extra, data, &length, error))
    return FALSE;
  if (call->has_argsz && conformance_words_named (words, "argsz") == NULL)
    {
      guint32 size = (guint32) length;

      memcpy (data, &size, sizeof size);
    }
  return TRUE;
}

static void
report (const ConformanceCall *call, const guint8 *data, ConformanceReply *reply)
{
  for (const ConformanceField *field = call->fields; field != NULL && field->name != NULL; field++)
    conformance_reply_add (reply, field->name, get_field (field, data), NULL, field->prefix,
                           field->suffix);
}

gboolean
conformance_actor_address (ConformanceActor *actor, const ConformanceWords *words, const char *name,
                           gulong *address, GError **error)
{
  const char *text = conformance_words_named (words, name);
  guint64 value = BAD;

  if (text == NULL)
    return TRUE;
  if (!g_str_equal (text, "bad")
      && !conformance_actor_value (actor, text, NULL, NULL, &value, error))
    return FALSE;
  *address = (gulong) value;
  return TRUE;
}

/* "cut=N": the struct's first @length bytes are there, and no memory behind them. The start of what
 * is mapped for it, of 2 * CUT_PAGE bytes; NULL: it cannot be. */
static guint8 *
cut (const guint8 *data, guint64 length, gulong *argument)
{
  guint8 *pages
      = mmap (NULL, 2 * CUT_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (pages == MAP_FAILED)
    return NULL;
  mprotect (pages + CUT_PAGE, CUT_PAGE, PROT_NONE);
  memcpy (pages + CUT_PAGE - length, data, length);
  *argument = (gulong) (pages + CUT_PAGE - length);
  return pages;
}

typedef struct
{
  ConformanceActor *actor;
  const ConformanceWords *words;
  const ConformanceCall *call;
  int handle;
} Request;

static int
make (const Request *request, gulong argument)
{
  return kvmhelper_kernel_ioctl (request->actor->kernel, request->handle, request->call->request,
                                 argument);
}

static gboolean
ask_struct (const Request *request, ConformanceReply *reply, GError **error)
{
  g_autofree guint8 *data = g_malloc0 (STRUCT_SIZE);
  const ConformanceCall *call = request->call;
  const char *text = conformance_words_named (request->words, "cut");
  gulong argument = (gulong) data;
  guint8 *pages = NULL;
  guint64 length;
  gint32 handle;

  if (!fill (request->actor, call, request->words, 2, data, error)
      || !conformance_actor_address (request->actor, request->words, "argument", &argument, error))
    return FALSE;
  if (text != NULL && !conformance_value (text, NULL, NULL, NULL, NULL, &length, error))
    return FALSE;
  if (text != NULL)
    pages = cut (data, MIN (length, STRUCT_SIZE), &argument);
  reply->answer = make (request, argument);
  if (pages != NULL)
    munmap (pages, 2 * CUT_PAGE);
  if (reply->answer < 0)
    return TRUE;
  report (call, data, reply);
  if (call->gives_handle)
    conformance_actor_give (request->actor, request->words, (int) reply->answer, reply);
  /* KVM_CREATE_DEVICE_TEST makes none. */
  else if (call->handle_at != 0 && conformance_reply_field (reply, "flags")->number == 0)
    {
      memcpy (&handle, data + call->handle_at, sizeof handle);
      conformance_actor_give (request->actor, request->words, handle, reply);
    }
  return TRUE;
}

static gboolean
ask_value (const Request *request, ConformanceReply *reply, GError **error)
{
  const char *word = conformance_words_nth (request->words, 2);
  gulong argument = 0;
  gint32 handle = 0;
  guint64 value = 0;

  if (request->call->argument == CONFORMANCE_ARGUMENT_STRING)
    argument = (gulong) word;
  else if (word != NULL && request->call->argument != CONFORMANCE_ARGUMENT_NONE
           && !g_str_has_prefix (word, "argument="))
    {
      if (!conformance_actor_value (request->actor, word, NULL, NULL, &value, error))
        return FALSE;
      handle = (gint32) value;
      argument = (gulong) value;
    }
  if (request->call->argument == CONFORMANCE_ARGUMENT_HANDLE)
    argument = (gulong) &handle;
  if (!conformance_actor_address (request->actor, request->words, "argument", &argument, error))
    return FALSE;
  reply->answer = make (request, argument);
  if (reply->answer < 0 || !request->call->gives_handle)
    return TRUE;
  conformance_actor_give (request->actor, request->words, (int) reply->answer, reply);
  if (request->call->argument == CONFORMANCE_ARGUMENT_STRING && request->words->name != NULL)
    g_hash_table_insert (request->actor->origins, g_strdup (request->words->name), g_strdup (word));
  return TRUE;
}

static gboolean
ask_registers (const Request *request, ConformanceReply *reply, GError **error)
{
  guint8 *data = (guint8 *) request->actor->registers;
  const ConformanceField pvr = { "pvr", 0, 4, 0, 0, NULL, NULL };
  const char *text = conformance_words_named (request->words, "pvr");
  gulong argument = (gulong) data;
  guint64 value;

  if (!conformance_actor_address (request->actor, request->words, "argument", &argument, error))
    return FALSE;
  if (text != NULL)
    {
      if (!conformance_value (text, NULL, NULL, NULL, NULL, &value, error))
        return FALSE;
      set_field (&pvr, data, value);
    }
  reply->answer = make (request, argument);
  conformance_reply_add (reply, "pvr", get_field (&pvr, data), NULL, NULL, NULL);
  return TRUE;
}

static gboolean
ask_attribute (const Request *request, ConformanceReply *reply, GError **error)
{
  const char *group = conformance_words_nth (request->words, 2);
  const char *name = conformance_words_nth (request->words, 3);
  const ConformanceAttribute *known;
  g_autofree guint8 *payload = g_malloc0 (STRUCT_SIZE);
  struct kvm_device_attr attribute = { 0 };
  gulong argument = (gulong) &attribute, address = 0;
  guint64 value;

  if (group == NULL || name == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no group and attribute");
      return FALSE;
    }
  known = conformance_attribute_find (group, name);
  if (known != NULL)
    attribute.group = (guint32) known->group_number;
  else if (conformance_actor_value (request->actor, group, NULL, NULL, &value, error))
    attribute.group = (guint32) value;
  else
    return FALSE;
  if (known != NULL && known->attribute != NULL)
    attribute.attr = known->attribute_number;
  else if (conformance_actor_value (request->actor, name, NULL, NULL, &value, error))
    attribute.attr = value;
  else
    return FALSE;
  if (known != NULL && known->payload.size > 0
      && !fill (request->actor, &known->payload, request->words, 4, payload, error))
    return FALSE;
  if (known == NULL || known->payload.size > 0)
    address = (gulong) payload;
  if (!conformance_actor_address (request->actor, request->words, "addr", &address, error)
      || !conformance_actor_address (request->actor, request->words, "argument", &argument, error))
    return FALSE;
  attribute.addr = address;
  reply->answer = make (request, argument);
  if (reply->answer >= 0 && known != NULL)
    report (&known->payload, payload, reply);
  return TRUE;
}

/* "ioctl HANDLE ';' 199 [VALUE]" */
static gboolean
ask_any (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
         GError **error)
{
  const char *type = conformance_words_nth (words, 2);
  const char *argument = conformance_words_nth (words, 4);
  guint64 handle, number, kind, value = 0;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &handle, error)
      || !conformance_value (conformance_words_nth (words, 3), NULL, NULL, NULL, NULL, &number,
                             error)
      || (argument != NULL
          && !conformance_actor_value (actor, argument, NULL, NULL, &value, error)))
    return FALSE;
  if (type[0] == '\'' && type[1] != '\0' && type[2] == '\'')
    kind = (guchar) type[1];
  else if (!conformance_value (type, NULL, NULL, NULL, NULL, &kind, error))
    return FALSE;
  reply->answer
      = kvmhelper_kernel_ioctl (actor->kernel, (int) handle, _IO (kind, number), (gulong) value);
  return TRUE;
}

gboolean
conformance_actor_ioctl (ConformanceActor *actor, const ConformanceWords *words,
                         ConformanceReply *reply, GError **error)
{
  const char *verb = conformance_words_nth (words, 0);
  Request request = { actor, words, conformance_call_find (verb), -1 };
  guint64 handle;

  if (g_str_equal (verb, "ioctl"))
    return ask_any (actor, words, reply, error);
  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &handle,
                                error))
    return FALSE;
  request.handle = (int) handle;
  switch (request.call->argument)
    {
    case CONFORMANCE_ARGUMENT_STRUCT:
      return ask_struct (&request, reply, error);
    case CONFORMANCE_ARGUMENT_REGISTERS:
      return ask_registers (&request, reply, error);
    case CONFORMANCE_ARGUMENT_ATTRIBUTE:
      return ask_attribute (&request, reply, error);
    default:
      return ask_value (&request, reply, error);
    }
}
