# SPDX-License-Identifier: Apache-2.0
"""Building for loong64, with stand-ins for meson, ninja and what fetches: when the directory is set up,
and that an older one which was set up otherwise is made anew."""

import os
import shutil

from tap import ROOT, main, run, test, write_program

# As the program of that name: it refuses a directory that is set up, and keeps what it was told.
MESON = '''#!/bin/sh
shift
while [ $# -gt 1 ]; do shift; done
[ ! -f "$1/build.ninja" ] || exit 1
[ -z "$MESON_FAILS" ] || { echo "no compiler"; exit 1; }
cp "$1/cross" "$1/build.ninja"
echo setup >> "$DONE"
'''
NINJA = '#!/bin/sh\ncat "$2/build.ninja" > /dev/null && shift 2 && echo "ninja $*" >> "$DONE"\n'


def build(folder, *targets, sysroot='one', **env):
    """The result, and what was done in this run."""
    tools, programs = os.path.join(folder, 'tools'), os.path.join(folder, 'bin')
    done = os.path.join(folder, 'done')
    for path in tools, programs, os.path.join(folder, sysroot):
        os.makedirs(path, exist_ok=True)
    shutil.copy(os.path.join(ROOT, 'tools', 'build_loong64.sh'), tools)
    for name in 'install_packages.sh', 'guest_sysroot.sh':
        write_program(os.path.join(tools, name), '#!/bin/sh\n')
    write_program(os.path.join(programs, 'meson'), MESON)
    write_program(os.path.join(programs, 'ninja'), NINJA)
    with open(done, 'w', encoding='ascii'):
        pass
    result = run(['sh', os.path.join(tools, 'build_loong64.sh'), *targets], env={
        'PATH': programs + ':' + os.environ['PATH'], 'DONE': done, 'LH_SYSROOT': os.path.join(folder, sysroot),
        'BUILD_LOONG64': os.path.join(folder, 'build'), 'V': None, 'MESON_FAILS': None, **env})
    with open(done, encoding='ascii') as f:
        return result, f.read().split('\n')[:-1]


def leave(folder, name):
    path = os.path.join(folder, 'build', name)
    with open(path, 'w', encoding='ascii'):
        pass
    return path


@test
def the_directory_is_set_up_once(folder):
    assert build(folder, 'x')[1] == ['setup', 'ninja lh x']
    old = leave(folder, 'object')
    assert build(folder)[1] == ['ninja lh']
    assert os.path.exists(old)


@test
def a_directory_with_another_setup_is_made_anew(folder):
    build(folder)
    old = leave(folder, 'object')
    result, done = build(folder, sysroot='two')
    assert result.returncode == 0 and done == ['setup', 'ninja lh'], result
    assert not os.path.exists(old)
    assert build(folder, sysroot='two')[1] == ['ninja lh']


@test
def a_setup_that_failed_is_told_and_tried_again(folder):
    result, done = build(folder, MESON_FAILS='1')
    assert result.returncode == 1 and done == [] and 'no compiler' in result.stderr, result
    assert build(folder)[1] == ['setup', 'ninja lh']


@test
def a_build_of_something_else_is_left_alone(folder):
    os.mkdir(os.path.join(folder, 'build'))
    kept = leave(folder, 'build.ninja')
    result, done = build(folder)
    assert result.returncode == 1 and done == [] and 'something else' in result.stderr, result
    assert os.path.exists(kept)


main()
