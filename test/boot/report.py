# SPDX-License-Identifier: Apache-2.0
"""What a program of boots reports, in TAP.

A program defines functions boot_*, each of which starts machines and tests several things in them,
and calls main(). Its arguments: LH [NAME...]; only functions whose names contain a NAME run.
Each thing tested is a line, and so is each function: that it came to its end.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

from machine import Gone, Machine

CACHE = os.environ.get('LH_CACHE') or os.path.join(
    os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'longhouse')
GUEST = os.path.join(CACHE, 'guest', 'loong64-forky')


class Skip(Exception):
    """What cannot be tested here, and why."""


def check(condition, *told):
    if not condition:
        raise AssertionError('\n'.join(str(t) for t in told) or 'not so')


def check_equal(got, wanted):
    if got != wanted:
        raise AssertionError(f'got    {got!r}\nwanted {wanted!r}')


def guest_file(name):
    path = os.path.join(GUEST, name)
    if not os.path.exists(path):
        raise Skip(f'missing {name} of the guest')
    return path


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f'missing {program}')


class Tester:
    """What a boot function gets: the program under test, a directory of its own, and test()."""

    def __init__(self, lh):
        self.lh, self.dir, self.n, self.failed, self.told = lh, None, 0, False, None

    def path(self, name):
        return os.path.join(self.dir, name)

    def machine(self, *arguments, **options):
        return Machine([self.lh, 'run', *arguments], **options)

    def direct(self, *arguments, append='', **options):
        """A machine that enters Debian's kernel directly."""
        return self.machine(*arguments, '-kernel', guest_file('vmlinuz'),
                            '-initrd', guest_file('initrd.img'),
                            '-append', f'console=ttyS0,115200 {append}'.strip(), **options)

    def tell(self, is_ok, name, more=''):
        self.n += 1
        self.failed |= not is_ok
        print(f'{"ok" if is_ok else "not ok"} {self.n} - {name}{more}', flush=True)

    def explain(self, text):
        print(''.join(f'# {line}\n' for line in text.splitlines()), end='', flush=True)

    @contextlib.contextmanager
    def test(self, name):
        """One thing. A machine that is gone fails it and ends the function, too."""
        try:
            yield
        except Skip as reason:
            self.tell(True, name, f' # SKIP {reason}')
        except Exception as e:
            if e is not self.told:
                self.explain(traceback.format_exc())
            self.tell(False, name)
            if isinstance(e, Gone):
                self.told = e
                raise
        else:
            self.tell(True, name)

    def run(self, function):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix='lh-boot-') as self.dir:
            name = function.__name__.replace('boot_', '').replace('_', ' ')
            with contextlib.suppress(Gone):
                with self.test(name):
                    function(self)
            self.explain(f'{time.monotonic() - began:.1f} s')


def copy_sparse(source, target):
    subprocess.run(['cp', '--sparse=always', '--reflink=auto', source, target], check=True)
    return target


def end(tester):
    print(f'1..{tester.n}')
    sys.exit(tester.failed)


def main():
    lh, *names = sys.argv[1:]
    tester = Tester(os.path.abspath(lh))
    for name, function in vars(sys.modules['__main__']).copy().items():
        if name.startswith('boot_') and (not names or any(n in name for n in names)):
            tester.run(function)
    end(tester)


def run_one(function):
    """For a program whose arguments after LH mean something of its own."""
    tester = Tester(os.path.abspath(sys.argv[1]))
    tester.run(function)
    end(tester)
