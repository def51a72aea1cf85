/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Frames of libvirt's RPC (libvirt src/rpc/virnetprotocol.x; the same bytes since 0.10): XDR, big
 * endian, a length word that counts itself, six more words, then a payload.
 */
enum
{
  DRIVER_FRAME_HEADER = 28,
  /* VIR_NET_MESSAGE_MAX, and the length word. libvirt closes a connection beyond. */
  DRIVER_FRAME_MAX = 4 + 32 * 1024 * 1024,
  /* VIR_NET_MESSAGE_NUM_FDS_MAX */
  DRIVER_FRAME_FDS_MAX = 32,
};

typedef enum
{
  DRIVER_FRAME_CALL = 0,
  DRIVER_FRAME_REPLY = 1,
  DRIVER_FRAME_MESSAGE = 2,
  DRIVER_FRAME_CALL_WITH_FDS = 4,
  DRIVER_FRAME_REPLY_WITH_FDS = 5,
} DriverFrameType;

typedef enum
{
  DRIVER_FRAME_OK = 0,
  DRIVER_FRAME_ERROR = 1,
} DriverFrameStatus;

/* src/remote/remote_protocol.x: REMOTE_PROGRAM; src/rpc/virkeepaliveprotocol.x */
#define DRIVER_PROGRAM_REMOTE    0x20008086u
#define DRIVER_PROGRAM_KEEPALIVE 0x6b656570u

enum
{
  DRIVER_PROC_CONNECT_OPEN = 1,
  DRIVER_PROC_CONNECT_CLOSE = 2,
  DRIVER_PROC_ATTACH_DEVICE = 8,
  DRIVER_PROC_DEFINE_XML = 11,
  DRIVER_PROC_DETACH_DEVICE = 13,
  DRIVER_PROC_ATTACH_DEVICE_FLAGS = 160,
  DRIVER_PROC_DETACH_DEVICE_FLAGS = 161,
  DRIVER_PROC_UPDATE_DEVICE_FLAGS = 174,
  DRIVER_PROC_DEFINE_XML_FLAGS = 350,
  DRIVER_PROC_DETACH_DEVICE_ALIAS = 392,
  DRIVER_PROC_KEEPALIVE_PING = 1,
  DRIVER_PROC_KEEPALIVE_PONG = 2,
};

typedef struct
{
  guint32 length; /* of the frame, with the length word */
  guint32 program;
  guint32 version;
  gint32 procedure;
  guint32 type;
  guint32 serial;
  guint32 status;
} DriverFrameHeader;

/** driver_frame_header_decode: @bytes are DRIVER_FRAME_HEADER. Any value is taken as it is. */
void driver_frame_header_decode (const guint8 *bytes, DriverFrameHeader *header);

/** driver_frame_length: the length word, of which the four bytes at @bytes are enough. */
guint32 driver_frame_length (const guint8 *bytes);

/** driver_frame_length_valid: FALSE where libvirt itself would close the connection. */
gboolean driver_frame_length_valid (guint32 length);

/** driver_frame_is_remote: a frame of the remote program, version 1, of that type. */
gboolean driver_frame_is_remote (const DriverFrameHeader *header, DriverFrameType type);

/** driver_frame_is_remote_call: a call of the remote program, with descriptors or without: libvirt
 * takes either for each procedure (src/rpc/virnetserverprogram.c: virNetServerProgramDispatch). */
gboolean driver_frame_is_remote_call (const DriverFrameHeader *header);

/** driver_frame_is_device_procedure: one of the six that attach, detach or update a device, or of
 * the two that define a guest with its devices. */
gboolean driver_frame_is_device_procedure (gint32 procedure);

/** driver_frame_is_device_call: TRUE for a call of one of these, in either form. */
gboolean driver_frame_is_device_call (const DriverFrameHeader *header);

typedef enum
{
  DRIVER_DEVICE_ATTACH,
  DRIVER_DEVICE_DETACH,
  DRIVER_DEVICE_UPDATE,
  DRIVER_DEVICE_DEFINE
} DriverDeviceOperation;

/** DriverDeviceCall: the arguments of such a call (src/remote/remote_protocol.x). */
typedef struct
{
  DriverDeviceOperation operation;
  gboolean by_alias;    /* device is an alias */
  char *domain_name;    /* for messages: libvirt goes by the UUID alone */
  char domain_uuid[37]; /* in lower case */
  char *device;         /* device XML, or an alias; of DEFINE a domain's XML, and no more */
  guint32 flags;        /* virDomainDeviceModifyFlags; 0 (current) where the call has none */
} DriverDeviceCall;

/**
 * driver_device_call_decode: @frame is the whole frame, header included, without the descriptors
 * that may follow it.
 *
 * Returns: NULL where the payload is not exactly what this procedure has (then it is newer than
 * this code, or broken, and libvirt's to judge).
 */
DriverDeviceCall *driver_device_call_decode (GBytes *frame);
void driver_device_call_free (DriverDeviceCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverDeviceCall, driver_device_call_free)

/** driver_device_call_may_be_live: FALSE for one that changes the persistent configuration only. */
gboolean driver_device_call_may_be_live (const DriverDeviceCall *call);

/**
 * driver_device_call_new_own: beside a client's call, one of our own about the same guest, in the
 * same form: with its flags (but FORCE, which is an update's), or without any.
 * @frame: one that driver_device_call_decode can read, no DEFINE
 * @operation: ATTACH or DETACH
 * @device: device XML; NULL: what the call has
 */
GBytes *driver_device_call_new_own (GBytes *frame, DriverDeviceOperation operation,
                                    const char *device, guint32 serial);

/**
 * driver_frame_new_error: the reply to @call that a libvirt daemon sends for an error.
 * @code: virErrorNumber; @format: libvirt's own text of that code, with one %s; @detail: what
 * stands for it
 */
GBytes *driver_frame_new_error (const DriverFrameHeader *call, int code, const char *format,
                                const char *detail);
/** driver_frame_new_error_from: the same; @domain: virErrorDomain, QEMU's driver above */
GBytes *driver_frame_new_error_from (const DriverFrameHeader *call, int domain, int code,
                                     const char *format, const char *detail);

/** driver_frame_error_message: of an error reply, the message and the code; NULL where there is
 * none. @code may be NULL. */
char *driver_frame_error_message (GBytes *frame, int *code);

/** driver_frame_new_pong: the answer to a keepalive ping. */
GBytes *driver_frame_new_pong (void);
