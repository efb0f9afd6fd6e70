#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generates the C side of an instruction description, or tells what it covers."""

import argparse
import sys

from isagen import check, coverage, emit, parse
from isagen.model import IsaError


def main():
    args = arguments()
    try:
        isa = parse.read(args.description)
        check.check(isa)
    except IsaError as error:
        print(error, file=sys.stderr)
        return 1
    if args.coverage:
        print(coverage.table(isa), end="")
    for path, text in ((args.ops, emit.ops_header), (args.tables, emit.tables)):
        if path:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text(isa))
    return 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("description", help="the .isa file")
    parser.add_argument("--ops", metavar="FILE", help="write the header with enums and X-macros")
    parser.add_argument("--tables", metavar="FILE", help="write the C file with the tables")
    parser.add_argument("--coverage", action="store_true", help="print the coverage table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
