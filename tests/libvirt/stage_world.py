# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stage on which clients of libvirt are proved: the host of world.py, as a POWER host with a pSeries guest. Clients, libvirtd, virtppc64d and
the helper are the real ones, and QEMU is, with its TCG. Not real are the host's kernel and devices, as the helper (--simulate) and libvirtd
(stage_sysfs.py) see them; that the guest is one of KVM, and has the device (stage-qemu); and the limit of memory (stage-limit.c). One card,
0000:01:00.0, can be given to a guest; the host needs the other, 0001:01:00.0."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

import world
from world import DIRECT, RELAYED, World, read, skip, write  # noqa: F401

import stage_sysfs

HERE = os.path.dirname(os.path.realpath(__file__))
QEMU = '/usr/bin/qemu-system-ppc64'
ADDRESS = 'unix:path=/run/stage/bus'
CARD, NEEDED = '0000:01:00.0', '0001:01:00.0'
# Where scripts/test unpacks packages that it does not install.
UNPACKED = os.path.join(HERE, '../../build/clients')
# What the client is told, and by which numbers (VIR_ERR_RESOURCE_BUSY, VIR_FROM_QEMU).
REFUSAL = 'resource busy: The host has file systems on 0001:01:00.0'
BUSY, FROM_QEMU = 87, 10
UUID = '5bd1dc5d-9a3f-4c62-8d4b-70773970c640'
GUEST = '''<domain type='kvm'><name>guest</name><uuid>%s</uuid><memory unit='MiB'>512</memory><vcpu>1</vcpu>
<os><type arch='ppc64' machine='pseries'>hvm</type><loader>/run/stage/firmware</loader></os>
<cpu mode='custom' match='exact' check='none'><model>POWER9</model></cpu><devices><emulator>%s</emulator>
<controller type='pci' index='0' model='pci-root'/><controller type='pci' index='1' model='pci-root'/>
<controller type='pci' index='2' model='pci-root'/><controller type='usb' model='none'/><video><model type='none'/></video><memballoon model='none'/></devices></domain>''' % (UUID, QEMU)
# What runs in the guest, at every vector: set the decrementer far off, and sleep (H_CEDE). It lets go of a device at once.
ASLEEP = struct.pack('>5I', 0x3c807fff, 0x7c9603a6, 0x386000e0, 0x44000022, 0x4bfffff0)
HOSTDEV = ("<hostdev mode='subsystem' type='pci' managed='yes'><source>"
           "<address domain='0x%s' bus='0x%s' slot='0x%s' function='0x%s'/></source></hostdev>")


def hostdev(address):
    return HOSTDEV % (address[:4], address[5:7], address[8:10], address[11:])


def find(path):
    """A file of a package, unpacked or installed; @path where it is neither."""
    return UNPACKED + path if os.path.exists(UNPACKED + path) else path


def find_libraries():
    """The environment with the libraries of what is unpacked."""
    return dict(os.environ, LD_LIBRARY_PATH='%s/usr/lib/%s-linux-gnu' % (UNPACKED, os.uname().machine))


def enter(*needed):
    """Skips where one of these programs, or files, is not there."""
    missing = [path for path in needed if shutil.which(path) is None and not os.path.exists(path)]
    if missing:
        skip('not installed: %s' % ' '.join(missing))
    world.enter(programs=['qemu-system-ppc64', 'gdbus'])


def raise_loopback():
    """127.0.0.1 is there: a client's threads may want it to speak with each other (eventlet's do)."""
    set_flags, up_and_running = 0x8914, 0x41
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack('16sH14x', b'lo', up_and_running))


class Stage(World):
    def __init__(self, virtppc64d, helper, source, limit):
        super().__init__(virtppc64d, helper, source)
        self.limit = os.path.abspath(limit)
        self.virt_ppc64 = os.path.join(os.path.dirname(self.programs[1]), '../cli/virt-ppc64')
        os.mkdir('/run/stage')
        raise_loopback()
        write('/run/stage/qemu', '')
        stage_sysfs.mount(QEMU, '/run/stage/qemu', flags=stage_sysfs.BIND)
        stage_sysfs.mount(HERE + '/stage-qemu', QEMU, flags=stage_sysfs.BIND)
        stage_sysfs.prepare()
        os.environ.update(SYSTEMD_DEVICE_VERIFY_SYSFS='0', PYTHONDONTWRITEBYTECODE='1')
        write('/run/stage/bus.conf', "<busconfig><auth>EXTERNAL</auth><listen>%s</listen><policy context='default'><allow user='*'/><allow own='*'/>"
              "<allow send_destination='*'/><allow receive_sender='*'/></policy></busconfig>" % ADDRESS)
        self.start('stage-bus', ['dbus-daemon', '--nofork', '--config-file', '/run/stage/bus.conf'])
        self.wait(lambda: os.path.exists('/run/stage/bus'), 'the bus of the simulated host')
        self.start('helper', [self.programs[1], '--simulate', self.source + '/data/hosts/one-card.xml', '--bus', ADDRESS,
                              '--state-dir', '/run/stage/state'])
        self.wait_for_name('org.libvirt.Ppc64.Simulation1')
        self.start('stage-helper', [HERE + '/stage-helper', self.source + '/data/org.libvirt.Ppc64.KvmHelper1.xml'])
        self.wait_for_name('org.libvirt.Ppc64.KvmHelper1')
        write('/etc/libvirt/qemu.conf', 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\nnamespaces = []\ncgroup_controllers = []\n'
              'dynamic_ownership = 0\nstdio_handler = "file"\n')

    def wait_for_name(self, name):
        def there():
            answer = subprocess.run(['gdbus', 'call', '--address', ADDRESS, '--dest', 'org.freedesktop.DBus', '--object-path', '/', '--method',
                                     'org.freedesktop.DBus.NameHasOwner', name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            return b'true' in answer.stdout
        self.wait(there, name)

    def start(self, name, command, user='root'):
        if name == 'driver':
            command = command + ['--bus', ADDRESS]
        if name == 'libvirtd':
            command = ['env', 'LD_PRELOAD=' + self.limit] + command
        super().start(name, command, user)

    def virsh(self, *command):
        """Of libvirtd, beside virtppc64d."""
        result = subprocess.run(['virsh', '-q', '-c', 'qemu:///system?socket=%s/libvirt-sock' % DIRECT, *command], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return result.returncode, result.stdout

    def start_guest(self):
        """libvirtd, virtppc64d before it, and a guest that runs."""
        self.start_libvirt()
        with open('/run/stage/firmware', 'wb') as file:
            file.write(ASLEEP.ljust(0x80, b'\0') * 0x100)
        write('/run/stage/guest.xml', GUEST)
        for command in [['define', '/run/stage/guest.xml'], ['start', 'guest']]:
            status, output = self.virsh(*command)
            if status != 0:
                for name in ['libvirtd', 'driver', 'helper', 'stage-helper']:
                    print('# %s: %s' % (name, read('/run/log/' + name)[-3000:].replace('\n', '\n# ')))
                sys.exit('Bail out! %s: %s' % (command[0], output))

    def has(self, address):
        """Whether the guest has it now, by libvirtd's own word."""
        return "domain='0x%s' bus='0x%s'" % (address[:4], address[5:7]) in self.virsh('dumpxml', 'guest')[1]

    def leases(self):
        """What virt-ppc64 says of them."""
        return subprocess.run([self.virt_ppc64, '--simulate', ADDRESS, 'status'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False).stdout

    def end(self):
        """Ours have to end in peace, too: without a word of a sanitizer, for one."""
        self.virsh('destroy', 'guest')
        for name in ['driver', 'helper']:
            process = self.processes[name]
            self.stop(name)
            self.check(process.returncode == 0, '%s ends as it should' % os.path.basename(process.args[0]), process.returncode)
        super().end()
