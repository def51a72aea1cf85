/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The ioctls that scripts can make, by their names, with the fields of their structs; and the
 * payloads of KVM's device attributes.
 */
typedef struct
{
  const char *name;
  guint16 offset;
  guint8 size;        /* bytes: 1, 2, 4, 8 */
  guint8 shift;       /* of a part of the bits */
  guint8 width;       /* bits; 0: all */
  const char *prefix; /* of the names of its values */
  const char *suffix;
} ConformanceField;

typedef enum
{
  CONFORMANCE_ARGUMENT_NONE,
  CONFORMANCE_ARGUMENT_VALUE,  /* the argument is a number */
  CONFORMANCE_ARGUMENT_HANDLE, /* points at a handle (s32) */
  CONFORMANCE_ARGUMENT_STRING,
  CONFORMANCE_ARGUMENT_STRUCT,
  CONFORMANCE_ARGUMENT_REGISTERS, /* struct kvm_sregs, kept from get to set */
  CONFORMANCE_ARGUMENT_ATTRIBUTE  /* struct kvm_device_attr and its payload */
} ConformanceArgument;

#define CONFORMANCE_NO_FIELD 0xffff

typedef struct
{
  const char *name;
  gulong request;
  ConformanceArgument argument;
  guint16 size;                   /* of the struct */
  const ConformanceField *fields; /* ends with a NULL name */
  const char *positional;         /* fields that come without their names, "type", "fd gsi" */
  gboolean has_argsz;             /* the first 4 bytes are the size, data included */
  gboolean gives_handle;          /* as its result … */
  guint16 handle_at;              /* … or in its struct; 0: no */
  guint16 data_at;                /* where data begins; 0: it has none */
} ConformanceCall;

/* A table ends with a NULL name. */
extern const ConformanceCall conformance_vfio_calls[];
extern const ConformanceCall conformance_kvm_calls[];

/** conformance_call_find: the ioctl of that name, or NULL. */
const ConformanceCall *conformance_call_find (const char *name);

/** conformance_calls_print: all of them, with their fields. */
void conformance_calls_print (void);

/* What the address of a KVM device attribute points at. */
typedef struct
{
  const char *group;
  const char *attribute; /* NULL: any number */
  guint64 group_number, attribute_number;
  ConformanceCall payload; /* its fields; size 0: nothing */
} ConformanceAttribute;

/** conformance_attribute_find: NULL where nothing of that name is known: numbers, no payload. */
const ConformanceAttribute *conformance_attribute_find (const char *group, const char *attribute);

/* Struct fields, as the tables have them. The struct's name is TYPE. */
#define CONFORMANCE_FIELD(type, member, prefix)                                                    \
  {                                                                                                \
#member, offsetof(struct type, member), sizeof(((struct type *) NULL)->member), 0, 0, prefix,  \
        NULL                                                                                       \
  }
