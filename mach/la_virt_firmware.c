// SPDX-License-Identifier: Apache-2.0
// Boots firmware (EDK2 for this board): all cores start in flash 0. Firmware finds a device tree at
// VIRT_FDT_BASE and everything else in fw_cfg: the memory map, ACPI and SMBIOS tables, boot order,
// and kernel, initrd and command line if there are any.
#include "mach/la_virt.h"

#include "base/bits.h"
#include "base/bug.h"
#include "dev/cfi_flash.h"
#include "dev/fw_cfg.h"
#include "mach/boot_order.h"
#include "mach/kernel_parse.h"
#include "mach/la_virt_fdt.h"
#include "mach/la_virt_map.h"

#include <string.h>

#define KERNEL_MAX_FILE (1ULL << 30)
#define INITRD_MAX_FILE 0xffffffffULL // fw_cfg counts in 32 bits

bool la_virt_has_firmware(const struct machine *m)
{
    return m->config->bios || m->flash[0].file;
}

// What processors would execute as nonsense, silently. A program of this processor could be meant.
static bool check_firmware(const struct cfi_flash *f, struct err *e)
{
    static const char *const wanted = "firmware is an image of flash memory, as QEMU_EFI.fd is";
    if (f->file_size >= 4 && !memcmp(f->memory, "\177ELF", 4))
        return err_set(e, "'%s' is an ELF program; %s", f->file, wanted);
    if (f->file_size >= 2 && !memcmp(f->memory, "MZ", 2))
        return err_set(e, "'%s' is an EFI image; a kernel is given with -kernel", f->file);
    if (f->file_size && kernel_is_text(f->memory, f->file_size))
        return err_set(e, "'%s' is a text file; %s", f->file, wanted);
    return true;
}

bool la_virt_add_flash(struct machine *m, unsigned bank, const char *file, bool is_readonly,
                       struct err *e)
{
    struct device *d = machine_add_device(m, &cfi_flash_type, e);
    if (!d)
        return false;
    struct cfi_flash *f = cfi_flash_of(d);
    f->is_readonly = is_readonly;
    bool ok = (!file || device_set(d, "file", file, e)) &&
              machine_map(m, d, &f->region, bank ? VIRT_FLASH1_BASE : VIRT_FLASH0_BASE, e) &&
              (bank || check_firmware(f, e));
    return ok || err_context(e, bank ? "flash 1" : "firmware");
}

static bool add_flashes(struct machine *m, struct err *e)
{
    const struct machine_flash *code = &m->flash[0], *vars = &m->flash[1];
    const char *bios = m->config->bios;
    return la_virt_add_flash(m, 0, bios ? bios : code->file, bios || code->is_readonly, e) &&
           la_virt_add_flash(m, 1, vars->file, vars->is_readonly, e);
}

static bool add_fdt(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct la_virt_fdt board = {.n_cpus = la_virt_n_cpus(m)};
    struct acpi_memory memory[2];
    board.n_memory = la_virt_memory(m, memory);
    for (unsigned i = 0; i < board.n_memory; i++)
        board.memory[i] = (struct la_virt_fdt_memory){memory[i].base, memory[i].size};
    size_t size;
    v->fdt = la_virt_fdt_build(&board, &size);
    struct boot_piece p = {.name = "the device tree",
                           .base = VIRT_FDT_BASE,
                           .size = size,
                           .data = v->fdt,
                           .data_size = size};
    return boot_image_add(&v->image, &m->mem, &p, e);
}

static bool add_file(struct machine *m, const char *name, const struct bytes *b, struct err *e)
{
    return fw_cfg_add_file(la_virt_of(m)->fw_cfg, name, b->data, b->size, e);
}

// RAM ranges: {u64 base, u64 size, u32 type, u32 0}.
static bool add_memory_map(struct machine *m, struct err *e)
{
    enum { TYPE_RAM = 1 };

    struct acpi_memory memory[2];
    unsigned n = la_virt_memory(m, memory);
    struct bytes b = {0};
    u64 total = 0;
    for (unsigned i = 0; i < n; i++) {
        bytes_put(&b, memory[i].base, 8);
        bytes_put(&b, memory[i].size, 8);
        bytes_put(&b, TYPE_RAM, 8);
        total += memory[i].size;
    }
    fw_cfg_add_u64(la_virt_of(m)->fw_cfg, FW_CFG_RAM_SIZE, total);
    bool ok = add_file(m, "etc/memmap", &b, e);
    bytes_free(&b);
    return ok;
}

static bool add_acpi(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct bytes commands = {0};
    la_virt_acpi(m, &v->acpi);
    acpi_loader_commands(&v->acpi, &commands);
    bool ok = add_file(m, "etc/acpi/tables", &v->acpi.tables, e) &&
              fw_cfg_add_file(v->fw_cfg, "etc/acpi/rsdp", v->acpi.rsdp, ACPI_RSDP_SIZE, e) &&
              add_file(m, "etc/table-loader", &commands, e);
    bytes_free(&commands);
    return ok;
}

// Firmware chooses the address.
static bool add_smbios(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    u8 anchor[SMBIOS_ANCHOR_SIZE];
    la_virt_smbios(m, &v->smbios);
    smbios_anchor(anchor, 0, v->smbios.size);
    return add_file(m, "etc/smbios/smbios-tables", &v->smbios, e) &&
           fw_cfg_add_file(v->fw_cfg, "etc/smbios/smbios-anchor", anchor, sizeof(anchor), e);
}

static bool add_boot_order(struct machine *m, struct err *e)
{
    struct bytes b = {0};
    bool ok = boot_order_put(m, &b, e) && (!b.size || add_file(m, "bootorder", &b, e));
    bytes_free(&b);
    return ok;
}

// The firmware unpacks and starts the kernel itself.
static bool add_kernel(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    const struct machine_config *c = m->config;
    struct boot_file *k = &v->kernel_file;
    if (!boot_file_read(k, "kernel", c->kernel, KERNEL_MAX_FILE, e))
        return false;
    if (!kernel_image_check_efi(k->data, k->size, e))
        return err_context(e, "kernel '%s'", c->kernel);
    fw_cfg_add_u32(v->fw_cfg, FW_CFG_KERNEL_SIZE, (u32)k->size);
    fw_cfg_add_borrowed(v->fw_cfg, FW_CFG_KERNEL_DATA, k->data, (u32)k->size);
    fw_cfg_add_u32(v->fw_cfg, FW_CFG_SETUP_SIZE, 0);
    if (c->append) {
        fw_cfg_add_u32(v->fw_cfg, FW_CFG_CMDLINE_SIZE, (u32)strlen(c->append) + 1);
        fw_cfg_add_string(v->fw_cfg, FW_CFG_CMDLINE_DATA, c->append);
    }
    return true;
}

static bool add_initrd(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct boot_file *i = &v->initrd_file;
    if (!boot_file_read(i, "initrd", m->config->initrd, INITRD_MAX_FILE, e))
        return false;
    fw_cfg_add_u32(v->fw_cfg, FW_CFG_INITRD_SIZE, (u32)i->size);
    fw_cfg_add_borrowed(v->fw_cfg, FW_CFG_INITRD_DATA, i->data, (u32)i->size);
    return true;
}

static bool add_fw_cfg(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct device *d = machine_add_device(m, &fw_cfg_type, e);
    if (!d)
        return false;
    v->fw_cfg = fw_cfg_of(d);
    if (!machine_map(m, d, &v->fw_cfg->region, VIRT_FW_CFG_BASE, e))
        return false;
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_NB_CPUS, (u16)la_virt_n_cpus(m));
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_MAX_CPUS, (u16)la_virt_n_cpus(m));
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_NOGRAPHIC, 1);
    fw_cfg_add_u16(v->fw_cfg, FW_CFG_BOOT_MENU, 0);
    return add_memory_map(m, e) && add_acpi(m, e) && add_smbios(m, e) && add_boot_order(m, e);
}

bool la_virt_boot_firmware(struct machine *m, struct err *e)
{
    return add_flashes(m, e) && add_fdt(m, e) && add_fw_cfg(m, e) &&
           (!m->config->kernel || add_kernel(m, e)) && (!m->config->initrd || add_initrd(m, e));
}
