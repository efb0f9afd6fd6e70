// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/text.h"
#include "base/types.h"

static bool are_aligned(const void *a, const void *b, size_t n)
{
    return (((uintptr_t)a | (uintptr_t)b | n) & 7) == 0;
}

// Volatile keeps the compiler from finding a memcpy in the loop and calling it.
void *memcpy(void *to, const void *from, size_t n)
{
    if (are_aligned(to, from, n)) {
        volatile u64 *t = to;
        const u64 *f = from;
        for (size_t i = 0; i < n / 8; i++)
            t[i] = f[i];
    } else {
        volatile u8 *t = to;
        const u8 *f = from;
        for (size_t i = 0; i < n; i++)
            t[i] = f[i];
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    volatile u8 *t = to;
    const volatile u8 *f = from;
    if ((uintptr_t)to <= (uintptr_t)from)
        return memcpy(to, from, n);
    for (size_t i = n; i-- > 0;)
        t[i] = f[i];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    if (are_aligned(to, to, n)) {
        volatile u64 *t = to;
        for (size_t i = 0; i < n / 8; i++)
            t[i] = (u8)byte * 0x0101010101010101ULL;
    } else {
        volatile u8 *t = to;
        for (size_t i = 0; i < n; i++)
            t[i] = (u8)byte;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const u8 *x = a, *y = b;
    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

size_t strlen(const char *text)
{
    const volatile char *p = text;
    size_t n = 0;
    while (p[n])
        n++;
    return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] || !a[i])
            return (u8)a[i] - (u8)b[i];
    return 0;
}
