#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's build of EDK2: kernels handed to it and kernels on a disk, and its variables."""

import filecmp
import shutil

import inside
from esp import DEFAULT_PROGRAM, make_esp
from report import check, check_equal, guest_file, main

VARIABLE = '/sys/firmware/efi/efivars/Test-3c7f4e52-86a1-4b0e-9d0c-5d4a1e6f0b27'
MENU = """set timeout=0
menuentry Debian {
    linux /vmlinuz console=ttyS0,115200 from=grub
    initrd /initrd.img
}
"""


def is_by_firmware(t, s):
    with t.test('the kernel finds the firmware and its tables'):
        text = s('dmesg')
        check('efi: EFI v2' in text and 'EDK II' in text, text[:2000])
        check('ACPI: RSDP' in text and 'ACPI: Interpreter enabled' in text)
        check('DMI: Longhouse' in text, text[:6000])
        s('mount -t efivarfs efivarfs /sys/firmware/efi/efivars')
        check('BootOrder-8be4df61' in s('ls /sys/firmware/efi/efivars'))


def boot_kernel_handed_to_the_firmware(t):
    """By -bios and fw_cfg: the same files as in a direct boot."""
    with t.direct('-smp', '2', '-bios', guest_file('QEMU_EFI.fd'), append='word="a b"') as m:
        s = m.shell()
        is_by_firmware(t, s)
        with t.test('the command line comes through'):
            check('word="a b"' in s('cat /proc/cmdline'))
        inside.processors(t, s, 2, 'LA664', ('lvz',), ())
        inside.interrupts(t, s, 2)
        inside.clock(t, s)
        inside.kernel_messages(t, s)
        with t.test('power-off ends the program'):
            check_equal(s.power_off()[::2], (0, ''))


def make_disk(path):
    """With GRUB where firmware looks by itself."""
    return make_esp(path, {DEFAULT_PROGRAM: guest_file('grubloongarch64.efi'),
                           'EFI/debian/grub.cfg': MENU, 'vmlinuz': guest_file('vmlinuz'),
                           'initrd.img': guest_file('initrd.img')})


def boot_grub_from_a_disk(t):
    """Two banks of flash; variables that live as long as their file."""
    disk = make_disk(t.path('disk.img'))
    code, variables = guest_file('QEMU_EFI.fd'), t.path('vars.fd')
    shutil.copyfile(guest_file('QEMU_VARS.fd'), variables)
    options = ('-m', '1G', '-drive', f'if=pflash,file={code},format=raw,readonly=on',
               '-drive', f'if=pflash,file={variables},format=raw',
               '-drive', f'file={disk},format=raw,if=virtio')
    with t.machine(*options) as m:
        s = m.shell()
        is_by_firmware(t, s)
        with t.test('GRUB on the disk has started it'):
            check('from=grub' in s('cat /proc/cmdline'))
            check_equal(s('cat /sys/block/vda/size'), str(64 << 11))
        inside.memory(t, s, 1024, 16)
        inside.clock(t, s)
        inside.kernel_messages(t, s)
        with t.test('a variable is kept over a reboot'):
            check(not filecmp.cmp(guest_file('QEMU_VARS.fd'), variables, shallow=False))
            s(rf"printf '\007\000\000\000kept' > {VARIABLE}")
            s.start('reboot -f')
            m.expect('Run /init as init process')
            s = m.shell()
            s('mount -t efivarfs efivarfs /sys/firmware/efi/efivars')
            check_equal(s(f'tail -c 4 {VARIABLE}'), 'kept')
        with t.test('power-off ends the program'):
            check_equal(s.power_off()[::2], (0, ''))
    with t.machine(*options) as m:
        s = m.shell()
        with t.test('it is kept for the next run'):
            s('mount -t efivarfs efivarfs /sys/firmware/efi/efivars')
            check_equal(s(f'tail -c 4 {VARIABLE}'), 'kept')
        with t.test('it can be deleted'):
            s(f'chattr -i {VARIABLE}; rm {VARIABLE}')
            check_equal(s.run(f'test -e {VARIABLE}')[0], 1)
        inside.kernel_messages(t, s)
        with t.test('power-off ends the program once more'):
            check_equal(s.power_off()[::2], (0, ''))


main()
