#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `lh enter` and all below it at random moments, and looks whether anything is left: processes,
virtual machines, files, shared memory, memory of the kernel. kills_test.py LH PAYLOAD

LH_DUNE_KILLS is how many times: 15, or what `make soak` says. With LH_DUNE_ALONE nobody else works on this
host, so that whatever is more than before was left by the killed ones."""

import concurrent.futures
import glob
import os
import random
import re
import signal
import subprocess
import sys
import time

from harness import Skip, check, check_equal, main

TIMES = int(os.environ.get('LH_DUNE_KILLS', '15'))
IS_ALONE = 'LH_DUNE_ALONE' in os.environ
AT_ONCE = 2
WARM_UP = 6
PATIENCE_S = 20
# A machine that stays costs 1 MiB and more.
KIB_OF_ALL, KIB_OF_EACH = (4 * 1024, 16) if IS_ALONE else (64 * 1024, 256)

THREADS = '''
import os, subprocess, threading
def work():
    while True:
        subprocess.run(['true'])
        if os.fork() == 0:
            os._exit(0)
        os.wait()
for i in range(4):
    threading.Thread(target=work).start()
'''
SHARED = '''
import mmap, os
block = mmap.mmap(-1, 1 << 20)
with os.fdopen(os.memfd_create('both'), 'w+b') as f:  # one with a name would be left where there is no O_TMPFILE
    f.truncate(1 << 20)
    both = mmap.mmap(f.fileno(), 0)
    while True:
        if os.fork() == 0:
            both[:4096] = block[:4096] = bytes(4096)
            os._exit(0)
        os.wait()
'''
LOADS = (['bash', '-c', 'while :; do (:); echo x | cat > /dev/null; done'],
         ['sh', '-c', 'sleep 50 & sleep 50 | sleep 50 & wait'],
         [sys.executable, '-c', THREADS],
         [sys.executable, '-c', SHARED])


def need_kvm():
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise Skip('missing /dev/kvm, or the right to use it')


def of_session(session):
    found = []
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path, encoding='utf-8', errors='replace') as f:
                fields = f.read().rpartition(')')[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            found.append(int(path.split('/')[2]))
    return found


def is_gone(session):
    """A look at all processes is dear, and nearly all of a session are of one group."""
    try:
        os.killpg(session, 0)
        return False
    except ProcessLookupError:
        return not of_session(session)


def holders(mark):
    """Processes that hold a descriptor of KVM and were started with this mark in their environment."""
    found = []
    for path in glob.glob('/proc/[0-9]*/environ'):
        try:
            with open(path, 'rb') as f:
                marked = mark in f.read()
            links = [os.readlink(fd) for fd in glob.glob(os.path.dirname(path) + '/fd/*')] if marked else []
        except OSError:
            continue
        found += [path for link in links if 'kvm-v' in link]
    return found


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def programs():
    """Processes that are no threads of the kernel."""
    found = []
    for path in glob.glob('/proc/[0-9]*/cmdline'):
        try:
            found += [path] if read(path) else []
        except OSError:
            pass
    return sorted(found)


def state():
    """Of the whole host: whatever may be left."""
    return {'programs': programs(),
            'virtual machines': sorted(glob.glob('/sys/kernel/debug/kvm/*-*')),
            'shared memory': sorted(os.listdir('/dev/shm')),
            **{kind: read(f'/proc/sysvipc/{kind}') for kind in ('shm', 'sem', 'msg')}}


def meminfo():
    return {name: int(n) for name, n in re.findall(r'^(\w+): +(\d+)', read('/proc/meminfo').decode(), re.M)}


def memory_in_use():
    """KiB that cannot be had, where nobody else is. What processors keep for their next allocation is not
    counted as free, and would hide everything else."""
    with open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as f:
        f.write('3')
    kept = sum(map(int, re.findall(r'^ +count: +(\d+)', read('/proc/zoneinfo').decode(), re.M)))
    numbers = meminfo()
    return numbers['MemTotal'] - numbers['MemAvailable'] - kept * (os.sysconf('SC_PAGESIZE') // 1024)


def kernel_memory():
    """KiB that the kernel has for itself and will not give back by itself."""
    numbers = meminfo()
    return sum(numbers.get(name, 0) for name in ('SUnreclaim', 'KernelStack', 'PageTables', 'SecPageTables',
                                                 'VmallocUsed'))


MEASURES = (kernel_memory, memory_in_use) if IS_ALONE else (kernel_memory,)


def becomes(condition):
    """Whether it is so in the end: the kernel frees some things later."""
    end = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def start_time(lh, env):
    """How long a program needs to start and end."""
    times = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run([lh, 'enter', 'true'], check=True, env=env)
        times.append(time.monotonic() - began)
    return max(min(times), 0.02)


def kill_once(lh, load, how, env, start):
    p = subprocess.Popen([lh, 'enter', *load], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True, env=env)
    time.sleep(start * 16 * random.random() ** 2)  # more often early than late
    os.killpg(p.pid, how)
    # A shell that got SIGTERM has to hand it on; whoever is still there is killed.
    if how != signal.SIGKILL:
        try:
            p.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
        for pid in of_session(p.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    check(p.wait(20) != 0, 'it ended by itself')
    check(becomes(lambda: is_gone(p.pid)), of_session(p.pid))


def kill_many(s, how, times):
    need_kvm()
    mark = f'LH_KILLS_{os.getpid()}'
    env = {**os.environ, mark: '1', 'TMPDIR': s.dir}
    start = start_time(s.lh, env)

    def run(count):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda i: kill_once(s.lh, LOADS[i % len(LOADS)], how, env, start), range(count)))

    run(WARM_UP)
    before, found = [measure() for measure in MEASURES], state()
    run(times)
    check_equal(holders(mark.encode()), [])
    check_equal(os.listdir(s.dir), [])
    if IS_ALONE:
        check(becomes(lambda: state() == found), state(), found)
    # Neighbours have the kernel's memory grow, too.
    limit = KIB_OF_ALL + times * KIB_OF_EACH
    for measure, kib in zip(MEASURES, before):
        check(becomes(lambda: measure() < kib + limit), f'{measure.__name__}: {kib} KiB before, {measure()} after')
        print(f'# {times} times within {16 * start:.2f} s; {measure.__name__}: {measure() - kib:+} KiB')


def test_killed_at_any_moment(s):
    kill_many(s, signal.SIGKILL, TIMES)


def test_ended_at_any_moment(s):
    kill_many(s, signal.SIGTERM, max(TIMES // 10, 6))


def test_one_process_of_many_is_killed(s):
    """The others go on: what one process is killed in the midst of is its own."""
    need_kvm()
    for _ in range(max(TIMES // 30, 5)):
        text = 'for i in 1 2 3 4 5 6; do (while :; do :; done) & (while :; do (:); done) & done; ' \
               'sleep 0.$((RANDOM % 10)); kill -KILL $(jobs -p); wait 2> /dev/null; echo "$(echo alive)"'
        result = s.run('enter', 'bash', '-c', text)
        check_equal((result.status, result.out), (0, 'alive\n'))


main()
