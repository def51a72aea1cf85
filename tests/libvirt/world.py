# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host of the test's own, in namespaces: a system bus with the real polkitd on it, the real ppc64-kvmhelper, a stock libvirtd that runs as root
as on a host, virtppc64d as its own user before it, and users. Nothing of it is seen outside, and all of it ends with the test."""
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time

DRIVER = 'virtppc64d'
USERS = {'virtppc64d': 901, 'alice': 2001, 'bob': 2002, 'carol': 2003}
LIBVIRT_GROUP = ['bob']
DIRECT, RELAYED = '/run/upstream', '/run/libvirt'
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


def reap():
    """Process 1 has to see to what daemons leave behind: to libvirtd, a QEMU that nobody waited for is one that it could not kill."""
    child = os.fork()
    while child != 0:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def enter(module='gi', programs=()):
    """Into namespaces of its own; the program begins anew there. Where that python module is not there, or a program, it is skipped."""
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    if os.geteuid() != 0:
        skip('only root can make a host of its own')
    missing = ['python3-' + name for name in [module] if name and importlib.util.find_spec(name) is None]
    missing += [name for name in [*PROGRAMS, *programs] if shutil.which(name) is None]
    if missing or not any(map(os.path.exists, POLKITD)):
        skip('not installed: %s' % (' '.join(missing) or 'polkitd'))
    if os.environ.get('PRIVATE_WORLD') == '1':
        reap()
        return
    command = ['unshare', '-m', '-n', '-p', '-f', '--kill-child', '--mount-proc', '--propagation', 'private']
    if subprocess.run(command + ['true'], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        skip('namespaces cannot be made')
    os.environ['PRIVATE_WORLD'] = '1'
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
        mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/run')
        # A file of /etc that others replace meanwhile, as the list of users, would be the machine's own again.
        subprocess.run(['cp', '-a', '/etc', '/run/etc'], check=True)
        mount('--bind', '/run/etc', '/etc')
        for directory in ['/etc/libvirt', '/var/lib/libvirt', '/var/cache/libvirt', '/var/log/libvirt']:
            mount('-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', directory)
        for name in ['dbus', 'upstream', 'libvirt', 'actions', 'services', 'state', 'log']:
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
        write('/etc/passwd', passwd)
        write('/etc/group', '\n'.join(lines) + '\n')
        write('/etc/nsswitch.conf', 'passwd: files\ngroup: files\n')

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
        self.start_libvirtd()
        self.start_driver()
        self.wait_for_libvirtd()

    def start_libvirtd(self):
        self.remove_sockets(DIRECT)
        self.start('libvirtd', ['libvirtd', '--timeout', '0'])
        self.wait(lambda: os.path.exists(DIRECT + '/libvirt-sock-ro'), 'libvirtd')

    def start_driver(self):
        self.remove_sockets(RELAYED)
        self.start('driver', [self.programs[0], '--listen', RELAYED, '--upstream', DIRECT, '--mode', '0666'], DRIVER)
        self.wait(lambda: os.path.exists(RELAYED + '/libvirt-sock-ro'), 'virtppc64d')

    def wait_for_libvirtd(self):
        self.wait(lambda: subprocess.run(['virsh', '-c', 'test+unix:///default?socket=%s/libvirt-sock' % DIRECT, 'uri'], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0, 'an answer of libvirtd')

    @staticmethod
    def remove_sockets(directory):
        for name in ['libvirt-sock', 'libvirt-sock-ro']:
            if os.path.exists(directory + '/' + name):
                os.unlink(directory + '/' + name)

    def kill(self, name):
        """It is gone without a word."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def check(self, good, text, detail=''):
        self.checks += 1
        self.failures += not good
        print('%s %d - %s' % ('ok' if good else 'not ok', self.checks, text), flush=True)
        if not good and detail:
            print('# ' + str(detail).replace('\n', '\n# '), flush=True)

    def end(self):
        for name in list(self.processes)[::-1]:
            process = self.processes[name]
            self.stop(name)
            # Under sanitizers it says by that what they found.
            if name == 'driver':
                self.check(process.returncode == 0, 'virtppc64d ends well', process.returncode)
        print('1..%d' % self.checks, flush=True)
        if self.failures:
            for name in os.listdir('/run/log'):
                print('# %s: %s' % (name, read('/run/log/' + name)[-3000:].replace('\n', '\n# ')), flush=True)
        sys.exit(self.failures != 0)
