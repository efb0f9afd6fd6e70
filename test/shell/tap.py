# SPDX-License-Identifier: Apache-2.0
"""Tests in Python: functions that are marked with @test, run in order, reported in TAP.

A test fails by an exception, `assert` included, and skips by raising Skip with the reason.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here."""


def test(function):
    _tests.append(function)
    return function


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f'missing {program}')


def run(command, env=None, **more):
    """Runs a command to its end. The variables of env are added to this process's environment,
    those that are None are taken from it."""
    whole = {**os.environ, **(env or {})}
    whole = {name: value for name, value in whole.items() if value is not None}
    return subprocess.run(command, env=whole, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, check=False, **more)


def write_program(path, text):
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, 0o755)


def only_programs(folder, *programs):
    """Fills a folder with links to these programs, for a PATH in which others are missing."""
    os.makedirs(folder, exist_ok=True)
    for program in programs:
        os.symlink(shutil.which(program), os.path.join(folder, program))
    return folder


def main():
    failed = 0
    print(f'1..{len(_tests)}')
    for number, function in enumerate(_tests, 1):
        name = function.__name__
        try:
            with tempfile.TemporaryDirectory() as folder:
                function(folder)
            print(f'ok {number} - {name}', flush=True)
        except Skip as reason:
            print(f'ok {number} - {name} # SKIP {reason}', flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {name}')
            for line in traceback.format_exc().splitlines():
                print('# ' + line)
    sys.stdout.flush()
    sys.exit(1 if failed else 0)
