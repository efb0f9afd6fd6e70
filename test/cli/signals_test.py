#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signals end a machine as its user would."""

import os
import signal

from harness import check, check_equal, main, read, wait_until

READY = ('print', 'ready\\n', 'spin')


def test_they_end_it(s):
    for name in ('SIGTERM', 'SIGINT', 'SIGHUP'):
        with s.start('run', s.payload(*READY), '-smp', '2') as p:
            p.expect(b'ready\n')
            p.process.send_signal(getattr(signal, name))
            result = p.end()
            check_equal((result.status, result.out), (0, 'ready\n'))
            check_equal(result.err, f'lh run: ended by {name} from process {os.getpid()}\n')


def test_an_idle_guest_ends_too(s):
    with s.start('run', s.payload('print', 'ready\\n', 'idle')) as p:
        p.expect(b'ready\n')
        p.process.terminate()
        check_equal(p.end().status, 0)


def test_files_are_complete_and_gone(s):
    args = ['-pidfile', s.path('pid'), '-serial', 'file:' + s.path('out'), '-d', 'unimp',
            '-D', s.path('log'), '-serial', f'unix:{s.path("socket")},server,wait=off']
    with s.start('run', s.payload('poke', '0x100e0008', *READY), *args) as p:
        wait_until(lambda: os.path.exists(s.path('out')) and read(s.path('out')), 'output')
        check_equal(read(s.path('pid')), b'%d\n' % p.process.pid)
        p.process.terminate()
        check_equal(p.end().status, 0)
    check_equal(read(s.path('out')), b'ready\n')
    check(b'hot-plug' in read(s.path('log')))
    check(not os.path.exists(s.path('pid')))
    check(not os.path.exists(s.path('socket')))


def test_many_at_once_do_no_harm(s):
    with s.start('run', s.payload(*READY), '-pidfile', s.path('pid')) as p:
        p.expect(b'ready\n')
        for number in 10 * (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            p.process.send_signal(number)
        check_equal(p.end().status, 0)
    check(not os.path.exists(s.path('pid')))


def test_while_it_waits_for_a_client(s):
    path = s.path('socket')
    with s.start('run', s.payload(*READY), '-serial', f'unix:{path},server',
                 '-pidfile', s.path('pid')) as p:
        p.expect(b'waiting for a client\n', 'stderr')
        p.process.terminate()
        result = p.end()
        check_equal(result.status, 0)
        check(f'ended by SIGTERM from process {os.getpid()}' in result.err, result)
    check(not os.path.exists(path) and not os.path.exists(s.path('pid')))


def test_the_second_ends_what_reads_a_kernel_that_never_comes(s):
    """Reading a kernel from a pipe takes as long as the other end likes."""
    pipe = s.path('pipe')
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    with s.start('run', pipe) as p:
        wait_until(lambda: pipe in open_files(p.process.pid), 'it reads')
        p.process.terminate()
        wait_until(lambda: not pending(p.process.pid), 'the first signal is seen')
        p.process.terminate()
        check_equal(p.end().status, -signal.SIGTERM)
    os.close(writer)


def open_files(pid):
    found = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            found.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except OSError:
            pass
    return found


def pending(pid):
    fields = dict(line.split(':', 1) for line in read(f'/proc/{pid}/status').decode().splitlines())
    return int(fields['SigPnd'], 16) | int(fields['ShdPnd'], 16)


def test_ignored_signals_stay_ignored(s):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with s.start('run', s.payload('print', 'ready\\n', 'echo', '.', 'poweroff'),
                 preexec_fn=ignore) as p:
        p.expect(b'ready\n')
        p.process.send_signal(signal.SIGHUP)
        p.send(b'a.')
        result = p.end()
        check_equal((result.status, result.out, result.err), (0, 'ready\na.', ''))


main()
