# SPDX-License-Identifier: Apache-2.0
"""Starts machines with `lh run` and works in them through the first serial port.

Machine    a running machine: waits for texts, types, ends
Shell      a shell in the guest that answers one command at a time, without prompts and echoes

Nothing here waits for a time to pass: it waits for what the guest or the program does. The limits
are there to end a test that hangs, and leave room for a busy host.
"""

import collections
import errno
import os
import pty
import re
import select
import subprocess
import tempfile
import termios
import time

LIMIT_S = 300
PROMPT = r'guest:\S*# '
TAIL = 2500
LONGEST_MATCH = 4096

Result = collections.namedtuple('Result', 'status text errors')


class Gone(Exception):
    """The machine ended, or does not answer: what else would be tested in it cannot be."""


class Stream:
    """The text that comes from a file descriptor, and up to where it has been looked at."""

    def __init__(self, fd):
        self.fd, self.text, self.at, self.ended = fd, '', 0, False

    def read(self, limit):
        """Adds what comes next. False: nothing came within `limit` seconds."""
        if not select.select([self.fd], [], [], max(0, limit))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError as e:
            if e.errno != errno.EIO:  # a terminal without a program
                raise
            data = b''
        self.ended = not data
        self.text += data.decode('utf-8', 'replace').replace('\r', '')
        return True

    def tail(self):
        return self.text[-TAIL:]


class Machine:
    """`lh run` with these arguments, on pipes or on a terminal of its own. What it says on standard
    error is kept apart, except on a terminal."""

    def __init__(self, command, on_terminal=False):
        self.errors = tempfile.TemporaryFile()
        self.status = None
        if on_terminal:
            self.fd, slave = pty.openpty()
            termios.tcsetwinsize(self.fd, (50, 200)) if hasattr(termios, 'tcsetwinsize') else None
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                            start_new_session=True)
            os.close(slave)
            self.stream = Stream(self.fd)
        else:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors)
            self.fd = self.process.stdin.fileno()
            self.stream = Stream(self.process.stdout.fileno())

    def expect(self, pattern, limit=LIMIT_S):
        """Waits until `pattern` matches in what came since the last time; the match."""
        end, wanted, first = time.monotonic() + limit, re.compile(pattern, re.M), self.stream.at
        while True:
            found = wanted.search(self.stream.text, first)
            if found:
                self.stream.at = found.end()
                return found
            first = max(first, len(self.stream.text) - LONGEST_MATCH)
            if self.stream.ended:
                raise Gone(f'ended without {pattern!r}; status {self.wait()}\n'
                           f'{self.stream.tail()}\n{self.read_errors()}')
            if not self.stream.read(end - time.monotonic()) and time.monotonic() >= end:
                raise Gone(f'no {pattern!r} within {limit} s\n{self.stream.tail()}')

    def send(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self.fd, data):]

    def shell(self, prompt=PROMPT):
        """A shell that comes up now."""
        return Shell(self, prompt)

    def end(self, limit=LIMIT_S):
        """Waits for the end; status, all that it showed, what it said on standard error."""
        end = time.monotonic() + limit
        while not self.stream.ended:
            if not self.stream.read(end - time.monotonic()) and time.monotonic() >= end:
                raise Gone(f'no end within {limit} s\n{self.stream.tail()}')
        return Result(self.wait(), self.stream.text, self.read_errors())

    def wait(self):
        return self.process.wait(LIMIT_S)

    def read_errors(self):
        self.errors.seek(0)
        return self.errors.read().decode('utf-8', 'replace')

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()
            self.process.stdout.close()
        else:
            os.close(self.fd)
        self.errors.close()


class Shell:
    """Takes over from the shell at the prompt: a loop reads commands, one line each, so that nothing
    prompts or echoes. The kernel's messages stay in its own buffer."""

    LOOP = 'dmesg -n 1; stty -echo; while IFS= read -r line; do eval "$line"; done'

    def __init__(self, machine, prompt):
        self.machine, self.n = machine, 0
        machine.expect(prompt)
        machine.send(self.LOOP + '\n')
        self.run('true')

    def start(self, command):
        """Types a command and does not wait for its end."""
        self.machine.send(command + '\n')

    def run(self, command, limit=LIMIT_S):
        """The command's status and output."""
        self.n += 1
        self.start(f'{{ {command}; }} < /dev/null 2>&1; echo "<"{self.n} $?">"')
        first = self.machine.stream.at
        found = self.machine.expect(rf'<{self.n} (\d+)>\n', limit)
        return int(found.group(1)), self.machine.stream.text[first:found.start()]

    def __call__(self, command, limit=LIMIT_S):
        """The output of a command that must succeed, without the last line's end."""
        status, text = self.run(command, limit)
        if status:
            raise AssertionError(f'{command}: status {status}\n{text[-TAIL:]}')
        return text.rstrip('\n')

    def power_off(self):
        """Ends the guest as a user does; status and texts of the program."""
        self.start('poweroff -f')
        return self.machine.end()
