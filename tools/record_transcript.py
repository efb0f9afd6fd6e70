#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what a user of `make run` sees: doc/transcript.txt, which README.md shows parts of.

usage: record_transcript.py LH GUEST-DIRECTORY > doc/transcript.txt

Starts LH on the kernel and initramfs that `lh guest fetch` made, with the options of `make run`,
types a few commands on the first serial port and prints all that comes. Carriage returns, the
shell's questions to the terminal and blanks at line ends are left out, tabs become blanks.
"""

import os
import re
import select
import subprocess
import sys
import time

OPTIONS = ['-smp', '2', '-m', '1G', '-kernel', 'vmlinuz', '-initrd', 'initrd.img',
           '-append', 'console=ttyS0,115200', '-nographic']
COMMANDS = ['uname -srm', "grep -e Features -e 'Model Name' /proc/cpuinfo | sort -u", 'ls /dev/kvm',
            'poweroff']
PROMPT = re.compile(r'guest:\S*# ')
ESCAPE = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')
LIMIT_S = 240  # for the whole session, on a busy host


class Failure(Exception):
    pass


def tidy(text):
    """Text as a file of text has it."""
    lines = ESCAPE.sub('', text).replace('\r', '').expandtabs(8).split('\n')
    return '\n'.join(line.rstrip() for line in lines)


def read_until(process, seen, pattern, deadline):
    """Reads on until the pattern matches behind `seen` characters, or to the end without one."""
    text = ''
    while not (pattern and pattern.search(text)):
        left = max(0, deadline - time.monotonic())
        if not select.select([process.stdout], [], [], left)[0]:
            raise Failure(f'nothing more after {seen + text[-500:]!r}')
        data = os.read(process.stdout.fileno(), 65536)
        if not data and pattern:
            raise Failure(f'ended after {seen + text[-500:]!r}')
        if not data:
            break
        text += data.decode('utf-8', 'replace')
    return text


def record(lh, guest):
    """The session as text; Failure when the guest does not answer or the status is not 0."""
    deadline = time.monotonic() + LIMIT_S
    process = subprocess.Popen([os.path.abspath(lh), 'run', *OPTIONS], cwd=guest,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        text = ''
        for command in COMMANDS:
            text += read_until(process, text[-100:], PROMPT, deadline)
            process.stdin.write(command.encode() + b'\n')
            process.stdin.flush()
        text += read_until(process, text[-100:], None, deadline)
        status = process.wait(LIMIT_S)
    finally:
        process.kill()
        process.communicate()
    if status:
        raise Failure(f'status {status} after {text[-500:]!r}')
    words = [f"'{w}'" if ' ' in w or ',' in w else w for w in OPTIONS]
    return f'$ lh run {" ".join(words)}\n{tidy(text)}'


def main(arguments):
    if len(arguments) != 2 or arguments[0] in ('-h', '--help'):
        print(__doc__)
        return 1
    try:
        sys.stdout.write(record(*arguments).rstrip('\n') + '\n')
    except Failure as failure:
        print(f'record_transcript.py: {failure}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
