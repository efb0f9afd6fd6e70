#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hypervisor as an application of Debian's EDK2, which runs on as the root cell, with GRUB and
Debian's kernel from a disk.

usage: firmware_test.py LH [NAME...]
"""

import re
import shutil
import struct

import inside
from bed import cell, image, make_initrd, payload
from below import FOLDER, FirmwareRoot, LINUX, chain, check_cell, check_log, compiled, machine, said
from esp import DEFAULT_PROGRAM, make_esp
from report import check, check_equal, guest_file, main

VARIABLES = '/sys/firmware/efi/efivars'
GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'  # the vendor of variables of the specification

# What GRUB starts before it starts Debian, and what must be said.
WRONG = (
    ('', 'checksum'),  # what is in the file beside it
    ('pool=3M', "'pool=3M' is none of"),
    ('system=none.cell', "'none.cell', the machine's description, is not there"),
    ('system=hv.efi', 'hv.efi: no description of a cell'),
    ('system=bare.cell', 'bare.cell: it describes a cell'),
    ('system=good.cell pool=64G', 'no 65536 MiB of memory'),
)


def disk(t, files):
    """With the hypervisor, what it is told, and Debian with what cells need."""
    return make_esp(t.path('disk.img'), {
        FOLDER + 'hv.efi': image('HV_APPLICATION'),
        'initrd.img': make_initrd(t, {'bare.dts': cell('bare'), 'exits.elf': payload('cell_exits')}),
        'vmlinuz': guest_file('vmlinuz'), **files})


def flash(variables):
    return '-drive', f'if=pflash,file={variables},format=raw'


def check_root(t, r, n):
    with t.test('Debian is the root cell, on all processors'):
        r('doctor')
        check_equal(r.shell('nproc'), str(n))
        check('lvz' not in r.shell('cat /proc/cpuinfo'))
        check('EDK II' in r.shell('dmesg'))
        check(re.match(r'0 +virt +running .* cpus ' + ','.join(map(str, range(n))) + '$', r('list')),
              r('list'))


def boot_chain(t):
    """GRUB starts it, first wrongly, which leaves everything as it was; it starts the kernel."""
    system = {FOLDER + 'system.cell': compiled(t, 'virt', damage=1),
              FOLDER + 'bare.cell': compiled(t, 'bare'), FOLDER + 'good.cell': compiled(t, 'virt'),
              DEFAULT_PROGRAM: guest_file('grubloongarch64.efi'),
              'EFI/debian/grub.cfg': chain([w for w, _ in WRONG]) +
              chain(['show=processor', 'system=good.cell pool=256M next=/vmlinuz console=ttyS0,115200 initrd=/initrd.img'])}
    with machine(t, disk(t, system), '-smp', '4') as m:
        for words, text in WRONG:
            with t.test(f'refused: {words or "a damaged description"}'):
                m.expect(re.escape(text))
        with t.test('it shows the processor, and changes nothing'):
            m.expect(r'longhouse: cpucfg 14[0-9a-f]{4} ')
            m.expect(r'longhouse: gstat 80 gcfg [0-9a-f]+ gtlbc 0 gintc 0$')
            m.expect(r'longhouse: dmw2 [0-9a-f]+ dmw3 [0-9a-f]+$')
        with t.test('then it starts, and the kernel after it'):
            said(m, 'this system is the root cell now; pool of 256 MiB')
        with FirmwareRoot(t, m) as r:
            check_root(t, r, 4)
            with t.test('the pool is that of the options, and no memory of Linux'):
                check(re.search(r'pool 268435456, free 268435456', r('info')), r('info'))
            inside.memory(t, r.shell, 1024 - 256, 24)
            check_cell(t, r)
            with t.test('power-off ends the program'):
                r.power_off()
    check_log(t)


def node(kind, subtype, data=b''):
    """One node of a device path."""
    return struct.pack('<BBH', kind, subtype, len(data) + 4) + data


def load_option(program, options):
    """What a variable Boot#### holds: an active option that names a file of whatever volume has it."""
    path = node(4, 4, wide('\\' + program.replace('/', '\\'))) + node(0x7f, 0xff)
    return struct.pack('<IH', 1, len(path)) + wide('Cells') + path + wide(options)


def wide(text):
    return (text + '\0').encode('utf-16-le')


def write_variable(s, name, data):
    """In one piece, as the kernel wants it: attributes, then the value."""
    octal = ''.join(f'\\{byte:03o}' for byte in struct.pack('<I', 7) + data)
    for at in range(0, len(octal), 160):
        s(f"printf '{octal[at:at + 160]}' >> /variable")
    s(f'cat /variable > {VARIABLES}/{name}-{GLOBAL}; rm /variable')


def make_entry(s):
    """A boot entry before all others. What comes next there is the same once more, which fails, so
    that the firmware goes on to the next entry."""
    s(f'mount -t efivarfs efivarfs {VARIABLES}')
    write_variable(s, 'Boot0007', load_option(FOLDER + 'hv.efi', f'pool=128M next=/{FOLDER}hv.efi pool=32M'))
    order = bytes(int(n) for n in s(f'tail -c +5 {VARIABLES}/BootOrder-{GLOBAL} | od -An -v -tu1').split())
    write_variable(s, 'BootOrder', b'\7\0' + order)


def remove_entry(s):
    name = f'{VARIABLES}/Boot0007-{GLOBAL}'
    s(f'mount -t efivarfs efivarfs {VARIABLES}; chattr -i {name}; rm {name}')


def boot_entry(t):
    """As a boot entry, made on a machine where it cannot run, and removed where it does."""
    variables = shutil.copyfile(guest_file('QEMU_VARS.fd'), t.path('variables'))
    path = disk(t, {FOLDER + 'system.cell': compiled(t, 'virt'), 'EFI/debian/grub.cfg': chain(['']) + LINUX,
                    DEFAULT_PROGRAM: guest_file('grubloongarch64.efi')})
    with machine(t, path, '-cpu', 'max,lvz=off', *flash(variables)) as m:
        with t.test('without virtualization it says so'):
            said(m, 'this processor has no virtualization (LVZ), or a hypervisor has')
        s = m.shell()
        inside.memory(t, s, 1024, 16)
        inside.kernel_messages(t, s)
        make_entry(s)
        s('mkdir /esp; mount -t vfat /dev/vda /esp; sed -i /chainloader/,/boot/d /esp/EFI/debian/grub.cfg; '
          'umount /esp')
        with t.test('power-off ends the program'):
            check_equal(s.power_off().status, 0)
    with machine(t, path, '-smp', '2', *flash(variables)) as m:
        with t.test('as a boot entry it starts'):
            said(m, 'this system is the root cell now; pool of 128 MiB')
        with t.test('it does not start twice, and the next entry has its turn'):
            said(m, 'this processor has no virtualization (LVZ), or a hypervisor has')
            s = m.shell()
        with FirmwareRoot(t, m, s) as r:
            check_root(t, r, 2)
            check_cell(t, r)
            remove_entry(s)
            s.start('reboot -f')
            with t.test('without its entry the machine starts as before'):
                m.expect('Run /init as init process')
                s = m.shell()
                check('lvz' in s('cat /proc/cpuinfo'))
                check('1f.0' not in s('ls /sys/bus/pci/devices'))
                check(s.run('lh cell list')[0])
                check_equal(s.power_off().status, 0)
    check_log(t)


main()
