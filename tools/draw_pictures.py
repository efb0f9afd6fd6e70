#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of the documents from what the tree says.

usage: draw_pictures.py [--check] SOURCE-ROOT

Writes doc/pictures/*.svg, or with --check tells which of them are not as they would be written.

    folders.svg    the folders and the arrows of tools/lint.py, without those that follow from others
    virt_map.svg   the addresses in mach/la_virt_map.h and beside the code that uses them
"""

import os
import re
import sys

import lint

FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'
MONO = 'font-family="DejaVu Sans Mono, Menlo, monospace"'
INK, FAINT, PAPER = '#1f2933', '#66788a', '#ffffff'


class Picture:
    def __init__(self, width, height, title):
        self.parts = [
            '<!-- SPDX-License-Identifier: Apache-2.0; made by tools/draw_pictures.py -->',
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">', f'<title>{title}</title>',
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            f'markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{FAINT}"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']

    def box(self, x, y, width, height, fill):
        self.parts.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" '
                          f'fill="{fill}" stroke="{FAINT}"/>')

    def text(self, x, y, words, size=13, font=FONT, anchor='start', ink=INK, weight='normal'):
        words = words.replace('&', '&amp;').replace('<', '&lt;')
        self.parts.append(f'<text x="{x}" y="{y}" font-size="{size}" {font} text-anchor="{anchor}" '
                          f'font-weight="{weight}" fill="{ink}">{words}</text>')

    def arrow(self, x1, y1, x2, y2):
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{FAINT}" '
                          'marker-end="url(#tip)"/>')

    def line(self, x1, y1, x2, y2):
        self.parts.append(f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{FAINT}" '
                          'stroke-dasharray="3 3"/>')

    def svg(self):
        return '\n'.join(self.parts) + '\n</svg>\n'


# Folders -----------------------------------------------------------------------------------------

CAPTIONS = {
    'base': 'types, errors, log, time',
    'isa': 'instructions as data',
    'fp': 'arithmetic in integers',
    'mem': 'address space, RAM, device lock',
    'host': 'event loop, disks, nets, consoles',
    'guest': 'bare-metal payloads',
    'hv': 'the hypervisor',
    'include': 'headers others share',
    'cpu': 'guest processors',
    'jit': 'translator to host code',
    'dev': 'devices',
    'mach': 'boards and boot',
    'vmm': 'the process: lh',
    'dune': 'programs in guest mode',
    'jit': 'the translator',
}


def arrows(root):
    """The arrows of the lint that no chain of others implies, between folders that are there."""
    all_of = {folder: [t for t in targets if os.path.isdir(os.path.join(root, t))]
              for folder, targets in lint.ARROWS.items() if os.path.isdir(os.path.join(root, folder))}
    return {folder: [t for t in targets if not any(t in all_of[u] for u in targets)]
            for folder, targets in all_of.items()}


def level_of(folder, direct):
    return 1 + max((level_of(t, direct) for t in direct[folder]), default=-1)


def draw_folders(root):
    width, height, gap_x, gap_y, margin = 170, 48, 18, 44, 20
    direct = arrows(root)
    missing = [folder for folder in direct if folder not in CAPTIONS]
    if missing:
        raise SystemExit(f'draw_pictures.py: no caption for {", ".join(missing)}')
    rows = {}
    for folder in direct:
        rows.setdefault(level_of(folder, direct), []).append(folder)
    total = max(len(row) for row in rows.values()) * (width + gap_x) - gap_x
    picture = Picture(total + 2 * margin, len(rows) * (height + gap_y) - gap_y + 2 * margin,
                      'Folders and what they include')
    place = {}
    for level, row in rows.items():
        indent = margin + (total - len(row) * (width + gap_x) + gap_x) // 2
        for i, folder in enumerate(row):
            place[folder] = (indent + i * (width + gap_x),
                             margin + (len(rows) - 1 - level) * (height + gap_y))
    for folder, targets in direct.items():
        for target in targets:
            (x1, y1), (x2, y2) = place[folder], place[target]
            picture.arrow(x1 + width // 2, y1 + height, x2 + width // 2, y2)
    for folder, (x, y) in place.items():
        picture.box(x, y, width, height, '#e8f0f8')
        picture.text(x + width // 2, y + 20, folder + '/', 14, anchor='middle', weight='bold')
        picture.text(x + width // 2, y + 37, CAPTIONS[folder], 10, anchor='middle', ink=FAINT)
    return picture.svg()


# Memory map of the board virt ----------------------------------------------------------------------

HEADERS = ['mach/la_virt_map.h', 'mach/efi_systab.h', 'mach/la_virt_direct.c', 'dev/iocsr.h',
           'dev/pch_msi.h', 'dev/ged.h']
RAM, DEVICE, PCI, FLASH = '#e3f1e0', '#e8f0f8', '#fbeeda', '#eeeeee'

# By #define or in an enum.
DEFINE = re.compile(r'^(?:#define +|    )(\w+)(?: =)? +(0x[0-9a-fA-F]+|\d+)(?:ULL)?\b', re.M)

# Base, size (0: no end is shown), name, colour.
SPACE = [
    ('0', 'VIRT_LOW_RAM_SIZE', 'low RAM', RAM),
    ('VIRT_PCH_PIC_BASE', 'VIRT_PCH_PIC_SIZE', 'interrupt controller of the bridge (PCH PIC)', DEVICE),
    ('VIRT_RTC_BASE', 'VIRT_RTC_SIZE', 'real-time clock', DEVICE),
    ('VIRT_GED_BASE', 'GED_SIZE', 'events, sleep, reset (GED)', DEVICE),
    ('VIRT_PIO_BASE', 'VIRT_PIO_LAST + 1', 'PCI I/O ports', PCI),
    ('VIRT_FLASH0_BASE', 'VIRT_FLASH_SIZE', 'flash 0: firmware or boot ROM; reset address', FLASH),
    ('VIRT_FLASH1_BASE', 'VIRT_FLASH_SIZE', 'flash 1: variables of the firmware', FLASH),
    ('VIRT_FW_CFG_BASE', 'VIRT_FW_CFG_SIZE', 'fw_cfg (with firmware)', DEVICE),
    ('VIRT_CHIP_BASE', 'IOCSR_SIZE', 'I/O configuration space of the processor', DEVICE),
    ('VIRT_UART_BASE', 'VIRT_UART_SIZE', 'serial port 0; the others 0x100 apart', DEVICE),
    ('VIRT_ECAM_BASE', 'VIRT_ECAM_SIZE', 'PCI configuration space (ECAM)', PCI),
    ('VIRT_MSI_BASE', 'PCH_MSI_SIZE', 'message interrupts (PCH MSI)', DEVICE),
    ('IOCSR_ALIAS_BASE', 'IOCSR_SIZE', 'I/O configuration space again', DEVICE),
    ('VIRT_PMEM_BASE', 'VIRT_PMEM_SIZE', 'PCI memory', PCI),
    ('VIRT_HIGH_RAM_BASE', '0', 'high RAM: what -m has above 256 MiB', RAM),
]
LOW_RAM = [
    ('EFI_COMMAND_LINE', '0', 'command line', RAM),
    ('EFI_SYSTEM_TABLE', '0', 'EFI system table, memory map', RAM),
    ('VIRT_SMBIOS_BASE', 'VIRT_SMBIOS_SIZE', 'SMBIOS tables', RAM),
    ('VIRT_ACPI_BASE', 'VIRT_ACPI_SIZE', 'ACPI tables', RAM),
    ('KERNEL_FLOOR', '0', 'kernel, from here on', RAM),
]


def read_defines(root):
    """The numbers that the headers define, by name."""
    found = {}
    for header in HEADERS:
        with open(os.path.join(root, header), encoding='utf-8') as f:
            for name, value in DEFINE.findall(f.read()):
                found[name] = int(value, 0)
    return found


def number(text, defines):
    """A name or number, or two with a plus between them."""
    return sum(defines[word] if word in defines else int(word, 0) for word in text.split(' + '))


def address(value):
    return f'{value:08x}'


def draw_rows(picture, rows, defines, x, y, width):
    height = 26
    for base, size, name, colour in rows:
        first, n = number(base, defines), number(size, defines)
        picture.box(x, y, width, height, colour)
        span = address(first) + (f'-{address(first + n - 1)}' if n else '')
        picture.text(x + 8, y + 17, span, 12, MONO)
        picture.text(x + 165, y + 17, name, 12)
        y += height
    return y


def draw_map(root):
    defines = read_defines(root)
    rows = sorted(SPACE, key=lambda row: number(row[0], defines))
    height = 26 * len(rows) + 70
    picture = Picture(990, height, 'Physical addresses of the board virt')
    picture.text(20, 30, 'Physical addresses', 14, weight='bold')
    picture.text(590, 30, 'Low RAM at a direct start', 14, weight='bold')
    draw_rows(picture, rows, defines, 20, 44, 500)
    bottom = draw_rows(picture, LOW_RAM, defines, 590, 44, 380)
    picture.line(520, 44, 590, 44)
    picture.line(520, 70, 590, bottom)
    for i, (colour, name) in enumerate([(RAM, 'RAM'), (DEVICE, 'device'), (PCI, 'PCI window'),
                                        (FLASH, 'flash')]):
        picture.box(590, bottom + 30 + 26 * i, 18, 18, colour)
        picture.text(616, bottom + 44 + 26 * i, name, 12)
    picture.text(590, bottom + 160, 'Not to scale; addresses in hexadecimal.', 12, ink=FAINT)
    picture.text(590, bottom + 178, 'From mach/la_virt_map.h.', 12, ink=FAINT)
    return picture.svg()


PICTURES = {'folders.svg': draw_folders, 'virt_map.svg': draw_map}


def main(arguments):
    is_check = arguments[:1] == ['--check']
    root = arguments[is_check] if len(arguments) == 1 + is_check else None
    if root is None:
        print(__doc__)
        return 1
    stale = []
    for name, draw in PICTURES.items():
        path = os.path.join(root, 'doc', 'pictures', name)
        wanted = draw(root)
        if not is_check:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(wanted)
            continue
        with open(path, encoding='utf-8') as f:
            stale += [] if f.read() == wanted else [name]
    for name in stale:
        print(f'doc/pictures/{name} is not current: run tools/update_docs.sh')
    return 1 if stale else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
