# SPDX-License-Identifier: Apache-2.0
"""The arithmetic of `make bench`, and that it tells what is wrong."""

import contextlib
import io
import os
import sys
import types
import xml.dom.minidom

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'test', 'shell')]
# pylint: disable=wrong-import-position
import bars
import goals
import places
import ratios
import table
from tap import main, test


class Place:
    """Answers with these figures, or with an exception."""

    def __init__(self, name, *answers):
        self.name, self.answers = name, list(answers)

    def run(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return places.Measured(*answer)

    def restart(self):
        self.answers.clear()


def measured(*where, runs=3):
    """What a bench makes of places, and what it complains of."""
    bench = ratios.Bench(types.SimpleNamespace(runs=runs, shared_host=False), None)
    with contextlib.redirect_stdout(io.StringIO()):
        return bench.measure(where, 'it', lambda place: place.run()), bench.failures


def row_of(kind='fp', name='it', **medians):
    faster, slower = goals.goals_of(kind, name)
    return table.with_ratios({'kind': kind, 'name': name, 'doc': '', 'unit': 'ns', 'goal_faster': faster,
                              'goal_slower': slower,
                              **{k: table.summary([v], [1.0]) for k, v in medians.items()}})


@test
def ratios_are_those_of_medians(_):
    found, failures = measured(Place('native', (1, 1, None), (9, 1, None), (2, 1, None)),
                               Place('lh', (6, 1, None), (5, 1, None), (100, 1, None)))
    assert not failures and found['native']['median'] == 2 and found['lh']['median'] == 6
    row = row_of(native=2.0, lh=6.0, reference=60.0)
    assert (row['lh_native'], row['reference_native'], row['reference_lh']) == (3, 30, 10)


@test
def what_is_missing_has_no_ratio(_):
    row = row_of(lh=6.0)
    assert row['lh_native'] is None and row['reference_lh'] is None
    assert ' - ' in table.line('it', row)


@test
def goals_are_judged_on_the_right_side(_):
    reached = table.line('it', row_of(native=2.0, lh=6.0, reference=90.0))
    missed = table.line('it', row_of(native=2.0, lh=6.1, reference=90.0))
    assert '15+' in reached and '3+' in reached, reached
    assert '15!' in missed and '3!' in missed, missed


@test
def a_row_may_have_a_goal_of_its_own(_):
    assert goals.goals_of('boot', 'boot_firmware') == (10, None)
    assert goals.goals_of('fp', 'lu') == (15, 3)


@test
def a_wrong_sum_is_a_failure(_):
    assert places.parse('lu 12.500 0.300 ok\n', 'lu') == 12.5
    for text in ('lu 12.5 0.3 WRONG 0x1, not 0x2\n', '', 'Segmentation fault\n'):
        try:
            places.parse(text, 'lu')
        except places.Failed:
            continue
        raise AssertionError(text)


@test
def a_place_that_fails_is_told_and_left_out(_):
    found, failures = measured(Place('native', (1, 1, None), (1, 1, None), (1, 1, None)),
                               Place('lh', (5, 1, None), places.Failed('wrong')))
    assert list(found) == ['native'] and len(failures) == 1 and 'wrong' in failures[0], failures


@test
def a_guest_that_is_gone_is_started_again(_):
    place = Place('lh', places.Gone('ended'), (5, 1, None))
    found, failures = measured(place)
    assert not found and 'ended' in failures[0] and not place.answers


@test
def different_outputs_are_a_failure(_):
    _, failures = measured(Place('native', (1, 1, 'aa')), Place('lh', (5, 1, 'ab')), runs=1)
    assert failures and 'differ' in failures[0]
    _, failures = measured(Place('native', (1, 1, 'aa')), Place('lh', (5, 1, 'aa')), runs=1)
    assert not failures


@test
def names_and_kinds_choose(_):
    rows = [('fp', 'lu', ''), ('fp', 'libm', ''), ('int', 'mix', '')]
    assert ratios.choose(rows, 'lu,int') == [rows[0], rows[2]] and ratios.choose(rows, '') == rows
    try:
        ratios.choose(rows, 'luu')
    except SystemExit as e:
        assert 'luu' in str(e)
    else:
        raise AssertionError('nothing is called luu')


@test
def rows_of_earlier_runs_are_kept_unless_measured_again(_):
    old = [row_of('int', 'mix', lh=1.0), row_of('fp', 'lu', lh=1.0), row_of('exits', 'cpucfg', lh=1.0)]
    new = [row_of('fp', 'lu', lh=2.0), row_of('call', 'fib', lh=2.0)]
    found = ratios.merged(new, old)
    assert [r['name'] for r in found] == ['mix', 'fib', 'lu', 'cpucfg']
    assert found[2]['lh']['median'] == 2.0


@test
def pictures_are_well_formed_and_to_scale(_):
    rows = [row_of(name='a<b', native=1.0, lh=10.0, reference=100.0), row_of(name='c', native=1.0, lh=0.5)]
    picture = xml.dom.minidom.parseString(bars.draw('fp', rows))
    widths = [float(r.getAttribute('width')) for r in picture.getElementsByTagName('rect')[1:4]]
    scale = bars.Scale([0.5, 100.0])
    assert abs(widths[0] - (scale.x(100) - scale.x(0.1))) < 1 and widths[0] > widths[1] > widths[2]
    assert bars.draw('fp', [row_of(native=1.0)]) is None


main()
