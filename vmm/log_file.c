// SPDX-License-Identifier: Apache-2.0
#include "vmm/log_file.h"
#include "base/bug.h"

#include <stdlib.h>

static void write_line(void *opaque, const char *line)
{
    const struct log_file *l = opaque;
    fprintf(l->to, "%s\n", line);
}

bool log_file_open(struct log_file *l, const char *path, struct err *e)
{
    *l = (struct log_file){.log = {.sink = write_line, .opaque = l}, .to = stderr};
    if (!path)
        return true;
    if (!out_file_open(&l->file, path, false, e))
        return err_context(e, "-D '%s'", path);
    l->to = open_memstream(&l->early, &l->early_size);
    BUG_ON(!l->to);
    return true;
}

void log_file_begin(struct log_file *l)
{
    if (!l->file.path)
        return;
    BUG_ON(fclose(l->to));
    out_file_begin(&l->file);
    l->to = fdopen(l->file.fd, "w");
    BUG_ON(!l->to);
    l->file.fd = -1; // the stream's now
    setvbuf(l->to, NULL, _IOLBF, 0);
    fwrite(l->early, 1, l->early_size, l->to);
}

void log_file_close(struct log_file *l)
{
    if (l->to && l->to != stderr)
        fclose(l->to);
    out_file_close(&l->file, false);
    free(l->early);
    *l = (struct log_file){0};
}
