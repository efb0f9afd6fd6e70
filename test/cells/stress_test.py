#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A root cell, a Debian cell and a cell that attacks, on a machine that does what hardware may do and
seldom does: which entries TLBs lose, interrupts that are late, and interrupts that nobody sent.

usage: stress_test.py LH [NAME...]
"""

from bed import Root, cell, payload
from life_test import N_ATTACKS
from report import check, check_equal, guest_file, main

LIMIT_S = 600
SUMS = 'seq 1 3000 | sha256sum'
EDIT = "sed -i 's/cpus = <1>/cpus = <2>/' /cells/debian.dts"


def stress(t, *options):
    files = {'debian.dts': cell('debian'), 'bare.dts': cell('bare'), 'exits.elf': payload('cell_exits'),
             'hostile.elf': payload('cell_hostile'), 'vmlinuz': guest_file('vmlinuz'),
             'initrd.img': guest_file('initrd.img')}
    with Root(t, files, *options, smp=3) as r:
        r.shell(EDIT)
        before = r.left()
        wanted = r.shell(SUMS)
        r("run /cells/debian.dts --keep --append 'console=ttyS0,115200 quiet "
          f"guest.run=\"nproc; {SUMS}\"'", LIMIT_S)
        r('create /cells/bare.dts')
        with t.test('a cell attacks beside Debian, and fails'):
            for n in range(N_ATTACKS):
                r(f'load bare --kernel /cells/hostile.elf --append attack={n}')
                r('start bare')
                check('failed: access to ' in r('wait bare', LIMIT_S))
            r('load bare --kernel /cells/hostile.elf')
            r('start bare')
            r('wait bare', LIMIT_S)
            check('# 9 passed, 0 failed' in r('output bare'), r('output bare'))
        with t.test('Debian in a cell computes what it should'):
            check('powered off' in r('wait debian --timeout 500', LIMIT_S))
            text = r('output debian').replace('\r', '')
            check(wanted in text and 'Call Trace' not in text, text[-3000:])
        with t.test('processors go and come'):
            r('destroy bare')
            r('destroy debian')
            for _ in range(3):
                r.shell('echo 0 > /sys/devices/system/cpu/cpu2/online; '
                        'echo 1 > /sys/devices/system/cpu/cpu2/online')
            check_equal(r.left(), before)
            check_equal(r.shell('nproc'), '3')
            check_equal(r.shell(SUMS), wanted)
            r.check_kernel()
        r.power_off()


def boot_never(t):
    stress(t, '-cpu', 'max,tlb=never-evict')


def boot_always(t):
    stress(t, '-cpu', 'max,tlb=always-evict')


def boot_random(t):
    stress(t, '-cpu', 'max,tlb=random')


def boot_disturbed(t):
    stress(t, '-cpu', 'max,lvz-disturb=400')


def boot_late(t):
    stress(t, '-machine', 'virt,ipi-delay=200000')


main()
