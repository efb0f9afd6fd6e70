// SPDX-License-Identifier: Apache-2.0
// A cell as an ELF core: a segment for each region of its memory, by guest-physical address, and a
// note NT_PRSTATUS for each vCPU.
#include "vmm/cell_console.h"
#include "vmm/cell_load.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK         0x100000u
#define PRSTATUS_SIZE 480 // of loong64 Linux; registers begin at 112
#define PRSTATUS_REGS 112
#define EM_LOONGARCH_ 258

struct note {
    Elf64_Nhdr head;
    char name[8];
    u8 status[PRSTATUS_SIZE];
};

struct dump {
    struct cell_job *j;
    u32 cell;
    struct control_cell info;
    FILE *to;
};

static bool put(struct dump *d, const void *data, size_t n)
{
    return fwrite(data, 1, n, d->to) == n ||
           err_set(d->j->e, "cannot write '%s': %s", d->j->o->output, strerror(errno));
}

static u32 n_vcpus(const struct dump *d)
{
    return (u32)__builtin_popcount(d->info.cpus);
}

static bool put_headers(struct dump *d)
{
    u32 n = d->info.n_regions + 1;
    u64 at = sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr), notes = n_vcpus(d) * sizeof(struct note);
    Elf64_Ehdr h = {.e_type = ET_CORE, .e_machine = EM_LOONGARCH_, .e_version = EV_CURRENT};
    Elf64_Phdr p = {.p_type = PT_NOTE, .p_offset = at, .p_filesz = notes};
    memcpy(h.e_ident, ELFMAG, SELFMAG);
    h.e_ident[EI_CLASS] = ELFCLASS64;
    h.e_ident[EI_DATA] = ELFDATA2LSB;
    h.e_ident[EI_VERSION] = EV_CURRENT;
    h.e_phoff = h.e_ehsize = sizeof(h);
    h.e_phentsize = sizeof(p);
    h.e_phnum = (Elf64_Half)n;
    if (!put(d, &h, sizeof(h)) || !put(d, &p, sizeof(p)))
        return false;
    at += notes;
    for (u32 i = 0; i < d->info.n_regions; i++) {
        const struct control_region *r = &d->info.regions[i];
        p = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X, .p_offset = at};
        p.p_paddr = p.p_vaddr = r->gpa;
        p.p_filesz = p.p_memsz = r->size;
        at += r->size;
        if (!put(d, &p, sizeof(p)))
            return false;
    }
    return true;
}

static bool put_note(struct dump *d, u32 vcpu)
{
    struct note n = {.head = {.n_namesz = 5, .n_descsz = PRSTATUS_SIZE, .n_type = NT_PRSTATUS},
                     .name = "CORE"};
    struct control_registers r;
    cell_client_begin_cell(d->j->c, d->cell, d->info.generation);
    d->j->c->reply.args[0] = vcpu;
    if (!cell_client_call(d->j->c, CONTROL_REGISTERS, d->j->e))
        return false;
    memcpy(&r, d->j->c->reply.data, sizeof(r));
    memcpy(n.status + PRSTATUS_REGS, r.gpr, sizeof(r.gpr));
    memcpy(n.status + PRSTATUS_REGS + 33 * 8, &r.era, 8);
    memcpy(n.status + PRSTATUS_REGS + 34 * 8, &r.badv, 8);
    return put(d, &n, sizeof(n));
}

static bool put_memory(struct dump *d)
{
    u8 *chunk = malloc(CHUNK);
    bool is_good = chunk || err_set(d->j->e, "no memory");
    for (u32 i = 0; is_good && i < d->info.n_regions; i++)
        for (u64 at = 0; is_good && at < d->info.regions[i].size; at += CHUNK)
            is_good = cell_read_memory(d->j, d->cell, d->info.generation,
                                       d->info.regions[i].gpa + at, chunk, CHUNK) &&
                      put(d, chunk, CHUNK);
    free(chunk);
    return cell_close_window(d->j, d->cell, d->info.generation) && is_good;
}

static bool put_all(struct dump *d)
{
    if (!put_headers(d))
        return false;
    for (u32 i = 0; i < n_vcpus(d); i++)
        if (!put_note(d, i))
            return false;
    return put_memory(d);
}

bool cell_dump(struct cell_job *j)
{
    static struct dump d;
    d.j = j;
    if (!cell_named(j, &d.cell, &d.info))
        return false;
    if (!j->o->output)
        return err_set(j->e, "where to? name a file with -o");
    if (d.info.state == CONTROL_CELL_RUNNING || !d.cell)
        return err_set(j->e, "cell '%s' runs; 'lh cell stop' ends it", d.info.name);
    d.to = fopen(j->o->output, "wbe");
    if (!d.to)
        return err_set(j->e, "cannot write '%s': %s", j->o->output, strerror(errno));
    bool is_good = put_all(&d);
    return !fclose(d.to) && is_good;
}
