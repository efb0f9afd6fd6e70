# SPDX-License-Identifier: Apache-2.0
"""The documents as tests look at them."""

import os
import re

from tap import ROOT

FENCE = re.compile(r'^```.*?^```$', re.M | re.S)
CODE = re.compile(r'`([^`\n]+)`')
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as f:
        return f.read()


def files():
    """Every file of the tree by its path from the root, without what builds make."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if not f.startswith('.') and f != '__pycache__' and
                      not os.path.exists(os.path.join(folder, f, 'meson-private'))]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return found


def documents():
    return sorted(path for path in files() if path.endswith('.md'))


def section(text, heading):
    """What is under the heading, up to the next one of its level or above."""
    found = re.search(rf'^(#+) {re.escape(heading)}$', text, re.M)
    assert found, f'no heading {heading}'
    rest = text[found.end():]
    end = re.search(rf'^#{{1,{len(found.group(1))}}} ', rest, re.M)
    return rest[:end.start()] if end else rest


def prose(text):
    return FENCE.sub('', text)


def code_spans(text):
    return CODE.findall(prose(text))


def links(text):
    return LINK.findall(CODE.sub('', prose(text)))


def anchors(text):
    """What a link may name in this document, as GitHub makes it from headings."""
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
            for heading in re.findall(r'^#+ (.*)$', prose(text), re.M)}


def shown_transcript():
    """The lines of README.md's transcript; None stands for lines that are left out."""
    block = re.search(r'^<!-- from doc/transcript.txt.*?-->\n```text\n(.*?)^```$', read('README.md'),
                      re.M | re.S)
    assert block, 'README.md shows no transcript'
    return [None if line == '...' else line for line in block.group(1).splitlines()]
