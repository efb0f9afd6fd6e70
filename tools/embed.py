#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a C file that holds a text file, with a terminating zero: embed.py INPUT OUTPUT NAME."""

import sys


def main(source, target, name):
    with open(source, "rb") as f:
        data = f.read() + b"\0"
    with open(target, "w", encoding="ascii") as f:
        f.write(f"extern const char {name}[];\nconst char {name}[] = {{\n")
        for at in range(0, len(data), 20):
            f.write("".join(f"{byte}," for byte in data[at:at + 20]) + "\n")
        f.write("};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
