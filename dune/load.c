// SPDX-License-Identifier: Apache-2.0
#include "dune/load.h"
#include "dune/elf.h"
#include "dune/policy.h"
#include "dune/space.h"
#include "dune/stack.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEPT_NAME     "/proc/self/fd/"
#define PROGRAM_BASE  0x100000000000ULL
#define STACK_DEFAULT (8ULL << 20)
#define STACK_MOST    (64ULL << 20)
#define STACK_LEAST   (256ULL << 10)
#define STRIDE        (64ULL << 20) // of what is chosen by chance: a chunk of memory slots

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

struct image {
    struct elf elf;
    u8 head[ELF_HEAD];
    u64 bias;
    int fd;
};

static bool open_image(struct image *m, const char *file, struct err *e)
{
    m->fd = open(file, O_RDONLY | O_CLOEXEC);
    if (m->fd < 0)
        return err_set(e, "%s: %s", file, strerror(errno));
    ssize_t n = pread(m->fd, m->head, sizeof(m->head), 0);
    if (n < 0)
        err_set(e, "%s: %s", file, strerror(errno));
    else if (elf_parse(&m->elf, m->head, (u64)n, e))
        return true;
    else
        err_context(e, "%s", file);
    close(m->fd);
    m->fd = -1;
    return false;
}

// What the file holds of a segment, then zeros to the end of the page and in pages behind it.
static long map_segment(struct space *s, const struct image *m, const struct elf_segment *g)
{
    u64 start = (g->address & ~(SPACE_PAGE - 1)) + m->bias, skew = g->address & (SPACE_PAGE - 1);
    u64 file_end = g->address + g->file_size + m->bias, end = g->address + g->memory_size + m->bias;
    u64 mapped_end = start;
    if (g->file_size) {
        long at = space_map(s, start, g->file_size + skew, (int)g->prot, MAP_PRIVATE | MAP_FIXED,
                            m->fd, g->offset - skew);
        if (raw_failed(at))
            return at;
        mapped_end = space_page_up(file_end);
        // Dynamic linkers use what is left of the last page as memory that is zero.
        if (g->prot & PROT_WRITE && end > file_end)
            memset((void *)file_end, 0, mapped_end - file_end);
    }
    if (space_page_up(end) <= mapped_end)
        return 0;
    long at = space_map(s, mapped_end, space_page_up(end) - mapped_end, (int)g->prot,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return raw_failed(at) ? at : 0;
}

static bool map_image(struct space *s, struct image *m, u64 base, struct err *e)
{
    u64 size = m->elf.high - m->elf.low;
    u64 want = m->elf.is_fixed ? m->elf.low : base;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (want ? MAP_FIXED_NOREPLACE : 0);
    long at = space_map(s, want, size, PROT_NONE, flags, -1, 0);
    if (raw_failed(at))
        return err_set(e, "it cannot be mapped at 0x%llx: %s", (unsigned long long)want,
                       strerror((int)-at));
    m->bias = (u64)at - m->elf.low;
    for (u32 i = 0; i < m->elf.n_segments; i++) {
        long ret = map_segment(s, m, m->elf.segments + i);
        if (ret)
            return err_set(e, "its segment %u cannot be mapped: %s", i, strerror((int)-ret));
    }
    return true;
}

static bool find_interpreter(const struct image *m, char *name, u64 size, struct err *e)
{
    u64 n = m->elf.interpreter_size;
    if (n > size || pread(m->fd, name, n, (off_t)m->elf.interpreter_at) != (ssize_t)n ||
        name[n - 1])
        return err_set(e, "the name of its interpreter cannot be read");
    return true;
}

// The kernel's loader would not ask; here the program names a file that the monitor opens.
static bool may_execute(const struct load *l, const char *name, struct err *e)
{
    char real[PATH_MAX];
    u8 wanted = POLICY_READ | POLICY_EXEC;
    if (!l->policy || !realpath(name, real) || (policy_rights(l->policy, real) & wanted) == wanted)
        return true;
    return err_set(e, "the policy does not let %s be executed", name);
}

static u64 chance(u64 below)
{
    u64 value = 0;
    if (personality(0xffffffff) & ADDR_NO_RANDOMIZE || getrandom(&value, sizeof(value), 0) < 0)
        return 0;
    return value % below;
}

static u64 stack_size(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) || limit.rlim_cur == RLIM_INFINITY)
        return STACK_DEFAULT;
    u64 size = limit.rlim_cur < STACK_LEAST ? STACK_LEAST : limit.rlim_cur;
    return space_page_up(size < STACK_MOST ? size : STACK_MOST);
}

// The stack is at the top of a chunk of slots, and other mappings grow down below it.
static bool map_stack(struct space *s, u64 *top, struct err *e)
{
    u64 size = stack_size();
    *top = SPACE_END - STRIDE - chance(1 << 20) * STRIDE;
    long at = space_map(s, *top - size, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    s->map_top = *top - size - 256 * SPACE_PAGE;
    return !raw_failed(at) || err_set(e, "no memory for its stack: %s", strerror((int)-at));
}

// What the kernel did not tell the monitor is not told on: zero would mean something else.
static bool inherit(struct stack_word *w, u64 type)
{
    errno = 0;
    w->type = type;
    w->value = getauxval(type) & (type == AT_HWCAP ? ARCH_HWCAP : ~0ULL);
    if (type == AT_SECURE)
        w->value = 0;
    return w->value || errno != ENOENT;
}

static u32 fill_words(struct stack_word *w, const struct image *m, const struct image *interpreter,
                      const struct space *s)
{
    static const u64 copied[] = {AT_HWCAP, AT_PAGESZ, AT_CLKTCK, AT_UID, AT_EUID, AT_GID,
                                 AT_EGID,  AT_SECURE, AT_HWCAP2, 51 /* AT_MINSIGSTKSZ */};
    u32 n = 0;
    for (u32 i = 0; i < ARRAY_LEN(copied); i++)
        n += inherit(w + n, copied[i]);
    w[n++] = (struct stack_word){AT_PHDR, m->elf.headers ? m->elf.headers + m->bias : 0};
    w[n++] = (struct stack_word){AT_PHENT, m->elf.header_size};
    w[n++] = (struct stack_word){AT_PHNUM, m->elf.n_headers};
    w[n++] = (struct stack_word){AT_BASE, interpreter->fd >= 0 ? interpreter->bias : 0};
    w[n++] = (struct stack_word){AT_FLAGS, 0};
    w[n++] = (struct stack_word){AT_ENTRY, m->elf.entry + m->bias};
    if (s->vdso)
        w[n++] = (struct stack_word){AT_SYSINFO_EHDR, getauxval(AT_SYSINFO_EHDR)};
    return n;
}

static bool fill_stack(struct space *s, struct load *l, const struct image *m,
                       const struct image *interpreter, u64 top, struct err *e)
{
    struct stack_word words[24];
    u8 random[16];
    u64 size = stack_size() / 4 * 3;
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        memset(random, 0x5a, sizeof(random));
    struct stack k = {.arguments = l->arguments,
                      .environment = l->environment,
                      .file = l->shown,
                      .random = random,
                      .words = words,
                      .n_words = fill_words(words, m, interpreter, s)};
    l->text[2] = top - 8 - strlen(l->shown) - 1;
    l->sp = stack_build(&k, (u8 *)(top - size), size, top - size, l->text);
    return l->sp || err_set(e, "arguments and environment are larger than %llu KiB",
                            (unsigned long long)size >> 10);
}

static void note_places(struct space *s, struct load *l, const struct image *m)
{
    const struct elf_segment *first = m->elf.segments,
                             *last = m->elf.segments + m->elf.n_segments - 1;
    l->code[0] = first->address + m->bias;
    l->code[1] = l->code[0] + first->file_size;
    l->data[0] = last->address + m->bias;
    l->data[1] = l->data[0] + last->file_size;
    s->brk_start = s->brk = m->elf.high + m->bias + chance(1 << 12) * SPACE_PAGE;
}

static bool load_images(struct space *s, struct load *l, struct image *m, struct image *interpreter,
                        struct err *e)
{
    char name[4096];
    u64 top;
    if (!open_image(m, l->file, e))
        return false;
    // The name that the program is told, where it was opened by descriptor.
    if (l->is_again && !strncmp(l->file, KEPT_NAME, strlen(KEPT_NAME)) &&
        realpath(l->file, l->name))
        l->shown = l->name;
    if (!map_stack(s, &top, e) || !map_image(s, m, PROGRAM_BASE + chance(1 << 19) * STRIDE, e))
        return err_context(e, "%s", l->file);
    l->entry = m->elf.entry + m->bias;
    if (m->elf.interpreter_size) {
        if (!find_interpreter(m, name, sizeof(name), e) || !may_execute(l, name, e) ||
            !open_image(interpreter, name, e) || !map_image(s, interpreter, 0, e))
            return err_context(e, "%s", l->file);
        l->entry = interpreter->elf.entry + interpreter->bias;
    }
    note_places(s, l, m);
    return fill_stack(s, l, m, interpreter, top, e);
}

bool load_program(struct space *s, struct load *l, struct err *e)
{
    struct image *m = calloc(2, sizeof(*m));
    if (!m)
        return err_set(e, "out of memory");
    m[0].fd = m[1].fd = -1;
    l->shown = l->file;
    bool ok = load_images(s, l, m, m + 1, e);
    for (int i = 0; i < 2; i++)
        if (m[i].fd >= 0)
            close(m[i].fd);
    if (l->is_again && !strncmp(l->file, KEPT_NAME, strlen(KEPT_NAME)))
        close(atoi(l->file + strlen(KEPT_NAME)));
    free(m);
    return ok;
}
