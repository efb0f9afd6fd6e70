# SPDX-License-Identifier: Apache-2.0
"""Reads a description.

A line is a comment, a declaration of the vocabulary, an alias or a pattern; the description
itself explains their forms. Every fault is collected with its line, so that one run shows all.
"""

import re
import shlex

from .model import (WORD_BITS, WORD_MASK, Alias, Field, ImmKind, Isa, IsaError, Level, Pattern,
                    RegFile, Slice)

MNEMONIC = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")
FIELD_TOKEN = re.compile(r"([a-z]+[0-9]*)(?:\[(\d+):(\d+)\])?$")
IMM_NAME = re.compile(r"([a-z]+)(\d+)$")
OPERAND = re.compile(r"([a-z]+[0-9]*)(?:<<(\d+))?(?:\+(\d+))?$")
EXCEPTION = re.compile(r"([a-z]+[0-9]*)!=(\d+)\.\.(\d+)$")


class Fault(Exception):
    """What is wrong with the line at hand."""


def read(path):
    with open(path, encoding="utf-8") as f:
        return parse(f.read(), path)


def parse(text, path="<text>"):
    isa = Isa(path)
    faults = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            words = split_words(line)
            if words:
                parse_line(isa, words, number)
        except Fault as fault:
            faults.append(f"{path}:{number}: {fault}")
    if not isa.prefix:
        faults.append(f"{path}:1: no arch line")
    if faults:
        raise IsaError(faults)
    return isa


def split_words(line):
    lexer = shlex.shlex(line, posix=False, punctuation_chars="")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return list(lexer)
    except ValueError as error:
        raise Fault(str(error)) from error


def parse_line(isa, words, number):
    declare = DECLARATIONS.get(words[0])
    if declare:
        declare(isa, words[1:])
    elif words[0] == "alias":
        isa.aliases.append(parse_alias(isa, words[1:], number))
    else:
        isa.patterns.append(parse_pattern(isa, words, number))


# ---------------------------------------------------------------------------------------------
# Declarations


def expect(words, n, form):
    if len(words) < n:
        raise Fault(f"expected: {form}")


def unquote(word):
    if len(word) < 2 or word[0] != '"' or word[-1] != '"':
        raise Fault(f"expected a quoted text, found {word}")
    return word[1:-1]


def declare_arch(isa, words):
    expect(words, 2, "arch NAME PREFIX")
    isa.arch, isa.prefix = words[:2]


def declare_slots(isa, words):
    for word in words:
        slot, _, low = word.partition("=")
        if not low.isdigit():
            raise Fault("expected: slots LETTER=BIT...")
        isa.slots[slot] = int(low)


def declare_file(isa, words):
    expect(words, 3, "file LETTER NAME BITS")
    isa.files[words[0]] = RegFile(words[0], words[1], int(words[2]))


def declare_imm(isa, words):
    expect(words, 3, "imm PREFIX imm|imm2 signed|unsigned [target]")
    prefix, dest, sign = words[:3]
    if dest not in ("imm", "imm2") or sign not in ("signed", "unsigned"):
        raise Fault("expected: imm PREFIX imm|imm2 signed|unsigned [target]")
    isa.imms[prefix] = ImmKind(prefix, dest, sign == "signed", "target" in words[3:])


def declare_class(isa, words):
    expect(words, 2, 'class NAME "TEXT"')
    isa.classes[words[0]] = unquote(words[1])


def declare_flag(isa, words):
    expect(words, 2, 'flag NAME "TEXT"')
    isa.flags[words[0]] = unquote(words[1])


def declare_enable(isa, words):
    expect(words, 2, "enable NAME BIT")
    isa.enables[words[0]] = 1 << int(words[1])


def declare_elements(isa, words):
    isa.elements += words


def bit_list(text):
    return sum(1 << int(bit) for bit in text.split(","))


def declare_level(isa, words):
    expect(words, 2, 'level NAME [cpucfg1=BITS] [cpucfg2=BITS] [enable=NAME] [apart] "TEXT"')
    level = Level(words[0], doc=unquote(words[-1]))
    for word in words[1:-1]:
        key, _, value = word.partition("=")
        if key in ("cpucfg1", "cpucfg2"):
            setattr(level, key, bit_list(value))
        elif key == "enable" and value in isa.enables:
            level.enable = isa.enables[value]
        elif word == "apart":
            level.apart = True
        else:
            raise Fault(f"a level has no property {word}")
    isa.levels[level.name] = level


DECLARATIONS = {
    "arch": declare_arch, "slots": declare_slots, "file": declare_file, "imm": declare_imm,
    "class": declare_class, "flag": declare_flag, "enable": declare_enable,
    "elements": declare_elements, "level": declare_level,
}

# ---------------------------------------------------------------------------------------------
# Patterns


def parse_pattern(isa, words, number):
    if not MNEMONIC.match(words[0]):
        raise Fault(f"{words[0]} is neither a declaration nor a mnemonic")
    quoted = [i for i, word in enumerate(words) if word.startswith('"')]
    if len(quoted) != 1 or len(words) < quoted[0] + 4:
        raise Fault('expected: MNEMONIC BITS... "OPERANDS" CLASS LEVEL ATTRIBUTES')
    bits, rest = words[1:quoted[0]], words[quoted[0] + 1:]
    pattern = Pattern(words[0], number)
    parse_bits(isa, pattern, bits)
    pattern.operands = parse_operands(pattern, unquote(words[quoted[0]]))
    require_all_operands(pattern, pattern.operands, {})
    parse_class(isa, pattern, rest[0])
    parse_levels(isa, pattern, rest[1])
    if rest[2:] != ["-"]:
        for word in rest[2:]:
            parse_attribute(isa, pattern, word)
    return pattern


def parse_bits(isa, pattern, tokens):
    position = WORD_BITS
    for token in tokens:
        if set(token) <= {"0", "1"}:
            position -= len(token)
            pattern.match |= int(token, 2) << max(position, 0)
            pattern.mask |= ((1 << len(token)) - 1) << max(position, 0)
        elif re.search(r"[^a-z0-9\[\]:]", token) or token[0] in "01":
            raise Fault(f"{token} holds bits that have no name")
        else:
            position -= add_slice(isa, pattern, token, position)
    if position != 0:
        raise Fault(f"the pattern has {WORD_BITS - position} bits and needs {WORD_BITS}")
    for f in pattern.fields.values():
        require_whole(f)
        require_place(isa, f)
    require_own_dests(pattern)


def add_slice(isa, pattern, token, position):
    """Adds the field or part of a field that ends below bit `position`; returns its width."""
    found = FIELD_TOKEN.match(token)
    if not found:
        raise Fault(f"{token} is no field")
    name = found[1]
    f = pattern.fields.get(name)
    if f and not found[2]:
        raise Fault(f"field {name} is twice in the pattern")
    if not f:
        f = pattern.fields[name] = new_field(isa, name)
    high, low = (int(found[2]), int(found[3])) if found[2] else (f.width - 1, 0)
    if high < low:
        raise Fault(f"{token}: the higher bit comes first")
    f.slices.append(Slice(position - (high - low + 1), high - low + 1, low))
    return high - low + 1


def new_field(isa, name):
    regs = isa.files.get(name[0])
    if regs and len(name) == 2 and name[1] in isa.slots:
        return Field(name, "r" + name[1], regs.bits, [], file=regs)
    found = IMM_NAME.match(name)
    kind = isa.imms.get(found[1]) if found else None
    if not kind:
        raise Fault(f"{name} is neither a register field nor a declared immediate")
    return Field(name, kind.dest, int(found[2]), [], signed=kind.signed, target=kind.target)


def require_whole(f):
    seen = 0
    for s in f.slices:
        bits = ((1 << s.width) - 1) << s.at
        if seen & bits:
            raise Fault(f"field {f.name} has a bit twice")
        seen |= bits
    if seen != (1 << f.width) - 1:
        raise Fault(f"field {f.name} needs {f.width} bits, in slices that leave none out")


def require_place(isa, f):
    """What the decoder's tables rely on."""
    if f.file and f.slices[0].low != isa.slots[f.name[1]]:
        raise Fault(f"field {f.name} starts at bit {f.slices[0].low}, and slot {f.name[1]} "
                    f"is at bit {isa.slots[f.name[1]]}")
    if len(f.slices) > (2 if f.dest == "imm" else 1):
        raise Fault(f"field {f.name} is in too many pieces")


def require_own_dests(pattern):
    owners = {}
    for f in pattern.fields.values():
        if f.dest in owners:
            raise Fault(f"fields {owners[f.dest]} and {f.name} both go to {f.dest}")
        owners[f.dest] = f.name


def parse_operands(pattern, text):
    names = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        found = OPERAND.match(part)
        if not found:
            raise Fault(f"operand {part} is no field")
        f = pattern.fields.get(found[1])
        if not f:
            raise Fault(f"the operands name {found[1]}, which is not in the pattern")
        if f.name in names:
            raise Fault(f"operand {f.name} comes twice")
        if (found[2] or found[3]) and f.file:
            raise Fault(f"register field {f.name} cannot be scaled")
        f.shift = int(found[2] or f.shift)
        f.bias = int(found[3] or f.bias)
        names.append(f.name)
    return names


def require_all_operands(pattern, operands, fixed):
    for name, f in pattern.fields.items():
        if name not in operands and name not in fixed:
            raise Fault(f"field {name} is missing in the operands")
        highest = ((1 << f.width) - 1 << f.shift) + f.bias
        if f.dest != "imm" and highest > 255:
            raise Fault(f"field {name} can be {highest}, and {f.dest} holds 8 bits")


def parse_class(isa, pattern, word):
    if word not in isa.classes:
        raise Fault(f"unknown class {word}")
    pattern.cls = word


def parse_levels(isa, pattern, word):
    for name in word.split("+"):
        if name not in isa.levels:
            raise Fault(f"unknown level {name}")
        pattern.levels.append(name)


def parse_attribute(isa, pattern, word):
    key, _, value = word.partition(":")
    access, _, size = word.partition(".")
    if word in isa.flags:
        if word in pattern.flags:
            raise Fault(f"attribute {word} comes twice")
        pattern.flags.append(word)
    elif access in ("load", "store") and size in ("1", "2", "4", "8", "16", "32"):
        setattr(pattern, access, int(size))
    elif key in ("in", "out", "inout") and value in isa.slots:
        set_direction(pattern, key, value)
    elif EXCEPTION.match(word):
        set_exception(pattern, *EXCEPTION.match(word).groups())
    elif all(e in isa.elements for e in re.split("[<*]", word)):
        pattern.elements = re.split("[<*]", word)
    else:
        raise Fault(f"unknown attribute {word}")


def set_direction(pattern, direction, slot):
    f = pattern.field_at("r" + slot)
    if not f:
        raise Fault(f"{direction}:{slot} names a register that is not in the pattern")
    pattern.direction["r" + slot] = direction


def set_exception(pattern, name, first, last):
    f = pattern.fields.get(name)
    first, last = int(first), int(last)
    size = last - first + 1
    if not f:
        raise Fault(f"{name} is not in the pattern")
    if size <= 0 or size & (size - 1) or first % size or last >> f.width:
        raise Fault(f"{first}..{last} is not an aligned power of two of values of {name}")
    raw_mask = ((1 << f.width) - 1) & ~(size - 1)
    pattern.except_mask = f.place(raw_mask)
    pattern.except_match = f.place(first)


# ---------------------------------------------------------------------------------------------
# Aliases


def parse_alias(isa, words, number):
    expect(words, 3, 'alias MNEMONIC PATTERN [FIELD=RAW]... "OPERANDS"')
    pattern = next((p for p in isa.patterns if p.mnemonic == words[1]), None)
    if not pattern:
        raise Fault(f"there is no pattern {words[1]} above")
    alias = Alias(words[0], number, pattern, pattern.mask, pattern.match, [])
    fixed = {}
    for word in words[2:-1]:
        name, _, value = word.partition("=")
        f = pattern.fields.get(name)
        if not f or not value.isdigit() or int(value) >> f.width:
            raise Fault(f"{word} fixes no field of {pattern.mnemonic}")
        fixed[name] = int(value)
        alias.mask |= f.word_mask()
        alias.match |= f.place(int(value)) & WORD_MASK
    alias.operands = parse_operands(pattern, unquote(words[-1]))
    require_all_operands(pattern, alias.operands, fixed)
    return alias
