#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `lh enter` and all below it at random moments, and looks whether anything is left: processes,
virtual machines that somebody holds, memory of the kernel. kills_test.py LH PAYLOAD

LH_DUNE_KILLS is how many times: 15, or what `make soak` says."""

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
LOADS = (['bash', '-c', 'while :; do (:); echo x | cat > /dev/null; done'],
         ['sh', '-c', 'sleep 50 & sleep 50 | sleep 50 & wait'],
         [sys.executable, '-c', THREADS])


def need_kvm():
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        raise Skip('missing /dev/kvm, or the right to use it')


def of_session(session):
    return subprocess.run(['ps', '-o', 'pid=', '-s', str(session)], capture_output=True, text=True,
                          check=False).stdout.split()


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


def kernel_memory():
    """KiB that the kernel has for itself and will not give back by itself."""
    with open('/proc/meminfo', encoding='ascii') as f:
        text = f.read()
    return sum(int(n) for n in re.findall(r'^(?:SUnreclaim|KernelStack|PageTables|SecPageTables|VmallocUsed): +(\d+)',
                                          text, re.M))


def wait_until_gone(session):
    for _ in range(200):
        if not of_session(session):
            return
        time.sleep(0.02)
    check_equal(of_session(session), [])


def kill_once(lh, load, how, env):
    p = subprocess.Popen([lh, 'enter', *load], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True, env=env)
    time.sleep(random.random() * 0.12)
    os.killpg(p.pid, how)
    # A shell that got SIGTERM has to hand it on; whoever is still there is killed.
    if how != signal.SIGKILL:
        try:
            p.wait(0.5)
        except subprocess.TimeoutExpired:
            pass
        subprocess.run(['pkill', '-KILL', '-s', str(p.pid)], check=False)
    check(p.wait(20) != 0, 'it ended by itself')
    wait_until_gone(p.pid)


def kill_many(s, how, times):
    need_kvm()
    mark = f'LH_KILLS_{os.getpid()}'
    env = {**os.environ, mark: '1'}
    before = kernel_memory()
    for i in range(times):
        kill_once(s.lh, LOADS[i % len(LOADS)], how, env)
    check_equal(holders(mark.encode()), [])
    # Neighbours have the kernel's memory grow too; a machine that stays costs 1 MiB and more.
    check(kernel_memory() - before < 64 * 1024 + times * 256, f'{before} KiB before, {kernel_memory()} after')


def test_killed_at_any_moment(s):
    kill_many(s, signal.SIGKILL, TIMES)


def test_ended_at_any_moment(s):
    kill_many(s, signal.SIGTERM, max(TIMES // 10, 6))


def test_one_process_of_many_is_killed(s):
    """The others go on: what one process is killed in the midst of is its own."""
    need_kvm()
    for _ in range(max(TIMES // 10, 5)):
        text = 'for i in 1 2 3 4 5 6; do (while :; do :; done) & (while :; do (:); done) & done; ' \
               'sleep 0.$((RANDOM % 10)); kill -KILL $(jobs -p); wait 2> /dev/null; echo "$(echo alive)"'
        result = s.run('enter', 'bash', '-c', text)
        check_equal((result.status, result.out), (0, 'alive\n'))


main()
