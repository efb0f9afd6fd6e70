# SPDX-License-Identifier: Apache-2.0
"""`lh guest fetch` without a network: options, errors, what is there already, what it puts into
the guest. An apt that always fails stands in for the machine's."""

import os
import re
import shutil
import signal
import subprocess
import time

from tap import ROOT, main, need, only_programs, run, test, write_program

SCRIPT = os.path.join(ROOT, 'tools', 'guest_fetch.sh')
KERNEL = ('vmlinuz', 'initrd.img', 'config')

# An apt that knows an archive and cannot reach it.
BROKEN_APT = '''#!/bin/sh
case " $* " in
    *" indextargets "*) echo "http://archive.invalid/debian Debian/Debian $LH_CODENAME x" ;;
    *) echo "E: Could not connect to archive.invalid" >&2; exit 100 ;;
esac
'''


def fetch(folder, *options, env=None):
    """Runs the script with the failing apt; OUT is folder/out."""
    programs = os.path.join(folder, 'bin')
    os.makedirs(programs, exist_ok=True)
    write_program(os.path.join(programs, 'apt-get'), BROKEN_APT)
    out = [] if '--out' in options else ['--out', os.path.join(folder, 'out')]
    return run(['sh', SCRIPT, *out, *options], env={
        'PATH': programs + ':' + os.environ['PATH'], 'LH_CODENAME': 'bookworm',
        'LH_ARCHIVE': None, **(env or {})})


def one_line_error(result, *words):
    assert result.returncode == 1, result
    assert result.stdout == '', result.stdout
    *_, last = result.stderr.splitlines()
    assert all(word in last for word in words), result.stderr
    return last


def complete(folder, part='kernel', text='recipe=1 release=9.9', files=KERNEL):
    """Pretends that an earlier run has left this part."""
    out = os.path.join(folder, 'out')
    os.makedirs(out, exist_ok=True)
    for name in files:
        with open(os.path.join(out, name), 'w', encoding='utf-8') as f:
            f.write('x')
    with open(os.path.join(out, '.' + part), 'w', encoding='utf-8') as f:
        f.write(text + '\n')
    return out


def functions(code, **more):
    """Runs shell code that sees the script's functions."""
    return run(['sh', '-euc', f'fetch_functions_only=1; . "{SCRIPT}"; set_defaults\n{code}'],
               **more)


@test
def help_tells_every_option(folder):
    result = fetch(folder, '--help')
    assert result.returncode == 0 and result.stderr == ''
    with open(SCRIPT, encoding='utf-8') as f:
        parsed = set(re.findall(r'^ {12}(--[a-z]+)\)', f.read(), re.M))
    assert len(parsed) > 8
    assert all(option in result.stdout for option in parsed), parsed


@test
def unknown_options_are_refused(folder):
    one_line_error(fetch(folder, '--rootfs', '--sudo'), "'--sudo'", '--help')
    one_line_error(fetch(folder, 'forky'), "'forky'")


@test
def options_need_their_values(folder):
    for option in ('--arch', '--suite', '--out', '--extra', '--modules', '--archive'):
        assert f'option {option} needs' in one_line_error(fetch(folder, '--out', 'x', option))


@test
def values_are_checked(folder):
    one_line_error(fetch(folder, '--arch', 'arm64'), 'arm64', 'loong64')
    one_line_error(fetch(folder, '--suite', 'for ky'), "'for ky'")
    one_line_error(fetch(folder, '--suite='), 'suite')
    one_line_error(fetch(folder, '--extra', 'gcc,$(id)'), '$(id)')
    one_line_error(fetch(folder, '--modules', '../ext4'), '../ext4')


@test
def both_spellings_of_values_are_read(folder):
    for options in (['--arch', 'x1'], ['--arch=x1']):
        one_line_error(fetch(folder, *options), "'x1'")


@test
def a_directory_that_cannot_be_made_is_named(folder):
    one_line_error(fetch(folder, '--out', '/proc/none'), '/proc/none', '--out')


@test
def what_is_there_needs_no_network_and_no_tools(folder):
    out = complete(folder)
    programs = only_programs(os.path.join(folder, 'few'), 'sh', 'cat', 'tr', 'sed', 'sort',
                             'paste', 'grep')
    result = run([shutil.which('sh'), SCRIPT, '--out', out], env={'PATH': programs})
    assert result.returncode == 0, result
    assert '9.9' in result.stderr and out in result.stderr
    assert not os.path.exists(os.path.join(out, '.lock'))


@test
def quiet_says_nothing_when_all_is_there(folder):
    complete(folder)
    result = fetch(folder, '--quiet')
    assert (result.returncode, result.stdout, result.stderr) == (0, '', '')


@test
def what_is_incomplete_is_fetched(folder):
    out = complete(folder)
    for change in (lambda: os.remove(os.path.join(out, 'config')),
                   lambda: os.remove(os.path.join(out, '.kernel')),
                   lambda: open(os.path.join(out, 'vmlinuz'), 'w', encoding='utf-8').close(),
                   lambda: complete(folder, text='recipe=0 release=9.9')):
        complete(folder)
        assert fetch(folder).returncode == 0
        change()
        one_line_error(fetch(folder), 'network')


@test
def what_is_asked_for_in_addition_is_fetched(folder):
    complete(folder)
    one_line_error(fetch(folder, '--refresh'), 'network')
    one_line_error(fetch(folder, '--firmware'), 'network')
    one_line_error(fetch(folder, '--rootfs'), 'network')
    one_line_error(fetch(folder, '--modules', 'nvme'), 'network')
    complete(folder, text='recipe=1 release=9.9 nvme')
    assert fetch(folder, '--modules', 'nvme').returncode == 0
    assert fetch(folder).returncode == 0
    complete(folder, 'root', 'recipe=1 gcc strace', ['root.ext4'])
    assert fetch(folder, '--extra', 'strace,gcc').returncode == 0
    one_line_error(fetch(folder, '--extra', 'strace', '--extra', 'less'), 'network')


@test
def a_failed_run_leaves_what_was_there(folder):
    out = complete(folder)
    os.makedirs(os.path.join(out, '.partial', 'old'))
    one_line_error(fetch(folder, '--refresh'), 'network', 'Could not connect to archive.invalid')
    assert not os.path.exists(os.path.join(out, '.partial'))
    for name in KERNEL:
        with open(os.path.join(out, name), encoding='utf-8') as f:
            assert f.read() == 'x'
    assert fetch(folder).returncode == 0


@test
def an_interrupted_run_says_so_and_cleans_up(folder):
    programs = os.path.join(folder, 'bin')
    os.makedirs(programs)
    write_program(os.path.join(programs, 'apt-get'), '#!/bin/sh\nsleep 1\nexit 1\n')
    out = complete(folder)
    with subprocess.Popen(['sh', SCRIPT, '--out', out, '--refresh', '--archive', 'http://a.invalid'],
                          env={**os.environ, 'PATH': programs + ':' + os.environ['PATH']},
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not os.path.exists(os.path.join(out, '.partial', 'apt')):
            time.sleep(0.02)
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        errors = process.stderr.read()
    assert process.returncode == 1
    assert 'still there' in errors.splitlines()[-1], errors
    assert not os.path.exists(os.path.join(out, '.partial'))
    assert fetch(folder).returncode == 0


@test
def a_second_run_waits_for_the_first(folder):
    need('flock')
    out = complete(folder)
    os.remove(os.path.join(out, '.kernel'))
    lock = os.path.join(out, '.lock')
    first = ['flock', lock, 'sh', '-c', 'sleep 0.5; echo "recipe=1 release=1" > "$0/.kernel"', out]
    with subprocess.Popen(first):
        while run(['flock', '-n', lock, 'true']).returncode == 0:
            time.sleep(0.02)
        result = fetch(folder)
    assert result.returncode == 0, result
    assert 'waiting' in result.stderr and '1, is in' in result.stderr


@test
def missing_programs_are_named_by_their_packages(folder):
    names = 'sh cat tr sed sort paste grep id mkdir rm date flock dpkg-deb'.split()
    programs = only_programs(os.path.join(folder, 'few'), *names)
    write_program(os.path.join(programs, 'apt-get'), BROKEN_APT)
    script = os.path.join(folder, 'script')
    with open(SCRIPT, encoding='utf-8') as f:
        write_program(script, f.read().replace('PATH=$PATH:/sbin:/usr/sbin', ':'))
    result = run([shutil.which('sh'), script, '--rootfs', '--out', os.path.join(folder, 'out')],
                 env={'PATH': programs})
    one_line_error(result, 'apt-get install', 'kmod', 'cpio', 'mmdebstrap', 'fakeroot', 'e2fsprogs')


@test
def without_a_debian_archive_it_asks_for_one(folder):
    programs = os.path.join(folder, 'bin')
    os.makedirs(programs)
    write_program(os.path.join(programs, 'apt-get'), '''#!/bin/sh
echo "http://other.invalid/x Other/Other stable stable"
echo "cdrom:[Disk]/ Debian/Debian bookworm bookworm"
''')
    result = run(['sh', SCRIPT, '--out', os.path.join(folder, 'out')],
                 env={'PATH': programs + ':' + os.environ['PATH'], 'LH_ARCHIVE': None})
    one_line_error(result, '--archive')


@test
def the_archive_is_debians_own_and_whole(folder):
    write_program(os.path.join(folder, 'apt-get'), '''#!/bin/sh
echo "http://vendor.invalid/ Vendor/Debian bookworm bookworm"
echo "http://security.invalid/ Debian/Debian-Security bookworm-security bookworm-security"
echo "http://updates.invalid/ Debian/Debian bookworm-updates bookworm-updates"
echo "http://main.invalid/ Debian/Debian bookworm bookworm"
''')
    result = functions('archive= log=/dev/null; find_archive; echo "$archive"',
                       env={'PATH': folder + ':' + os.environ['PATH']})
    assert result.stdout == 'http://main.invalid/\n', result


@test
def before_the_first_update_the_release_name_decides(folder):
    write_program(os.path.join(folder, 'apt-get'), '''#!/bin/sh
. /etc/os-release
echo "http://vendor.invalid/ /  vendor"
echo "http://main.invalid/ /  $VERSION_CODENAME"
''')
    result = functions('archive= log=/dev/null; find_archive; echo "$archive"',
                       env={'PATH': folder + ':' + os.environ['PATH']})
    assert result.stdout == 'http://main.invalid/\n', result


@test
def modules_come_after_those_they_need(folder):
    tree = os.path.join(folder, 'tree')
    os.makedirs(os.path.join(tree, 'kernel'))
    for name in ('a-b.ko.xz', 'c.ko', 'd_e.ko.zst', 'unused.ko', 'soft.ko'):
        open(os.path.join(tree, 'kernel', name), 'w', encoding='utf-8').close()
    write_program(os.path.join(folder, 'modinfo'), '''#!/bin/sh
case $1 in
    */a-b.ko.xz) echo "depends:        c,d_e"; echo "softdep:        pre: soft" ;;
    */c.ko) echo "depends:        d-e" ;;
    *) echo "depends:        " ;;
esac
''')
    result = functions(f'tree={tree}; resolve_modules a_b none c',
                       env={'PATH': folder + ':' + os.environ['PATH']})
    names = [os.path.basename(line) for line in result.stdout.splitlines()]
    assert names == ['d_e.ko.zst', 'c.ko', 'soft.ko', 'a-b.ko.xz'], result


@test
def the_archive_written_by_hand_is_a_cpio_archive(folder):
    need('cpio')
    archive = os.path.join(folder, 'cpio')
    ird = os.path.join(folder, 'ird')
    os.makedirs(os.path.join(ird, 'bin'))
    assert functions(f'ird={ird}; write_cpio > {archive}').returncode == 0
    with open(archive, 'rb') as f:
        listing = subprocess.run(['cpio', '-itv', '--quiet'], stdin=f, capture_output=True,
                                 text=True, check=True).stdout.splitlines()
    assert [line.split()[-1] for line in listing] == ['dev', 'dev/console', 'bin'], listing
    assert listing[0].startswith('drwxr-xr-x') and listing[1].startswith('crw-------'), listing
    assert re.search(r'\b5,\s*1\b', listing[1]), listing


@test
def the_scripts_of_the_guest_are_scripts(folder):
    for name in ('init', 'dhcp', 'stop', 'hook'):
        path = os.path.join(folder, name)
        assert functions(f'write_{name} > {path}').returncode == 0
        result = run(['sh', '-n', path])
        assert result.returncode == 0, (name, result.stderr)


@test
def init_reads_the_command_line_as_the_kernel_does(folder):
    init = functions('write_init').stdout
    part = init[init.index('run= off='):init.index('finish() {')].replace('/proc/cmdline', '"$1"')
    part += 'echo "[$run] [$off] [$root] [$net]"\n'
    script, line = os.path.join(folder, 'script'), os.path.join(folder, 'cmdline')
    write_program(script, part)
    for text, expected in (
            ('guest.run="a  b; c" x', '[a  b; c] [] [] []'),
            ('quiet "guest.run=a  b=c" guest.off', '[a  b=c] [1] [] []'),
            ('guest.run=ls guest.root=/dev/vda\tguest.net=wait', '[ls] [] [/dev/vda] [wait]'),
            ('dyndbg="guest.off" notguest.off guest.offer', '[] [] [] []'),
            ('guest.run="ls /*; echo $HOME"', '[ls /*; echo $HOME] [] [] []')):
        with open(line, 'w', encoding='utf-8') as f:
            f.write(text + '\n')
        result = run(['sh', script, line])
        assert result.stdout == expected + '\n', (text, result)


if __name__ == '__main__':
    main()
