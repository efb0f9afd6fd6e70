#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lh run` on a terminal: keys, the status line, and what is left at the end."""

import os
import signal

from harness import Terminal, check, check_equal, main, wait_until

ERASE = b'\r\x1b[K'


def run(s, kernel, *args, **kwargs):
    return Terminal([s.lh, 'run', kernel, *args], **kwargs)


def visible(seen):
    """What is left on a line that is written, erased and written again."""
    return seen.split(ERASE)[-1]


def test_every_key_goes_to_the_guest(s):
    kernel = s.payload('print', 'ready\\n', 'echo', '.', 'print', '\\nbye\\n', 'poweroff')
    keys = b'abc\x03\x1a\x1c\x04\x11\x13\r\t\x7f.'
    with run(s, kernel) as t:
        t.expect(b'ready\r\n')
        check(t.is_raw())
        t.send(keys)
        # Output processing stays on: a line feed of the guest's becomes two characters.
        check_equal(visible(t.end()), b'ready\r\n' + keys + b'\r\nbye\r\n')
        check_equal(t.status, 0)


def test_ctrl_a_x_ends(s):
    with run(s, s.payload('print', 'ready\\n', 'spin')) as t:
        t.expect(b'ready\r\n')
        t.send(b'\x01x')
        check_equal((visible(t.end()), t.status), (b'ready\r\n', 0))


def test_ctrl_a_x_ends_an_idle_guest_and_a_silent_one(s):
    for steps in (('print', 'ready', 'idle'), ('idle',)):
        with run(s, s.payload(*steps), '-smp', '2') as t:
            wait_until(t.is_raw, 'raw mode')
            t.send(b'\x01x')
            t.end()
            check_equal(t.status, 0)


def test_ctrl_a_h_shows_the_keys(s):
    with run(s, s.payload('print', 'ready\\n', 'echo', '.', 'poweroff')) as t:
        t.expect(b'ready\r\n')
        t.send(b'\x01h')
        t.expect(b'Ctrl-a Ctrl-a  send Ctrl-a')
        check(b'save' not in t.seen, t.seen)
        t.send(b'\x01s')
        t.expect(b'no such key; Ctrl-a h lists them')
        t.send(b'\x01\x01.')
        check(t.end().endswith(b'\n\x01.\r\n'), t.seen)
        check_equal(t.status, 0)


def test_ctrl_a_x_ends_the_wait_for_a_client(s):
    socket = s.path('socket')
    with run(s, s.payload('spin'), '-serial', 'stdio', '-serial', f'unix:{socket},server') as t:
        t.expect(b'waiting for a client')
        t.send(b'\x01x')
        t.end()
        check_equal(t.status, 0)


def test_settings_come_back(s):
    with run(s, s.payload('print', 'ready\\n', 'echo', '.', 'poweroff')) as t:
        t.expect(b'ready')
        check(t.is_raw())
        t.send(b'.')
        t.end()
        check_equal(t.status, 0)
        check(not t.is_raw())


def test_settings_come_back_after_a_signal(s):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with run(s, s.payload('print', 'ready\\n', 'spin')) as t:
            t.expect(b'ready')
            check(t.is_raw())
            os.kill(t.pid, number)
            t.end()
            check_equal(t.status, 0)
            check(b'ended by SIG' in t.seen, t.seen)
            check(not t.is_raw())


def test_settings_come_back_after_an_error(s):
    with run(s, s.payload('poweroff'), '-serial', 'stdio', '-serial', 'unix:/no/socket') as t:
        t.end()
        check_equal(t.status, 1)
        check(not t.is_raw())


def test_cursor_ends_on_a_line_of_its_own(s):
    with run(s, s.payload('print', 'prompt# ', 'poweroff')) as t:
        check_equal(visible(t.end()), b'prompt# \r\n')


def test_modes_that_the_guest_switched_go_back(s):
    with run(s, s.payload('print', '\\e[?25l\\e[31mred\\n', 'poweroff')) as t:
        after = t.end().split(b'red\r\n')[1]
        for undone in (b'\x1b[0m', b'\x1b[?25h', b'\x1b[?7h', b'\x1b[?1l', b'\x1b[r'):
            check(undone in after, undone, after)
    with run(s, s.payload('print', 'black\\n', 'poweroff')) as t:
        check_equal(t.end().split(b'black\r\n')[1], b'')


def test_dumb_terminals_are_left_alone(s):
    with run(s, s.payload('delay', '500', 'print', '\\e[31mred\\n', 'poweroff'), TERM='dumb') as t:
        check_equal(t.end(), b'\x1b[31mred\r\n')


def test_status_line_until_the_first_output(s):
    payload = s.payload('delay', '1200', 'print', 'first\\n', 'delay', '600', 'poweroff')
    with run(s, payload, '-accel', 'interp') as t:
        t.expect(b"waiting for the guest's first output")
        lines = t.end().split(ERASE)
        check(lines[1].startswith(b'loading '), lines)
        status = [line for line in lines if b'waiting for' in line]
        check(len(status) >= 2, lines)
        check(all(b'.elf: waiting for the guest\'s first output, ' in line and
                  line.endswith(b' million instructions, Ctrl-a x ends') for line in status), lines)
        counts = [int(line.split()[-6]) for line in status]
        check(counts == sorted(counts) and counts[-1] > 0, counts)
        check_equal(lines[-1], b'first\r\n')


def test_status_line_fits_the_terminal(s):
    with run(s, s.payload('delay', '1000', 'print', 'first\\n', 'poweroff'), width=40) as t:
        lines = t.end().split(ERASE)
        check(max(len(line) for line in lines[3:-1]) <= 39, lines)


def test_status_line_without_keys(s):
    with run(s, s.payload('idle'), '-serial', 'null') as t:
        t.expect(b'Ctrl-c ends')
        t.send(b'\x03')
        check_equal(visible(t.end()), b'lh run: ended by SIGINT\r\n')
        check_equal(t.status, 0)


def test_no_status_line_while_the_log_is_there(s):
    with run(s, s.payload('delay', '600', 'print', 'first\\n', 'poweroff'), '-d', 'unimp') as t:
        check_equal(t.end(), b'first\r\n')


def test_no_status_line_without_a_terminal(s):
    result = s.lh_run(s.payload('delay', '600', 'print', 'first\\n', 'poweroff'))
    check_equal((result.out, result.err), ('first\n', ''))


def test_error_replaces_the_status_line(s):
    with run(s, s.path('missing')) as t:
        last = visible(t.end())
        check(last.startswith(b'lh run: kernel '), t.seen)
        check_equal((last.count(b'\n'), t.status), (1, 1))


main()
