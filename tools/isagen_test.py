#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Descriptions that isagen must refuse, each with the reason, and what it makes of good ones.

    isagen_test.py FILE.isa

FILE.isa is a description that must pass. Prints TAP.
"""

import os
import subprocess
import sys
import tempfile

from isagen import check, coverage, emit, parse
from isagen.model import IsaError
from isagen.tree import Tree

VOCABULARY = """
arch test t
slots d=0 j=5 k=10
file r gpr 5
imm si imm signed
imm ui imm unsigned
imm op imm2 unsigned
class int "numbers"
enable fpe 0
level one cpucfg1=1,3 cpucfg2=2 enable=fpe "the first"
level far apart "another list"
elements i8 i16
flag priv "privileged"
"""
ADD = 'add 00000000000000001 rk rj rd "rd, rj, rk" int one -\n'
HIGH = "0000000000"

# What is wrong with the last line, and the line. VOCABULARY and ADD stand before it.
REFUSED = [
    ("overlaps add (line 14), for example 0x00008000",
     'sub 00000000000000001 00000 rj rd "rd, rj" int one -'),
    ("overlaps add (line 14)", 'sub 000000000000000 ui2 rk rj rd "rd, rj, rk, ui2" int one -'),
    ("overlaps add (line 14)",
     'sub 00000000000000001 rk rj rd "rd, rj, rk" int one rj!=0..1'),
    ("mnemonic add is already in line 14", 'add 1 ui31 "ui31" int one -'),
    ("mnemonic add is already in line 14", 'alias add add rk=0 "rd, rj"'),
    ("....... holds bits that have no name", 'sub 1000000000 ....... rk rj rd "rd" int one -'),
    ("----- holds bits that have no name", 'sub 10000000000000000 ----- rj rd "rd, rj" int one -'),
    ("field rk is missing in the operands",
     'sub 10000000000000000 rk rj rd "rd, rj" int one -'),
    ("the pattern has 31 bits and needs 32", 'sub 1000000000000000 rk rj rd "rd" int one -'),
    ("the pattern has 33 bits and needs 32", 'sub 100000000000000000 rk rj rd "rd" int one -'),
    ("the operands name si12, which is not in the pattern",
     'sub 10000000000000000 rk rj rd "rd, rj, rk, si12" int one -'),
    ("operand rj comes twice", 'sub 10000000000000000 rk rj rd "rd, rj, rj" int one -'),
    ("register field rk cannot be scaled",
     'sub 10000000000000000 rk rj rd "rd, rj, rk<<2" int one -'),
    ("zz5 is neither a register field nor a declared immediate",
     'sub 10000000000000000 zz5 rj rd "rd, rj, zz5" int one -'),
    ("field rj starts at bit 10, and slot j is at bit 5",
     'sub 10000000000000000 rj rk rd "rd, rj, rk" int one -'),
    ("field rd is twice in the pattern", 'sub 10000000000000000 rk rd rd "rd, rk" int one -'),
    ("field si12 needs 12 bits",
     'sub 10000000000 si12[10:0] rj rd "rd, rj, si12" int one -'),
    ("field si12 has a bit twice",
     'sub 1000000000 si12[11:6] si12[6:1] rj rd "rd, rj, si12" int one -'),
    ("fields si6 and ui6 both go to imm",
     'sub 1000000000 si6 ui6 rj rd "rd, rj, si6, ui6" int one -'),
    ("field op12 can be 4095, and imm2 holds 8 bits",
     'sub 1000000000 op12 rj rd "rd, rj, op12" int one -'),
    ("unknown attribute private", 'sub 10000000000000000 rk rj rd "rd, rj, rk" int one private'),
    ("unknown attribute load.3", 'sub 10000000000000000 rk rj rd "rd, rj, rk" int one load.3'),
    ("unknown attribute i8<i9", 'sub 10000000000000000 rk rj rd "rd, rj, rk" int one i8<i9'),
    ("attribute priv comes twice",
     'sub 10000000000000000 rk rj rd "rd, rj, rk" int one priv priv'),
    ("in:k names a register that is not in the pattern",
     'sub 1000000000 si12 rj rd "rd, rj, si12" int one in:k'),
    ("1..2 is not an aligned power of two of values of rj",
     'sub 10000000000000000 rk rj rd "rd, rj, rk" int one rj!=1..2'),
    ("unknown class float", 'sub 10000000000000000 rk rj rd "rd, rj, rk" float one -'),
    ("unknown level two", 'sub 10000000000000000 rk rj rd "rd, rj, rk" int one+two -'),
    ("a level has no property cpucfg3=1", 'level two cpucfg3=1 "no such word"'),
    ("a level has no property enable=sxe", 'level two enable=sxe "not declared"'),
    ("expected: MNEMONIC BITS", 'sub 10000000000000000 rk rj rd "rd, rj, rk" int one'),
    ("expected: MNEMONIC BITS", "sub 10000000000000000 rk rj rd rd, rj, rk int one -"),
    ("No closing quotation", 'sub 10000000000000000 rk rj rd "rd, rj, rk int one -'),
    ("Sub is neither a declaration nor a mnemonic",
     'Sub 10000000000000000 rk rj rd "rd, rj, rk" int one -'),
    ("there is no pattern sub above", 'alias nop sub rd=0 rj=0 rk=0 ""'),
    ("rd=32 fixes no field of add", 'alias nop add rd=32 rj=0 rk=0 ""'),
    ("field rk is missing in the operands", 'alias nop add rd=0 rj=0 ""'),
]

SPLIT = """
rd    00000100 ui14 00000 rd   "rd, ui14"     int one priv
wr    00000100 ui14 00001 rd   "rd, ui14"     int one inout:d
xchg  00000100 ui14 rj rd      "rd, rj, ui14" int one inout:d rj!=0..1
jump  010000 si21[15:0] rj si21[20:16] "rj, si21<<2" int far i8<i16
"""


def read(text):
    isa = parse.parse(text, "x.isa")
    check.check(isa)
    return isa


def fault_of(text):
    try:
        read(text)
    except IsaError as error:
        return str(error)
    return "(accepted)"


def refuses(wanted, line):
    last = (VOCABULARY + ADD).count("\n") + 1
    found = fault_of(VOCABULARY + ADD + line)
    return found.startswith(f"x.isa:{last}: ") and wanted in found, found


def reports_all_faults():
    found = fault_of(VOCABULARY + "sub 1\nmul 2\n")
    return "x.isa:14: " in found and "x.isa:15: " in found, found


def needs_an_arch_line():
    return fault_of("slots d=0") == "x.isa:1: no arch line", fault_of("slots d=0")


def exceptions_part_patterns():
    isa = read(VOCABULARY + SPLIT)
    tree = Tree(isa.patterns)
    for rj in range(32):
        word = 0x04000000 | 77 << 10 | rj << 5 | 9
        wanted = ["rd", "wr"][rj] if rj < 2 else "xchg"
        found = [p.mnemonic for p in isa.patterns if p.matches(word)]
        if found != [wanted] or decode(tree, word) != wanted:
            return False, f"rj = {rj}: {found}, {decode(tree, word)}"
    return decode(tree, 0x0800_0000) is None, "0x08000000 is no pattern"


def decode(tree, word):
    """What the generated decoder does."""
    entry = 0x8000
    while entry & 0x8000:
        base, low, width = tree.nodes[entry & 0x7fff]
        entry = tree.entries[base + (word >> low & ((1 << width) - 1))]
    if not entry or not tree.pattern(entry).matches(word):
        return None
    return tree.pattern(entry).mnemonic


def split_field_and_scale():
    f = read(VOCABULARY + SPLIT).patterns[3].fields["si21"]
    pieces = [(s.low, s.width, s.at) for s in f.slices]
    return (pieces == [(10, 16, 0), (0, 5, 16)] and f.shift == 2 and f.signed), str(f)


def lists_apart():
    header = emit.ops_header(read(VOCABULARY + ADD + SPLIT))
    main, _, far = header.partition("#define T_OPS_FAR(X)")
    ok = "X(add, ADD)" in main and "X(jump, JUMP)" in far and "X(jump, JUMP)" not in main
    return ok, header


def properties_reach_the_table():
    text = emit.tables(read(VOCABULARY + ADD + SPLIT))
    row = next(line for line in text.split("\n") if '"wr"' in line)
    wanted = [".cpucfg1 = 0xa", ".cpucfg2 = 0x4", ".enable = 0x1", ".reads = 0x1", ".writes = 0x1"]
    return all(w in row for w in wanted), row


def coverage_counts():
    text = coverage.table(read(VOCABULARY + ADD + SPLIT))
    ok = "| int | one | 4 | numbers |" in text and "| all | | 5 | |" in text
    return ok, text


def command_fails_and_writes_nothing():
    program = os.path.join(os.path.dirname(__file__), "isagen.py")
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "x.isa"), os.path.join(folder, "out.h")
        with open(source, "w", encoding="utf-8") as f:
            f.write(VOCABULARY + ADD + ADD)
        done = subprocess.run([sys.executable, "-B", program, source, "--ops", out],
                              capture_output=True, text=True, check=False)
        ok = done.returncode == 1 and "already in line 14" in done.stderr
        return ok and not os.path.exists(out), done.stderr


def accepts(path):
    isa = parse.read(path)
    check.check(isa)
    return len(isa.patterns) > 0, ""


def n_words(p):
    """How many words are this pattern."""
    n = 1 << (32 - p.mask.bit_count())
    return n - (1 << (32 - (p.mask | p.except_mask).bit_count()) if p.except_mask else 0)


def n_reached(tree, node, known, value, count):
    """Adds up, per pattern, the words that the decoder finds behind a node."""
    base, low, width = tree.nodes[node]
    known |= ((1 << width) - 1) << low
    for i in range(1 << width):
        entry, here = tree.entries[base + i], value | i << low
        if entry & 0x8000:
            n_reached(tree, entry & 0x7fff, known, here, count)
        elif entry and not (tree.pattern(entry).match ^ here) & tree.pattern(entry).mask & known:
            bits = (known | tree.pattern(entry).mask).bit_count()
            count[entry - 1] += 1 << (32 - bits)


def decodes_every_word(path):
    """Counts all 2**32 words by regions: no pattern has a word that the decoder misses."""
    isa = parse.read(path)
    count = [0] * len(isa.patterns)
    n_reached(Tree(isa.patterns), 0, 0, 0, count)
    wrong = [p.mnemonic for p, n in zip(isa.patterns, count) if n != n_words(p)]
    return not wrong, f"{len(wrong)} patterns: {wrong[:10]}"


def cases():
    for wanted, line in REFUSED:
        yield f"refuses: {wanted}", lambda w=wanted, l=line: refuses(w, l)
    for case in (reports_all_faults, needs_an_arch_line, exceptions_part_patterns,
                 split_field_and_scale, lists_apart, properties_reach_the_table, coverage_counts,
                 command_fails_and_writes_nothing):
        yield case.__name__, case
    for path in sys.argv[1:]:
        name = os.path.basename(path)
        yield f"accepts {name}", lambda p=path: accepts(p)
        yield f"the decoder reaches every word of {name}", lambda p=path: decodes_every_word(p)


def main():
    n_failed = 0
    number = 0
    for number, (name, case) in enumerate(cases(), 1):
        ok, detail = case()
        n_failed += not ok
        print(f"{'ok' if ok else 'not ok'} {number} - {name}")
        if not ok:
            print("\n".join(f"# {line}" for line in detail.split("\n")))
    print(f"1..{number}")
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
