/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-actor.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "common/common-error.h"
#include "conformance-value.h"
#include "kvmhelper/kvmhelper-abi.h"

#define ALIGNMENT 65536

void
conformance_memory_free (gpointer data)
{
  ConformanceMemory *memory = data;

  if (memory->mapped != NULL)
    munmap (memory->mapped, memory->mapped_length);
  g_free (memory);
}

static gboolean
named_value (const ConformanceWords *words, const char *name, guint64 *value, GError **error)
{
  const char *text = conformance_words_named (words, name);

  return text == NULL || conformance_value (text, NULL, NULL, NULL, NULL, value, error);
}

/* "memory NAME SIZE [align=64K] [offset=0] [guard=0]": behind it are so many bytes of no memory;
 * the pages are there when it is done, as a guest's that runs are. */
gboolean
conformance_verb_memory (ConformanceActor *actor, const ConformanceWords *words,
                         ConformanceReply *reply, GError **error)
{
  guint64 size, align = ALIGNMENT, offset = 0, guard = 0;
  ConformanceMemory *memory;
  void *mapped;
  gsize length;

  if (!conformance_value (conformance_words_nth (words, 2), NULL, NULL, NULL, NULL, &size, error)
      || !named_value (words, "align", &align, error)
      || !named_value (words, "offset", &offset, error)
      || !named_value (words, "guard", &guard, error))
    return FALSE;
  length = size + align + offset + guard;
  mapped = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    {
      reply->answer = -errno;
      return TRUE;
    }
  memory = g_new0 (ConformanceMemory, 1);
  memory->mapped = mapped;
  memory->mapped_length = length;
  memory->start = (guint8 *) (((gulong) mapped + align - 1) / align * align + offset); /* NOLINT */
  memset (memory->start, 1, size);
  memset (memory->start, 0, size);
  if (guard > 0 && mprotect (memory->start + size, guard, PROT_NONE) != 0)
    reply->answer = -errno;
  g_hash_table_insert (actor->memories, g_strdup (conformance_words_nth (words, 1)), memory);
  return TRUE;
}

/* The name stays: what was registered is unregistered by its address. */
gboolean
conformance_verb_free (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  const char *name = conformance_words_nth (words, 1);
  ConformanceMemory *memory = g_hash_table_lookup (actor->memories, name);

  if (memory != NULL && memory->mapped != NULL)
    {
      munmap (memory->mapped, memory->mapped_length);
      memory->mapped = NULL;
      return TRUE;
    }
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no memory is called %s", name);
  return FALSE;
}

/* The mapping or memory that @text ("ram+8") begins with. */
static const char *
first_name (const char *text, char *name, gsize size)
{
  gsize length = strcspn (text, "+-|*<");

  g_strlcpy (name, text, MIN (length + 1, size));
  return name;
}

gboolean
conformance_verb_peek (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  const char *text = conformance_words_nth (words, 1);
  char name[64];
  const ConformanceMemory *memory
      = g_hash_table_lookup (actor->memories, first_name (text, name, sizeof name));
  guint64 address;
  guint32 word;

  if (!conformance_actor_value (actor, text, NULL, NULL, &address, error))
    return FALSE;
  if (memory == NULL || memory->mapped == NULL || address < (gulong) memory->mapped
      || address + sizeof word > (gulong) memory->mapped + memory->mapped_length)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "not in memory: %s", text);
      return FALSE;
    }
  memcpy (&word, (const guint8 *) address, sizeof word);
  reply->answer = GUINT32_FROM_BE (word);
  return TRUE;
}

gboolean
conformance_verb_mmap (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  guint64 handle, length, offset = 0;
  ConformanceMapping *mapping;
  void *address = NULL;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &handle, error)
      || !conformance_value (conformance_words_nth (words, 2), NULL, NULL, NULL, NULL, &length,
                             error)
      || !named_value (words, "offset", &offset, error))
    return FALSE;
  reply->answer
      = actor->kernel->calls->mmap (actor->kernel->data, (int) handle, length, offset, &address);
  if (reply->answer < 0)
    return TRUE;
  if (words->name == NULL)
    {
      actor->kernel->calls->munmap (actor->kernel->data, address, length);
      return TRUE;
    }
  mapping = g_new0 (ConformanceMapping, 1);
  mapping->address = address;
  mapping->length = length;
  mapping->offset = offset;
  g_hash_table_insert (actor->mappings, g_strdup (words->name), mapping);
  return TRUE;
}

static ConformanceMapping *
find_mapping (ConformanceActor *actor, const char *name, GError **error)
{
  ConformanceMapping *mapping = g_hash_table_lookup (actor->mappings, name);

  if (mapping == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no mapping is called %s",
                 name);
  return mapping;
}

/* "munmap NAME [offset=0] [length=ALL]": without a length the name goes too. */
gboolean
conformance_verb_munmap (ConformanceActor *actor, const ConformanceWords *words,
                         ConformanceReply *reply, GError **error)
{
  const char *name = conformance_words_nth (words, 1);
  ConformanceMapping *mapping = find_mapping (actor, name, error);
  guint64 offset = 0, length = mapping == NULL ? 0 : mapping->length;

  if (mapping == NULL || !named_value (words, "offset", &offset, error)
      || !named_value (words, "length", &length, error))
    return FALSE;
  reply->answer = actor->kernel->calls->munmap (actor->kernel->data,
                                                (guint8 *) mapping->address + offset, length);
  if (reply->answer == 0 && conformance_words_named (words, "length") == NULL)
    g_hash_table_remove (actor->mappings, name);
  return TRUE;
}

/* A load that the kernel answers with SIGBUS is left by a jump. */
static sigjmp_buf load_failed;

static void
on_sigbus (int number)
{
  siglongjmp (load_failed, 1);
}

static gboolean
load (ConformanceActor *actor, const void *address, guint64 *value)
{
  struct sigaction action = { .sa_handler = on_sigbus }, before;
  volatile gboolean loaded = FALSE;

  sigaction (SIGBUS, &action, &before);
  if (sigsetjmp (load_failed, 1) == 0)
    {
      *value = actor->kernel->calls->load (actor->kernel->data, address);
      loaded = TRUE;
    }
  sigaction (SIGBUS, &before, NULL);
  return loaded;
}

/* What a load of the management page does, by its offset there
 * (arch/powerpc/include/asm/xive-regs.h: XIVE_ESB_…). */
static const struct
{
  const char *name;
  guint offset;
} esb_loads[] = {
  { "GET", KVMHELPER_ESB_GET }, { "SET_PQ_00", 0xc00 }, { "SET_PQ_01", 0xd00 },
  { "SET_PQ_10", 0xe00 },       { "SET_PQ_11", 0xf00 }, { "EOI", 0x000 },
};

static gboolean
find_esb (ConformanceActor *actor, const ConformanceWords *words, guint64 *address, GError **error)
{
  const ConformanceMapping *mapping = find_mapping (actor, conformance_words_nth (words, 1), error);
  const char *operation = conformance_words_nth (words, 3);
  guint64 lisn;

  if (mapping == NULL || !named_value (words, "lisn", &lisn, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (esb_loads); i++)
    if (g_strcmp0 (operation, esb_loads[i].name) == 0)
      {
        guint64 offset = (KVM_XIVE_ESB_PAGE_OFFSET + 2 * lisn + 1) * KVMHELPER_ESB_PAGE
                         + esb_loads[i].offset - mapping->offset;

        if (offset >= mapping->length)
          break;
        *address = (guint64) (gulong) mapping->address + offset;
        return TRUE;
      }
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               "no load of an ESB: its page is not mapped, or GET, EOI, SET_PQ_… is missing");
  return FALSE;
}

/* "load esb lisn=0x1300 GET" or "load table+8" */
gboolean
conformance_verb_load (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  const char *text = conformance_words_nth (words, 1);
  gboolean esb = conformance_words_named (words, "lisn") != NULL;
  char name[64];
  guint64 address, value = 0;

  if (esb)
    {
      if (!find_esb (actor, words, &address, error))
        return FALSE;
    }
  else if (find_mapping (actor, first_name (text, name, sizeof name), error) == NULL
           || !conformance_actor_value (actor, text, NULL, NULL, &address, error))
    return FALSE;
  if (!load (actor, (const void *) (gulong) address, &value))
    {
      reply->kind = CONFORMANCE_SIGBUS;
      return TRUE;
    }
  if (esb && !g_str_equal (conformance_words_nth (words, 3), "EOI"))
    conformance_reply_add (reply, "PQ", 0,
                           (const char *const[]){ "00", "01", "10", "11" }[value & 3], NULL, NULL);
  else
    reply->answer = (gint64) value;
  return TRUE;
}
