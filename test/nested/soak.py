#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Guests in guests for a long time: `make soak`.

usage: soak.py LH [NAME...]     only what contains a NAME

LH_SOAK_TIMES says how often what is repeated (100), LH_SOAK_SECONDS how long what lasts (120).
"""

import os
import subprocess
import sys

from nested import FIRMWARE, Host, check_clean, check_sound
from report import Skip, check, check_equal, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
TIMES = int(os.environ.get('LH_SOAK_TIMES', '100'))
SECONDS = int(os.environ.get('LH_SOAK_SECONDS', '120'))
HOUR = 3600
SLEEP = 'i=0; while [ $i -lt 1000 ]; do usleep 1000; i=$((i+1)); done; cat /proc/uptime'
# The guest mounts the disk with QEMU, which holds stress-ng as well.
STRESS_IN_GUEST = ('mkdir /s; until [ -b /dev/vda ]; do usleep 50000; done; mount -t ext4 -o ro /dev/vda /s; '
                   'mount --bind /dev /s/dev; mount --bind /proc /s/proc; mount -t tmpfs t /s/tmp; '
                   'chroot /s /usr/bin/')
# Classes of work whose results stress-ng can check itself.
STRESSORS = ('--cpu 1 --vm 1 --vm-bytes 64M --matrix 1 --vecmath 1 --fp 1 --atomic 1 --memcpy 1 '
             '--qsort 1 --context 1 --pipe 1 --switch 1 --futex 1 --fork 1 --timer 1')


def stress(classes, seconds):
    return (f'stress-ng --verify --metrics-brief --temp-path /tmp --oomable {classes} '
            f'--timeout {seconds}s')


def boot_hostile_guest(t):
    """Ten million random instructions: the row of guest/tests.cfg for soaks."""
    images = os.path.join(os.path.dirname(t.lh), 'guest')
    if not os.path.exists(os.path.join(images, 'lvz_hostile.elf')):
        raise Skip('missing lvz_hostile.elf, as clang-19 or lld-19 is')
    with t.test('a hostile guest never harms the root'):
        done = subprocess.run([sys.executable, os.path.join(ROOT, 'guest/run_payload.py'), '--emulator',
                               f'{t.lh} run -d stats', '--images', images,
                               os.path.join(ROOT, 'guest/tests.cfg'), 'soak-lvz-hostile'],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        t.explain(done.stdout)
        check(done.returncode == 0 and 'not ok' not in done.stdout)


def boot_two_vcpus(t):
    with Host(t) as h:
        with t.test('a guest with two processors works and powers off'):
            text = h.run('nproc; for i in 1 2 3 4; do seq 1 20000 | sha256sum & done; wait; '
                         'taskset -c 0 true && taskset -c 1 true', smp=2)
            sums = [line for line in text.splitlines() if line.endswith('  -')]
            check(len(sums) == 4 and len(set(sums)) == 1, text)
            check('\n2\n' in text, text)
        h.check_kernel()
        h.power_off()


def boot_disk_and_network(t):
    with Host(t) as h:
        s = h.shell
        s('httpd -p 127.0.0.1:80 -h /qemu/tmp')
        s('dd if=/dev/urandom of=/qemu/tmp/disk bs=64k count=32 2> /dev/null')
        disk, kernel = (s(f'sha256sum < /qemu/tmp/{name}') for name in ('disk', 'vmlinuz'))
        with t.test('a guest with firmware, a virtio disk and the network works and powers off'):
            text = h.run('sha256sum < /dev/vda; dd if=/dev/vda of=/dev/vda bs=1M count=1 seek=1 '
                         'conv=notrunc,fsync; wget -q -O /tmp/k http://10.0.2.2/vmlinuz; '
                         'sha256sum < /tmp/k', '-drive', 'file=/tmp/disk,format=raw,if=virtio', '-nic',
                         'user,model=virtio-net-pci', *FIRMWARE, append='guest.net=wait')
        with t.test('its disk is the one of the host'):
            check(disk in text, text)
            check_equal(s('dd if=/qemu/tmp/disk bs=1M count=1 2> /dev/null | sha256sum'),
                        s('dd if=/qemu/tmp/disk bs=1M skip=1 2> /dev/null | sha256sum'))
        with t.test('its network reaches the host'):
            check(kernel in text, text)
        h.check_kernel()
        h.power_off()


def boot_a_thousand_sleeps(t):
    with Host(t) as h:
        for clock in ('', 'nohz=off highres=off'):
            with t.test(f'a guest sleeps a thousand times ({clock or "tickless"})'):
                t.explain(h.run(SLEEP, append=clock).splitlines()[-3])
        h.check_kernel()
        h.power_off()


def boot_few_guest_ids(t):
    """Every flush of a guest's translations takes a new id, of which there are three."""
    with Host(t, '-cpu', 'max,gidbits=2') as h:
        with t.test('a guest works where ids are few'):
            h.run('for i in 1 2 3 4 5 6 7 8; do seq 1 5000 | sha256sum; done | uniq | wc -l', smp=2)
        with t.test('two guests at once where ids are few'):
            two_at_once(h, SLEEP)
        h.check_kernel()
        h.power_off()


def two_at_once(h, run, **options):
    """Runs two guests side by side; what they said."""
    s = h.shell
    for n in (1, 2):
        s(f'({h.command(run, **options)}) < /dev/null > /tmp/guest{n} 2>&1 & echo $! > /tmp/pid{n}')
    s('wait', HOUR)
    texts = [s(f'cat /tmp/guest{n}') for n in (1, 2)]
    for text in texts:
        check_sound(text)
    return texts


def boot_two_guests_at_once(t):
    with Host(t) as h:
        with t.test('two guests at once'):
            two_at_once(h, SLEEP + '; seq 1 20000 | sha256sum')
        with t.test('two guests of two processors at once'):
            two_at_once(h, 'seq 1 20000 | sha256sum', smp=2)
        h.check_kernel()
        h.power_off()


def boot_starts_and_stops(t):
    with Host(t) as h:
        for n in range(1, TIMES + 1):
            with t.test(f'start and stop {n}'):
                h.run(smp=1 + n % 2)
        with t.test('nothing is left of the guests'):
            # KVM has a directory for each machine, PID-FD.
            check_equal(h.shell('mount -t debugfs none /sys/kernel/debug; ls /sys/kernel/debug/kvm > '
                                '/tmp/kvm && { grep -c - /tmp/kvm; true; }'), '0')
        h.check_kernel()
        h.power_off()


def boot_stress_in_both(t):
    with Host(t, memory='3G') as h:
        s = h.shell
        with t.test('stress-ng checks its work in the host and in a guest at once'):
            s('cp /dev/null /tmp/host; (chroot /qemu /usr/bin/'
              f'{stress(STRESSORS, SECONDS)}; echo "status $?") < /dev/null > /tmp/host 2>&1 & true')
            status, guest = s.run(h.command(
                STRESS_IN_GUEST + stress(STRESSORS, SECONDS), '-drive',
                'file=/dev/vda,format=raw,if=virtio,readonly=on', *FIRMWARE, smp=2, memory='1G'), HOUR)
            check(status == 0, guest)
            check_sound(guest)
            s('wait', HOUR)
            host = s('cat /tmp/host')
            check('status 0' in host and 'failed: 0' in host, host)
            check('failed: 0' in guest, guest)
        h.check_kernel()
        h.power_off()


def boot_swapping(t):
    """The host takes pages of the guest away and brings them back elsewhere."""
    swap = t.path('swap')
    with open(swap, 'wb') as f:
        f.truncate(1 << 30)
    # Memory for contiguous areas is no help to a kernel that needs a page for itself.
    with Host(t, '-drive', f'file={swap},format=raw,if=virtio', memory='512M', append='cma=0') as h:
        s = h.shell
        s('mkswap /dev/vdb && swapon /dev/vdb')
        # Linux complains where somebody waits long for memory or gets none. Of so little it would keep
        # too much free once it is fragmented, and before that too little.
        s('cd /proc/sys/vm && echo 0 > watermark_boost_factor && echo 16384 > min_free_kbytes; cd /')
        with t.test('a guest works while the host swaps'):
            text = h.run('mount -t tmpfs -o size=300m t /tmp; dd if=/dev/urandom bs=1M count=8 of=/tmp/a; '
                         'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do cp /tmp/a /tmp/b$i; done; '
                         'md5sum /tmp/b* | cut -d/ -f1 | sort -u | wc -l', memory='400M')
            check('\n1\n' in text, text)
        with t.test('the host did swap'):
            swapped = dict(line.split() for line in s('grep pswp /proc/vmstat').splitlines())
            t.explain(str(swapped))
            check(int(swapped['pswpin']) > 100 and int(swapped['pswpout']) > 100, swapped)
        check_clean(s('dmesg'))
        h.power_off()


main()
