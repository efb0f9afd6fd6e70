# SPDX-License-Identifier: Apache-2.0
"""`lh` for loong64, and what puts it into a guest's initramfs.

Environment: BUILD_LOONG64 is where the program is built.
"""

import contextlib
import os
import shutil
import subprocess

from report import Skip, check_equal, guest_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CANNOT_BUILD = 125


def build_program(*targets):
    """The path of lh for loong64. Other targets of that build are made, too."""
    built = subprocess.run(['sh', os.path.join(ROOT, 'tools/build_loong64.sh'), *targets], check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if built.returncode == CANNOT_BUILD:
        raise Skip(f'missing what builds for loong64: {built.stderr.strip()}')
    check_equal((built.returncode, ''), (0, '' if not built.returncode else built.stderr))
    return os.path.join(os.environ['BUILD_LOONG64'], 'lh')


def newc(name, data, mode):
    """One file of a cpio archive in the format that kernels read."""
    name = name.encode() + b'\0'
    fields = (1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b'070701' + b''.join(b'%08X' % f for f in fields) + name
    pad = lambda b: b + bytes(-len(b) % 4)
    return pad(head) + pad(data)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


@contextlib.contextmanager
def initrd_with_more(path):
    """Makes the guest's initramfs anew at `path`, and behind it a second one: what is written to the file
    that comes, by newc(). The kernel reads one after the other."""
    initrd = read(guest_file('initrd.img'))
    with open(path, 'wb') as f:
        f.write(initrd + bytes(-len(initrd) % 4))
        yield f
        f.write(newc('TRAILER!!!', b'', 0))


def stripped(path, to):
    """Without debugging information, where it can be done: the machine has to unpack it."""
    if not shutil.which('llvm-strip-19'):
        return read(path)
    subprocess.run(['llvm-strip-19', '-o', to, path], check=True)
    return read(to)
