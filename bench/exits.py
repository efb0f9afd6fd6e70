#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What guests of guests cost: single exits, work that does not exit, and a whole nested boot.

usage: exits.py LH [WORD...]

Words choose: exits, work, nested. What runs the processors of the outer machine is -accel of
LH_BENCH_ACCEL, the default without. Exits are measured by bench/exits.c under the KVM of Debian's
kernel: wall time there, and the outer machine's instructions from the exit to the next entry, which
-d stats counts by cause unless they are translated. Work is programs of bench/micro, by turns in the
outer machine and in a guest of it. Without the guest, the compiler for loong64 or the disk with QEMU
what needs it is left out.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
for folder in ('boot', 'nested'):
    sys.path.insert(0, os.path.join(ROOT, 'test', folder))
from machine import Machine  # pylint: disable=wrong-import-position
from nested import Host, initrd_with, read  # pylint: disable=wrong-import-position
from report import Skip, Tester, guest_file  # pylint: disable=wrong-import-position

ACCEL = os.environ.get('LH_BENCH_ACCEL')
LIMIT_S = 1800
# Microseconds of the fastest other emulator with this extension that is known.
OTHER_US = {'kernel': 5.4, 'user': 14, 'fault': 38}
# What the program calls it, what it is, by whom it is handled, its cause. What has the same cause
# cannot be counted in the same machine.
BOOTS = (
    (('hypercall', 'hypercall, answered by the kernel', 'kernel', 'HVC'),
     ('user_iocsr', 'IOCSR of a device in user space', 'user', 'GSPR'),
     ('user_mmio', 'load from a device in user space', 'user', 'PIL'),
     ('first_touch', 'first store to a page', 'fault', 'PIS')),
    (('cpucfg', 'CPUCFG, answered by the kernel', 'kernel', 'GSPR'),),
    (('kernel_iocsr', 'IOCSR of a device in the kernel', 'kernel', 'GSPR'),),
)


# Of bench/micro: what it is.
WORK = {
    'mix': 'a round of adding, shifting, multiplying',
    'sha256': 'a byte hashed',
    'dispatch': 'a step of a bytecode interpreter',
    'nbody': 'a pair of bodies in double precision',
    'chase_ram': 'a pointer followed in 64 MiB',
    'memcpy_big': '256 KiB copied',
    'getppid': 'a system call that does nothing',
    'fault': 'a page touched first',
}


def accel_options():
    return ('-accel', ACCEL) if ACCEL else ()


def compile_program(to):
    sources = [os.path.join(ROOT, name) for name in
               ('base/test.c', 'guest/kvm/vm.c', 'bench/exits.c')]
    done = subprocess.run(['sh', os.path.join(ROOT, 'tools/guest_cc.sh'), '-std=gnu11', '-O2',
                           '-D_GNU_SOURCE', '-Wall', '-I', ROOT, '-o', to, *sources],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip('exits.c cannot be compiled for loong64: ' + done.stderr.strip()[-200:])


def sums(log):
    """By cause: the number of exits, and instructions and nanoseconds to the next entry."""
    with open(log, encoding='ascii') as f:
        text = f.read()
    counts, costs = {}, {}
    for line in re.findall(r'exits:((?: \w+ \d+)+)', text):
        for cause, n in re.findall(r'(\w+) (\d+)', line):
            counts[cause] = counts.get(cause, 0) + int(n)
    for line in re.findall(r'instructions and ns:((?: \w+ \d+ \d+)+)', text):
        for cause, insns, ns in re.findall(r'(\w+) (\d+) (\d+)', line):
            costs[cause] = insns, int(ns)
    for line in re.findall(r'next entry, ns:((?: \w+ \d+)+)', text):  # translated: not counted
        for cause, ns in re.findall(r'(\w+) (\d+)', line):
            costs[cause] = '-', int(ns)
    return counts, costs


def run_program(t, names, initrd):
    log = t.path('log')
    command = [t.lh, 'run', *accel_options(), '-m', '1G', '-nic', 'none', '-no-reboot', '-serial', 'stdio',
               '-d', 'stats', '-D', log, '-kernel', guest_file('vmlinuz'), '-initrd', initrd, '-append',
               f'console=ttyS0,115200 quiet panic=-1 guest.net=off guest.run="/exits {" ".join(names)}; '
               's=$?; stty opost; exit $s"']
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=LIMIT_S)
    if done.returncode or 'guest: exit 0' not in done.stdout:
        sys.exit(f'exits.py: {" ".join(command)}: status {done.returncode}\n{done.stdout[-2000:]}'
                 f'{done.stderr[-2000:]}')
    found = re.findall(r'# exit (\w+) (\d+) ns', done.stdout)
    return {name: int(ns) for name, ns in found}, sums(log)[1]


def bench_exits(t):
    program = t.path('exits')
    compile_program(program)
    with open(program, 'rb') as f:
        initrd = initrd_with(t, ('exits', f.read()))
    print(f'{"microseconds per exit of a guest of a guest":54}{"lh":>8}{"other":>8}{"ratio":>8}'
          f'{"instructions":>14}')
    for rows in BOOTS:
        ns, costs = run_program(t, [row[0] for row in rows], initrd)
        for name, what, by, cause in rows:
            if name in ns:
                us = ns[name] / 1000
                print(f'  {what:52}{us:8.2f}{OTHER_US[by]:8.1f}{us / OTHER_US[by]:8.2f}'
                      f'{costs[cause][0]:>14}', flush=True)


def seconds_each(texts):
    """Of each workload, the best of its runs."""
    best = {}
    for name, seconds in re.findall(r'^(\w+) ([\d.]+) [\d.]+ ok', '\n'.join(texts), re.M):
        best[name] = min(best.get(name, float('inf')), float(seconds))
    return best


def bench_work(t):
    """Around the run in the guest there is one in its host, so that a host that becomes slower
    favours neither."""
    program = os.path.join(os.path.dirname(t.lh), 'bench', 'micro-loong64')
    if not os.path.exists(program):
        raise Skip(f'missing {program} of bench/build_micro.sh')
    work = f'for i in 1 2 3; do /micro run 0.2 {" ".join(WORK)}; done'
    with Host(t, *accel_options(), smp=1, programs=(('micro', read(program)),)) as h:
        before = h.shell(work, LIMIT_S)
        guest = seconds_each([h.run(work, limit=LIMIT_S, memory='1G')])
        host = seconds_each([before, h.shell(work, LIMIT_S)])
        h.power_off()
    print(f'{"nanoseconds of an operation, one processor":54}{"first":>8}{"nested":>8}{"ratio":>8}')
    for name in WORK:
        print(f'  {WORK[name]:52}{host[name]:8.1f}{guest[name]:8.1f}{guest[name] / host[name]:8.2f}',
              flush=True)


def seconds_up(text):
    return float(re.search(r'^guest: loongarch64 \S+ up ([\d.]+)s', text, re.M).group(1))


def first_level(t):
    """Seconds from the kernel's start to the end of init, and of everything."""
    began = time.monotonic()
    command = [t.lh, 'run', *accel_options(), '-m', '512M', '-nic', 'none', '-serial', 'stdio', '-kernel',
               guest_file('vmlinuz'), '-initrd', guest_file('initrd.img'), '-append',
               'console=ttyS0 initcall_blacklist=i8042_init quiet guest.off']
    with Machine(command) as m:
        m.expect('Power down')
        seconds = time.monotonic() - began
        m.end()
        return seconds_up(m.stream.text), seconds


def second_level(t, log):
    with Host(t, *accel_options(), '-d', 'stats', '-D', log, smp=1) as h:
        began = time.monotonic()
        text = h.run(limit=LIMIT_S)
        seconds = time.monotonic() - began
        h.power_off()
    return seconds_up(text), seconds


def bench_nested(t):
    log = t.path('nested.log')
    first, second = first_level(t), second_level(t, log)
    counts, costs = sums(log)
    n = sum(counts.values())
    print(f'{"seconds of a boot of Linux, one processor":54}{"first":>8}{"nested":>8}{"ratio":>8}')
    for i, what in enumerate(('from its start to its init', 'with what runs it, to power-off')):
        print(f'  {what:52}{first[i]:8.2f}{second[i]:8.2f}{second[i] / first[i]:8.2f}')
    print(f'{"exits of the nested boot":54}{"number":>8}{"per s":>8}{"each us":>8}{"instructions":>14}')
    for cause in sorted(counts, key=counts.get, reverse=True):
        insns, ns = costs.get(cause, ('-', 0))
        print(f'  {cause:52}{counts[cause]:8}{counts[cause] / second[1]:8.0f}{ns / 1000:8.2f}{insns:>14}')
    print(f'  {"all":52}{n:8}{n / second[1]:8.0f}', flush=True)


def main():
    lh, *words = sys.argv[1:]
    if words and not {'exits', 'work', 'nested'}.intersection(words):
        return
    t = Tester(os.path.abspath(lh))
    with tempfile.TemporaryDirectory(prefix='lh-bench-') as t.dir:
        for name, function in (('exits', bench_exits), ('work', bench_work), ('nested', bench_nested)):
            try:
                if not words or name in words:
                    function(t)
            except Skip as reason:
                print(f'{name}: {reason}')


main()
