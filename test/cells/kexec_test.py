#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel of the root cell starts another kernel in its place, above the same hypervisor.

Linux tells the other processors to leave its memory and does not wait until they have; a host that is busy
may let one stand still for so long that it comes to itself in the next kernel. Here time is counted, so all
get their turns.

usage: kexec_test.py LH [NAME...]
"""

import re

from bed import Root, cell, make_initrd, payload
from below import check_cell, check_log, resident
from esp import make_esp
from kexec import INSTALL, KEXEC, programs, unpacked_kernel
from panic_test import numbers
from report import check, check_equal, guest_file, main
from virtio_test import QUIET, until

LIMIT_S = 300
TIME = '-icount', 'on'
WORDS = 'console=ttyS0,115200 again'
ALIVE = 'i=0; while true; do echo alive $i; i=$((i+1)); usleep 200000; done'


def files():
    return {'bare.dts': cell('bare'), 'exits.elf': payload('cell_exits'), 'debian.dts': cell('debian'),
            'vmlinuz': guest_file('vmlinuz'), 'initrd.img': guest_file('initrd.img'), **programs()}


def restart(r):
    """Linux ends what it has begun, and another is there."""
    boot_id = r.shell('cat /proc/sys/kernel/random/boot_id')
    r.shell(f'{INSTALL}; mkdir /disk0; mount -t vfat /dev/vda /disk0')
    r.shell(f"{KEXEC} -l /disk0/vmlinux.efi --initrd=/disk0/initrd.img --append='{WORDS}'")
    r.shell('umount /disk0')
    r.shell.start(f'{KEXEC} -e')
    r.machine.expect('Run /init as init process')
    r.shell = r.machine.shell()
    check('again' in r.shell('cat /proc/cmdline').split())
    check(r.shell('cat /proc/sys/kernel/random/boot_id') != boot_id)


def check_whole(t, r, before):
    with t.test('the root cell has all processors, and nothing is lost'):
        r('doctor')
        check_equal(r.shell('nproc'), '3')
        check(re.fullmatch(r'0 +virt +running .* starts 1 +cpus 0,1,2', r('list')), r('list'))
        check_equal(r.left(), before)
    check_cell(t, r)


def restart_beside(t, r):
    """While a cell runs, which keeps its processor."""
    r(f"run /cells/debian.dts --keep --append '{QUIET} guest.net=off guest.run=\"{ALIVE}\"'", LIMIT_S)
    until(r, 'alive.3', 'debian')
    first = numbers(r('output debian'), 'alive')[-1]
    cpu = re.search(r'debian +running .* cpus (\d)$', r('list')).group(1)
    restart(r)
    with t.test('the cell has gone on, and has kept its processor'):
        check_equal(r.shell('nproc'), '2')
        check(re.search(rf'debian +running .* starts 1 +cpus {cpu}$', r('list')), r('list'))
        now = numbers(r('output debian'), 'alive')[-1]
        until(r, f'alive.{now + 3}', 'debian')
        t.explain(f'alive {first} before, {now} after')
        text = r('output debian')
        # The oldest lines may have had to make room.
        found = numbers(text, 'alive')
        check(now > first and found == list(range(found[0], found[-1] + 1)), text)
        check(not re.search('Oops|Call Trace|stall', text), text)
    with t.test('the next kernel stops it, and its processor comes back'):
        r('stop debian')
        r('destroy debian')


def restarts(t, r):
    before = r.left()
    check_cell(t, r)
    for which in 'second', 'third':
        with t.test(f'a {which} kernel starts in the place of the last'):
            restart(r)
        check_whole(t, r, before)
    with t.test('a fourth one starts while a cell runs'):
        restart_beside(t, r)
    check_whole(t, r, before)
    with t.test('a fifth one starts on all processors'):
        restart(r)
    check_whole(t, r, before)


def boot_firmware(t):
    on_disk = {'vmlinux.efi': unpacked_kernel(t)}
    with resident(t, files(), *TIME, on_disk=on_disk) as r:
        restarts(t, r)
        with t.test('firmware still answers: variables, and power-off'):
            r.shell('mount -t efivarfs efivarfs /sys/firmware/efi/efivars; '
                    'ls /sys/firmware/efi/efivars | grep -q ^BootOrder')
            r.power_off()
    check_log(t)


def boot_direct(t):
    on_disk = {'vmlinux.efi': unpacked_kernel(t), 'initrd.img': make_initrd(t, files())}
    path = make_esp(t.path('disk.img'), on_disk, mib=192)
    with Root(t, files(), *TIME, '-drive', f'file={path},format=raw,if=virtio', smp=3) as r:
        restarts(t, r)
        r.power_off()
    check_log(t)


main()
