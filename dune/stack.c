// SPDX-License-Identifier: Apache-2.0
#include "dune/stack.h"
#include "dune/arch.h"

#include <elf.h>
#include <string.h>

struct builder {
    u8 *buffer;
    u64 at, low, n; // bytes [n, size) are written; `low` is the limit
    bool is_full;
};

static u64 push(struct builder *b, const void *what, u64 size)
{
    if (b->is_full || size > b->n - b->low) {
        b->is_full = true;
        return 0;
    }
    b->n -= size;
    memcpy(b->buffer + b->n, what, size);
    return b->at + b->n;
}

static u64 count(char *const *list)
{
    u64 n = 0;
    while (list[n])
        n++;
    return n;
}

static void push_texts(struct builder *b, char *const *list)
{
    for (u64 i = count(list); i-- > 0;)
        push(b, list[i], strlen(list[i]) + 1);
}

// Addresses of texts that lie one behind the other from `text` on.
static void put_addresses(u64 **to, char *const *list, u64 text)
{
    for (; *list; list++) {
        *(*to)++ = text;
        text += strlen(*list) + 1;
    }
    *(*to)++ = 0;
}

static void put_word(u64 **to, u64 type, u64 value)
{
    *(*to)++ = type;
    *(*to)++ = value;
}

u64 stack_build(const struct stack *s, u8 *buffer, u64 size, u64 at, u64 text[2])
{
    struct builder b = {.buffer = buffer, .at = at, .n = size};
    u64 zero = 0, n_arguments = count(s->arguments), n_environment = count(s->environment);
    push(&b, &zero, sizeof(zero));
    u64 file = push(&b, s->file, strlen(s->file) + 1);
    push_texts(&b, s->environment);
    u64 environment = text[1] = b.at + b.n;
    push_texts(&b, s->arguments);
    text[0] = b.at + b.n;
    u64 random = push(&b, s->random, 16), platform = push(&b, ARCH_PLATFORM, sizeof(ARCH_PLATFORM));
    u64 n = 1 + n_arguments + 1 + n_environment + 1 + 2 * (s->n_words + 4);
    u64 start = b.is_full || n * 8 + 16 > b.n ? 0 : (b.n - n * 8) & ~15ULL;
    if (!start)
        return 0;
    u64 *to = (u64 *)(void *)(buffer + start);
    *to++ = n_arguments;
    put_addresses(&to, s->arguments, text[0]);
    put_addresses(&to, s->environment, environment);
    for (u32 i = 0; i < s->n_words; i++)
        put_word(&to, s->words[i].type, s->words[i].value);
    put_word(&to, AT_EXECFN, file);
    put_word(&to, AT_RANDOM, random);
    put_word(&to, AT_PLATFORM, platform);
    put_word(&to, AT_NULL, 0);
    return at + start;
}
