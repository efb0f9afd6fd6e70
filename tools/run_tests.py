#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests through meson and counts what they report.

usage: run_tests.py [-C BUILD] [MESON-TEST-ARGUMENT...]

meson counts test programs; a program here reports many tests, in TAP, and those are what the last
line counts: "N passed, N failed, N skipped". The output of a program in which something failed is
shown before it. A program that dies, hangs or announces more tests than it reports adds failures
of its own. A failure that TAP's directive "# TODO" announces counts as skipped, and passing in
spite of it as failed: what announces it is out of date.

Tests find what was fetched for them under $LH_CACHE (set here when it is not: the user's cache,
longhouse/), and the user-mode emulator that they compare with in $LH_QEMU_LOONGARCH64. A test that cannot run because something is not there skips with a reason that begins
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

Counts = collections.namedtuple('Counts', 'passed failed skipped problems')

TAP_LINE = re.compile(r'(not )?ok\b\s*(\d+)?\s*(?:-\s*)?(.*?)(?:#\s*((?i:skip\w*|todo))\b\s*(.*))?$')
TAP_PLAN = re.compile(r'1\.\.(\d+)\s*(?:#\s*(.*))?$')
SHOWN_LINES = 120
REASON_LENGTH = 400

# meson's words for the result of a program.
GOOD = ('OK', 'SKIP', 'EXPECTEDFAIL')
BAD = ('FAIL', 'TIMEOUT', 'ERROR', 'INTERRUPT', 'UNEXPECTEDPASS')


def judge(result, require):
    """'passed', 'failed' or 'skipped' for one line of TAP, and what is to be said about it."""
    not_ok, _, name, directive, reason = (part or '' for part in result.groups())
    name, directive = name.strip() or reason, directive.lower()
    if directive == 'todo':
        return ('skipped', None) if not_ok else ('failed', f'passed, and should fail: {name}')
    if not_ok or (directive and require and reason.startswith('missing')):
        return 'failed', f'failed: {name}'
    return ('skipped' if directive else 'passed'), None


def count_tap(text, require):
    """The top level lines of one program's TAP, or None when it is not TAP."""
    n = collections.Counter()
    plan, problems = None, []
    for line in text.splitlines():
        announced, result = TAP_PLAN.match(line), TAP_LINE.match(line)
        if announced:
            plan = int(announced.group(1))
            if plan == 0:
                reason = re.sub(r'(?i)^skip\S*\s*', '', announced.group(2) or '')
                n['failed' if require and reason.startswith('missing') else 'skipped'] += 1
        elif result:
            verdict, problem = judge(result, require)
            n[verdict] += 1
            problems += [problem] if problem else []
        elif line.startswith('Bail out!'):
            n['failed'] += 1
            problems.append(line)
    if plan is None and not n:
        return None
    if plan is not None and plan > n.total():
        problems.append(f'{plan - n.total()} of {plan} tests did not report')
        n['failed'] += plan - n.total()
    return Counts(n['passed'], n['failed'], n['skipped'], problems)


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
    elif result not in GOOD and not failed:
        failed, problems = 1, [f'{result.lower()}, exit status {status}']
    return Counts(passed, failed, skipped, problems)


def summary(passed, failed, skipped):
    return f'{passed} passed, {failed} failed, {skipped} skipped'


class Display:
    """What meson says of each program, as it ends: a status line that is rewritten on a terminal,
    a line per program elsewhere."""

    LINE = re.compile(r'\s*(\d+)/(\d+)\s+(.+?)\s+(' + '|'.join(GOOD + BAD) + r')\s+(\S+)s\s*(.*)')

    def __init__(self):
        self.is_tty, self.n_failed = sys.stdout.isatty(), 0

    def show(self, line):
        found = self.LINE.match(line)
        if not found:
            return
        done, of, name, result, seconds, more = found.groups()
        self.n_failed += result in BAD
        text = f'{result.lower():4}  {name.rpartition(" / ")[2]}  {more or "1 test"}  {seconds} s'
        if not self.is_tty:
            print(text, flush=True)
            return
        if result in BAD:
            print('\r\033[K' + text)
        failed = f', {self.n_failed} failed' if self.n_failed else ''
        print(f'\r\033[Ktests: {done} of {of} programs{failed}', end='', flush=True)

    def clear(self):
        if self.is_tty:
            print('\r\033[K', end='', flush=True)


def show_failure(entry, counts):
    print(f'\n--- {entry["name"].rpartition(" / ")[2]}: {"; ".join(counts.problems[:8])}')
    print('    ' + ' '.join(entry['command']))
    lines = entry.get('stdout', '').splitlines() + entry.get('stderr', '').splitlines()
    if len(lines) > SHOWN_LINES:
        print(f'    ({len(lines) - SHOWN_LINES} lines before these)')
    for line in lines[-SHOWN_LINES:]:
        print('    ' + line)


def reasons(text):
    """For each line of TAP that failed, and the last comment beside it: what a reader looks for first."""
    found, last, failed = [], '', None
    for line in text.splitlines():
        result = TAP_LINE.match(line)
        if line.startswith('#'):
            last = line[1:].strip() or last
            if failed is not None:
                found[failed][1] = last[:REASON_LENGTH]
        elif result:
            failed = len(found) if result.group(1) and not result.group(4) else None
            found += [[line, last[:REASON_LENGTH]]] if failed is not None else []
            last = ''
    return found


def show_reasons(failures):
    """Once more at the end, in short: the outputs above may be long."""
    for entry in failures:
        for line, reason in reasons(entry.get('stdout', ''))[:8]:
            print(f'{entry["name"].rpartition(" / ")[2]}: {line}' + (f': {reason}' if reason else ''))


def test_environment():
    env = dict(os.environ)
    cache = env.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    env.setdefault('LH_CACHE', os.path.join(cache, 'longhouse'))
    user_mode = os.path.join(env['LH_CACHE'], 'reference', 'bin', 'qemu-loongarch64')
    if os.path.exists(user_mode):
        env.setdefault('LH_QEMU_LOONGARCH64', user_mode)
    if env.get('CI') == 'true':
        env.setdefault('LH_TEST_REQUIRE', '1')
    return env


def read_log(path):
    """The entries of testlog.json, which meson completes only when it ends."""
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return [json.loads(line) for line in f if line.strip()]
    except OSError:
        return []


def run_meson(build, arguments, env):
    """Runs the tests and shows progress. Returns meson's status and all it said."""
    said, display = [], Display()
    with subprocess.Popen(['meson', 'test', '-C', build, '--no-rebuild', *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors='replace',
                          env={**env, 'PYTHONUNBUFFERED': '1'}) as process:
        for line in process.stdout:
            said.append(line)
            display.show(line)
    display.clear()
    return process.returncode, ''.join(said)


def run(build, arguments):
    env = test_environment()
    logs = os.path.join(build, 'meson-logs')
    log_path = os.path.join(logs, 'testlog.json')
    if os.path.exists(log_path):
        os.remove(log_path)
    status, said = run_meson(build, arguments, env)
    totals, failures = [0, 0, 0], []
    for entry in read_log(log_path):
        counts = count_program(entry, env.get('LH_TEST_REQUIRE') == '1')
        totals = [t + c for t, c in zip(totals, counts[:3])]
        if counts.failed:
            failures.append(entry)
            show_failure(entry, counts)
    if status and not failures:
        print(f'meson test ended with status {status}:\n{said[-2000:]}')
        totals[1] += 1
    if failures:
        print(f'\nthe whole output is in {os.path.join(logs, "testlog.txt")}')
        show_reasons(failures)
    print(summary(*totals))
    return 0 if totals[1] == 0 and totals[0] > 0 else 1


def main(arguments):
    build = 'build'
    if arguments[:1] in (['-h'], ['--help']):
        print(__doc__)
        return 0
    if arguments[:1] == ['-C'] and len(arguments) > 1:
        build, arguments = arguments[1], arguments[2:]
    try:
        return run(build, arguments)
    except KeyboardInterrupt:
        print('\ninterrupted')
        return 130


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
