# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who speaks libvirt's RPC on the host of world.py: processes of any user, and a person whom polkit asks."""
import json
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../libvirt'))
from world import DIRECT, RELAYED, USERS, World, become, enter, read, skip, write  # noqa: E402,F401

REMOTE = 0x20008086

# --- libvirt's RPC -----------------------------------------------------------------------------------------------------------------------

def string(text):
    data = text.encode()
    return struct.pack('>I', len(data)) + data + b'\0' * (-len(data) % 4)


def call(procedure, payload=b'', serial=None):
    return (procedure, payload.hex(), serial)


def connect_open(uri='test:///default', flags=0):
    return call(1, struct.pack('>I', 1) + string(uri) + struct.pack('>I', flags))


def parameter(name, kind, value):
    pack = {3: lambda: struct.pack('>q', value), 4: lambda: struct.pack('>Q', value), 7: lambda: string(value)}
    return string(name) + struct.pack('>I', kind) + pack[kind]()


def set_identity(*parameters):
    return call(419, struct.pack('>I', len(parameters)) + b''.join(parameters) + struct.pack('>I', 0))


def receive(connection, length):
    data = b''
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def talk(directory, name, calls, stay=lambda: None, connected=lambda connection: None):
    """Each call, and what came of it: ('reply', its payload), ('error', code, domain, message), or ('end', ). The connection ends after @stay."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected(connection)
    connection.settimeout(15)
    try:
        connection.connect(directory + '/' + name)
    except OSError as error:
        return [('connect', error.errno)]
    answers = []
    for index, (procedure, payload, serial) in enumerate(calls):
        payload = bytes.fromhex(payload)
        serial = index if serial is None else serial
        try:
            connection.sendall(struct.pack('>IIIIIII', 28 + len(payload), REMOTE, 1, procedure, 0, serial, 0) + payload)
            while True:
                length, program, _, got, kind, echo, status = struct.unpack('>IIIIIII', receive(connection, 28))
                body = receive(connection, length - 28)
                if (program, got, kind, echo) == (REMOTE, procedure, 1, serial):
                    break
        except TimeoutError:
            answers.append(('nothing', procedure))
            break
        except (EOFError, OSError):
            answers.append(('end',))
            break
        answers.append(decode_error(body) if status == 1 else ('reply', body.hex()))
    stay()
    return answers


def decode_error(body):
    code, domain, present = struct.unpack('>III', body[:12])
    message = ''
    if present:
        length = struct.unpack('>I', body[12:16])[0]
        message = body[16:16 + length].decode()
    return ('error', code, domain, message)


class Client:
    """A process of that user, which speaks libvirt's RPC."""

    def __init__(self, user, directory, name='libvirt-sock'):
        self.user, self.directory, self.name = user, directory, name

    def run(self, calls):
        return self.begin(calls).end()

    def begin(self, calls):
        self.reader, writer = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            os.close(self.reader)
            become(self.user)
            with os.fdopen(writer, 'w') as file:
                json.dump(talk(self.directory, self.name, calls), file)
            os._exit(0)
        os.close(writer)
        return self

    def end(self):
        with os.fdopen(self.reader) as file:
            text = file.read()
        os.waitpid(self.child, 0)
        return [tuple(answer) for answer in json.loads(text)]


AGENT = """<node><interface name='org.freedesktop.PolicyKit1.AuthenticationAgent'>
<method name='BeginAuthentication'><arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='s' direction='in'/>
<arg type='a{ss}' direction='in'/><arg type='s' direction='in'/><arg type='a(sa{sv})' direction='in'/></method>
<method name='CancelAuthentication'><arg type='s' direction='in'/></method></interface></node>"""


class Agent:
    """polkit's agent of this process, which asks the person who sits before it: he closes the question, or leaves it and goes."""

    def __init__(self, leaves):
        import gi
        gi.require_version('Gio', '2.0')
        from gi.repository import Gio, GLib
        self.leaves, self.asked, self.withdrawn, self.answers, self.connection = leaves, [], 0, None, None
        self.loop = GLib.MainLoop()
        self.GLib = GLib
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, None)
        self.bus.register_object('/agent', Gio.DBusNodeInfo.new_for_xml(AGENT).interfaces[0], self.called, None, None)
        start = int(read('/proc/self/stat').rpartition(')')[2].split()[19])
        self.bus.call_sync('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.PolicyKit1.Authority',
                           'RegisterAuthenticationAgent',
                           GLib.Variant('((sa{sv})ss)', (('unix-process', {'pid': GLib.Variant('u', os.getpid()), 'start-time': GLib.Variant('t', start)}),
                                                         'C', '/agent')), None, 0, -1, None)

    def called(self, _bus, _sender, _path, _interface, method, parameters, invocation):
        if method == 'CancelAuthentication':
            self.withdrawn += 1
            invocation.return_value(None)
            self.loop.quit()
            return
        self.asked.append(parameters.unpack()[0])
        if self.leaves:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        else:
            invocation.return_dbus_error('org.freedesktop.PolicyKit1.Error.Cancelled', 'closed')

    def run(self, directory, name, calls):
        """What was asked, how often a question was withdrawn, and the answers."""
        import threading

        def set_connection(connection):
            self.connection = connection

        def speak():
            self.answers = talk(directory, name, calls, connected=set_connection)
            if not self.leaves:
                self.GLib.idle_add(self.loop.quit)
        threading.Thread(target=speak, daemon=True).start()
        self.GLib.timeout_add_seconds(20, self.loop.quit)
        self.loop.run()
        return self.asked, self.withdrawn, self.answers


def prompted(user, directory, name, calls, leaves):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        become(user)
        result = Agent(leaves).run(directory, name, calls)
        with os.fdopen(writer, 'w') as file:
            json.dump(result, file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else None
