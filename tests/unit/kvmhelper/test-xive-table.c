/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-xive-table.h"

/* As Linux 6.12 on an emulated POWER9 host writes it, for a guest with a passed-through card. */
static const char native[] = "=========\n"
                             "VCPU state\n"
                             "=========\n"
                             "VCPU 0: VP=0x41000002/00\n"
                             "    NSR=00 CPPR=ff IBP=00 PIPR=ff w01=00ff0000ff0000ff w2=80000002\n"
                             "    q[6]: T=0 80000018 80000018...\n"
                             "    ESC 48 -Q EOI @60160005f0000\n"
                             "=========\n"
                             "Sources\n"
                             "=========\n"
                             "    LISN      HW/CHIP   TYPE    PQ      EISN    CPU/PRIO\n"
                             "00000000  00000014/00  MSI IPI  --  00000010      0/6\n"
                             "    LISN      HW/CHIP   TYPE    PQ      EISN    CPU/PRIO\n"
                             "00001101  00000018/00  MSI IPI  -Q  00000000      0/255\n"
                             "00001203  0000001c/00  LSI IPI  -Q  00000000      0/255\n"
                             "00001204  0000001d/00 ^LSI IPI  PQ  00000000      0/255\n"
                             "00001300  000fe000/00  MSI  PT  --  00000016      0/6\n"
                             "00001303  000fe003/00  MSI  PT  P-  00000000      0/255\n"
                             "00001304  000fe004/01  MSI  PT  P-  00000000     12/6\n";

static void
test_native (void)
{
  g_autoptr (KvmHelperXiveTable) table = kvmhelper_xive_table_parse (native);
  const KvmHelperSource *source;

  g_assert_true (table->native);
  g_assert_cmpuint (table->sources->len, ==, 7);
  source = kvmhelper_xive_table_find (table, 0x1300);
  g_assert_nonnull (source);
  g_assert_cmphex (source->hw, ==, 0xfe000);
  g_assert_true (source->passed);
  g_assert_false (source->lsi);
  g_assert_cmpstr (source->pq, ==, "--");
  g_assert_cmphex (source->eisn, ==, 0x16);
  g_assert_cmpint (source->cpu, ==, 0);
  g_assert_cmpint (source->priority, ==, 6);
  source = kvmhelper_xive_table_find (table, 0x1204);
  g_assert_true (source->lsi);
  g_assert_false (source->passed);
  g_assert_cmpstr (source->pq, ==, "PQ");
  g_assert_cmpint (source->priority, ==, 255);
  source = kvmhelper_xive_table_find (table, 0x1304);
  g_assert_cmpint (source->cpu, ==, 12);
  g_assert_null (kvmhelper_xive_table_find (table, 0x1400));
}

static void
test_xics_on_xive (void)
{
  g_autoptr (KvmHelperXiveTable) table = kvmhelper_xive_table_parse (
      "VCPU 0: VP:0x41000002/00\n"
      "    CPPR:0xff HWCPPR:0xff MFRR:0xff PEND:0x0 h_xirr: R=0 V=407\n"
      "Hcalls totals\n"
      " H_XIRR  R=         0 V=       407\n"
      "00001300  000fe000/00  MSI  PT  --  00000000      0/5\n");

  g_assert_false (table->native);
  g_assert_cmpuint (table->sources->len, ==, 1);
}

/* Whatever it is, it is no row. */
static void
test_broken (void)
{
  static const char *const lines[] = {
    "",
    "\n\n",
    "00001300",
    "00001300  000fe000/00  MSI  PT  --  00000016",
    "00001300  000fe000/00  MSI  PT  --  00000016      0/6 more",
    "0001300g  000fe000/00  MSI  PT  --  00000016      0/6",
    "00001300  000fe000     MSI  PT  --  00000016      0/6",
    "00001300  000fe000/00  XSI  PT  --  00000016      0/6",
    "00001300  000fe000/00  MSI  XX  --  00000016      0/6",
    "00001300  000fe000/00  MSI  PT  QP  00000016      0/6",
    "00001300  000fe000/00  MSI  PT  ---  00000016      0/6",
    "00001300  000fe000/00  MSI  PT  --  00000016      0",
    "00001300  000fe000/00  MSI  PT  --  00000016      /",
    "000013000  000fe000/00  MSI  PT  --  00000016      0/6",
    "00001300  000fe000/00  MSI  PT  --  00000016      99999999999999999999/6",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (KvmHelperXiveTable) table = kvmhelper_xive_table_parse (lines[i]);

      g_assert_cmpuint (table->sources->len, ==, 0);
      g_assert_false (table->native);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/xive-table/native", test_native);
  g_test_add_func ("/kvmhelper/xive-table/xics-on-xive", test_xics_on_xive);
  g_test_add_func ("/kvmhelper/xive-table/broken", test_broken);
  return g_test_run ();
}
