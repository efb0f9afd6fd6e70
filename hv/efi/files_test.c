// SPDX-License-Identifier: Apache-2.0
// Files and programs of a firmware that is made here.
#include "hv/efi/files.h"
#include "base/bits.h"
#include "base/test.h"

#include <string.h>

#define DEVICE ((void *)1)
#define IMAGE  ((void *)2)
#define NEXT   ((void *)3)

static struct {
    struct efi_boot_services boot;
    struct efi_loaded_image loaded, next;
    struct efi_file_system fs;
    struct efi_file root, file;
    u8 path[1024], device_path[16];
    char opened[PATH_SIZE]; // the name that was asked for
    u8 next_path[1024];     // what was to be loaded
    u64 n_read, file_size, n_pool;
    u64 pool[4][128];
} fw;

static u64 handle_protocol(void *handle, const struct efi_guid *protocol, void **interface)
{
    if (handle == DEVICE)
        *interface = protocol->a == 0x964e5b22 ? (void *)&fw.fs : fw.device_path;
    else
        *interface = handle == IMAGE ? &fw.loaded : &fw.next;
    return EFI_SUCCESS;
}

static u64 open_volume(struct efi_file_system *this, struct efi_file **root)
{
    *root = &fw.root;
    return EFI_SUCCESS;
}

static u64 open_file(struct efi_file *this, struct efi_file **file, const u16 *name, u64 mode,
                     u64 attributes)
{
    unsigned i = 0;
    for (; name[i]; i++)
        fw.opened[i] = (char)name[i];
    fw.opened[i] = 0;
    *file = &fw.file;
    return strstr(fw.opened, "none") ? EFI_NOT_FOUND : EFI_SUCCESS;
}

static u64 close_file(struct efi_file *this)
{
    return EFI_SUCCESS;
}

// At most three bytes at a time.
static u64 read_file(struct efi_file *this, u64 *size, void *to)
{
    u64 left = fw.file_size - fw.n_read;
    *size = *size > 3 ? 3 : *size;
    *size = *size > left ? left : *size;
    memset(to, 'x', *size);
    fw.n_read += *size;
    return EFI_SUCCESS;
}

static u64 allocate_pool(u32 type, u64 size, void **p)
{
    if (fw.n_pool == ARRAY_LEN(fw.pool) || size > sizeof(fw.pool[0]))
        return EFI_OUT_OF_RESOURCES;
    *p = fw.pool[fw.n_pool++];
    return EFI_SUCCESS;
}

static u64 free_pool(void *p)
{
    return EFI_SUCCESS;
}

static u64 load_image(u8 is_by_boot_manager, void *parent, struct efi_device_path *path,
                      void *source, u64 source_size, void **image)
{
    memcpy(fw.next_path, path, sizeof(fw.pool[0]));
    *image = NEXT;
    return EFI_SUCCESS;
}

static u64 start_image(void *image, u64 *exit_size, u16 **exit_data)
{
    return image == NEXT ? 77 : 0;
}

static u8 *add_node(u8 *to, u8 type, u8 subtype, const char *text, bool has_nul)
{
    u32 n = text ? (u32)strlen(text) + has_nul : 0;
    u8 head[] = {type, subtype, (u8)(4 + 2 * n), (u8)((4 + 2 * n) >> 8)};
    memcpy(to, head, 4);
    for (u32 i = 0; i < n; i++)
        store_le(to + 4 + 2 * i, (u8)text[i], 2);
    return to + 4 + 2 * n;
}

static void set_up(struct files *f, const char *part, const char *second, bool has_nul)
{
    memset(&fw, 0, sizeof(fw));
    fw.boot.handle_protocol = handle_protocol;
    fw.boot.allocate_pool = allocate_pool;
    fw.boot.free_pool = free_pool;
    fw.boot.load_image = load_image;
    fw.boot.start_image = start_image;
    fw.fs.open_volume = open_volume;
    fw.root = fw.file =
        (struct efi_file){.open = open_file, .close = close_file, .read = read_file};
    fw.loaded.device = DEVICE;
    fw.loaded.path = (void *)fw.path;
    u8 *end = add_node(fw.device_path, 1, 1, "ab", false);
    add_node(end, 0x7f, 0xff, NULL, false);
    end = add_node(fw.path, 4, 4, part, has_nul);
    end = second ? add_node(end, 4, 4, second, has_nul) : end;
    add_node(end, 0x7f, 0xff, NULL, false);
    CHECK_EQ(files_open(f, &fw.boot, IMAGE), EFI_SUCCESS);
}

static bool opens(const char *part, const char *second, const char *name, const char *wanted)
{
    struct files f;
    u8 data[16];
    bool is_good = true;
    for (unsigned has_nul = 0; has_nul < 2; has_nul++) {
        u64 size = sizeof(data);
        set_up(&f, part, second, has_nul);
        is_good = is_good && !files_read(&f, name, data, &size) && !strcmp(fw.opened, wanted);
    }
    return is_good;
}

TEST(names_are_of_the_folder_or_the_volume)
{
    CHECK(opens("\\EFI\\BOOT\\X.EFI", NULL, "a.cfg", "\\EFI\\BOOT\\a.cfg"));
    CHECK(opens("\\EFI\\hv", "hv.efi", "a.cfg", "\\EFI\\hv\\a.cfg"));
    CHECK(opens("\\EFI\\hv\\", "hv.efi", "a.cfg", "\\EFI\\hv\\a.cfg"));
    CHECK(opens("\\EFI\\hv", "\\hv.efi", "b/a.cfg", "\\EFI\\hv\\b\\a.cfg"));
    CHECK(opens("\\EFI\\BOOT\\X.EFI", NULL, "\\a", "\\a"));
    CHECK(opens("\\EFI\\BOOT\\X.EFI", NULL, "/b/a", "\\b\\a"));
    CHECK(opens("X.EFI", NULL, "a", "a"));
}

TEST(files_are_read_whole_or_as_far_as_there_is_room)
{
    struct files f;
    u8 data[16];
    for (u64 n = 0; n < 40; n++) {
        u64 size = sizeof(data);
        set_up(&f, "\\x", NULL, true);
        fw.file_size = n;
        CHECK_EQ(files_read(&f, "a", data, &size), EFI_SUCCESS);
        CHECK_EQ(size, n < sizeof(data) ? n : sizeof(data));
    }
    u64 size = sizeof(data);
    CHECK_EQ(files_read(&f, "none", data, &size), EFI_NOT_FOUND);
}

TEST(long_and_broken_paths)
{
    struct files f;
    char name[PATH_SIZE + 40];
    u8 data[16];
    u64 size = sizeof(data);
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = 0;
    set_up(&f, name, "b", true);
    CHECK_EQ(files_read(&f, name, data, &size), EFI_NOT_FOUND);
    name[PATH_SIZE - 1] = 0;
    set_up(&f, name, NULL, true);
    CHECK_EQ(files_read(&f, name, data, &size), EFI_SUCCESS);
    for (unsigned length = 0; length < 4; length++) { // a node that does not hold its own head
        set_up(&f, "\\b\\c", NULL, true);
        fw.path[2] = (u8)length;
        CHECK_EQ(files_read(&f, "a", data, &size), EFI_SUCCESS);
        CHECK(!strcmp(fw.opened, "a"));
    }
}

TEST(programs_are_started_with_options)
{
    static const u8 wanted[] = {1, 1,    8, 0,   'a', 0, 'b', 0,    4,    4, 10,
                                0, '\\', 0, 'n', 0,   0, 0,   0x7f, 0xff, 4, 0};
    struct files f;
    set_up(&f, "\\x", NULL, true);
    CHECK_EQ(files_start(&f, "/n", "a=1 b"), 77);
    CHECK(!memcmp(fw.next_path, wanted, sizeof(wanted)));
    CHECK_EQ(fw.next.options_size, 12);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(fw.next.options[i], (u8) "a=1 b"[i]);
    set_up(&f, "\\x", NULL, true);
    CHECK_EQ(files_start(&f, "n", ""), 77);
    CHECK_EQ(fw.next.options_size, 0);
}
