#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the program of guest/kvm in a machine and passes on what it reports in TAP.

usage: kvm_test.py SOURCE-ROOT LH [OPTION-OF-LH...]

The program is compiled here, for loong64 Linux, and given to the kernel in its initramfs.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from nested import initrd_with
from report import Skip, guest_file

LIMIT_S = 600
FLAGS = ['-std=gnu11', '-O2', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wno-unused-parameter',
         '-Wno-missing-field-initializers', '-Wshadow', '-Wstrict-prototypes', '-Wmissing-prototypes']
# As the payload says them, and what the kernel logs to the same line must not hide.
LINE = re.compile(r'((?:not )?ok \d+ - .*|1\.\.\d+|#.*)')


class Place:
    """Where initrd_with puts its file."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)


def compile_program(root, to):
    for program in ('clang-19', 'ld.lld-19'):
        if not shutil.which(program):
            raise Skip(f'missing {program}')
    sources = [os.path.join(root, 'base/test.c'), *sorted(glob.glob(os.path.join(root, 'guest/kvm/*.c')))]
    done = subprocess.run(['sh', os.path.join(root, 'tools/guest_cc.sh'), *FLAGS, '-I', root, '-o', to,
                           *sources], capture_output=True, text=True, check=False)
    if done.returncode == 125:
        raise Skip('missing sysroot of loong64: ' + done.stderr.strip().replace('\n', ' ')[-200:])
    if done.returncode:
        print(''.join(f'# {line}\n' for line in done.stderr.splitlines()), end='')
        sys.exit('Bail out! the program does not compile')


def run(root, lh, options, folder):
    kernel = guest_file('vmlinuz')
    guest_file('initrd.img')
    program = os.path.join(folder, 'kvm_test')
    compile_program(root, program)
    with open(program, 'rb') as f:
        initrd = initrd_with(Place(folder), ('kvm_test', f.read()))
    command = [lh, 'run', '-smp', '2', '-m', '1G', '-nic', 'none', '-no-reboot', '-kernel', kernel, '-initrd',
               initrd, '-append', 'console=ttyS0,115200 quiet panic=-1 guest.net=off '
               'guest.run="/kvm_test; s=$?; stty opost; exit $s"',
               *options]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        return follow(machine)


def follow(machine):
    """True: the program told all its results, and the machine ended by itself."""
    n_results, plan, text = 0, None, ''
    for line in machine.stdout:
        text = line.decode('utf-8', 'replace').rstrip('\r\n')
        found = LINE.search(text)
        text = found.group(1) if found else '# ' + text
        n_results += 'ok ' in text and not text.startswith('#')
        plan = int(text[3:]) if text.startswith('1..') else plan
        print(text, flush=True)
    status = machine.wait()
    if plan != n_results or status:
        print(f'Bail out! {n_results} results, plan {plan}, the machine ended with status {status}')
    return plan == n_results and not status


def main():
    root, lh, *options = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix='lh-kvm-') as folder:
        try:
            sys.exit(0 if run(root, os.path.abspath(lh), options, folder) else 1)
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')


main()
