#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lh enter and libdune on LoongArch64: in a machine of our own with Debian's kernel and its KVM.

usage: loong64_test.py LH

Builds the program and the test programs for loong64, puts them into the guest's initramfs, and runs
each there as it is and in guest mode.
"""

import glob
import os
import re

from loong64 import build_program, initrd_with_more, newc, read, stripped
from report import CACHE, Skip, check, check_equal, guest_file, main

LIMIT_S = 300
PROGRAMS = ('memory', 'processes', 'children', 'limits', 'signals', 'threads', 'times', 'files', 'mappings', 'sync',
            'server')
EXAMPLES = 'barrier', 'checkpoint', 'pager', 'privsep', 'tracer'
OTHERS = ('attack_pointers', 'attack_policy', 'attack_processor', 'dune_faults', 'dune_lib', 'dune_upcalls',
          'dune_windows', 'guest_only', 'static_true')
LIBRARIES = 'libc.so.6', 'libm.so.6', 'libgcc_s.so.1'
LOADER = 'ld-linux-loongarch-lp64d.so.1'

# What a program that works in one directory needs; the monitor's own file is not in it.
POLICY = '''allow (basic) (io) (open) (read) (write) (proc) (net) (ipc)
read /usr
read /lib
read /lib64
read /bin
read /t
read /proc
read /dev
write /dev/null
read /etc/ld.so.cache
exec /bin
exec /lib64
exec /t
write /box/in
'''


def sysroot():
    path = os.path.join(os.environ.get('LH_SYSROOT') or os.path.join(CACHE, 'sysroot'), 'tree')
    if not os.path.isdir(path):
        raise Skip('missing the libraries of loong64')
    return path


def add_directories(f, *paths):
    for path in paths:
        f.write(newc(path, b'', 0o40755))


def add_libraries(f):
    add_directories(f, 'usr', 'usr/lib', 'usr/lib/loongarch64-linux-gnu', 'lib64')
    for name in LIBRARIES:
        path = f'usr/lib/loongarch64-linux-gnu/{name}'
        f.write(newc(path, read(os.path.join(sysroot(), path)), 0o100755))
    loader = glob.glob(os.path.join(sysroot(), 'usr/lib*', LOADER))
    f.write(newc(f'lib64/{LOADER}', read(loader[0]), 0o100755))


def make_initrd(t, lh):
    """The guest's initramfs, and behind it a second one with /t."""
    path = t.path('initrd')
    built = os.path.dirname(lh)
    files = {name: f'test/dune/{name}' for name in PROGRAMS + OTHERS}
    files.update({name: f'dune/examples/dune_{name}' for name in EXAMPLES})
    with initrd_with_more(path) as f:
        add_directories(f, 'm', 't', 'box', 'box/in', 'box/outside')
        f.write(newc('m/lh', stripped(lh, t.path('lh')), 0o100755))
        for name, file in files.items():
            f.write(newc(f't/{name}', stripped(os.path.join(built, file), t.path(name)), 0o100755))
        f.write(newc('t/foreign', read('/bin/true')[:4096], 0o100755))
        f.write(newc('t/script', b'#!/bin/sh -e\necho "$0 $1"\n', 0o100755))
        f.write(newc('t/policy', POLICY.encode(), 0o100644))
        f.write(newc('etc/ld.so.cache', b'', 0o100644))
        f.write(newc('box/outside/secret', b'secret', 0o100644))
        add_libraries(f)
    return path


def tap(s, command):
    """A test program that reports in TAP: nothing may be left out."""
    status, text = s.run(command, LIMIT_S)
    plan = re.search(r'^1\.\.(\d+)$', text, re.M)
    good = re.findall(r'^ok \d+ - (?!.* # SKIP)', text, re.M)
    check(status == 0 and plan and len(good) == int(plan.group(1)) > 0,
          '\n'.join(line for line in text.splitlines() if not line.startswith('ok '))[-2500:],
          f'status {status}')


def expect(s, arguments, out, status=0):
    check_equal(s.run(f'/m/lh enter {arguments}', LIMIT_S), (status, out))


def programs(t, s):
    for name in PROGRAMS:
        for where, command in (('as it is', ''), ('in guest mode', '/m/lh enter '),
                               ('with syscall user dispatch', '/m/lh enter --backend sud ')):
            with t.test(f'{name} {where}'):
                tap(s, f'{command}/t/{name}')
    with t.test('what is different in a guest'):
        tap(s, '/m/lh enter /t/guest_only')
    with t.test('libdune'):
        tap(s, '/t/dune_lib')
    with t.test('handlers of page faults'):
        tap(s, '/t/dune_faults')
    with t.test('handlers without an exit'):
        tap(s, '/t/dune_upcalls')
    with t.test('a signal at each instruction of the ways in and out'):
        tap(s, '/t/dune_windows')
    for name in EXAMPLES:
        with t.test(f'the example {name}'):
            check('in guest mode' in s(f'/t/{name}'))


def attacks(t, s):
    with t.test('attacks on the monitor'):
        tap(s, '/m/lh enter /t/attack_pointers')
    with t.test('tricks with the processor, as they are'):
        tap(s, '/t/attack_processor')
    with t.test('tricks with the processor'):
        tap(s, '/m/lh enter /t/attack_processor')
    with t.test('attacks on a policy'):
        tap(s, 'BOX=/box/in OUTSIDE=/box/outside STATIC=/t/static_true '
               '/m/lh enter --policy /t/policy -- /t/attack_policy')
        check_equal(s('cat /box/outside/*; ls /box/outside'), 'secretsecret')


def doors(t, s):
    for door in 'hvcl', 'iocsr', 'mmio':
        with t.test(f'the door {door}'):
            tap(s, f'/m/lh enter --door {door} /t/memory')
            expect(s, f'--door {door} sh -c "/bin/echo a | cat"', 'a\n')
    with t.test('a door that there is not'):
        expect(s, '--door hlt true', "lh enter: --door: 'hlt' is no way out of a guest of this processor\n", 1)


def command_line(t, s):
    with t.test('statuses'):
        expect(s, '-- /t/static_true', '')
        expect(s, 'sh -c "exit 77"', '', 77)
        expect(s, "sh -c 'kill -TERM $$'", 'Terminated\n', 128 + 15)
        expect(s, "sh -c 'kill -SEGV $$'", 'Segmentation fault\n', 128 + 11)
    with t.test('shells and pipelines'):
        expect(s, "sh -c 'seq 1000 | grep 7 | sort -rn | head -n 2'", '997\n987\n')
        expect(s, "sh -c 'trap \"echo trapped\" USR1; kill -USR1 $$; x=$(echo sub; exit 3); echo $x $?'",
               'trapped\nsub 3\n')
        expect(s, "sh -c 'sleep 30 & kill $!; wait $!; echo $?'", 'Terminated\n143\n')
        expect(s, '/t/script x', '/t/script x\n')
    with t.test('traces'):
        status, text = s.run('/m/lh enter --trace cat /nonexistent')
        check_equal(status, 1)
        check(re.search(r'^\[\d+\] openat\(AT_FDCWD, "/nonexistent", 0x0, 00?\) = -1 ENOENT$', text, re.M), text)
        check(re.search(r'^\[\d+\] exit_group\(1\) = \?$', text, re.M), text)
    with t.test('one exit for a call'):
        text = s('/m/lh enter --stat /t/static_true; /m/lh enter --stat find /sys/class /sys/bus > /dev/null')
        ratios = [float(x) for x in re.findall(r'^lh enter: (\S+) exits per call', text, re.M)]
        check(len(ratios) == 2 and ratios[1] < 1.05, text)
    with t.test('policies'):
        expect(s, '--policy ro cat /etc/passwd', s('cat /etc/passwd') + '\n')
        status, text = s.run('/m/lh enter --policy ro sh -c "echo x > /made"; ls /made')
        check(status and "can't create /made" in text, text)
        status, text = s.run("(echo profile rw; echo kill getppid) > /t/deny; "
                             "/m/lh enter --policy /t/deny sh -c 'exec /bin/busybox sh -c \"echo $PPID\"'")
        check_equal(status, 128 + 31)
        check('the policy does not let it call getppid' in text, text)


def messages(t, s):
    with t.test('doctor knows the way'):
        text = s('/m/lh doctor')
        us = r'[\d.]+ us'
        check(re.search(r'^ok +guest mode +system calls enter PLV0 and leave it by hvcl; '
                        rf'{us} for one and back \(hvcl {us}, iocsr {us}, mmio {us}\), ', text, re.M), text)
        check(re.search(r'^ok +dispatch +[\d.]+ us for a system call and back ', text, re.M), text)
    with t.test('what cannot be'):
        expect(s, '/t/foreign', 'lh enter: /t/foreign: a program for another architecture (machine 62, 64 bits)\n', 1)
        expect(s, '/nonexistent', 'lh enter: /nonexistent: No such file or directory\n', 1)
        s('mv /dev/kvm /dev/kept')
        status, text = s.run('/m/lh enter true')
        s('mv /dev/kept /dev/kvm')
        check_equal((status, text), (1, 'lh enter: /dev/kvm: No such file or directory; --backend sud does without\n'))


def boot_programs_in_guest_mode_inside_a_machine(t):
    with t.test('the programs are built for loong64'):
        lh = build_program('dune-programs', 'dune-examples')
    with t.machine('-m', '2G', '-smp', '2', '-nic', 'none', '-kernel', guest_file('vmlinuz'),
                   '-initrd', make_initrd(t, lh), '-append', 'console=ttyS0,115200') as m:
        s = m.shell()
        s('mount -t cgroup2 cgroup2 /sys/fs/cgroup')
        messages(t, s)
        command_line(t, s)
        programs(t, s)
        attacks(t, s)
        doors(t, s)
        with t.test('the machine is still well'):
            check('Oops' not in s('dmesg'))
            check_equal(s.power_off().status, 0)


# One instruction takes 16 ns, and timers end 10 ns apart.
def boot_signals_on_the_way_to_handlers_in_counted_time(t):
    lh = build_program('dune-programs', 'dune-examples')
    with t.machine('-m', '2G', '-smp', '1', '-icount', 'shift=4', '-nic', 'none', '-kernel', guest_file('vmlinuz'),
                   '-initrd', make_initrd(t, lh), '-append', 'console=ttyS0,115200') as m:
        s = m.shell()
        with t.test('a signal at each instruction on the way to handlers and back'):
            s('export LH_DUNE_PHASES=12000')
            tap(s, '/t/dune_upcalls signals_come_at_each_phase')
        check_equal(s.power_off().status, 0)


main()
