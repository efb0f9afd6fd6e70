// SPDX-License-Identifier: Apache-2.0
#include "dune/exec.h"
#include "dune/calls.h"
#include "dune/elf.h"
#include "dune/handlers.h"
#include "dune/message.h"
#include "dune/paths.h"
#include "dune/process.h"
#include "dune/script.h"
#include "dune/signals.h"
#include "dune/space.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096, MAX_SCRIPTS = 5, MAX_WORDS = 1 << 20 };

// What is executed in the end, and which words come before the program's own arguments.
struct plan {
    char file[PATH_SIZE];
    char words[MAX_SCRIPTS * 2 + 1][PATH_SIZE]; // by interpreters of scripts, last one first
    u32 n_words;
    bool is_script;
    int held; // descriptor of the file, or 0
};

static long read_head(const char *file, u8 *head, u64 size)
{
    struct stat st;
    long fd = raw(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fd;
    long n = raw(SYS_fstat, fd, &st);
    if (n == 0)
        n = !S_ISREG(st.st_mode) ? -EACCES : raw(SYS_pread64, fd, head, size, 0);
    raw(SYS_close, fd);
    enum { EFFECTIVE = 0x200, FACCESSAT2 = 439 };
    long may = n < 0 ? 0 : raw(FACCESSAT2, AT_FDCWD, file, 1, EFFECTIVE);
    if (may == -ENOSYS)
        may = raw(SYS_faccessat, AT_FDCWD, file, 1);
    return may < 0 ? may : n;
}

static void push_word(struct plan *p, const char *word)
{
    memmove(p->words + 1, p->words, p->n_words++ * sizeof(p->words[0]));
    memcpy(p->words[0], word, strlen(word) + 1);
}

// The name of the script follows its interpreter's own argument; the interpreter's name comes
// first. What was first before is the script's name already.
static void add_script(struct plan *p, const struct script *s)
{
    char name[PATH_SIZE];
    memcpy(name, p->file, sizeof(name));
    if (p->is_script)
        memcpy(p->words[0], name, sizeof(name));
    else
        push_word(p, name);
    if (*s->argument)
        push_word(p, s->argument);
    push_word(p, s->interpreter);
    memcpy(p->file, s->interpreter, strlen(s->interpreter) + 1);
    p->is_script = true;
}

static long check_program(const u8 *head, long n)
{
    struct elf elf;
    struct err e = {0};
    return elf_parse(&elf, head, (u64)n, &e) ? 0 : -ENOEXEC;
}

static long make_plan(struct thread *t, struct plan *p)
{
    u8 head[ELF_HEAD];
    for (u32 i = 0; i <= MAX_SCRIPTS; i++) {
        struct script s;
        long n = paths_judge_exec(t, p->file);
        n = n ? n : read_head(p->file, head, sizeof(head));
        if (n < 0)
            return n;
        if (!script_parse(&s, head, (u64)n))
            return check_program(head, n);
        if (i < MAX_SCRIPTS)
            add_script(p, &s);
    }
    return -ELOOP;
}

static long count_words(u64 list, u64 *n)
{
    u64 word = 1;
    for (*n = 0; list && word; *n += 1) {
        if (*n > MAX_WORDS)
            return -E2BIG;
        if (guest_read(&word, list + 8 * *n, 8))
            return -EFAULT;
        if (!space_holds(word, 1))
            return -EFAULT;
        if (!word)
            break;
    }
    return 0;
}

static void write_state(const struct settings *s, char *to, u64 size)
{
    struct line text = {to, size, 0};
    message_add(&text, EXEC_AGAIN "%d,%d,%d,%d,%d,%d,%d,%u,%d,%d", s->kvm_fd, s->self_fd,
                s->trace_fd, s->stats_fd, s->policy_fd, s->hidden.first, s->hidden.end,
                s->hidden.hard, s->root_pid, s->door);
}

bool exec_state_read(struct settings *s, const char *state)
{
    unsigned long long hard = 0;
    bool ok = sscanf(state, "%d,%d,%d,%d,%d,%d,%d,%llu,%d,%d", &s->kvm_fd, &s->self_fd,
                     &s->trace_fd, &s->stats_fd, &s->policy_fd, &s->hidden.first, &s->hidden.end,
                     &hard, &s->root_pid, &s->door) == 10;
    s->hidden.hard = hard;
    s->is_native = s->kvm_fd < 0;
    return ok;
}

static void keep_over_exec(const struct settings *s, bool keep)
{
    const int fds[] = {s->kvm_fd, s->self_fd, s->trace_fd, s->stats_fd, s->policy_fd};
    for (u32 i = 0; i < ARRAY_LEN(fds); i++)
        if (fds[i] >= 0)
            raw(SYS_fcntl, fds[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
}

// One array: our own words, the program's arguments, its environment. The program's texts stay
// where they are and the kernel copies them from there.
static long fill_words(struct plan *p, const char **to, const char *state, u64 arguments,
                       u64 n_arguments, u64 environment, u64 n_environment)
{
    *to++ = "lh";
    *to++ = "enter";
    *to++ = state;
    *to++ = "--";
    *to++ = p->file;
    *to++ = state + strlen(state) + 1; // the number of arguments
    for (u32 i = 0; i < p->n_words; i++)
        *to++ = p->words[i];
    u64 skipped = p->is_script && n_arguments ? 1 : 0;
    u64 n = n_arguments - skipped;
    if (guest_read(to, arguments + 8 * skipped, 8 * n))
        return -EFAULT;
    if (!n_arguments && !p->is_script)
        *to++ = "";
    to += n;
    if (guest_read(to, environment, 8 * n_environment))
        return -EFAULT;
    to[n_environment] = NULL;
    // The arrays may have changed since they were counted.
    for (u64 i = 0; i < n_environment; i++)
        if (!to[i] || !space_holds((u64)to[i], 1))
            return -EFAULT;
    for (u64 i = 1; i <= n; i++)
        if (!to[-(s64)i] || !space_holds((u64)to[-(s64)i], 1))
            return -EFAULT;
    return 0;
}

// Under a policy what was judged is what is loaded: the new monitor is given it by descriptor.
static long hold_file(struct thread *t, struct plan *p)
{
    int fd = paths_open_exec(t, p->file);
    struct line name = {p->file, sizeof(p->file), 0};
    if (fd < 0)
        return fd;
    raw(SYS_fcntl, fd, F_SETFD, 0);
    message_add(&name, "/proc/self/fd/%d", fd);
    p->held = fd;
    return 0;
}

static long execute(struct thread *t, struct plan *p, u64 arguments, u64 environment)
{
    struct settings *s = t->process->settings;
    u64 n_arguments, n_environment;
    char state[256];
    long ret = count_words(arguments, &n_arguments);
    ret = ret ? ret : count_words(environment, &n_environment);
    if (ret)
        return ret;
    if (s->policy && (ret = hold_file(t, p)) < 0)
        return ret;
    write_state(s, state, sizeof(state) - 24);
    u64 end = strlen(state) + 1;
    struct line count = {state + end, sizeof(state) - end, 0};
    u64 n = n_arguments + p->n_words - (p->is_script && n_arguments);
    message_add(&count, "%u", n ? n : 1);
    t->scratch_size = (n_arguments + n_environment + p->n_words + 16) * 8;
    const char **words = t->scratch = raw_pages(t->scratch_size);
    ret = words ? fill_words(p, words, state, arguments, n_arguments, environment, n_environment)
                : -ENOMEM;
    if (!ret) {
        const char *no_environment[] = {NULL};
        keep_over_exec(s, true);
        COUNT(s, execs);
        // A child of vfork has a limit of its own, and no other thread that raises it.
        if (!t->borrows)
            lock_take(&s->hidden.lock);
        const u64 a[6] = {(u64)s->self_fd, (u64) "", (u64)words, (u64)no_environment,
                          AT_EMPTY_PATH};
        ret = calls_forward(t, SYS_execveat, a);
        if (!t->borrows)
            lock_drop(&s->hidden.lock);
        keep_over_exec(s, false);
    }
    raw_pages_free(t->scratch, t->scratch_size);
    t->scratch = NULL;
    return ret;
}

static long plan_and_execute(struct thread *t, const char *file, u64 arguments, u64 environment)
{
    struct plan *p = raw_pages(sizeof(*p));
    if (!p)
        return -ENOMEM;
    t->plan = p;
    t->plan_size = sizeof(*p);
    memcpy(p->file, file, strlen(file) + 1);
    long ret = make_plan(t, p);
    ret = ret ? ret : execute(t, p, arguments, environment);
    if (p->held)
        raw(SYS_close, p->held);
    raw_pages_free(p, sizeof(*p));
    t->plan = NULL;
    return ret;
}

HANDLER(execve)
{
    char file[PATH_SIZE];
    long n = guest_text(file, a[0], sizeof(file));
    if (n >= 0 && paths_is_own_file(t, a[0]))
        memcpy(file, t->process->settings->exe, sizeof(file));
    return n < 0 ? n : !n ? -ENOENT : plan_and_execute(t, file, a[1], a[2]);
}

// A descriptor that is closed on execution would be gone when its file is wanted: the file is named
// itself, and one that has no name any more is kept open for the new monitor.
static long name_of_fd(struct thread *t, int fd, char *to)
{
    struct line text = {to, PATH_SIZE, 0};
    char link[64];
    struct line name = {link, sizeof(link), 0};
    message_add(&name, "/proc/self/fd/%d", fd);
    long n = raw(SYS_readlinkat, AT_FDCWD, link, to, PATH_SIZE - 1);
    if (n < 0)
        return -EBADF;
    to[n] = 0;
    if (*to == '/' && raw(SYS_faccessat, AT_FDCWD, to, 0) == 0)
        return 0;
    long kept = hidden_copy(&t->process->settings->hidden, fd, false);
    message_add(&text, "/proc/self/fd/%d", (int)kept);
    return kept < 0 ? kept : 0;
}

HANDLER(execveat)
{
    char file[PATH_SIZE], whole[PATH_SIZE];
    struct line text = {whole, sizeof(whole), 0};
    long n = guest_text(file, a[1], sizeof(file));
    if (n < 0)
        return n;
    if (!n && !(a[4] & AT_EMPTY_PATH))
        return -ENOENT;
    if (*file == '/' || (int)a[0] == AT_FDCWD)
        message_add(&text, "%s", file);
    else if (n)
        message_add(&text, "/proc/self/fd/%d/%s", (int)a[0], file);
    else if ((n = name_of_fd(t, (int)a[0], whole)) < 0)
        return n;
    return text.n + 1 >= text.size ? -ENAMETOOLONG : plan_and_execute(t, whole, a[2], a[3]);
}
