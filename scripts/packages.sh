# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced: Debian packages that a script needs. Installs what is missing, and asks nothing.

# packages_install PACKAGE...: installs those that are not there yet, as root or by way of sudo.
packages_install ()
{
  local missing=() package sudo=()

  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  echo "installing: ${missing[*]}" >&2
  "${sudo[@]}" apt-get update -qq >&2
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# What the project builds with. polkitd has what tells gettext how to read a file of polkit's actions.
PACKAGES_BUILD="gcc meson ninja-build pkg-config gettext polkitd python3-docutils libglib2.0-dev libglib2.0-dev-bin libjson-glib-dev
  libxml2-dev libvirt-dev libtirpc-dev libpci-dev libsystemd-dev"

# What its tests run with: a real bus, a real libvirtd and its clients, and libvirt's own schemas.
# shellcheck disable=SC2034
PACKAGES_TEST="$PACKAGES_BUILD dbus systemd libvirt-daemon-system libvirt-clients qemu-system-ppc jing clang libclang-rt-dev clang-format shellcheck python3-dbusmock"
