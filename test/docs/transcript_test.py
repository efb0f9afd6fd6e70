# SPDX-License-Identifier: Apache-2.0
"""Whether what README.md shows of a machine still happens: records the session anew.

usage: transcript_test.py LH

The guest is that of $LH_CACHE. Times, versions and other numbers may differ.
"""

import os
import re
import sys

import documents
from tap import ROOT, Skip, main, test

sys.path.insert(0, os.path.join(ROOT, 'tools'))
import record_transcript  # pylint: disable=wrong-import-position


def without_numbers(line):
    """The line with its numbers, versions and the shell's directory made alike."""
    line = re.sub(r'guest:\S*# ', 'guest:# ', line)
    line = re.sub(r'^\[ *\d+\.\d+\]', '[]', line)
    return re.sub(r'\s+', ' ', re.sub(r'\d[\w.+~-]*', 'N', line))


def guest():
    cache = os.environ.get('LH_CACHE')
    folder = cache and os.path.join(cache, 'guest', 'loong64-forky')
    if not folder or not os.path.exists(os.path.join(folder, 'vmlinuz')):
        raise Skip('missing Debian guest')
    return folder


@test
def the_transcript_of_the_readme_happens(_):
    session = [without_numbers(line)
               for line in record_transcript.record(LH, guest()).splitlines()]
    at = 0
    for line in filter(None, documents.shown_transcript()):
        wanted = without_numbers(line)
        assert wanted in session[at:], f'never came: {line}\n' + '\n'.join(session[-40:])
        at = session.index(wanted, at) + 1


LH = os.path.abspath(sys.argv[1])
main()
