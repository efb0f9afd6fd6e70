# SPDX-License-Identifier: Apache-2.0
"""The table of ratios, as text.

A row is a dictionary: kind, name, doc, unit, goal_faster, goal_slower; for each place that measured
it (native, reference, lh) a summary; and the ratios of their medians.
"""

import math
import statistics

import goals

SHOWN_AS = {'native': 'native', 'reference': 'QEMU', 'lh': 'lh'}

# Below that the figure is more of the host's other work than of the workload.
SHARE_WANTED = 0.9


def summary(values, shares):
    return {'min': min(values), 'median': statistics.median(values), 'max': max(values), 'n': len(values),
            'share': statistics.median(shares)}


def ratio(row, over, under):
    if over in row and under in row and row[under]['median']:
        return row[over]['median'] / row[under]['median']
    return None


def with_ratios(row):
    row['reference_native'] = ratio(row, 'reference', 'native')
    row['lh_native'] = ratio(row, 'lh', 'native')
    row['reference_lh'] = ratio(row, 'reference', 'lh')
    return row


def figure(value, width=9):
    """Three digits that count."""
    if value is None:
        return '-'.rjust(width)
    n_digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f'{value:.{min(n_digits, 3)}f}'.rjust(width)


def verdict(value, limit, is_reached):
    """The goal, with a sign for whether it is reached."""
    if limit is None:
        return ' ' * 8
    sign = ' ' if value is None else '+' if is_reached(value, limit) else '!'
    return f'{limit:g}'.rjust(7) + sign


def at_least(value, limit):
    return value >= limit


def at_most(value, limit):
    return value <= limit


def show_heading():
    print(f'{"":21}{"QEMU/":>9}{"lh/":>9}{"QEMU/":>9}{"at":>7} {"at":>7} {"":4}{"lh":>9}{"lh":>9}{"lh":>9}'
          f'{"native":>9}')
    print(f'{"workload":21}{"native":>9}{"native":>9}{"lh":>9}{"least":>7} {"most":>7} {"":4}'
          f'{"min":>9}{"median":>9}{"max":>9}{"median":>9}', flush=True)


def in_unit(row):
    """What to divide figures by, so that they are short, and the name of that unit."""
    value = row.get('lh', row.get('native', row.get('reference')))
    if row['unit'] != 'ns' or not value:
        return 1, row['unit']
    return next(((d, u) for d, u in ((1e9, 's'), (1e6, 'ms'), (1e3, 'us')) if value['median'] >= d), (1, 'ns'))


def line(name, row, figures=True):
    faster = verdict(row['reference_lh'], row['goal_faster'], at_least)
    slower = verdict(row['lh_native'], row['goal_slower'], at_most)
    text = (f'{name:21}{figure(row["reference_native"])}{figure(row["lh_native"])}'
            f'{figure(row["reference_lh"])}{faster}{slower}')
    if figures:
        divisor, unit = in_unit(row)
        text += f'{unit:>4}'
        for place, key in (('lh', 'min'), ('lh', 'median'), ('lh', 'max'), ('native', 'median')):
            text += figure(row[place][key] / divisor if place in row else None)
    return text


def show_row(row):
    shares = {k: row[k]['share'] for k in ('native', 'reference', 'lh') if k in row}
    busy = [f'{SHOWN_AS[k]} {v:.0%}' for k, v in shares.items() if v < SHARE_WANTED]
    print(line(row['name'], row) + (f'  of the processor: {", ".join(busy)}' if busy else ''),
          flush=True)


def mean_row(rows):
    """The geometric means of the ratios of rows of one kind."""
    mean = {}
    for key in ('reference_native', 'lh_native', 'reference_lh'):
        values = [r[key] for r in rows if r.get(key)]
        mean[key] = statistics.geometric_mean(values) if values else None
    for key in ('goal_faster', 'goal_slower'):
        limits = {r[key] for r in rows}
        mean[key] = limits.pop() if len(limits) == 1 else None
    return mean


def kinds_of(rows):
    return list(dict.fromkeys(r['kind'] for r in rows))


def show_end(rows, clocks):
    print('\ngeometric means')
    for kind in kinds_of(rows):
        title = goals.KINDS[kind].title if kind in goals.KINDS else kind
        mean = mean_row([r for r in rows if r['kind'] == kind])
        print(f'{line(kind, mean, figures=False)}  {title}')
    show_speed_up(rows)
    show_resident(rows)
    for name, rates in clocks.items():
        print(f'the clock of {SHOWN_AS[name]} went {statistics.mean(rates):.4f} times as fast as the host\'s')
    print('+ the goal is reached, ! it is not; "of the processor" where the host had other work to do')


def show_speed_up(rows):
    by_name = {r['name']: r for r in rows}
    one, two = by_name.get('one_thread'), by_name.get('two_threads')
    if not one or not two:
        return
    for place in ('native', 'reference', 'lh'):
        if place in one and place in two:
            gained = 2 * one[place]['median'] / two[place]['median']
            goal = verdict(gained, goals.SPEED_UP, at_least) if place == 'lh' else ''
            print(f'two threads do {gained:.2f} times the work of one on {SHOWN_AS[place]}{goal}')


def show_resident(rows):
    for r in rows:
        if r['kind'] == 'resident' and 'lh' in r:
            value = r['lh']['median']
            print(f'{r["name"]}: {value:.0f} MiB besides the guest'
                  f'{verdict(value, goals.RESIDENT_MIB, at_most)}')
