#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many instructions per second the interpreter does, beside the reference emulator.

usage: speed.py LH LOOPS [WORD...]

Words choose among: loops, boot, and names of loops (bench/loops.def). The figures are
processor time, where nothing else is said, because the host may have other work; both programs run
by turns, the best of each counts. What to compare is the ratios: the same run, the same host.
Without the reference emulator (tools/reference_fetch.sh) or the guest (tools/guest_fetch.sh) what
needs it is left out.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                'test', 'boot'))
from machine import Machine  # pylint: disable=wrong-import-position
from report import CACHE, GUEST  # pylint: disable=wrong-import-position

REFERENCE = os.path.join(CACHE, 'reference', 'bin', 'qemu-system-loongarch64')
N_TURNS = 3
TARGET = 60e6  # instructions per second: the mean of the loops, and in Linux
RAM = ('-m', '1G')
# Without a keyboard controller the kernel waits for one, unless the tables say that there is none.
APPEND = 'console=ttyS0,115200 initcall_blacklist=i8042_init'


def reference(*arguments, serial='none'):
    """The command, or None when there is no reference emulator. It has no LVZ and no la664."""
    if not os.path.exists(REFERENCE):
        return None
    return [REFERENCE, '-M', 'virt', '-cpu', 'max', '-display', 'none', '-monitor', 'none', '-nic',
            'none', '-serial', serial, *arguments]


class Runner:
    """Runs the emulator under test, and knows what it counted."""

    def __init__(self, lh, directory):
        self.lh, self.log = lh, os.path.join(directory, 'log')

    def command(self, *arguments, serial='null'):
        return [self.lh, 'run', '-accel', 'interp', '-nic', 'none', '-serial', serial, '-d', 'stats', '-D',
                self.log, *arguments]

    def n_instructions(self):
        with open(self.log, encoding='ascii') as f:
            return sum(map(int, re.findall(r'stats: cpu \d+: (\d+)', f.read())))


def processor_seconds(command):
    """What a program took, from its start to its end."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as p:
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f'speed.py: {" ".join(command)}: status {p.returncode}')
    return usage.ru_utime + usage.ru_stime


def measure_loop(runner, loops, name, directory):
    """Instructions per second of the interpreter and of the reference, None when there is none.
    A program of few rounds tells what starting takes; the reference gets more of them."""
    def program(n_rounds):
        path = os.path.join(directory, f'{name}-{n_rounds}.elf')
        subprocess.run([loops, name, str(n_rounds), path], check=True)
        return ('-m', '256M', '-kernel', path)

    few, some, many = (program(n) for n in (1000, 8_000_000, 40_000_000))
    times = [[], [], [], []]
    for _ in range(N_TURNS):
        commands = (runner.command(*few), runner.command(*some), reference(*few), reference(*many))
        for row, command in zip(times, commands):
            if command:
                row.append(processor_seconds(command))
            if row is times[1]:
                n = runner.n_instructions()
    ours = n / (min(times[1]) - min(times[0]))
    return ours, 5 * n / (min(times[3]) - min(times[2])) if times[2] else None


def heading(text):
    print(f'{text:54}{"lh":>8}{"reference":>11}{"ratio":>10}')


def show(what, ours, theirs, n_digits):
    shown = f'{theirs:11.{n_digits}f}{ours / theirs:10.3f}' if theirs else f'{"-":>11}{"-":>10}'
    print(f'  {what:52}{ours:8.{n_digits}f}{shown}', flush=True)


def bench_loops(runner, loops, directory, words):
    listed = subprocess.run([loops], capture_output=True, text=True, check=True).stdout.splitlines()
    heading('million instructions per second')
    rates = []
    for name, doc in (line.split(' ', 1) for line in listed):
        if words and name not in words and 'loops' not in words:
            continue
        ours, theirs = measure_loop(runner, loops, name, directory)
        rates.append(ours)
        show(doc, ours / 1e6, theirs and theirs / 1e6, 0)
    if rates:
        tell_target(statistics.geometric_mean(rates))


def tell_target(rate):
    verdict = 'is reached' if rate >= TARGET else 'IS MISSED'
    print(f'  the goal, {TARGET / 1e6:.0f}, {verdict} with {rate / 1e6:.0f}', flush=True)


def kernel():
    return ('-kernel', os.path.join(GUEST, 'vmlinuz'), '-initrd', os.path.join(GUEST, 'initrd.img'))


def boot(command):
    """Seconds to init and to power-off, and processor seconds of it all."""
    began = time.monotonic()
    with Machine(command) as m:
        m.expect('Run /init as init process')
        init = time.monotonic() - began
        m.expect('reboot: Power down')
        off = time.monotonic() - began
        m.end()
    return init, off


def timed_boot(command):
    before = os.times()
    init, off = boot(command)
    after = os.times()
    spent = (after.children_user + after.children_system -
             before.children_user - before.children_system)
    return init, off, spent


def bench_boot(runner):
    for n_cpus in ('1', '2'):
        options = (*RAM, '-smp', n_cpus, *kernel(), '-append', APPEND + ' guest.off')
        ours, theirs = [], []
        for _ in range(N_TURNS):
            ours.append(timed_boot(runner.command(*options, serial='stdio')))
            n = runner.n_instructions()
            command = reference(*options, serial='stdio')
            if command:
                theirs.append(timed_boot(command))
        show_boot(n_cpus, n, [min(column) for column in zip(*ours)],
                  [min(column) for column in zip(*theirs)])


def show_boot(n_cpus, n, ours, theirs):
    heading(f'Linux, {n_cpus} processor' + 's' * (n_cpus != '1'))
    for i, what in enumerate(('seconds to init', 'seconds to power-off', 'processor seconds')):
        show(what, ours[i], theirs[i] if theirs else None, 2)
    print(f'  {"million instructions":52}{n / 1e6:8.0f}')
    print(f'  {"million instructions per processor second":52}{n / ours[2] / 1e6:8.0f}')
    tell_target(n / ours[2])


def main():
    lh, loops, *words = sys.argv[1:]
    if not os.path.exists(REFERENCE):
        print('there is no reference emulator; tools/reference_fetch.sh fetches it')
    with tempfile.TemporaryDirectory(prefix='lh-bench-') as directory:
        runner = Runner(lh, directory)
        if words != ['boot']:
            bench_loops(runner, loops, directory, [w for w in words if w != 'boot'])
        if not os.path.exists(os.path.join(GUEST, 'vmlinuz')):
            print('there is no guest; lh guest fetch fetches it')
            return
        if not words or 'boot' in words:
            bench_boot(runner)


main()
