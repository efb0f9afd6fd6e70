#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lh run` with a hypervisor below the kernel: the program given by -kernel becomes the root cell's.
Processor and memory are those that it needs; LH_UNDER_CPU names another processor, LH_UNDER_OPTIONS
has more words for `lh run`.

usage: under.py LH HYPERVISOR SYSTEM -kernel FILE [OPTION OF lh run]...
"""

import os
import subprocess
import sys
import tempfile


def take(words, option):
    """The value behind the option, which goes."""
    if option not in words:
        return None
    at = words.index(option)
    value = words[at + 1]
    del words[at:at + 2]
    return value


def main(lh, hypervisor, system, *words):
    words = list(words)
    take(words, '-cpu')
    take(words, '-m')
    kernel, append = take(words, '-kernel'), take(words, '-append')
    with tempfile.TemporaryDirectory(prefix='lh-under-') as folder:
        bundle = os.path.join(folder, 'bundle')
        subprocess.run([lh, 'cell', 'bundle', '-o', bundle, '--system', system, '--kernel', kernel,
                        '--append', append or ''], check=True)
        return subprocess.run([lh, 'run', '-kernel', hypervisor, '-initrd', bundle, '-cpu',
                               os.environ.get('LH_UNDER_CPU', 'max'),
                               '-m', '1G', *os.environ.get('LH_UNDER_OPTIONS', '').split(), *words],
                              check=False).returncode


sys.exit(main(*sys.argv[1:]))
