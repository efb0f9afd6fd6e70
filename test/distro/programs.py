# SPDX-License-Identifier: Apache-2.0
"""Programs for a distribution's compilers and interpreters, and what they have to print.

The results are worked out here, by another implementation of the same language or by following the
program while it is written, and not taken from an earlier run.
"""

import math
import random

MASK = (1 << 64) - 1

C_HEAD = '''\
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t u64;
'''

# Each function mixes its argument in five steps and then looks at a text; ten lines.
C_FUNCTION = '''
static u64 f{i}(u64 x, const char *text)
{{
    x += {a}ull;
    x ^= x >> {b};
    if (x & {bit})
        x *= {c}ull;
    for (unsigned k = 0; k < strlen(text); k++)
        x = x * 31 + (unsigned char)text[k];
    return x;
}}
'''


def follow(x, a, b, bit, c, text):
    x = (x + a) & MASK
    x ^= x >> b
    if x & bit:
        x = x * c & MASK
    for letter in text.encode():
        x = (x * 31 + letter) & MASK
    return x


def c_program(n_lines):
    """A program of about so many lines, and what it prints."""
    r = random.Random(20)
    parts, calls, x = [C_HEAD], [], 1
    for i in range(n_lines // (C_FUNCTION.count('\n') + 1)):
        a, c = r.getrandbits(60), r.getrandbits(60) | 1
        b, bit, text = r.randrange(1, 60), 1 << r.randrange(20), f'text {i * 7919 % 1000}'
        parts.append(C_FUNCTION.format(i=i, a=a, b=b, bit=bit, c=c))
        calls.append(f'    x = f{i}(x, "{text}");\n')
        x = follow(x, a, b, bit, c, text)
    parts.append('\nint main(void)\n{\n    u64 x = 1;\n' + ''.join(calls) +
                 '    printf("%llu\\n", (unsigned long long)x);\n    return 0;\n}\n')
    return ''.join(parts), str(x)


PYTHON = '''\
import decimal, hashlib, json, re, zlib
from fractions import Fraction

text = ' '.join(f'{n * n % 1013:x}' for n in range(3000))
decimal.getcontext().prec = 60
tree = {'a': [1, 2.5, None], 'b': {str(n): n ** 3 for n in range(50)}}
print(hashlib.sha256(text.encode()).hexdigest())
print(decimal.Decimal(2).sqrt(), sum(Fraction(1, n) for n in range(1, 40)))
print(len(re.findall(r'\\b[0-9]+[a-f]\\b', text)), zlib.crc32(zlib.decompress(zlib.compress(text.encode()))))
print(json.loads(json.dumps(tree)) == tree, 3 ** 500 % 1000007, sorted({n * 37 % 101 for n in range(60)})[:9])
try:
    [][1]
except IndexError as e:
    print(e)
'''

# What becomes hot is translated by the runtime, then called with another type, which throws that
# translation away. 64-bit products are checked against Python's.
NODE = '''\
function mix(n) { let x = 1; for (let i = 0; i < n; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0; return x >>> 0; }
function add(a, b) { return a + b; }
let sum = 0;
for (let i = 0; i < 20000; i++) sum = add(sum, i);
console.log(process.arch, mix(200000), sum, add('a', 1), add(0.5, 0.25));
const big = (1n << 200n) % 1000000007n;
const words = Array.from({ length: 2000 }, (_, i) => (i * 7919 % 2003).toString(36)).sort();
console.log(big.toString(), words[1000], JSON.stringify({ a: [1, null, 'x'] }), /(\\d+)-(\\w+)/.exec('n 12-ab')[2]);
const wasm = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127,
    3, 2, 1, 0, 7, 7, 1, 3, 109, 117, 108, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 108, 11]));
console.log(new WebAssembly.Instance(wasm).exports.mul(12345, 6789));
Promise.resolve(42).then((v) => console.log('later', v));
'''

LUA = '''\
local x, sum, t = 1, 0, {}
for i = 1, 2000000 do x = (x * 16807) % 2147483647; sum = sum + x % 7 end
for i = 1, 2000 do t[i] = i * 7919 % 2003 end
table.sort(t)
print(jit.status() and jit.arch, x, sum, t[1000], ('%.6f'):format(math.sqrt(2) * math.sin(1)))
'''


def base36(n):
    digits = '0123456789abcdefghijklmnopqrstuvwxyz'
    return (base36(n // 36) if n >= 36 else '') + digits[n % 36]


def node_prints():
    x = 1
    for _ in range(200000):
        x = (x * 1664525 + 1013904223) & 0xffffffff
    words = sorted(base36(i * 7919 % 2003) for i in range(2000))
    return (f'loong64 {x} {sum(range(20000))} a1 0.75\n'
            f'{(1 << 200) % 1000000007} {words[1000]} {{"a":[1,null,"x"]}} ab\n{12345 * 6789}\nlater 42')


def lua_prints():
    x, total = 1, 0
    for _ in range(2000000):
        x = x * 16807 % 2147483647
        total += x % 7
    t = sorted(i * 7919 % 2003 for i in range(1, 2001))
    return f'{x}\t{total}\t{t[999]}\t{math.sqrt(2) * math.sin(1):.6f}'
