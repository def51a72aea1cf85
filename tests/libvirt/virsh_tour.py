# SPDX-License-Identifier: LGPL-2.1-or-later
"""What virsh can say to a host of QEMU's: a tour of its commands, for one side at a time (virsh_side.py). What it makes it takes away again, so that
the other side finds the same host."""
import os
import random
import re

from virsh_side import PLACE, PROBE

MEBIBYTE = 1 << 20
SECRET = '''<secret ephemeral='no' private='no'><uuid>0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid><description>tour</description>
<usage type='volume'><volume>/run/tour/volume</volume></usage></secret>'''
NETWORK = '''<network><name>tour</name><uuid>1a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid><forward mode='open'/><bridge name='tourbr0' stp='off'/>
<mac address='52:54:00:aa:bb:ff'/><ip address='10.66.66.1' netmask='255.255.255.0'/></network>'''
FILTER = '''<filter name='tour' chain='root'><uuid>2a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid>
<rule action='drop' direction='in' priority='500'><tcp/></rule></filter>'''
POOL = "<pool type='dir'><name>tour</name><uuid>4a81f5b2-8403-7b23-c8d6-21ccc2f80d6f</uuid><target><path>%s/pool</path></target></pool>" % PLACE
VOLUME = "<volume><name>%s</name><capacity unit='MiB'>%d</capacity><target><format type='raw'/></target></volume>"
PROBES = {'net': '<network><name>probe</name></network>',
          'secret': '<secret><uuid>%s</uuid><usage type="volume"><volume>probe</volume></usage></secret>' % PROBE}


def uuid_of(xml):
    return re.search('<uuid>(.*)</uuid>', xml).group(1)


def host(side):
    side.go('''
        0  uri
        0  hostname
        0  capabilities
        0  nodeinfo
        0  nodecpumap --pretty
        0  maxvcpus --type qemu
        0  domcapabilities --virttype qemu --arch ppc64 --machine pseries --emulatorbin /run/bin/qemu-system-ppc64
        0  cpu-models ppc64
        0  list --all --uuid
        0n nodecpustats
        0n nodememstats
        0n freecell --all
        ?n freepages --all
        ?  version --daemon
        ?  sysinfo
        ?  nodedev-list --cap net
        ?  nodedev-dumpxml computer
        ?  iface-list --all
        ?  iface-dumpxml lo
        ?  node-memory-tune
        ?  nodesevinfo
        0  'hostname; nodeinfo; list; uri'
        1  dominfo no-such-domain
        1  domxml-from-native no-such-format /dev/null
        1  nodedev-dumpxml no-such-device
        1  no-such-command
        ''')
    side.virsh('', stdin='hostname\nlist --all\nno-such-command\necho --shell "a b"\nquit\n')


def objects(side):
    """Secrets, networks and filters, and what is told of them and of pools."""
    for name, xml in PROBES.items():
        side.file('probe-%s.xml' % name, xml)
    side.watch('net-event', 'net-event --event lifecycle --loop', "'net-define probe-net.xml; net-undefine probe'")
    side.watch('pool-event', 'pool-event --event lifecycle --loop', "'pool-define-as probe dir --target /run/probe; pool-undefine probe'")
    side.watch('secret-event', 'secret-event --event lifecycle --loop', "'secret-define probe-secret.xml; secret-undefine %s'" % PROBE)
    side.file('secret.xml', SECRET)
    side.file('value', 'bm90aGluZyBpcyBzZWNyZXQ=')
    side.file('network.xml', NETWORK)
    side.file('filter.xml', FILTER)
    side.go('''
        0  secret-define secret.xml
        0  secret-list
        0  secret-set-value SECRET --file value
        0  secret-get-value SECRET
        0  secret-dumpxml SECRET
        0  secret-undefine SECRET
        1  secret-dumpxml SECRET
        0  net-define network.xml
        0  net-list --all
        0  net-info tour
        0  net-dumpxml tour
        0  net-uuid tour
        0  net-name NETWORK
        0  net-autostart tour
        0  net-autostart tour --disable
        0  net-update tour add portgroup "<portgroup name='tour'/>" --config
        0  net-dumpxml tour --inactive
        ?  net-start tour
        ?  net-dhcp-leases tour
        ?  net-port-list tour
        ?  net-destroy tour
        0  net-undefine tour
        0  nwfilter-define filter.xml
        0  nwfilter-list
        0  nwfilter-dumpxml tour
        0  nwfilter-binding-list
        0  nwfilter-undefine tour
        '''.replace('SECRET', uuid_of(SECRET)).replace('NETWORK', uuid_of(NETWORK)))


def storage(side):
    """Pools and volumes."""
    side.file('volume.xml', VOLUME % ('xml.img', 1))
    side.file('volume2.xml', VOLUME % ('from.img', 6))
    side.file('pool.xml', POOL)
    side.go('''
        0  pool-define pool.xml
        0  pool-build tour
        0  pool-start tour
        0n pool-list --all --details
        0  pool-autostart tour
        0  pool-dumpxml tour --inactive
        0  pool-uuid tour
        0  pool-name POOL
        0  pool-refresh tour
        0  vol-create-as tour a.img 4M --format raw
        0  vol-create tour volume.xml
        0  vol-create-as tour b.qcow2 8M --format qcow2
        0  vol-create-as tour holes.img 14M --allocation 0 --format raw
        0n vol-list tour --details
        0  vol-path a.img --pool tour
        0  vol-key a.img tour
        0  vol-name PLACE/pool/a.img
        0  vol-pool PLACE/pool/a.img
        0  vol-dumpxml b.qcow2 tour
        '''.replace('POOL', uuid_of(POOL)).replace('PLACE', PLACE))
    streams(side)
    side.go('''
        0  vol-info a.img tour
        0  vol-resize a.img 6M --pool tour
        0  vol-clone a.img c.img tour
        0  vol-wipe c.img tour
        0  vol-create-from tour volume2.xml a.img --inputpool tour
        0  vol-delete c.img tour
        0  vol-delete a.img tour
        0  pool-capabilities
        0n pool-info tour
        0  pool-autostart tour --disable
        ?  find-storage-pool-sources-as dir
        ''')
    for name in ['xml.img', 'b.qcow2', 'holes.img', 'from.img']:
        side.quietly('vol-delete %s tour' % name)
    side.go('''
        0  pool-destroy tour
        0  pool-delete tour
        0  pool-undefine tour
        ''')
    for name in ['net-event', 'pool-event', 'secret-event']:
        side.end_watch(name)


def streams(side):
    """Volumes, as streams both ways: what arrived is compared byte by byte."""
    data = random.Random(1).randbytes(3 * MEBIBYTE + 17)
    side.file('data', data)
    side.file('small', data[:70000])
    with open('sparse', 'wb') as file:
        for number in range(3):
            file.seek((4 * number + 1) * MEBIBYTE)
            file.write(data[:MEBIBYTE])
        file.truncate(14 * MEBIBYTE)
    side.virsh('vol-upload a.img data --pool tour')
    side.note('vol-upload: the bytes', side.read('pool/a.img')[:len(data)] == data)
    side.virsh('vol-download a.img data.back --pool tour --length %d' % len(data))
    side.note('vol-download: the bytes', side.read('data.back') == data)
    side.virsh('vol-upload a.img small --pool tour --offset 1000 --length 70000')
    side.virsh('vol-download a.img part --pool tour --offset 900 --length 80000')
    side.note('vol-download: a part', side.read('part') == data[900:1000] + data[:70000] + data[71000:80900])
    side.virsh('vol-upload holes.img sparse --pool tour --sparse')
    side.virsh('vol-download holes.img sparse.back --pool tour --sparse')
    side.note('vol-download: the holes', side.read('sparse.back') == side.read('sparse') and os.stat('sparse.back').st_blocks <= 4 * MEBIBYTE / 512)
    side.go('''
        1  vol-upload a.img /nonexistent --pool tour
        1  vol-upload a.img data --pool tour --offset 1000 --length 70000
        1  vol-upload a.img data --pool tour --offset 40M
        1  vol-download no-such-volume nothing --pool tour
        ''')
