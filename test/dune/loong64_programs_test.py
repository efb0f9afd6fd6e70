#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What takes longer on LoongArch64, in a machine of our own with the disk of tools/programs_fetch.sh: git,
`lh enter` as a user meets it (enter_test.py), programs that are killed at random moments (kills_test.py), and
CPython's own tests (cpython_test.py).

usage: loong64_programs_test.py LH [git|command_line|kills|cpython|MODULE]...

LH_DUNE_SOAK=1, which `make soak` sets, asks for all of CPython's modules and 1000 kills.
"""

import os
import re
import sys

from loong64 import ROOT
from report import check, copy_sparse, run_one
from tree import disk, tree_in_a_machine

IS_SOAK = os.environ.get('LH_DUNE_SOAK') == '1'
N_KILLS = 1000 if IS_SOAK else 200
MODULES = ('test_os', 'test_mmap', 'test_signal')
ALL_MODULES = ('test_os', 'test_signal', 'test_threading', 'test_mmap', 'test_subprocess', 'test_socket', 'test_posix',
               'test_threadsignals', 'test_select', 'test_epoll', 'test_time', 'test_fork1', 'test_faulthandler')
LIMIT_S = 3600

# The names of commits depend on every byte of theirs, so that it is enough to print them.
GIT = '''\
set -e
export GIT_AUTHOR_DATE='2020-01-01 00:00:00 +0000' GIT_COMMITTER_DATE='2020-01-01 00:00:00 +0000'
export HOME=$(mktemp -d) GIT_PAGER=cat
cd "$HOME"
git config --global user.name Somebody
git config --global user.email somebody@localhost
git config --global init.defaultBranch main
git init -q a
cd a
for i in {1..60}; do mkdir -p d$((i % 7)); seq $i $((i * 20)) > d$((i % 7))/f$i; done
git add .
git commit -q -m 'sixty files'
for i in {1..8}; do
    seq $((i * 3)) 500 > d1/f1
    git mv d$((i % 7))/f$i d0/g$i 2> /dev/null || git rm -q -f d2/f2
    git add -A
    git commit -q -m "change $i"
done
git log --format='%H %an %s' | head -n 4
git log --stat --format=%s -n 2
git checkout -q -b side HEAD~4
echo side > side
git add side
git commit -q -m 'on the side'
git checkout -q main
git merge -q -m merged side
git rebase -q HEAD~1 > /dev/null
git tag -a -m first v1
git status --short | wc -l
git grep -c 123 | sort | tail -n 2
git diff --shortstat HEAD~3
git gc -q --prune=now --aggressive
git count-objects -v | grep -e in-pack -e packs
git fsck --full 2>&1 | sort
git clone -q "file://$HOME/a" ../b
cd ../b
git log --oneline | sha256sum
echo more >> d0/g1
git commit -q -a -m 'in the clone'
git push -q origin HEAD:refs/heads/back
git bundle create -q ../c.bundle --all
git clone -q ../c.bundle ../c 2> /dev/null
git archive v1 | tar -tf - | sort | sha256sum
cd ../a
git rev-parse back v1^{tree}
git log --graph --oneline -n 5 | cat
rm -rf "$HOME"
'''


def source(*path):
    with open(os.path.join(ROOT, 'test', *path), encoding='utf-8') as f:
        return f.read()


FILES = {'git.sh': GIT, 'enter_test.py': source('dune', 'enter_test.py'),
         'harness.py': source('cli', 'harness.py'),
         'kills_test.py': source('dune', 'kills_test.py'), 'cpython_test.py': source('dune', 'cpython_test.py')}


def tap_of(t, tree, command, lacks='nothing'):
    """Runs a program that reports in TAP itself: each line of it is one here. What the disk lacks is only
    mentioned: another one has it."""
    status, text = tree.run(command, LIMIT_S)
    plan, n = re.search(r'^1\.\.(\d+)$', text, re.M), 0
    for line in text.splitlines():
        result = re.match(r'(not )?ok \d+ - (.*)', line)
        if result:
            n += 1
            if f'# SKIP missing {lacks}' in line:
                t.explain(result.group(2).replace('# SKIP', ':'))
            else:
                t.tell(not result.group(1), result.group(2))
        elif line.startswith('#'):
            t.explain(line[2:])
    with t.test('that was all of ' + command.partition(' /tmp/t/')[2].split()[0]):
        check(plan and n == int(plan.group(1)), f'status {status}', text[-2500:])


def git(t, tree):
    with t.test('git'):
        tree.same_in_guest_mode('/usr/bin/bash /tmp/t/git.sh')


def command_line(t, tree):
    tap_of(t, tree, '/usr/bin/env LH_DUNE_WITHOUT=/tmp/t/without /usr/bin/python3 /tmp/t/enter_test.py /tmp/t/lh none',
           lacks='gcc')


def kills(t, tree):
    tap_of(t, tree, f'/usr/bin/env LH_DUNE_KILLS={N_KILLS} LH_DUNE_ALONE=1 '
                    '/usr/bin/python3 /tmp/t/kills_test.py /tmp/t/lh none')


def cpython(t, tree, modules=ALL_MODULES if IS_SOAK else MODULES):
    tap_of(t, tree, '/usr/bin/env LH_CPYTHON=/usr/bin/python3 /usr/bin/python3 /tmp/t/cpython_test.py /tmp/t/lh '
                    + ' '.join(modules))


def programs_in_guest_mode(t):
    wanted = sys.argv[2:]
    # A copy, which the interpreter may write what it has compiled to.
    image = copy_sparse(disk('programs', 'programs.ext4', 'programs_fetch.sh'), t.path('programs.ext4'))
    with tree_in_a_machine(t, image, FILES, ['test/dune/without'], is_writable=True) as tree:
        for function in git, command_line, kills, cpython:
            if not wanted or function.__name__ in wanted:
                function(t, tree)
        modules = [name for name in wanted if name.startswith('test_')]
        if modules:
            cpython(t, tree, modules)


run_one(programs_in_guest_mode)
