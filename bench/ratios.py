#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast guests are, beside the reference emulator and beside this machine itself.

usage: ratios.py [OPTION...] LH BUILD

  --only WORDS     kinds or names of workloads, separated by commas (--list shows them)
  --runs N         runs of each, by turns between the places (default: 5)
  --quick          one run, shorter, smaller inputs: to see whether all works
  --seconds S      how long a small program runs at least (default: 0.3)
  --scale X        size of the inputs of real programs (default: 1)
  --accel NAME     accelerator of LH (default: $LH_BENCH_ACCEL, or what LH takes by itself)
  --shared-host    count only the share of time that the processor was ours: for hosts with other work
  --without PLACES native, reference or lh, separated by commas: leave them out
  --merge FILE     rows that this run does not measure: JSON as in results.json, of an earlier run or of
                   something else
  --out DIR        where results.json and pictures go (default: BUILD)
  --list           tell the workloads

LH is the program, BUILD where bench/build_micro.sh has put its programs. All places run one workload by turns before the next one begins; guests stay booted
and wait at their prompts. Ratios are those of medians. The status is 1 when something failed, a sum was
wrong, or a guest's clock was: never because a goal was missed.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import bars
import boots
import goals
import places
import programs
import table
from places import Failed

FIRST, LAST = 0, (os.cpu_count() or 1) - 1
CLOCK_TOLERANCE = 0.02
TWO_BUSY = ('two_threads', 'contended')  # what keeps two processors busy


def parse_arguments():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument('--only', default='')
    p.add_argument('--runs', type=int, default=5)
    p.add_argument('--quick', action='store_true')
    p.add_argument('--seconds', type=float)
    p.add_argument('--scale', type=float)
    p.add_argument('--accel', default=os.environ.get('LH_BENCH_ACCEL'))
    p.add_argument('--shared-host', action='store_true')
    p.add_argument('--without', default='')
    p.add_argument('--merge', action='append', default=[])
    p.add_argument('--out')
    p.add_argument('--list', action='store_true')
    p.add_argument('lh')
    p.add_argument('build')
    o = p.parse_args()
    o.runs = 1 if o.quick else max(1, o.runs)
    o.seconds = o.seconds or (0.05 if o.quick else 0.3)
    o.scale = o.scale or (0.1 if o.quick else 1)
    o.without = set(filter(None, o.without.split(',')))
    o.lh, o.build = os.path.abspath(o.lh), os.path.abspath(o.build)
    o.out = os.path.abspath(o.out or o.build)
    os.makedirs(o.out, exist_ok=True)
    o.accel = o.accel or default_accel(o.lh)
    return o


def default_accel(lh):
    """The first of the list, so that the results name it."""
    told = subprocess.run([lh, 'run', '-accel', 'help'], capture_output=True, text=True, check=True).stdout
    return told.split()[0]


def all_rows(build):
    """(kind, name, doc) of everything that can be measured."""
    listed = subprocess.run([os.path.join(build, 'micro'), 'list'], capture_output=True, text=True,
                            check=True).stdout
    rows = [tuple(line.split(' ', 2)) for line in listed.splitlines()]
    rows += [(p.kind, p.name, p.doc) for p in programs.PROGRAMS]
    rows += [(kind, name, doc) for name, (kind, doc, *_) in boots.ROWS.items()]
    return rows


def choose(rows, only):
    words = set(filter(None, only.split(',')))
    unknown = words - {w for kind, name, _ in rows for w in (kind, name)}
    if unknown:
        sys.exit(f'ratios.py: nothing is called {", ".join(sorted(unknown))}; --list tells the names')
    return [row for row in rows if not words or words & set(row[:2])]


class Bench:
    """What is measured, and what came out: rows of name, kind, doc and figures by place."""

    def __init__(self, options, directory):
        self.o, self.dir = options, directory
        self.rows, self.failures, self.clocks = [], [], {}
        self.has_programs = os.path.exists(os.path.join(places.PROGRAMS, 'programs.ext4'))

    def fail(self, text):
        self.failures.append(text)
        print('FAILED: ' + text, flush=True)

    # Inputs

    def make_disk(self):
        """What all places work on; for guests as a disk."""
        work = os.path.join(self.dir, 'work')
        os.mkdir(work)
        programs.write_inputs(work, self.o.scale)
        if self.has_programs:
            with open(os.path.join(work, 'work.xz'), 'wb') as f:
                subprocess.run([os.path.join(places.PROGRAMS, 'bin', 'xz'), '-T1', '-5', '-c',
                                os.path.join(work, 'long.txt')], stdout=f, check=True)
        shutil.copy(os.path.join(self.o.build, 'micro-loong64'), os.path.join(work, 'micro'))
        self.disk = os.path.join(self.dir, 'work.ext4')
        environment = {**os.environ, 'PATH': os.environ['PATH'] + ':/sbin:/usr/sbin'}
        subprocess.run(['mke2fs', '-q', '-t', 'ext4', '-O', '^has_journal', '-d', work, self.disk, '64M'],
                       check=True, stdout=subprocess.DEVNULL, env=environment)
        return work

    def disks(self):
        paths = [os.path.join(places.PROGRAMS, 'programs.ext4')] if self.has_programs else []
        return places.disks(*paths, self.disk)

    # Places

    def start_places(self, n_cpus):
        """Those of one kind of measurement: guests with so many processors, and the host."""
        found = []
        cpus = [LAST] if n_cpus == 1 else list(range(FIRST, n_cpus))
        if 'native' not in self.o.without:
            found.append(places.Native(os.path.join(self.o.build, 'micro'), self.work, LAST))
        if 'reference' not in self.o.without:
            if places.has_reference():
                command = places.reference_command(*self.disks(), smp=n_cpus)
                self.add_guest(found, 'reference', command, cpus)
            else:
                print('there is no reference emulator; tools/reference_fetch.sh fetches it')
        if 'lh' not in self.o.without:
            command = places.lh_command(self.o.lh, self.o.accel, *self.disks(), smp=n_cpus)
            self.add_guest(found, 'lh', command, cpus)
        return found

    def add_guest(self, found, name, command, cpus):
        try:
            found.append(places.Guest(name, command, cpus, self.has_programs))
        except (places.Gone, AssertionError) as e:
            self.fail(f'{name} does not start: {str(e)[-600:]}')

    # Measuring

    def measure(self, where, name, run):
        """One row: all places by turns. A place that fails is left out of the row's later turns."""
        measured = {place.name: [] for place in where}
        digests = {}
        for _ in range(self.o.runs):
            for place in where:
                if measured[place.name] is None:
                    continue
                m = self.run_once(place, name, run)
                if not m:
                    measured[place.name] = None
                    continue
                measured[place.name].append(m)
                if m.digest:
                    digests[place.name] = m.digest
        if len(set(digests.values())) > 1:
            told = ', '.join(f'{k} {v[:12]}' for k, v in digests.items())
            self.fail(f'{name}: the outputs differ: {told}')
        return {k: self.summary(v) for k, v in measured.items() if v}

    def run_once(self, place, name, run):
        """A measurement, or None after a failure. A guest that is gone begins anew."""
        try:
            return run(place)
        except Failed as e:
            self.fail(f'{name} on {place.name}: {e}')
        except (places.Gone, OSError) as e:
            self.fail(f'{name} on {place.name}: {str(e)[-600:]}')
            place.restart()
        return None

    def summary(self, measured):
        counted = [m.value * m.share if self.o.shared_host else m.value for m in measured]
        return table.summary(counted, [m.share for m in measured])

    def add_row(self, kind, name, doc, unit, figures):
        faster, slower = goals.goals_of(kind, name)
        row = {'kind': kind, 'name': name, 'doc': doc, 'unit': unit, 'goal_faster': faster,
               'goal_slower': slower, **figures}
        self.rows.append(table.with_ratios(row))
        table.show_row(self.rows[-1])

    def measure_all(self, rows, n_cpus):
        where = self.start_places(n_cpus)
        by_name = {p.name: p for p in programs.PROGRAMS}
        try:
            for kind, name, doc in rows:
                program = by_name.get(name)
                if program and not self.has_programs:
                    print(f'{name}: no programs; tools/bench_fetch.sh fetches them')
                    continue
                self.add_row(kind, name, doc, 'ns', self.measure(where, name, lambda place: (
                    place.program(program) if program else
                    place.micro(name, self.o.seconds, 2 if name in TWO_BUSY else 1))))
            for place in where:
                self.check_clock(place)
        finally:
            for place in where:
                place.end()

    def check_clock(self, place):
        rate = place.clock_rate() if isinstance(place, places.Guest) else None
        if rate is not None:
            self.clocks.setdefault(place.name, []).append(rate)
            if abs(rate - 1) > CLOCK_TOLERANCE:
                self.fail(f'the clock of {place.name} goes {rate:.3f} times as fast as the host\'s')

    def measure_start(self, name):
        kind, doc, figure, ours, theirs = boots.ROWS[name]
        commands = {}
        if 'lh' not in self.o.without:
            commands['lh'] = lambda: ours(self.o.lh, self.o.accel, self.dir)
        if 'reference' not in self.o.without and places.has_reference():
            commands['reference'] = lambda: theirs(self.dir)
        found = {place: [] for place in commands}
        for _ in range(self.o.runs if kind == 'boot' else 1):
            for place, command in commands.items():
                try:
                    found[place].append(places.Measured(*figure(command()), None))
                except places.Gone as e:
                    self.fail(f'{name} on {place}: {str(e)[-400:]}')
        self.add_row(kind, name, doc, 'MiB' if kind == 'resident' else 's',
                     {k: self.summary(v) for k, v in found.items() if v})

    def run(self, rows):
        single = [r for r in rows if r[0] not in ('pair', 'boot', 'resident')]
        pair = [r for r in rows if r[0] == 'pair']
        self.work = self.make_disk()
        table.show_heading()
        if single:
            self.measure_all(single, 1)
        if pair:
            self.measure_all(pair, 2)
        for kind, name, _ in rows:
            if kind in ('boot', 'resident'):
                try:
                    self.measure_start(name)
                except Failed as e:
                    print(f'{name}: {e}')


def merged(rows, others):
    """What was measured now, and of the others what was not; kinds in their usual order."""
    names = {r['name'] for r in rows}
    order = list(goals.KINDS)
    found = rows + [r for r in others if r['name'] not in names]
    return sorted(found, key=lambda r: order.index(r['kind']) if r['kind'] in order else len(order))


def read_rows(paths):
    rows = []
    for path in paths:
        with open(path, encoding='utf-8') as f:
            rows += json.load(f)['rows']
    return rows


def write_results(o, bench, rows):
    path = os.path.join(o.out, 'results.json')
    version = subprocess.run([places.REFERENCE, '--version'], capture_output=True, text=True,
                             check=False).stdout.split('\n')[0] if places.has_reference() else None
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        model = next((line.split(':')[1].strip() for line in f if line.startswith('model name')), None)
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'host': model, 'processors': os.cpu_count(), 'reference': version,
                   'accel': o.accel, 'runs': o.runs, 'seconds': o.seconds,
                   'is_host_shared': o.shared_host, 'scale': o.scale,
                   'clocks': {k: statistics.mean(v) for k, v in bench.clocks.items()},
                   'failures': bench.failures, 'rows': rows}, f, indent=1)
        f.write('\n')
    return path


def main():
    if '--list' in sys.argv and len(sys.argv) > 2:
        for kind, name, doc in all_rows(sys.argv[-1]):
            print(f'{kind:9} {name:18} {doc}')
        return
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # guests are ended, too
    o = parse_arguments()
    rows = choose(all_rows(o.build), o.only)
    with tempfile.TemporaryDirectory(prefix='lh-bench-') as directory:
        bench = Bench(o, directory)
        try:
            bench.run(rows)
        except (Failed, places.Gone) as e:
            bench.fail(str(e))
        except KeyboardInterrupt:
            bench.fail('interrupted: only a part was measured')
    found = merged(bench.rows, read_rows(o.merge))
    table.show_end(found, bench.clocks)
    print('results:', write_results(o, bench, found))
    for path in bars.draw_all(found, o.out):
        print('picture:', path)
    sys.exit(1 if bench.failures else 0)


if __name__ == '__main__':
    main()
