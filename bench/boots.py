# SPDX-License-Identifier: Apache-2.0
"""How long a machine takes from its start to the guest's first program, and what memory it takes
besides the guest's."""

import re
import time

from places import Machine, lh_command, reference_command

RAM_AT_LEAST_KIB = 1 << 18
# Writable, no program text, and not named as what translated code is kept in.
RAM = re.compile(r'\S+ rw-(?!.*(?:code|jit))')
INIT = 'Run /init as init process'


def seconds_to_init(command):
    began = time.monotonic()
    with Machine(command) as m:
        m.expect(INIT)
        return time.monotonic() - began


def resident_mib(command):
    """MiB in memory at the prompt that are not the guest's RAM."""
    with Machine(command) as m:
        m.shell().run('true')
        total = 0
        with open(f'/proc/{m.process.pid}/smaps', encoding='utf-8', errors='replace') as f:
            for block in re.split(r'\n(?=[0-9a-f]+-[0-9a-f]+ )', f.read()):
                size, rss = (int(re.search(rf'^{word}: +(\d+)', block, re.M).group(1))
                             for word in ('Size', 'Rss'))
                is_ram = size >= RAM_AT_LEAST_KIB and RAM.match(block)
                total += 0 if is_ram else rss
        return total / 1024


ROWS = {
    'boot_direct': ('boot', 'entered directly; the reference, too',
                    lambda lh, accel: lh_command(lh, accel), lambda: reference_command(firmware=False)),
    'boot_firmware': ('boot', 'entered directly; the reference through EDK2',
                      lambda lh, accel: lh_command(lh, accel), reference_command),
    'resident': ('resident', 'idle at the prompt, guest of 1 GiB',
                 lambda lh, accel: lh_command(lh, accel), lambda: reference_command(firmware=False)),
}
