#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an application of UEFI (PE32+) of a position-independent ELF program for LoongArch64.

usage: application_image.py OUTPUT ELF

Segments become sections at the same addresses, and relative relocations become base relocations.
Others cannot be expressed and are refused.
"""

import struct
import sys

PT_LOAD, PF_X, PF_W = 1, 1, 2
SHT_RELA, R_LARCH_RELATIVE = 4, 3
MACHINE = 0x6264  # IMAGE_FILE_MACHINE_LOONGARCH64
EXECUTABLE_IMAGE, LARGE_ADDRESSES = 0x2, 0x20
PE32_PLUS, EFI_APPLICATION, N_DIRECTORIES, BASE_RELOCATION = 0x20b, 10, 16, 5
CODE, DATA, DISCARDABLE, EXECUTE, READ, WRITE = 0x20, 0x40, 0x2000000, 1 << 29, 1 << 30, 1 << 31
RELOCATION_64, PAGE, ALIGNMENT, FILE_ALIGNMENT = 10, 0x1000, 0x1000, 0x200
DOS_SIZE = 0x40


def align(value, to):
    return -(-value // to) * to


class Elf:
    def __init__(self, data):
        if data[:6] != b'\x7fELF\2\1':
            raise SystemExit('not a little-endian 64-bit ELF file')
        (self.machine, _, self.entry, ph, sh, _, _, ph_size, n_ph, sh_size, n_sh
         ) = struct.unpack_from('<HIQQQIHHHHH', data, 18)
        self.data = data
        self.segments = [struct.unpack_from('<IIQQQQQQ', data, ph + i * ph_size) for i in range(n_ph)]
        self.sections = [struct.unpack_from('<IIQQQQ', data, sh + i * sh_size) for i in range(n_sh)]

    def loaded(self):
        """(flags, address, bytes, size in memory) of each segment."""
        for kind, flags, offset, address, _, in_file, in_memory, _ in self.segments:
            if kind == PT_LOAD:
                yield flags, address, self.data[offset:offset + in_file], in_memory

    def relocations(self):
        """Addresses of the words that move with the image."""
        for _, kind, _, _, offset, size in self.sections:
            if kind != SHT_RELA:
                continue
            for at in range(offset, offset + size, 24):
                address, info, _ = struct.unpack_from('<QQq', self.data, at)
                if info != R_LARCH_RELATIVE:
                    raise SystemExit(f'relocation {info:#x} at {address:#x} is not relative')
                yield address


def base_relocations(addresses):
    """A block for each page, of an even number of entries."""
    pages = {}
    for address in sorted(addresses):
        pages.setdefault(address & -PAGE, []).append(RELOCATION_64 << 12 | address & PAGE - 1)
    blocks = b''
    for page, entries in pages.items():
        entries += [0] * (len(entries) % 2)
        blocks += struct.pack(f'<II{len(entries)}H', page, 8 + 2 * len(entries), *entries)
    return blocks


def sections_of(elf):
    """(name, address, bytes, size in memory, characteristics)"""
    sections = []
    for flags, address, data, size in elf.loaded():
        name = b'.text' if flags & PF_X else b'.data'
        kind = CODE | EXECUTE if flags & PF_X else DATA
        sections.append((name, address, data, size, kind | READ | (WRITE if flags & PF_W else 0)))
    end = align(max(address + size for _, address, _, size, _ in sections), ALIGNMENT)
    blocks = base_relocations(elf.relocations())
    return sections + [(b'.reloc', end, blocks, len(blocks), DATA | READ | DISCARDABLE)]


def headers(elf, sections, header_size):
    end = align(max(s[1] + s[3] for s in sections), ALIGNMENT)
    code = sum(align(len(s[2]), FILE_ALIGNMENT) for s in sections if s[4] & CODE)
    data = sum(align(len(s[2]), FILE_ALIGNMENT) for s in sections if not s[4] & CODE)
    directories = [(0, 0)] * N_DIRECTORIES
    directories[BASE_RELOCATION] = (sections[-1][1], sections[-1][3])
    optional = struct.pack('<HBBIIIII', PE32_PLUS, 0, 0, code, data, 0, elf.entry, sections[0][1])
    optional += struct.pack('<QIIHHHHHHIIIIHHQQQQII', 0, ALIGNMENT, FILE_ALIGNMENT, 0, 0, 0, 0, 0, 0,
                            0, end, header_size, 0, EFI_APPLICATION, 0, 0, 0, 0, 0, 0, N_DIRECTORIES)
    optional += b''.join(struct.pack('<II', *d) for d in directories)
    dos = b'MZ'.ljust(DOS_SIZE - 4, b'\0') + struct.pack('<I', DOS_SIZE)
    return dos + b'PE\0\0' + struct.pack('<HHIIIHH', MACHINE, len(sections), 0, 0, 0, len(optional),
                                         EXECUTABLE_IMAGE | LARGE_ADDRESSES) + optional


def main(output, program):
    with open(program, 'rb') as f:
        elf = Elf(f.read())
    sections = sections_of(elf)
    header_size = align(0x200 + 40 * len(sections), FILE_ALIGNMENT)
    head, body = headers(elf, sections, header_size), b''
    for name, address, data, size, kind in sections:
        raw = data.ljust(align(len(data), FILE_ALIGNMENT), b'\0')
        head += struct.pack('<8sIIIIIIHHI', name, size, address, len(raw), header_size + len(body), 0, 0,
                            0, 0, kind)
        body += raw
    with open(output, 'wb') as f:
        f.write(head.ljust(header_size, b'\0') + body)


main(*sys.argv[1:])
