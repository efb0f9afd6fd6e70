# SPDX-License-Identifier: Apache-2.0
"""A Markdown table of how many patterns each class and level has."""

from collections import Counter


def table(isa):
    count = Counter((p.cls, "+".join(p.levels)) for p in isa.patterns)
    classes = list(isa.classes)
    rows = ["| class | level | patterns | what it is |", "|---|---|---:|---|"]
    for (cls, level), n in sorted(count.items(), key=lambda x: (classes.index(x[0][0]), x[0][1])):
        rows.append(f"| {cls} | {level} | {n} | {isa.classes[cls]} |")
    rows.append(f"| all | | {len(isa.patterns)} | |")
    return "\n".join(rows) + "\n"
