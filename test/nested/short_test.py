#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One guest in a guest: Debian's kernel and QEMU with KVM, a virtio disk and the network."""

import re

from nested import Host
from report import check, check_equal, main


def boot_one_guest_of_kvm(t):
    with Host(t) as h:
        s = h.shell
        s('httpd -p 127.0.0.1:80 -h /qemu/tmp')
        s('dd if=/dev/urandom of=/qemu/tmp/disk bs=64k count=32 2> /dev/null')
        wanted = s('sha256sum < /qemu/tmp/disk').split()[0]
        kernel = s('sha256sum < /qemu/tmp/vmlinuz').split()[0]
        with t.test('the guest starts, works and powers off'):
            text = h.run('sha256sum < /dev/vda; dd if=/dev/vda of=/dev/vda bs=1M count=1 seek=1 '
                         'conv=notrunc,fsync; wget -q -O - http://10.0.2.2/vmlinuz > /tmp/k; '
                         'sha256sum < /tmp/k; cat /proc/uptime; grep KVM /proc/cpuinfo; '
                         'cat /proc/interrupts',
                         '-drive', 'file=/tmp/disk,format=raw,if=virtio', '-nic',
                         'user,model=virtio-net-pci', append='guest.net=wait')
            t.explain(re.search(r'^\d+\.\d+ \d+\.\d+$', text, re.M).group() + ' s up, s idle')
        with t.test('its disk is the one of the host'):
            check(wanted in text, text)
            check_equal(s('dd if=/qemu/tmp/disk bs=1M count=1 2> /dev/null | sha256sum'),
                        s('dd if=/qemu/tmp/disk bs=1M skip=1 2> /dev/null | sha256sum'))
        with t.test('its network reaches the host'):
            check(kernel in text, text)
        with t.test('the host is as before'):
            h.check_kernel()
        with t.test('the host powers off'):
            h.power_off()


main()
