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

from bed import Root, cell, image, make_bundle, payload
from report import Skip, check, guest_file, main

LOW, HIGH = 1000, 3000
LIMITS = {'calls': 130, 'reads': 60}
SHARE = 0.02
LIMIT_S = 300
CODE = ('exit_hypercall', 60)
REFILL = ('refill_vector', 9)
SLOT = 3  # instructions of a vector, before the path that it leads to
RESIDENT = 2 << 20
LINES = 10000
HV = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../hv')
# A program with few system calls, and the time before and after, which counts instructions.
NOW = 'grep -m1 "now at" /proc/timer_list'
WORK = ("sleep 1; " + f"{NOW}; awk 'BEGIN {{ for (i = 0; i < 100000; i++) s = s * 7 + i; print s }}'; " * 3 +
        NOW)
USER_SHARE = 0.01


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
    return end + 1


def boot_costs(t):
    with t.test('into the hypervisor and out of it'):
        n = SLOT + path_length(CODE[0])
        t.explain(f'{n} instructions')
        check(n <= CODE[1], n)
    with t.test('a refill of the second stage'):
        n = path_length(REFILL[0])
        t.explain(f'{n} instructions')
        check(n <= REFILL[1], n)
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


def boot_size(t):
    """With four processors, and what is linked into either image."""
    with Root(t, {}, smp=4) as r:
        with t.test('memory that is the hypervisor\'s'):
            resident = int(re.search(r'resident (\d+)', r('info')).group(1))
            t.explain(f'{resident} bytes')
            check(resident <= RESIDENT, resident)
        r.power_off()
    with t.test('lines of the hypervisor'):
        n = sum(len(open(path, encoding='utf-8').readlines()) for path in resident_sources())
        t.explain(f'{n} lines')
        check(2000 < n <= LINES, n)


def resident_sources():
    """Tests, what is compiled for them alone, and what makes the images are not."""
    for folder, folders, names in os.walk(HV):
        folders[:] = [name for name in folders if name != 'fake']
        for name in names:
            if name.endswith(('.c', '.h', '.S', '.def')) and not name.endswith('_test.c'):
                yield os.path.join(folder, name)


def work_ns(text):
    """The shortest of several times."""
    at = [int(n) for n in re.findall(r'now at (\d+) nsecs', text)]
    return min(b - a for a, b in zip(at, at[1:]))


def boot_user(t):
    """Time is counted in instructions, so what is not the program's shows."""
    with t.direct('-m', '1G', '-icount', 'on', append='quiet') as m:
        s = m.shell()
        plain = work_ns(s(WORK))
        s.power_off()
    files = {'debian.dts': cell('debian'), 'vmlinuz': guest_file('vmlinuz'),
             'initrd.img': guest_file('initrd.img')}
    with Root(t, files, '-icount', 'on', smp=2) as r:
        root = work_ns(r.shell(WORK))
        r("run /cells/debian.dts --keep --append 'console=ttyS0,115200 quiet guest.net=off'")
        r.shell('until lh cell output debian | grep -q guest:.*#; do usleep 200000; done')
        r.shell(f"printf '%s\\n' '' {quoted(WORK)} 'poweroff -f' > /typed; "
                'lh cell console debian < /typed')
        r('wait debian')
        inside = work_ns(r('output debian'))
        r.power_off()
    for name, ns in ('the root cell', root), ('a cell', inside):
        with t.test(f'a program takes no longer in {name}'):
            t.explain(f'{ns} instructions, {plain} without the hypervisor: {100 * (ns / plain - 1):.2f} %')
            check(ns <= plain * (1 + USER_SHARE), ns, plain)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


main()
