/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * DriverPoll: the sockets of all connections, behind one epoll and one GSource: to wake up costs
 * something for those that are ready, and nothing for those that are only there. The main context
 * asks each of its sources and each of their descriptors, every time.
 */
typedef struct _DriverPoll DriverPoll;

/** Who is called when a socket of its own is ready, or when it is woken. */
typedef struct
{
  DriverPoll *poll;
  void (*run) (gpointer data);
  gpointer data;
  GList link; /* among those that are to run */
  gboolean waiting;
} DriverPollMember;

/** One of its sockets. Both are parts of other structs, and stay in their place. */
typedef struct
{
  DriverPollMember *member;
  int fd; /* -1: gone */
  gboolean watched;
  GIOCondition wanted;
  GIOCondition ready; /* what was found since the member ran last: for the member to clear */
} DriverPollSocket;

/** driver_poll_ref: that of the default main context, which has one. Ends the process where there
 * is no epoll, as GLib does where it cannot make such a context. */
DriverPoll *driver_poll_ref (void);
/** driver_poll_unref: all that joined by it have left. */
void driver_poll_unref (DriverPoll *poll);

/** driver_poll_join: from now on @run is called with @data where a socket of @member is ready, or
 * it was woken. @member is the caller's, and stays until it has left. */
void driver_poll_join (DriverPoll *poll, DriverPollMember *member, void (*run) (gpointer data),
                       gpointer data);
/** driver_poll_leave: it is not called any more. Its sockets are forgotten before. */
void driver_poll_leave (DriverPollMember *member);

/** driver_poll_wake: it is called, soon and once. From the thread of the main context alone. */
void driver_poll_wake (DriverPollMember *member);

/** driver_poll_expect: by a member that runs: more will be ready at once. Before the process
 * sleeps, whoever waits for its processor is let run, and all sockets are looked at once more. */
void driver_poll_expect (DriverPoll *poll);

/**
 * driver_poll_watch: what is waited for, of G_IO_IN and G_IO_OUT. A hang-up or an error is always
 * told, as epoll does. Returns FALSE and errno where the kernel cannot.
 */
gboolean driver_poll_watch (DriverPollSocket *socket, GIOCondition wanted);

/** driver_poll_forget: nothing is waited for, not even a hang-up; always before it is closed: the
 * kernel watches on for who has another descriptor of it. */
void driver_poll_forget (DriverPollSocket *socket);
