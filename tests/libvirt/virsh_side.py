# SPDX-License-Identifier: LGPL-2.1-or-later
"""virsh on one side: beside the relay, or through it. What it said is kept, without what is another at each moment, to be laid beside what the
other side said."""
import difflib
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import termios
import time

from world import DIRECT, RELAYED

# Of what a watch is roused with.
PROBE = '3a81f5b2-8403-7b23-c8d6-21ccc2f80d6f'
IS_PROBE = 'probe|' + PROBE

PLACE = '/run/tour'
MOMENTARY_EVENTS = 'migration-iteration'
# How long anything may take on a busy machine.
PATIENCE = 120
# What differs from one moment to the next: times, and the clock of the processor.
MOMENTARY = [
    (r'\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4}|Z)?', 'DATE'),
    (r'(\tmemory_bps: |Memory bandwidth: ).*\n', ''),
    (r'/dev/pts/\d+', 'PTY'),
    (r'<(allocation|available) unit=.bytes.>\d+', r'<\1>N'),
    (r'<(creationTime|mtime|ctime|atime|btime)>[\d.]+<', r'<\1>TIME<'),
    (r'((?:CPU time|Time elapsed|CPU frequency|Expected downtime|Total downtime|Setup time):? +)[\d.]+ *\w+', r'\1TIME'),
]


class Step:
    def __init__(self, text, status, output, expected):
        self.text, self.status, self.output, self.expected = text, status, output, expected

    def good(self):
        return self.expected is None or self.status == self.expected

    def __str__(self):
        return '%s: %s' % (self.status, self.output)


class Side:
    def __init__(self, relayed, driver, path):
        self.directory = RELAYED if relayed else DIRECT
        self.socket = self.directory + '/libvirt-sock'
        self.uri = '%s+unix:///%s?socket=%s' % (driver, path, self.socket)
        self.steps = []
        self.watches = {}
        shutil.rmtree(PLACE, ignore_errors=True)
        os.mkdir(PLACE)
        os.chdir(PLACE)

    def note(self, text, good, output=''):
        """Anything else that was found."""
        self.steps.append(Step(text, 0 if good else 1, output, 0))

    def clean(self, text, numbers=False, lines=None):
        text = text.replace(self.directory, 'SOCKETS')
        for pattern, replacement in MOMENTARY:
            text = re.sub(pattern, replacement, text)
        if numbers:
            text = re.sub(r' +', ' ', re.sub(r'-{4,}', '----', re.sub(r'-?\d+(\.\d+)?', 'N', text)))
        if lines:
            text = '\n'.join(line for line in text.splitlines() if re.search(lines, line))
        return text

    def command(self, arguments):
        return ['virsh', '-q', '-c', self.uri, *arguments]

    def virsh(self, line, expected=0, numbers=False, lines=None, stdin='', fds=()):
        """One command, or several between quotation marks. @expected: how it ends; None: as it does on this machine. @numbers: they differ from
        moment to moment. @lines: those of interest. @fds: what it has beside its own."""
        try:
            result = subprocess.run(self.command(shlex.split(line.replace('SIDE', self.uri))), input=stdin, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, errors='replace', timeout=PATIENCE, check=False, pass_fds=fds)
            status, output = result.returncode, result.stdout
        except subprocess.TimeoutExpired as error:
            status, output = 'no end', str(error.stdout)
        self.steps.append(Step('virsh ' + line, status, self.clean(output, numbers, lines), expected))

    def commands(self):
        """The names of those that ended well."""
        return {step.text.split()[1] for step in self.steps if step.status == 0 and re.match("virsh [a-z]", step.text)}

    def fails(self, line, **options):
        return self.virsh(line, expected=1, **options)

    def go(self, lines):
        """Each of the @lines: how it ends, "?" for as it does on this machine; "n" where the numbers differ from moment to moment, "j" where they and
        what is there at all does, as of a job; and the command."""
        for line in filter(None, map(str.strip, lines.splitlines())):
            mark, command = line.split(None, 1)
            self.virsh(command, {'0': 0, '1': 1, '?': None}[mark[0]], 'n' in mark, 'Job type|Operation' if 'j' in mark else None)

    def file(self, name, text):
        with open(name, 'wb' if isinstance(text, bytes) else 'w') as file:
            file.write(text)
        return name

    @staticmethod
    def read(name):
        """A file that a command left."""
        with open(name, 'rb') as file:
            return file.read()

    def wait(self, condition, text):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.02)
        self.note(text, False, 'does not come')

    def quietly(self, line):
        """That none of it is kept."""
        return subprocess.run(self.command(shlex.split(line)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE, check=False).stdout

    # --- what goes on meanwhile ---
    def watch(self, name, line, probe):
        """A command that tells what happens. @probe: commands that have it say something of a thing named "probe", again and again until it does."""
        output = open(name, 'w')
        self.watches[name] = subprocess.Popen(self.command(shlex.split(line)), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        output.close()

        def listens():
            self.quietly(probe)
            with open(name) as file:
                return re.search(IS_PROBE, file.read())
        self.wait(listens, name + ' listens')

    def wait_for(self, name, pattern):
        def there():
            with open(name) as file:
                return re.search(pattern, file.read())
        self.wait(there, '%s says %s' % (name, pattern))

    def end_watch(self, name, **options):
        """It is told to end, and what it said of other things is kept: in one order, since QEMU's threads have any."""
        process = self.watches.pop(name)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with open(name) as file:
            text = re.sub('(?m)^events received:.*', '', file.read())
        events = sorted(self.clean(event, **options) for event in re.split('(?m)^(?=event )', text)
                        if event.strip() and not re.search(IS_PROBE + '|' + MOMENTARY_EVENTS, event))
        self.steps.append(Step('virsh %s: %d events' % (name, len(events)), process.returncode, ''.join(events), 0))

    # --- a person at a terminal ---
    def at_terminal(self, line, talk):
        """virsh on a terminal, as a step that is kept when the caller says so. @talk: pairs of what is waited for, and what is typed, or done, then."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp('virsh', ['virsh', '-c', self.uri, *shlex.split(line)])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, b'\x18\x00\x50\x00\x00\x00\x00\x00')
        said, seen, good = '', 0, True
        for pattern, typed in talk:
            end = time.monotonic() + PATIENCE
            while good and not re.search(pattern, said[seen:]):
                ready = select.select([terminal], [], [], max(0, end - time.monotonic()))[0]
                part = self.listen(terminal) if ready else ''
                good = part != ''
                said += part
            seen = len(said)
            if callable(typed):
                typed()
            elif typed:
                os.write(terminal, typed.encode())
        while good:
            part = self.listen(terminal) if select.select([terminal], [], [], PATIENCE)[0] else ''
            said += part
            if not part:
                break
        os.close(terminal)
        if not good:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return Step('virsh %s, on a terminal' % line, status, self.clean(said), 0)

    @staticmethod
    def listen(terminal):
        try:
            return os.read(terminal, 65536).decode(errors='replace')
        except OSError:
            return ''


def compare(world, direct, relayed, name):
    """Each step of both sides is a check."""
    for one, other in zip(direct.steps, relayed.steps):
        lines = difflib.unified_diff(one.output.splitlines(), other.output.splitlines(), 'direct: %s' % one.status, 'relayed: %s' % other.status,
                                     lineterm='', n=0)
        world.check(one.text == other.text and (one.status, one.output) == (other.status, other.output) and one.good(), '%s: %s' % (name, one.text),
                    '\n'.join(lines) or 'both, expected %s: %s' % (one.expected, one))
    world.check(len(direct.steps) == len(relayed.steps), '%s: %d steps on both sides' % (name, len(direct.steps)), len(relayed.steps))
