# SPDX-License-Identifier: Apache-2.0
"""Where workloads run: on the host, or in a guest of one emulator or the other.

Native     this machine
Guest      a machine that has been booted, and stays at its prompt between workloads

Both have `micro`, which runs a workload of bench/micro, and `program`, which runs one of
programs.py. A measurement has the nanoseconds by the clock of the place (for a guest: its own), and
the share of that time for which the thread of the virtual processor did not wait for one of the
host. Where the share is low the host had other work, and the figure is too high by that.
"""

import collections
import glob
import hashlib
import os
import re
import shlex
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'test', 'boot'))
from machine import Gone, Machine  # pylint: disable=wrong-import-position
from report import CACHE, GUEST  # pylint: disable=wrong-import-position

Measured = collections.namedtuple('Measured', 'value share digest')

REFERENCE = os.path.join(CACHE, 'reference', 'bin', 'qemu-system-loongarch64')
PROGRAMS = os.path.join(CACHE, 'bench')
LIMIT_S = 900
# Without a keyboard controller the kernel waits for one, unless the tables say that there is none.
APPEND = 'console=ttyS0,115200 initcall_blacklist=i8042_init guest.net=off'
MICRO_LINE = re.compile(r'^(\w+) ([\d.]+) ([\d.]+) (.*)$', re.M)
VCPU_NAMES = re.compile(r'vcpu\d+|CPU \d+/TCG')


class Failed(Exception):
    """A workload that ended in an error or with a wrong result."""


def parse(text, name):
    found = MICRO_LINE.search(text)
    if not found or found.group(4) != 'ok':
        raise Failed(f'{name}: {text.strip()[-300:] or "no answer"}')
    return float(found.group(2))


def vcpu_threads(pid):
    """The threads of virtual processors, of either emulator."""
    found = []
    for path in sorted(glob.glob(f'/proc/{pid}/task/*/comm')):
        with open(path, encoding='ascii') as f:
            if VCPU_NAMES.fullmatch(f.read().strip()):
                found.append(int(path.split('/')[4]))
    return found


def waited_seconds(pid, tid):
    """For how long a thread that could have run had no processor."""
    with open(f'/proc/{pid}/task/{tid}/schedstat', encoding='ascii') as f:
        return int(f.read().split()[1]) * 1e-9


class Native:
    name = 'native'

    def __init__(self, micro, directory, cpu):
        self.binary, self.dir, self.cpu = micro, directory, cpu

    def run(self, command, n_busy=1):
        """What a command printed, and the share of the processors that it keeps busy that it had."""
        before, began = os.times(), time.monotonic()
        pin = (lambda: os.sched_setaffinity(0, {self.cpu})) if n_busy == 1 else None
        # Each process pins itself before it becomes the program.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, preexec_fn=pin)  # pylint: disable=subprocess-popen-preexec-fn
        wall, after = time.monotonic() - began, os.times()
        spent = (after.children_user + after.children_system -
                 before.children_user - before.children_system)
        return done.stdout + done.stderr, min(1.0, (spent + 0.01) / wall / n_busy)

    def micro(self, name, seconds, n_busy=1):
        text, share = self.run([self.binary, 'run', str(seconds), name], n_busy)
        return Measured(parse(text, name), share, None)

    def program(self, program):
        path = os.path.join(PROGRAMS, 'bin', program.program)
        output = os.path.join(self.dir, 'output')
        text, share = self.run([self.binary, 'time', output, path,
                                *shlex.split(program.arguments.format(dir=self.dir))])
        with open(output, 'rb') as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        return Measured(parse(text, program.name), share, digest)

    def restart(self):
        pass

    def end(self):
        pass


class Guest:
    """A machine with the disk of the programs, when there is one, and the disk of the workloads."""

    def __init__(self, name, command, cpus, has_programs):
        self.name, self.command, self.cpus, self.has_programs = name, command, cpus, has_programs
        self.start()

    def start(self):
        self.machine = Machine(self.command)
        try:
            self.shell = self.machine.shell()
            self.mount(self.has_programs)
            self.pin()
        except BaseException:
            self.machine.__exit__()
            raise
        self.clocks = [self.clock()]

    def restart(self):
        """After it has died, or does not answer any more."""
        self.machine.__exit__()
        self.start()

    def mount(self, has_programs):
        s = self.shell
        if has_programs:
            s('mkdir -p /disk; mount -t ext4 -o ro /dev/vda /disk && mount -t tmpfs tmp /disk/tmp && '
              'for d in dev proc; do mount --bind /$d /disk/$d; done')
            s('mount -t ext4 -o ro /dev/vdb /disk/mnt')
        else:
            s('mkdir -p /disk/mnt; mount -t ext4 -o ro /dev/vda /disk/mnt')

    def pin(self):
        """Virtual processors go to processors of their own, as far as there are."""
        self.threads = vcpu_threads(self.machine.process.pid)
        if not self.threads:
            raise Gone(f'{self.name}: no thread of a virtual processor')
        for tid, cpu in zip(self.threads, self.cpus):
            os.sched_setaffinity(tid, {cpu})

    def clock(self):
        """The host's clock and the guest's."""
        return time.monotonic(), float(self.shell('cat /proc/uptime').split()[0])

    def clock_rate(self):
        """How fast the guest's clock went since the start, against the host's: 1.0 is right."""
        self.clocks.append(self.clock())
        (host0, guest0), (host1, guest1) = self.clocks[0], self.clocks[-1]
        return (guest1 - guest0) / (host1 - host0) if host1 - host0 > 2 else None

    def timed(self, command, n_busy=1):
        """What a command prints, and the share of time for which its virtual processors had one."""
        pid = self.machine.process.pid
        before, began = [waited_seconds(pid, t) for t in self.threads], time.monotonic()
        _, text = self.shell.run(command, LIMIT_S)
        wall = time.monotonic() - began
        waited = sorted(waited_seconds(pid, t) - b for t, b in zip(self.threads, before))
        return text, max(0.0, 1 - sum(waited[-n_busy:]) / wall / n_busy)

    def micro(self, name, seconds, n_busy=1):
        text, share = self.timed(f'/disk/mnt/micro run {seconds} {name}', n_busy)
        return Measured(parse(text, name), share, None)

    def program(self, program):
        text, share = self.timed(f'chroot /disk /mnt/micro time /tmp/output {program.guest} ' +
                                 program.arguments.format(dir='/mnt'))
        digest = self.shell('sha256sum /disk/tmp/output', LIMIT_S).split()[0]
        return Measured(parse(text, program.name), share, digest)

    def end(self):
        self.machine.__exit__()


def need_guest():
    for name in ('vmlinuz', 'initrd.img'):
        if not os.path.exists(os.path.join(GUEST, name)):
            raise Failed(f'missing {name} of the guest; lh guest fetch fetches it')
    return os.path.join(GUEST, 'vmlinuz'), os.path.join(GUEST, 'initrd.img')


def disks(*paths, is_readonly=True):
    """Options of both emulators."""
    more = ',readonly=on' if is_readonly else ''
    return [word for path in paths for word in ('-drive', f'file={path},format=raw,if=virtio{more}')]


def lh_command(lh, accel, *more, memory='1G', smp=1, append=APPEND):
    kernel, initrd = need_guest()
    return [lh, 'run', *(['-accel', accel] if accel else []), '-m', memory, '-smp', str(smp), '-nic', 'none',
            '-serial', 'stdio', '-kernel', kernel, '-initrd', initrd, '-append', append, *more]


def has_reference():
    return os.path.exists(REFERENCE)


def reference_command(*more, memory='1G', smp=1, append=APPEND, firmware=True):
    """The reference emulator. Only with firmware its guest finds PCI devices: Debian's kernel has no
    driver for them without ACPI."""
    kernel, initrd = need_guest()
    bios = os.path.join(GUEST, 'QEMU_EFI.fd')
    if firmware and not os.path.exists(bios):
        raise Failed('missing QEMU_EFI.fd; lh guest fetch --firmware fetches it')
    return [REFERENCE, '-M', 'virt', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-name',
            'bench,debug-threads=on', '-display', 'none', '-monitor', 'none', '-nic', 'none', '-serial',
            'stdio', '-m', memory, '-smp', str(smp), *(['-bios', bios] if firmware else []),
            '-kernel', kernel, '-initrd', initrd, '-append', append, *map(unlocked, more)]


def unlocked(option):
    """A disk that others may have open, too: it is read only, or a copy."""
    return option + ',file.locking=off' if option.startswith('file=') else option
