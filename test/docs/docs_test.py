# SPDX-License-Identifier: Apache-2.0
"""Whether the documents still say what the tree says.

usage: docs_test.py DIFF

DIFF is the program test/diff/diff, from which doc/instructions.md comes.
"""

import fnmatch
import os
import re
import subprocess
import sys

import documents
from tap import ROOT, main, run, test

# Names that stand for any.
PLACEHOLDER = re.compile(r'(^|/)(foo|name|NAME)(_test)?(\.\w+|/|$)')
PATH = re.compile(r'[\w.*-]+(/[\w.*-]+)*/?')
SUFFIXES = ('.c', '.h', '.py', '.sh', '.def', '.isa', '.cfg', '.md', '.svg', '.txt', '.build')
ELSEWHERE = {'lower_snake', 'n_x', 'x_size', 'i8042_init'}  # examples, and what is not ours
MADE = ('build/',)  # by the build: not in the tree


def names_file(word):
    return bool(PATH.fullmatch(word)) and not PLACEHOLDER.search(word) and \
        not word.startswith(MADE) and (word.endswith(SUFFIXES) or word.endswith('/') or '/' in word)


def is_there(word, tree):
    """A path from the root, or the end of one, with * for parts of names; also of a folder."""
    word = word.rstrip('/')
    return any(fnmatch.fnmatch(p, word) or fnmatch.fnmatch(p, '*/' + word) or
               p.startswith(word + '/') or f'/{word}/' in p for p in tree)


def words_of(path):
    """What the code spans of a document name: files, and symbols as `file.c:symbol`."""
    for span in documents.code_spans(documents.read(path)):
        for word in span.split():
            name, _, symbol = word.strip(',.;').partition(':')
            # In a command only what ends like a file is one: others are names of tests.
            if word == span or name.endswith(SUFFIXES):
                yield name, symbol


@test
def files_that_documents_name_are_there(_):
    tree = documents.files()
    gone = [f'{path}: {name}' for path in documents.documents() for name, _ in words_of(path)
            if names_file(name) and not is_there(name, tree)]
    assert not gone, '\n'.join(gone)


@test
def symbols_that_documents_name_are_there(_):
    code = '\n'.join(documents.read(p) for p in documents.files()
                     if p.endswith(SUFFIXES + ('.in',)) and not p.endswith(('.md', '.txt')))
    known = set(re.findall(r'\w+', code))
    gone = []
    for path in documents.documents():
        for name, symbol in words_of(path):
            for word in (name, symbol):
                word = re.sub(r'[(*].*', '', word)
                if re.fullmatch(r'[a-z][a-z0-9]*(_[a-z0-9]+)+', word) and \
                        word not in known | ELSEWHERE and not PLACEHOLDER.search(word):
                    gone.append(f'{path}: {word}')
    assert not gone, '\n'.join(gone)


@test
def links_lead_somewhere(_):
    dead = []
    for path in documents.documents():
        for link in documents.links(documents.read(path)):
            target, _, anchor = link.partition('#')
            if re.match(r'\w+:', link):
                continue
            target = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            if not os.path.exists(os.path.join(ROOT, target)) or \
                    (anchor and anchor not in documents.anchors(documents.read(target))):
                dead.append(f'{path}: {link}')
    assert not dead, '\n'.join(dead)


@test
def options_in_the_readme_exist(_):
    table = documents.read('vmm/options.def')
    known = set(re.findall(r'"([\w-]+)"', '\n'.join(
        line for line in table.splitlines() if line.startswith('OPTION('))))
    known |= set(re.findall(r'^  (--[\w-]+)', documents.read('tools/guest_fetch.sh'), re.M))
    spans = documents.code_spans(documents.section(documents.read('README.md'), 'Options'))
    used = [word for span in spans for word in re.findall(r'(?:^|\s)(-[\w-]+)', span)]
    assert used
    wrong = [word for word in used if word not in known and word.strip('-') not in known]
    assert not wrong, wrong


@test
def the_instruction_list_is_current(_):
    made = run([sys.executable, '-B', 'tools/gen_instructions.py', 'isa/loongarch64.isa', DIFF], cwd=ROOT)
    assert made.returncode == 0, made.stderr
    assert made.stdout == documents.read('doc/instructions.md'), \
        'doc/instructions.md is not current: run tools/update_docs.sh'


@test
def the_pictures_are_current(_):
    made = run([sys.executable, '-B', 'tools/draw_pictures.py', '--check', '.'], cwd=ROOT)
    assert made.returncode == 0, made.stdout + made.stderr


@test
def the_readme_shows_the_recorded_transcript(_):
    recorded, at, gap = documents.read('doc/transcript.txt').splitlines(), 0, False
    for line in documents.shown_transcript():
        if line is None:
            gap = True
            continue
        where = recorded.index(line, at) if line in recorded[at:] else None
        assert where is not None, f'not in doc/transcript.txt, or not in this order: {line}'
        assert gap or where == at, f'something is left out before: {line}'
        at, gap = where + 1, False
    assert gap or at == len(recorded), 'something is left out at the end'


@test
def the_recording_starts_as_make_run_does(_):
    sys.path.insert(0, os.path.join(ROOT, 'tools'))
    import record_transcript  # pylint: disable=import-outside-toplevel
    recipe = re.search(r'^run:\n(?:\t.*\n)+', documents.read('Makefile'), re.M).group(0)
    command = recipe[recipe.index('$(LH) run'):].replace('\\\n', ' ').replace('$(GUEST)/', '')
    words = command.split()[2:-1]
    recorded = [word if ' ' not in word and ',' not in word else f"'{word}'"
                for word in record_transcript.OPTIONS]
    assert words == recorded, (words, recorded)


@test
def every_folder_is_on_the_map(_):
    tree = subprocess.run(['git', '-C', ROOT, 'ls-files'], capture_output=True, text=True, check=False)
    paths = tree.stdout.split('\n') if tree.returncode == 0 else documents.files()
    folders = {p.split('/')[0] for p in paths if '/' in p and not p.startswith('.')}
    named = documents.code_spans(documents.section(documents.read('ARCHITECTURE.md'), 'Folders'))
    missing = [f for f in sorted(folders) if f + '/' not in named]
    assert not missing, missing


@test
def every_decision_is_listed(_):
    index = documents.links(documents.read('doc/design/README.md'))
    pages = [os.path.basename(p) for p in documents.documents() if re.match(r'doc/design/\d', p)]
    assert sorted(index) == sorted(pages), set(index) ^ set(pages)


@test
def every_choice_of_lvz_is_explained_and_tried(_):
    table = re.findall(r'^LVZ_(?:FLAG|NUMBER)\(\w+, +"([\w-]+)", +(\w+),',
                       documents.read('cpu/loongarch64/lvz_properties.def'), re.M)
    assert len(table) > 40
    page, rows = documents.read('doc/lvz_choices.md'), documents.read('guest/tests.cfg')
    initial = {'true': 'on', 'false': 'off'}
    wrong = [f'{name}: not in doc/lvz_choices.md, or with another default' for name, value in table
             if not re.search(rf'`{name}`[^(]*\({initial.get(value, value)}\)', page)]
    wrong += [f'{name}: no row of guest/tests.cfg' for name, _ in table if f',{name}=' not in rows]
    assert not wrong, '\n'.join(wrong)


@test
def documents_are_short(_):
    limits = {'README.md': 220, 'ARCHITECTURE.md': 400}
    limits.update({p: 80 for p in documents.documents() if p.startswith('doc/design/')})
    long = [p for p, limit in limits.items() if documents.read(p).count('\n') > limit]
    assert not long, long


DIFF = os.path.abspath(sys.argv[1])
main()
