#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What guest mode costs: enter.py LH ENTER_LOAD [DUNE_CHECKPOINT]. Each line compares the host with
`lh enter` and `lh enter --backend sud`; the best of many short rounds is told, since neighbours take
time away and never give any."""

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


def monitor_memory(lh, load):
    """Resident KiB of the process beyond what the load has by itself."""
    def peak(*prefix):
        run = f'{" ".join(prefix)} {load} call > /dev/null & p=$!; sleep 0.02; grep -E "RssAnon|RssFile" /proc/$p/status; wait'
        found = re.findall(r'(\d+) kB', output('sh', '-c', run).stdout)
        return sum(int(n) for n in found)
    return peak(lh, 'enter', '--'), peak()


def main():
    lh, load, *more = sys.argv[1:]
    ways = [('host', []), ('guest mode', [lh, 'enter', '--']), ('sud', [lh, 'enter', '--backend', 'sud', '--'])]
    doctor = output(lh, 'doctor').stdout
    floor = float(re.search(r'ring \d; ([\d.]+) us', doctor).group(1)) * 1000
    print(f'bare exit (ring 3, and back): {floor:.0f} ns')
    print(f'{"":12}' + ''.join(f'{name:>16}' for name, _ in ways) + f'{"guest / host":>14}')
    for kind in ('call', 'arithmetic', 'reads', 'touch', 'fork', 'start'):
        ns = [start_up(p) if kind == 'start' else measure(p, load, kind) for _, p in ways]
        print(f'{kind:12}' + ''.join(f'{n:13.0f} ns' for n in ns) + f'{ns[1] / ns[0]:14.2f}')
        if kind == 'call':
            print(f'{"":12}a forwarded call is {ns[1] / floor:.2f} bare exits')
    guest, host = monitor_memory(lh, load)
    print(f'memory: {guest} KiB resident under lh enter, {host} KiB without')
    for program in more:
        print(output(program).stdout, end='')


if __name__ == '__main__':
    main()
