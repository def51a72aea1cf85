/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-reply.h"
#include "conformance-verbs.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * ConformanceActor: one process of a script: what it has, and how it asks. Every call goes through
 * the seam.
 */
typedef struct
{
  guint8 *mapped; /* all of it, to be unmapped */
  gsize mapped_length;
  guint8 *start;
} ConformanceMemory;

typedef struct
{
  void *address;
  gsize length;
  guint64 offset; /* in the file */
} ConformanceMapping;

typedef struct _ConformanceActor ConformanceActor;

/* How the device behind a handle is made to raise an interrupt: 0 or a negative errno. @bdf is the
 * function that the handle was asked for. */
typedef int (*ConformanceRaise) (gpointer data, int handle, const char *bdf, guint vector);

/* A guest's H_PUT_TCE, which only the model's guests can be made to call: what the guest is
 * answered, or a negative errno. @handle is its VM's. */
typedef int (*ConformancePutTce) (gpointer data, int handle, guint64 liobn, guint64 address,
                                  guint64 tce);

/* What a message would bring: a descriptor of this machine that stands for the process @pid, or
 * for none of a host's (0); or a negative errno. */
typedef int (*ConformanceStandIn) (guint pid);

struct _ConformanceActor
{
  const KvmHelperKernel *kernel;
  ConformanceRaise raise;
  gpointer raise_data;
  ConformancePutTce put_tce; /* NULL: its guests run, and are not to be made to do anything */
  gpointer put_tce_data;
  ConformanceStandIn stand_in;
  GHashTable *handles;    /* name -> GINT_TO_POINTER */
  GHashTable *origins;    /* name of a VFIO device's handle -> address of the function */
  GHashTable *memories;   /* name -> ConformanceMemory */
  GHashTable *mappings;   /* name -> ConformanceMapping */
  guint64 registers[512]; /* struct kvm_sregs as KVM_GET_SREGS gave it */
  guint64 round;          /* {n} of a call that is repeated */
};

ConformanceActor *
conformance_actor_new (const KvmHelperKernel *kernel, ConformanceRaise raise, gpointer data);
void conformance_actor_free (ConformanceActor *actor);

/** conformance_actor_ask: makes a call. Never NULL; a mistake in it is a reply too. */
ConformanceReply *conformance_actor_ask (ConformanceActor *actor, const char *call);

/* --- for the verbs --- */

typedef gboolean (*ConformanceVerb) (ConformanceActor *actor, const ConformanceWords *words,
                                     ConformanceReply *reply, GError **error);

/** conformance_actor_value: a value in which names of memory, mappings and handles may be. */
gboolean conformance_actor_value (ConformanceActor *actor, const char *text, const char *prefix,
                                  const char *suffix, guint64 *value, GError **error);

/** conformance_actor_address: "NAME=bad" or "NAME=VALUE", if it is said; else @address stays. */
gboolean conformance_actor_address (ConformanceActor *actor, const ConformanceWords *words,
                                    const char *name, gulong *address, GError **error);

/** conformance_actor_give: @handle is what the call gave: kept by its name, or closed at once. */
void conformance_actor_give (ConformanceActor *actor, const ConformanceWords *words, int handle,
                             ConformanceReply *reply);

gboolean conformance_actor_ioctl (ConformanceActor *actor, const ConformanceWords *words,
                                  ConformanceReply *reply, GError **error);

/* conformance-files.c */
gboolean conformance_verb_open (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_open_at (ConformanceActor *actor, const ConformanceWords *words,
                                   ConformanceReply *reply, GError **error);
gboolean conformance_verb_close (ConformanceActor *actor, const ConformanceWords *words,
                                 ConformanceReply *reply, GError **error);
gboolean conformance_verb_read (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_bytes (ConformanceActor *actor, const ConformanceWords *words,
                                 ConformanceReply *reply, GError **error);
gboolean conformance_verb_write (ConformanceActor *actor, const ConformanceWords *words,
                                 ConformanceReply *reply, GError **error);
gboolean conformance_verb_readlink (ConformanceActor *actor, const ConformanceWords *words,
                                    ConformanceReply *reply, GError **error);
gboolean conformance_verb_readlink_at (ConformanceActor *actor, const ConformanceWords *words,
                                       ConformanceReply *reply, GError **error);
gboolean conformance_verb_list (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_stat (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);

/** conformance_need_path: "/sys/bus/pci" as the seam has it: a root, and a path in it. */
gboolean
conformance_need_path (const char *word, KvmHelperRoot *root, const char **path, GError **error);

/* conformance-rights.c */
gboolean conformance_verb_get_acl (ConformanceActor *actor, const ConformanceWords *words,
                                   ConformanceReply *reply, GError **error);
gboolean conformance_verb_set_acl (ConformanceActor *actor, const ConformanceWords *words,
                                   ConformanceReply *reply, GError **error);
gboolean conformance_verb_pidfd (ConformanceActor *actor, const ConformanceWords *words,
                                 ConformanceReply *reply, GError **error);
gboolean conformance_verb_receive (ConformanceActor *actor, const ConformanceWords *words,
                                   ConformanceReply *reply, GError **error);
gboolean conformance_verb_memlock (ConformanceActor *actor, const ConformanceWords *words,
                                   ConformanceReply *reply, GError **error);

/* conformance-memory.c */
void conformance_memory_free (gpointer memory);
gboolean conformance_verb_memory (ConformanceActor *actor, const ConformanceWords *words,
                                  ConformanceReply *reply, GError **error);
gboolean conformance_verb_free (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_peek (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_mmap (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
gboolean conformance_verb_munmap (ConformanceActor *actor, const ConformanceWords *words,
                                  ConformanceReply *reply, GError **error);
gboolean conformance_verb_load (ConformanceActor *actor, const ConformanceWords *words,
                                ConformanceReply *reply, GError **error);
