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

# packages_unpack DIRECTORY PACKAGE...: what is in these, and in what they need and is not installed, is put below DIRECTORY. Nothing is
# installed: no service is started, and no user has them who does not look there.
packages_unpack ()
{
  local directory=$1 archives update=()
  shift

  [ ! -e "$directory/unpacked" ] || return 0
  rm -rf "$directory"
  archives=$(realpath -m "$directory")/archives
  mkdir -p "$archives/partial"
  [ "$(id -u)" = 0 ] || update=(sudo)
  echo "unpacking: $*" >&2
  packages_download "$archives" "$@" || { "${update[@]}" apt-get update -qq >&2 && packages_download "$archives" "$@"; } || return 1
  find "$archives" -name '*.deb' -print0 | xargs -0 -r -P "$(nproc)" -I DEB dpkg-deb -x DEB "$directory" || return 1
  rm -rf "$archives"
  touch "$directory/unpacked"
}

packages_download ()
{
  apt-get install -y -qq --no-install-recommends --download-only -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Dir::Cache::archives="$1" "${@:2}" >&2
}

# packages_mirror LABEL: the mirror of Debian (or Debian-Security) among this machine's apt sources, by the label of its Release file;
# $PPC64_HOSTDEV_MIRROR overrules it for Debian itself.
packages_mirror ()
{
  local label=$1 uri=''

  [ "$label" != Debian ] || uri=${PPC64_HOSTDEV_MIRROR:-}
  # shellcheck disable=SC2016 # the $( ) are apt's
  [ -n "$uri" ] || uri=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n "s/^$label|//p" | head -n 1)
  if [ -z "$uri" ]; then
    echo "no mirror of $label among apt's sources (run apt-get update, or set PPC64_HOSTDEV_MIRROR)" >&2
    return 1
  fi
  printf '%s\n' "${uri%/}"
}

# packages_apart DIRECTORY ARCHITECTURE SOURCE...: an apt apart from the machine's, in DIRECTORY: it knows a system of that architecture on
# which nothing is installed, and these sources alone; the machine's own lists, caches and configuration stay as they are. A SOURCE is
# "deb SUITE" or "deb-src SUITE", of Debian, with the label of another archive after it where it is one's:
# "deb-src bookworm-security Debian-Security". What it is to fetch comes from the mirror that the machine uses, and by its proxies; apt
# checks signatures and checksums.
packages_apart ()
{
  local directory=$1 architecture=$2 source kind suite label mirror lines=''
  shift 2

  for source; do
    read -r kind suite label <<< "$source"
    mirror=$(packages_mirror "${label:-Debian}") || return 1
    lines+="$kind [arch=$architecture signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"$'\n'
  done
  mkdir -p "$directory/lists/partial" "$directory/cache/archives/partial" || return 1
  packages_replace "$directory/status" < /dev/null
  printf '%s' "$lines" | packages_replace "$directory/sources.list"
  {
    # proxies and the like
    apt-config dump | grep '^Acquire::' || true
    printf '%s "%s";\n' Dir::State "$directory" Dir::State::status "$directory/status" Dir::State::lists "$directory/lists" \
      Dir::Cache "$directory/cache" Dir::Etc::sourcelist "$directory/sources.list" Dir::Etc::sourceparts /dev/null \
      Dir::Etc::main /dev/null Dir::Etc::parts /dev/null Dir::Etc::preferences /dev/null Dir::Etc::preferencesparts /dev/null \
      APT::Architecture "$architecture" APT::Architectures "$architecture" APT::Install-Recommends false APT::Get::Assume-Yes true \
      APT::Sandbox::User root Acquire::Languages none Acquire::Retries 3
  } | packages_replace "$directory/apt.conf"
}

# packages_replace FILE: what comes on stdin, where it is not that already: a newer file has apt rebuild its caches.
packages_replace ()
{
  cat > "$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# packages_apt DIRECTORY ARGUMENT...: apt-get, of the apt that packages_apart made there
packages_apt ()
{
  APT_CONFIG=$1/apt.conf apt-get -o Dpkg::Use-Pty=0 "${@:2}"
}

# What the project builds with. polkitd has what tells gettext how to read a file of polkit's actions.
PACKAGES_BUILD="gcc meson ninja-build pkg-config gettext polkitd python3-docutils libglib2.0-dev libglib2.0-dev-bin libjson-glib-dev
  libxml2-dev libvirt-dev libtirpc-dev libpci-dev libsystemd-dev"

# What its tests run with: a real bus, a real libvirtd and its clients, virt-manager on a display and who uses it, and libvirt's own schemas.
# shellcheck disable=SC2034
PACKAGES_TEST="$PACKAGES_BUILD dbus systemd libvirt-daemon-system libvirt-clients qemu-system-ppc qemu-utils seabios jing libxml2-utils clang libclang-rt-dev clang-format shellcheck python3-dbusmock
  python3-libvirt openssh-client netcat-openbsd virt-manager xvfb xdotool at-spi2-core gir1.2-atspi-2.0 graphviz"

# Clients that nobody wants to have for a test: nova is of 200 packages, which take minutes to install, and sshd would be started.
# shellcheck disable=SC2034
PACKAGES_CLIENTS="python3-nova openssh-server"

# … nor eighteen emulators for the sake of one: qemu-system-s390x.
# shellcheck disable=SC2034
PACKAGES_EMULATORS="qemu-system-misc"
