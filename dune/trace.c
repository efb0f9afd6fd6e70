// SPDX-License-Identifier: Apache-2.0
#include "dune/trace.h"
#include "dune/entry.h"
#include "dune/arguments.h"
#include "dune/calls.h"
#include "dune/message.h"
#include "dune/process.h"
#include "dune/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

enum { SHOWN = 32 };

static void put_quoted(struct line *to, const char *from, u64 n, bool is_cut)
{
    message_add(to, "\"");
    for (u64 i = 0; i < n; i++) {
        u8 c = (u8)from[i];
        if (c == '"' || c == '\\')
            message_add(to, "\\%c", c);
        else if (c == '\n')
            message_add(to, "\\n");
        else if (c < 32 || c > 126)
            message_add(to, "\\%c%c%c", '0' + (c >> 6), '0' + (c >> 3 & 7), '0' + (c & 7));
        else
            message_add(to, "%c", c);
    }
    message_add(to, is_cut ? "\"..." : "\"");
}

static void put_text(struct line *to, u64 at)
{
    char text[256];
    long n = guest_text(text, at, sizeof(text));
    if (!at)
        message_add(to, "NULL");
    else if (n == -ENAMETOOLONG)
        put_quoted(to, text, sizeof(text) - 1, true);
    else if (n < 0)
        message_add(to, "%x", at);
    else
        put_quoted(to, text, (u64)n, false);
}

static void put_memory(struct line *to, u64 at, u64 size)
{
    char bytes[SHOWN];
    u64 n = size < SHOWN ? size : SHOWN;
    if (!at)
        message_add(to, "NULL");
    else if (guest_read(bytes, at, n))
        message_add(to, "%x", at);
    else
        put_quoted(to, bytes, n, size > n);
}

static void put_octal(struct line *to, u64 value)
{
    char digits[24];
    u32 n = 0;
    do
        digits[n++] = (char)('0' + (value & 7));
    while (value >>= 3);
    message_add(to, "0");
    while (n && !(n == 1 && digits[0] == '0'))
        message_add(to, "%c", digits[--n]);
}

static void put_argument(struct line *to, char kind, u64 value, u64 size)
{
    switch (kind) {
    case 'd': message_add(to, "%d", (int)value); break;
    case 'u': message_add(to, "%u", value); break;
    case 'o': put_octal(to, value); break;
    case 'f': message_add(to, "%d", (int)value); break;
    case 's': put_text(to, value); break;
    case 'w':
    case 'r': put_memory(to, value, size); break;
    case 'F':
        if ((int)value == AT_FDCWD)
            message_add(to, "AT_FDCWD");
        else
            message_add(to, "%d", (int)value);
        break;
    case 'p':
    case 'v':
        if (!value)
            message_add(to, "NULL");
        else
            message_add(to, "%x", value);
        break;
    default: message_add(to, "%x", value);
    }
}

// How much of a buffer there is to be shown: what the kernel wrote, or what it is given.
static u64 shown_size(char kind, u64 given, long result)
{
    if (kind == 'w')
        return given;
    return result > 0 && (u64)result < given ? (u64)result : result > 0 ? given : 0;
}

static void put_call(struct line *to, struct thread *t, const struct call *c, u64 number,
                     const u64 a[6], long result)
{
    const char *kinds = c ? c->arguments : "";
    u32 size_at;
    char kind;
    message_add(to, "[%d] ", (int)raw(SYS_gettid));
    if (c)
        message_add(to, "%s(", c->name);
    else
        message_add(to, "call_%u(", number);
    for (u32 i = 0; i < 6 && (kind = arguments_next(&kinds, &size_at)); i++) {
        message_add(to, i ? ", " : "");
        put_argument(to, kind, a[i], shown_size(kind, a[size_at], result));
    }
    message_add(to, ")");
}

static const char *name_of_error(long error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
#define E(name) {name, #name}
        E(EPERM),        E(ENOENT),      E(ESRCH),           E(EINTR),
        E(EIO),          E(ENXIO),       E(E2BIG),           E(ENOEXEC),
        E(EBADF),        E(ECHILD),      E(EAGAIN),          E(ENOMEM),
        E(EACCES),       E(EFAULT),      E(EBUSY),           E(EEXIST),
        E(EXDEV),        E(ENODEV),      E(ENOTDIR),         E(EISDIR),
        E(EINVAL),       E(ENFILE),      E(EMFILE),          E(ENOTTY),
        E(ETXTBSY),      E(EFBIG),       E(ENOSPC),          E(ESPIPE),
        E(EROFS),        E(EMLINK),      E(EPIPE),           E(EDOM),
        E(ERANGE),       E(EDEADLK),     E(ENAMETOOLONG),    E(ENOLCK),
        E(ENOSYS),       E(ENOTEMPTY),   E(ELOOP),           E(ENODATA),
        E(EOVERFLOW),    E(ENOTSOCK),    E(EDESTADDRREQ),    E(EMSGSIZE),
        E(EPROTOTYPE),   E(ENOPROTOOPT), E(EPROTONOSUPPORT), E(EOPNOTSUPP),
        E(EAFNOSUPPORT), E(EADDRINUSE),  E(EADDRNOTAVAIL),   E(ENETUNREACH),
        E(ECONNABORTED), E(ECONNRESET),  E(ENOBUFS),         E(EISCONN),
        E(ENOTCONN),     E(ETIMEDOUT),   E(ECONNREFUSED),    E(EHOSTUNREACH),
        E(EALREADY),     E(EINPROGRESS), E(ESTALE),
#undef E
    };
    for (u32 i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].number == -error)
            return names[i].name;
    return NULL;
}

static void put_result(struct line *to, long result)
{
    const char *name = raw_failed(result) ? name_of_error(result) : NULL;
    if (result == RESTART_CALL)
        message_add(to, " = ? (a signal came; to be made again)");
    else if (result == CALL_DONE)
        message_add(to, " = 0");
    else if (name)
        message_add(to, " = -1 %s", name);
    else if (raw_failed(result))
        message_add(to, " = -1 (error %ld)", -result);
    else if (result > 0xffffff)
        message_add(to, " = %x", (u64)result);
    else
        message_add(to, " = %ld", result);
}

static void write_line(struct thread *t, struct line *line)
{
    message_add(line, "\n");
    raw(SYS_write, t->process->settings->trace_fd, line->at, line->n);
}

void trace_before(struct thread *t, const struct call *c, u64 number, const u64 a[6])
{
    char buffer[2048];
    struct line line = {buffer, sizeof(buffer), 0};
    if (number != SYS_exit && number != SYS_exit_group && number != SYS_execve &&
        number != SYS_execveat)
        return;
    put_call(&line, t, c, number, a, 0);
    message_add(&line, number == SYS_exit || number == SYS_exit_group ? " = ?" : " ...");
    write_line(t, &line);
}

void trace_after(struct thread *t, const struct call *c, u64 number, const u64 a[6], long result)
{
    char buffer[2048];
    struct line line = {buffer, sizeof(buffer), 0};
    put_call(&line, t, c, number, a, result);
    put_result(&line, result);
    write_line(t, &line);
}

void trace_signal(struct thread *t, int signal, int code, u64 address)
{
    char buffer[256];
    struct line line = {buffer, sizeof(buffer), 0};
    if (t->process->settings->trace_fd < 0)
        return;
    message_add(&line, "[%d] --- signal %d, code %d, address %x, pc %x ---", (int)raw(SYS_gettid),
                signal, code, address, regs_pc(t->regs));
    write_line(t, &line);
}
