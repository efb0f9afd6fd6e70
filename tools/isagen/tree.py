# SPDX-License-Identifier: Apache-2.0
"""The decoder's tables: nodes that index a table by a few contiguous bits of the word.

An entry is an op number (0 = invalid) or NODE | number of the next node. A node is made as long
as more than one pattern, or a pattern and its exception, can still be meant; the last compare
with mask and match is the decoder's.
"""

NODE = 0x8000
ROOT_LOW, ROOT_WIDTH = 22, 10
MAX_WIDTH = 8


class Tree:
    def __init__(self, patterns):
        self.patterns = patterns
        self.nodes = []  # (base, low, width)
        self.entries = []
        ops = list(range(1, len(patterns) + 1))
        self.add_node(ops, 0, 0, ROOT_LOW, ROOT_WIDTH)

    def pattern(self, op):
        return self.patterns[op - 1]

    def add_node(self, ops, known, value, low, width):
        """`known` bits of the word are `value`; returns the entry that leads to the node."""
        number = len(self.nodes)
        base = len(self.entries)
        self.nodes.append((base, low, width))
        self.entries += [0] * (1 << width)
        field = ((1 << width) - 1) << low
        for i in range(1 << width):
            entry = self.entry(ops, known | field, value | i << low)
            self.entries[base + i] = entry
        return NODE | number

    def entry(self, ops, known, value):
        left = [op for op in ops if self.possible(op, known, value)]
        undecided = self.deciding_bits(left, known, value)
        if not left:
            return 0
        if not undecided:
            assert len(left) == 1, [self.pattern(op).mnemonic for op in left]
            return left[0]
        high = undecided.bit_length() - 1
        low = (undecided & -undecided).bit_length() - 1
        low = max(low, high - MAX_WIDTH + 1)
        return self.add_node(left, known, value, low, high - low + 1)

    def possible(self, op, known, value):
        p = self.pattern(op)
        if (p.match ^ value) & p.mask & known:
            return False
        excepted = not p.except_mask & ~known and (value & p.except_mask) == p.except_match
        return not excepted

    def deciding_bits(self, ops, known, value):
        bits = 0
        for i, op in enumerate(ops):
            p = self.pattern(op)
            if not (p.except_match ^ value) & p.except_mask & known:
                bits |= p.except_mask
            for other in ops[:i]:
                q = self.pattern(other)
                bits |= (p.match ^ q.match) & p.mask & q.mask
        return bits & ~known
