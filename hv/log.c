// SPDX-License-Identifier: Apache-2.0
#include "hv/log.h"
#include "hv/sync.h"
#include "hv/text.h"

#define LINE_SIZE 200

static void keep(struct hv *hv, const char *text)
{
    spin_lock(&hv->log_lock);
    for (; *text; text++)
        hv->log[hv->log_head++ % LOG_SIZE] = *text;
    spin_unlock(&hv->log_lock);
}

static void say(struct hv *hv, bool is_loud, const char *format, va_list args)
{
    char line[LINE_SIZE] = "longhouse: ";
    u32 n = (u32)strlen(line);
    n += text_format_list(line + n, sizeof(line) - n - 1, format, args);
    line[n] = '\n';
    line[n + 1] = 0;
    keep(hv, line);
    if (is_loud)
        plat_print(line);
}

void hv_log(struct hv *hv, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(hv, hv->is_booting, format, args);
    va_end(args);
}

void hv_shout(struct hv *hv, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(hv, true, format, args);
    va_end(args);
}

u32 log_read(struct hv *hv, u64 *position, char *to, u32 size)
{
    u32 n = 0;
    spin_lock(&hv->log_lock);
    u64 oldest = hv->log_head > LOG_SIZE ? hv->log_head - LOG_SIZE : 0;
    if (*position < oldest || *position > hv->log_head)
        *position = oldest;
    for (; n < size && *position < hv->log_head; n++)
        to[n] = hv->log[(*position)++ % LOG_SIZE];
    spin_unlock(&hv->log_lock);
    return n;
}
