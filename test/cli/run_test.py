#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How machines end, and what the exit status says."""

import subprocess
import time

from harness import check, check_equal, main

PANIC = 'Kernel panic - not syncing'


def expect(result, status, out, err=''):
    check_equal((result.status, result.out, result.err), (status, out, err))


def test_power_off(s):
    expect(s.lh_run(s.payload('print', 'hello\\n', 'poweroff')), 0, 'hello\n')


def test_spellings(s):
    kernel = s.payload('print', 'hello\\n', 'poweroff')
    for args in (['-kernel', kernel], ['--kernel', kernel], ['-kernel=' + kernel],
                 ['--kernel=' + kernel], ['--', kernel], ['-m', '300', kernel],
                 ['--m=size=300M', kernel], ['-smp', 'cpus=2', kernel], ['-M', 'virt', kernel],
                 ['-machine', 'virt', '-cpu', 'la464,lasx=off', '-accel', 'interp', kernel],
                 ['-append', 'a=b', kernel], ['-nographic', kernel], ['-nic', 'none', kernel],
                 ['-m', '5', '-m', '1G', kernel], ['-append=', kernel]):
        expect(s.lh_run(*args), 0, 'hello\n')


def test_resets_go_on(s):
    kernel = s.payload('print', 'boot\\n', 'boots', '4', 'reset')
    expect(s.lh_run(kernel), 0, 4 * 'boot\n')


def test_no_reboot(s):
    kernel = s.payload('print', 'boot\\n', 'boots', '4', 'reset')
    expect(s.lh_run(kernel, '-no-reboot'), 0, 'boot\n')


def test_many_processors(s):
    kernel = s.payload('print', 'boot\\n', 'boots', '3', 'reset')
    expect(s.lh_run(kernel, '-smp', '4'), 0, 3 * 'boot\n')


def test_panic_and_reset(s):
    kernel = s.payload('print', f'[ 1.0] {PANIC}: why\\nCPU: 0\\n', 'boots', '2', 'reset')
    out = f'[ 1.0] {PANIC}: why\nCPU: 0\n'
    expect(s.lh_run(kernel, '-no-reboot'), 3, out, 'lh run: the guest panicked\n')
    expect(s.lh_run(kernel), 0, 2 * out)


def test_panic_and_power_off(s):
    kernel = s.payload('print', f'{PANIC}\\n', 'poweroff')
    expect(s.lh_run(kernel, '-no-reboot'), 3, f'{PANIC}\n', 'lh run: the guest panicked\n')
    expect(s.lh_run(kernel), 0, f'{PANIC}\n')


def test_panic_and_silence(s):
    """A guest that stays where it is ends a second after its last words, not sooner."""
    for forever in ('spin', 'idle'):
        kernel = s.payload('print', f'{PANIC}: why\\n', 'delay', '100', 'print', 'last words\\n',
                           forever)
        start = time.monotonic()
        expect(s.lh_run(kernel, '-no-reboot'), 3, f'{PANIC}: why\nlast words\n',
               'lh run: the guest panicked\n')
        check(time.monotonic() - start >= 1.1, time.monotonic() - start)


def test_panic_without_no_reboot_goes_on(s):
    kernel = s.payload('print', f'{PANIC}: why\\n', 'delay', '1500', 'print', 'still here\\n',
                       'poweroff')
    expect(s.lh_run(kernel), 0, f'{PANIC}: why\nstill here\n')


def test_panic_on_a_port_that_nobody_reads(s):
    kernel = s.payload('print', f'{PANIC}\\n', 'spin')
    for port in ('null', 'pty', 'unix:' + s.path('s') + ',server,wait=off'):
        result = s.lh_run(kernel, '-no-reboot', '-serial', port)
        check_equal((result.status, result.out), (3, ''))


def test_network_without_being_asked(s):
    """A machine has a card if the user network is built in, unless somebody says something of
    networks; the message tells which networks there are."""
    kernel, card = s.payload('poweroff'), ['-device', 'virtio-net-pci,netdev=none']
    has_network = '\nok  user network' in s.run('doctor').out

    def there_is(*args):
        return s.lh_run(kernel, *card, *args).err.strip().split(': ')[-1]
    check_equal(there_is(), 'nic0' if has_network else 'none')
    check_equal(there_is('-nic', 'none'), 'none')
    if has_network:
        check_equal(there_is('-netdev', 'user,id=mine'), 'mine')


def test_standard_streams_that_are_closed(s):
    kernel = s.payload('print', 'hello\\n', 'poweroff')
    for closed, out in (('<&-', 'hello\n'), ('>&-', ''), ('2>&-', 'hello\n'), ('<&- >&- 2>&-', '')):
        p = subprocess.run(['sh', '-c', f'exec "$0" "$@" {closed}', s.lh, 'run', kernel],
                           capture_output=True, text=True, timeout=30, check=False)
        check_equal((p.returncode, p.stdout), (0, out))


def test_no_panic(s):
    kernel = s.payload('print', 'Kernel panic - not sync\\n', 'delay', '1200', 'reset')
    expect(s.lh_run(kernel, '-no-reboot'), 0, 'Kernel panic - not sync\n')


def test_standard_input_is_a_pipe(s):
    kernel = s.payload('print', '> ', 'echo', '.', 'print', '\\nbye\\n', 'poweroff')
    expect(s.lh_run(kernel, stdin=b'one two.'), 0, '> one two.\nbye\n')


def test_end_of_standard_input_is_no_end(s):
    kernel = s.payload('delay', '200', 'print', 'late\\n', 'poweroff')
    expect(s.lh_run(kernel, stdin=b''), 0, 'late\n')


def test_output_is_complete(s):
    text = ''.join(f'line {i} of what a guest prints before it is gone\\n' for i in range(200))
    result = s.lh_run(s.payload('print', text, 'poweroff'))
    expect(result, 0, text.replace('\\n', '\n'))


def test_reader_that_leaves(s):
    """As in `lh run K | head -1`: the output is dropped, the guest goes on."""
    kernel = s.payload('print', 'one\\n', 'delay', '300', 'print', 'two\\n', 'delay', '100',
                       'poweroff')
    with s.start('run', kernel) as p:
        p.expect(b'one\n')
        p.process.stdout.close()
        check_equal(p.process.wait(timeout=30), 0)
        check_equal(p.process.stderr.read(), b'')


main()
