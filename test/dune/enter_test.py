#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`lh enter` as a user meets it: programs of every kind, their statuses and terminals, traces,
policies, and what is said when something is wrong. enter_test.py LH PAYLOAD."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from harness import Skip, Terminal, check, check_equal, main

# Of this processor: its number in the head of a program, and what KVM has to offer.
MACHINE, CAPABILITIES = {
    'loongarch64': (258, ((3, 'USER_MEMORY'), (70, 'ONE_REG'), (136, 'IMMEDIATE_EXIT'))),
    'x86_64': (62, ((3, 'USER_MEMORY'), (74, 'SYNC_REGS'), (136, 'IMMEDIATE_EXIT'), (56, 'XCRS'))),
}[os.uname().machine]


def write(path, text):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    return path


def need_kvm():
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise Skip('missing /dev/kvm, or the right to use it')


def need(program):
    found = shutil.which(program)
    if not found:
        raise Skip(f'missing {program}')
    return found


def enter(s, *args, **kwargs):
    need_kvm()
    return s.run('enter', *args, **kwargs)


def expect(result, out, status=0):
    check_equal(result.err, '')
    check_equal(result.out, out)
    check_equal(result.status, status)


def shell(s, text, **kwargs):
    return enter(s, '--', 'bash', '-c', text, **kwargs)


def test_status(s):
    expect(enter(s, 'true'), '')
    expect(enter(s, '--', 'false'), '', 1)
    expect(enter(s, 'sh', '-c', 'exit 77'), '', 77)
    check_equal(enter(s, 'sh', '-c', 'kill -TERM $$').status, -signal.SIGTERM)
    check_equal(enter(s, 'sh', '-c', 'kill -SEGV $$').status, -signal.SIGSEGV)


def test_arguments_and_environment(s):
    expect(enter(s, 'echo', '-n', 'a b', '', '*'), 'a b  *')
    expect(enter(s, 'sh', '-c', 'echo $X', env={'X': 'from outside'}), 'from outside\n')
    expect(enter(s, 'cat', stdin=b'through'), 'through')


def test_pipelines(s):
    expect(shell(s, 'seq 1000 | grep 7 | sort -rn | head -2 | tr "\\n" " "'), '997 987 ')
    expect(shell(s, 'for i in 1 2 3; do (echo $((i * i))); done | paste -sd+ | tr -d "\\n"'), '1+4+9')
    expect(shell(s, 'set -o pipefail; false | true; echo $?; x=$(echo sub; exit 3); echo $x $?'),
           '1\nsub 3\n')
    expect(shell(s, 'trap "echo trapped" USR1; kill -USR1 $$; wait; cat <<< here'), 'trapped\nhere\n')
    expect(shell(s, 'sleep 30 & kill $!; wait $!; echo $?'), '143\n')


def test_coreutils(s):
    directory = s.path('files')
    os.mkdir(directory)
    text = (f'cd {directory}; seq 5 > a; cp a b; mv b c; ln -s a d; ls; wc -l < c; cmp a c; du -b a | '
            'cut -f1; md5sum a | cut -c1-8; tar cf - a c | tar tf -; find . -name a; rm -r a c d; ls')
    expect(shell(s, text), 'a\nc\nd\n5\n10\n' +
           subprocess.run('seq 5 | md5sum | cut -c1-8', shell=True, capture_output=True, text=True,
                          check=True).stdout + 'a\nc\n./a\n')


def test_perl(s):
    need('perl')
    expect(enter(s, 'perl', '-e', 'local $SIG{ALRM} = sub { die "late\\n" }; eval { alarm 1; 1 while 1 };'
                 'print $@; print `echo sub`; print join ",", map { $_ * 2 } 1..5'),
           'late\nsub\n2,4,6,8,10')


def test_git(s):
    need('git')
    text = ('cd "$0" && git init -q . && git config user.email a@example.org && git config user.name a '
            '&& echo x > f && git add f && git commit -qm first && git log --format=%s && git gc -q '
            '&& git fsck 2>&1 && git status --short')
    check_equal(enter(s, 'sh', '-c', text, s.dir).out.splitlines()[-1], 'first')


def test_gcc(s):
    need('gcc')
    source = write(s.path('h.c'), '#include <stdio.h>\nint main(void) { return printf("made\\n") != 5; }\n')
    expect(enter(s, 'gcc', '-O2', '-o', s.path('h'), source), '')
    expect(enter(s, s.path('h')), 'made\n')
    expect(enter(s, 'gcc', '-O2', '-static', '-o', s.path('hs'), source), '')
    expect(enter(s, s.path('hs')), 'made\n')


PYTHON = '''
import hashlib, multiprocessing, subprocess, sys, threading
sums = {}
def work(i):
    sums[i] = hashlib.sha256(b'x' * 100000).hexdigest()
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(set(sums.values())), subprocess.check_output(['echo', 'sub']).decode().strip())
with multiprocessing.get_context('fork').Pool(2) as pool:
    print(sum(pool.map(abs, range(-10, 0))))
'''


def test_python(s):
    program = write(s.path('p.py'), PYTHON)
    expect(enter(s, '/usr/bin/python3' if os.path.exists('/usr/bin/python3') else sys.executable, program),
           '1 sub\n55\n')


def test_other_programs(s):
    for program, args, out in (('sqlite3', [':memory:', 'select sum(value) from generate_series(1, 4)'],
                                '10\n'),
                               ('awk', ['BEGIN { print 2 ^ 20 }'], '1048576\n'),
                               ('sed', ['-n', '1p', '/etc/hostname'], None),
                               ('openssl', ['rand', '-hex', '4'], None)):
        if shutil.which(program):
            result = enter(s, program, *args)
            check_equal(result.status, 0)
            if out:
                check_equal(result.out, out)


SERVER = '''
import http.server, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(self.path.encode())
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
good = []
def ask(n):
    for i in range(10):
        with urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/{n}-{i}') as r:
            good.append(r.read() == f'/{n}-{i}'.encode())
threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
server.shutdown()
print(sum(good))
'''


def test_a_server(s):
    expect(enter(s, sys.executable, '-c', SERVER), '80\n')


def test_signals_from_outside(s):
    need_kvm()
    p = s.start('enter', 'sh', '-c', 'trap "echo got; exit 5" TERM; echo ready; while :; do sleep 1; done')
    p.expect(b'ready')
    p.process.send_signal(signal.SIGTERM)
    p.expect(b'got')
    check_equal(p.process.wait(20), 5)
    for stream in (p.process.stdin, p.process.stdout, p.process.stderr):
        stream.close()


def test_a_terminal(s):
    need_kvm()
    with Terminal([s.lh, 'enter', 'bash', '--norc', '-i']) as t:
        t.send(b'PS1=; tty -s && stty size\n')
        t.expect(b'50 200')
        t.send(b'sh -c "echo wait""ing; exec cat"\n')
        t.expect(b'waiting')
        t.send(b'\x03')
        t.expect(b'^C')
        t.send(b'echo back $?\n')
        t.expect(b'back 130')
        t.send(b'exit 6\n')
        t.end()
    check_equal(t.status, 6)


def test_job_control(s):
    need_kvm()
    with Terminal([s.lh, 'enter', 'bash', '--norc', '-i']) as t:
        t.send(b'PS1=; echo be""gin\n')
        t.expect(b'begin')
        t.send(b'sleep 50\n')
        time.sleep(0.5)
        t.send(b'\x1a')
        t.expect(b'Stopped')
        t.send(b'kill %1; fg\n')
        t.expect(b'Terminated')
        t.send(b'exit 0\n')
        t.end()


def test_trace(s):
    need_kvm()
    result = enter(s, '--trace', 'cat', '/nonexistent\n')
    check_equal(result.status, 1)
    check(re.search(r'^\[\d+\] openat\(AT_FDCWD, "/nonexistent\\n", 0x0, 00?\) = -1 ENOENT$', result.err, re.M),
          result.err)
    check(re.search(r'^\[\d+\] exit_group\(1\) = \?$', result.err, re.M), result.err)
    log = s.path('trace')
    expect(enter(s, f'--trace={log}', 'sh', '-c', '/bin/echo one; /bin/echo two'), 'one\ntwo\n')
    with open(log, encoding='ascii') as f:
        text = f.read()
    check(text.count('execve(') >= 1 and 'write(1, "one\\n", 4) = 4' in text, text)


def test_stat(s):
    result = enter(s, '--stat', 'sh', '-c', 'for i in 1 2 3; do /bin/true; done')
    check_equal(result.status, 0)
    found = re.search(r'(\d+) exits, (\d+) calls, (\d+) faults', result.err)
    check(found, result.err)
    check('1.0' in result.err or '1.1' in result.err, result.err)
    check(re.search(r'0 threads, \d+ forks, [23] programs executed, 0 calls refused', result.err), result.err)


def test_policies(s):
    expect(enter(s, '--policy', 'ro', 'cat', '/etc/hostname'), open('/etc/hostname', encoding='ascii').read())
    target = s.path('made')
    result = enter(s, '--policy=ro', 'sh', '-c', f'echo x > {target}')
    check(result.status != 0 and not os.path.exists(target), result)
    expect(enter(s, '--policy', 'rw', 'sh', '-c', f'echo x > {target}; cat {target}'), 'x\n')
    policy = write(s.path('policy'), 'profile rw\nkill getppid\n')
    result = enter(s, '--policy', policy, sys.executable, '-c', 'import os; os.getppid()')
    check_equal(result.status, -signal.SIGSYS)
    check('the policy does not let it call getppid' in result.err, result.err)


def refuse(s, args, message):
    need_kvm()
    result = s.run('enter', *args)
    check_equal(result.status, 1)
    check_equal(result.out, '')
    check_equal(result.err, f'lh enter: {message}\n')


def test_mistakes(s):
    refuse(s, [], 'which program? lh enter PROGRAM [ARGUMENT]...')
    refuse(s, ['--policy'], '--policy: a value is missing; lh enter --help')
    refuse(s, ['--polcy', 'x'], "no option '--polcy'; lh enter --help lists them")
    refuse(s, ['nonexistent-program'], 'nonexistent-program: not found in PATH')
    refuse(s, ['/nonexistent'], '/nonexistent: No such file or directory')
    text = write(s.path('text'), 'neither\n')
    refuse(s, [text], f'{text}: Permission denied')
    os.chmod(text, 0o755)
    refuse(s, [text], f'{text}: not an ELF program')
    write(text, '#!/nonexistent -x\n')
    refuse(s, [text], f'{text}: its interpreter: /nonexistent: No such file or directory')
    refuse(s, ['--backend', 'vm', 'true'], "--backend: 'vm' is neither kvm nor sud")
    refuse(s, ['--policy', '/nonexistent', 'true'],
           '--policy: no profile of that name, and /nonexistent: No such file or directory')
    policy = write(s.path('wrong'), 'allow read\n allow reed\n')
    refuse(s, ['--policy', policy, 'true'], f"{policy}:2:8: no call or group 'reed'")
    foreign = elf(s, 'foreign', {18: 8, 19: 0})
    refuse(s, [foreign], f'{foreign}: a program for another architecture (machine 8, 64 bits)')
    refuse(s, ['--again=1,2', 'x'], "'--again=' is for the program itself")


def test_scripts_from_the_command_line(s):
    script = write(s.path('script'), '#!/bin/sh\necho "$0 $1"\n')
    os.chmod(script, 0o755)
    expect(enter(s, script, 'x'), f'{script} x\n')


def test_without_kvm(s):
    expect(s.run('enter', '--backend', 'sud', 'sh', '-c', 'echo a | cat; exit 3'), 'a\n', 3)


def denied(s, prefix, message, **kwargs):
    """lh enter in a place where something is not to be had."""
    p = subprocess.run([*prefix, s.lh, 'enter', 'true'], capture_output=True, text=True, check=False, cwd='/',
                       timeout=30, **kwargs)
    check_equal(p.stderr, f'lh enter: {message}\n')
    check_equal((p.returncode, p.stdout), (1, ''))


def test_the_right_to_use_kvm(s):
    if os.geteuid() or os.stat('/dev/kvm').st_mode & 0o006:
        raise Skip('only root can become a user who may not use /dev/kvm')
    readable = all(os.stat(d).st_mode & 0o005 for d in parents(s.lh))
    if not readable:
        raise Skip('another user cannot reach the program')
    denied(s, [], '/dev/kvm: Permission denied; --backend sud does without', user=65534, group=65534,
           extra_groups=[])


def parents(path):
    path = os.path.abspath(path)
    while path != '/':
        yield path
        path = os.path.dirname(path)


def test_no_kvm_and_what_is_none(s):
    need_kvm()
    for source, message in (('', '/dev/kvm: No such file or directory; --backend sud does without'),
                            ('/dev/null', "/dev/kvm: this kernel's KVM lacks the interface of version 12")):
        mount = f'mount --bind {source} /dev/kvm' if source else 'mount -t tmpfs none /dev'
        # Nobody who is in another root directory gets a namespace of users, which root does not need.
        prefixes = [['unshare', flags, 'sh', '-c', f'{mount} && exec "$@"', 'sh'] for flags in ('-rm', '-m')]
        possible = [prefix for prefix in prefixes
                    if not subprocess.run([*prefix, 'true'], capture_output=True, check=False).returncode]
        if not possible:
            raise Skip('this user gets no mount namespace')
        denied(s, possible[0], message)


def test_missing_capabilities(s):
    need_kvm()
    without = os.environ.get('LH_DUNE_WITHOUT')
    if not without:
        raise Skip('missing LH_DUNE_WITHOUT, the program that takes a capability away')
    for number, name in CAPABILITIES:
        denied(s, [without, str(number)], f"/dev/kvm: this kernel's KVM lacks KVM_CAP_{name}")


def elf(s, name, changes, size=120):
    """A program of 64 bits for this processor with nothing in it, and some bytes of its header changed."""
    head = bytearray(120)
    head[0:7] = b'\x7fELF\x02\x01\x01'
    head[16], head[20], head[32], head[52], head[54] = 2, 1, 64, 64, 56
    head[18:20] = MACHINE.to_bytes(2, 'little')
    for at, value in changes.items():
        head[at] = value
    path = s.path(name)
    with open(path, 'wb') as f:
        f.write(head[:size])
    os.chmod(path, 0o755)
    return path


def test_files_that_are_no_programs(s):
    thirty_two = elf(s, 'thirty_two', {4: 1, 18: 3, 19: 0})
    refuse(s, [thirty_two], f'{thirty_two}: a program for another architecture (machine 3, 32 bits)')
    for name, changes, size in (('empty', {}, 120), ('short', {}, 40), ('wild', {32: 0xff, 39: 0x7f, 56: 1}, 120),
                                ('many', {56: 0xff, 57: 0xff}, 120)):
        program = elf(s, name, changes, size)
        result = enter(s, program)
        check_equal((result.status, result.out), (1, ''))
        check(result.err.startswith(f'lh enter: {program}: ') and result.err.count('\n') == 1, result.err)
    refuse(s, ['/etc'], '/etc: Is a directory')
    plain = write(s.path('plain'), '#!/bin/sh\n')
    refuse(s, [plain], f'{plain}: Permission denied')


main()
