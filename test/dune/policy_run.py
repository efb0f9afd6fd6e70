#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the attacks on a policy in guest mode: policy_run.py LH ATTACKS STATIC-PROGRAM. The attacks
report in TAP themselves; afterwards it is checked that what they were after is as it was."""

import os
import subprocess
import sys
import tempfile

RULES = '''# What a program that works in one directory needs.
allow (basic) (io) (open) (read) (write) (proc) (net) (ipc)
read /usr
read /lib
read /lib64
read /bin
read /proc
read /dev
write /dev/null
read /etc/ld.so.cache
exec /usr
exec {programs}
write {box}
'''


def main():
    lh, attacks, static = (os.path.abspath(a) for a in sys.argv[1:4])
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('1..0 # SKIP missing /dev/kvm, or the right to use it')
        return 0
    with tempfile.TemporaryDirectory() as d:
        d = os.path.realpath(d)
        box, outside = os.path.join(d, 'box'), os.path.join(d, 'outside')
        os.mkdir(box)
        os.mkdir(outside)
        secret = os.path.join(outside, 'secret')
        with open(secret, 'w', encoding='ascii') as f:
            f.write('secret')
        policy = os.path.join(d, 'policy')
        with open(policy, 'w', encoding='ascii') as f:
            f.write(RULES.format(box=box, programs=os.path.dirname(attacks)))
        env = {**os.environ, 'BOX': box, 'OUTSIDE': outside, 'STATIC': static}
        run = subprocess.run([lh, 'enter', '--policy', policy, '--', attacks], env=env,
                             stdout=subprocess.PIPE, text=True, check=False)
        print(run.stdout, end='')
        with open(secret, encoding='ascii') as f:
            untouched = f.read() == 'secret' and os.listdir(outside) == ['secret'] \
                and os.stat(secret).st_mode & 0o777 == 0o644
        if not untouched:
            print('not ok 1000 - what is outside is as it was')
        return run.returncode or not untouched


if __name__ == '__main__':
    os.umask(0o022)
    sys.exit(main())
