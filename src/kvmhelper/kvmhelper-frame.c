/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-frame.h"

#include <string.h>

/* Where the lengths stand, and what says how they are written. */
#define ORDER         0
#define BODY_LENGTH   4
#define FIELDS_LENGTH 12

/* Header fields. */
#define FIELD_SIGNATURE 8
#define FIELD_UNIX_FDS  9

static gsize
align (gsize n, gsize to)
{
  return (n + to - 1) / to * to;
}

static guint32
get_u32 (const guint8 *header, gsize offset)
{
  guint32 value;

  memcpy (&value, header + offset, sizeof value);
  return header[ORDER] == 'l' ? GUINT32_FROM_LE (value) : GUINT32_FROM_BE (value);
}

gboolean
kvmhelper_frame_read (const guint8 start[KVMHELPER_FRAME_START], KvmHelperFrame *frame)
{
  if (start[ORDER] != 'l' && start[ORDER] != 'B')
    return FALSE;
  frame->header = align (KVMHELPER_FRAME_START + (gsize) get_u32 (start, FIELDS_LENGTH), 8);
  frame->body = get_u32 (start, BODY_LENGTH);
  return frame->header <= KVMHELPER_FRAME_MAX && frame->body <= KVMHELPER_FRAME_MAX - frame->header;
}

/* Behind a value of the basic type @type at @offset; 0 where that cannot be told. */
static gsize
skip_value (const guint8 *header, gsize length, gsize offset, char type)
{
  gsize size;

  switch (type)
    {
    case 'g':
      return offset < length ? offset + header[offset] + 2 : 0;
    case 'u':
      return align (offset, 4) + 4;
    case 's':
    case 'o':
      offset = align (offset, 4);
      size = offset + 4 <= length ? get_u32 (header, offset) : KVMHELPER_FRAME_MAX;
      return size < length ? offset + 4 + size + 1 : 0;
    default:
      return 0;
    }
}

/* Behind the field at @offset: a struct of a byte and a variant; 0 where that cannot be told. */
static gsize
skip_field (const guint8 *header, gsize length, gsize offset)
{
  gsize end;

  /* its code, and a signature of one character */
  if (offset + 4 > length || header[offset + 1] != 1 || header[offset + 3] != 0)
    return 0;
  end = skip_value (header, length, offset + 4, (char) header[offset + 2]);
  return end <= length ? end : 0;
}

gboolean
kvmhelper_frame_blank (guint8 *header, gsize length)
{
  gsize fields = KVMHELPER_FRAME_START + (gsize) get_u32 (header, FIELDS_LENGTH);
  gsize signature = 0, descriptors = 0;

  for (gsize offset = KVMHELPER_FRAME_START; offset < MIN (fields, length);)
    {
      gsize end = skip_field (header, MIN (fields, length), offset);

      if (end == 0)
        return FALSE;
      if (header[offset] == FIELD_SIGNATURE)
        signature = offset;
      else if (header[offset] == FIELD_UNIX_FDS)
        descriptors = offset;
      offset = align (end, 8);
    }
  if (signature == 0)
    return FALSE;
  header[signature] = KVMHELPER_FRAME_BLANKED;
  if (descriptors != 0)
    header[descriptors] = KVMHELPER_FRAME_BLANKED + 1;
  memset (header + BODY_LENGTH, 0, 4);
  return TRUE;
}
