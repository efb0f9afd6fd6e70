#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A distribution's programs in guest mode on LoongArch64, in a machine of our own: each script of SCRIPTS
has to say the same as without, and to end well.

usage: loong64_distro_test.py LH [NAME...]

The disk is that of test/distro, read only.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'distro'))
# pylint: disable=wrong-import-position
import programs
from report import check, run_one
from tree import disk, tree_in_a_machine

PIPELINES = '''\
set -eo pipefail
cd /tmp
for i in {1..300}; do echo $((i * 7919 % 1013)); done | sort -rn | grep 7 | uniq | tail -n 20 | tr '\\n' ' '
find /usr/include -name '*.h' | sort | tee list | wc -l
xargs cat < list | sha256sum
awk '{ n[substr($0, 1, 20)]++ } END { for (k in n) print k, n[k] }' list | sort | sed 's/ /: /' | tail -n 5
tar -cf - -C /usr/include linux | gzip -9 | gzip -d | tar -tf - | md5sum
diff <(head -n 100 list) <(head -n 99 list) | cut -c 1-8 || true
trap 'echo trapped' USR1; kill -USR1 $$; (exit 3) || echo $?
coproc cat; echo through >&${COPROC[1]}; read -r line <&${COPROC[0]}; echo "$line"
sleep 100 & kill -STOP $!; kill -CONT $!; kill $!; wait $! || echo ended by $?
printf '%s\\n' {a..e} | while read -r x; do (echo $x; exec sh -c 'echo $0' $x$x); done
stat -c %s list; dd if=/dev/zero bs=64k count=20 2>/dev/null | cksum
'''

PERL = '''\
use strict; use warnings; use Socket; use POSIX ':sys_wait_h';
my %n; $n{length $_}++ for split /\\W+/, join ' ', map { $_ * $_ } 1 .. 5000;
print join(',', map { "$_:$n{$_}" } sort keys %n), "\\n";
my @pids = map { my $i = $_; my $p = fork // die; exit $i unless $p; $p } 1 .. 20;
my $sum = 0; for (@pids) { waitpid $_, 0; $sum += $? >> 8 } print "$sum\\n";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die;
if (!fork) { close $a; my $line = <$b>; chomp $line; print $b scalar reverse $line; exit }
close $b; syswrite $a, "desrever\\n"; print <$a>, "\\n"; wait;
local $SIG{ALRM} = sub { die "alarm\\n" }; alarm 1; eval { 1 while 1 }; print $@;
open my $p, '-|', 'seq 2000 | sort -n | tail -n 1' or die; print <$p>;
'''

GCC = '''\
set -e
cd /tmp
gcc -O2 -Wall -Werror -pthread -o long /tmp/t/long.c
./long
ldd ./long | grep -c libc.so
gcc -O1 -shared -fPIC -o libpart.so -xc - << END
int part(int n) { return n < 2 ? n : part(n - 1) + part(n - 2); }
END
printf 'int part(int); int puts(const char *); int main(void) { return part(10) != 55; }' |
    gcc -xc - -xnone -L. -lpart -Wl,-rpath,/tmp -o uses
./uses && echo linked
'''

PYTHON = '''\
import concurrent.futures, http.server, multiprocessing, os, queue, signal, socket, subprocess, threading, time
import urllib.request

def square(n):
    return n * n

class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        body = (self.path * 100).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *unused):
        pass

def ask(port, n):
    return sum(len(urllib.request.urlopen(f'http://127.0.0.1:{port}/{i * n}').read()) for i in range(10))

def main():
    q, got = queue.Queue(), []
    lock = threading.Lock()
    def work():
        while (n := q.get()) is not None:
            with lock:
                got.append(n * n)
    threads = [threading.Thread(target=work) for _ in range(12)]
    [t.start() for t in threads]
    [q.put(n) for n in range(500)]
    [q.put(None) for _ in threads]
    [t.join() for t in threads]
    print(sum(got), len(got))
    runs = [subprocess.run(['sh', '-c', f'cat; exit {n}'], input=b'x' * 70000, capture_output=True) for n in range(6)]
    print([(r.returncode, len(r.stdout)) for r in runs])
    context = multiprocessing.get_context('fork')
    with context.Pool(3) as pool:
        print(sum(pool.map(square, range(100))))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        print(sum(pool.map(lambda n: ask(server.server_port, n), range(16))))
    server.shutdown()
    ticks = []
    signal.signal(signal.SIGALRM, lambda *unused: ticks.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    end = time.monotonic() + 5
    while len(ticks) < 10 and time.monotonic() < end:
        sum(range(1000))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(len(ticks) >= 10, os.system('exit 5') >> 8)

main()
'''

WORKER = '''
const { Worker } = require('worker_threads');
const { execFileSync } = require('child_process');
const worker = new Worker('const { parentPort: p } = require("worker_threads"); p.on("message", (n) => p.postMessage(n * 2))', { eval: true });
worker.on('message', (n) => { console.log('worker', n, execFileSync('echo', ['child']).toString().trim()); worker.terminate(); });
worker.postMessage(21);
const server = require('http').createServer((q, a) => a.end(q.url.repeat(50))).listen(0, '127.0.0.1', async () => {
    const url = `http://127.0.0.1:${server.address().port}/`;
    const texts = await Promise.all(Array.from({ length: 40 }, (_, i) => fetch(url + i).then((r) => r.text())));
    console.log('server', texts.join('').length); server.close(); });
'''

# Name of what is run, file, interpreter, text.
SCRIPTS = (
    ('bash with pipelines and coreutils', 'pipelines.sh', 'bash', PIPELINES),
    ('perl', 'perl.pl', 'perl', PERL),
    ('gcc, and what it makes', 'gcc.sh', 'bash', GCC),
    ('python3 computes', 'computes.py', 'python3', programs.PYTHON),
    ('python3 with threads, processes and a server under load', 'threads.py', 'python3', PYTHON),
    ('node with a worker and a server under load', 'node.js', 'node', programs.NODE + WORKER),
    ('luajit', 'lua.lua', 'luajit', programs.LUA),
)


def programs_of_a_distribution_in_guest_mode(t):
    names = sys.argv[2:]
    image = disk('distro', 'system.ext4', 'distro_fetch.sh')
    text_of_c, result = programs.c_program(300)
    files = {'long.c': text_of_c, **{file: text for _, file, _, text in SCRIPTS}}
    with tree_in_a_machine(t, image, files) as tree:
        for what, file, interpreter, _ in SCRIPTS:
            if names and not any(n in what for n in names):
                continue
            with t.test(what):
                said = tree.same_in_guest_mode(f'/usr/bin/{interpreter} /tmp/t/{file}')
                check(file != 'gcc.sh' or result in said.splitlines(), said)


run_one(programs_of_a_distribution_in_guest_mode)
