#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel of the root cell ends while cells run: it starts its crash kernel, stands still, or
starts the machine again.

usage: panic_test.py LH [NAME...]
"""

import os
import re
import shutil
import socket
import subprocess

from bed import Root, cell, payload
from below import resident, said
from kexec import INSTALL, KEXEC, programs, unpacked_kernel
from loong64 import build_program, stripped
from report import check, check_equal, guest_file, main
from virtio_test import QUIET, fsck, until

LIMIT_S = 300
CRASH = 'echo c > /proc/sysrq-trigger'
ROUNDS = 200000000  # more than there is time for
BARE = f'seed=5 rounds={ROUNDS}'
# It says what it has written, and that it is alive.
WORK = ('modprobe ext4; mkdir /mnt; mount -t ext4 /dev/vda /mnt && echo mounted || poweroff -f; '
        '(i=0; while true; do echo alive $i; i=$((i+1)); usleep 200000; done) & '
        'i=0; while true; do seq 5000 > /mnt/f$i; sync; echo synced $i; i=$((i+1)); done')


def files():
    return {'bare.dts': cell('bare'), 'vectors.elf': payload('cell_vectors'), 'virtio.dts': cell('virtio'),
            'vmlinuz': guest_file('vmlinuz'), 'initrd.img': guest_file('initrd.img')}


def disk(t):
    """Of the machine, given to the cell."""
    path = t.path('disk')
    with open(path, 'wb') as f:
        f.truncate(64 << 20)
    subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-b', '4096', path], check=True)
    return path, ('-drive', f'file={path},if=none,id=d0,format=raw', '-device', 'virtio-blk-pci,drive=d0')


def tools(t):
    """A disk with what the crash kernel works with."""
    tree, path = t.path('tree'), t.path('tools')
    os.mkdir(tree)
    shutil.copy(cell('virtio'), tree)
    stripped(build_program(), os.path.join(tree, 'lh'))
    subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-d', tree, path, '32M'], check=True, capture_output=True)
    return '-drive', f'file={path},if=none,id=d1,format=raw', '-device', 'virtio-blk-pci,drive=d1'


EDIT = "sed -i 's,/disk.img,/dev/vda,; s/cpus = <1>/cpus = <2>/; /virtio-net/d' /cells/virtio.dts"


def start_cells(r):
    """One that has all it needs, and one whose disk the root cell serves."""
    r.shell(EDIT)
    r('create /cells/bare.dts')
    r(f'load bare --kernel /cells/vectors.elf --append "{BARE}"')
    r('start bare')
    r(f"run /cells/virtio.dts --keep --append '{QUIET} guest.net=off guest.run=\"{WORK}\"'", LIMIT_S)
    until(r, 'synced.3')


def numbers(text, word):
    return [int(n) for n in re.findall(rf'^{word} (\d+)', text.replace('\r', ''), re.M)]


def crash(t, start):
    """In a root cell that `start` starts."""
    path, drive = disk(t)
    more = {**programs(), 'vmlinuz': unpacked_kernel(t)}
    with start(t, {**files(), **more}, *drive, *tools(t), smp=3,
               append='quiet crashkernel=192M') as r:
        r.shell(INSTALL)
        r.shell(f'{KEXEC} -p /cells/vmlinuz --initrd=/cells/initrd.img '
                "--append='console=ttyS0,115200 quiet maxcpus=1'")
        start_cells(r)
        r.shell.start(CRASH)
        with t.test('the crash kernel starts where the root cell was'):
            r.shell = r.machine.shell()
            check_equal(r.shell('nproc'), '1')
            r.shell('mkdir /cells /tools; modprobe ext4; mount -t ext4 /dev/vdb /tools; '
                    'cp /tools/lh /bin/; chmod 755 /bin/lh; cp /tools/virtio.dts /cells/')
            check(int(r.shell('stat -c %s /proc/vmcore')) > 100 << 20)
        with t.test('the cells have gone on'):
            text = r('list')
            check(re.search(r'bare +running .* cpus 1\n.*virtio +running .* cpus 2', text), text)
            check('sum' in r('output bare') and 'failed' not in r('output bare'), r('output bare'))
            alive, synced = (numbers(r('output virtio'), word) for word in ('alive', 'synced'))
            r.shell('sleep 2')
            after = numbers(r('output virtio'), 'alive')
            t.explain(f'alive {alive[-1]}, then {after[-1]}; {synced[-1] + 1} files were written')
            check(after[-1] > alive[-1], after, alive)
            check(not re.search('I/O error|Oops|Call Trace', r('output virtio')), r('output virtio')[-2000:])
        with t.test('nothing is written while nobody serves the disk'):
            check_equal(numbers(r('output virtio'), 'synced'), synced)
            check('name its --description' in r.refused('serve virtio'))
            check("it describes 'virtio'" in r.refused('serve bare --description /cells/virtio.dts'))
        with t.test('the crash kernel serves it, and the cell writes on'):
            r.shell(EDIT)
            r('serve virtio --background --description /cells/virtio.dts')
            until(r, f'synced.{synced[-1] + 3}')
        with t.test('it stops them, and their processors come back'):
            r('stop bare')
            r('stop virtio')
            n = numbers(r('output virtio'), 'synced')[-1] + 1
            r('destroy bare')
            r('destroy virtio')
            pool, free = re.search(r'pool (\d+), free (\d+)', r('info')).groups()
            check_equal(free, pool)
            r.shell('sync')
            check_equal(r.shell('nproc'), '3')
            r.check_kernel()
            r.power_off()
    with t.test('the file system is whole'):
        fsck(t, path, n)


def boot_crash(t):
    crash(t, Root)


def boot_efi_dump(t):
    """The same below firmware."""
    crash(t, resident)


def boot_still(t):
    _, drive = disk(t)
    path = t.path('monitor')
    with Root(t, files(), *drive, '-monitor', 'unix:' + path, smp=3, append='quiet panic=0') as r:
        start_cells(r)
        r.shell('echo 4 > /proc/sys/kernel/printk')
        r.shell.start(CRASH)
        r.machine.expect('end Kernel panic')
        with t.test('cells go on beside a kernel that stands still'):
            first = guests(path)
            while r.machine.stream.read(3):
                pass  # the rest of its last line
            second = guests(path)
            t.explain(f'microseconds in guests, entries: {first[1:]}, three seconds later {second[1:]}')
            check(second[1][0] - first[1][0] > 500000, first, second)
            # It waits for its disk, and is woken by its own timer.
            check(second[2][1] - first[2][1] > 5, first, second)
    log_is_clean(t)


def ask_monitor(path, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(line.encode() + b'\nquit-the-client\n')
        text = b''
        while b'quit-the-client' not in text:
            text += s.recv(65536)
    return text.decode()


def guests(path):
    """[(microseconds in guests, entries)] by processor."""
    text = ask_monitor(path, 'info lvz')
    rows = [[int(n) for n in re.search(rf'^{name} +(.*)$', text, re.M).group(1).split()]
            for name in ('time in guests, us', 'entries')]
    return list(zip(*rows))


def log_is_clean(t):
    with t.test('the machine has nothing to say'):
        with open(t.path('log'), encoding='utf-8') as f:
            text = f.read()
        check('lvz' not in text, text[-2000:])


def check_again(t, r, before):
    check(re.fullmatch(r'0 +virt +running .* starts 1 +cpus 0,1,2', r('list')), r('list'))
    check_equal(r.left(), before)
    r('run /cells/bare.dts --kernel /cells/vectors.elf')
    check('# 2 passed' in r('output bare'), r('output bare'))
    r('destroy bare')
    r.check_kernel()


def boot_restart(t):
    _, drive = disk(t)
    for how in CRASH, 'reboot -f':
        with Root(t, files(), *drive, smp=3, append='quiet panic=1') as r:
            before = r.left()
            start_cells(r)
            r.shell.start(how)
            with t.test(f'the machine starts again with the hypervisor ({how})'):
                r.shell = r.machine.shell()
                check_again(t, r, before)
                r.power_off()


def boot_efi_reboot(t):
    """Firmware starts again, and with it the hypervisor and what comes after it."""
    _, drive = disk(t)
    with resident(t, files(), *drive, append='quiet panic=1') as r:
        before = r.left()
        for how in CRASH, 'reboot -f':
            start_cells(r)
            r.shell.start(how)
            with t.test(f'firmware and the hypervisor start again ({how})'):
                said(r.machine, 'this system is the root cell now')
                r.shell = r.machine.shell()
                check('EDK II' in r.shell('dmesg'))
                check_again(t, r, before)
        r.power_off()
    log_is_clean(t)


if __name__ == '__main__':
    main()
