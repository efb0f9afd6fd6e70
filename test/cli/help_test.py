#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Help texts, manual pages, completion, `lh doctor` and `lh guest`. LH_DOCS names the directory of
the generated manual pages, LH_COMPLETION the completion."""

import os
import re
import shutil
import subprocess

from harness import Skip, check, check_equal, main, read

VERBS = ['run', 'enter', 'guest', 'cell', 'doctor', 'version', 'help']


def show(s, *args):
    """What lh prints, with status 0 and nothing on standard error."""
    result = s.run(*args)
    check_equal((result.status, result.err), (0, ''))
    return result.out


def first_words(text):
    return [line.split()[0] for line in text.splitlines() if line.startswith('  ')]


def run_options(s):
    """[(names, argument)] as --help lists them."""
    lines = re.findall(r'^  (-[^ ].*)$', show(s, 'run', '--help'), re.M)
    check(len(lines) > 20, lines)
    found = []
    for line in lines:
        names = re.match(r'-[^ ,]+(, -[^ ]+)?', line).group(0)
        found.append((names.split(', '), line[len(names):].strip()))
    return found


def test_list_of_verbs(s):
    text = show(s, 'help')
    check_equal(first_words(text), VERBS)
    for args in ([], ['--help'], ['-h'], ['help', 'help'], ['help', '--help']):
        check_equal(show(s, *args), text)


def test_version(s):
    text = show(s, 'version')
    check(re.fullmatch(r'lh \(Longhouse\) \d+\.\d+\.\d+\n', text), text)
    check_equal(show(s, '--version'), text)


def test_help_of_verbs(s):
    for verb in VERBS[:-1]:
        text = show(s, verb, '--help')
        check(text.startswith('Usage: lh ' + verb), text)
        check_equal(show(s, 'help', verb), text)
        check_equal(show(s, verb, '-h'), text)


def test_help_of_cell_commands(s):
    text = show(s, 'cell', '--help')
    commands = re.findall(r'^  ([a-z]+)', text, re.M)
    check({'check', 'bundle', 'run', 'doctor'} <= set(commands), commands)
    lines = text.splitlines()
    for line, below in zip(lines, lines[1:]):  # what a command does is a column
        if re.match('  [a-z]', line):
            check(re.match('.{32} [^ ]', line) or re.match(' {33}[^ ]', below), line)
    options = re.findall('^  (-.*)$', text, re.M)
    check('--keep' in options and '-o, --output FILE' in options, options)
    for name in commands:
        text = show(s, 'cell', name, '--help')
        check(text.startswith(f'Usage: lh cell {name} '), text)
        check_equal(show(s, 'cell', name, '-h'), text)
        check_equal(show(s, 'cell', 'help', name), text)
    check(re.match('Usage: lh cell run FILE .*\ncreate, load, start', show(s, 'cell', 'run', '--help')))


def test_run_help_has_the_names_that_qemu_has(s):
    names = {name for names, _ in run_options(s) for name in names}
    wanted = '''M machine cpu smp m kernel initrd append bios drive device netdev nic chardev serial nographic
        no-reboot d D accel name pidfile help'''.split()
    check_equal([n for n in wanted if '-' + n not in names], [])


def test_lists(s):
    check('virt' in first_words(show(s, 'run', '-machine', 'help')))
    check_equal(show(s, 'run', '-M', 'help'), show(s, 'run', '-M', '?'))
    check({'max', 'la464', 'lsx'} <= set(first_words(show(s, 'run', '-cpu', 'help'))))
    check_equal(first_words(show(s, 'run', '-accel', 'help')),
                 ['jit', 'interp', 'kvm', 'llsc', 'one-insn', 'slots', 'chain', 'ras', 'evex', 'avx',
                  'exact-cause', 'check', 'perf-map', 'access-form', 'flush-every'])
    for accel in 'jit', 'interp', 'kvm':
        check_equal(show(s, 'run', '-accel', accel + ',help'), show(s, 'run', '-accel', 'help'))
    check({'guest', 'unimp', 'in_asm'} <= set(first_words(show(s, 'run', '-d', 'help'))))
    serials = show(s, 'run', '-serial', 'help')
    check_equal([re.split(r'[:,\[]', w)[0] for w in first_words(serials)],
                ['stdio', 'pty', 'file', 'unix', 'null'])
    for option, word in (('-drive', 'file=FILE'), ('-netdev', 'hostfwd='), ('-nic', 'none'),
                         ('-chardev', 'socket')):
        check(word in show(s, 'run', option, 'help'))


def test_devices(s):
    devices = [line.split()[0] for line in show(s, 'run', '-device', 'help').splitlines()]
    for name in devices:
        text = show(s, 'run', '-device', name + ',help')
        check(text.startswith(name + ': '), text)
    check(len(devices) >= 4, devices)


def test_help_does_not_run(s):
    """Even with a kernel and files to write."""
    log = s.path('log')
    show(s, 'run', s.payload('spin'), '-D', log, '-d', 'boot', '--help')
    check(not os.path.exists(log))


def page(name):
    text = read(os.path.join(os.environ['LH_DOCS'], name)).decode()
    return text.replace('\\-', '-').replace('\\fB', '').replace('\\fI', '').replace('\\fR', '')


def test_manual_page_has_every_option(s):
    text = page('lh-run.1')
    for names, argument in run_options(s):
        line = ', '.join(names) + (' ' + argument if argument else '')
        check(f'\n.TP\n{line}\n' in text, line)


def test_manual_pages_have_every_name(s):
    text = page('lh-run.1')
    names = [line.split()[0] for option in ('-device', '-machine', '-d', '-cpu', '-accel')
             for line in show(s, 'run', option, 'help').splitlines() if line.startswith('  ')]
    check(len(names) > 15, names)
    check_equal([n for n in names if f'\n.TP\n{n}\n' not in text], [])
    check_equal([v for v in VERBS if f'\n.TP\n{v}' not in page('lh.1')], [])


def test_manual_page_of_guest_has_every_option(s):
    options = re.findall(r'^  (--\S+)', show(s, 'guest', 'fetch', '--help'), re.M)
    check(len(options) > 8, options)
    text = page('lh-guest.1')
    check_equal([o for o in options if f'\n.TP\n{o}' not in text], [])


def test_manual_pages_are_right_for_groff(s):
    if not shutil.which('groff'):
        raise Skip('missing groff')
    for name in ('lh.1', 'lh-run.1', 'lh-guest.1', 'lh-cell.1', 'lh-enter.1', 'libdune.3'):
        path = os.path.join(os.environ['LH_DOCS'], name)
        p = subprocess.run(['groff', '-man', '-Tutf8', '-ww', '-z', path], capture_output=True,
                           check=True)
        check_equal(p.stderr, b'')


def complete(line):
    """What bash offers for the last word of a line, as whole words of the user's."""
    script = f'''source {os.environ['LH_COMPLETION']}
        COMP_LINE=$1 COMP_POINT=${{#1}}
        _lh
        printf '%s\\n' "${{COMPREPLY[@]}}"'''
    p = subprocess.run(['bash', '--norc', '-c', script, 'bash', line], capture_output=True,
                       text=True, check=True)
    check_equal(p.stderr, '')
    return p.stdout.split()


def test_completion_of_verbs(s):
    check_equal(complete('lh '), VERBS)
    check_equal(complete('lh d'), ['doctor'])
    check_equal(complete('lh help r'), ['run'])
    check_equal(complete('lh guest f'), ['fetch'])
    check_equal(complete('lh guest fetch --ro'), ['--rootfs'])
    check_equal(complete('lh guest fetch --suite f'), ['forky'])


def test_completion_of_run_options(s):
    names = sorted(name for names, _ in run_options(s) for name in names)
    check_equal(sorted(complete('lh run -')), names)
    check_equal(complete('lh run --no-'), ['--no-reboot'])
    check_equal(complete('lh run -ini'), ['-initrd'])


def test_completion_of_values(s):
    check_equal(complete('lh run -machine '), ['virt', 'help'])
    check_equal(complete('lh run --M v'), ['virt'])
    check_equal(complete('lh run -cpu m'), ['max'])
    check_equal(complete('lh run -cpu max,lsx'), ['max,lsx=on', 'max,lsx=off'])
    check_equal(complete('lh run -d unimp,bo'), ['unimp,boot'])
    check_equal(complete('lh run -smp '), [])
    check_equal(complete('lh run -serial '), ['stdio', 'pty', 'file:', 'unix:', 'null', 'help'])
    # What follows the last = or : is all that bash replaces.
    check_equal(complete('lh run -drive file=x,if=v'), ['virtio'])


def test_completion_of_files(s):
    for name in ('vmlinuz', 'vmlinux', 'initrd'):
        open(s.path(name), 'wb').close()
    at = s.dir + '/vm'
    both = [s.path('vmlinux'), s.path('vmlinuz')]
    check_equal(sorted(complete(f'lh run {at}')), both)
    check_equal(sorted(complete(f'lh run -kernel {at}')), both)
    check_equal(sorted(complete(f'lh run -serial file:{at}')), both)
    check_equal(sorted(complete(f'lh run -drive file={at}')), both)
    check_equal(sorted(complete(f'lh run -smp 2 {at}')), both)


def test_completion_of_devices(s):
    devices = [line.split()[0] for line in show(s, 'run', '-device', 'help').splitlines()]
    check_equal(complete('lh run -device '), [*devices, 'help'])
    for name in devices:
        offered = complete(f'lh run -device {name},')
        check(f'{name},help' in offered and f'{name},id=' in offered, offered)


def test_completion_is_right_for_shellcheck(s):
    if not shutil.which('shellcheck'):
        raise Skip('missing shellcheck')
    p = subprocess.run(['shellcheck', '-s', 'bash', os.environ['LH_COMPLETION']],
                       capture_output=True, text=True, check=False)
    check_equal((p.returncode, p.stdout), (0, ''))


def test_doctor(s):
    lines = show(s, 'doctor').splitlines()
    topics = ['processor', 'cores', 'memory', 'huge pages', '/dev/kvm', 'guest mode', 'dispatch', 'user network', 'terminal',
              'guest fetch', 'archive']
    check_equal([re.match(r'(ok|--)  (.{13}) \S', line).group(2).strip() for line in lines], topics)
    check(lines[8].startswith('--  terminal'), lines)


def test_doctor_tells_what_is_missing(s):
    result = s.run('doctor', env={'PATH': s.dir})
    check_equal(result.status, 0)
    check(re.search(r'^--  guest fetch   programs are missing: apt-get install .*\bapt\b', result.out,
                    re.M), result)
    check(re.search(r'^--  archive ', result.out, re.M), result)
    result = s.run('doctor', env={'PATH': ''})
    check_equal(result.status, 0)


def test_guest(s):
    text = show(s, 'guest', '--help')
    check_equal(first_words(text), ['fetch'])
    check_equal(show(s, 'guest'), text)


def test_guest_fetch_is_the_script(s):
    text = show(s, 'guest', 'fetch', '--help')
    check(text.startswith('usage: lh guest fetch'), text)
    result = s.run('guest', 'fetch', '--frob', 'a b')
    check_equal((result.status, result.out), (1, ''))
    check("unknown option '--frob'" in result.err, result)
    result = s.run('guest', 'fetch', '--arch', 'a  b')
    check_equal(result.status, 1)
    check("architecture 'a  b'" in result.err, result)


main()
