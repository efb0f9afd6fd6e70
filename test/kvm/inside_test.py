#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lh run -accel kvm, on a host that has it: a machine of our own with Debian's kernel.

usage: inside_test.py LH [SELFTEST]

Builds the program for loong64, puts it into the guest's initramfs beside the kernel and that
initramfs, and starts machines with it in there. SELFTEST is the payload of that name.
"""

import os
import re
import sys

from loong64 import build_program, initrd_with_more, newc, read, stripped
from report import GUEST, Skip, check, check_equal, guest_file, run_one

FIRMWARE = 'QEMU_EFI.fd', 'QEMU_VARS.fd'
NESTED_LIMIT_S = 300  # for Debian's kernel in the inner machine, on a busy host


def has_firmware():
    return all(os.path.exists(os.path.join(GUEST, name)) for name in FIRMWARE)


def make_initrd(t, program, selftest):
    """The guest's initramfs, and behind it a second one with /nested."""
    path = t.path('initrd')
    with initrd_with_more(path) as f:
        f.write(newc('nested', b'', 0o40755))
        f.write(newc('nested/lh', stripped(program, t.path('lh')), 0o100755))
        f.write(newc('nested/vmlinuz', read(guest_file('vmlinuz')), 0o100644))
        f.write(newc('nested/initrd.img', read(guest_file('initrd.img')), 0o100644))
        for name in FIRMWARE:
            if has_firmware():
                f.write(newc(f'nested/{name}', read(guest_file(name)), 0o100644))
        if selftest:
            f.write(newc('nested/selftest.elf', read(selftest), 0o100644))
    return path


def run_inner(s, arguments, limit=NESTED_LIMIT_S):
    """Status and output of lh run -accel kvm with these arguments."""
    return s.run(f'/nested/lh run -accel kvm {arguments}', limit)


def boot_inner(s, irqchip, arguments, append):
    return run_inner(s, f'{irqchip} -m 512M -serial stdio -d guest,unimp -kernel /nested/vmlinuz '
                        f'-initrd /nested/initrd.img {arguments} '
                        f"-append 'console=ttyS0,115200 {append}'")


def messages(t, s):
    """What the user's mistakes and the host's are answered with."""
    with t.test('doctor knows the way'):
        check(re.search(r'^ok +/dev/kvm +API version 12; machines can run', s('/nested/lh doctor'), re.M))
    with t.test('no KVM'):
        s('mv /dev/kvm /dev/kept')
        status, text = run_inner(s, '-kernel /nested/vmlinuz')
        s('mv /dev/kept /dev/kvm')
        check_equal(status, 1)
        check(text.startswith('lh run: -accel kvm: there is no /dev/kvm: '), text)
    with t.test('no permission'):
        s('echo nobody:x:65534:65534::/:/bin/sh >> /etc/passwd; chmod 600 /dev/kvm')
        status, text = s.run("su nobody -c '/nested/lh run -accel kvm -kernel /nested/vmlinuz'")
        check_equal((status, text), (1, 'lh run: -accel kvm: may not open /dev/kvm: become a '
                                        'member of its group (kvm)\n'))
    with t.test('a feature that no guest can have'):
        status, text = run_inner(s, '-cpu max,lvz=on -kernel /nested/vmlinuz')
        check_equal(status, 1)
        check("-cpu: 'lvz=on': the host's KVM gives no guest this feature" in text, text)
    with t.test('more processors than the interrupt controllers of the kernel serve'):
        status, text = run_inner(s, '-smp 5 -machine kernel-irqchip=on -kernel /nested/vmlinuz')
        check_equal((status, text), (1, "lh run: -machine: kernel-irqchip=on: the kernel's interrupt "
                                        'controllers serve 4 processors at most, not 5\n'))


def payload(t, s, irqchip, selftest):
    for n in 1, 3:
        with t.test(f'the selftest payload on {n} processors'):
            if not selftest:
                raise Skip('missing clang-19 and lld-19')
            status, text = run_inner(s, f'{irqchip} -smp {n} -serial stdio -kernel /nested/selftest.elf')
            check_equal(status, 0)
            check(re.search(r'^# \d\d+ passed, 0 failed, 0 skipped$', text, re.M), text)


def debian(t, s, irqchip):
    with t.test('Debian starts and powers off'):
        status, text = boot_inner(s, irqchip, '', 'guest.off')
        check_equal(status, 0)
        check(re.search(r'^guest: loongarch64 \S+ up ', text, re.M), text[-2500:])
        check('reboot: Power down' in text, text[-2500:])
    with t.test('two processors, a disk, and a reset'):
        s('dd if=/dev/zero of=/disk.img bs=1M count=4')
        # The second start finds what the first has written. The end of the command hangs up its
        # terminal, and what is still on its way through the UART with it: stty waits for that.
        append = ('quiet guest.run="if grep -qa again /dev/vda; then nproc; cat /proc/interrupts; '
                  'stty opost; else echo again > /dev/vda; sync; reboot -f; fi"')
        status, text = boot_inner(s, irqchip, '-smp 2 -drive file=/disk.img,format=raw', append)
        check_equal(status, 0)
        check_equal(len(re.findall(r'^guest: loongarch64 \S+ up ', text, re.M)), 2)
        check(re.search(r'^2$', text, re.M) and 'guest: exit 0' in text, text[-2500:])
        timers = re.search(r'^ *\d+: +(\d+) +(\d+) .*timer$', text, re.M)
        check(timers and min(map(int, timers.groups())) > 20, text[-2500:])


def firmware(t, s, irqchip):
    with t.test('EDK2 starts Debian, and keeps its variables in flash'):
        if not has_firmware():
            raise Skip('missing firmware of the guest')
        s('cp /nested/QEMU_VARS.fd /vars.fd')
        flash = '-drive if=pflash,format=raw,file='
        status, text = boot_inner(
            s, irqchip, f'{flash}/nested/QEMU_EFI.fd,readonly=on {flash}/vars.fd', 'guest.off')
        check_equal(status, 0)
        check(re.search(r'^guest: loongarch64 \S+ up ', text, re.M), text[-2500:])
        check_equal(s.run('cmp -s /nested/QEMU_VARS.fd /vars.fd')[0], 1)


def stopped_from_outside(t, s, irqchip, n_controllers):
    with t.test('SIGTERM ends a machine that sleeps'):
        s('rm -f /keep /out /pid; mkfifo /keep; sleep 100000 > /keep & echo')
        s(f"/nested/lh run -accel kvm {irqchip} -m 512M -smp 2 -kernel /nested/vmlinuz "
          "-initrd /nested/initrd.img -append 'console=ttyS0 quiet' -serial file:/out "
          "-pidfile /pid > /said 2>&1 < /keep & echo")
        s("until grep -q 'guest:.*#' /out; do usleep 100000; done", NESTED_LIMIT_S)
        check_equal(s('ls -l /proc/$(cat /pid)/fd | grep -c anon_inode:kvm-loongarch; true').strip(),
                    str(n_controllers))
        s('kill $(cat /pid); while pidof lh > /dev/null; do usleep 100000; done')
        check(s('cat /said').startswith('lh run: ended by SIGTERM'), s('cat /said'))


def address_window(t, s):
    with t.test('a guest that enables an address window is stopped'):
        # CORE0_WIN0_MMAP of the chip, by address.
        status, text = boot_inner(s, '', '', 'quiet iomem=relaxed guest.run="busybox devmem 0x1fe02080 64 0x80"')
        check_equal(status, 2)
        check('the guest enables an address window of the chip, which has no effect under KVM' in text,
              text[-2500:])


def machines_inside_a_machine(t):
    selftest = sys.argv[2] if len(sys.argv) > 2 else None
    with t.test('the program is built for loong64'):
        program = build_program()
    for name in 'vmlinuz', 'initrd.img':
        guest_file(name)
    initrd = make_initrd(t, program, selftest)
    with t.machine('-m', '3G', '-smp', '2', '-nic', 'none', '-kernel', guest_file('vmlinuz'),
                   '-initrd', initrd, '-append', 'console=ttyS0,115200') as m:
        s = m.shell()
        messages(t, s)
        for irqchip, n_controllers in ('on', 3), ('off', 0):
            t.explain(f'kernel-irqchip={irqchip}')
            option = f'-machine virt,kernel-irqchip={irqchip}'
            payload(t, s, option, selftest)
            debian(t, s, option)
            firmware(t, s, option)
            stopped_from_outside(t, s, option, n_controllers)
        address_window(t, s)
        with t.test('the outer machine is still well'):
            check('Oops' not in s('dmesg'))
            check_equal(s.power_off().status, 0)


run_one(machines_inside_a_machine)
