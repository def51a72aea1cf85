/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-admission.h"
#include "driver/driver-shares.h"

/**
 * Shared by the two halves of the admission: which frame may pass now (driver-admission.c), and
 * what is done when an answer is there (driver-admission-steps.c).
 */
enum
{
  /* No call of the client is under way when one of ours is, so any serial will do. */
  SERIAL = 0x70700064,
  /* A URI of libvirt's, an identity, and replies that are empty, short, or an error. */
  CALL_MAX = 256 * 1024,
  REPLY_MAX = 256 * 1024,
};

typedef enum
{
  ARRIVING,    /* its names, and what libvirt demands, are not known yet */
  OUTSIDE,     /* to be let in by polkit */
  VOUCHING,    /* it is root: libvirt is to let virtppc64d in at once */
  ASKING,      /* polkit is asked */
  PROVING,     /* it said yes, and libvirt has the client's AUTH_POLKIT */
  INSIDE,      /* let in, or libvirt's own business, as SASL is */
  OPENING,     /* libvirt has its CONNECT_OPEN */
  IDENTIFYING, /* … and who it is */
  LOOKING,     /* … and is asked whether it may see the connection */
  OPEN,
  REFUSED, /* each call that libvirt would answer is answered with the refusal */
  ENDED
} DriverAdmissionState;

struct _DriverAdmission
{
  DriverAdmissionOwner owner;
  gpointer data;
  DriverAccess *access;
  int client;
  gboolean read_only;

  DriverAdmissionState state, before; /* before OPENING */
  DriverPeer *peer; /* NULL while its names are asked for, or nothing is known of it */
  guint32 uid;
  guint32 user; /* the same, or for whom it is there */
  DriverErrand *naming, *question;
  gboolean demands_known, demands_polkit;
  gint32 own;             /* procedure of a call of our own that libvirt has; 0: none */
  gboolean under_way;     /* a call of the client, that is: */
  DriverFrameHeader call; /* the last one of the client's */
  gboolean may_write;
  gboolean told; /* it told libvirt itself for whom it is there */
  GBytes *held;  /* the call that polkit is asked for, or the reply to CONNECT_OPEN */
  GUnixFDList *held_fds;
  char *described;

  int code, domain; /* of the refusal: virErrorNumber, virErrorDomain */
  const char *format;
  char *detail;
};

/* The first question, and the names. */
void driver_admission_arrive (DriverAdmission *self, DriverPeer *peer, const GError *error);

/* A call of the client's by which it comes in: held until libvirt and polkit have answered. */
void driver_admission_enter (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame,
                             GUnixFDList *fds);

/* The answer of libvirt to @own, a call of ours; and its success with CONNECT_OPEN. */
void driver_admission_answered (DriverAdmission *self, gint32 own, const DriverFrameHeader *header,
                                GBytes *frame);
void driver_admission_opened (DriverAdmission *self, GBytes *frame);

/* The client's last call is answered with the refusal. */
void driver_admission_answer_refusal (DriverAdmission *self);
void driver_admission_end (DriverAdmission *self);
