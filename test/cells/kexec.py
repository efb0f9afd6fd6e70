# SPDX-License-Identifier: Apache-2.0
"""What a root cell has to have to start another kernel by itself, with Debian's kexec."""

import os
import struct
import subprocess

from report import CACHE, Skip, guest_file, need

PROGRAMS = 'kexec', 'libc.so.6', 'ld-linux-loongarch-lp64d.so.1'
# Its interpreter is at a place of its own; the programs come as files of /cells.
INSTALL = 'mkdir -p /lib64; cd /cells; cp ld-linux* libc.so.6 /lib64; chmod 755 kexec /lib64/*; cd /'
KEXEC = 'LD_LIBRARY_PATH=/lib64 /cells/kexec'


def programs():
    """{name in /cells: file}"""
    files = {name: os.path.join(CACHE, 'crash', name) for name in PROGRAMS}
    if not all(map(os.path.exists, files.values())):
        raise Skip('missing crash/kexec of tools/crash_fetch.sh')
    return files


def unpacked_kernel(t):
    """What kexec wants: it does not know this compression of an image that unpacks itself."""
    need('zstd')
    with open(guest_file('vmlinuz'), 'rb') as f:
        data = f.read()
    begin, size = struct.unpack('<II', data[8:16])
    with open(t.path('vmlinux.efi'), 'wb') as f:
        subprocess.run(['zstd', '-dcq'], input=data[begin:begin + size], stdout=f, check=True)
    return f.name
