// SPDX-License-Identifier: Apache-2.0
#include "hv/efi/place.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/hv.h"
#include "hv/text.h"

extern char image_begin[], image_loaded[], image_end[]; // of the linker's script
extern char relocations_begin[], relocations_end[];

// An Elf64_Rela of the only type that there is, relative; addresses are the linker's.
struct relocation {
    u64 at, type, target;
};

// The linker puts image_begin at its own offset within the file.
#define LINKED_BEGIN HV_PAGE_SIZE

static u64 pages(u64 size)
{
    return size / EFI_PAGE_SIZE;
}

// With what is needed to align it, which goes back.
static u64 take_anywhere(struct efi_boot_services *boot, u64 size, u64 align, u64 *address)
{
    u64 first,
        status = boot->allocate_pages(EFI_ANYWHERE, EFI_RESERVED, pages(size + align), &first);
    if (status)
        return status;
    *address = align_up(first, align);
    if (*address > first)
        boot->free_pages(first, pages(*address - first));
    if (*address < first + align)
        boot->free_pages(*address + size, pages(first + align - *address));
    return EFI_SUCCESS;
}

u64 place_take(struct place *p, u64 wish, u64 pool_size)
{
    p->image_size = align_up((u64)(image_end - image_begin), HV_PAGE_SIZE);
    p->pool_size = pool_size;
    p->pool = wish;
    u64 status = take_anywhere(p->boot, p->image_size, HV_PAGE_SIZE, &p->image);
    if (status)
        return status;
    status = p->boot->allocate_pages(EFI_AT_ADDRESS, EFI_RESERVED, pages(pool_size), &p->pool);
    if (status)
        status = take_anywhere(p->boot, pool_size, HV_BLOCK, &p->pool);
    if (status)
        p->boot->free_pages(p->image, pages(p->image_size));
    return status;
}

void place_give_back(struct place *p)
{
    p->boot->free_pages(p->image, pages(p->image_size));
    p->boot->free_pages(p->pool, pages(p->pool_size));
}

void place_copy_image(const struct place *p)
{
    u8 *to = (u8 *)p->image;
    u64 loaded = (u64)(image_loaded - image_begin);
    memcpy(to, image_begin, loaded);
    memset(to + loaded, 0, p->image_size - loaded);
    for (const struct relocation *r = (const void *)relocations_begin;
         r < (const struct relocation *)(const void *)relocations_end; r++)
        *(u64 *)(void *)(to + (r->at - LINKED_BEGIN)) =
            (u64)arch_memory(p->image + (r->target - LINKED_BEGIN));
    arch_sync_code();
}

void *place_there(const struct place *p, const void *here)
{
    return arch_memory(p->image + (u64)((const char *)here - image_begin));
}
