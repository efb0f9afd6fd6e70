# SPDX-License-Identifier: Apache-2.0
"""Faults that only show when patterns are seen together."""

from .model import IsaError


def check(isa):
    faults = duplicate_names(isa) + overlaps(isa)
    if faults:
        raise IsaError(faults)


def duplicate_names(isa):
    faults = []
    seen = {}
    for entry in isa.patterns + isa.aliases:
        name = entry.mnemonic.replace(".", "_")
        if name in seen:
            faults.append(f"{isa.path}:{entry.line}: mnemonic {entry.mnemonic} is already "
                          f"in line {seen[name]}")
        seen[name] = entry.line
    return faults


def overlap(a, b):
    """A word that both patterns match, or None."""
    if (a.match ^ b.match) & a.mask & b.mask:
        return None
    mask, word = a.mask | b.mask, a.match | b.match
    for p in (a, b):
        if p.except_mask & ~mask:
            # Some of the bits that decide are free: leave the exception if a free bit can.
            free = p.except_mask & ~mask
            bit = free & -free
            word = (word & ~bit) | (~p.except_match & bit)
            mask |= bit
        elif (word & p.except_mask) == p.except_match:
            return None
    return word


def overlaps(isa):
    """Compares each pattern with those that share the bits that every pattern fixes."""
    common = 0xffffffff
    for p in isa.patterns:
        common &= p.mask
    buckets = {}
    faults = []
    for p in isa.patterns:
        bucket = buckets.setdefault(p.match & common, [])
        for q in bucket:
            word = overlap(p, q)
            if word is not None:
                faults.append(f"{isa.path}:{p.line}: {p.mnemonic} overlaps {q.mnemonic} "
                              f"(line {q.line}), for example 0x{word:08x}")
        bucket.append(p)
    return faults
