#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Debian with systemd on a disk: it starts, is on the network, installs packages, compiles, and its
interpreters and their translators work.

The image comes from tools/distro_fetch.sh. LH_DISTRO_LINES is the length of the C file; without it
5,000 lines, and 1,000 where the program has the interpreter only.
"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'boot'))
# pylint: disable=wrong-import-position
import programs
from report import CACHE, Skip, check, check_equal, copy_sparse, main, need
from repository import GUEST_SEES_HOST_AT, Archive

LONG_S = 1800
PROMPT = r'root@guest:\S*# '


def distro_file(name):
    directory = os.path.join(CACHE, 'distro')
    path = os.path.join(directory, name)
    if not os.path.exists(os.path.join(directory, '.complete')) or not os.path.exists(path):
        raise Skip(f'missing {name} of the distribution, which tools/distro_fetch.sh makes')
    return path


def log_in(t, m):
    """The first prompt of the system, and the shell behind it."""
    with t.test('the system comes up to login:'):
        m.expect(r'guest login: ', LONG_S)
    with t.test('root logs in on the serial port'):
        m.send('root\n')
        s = m.shell(PROMPT)
        s('export TERM=dumb SYSTEMD_COLORS=0 SYSTEMD_PAGER= DEBIAN_FRONTEND=noninteractive')
        s('stty cols 500 < /dev/ttyS0')
        check_equal(s('id -un; readlink /proc/$$/fd/2'), 'root\n/dev/ttyS0')
    return s


def system(t, s):
    with t.test('systemd has started everything, and nothing failed'):
        status, state = s.run('systemctl is-system-running --wait', LONG_S)
        check(status == 0, state, s.run('systemctl --failed --no-legend; journalctl -b -p err --no-pager')[1])
    with t.test('the first process is systemd, and logind knows of the session'):
        check_equal(s('cat /proc/1/comm'), 'systemd')
        check('ttyS0' in s('loginctl list-sessions --no-legend'), 'no session')
    with t.test('services are started and stopped'):
        s('systemctl stop systemd-resolved; systemctl start systemd-resolved', LONG_S)
        check_equal(s('systemctl is-active systemd-resolved systemd-networkd dbus'), 'active\nactive\nactive')
        s('systemd-run --wait --quiet -p DynamicUser=yes sh -c "id -u | grep -vx 0"', LONG_S)
    with t.test('the journal is readable'):
        check('Linux version' in s('journalctl -b -k --no-pager | head -n 50'), 'no kernel in it')
    with t.test('packages are whole'):
        check_equal(s('dpkg --audit', LONG_S), '')


def network(t, s):
    with t.test('the network is configured'):
        s('for i in $(seq 200); do ip -4 route | grep -q ^default && break; sleep 0.2; done')
        text = s('ip -color=never -4 -o addr show scope global; ip -color=never -4 route show default')
        check('10.0.2.15/24' in text and f'via {GUEST_SEES_HOST_AT}' in text, text)


def packages(t, s, archive):
    with t.test('apt reads the lists of an archive'):
        s(f'echo "deb [trusted=yes] {archive.url} ./" > /etc/apt/sources.list.d/test.list')
        s('apt-get -q update', LONG_S)
        check(f'{archive.url}./longhouse-hello_1.0_all.deb' in
              s('apt-get -qq --print-uris install longhouse-hello', LONG_S))
    with t.test('apt installs a package and what it depends on'):
        s('apt-get -q -y install longhouse-hello', LONG_S)
        check_equal(s('longhouse-hello; cat /var/lib/longhouse-hello'), 'hello from a package\nconfigured')
        check_equal(s('dpkg --verify longhouse-hello longhouse-words; dpkg --audit', LONG_S), '')
    with t.test('apt removes them again'):
        s('apt-get -q -y purge longhouse-hello longhouse-words', LONG_S)
        s('test ! -e /usr/bin/longhouse-hello && test ! -e /var/lib/longhouse-hello')
    with t.test('dpkg installs and removes a file'):
        fetch(s, archive, 'longhouse-words_1.0_all.deb')
        s('dpkg -i /tmp/longhouse-words_1.0_all.deb && cat /usr/share/longhouse/words && '
          'dpkg -r longhouse-words', LONG_S)


def fetch(s, archive, name):
    """A file of the host, by the guest's network."""
    s(f"python3 -c 'import urllib.request as u; u.urlretrieve(\"{archive.url}{name}\", \"/tmp/{name}\")'",
      LONG_S)


def n_lines(lh):
    accels = subprocess.run([lh, 'run', '-accel', 'help'], check=True, capture_output=True, text=True).stdout
    return int(os.environ.get('LH_DISTRO_LINES', '1000' if accels.split()[0] == 'interp' else '5000'))


def compiler(t, s, archive):
    text, wanted = programs.c_program(n_lines(t.lh))
    archive.add('long.c', text)
    with t.test(f'gcc compiles {text.count(chr(10))} lines, and the program is right'):
        fetch(s, archive, 'long.c')
        s('gcc -O2 -Wall -Werror -o /tmp/long /tmp/long.c', LONG_S)
        check_equal(s('/tmp/long', LONG_S), wanted)


def interpreters(t, s, archive):
    with t.test('python3 computes what the host computes'):
        archive.add('p.py', programs.PYTHON)
        fetch(s, archive, 'p.py')
        wanted = subprocess.run([sys.executable, '-c', programs.PYTHON], check=True, capture_output=True,
                                text=True).stdout.rstrip('\n')
        check_equal(s('python3 /tmp/p.py', LONG_S), wanted)
    with t.test('node computes, translates and runs WebAssembly'):
        archive.add('n.js', programs.NODE)
        fetch(s, archive, 'n.js')
        check_equal(s('node /tmp/n.js', LONG_S), programs.node_prints())
    with t.test('luajit computes'):
        archive.add('l.lua', programs.LUA)
        fetch(s, archive, 'l.lua')
        check_equal(s('luajit /tmp/l.lua', LONG_S).split('\t', 1)[1], programs.lua_prints())


def fsck(path):
    """The file system of an ended guest, its journal replayed already."""
    told = subprocess.run(['e2fsck', '-f', '-n', path], capture_output=True, text=True, check=False,
                          env={**os.environ, 'PATH': os.environ['PATH'] + ':/sbin:/usr/sbin'})
    check_equal(told.returncode, 0)


def boot_a_distribution(t):
    need('dpkg-deb')
    disk = copy_sparse(distro_file('system.ext4'), t.path('system.ext4'))
    options = ('-smp', '2', '-m', '2G', '-no-reboot', '-kernel', distro_file('vmlinuz'), '-initrd',
               distro_file('initrd.img'), '-drive', f'file={disk},format=raw,if=virtio', '-append',
               'console=ttyS0,115200 panic=-1 guest.root=/dev/vda')
    with Archive(t.path('archive')) as archive, t.machine(*options) as m:
        s = log_in(t, m)
        system(t, s)
        network(t, s)
        packages(t, s, archive)
        interpreters(t, s, archive)
        compiler(t, s, archive)
        with t.test('the system powers off'):
            s.start('systemctl poweroff')
            check_equal(m.end(LONG_S)[::2], (0, ''))
    with t.test('the file system is clean'):
        fsck(disk)


main()
