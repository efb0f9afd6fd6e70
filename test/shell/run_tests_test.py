# SPDX-License-Identifier: Apache-2.0
"""The test runner counts what programs report, and what they fail to report."""

import os
import sys

from tap import ROOT, main, need, run, test, write_program

sys.path.insert(0, os.path.join(ROOT, 'tools'))
import run_tests  # noqa: E402  pylint: disable=wrong-import-position


def counts(text, require=False):
    return run_tests.count_tap(text, require)[:3]


def program(result, stdout='', returncode=0):
    entry = {'result': result, 'stdout': stdout, 'returncode': returncode}
    return run_tests.count_program(entry, False)[:3]


@test
def passed_failed_and_skipped_lines(_):
    text = '1..4\nok 1 - a\nnot ok 2 - b\n# why\nok 3 - c # SKIP no disk\nok 4\n'
    assert counts(text) == (2, 1, 1)


@test
def plan_may_come_last_and_names_may_be_missing(_):
    assert counts('ok\nok 2\nnot ok\n1..3\n') == (2, 1, 0)


@test
def tests_that_did_not_report_have_failed(_):
    assert counts('1..5\nok 1\nok 2\n') == (2, 3, 0)


@test
def indented_lines_belong_to_a_test_above(_):
    assert counts('1..1\n    ok 1 - inner\n    not ok 2 - inner\nok 1 - outer\n') == (1, 0, 0)


@test
def lines_that_only_look_alike_are_not_counted(_):
    assert counts('1..1\nokay then\nnot okay\nok 1\n') == (1, 0, 0)


@test
def a_whole_program_skips(_):
    assert counts('1..0 # SKIP no KVM\n') == (0, 0, 1)


@test
def bailing_out_is_a_failure(_):
    assert counts('1..2\nok 1\nBail out! disk full\n') == (1, 1, 0)


@test
def skipping_does_not_excuse_a_failure(_):
    assert counts('1..1\nnot ok 1 # SKIP x\n') == (0, 1, 0)


@test
def announced_failures_are_skipped_and_must_happen(_):
    assert counts('1..2\nnot ok 1 - a # TODO known\nok 2 - b # todo known\n') == (0, 1, 1)


@test
def a_hash_in_a_name_is_no_directive(_):
    assert counts('1..2\nok 1 - case #3 of x\nnot ok 2 - issue # 4\n') == (1, 1, 0)


@test
def missing_things_fail_only_where_they_are_required(_):
    text = '1..2\nok 1 - boot # SKIP missing guest image\nok 2 - x # SKIP no KVM\n'
    assert counts(text) == (0, 0, 2)
    assert counts(text, require=True) == (0, 1, 1)
    assert counts('1..0 # SKIP missing guest image\n') == (0, 0, 1)
    assert counts('1..0 # SKIP missing guest image\n', require=True) == (0, 1, 0)


@test
def programs_without_tap_count_as_one(_):
    assert program('OK', 'hello\n') == (1, 0, 0)
    assert program('FAIL', 'hello\n', 1) == (0, 1, 0)
    assert program('SKIP', '', 77) == (0, 0, 1)
    assert program('EXPECTEDFAIL', '', 1) == (0, 1, 0)


@test
def dying_hanging_and_bad_status_are_failures(_):
    good = '1..1\nok 1\n'
    assert program('OK', good) == (1, 0, 0)
    assert program('ERROR', good, 1) == (1, 1, 0)
    assert program('ERROR', good, -11) == (1, 1, 0)
    assert program('TIMEOUT', 'ok 1\n', -9) == (1, 1, 0)
    assert program('FAIL', '1..2\nok 1\nnot ok 2\n', 1) == (1, 1, 0)


@test
def the_reason_is_the_last_comment_before_or_after(_):
    text = '1..4\n# a\n# b\nnot ok 1 - x\nok 2\n# c\nok 3\nnot ok 4\nnot ok 5 # TODO y\nnot ok 6\n# d\n'
    assert run_tests.reasons(text) == [['not ok 1 - x', 'b'], ['not ok 4', ''], ['not ok 6', 'd']]


PROJECT = '''project('sample')
sh = find_program('sh')
test('good', sh, args: ['-c', 'echo 1..2; echo ok 1; echo "ok 2 # SKIP missing disk"'],
  protocol: 'tap')
if get_option('bad')
  test('bad', sh, args: ['-c', 'echo 1..2; echo ok 1; echo not ok 2 - this one; echo "# hm"; echo why >&2; exit 1'],
    protocol: 'tap')
endif
test('environment', sh, args: ['-c', 'test "$LH_TEST_REQUIRE" = "$WANTED" && test -n "$LH_CACHE"'])
'''


def sample(folder, bad='false', ci=False):
    need('meson', 'ninja')
    with open(os.path.join(folder, 'meson.build'), 'w', encoding='utf-8') as f:
        f.write(PROJECT)
    with open(os.path.join(folder, 'meson_options.txt'), 'w', encoding='utf-8') as f:
        f.write("option('bad', type: 'boolean', value: false)\n")
    build = os.path.join(folder, 'build')
    assert run(['meson', 'setup', build, folder, f'-Dbad={bad}']).returncode == 0
    env = {'CI': 'true', 'LH_TEST_REQUIRE': None, 'WANTED': '1'} if ci else \
        {'CI': None, 'LH_TEST_REQUIRE': None, 'WANTED': ''}
    return run([sys.executable, os.path.join(ROOT, 'tools', 'run_tests.py'), '-C', build], env=env)


@test
def the_last_line_counts_and_the_status_tells(folder):
    result = sample(folder)
    assert result.stdout.splitlines()[-1] == '2 passed, 0 failed, 1 skipped', result.stdout
    assert result.returncode == 0


@test
def the_output_of_a_failing_program_is_shown(folder):
    result = sample(folder, bad='true')
    assert result.stdout.splitlines()[-1] == '3 passed, 1 failed, 1 skipped', result.stdout
    assert '    not ok 2 - this one' in result.stdout and '    why' in result.stdout
    assert result.stdout.splitlines()[-2] == 'bad: not ok 2 - this one: hm', result.stdout
    assert result.returncode == 1


@test
def ci_requires_what_is_missing(folder):
    result = sample(folder, ci=True)
    assert result.stdout.splitlines()[-1] == '2 passed, 1 failed, 0 skipped', result.stdout
    assert result.returncode == 1


@test
def a_run_without_tests_is_not_a_success(folder):
    write_program(os.path.join(folder, 'meson'), '#!/bin/sh\nexit 0\n')
    env = {'PATH': folder + ':' + os.environ['PATH']}
    result = run([sys.executable, os.path.join(ROOT, 'tools', 'run_tests.py'), '-C', folder],
                 env=env)
    assert result.stdout.splitlines()[-1] == '0 passed, 0 failed, 0 skipped'
    assert result.returncode == 1


if __name__ == '__main__':
    main()
