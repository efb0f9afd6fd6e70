#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPython's own tests, run on the host and in guest mode: each single test has to come out the same.
cpython_test.py LH [MODULE...|long]

What tools/cpython_fetch.sh brought is used: an interpreter and its tests. A test whose outcomes differ is
run again by itself in both ways, since some depend on time; what differs again is a failure here, or has
its reason in EXPECTED, and then it must differ. --backend NAME in LH's place of a module goes to `lh
enter`. LH_CPYTHON is an interpreter to use instead, LH_CPYTHON_LIMIT how many seconds a module may take."""

import glob
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

MODULES = ('test_os', 'test_threading', 'test_mmap', 'test_posix', 'test_threadsignals', 'test_select', 'test_epoll',
           'test_time')
# These take minutes, and wait in most of them: `make soak` has them too.
LONG = ('test_signal', 'test_subprocess', 'test_socket', 'test_fork1')
LIMIT = int(os.environ.get('LH_CPYTHON_LIMIT', '500'))  # seconds, for one module

# Tests that cannot come out the same, and why.
EXPECTED = {}

# They wait for ever on hosts without a hypervisor of a certain kind.
IGNORED = ('*VSOCKSocketStream*',)


def find_program():
    if 'LH_CPYTHON' in os.environ:
        return os.environ['LH_CPYTHON']
    cache = os.environ.get('LH_CACHE') or os.path.join(
        os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'longhouse')
    try:
        with open(os.path.join(cache, 'cpython', 'program'), encoding='ascii') as f:
            return os.path.join(cache, 'cpython', f.read().strip())
    except OSError:
        return None


def outcomes(path):
    """Of each test by its name: passed, skipped, failed."""
    found = {}
    for case in xml.etree.ElementTree.parse(path).iter('testcase'):
        kinds = {child.tag for child in case}
        bad = kinds & {'failure', 'error'}
        found[case.get('name')] = 'failed' if bad else 'skipped' if 'skipped' in kinds else 'passed'
    return found


def run(prefix, program, module, only=()):
    """What came of each test; when the interpreter itself died there is one, of that name."""
    with tempfile.TemporaryDirectory() as d:
        report = os.path.join(d, 'report.xml')
        words = [*prefix, program, '-m', 'test', '-v', '--junit-xml', report]
        words += [w for name in IGNORED for w in ('--ignore', name)]
        words += [w for name in only for w in ('--match', name)]
        with open(os.path.join(d, 'log'), 'w+b') as log:
            # In a group of its own, so that nothing of it is left behind.
            p = subprocess.Popen([*words, module], cwd=d, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 start_new_session=True, env={**os.environ, 'TMPDIR': d})
            try:
                status = p.wait(LIMIT)
            except subprocess.TimeoutExpired:
                status = 'none in time'
                subprocess.run(['kill', '-KILL', '--', f'-{p.pid}'], check=False)
                p.wait()
            if os.path.exists(report):
                return outcomes(report)
            log.seek(max(0, log.seek(0, os.SEEK_END) - 1000))
            said = log.read().decode(errors='replace').splitlines()[-5:]
            return {f'the interpreter: status {status}: {" / ".join(said)}': 'failed'}


def differences(host, guest):
    return {name: (host.get(name, 'missing'), guest.get(name, 'missing'))
            for name in sorted(host.keys() | guest.keys()) if host.get(name) != guest.get(name)}


def compare(prefix, program, module):
    """The number of tests, and a line for each that is not as it should be."""
    times = [time.monotonic()]
    host, guest = {}, {}
    for outcomes_of, words in (host, []), (guest, prefix):
        outcomes_of.update(run(words, program, module))
        times.append(time.monotonic())
    different = differences(host, guest)
    if different:
        for name, (a, b) in different.items():
            print(f'# at first {name}: {a} on the host, {b} in guest mode')
        names = [name for name in different if not name.startswith('the interpreter')]
        again = [run(p, program, module, names) for p in ([], prefix)] if names else [host, guest]
        different = differences(*({n: o[n] for n in o if n in names} for o in again)) if names else different
    wrong = [f'{name}: {a} on the host, {b} in guest mode' for name, (a, b) in different.items()
             if name not in EXPECTED]
    ran = sum(outcome == 'passed' for outcome in host.values())
    failed = sum(outcome == 'failed' for outcome in host.values())
    wrong += [f'{name}: no longer different' for name in EXPECTED if name in host and name not in different]
    return (f'{ran} passed and {failed} failed on the host, {times[1] - times[0]:.0f} s and in guest mode '
            f'{times[2] - times[1]:.0f} s', wrong)


def main():
    lh, *rest = sys.argv[1:]
    options = []
    while rest and rest[0].startswith('--'):
        options += rest[:2]
        rest = rest[2:]
    program = find_program()
    if not options and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('1..0 # SKIP missing /dev/kvm, or the right to use it')
        return 0
    if not program or not glob.glob(os.path.dirname(os.path.realpath(program)) + '/../lib/python3*/test/test_os.py'):
        print('1..0 # SKIP missing the tests of CPython; tools/cpython_fetch.sh fetches them')
        return 0
    modules = MODULES + LONG if rest == ['long'] else rest or MODULES
    print(f'1..{len(modules)}', flush=True)
    n_bad = 0
    for i, module in enumerate(modules, 1):
        counts, wrong = compare([os.path.abspath(lh), 'enter', *options, '--'], program, module)
        for line in wrong:
            print(f'# {line}')
        print(f'{"not " if wrong else ""}ok {i} - {module}: {counts}', flush=True)
        n_bad += bool(wrong)
    return n_bad != 0


if __name__ == '__main__':
    sys.exit(main())
