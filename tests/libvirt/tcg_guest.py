# SPDX-License-Identifier: LGPL-2.1-or-later
"""A pSeries guest of QEMU's TCG on the host of world.py, with its firmware alone, which has a prompt: no KVM is asked for, so that libvirtd runs it
on any machine."""
import os
import subprocess

from world import write

NAME, UUID = 'tour', '5bd1dc5d-9a3f-4c62-8d4b-70773970c640'
PROGRAMS = ['qemu-system-ppc64', 'qemu-img']
EMULATOR = '/run/bin/qemu-system-ppc64'
# Of its firmware, which saves where the cursor is, then.
PROMPT = '0 > \x1b7'
# stdio_handler: there is no virtlogd. The rest is what a container does without.
QEMU_CONF = '''user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
dynamic_ownership = 0
remember_owner = 0
stdio_handler = "file"
'''
XML = '''<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>%s</name><uuid>%s</uuid>
<memory unit='MiB'>256</memory><vcpu current='1'>2</vcpu><iothreads>1</iothreads>
<os><type arch='ppc64' machine='pseries'>hvm</type></os>
<devices><emulator>%s</emulator>
%s<controller type='usb' model='qemu-xhci'/><controller type='scsi' model='virtio-scsi'/>
<interface type='user'><mac address='52:54:00:aa:bb:01'/><model type='virtio'/><rom enabled='no'/></interface>
<console type='pty'/><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
<graphics type='vnc'><listen type='socket' socket='/run/vnc-%s'/></graphics><video><model type='vga'/></video><memballoon model='virtio'/></devices>
<qemu:commandline><qemu:arg value='-prom-env'/><qemu:arg value='auto-boot?=false'/>
<qemu:arg value='-prom-env'/><qemu:arg value='input-device=/vdevice/vty@30000000'/>
<qemu:arg value='-prom-env'/><qemu:arg value='output-device=/vdevice/vty@30000000'/></qemu:commandline></domain>'''
DISK = "<disk type='file' device='%s'><driver name='qemu' type='%s'/><source file='%s'/><target dev='%s' bus='%s'/>%s</disk>\n"


def disk(path, target, kind='qcow2', bus='virtio', device='disk', more=''):
    return DISK % (device, kind, path, target, bus, more)


def make_image(path, kind):
    subprocess.run(['qemu-img', 'create', '-q', '-f', kind, path, '8M'], check=True)


def xml(disks='', name=NAME, uuid=UUID):
    return XML % (name, uuid, EMULATOR, disks, name)


def prepare(emulator=PROGRAMS[0], unpacked=None):
    """libvirtd finds one QEMU alone, and need not ask the others of this machine what they can; before it starts. @unpacked: where it is, if it is not
    installed: its data is, or is beside it."""
    os.mkdir('/run/bin')
    os.mkdir('/run/lock')
    for directory in ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']:
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            path = '/run/bin/' + name
            if name == emulator and unpacked is None or not name.startswith(('qemu-system-', 'qemu-kvm')) and not os.path.lexists(path):
                if not os.path.lexists(path):
                    os.symlink(directory + '/' + name, path)
    if unpacked is not None:
        write('/run/bin/' + emulator, '#!/bin/sh\nexec %s -L %s/../share/qemu -L /usr/share/qemu "$@"\n' % (unpacked, os.path.dirname(unpacked)), 0o755)
    os.environ['PATH'] = '/run/bin'
    write('/etc/libvirt/qemu.conf', QEMU_CONF)
