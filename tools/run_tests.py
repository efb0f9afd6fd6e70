#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests through meson and counts what they report.

usage: run_tests.py [-C BUILD] [MESON-TEST-ARGUMENT...]

meson counts test programs; a program here reports many tests, in TAP, and those are what the last
line counts: "N passed, N failed, N skipped". The output of a program in which something failed is
shown before it. A program that dies, hangs or announces more tests than it reports adds failures
of its own. A test that fails counts as failed whatever directive stands behind it.

Tests find what was fetched for them under $LH_CACHE (set here when it is not: the user's cache,
longhouse/). A test that cannot run because something is not there skips with a reason that begins
with "missing". With LH_TEST_REQUIRE=1, which CI=true implies, such a skip counts as a failure: a
run in CI has fetched everything, so a missing thing is a fault there.

Exit status: 0 when at least one test ran and none failed.
"""

import collections
import json
import os
import re
import subprocess
import sys
import time

Counts = collections.namedtuple('Counts', 'passed failed skipped problems')

TAP_LINE = re.compile(r'(not )?ok\b\s*(\d+)?\s*(?:-\s*)?([^#]*)(?:#\s*(\w+)\s*(.*))?$')
TAP_PLAN = re.compile(r'1\.\.(\d+)\s*(?:#\s*(.*))?$')
SHOWN_LINES = 120


def count_tap(text, require):
    """The top level lines of one program's TAP, or None when it is not TAP."""
    passed = failed = skipped = 0
    plan, problems = None, []
    for line in text.splitlines():
        announced, result = TAP_PLAN.match(line), TAP_LINE.match(line)
        if announced:
            plan = int(announced.group(1))
            if plan == 0:
                reason = re.sub(r'(?i)^skip\S*\s*', '', announced.group(2) or '')
                missing = require and reason.startswith('missing')
                failed, skipped = failed + missing, skipped + (not missing)
        elif result:
            directive, reason = (result.group(4) or '').lower(), result.group(5) or ''
            missing = require and reason.startswith('missing')
            if directive.startswith('skip') and not result.group(1) and not missing:
                skipped += 1
            elif result.group(1) or directive.startswith('skip'):
                failed += 1
                problems.append('failed: ' + (result.group(3).strip() or reason))
            else:
                passed += 1
        elif line.startswith('Bail out!'):
            failed += 1
            problems.append(line)
    n_seen = passed + failed + skipped
    if plan is None and n_seen == 0:
        return None
    if plan is not None and plan > n_seen:
        problems.append(f'{plan - n_seen} of {plan} tests did not report')
        failed += plan - n_seen
    return Counts(passed, failed, skipped, problems)


def count_program(entry, require):
    """Counts of one line of meson's testlog.json."""
    result, status = entry['result'], entry.get('returncode', 0)
    counts = count_tap(entry.get('stdout', ''), require)
    if counts is None:
        kinds = {'OK': (1, 0, 0), 'EXPECTEDFAIL': (0, 1, 0), 'SKIP': (0, 0, 1)}
        counts = Counts(*kinds.get(result, (0, 1, 0)), [])
        return counts if not counts.failed else counts._replace(problems=[result.lower()])
    passed, failed, skipped, problems = counts
    if result == 'TIMEOUT':
        failed, problems = failed + 1, problems + ['timed out']
    elif isinstance(status, int) and status < 0:
        failed, problems = failed + 1, problems + [f'killed by signal {-status}']
    elif result not in ('OK', 'SKIP', 'EXPECTEDFAIL') and not failed:
        failed, problems = 1, [f'{result.lower()}, exit status {status}']
    return Counts(passed, failed, skipped, problems)


def summary(passed, failed, skipped):
    return f'{passed} passed, {failed} failed, {skipped} skipped'


def short_name(entry):
    """meson's "project:suite / name" without what it puts in front."""
    return entry['name'].rpartition(' / ')[2]


class Display:
    """A status line that is rewritten on a terminal, a line per program elsewhere."""

    def __init__(self, n_programs):
        self.n_programs, self.is_tty = n_programs, sys.stdout.isatty()

    def program(self, entry, counts, n_done, totals):
        mark = 'FAIL' if counts.failed else 'ok'
        text = f'{mark:4}  {short_name(entry)}  {summary(*counts[:3])}  {entry["duration"]:.1f} s'
        if not self.is_tty:
            print(text, flush=True)
            return
        if counts.failed:
            print('\r\033[K' + text)
        of = f'/{self.n_programs}' if self.n_programs else ''
        print(f'\r\033[Ktests: {n_done}{of} programs, {summary(*totals)}', end='', flush=True)

    def clear(self):
        if self.is_tty:
            print('\r\033[K', end='', flush=True)


def show_failure(entry, counts):
    print(f'\n--- {short_name(entry)}: {"; ".join(counts.problems[:8])}')
    print('    ' + ' '.join(entry['command']))
    lines = entry.get('stdout', '').splitlines() + entry.get('stderr', '').splitlines()
    if len(lines) > SHOWN_LINES:
        print(f'    ({len(lines) - SHOWN_LINES} lines before these)')
    for line in lines[-SHOWN_LINES:]:
        print('    ' + line)


def follow(path, process):
    """Yields the entries of testlog.json as meson writes them, until meson has ended."""
    pending, log = '', None
    while True:
        ended = process.poll() is not None
        if log is None and os.path.exists(path):
            log = open(path, encoding='utf-8', errors='replace')
        pending += log.read() if log else ''
        *lines, pending = pending.split('\n')
        yield from (json.loads(line) for line in lines if line.strip())
        if ended:
            break
        time.sleep(0.1)
    if log:
        log.close()


def test_environment():
    env = dict(os.environ)
    cache = env.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    env.setdefault('LH_CACHE', os.path.join(cache, 'longhouse'))
    if env.get('CI') == 'true':
        env.setdefault('LH_TEST_REQUIRE', '1')
    return env


def planned_programs(build, arguments):
    try:
        with open(os.path.join(build, 'meson-info', 'intro-tests.json'), encoding='utf-8') as f:
            return 0 if arguments else len(json.load(f))
    except (OSError, ValueError):
        return 0


def run(build, arguments):
    env = test_environment()
    require = env.get('LH_TEST_REQUIRE') == '1'
    logs = os.path.join(build, 'meson-logs')
    log_path = os.path.join(logs, 'testlog.json')
    os.makedirs(logs, exist_ok=True)
    if os.path.exists(log_path):
        os.remove(log_path)
    totals, failures, n_done = [0, 0, 0], [], 0
    display = Display(planned_programs(build, arguments))
    with open(os.path.join(logs, 'run_tests.log'), 'w+', encoding='utf-8') as out:
        process = subprocess.Popen(['meson', 'test', '-C', build, '--no-rebuild', *arguments],
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
        for entry in follow(log_path, process):
            counts = count_program(entry, require)
            totals = [t + c for t, c in zip(totals, counts[:3])]
            n_done += 1
            if counts.failed:
                failures.append((entry, counts))
            display.program(entry, counts, n_done, totals)
        display.clear()
        out.seek(0)
        said = out.read()
    for entry, counts in failures:
        show_failure(entry, counts)
    if process.returncode and not failures:
        print(f'meson test ended with status {process.returncode}:\n{said[-2000:]}')
        totals[1] += 1
    if failures:
        print(f'\nthe whole output is in {os.path.join(logs, "testlog.txt")}')
    print(summary(*totals))
    return 0 if totals[1] == 0 and totals[0] > 0 else 1


def main(arguments):
    build = 'build'
    if arguments[:1] in (['-h'], ['--help']):
        print(__doc__)
        return 0
    if arguments[:1] == ['-C'] and len(arguments) > 1:
        build, arguments = arguments[1], arguments[2:]
    return run(build, arguments)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
