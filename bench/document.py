#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the figures of a run into doc/benchmarks.md and its pictures into doc/pictures.

usage: document.py [RESULTS.json]     (default: build/bench/results.json)
"""

import json
import os
import sys

import bars
import goals
import table

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BEGIN, END = '<!-- figures: made by bench/document.py -->', '<!-- end of figures -->'


def cell(value, goal, is_reached):
    """A ratio with its goal: "3.1 (at least 4)" tells what is not reached, bold what is."""
    if value is None:
        return '-'
    text = table.figure(value, 0)
    if goal is None:
        return text
    return f'**{text}**' if is_reached(value, goal) else text


def goal_cell(kind):
    g = goals.KINDS[kind]
    words = [f'{g.faster:g} times QEMU' if g.faster else '', f'{g.slower:g} times native' if g.slower else '']
    return ', '.join(w for w in words if w) or '-'


def ratio_cells(row):
    return (cell(row['reference_lh'], row['goal_faster'], table.at_least),
            cell(row['lh_native'], row['goal_slower'], table.at_most),
            cell(row['reference_native'], None, None))


def kinds_table(rows):
    """Geometric means. What has goals of its own per row, or no ratio, is in the second table only."""
    lines = ['| what | goal | as fast as QEMU | time over native | QEMU over native |',
             '|---|---|---|---|---|']
    for kind in table.kinds_of(rows):
        mean = table.mean_row([r for r in rows if r['kind'] == kind])
        if kind not in ('boot', 'resident', 'pair'):
            lines.append(f'| {goals.KINDS[kind].title} | {goal_cell(kind)} | ' +
                         ' | '.join(ratio_cells(mean)) + ' |')
    return lines


def shown(row, place):
    if place not in row:
        return '-'
    divisor, unit = table.in_unit({**row, 'lh': row[place]})
    return f'{table.figure(row[place]["median"] / divisor, 0)} {unit}'


def rows_table(rows):
    lines = ['| workload | an operation | native | QEMU | lh | as fast as QEMU | time over native |',
             '|---' * 7 + '|']
    for r in rows:
        faster, slower, _ = ratio_cells(r)
        if r['kind'] == 'resident':
            faster = '-'
        lines.append(f'| {r["name"]} | {r["doc"]} | {shown(r, "native")} | {shown(r, "reference")} | '
                     f'{shown(r, "lh")} | {faster} | {slower} |')
    return lines


def conditions(results):
    busy = ' Other work was on the host; only the share of time that a virtual processor ran is counted.' \
        if results['is_host_shared'] else ''
    return (f'{results["host"]}, {results["processors"]} processors; {results["reference"]}; accelerator '
            f'of lh: {results["accel"]}. Medians of {results["runs"]} runs, inputs of size {results["scale"]:g}.{busy}')


def figures(results, pictures):
    rows = results['rows']
    lines = [BEGIN, '', conditions(results), '', 'Bold: the goal is reached.', '', *kinds_table(rows), '',
             *rows_table(rows), '']
    for path in pictures:
        name = os.path.basename(path)
        kind = name[len('bench_'):-len('.svg')]
        lines += [f'![{goals.KINDS[kind].title}](pictures/{name})', '']
    return '\n'.join([*lines, END])


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, 'build', 'bench', 'results.json')
    with open(path, encoding='utf-8') as f:
        results = json.load(f)
    if results['failures']:
        sys.exit('document.py: that run had failures: ' + results['failures'][0])
    pictures = bars.draw_all(results['rows'], os.path.join(ROOT, 'doc', 'pictures'), 'bench_')
    document = os.path.join(ROOT, 'doc', 'benchmarks.md')
    with open(document, encoding='utf-8') as f:
        text = f.read()
    begin, end = text.index(BEGIN), text.index(END) + len(END)
    with open(document, 'w', encoding='utf-8') as f:
        f.write(text[:begin] + figures(results, pictures) + text[end:])


main()
