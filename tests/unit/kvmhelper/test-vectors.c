/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-vectors.h"

#define NATIVE   KVMHELPER_PLATFORM_POWERNV, KVMHELPER_CONTROLLER_XIVE
#define UNTRIED  KVMHELPER_BYPASS_UNTRIED
#define PASSED   KVMHELPER_BYPASS_PASSED
#define REFUSED  KVMHELPER_BYPASS_REFUSED
#define ABSENT   -1
#define EVIDENCE (KVMHELPER_BYPASS_MAX)

/* Each thing that can be seen, and what it means for one interrupt. */
static const struct
{
  KvmHelperPassing passing; /* platform, controller, kvm_irq_bypass, MSIs of the guest */
  gboolean message;
  guint64 count; /* at the host's handler */
  KvmHelperBypassTrial trial;
  const char *path, *reason;
} cases[] = {
  { { NATIVE, 1, 5 }, TRUE, 0, UNTRIED, "guest", "none-at-host" },
  { { NATIVE, 1, 5 }, TRUE, 0, PASSED, "guest", "rehearsed" },
  { { NATIVE, 1, 5 }, TRUE, 0, REFUSED, "host", "refused" },
  { { NATIVE, 1, 5 }, TRUE, 1, UNTRIED, "host", "handled" },
  { { NATIVE, 1, 5 }, TRUE, 1, PASSED, "host", "handled" },
  { { NATIVE, 1, 5 }, FALSE, 0, UNTRIED, "host", "intx" },
  { { NATIVE, 1, 5 }, FALSE, 9, PASSED, "host", "intx" },
  /* switched off: what the host had went by it; of the rest nobody knows when it was handed over */
  { { NATIVE, 0, 5 }, TRUE, 3, UNTRIED, "host", "bypass-off" },
  { { NATIVE, 0, 5 }, TRUE, 0, PASSED, "unknown", "bypass-off" },
  /* the parameter cannot be read */
  { { NATIVE, ABSENT, 5 }, TRUE, 0, UNTRIED, "unknown", "never" },
  { { NATIVE, ABSENT, 5 }, TRUE, 0, PASSED, "guest", "rehearsed" },
  { { NATIVE, ABSENT, 5 }, TRUE, 2, UNTRIED, "host", "handled" },
  /* KVM's table has 1,024 entries: with one more, any of them may be the one too many */
  { { NATIVE, 1, EVIDENCE }, TRUE, 0, UNTRIED, "guest", "none-at-host" },
  { { NATIVE, 1, EVIDENCE + 1 }, TRUE, 0, UNTRIED, "unknown", "limit" },
  { { NATIVE, 1, EVIDENCE + 1 }, TRUE, 0, PASSED, "unknown", "limit" },
  { { NATIVE, 1, EVIDENCE + 1 }, TRUE, 1, UNTRIED, "host", "limit" },
  /* a partition, as under PowerVM */
  { { KVMHELPER_PLATFORM_PSERIES, KVMHELPER_CONTROLLER_XICS, 1, 5 },
    TRUE,
    0,
    UNTRIED,
    "host",
    "platform" },
  { { KVMHELPER_PLATFORM_PSERIES, KVMHELPER_CONTROLLER_XICS, 0, 5 },
    TRUE,
    7,
    UNTRIED,
    "host",
    "platform" },
  { { KVMHELPER_PLATFORM_PSERIES, KVMHELPER_CONTROLLER_EMULATED, 1, 5 },
    TRUE,
    0,
    UNTRIED,
    "host",
    "emulated" },
  { { KVMHELPER_PLATFORM_POWERNV, KVMHELPER_CONTROLLER_EMULATED, 1, 5 },
    TRUE,
    0,
    PASSED,
    "host",
    "emulated" },
  { { KVMHELPER_PLATFORM_POWERNV, KVMHELPER_CONTROLLER_XICS, 1, 5 },
    TRUE,
    4,
    UNTRIED,
    "unknown",
    "xics" },
  { { KVMHELPER_PLATFORM_POWERNV, KVMHELPER_CONTROLLER_NO_GUEST, 1, 5 },
    TRUE,
    0,
    PASSED,
    "unknown",
    "no-guest" },
};

static void
test_ways (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      KvmHelperVector vector = { .message = cases[i].message, .count = cases[i].count };
      KvmHelperWay way = kvmhelper_vector_way (&cases[i].passing, &vector, cases[i].trial);

      g_test_message ("case %u", i);
      g_assert_cmpstr (way.path, ==, cases[i].path);
      g_assert_cmpstr (way.reason, ==, cases[i].reason);
      /* where it was read, or that it was not */
      g_assert_true (*way.source == '/' || g_str_has_prefix (way.source, "inferred: "));
      /* that an interrupt is a guest's nothing that may be read shows */
      if (g_str_equal (way.path, "guest") || g_str_equal (way.path, "unknown"))
        g_assert_true (g_str_has_prefix (way.source, "inferred: "));
    }
}

static void
test_entries (void)
{
  KvmHelperPassing passing = { NATIVE, 1, 77 };

  g_assert_cmpuint (kvmhelper_passing_entries (&passing), ==, 77);
  passing.bypass = ABSENT;
  g_assert_cmpuint (kvmhelper_passing_entries (&passing), ==, 77);
  passing.bypass = 0;
  g_assert_cmpuint (kvmhelper_passing_entries (&passing), ==, 0);
  passing = (KvmHelperPassing){ KVMHELPER_PLATFORM_PSERIES, KVMHELPER_CONTROLLER_XICS, 1, 77 };
  g_assert_cmpuint (kvmhelper_passing_entries (&passing), ==, 0);
  passing = (KvmHelperPassing){ KVMHELPER_PLATFORM_POWERNV, KVMHELPER_CONTROLLER_EMULATED, 1, 77 };
  g_assert_cmpuint (kvmhelper_passing_entries (&passing), ==, 0);
}

static void
test_near (void)
{
  g_assert_false (kvmhelper_near_limit (0, KVMHELPER_BYPASS_MAX));
  g_assert_false (kvmhelper_near_limit (922, KVMHELPER_BYPASS_MAX));
  g_assert_true (kvmhelper_near_limit (923, KVMHELPER_BYPASS_MAX));
  g_assert_true (kvmhelper_near_limit (1025, KVMHELPER_BYPASS_MAX));
  g_assert_true (kvmhelper_near_limit (G_MAXUINT64, G_MAXUINT64));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/vectors/ways", test_ways);
  g_test_add_func ("/kvmhelper/vectors/entries", test_entries);
  g_test_add_func ("/kvmhelper/vectors/near", test_near);
  return g_test_run ();
}
