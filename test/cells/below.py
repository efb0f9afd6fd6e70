# SPDX-License-Identifier: Apache-2.0
"""The hypervisor below a firmware that runs: Debian's EDK2 starts GRUB from a disk, GRUB starts the hypervisor
and then Debian's kernel, whose shell is the root cell's.
"""

import contextlib
import re
import subprocess

from bed import Root, cell, image, make_initrd
from esp import DEFAULT_PROGRAM, make_esp
from report import check, check_equal, guest_file

FOLDER = 'EFI/longhouse/'
LINUX = 'linux /vmlinuz console=ttyS0,115200\ninitrd /initrd.img\nboot\n'


def compiled(t, name, damage=0):
    """A description as the hypervisor reads it."""
    path = t.path(f'{name}{damage}.cell')
    subprocess.run([t.lh, 'cell', 'compile', cell(name), '-o', path], check=True)
    with open(path, 'r+b') as f:
        f.seek(-1, 2)
        last = f.read(1)[0]
        f.seek(-1, 2)
        f.write(bytes([last ^ damage]))
    return path


def machine(t, path, *options):
    code = guest_file('QEMU_EFI.fd')
    return t.machine('-m', '1G', '-drive', f'if=pflash,file={code},format=raw,readonly=on',
                     '-drive', f'file={path},format=raw,if=virtio', '-d', 'guest,lvz_check',
                     '-D', t.path('log'), *options)


class FirmwareRoot(Root):
    """In a machine that runs, whose shell may have been found already."""

    def __init__(self, t, started, shell=None):
        self.t, self.machine, self.shell = t, started, shell or started.shell()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        pass


def said(m, text):
    """Lines of firmware's console are cut at 80 columns."""
    m.expect(re.escape('longhouse: ' + text)[:76])


def chain(words):
    return ''.join(f'chainloader /{FOLDER}hv.efi {w}\nboot\n' for w in words)


def check_cell(t, r):
    before = r.left()
    with t.test('a cell runs on one of them, and gives it back'):
        text = r('run /cells/bare.dts --kernel /cells/exits.elf')
        check('24 passed' in text, text)
        r('destroy bare')
        check_equal(r.left(), before)
    r.check_kernel()


def check_log(t):
    """The hypervisor uses nothing of the machine that is not there."""
    with t.test('the machine has nothing to say'):
        with open(t.path('log'), encoding='utf-8') as f:
            text = f.read()
        check('lvz' not in text, text[-2000:])


def resident_disk(t, files, append='', on_disk=None):
    """What GRUB starts, with these files in /cells, and others on the disk itself."""
    menu = chain(['pool=448M']) + LINUX.replace('115200', f'115200 {append}'.strip())
    return make_esp(t.path('disk.img'), {
        FOLDER + 'hv.efi': image('HV_APPLICATION'), FOLDER + 'system.cell': compiled(t, 'virt'),
        'EFI/debian/grub.cfg': menu, DEFAULT_PROGRAM: guest_file('grubloongarch64.efi'),
        'vmlinuz': guest_file('vmlinuz'), 'initrd.img': make_initrd(t, files), **(on_disk or {})}, mib=192)


@contextlib.contextmanager
def resident(t, files, *options, smp=3, **more):
    """As Root: the shell of the root cell. The disk comes behind those of the options."""
    with machine(t, resident_disk(t, files, **more), '-smp', str(smp), *options) as m:
        said(m, 'this system is the root cell now')
        yield FirmwareRoot(t, m)
