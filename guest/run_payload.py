#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs payloads of tests.cfg in a machine and passes on what they report.

usage: run_payload.py [--emulator COMMAND] [--accel A] [--images DIR] [--deviations FILE] CONFIG NAME...

The payload prints TAP on the serial port; here it is checked that the plan comes and is complete,
that every line arrived, and that the emulator ends by itself with status 0 in time. What is wrong
is told as "Bail out!", and the exit status is 1.

COMMAND is what to run, with options: "build/lh run", or "qemu-system-loongarch64" to compare. An
emulator is told apart from `lh` by its name beginning with qemu-. FILE lists what an emulator is
known to do otherwise, as lines "IMAGE: REGEX # REASON": results that match are marked as expected.
"""

import argparse
import collections
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading

Row = collections.namedtuple('Row', 'name image smp cpu mem timeout append options')
RESULT = re.compile(r'(?:not )?ok (\d+) - ')
PLAN = re.compile(r'1\.\.(\d+)$')
GRACE_S = 2
FLASH_SIZE = 16 << 20
EXPECTED = 'TO' 'DO'  # TAP's word for it


def read_rows(path):
    rows = {}
    with open(path, encoding='utf-8') as f:
        for line in f:
            words = line.split('#')[0].split()
            if words:
                rest = words[6:] + ['--']
                end = rest.index('--')
                row = Row(*words[:6], ' '.join(rest[:end]), rest[end + 1:-1])
                rows[row.name] = row
    return rows


def read_deviations(path):
    """(image, pattern, reason) of each line."""
    found = []
    with open(path, encoding='utf-8') as f:
        for line in f:
            entry = re.match(r'(\w+): (.*?)\s+# (.*)', line)
            if entry:
                found.append((entry.group(1), re.compile(entry.group(2)), entry.group(3)))
    return found


def command_line(arguments, row, flash):
    words, images, accel = shlex.split(arguments.emulator), arguments.images, arguments.accel
    if os.path.basename(words[0]).startswith('qemu'):
        words += ['-display', 'none', '-monitor', 'none']
    words += ['-M', 'virt', '-cpu', row.cpu, '-smp', row.smp, '-m', row.mem, '-serial', 'stdio']
    if accel:
        name, *options = accel.split('+')
        words += ['-accel', name, *('-' + option for option in options)]
    words += [option.format(flash=flash) for option in row.options]
    if row.image.endswith('.bin'):
        return words + ['-bios', os.path.join(images, row.image)]
    links = 'llsc=exact ' if accel and 'llsc=exact' in accel else ''
    append = f'smp={row.smp} cpu={row.cpu} {links}{row.append}'.strip()
    return words + ['-kernel', os.path.join(images, row.image + '.elf'), '-append', append]


def blank_flash(folder):
    path = os.path.join(folder, 'flash')
    with open(path, 'wb') as f:
        f.write(b'\xff' * FLASH_SIZE)
    return path


class Checker:
    """Reads the lines of one run."""

    def __init__(self, row, deviations):
        self.deviations = [(p, why) for image, p, why in deviations if image == row.image]
        self.n_results = 0
        self.plan = None
        self.problems = []

    def mark(self, line):
        if line.startswith('not ok'):
            for pattern, why in self.deviations:
                if pattern.search(line):
                    return f'{line} # {EXPECTED} {why}'
        return line

    def feed(self, line):
        """The line as it is to be passed on."""
        result, plan = RESULT.match(line), PLAN.match(line)
        if result:
            self.n_results += 1
            if int(result.group(1)) != self.n_results:
                self.problems.append(f'result {result.group(1)} comes as number {self.n_results}')
            return self.mark(line)
        if plan:
            self.plan = int(plan.group(1))
            return line
        if line.startswith('Bail out!'):
            self.problems.append(line[len('Bail out!'):].strip())
            return '# ' + line
        return line if line.startswith('#') or not line else '# ' + line

    def finish(self, status, timed_out, timeout):
        if timed_out:
            self.problems.append(f'still running after {timeout} s')
        elif status:
            self.problems.append(f'the emulator ended with status {status}')
        if self.plan is None:
            self.problems.append(f'no plan after {self.n_results} results')
        elif self.plan != self.n_results or not self.plan:
            self.problems.append(f'{self.n_results} results of {self.plan}')


def run(row, arguments, deviations):
    """True if everything was reported, passed or not."""
    with tempfile.TemporaryDirectory() as folder:
        flash = blank_flash(folder) if any('{flash}' in o for o in row.options) else ''
        return run_command(command_line(arguments, row, flash), row,
                           Checker(row, deviations))


def run_command(command, row, checker):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    expired = threading.Event()

    def expire():
        expired.set()
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()

    timer = threading.Timer(int(row.timeout), expire)
    timer.start()
    for line in child.stdout:
        print(checker.feed(line.decode('utf-8', 'replace').rstrip('\r\n')), flush=True)
    status = child.wait()
    timer.cancel()
    checker.finish(status, expired.is_set(), row.timeout)
    if checker.problems:
        print('Bail out! ' + '; '.join(checker.problems))
    return not checker.problems


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('usage: ')[1].split('\n')[0])
    parser.add_argument('--emulator', default='build/lh run')
    parser.add_argument('--accel')
    parser.add_argument('--images', default='build/guest')
    parser.add_argument('--deviations')
    parser.add_argument('config')
    parser.add_argument('names', nargs='+')
    arguments = parser.parse_args()
    rows = read_rows(arguments.config)
    deviations = read_deviations(arguments.deviations) if arguments.deviations else []
    unknown = [n for n in arguments.names if n not in rows]
    if unknown:
        sys.exit(f'run_payload.py: {arguments.config} has no {", ".join(unknown)}')
    # All run, whatever the first ones say.
    results = [run(rows[name], arguments, deviations) for name in arguments.names]
    sys.exit(0 if all(results) else 1)


if __name__ == '__main__':
    main()
