// SPDX-License-Identifier: Apache-2.0
// The hypervisor as a program of the firmware: takes memory, copies itself there, makes the running
// system its root cell and returns to it. Until the firmware's processor is taken over, whatever is
// wrong is said on the console and given back as a status, and nothing has changed.
#include "hv/arch.h"
#include "hv/boot.h"
#include "hv/boot_resident.h"
#include "hv/efi/files.h"
#include "hv/efi/place.h"
#include "hv/efi/words.h"
#include "hv/takeover.h"
#include "hv/text.h"

#define LINE_SIZE  256
#define WORDS_FILE "longhouse.cfg"
#define WORDS_SIZE 1024
#define MAP_SLACK  1024 // the map grows by its own allocation

struct application {
    struct efi_system_table *table;
    struct efi_boot_services *boot;
    struct files files;
    struct words words;
    struct boot check; // of it, only what boot_check_system needs
    struct place place;
    struct resident_order order;
    u64 blob[CELL_BLOB_MAX_SIZE / 8];
};

u64 efi_main(void *image, struct efi_system_table *table);

__attribute__((format(printf, 2, 3))) static void say(struct application *a, const char *format,
                                                      ...)
{
    char line[LINE_SIZE] = "longhouse: ";
    u16 wide[LINE_SIZE + 2];
    u32 n = (u32)strlen(line), i = 0;
    va_list args;
    va_start(args, format);
    text_format_list(line + n, sizeof(line) - n, format, args);
    va_end(args);
    for (; line[i]; i++)
        wide[i] = (u8)line[i];
    wide[i] = '\r';
    wide[i + 1] = '\n';
    wide[i + 2] = 0;
    if (a->table->out)
        a->table->out->output_string(a->table->out, wide);
}

static u64 read_words(struct application *a)
{
    static char text[WORDS_SIZE], why[LINE_SIZE / 2];
    u64 size = sizeof(text) - 1;
    const struct efi_loaded_image *loaded = a->files.loaded;
    words_init(&a->words);
    if (!words_of_options(text, sizeof(text), loaded->options, loaded->options_size)) {
        u64 status = files_read(&a->files, WORDS_FILE, text, &size);
        if (status && status != EFI_NOT_FOUND) {
            say(a, "%s cannot be read: status %lx", WORDS_FILE, status);
            return status;
        }
        if (!status && size == sizeof(text) - 1) {
            say(a, "%s is too long", WORDS_FILE);
            return EFI_INVALID_PARAMETER;
        }
        text[status ? 0 : size] = 0;
    }
    if (words_parse(&a->words, text, why, sizeof(why)))
        return EFI_SUCCESS;
    say(a, "%s", why);
    return EFI_INVALID_PARAMETER;
}

static u64 read_system(struct application *a)
{
    u64 size = sizeof(a->blob), status = files_read(&a->files, a->words.system, a->blob, &size);
    if (status) {
        say(a, "'%s', the machine's description, %s (status %lx)", a->words.system,
            status == EFI_NOT_FOUND ? "is not there" : "cannot be read", status);
        return status;
    }
    if (boot_check_system(&a->check, a->blob, size))
        return EFI_SUCCESS;
    say(a, "%s: %s", a->words.system, a->check.why);
    return EFI_INVALID_PARAMETER;
}

static u64 check_processor(struct application *a)
{
    const char *lacks = arch_cpu_lacks();
    if (!lacks)
        return EFI_SUCCESS;
    say(a, "this processor has no %s, or a hypervisor has it already", lacks);
    return EFI_UNSUPPORTED;
}

static u64 take_memory(struct application *a)
{
    u64 wish = 0, size = 0;
    boot_find_pool(&a->check, &wish, &size);
    size = a->words.pool_size ? a->words.pool_size : size;
    u64 status = place_take(&a->place, wish, size);
    if (status)
        say(a,
            "the firmware has no %lu MiB of memory in one piece for the pool; "
            "pool=SIZE asks for less",
            size >> 20);
    return status;
}

// Whoever calls this gives the map back.
static u64 read_map(struct application *a, void **map)
{
    u64 key, size = 0, status;
    u32 version;
    struct resident_order *o = &a->order;
    a->boot->get_memory_map(&size, NULL, &key, &o->descriptor_size, &version);
    o->map_size = size + MAP_SLACK;
    status = a->boot->allocate_pool(EFI_LOADER_DATA, o->map_size, map);
    if (status)
        return status;
    o->map = *map;
    return a->boot->get_memory_map(&o->map_size, *map, &key, &o->descriptor_size, &version);
}

// With interrupts off. What comes after the call of `enter` is done as the root cell.
static const char *go_below(struct application *a)
{
    struct takeover_kept kept;
    struct resident_order *o = &a->order;
    const char *why = takeover_open(&kept);
    if (why)
        return why;
    place_copy_image(&a->place);
    bool (*prepare)(struct resident_order *) = place_there(&a->place, (void *)resident_prepare);
    void (*enter)(struct cpu *, const struct takeover_kept *) =
        place_there(&a->place, (void *)takeover_enter);
    if (!prepare(o)) {
        takeover_close(&kept);
        return o->why;
    }
    enter(o->cpu, &kept);
    return NULL;
}

static u64 become_resident(struct application *a)
{
    void *map = NULL;
    const char *why = "the firmware does not tell its memory";
    u64 status = read_map(a, &map);
    a->order.system = a->blob;
    a->order.system_size = a->check.system.head->size;
    a->order.pool_base = a->place.pool;
    a->order.pool_size = a->place.pool_size;
    if (!status) {
        u64 tpl = a->boot->raise_tpl(EFI_TPL_HIGH);
        why = go_below(a);
        a->boot->restore_tpl(tpl);
    }
    a->boot->free_pool(map);
    if (!why)
        return EFI_SUCCESS;
    say(a, "%s", why);
    place_give_back(&a->place);
    return EFI_LOAD_ERROR;
}

static u64 start_next(struct application *a)
{
    if (!a->words.next[0])
        return EFI_SUCCESS;
    u64 status = files_start(&a->files, a->words.next, a->words.next_options);
    if (status)
        say(a, "'%s' ended with status %lx", a->words.next, status);
    return status;
}

static void show_processor(struct application *a)
{
    char line[LINE_SIZE / 2];
    for (u32 n = 0; takeover_show(n, line, sizeof(line)); n++)
        say(a, "%s", line);
}

static u64 go_on(struct application *a)
{
    u64 status = read_system(a);
    status = status ? status : take_memory(a);
    status = status ? status : become_resident(a);
    if (status)
        return status;
    say(a, "this system is the root cell now; pool of %lu MiB at %lx", a->place.pool_size >> 20,
        a->place.pool);
    return start_next(a);
}

u64 efi_main(void *image, struct efi_system_table *table)
{
    static struct application app;
    struct application *a = &app;
    a->table = table;
    a->boot = a->place.boot = table->boot;
    u64 status = files_open(&a->files, a->boot, image);
    status = status ? status : check_processor(a);
    status = status ? status : read_words(a);
    if (status)
        return status;
    if (!a->words.shows_cpu)
        return go_on(a);
    show_processor(a);
    return EFI_SUCCESS;
}
