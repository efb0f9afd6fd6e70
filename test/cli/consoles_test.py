#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""-serial and what it connects to; -d, -D and -pidfile."""

import os
import re
import socket

from harness import Skip, check, check_equal, connect, main, read, read_some, wait_for, write

ECHO = ('print', 'ready\\n', 'echo', '.', 'print', '\\nbye\\n', 'poweroff')
HELLO = ('print', 'hello\\n', 'poweroff')


def quiet(result):
    check_equal((result.status, result.out, result.err), (0, '', ''))


def test_file(s):
    out = write(s.path('out'), b'an old and longer text')
    quiet(s.lh_run(s.payload(*HELLO), '-serial', 'file:' + out))
    check_equal(read(out), b'hello\n')
    quiet(s.lh_run(s.payload(*HELLO), '-serial', f'file:{out},append=on'))
    check_equal(read(out), b'hello\nhello\n')


def test_file_with_a_comma(s):
    quiet(s.lh_run(s.payload(*HELLO), '-serial', 'file:' + s.path('a,,b')))
    check_equal(read(s.path('a,b')), b'hello\n')


def test_null(s):
    quiet(s.lh_run(s.payload(*HELLO), '-serial', 'null'))


def test_four_ports(s):
    """The first port prints; the others exist, and their files are made."""
    ports = [f'file:{s.path(str(i))}' for i in range(4)]
    quiet(s.lh_run(s.payload(*HELLO), *(a for port in ports for a in ('-serial', port))))
    check_equal([read(s.path(str(i))) for i in range(4)], [b'hello\n', b'', b'', b''])


def test_second_port_on_the_terminal(s):
    result = s.lh_run(s.payload(*HELLO), '-serial', 'null', '-serial', 'stdio')
    quiet(result)


def test_chardevs(s):
    """For a device; the first serial port stays on the terminal, unless a -chardev is there."""
    args = ('-chardev', 'file,id=c0,path=' + s.path('out'), '-device', 'virtio-serial-pci,chardev=c0')
    result = s.lh_run(s.payload(*HELLO), *args)
    check_equal((result.status, result.out, result.err), (0, 'hello\n', ''))
    check_equal(read(s.path('out')), b'')
    quiet(s.lh_run(s.payload(*HELLO), '-chardev', 'stdio,id=c0', '-device',
                   'virtio-serial-pci,chardev=c0'))
    quiet(s.lh_run(s.payload(*HELLO), '-chardev', 'stdio,id=c0', '-serial',
                   'file:' + s.path('out')))
    check_equal(read(s.path('out')), b'hello\n')


def talk(client):
    seen = wait_for(client.fileno(), b'ready\n')
    client.sendall(b'one.')
    while True:
        data = read_some(client.fileno())
        if not data:
            return seen
        seen += data


def test_unix_server_waits_for_a_client(s):
    path = s.path('socket')
    with s.start('run', s.payload(*ECHO), '-serial', f'unix:{path},server') as p:
        p.expect(b'waiting for a client', 'stderr')
        with connect(path) as client:
            check_equal(talk(client), b'ready\none.\nbye\n')
        check_equal(p.end().status, 0)
    check(not os.path.exists(path))


def test_unix_server_without_waiting(s):
    path = s.path('socket')
    kernel = s.payload('echo', '.', 'poweroff')
    with s.start('run', kernel, '-serial', f'unix:{path},server,wait=off') as p:
        with connect(path) as client:
            client.sendall(b'one')
            wait_for(client.fileno(), b'one')
        with connect(path) as client:
            client.sendall(b'two.')
            check_equal(p.end().status, 0)


def test_unix_client(s):
    path = s.path('socket')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        server.settimeout(30)
        with s.start('run', s.payload(*ECHO), '-serial', 'unix:' + path) as p:
            client, _ = server.accept()
            with client:
                check_equal(talk(client), b'ready\none.\nbye\n')
            check_equal(p.end().status, 0)
    check(os.path.exists(path))


def test_pty(s):
    kernel = s.payload('echo', '!', 'print', 'ready\\n', 'echo', '.', 'print', 'bye\\n', 'poweroff')
    with s.start('run', kernel, '-serial', 'pty:' + s.path('link')) as p:
        p.expect(b'\n', 'stderr')
        slave = re.search(r'console on (\S+)', p.seen.decode()).group(1)
        check_equal(os.readlink(s.path('link')), slave)
        fd = os.open(slave, os.O_RDWR | os.O_NOCTTY)
        os.write(fd, b'!')
        seen = wait_for(fd, b'ready\n')
        os.write(fd, b'one.')
        wait_for(fd, b'bye\n', seen)
        os.close(fd)
        p.seen = b''
        check_equal(p.end().status, 0)
    check(not os.path.lexists(s.path('link')))


def test_escape_key_can_be_off(s):
    """On a pipe Ctrl-a x quits as on a terminal, unless it is data."""
    kernel = s.payload('echo', '.', 'poweroff')
    check_equal(s.lh_run(kernel, stdin=b'a\x01x').status, 0)
    result = s.lh_run(kernel, '-serial', 'stdio,escape=off', stdin=b'a\x01x.')
    check_equal((result.status, result.out), (0, 'a\x01x.'))


def test_log_on_standard_error(s):
    result = s.lh_run(s.payload('poke', '0x100e0008', *HELLO), '-d', 'unimp')
    check_equal((result.status, result.out), (0, 'hello\n'))
    check('unimp: ged: hot-plug register 0x08 written with 0x01\n' in result.err, result)


def test_log_is_off_without_d(s):
    result = s.lh_run(s.payload('poke', '0x100e0008', *HELLO))
    check_equal((result.status, result.out, result.err), (0, 'hello\n', ''))


def test_log_file(s):
    log = write(s.path('log'), b'old')
    kernel = s.payload('poke', '0x100e0008', *HELLO)
    result = s.lh_run(kernel, '-d', 'boot,unimp', '-D', log)
    check_equal((result.status, result.out, result.err), (0, 'hello\n', ''))
    lines = read(log).decode().splitlines()
    check('unimp: ged: hot-plug register 0x08 written with 0x01' in lines, lines)
    check(all(line.startswith(('boot: ', 'unimp: ')) for line in lines), lines)


def test_statistics(s):
    """The program counts 250 ms; reading the counter over and over takes instructions."""
    result = s.lh_run(s.payload('delay', '250', 'poweroff'), '-smp', '2', '-d', 'stats', '-accel',
                      'interp')
    check_equal((result.status, result.out), (0, ''))
    lines = result.err.splitlines()
    check_equal(len(lines), 3)
    counts = [int(re.fullmatch(rf'stats: cpu {i}: (\d+) instructions', lines[i]).group(1))
              for i in range(2)]
    check(counts[0] > 100000 and counts[0] > counts[1], counts)
    numbers = re.fullmatch(r'stats: ([\d.]+) s, of the host\'s processors ([\d.]+) s and ([\d.]+) s '
                           r'in its kernel, (\d+) KiB resident at most', lines[2])
    elapsed, user, kernel, kib = map(float, numbers.groups())
    check(elapsed >= 0.25 and 0 < user + kernel < 2.5 * elapsed + 1 and kib > 1000, lines)


def test_statistics_of_the_translator(s):
    """It does not count what is executed, but what it made."""
    result = s.lh_run(s.payload('delay', '250', 'poweroff'), '-d', 'stats', '-accel', 'jit')
    if 'there is no translator' in result.err:
        raise Skip('this host is none that there is a translator for')
    check_equal((result.status, result.out), (0, ''))
    numbers = re.match(r'stats: translated (\d+) instructions in (\d+) blocks, ([\d.]+) bytes and (\d+) ns '
                       r'each\n', result.err)
    insns, blocks, size, ns = map(float, numbers.groups())
    check(insns >= blocks > 0 and size > 1 and ns > 1, result.err)
    check('everything dropped 0 times' in result.err, result.err)


def test_log_file_without_classes(s):
    log = s.path('log')
    result = s.lh_run(s.payload('poke', '0x100e0008', *HELLO), '-D', log)
    check_equal((result.status, read(log)), (0, b''))


def test_log_to_a_device(s):
    result = s.lh_run(s.payload('poke', '0x100e0008', *HELLO), '-d', 'unimp', '-D', '/dev/stderr')
    check_equal(result.status, 0)
    check('hot-plug register' in result.err, result)


def test_pidfile(s):
    path = write(s.path('pid'), b'99999999 of a machine that is gone')
    with s.start('run', s.payload(*ECHO), '-pidfile', path) as p:
        p.expect(b'ready\n')
        check_equal(read(path), b'%d\n' % p.process.pid)
        other = s.lh_run(s.payload(*HELLO), '-pidfile', path)
        check_equal((other.status, other.out), (1, ''))
        check_equal(other.err, f"lh run: -pidfile '{path}': it belongs to process "
                               f'{p.process.pid}, which is running\n')
        check_equal(read(path), b'%d\n' % p.process.pid)
        p.send(b'.')
        check_equal(p.end().status, 0)
    check(not os.path.exists(path))


def test_name(s):
    for option in ('shed', 'guest=shed'):
        with s.start('run', s.payload(*ECHO), '-name', option) as p:
            p.expect(b'ready\n')
            check_equal(read(f'/proc/{p.process.pid}/comm'), b'shed\n')
            p.send(b'.')
            check_equal(p.end().status, 0)


main()
