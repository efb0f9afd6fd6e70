#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Disks of Debian's kernel: what was written is there after a reboot, in the next run and after the
program was killed; what is read-only stays as it is; a Debian on a disk."""

import hashlib
import os
import re
import subprocess

import inside
from report import GUEST, Skip, check, check_equal, copy_sparse, guest_file, main, need

MIB = 1 << 20


def sha256(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'sha256').hexdigest()


def make_file(path, size):
    with open(path, 'wb') as f:
        f.write(os.urandom(size))
    return path


def drive(path, *more):
    return '-drive', ','.join((f'file={path},format=raw,if=virtio', *more))


def check_sum(s, path, wanted):
    check_equal(s(f'sha256sum {path}').split()[0], wanted)


def fsck(path):
    """What is wrong with a file system, journal included."""
    need('e2fsck')
    told = subprocess.run(['e2fsck', '-f', '-n', path], capture_output=True, text=True, check=False)
    check_equal(told.returncode, 0)


def two_disks(t, m, readonly_sum):
    """A first run, which ends when the program is killed. Gives the sum of a file on the disk."""
    s = m.shell()
    with t.test('disks have the sizes of their files'):
        check_equal(s('cat /sys/block/vda/size /sys/block/vdb/size'), f'{96 << 11}\n{8 << 11}')
        check_equal(s('cat /sys/block/vda/ro /sys/block/vdb/ro'), '0\n1')
    with t.test('all of a disk can be read'):
        check_sum(s, '/dev/vdb', readonly_sum)
    with t.test('a read-only disk cannot be written'):
        check(s.run('dd if=/dev/zero of=/dev/vdb bs=4k count=1 conv=fsync')[0] != 0)
        s('echo 3 > /proc/sys/vm/drop_caches')
        check_sum(s, '/dev/vdb', readonly_sum)
    with t.test('a file system can be made and filled'):
        s('mke2fs -q -F /dev/vda && mkdir -p /a && mount -t ext4 -o nodelalloc /dev/vda /a')
        s('dd if=/dev/urandom of=/a/random bs=1M count=2')
        wanted = s('sha256sum < /a/random').split()[0]
        s('for i in 1 2 3 4 5 6 7 8; do cat /a/random > /a/copy$i & done; wait; sync')
        s('echo 3 > /proc/sys/vm/drop_caches')
        for i in range(1, 9):
            check_sum(s, f'/a/copy{i}', wanted)
    with t.test('a sync flushes the disk'):
        check_equal(s('cat /sys/block/vda/queue/write_cache'), 'write back')
        before = flushes(s)
        s('echo new > /a/flushed; sync')
        check(flushes(s) > before, before)
    with t.test('files are there after a reboot'):
        s('umount /a')
        s.start('reboot -f')
        m.expect('Run /init as init process')
        s = m.shell()
        s('mkdir /a; mount -t ext4 /dev/vda /a')
        check_sum(s, '/a/copy3', wanted)
    inside.kernel_messages(t, s)
    s('cat /a/random /a/random > /a/double; sync')
    return wanted


def flushes(s):
    return int(s('cat /sys/block/vda/stat').split()[15])


def boot_and_write(t):
    disk, readonly = t.path('disk.img'), make_file(t.path('readonly.img'), 8 * MIB)
    with open(disk, 'wb') as f:
        f.truncate(96 * MIB)
    readonly_sum = sha256(readonly)
    with t.direct('-smp', '2', '-m', '512M', *drive(disk), *drive(readonly, 'readonly=on')) as m:
        wanted = two_disks(t, m, readonly_sum)
        m.process.kill()
        m.end()
    with t.test('the file of the read-only disk is as it was'):
        check_equal(sha256(readonly), readonly_sum)
    with t.direct('-m', '512M', *drive(disk)) as m:
        s = m.shell()
        with t.test('files are there after the program was killed'):
            s('mkdir /a; mount -t ext4 /dev/vda /a')
            check_sum(s, '/a/copy5', wanted)
            check_equal(s('cat /a/random /a/random | cmp - /a/double; cat /a/flushed'), 'new')
        inside.kernel_messages(t, s)
        s('umount /a')
        check_equal(s.power_off()[::2], (0, ''))
    with t.test('the file system is clean'):
        fsck(disk)
    with t.test('the host reads what the guest has written'):
        need('debugfs')
        data = subprocess.run(['debugfs', '-R', 'cat random', disk], check=True,
                              capture_output=True).stdout
        check_equal(hashlib.sha256(data).hexdigest(), wanted)


def boot_odd_sizes(t):
    """Two disks by -device, with other block sizes, and one of no whole number of MiB."""
    a, b = (make_file(t.path(name), 3 * MIB + 4096) for name in 'ab')
    sums = sha256(a), sha256(b)
    with t.direct('-m', '512M', '-drive', f'file={a},format=raw,if=none,id=a',
                  '-device', 'virtio-blk-pci,drive=a,serial=first,logical_block_size=4096,'
                  'physical_block_size=4096,addr=8',
                  '-drive', f'file={b},format=raw,if=none,id=b,readonly=on',
                  '-device', 'virtio-blk-pci,drive=b,serial=second,queue-size=4,addr=5.0') as m:
        s = m.shell()
        with t.test('properties are what -device says'):
            names = {s(f'cat /sys/block/{d}/serial'): d for d in ('vda', 'vdb')}
            first, second = names['first'], names['second']
            check_equal(s(f'cat /sys/block/{first}/queue/logical_block_size'), '4096')
            check_equal(s(f'cat /sys/block/{second}/queue/logical_block_size'), '512')
            slots = s(f'realpath /sys/block/{first} /sys/block/{second}').split()
            check('0000:00:08.0' in slots[0] and '0000:00:05.0' in slots[1], slots)
        with t.test('both read right'):
            check_sum(s, f'/dev/{first}', sums[0])
            check_sum(s, f'/dev/{second}', sums[1])
        with t.test('the last sector can be written'):
            s(f'dd if=/dev/zero of=/dev/{first} bs=4096 seek=768 count=1 conv=fsync')
            check_equal(sha256(b), sums[1])
        inside.kernel_messages(t, s)
        check_equal(s.power_off()[::2], (0, ''))
    with t.test('the host finds it written'):
        with open(a, 'rb') as f:
            data = f.read()
        check_equal((len(data), data[3 * MIB:].strip(b'\0')), (3 * MIB + 4096, b''))


def boot_debian_on_a_disk(t):
    if not os.path.exists(os.path.join(GUEST, 'root.ext4')):
        raise Skip('missing root.ext4 of the guest')
    disk = copy_sparse(guest_file('root.ext4'), t.path('root.ext4'))
    with t.direct('-smp', '2', *drive(disk), append='guest.root=/dev/vda') as m:
        s = m.shell(r'[:/~]# ')
        with t.test('bash runs'):
            check(s('echo $BASH_VERSION')[0].isdigit())
        with t.test('lscpu tells the processors'):
            text = s('lscpu')
            check(re.search(r'^Architecture: +loongarch64$', text, re.M), text)
            check(re.search(r'^CPU\(s\): +2$', text, re.M), text)
        with t.test('its packages are whole'):
            check_equal(s('dpkg --audit'), '')
            check(int(s("dpkg-query -W -f '${db:Status-Status}\\n' | grep -cx installed")) > 50)
            s('dpkg --verify bash coreutils dpkg', limit=600)
        with t.test('programs of all kinds run'):
            check_equal(s("perl -e 'print sqrt(2) * 1e6 | 0'"), '1414213')
            check_equal(s("seq 1 3000 | awk '{ n += $1 / 7 } END { printf \"%.6f\", n }'"),
                        f'{sum(i / 7 for i in range(1, 3001)):.6f}')
            s('tar -C /usr -cf - sbin | gzip -1 > /root/t.gz && gzip -t /root/t.gz', limit=600)
        inside.kernel_messages(t, s)
        with t.test('power-off ends the program'):
            s.start('exec poweroff')
            check_equal(m.end()[::2], (0, ''))
    with t.test('the file system is clean'):
        fsck(disk)


main()
