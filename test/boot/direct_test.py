#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel entered directly: processors, memory, the shell on a terminal, all ways to end."""

import hashlib
import os

import inside
from machine import PROMPT
from report import check, check_equal, guest_file, main

EVERY_MODEL = ('fpu', 'lsx', 'lasx', 'crc32', 'lam')


def md5_of_numbers():
    text = ''.join(f'{n}\n' for n in range(1, 100001))
    return hashlib.md5(text.encode()).hexdigest()


def power_off(t, s):
    with t.test('power-off ends the program'):
        result = s.power_off()
        check_equal((result.status, result.errors), (0, ''))
        check('Power down' in result.text, result.text[-500:])


def boot_as_it_comes(t):
    """The machine that nothing was asked of."""
    with t.machine(guest_file('vmlinuz'), '-initrd', guest_file('initrd.img')) as m:
        s = m.shell()
        inside.processors(t, s, 1, 'LA664', (*EVERY_MODEL, 'lam_bh', 'scq', 'ptw', 'lvz'), ())
        inside.memory(t, s, 1024)
        inside.clock(t, s)
        inside.interrupts(t, s, 1)
        with t.test('KVM is there'):
            check_equal(s('stat -c %F /dev/kvm'), 'character special file')
        inside.kernel_messages(t, s)
        power_off(t, s)


def boot_la464_on_a_terminal(t):
    """The smallest memory and no network. What a user types is what the guest gets."""
    with t.direct('-cpu', 'la464', '-m', '256M', '-nic', 'none', on_terminal=True) as m:
        m.expect(PROMPT)
        with t.test('a command answers'):
            m.send('echo "<$((6 * 7))>"\n')
            m.expect('<42>\n')
            m.expect(PROMPT)
        with t.test('the line can be edited'):
            m.send('echo "<wrong\x7f\x7f\x7f\x7f\x7fr\x01\x01')  # Ctrl-a twice: the guest gets one
            m.send('\x05ight>"\n')
            m.expect('<right>\n')
            m.expect(PROMPT)
        with t.test('Ctrl-c reaches the guest'):
            m.send('echo "<"started">"; cat\n')
            m.expect('<started>\n')
            m.send('line\n')
            m.expect('line\nline\n')  # as typed, and from cat
            m.send('\x03')
            m.expect(PROMPT)
            m.send('echo "<$?>"\n')
            m.expect('<130>\n')
        with t.test('a long line arrives whole'):
            m.send('echo "<"ready">"; cat > /tmp/line\n')
            m.expect('<ready>\n')
            m.send('x' * 4000 + '\n\x04')
            m.send('wc -c /tmp/line\n')
            m.expect('4001 /tmp/line\n')
        m.send('\n')
        s = m.shell()
        inside.processors(t, s, 1, 'LA464', EVERY_MODEL, ('lvz', 'ptw', 'scq', 'lam_bh'))
        inside.memory(t, s, 256)
        with t.test('there is no KVM'):
            check_equal(s.run('test -e /dev/kvm')[0], 1)
        with t.test('there is no network card'):
            check_equal(s('ls /sys/class/net'), 'lo')
            check_equal(s('ls /sys/bus/pci/devices'), '0000:00:00.0')
        inside.kernel_messages(t, s)
        with t.test('Ctrl-a x ends the program'):
            m.send('\x01x')
            check_equal(m.end().status, 0)


def boot_four_processors(t):
    """More memory than fits below 4 GiB; a processor without LVZ."""
    with t.direct('-smp', '4', '-cpu', 'max,lvz=off', '-m', '5G') as m:
        s = m.shell()
        inside.processors(t, s, 4, 'LA664', (*EVERY_MODEL, 'ptw'), ('lvz',))
        inside.memory(t, s, 5 * 1024)
        inside.every_processor_computes(t, s, 4)
        inside.interrupts(t, s, 4)
        with t.test('there is no KVM'):
            check_equal(s.run('test -e /dev/kvm')[0], 1)
        with t.test('processors go away and come back'):
            s('echo 0 > /sys/devices/system/cpu/cpu2/online')
            check_equal(s('cat /sys/devices/system/cpu/online'), '0-1,3')
            s('echo 1 > /sys/devices/system/cpu/cpu2/online')
            check_equal(s('cat /sys/devices/system/cpu/online'), '0-3')
            s('taskset -c 2 true')
        inside.kernel_messages(t, s)
        power_off(t, s)


def boot_consoles(t):
    """The other serial ports, and one by virtio."""
    second, virtio = t.path('second'), t.path('virtio')
    with t.direct('-m', '512M', '-serial', 'stdio', '-serial', 'file:' + second,
                  '-chardev', f'file,id=c,path={virtio}',
                  '-device', 'virtio-serial-pci,chardev=c') as m:
        s = m.shell()
        for device, path in (('ttyS1', second), ('hvc0', virtio)):
            with t.test(f'what is written to {device} comes out'):
                s(f'modprobe -q virtio_console; (stty raw; seq 1 2000 >&0) <> /dev/{device}')
                with open(path, encoding='ascii') as f:
                    check_equal(f.read(), ''.join(f'{i}\n' for i in range(1, 2001)))
        inside.kernel_messages(t, s)
        power_off(t, s)


def boot_again_and_again(t):
    """A reboot, then a panic that the kernel answers with one."""
    with t.direct('-smp', '2', '-m', '512M', append='panic=1') as m:
        s = m.shell()
        s('touch /tmp/before')
        with t.test('the guest comes up again'):
            s.start('reboot -f')
            m.expect('Run /init as init process')
            s = m.shell()
            check_equal(s.run('test -e /tmp/before')[0], 1)
            check(float(s('cat /proc/uptime').split()[0]) < 600)
        inside.processors(t, s, 2, 'LA664', EVERY_MODEL, ())
        inside.memory(t, s, 512)
        inside.kernel_messages(t, s)
        with t.test('it comes up again after a panic'):
            s.start('echo c > /proc/sysrq-trigger')
            m.expect('Kernel panic - not syncing')
            m.expect('Run /init as init process')
            s = m.shell()
        inside.kernel_messages(t, s)
        power_off(t, s)


def boot_and_run(t):
    """What the guest's init says of the command, and that a reboot is an end when it may not be."""
    with t.direct('-m', '512M', append='guest.run="echo out; echo err >&2; exit 7"') as m:
        with t.test('guest.run tells what the command said, and its status'):
            m.expect('^out\nerr\nguest: exit 7$')
        with t.test('the program ends with 0'):
            check_equal(m.end().status, 0)
    with t.direct('-m', '512M', '-no-reboot', append='guest.run="reboot -f"') as m:
        with t.test('-no-reboot: a reboot ends the program'):
            result = m.end()
            check_equal((result.status, result.errors), (0, ''))
            check_equal(result.text.count('Linux version'), 1)
            check('reboot: Restarting system' in result.text, result.text[-500:])


def boot_compared(t):
    """Translated code of a kernel and its programs is compared with the interpreter. What differs
    ends the program."""
    if os.uname().machine != 'x86_64':
        return
    with t.direct('-accel', 'jit,check=on') as m:
        s = m.shell()
        with t.test('compared block by block: programs run'):
            check_equal(s('seq 1000 | sort -r | awk \'{ n += $1 * NR } END { print n }\''), '182172106')
            check_equal(s('seq 100000 | md5sum'), f'{md5_of_numbers()}  -')
            check_equal(s('awk \'BEGIN { for (i = 1; i < 2000; i++) n += 1 / i; printf "%.9f", n }\''),
                        '8.177868104')
        power_off(t, s)


def boot_and_panic(t):
    """A kernel that finds no init."""
    with t.direct('-smp', '2', '-no-reboot', append='rdinit=/none root=none') as m:
        with t.test('-no-reboot: a panic ends the program with 3'):
            result = m.end()
            check_equal((result.status, result.errors), (3, 'lh run: the guest panicked\n'))
            check('---[ end Kernel panic - not syncing' in result.text, result.text[-2000:])


main()
