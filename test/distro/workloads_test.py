#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small programs of the benchmarks, each of which verifies its result, on the host and in a guest
of Debian's kernel. They are measured elsewhere: here one unit of each has to be right."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'boot'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'nested'))
# pylint: disable=wrong-import-position
from nested import initrd_with, read
from report import Skip, check, check_equal, guest_file, main, need

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
LIMIT_S = 1200


def build(t):
    need('clang-19', 'ld.lld-19')
    done = subprocess.run(['sh', os.path.join(ROOT, 'bench', 'build_micro.sh'), t.dir],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 125:
        raise Skip('missing the loong64 sysroot')
    check(done.returncode == 0, done.stderr)
    return t.path('micro'), t.path('micro-loong64')


def names(program):
    listed = subprocess.run([program, 'list'], check=True, capture_output=True, text=True).stdout
    return [line.split()[1] for line in listed.splitlines()]


def is_right(text, name):
    check(text.startswith(name + ' ') and text.endswith(' ok'), text)


def boot_workloads(t):
    host, guest = build(t)
    with t.test('every workload is right on the host'):
        done = subprocess.run([host, 'run', '0', 'all'], capture_output=True, text=True, check=False)
        check_equal([line.split()[-1] for line in done.stdout.splitlines()], ['ok'] * len(names(host)))
    with t.test('what is not there is told'):
        told = subprocess.run([host, 'run', '0', 'nonsense'], capture_output=True, text=True, check=False)
        check(told.returncode != 0, told)
    initrd = initrd_with(t, ('micro', read(guest)))
    with t.machine('-smp', '2', '-m', '1G', '-nic', 'none', '-kernel', guest_file('vmlinuz'), '-initrd', initrd,
                   '-append', 'console=ttyS0,115200 guest.net=off') as m:
        s = m.shell()
        for name in names(host):
            with t.test(f'{name} is right in the guest'):
                is_right(s.run(f'/micro run 0 {name}', LIMIT_S)[1].rstrip('\n'), name)
        check_equal(s.power_off()[::2], (0, ''))


main()
