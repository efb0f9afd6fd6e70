#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bare-metal cells beside a Debian root cell: their life, refusals, attacks, and many restarts.

usage: life_test.py LH [NAME...]

LH_SOAK_TIMES says how often cells are made, killed and destroyed (50), and how often processors are
given and taken (a fifth of that).
"""

import os
import random
import re

from bed import Root, cell, payload
from report import check, check_equal, guest_file, main

TIMES = int(os.environ.get('LH_SOAK_TIMES', '50'))
N_ATTACKS = 14
N_MIB = 16
N_CYCLES = max(TIMES // 5, 10)
N_DISTURBANCES = 12


def files():
    return {'bare.dts': cell('bare'), 'exits.elf': payload('cell_exits'),
            'hostile.elf': payload('cell_hostile'), 'residue.elf': payload('cell_residue'),
            'selftest.elf': payload('selftest'), 'vectors.elf': payload('cell_vectors')}


def boot_life(t):
    with Root(t, files()) as r:
        with t.test('the root cell finds the hypervisor, and no virtualization of its own'):
            r('doctor')
            check('lvz' not in r.shell('cat /proc/cpuinfo'))
            check_equal(r.shell.run('ls /dev/kvm')[0], 1)
        before = r.left()
        with t.test('a cell is made of a processor and memory of the root cell'):
            check_equal(r('create /cells/bare.dts'), "cell 1 'bare' made")
            check_equal(r.shell('nproc'), '1')
            check('bare             created' in r('list'), r('list'))
            check_equal(r.refused('start bare'),
                        "lh cell start: cell 'bare' has no kernel; 'lh cell load' puts one into it")
        with t.test('it runs a program, and says how it ended'):
            r('load bare --kernel /cells/exits.elf')
            r('start bare')
            check('stopped: powered off' in r('wait bare'))
            check('# 24 passed, 0 failed, 0 skipped' in r('output bare'), r('output bare'))
        with t.test('it starts again with other work, and is stopped'):
            r('load bare --kernel /cells/exits.elf --append calls=1000000000')
            r('start bare')
            check('running' in r('list'))
            check('runs already' in r.refused('start bare'))
            check("cell 'bare' runs" in r.refused('load bare --kernel /cells/exits.elf'))
            r('reset bare')
            r('stop bare')
            check('stopped by command' in r('list'))
        with t.test('what it had comes back'):
            r('dump bare -o /bare.core')
            check_equal(r.shell('head -c 4 /bare.core | tail -c 3; rm /bare.core'), 'ELF')
            r('destroy bare')
            check_equal(r.left(), before)
            check_equal(r.shell('nproc'), '2')
        refusals(t, r)
        with t.test('pictures, traces, messages'):
            check('</svg>' in r('list --svg'))
            check('IOCSR' in r('trace 0'))
            screens = r.shell.run('timeout 4 lh cell stats --follow')[1].split('\x1b[H\x1b[2J')
            check(len(screens) > 2 and all('cpu1/cell' in text for text in screens[1:]), screens)
            check("cell 1 'bare' destroyed" in r('log'))
        r.check_kernel()
        r.power_off()


# The program with segments elsewhere: the upper half of each address.
BIG_ELF = ('cp /cells/exits.elf /big.elf; n=$(od -An -tu2 -j56 -N2 /big.elf); i=0; '
           'while [ $i -lt $n ]; do for o in 20 28; do printf "\\001" | '
           'dd of=/big.elf bs=1 seek=$((64 + 56 * i + o)) conv=notrunc 2> /dev/null; done; i=$((i + 1)); done')


def refusals(t, r):
    """Each says what is wrong, takes nothing, and leaves nothing behind."""
    before = r.left()

    def edited(change):
        r.shell(f"sed '{change}' /cells/bare.dts > /edited.dts")
        return r.refused('create /edited.dts')

    with t.test('refusals say which resource'):
        check('processor 0 stays with the root cell' in edited('s/<1>/<0>/'))
        check('processor 5: this machine has none' in edited('s/<1>/<5>/'))
        check('the pool has 512 MiB free' in edited(
            's/<0x0 0x0 0x0 0x4000000>/<0x0 0x80000000 0x0 0x40000000>/; s/0x200000>/0x80000000>/'))
        check('multiples of 2000000' in edited('s/0x4000000>/0x4001000>/'))
        check('is in no executable memory' in edited('s/entry = <0x0 0x200000>/entry = <0x8 0x0>/'))
        check("property 'cpu' is not known" in edited('s/cpus/cpu/'))
        check('line ' in edited('s/0x4000000/0xzz/'))
        check("there is no cell 'none'" in r.refused('stop none'))
        check('there is no cell' in r.refused('destroy 7'))
        for command in 'stop', 'start', 'reset', 'destroy', 'console':
            check('cell 0 is the root cell' in r.refused(command + ' 0'), command)
        check("'one' is not the number of a processor" in r.refused('trace one'))
        check("did you mean destroy" in r.refused('destory bare'))
        text = edited('s/serial@/memory@2000000 { reg = <0x0 0x2000000 0x0 0x4000000>; }; serial@/')
        check('overlap' in text or 'also' in text, text)
    with t.test('files that are no descriptions'):
        r.shell('head -c 300 /dev/urandom > /noise; : > /empty; truncate -s 100M /large; truncate -s 600M /huge')
        r.shell(BIG_ELF)
        for name, words in (('noise', 'line 1'), ('empty', 'is empty'), ('large', 'larger than 1 MiB'),
                            ('', 'is a directory'), ('none', 'No such file')):
            check(words in r.refused(f'create /{name}'), r.refused(f'create /{name}'))
    with t.test('kernels that are none, and memory and disks that are full'):
        r('create /cells/bare.dts')
        check('is corrupt' in r.refused('load bare --kernel /big.elf'))
        check('cannot read' in r.refused('load bare --kernel /huge'), r.refused('load bare --kernel /huge'))
        status, text = r.shell.run('(ulimit -v 30000; lh cell load bare --kernel /cells/exits.elf)')
        check(status == 1 and 'Cannot allocate memory' in text, status, text)
        r.shell.run('dd if=/dev/zero of=/fill bs=64k')
        r('load bare --kernel /cells/exits.elf')
        r('start bare')
        check('powered off' in r('wait bare'))
        check('No space left' in r.refused('dump bare -o /core'))
        r('destroy bare')
        r.shell('rm /fill /core')
    with t.test('two cells cannot have the same'):
        r('create /cells/bare.dts')
        check("there is a cell 'bare' already" in r.refused('create /cells/bare.dts'))
        check("is that of cell 'bare'" in edited('s/model = "bare"/model = "other"/'))
        r('destroy bare')
    with t.test('nothing is taken by what was refused'):
        check_equal(r.left(), before)
        check_equal(r.shell('nproc'), '2')


def boot_hostile(t):
    with Root(t, files()) as r:
        before = r.left()
        wanted = r.shell('sha256sum < /cells/hostile.elf')
        r('create /cells/bare.dts')
        with t.test('what has no effect has none'):
            r('load bare --kernel /cells/hostile.elf')
            r('start bare')
            check('powered off' in r('wait bare'))
            check('# 9 passed, 0 failed, 0 skipped' in r('output bare'), r('output bare'))
        for n in range(N_ATTACKS):
            r(f'load bare --kernel /cells/hostile.elf --append attack={n}')
            r('start bare')
            text = r('wait bare')
            name = r('output bare').rsplit('# attack: ', 1)[-1].splitlines()[0]
            with t.test(f'stopped: {name}'):
                check('failed: access to ' in text, text)
        with t.test('the root cell is as before'):
            r('destroy bare')
            check_equal(r.left(), before)
            check_equal(r.shell('sha256sum < /cells/hostile.elf'), wanted)
            r.check_kernel()
        r.power_off()


def boot_residue(t):
    with Root(t, files(), smp=3) as r:
        r.shell("sed 's/<1>/<2>/; s/\"bare\"/\"other\"/' /cells/bare.dts > /cells/other.dts")
        with t.test('two cells at once keep what is theirs'):
            for n, name in enumerate(['bare', 'other']):
                r(f'create /cells/{name}.dts')
                r(f'load {name} --kernel /cells/residue.elf --append "seed={n + 5} fresh rounds=40"')
                r(f'start {name}')
            for name in 'bare', 'other':
                check('powered off' in r(f'wait {name} --timeout 200'))
                check('# 4 passed, 0 failed' in r(f'output {name}'), r(f'output {name}'))
        with t.test('the next program in a cell finds nothing in registers'):
            r('load other --kernel /cells/residue.elf --append rounds=1000000')
            r('start other')
            r('stop other')
            r('load other --kernel /cells/residue.elf --append seed=3')
            r('start other')
            check('powered off' in r('wait other'))
            check('# 3 passed, 0 failed' in r('output other'), r('output other'))
        with t.test('the next cell finds nothing in memory'):
            r('destroy other')
            r('destroy bare')
            r('run /cells/bare.dts --kernel /cells/residue.elf --append fresh')
            check('# 4 passed, 0 failed' in r('output bare'), r('output bare'))
            r('destroy bare')
        r.check_kernel()
        r.power_off()


def boot_shared(t):
    with Root(t, {'ping.dts': cell('ping'), 'pong.dts': cell('pong'),
                  'shared.elf': payload('cell_shared')}, smp=3) as r:
        r('create /cells/ping.dts')
        r('destroy ping')
        before = r.left()
        with t.test('two cells talk by shared memory and ring each other'):
            for role, name in enumerate(['ping', 'pong']):
                r(f'create /cells/{name}.dts')
                r(f'load {name} --kernel /cells/shared.elf --append "role={role} bulk={N_MIB}"')
            for name in 'ping', 'pong':
                r(f'start {name}')
            for name in 'ping', 'pong':
                check('powered off' in r(f'wait {name} --timeout 200'))
                check('# 3 passed, 0 failed' in r(f'output {name}'), r(f'output {name}'))
            t.explain(re.search(r'# (.* KiB in .* us)', r('output ping')).group(1))
        with t.test('the memory goes with the last of them'):
            r('destroy pong')
            check(r.left() != before)
            r('destroy ping')
            check_equal(r.left(), before)
        r.power_off()


# What Linux answers is made by the shell, through /dev/mem.
ANSWER = ('i=1; while [ $i -le 10 ]; do until [ $(($(devmem 0x80000000 64))) = $i ]; do usleep 1000; done; '
          's=0; k=0; while [ $k -lt 16 ]; do s=$((s ^ $(devmem $((0x80002000 + 8 * k)) 64))); k=$((k+1)); '
          'done; devmem 0x80001008 64 $s; devmem 0x80001000 64 $i; i=$((i+1)); done; echo answered')


def boot_mixed(t):
    with Root(t, {'ping.dts': cell('ping'), 'net1.dts': cell('net1'), 'shared.elf': payload('cell_shared'),
                  'vmlinuz': guest_file('vmlinuz'), 'initrd.img': guest_file('initrd.img')}, smp=3) as r:
        r.shell("sed -i 's/cpus = <1>/cpus = <2>/; /pci@/d; s|virtio-net@.*|shared@80000000 { "
                "reg = <0x0 0x80000000 0x0 0x2000000>; tag = <7>; };|' /cells/net1.dts")
        r('create /cells/ping.dts')
        r('load ping --kernel /cells/shared.elf --append linux=10')
        with t.test('Debian in a cell and a bare-metal cell exchange messages in shared memory'):
            r("run /cells/net1.dts --keep --append 'console=ttyS0,115200 quiet guest.net=off "
              f"guest.run=\"{ANSWER}\"'")
            r('start ping')
            check('powered off' in r('wait ping --timeout 200'))
            check('# 1 passed, 0 failed' in r('output ping'), r('output ping'), r('output net1'))
            check('powered off' in r('wait net1'))
            check('answered' in r('output net1'), r('output net1'))
        r('destroy ping')
        r('destroy net1')
        r.check_kernel()
        r.power_off()


def boot_vectors(t):
    rng = random.Random(7)
    with Root(t, files(), smp=3) as r:
        r.shell("sed 's/<1>/<2>/; s/\"bare\"/\"other\"/' /cells/bare.dts > /cells/other.dts")
        for n, name in enumerate(['bare', 'other']):
            r(f'create /cells/{name}.dts')
            r(f'load {name} --kernel /cells/vectors.elf --append "seed={n + 5} rounds=100000000"')
            r(f'start {name}')
        for _ in range(N_DISTURBANCES):
            r.shell(f'usleep {rng.randrange(100000)}')
            r(rng.choice(['reset other', 'stop other; lh cell start other']))
        with t.test('a computation in vector registers ends well beside another that is restarted'):
            r('stop bare')
            alone = re.search(r'sum (\w+)', r('output bare')).group(1)
            r('load bare --kernel /cells/vectors.elf --append "seed=5 rounds=400"')
            r('start bare')
            for _ in range(N_DISTURBANCES):
                r(rng.choice(['reset other', 'stop other; lh cell start other']))
            check('powered off' in r('wait bare --timeout 200'))
            text = r('output bare').split('sum')[-1]
            check(alone in text and '# 2 passed, 0 failed' in text, text)
        for name in 'bare', 'other':
            r(f'destroy {name}')
        r.check_kernel()
        r.power_off()


def boot_cycles(t):
    with Root(t, files(), smp=4) as r:
        r.shell("sed 's/<1>/<2 3>/; s/\"bare\"/\"two\"/' /cells/bare.dts > /cells/two.dts")
        r('create /cells/two.dts')
        r('destroy two')
        before = r.left()
        with t.test(f'two of four processors given and taken {N_CYCLES} times, also by Linux alone'):
            for i in range(N_CYCLES):
                r.shell('lh cell create /cells/two.dts && lh cell load two --kernel /cells/selftest.elf '
                        '&& lh cell start two && lh cell wait two && lh cell destroy two')
                check_equal(r.shell('nproc'), '4')
                if i % 4 == 0:
                    r.shell('for n in 0 1; do for c in 1 2 3; do '
                            'echo $n > /sys/devices/system/cpu/cpu$c/online; done; done')
        with t.test('nothing leaks'):
            check_equal(r.left(), before)
            r.check_kernel()
        r.power_off()


def boot_restarts(t):
    rng = random.Random(1)
    with Root(t, files(), smp=3) as r:
        r.shell("sed 's/<1>/<2>/; s/\"bare\"/\"other\"/' /cells/bare.dts > /cells/other.dts")
        r('create /cells/bare.dts')
        r('destroy bare')
        before = r.left()
        script = []
        for i in range(TIMES):
            name = rng.choice(['bare', 'other'])
            end = rng.choice(['stop', 'reset', 'nothing', 'wait'])
            work = 'selftest' if end == 'wait' else 'exits'
            script += [f'lh cell create /cells/{name}.dts',
                       f'lh cell load {name} --kernel /cells/{work}.elf' +
                       (' --append calls=1000000000' if work == 'exits' else ''),
                       f'lh cell start {name}', f'usleep {rng.randrange(100000)}']
            script += {'nothing': []}.get(end, [f'lh cell {end} {name}'])
            script += [f'lh cell destroy {name}']
        with t.test(f'{TIMES} times made, killed at any moment and destroyed'):
            for i in range(0, len(script), 12):
                r.shell(' && '.join(f'{line} > /dev/null' for line in script[i:i + 12]), 600)
        with t.test('nothing leaks'):
            check_equal(r.left(), before)
            check_equal(r.shell('nproc'), '3')
            r.check_kernel()
        r.power_off()


if __name__ == '__main__':
    main()
