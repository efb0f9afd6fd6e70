#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what a compiler does not: one TAP test per rule, one diagnostic line per breach.

usage: lint.py [SOURCE-ROOT [BUILD-ROOT]]

The build root is where headers find generated headers; without it those that need one fail.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

# What a folder may include besides itself and include/: the arrows of the architecture, closed
# under "and what that may include". Folders that are not here may include everything.
ARROWS = {
    'include': [],
    'base': [],
    'fp': ['base'],
    'isa': ['base'],
    'mem': ['base'],
    'host': ['base'],
    'cpu': ['base', 'fp', 'isa', 'mem'],
    'jit': ['base', 'fp', 'isa', 'mem', 'cpu'],
    'dev': ['base', 'mem', 'host'],
    'mach': ['base', 'fp', 'isa', 'mem', 'host', 'cpu', 'dev'],
    'vmm': ['base', 'fp', 'isa', 'mem', 'host', 'cpu', 'jit', 'dev', 'mach', 'dune', 'hv'],
    'hv': ['base'],
    'dune': ['base'],
    'guest': ['base'],
}

CODE = ('.c', '.h', '.S', '.py', '.sh', '.ld', '.dts')
TABLES = ('.def', '.isa', '.vec')
NAMED_CODE = ('Makefile', 'meson.build', 'meson_options.txt', 'packages.txt')
TEXT = CODE + TABLES + ('.md', '.txt', '.build', '.yml', '.scd')
LONGEST = 700
VAGUE_NAMES = ('util', 'utils', 'common', 'misc', 'helper', 'helpers')

LICENCE = 'SPDX-License-Identifier: Apache-2.0'
INCLUDE = re.compile(r'\s*#\s*include\s*"([^"]+)"')
# Behind the sign of a comment or before a colon or parenthesis; TAP's directive, which stands in
# texts, is none. Spelt so that this file does not match itself.
LATER = re.compile(r'(?://|/\*|#|;)\s*(?:{0})\b|\b(?:{0})\s*[:(]'.format('TO' 'DO|FIX' 'ME|XX' 'X'))
STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'')
MACHINE_PATH = re.compile(r'(?<![\w.$}~*])/(wo' r'rk|ho' r'me)/\w')
HEREDOC = re.compile(r'<<-?\s*[\'"]?(\w+)[\'"]?')
SHELL = re.compile(r'#!\s*/bin/(?:env )?(?:ba|da)?sh\b')


class Source:
    """A file of the tree: its path from the root, its name's parts and its lines."""

    def __init__(self, root, path):
        self.path = path
        self.folder = path.split('/')[0] if '/' in path else ''
        self.name = os.path.basename(path)
        self.stem, self.suffix = os.path.splitext(self.name)
        with open(os.path.join(root, path), encoding='utf-8', errors='replace') as f:
            self.text = f.read()
        self.lines = self.text.split('\n')
        self.is_script = self.text.startswith('#!')
        self.is_shell = bool(SHELL.match(self.text))
        self.is_code = self.suffix in CODE + TABLES or self.name in NAMED_CODE or self.is_script
        self.is_text = self.is_code or self.suffix in TEXT

    def matches(self, pattern):
        """Each line that the pattern is found in, as (number, line)."""
        return ((i, line) for i, line in enumerate(self.lines, 1) if pattern.search(line))


def read_tree(root):
    """Everything but build directories, hidden ones except .ci, and files that are not text."""
    sources = []
    for folder, folders, names in os.walk(root):
        here = os.path.relpath(folder, root)
        folders[:] = sorted(
            f for f in folders if (not f.startswith('.') or f == '.ci') and f != '__pycache__'
            and not os.path.exists(os.path.join(folder, f, 'meson-private')))
        for name in sorted(names):
            path = os.path.normpath(os.path.join(here, name))
            full = os.path.join(folder, name)
            if os.path.islink(full) or name.startswith('.'):
                continue
            with open(full, 'rb') as f:
                if b'\0' not in f.read(8192):
                    sources.append(Source(root, path))
    return sources


def check_arrows(sources):
    for s in sources:
        if s.suffix not in ('.c', '.h', '.S'):
            continue
        for number, line in s.matches(INCLUDE):
            target = INCLUDE.match(line).group(1)
            folder = target.split('/')[0]
            if '/' not in target or '..' in target.split('/'):
                yield f'{s.path}:{number}: write "{target}" from the root'
            elif s.folder in ARROWS and folder not in (s.folder, 'include', *ARROWS[s.folder]):
                yield f'{s.path}:{number}: {s.folder}/ must not include {folder}/'


def check_licence(sources):
    for s in sources:
        if s.is_code and not any(LICENCE in line for line in s.lines[:3]):
            yield f'{s.path}:1: no line "{LICENCE}"'


def check_pragma_once(sources):
    for s in sources:
        if s.suffix == '.h' and '#pragma once' not in s.lines:
            yield f'{s.path}:1: no "#pragma once"'


def check_paths(sources):
    for s in sources:
        if s.is_text:
            for number, line in s.matches(MACHINE_PATH):
                yield f'{s.path}:{number}: a path of one machine: {line.strip()}'


def check_later(sources):
    for s in sources:
        if s.is_text:
            for number, line in enumerate(s.lines, 1):
                if LATER.search(STRING.sub('', line)):
                    yield f'{s.path}:{number}: {line.strip()}'


def check_names(sources):
    for s in sources:
        if s.stem.lower() in VAGUE_NAMES:
            yield f'{s.path}: name the one idea that is in it'


def own_lines(source):
    """The number of lines without here-documents, which are other files' text."""
    n, end = 0, None
    for line in source.lines[:-1]:
        if end is not None:
            end = None if line.strip() == end else end
            continue
        n += 1
        found = HEREDOC.search(line) if source.is_shell else None
        end = found.group(1) if found else None
    return n


def check_length(sources):
    for s in sources:
        if s.is_code and s.suffix not in TABLES and own_lines(s) > LONGEST:
            yield f'{s.path}: {own_lines(s)} lines, more than {LONGEST}'


def check_blanks(sources):
    for s in sources:
        if not s.is_text:
            continue
        for number, line in enumerate(s.lines, 1):
            if line.endswith((' ', '\t', '\r')):
                yield f'{s.path}:{number}: blank at the end of the line'
            elif '\t' in line and s.name != 'Makefile':
                yield f'{s.path}:{number}: tab'
        if s.text and not s.text.endswith('\n'):
            yield f'{s.path}: no end of line at its end'


def compile_alone(root, build, header):
    """What the compiler says about a file that includes nothing but the header."""
    bare = header.folder in ('hv', 'guest')
    command = ['clang-19', '--target=loongarch64-unknown-linux-gnusf', '-ffreestanding'] \
        if bare else ['gcc']
    if not shutil.which(command[0]):
        return None
    command += ['-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Werror', '-fsyntax-only', '-I', root]
    command += ['-I', build] if build else []
    result = subprocess.run([*command, '-x', 'c', '-'], input=f'#include "{header.path}"\n',
                            capture_output=True, text=True, check=False)
    errors = [line for line in result.stderr.splitlines() if 'error:' in line]
    return f'{header.path}: {errors[0] if errors else result.stderr[:200]}' \
        if result.returncode else None


def check_headers_alone(sources, root, build):
    # What runs in a Linux guest needs that architecture's headers, which its build has.
    of_guests = ('guest/kvm/', 'dune/arch/loongarch64/')
    headers = [s for s in sources if s.suffix == '.h' and not s.path.startswith(of_guests)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda h: compile_alone(root, build, h), headers))
    return (answer for answer in answers if answer)


def check_shell(sources, root):
    scripts = [s.path for s in sources if s.is_shell]
    if not scripts:
        return []
    result = subprocess.run(['shellcheck', '-x', '-P', root, '-f', 'gcc', *scripts], cwd=root,
                            capture_output=True, text=True, check=False)
    return (result.stdout + result.stderr).splitlines()


def report(number, name, breaches):
    breaches = list(breaches)
    print(f'{"not ok" if breaches else "ok"} {number} - {name}')
    for breach in breaches:
        print('# ' + breach)
    return not breaches


def main(arguments):
    root = os.path.abspath(arguments[0] if arguments else '.')
    build = os.path.abspath(arguments[1]) if len(arguments) > 1 else None
    sources = read_tree(root)
    rules = [
        ('include arrows point downwards', check_arrows(sources)),
        ('every header compiles alone', check_headers_alone(sources, root, build)),
        ('every source file names its licence', check_licence(sources)),
        ('headers are included once', check_pragma_once(sources)),
        ('no path of one machine', check_paths(sources)),
        ('nothing is left for later', check_later(sources)),
        ('file names say what is in them', check_names(sources)),
        ('files are short enough to hold one idea', check_length(sources)),
        ('no tabs, no blanks at line ends', check_blanks(sources)),
    ]
    print(f'1..{len(rules) + 1}')
    good = [report(i, name, breaches) for i, (name, breaches) in enumerate(rules, 1)]
    if shutil.which('shellcheck'):
        good.append(report(len(rules) + 1, 'shellcheck', check_shell(sources, root)))
    else:
        print(f'ok {len(rules) + 1} - shellcheck # SKIP missing shellcheck')
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
