# SPDX-License-Identifier: Apache-2.0
"""Installing packages, with stand-ins for dpkg, apt, sudo and id that write down what they do."""

import os
import re
import shutil

from tap import ROOT, main, only_programs, run, test, write_program

TOOLS = os.path.join(ROOT, 'tools')

LIST = '''# a comment
build  gcc   compiles
build  make  runs
guest  cpio  packs
test   cpio  packs
'''

# INSTALLED has the packages that are there; installing adds to it unless APT_FAILS says otherwise.
PROGRAMS = {
    'dpkg-query': 'sed "s/.*/+ & installed/" "$INSTALLED"; echo "+ make not-installed"',
    'id': 'echo "${TEST_UID-0}"',
    'sudo': 'echo "sudo $1" >> "$DONE"; [ "$1" = -n ] || exit 1; [ -n "$SUDO_WORKS" ] || exit 1; '
            'shift; "$@"',
    'apt-get': '''
while [ $# -gt 0 ]; do
    case $1 in -o) shift ;; update | install) action=$1 ;; -*) ;; *) names="$names $1" ;; esac
    shift
done
echo "$action$names" >> "$DONE"
echo "pmstatus:x:50.0:Installing"
[ "$APT_FAILS" != "$(grep -c install "$DONE")" ] && [ "$APT_FAILS" != always ] || {
    echo "E: Unable to locate package" >&2
    exit 100
}
[ "$action" = update ] || printf '%s\\n' $names >> "$INSTALLED"
''',
}


def install(folder, *groups, installed='', sudo=True, **env):
    """Runs the script on a list of its own. Returns the result and what was done."""
    tools, programs = os.path.join(folder, 'tools'), os.path.join(folder, 'bin')
    shutil.rmtree(programs, ignore_errors=True)
    os.makedirs(tools, exist_ok=True)
    shutil.copy(os.path.join(TOOLS, 'install_packages.sh'), tools)
    files = {'tools/packages.txt': LIST, 'installed': installed, 'done': ''}
    for name, text in files.items():
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
            f.write(text)
    only_programs(programs, *'sh awk sed grep cat dirname env mktemp rm tail'.split())
    for name, text in PROGRAMS.items():
        if name != 'sudo' or sudo:
            write_program(os.path.join(programs, name), '#!/bin/sh\n' + text + '\n')
    result = run([shutil.which('sh'), os.path.join(tools, 'install_packages.sh'), *groups], env={
        'PATH': programs, 'INSTALLED': os.path.join(folder, 'installed'),
        'DONE': os.path.join(folder, 'done'), 'APT_FAILS': '', 'SUDO_WORKS': '1',
        'LH_NO_INSTALL': None, **env})
    with open(os.path.join(folder, 'done'), encoding='utf-8') as f:
        return result, f.read().split('\n')[:-1]


@test
def nothing_is_done_when_all_is_there(folder):
    result, done = install(folder, 'build', 'guest', installed='gcc\nmake\ncpio\n', TEST_UID='1000')
    assert (result.returncode, result.stdout, result.stderr, done) == (0, '', '', [])


@test
def root_installs_what_is_missing_without_an_update(folder):
    result, done = install(folder, 'build', 'test', 'guest', installed='gcc\n')
    assert result.returncode == 0, result
    assert done == ['install make cpio'], done
    assert 'installing make cpio' in result.stderr


@test
def lists_are_updated_when_they_do_not_lead_there(folder):
    result, done = install(folder, 'build', APT_FAILS='1')
    assert result.returncode == 0, result
    assert done == ['install gcc make', 'update', 'install gcc make'], done


@test
def an_apt_that_fails_is_quoted(folder):
    result, _ = install(folder, 'build', APT_FAILS='always')
    assert result.returncode == 1
    assert 'Unable to locate package' in result.stderr
    assert 'could not install: gcc make' in result.stderr.splitlines()[-1]


@test
def others_use_sudo(folder):
    result, done = install(folder, 'guest', TEST_UID='1000')
    assert result.returncode == 0, result
    assert done[-1] == 'install cpio' and 'sudo -n' in done


@test
def without_sudo_or_its_password_one_line_says_what_to_do(folder):
    for result, done in (install(folder, 'guest', TEST_UID='1000', sudo=False),
                         install(folder, 'guest', TEST_UID='1000', SUDO_WORKS='')):
        assert result.returncode == 1 and not any('install' in line for line in done)
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert 'apt-get install cpio' in result.stderr


@test
def installing_can_be_forbidden(folder):
    result, done = install(folder, 'guest', LH_NO_INSTALL='1')
    assert result.returncode == 1 and done == [] and 'cpio' in result.stderr


@test
def unknown_groups_are_an_error(folder):
    result, done = install(folder, 'build', 'moon')
    assert result.returncode == 1 and done == [] and "'moon'" in result.stderr


@test
def every_line_of_the_list_has_group_package_and_reason(_):
    with open(os.path.join(TOOLS, 'packages.txt'), encoding='utf-8') as f:
        lines = [line for line in f if line.strip() and not line.startswith('#')]
    seen = set()
    for line in lines:
        assert re.fullmatch(r'(build|image|guest|test) +[a-z0-9][a-z0-9.+-]+ +\S.*\n', line), line
        key = tuple(line.split()[:2])
        assert key not in seen, line
        seen.add(key)


if __name__ == '__main__':
    main()
