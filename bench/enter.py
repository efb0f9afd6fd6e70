#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What guest mode costs: enter.py LH ENTER_LOAD [EXAMPLE]... Each line compares the host with
`lh enter` and `lh enter --backend sud`; the best of many short rounds is told, since neighbours take
time away and never give any. What is to be reached is told at the end; the status is 1 when something is
missed."""

import re
import subprocess
import sys
import time


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)


def measure(prefix, load, kind, times=3):
    return min(float(output(*prefix, load, kind).stdout) for _ in range(times))


def start_up(prefix, times=15):
    best = 1e9
    for _ in range(times):
        begin = time.perf_counter()
        output(*prefix, '/bin/true')
        best = min(best, time.perf_counter() - begin)
    return best * 1e9


def monitor_memory(lh):
    """Resident KiB of a process that sleeps, in guest mode and on the host."""
    def resident(*prefix):
        p = subprocess.Popen([*prefix, 'sleep', '1'], stdin=subprocess.DEVNULL)
        time.sleep(0.5)
        with open(f'/proc/{p.pid}/status', encoding='ascii') as f:
            found = re.findall(r'^Rss(?:Anon|File):\s*(\d+) kB', f.read(), re.M)
        p.wait()
        return sum(int(n) for n in found)
    return resident(lh, 'enter', '--'), resident()


def exits_per_call(lh, load):
    text = output(lh, 'enter', '--stat', '--', load, 'call').stderr
    return float(re.search(r'^lh enter: (\S+) exits per call', text, re.M).group(1))


def example(program, what):
    """What an example says: how many times as fast guest mode is."""
    text = output(program).stdout
    print(text, end='')
    found = re.search(rf'^{what}.* ([\d.]+) times as fast', text, re.M)
    return float(found.group(1)) if found else None


def told(goals):
    """One line for each goal; whether all are met."""
    met = [value is not None and (value <= limit if most else value >= limit) for _, value, limit, most in goals]
    for (name, value, limit, most), good in zip(goals, met):
        print(f'{"met   " if good else "missed"} {name}: {value}, at {"most" if most else "least"} {limit}')
    return all(met)


def main():
    lh, load, *more = sys.argv[1:]
    ways = [('host', []), ('guest mode', [lh, 'enter', '--']), ('sud', [lh, 'enter', '--backend', 'sud', '--'])]
    doctor = output(lh, 'doctor').stdout
    ring, floor = re.search(r'ring (\d); ([\d.]+) us', doctor).groups()
    floor = float(floor) * 1000
    goals = []
    print(f'bare exit (ring {ring}, and back): {floor:.0f} ns')
    print(f'{"":12}' + ''.join(f'{name:>16}' for name, _ in ways) + f'{"guest / host":>14}')
    for kind in ('call', 'arithmetic', 'reads', 'touch', 'fork', 'start'):
        ns = [start_up(p) if kind == 'start' else measure(p, load, kind) for _, p in ways]
        print(f'{kind:12}' + ''.join(f'{n:13.0f} ns' for n in ns) + f'{ns[1] / ns[0]:14.2f}')
        if kind == 'call':
            # Where calls enter ring 0, its way to the exit and back comes on top.
            goals.append(('a forwarded call, in bare exits', round(ns[1] / floor, 2), 1.2 if ring == '3' else 1.6, True))
            goals.append(('exits per call', exits_per_call(lh, load), 1.02, True))
        elif kind in ('arithmetic', 'reads'):
            goals.append((f'{kind}, to the host\'s', round(ns[1] / ns[0], 3), 1.02, True))
        elif kind == 'start':
            goals.append(('start of /bin/true, in ms', round(ns[1] / 1e6, 1), 60, True))
    guest, host = monitor_memory(lh)
    print(f'memory: {guest} KiB resident under lh enter, {host} KiB without')
    goals.append(('memory of the monitor, in MiB', round((guest - host) / 1024, 1), 16, True))
    for program in more:
        if 'checkpoint' in program:
            goals.append(('dirty tracking, times as fast as SIGSEGV and mprotect',
                          example(program, 'first write'), 1.5, False))
        else:
            print(output(program).stdout, end='')
    return 0 if told(goals) else 1


if __name__ == '__main__':
    sys.exit(main())
