#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the fingerprint of a build: a hash of its object files.

usage: fingerprint.py OUTPUT OBJECT...
"""

import hashlib
import sys


def main(output, objects):
    digest = hashlib.sha256()
    for path in objects:
        with open(path, 'rb') as f:
            digest.update(f.read())
    with open(output, 'w', encoding='utf-8') as f:
        f.write('// SPDX-License-Identifier: Apache-2.0\n#include "hv/build.h"\n\n'
                f'u64 build_fingerprint = 0x{digest.hexdigest()[:16]};\n')


main(sys.argv[1], sys.argv[2:])
