#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian as root cell and in cells, unmodified.

usage: debian_test.py LH [NAME...]
"""

import re
import subprocess

from bed import Root, cell, machine, make_bundle, payload
from report import check, check_equal, guest_file, main

LIMIT_S = 300
OTHER_CHOICES = ('max,lvz-hwip-shared=on,lvz-stage2-asid=on,lvz-ll-shared=on,lvz-titp=off,lvz-torup=off,'
                 'gidbits=4,lvz-badi-on-pif=on,lvz-root-cntc=off,lvz-hwic-plain=on')
# What differs in the kernel's messages for being a root cell, and why.
EXPLAINED = (
    r'mem_type|start_pfn|num_physpages|Resvd|mem 0x|node +0|memory|Memory|pages|DMA32|Zone|NUMA|'
    r'SRAT|cma|crash|percpu|hash table|entries|Reserved|RAMDISK|initrd|SLUB',  # less memory
    r'kvm|KVM|lvz',                               # virtualization is the hypervisor's
    r'0000:00:1f|pci|BAR|resource',               # the management function
    r'perf|PMU|hw_breakpoint|watch|Watch',        # counters are not lent
    r'Kernel command line|lpj|BogoMIPS|clocksource|sched_clock|rtc|random|jiffies|'
    r'X\.509|rcu|device-mapper|Freeing|udevd|tsc|Run /init|efi:|ACPI: [A-Z]{4} 0x|printk|software IO',
)


def boot_root(t):
    for n in 1, 4:
        with t.test(f'the kernel starts on {n} processors as on the machine itself'):
            bundle = make_bundle(t, guest_file('vmlinuz'), guest_file('initrd.img'),
                                 'console=ttyS0,115200')
            with machine(t, bundle, '-smp', str(n)) as m:
                s = m.shell()
                check_equal(s('nproc'), str(n))
                under = messages(s)
                if n > 1:
                    hotplug(s)
                check_equal(s.power_off().status, 0)
            if n == 1:
                with t.direct('-m', '1G', '-cpu', 'max') as m:
                    s = m.shell()
                    plain = messages(s)
                    s.power_off()
                differ = sorted(under ^ plain)
                left = [line for line in differ if not re.search('|'.join(EXPLAINED), line)]
                check(not left, '\n'.join(left))


def messages(s):
    """The kernel's, without times and numbers."""
    lines = (re.sub(r'^\[ *[\d.]+\] ', '', line) for line in s('dmesg').splitlines())
    return {re.sub(r'0x[0-9a-f]+|\d+', 'N', line).strip() for line in lines}


def hotplug(s):
    for i in range(3):
        for cpu in 1, 3:
            s(f'echo 0 > /sys/devices/system/cpu/cpu{cpu}/online')
        check_equal(s('nproc'), '2')
        for cpu in 3, 1:
            s(f'echo 1 > /sys/devices/system/cpu/cpu{cpu}/online')
        check_equal(s('nproc'), '4')


def boot_choices(t):
    """Where it is not known what silicon does, the machine can do the other thing."""
    sums = 'seq 1 3000 | sha256sum'
    wanted = subprocess.run(sums, shell=True, check=True, capture_output=True, text=True).stdout
    with t.test('the kernel starts with the other choices of LVZ'):
        bundle = make_bundle(t, guest_file('vmlinuz'), guest_file('initrd.img'),
                             f'console=ttyS0,115200 quiet guest.run="nproc; {sums}"')
        with machine(t, bundle, '-smp', '2', '-cpu', OTHER_CHOICES) as m:
            done = m.end()
        check_equal(done.status, 0)
        check(wanted.strip() in done.text and 'guest: exit 0' in done.text, done.text[-2000:])


def boot_second(t):
    files = {'debian.dts': cell('debian'), 'debian2.dts': cell('debian2'), 'bare.dts': cell('bare'),
             'exits.elf': payload('cell_exits'), 'vmlinuz': guest_file('vmlinuz'),
             'initrd.img': guest_file('initrd.img')}
    with Root(t, files, smp=4) as r:
        before = r.left()
        sums = "seq 1 3000 | sha256sum"
        wanted = r.shell(sums)
        work = (f'{sums}; nproc; grep -c ttyS0 /proc/interrupts; '
                'echo 0 > /sys/devices/system/cpu/cpu1/online; nproc; '
                'echo 1 > /sys/devices/system/cpu/cpu1/online; nproc')
        with t.test('a kernel and what comes with it have to fit'):
            r.shell("truncate -s 60M /large; sed 's/0xe000000>/0x2000000>/; /memory@8/d' /cells/debian.dts > "
                    '/small.dts')
            r('create /small.dts')
            text = r.refused('load debian --kernel /cells/vmlinuz --initrd /large')
            check('do not fit' in text, text)
            r('destroy debian')
            check_equal(r.left(), before)
        with t.test('a second Debian starts on two processors'):
            r(f"run /cells/debian2.dts --keep --append 'console=ttyS0,115200 "
              f"guest.run=\"{work}\"'", LIMIT_S)
        with t.test('a bare cell runs beside it'):
            check('24 passed' in r('run /cells/bare.dts --kernel /cells/exits.elf', LIMIT_S))
            r('destroy bare')
        with t.test('it works, and powers itself off'):
            check('powered off' in r('wait debian2 --timeout 250', LIMIT_S))
            text = r('output debian2')
            check(wanted in text, text)
            check(re.search(r'^2\n1\n1\n(.*\n)*2$', text.replace('\r', ''), re.M), text[-3000:])
            check(not re.search('Oops|Call Trace', text), text)
        with t.test('it starts again, and is typed to'):
            r('destroy debian2')
            r('run /cells/debian.dts --keep', LIMIT_S)
            r.shell('until lh cell output debian | grep -q guest:.*#; do usleep 200000; done', LIMIT_S)
            r.shell('(echo; echo echo $((6*7)) is typed; echo poweroff -f) | lh cell console debian',
                    LIMIT_S)
            check('42 is typed' in r('output debian'), r('output debian')[-2000:])
            check('powered off' in r('list'))
            r('destroy debian')
        with t.test('nothing is left'):
            check_equal(r.left(), before)
            check_equal(r.shell('nproc'), '4')
            r.check_kernel()
        r.power_off()


main()
