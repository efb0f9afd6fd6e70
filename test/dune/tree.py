# SPDX-License-Identifier: Apache-2.0
"""Programs of a Debian tree on a disk, in a machine of our own: as they are, and in guest mode.

The machine is started with the small guest's initramfs, in which are `lh` and what a test adds, and works
in the disk's tree, which finds those files in /tmp/t.
"""

import contextlib
import os
import time

from loong64 import build_program, initrd_with_more, newc, read, stripped
from report import CACHE, Skip, check, check_equal, guest_file

LIMIT_S = 300
CHROOT = 'cd /; env -i PATH=/usr/bin:/bin HOME=/tmp LC_ALL=C chroot /d'
ENTER = '/tmp/t/lh enter'


def disk(directory, name, script):
    path = os.path.join(CACHE, directory, name)
    if not os.path.exists(os.path.join(CACHE, directory, '.complete')) or not os.path.exists(path):
        raise Skip(f'missing {name}, which tools/{script} makes')
    return path


class Tree:
    """What runs in the tree. `shell` is that of the machine around it."""

    def __init__(self, shell, options):
        self.shell = shell
        shell(f'ip link set lo up; mkdir /d; mount -t ext4 -o {options} /dev/vda /d; ln -sf /proc/self/fd /dev/fd; '
              'mount -t debugfs debugfs /sys/kernel/debug')
        shell('for d in proc dev sys sys/kernel/debug; do mount -o bind /$d /d/$d; done; '
              'mount -t devpts devpts /d/dev/pts; mount -t tmpfs tmpfs /d/tmp; mount -t tmpfs tmpfs /d/run; '
              'mkdir -p /d/dev/shm; mount -t tmpfs tmpfs /d/dev/shm; mkdir /d/tmp/t; cp /t/* /d/tmp/t')

    def run(self, command, limit=LIMIT_S):
        """Status and output."""
        return self.shell.run(f'{CHROOT} {command}', limit)

    def same_in_guest_mode(self, command, limit=LIMIT_S):
        """What it says, which has to be the same in both ways."""
        began = time.monotonic()
        status, wanted = self.run(command, limit)
        check(status == 0 and wanted, f'as it is: status {status}\n{wanted[-2500:]}')
        between = time.monotonic()
        check_equal(self.run(f'{ENTER} {command}', limit), (0, wanted))
        print(f'# {between - began:.1f} s, in guest mode {time.monotonic() - between:.1f} s')
        return wanted


@contextlib.contextmanager
def tree_in_a_machine(t, image, files, programs=(), is_writable=False):
    """The machine lives as long as it is used; `files` are names and texts, `programs` are built for
    it: their folder and name in the tree of sources."""
    drive = f'file={image},format=raw,if=virtio' + ('' if is_writable else ',readonly=on')
    lh = build_program(*programs)
    initrd = t.path('initrd')
    with initrd_with_more(initrd) as f:
        f.write(newc('t', b'', 0o40755))
        f.write(newc('t/lh', stripped(lh, t.path('lh')), 0o100755))
        for program in programs:
            name = os.path.basename(program)
            f.write(newc(f't/{name}', stripped(os.path.join(os.path.dirname(lh), program), t.path(name)), 0o100755))
        for name, text in files.items():
            f.write(newc(f't/{name}', text.encode(), 0o100644))
    with t.machine('-m', '2G', '-smp', '2', '-nic', 'none', '-drive', drive, '-kernel', guest_file('vmlinuz'),
                   '-initrd', initrd, '-append', 'console=ttyS0,115200') as m:
        shell = m.shell()
        yield Tree(shell, 'noatime' if is_writable else 'ro,noload')
        with t.test('the machine is still well'):
            check('Oops' not in shell('dmesg'))
            check_equal(shell.power_off().status, 0)
