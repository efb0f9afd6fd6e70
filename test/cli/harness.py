# SPDX-License-Identifier: Apache-2.0
"""Runs `lh` as a user would, on pipes and on pseudo terminals, and reports in TAP.

A test program defines functions test_*, each of which raises an exception when something is wrong,
and calls main(). Its arguments: LH PAYLOAD [NAME...]; only tests whose names contain a NAME run.
"""

import errno
import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

TIMEOUT = 30  # seconds: for machines that are slow, never for something to happen


class Skip(Exception):
    pass


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f'status {self.status}\nout: {self.out!r}\nerr: {self.err!r}'


class Session:
    """The programs under test, and a directory of this test's own."""

    def __init__(self, lh, payload, directory):
        self.lh, self.payload_tool, self.dir = lh, payload, directory

    def path(self, name):
        return os.path.join(self.dir, name)

    def payload(self, *steps):
        name = self.path('-'.join(s for s in steps if s.isalnum()) + f'{abs(hash(steps))}.elf')
        subprocess.run([self.payload_tool, name, *steps], check=True)
        return name

    def lh_run(self, *args, **kwargs):
        return self.run('run', *args, **kwargs)

    def run(self, *args, stdin=b'', env=None, **kwargs):
        """Runs lh to its end."""
        p = subprocess.run([self.lh, *args], input=stdin, capture_output=True, timeout=TIMEOUT,
                           env={**os.environ, **(env or {})}, **kwargs)
        return Result(p.returncode, p.stdout.decode(), p.stderr.decode())

    def start(self, *args, **kwargs):
        """Starts lh on pipes."""
        options = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Running(subprocess.Popen([self.lh, *args], **{**options, **kwargs}))


class Running:
    """A program on pipes."""

    def __init__(self, process):
        self.process, self.seen = process, b''

    def expect(self, text, stream='stdout'):
        self.seen = wait_for(getattr(self.process, stream).fileno(), text, self.seen)

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        out, err = self.process.communicate(timeout=TIMEOUT)
        return Result(self.process.returncode, (self.seen + out).decode(), err.decode())

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Terminal:
    """A program on a pseudo terminal that it controls, as under a shell."""

    def __init__(self, args, width=200, **env):
        self.seen = b''
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 50, width, 0, 0))
            os.execve(args[0], args, {**os.environ, 'TERM': 'xterm', **env})
        self.status = None

    def expect(self, text):
        self.seen = wait_for(self.fd, text, self.seen)

    def send(self, data):
        os.write(self.fd, data)

    def is_raw(self):
        return not termios.tcgetattr(self.fd)[3] & termios.ICANON

    def end(self):
        """All that the terminal showed, once the program has ended."""
        while True:
            data = read_some(self.fd)
            if not data:
                break
            self.seen += data
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.seen

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def read_some(fd, timeout=TIMEOUT):
    """What there is to read, b'' at the end."""
    if not select.select([fd], [], [], timeout)[0]:
        raise AssertionError('nothing more comes, and no end')
    try:
        return os.read(fd, 65536)
    except OSError as e:
        if e.errno == errno.EIO:  # a terminal without a program
            return b''
        raise


def wait_for(fd, text, seen=b''):
    while text not in seen:
        data = read_some(fd)
        if not data:
            raise AssertionError(f'{text!r} never came; there was {seen!r}')
        seen += data
    return seen


def wait_until(condition, what):
    end = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f'never: {what}')
        time.sleep(0.02)


def connect(path):
    """A connection to the socket that a program started now will listen at. Its name is there a moment
    before it listens."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(TIMEOUT)
    wait_until(lambda: client.connect_ex(path) == 0, f'something listens at {path}')
    return client


def check(condition, *told):
    if not condition:
        raise AssertionError(' '.join(map(repr, told)))


def check_equal(got, wanted):
    if got != wanted:
        raise AssertionError(f'got    {got!r}\nwanted {wanted!r}')


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def write(path, data=b''):
    with open(path, 'wb') as f:
        f.write(data)
    return path


def run_test(function, lh, payload):
    """None, or what is wrong."""
    with tempfile.TemporaryDirectory(prefix='lh-cli-') as directory:
        try:
            function(Session(lh, payload, directory))
        except Skip:
            raise
        except Exception:  # pylint: disable=broad-except
            return traceback.format_exc()
    return None


def main():
    lh, payload, *names = sys.argv[1:]
    tests = [(name, f) for name, f in vars(sys.modules['__main__']).items()
             if name.startswith('test_') and (not names or any(n in name for n in names))]
    print(f'1..{len(tests)}')
    failed = False
    for number, (name, function) in enumerate(tests, 1):
        try:
            wrong = run_test(function, os.path.abspath(lh), os.path.abspath(payload))
        except Skip as reason:
            print(f'ok {number} - {name[5:]} # SKIP {reason}', flush=True)
            continue
        if wrong:
            failed = True
            print(''.join(f'# {line}\n' for line in wrong.splitlines()), end='')
        print(f'{"not " if wrong else ""}ok {number} - {name[5:]}', flush=True)
    sys.exit(failed)
