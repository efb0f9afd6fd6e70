# SPDX-License-Identifier: Apache-2.0
"""The real programs that are measured, and the files that they work on.

The files are made by arithmetic, so that they are the same on every machine and in every run. A
program's output must be the same on the host and in the guest, byte for byte: both are of the same
version (tools/bench_fetch.sh).
"""

import collections
import os

# name, kind, program in bin/ of the host and in the guest, arguments, doc
Program = collections.namedtuple('Program', 'name kind program guest arguments doc')

PROGRAMS = [
    Program('python3', 'script', 'python3', '/usr/bin/python3', '-S -E {dir}/work.py',
            'a pure program of Python'),
    Program('sqlite3', 'script', 'sqlite3', '/usr/bin/sqlite3', ':memory: ".read {dir}/work.sql"',
            'tables filled, joined, sorted, in memory'),
    Program('gcc', 'script', 'cc1', '/usr/libexec/gcc/loongarch64-linux-gnu/16/cc1',
            '-quiet -O2 -fno-ident -fpreprocessed {dir}/work.i -o -', 'the compiler, -O2, 5,000 lines of C'),
    Program('xz', 'pack', 'xz', '/usr/bin/xz', '-T1 -6 -c {dir}/short.txt', '256 KiB compressed'),
    Program('unxz', 'pack', 'xz', '/usr/bin/xz', '-T1 -dc {dir}/work.xz', '8 MiB decompressed'),
    Program('zstd', 'pack', 'zstd', '/usr/bin/zstd', '-q --single-thread -9 -c {dir}/work.txt',
            '1 MiB compressed'),
    Program('bzip2', 'pack', 'bzip2', '/usr/bin/bzip2', '-c {dir}/work.txt', '1 MiB compressed'),
]

PYTHON = '''\
import math

class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
    def scaled(self, factor):
        return Vector(self.x * factor, self.y * factor)
    def size(self):
        return math.sqrt(self.x * self.x + self.y * self.y)

def walk(n):
    at, step = Vector(0.0, 0.0), Vector(1.0, 0.5)
    for i in range(n):
        at = at + step.scaled(1.0 / (1 + i % 7))
    return f'{at.size():.6f}'

def words(n):
    counts, seed = {}, 12345
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        word = 'w%x' % (seed >> 16 & 0x3ff)
        counts[word] = counts.get(word, 0) + 1
    best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:5]
    return ' '.join(f'{word}={n}' for word, n in best)

def queens(n, row=0, columns=0, left=0, right=0):
    if row == n:
        return 1
    found, free = 0, ~(columns | left | right) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return found

def digits(n):
    value = 10 ** n
    return sum(int(d) for d in str(sum(value // k for k in range(1, 60))))

def sentences(n):
    text = ', '.join(str(i * i) for i in range(n))
    parts = [part[::-1] for part in text.split(', ') if '7' in part]
    return len(parts), hash(tuple(len(p) for p in parts)) & 0xffff

for result in (walk(20000 * SCALE), words(15000 * SCALE), queens(7), digits(300), sentences(8000 * SCALE)):
    print(result)
'''

SQL = '''\
create table item(id integer primary key, name text, price integer, kind integer);
create table sale(item integer, day integer, n integer);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < {n_items})
insert into item select i, printf('item-%d', i * 7919 % 10007), i * 37 % 1009, i % 17 from n;
with recursive n(i) as (select 1 union all select i + 1 from n where i < {n_sales})
insert into sale select 1 + i * 31 % {n_items}, i % 365, 1 + i * 13 % 9 from n;
commit;
create index sale_item on sale(item);
select kind, count(*), sum(price * n) from sale join item on item.id = sale.item group by kind order by 3 desc;
select name, sum(n) s from sale join item on item.id = sale.item group by name order by s desc, name limit 10;
select day, max(n), length(group_concat(item)) from sale where day % 50 = 0 group by day;
update item set price = price + 1 where name like '%7%';
delete from sale where item % 3 = 0;
select count(*), sum(price) from item where price > 500;
select count(*) from sale;
'''

# One function of C of 20 lines. {i} is its number, {a} and {b} are others.
C_FUNCTION = '''\
struct s{i} {{ int key, count; struct s{i} *next; long values[{a}]; }};
static int table{i}[4] = {{ {a}, {b}, {i}, 7 }};

long f{i}(struct s{i} *item, const char *text)
{{
    long sum = table{i}[item->key & 3];
    if (item->count > {a} && text[0] == '{letter}')
        sum += item->values[{a} - 1] * {b};
    else if (item->next)
        sum -= item->next->key + text[1];
    switch (item->key % 7) {{
    case 0: item->count += {a}; break;
    case 1: table{i}[1] ^= (int)sum; break;
    case 2: return f{i}(item->next, text + 1) + {b};
    case 3: sum = sum / {a} + item->values[0]; break;
    default: item->key--;
    }}
    return sum + f0(0, text);
}}

'''


def c_source(n_lines):
    """A file of about so many lines; the compiler needs nothing else for it."""
    text = 'long f0(void *p, const char *t);\n'
    for i in range(1, n_lines // C_FUNCTION.count('\n') + 1):
        text += C_FUNCTION.format(i=i, letter=chr(97 + i % 26), a=3 + i * 7 % 29,
                                  b=11 + i * 13 % 101)
    return text


def prose(size):
    """Text that compresses about as text does: words of a small language, some of them numbers."""
    seed, parts, total = 99, [], 0
    syllables = ['ka', 'to', 'ri', 'men', 'sol', 'an', 'de', 'ur', 'pil', 'es', 'vo', 'nt', 'qua', 'li']
    words = []
    for i in range(4000):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        words.append(''.join(syllables[seed >> (33 + 4 * k) & 15 if (seed >> (33 + 4 * k) & 15) < 14 else k]
                             for k in range(1 + (seed >> 60) % 4)))
    while total < size:
        seed = (seed * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        r = seed >> 40
        word = words[(r & 0xfff) * (r >> 12 & 0xfff) % 4000 * (r & 63) // 64]
        word = f'{r % 10000}' if r % 23 == 0 else word + ('.\n' if r % 17 == 0 else ' ')
        parts.append(word)
        total += len(word)
    return ''.join(parts)[:size]


def write_inputs(directory, scale):
    """The files of all programs. At scale 1 each takes a fast machine some tenths of a second."""
    def write(name, text):
        with open(os.path.join(directory, name), 'w', encoding='ascii') as f:
            f.write(text)
    write('work.py', PYTHON.replace('SCALE', str(max(1, round(2 * scale)))))
    write('work.sql', SQL.format(n_items=int(4000 * scale) + 10, n_sales=int(60000 * scale) + 10))
    write('work.i', c_source(int(5000 * scale)))
    write('short.txt', prose(int((1 << 18) * scale)))
    write('work.txt', prose(int((1 << 20) * scale)))
    write('long.txt', prose(int((1 << 20) * scale)) * 8)
