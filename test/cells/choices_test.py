#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The hypervisor under the other reading of each open question of LVZ (doc/lvz_choices.md): programs as root
cell that count exits, and that use the interrupts and the timer that a cell has to itself.

usage: choices_test.py LH [NAME...]
"""

import os
import re

from bed import HERE, machine, make_bundle, payload
from report import check, main

PROGRAMS = 'cell_exits', 'interrupts', 'timer'
TABLE = os.path.join(HERE, '..', '..', 'cpu', 'loongarch64', 'lvz_properties.def')
# Kernels jump to an address of a window before they turn mapping on: Linux's KVM could run none.
IMPOSSIBLE = 'lvz-da-masked=off'
# Numbers, and what comes in pairs.
MORE = 'gidbits=4', 'lvz-gmtlb=31', 'lvz-gmtlb=31,lvz-gmtlb-counts=on', 'lvz-toep=on,lvz-topp=on'


def other_settings():
    with open(TABLE, encoding='utf-8') as f:
        flags = re.findall(r'^LVZ_FLAG\(\w+, +"([\w-]+)", +(true|false)', f.read(), re.M)
    check(len(flags) > 35, len(flags))
    return [f'{name}={"off" if initial == "true" else "on"}' for name, initial in flags
            if name not in IMPOSSIBLE]


def bundle_of(t, name):
    os.rename(make_bundle(t, payload(name)), t.path(name))
    return t.path(name)


def boot_readings(t):
    bundles = {name: bundle_of(t, name) for name in PROGRAMS}
    for setting in (*other_settings(), *MORE):
        with t.test(setting):
            for name, bundle in bundles.items():
                with machine(t, bundle, '-cpu', f'max,{setting}', '-nographic') as m:
                    done = m.end(60)
                check(done.status == 0 and ' passed, 0 failed' in done.text, name, done.text[-1500:], done.errors)
    with t.test('guest ids of less than 4 bits are refused'):
        with machine(t, bundles['timer'], '-cpu', 'max,gidbits=3', '-nographic') as m:
            check('guest ids of 4 bits' in m.end(60).text)


main()
