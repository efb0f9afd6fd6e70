#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints doc/instructions.md: which instructions there are, and what checks each class of them.

usage: gen_instructions.py ISA-FILE DIFF

DIFF is the program test/diff/diff, which knows what it does not compare and why.
"""

import subprocess
import sys

from isagen import coverage, parse

# Where a class is tested by values, besides the emulator. Where its code is, is found by name.
UNIT_TESTS = {
    'interp_int_test.c': 'int shift bit crc branch',
    'interp_mem_test.c': 'mem bound atomic barrier',
    'interp_fp_test.c': 'farith fcmp fconv fmove fmem',
    'interp_vec_test.c': 'vint vwide vmul vdiv vlogic vshift vnarrow vbit vcmp vset vfarith vfcmp '
                         'vfconv vmove vperm vmem',
    'interp_priv_test.c': 'misc csr iocsr sys',
    'csr_test.c': 'csr',
    'tlb_test.c': 'tlb',
    'walk_test.c': 'tlb',
    'exception_test.c': 'sys misc',
    'lvz_test.c': 'csr tlb sys',
    'stage2_test.c': 'tlb',
}

HEAD = """\
# Instructions

<!-- Made by tools/gen_instructions.py; tools/update_docs.sh makes it again. -->

[isa/loongarch64.isa](../isa/loongarch64.isa) lists the instructions of LoongArch64 one per line.
Every one has an encoding, a text and a place in the random words of tests. Every one but those of
the class lbt has a function in `cpu/loongarch64/interp_*.c`; the program does not link without it.
Executing an instruction of lbt is an invalid instruction, as on a processor without that unit.

What checks them:

- **Encoding and text**, all classes: `isa/loongarch64_llvm_test.c` compares words to text and text
  to words with LLVM 19, both ways, but for the few that LLVM lacks or refuses, which the file
  names. Two patterns that match the same word are a build error.
- **Results**: `test/diff` runs random operands through the interpreter and through a user-mode
  emulator and compares each bit of state. The column "compared" counts the instructions.
- **Values worked out by hand**: the unit tests of the last column, in `cpu/loongarch64/`.
- **Arithmetic** of floating point: `fp/` is tested against MPFR, the host and vectors.
- **As software sees them**: the bare-metal programs of `guest/tests/`, and Debian's kernel.

"""


def not_compared(diff):
    """Reason by mnemonic, and the known differences of the rest."""
    said = subprocess.run([diff, '-k'], capture_output=True, text=True, check=True).stdout
    reasons, differences = {}, []
    for line in said.splitlines():
        mnemonic = line.split(' ')[0]
        if line.startswith(f'{mnemonic:16} '):
            reasons[mnemonic] = line[17:]
        else:
            differences.append(line)
    return reasons, differences


def by_class(isa, reasons):
    yield '| class | what it is | patterns | compared | by level | unit tests |'
    yield '|---|---|---:|---:|---|---|'
    total = [0, 0]
    for name, doc in isa.classes.items():
        patterns = [p for p in isa.patterns if p.cls == name]
        n_compared = sum(p.mnemonic not in reasons for p in patterns)
        levels = {}
        for p in patterns:
            level = '+'.join(p.levels)
            levels[level] = levels.get(level, 0) + 1
        tests = [f'`{file}`' for file, classes in UNIT_TESTS.items() if name in classes.split()]
        yield (f'| {name} | {doc} | {len(patterns)} | {n_compared} | '
               f'{", ".join(f"{k} {n}" for k, n in levels.items())} | {", ".join(tests) or "none"} |')
        total = [total[0] + len(patterns), total[1] + n_compared]
    yield f'| all | | {total[0]} | {total[1]} | | |'


def left_out(isa, reasons):
    yield '| not compared | because |'
    yield '|---|---|'
    groups = {}
    for p in isa.patterns:
        if p.mnemonic in reasons:
            groups.setdefault(reasons[p.mnemonic], []).append(p)
    for reason, patterns in groups.items():
        whole = {p.cls for p in patterns if all(reasons.get(q.mnemonic) == reason
                                                for q in isa.patterns if q.cls == p.cls)}
        names = [f'all of {cls}' for cls in isa.classes if cls in whole]
        names += [f'`{p.mnemonic}`' for p in patterns if p.cls not in whole]
        yield f'| {", ".join(names)} | {reason} |'


def document(isa_path, diff):
    isa = parse.read(isa_path)
    reasons, differences = not_compared(diff)
    parts = [HEAD + '\n'.join(by_class(isa, reasons)),
             '## What the emulator is not asked\n\n' + '\n'.join(left_out(isa, reasons)),
             'Known differences, for which the comparison makes allowance:\n\n'
             + '\n'.join('- ' + d for d in differences),
             '## By class and level\n\n' + coverage.table(isa).rstrip('\n')]
    return '\n\n'.join(parts) + '\n'


def main(arguments):
    if len(arguments) != 2:
        print(__doc__)
        return 1
    print(document(*arguments), end='')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
