// SPDX-License-Identifier: Apache-2.0
// What compilers call by themselves. Eight bytes at a time where both ends are aligned.
#include "hv/text.h"

void *memcpy(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    if (!(((uintptr_t)to | (uintptr_t)from) & 7))
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(u64 *)(void *)t = *(const u64 *)(const void *)f;
    for (; n; n--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t n)
{
    char *t = to;
    u64 word = 0x0101010101010101ULL * (u8)value;
    if (!((uintptr_t)to & 7))
        for (; n >= 8; n -= 8, t += 8)
            *(u64 *)(void *)t = word;
    for (; n; n--)
        *t++ = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}
