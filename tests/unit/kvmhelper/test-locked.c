/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-locked.h"

/* As Linux 6.12 writes them of a libvirt guest on an emulated POWER9 host, in part. */
static const char limits[]
    = "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max cpu time              unlimited            unlimited            seconds   \n"
      "Max locked memory         6471811072           6471811072           bytes     \n"
      "Max address space         unlimited            unlimited            bytes     \n";
static const char unlimited[]
    = "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max locked memory         unlimited            unlimited            bytes     \n";
static const char status[] = "Name:\tqemu-system-ppc\n"
                             "Umask:\t0002\n"
                             "VmLck:\t 1059392 kB\n"
                             "VmPin:\t       0 kB\n"
                             "CapPrm:\t0000000000000000\n"
                             "CapEff:\t0000000000000000\n";
static const char capable[] = "VmLck:\t 6300000 kB\nVmPin:\t 64 kB\nCapEff:\t0000000000004000\n";
static const char tight[] = "VmLck:\t 6300000 kB\nVmPin:\t 0 kB\nCapEff:\t000001ffffffbfff\n";

static void
test_guest (void)
{
  KvmHelperLocked locked = kvmhelper_locked_parse (status, limits);

  g_assert_true (locked.known);
  g_assert_cmpuint (locked.locked, ==, 1059392ull * 1024);
  g_assert_cmpuint (locked.pinned, ==, 0);
  g_assert_cmpuint (locked.limit, ==, 6471811072ull);
  g_assert_false (locked.ipc_lock);
  g_assert_false (kvmhelper_locked_is_near (&locked));
}

static void
test_near (void)
{
  KvmHelperLocked near = kvmhelper_locked_parse (tight, limits);
  KvmHelperLocked exempt = kvmhelper_locked_parse (capable, limits);
  KvmHelperLocked free = kvmhelper_locked_parse (tight, unlimited);

  g_assert_true (kvmhelper_locked_is_near (&near));
  /* CAP_IPC_LOCK is one bit, and all others are not it */
  g_assert_true (exempt.known && exempt.ipc_lock);
  g_assert_false (near.ipc_lock);
  g_assert_cmpuint (exempt.pinned, ==, 65536);
  g_assert_false (kvmhelper_locked_is_near (&exempt));
  g_assert_cmpuint (free.limit, ==, G_MAXUINT64);
  g_assert_true (free.known);
  g_assert_false (kvmhelper_locked_is_near (&free));
}

/* What is not there is not 0. */
static void
test_unknown (void)
{
  static const char *const texts[][2] = {
    { "", "" },
    { status, "" },
    { "", limits },
    { "VmLck:\t 1 kB\nVmPin:\t 0 kB\n", limits },
    { "VmLck:\t x kB\nVmPin:\t 0 kB\nCapEff:\t0\n", limits },
    { "XVmLck:\t 1 kB\nVmPin:\t 0 kB\nCapEff:\t0\n", limits },
    { status, "Max locked memory" },
    { status, "Max locked memory         many\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      KvmHelperLocked locked = kvmhelper_locked_parse (texts[i][0], texts[i][1]);

      g_test_message ("texts %u", i);
      g_assert_false (locked.known);
      g_assert_false (kvmhelper_locked_is_near (&locked));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/locked/guest", test_guest);
  g_test_add_func ("/kvmhelper/locked/near", test_near);
  g_test_add_func ("/kvmhelper/locked/unknown", test_unknown);
  return g_test_run ();
}
