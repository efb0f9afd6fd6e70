#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What exits cost, in instructions of the hypervisor, which the machine counts.

usage: costs_test.py LH

Two runs of one payload differ in nothing but how often it leaves its cell, so the difference of
their instructions outside of the guest is the price of those exits. Translated code does not count
instructions, so the machine interprets.
"""

import os
import re
import subprocess

from bed import image, make_bundle, payload
from report import Skip, check, guest_file, main

LOW, HIGH = 1000, 3000
LIMITS = {'calls': 130, 'reads': 60}
SHARE = 0.02
LIMIT_S = 300
CODE = ('exit_hypercall', 60)


def run(t, kernel, initrd=None, append=None):
    """Instructions in the guest, and all of them."""
    bundle = make_bundle(t, kernel, initrd, append, system='one')
    log = t.path('log')
    subprocess.run([t.lh, 'run', '-accel', 'interp', '-m', '1G', '-kernel', image(), '-initrd', bundle,
                    '-d', 'lvz', '-D', log, '-serial', 'file:' + t.path('out')],
                   check=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    with open(log, encoding='utf-8') as f:
        found = re.search(r'entries (\d+), instructions in guests (\d+) of (\d+)', f.read())
    os.unlink(log)
    return int(found.group(2)), int(found.group(3))


def root_instructions(t, work):
    guest, total = run(t, payload('cell_exits'), append=work)
    return total - guest


def path_length(name):
    """Instructions of the straight path from the vector to C and back."""
    try:
        text = subprocess.run(['llvm-objdump-19', '-d', f'--disassemble-symbols={name}', image()],
                              check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as e:
        raise Skip('missing llvm-objdump-19') from e
    lines = [line for line in text.splitlines() if re.match(r'^[0-9a-f]+:', line.strip())]
    end = next(i for i, line in enumerate(lines) if re.search(r'\bertn', line))
    return 3 + end + 1


def boot_costs(t):
    with t.test('into the hypervisor and out of it'):
        n = path_length(CODE[0])
        t.explain(f'{n} instructions')
        check(n <= CODE[1], n)
    for work, limit in LIMITS.items():
        with t.test(f'{work}: at most {limit} instructions each'):
            more = root_instructions(t, f'{work}={HIGH}') - root_instructions(t, f'{work}={LOW}')
            t.explain(f'{more / (HIGH - LOW):.1f} instructions')
            check(more <= limit * (HIGH - LOW), more / (HIGH - LOW))


def boot_share(t):
    """Sleep included: what a processor does that has nothing to do counts as well."""
    with t.test('of all that Debian does to start and end'):
        guest, total = run(t, guest_file('vmlinuz'), guest_file('initrd.img'),
                           'console=ttyS0,115200 quiet guest.run="usleep 1000000"')
        t.explain(f'{100 * (total - guest) / total:.2f} % are the hypervisor\'s')
        check(total - guest <= SHARE * total, guest, total)


main()
