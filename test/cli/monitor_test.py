#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The monitor: on a socket, on the terminal, and what clients may do to it."""

import os
import random
import re
import socket
import time

from harness import TIMEOUT, Terminal, check, check_equal, connect, main, wait_until

PROMPT = b'(lh) '
SPIN = ('print', 'ready\\n', 'spin')


class Client:
    """Somebody at the monitor's socket."""

    def __init__(self, path):
        self.socket = connect(path)
        self.seen = b''
        check(b"monitor; 'help' lists" in self.answer())

    def answer(self):
        """What comes before the next prompt."""
        while PROMPT not in self.seen:
            data = self.socket.recv(65536)
            if not data:
                raise AssertionError(f'no prompt came, only {self.seen!r}')
            self.seen += data
        text, self.seen = self.seen.split(PROMPT, 1)
        return text

    def do(self, line):
        self.socket.sendall(line.encode() + b'\n')
        return self.answer().decode()

    def expect(self, line, *parts):
        """Each part in the answer, in this order."""
        text, at = self.do(line), 0
        for part in parts:
            check(part in text[at:], part, line, text)
            at = text.index(part, at) + len(part)
        return text

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()


def machine(s, *args, steps=SPIN):
    """A machine with a monitor, and the path of its socket."""
    path = s.path('monitor')
    return s.start('run', s.payload(*steps), '-monitor', 'unix:' + path, *args), path


def quit_by(client, process):
    client.socket.sendall(b'quit\n')
    result = process.end()
    check_equal((result.status, result.err), (0, ''))
    return result.out


def test_help(s):
    p, path = machine(s)
    with p, Client(path) as c:
        text = c.expect('help', '  cpu N ', '  quit ')
        names = re.findall(r'^  (\w+)', text, re.M)
        check(len(names) > 10, text)
        for name in names:
            c.expect('help ' + name, name)
        topics = re.findall(r'^  (\w+)', c.do('info'), re.M)
        check({'registers', 'csr', 'gcsr', 'tlb', 'lvz', 'memory', 'status'} <= set(topics), topics)
        for topic in topics:
            check(': no such' not in c.do('info ' + topic), topic)
        quit_by(c, p)
    check(not os.path.exists(path))


def test_what_is_wrong_is_said(s):
    p, path = machine(s)
    with p, Client(path) as c:
        for line, answer in (
                ('hlep', "'hlep': no such command; did you mean help?"),
                ('frobnicate', "'frobnicate': no such command; 'help' lists them"),
                ('info regsters', "'info regsters': no such topic; did you mean registers?"),
                ('stop now', "'stop' takes nothing after it"),
                ('info status x', "'info status' takes nothing after it"),
                ('info lvz x', "'info lvz' takes nothing after it"),
                ('cpu', 'write: cpu N'),
                ('cpu 1', "'1' is not a processor; write a number up to 0"),
                ('x', 'write: x [/8xg] ADDRESS'),
                ('x /8gx', 'write: x [/8xg] ADDRESS, as in x/8xg $sp'),
                ('x/8gz 0', "'/8gz' is not a format; write /8xg: how many, one of x d u o c i (how "
                            'shown), one of b h w g (1, 2, 4, 8 bytes)'),
                ('x/0x 0', "'/0x': one command shows 1 to 1024 units"),
                ('x zorro', "'zorro' is not a number; write 0x1000, 4096, $sp or $sp+16"),
                ('x zero', "'zero' is not a number; the register is $zero"),
                ('x $zorro', "'$zorro': there is no such register; $pc, $sp, $a0 or $era are"),
                ('explain 0 plv 4', "'4' is not a privilege level; write a number up to 3"),
                ('explain 0 jump', "'jump' is none of: plv N, guest, root, fetch, load, store"),
                ('explain 0 plv', "'plv' is none of: plv N, guest, root, fetch, load, store"),
                ('1 2 3 4 5 6 7 8 9', 'too many words: a command has at most 8'),
                ('x 0x1fe001e0', 'physical address 0x1fe001e0 is not memory: device uart16550 '
                                 '0x1fe001e0-0x1fe001e7, offset 0x0'),
                ('xp 0x70000000000', 'physical address 0x70000000000 is not memory: nothing: reads '
                                     'give all ones, writes are lost'),
                ('', '')):
            check_equal(c.do(line), answer + '\n' if answer else '')
        quit_by(c, p)


def test_memory(s):
    p, path = machine(s, '-smp', '2', '-nic', 'none')
    with p, Client(path) as c:
        p.expect(b'ready\n')
        check_equal(c.do('x/3i 0x200000').splitlines()[0],
                    '  0000000000200000: 143fc00c  lu12i.w $t0, 130560')
        check_equal(c.do('x/6c 0x204000'), '0000000000204000: ready.\n')
        check_equal(c.do('xp/2xw 0x200000'), '0000000000200000: 0x143fc00c 0x0387818c\n')
        check_equal(c.do('x/xg 0x200001'), '0000000000200001: 0x840387818c143fc0\n')
        check_equal(c.do('x/2db 0x204004'), '0000000000204004:  121   10\n')
        c.expect('disassemble $pc 1', '> ', '50000000  b 0')
        c.expect('x/1024xg 0x1fffff0', '0000000001fffff0:', '0000000002001fe0:')
        c.expect('explain 0x204000', 'cpu 0, root, PLV 0, load from 0x204000\n',
                 'direct mode (CRMD.DA)', 'there: RAM 0x0-0xfffffff, offset 0x204000\n')
        c.expect('explain 0x1fe001e5 store', 'store to', 'there: device uart16550 '
                 '0x1fe001e0-0x1fe001e7, offset 0x5\n')
        c.expect('explain 0x1c000000 fetch', 'device boot-rom', 'reads as memory')
        c.expect('explain $pc+1 fetch', 'raises ADEF')
        c.expect('info memory', '0000000000000000-000000000fffffff RAM, 256 MiB\n', 'iocsr, 64 KiB\n',
                 '  000000001fe001e0-000000001fe001e7 uart16550, 8 bytes\n')
        c.expect('info devices', 'uart16550 at 0x1fe001e0\n', 'pcie-host\n')
        c.expect('info network', 'no networks\n')
        quit_by(c, p)


def test_disks(s):
    disk = s.path('disk')
    with open(disk, 'wb') as f:
        f.truncate(3 << 20)
    p, path = machine(s, '-drive', f'file={disk},format=raw,if=virtio,readonly=on')
    with p, Client(path) as c:
        c.expect('info block', f"drive0: '{disk}', 3 MiB, read-only, on virtio-blk-pci\n")
        c.expect('info devices', 'virtio-blk-pci in PCI slot 1.0')
        quit_by(c, p)


def test_processors(s):
    p, path = machine(s, '-smp', '3')
    with p, Client(path) as c:
        p.expect(b'ready\n')
        wait_until(lambda: c.do('info cpus').count(', idle') == 2, 'the others sleep')
        c.expect('info cpus', '* cpu 0: pc 0x2000', 'root, PLV 0, direct', '  cpu 2: pc 0x1c00',
                 ', idle')
        check_equal(c.do('cpu 2'), '')
        c.expect('info cpus', '  cpu 0', '* cpu 2')
        c.expect('info registers', 'pc   0x000000001c00')
        c.expect('info csr cpuid', '0x020 CPUID     0x0000000000000002\n')
        c.expect('x/xg $cpuid+0x200000', '0000000000200002:')
        c.expect('info lvz', 'cpu  2*', 'entries')
        with_others = c.do('info interrupts')
        check('cpu 2\n  root: none' in with_others, with_others)
        quit_by(c, p)


def test_a_processor_without_guests(s):
    p, path = machine(s, '-cpu', 'la464')
    with p, Client(path) as c:
        for line in ('info gcsr', 'info lvz', 'explain 0 guest'):
            check_equal(c.do(line), 'this processor has no guests: its model lacks lvz\n')
        quit_by(c, p)


def test_guest_mode(s):
    """A guest that has exited three times and now runs for ever. Translated code does not count
    instructions."""
    p, path = machine(s, '-accel', 'interp', steps=('print', 'ready\\n', 'guest'))
    with p, Client(path) as c:
        p.expect(b'ready\n')
        wait_until(lambda: 'guest (GID 5)' in c.do('info cpus'), 'the guest runs')
        wait_until(lambda: re.search(r'exits by HVC +3\n', c.do('info lvz')), 'three exits')
        table = dict(re.findall(r'^(\S.*?)  +(\d+)$', c.do('info lvz'), re.M))
        check_equal((table['entries'], table['guest id switches']), ('4', '1'))
        check(int(table['instructions in guests']) > 0 and int(table['time in guests, us']) > 0, table)
        c.expect('explain $pc fetch', 'cpu 0, guest (GID 5), PLV 0, fetch', 'stage 1: GVA 0x2',
                 'direct mode', 'stage 2: GPA 0x2', 'TLB: MTLB[2048]', 'there: RAM 0x0-0xfffffff')
        c.expect('explain 0x10000123', 'stage 2: GPA 0x10000123, GID 5\n', 'no entry matches',
                 "root's PGDL 0x700000\n", 'Dir3[0] at 0x700000 is 0x704000\n',
                 'Dir1[8] at 0x704040 is 0x708000\n', 'PT[0] at 0x708000 is 0x900013', '-> PA 0x900123\n',
                 'raises TLBR, an exit to the root, for 0x10000123\n')
        c.expect('explain 0x12000123', 'Dir1[9] at 0x704048 is 0x0\n', 'raises TLBR')
        c.expect('explain 0x10000123 root', 'cpu 0, root, PLV 0', 'leads to 0x10000123\n',
                 'there: device pch-pic')
        check_equal(c.do('x/xg 0x10000000'), '0000000010000000: 0x0000000000000000\n')
        c.expect('disassemble', '> ', 'b 0')
        c.expect('info gcsr crmd', 'DA=1')
        c.expect('info tlb stage2', 'MTLB[2048] 0x000000000000 PS 21 ASID 0 GID 5 |')
        quit_by(c, p)


def test_guest_mode_translated(s):
    """What translated code does not count it does not tell; time it does."""
    p, path = machine(s, '-accel', 'jit', steps=('print', 'ready\\n', 'guest'))
    with p, Client(path) as c:
        p.expect(b'ready\n')
        wait_until(lambda: re.search(r'exits by HVC +3\n', c.do('info lvz')), 'three exits')
        c.expect('info lvz', 'instructions in guests          not counted\n')
        times = [int(re.search(r'time in guests, us +(\d+)', c.do('info lvz')).group(1))
                 for _ in range(2)]
        check(0 < times[0] < times[1], times)
        c.expect('info status', 'instructions are not counted by the translator\n')
        quit_by(c, p)


def test_stop_and_go(s):
    """The guest's time stands still with it."""
    p, path = machine(s, steps=('print', 'ready\\n', 'delay', '400', 'print', 'later\\n', 'spin'))
    with p, Client(path) as c:
        p.expect(b'ready\n')
        check_equal(c.do('stop'), '')
        first = c.expect('info status', 'stopped, ')
        time.sleep(0.6)
        check_equal(c.do('info status'), first)
        check(b'later' not in p.seen, p.seen)
        check_equal(c.do('stop'), '')
        check_equal(c.do('cont'), '')
        p.expect(b'later\n')
        seconds = float(re.search(r'running, ([\d.]+) s', c.do('info status')).group(1))
        before = float(re.search(r'([\d.]+) s', first).group(1))
        check(before < seconds, before, seconds)
        check_equal(c.do('cont'), '')
        quit_by(c, p)


def test_start_stopped(s):
    p, path = machine(s, '-S')
    with p, Client(path) as c:
        c.expect('info status', 'stopped, 0.000 s after reset, ')
        c.expect('disassemble $pc 1', '> 000000001c000000: ')
        check_equal(c.do('cont'), '')
        p.expect(b'ready\n')
        quit_by(c, p)


def test_reset(s):
    p, path = machine(s, '-smp', '2', steps=('boots', '3', 'print', 'boot\\n', 'spin'))
    with p, Client(path) as c:
        p.expect(b'boot\n')
        check_equal(c.do('system_reset'), '')
        p.expect(b'boot\nboot\n')
        c.do('stop')
        c.do('system_reset')
        wait_until(lambda: c.do('info status').startswith('stopped, 0.000 s'), 'the reset')
        check_equal(p.seen, 2 * b'boot\n')
        c.socket.sendall(b'cont\n')
        result = p.end()
        check_equal((result.status, result.out), (0, 2 * 'boot\n'))


def test_power_button(s):
    p, path = machine(s, steps=('print', 'ready\\n', 'button', 'print', 'bye\\n', 'poweroff'))
    with p, Client(path) as c:
        p.expect(b'ready\n')
        check_equal(c.do('system_powerdown'), '')
        result = p.end()
        check_equal((result.status, result.out), (0, 'ready\nbye\n'))


def test_clients_come_and_go(s):
    p, path = machine(s, '-smp', '2')
    with p:
        for i in range(5):
            with Client(path) as c:
                c.expect('info cpus', '* cpu 0')  # whatever the last one selected
                c.do('cpu 1')
                c.socket.sendall(b'half a li')
        with Client(path) as first:
            with socket.socket(socket.AF_UNIX) as second:  # waits for its turn
                second.connect(path)
                first.expect('info status', 'running')
                first.socket.sendall(b'\x04')  # leaves
                second.settimeout(TIMEOUT)
                check(second.recv(1000).startswith(b'Longhouse'))
                second.sendall(b'quit\n')
                check_equal(p.end().status, 0)


def test_a_script(s):
    """All of the input at once, and no more: all answers come, then the end."""
    p, path = machine(s)
    with p:
        for end in (b'', b'never ended'):
            with connect(path) as client:
                client.sendall(b'info version\r\n' + 50 * b'info csr\n' + b'info version\n' + end)
                client.shutdown(socket.SHUT_WR)
                seen = b''
                while True:
                    data = client.recv(65536)
                    if not data:
                        break
                    seen += data
            check_equal(seen.count(b'lh (Longhouse)'), 2)
            check_equal(seen.count(b'CRMD'), 50)
        with Client(path) as c:
            quit_by(c, p)


def test_hostile_clients(s):
    """Garbage, lines without end, answers that nobody takes, and no goodbye."""
    dice = random.Random(4711)
    words = [b'x', b'x/1024i', b'explain', b'info', b'xp/8xg', b'$pc', b'0x', b'plv', b'guest', b'cpu',
             b'-', b'+', b'tlb', b'csr', b'/', b'0xffffffffffffffff', b'$gstat', b'disassemble']
    p, path = machine(s)
    with p:
        for kind in range(8):
            with Client(path) as c:
                c.socket.settimeout(0.2)
                for _ in range(40):
                    if kind == 0:
                        data = dice.randbytes(3000)
                    elif kind == 1:
                        data = b'x' * 100000
                    elif kind == 2:
                        data = 100 * b'info csr\n'
                    else:
                        data = b' '.join(dice.choice(words) for _ in range(dice.randrange(12))) + b'\n'
                    try:
                        c.socket.sendall(data.replace(b'q', b'-').replace(b'\x04', b'-'))
                    except TimeoutError:
                        break  # the monitor takes no more than it answers
                    except BrokenPipeError:
                        raise AssertionError('the monitor hung up') from None
        with Client(path) as c:
            c.expect(5000 * 'y', 'the line is longer than 1023 bytes: it is ignored\n')
            c.expect('info status', 'running')
            quit_by(c, p)


def test_the_path_of_the_socket(s):
    comma = s.path('a,,b')
    with s.start('run', s.payload(*SPIN), '-monitor', f'unix:{comma}') as p:
        with Client(s.path('a,b')) as c:
            quit_by(c, p)
    for text, message in (
            ('tcp:1', "-monitor 'tcp:1': it is unix:PATH, pty or stdio"),
            ('unix:/no/such', "No such file or directory"),
            ('unix:', 'no path')):
        result = s.lh_run(s.payload(*SPIN), '-monitor', text)
        check_equal((result.status, result.out, result.err.count('\n')), (1, '', 1))
        check(message in result.err, result)


def test_on_the_terminal(s):
    kernel = s.payload('print', 'ready\\n', 'echo', '.', 'print', 'bye\\n', 'poweroff')
    with Terminal([s.lh, 'run', kernel]) as t:
        t.expect(b'ready\r\n')
        # What is typed before belongs to the guest, in one burst as well.
        t.send(b'a\x01cinfo vershon\x7f\x7f\x7fion\r')
        t.expect(b'(lh) ')
        t.expect(b'lh (Longhouse) ')
        t.expect(b'\r\n(lh) ')
        t.send(b'stop\x15\x03\x01h')
        t.expect(b'^C\r\n(lh) ')
        t.expect(b'Ctrl-a c  switch')
        t.send(b'junk\x01cb')
        t.expect(b'b')
        t.send(b'\x01c')
        t.expect(b'(lh) ')
        t.send(b'\x04')
        t.expect(b'(lh) \r\n')
        t.send(b'.')
        check(t.end().endswith(b'.bye\r\n'), t.seen)
        check_equal(t.status, 0)


def test_quit_on_the_terminal(s):
    with Terminal([s.lh, 'run', s.payload(*SPIN), '-S']) as t:
        t.expect(b"stopped; 'cont' in the monitor (Ctrl-a c) lets it go on")
        t.send(b'\x01ccont\r')
        t.expect(b'ready\r\n')
        t.send(b'quit\r')
        t.end()
        check_equal(t.status, 0)
        check(not t.is_raw())


def test_monitor_instead_of_the_serial_port(s):
    with Terminal([s.lh, 'run', s.payload(*SPIN), '-monitor', 'stdio']) as t:
        t.expect(b'(lh) ')
        t.send(b'info status\r')
        t.expect(b'running')
        t.send(b'\x01c')
        t.expect(b'not available here')
        t.send(b'quit\r')
        check(b'ready' not in t.end(), t.seen)
        check_equal(t.status, 0)
    result = s.lh_run(s.payload(*SPIN), '-monitor', 'stdio', '-serial', 'stdio')
    check_equal(result.status, 1)
    check('stdio serves one' in result.err, result)


def test_what_the_monitor_shows_is_no_panic(s):
    text = 'Kernel panic - not syncing'
    kernel = s.payload('delay', '1000000', 'print', text)
    p, path = machine(s, '-no-reboot', steps=('print', 'ready\\n', 'delay', '1000000', 'print', text))
    with p, Client(path) as c:
        p.expect(b'ready\n')
        c.expect('x/26c 0x204007', text)
        time.sleep(1.5)
        c.expect('info status', 'running')
        quit_by(c, p)
    with Terminal([s.lh, 'run', kernel, '-no-reboot']) as t:
        wait_until(t.is_raw, 'raw mode')
        t.send(b'\x01cx/26c 0x204000\r')
        t.expect(text.encode())
        time.sleep(1.5)
        t.send(b'info status\r')
        t.expect(b'running')
        t.send(b'\x01x')
        t.end()
        check_equal(t.status, 0)


main()
