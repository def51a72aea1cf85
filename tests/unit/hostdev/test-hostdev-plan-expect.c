/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"

/* What the guest will have, and whether its policy allows that. */

#define PHBS        FIXTURE_PHB (1)
#define XIVE_NATIVE "name=\"xive-native\" answer=\""
#define XICS_FACT   "name=\"xics\" answer=\""

static HostdevPlan *
attach_on (HostdevHost *owned, const char *address, const char *top)
{
  g_autoptr (HostdevHost) host = owned;
  g_autoptr (HostdevDomain) domain = fixture_domain (top, PHBS);
  g_autoptr (HostdevDevice) device = fixture_device (address, "");

  return hostdev_plan_attach (domain, device, host);
}

static HostdevPlan *
on_powernv (const char *from, const char *to, const char *top)
{
  return attach_on (fixture_host ("powernv.xml", from, to), "0000:01:00.0", top);
}

static HostdevPlan *
on_powervm (const char *from, const char *to, const char *top)
{
  return attach_on (fixture_host ("powervm.xml", from, to), "0001:00:00.0", top);
}

static const HostdevPlanDevice *
only_device (const HostdevPlan *plan)
{
  return g_ptr_array_index (hostdev_plan_get_devices (plan), 0);
}

static void
test_powernv (void)
{
  g_autoptr (HostdevPlan) plan = on_powernv (NULL, NULL, "");
  const HostdevPlanDevice *device = only_device (plan);

  fixture_expect_clean (plan);
  g_assert_cmpstr (device->interrupts.value, ==, "xive-native");
  g_assert_cmpstr (device->interrupts.source, ==, "KVM_CAP_PPC_IRQ_XIVE");
  g_assert_cmpstr (device->dma.value, ==, "in-kernel");
  g_assert_cmpstr (device->dma.source, ==, "KVM_CAP_SPAPR_TCE_VFIO");
  g_assert_cmpstr (device->eeh.value, ==, "enabled");
  g_assert_cmpstr (device->eeh.source, ==, "VFIO_EEH");
}

/* Every combination that a host of ours can be in. */
static void
test_interrupts (void)
{
  static const struct
  {
    const char *options, *from, *to, *value;
  } cases[] = {
    { "ic-mode=dual", NULL, NULL, "xive-native" },
    { "ic-mode=xive", NULL, NULL, "xive-native" },
    { "ic-mode=xics", NULL, NULL, "xics-on-xive" },
    { "kernel-irqchip=off", NULL, NULL, "emulated" },
    { "ic-mode=xive", XIVE_NATIVE "yes", XIVE_NATIVE "no", "emulated" },
    { "ic-mode=dual", XIVE_NATIVE "yes", XIVE_NATIVE "no", "emulated" },
    { "ic-mode=xics", XIVE_NATIVE "yes", XIVE_NATIVE "no", "xics" },
    { "ic-mode=dual", XIVE_NATIVE "yes", XIVE_NATIVE "unknown", "unknown" },
    { "ic-mode=xics", XIVE_NATIVE "yes", XIVE_NATIVE "unknown", "unknown" },
    { "ic-mode=xics", XICS_FACT "yes", XICS_FACT "no", "emulated" },
    { "ic-mode=xics", XICS_FACT "yes", XICS_FACT "unknown", "unknown" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *top = g_strdup_printf (FIXTURE_MACHINE_OPTIONS ("%s"), cases[i].options);
      g_autoptr (HostdevPlan) plan = on_powernv (cases[i].from, cases[i].to, top);

      g_test_message ("%s %s", cases[i].options, cases[i].to != NULL ? cases[i].to : "");
      g_assert_cmpstr (only_device (plan)->interrupts.value, ==, cases[i].value);
      g_assert_cmpuint (strlen (only_device (plan)->interrupts.source), >, 0);
      g_assert_true (hostdev_plan_is_allowed (plan));
    }
}

/* No policy: the guest runs, the plan says what it lacks and what would be better. */
static void
test_powervm (void)
{
  g_autoptr (HostdevPlan) plan = on_powervm (NULL, NULL, "");
  const HostdevPlanDevice *device = only_device (plan);

  g_assert_true (hostdev_plan_is_allowed (plan));
  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_XIVE_UNAVAILABLE, "emulated");
  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_EEH_UNAVAILABLE, "/proc/powerpc/eeh");
  const HostdevReason *reason
      = fixture_expect (plan, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_XICS, "ic-mode=xics");
  g_assert_nonnull (strstr (reason->remedy, "<qemu:arg value='ic-mode=xics'/>"));
  g_assert_null (fixture_find (plan, COMMON_ERROR_ADVISE_IRQ_BYPASS));
  fixture_expect (plan, HOSTDEV_ADVISE, COMMON_ERROR_XIVE_UNAVAILABLE, "go through the host");
  g_assert_cmpuint (hostdev_plan_get_reasons (plan)->len, ==, 4);
  g_assert_cmpstr (device->interrupts.value, ==, "emulated");
  g_assert_cmpstr (device->dma.value, ==, "in-kernel");
  g_assert_cmpstr (device->eeh.value, ==, "unavailable");
}

static void
test_advised_xics (void)
{
  g_autoptr (HostdevPlan) taken = on_powervm (NULL, NULL, FIXTURE_MACHINE_OPTIONS ("ic-mode=xics"));
  g_autoptr (HostdevPlan) useless = on_powervm (XICS_FACT "yes", XICS_FACT "no", "");
  g_autoptr (HostdevPlan) off = on_powervm (NULL, NULL, FIXTURE_POLICY ("xive='off'", ""));
  g_autoptr (HostdevPlan) chosen
      = on_powervm (NULL, NULL, FIXTURE_MACHINE_OPTIONS ("ic-mode=xive"));

  /* the advice was taken */
  fixture_expect (taken, HOSTDEV_ADVISE, COMMON_ERROR_XIVE_UNAVAILABLE, "go through the host");
  g_assert_null (fixture_find (taken, COMMON_ERROR_ADVISE_XICS));
  g_assert_cmpstr (only_device (taken)->interrupts.value, ==, "xics");
  fixture_expect (useless, HOSTDEV_WARN, COMMON_ERROR_XIVE_UNAVAILABLE, "emulated");
  g_assert_null (fixture_find (useless, COMMON_ERROR_ADVISE_XICS));
  g_assert_null (fixture_find (off, COMMON_ERROR_XIVE_UNAVAILABLE));
  g_assert_null (fixture_find (off, COMMON_ERROR_ADVISE_XICS));
  /* who asks for XIVE in so many words is told that it is not to be had, not to take another */
  fixture_expect (chosen, HOSTDEV_WARN, COMMON_ERROR_XIVE_UNAVAILABLE, "emulated");
  g_assert_null (fixture_find (chosen, COMMON_ERROR_ADVISE_XICS));
}

static void
test_xive_required (void)
{
#define REQUIRED FIXTURE_POLICY ("xive='required' eeh='off'", "")
  g_autoptr (HostdevPlan) here = on_powernv (NULL, NULL, REQUIRED);
  g_autoptr (HostdevPlan) partition = on_powervm (NULL, NULL, REQUIRED);
  g_autoptr (HostdevPlan) xics
      = on_powernv (NULL, NULL, REQUIRED FIXTURE_MACHINE_OPTIONS ("ic-mode=xics"));
  g_autoptr (HostdevPlan) off
      = on_powernv (NULL, NULL, REQUIRED FIXTURE_MACHINE_OPTIONS ("kernel-irqchip=off"));
  g_autoptr (HostdevPlan) unknown = on_powernv (XIVE_NATIVE "yes", XIVE_NATIVE "unknown", REQUIRED);
  g_autoptr (HostdevPlan) no = on_powernv (XIVE_NATIVE "yes", XIVE_NATIVE "no", REQUIRED);

  fixture_expect_clean (here);
  fixture_expect (partition, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, "partition");
  g_assert_null (fixture_find (partition, COMMON_ERROR_ADVISE_XICS));
  const HostdevReason *reason
      = fixture_expect (xics, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, "ic-mode=xics");
  g_assert_nonnull (strstr (reason->remedy, "Remove ic-mode=xics"));
  reason
      = fixture_expect (off, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, "kernel-irqchip=off");
  g_assert_nonnull (strstr (reason->remedy, "Remove kernel-irqchip=off"));
  fixture_expect (unknown, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, "not known");
  fixture_expect (no, HOSTDEV_REFUSE, COMMON_ERROR_XIVE_UNAVAILABLE, "KVM has no native XIVE");
}

/* A device's own wish goes before the guest's. */
static void
test_device_wish (void)
{
  g_autoptr (HostdevPlan) plan = on_powervm (
      NULL, NULL,
      FIXTURE_POLICY ("xive='required' eeh='required'",
                      "<ppc64:device xive='off' eeh='off'><ppc64:address domain='1' bus='0' "
                      "slot='0'/></ppc64:device>"));

  fixture_expect_clean (plan);
}

static void
test_bypass (void)
{
#define BYPASS(answer) "name=\"irq-bypass\" answer=\"" answer "\""
  g_autoptr (HostdevPlan) plan = on_powernv (BYPASS ("yes"), BYPASS ("no"), "");
  g_autoptr (HostdevPlan) xics
      = on_powernv (BYPASS ("yes"), BYPASS ("no"), FIXTURE_MACHINE_OPTIONS ("ic-mode=xics"));
  g_autoptr (HostdevPlan) emulated
      = on_powernv (BYPASS ("yes"), BYPASS ("no"), FIXTURE_MACHINE_OPTIONS ("kernel-irqchip=off"));
  g_autoptr (HostdevPlan) unknown = on_powernv (BYPASS ("yes"), BYPASS ("unknown"), "");

  const HostdevReason *reason
      = fixture_expect (plan, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_IRQ_BYPASS, "switched off");
  g_assert_nonnull (strstr (reason->remedy, "kvm_irq_bypass"));
  fixture_expect (xics, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_IRQ_BYPASS, "switched off");
  g_assert_null (fixture_find (emulated, COMMON_ERROR_ADVISE_IRQ_BYPASS));
  fixture_expect_clean (unknown);
}

static void
test_tce (void)
{
#define TCE(answer)      "name=\"spapr-tce-vfio\" answer=\"" answer "\""
#define TCE_POLICY(wish) FIXTURE_POLICY ("tce='" wish "'", "")
  g_autoptr (HostdevPlan) preferred = on_powernv (TCE ("yes"), TCE ("no"), "");
  g_autoptr (HostdevPlan) required = on_powernv (TCE ("yes"), TCE ("no"), TCE_POLICY ("required"));
  g_autoptr (HostdevPlan) off = on_powernv (TCE ("yes"), TCE ("no"), TCE_POLICY ("off"));
  g_autoptr (HostdevPlan) unknown = on_powernv (TCE ("yes"), TCE ("unknown"), "");
  g_autoptr (HostdevPlan) not_proven
      = on_powernv (TCE ("yes"), TCE ("unknown"), TCE_POLICY ("required"));
  g_autoptr (HostdevPlan) here = on_powernv (NULL, NULL, TCE_POLICY ("required"));
  g_autoptr (HostdevPlan) no_table
      = on_powernv ("name=\"spapr-tce\" answer=\"yes\"", "name=\"spapr-tce\" answer=\"no\"", "");

  fixture_expect (preferred, HOSTDEV_WARN, COMMON_ERROR_TCE_UNAVAILABLE, "KVM_CAP_SPAPR_TCE_VFIO");
  g_assert_cmpstr (only_device (preferred)->dma.value, ==, "user-space");
  fixture_expect (required, HOSTDEV_REFUSE, COMMON_ERROR_TCE_UNAVAILABLE, "KVM_CAP_SPAPR_TCE_VFIO");
  fixture_expect (required, HOSTDEV_REFUSE, COMMON_ERROR_POLICY_REQUIRES,
                  "tce='required' for 0000:01:00.0");
  fixture_expect_clean (off);
  g_assert_cmpstr (only_device (off)->dma.value, ==, "user-space");
  fixture_expect_clean (unknown);
  g_assert_cmpstr (only_device (unknown)->dma.value, ==, "unknown");
  fixture_expect (not_proven, HOSTDEV_REFUSE, COMMON_ERROR_TCE_UNAVAILABLE, "not known");
  fixture_expect_clean (here);
  g_assert_cmpstr (only_device (no_table)->dma.value, ==, "user-space");
  g_assert_cmpstr (only_device (no_table)->dma.source, ==, "KVM_CAP_SPAPR_TCE_64");
}

static void
test_eeh (void)
{
#define EEH(answer)      "name=\"eeh\" answer=\"" answer "\""
#define EEH_POLICY(wish) FIXTURE_POLICY ("eeh='" wish "'", "")
  g_autoptr (HostdevPlan) preferred = on_powernv (EEH ("yes"), EEH ("no"), "");
  g_autoptr (HostdevPlan) required = on_powernv (EEH ("yes"), EEH ("no"), EEH_POLICY ("required"));
  g_autoptr (HostdevPlan) off = on_powernv (EEH ("yes"), EEH ("no"), EEH_POLICY ("off"));
  g_autoptr (HostdevPlan) unknown = on_powernv (EEH ("yes"), EEH ("unknown"), "");
  g_autoptr (HostdevPlan) not_proven
      = on_powernv (EEH ("yes"), EEH ("unknown"), EEH_POLICY ("required"));
  g_autoptr (HostdevPlan) here = on_powernv (NULL, NULL, EEH_POLICY ("required"));

  fixture_expect (preferred, HOSTDEV_WARN, COMMON_ERROR_EEH_UNAVAILABLE, "“guest” has no EEH");
  fixture_expect (required, HOSTDEV_REFUSE, COMMON_ERROR_EEH_UNAVAILABLE, "“guest” has no EEH");
  fixture_expect (required, HOSTDEV_REFUSE, COMMON_ERROR_POLICY_REQUIRES,
                  "eeh='required' for 0000:01:00.0");
  fixture_expect_clean (off);
  g_assert_cmpstr (only_device (off)->eeh.value, ==, "unavailable");
  fixture_expect_clean (unknown);
  g_assert_cmpstr (only_device (unknown)->eeh.value, ==, "unknown");
  fixture_expect (not_proven, HOSTDEV_REFUSE, COMMON_ERROR_EEH_UNAVAILABLE, "not known");
  fixture_expect_clean (here);
}

/* What is lacking is a refusal where the policy says so of all of it; of what is off nothing is
 * said. */
static void
test_lacking (void)
{
  g_autoptr (HostdevPlan) refused
      = on_powernv (EEH ("yes"), EEH ("no"), FIXTURE_POLICY ("lacking='refuse'", ""));
  g_autoptr (HostdevPlan) off
      = on_powernv (EEH ("yes"), EEH ("no"), FIXTURE_POLICY ("lacking='refuse' eeh='off'", ""));
  g_autoptr (HostdevPlan) here = on_powernv (NULL, NULL, FIXTURE_POLICY ("lacking='refuse'", ""));

  fixture_expect (refused, HOSTDEV_REFUSE, COMMON_ERROR_EEH_UNAVAILABLE, "“guest” has no EEH");
  fixture_expect (refused, HOSTDEV_REFUSE, COMMON_ERROR_POLICY_REQUIRES, "lacking='refuse'");
  fixture_expect_clean (off);
  fixture_expect_clean (here);
}

/* What is about the guest is said once, however many devices it has. */
static void
test_once (void)
{
  g_autofree char *first = fixture_hostdev ("0001:00:00.0", "");
  g_autofree char *devices = g_strconcat (
      first,
      "<hostdev type='pci' managed='yes'><source><address bus='0' slot='1'/></source></hostdev>",
      NULL);
  g_autoptr (HostdevDomain) domain = fixture_domain ("", devices);
  g_autoptr (HostdevHost) host = fixture_host ("powervm.xml", NULL, NULL);
  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);

  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_XIVE_UNAVAILABLE, "emulated");
  fixture_expect (plan, HOSTDEV_WARN, COMMON_ERROR_EEH_UNAVAILABLE, "“guest”");
  fixture_expect (plan, HOSTDEV_ADVISE, COMMON_ERROR_ADVISE_XICS, "ic-mode=xics");
  fixture_expect (plan, HOSTDEV_REFUSE, COMMON_ERROR_MEMBER_NOT_TAKEABLE, "/dev/vda on /");
}

static void
test_host (void)
{
#define KVM(answer)  "name=\"kvm-hv\" answer=\"" answer "\""
#define VFIO(answer) "name=\"vfio-spapr-v2\" answer=\"" answer "\""
  g_autoptr (HostdevPlan) kvm = on_powernv (KVM ("yes"), KVM ("no"), "");
  g_autoptr (HostdevPlan) vfio = on_powernv (VFIO ("yes"), VFIO ("no"), "");
  g_autoptr (HostdevPlan) unknown_kvm = on_powernv (KVM ("yes"), KVM ("unknown"), "");
  g_autoptr (HostdevPlan) unknown_vfio = on_powernv (VFIO ("yes"), VFIO ("unknown"), "");

  fixture_expect (kvm, HOSTDEV_REFUSE, COMMON_ERROR_KVM_UNAVAILABLE, "KVM_CREATE_VM");
  fixture_expect (vfio, HOSTDEV_REFUSE, COMMON_ERROR_VFIO_UNAVAILABLE, "VFIO_CHECK_EXTENSION");
  fixture_expect_clean (unknown_kvm);
  fixture_expect_clean (unknown_vfio);
}

/* Neither a TCG guest nor another machine is ours. */
static void
test_guest (void)
{
  g_autoptr (HostdevHost) host = fixture_host ("powernv.xml", NULL, NULL);
  g_autofree char *hostdev = fixture_hostdev ("0000:01:00.0", "");
  g_autofree char *xml = g_strdup_printf (
      "<domain type='qemu'><name>tcg</name><os><type arch='ppc64le' machine='pseries'>hvm</type>"
      "</os><devices>%s</devices></domain>",
      hostdev);
  g_autoptr (HostdevDomain) tcg = hostdev_domain_new_from_xml (xml, -1, NULL);
  g_autoptr (HostdevDomain) empty = hostdev_domain_new_from_xml ("<domain type='qemu'/>", -1, NULL);
  g_autoptr (HostdevDevice) device = fixture_device ("0000:01:00.0", "");
  g_autoptr (HostdevPlan) attach = hostdev_plan_attach (empty, device, host);
  g_autoptr (HostdevPlan) start = hostdev_plan_start (tcg, host);
  g_autoptr (HostdevHost) without_kvm = fixture_host ("powernv.xml", KVM ("yes"), KVM ("no"));
  g_autoptr (HostdevPlan) nothing = hostdev_plan_start (empty, without_kvm);

  fixture_expect (attach, HOSTDEV_REFUSE, COMMON_ERROR_NOT_PSERIES_KVM, "pSeries");
  fixture_expect (start, HOSTDEV_REFUSE, COMMON_ERROR_NOT_PSERIES_KVM, "“tcg”");
  g_assert_cmpuint (hostdev_plan_get_devices (start)->len, ==, 1);
  fixture_expect_clean (nothing);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/plan/expect/powernv", test_powernv);
  g_test_add_func ("/hostdev/plan/expect/interrupts", test_interrupts);
  g_test_add_func ("/hostdev/plan/expect/powervm", test_powervm);
  g_test_add_func ("/hostdev/plan/expect/advised-xics", test_advised_xics);
  g_test_add_func ("/hostdev/plan/expect/xive-required", test_xive_required);
  g_test_add_func ("/hostdev/plan/expect/device-wish", test_device_wish);
  g_test_add_func ("/hostdev/plan/expect/bypass", test_bypass);
  g_test_add_func ("/hostdev/plan/expect/tce", test_tce);
  g_test_add_func ("/hostdev/plan/expect/eeh", test_eeh);
  g_test_add_func ("/hostdev/plan/expect/lacking", test_lacking);
  g_test_add_func ("/hostdev/plan/expect/once", test_once);
  g_test_add_func ("/hostdev/plan/expect/host", test_host);
  g_test_add_func ("/hostdev/plan/expect/guest", test_guest);
  return g_test_run ();
}
