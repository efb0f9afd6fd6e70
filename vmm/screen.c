// SPDX-License-Identifier: Apache-2.0
#include "vmm/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

// In the order of xterm's list of control sequences. The scroll region moves the cursor, so the
// cursor is saved around it.
#define BACK_TO_NORMAL                                                                    \
    "\033[?47l"                                    /* main screen */                      \
    "\0337\033[r\0338"                             /* whole screen scrolls */             \
    "\033[0m\033[?25h\033[?7h\033[4l"              /* colours, cursor, wrap, overwrite */ \
    "\033[?1l\033>"                                /* cursor keys and keypad */           \
    "\033[?1000l\033[?1002l\033[?1003l\033[?1006l" /* mouse */                            \
    "\033[?2004l\033(B\017"                        /* bracketed paste, character set */

static bool is_smart_terminal(int fd)
{
    const char *type = getenv("TERM");
    return isatty(fd) && type && *type && strcmp(type, "dumb") != 0;
}

// A program in the background leaves the terminal to others.
static bool is_foreground(int fd)
{
    pid_t group = tcgetpgrp(fd);
    return group < 0 || group == getpgrp();
}

static void put(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

void screen_init(struct screen *s, bool with_status)
{
    *s = (struct screen){.has_status = with_status && is_smart_terminal(STDERR_FILENO) &&
                                       is_foreground(STDERR_FILENO),
                         .is_terminal = is_smart_terminal(STDOUT_FILENO)};
    pthread_mutex_init(&s->lock, NULL);
}

void screen_free(struct screen *s)
{
    pthread_mutex_destroy(&s->lock);
}

static unsigned terminal_width(void)
{
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

void screen_status(struct screen *s, const char *format, ...)
{
    char line[256], text[sizeof(line) + sizeof(ERASE_LINE)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    snprintf(text, sizeof(text), ERASE_LINE "%.*s", (int)terminal_width() - 1, line);
    pthread_mutex_lock(&s->lock);
    if (s->has_status) {
        put(STDERR_FILENO, text);
        s->is_shown = true;
    }
    pthread_mutex_unlock(&s->lock);
}

static void hide(struct screen *s)
{
    if (s->is_shown)
        put(STDERR_FILENO, ERASE_LINE);
    s->is_shown = false;
}

void screen_hide_status(struct screen *s)
{
    pthread_mutex_lock(&s->lock);
    hide(s);
    pthread_mutex_unlock(&s->lock);
}

void screen_end_status(struct screen *s)
{
    if (!s->has_status)
        return;
    pthread_mutex_lock(&s->lock);
    s->has_status = false;
    hide(s);
    pthread_mutex_unlock(&s->lock);
}

void screen_note_output(struct screen *s, const void *bytes, size_t n)
{
    if (!s->is_terminal || !n)
        return;
    s->saw_escape |= memchr(bytes, '\033', n) || memchr(bytes, '\016', n);
    s->is_mid_line = ((const char *)bytes)[n - 1] != '\n';
}

void screen_tidy(struct screen *s)
{
    if (s->saw_escape)
        put(STDOUT_FILENO, BACK_TO_NORMAL);
    if (s->is_mid_line)
        put(STDOUT_FILENO, "\n");
    s->saw_escape = s->is_mid_line = false;
}
