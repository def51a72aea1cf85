# SPDX-License-Identifier: LGPL-2.1-or-later
"""The PCI functions of a simulated host where libvirt and udev look for them: in /sys, of which only that part is the host's own. It says what the
helper says (GetHost), and changes when that does; nothing happens by what is written there."""
import ctypes
import os
import struct

BUS = '/sys/bus/pci'
GROUPS = '/sys/kernel/iommu_groups'
BIND, RECURSIVE = 0x1000, 0x4000
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0):
    if libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def keep(source, target):
    """@source is @target, too."""
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    if os.path.isdir(source):
        os.mkdir(target)
    else:
        open(target, 'x').close()
    mount(source, target, flags=BIND | RECURSIVE)


def cover(directory, behind, hidden=lambda path: False, divided=()):
    """A new file system at @directory, with all that was there but what is @hidden; @divided directories are new, too. What was there stays
    @behind."""
    os.mkdir(behind)
    mount(directory, behind, flags=BIND | RECURSIVE)
    mount('tmpfs', directory, 'tmpfs')

    def fill(place):
        for name in sorted(os.listdir(behind + place)):
            path = place + '/' + name
            if hidden(path):
                continue
            if path in divided:
                os.mkdir(directory + path)
                fill(path)
            else:
                keep(behind + path, directory + path)
    fill('')


def prepare():
    """/sys without this machine's PCI functions, and /dev with what libvirt wants to find there before it asks QEMU."""
    cover('/sys', '/run/stage/sys', lambda path: path in ['/bus/pci', '/kernel/iommu_groups', '/class/pci_bus'] or path.startswith('/devices/pci'),
          ['/bus', '/devices', '/kernel'])
    cover('/dev', '/run/stage/dev', lambda path: path in ['/kvm', '/vfio'])
    for directory in [BUS + '/devices', BUS + '/drivers', GROUPS, '/dev/vfio']:
        os.makedirs(directory)
    for device in ['/dev/vfio/vfio', '/dev/kvm']:
        write(device, '')


def write(path, content):
    with open(path, 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def link(target, path):
    """@path is a relative link to @target; not at all for an empty one."""
    wanted = target and os.path.relpath(target, os.path.dirname(path))
    if os.path.islink(path):
        if os.readlink(path) == wanted:
            return
        os.unlink(path)
    if wanted:
        os.symlink(wanted, path)


def functions(host):
    groups = [(group['number'], member) for group in host['groups'] for member in group['members']]
    return {function['address']: (number, function) for number, function in groups + [(None, function) for function in host.get('ungrouped', [])]}


def directory_of(address, all_functions):
    parent = all_functions[address][1].get('parent')
    above = directory_of(parent, all_functions) if parent in all_functions else '/sys/devices/pci' + address[:7]
    return above + '/' + address


def config_space(function, bridge):
    """What is fixed of it: identity, kind of header, buses of a bridge, and that it is of PCI Express."""
    config = bytearray(4096)
    struct.pack_into('<HHHHI', config, 0, function['vendor'], function['device'], 6, 0x10, function['class'] << 8 | function.get('revision', 0))
    config[0x0e] = 1 if bridge else 0
    if bridge:
        struct.pack_into('<BBB', config, 0x18, int(function['address'][5:7], 16), function['secondary-bus'], function['secondary-bus'])
    else:
        struct.pack_into('<HH', config, 0x2c, function.get('subsystem-vendor', 0), function.get('subsystem-device', 0))
    config[0x34] = 0x40
    struct.pack_into('<BBH', config, 0x40, 0x10, 0, 0x0042 if bridge else 0x0002)
    return bytes(config)


def make_function(directory, number, function):
    bridge = 'secondary-bus' in function
    os.makedirs(directory, exist_ok=True)
    identity = [('vendor', 4), ('device', 4), ('subsystem-vendor', 4), ('subsystem-device', 4), ('class', 6)]
    for key, width in identity:
        write('%s/%s' % (directory, key.replace('-', '_')), '0x%0*x\n' % (width, function.get(key, 0)))
    write(directory + '/config', config_space(function, bridge))
    write(directory + '/uevent', 'PCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SLOT_NAME=%s\n' % (
        function['class'], function['vendor'], function['device'], function['address']))
    write(directory + '/resource', '0x0000000000000000 0x0000000000000000 0x0000000000000000\n' * 7)
    for name, text in [('numa_node', '-1\n'), ('driver_override', '(null)\n'), ('reset', ''), ('irq', '0\n'), ('enable', '1\n')]:
        write(directory + '/' + name, text)
    link(BUS, directory + '/subsystem')
    link(directory, BUS + '/devices/' + function['address'])
    if number is not None:
        os.makedirs('%s/%d/devices' % (GROUPS, number), exist_ok=True)
        link(directory, '%s/%d/devices/%s' % (GROUPS, number, function['address']))
        link('%s/%d' % (GROUPS, number), directory + '/iommu_group')
        write('/dev/vfio/%d' % number, '')
    if 'physfn' in function:
        link(BUS + '/devices/' + function['physfn'], directory + '/physfn')


def make(host):
    write(BUS + '/drivers_probe', '')
    make_driver('vfio-pci')
    all_functions = functions(host)
    for address, (number, function) in all_functions.items():
        make_function(directory_of(address, all_functions), number, function)
    follow(host)


def make_driver(name):
    directory = BUS + '/drivers/' + name
    if not os.path.isdir(directory):
        os.mkdir(directory)
        for file in ['bind', 'unbind', 'new_id', 'remove_id']:
            write(directory + '/' + file, '')


def follow(host):
    """The drivers, as they are now."""
    all_functions = functions(host)
    for address, (_, function) in all_functions.items():
        directory, driver = directory_of(address, all_functions), function.get('driver')
        if driver:
            make_driver(driver)
        link(driver and BUS + '/drivers/' + driver, directory + '/driver')
