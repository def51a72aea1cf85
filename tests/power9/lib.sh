# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For tests that run in the emulated host, in bash, from /share:
#
#   . ./lib.sh
#   plan "what this test is about"
#   expect "libvirt answers" libvirt_ready
#   expect "the domain starts" virsh -q start guest
#   expect "the guest is up" guest_says 60 READY
#   is "the driver" "$(driver_of "$E1000E")" vfio-pci
#   finish
#
# Each check prints "ok - TEXT" or "not ok - TEXT" and the test goes on; what a failed command said follows as comments. finish
# prints "N passed, N failed" and ends the test with 0 if none failed. A test that ends without finish has failed.

# the devices of the emulated host (run)
# shellcheck disable=SC2034 # for the tests
if [ -d /sys/firmware/opal ]; then
  E1000E=0000:01:00.0 SIBLING1=0003:01:00.0 SIBLING2=0003:01:00.1 NVME=0004:01:00.0
else # -m pseries
  E1000E=0001:00:00.0 SIBLING1=0003:00:00.0 SIBLING2=0003:00:00.1 NVME=0004:00:00.0
fi

SHARE=${SHARE:-/share}
GUEST=guest
GUEST_CONSOLE=/var/log/libvirt/qemu/guest.console

# how many times longer to wait, on a machine that is busy (run, P9_PATIENCE)
_patience=$(cat "$SHARE/patience" 2> /dev/null || echo 1)

_passed=0 _failed=0 _finished='' _seen=0
trap '[ -n "$_finished" ] || { not_ok "the test came to its end"; finish; }' EXIT

uptime_seconds() { cut -d ' ' -f 1 /proc/uptime; }

# say TEXT: a comment with the host's time
say() { printf '# [%s] %s\n' "$(uptime_seconds)" "$*"; }
plan() { say "$*"; }
step() { say "--- $*"; }

ok() { _passed=$((_passed + 1)); printf 'ok - %s\n' "$*"; }
not_ok() { _failed=$((_failed + 1)); printf 'not ok - %s\n' "$*"; }
comment() { sed 's/^/#   /'; }

# expect TEXT COMMAND...: the command succeeds. The time it took is shown.
expect() {
  local text=$1 output began=$EPOCHREALTIME
  shift
  # in this shell, not in $( ), so that functions can keep state
  output=$(mktemp)
  if "$@" > "$output" 2>&1; then
    ok "$text ($(_since "$began") s)"
    rm -f "$output"
    return 0
  fi
  not_ok "$text ($(_since "$began") s)"
  { printf '%s\n' "$*"; tail -n 20 "$output"; } | comment
  rm -f "$output"
  return 1
}

# expect_fail TEXT REGEX COMMAND...: the command fails, and says something that matches
expect_fail() {
  local text=$1 regex=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    not_ok "$text: it succeeded"
  elif ! grep -qE -- "$regex" <<< "$output"; then
    not_ok "$text: it failed, but not with /$regex/"
  else
    ok "$text"
    return 0
  fi
  { printf '%s\n' "$*"; tail -n 20 <<< "$output"; } | comment
  return 1
}

# is TEXT GOT WANTED, like TEXT GOT REGEX: compare
is() { if [ "$2" = "$3" ]; then ok "$1: $2"; else not_ok "$1: '$2', not '$3'"; false; fi; }
like() { if grep -qE -- "$3" <<< "$2"; then ok "$1"; else not_ok "$1: does not match /$3/"; comment <<< "$2"; false; fi; }

_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# Waiting counts its looks, not the clock: the emulated clock was seen to jump ahead by minutes.
_looks() { echo $(($1 * _patience * 3)); }

# wait_for SECONDS COMMAND...: until the command succeeds
wait_for() {
  local looks
  looks=$(_looks "$1")
  shift
  until "$@" > /dev/null 2>&1; do
    ((looks-- > 0)) || return 1
    sleep 0.33
  done
}

finish() {
  _finished=1
  cp "$GUEST_CONSOLE" "$SHARE/" 2> /dev/null
  [ "$_failed" = 0 ] || tail -n 30 "$GUEST_CONSOLE" 2> /dev/null | comment
  printf '%s passed, %s failed\n' "$_passed" "$_failed"
  # with a status of its own: a plain exit in a trap ends with what was before it
  [ "$_failed" = 0 ] && [ "$_passed" -gt 0 ] && exit 0
  exit 1
}

# --- the guest --------------------------------------------------------------------------------------------------------------------

# guest_says SECONDS REGEX: waits for a marker line (guest/init lists them) that matches, after the one that was last waited for
guest_says() {
  local looks found
  looks=$(_looks "$1")
  until found=$(tail -n "+$((_seen + 1))" "$GUEST_CONSOLE" 2> /dev/null | tr -d '\r' | grep -naE -m 1 "P9G ($2)( |\$)"); do
    if ((looks-- <= 0)); then
      echo "no '$2' from the guest within $1 s"
      return 1
    fi
    sleep 0.33
  done
  _seen=$((_seen + ${found%%:*}))
  # shellcheck disable=SC2034 # the tests'
  GUEST_SAID=${found#*P9G }
}

# guest_markers [REGEX]: all marker lines so far, of this life of the guest
guest_markers() { tr -d '\r' < "$GUEST_CONSOLE" | sed -n 's/.*P9G /P9G /p' | grep -E "^P9G (${1:-.*})" || true; }

# guest_start: starts the domain and waits until the guest is up
guest_start() {
  guest_forget
  virsh -q start "$GUEST" && guest_says 120 READY
}

# guest_forget: before a start: what is on the console is of an earlier life
guest_forget() {
  _seen=0
  rm -f "$GUEST_CONSOLE"
}

guest_define() { virsh -q define "${1:-$SHARE/guest.xml}"; }
guest_destroy() { virsh -q destroy "$GUEST"; }
guest_pid() { cat "/run/libvirt/qemu/$GUEST.pid"; }
guest_has_hostdev() { virsh dumpxml "$GUEST" | grep -q '<hostdev'; }
guest_has_no_hostdev() { ! guest_has_hostdev; }

# Which interrupts are passed through stands in KVM's table of the guest, /sys/kernel/debug/kvm/PID-FD/xive, and in the host's,
# /sys/kernel/debug/powerpc/xive/interrupts. Neither is read while a guest runs: the one can hang the host, the other makes it oops
# (docs/kernel-defects.rst). Both ends of the interrupts tell as much: the guest had them, and the host did not.

# host_vectors ADDRESS: the MSIs that VFIO has enabled on it, and how often the host handled each: "vfio-msix[0](0000:01:00.0) 0"
host_vectors() {
  awk -v owner="($1)" '
    NR == 1 { cpus = NF }
    index($NF, "vfio-msi") == 1 && index($NF, owner) {
      n = 0
      for (i = 2; i < cpus + 2; i++) n += $i
      print $NF, n
    }' /proc/interrupts
}
vectors_passed() { host_vectors "$1" | grep -c ' 0$'; }

# guest_interrupts: how many the guest counted, of the device that it was given last
guest_interrupts() { guest_markers | awk '$2 == "DEVICE-ADDED" { n = 0 } $2 == "IRQ" { n += $4 } END { print n + 0 }'; }

# bypasses_host ADDRESS: once the guest has used it
bypasses_host() {
  printf 'the guest had %s interrupts; the host:\n%s\n' "$(guest_interrupts)" "$(host_vectors "$1")"
  [ "$(guest_interrupts)" -gt 0 ] && [ "$(vectors_passed "$1")" -gt 0 ] && [ "$(vectors_passed "$1")" = "$(host_vectors "$1" | wc -l)" ]
}

# --- the host ---------------------------------------------------------------------------------------------------------------------

libvirt_ready() { wait_for 60 virsh -q version; }

driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")" 2> /dev/null; }
group_of() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"; }
group_members() { ls "/sys/bus/pci/devices/$1/iommu_group/devices"; }
has_driver() { [ "$(driver_of "$1")" = "$2" ]; }
