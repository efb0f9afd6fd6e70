#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One guest in a guest: Debian's kernel and QEMU with KVM."""

from nested import Host
from report import check, check_equal, main


def boot_one_guest_of_kvm(t):
    with Host(t) as h:
        wanted = h.shell('seq 1 5000 | sha256sum')
        with t.test('the guest starts, works and powers off'):
            text = h.run('seq 1 5000 | sha256sum; nproc; usleep 100000; cat /proc/interrupts')
            check(wanted in text, text)
            check('\n1\n' in text, text)
        with t.test('nothing is left of the guest'):
            check_equal(h.shell.run('pidof qemu-system-loongarch64')[0], 1)
        with t.test('the host has nothing to complain of'):
            h.check_kernel()
        with t.test('the host powers off'):
            h.power_off()


main()
