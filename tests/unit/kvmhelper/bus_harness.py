# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bus of the test's own, with a polkit of python-dbusmock on it and a helper behind that; and clients of whatever user, where the test is
root. Speaks TAP."""
import atexit
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import gi
gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

NAME = 'org.libvirt.Ppc64.KvmHelper1'
PATH = '/org/libvirt/Ppc64/KvmHelper1'
POLKIT = 'org.freedesktop.PolicyKit1'
ERROR = 'org.libvirt.Ppc64.Error.'
INTERACTIVE = Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
FUNCTION = '0003:01:00.0'
UUID = '4dea22b3-1d52-d8f3-2516-782e98ab3fa0'
ROOT = os.geteuid() == 0
BUS_CONFIG = '''<busconfig><type>custom</type><auth>EXTERNAL</auth><listen>unix:path=%s/bus</listen>
<policy context='default'><allow user='*'/><allow own='*'/><allow send_destination='*' eavesdrop='false'/>
<allow receive_sender='*'/></policy>%s</busconfig>'''


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Harness:
    def __init__(self, config=''):
        self.checks = self.failures = 0
        self.directory = tempfile.mkdtemp(prefix='ppc64-bus-')
        os.chmod(self.directory, 0o755)
        self.address = 'unix:path=%s/bus' % self.directory
        self.processes = []
        with open(self.directory + '/bus.conf', 'w') as file:
            file.write(BUS_CONFIG % (self.directory, config))
        # The bus says of each message that somebody does not take that it does not: of interest only where something went wrong.
        self.bus_log = open(self.directory + '/bus.log', 'w+')
        atexit.register(self.show_bus_log)
        self.spawn(['dbus-daemon', '--nofork', '--config-file', self.directory + '/bus.conf'], stderr=self.bus_log)
        self.wait(self.is_there, 'the bus')

    def show_bus_log(self):
        self.bus_log.seek(0)
        lines = self.bus_log.read().splitlines()
        if len(lines) > 100:
            print('# dbus-daemon said %d lines; the last of them:' % len(lines))
        for line in lines[-100:]:
            print('# dbus-daemon: ' + line)

    def spawn(self, command, **more):
        more.setdefault('env', dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address))
        process = subprocess.Popen(command, preexec_fn=end_with_parent, **more)
        self.processes.append(process)
        return process

    def wait(self, condition, what):
        for _ in range(1000):
            if condition():
                return
            time.sleep(0.02)
        sys.exit('Bail out! %s does not come' % what)

    def connect(self, uid=None):
        """A client; of user @uid, where the test is root."""
        if uid is not None and ROOT:
            os.setresuid(uid, uid, 0)
        try:
            flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
            connection = Gio.DBusConnection.new_for_address_sync(self.address, flags, None, None)
        finally:
            if uid is not None and ROOT:
                os.setresuid(0, 0, 0)
        connection.set_exit_on_close(False)
        return connection

    def is_there(self):
        try:
            self.connect().close_sync(None)
        except GLib.Error:
            return False
        return True

    def has_name(self, connection, name):
        return connection.call_sync('org.freedesktop.DBus', '/', 'org.freedesktop.DBus', 'NameHasOwner', GLib.Variant('(s)', (name,)), None, 0, -1,
                                    None).unpack()[0]

    def start_polkit(self, template, parameters):
        self.client = self.connect()
        self.spawn(['/usr/bin/python3', '-m', 'dbusmock', '--system', '--template', template, '--parameters', GLib.Variant('a{sv}', parameters)
                    .print_(False).replace('<', '').replace('>', '').replace("'", '"')], stdout=subprocess.DEVNULL)
        self.wait(lambda: self.has_name(self.client, POLKIT), 'polkit')

    def mock(self, method, parameters):
        return self.client.call_sync(POLKIT, '/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.DBus.Mock', method, parameters, None, 0, -1,
                                     None)

    def set_kind(self, connection, kind):
        """What polkit takes the connection's user for: see polkit_defaults.py."""
        self.mock('SetKind', GLib.Variant('(ss)', (connection.get_unique_name(), kind)))

    def start_helper(self, program):
        # What is freed is not kept back by the sanitizer: its memory is looked at.
        asan = os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=2:thread_local_quarantine_size_kb=32'
        self.helper = self.spawn([program, self.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.address, ASAN_OPTIONS=asan))
        self.wait(lambda: self.has_name(self.client, NAME), 'the helper')

    def kernel_calls(self):
        self.helper.stdin.write('\n')
        self.helper.stdin.flush()
        return int(self.helper.stdout.readline())

    def status(self):
        """Memory in KiB, threads and descriptors of the helper."""
        with open('/proc/%d/status' % self.helper.pid) as file:
            lines = dict(line.split(':', 1) for line in file)
        return (int(lines['VmRSS'].split()[0]), int(lines['Threads']), len(os.listdir('/proc/%d/fd' % self.helper.pid)))

    def call(self, connection, method, parameters=None, flags=Gio.DBusCallFlags.NONE, timeout=60000):
        """What came back, or the error's name."""
        try:
            return connection.call_sync(NAME, PATH, NAME, method, parameters, None, flags, timeout, None)
        except GLib.Error as error:
            return Gio.DBusError.get_remote_error(error) or error.message

    def check(self, good, text):
        self.checks += 1
        self.failures += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.checks, text), flush=True)

    def skip(self, text):
        self.checks += 1
        print('ok %d # SKIP %s' % (self.checks, text), flush=True)

    def end(self):
        print('1..%d' % self.checks, flush=True)
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.directory)
        if not self.failures:
            atexit.unregister(self.show_bus_log)
        sys.exit(self.failures != 0)
