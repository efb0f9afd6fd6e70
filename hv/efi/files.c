// SPDX-License-Identifier: Apache-2.0
#include "hv/efi/files.h"
#include "hv/text.h"

static const struct efi_guid loaded_image = {
    0x5b1b31a1, 0x9562, 0x11d2, {0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid file_system = {
    0x964e5b22, 0x6459, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};
static const struct efi_guid device_path = {
    0x09576e91, 0x6d3f, 0x11d2, {0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b}};

u64 files_open(struct files *f, struct efi_boot_services *boot, void *image)
{
    f->boot = boot;
    f->image = image;
    f->path[0] = 0;
    return boot->handle_protocol(image, &loaded_image, (void **)&f->loaded);
}

static u32 length_of(const struct efi_device_path *p)
{
    return p->length[0] | (u32)p->length[1] << 8;
}

static struct efi_device_path *behind(struct efi_device_path *p)
{
    return (struct efi_device_path *)((u8 *)p + length_of(p));
}

static bool is_end(const struct efi_device_path *p)
{
    return p->type == EFI_DEVICE_PATH_END || length_of(p) < sizeof(*p);
}

static bool is_file(const struct efi_device_path *p)
{
    return p->type == EFI_DEVICE_PATH_MEDIA && p->subtype == EFI_DEVICE_PATH_FILE;
}

// A path may be split into nodes at any backslash, which is then written or not.
static u32 add_part(struct files *f, u32 n, const struct efi_device_path *p)
{
    const u8 *text = (const u8 *)(p + 1);
    u32 size = (length_of(p) - (u32)sizeof(*p)) / 2;
    if (n && f->path[n - 1] != '\\' && size && text[0] != '\\')
        f->path[n++] = '\\';
    for (u32 i = 0; i < size && n + 2 < PATH_SIZE; i++) {
        u16 c = (u16)(text[2 * i] | text[2 * i + 1] << 8);
        if (!c)
            break;
        f->path[n++] = c;
    }
    return n;
}

// The application's own path, up to the last backslash. Returns its length.
static u32 own_folder(struct files *f)
{
    u32 n = 0;
    for (struct efi_device_path *p = f->loaded->path; p && !is_end(p); p = behind(p))
        n = is_file(p) ? add_part(f, n, p) : n;
    while (n && f->path[n - 1] != '\\')
        n--;
    return n;
}

static bool find_path(struct files *f, const char *name)
{
    u32 n = *name == '\\' || *name == '/' ? 0 : own_folder(f);
    for (; *name && n + 1 < PATH_SIZE; name++)
        f->path[n++] = *name == '/' ? '\\' : (u8)*name;
    f->path[n] = 0;
    return !*name;
}

static u64 read_all(struct efi_file *file, void *to, u64 *size)
{
    u64 n = 0, status = EFI_SUCCESS;
    while (n < *size && !status) {
        u64 more = *size - n;
        status = file->read(file, &more, (u8 *)to + n);
        if (!more)
            break;
        n += more;
    }
    *size = n;
    return status;
}

u64 files_read(struct files *f, const char *name, void *to, u64 *size)
{
    struct efi_file_system *fs;
    struct efi_file *root, *file;
    u64 status = f->boot->handle_protocol(f->loaded->device, &file_system, (void **)&fs);
    if (status || !find_path(f, name))
        return EFI_NOT_FOUND;
    status = fs->open_volume(fs, &root);
    if (status)
        return status;
    status = root->open(root, &file, f->path, EFI_FILE_MODE_READ, 0);
    root->close(root);
    if (status)
        return status;
    status = read_all(file, to, size);
    file->close(file);
    return status;
}

static u32 size_of_path(struct efi_device_path *p)
{
    u32 n = 0;
    for (; !is_end(p); p = behind(p))
        n += length_of(p);
    return n;
}

static u8 *add_node(u8 *to, u8 type, u8 subtype, const void *data, u32 size)
{
    u32 length = size + (u32)sizeof(struct efi_device_path);
    to[0] = type;
    to[1] = subtype;
    to[2] = (u8)length;
    to[3] = (u8)(length >> 8);
    memcpy(to + sizeof(struct efi_device_path), data, size);
    return to + length;
}

// The volume's path, then the file, then the end. The firmware gets to keep it.
static u64 make_path(struct files *f, struct efi_device_path **made)
{
    struct efi_device_path *device;
    u32 n = 0, before;
    u64 status = f->boot->handle_protocol(f->loaded->device, &device_path, (void **)&device);
    if (status)
        return status;
    while (f->path[n])
        n++;
    before = size_of_path(device);
    status = f->boot->allocate_pool(EFI_LOADER_DATA, before + sizeof(f->path) + 8, (void **)made);
    if (status)
        return status;
    memcpy(*made, device, before);
    u8 *end = add_node((u8 *)*made + before, EFI_DEVICE_PATH_MEDIA, EFI_DEVICE_PATH_FILE, f->path,
                       2 * (n + 1));
    add_node(end, EFI_DEVICE_PATH_END, EFI_DEVICE_PATH_END_WHOLE, f->path, 0);
    return EFI_SUCCESS;
}

// In memory that stays: the program may look at them as long as it runs.
static u64 set_options(struct files *f, void *program, const char *options)
{
    struct efi_loaded_image *loaded;
    u32 n = (u32)strlen(options) + 1;
    u64 status = f->boot->handle_protocol(program, &loaded_image, (void **)&loaded);
    if (status || n == 1)
        return status;
    status = f->boot->allocate_pool(EFI_LOADER_DATA, 2 * n, (void **)&loaded->options);
    if (status)
        return status;
    loaded->options_size = 2 * n;
    for (u32 i = 0; i < n; i++)
        loaded->options[i] = (u8)options[i];
    return EFI_SUCCESS;
}

u64 files_start(struct files *f, const char *name, const char *options)
{
    struct efi_device_path *path;
    void *program;
    u64 status = find_path(f, name) ? make_path(f, &path) : EFI_NOT_FOUND;
    if (status)
        return status;
    status = f->boot->load_image(false, f->image, path, NULL, 0, &program);
    f->boot->free_pool(path);
    status = status ? status : set_options(f, program, options);
    return status ? status : f->boot->start_image(program, NULL, NULL);
}
