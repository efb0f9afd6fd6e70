# SPDX-License-Identifier: Apache-2.0
"""What is the same in every guest, looked at from inside through a shell."""

import re
import time

from report import check, check_equal

# Words of the kernel for what must not happen on a sound machine.
BAD = re.compile(r'\bOops\b|\bBUG\b|WARNING|[Uu]nhandled|Call Trace|soft lockup|rcu_.*stall|'
                 r'clocksource:.*unstable|nobody cared|unexpected|[Ff]ailed|timed out|I/O error|'
                 r'EXT4-fs error|[Cc]orrupt|Machine Check|Unable to handle')

# Harmless ones: 256 MiB are too few for the area that Debian's kernel wants to set aside.
NOT_BAD = re.compile(r'cma: Failed to reserve')

# Init loads the clock's driver besides other things; the kernel then sets its own by it.
RTC_IS_THERE = 'until [ -e /sys/class/rtc/rtc0 ]; do usleep 50000; done'


def kernel_messages(t, s):
    with t.test('the kernel complains of nothing'):
        text = s('dmesg')
        check('Linux version' in text, text[:500])
        bad = [line for line in text.splitlines() if BAD.search(line) and not NOT_BAD.search(line)]
        check(not bad, *bad)


def processors(t, s, n, model, has, lacks):
    with t.test(f'cpuinfo tells {n} of {model}'):
        blocks = [b for b in s('cat /proc/cpuinfo').split('\n\n') if 'processor\t' in b]
        check_equal(len(blocks), n)
        check_equal(s('nproc'), str(n))
        for block in blocks:
            check(model in re.search(r'PRID\s*:.*', block).group(), block)
            features = re.search(r'Features\s*: (.*)', block).group(1).split()
            check(not [f for f in has if f not in features], features)
            check(not [f for f in lacks if f in features], features)
            check('loongarch64' in block, block)


def memory(t, s, n_mib, n_mib_firmware=0):
    """What the tables tell is what was asked for, but for what firmware keeps; the kernel keeps some
    of that for itself."""
    with t.test(f'memory is {n_mib} MiB'):
        found = re.findall(r'^([0-9a-f]+)-([0-9a-f]+) : System RAM', s('cat /proc/iomem'), re.M)
        told = sum(int(b, 16) + 1 - int(a, 16) for a, b in found) / 2**20
        check(n_mib - n_mib_firmware <= told <= n_mib, told)
        total = int(re.search(r'MemTotal:\s+(\d+) kB', s('cat /proc/meminfo')).group(1)) / 1024
        check(n_mib * 0.95 - 200 < total < n_mib, total)


def interrupt_counts(s, n):
    """How often each interrupt came to each of n processors, by what the kernel calls it."""
    rows = {}
    for line in s('cat /proc/interrupts').splitlines()[1:]:
        words = line.replace(':', ' ').split()
        rows[' '.join(words[n + 1:]) or words[0]] = [int(w) for w in words[1:n + 1] if w.isdigit()]
    return rows


def interrupts(t, s, n):
    """They come when there is a reason: a sleep on each processor, an answer on the serial port."""
    def of(rows, name):
        return next(v for k, v in rows.items() if k.endswith(name))

    with t.test('every processor has timer interrupts, and none are in error'):
        before = interrupt_counts(s, n)
        for cpu in range(n):
            s(f'taskset -c {cpu} sleep 0.02')
        rows = interrupt_counts(s, n)
        check(all(b > a for a, b in zip(of(before, 'timer'), of(rows, 'timer'))), before, rows)
        check(sum(of(rows, 'ttyS0')) > sum(of(before, 'ttyS0')), before, rows)
        if n > 1:
            check(min(of(rows, 'IPI')) > 0, rows)
        # The serial port's level line may fall between the interrupt and the look at who caused it, as
        # when another processor prints a message; that is rare.
        check(rows.get('ERR', [0])[0] <= 2 + sum(of(rows, 'ttyS0')) // 10, rows)


def clock(t, s):
    with t.test('the date is right, and time passes as on the host'):
        before = time.time()
        now = int(s(f'{RTC_IS_THERE}; date +%s'))
        check(before - 2 <= now <= time.time() + 2, before, now, time.time())
        outer = time.monotonic()
        first = float(s('cat /proc/uptime').split()[0])
        inner = time.monotonic()
        s('sleep 2')
        inner = time.monotonic() - inner
        second = float(s('cat /proc/uptime').split()[0])
        outer = time.monotonic() - outer
        # /proc/uptime has hundredths.
        check(inner - 0.02 <= second - first <= outer + 0.02, inner, second - first, outer)


def every_processor_computes(t, s, n):
    """Each gives the answer of the others, also while they all work and are moved about."""
    with t.test('every processor computes the same'):
        s('seq 1 20000 > /tmp/numbers')
        wanted = s('sha256sum < /tmp/numbers')
        for cpu in range(n):
            check_equal(s(f'taskset -c {cpu} sha256sum < /tmp/numbers'), wanted)
        s(f'for i in $(seq {2 * n}); do sha256sum < /tmp/numbers > /tmp/sum$i & done; wait')
        check_equal(s('cat /tmp/sum* | sort -u'), wanted)
        check_equal(s('ls /tmp/sum* | wc -l'), str(2 * n))
