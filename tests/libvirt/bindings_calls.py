# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls of libvirt's bindings for Python that pass descriptors, or open a stream: each takes a connection, and returns what came of it."""
import os
import socket

import libvirt

import tcg_guest

PLACE = '/run/bindings'
POOL = "<pool type='dir'><name>bindings</name><target><path>%s/pool</path></target></pool>" % PLACE
VOLUME = "<volume><name>%s</name><capacity unit='MiB'>4</capacity><target><format type='raw'/></target></volume>"


def banner(end):
    """What a VNC server says first."""
    end.settimeout(30)
    return end.recv(12)


def open_graphics(connection):
    ours, theirs = socket.socketpair()
    connection.lookupByName('tour').openGraphics(0, theirs.fileno(), 0)
    theirs.close()
    with ours:
        return banner(ours)


def open_graphics_fd(connection):
    with socket.socket(fileno=connection.lookupByName('tour').openGraphicsFD(0, 0)) as end:
        return banner(end)


def screenshot(connection):
    stream, data = connection.newStream(), []
    kind = connection.lookupByName('tour').screenshot(stream, 0)
    stream.recvAll(lambda _stream, part, _opaque: data.append(part), None)
    stream.finish()
    return kind, b''.join(data)


def block_peek(connection):
    return connection.lookupByName('tour').blockPeek(PLACE + '/b.raw', 0, 65536)


def memory_peek(connection):
    return connection.lookupByName('tour').memoryPeek(0, 65536, libvirt.VIR_MEMORY_PHYSICAL)


def volume(connection):
    """Up, and down again, with holes in it."""
    pool = connection.storagePoolLookupByName('bindings')
    made = pool.createXML(VOLUME % 'volume')
    path = PLACE + '/data'
    with open(path, 'wb') as file:
        file.write(os.urandom(1) * 300000)
        file.seek(2 << 20)
        file.write(bytes(range(256)) * 4096)
        file.truncate(4 << 20)
    with open(path, 'rb') as source, open(PLACE + '/back', 'wb') as target:
        stream = connection.newStream()
        made.upload(stream, 0, 0, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
        stream.sparseSendAll(lambda _stream, count, _opaque: os.read(source.fileno(), count), lambda _stream, _opaque: hole(source),
                             lambda _stream, length, _opaque: os.lseek(source.fileno(), length, os.SEEK_CUR), None)
        stream.finish()
        stream = connection.newStream()
        made.download(stream, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
        stream.sparseRecvAll(lambda _stream, part, _opaque: os.write(target.fileno(), part),
                             lambda _stream, length, _opaque: os.lseek(target.fileno(), length, os.SEEK_CUR), None)
        stream.finish()
        os.truncate(target.fileno(), os.lseek(target.fileno(), 0, os.SEEK_CUR))
    made.delete()
    with open(path, 'rb') as one, open(PLACE + '/back', 'rb') as other:
        return one.read() == other.read()


def hole(file):
    """Whether data is next, and how much of it, or of nothing."""
    here, size = os.lseek(file.fileno(), 0, os.SEEK_CUR), os.fstat(file.fileno()).st_size
    try:
        data = os.lseek(file.fileno(), here, os.SEEK_DATA)
    except OSError:
        data = size
    end = os.lseek(file.fileno(), here, os.SEEK_HOLE) if data == here and here < size else data
    os.lseek(file.fileno(), here, os.SEEK_SET)
    return data == here and here < size, end - here


def stream_given_up(connection):
    """In the midst of a download, and of an upload; the connection stays what it was."""
    made = connection.storagePoolLookupByName('bindings').createXML(VOLUME % 'given-up')
    stream = connection.newStream()
    made.download(stream, 0, 0, 0)
    part = stream.recv(1000)
    stream.abort()
    stream = connection.newStream()
    made.upload(stream, 0, 0, 0)
    stream.send(b'x' * 200000)
    stream.abort()
    made.delete()
    return len(part), connection.isAlive()


def console(connection):
    """Without a guest that runs nothing comes, and what is sent is taken."""
    stream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    connection.lookupByName('tour').openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    sent, got = stream.send(b'x'), stream.recv(100)
    stream.abort()
    return sent, got


def with_files(connection):
    """The test driver takes descriptors, and has no use for them."""
    fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(32)]
    xml = "<domain type='test'><name>files</name><memory>8192</memory><os><type>hvm</type></os></domain>"
    domain = libvirt.open(connection.getURI().replace('qemu+unix:///system', 'test+unix:///default')).createXMLWithFiles(xml, fds, 0)
    for fd in fds:
        os.close(fd)
    return domain.name()


def associated(connection):
    """A disk that is a descriptor of ours."""
    tcg_guest.make_image(PLACE + '/fd.raw', 'raw')
    fd = os.open(PLACE + '/fd.raw', os.O_RDWR)
    disk = tcg_guest.disk(PLACE + '/fd.raw', 'vda', 'raw').replace(".raw'", ".raw' fdgroup='one'")
    domain = connection.defineXML(tcg_guest.xml(disk, 'fds', tcg_guest.UUID[:-1] + '9'))
    domain.FDAssociate('one', [fd], 0)
    os.close(fd)
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    running = domain.isActive()
    domain.destroy()
    domain.undefine()
    return running


# What each is, and what it is to say.
ALL = [('openGraphics: VNC says what it is', open_graphics, lambda answer: answer == b'RFB 003.008\n'),
       ('openGraphicsFD: and here', open_graphics_fd, lambda answer: answer == b'RFB 003.008\n'),
       ('screenshot: the same image', screenshot, lambda answer: len(answer[1]) > 100),
       ('blockPeek', block_peek, lambda answer: len(answer) == 65536),
       ('memoryPeek', memory_peek, lambda answer: len(answer) == 65536),
       ('a volume up and down, with holes', volume, lambda answer: answer is True),
       ('streams that are given up', stream_given_up, lambda answer: answer == (1000, 1)),
       ('openConsole, without waiting', console, lambda answer: answer == (1, -2)),
       ('createXMLWithFiles: 32', with_files, lambda answer: answer == 'files'),
       ('FDAssociate: a guest with a disk that is a descriptor', associated, lambda answer: answer == 1)]
