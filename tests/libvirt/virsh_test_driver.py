# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh can say to libvirt's test driver, which answers much that QEMU needs a guest's help for: a tour, for one side at a time (virsh_side.py).
Its host is there as long as somebody is connected to it: that is who listens to its events."""
import os

FILES = {
    'new.xml': '''<domain type='test'><name>new</name><uuid>5bd1dc5d-9a3f-4c62-8d4b-70773970c641</uuid><memory>8192</memory><vcpu>2</vcpu>
<os><type>hvm</type></os></domain>''',
    'iface.xml': "<interface type='ethernet' name='eth7'><start mode='none'/><protocol family='ipv4'><dhcp/></protocol></interface>",
    'snapshot.xml': '<domainsnapshot><name>one</name></domainsnapshot>'}


def tour(side):
    for name, text in FILES.items():
        side.file(name, text)
    side.watch('event', 'event --all --loop', 'metadata test http://localhost/probe --key probe --set <probe/>')
    side.go('''
        0  list --all
        0  nodeinfo
        0  capabilities
        0  sysinfo
        0  version
        0  cpu-models x86_64
        0  freecell --all
        ?  freepages --all
        0n dominfo test
        0  dumpxml test
        0  suspend test
        0  resume test
        0  setmem test 100M
        1  setmaxmem test 9000M
        0  setvcpus test 1
        0n vcpuinfo test
        0  vcpupin test 0 0
        0  emulatorpin test 0
        0  emulatorpin test
        0n cpu-stats test
        0n domblkstat test vda
        0n domblkinfo test vda
        0  domblkerror test
        0  domifaddr test
        1  domifstat test 52:54:00:00:00:01
        0  domiftune test testnet0
        0  domfsinfo test
        0  domfsfreeze test
        0  domfsthaw test
        0  domfstrim test
        0  domhostname test
        0n domtime test
        0n dommemstat test
        0  domstats test
        0  set-user-password test root x
        0  send-key test KEY_A
        0  inject-nmi test
        0  reset test
        0  reboot test
        0  screenshot test shot
        0  memtune test --hard-limit 1000000
        0  memtune test
        0  numatune test
        0  blkiotune test
        0  blkdeviotune test vda
        0  perf test
        0  schedinfo test
        0  iothreadadd test 3
        0  iothreaddel test 3
        0  metadata test http://localhost/t --key t --set '<a/>'
        0  desc test --title hello
        1  guestinfo test
        0  define new.xml
        0  start new
        0  autostart new
        0  send-process-signal new 1 sigterm
        0  managedsave new
        0  managedsave-remove new
        0  start new
        0  save new saved
        0  restore saved
        0  dump new core
        0  destroy new
        0  domrename new renamed
        0  undefine renamed
        0  snapshot-create test snapshot.xml
        0  snapshot-create-as test two
        0  snapshot-list test --tree
        0  snapshot-revert test one
        0  snapshot-delete test two
        0  net-list --all
        0  net-destroy default
        0  net-start default
        0  iface-list --all
        0  iface-dumpxml eth1
        0  iface-mac eth1
        0  iface-name aa:bb:cc:dd:ee:ff
        0  iface-define iface.xml
        0  iface-start eth7
        0  iface-undefine eth7
        0  iface-begin
        0  iface-rollback
        1  iface-commit
        0  nodedev-dumpxml computer
        1  nodedev-list --tree
        0  pool-info default-pool
        0  vol-create-as default-pool a.img 4M
        0  vol-dumpxml a.img default-pool
        0  vol-delete a.img default-pool
        0  find-storage-pool-sources-as logical
        1  secret-list
        1  backup-begin test
        1  domlaunchsecinfo test
        ''')
    # Descriptors on their way to a guest: one that virsh has, and several.
    fds = [os.open('/dev/null', os.O_RDWR) for _ in range(8)]
    side.virsh('create new.xml --pass-fds %d' % fds[0], fds=fds)
    side.virsh('destroy new')
    side.virsh('create new.xml --pass-fds ' + ','.join(map(str, fds)), fds=fds)
    for fd in fds:
        os.close(fd)
    side.virsh('destroy new')
    side.note('screenshot: an image', side.read('shot')[:4] == b'\x89PNG')
    side.end_watch('event')
