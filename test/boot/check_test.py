#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel to a shell and back with every block of translated code compared with the
interpreter: what no payload and no random program does."""

from report import check, check_equal, main

WORK = ('seq 1 2000 | sort -r | md5sum; for i in 1 2 3 4; do true; done; find /bin /etc | wc -l; '
        'modprobe -a virtio_blk virtio_rng')


def boot_checked(t):
    with t.direct('-accel', 'jit,check=on,exact-cause=on', '-m', '512M', '-no-reboot',
                  append=f'guest.run="{WORK}"') as m:
        result = m.end(limit=600)
    with t.test('no block differs from the interpreter'):
        check('translated code is wrong' not in result.errors, result.errors)
        check_equal((result.status, result.errors), (0, ''))
        check('guest: exit 0' in result.text, result.text[-2000:])


main()
