# SPDX-License-Identifier: Apache-2.0
"""Disks that are all EFI system partition."""

import os
import subprocess

from report import need

DEFAULT_PROGRAM = 'EFI/BOOT/BOOTLOONGARCH64.EFI'  # what firmware looks for by itself
TOOLS = {**os.environ, 'MTOOLS_SKIP_CHECK': '1'}


def make_esp(path, files, mib=64):
    """A file system with these files: {name there: path here or the text itself}"""
    need('mkfs.vfat', 'mmd', 'mcopy')
    subprocess.run(['mkfs.vfat', '-C', '-F', '32', '-n', 'ESP', path, str(mib << 10)], check=True,
                   stdout=subprocess.DEVNULL)
    folders = {'/'.join(name.split('/')[:n]) for name in files for n in range(1, name.count('/') + 1)}
    for name in sorted(folders):
        subprocess.run(['mmd', '-i', path, '::/' + name], check=True, env=TOOLS)
    for target, source in files.items():
        if not os.path.isabs(source):
            with open(path + '.part', 'w', encoding='ascii') as f:
                f.write(source)
            source = path + '.part'
        subprocess.run(['mcopy', '-i', path, source, '::/' + target], check=True, env=TOOLS)
    return path
