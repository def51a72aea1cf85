# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Sourced after lib.sh by tests of this software itself: its sockets, its helper, and what it says of a guest.

# Where libvirt itself listens, beside the driver: what stock libvirt does is to be had there.
# shellcheck disable=SC2034 # for the tests
STOCK='qemu+unix:///system?socket=/run/libvirt-ppc64/libvirt-sock'

# The functions here are called by name through expect and wait_for.
# shellcheck disable=SC2329
product_ready() {
  libvirt_ready && wait_for 30 virt-ppc64 host --quiet && [ -S /run/libvirt/libvirt-sock ] && driver_pid > /dev/null
}

helper_pid() { systemctl show -P MainPID ppc64-kvmhelper.service; }
driver_pid() { systemctl show -P MainPID virtppc64d.service; }
libvirt_pid() { systemctl show -P MainPID libvirtd.service; }
fds_of() { find "/proc/$1/fd" -mindepth 1 -maxdepth 1 | wc -l; }

# status_of ADDRESS JQ-EXPRESSION: of what virt-ppc64 says about a function, in JSON
status_of() {
  virt-ppc64 status --json "$1" |
    jq -r --arg address "$1" ".devices[] | select(.address == \$address or ([.lease.members[]?.address] | index(\$address))) | $2"
}
leases() { virt-ppc64 status --json | jq -r '[.devices[] | select(.lease)] | length'; }
leases_are() { [ "$(leases)" = "$1" ]; }
no_leases() { leases_are 0; }
lease_is() { [ "$(status_of "$1" .lease.phase)" = "$2" ]; }
no_vms() { [ -z "$(find /sys/kernel/debug/kvm -mindepth 1 -maxdepth 1 -type d)" ]; }

# plan_codes ARG...: the kinds of a plan's refusals
plan_codes() { virt-ppc64 plan --json "$@" | jq -r '.reasons[] | select(.severity == "refuse") | .reason' | awk '!seen[$0]++' | xargs; }

# sysfs_state ADDRESS...: all of the host's that an attach could change
sysfs_state() {
  local address
  for address; do
    printf '%s %s %s; ' "$address" "$(driver_of "$address")" "$(cat "/sys/bus/pci/devices/$address/driver_override")"
  done
}

# What a guest has of a card, checked in the kernel's own words, and then against what the helper says.
# check_given ADDRESS
check_given() {
  local address=$1 pid passed
  pid=$(guest_pid)
  passed=$(vectors_passed "$address")
  like "the guest's interrupts are native XIVE, in the kernel" "$(find "/proc/$pid/fd" -printf '%l\n')" '^anon_inode:kvm-xive-native$'
  expect "its interrupts, $passed vectors, reach the guest without the host" bypasses_host "$address"
  is "virt-ppc64 on the interrupts" "$(status_of "$address" .inspection.interrupts.value)" xive-native
  is "virt-ppc64 on the vectors passed through" "$(status_of "$address" '.inspection."vectors-passed-through".value')" "$passed"
  is "virt-ppc64 on DMA" "$(status_of "$address" .inspection.dma.value)" in-kernel
  is "virt-ppc64 on EEH" "$(status_of "$address" .inspection.eeh.value)" enabled
  is "virt-ppc64 on the process that has it" "$(status_of "$address" '.inspection."holder-pid"')" "$pid"
}
