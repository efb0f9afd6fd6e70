# SPDX-License-Identifier: Apache-2.0
"""Each rule of the lint finds its breach, and a clean tree passes."""

import os
import sys

from tap import ROOT, main, need, run, test

TAG = 'SPDX-License-Identifier: Apache-2.0'
C = f'// {TAG}\n'
H = C + '#pragma once\n'
CLEAN = {
    'base/a.h': H + 'static inline int a(void)\n{\n    return 1;\n}\n',
    'mem/b.h': H + '#include "base/a.h"\n',
    'mem/b.c': C + '#include "mem/b.h"\n',
    'tools/run': f'#!/bin/sh\n# {TAG}\necho "$1"\n',
    'doc/page.md': '# A page\n',
}


def breaches(folder, files):
    """The names of the rules that a tree breaks, and the lines that say where."""
    for path, text in {**CLEAN, **files}.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)
    result = run([sys.executable, os.path.join(ROOT, 'tools', 'lint.py'), folder])
    lines = result.stdout.splitlines()
    names = [line.split(' - ')[1] for line in lines if line.startswith('not ok')]
    assert (result.returncode != 0) == bool(names), result
    return names, '\n'.join(line for line in lines if line.startswith('# '))


def only(folder, files, rule, where):
    names, said = breaches(folder, files)
    assert len(names) == 1 and rule in names[0], (names, said)
    assert where in said, said


@test
def a_clean_tree_passes(folder):
    assert breaches(folder, {}) == ([], '')


@test
def upward_includes_are_found(folder):
    only(folder, {'base/c.c': C + '\n#include "mem/b.h"\n'}, 'downwards', 'base/c.c:3:')


@test
def includes_of_neighbours_by_their_bare_name_are_found(folder):
    only(folder, {'mem/c.c': C + '  #  include "b.h"\n'}, 'downwards', 'mem/c.c:2:')


@test
def headers_that_lean_on_others_are_found(folder):
    need('gcc')
    only(folder, {'base/c.h': H + 'size_t c(void);\n'}, 'alone', 'base/c.h')


@test
def missing_licences_are_found(folder):
    only(folder, {'mem/c.c': 'int c;\n'}, 'licence', 'mem/c.c:1:')
    os.remove(os.path.join(folder, 'mem/c.c'))
    only(folder, {'tools/go': '#!/usr/bin/env python3\n'}, 'licence', 'tools/go:1:')


@test
def missing_guards_are_found(folder):
    only(folder, {'mem/c.h': C + 'struct c;\n'}, 'once', 'mem/c.h')


@test
def paths_of_one_machine_are_found(folder):
    for name in ('work', 'home'):
        only(folder, {'doc/page.md': f'see /{name}/somebody\n'}, 'one machine', 'doc/page.md:1:')


@test
def what_is_left_for_later_is_found(folder):
    for word in ('TO' 'DO', 'FIX' 'ME'):
        for line in (f'// {word} more', f'int c; /* {word}: */', f'{word}(me)'):
            only(folder, {'mem/c.c': C + line + '\n'}, 'later', 'mem/c.c:2:')


@test
def directives_of_tap_are_not_left_for_later(folder):
    text = 'const char *c = "not ok 1 # TO' 'DO known";\n'
    assert breaches(folder, {'mem/c.c': C + text}) == ([], '')


@test
def vague_names_are_found(folder):
    only(folder, {'mem/utils.c': C}, 'names', 'mem/utils.c')


@test
def long_files_are_found_and_tables_and_here_documents_are_not(folder):
    long = 'int x;\n' * 720
    only(folder, {'mem/c.c': C + long}, 'short', 'mem/c.c')
    os.remove(os.path.join(folder, 'mem/c.c'))
    shell = f"#!/bin/sh\n# {TAG}\ncat << 'END'\n{long}END\n"
    assert breaches(folder, {'mem/c.def': C + long, 'tools/long': shell}) == ([], '')


@test
def tabs_and_blanks_are_found(folder):
    only(folder, {'mem/c.c': C + '\tint c;\n'}, 'tabs', 'mem/c.c:2: tab')
    only(folder, {'mem/c.c': C + 'int c; \n'}, 'tabs', 'mem/c.c:2: blank')
    only(folder, {'mem/c.c': C + 'int c;'}, 'tabs', 'mem/c.c')


@test
def faulty_shell_scripts_are_found(folder):
    need('shellcheck')
    only(folder, {'tools/go': f'#!/bin/sh\n# {TAG}\nrm -rf $1/*\n'}, 'shellcheck', 'tools/go:3')


@test
def build_directories_are_not_read(folder):
    files = {'out/meson-private/x': '', 'out/x.c': '\t\n', '.git/x.c': '\t\n'}
    assert breaches(folder, files) == ([], '')


if __name__ == '__main__':
    main()
