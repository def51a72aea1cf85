# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh can say of a guest, and do with it: a tour, for one side at a time (virsh_side.py), with a pSeries guest of QEMU's TCG (tcg_guest.py).
The guest stands still but for its console: the firmware's prompt would keep a processor busy."""
import os
import re
import threading

import tcg_guest
from tcg_guest import disk
from virsh_side import PLACE

MEBIBYTE = 1 << 20
FILES = {
    'rng.xml': "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-tour-rng'/></rng>",
    'tablet.xml': "<input type='tablet' bus='usb'><alias name='ua-tour-tablet'/></input>",
    'nic.xml': "<interface type='user'><mac address='52:54:00:aa:bb:02'/><model type='virtio'/><rom enabled='no'/></interface>",
    'nic-down.xml': "<interface type='user'><mac address='52:54:00:aa:bb:01'/><model type='virtio'/><rom enabled='no'/><link state='down'/></interface>",
    'push.xml': '''<domainbackup><disks><disk name='vda' backup='yes' type='file'><target file='copies/backup.qcow2'/></disk>
<disk name='vdb' backup='no'/></disks></domainbackup>''',
    'pull.xml': '''<domainbackup mode='pull'><server transport='unix' socket='copies/nbd'/><disks><disk name='vda' backup='yes' type='file'>
<scratch file='copies/scratch.qcow2'/></disk></disks></domainbackup>''',
    'probe.xml': "<domain type='qemu'><name>probe</name><memory>131072</memory><os><type arch='ppc64' machine='pseries'>hvm</type></os></domain>"}


def begin(side):
    """The guest is defined, and boots while others ask for other things."""
    for name, text in FILES.items():
        side.file(name, text.replace('copies/', PLACE + '/copies/'))
    side.file('guest.xml', tcg_guest.xml(disks()))
    side.quietly('define probe.xml')
    # Of what virsh listens to, this comes near the end.
    side.watch('event', 'event --all --loop', 'metadata probe http://localhost/probe --key probe --set <probe/>')
    side.quietly('undefine probe')
    define(side)
    resumed = threading.Event()
    side.console = []
    side.person = threading.Thread(target=lambda: side.console.append(sit(side, resumed)))
    side.person.start()
    resumed.wait()


def tour(side):
    ask(side)
    side.person.join()
    side.steps += side.console
    side.note('the guest has heard what was typed, and answered', re.search(r'\b7 +ok', side.console[0].output) is not None)
    look(side)
    change(side)
    devices(side)
    copies(side)
    end(side)
    descriptors(side)
    side.end_watch('event', numbers=True)


def disks():
    for name, kind in [('a.qcow2', 'qcow2'), ('b.qcow2', 'qcow2'), ('c.raw', 'raw'), ('d.raw', 'raw')]:
        tcg_guest.make_image(name, kind)
    return disk(PLACE + '/a.qcow2', 'vda') + disk(PLACE + '/b.qcow2', 'vdb') + disk(PLACE + '/c.raw', 'sda', 'raw', 'scsi', 'cdrom', '<readonly/>')


def define(side):
    side.go('''
        0  define guest.xml --validate
        0  list --all
        0  dominfo tour
        0  dumpxml tour --inactive
        0  domstate tour --reason
        0  autostart tour
        0  autostart tour --disable
        0  desc tour --title A tour
        0  desc tour --config words of it
        0  desc tour
        0  setmaxmem tour 300M --config
        0  setmaxmem tour 256M --config
        0  metadata tour http://localhost/tour --key tour --set '<word/>' --config
        0  metadata tour http://localhost/tour --config
        0n domxml-to-native qemu-argv --domain tour
        0  start tour --paused
        1  start tour
        0  domstate tour --reason
        ''')


def sit(side, resumed):
    """At the console, from the guest's first word on."""
    def resume():
        side.quietly('resume tour')
        resumed.set()
    try:
        return side.at_terminal('console tour', [('Escape character', resume), (tcg_guest.PROMPT, ': words 100 0 do i . loop ; words\r'),
                                                 (tcg_guest.PROMPT, '3 4 + .\r'), (r'\b7 +ok\s+' + tcg_guest.PROMPT, '\x1d')])
    finally:
        resumed.set()


def ask(side):
    side.go('''
        0  list
        0  dumpxml tour
        0  dumpxml tour --xpath //graphics
        0  domid tour
        0  domname UUID
        0  domuuid tour
        0  domcontrol tour
        0  domblklist tour --details
        0  domblkinfo tour vda
        0  domblkinfo tour --all --human
        0  domblkerror tour
        0n domblkstat tour vda --human
        0  domiflist tour
        0  domif-getlink tour 52:54:00:aa:bb:01
        ?n domifstat tour 52:54:00:aa:bb:01
        0  domdisplay tour
        ?  vncdisplay tour
        0  ttyconsole tour
        0  vcpucount tour
        0n vcpuinfo tour
        0n vcpupin tour
        0n emulatorpin tour
        0n iothreadinfo tour
        0  blkdeviotune tour vda
        0n dommemstat tour
        0n domstats tour
        0n domstats --list-active --state --block
        0  domjobinfo tour
        0  qemu-monitor-command tour --hmp info version
        0  qemu-monitor-command tour '{"execute": "query-name"}'
        0  snapshot-list tour
        0  checkpoint-list tour
        0  migrate-getmaxdowntime tour
        0  migrate-getspeed tour
        0  guest-agent-timeout tour --timeout 5
        ?n cpu-stats tour
        ?  schedinfo tour
        ?  memtune tour
        ?  blkiotune tour
        ?  numatune tour
        ?  perf tour
        ?  domlaunchsecinfo tour
        1  domtime tour
        1  domfsinfo tour
        1  domfsfreeze tour
        1  domhostname tour
        1  domifaddr tour --source agent
        1  guestinfo tour
        1  guestvcpus tour
        1  get-user-sshkeys tour root
        1  qemu-agent-command tour '{"execute": "guest-ping"}'
        1  dompmsuspend tour mem
        1  send-process-signal tour 1 sigterm
        '''.replace('UUID', tcg_guest.UUID))


def look(side):
    """It stands still: what is read of it is the same each time."""
    side.go('''
        0  suspend tour
        0  domstate tour --reason
        0  screenshot tour screen
        0  screenshot tour again
        0  dump tour core --memory-only
        0  dump tour all --live
        ''')
    side.note('screenshot: an image', side.read('screen')[:2] in [b'P6', b'\x89P'])
    side.note('screenshot: the same once more', side.read('again') == side.read('screen'))
    side.note('dump: a core with all memory', side.read('core')[:4] == b'\x7fELF' and os.path.getsize('core') > 256 * MEBIBYTE)
    side.note('dump: the whole guest', os.path.getsize('all') > MEBIBYTE)
    for name in ['core', 'all']:
        os.unlink(name)


def change(side):
    """Its memory, its processors, its state."""
    # QEMU has stopped for the dump, and is to go on before it can be saved.
    side.go('''
        0  resume tour
        0  suspend tour
        0  setmem tour 200M
        0  dommemstat tour --period 1 --live
        0  setvcpus tour 1
        1  setvcpus tour 9
        0  desc tour --live other words
        0  desc tour
        0  metadata tour http://localhost/tour --key tour --set '<word/>'
        0  metadata tour http://localhost/tour
        0  metadata tour http://localhost/tour --remove
        0  blkdeviotune tour vda --total-bytes-sec 1000000000
        0  blkdeviotune tour vda
        0  domif-setlink tour 52:54:00:aa:bb:01 down
        0  domif-getlink tour 52:54:00:aa:bb:01
        0  domif-setlink tour 52:54:00:aa:bb:01 up
        0  iothreadadd tour 2
        0n iothreadinfo tour
        0  iothreaddel tour 2
        0  set-lifecycle-action tour crash destroy
        0  send-key tour KEY_A
        0  migrate-setmaxdowntime tour 300
        0  migrate-setspeed tour 100
        0  migrate-getspeed tour
        0  save tour saved
        0  save-image-dumpxml saved
        0  list --all
        0  restore saved --running
        0  domstate tour --reason
        0  suspend tour
        0  managedsave tour
        0  dominfo tour
        0  list --all --managed-save
        0  managedsave-dumpxml tour
        0  start tour
        0  domstate tour --reason
        0j domjobinfo tour --completed --keep-completed
        0  reset tour
        ?  inject-nmi tour
        ?  reboot tour
        ?  shutdown tour
        ?  managedsave-remove tour
        1  dompmwakeup tour
        1  domrename tour other
        1  domjobabort tour
        1n migrate tour SIDE --live
        ''')


def devices(side):
    side.go('''
        0  attach-device tour rng.xml
        0  attach-device tour tablet.xml
        0  attach-device tour nic.xml
        0  domiflist tour
        0  dumpxml tour --xpath //rng
        0  update-device tour nic-down.xml
        0  attach-disk tour PLACE/d.raw sdb --targetbus scsi --driver qemu --subdriver raw
        0  attach-disk tour PLACE/d.raw sdc --targetbus usb --config --print-xml
        0  domblklist tour
        1  attach-device tour /nonexistent
        1  attach-interface tour network no-such-network
        1  detach-disk tour sdq
        '''.replace('PLACE', PLACE))
    # libvirt waits ten seconds for QEMU at most; the event tells that it has done it.
    for line, alias in [('detach-device tour tablet.xml', 'ua-tour-tablet'), ('detach-disk tour sdb', 'scsi')]:
        side.virsh(line)
        side.wait_for('event', 'device-removed.*' + alias)
    side.go('''
        0  domblklist tour
        0  change-media tour sda --eject
        0  change-media tour sda PLACE/d.raw --insert
        0  change-media tour sda --eject --print-xml
        0  detach-device-alias tour ua-tour-rng
        0  reset tour
        '''.replace('PLACE', PLACE))
    side.wait_for('event', 'device-removed.*ua-tour-rng')
    side.go('''
        0  attach-device tour rng.xml --config
        0  detach-device tour rng.xml --config
        0  detach-interface tour user --mac 52:54:00:aa:bb:01 --config
        0  blockresize tour vdb 9M
        0  domblkthreshold tour vda 4M
        ''')


def copies(side):
    """Images are copied and joined while the guest has them."""
    os.mkdir('copies')
    side.go('''
        0  blockcopy tour vdb COPIES/one.raw --format raw --wait --finish --transient-job
        0  blockcopy tour vdb COPIES/two.raw --format raw --wait --transient-job
        0  blockjob tour vdb
        0  blockjob tour vdb --raw
        0  blockjob tour vdb --abort
        0  blockjob tour vdb
        0  snapshot-create-as tour one --disk-only --diskspec vdb,snapshot=no --diskspec vda,file=COPIES/one.qcow2
        0  snapshot-create-as tour two --disk-only --no-metadata --diskspec vdb,snapshot=no --diskspec vda,file=COPIES/two.qcow2
        0  snapshot-list tour
        0  snapshot-info tour one
        0  snapshot-dumpxml tour one
        0  snapshot-current tour --name
        0  domblklist tour
        0  blockcommit tour vda --top COPIES/one.qcow2 --base PLACE/a.qcow2 --wait
        0  dumpxml tour --xpath //disk[1]
        0  blockpull tour vda --wait
        0  dumpxml tour --xpath //disk[1]
        0  snapshot-delete tour one --metadata
        1  blockcommit tour vda --active --wait --pivot
        0  checkpoint-create-as tour point --diskspec vda --diskspec vdb,checkpoint=no
        0  checkpoint-list tour
        0  checkpoint-dumpxml tour point --no-domain
        0  checkpoint-info tour point
        0  backup-begin tour pull.xml
        0  backup-dumpxml tour
        0  domjobabort tour
        0  checkpoint-delete tour point
        0  backup-begin tour push.xml
        '''.replace('COPIES', PLACE + '/copies').replace('PLACE', PLACE))
    side.wait_for('event', r'(?s)job-completed.*job-completed')


def end(side):
    side.go('''
        0  destroy tour --graceful
        0  domstate tour --reason
        0  snapshot-create-as tour off
        0  snapshot-create-as tour off2
        0  snapshot-list tour --tree
        0  snapshot-parent tour off2
        0  snapshot-revert tour off
        0  snapshot-delete tour off2
        0  snapshot-delete tour off
        0  domrename tour other
        0  undefine other --nvram
        0  list --all
        ''')


def descriptors(side):
    """A guest whose disk is a descriptor that virsh has, and passed on: the file has no name any more when QEMU writes to it."""
    tcg_guest.make_image('e.raw', 'raw')
    fd = os.open('e.raw', os.O_RDWR)
    side.file('fds.xml', tcg_guest.xml(disk(PLACE + '/e.raw', 'vda', 'raw').replace(".raw'", ".raw' fdgroup='one'")))
    side.virsh('define fds.xml')
    side.fails('start tour --paused')
    side.virsh("'dom-fd-associate tour one FD; start tour --paused; domblklist tour'".replace('FD', str(fd)), fds=[fd], numbers=True)
    os.unlink('e.raw')
    side.virsh("""qemu-monitor-command tour --hmp 'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "write -P 0x5a 4096 512"'""", numbers=True)
    side.note('the descriptor has what the guest wrote', os.pread(fd, 512, 4096) == b'Z' * 512)
    os.close(fd)
    side.fails('start tour --pass-fds 0')
    side.virsh('destroy tour')
    side.virsh('undefine tour')
