# SPDX-License-Identifier: Apache-2.0
"""Machines in which Debian's QEMU runs machines, with KVM.

Host       a machine with Debian's kernel and a disk with QEMU; `run` starts a guest in it
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'boot'))
from report import CACHE, Skip, check, check_equal, guest_file  # pylint: disable=wrong-import-position

GUEST_LIMIT_S = 900
# With firmware, Debian's kernel finds the PCI devices, too: it has no driver for them without ACPI.
FIRMWARE = ('-bios', '/usr/share/qemu-efi-loongarch64/QEMU_EFI.fd')
# QEMU's machine without firmware has no keyboard controller, which Debian's kernel looks for.
GUEST_APPEND = 'console=ttyS0 initcall_blacklist=i8042_init quiet panic=-1'
BAD = re.compile(r'\bOops\b|\bBUG\b|WARNING|Call Trace|soft lockup|rcu_.*stall|Kernel panic|'
                 r'Unable to handle|suspicious irq|unsupported gspr|Segmentation fault|'
                 r'stack smashing|unstable')


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def qemu_disk():
    path = os.path.join(CACHE, 'nested', 'qemu.ext4')
    if not os.path.exists(path):
        raise Skip('missing nested/qemu.ext4 of tools/nested_fetch.sh')
    return path


def cpio(files):
    """An archive of programs (name, content) for the end of an initramfs: the kernel reads one
    after the other."""
    data = b''
    for n, (name, content) in enumerate([*files, ('TRAILER!!!', b'')]):
        numbers = (n, 0o100755, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b'070701' + b''.join(b'%08x' % v for v in numbers) + name.encode() + b'\0'
        data += head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)
    return data


def initrd(*files):
    data = read(guest_file('initrd.img'))
    return data + bytes(-len(data) % 4) + cpio(files) if files else data


def initrd_with(t, *files):
    path = t.path('initrd.img')
    with open(path, 'wb') as f:
        f.write(initrd(*files))
    return path


class Host:
    """A machine whose shell is that of the initramfs, with QEMU's tree at /qemu and the files for
    guests in /qemu/tmp. `programs` (name, content) are in its root and in that of its guests."""

    def __init__(self, t, *arguments, smp=2, memory='2G', append='', programs=()):
        disk = qemu_disk()
        image = initrd_with(t, ('vmlinuz', read(guest_file('vmlinuz'))),
                            ('guest.img', initrd(*programs)), *programs)
        self.machine = t.machine(
            '-smp', str(smp), '-m', memory, '-nic', 'none', '-no-reboot', '-kernel',
            guest_file('vmlinuz'), '-initrd', image, '-drive',
            f'file={disk},format=raw,if=virtio,readonly=on', '-append',
            f'console=ttyS0,115200 {append}'.strip(), *arguments)

    def __enter__(self):
        self.machine.__enter__()
        self.shell = self.machine.shell()
        self.shell('mkdir -p /qemu; mount -t ext4 -o ro /dev/vda /qemu && '
                   'for d in dev proc sys; do mount --bind /$d /qemu/$d; done; '
                   'mount -t tmpfs -o mode=1777,size=90% tmp /qemu/tmp; '
                   'mv /vmlinuz /guest.img /qemu/tmp')
        return self

    def __exit__(self, *exception):
        return self.machine.__exit__(*exception)

    def command(self, run='true', *options, smp=1, memory='512M', append=''):
        """The shell command of a guest that runs `run`, which contains no quotes, and powers off.
        What the guest's terminal has not yet sent when its last program ends would be lost."""
        words = ['chroot', '/qemu', '/usr/bin/qemu-system-loongarch64', '-M', 'virt', '-accel', 'kvm',
                 '-cpu', 'host', '-smp', str(smp), '-m', memory, '-nographic', '-no-reboot', '-kernel',
                 '/tmp/vmlinuz', '-initrd', '/tmp/guest.img', *options]
        if '-nic' not in options:
            words += ['-nic', 'none']
        return (' '.join(words) + f" -append '{GUEST_APPEND} {append} guest.run=\"{run} && stty opost\"'")

    def run(self, *arguments, limit=GUEST_LIMIT_S, **options):
        """What a guest said that ended by itself and whose command succeeded."""
        status, text = self.shell.run(self.command(*arguments, **options), limit)
        check(status == 0, f'QEMU ended with status {status}', text)
        check_sound(text)
        return text

    def check_kernel(self):
        check_clean(self.shell('dmesg'))

    def power_off(self):
        result = self.shell.power_off()
        check_equal((result.status, result.errors), (0, ''))


def check_clean(text):
    bad = [line for line in text.splitlines() if BAD.search(line)]
    check(not bad, *bad, text[-3000:])


def check_sound(text):
    """A guest's output: its command succeeded, it powered off, and nothing went wrong."""
    check('guest: exit 0' in text, text)
    check('reboot: Power down' in text, text)
    check_clean(text)
