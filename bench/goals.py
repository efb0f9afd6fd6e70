# SPDX-License-Identifier: Apache-2.0
"""What is measured in which kind, and what each kind is to reach.

A goal is either a factor over the reference emulator (at least), a multiple of native time (at most),
or a limit of the figure itself. The kinds of bench/micro/workloads.def have a line here.
"""

import collections

# faster: at least so many times as fast as the reference; slower: at most so many times native.
Kind = collections.namedtuple('Kind', 'title faster slower')

KINDS = {
    'int': Kind('integer loops', 2, 1.5),
    'call': Kind('calls, virtual calls, bytecode', 4, 2.5),
    'chase': Kind('pointers followed', 1.2, 1.5),
    'fp': Kind('scalar floating point', 15, 3),
    'mem': Kind('memory and strings of the C library', 5, 3),
    'vint': Kind('LSX and LASX, integers', 8, 3),
    'vfp': Kind('LSX and LASX, floating point', 50, 4),
    'sys': Kind('system calls, processes, pages', 3, None),
    'code': Kind('code made by the guest', 10, None),
    'pair': Kind('two threads on two processors', None, None),
    'script': Kind('Debian: python3, sqlite3, gcc', 4, 5),
    'pack': Kind('Debian: xz, zstd, bzip2', 2, 2.5),
    'exits': Kind('exits of a guest of KVM in the guest', None, None),
    'boot': Kind('seconds from the start', None, None),
    'resident': Kind('MiB besides the memory of the guest', None, None),
}

# Rows with goals of their own: name -> (faster, slower).
ROW_GOALS = {
    'boot_firmware': (10, None),
    'boot_direct': (3, None),
}
SPEED_UP = 1.8    # of two threads on two processors, against one
RESIDENT_MIB = 150


def goals_of(kind, name):
    """(faster, slower) of a row, None where there is no goal."""
    return ROW_GOALS.get(name, (KINDS[kind].faster, KINDS[kind].slower) if kind in KINDS else (None, None))
