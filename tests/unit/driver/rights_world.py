# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host of the test's own, in namespaces: a system bus with the real polkitd on it, the real ppc64-kvmhelper, a stock libvirtd that runs as root
as on a host, virtppc64d as its own user before it, and users. Nothing of it is seen outside, and all of it ends with the test."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

DRIVER = 'virtppc64d'
USERS = {'virtppc64d': 901, 'alice': 2001, 'bob': 2002, 'carol': 2003}
LIBVIRT_GROUP = ['bob']
DIRECT, RELAYED = '/run/upstream', '/run/libvirt'
REMOTE = 0x20008086
SERVICE = '/run/services/org.libvirt.Ppc64.KvmHelper1.service'
PROGRAMS = ['unshare', 'dbus-send', 'libvirtd', 'virsh', 'virt-admin', 'dbus-daemon']
POLKITD = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkit-1/polkitd', '/usr/libexec/polkitd']
BUS = '''<busconfig><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen><servicedir>/run/services</servicedir>
<policy context='default'><allow user='*'/><allow own='*'/><allow send_type='method_call'/><allow send_type='signal'/>
<allow send_requested_reply='true' send_type='method_return'/><allow send_requested_reply='true' send_type='error'/>
<allow receive_type='method_call'/><allow receive_type='method_return'/><allow receive_type='error'/><allow receive_type='signal'/></policy>
</busconfig>'''


def skip(reason):
    print('1..0 # SKIP %s' % reason)
    sys.exit(0)


def enter():
    """Into namespaces of its own; the program begins anew there."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    if os.geteuid() != 0:
        skip('only root can make a host of its own')
    try:
        import gi  # noqa: F401
    except ImportError:
        skip('python3-gi is not installed')
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing or not any(map(os.path.exists, POLKITD)):
        skip('not installed: %s' % (' '.join(missing) or 'polkitd'))
    if os.environ.get('RIGHTS_WORLD') == '1':
        return
    command = ['unshare', '-m', '-n', '-p', '-f', '--kill-child', '--mount-proc', '--propagation', 'private']
    if subprocess.run(command + ['true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        skip('namespaces cannot be made')
    os.environ['RIGHTS_WORLD'] = '1'
    os.execvp('unshare', command + [sys.executable] + sys.argv)


def write(path, text, mode=0o644):
    with open(path, 'w') as file:
        file.write(text)
    os.chmod(path, mode)


def read(path):
    with open(path) as file:
        return file.read()


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


def become(user):
    """In a child: that user, with his groups; or that uid, whom nobody knows by name."""
    os.chdir('/')
    if isinstance(user, int):
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    elif user != 'root':
        import pwd
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


class World:
    def __init__(self, virtppc64d, helper, source):
        virtppc64d, helper = map(os.path.abspath, [virtppc64d, helper])
        self.programs = virtppc64d, helper
        self.source = source
        self.checks = self.failures = 0
        self.processes = {}
        for directory in ['/run', '/etc/libvirt', '/var/lib/libvirt', '/var/cache/libvirt', '/var/log/libvirt']:
            mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory)
        for name in ['dbus', 'upstream', 'libvirt', 'etc', 'actions', 'services', 'state', 'log']:
            os.mkdir('/run/' + name)
        os.chown('/run/libvirt', USERS[DRIVER], 0)
        self.make_users()
        self.make_polkit()
        write('/run/bus.conf', BUS)
        write(SERVICE, '[D-BUS Service]\nName=org.libvirt.Ppc64.KvmHelper1\nExec=%s --state-dir=/run/state\n' % helper)
        self.start('bus', ['dbus-daemon', '--nofork', '--config-file', '/run/bus.conf'])
        self.wait(lambda: os.path.exists('/run/dbus/system_bus_socket'), 'the bus')
        self.start('polkit', [next(filter(os.path.exists, POLKITD)), '--no-debug'])

    def make_users(self):
        passwd, group = read('/etc/passwd'), read('/etc/group')
        lines = [line for line in group.splitlines() if not line.startswith('libvirt:')]
        for name, uid in USERS.items():
            passwd += '%s:x:%d:%d::/nonexistent:/bin/sh\n' % (name, uid, uid)
            lines.append('%s:x:%d:' % (name, uid))
        lines.append('libvirt:x:900:' + ','.join(LIBVIRT_GROUP))
        write('/run/etc/passwd', passwd)
        write('/run/etc/group', '\n'.join(lines) + '\n')
        write('/run/etc/nsswitch.conf', 'passwd: files\ngroup: files\n')
        for name in ['passwd', 'group', 'nsswitch.conf']:
            mount('--bind', '/run/etc/' + name, '/etc/' + name)

    def make_polkit(self):
        """The shipped actions and rules, ours and libvirt's."""
        shutil.copytree('/usr/share/polkit-1/actions', '/run/actions', dirs_exist_ok=True)
        shutil.copy(self.source + '/data/org.libvirt.ppc64.kvmhelper.policy.in', '/run/actions/org.libvirt.ppc64.kvmhelper.policy')
        mount('--bind', '/run/actions', '/usr/share/polkit-1/actions')
        libvirt = next((read(path) for path in ['/usr/share/polkit-1/rules.d/60-libvirt.rules', '/usr/share/polkit-1/rules.d/50-libvirt.rules']
                        if os.path.exists(path)), '')
        for directory in ['/usr/share/polkit-1/rules.d', '/etc/polkit-1/rules.d']:
            mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory)
        if libvirt:
            write('/usr/share/polkit-1/rules.d/60-libvirt.rules', libvirt)
        for name in ['50-org.libvirt.ppc64.rules', 'driver/50-virtppc64d-libvirt.rules']:
            text = read('%s/data/%s.in' % (self.source, name)).replace('@driver_user@', DRIVER)
            write('/usr/share/polkit-1/rules.d/' + os.path.basename(name), text)

    def start(self, name, command, user='root'):
        log = open('/run/log/' + name, 'a')
        self.processes[name] = subprocess.Popen(command, preexec_fn=lambda: become(user), stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=subprocess.STDOUT)
        log.close()

    def stop(self, name):
        process = self.processes.pop(name, None)
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def remove_helper(self):
        """It cannot be started any more, and runs no more."""
        os.unlink(SERVICE)
        subprocess.run(['dbus-send', '--system', '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.ReloadConfig'],
                       stdout=subprocess.DEVNULL, check=True)
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                if os.readlink('/proc/%s/exe' % pid) == os.path.realpath(self.programs[1]):
                    os.kill(int(pid), signal.SIGKILL)
            except OSError:
                continue

    def wait(self, condition, what):
        for _ in range(1500):
            if condition():
                return
            time.sleep(0.02)
        for name in self.processes:
            print('# %s: %s' % (name, read('/run/log/' + name)[-2000:].replace('\n', '\n# ')))
        sys.exit('Bail out! %s does not come' % what)

    def start_libvirt(self, **settings):
        """libvirtd with these settings, and virtppc64d before it."""
        for name in ['driver', 'libvirtd']:
            self.stop(name)
        settings = {'auth_unix_rw': 'polkit', 'auth_unix_ro': 'polkit', 'unix_sock_dir': DIRECT, 'unix_sock_rw_perms': '0777', **settings}
        lines = ['%s = %s' % (key, json.dumps(value)) for key, value in settings.items()]
        write('/etc/libvirt/libvirtd.conf', '\n'.join(lines) + '\nlog_outputs = "3:stderr"\n')
        for directory in [DIRECT, RELAYED]:
            for name in ['libvirt-sock', 'libvirt-sock-ro']:
                if os.path.exists(directory + '/' + name):
                    os.unlink(directory + '/' + name)
        self.start('libvirtd', ['libvirtd', '--timeout', '0'])
        self.wait(lambda: os.path.exists(DIRECT + '/libvirt-sock-ro'), 'libvirtd')
        self.start('driver', [self.programs[0], '--listen', RELAYED, '--upstream', DIRECT, '--mode', '0666'], DRIVER)
        self.wait(lambda: os.path.exists(RELAYED + '/libvirt-sock-ro'), 'virtppc64d')
        self.wait(lambda: Client('root', DIRECT).run([call(66)])[0][0] == 'reply', 'an answer of libvirtd')

    def check(self, good, text, detail=''):
        self.checks += 1
        self.failures += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.checks, text), flush=True)
        if not good and detail:
            print('# ' + str(detail).replace('\n', '\n# '), flush=True)

    def end(self):
        print('1..%d' % self.checks, flush=True)
        if self.failures:
            for name in os.listdir('/run/log'):
                print('# %s: %s' % (name, read('/run/log/' + name)[-3000:].replace('\n', '\n# ')), flush=True)
        for name in list(self.processes)[::-1]:
            self.stop(name)
        sys.exit(self.failures != 0)


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
