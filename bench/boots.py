# SPDX-License-Identifier: Apache-2.0
"""How long machines take from their start to the guest's first program or to the login of a whole
distribution, and what memory they take then besides the guest's.

ROWS has what is measured: name -> (kind, what it is, figure, command of lh, command of the reference).
A figure is a function of the command, and gives the share of time of places.py, too; a command is made
anew for each run, in a directory where it may leave files.
"""

import os
import re
import time

from places import CACHE, Failed, Machine, disks, lh_command, reference_command, vcpu_threads, \
    waited_seconds
from report import copy_sparse

RAM_AT_LEAST_KIB = 1 << 18
# Writable, no program text, and not named as what translated code is kept in.
RAM = re.compile(r'\S+ rw-(?!.*(?:code|jit))')
INIT = 'Run /init as init process'
LOGIN = 'guest login: '
DISTRO = os.path.join(CACHE, 'distro')
DISTRO_APPEND = 'console=ttyS0,115200 initcall_blacklist=i8042_init guest.root=/dev/vda'
LIMIT_S = 1200


def seconds_to(pattern):
    def measure(command):
        began = time.monotonic()
        with Machine(command) as m:
            m.expect(pattern, LIMIT_S)
            seconds, pid = time.monotonic() - began, m.process.pid
            waited = max((waited_seconds(pid, t) for t in vcpu_threads(pid)), default=0)
            return seconds, max(0.0, 1 - waited / seconds)
    return measure


def resident_mib(pid):
    """MiB of a process in memory that are not the guest's RAM."""
    total = 0
    with open(f'/proc/{pid}/smaps', encoding='utf-8', errors='replace') as f:
        for block in re.split(r'\n(?=[0-9a-f]+-[0-9a-f]+ )', f.read()):
            size, rss = (int(re.search(rf'^{word}: +(\d+)', block, re.M).group(1))
                         for word in ('Size', 'Rss'))
            total += 0 if size >= RAM_AT_LEAST_KIB and RAM.match(block) else rss
    return total / 1024


def resident_at_prompt(command):
    with Machine(command) as m:
        m.shell().run('true')
        return resident_mib(m.process.pid), 1.0


def resident_at_login(command):
    with Machine(command) as m:
        m.expect(LOGIN, LIMIT_S)
        return resident_mib(m.process.pid), 1.0


def distro_disk(directory):
    """A copy of the distribution's disk, which its guest writes to."""
    image = os.path.join(DISTRO, 'system.ext4')
    if not os.path.exists(os.path.join(DISTRO, '.complete')):
        raise Failed('missing the distribution; tools/distro_fetch.sh makes it')
    return copy_sparse(image, os.path.join(directory, 'system.ext4'))


def our_distro(lh, accel, directory):
    return lh_command(lh, accel, *disks(distro_disk(directory), is_readonly=False), append=DISTRO_APPEND)


def their_distro(directory):
    return reference_command(*disks(distro_disk(directory), is_readonly=False), append=DISTRO_APPEND)


def ours(lh, accel, _):
    return lh_command(lh, accel)


ROWS = {
    'boot_direct': ('boot', 'to init, entered directly; QEMU, too', seconds_to(INIT), ours,
                    lambda _: reference_command(firmware=False)),
    'boot_firmware': ('boot', 'to init, entered directly; QEMU through EDK2', seconds_to(INIT), ours,
                      lambda _: reference_command()),
    'boot_login': ('boot', 'to login: of systemd; QEMU through EDK2', seconds_to(LOGIN), our_distro,
                   their_distro),
    'resident': ('resident', 'idle at the prompt of the initramfs', resident_at_prompt, ours,
                 lambda _: reference_command(firmware=False)),
    'resident_login': ('resident', 'at login: of systemd', resident_at_login, our_distro, their_distro),
}
