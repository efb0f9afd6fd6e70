#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's kernel entered directly: processors, memory, the shell on a terminal, all ways to end."""

import inside
from report import check, check_equal, main


def boot_two_processors(t):
    """What a machine is like that nothing was asked of."""
    with t.direct('-smp', '2') as m:
        s = m.shell()
        inside.processors(t, s, 2, 'LA664', ('fpu', 'lsx', 'lasx', 'crc32', 'lam', 'ptw', 'lvz'), ())
        inside.memory(t, s, 1024)
        inside.interrupts(t, s, 2)
        inside.clock(t, s)
        inside.every_processor_computes(t, s, 2)
        with t.test('KVM is there'):
            check_equal(s('stat -c %F /dev/kvm'), 'character special file')
        inside.kernel_messages(t, s)
        with t.test('power-off ends the program'):
            result = s.power_off()
            check_equal((result.status, result.errors), (0, ''))
            check('Power down' in result.text)


main()
