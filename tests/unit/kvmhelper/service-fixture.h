/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-service.h"

#include "kvmhelper-dbus.h"
#include "kvmhelper-double.h"

/**
 * The service behind polkit, on a bus of the test's own, with a host of files below it. The polkit
 * is the test's: it says what the test wants, and keeps what it was asked. It and the service run
 * in a thread of their own.
 */
typedef struct
{
  GTestDBus *bus;
  GMainContext *context; /* of that thread */
  GMainLoop *loop;
  GThread *thread;

  GMutex lock; /* of all below, up to the host */
  gboolean says_yes;
  guint questions;
  guint withdrawn;
  GPtrArray *open; /* questions without an answer yet; NULL: each is answered */
  char *asked;     /* action, flags, address, domain, its name */
  char *subject;
  GVariant *of_process; /* the answer about a process; NULL: it stays open */
  GPtrArray *open_processes;

  KvmHelperDouble *host;
  KvmHelperRehearse rehearse; /* before the fixture is set up; NULL: kvmhelper_rehearsal_here */
  KvmHelperService *service;
  GDBusConnection *polkit;
  GDBusConnection *helper;
  GDBusConnection *client;
  gsize ready;
} ServiceFixture;

#define SERVICE_FIRST "0003:01:00.0"
#define SERVICE_UUID  "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

void service_fixture_set_up (ServiceFixture *fixture, gconstpointer data);
void service_fixture_tear_down (ServiceFixture *fixture, gconstpointer data);

/** service_fixture_connect: another client of the bus. */
GDBusConnection *service_fixture_connect (ServiceFixture *fixture);

GVariant *service_fixture_call (ServiceFixture *fixture, const char *method, GVariant *parameters,
                                GDBusCallFlags flags, GError **error);

/** service_fixture_prepare_arguments: of Prepare, for SERVICE_FIRST and a guest of the name
 * "guest". */
GVariant *service_fixture_prepare_arguments (const char *rehearse);

/** service_fixture_prepare: Prepare with these, and without a rehearsal; the lease that it made, to
 * be freed. */
char *service_fixture_prepare (ServiceFixture *fixture);

/** service_fixture_assert_refused: a call that ends with that error. */
void service_fixture_assert_refused (ServiceFixture *fixture, const char *method,
                                     GVariant *parameters, CommonErrorCode code);

/** service_fixture_list_leases: what ListLeases says, printed; to be freed. */
char *service_fixture_list_leases (ServiceFixture *fixture);

/** service_fixture_begin: a call of @client's, that is not waited for. */
void service_fixture_begin (GDBusConnection *client, const char *method, GVariant *parameters,
                            GDBusCallFlags flags, GAsyncReadyCallback done, gpointer data);

/** service_fixture_wait_open: until so many questions are without an answer. */
void service_fixture_wait_open (ServiceFixture *fixture, guint questions);

/** service_fixture_answer: all open questions. */
void service_fixture_answer (ServiceFixture *fixture, gboolean yes);

/** service_fixture_arguments: for a method; addresses and UUIDs where its arguments are those. */
GVariant *service_fixture_arguments (const GDBusMethodInfo *method);
