# SPDX-License-Identifier: Apache-2.0
"""A machine under the hypervisor: Debian as root cell, with `lh` for loong64 and what cells need.

Environment: HV_IMAGE is the hypervisor, HV_APPLICATION the same for firmware, LH_PAYLOADS the folder of bare-metal programs, BUILD_LOONG64
where the program for the root cell is built.
"""

import os
import re
import subprocess

from loong64 import build_program, initrd_with_more, newc, read, stripped
from report import Skip, check, check_equal, guest_file

HERE = os.path.dirname(os.path.abspath(__file__))
CPUS = '/sys/devices/system/cpu/cpu'


def image(variable='HV_IMAGE'):
    path = os.environ.get(variable, '')
    if not os.path.exists(path):
        raise Skip('missing the hypervisor, which clang-19 and lld-19 build')
    return path


def payload(name):
    path = os.path.join(os.environ.get('LH_PAYLOADS', ''), name + '.elf')
    if not os.path.exists(path):
        raise Skip(f'missing the payload {name}')
    return path


def cell(name):
    return os.path.join(HERE, name + '.dts')


def make_initrd(t, files):
    """The guest's initramfs, and behind it a second one with /cells: `lh` and these files."""
    path = t.path('initrd')
    program = stripped(build_program(), t.path('lh-loong64'))
    with initrd_with_more(path) as f:
        f.write(newc('cells', b'', 0o40755))
        f.write(newc('bin/lh', program, 0o100755))
        for name, source in files.items():
            f.write(newc(f'cells/{name}', read(source), 0o100644))
    return path


def make_bundle(t, kernel, initrd=None, append=None, system='virt'):
    path = t.path('bundle')
    command = [t.lh, 'cell', 'bundle', '-o', path, '--system', cell(system), '--kernel', kernel]
    command += ['--initrd', initrd] if initrd else []
    command += ['--append', append] if append else []
    subprocess.run(command, check=True)
    return path


def machine(t, bundle, *arguments, memory='1G'):
    return t.machine('-m', memory, '-kernel', image(), '-initrd', bundle, '-d', 'guest,lvz_check',
                     '-D', t.path('log'), *arguments)


class Root:
    """The root cell's shell."""

    def __init__(self, t, files, *arguments, smp=2, append=''):
        self.t = t
        bundle = make_bundle(t, guest_file('vmlinuz'), make_initrd(t, files),
                             f'console=ttyS0,115200 {append}'.strip())
        self.machine = machine(t, bundle, '-smp', str(smp), *arguments)

    def __enter__(self):
        self.machine.__enter__()
        self.shell = self.machine.shell()
        return self

    def __exit__(self, *what):
        self.machine.__exit__(*what)

    def __call__(self, command, limit=300):
        return self.shell(f'lh cell {command}', limit)

    def refused(self, command):
        """What it says of a command that must not work."""
        status, text = self.shell.run(f'lh cell {command}')
        check_equal(status, 1)
        return text.strip()

    def left(self):
        """What must be as before when all cells are gone."""
        info = re.match(r'processors (\d+), pool (\d+), free (\d+), tables (\d+), free (\d+)',
                        self('info'))
        check(info, 'no answer')
        return info.groups()

    def stats(self):
        """{processor: {cause: count}}"""
        lines = self('stats').splitlines()
        cpus = [int(re.match(r'cpu(\d+)', word).group(1)) for word in lines[0].split()[1:]]
        table = {cpu: {} for cpu in cpus}
        for line in lines[1:]:
            name, *counts = line.split()
            for cpu, count in zip(cpus, counts):
                table[cpu][name] = int(count)
        return table

    def check_kernel(self):
        bad = [line for line in self.shell('dmesg').splitlines()
               if re.search(r'Oops|BUG|Call Trace|RCU.*stall|soft lockup|WARNING', line)]
        check(not bad, '\n'.join(bad))

    def power_off(self):
        check_equal(self.shell.power_off().status, 0)
