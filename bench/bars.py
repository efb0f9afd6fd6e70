# SPDX-License-Identifier: Apache-2.0
"""Pictures of the ratios: one per kind, a group of bars per workload, on a logarithmic scale.

A bar is as long as the place takes times native; where there is no native figure, as QEMU
takes times ours. Lines show the goals.
"""

import math
import os

import goals
import table

FONT = 'font-family="DejaVu Sans, Verdana, sans-serif"'
INK, FAINT, PAPER = '#1f2933', '#66788a', '#ffffff'
COLOURS = {'reference': '#c9b38c', 'lh': '#4a7fb0'}
LEFT, WIDTH, BAR, GAP, TOP = 170, 520, 13, 12, 62


def escaped(text):
    return text.replace('&', '&amp;').replace('<', '&lt;')


def text_at(x, y, words, size=12, anchor='start', ink=INK, weight='normal'):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" {FONT} text-anchor="{anchor}" '
            f'font-weight="{weight}" fill="{ink}">{escaped(words)}</text>')


class Scale:
    """Places on a logarithmic axis from a power of ten below the smallest to above the largest."""

    def __init__(self, values):
        self.low = math.floor(math.log10(min([*values, 1.0])))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)

    def x(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + WIDTH * min(1.0, max(0.0, share))

    def ticks(self):
        return [10.0 ** n for n in range(self.low, self.high + 1)]


def bars_of(row):
    """(label, colour, length) of each bar of a row."""
    if row.get('lh_native') or row.get('reference_native'):
        return [(place, COLOURS[place], row[f'{place}_native']) for place in ('reference', 'lh')
                if row.get(f'{place}_native')]
    return [('times', COLOURS['lh'], row['reference_lh'])] if row.get('reference_lh') else []


def draw(kind, rows):
    groups = [(row, bars_of(row)) for row in rows if bars_of(row)]
    if not groups or kind == 'resident':
        return None
    is_native = any(label == 'lh' or label == 'reference' for _, bars in groups for label, _, _ in bars)
    goal = rows[0]['goal_slower'] if is_native else rows[0]['goal_faster']
    scale = Scale([length for _, bars in groups for _, _, length in bars] + ([goal] if goal else []))
    title = goals.KINDS[kind].title if kind in goals.KINDS else kind
    what = 'time, in multiples of native' if is_native else 'how many times as fast as QEMU'
    y, parts = TOP, []
    for row, bars in groups:
        parts.append(text_at(LEFT - 8, y + BAR * len(bars) / 2 + 4, row['name'], anchor='end'))
        for _, colour, length in bars:
            x = scale.x(length)
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{max(1.0, x - LEFT):.1f}" height="{BAR - 2}" '
                         f'fill="{colour}"/>')
            parts.append(text_at(x + 5, y + BAR - 4, table.figure(length, 0), 10, ink=FAINT))
            y += BAR
        y += GAP
    return framed(scale, title, what, is_native, goal, y, parts)


def framed(scale, title, what, is_native, goal, bottom, parts):
    """The picture around its bars: axis, goal, legend."""
    width, height = LEFT + WIDTH + 60, bottom + 34
    out = ['<!-- SPDX-License-Identifier: Apache-2.0; made by bench/bars.py -->',
           f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           f'height="{height}" role="img">', f'<title>{escaped(title)}</title>',
           f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
           text_at(20, 24, title, 14, weight='bold'), text_at(20, 44, what, 11, ink=FAINT)]
    for value in scale.ticks():
        x = scale.x(value)
        out.append(f'<line x1="{x:.0f}" y1="{TOP - 8}" x2="{x:.0f}" y2="{bottom}" stroke="#dde3e8"/>')
        out.append(text_at(x, bottom + 16, f'{value:g}', 10, 'middle', FAINT))
    out += parts
    if goal:
        x = scale.x(goal)
        out.append(f'<line x1="{x:.0f}" y1="{TOP - 8}" x2="{x:.0f}" y2="{bottom}" stroke="#b04a4a" '
                   'stroke-dasharray="4 3"/>')
        out.append(text_at(x, bottom + 29, f'goal {goal:g}', 10, 'middle', '#b04a4a'))
    if is_native:
        for i, (place, colour) in enumerate(COLOURS.items()):
            out.append(f'<rect x="{LEFT + 330 + 100 * i}" y="34" width="12" height="12" fill="{colour}"/>')
            out.append(text_at(LEFT + 347 + 100 * i, 44, table.SHOWN_AS[place], 11))
    return '\n'.join(out) + '\n</svg>\n'


def draw_all(rows, directory, prefix=''):
    """Writes KIND.svg, with a prefix, for each kind that has something to show; the paths."""
    paths = []
    for kind in table.kinds_of(rows):
        picture = draw(kind, [r for r in rows if r['kind'] == kind])
        if picture:
            paths.append(os.path.join(directory, f'{prefix}{kind}.svg'))
            with open(paths[-1], 'w', encoding='utf-8') as f:
                f.write(picture)
    return paths
