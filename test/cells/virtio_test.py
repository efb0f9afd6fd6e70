#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks, cards and consoles of cells, which `lh cell serve` in the root cell is.

usage: virtio_test.py LH [NAME...]
"""

import re

from bed import Root, cell
from report import check, check_equal, guest_file, main

LIMIT_S = 300
QUIET = 'console=ttyS0,115200 quiet'


def files():
    return {'virtio.dts': cell('virtio'), 'vmlinuz': guest_file('vmlinuz'),
            'initrd.img': guest_file('initrd.img')}


def boot_devices(t):
    with Root(t, files()) as r:
        r.shell('modprobe tun; truncate -s 16M /disk.img')
        before = r.left()
        work = ('ls /sys/bus/virtio/devices; grep virtio /proc/interrupts; cat /sys/block/vda/size; '
                'echo hello > /dev/hvc0; seq 1 200000 | head -c 1000000 > /data; '
                'dd if=/data of=/dev/vda bs=4096 conv=fsync; '
                'echo 3 > /proc/sys/vm/drop_caches; head -c 1000000 /dev/vda | sha256sum')
        with t.test('an unmodified Debian finds its devices'):
            r(f"run /cells/virtio.dts --keep --append '{QUIET} guest.run=\"{work}\"'", LIMIT_S)
            check('powered off' in r('wait virtio --timeout 250', LIMIT_S))
            print(r('output virtio'))
            print(r.shell('cat /console.out; ls -la /console.out /disk.img; dmesg | tail -5; cat /proc/interrupts; ps'))
            print(r('stats'))
        r('destroy virtio')
        check_equal(r.left(), before)
        r.check_kernel()
        r.power_off()


main()
