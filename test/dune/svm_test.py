#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs of test/dune on a processor with SVM and nested paging, which an emulator provides: there
`syscall` of a guest enters ring 0. svm_test.py LH PROGRAM...

It runs only when it is asked for, since it takes minutes: LH_X86_KERNEL names a directory in which
Debian's linux-image-*-amd64 and busybox-static packages are unpacked (dpkg -x)."""

import glob
import gzip
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile

INIT = '''#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmp /tmp
for m in irqbypass ccp kvm kvm-amd; do /bin/busybox insmod /mod/$m.ko; done
export PATH=/bin
lh doctor
for program in {names}; do
    echo "=== $program"
    case $program in
        dune_*) /t/$program ;;
        *) lh enter /t/$program ;;
    esac
done
/bin/busybox poweroff -f
'''


def libraries(programs):
    found = set()
    for program in programs:
        text = subprocess.run(['ldd', program], capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r'(/\S+) \(0x', text))
    # The C library loads this one when a thread is cancelled.
    found.update(glob.glob('/lib/x86_64-linux-gnu/libgcc_s.so.1'))
    return found


def fill(root, kernel, lh, programs):
    for name in ('bin', 'proc', 'sys', 'dev', 'tmp', 't', 'mod', 'etc', 'usr/bin'):
        os.makedirs(os.path.join(root, name))
    shutil.copy(glob.glob(f'{kernel}/**/bin/busybox', recursive=True)[0], f'{root}/bin/busybox')
    for name in ('sh', 'true', 'cat', 'echo', 'sleep'):
        os.symlink('busybox', f'{root}/bin/{name}')
    shutil.copy(lh, f'{root}/bin/lh')
    for program in programs:
        shutil.copy(program, f'{root}/t/')
    for library in libraries([lh, *programs]):
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    for name in ('irqbypass', 'ccp', 'kvm', 'kvm-amd'):
        module = glob.glob(f'{kernel}/**/{name}.ko*', recursive=True)[0]
        opener = lzma.open if module.endswith('.xz') else open
        with opener(module, 'rb') as source, open(f'{root}/mod/{name}.ko', 'wb') as to:
            shutil.copyfileobj(source, to)
    with open(f'{root}/init', 'w', encoding='ascii') as f:
        f.write(INIT.format(names=' '.join(os.path.basename(p) for p in programs)))
    os.chmod(f'{root}/init', 0o755)


def boot(kernel, initrd):
    image = glob.glob(f'{kernel}/**/vmlinuz-*', recursive=True)[0]
    command = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'EPYC,+svm,+npt', '-m', '2G', '-kernel', image,
               '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1', '-nographic', '-no-reboot']
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace',
                          timeout=900, check=False).stdout.replace('\r', '')


def report(text, programs):
    """One line for each program: whether all its tests passed."""
    number, failed = 1, 'enter ring 0' not in text
    print(f'{"not " if failed else ""}ok 1 - system calls enter ring 0')
    for program in map(os.path.basename, programs):
        number += 1
        part = text.partition(f'=== {program}\n')[2].partition('===')[0]
        plan = re.search(r'^1\.\.(\d+)$', part, re.M)
        n_good = len(re.findall(r'^ok (?!.*# SKIP missing)', part, re.M))
        good = plan and int(plan.group(1)) == n_good
        failed |= not good
        if not good:
            print(''.join(f'# {line}\n' for line in part.splitlines() if not line.startswith('ok ')), end='')
        print(f'{"" if good else "not "}ok {number} - {program}')
    print(f'1..{number}')
    return failed


def main():
    kernel = os.environ.get('LH_X86_KERNEL')
    lh, *programs = map(os.path.abspath, sys.argv[1:])
    if not kernel or not shutil.which('qemu-system-x86_64'):
        print('1..0 # SKIP not asked for: it takes minutes, a directory in LH_X86_KERNEL (see the top of svm_test.py) and '
              'qemu-system-x86_64')
        return 0
    with tempfile.TemporaryDirectory() as d:
        root, initrd = os.path.join(d, 'root'), os.path.join(d, 'initrd.gz')
        os.mkdir(root)
        fill(root, kernel, lh, programs)
        names = subprocess.run(['find', '.'], cwd=root, capture_output=True, check=True).stdout
        archive = subprocess.run(['cpio', '-o', '-H', 'newc'], cwd=root, input=names, capture_output=True,
                                 check=True).stdout
        with gzip.open(initrd, 'wb', 1) as f:
            f.write(archive)
        return report(boot(kernel, initrd), programs)


if __name__ == '__main__':
    sys.exit(main())
