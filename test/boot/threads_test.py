#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program built with the compiler's thread sanitizer: what its threads do to each other's memory
without order is a fault, while Debian keeps three processors, a disk and a network card busy.

usage: threads_test.py LH

Memory of the guest is left out (threads.supp): its processors race as they like. Translated code is
not looked at by the sanitizer; the interpreter and all of what it calls is.
"""

import os
import subprocess

from report import check, check_equal, main

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
os.environ['TSAN_OPTIONS'] = f'suppressions={HERE}/threads.supp history_size=4 second_deadlock_stack=1'

# Processors come and go, code is loaded and patched, processes move, and devices interrupt.
WORK = ('for c in 1 2; do echo 0 > /sys/devices/system/cpu/cpu$c/online; '
        'echo 1 > /sys/devices/system/cpu/cpu$c/online; done; '
        'modprobe -a virtio_blk virtio_rng virtio_net virtio_console; '
        'for i in 1 2 3 4; do (for k in 1 2 3 4 5 6 7 8; do seq 1 300 | sort -r | md5sum; done) & done; '
        'dd if=/dev/urandom of=/dev/vda bs=64k count=10 oflag=direct; '
        'dd if=/dev/vda bs=4k count=100 | md5sum; head -c 64 /dev/hwrng | md5sum; wait; sleep 1; date')


def run(*command):
    done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(done.returncode == 0, done.stdout[-2000:], done.stderr[-2000:])


def build():
    """The program with the sanitizer; what was built before is used again."""
    to = os.environ['BUILD_THREADS']
    if not os.path.exists(os.path.join(to, 'build.ninja')):
        run('meson', 'setup', to, ROOT, '-Db_sanitize=thread', '-Db_lundef=false')
    run('ninja', '-C', to, 'lh')
    return os.path.join(to, 'lh')


def work(t, *arguments):
    disk = t.path('disk')
    with open(disk, 'wb') as f:
        f.truncate(4 << 20)
    t.lh = t.built
    with t.direct('-smp', '3', '-m', '512M', '-no-reboot', '-drive', f'file={disk},format=raw',
                  '-device', 'virtio-rng-pci', *arguments, append=f'guest.run="{WORK}"') as m:
        result = m.end()
    check('guest: exit 0' in result.text, result.text[-2000:])
    check_equal((result.status, result.errors), (0, ''))


def boot_threads(t):
    with t.test('the program is built for it'):
        t.built = build()
    with t.test('translated'):
        work(t, '-accel', 'jit')
    with t.test('translations are flushed often'):
        work(t, '-accel', 'jit,flush-every=20000')


main()
