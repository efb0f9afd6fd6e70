#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel with -icount: every run does the same, and the translator does what the
interpreter does, to the last instruction.

What is compared is the output of the guest, the numbers of instructions, the log of every exception
and interrupt with its place, and what was written to a disk and a second console."""

import collections
import hashlib
import re

from report import check, check_equal, main

Run = collections.namedtuple('Run', 'text counts exceptions files')

WORK = ('cat /proc/interrupts; date; modprobe -a virtio_blk virtio_rng virtio_console; '
        'dd if=/dev/urandom of=/dev/vda bs=64k count=20 oflag=direct; '
        'dd if=/dev/vda bs=4k count=300 | md5sum; '
        'seq 1 5000 > /dev/hvc0; head -c 64 /dev/hwrng | md5sum; '
        'for i in 1 2 3 4; do seq 1 500 | sort -r | md5sum & done; wait; sleep 100; date')


def sum_of(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def read_log(path):
    """Instructions of each processor, and how many exceptions with the sum of all their lines."""
    counts, n, exceptions = [], 0, hashlib.sha256()
    with open(path, encoding='utf-8') as f:
        for line in f:
            if line.startswith('int: '):
                n += 1
                exceptions.update(line.encode())
            elif counted := re.match(r'stats: cpu \d+: (\d+) instructions$', line):
                counts.append(int(counted.group(1)))
    return counts, (n, exceptions.hexdigest())


def run(t, accel, n_cpus, *arguments):
    disk, log, console = t.path('disk'), t.path('log'), t.path('console')
    with open(disk, 'wb') as f:
        f.truncate(4 << 20)
    with t.direct('-icount', 'on', '-accel', accel, '-smp', str(n_cpus), '-m', '512M', '-no-reboot',
                  '-d', 'stats,int', '-D', log, '-drive', f'file={disk},format=raw',
                  '-device', 'virtio-rng-pci', '-chardev', f'file,id=c,path={console}',
                  '-device', 'virtio-serial-pci,chardev=c', *arguments,
                  append=f'guest.run="{WORK}"') as m:
        result = m.end()
    check_equal((result.status, result.errors), (0, ''))
    check('guest: exit 0' in result.text, result.text[-2000:])
    return Run(result.text, *read_log(log), (sum_of(disk), sum_of(console)))


def compare(a, b):
    """The first line that differs tells most."""
    for line, other in zip(a.text.split('\n'), b.text.split('\n')):
        check_equal(other, line)
    check_equal(b[1:], a[1:])
    check_equal(b.text, a.text)


def compare_runs(t, n_cpus, *arguments):
    first = run(t, 'interp', n_cpus, *arguments)
    t.explain(f'{first.counts} instructions, {first.exceptions[0]} exceptions')
    with t.test(f'{n_cpus} processors: instructions are counted'):
        check_equal(len(first.counts), n_cpus)
        check(min(first.counts) > 1000000, first.counts)
        check(first.exceptions[0] > 1000, first.exceptions)
    with t.test(f'{n_cpus} processors: the date is always the same, and waiting takes no time'):
        dates = re.findall(r'^\w+ (\w+ +\d+) (\d+):(\d+):(\d+) UTC 2026$', first.text, re.M)
        check_equal([d[0] for d in dates], ['Jan  1'] * 2)
        seconds = [int(d[1]) * 3600 + int(d[2]) * 60 + int(d[3]) for d in dates]
        check(100 <= seconds[1] - seconds[0] <= 105, seconds)
    for number in ('first', 'second'):
        with t.test(f'{n_cpus} processors: the {number} translated run is like the interpreted one'):
            compare(first, run(t, 'jit', n_cpus, *arguments))


def boot_one_processor(t):
    compare_runs(t, 1)
    with t.test('an instruction that takes longer makes another run, and the same twice'):
        slow = run(t, 'jit', 1, '-icount', 'shift=3', '-cpu', 'la464')
        compare(slow, run(t, 'jit', 1, '-icount', 'shift=3', '-cpu', 'la464'))


def boot_two_processors(t):
    compare_runs(t, 2)


main()
