#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a test program in guest mode, or says why it cannot: inside.py LH [OPTION...] -- PROGRAM...

The program reports in TAP itself."""

import os
import sys

if not os.access('/dev/kvm', os.R_OK | os.W_OK) and '--backend' not in sys.argv:
    print('1..0 # SKIP missing /dev/kvm, or the right to use it')
    sys.exit(0)
lh, *rest = sys.argv[1:]
os.execv(lh, [lh, 'enter', *rest])
