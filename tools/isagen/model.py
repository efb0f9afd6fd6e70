# SPDX-License-Identifier: Apache-2.0
"""What a description consists of: the vocabulary it declares and the patterns it lists."""

from dataclasses import dataclass, field

WORD_BITS = 32
WORD_MASK = (1 << WORD_BITS) - 1


class IsaError(Exception):
    """One or more faults in a description, as lines of "file:line: text"."""

    def __init__(self, faults):
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass
class RegFile:
    letter: str  # the first letter of the fields that name its registers
    name: str
    bits: int  # width of such a field


@dataclass
class ImmKind:
    prefix: str  # fields are named prefix + width
    dest: str  # "imm" or "imm2"
    signed: bool
    target: bool  # a branch offset from the address of the instruction


@dataclass
class Level:
    name: str
    cpucfg1: int = 0
    cpucfg2: int = 0
    enable: int = 0
    apart: bool = False  # listed in an X-macro of its own
    doc: str = ""


@dataclass
class Slice:
    low: int  # lowest bit in the instruction word
    width: int
    at: int  # lowest bit in the value of the field


@dataclass
class Field:
    name: str
    dest: str  # member of the decoded instruction: a register slot, imm or imm2
    width: int
    slices: list
    file: RegFile = None
    signed: bool = False
    target: bool = False
    shift: int = 0  # value = raw << shift ...
    bias: int = 0  # ... + bias

    def key(self):
        slices = tuple((s.low, s.width, s.at) for s in self.slices)
        return (self.dest, slices, self.signed, self.shift, self.bias)

    def word_mask(self):
        return sum(((1 << s.width) - 1) << s.low for s in self.slices)

    def place(self, raw):
        """The bits of the word that hold the raw value `raw`."""
        return sum((raw >> s.at & ((1 << s.width) - 1)) << s.low for s in self.slices)


@dataclass
class Pattern:
    mnemonic: str
    line: int
    mask: int = 0
    match: int = 0
    fields: dict = field(default_factory=dict)
    operands: list = field(default_factory=list)  # field names, in the order of the text
    cls: str = ""
    levels: list = field(default_factory=list)
    flags: list = field(default_factory=list)
    load: int = 0  # bytes
    store: int = 0
    direction: dict = field(default_factory=dict)  # slot -> "in", "out" or "inout"
    elements: list = field(default_factory=list)  # result, first and second source
    except_mask: int = 0  # words with (word & except_mask) == except_match
    except_match: int = 1  # belong to another pattern; the default never holds

    @property
    def c_name(self):
        return self.mnemonic.replace(".", "_")

    @property
    def form(self):
        return tuple(sorted(f.key() for f in self.fields.values()))

    def field_at(self, dest):
        return next((f for f in self.fields.values() if f.dest == dest), None)

    def matches(self, word):
        if (word & self.mask) != self.match:
            return False
        return (word & self.except_mask) != self.except_match


@dataclass
class Alias:
    """Another spelling of some words of one pattern, preferred by the disassembler."""

    mnemonic: str
    line: int
    pattern: Pattern
    mask: int
    match: int
    operands: list


@dataclass
class Isa:
    path: str
    arch: str = ""
    prefix: str = ""
    slots: dict = field(default_factory=dict)  # letter -> lowest bit of its register fields
    files: dict = field(default_factory=dict)
    imms: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    levels: dict = field(default_factory=dict)
    enables: dict = field(default_factory=dict)
    flags: dict = field(default_factory=dict)
    elements: list = field(default_factory=list)
    patterns: list = field(default_factory=list)
    aliases: list = field(default_factory=list)
