// SPDX-License-Identifier: Apache-2.0
// The board `virt`: a 3A5000 with up to 64 cores, the interrupt controllers, clock and PCI Express
// of an LS7A bridge, and what firmware and kernels for virtual machines expect around them.
// Addresses and pins are in la_virt_map.h; they are those of the machine of the same name that
// distributions test with.
#include "mach/la_virt.h"

#include "base/bits.h"
#include "base/bug.h"
#include "dev/ged.h"
#include "dev/ls3_chip.h"
#include "dev/ls7a_rtc.h"
#include "dev/pch_msi.h"
#include "dev/pch_pic.h"
#include "dev/pcie_host.h"
#include "dev/uart16550.h"
#include "mach/la_virt_map.h"
#include "mach/plug.h"

#include <stdlib.h>

#define DEFAULT_RAM_SIZE (1ULL << 30)
#define MAX_RAM_SIZE     (1ULL << 40)
#define RAM_GRANULE      (1ULL << 20)

static u64 ram_size(const struct machine *m)
{
    return m->config->ram_size ? m->config->ram_size : DEFAULT_RAM_SIZE;
}

unsigned la_virt_memory(const struct machine *m, struct acpi_memory memory[2])
{
    u64 high = ram_size(m) - VIRT_LOW_RAM_SIZE;
    memory[0] = (struct acpi_memory){0, VIRT_LOW_RAM_SIZE};
    memory[1] = (struct acpi_memory){VIRT_HIGH_RAM_BASE, high};
    return high ? 2 : 1;
}

static bool make_ram(struct machine *m, struct err *e)
{
    u64 size = ram_size(m);
    if (size < VIRT_LOW_RAM_SIZE)
        return err_set(e, "-m: memory of %llu MiB: the board virt needs at least 256 MiB",
                       (unsigned long long)(size >> 20));
    if (size > MAX_RAM_SIZE)
        return err_set(e, "-m: memory of %llu MiB: the board virt has room for 1 TiB",
                       (unsigned long long)(size >> 20));
    if (size % RAM_GRANULE)
        return err_set(e, "-m: memory of %llu bytes: has to be a multiple of 1 MiB",
                       (unsigned long long)size);
    struct acpi_memory memory[2];
    unsigned n = la_virt_memory(m, memory);
    for (unsigned i = 0; i < n; i++)
        if (!mem_add_ram(&m->mem, memory[i].base, memory[i].size, i ? "high RAM" : "low RAM", e))
            return false;
    return true;
}

static void set_core_line(void *opaque, unsigned pin, bool level)
{
    struct machine *m = opaque;
    unsigned core = pin / CORE_N_LINES;
    // Lines are driven while devices are made, before there are processors.
    if (core < m->n_cpus)
        cpu_set_line(m->cpus[core], pin % CORE_N_LINES, level);
}

static bool make_chip(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    v->chip = (struct ls3_chip *)machine_add_device(m, &ls3_chip_type, e);
    if (!v->chip)
        return false;
    v->chip->n_cores = la_virt_n_cpus(m);
    v->chip->ipi_delay_ns = m->config->ipi_delay_ns;
    v->chip->cores.out = (struct irq){set_core_line, m, 0};
    if (!device_realize(&v->chip->dev, e))
        return false;
    ls3_chip_map(v->chip);
    // What is asked of these all the same, by address, is told.
    if (m->config->irqchip)
        v->chip->iocsr->banks[IOCSR_IPI] = v->chip->iocsr->banks[IOCSR_EXTIOI] = NULL;
    m->bus.iocsr_read = iocsr_read;
    m->bus.iocsr_write = iocsr_write;
    m->bus.opaque = v->chip->iocsr;
    m->bus.route = addr_window_route;
    m->bus.has_routes = addr_window_is_active;
    m->bus.route_opaque = v->chip->windows;
    return true;
}

static struct irq pic_pin(struct machine *m, unsigned pin)
{
    const struct machine_irqchip *chip = m->config->irqchip;
    if (chip)
        return (struct irq){chip->set_pin, chip->opaque, pin};
    return (struct irq){pch_pic_set_pin, la_virt_of(m)->pic, pin};
}

static bool make_pic(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    const struct machine_irqchip *chip = m->config->irqchip;
    if (chip)
        return chip->make(chip->opaque, la_virt_n_cpus(m), VIRT_PCH_PIC_BASE, e);
    v->pic = (struct pch_pic *)machine_add_device(m, &pch_pic_type, e);
    if (!v->pic)
        return false;
    v->pic->n_sources = VIRT_N_PINS;
    v->pic->message = (struct irq){ls3_chip_set_vector_line, v->chip, 0};
    return machine_map(m, &v->pic->dev, &v->pic->region, VIRT_PCH_PIC_BASE, e);
}

static bool make_msi(struct machine *m, struct err *e)
{
    struct pch_msi *msi = (struct pch_msi *)machine_add_device(m, &pch_msi_type, e);
    if (!msi)
        return false;
    const struct machine_irqchip *chip = m->config->irqchip;
    msi->message = (struct irq){ls3_chip_send_vector, la_virt_of(m)->chip, 0};
    if (chip)
        msi->message = (struct irq){chip->send_vector, chip->opaque, 0};
    return machine_map(m, &msi->dev, &msi->region, VIRT_MSI_BASE, e);
}

static bool make_uarts(struct machine *m, struct err *e)
{
    for (unsigned i = 0; i < VIRT_N_UARTS; i++) {
        struct device *d = machine_add_device(m, &uart16550_type, e);
        if (!d)
            return false;
        struct uart16550 *u = uart16550_of(d);
        u->irq = pic_pin(m, VIRT_PIN_UART + i);
        u->console = m->config->serials[i];
        u->clock_hz = VIRT_UART_CLOCK;
        if (!machine_map(m, d, &u->region, VIRT_UART_BASE + i * VIRT_UART_STRIDE, e))
            return err_context(e, "serial port %u", i);
    }
    return true;
}

static bool make_clock(struct machine *m, struct err *e)
{
    struct device *d = machine_add_device(m, &ls7a_rtc_type, e);
    if (!d)
        return false;
    struct ls7a_rtc *r = ls7a_rtc_of(d);
    r->irq = pic_pin(m, VIRT_PIN_RTC);
    return machine_map(m, d, &r->region, VIRT_RTC_BASE, e);
}

static bool make_events(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    struct device *d = machine_add_device(m, &ged_type, e);
    if (!d)
        return false;
    v->ged = ged_of(d);
    v->ged->irq = pic_pin(m, VIRT_PIN_GED);
    return machine_map(m, d, &v->ged->region, VIRT_GED_BASE, e);
}

static bool make_pci(struct machine *m, struct err *e)
{
    struct la_virt *v = la_virt_of(m);
    v->pci = (struct pcie_host *)machine_add_device(m, device_type_find("pcie-host"), e);
    if (!v->pci)
        return false;
    v->pci->ecam_base = VIRT_ECAM_BASE;
    v->pci->ecam_buses = VIRT_PCI_BUSES;
    v->pci->mem_base = VIRT_PMEM_BASE;
    v->pci->mem_size = VIRT_PMEM_SIZE;
    v->pci->io_base = VIRT_PIO_BASE;
    v->pci->io_first_port = VIRT_PIO_FIRST;
    v->pci->io_ports = VIRT_PIO_LAST + 1;
    for (unsigned i = 0; i < PCI_N_INTX; i++)
        v->pci->bus.intx[i] = pic_pin(m, VIRT_PIN_PCI + i);
    return device_realize(&v->pci->d, e);
}

static u64 dma_config_read(void *opaque, u64 offset, unsigned size)
{
    const struct la_virt *v = opaque;
    return v->dma_config_value >> (8 * offset);
}

static void dma_config_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct la_virt *v = opaque;
    v->dma_config_value = (u32)bits_set(v->dma_config_value, 8 * (unsigned)(offset + size) - 1,
                                        8 * (unsigned)offset, value);
}

// The bridge's "PCI DMA configuration": software sets it, all DMA works regardless.
static void make_dma_config(struct machine *m)
{
    static const struct mem_io_ops ops = {.read = dma_config_read, .write = dma_config_write};
    struct la_virt *v = la_virt_of(m);
    v->dma_config = (struct mem_region){.base = VIRT_DMA_CONFIG_BASE,
                                        .size = 4,
                                        .ops = &ops,
                                        .opaque = v,
                                        .name = "ls7a-dma-config"};
    mem_add_region(&m->mem, &v->dma_config);
}

static bool make_devices(struct machine *m, struct err *e)
{
    if (!make_chip(m, e) || !make_pic(m, e) || !make_msi(m, e) || !make_uarts(m, e) ||
        !make_clock(m, e) || !make_events(m, e) || !make_pci(m, e))
        return false;
    make_dma_config(m);
    return plug_devices(m, e);
}

static bool check_boot(const struct machine *m, struct err *e)
{
    const struct machine_config *c = m->config;
    if (!c->kernel && c->initrd)
        return err_set(e, "an initrd (-initrd) is of use only with a kernel (-kernel)");
    if (!c->kernel && c->append)
        return err_set(e, "a command line (-append) is of use only with a kernel (-kernel)");
    if (c->bios && m->flash[0].file)
        return err_set(e,
                       "firmware (-bios '%s') and the drive '%s' (if=pflash,unit=0) both want "
                       "flash 0",
                       c->bios, m->flash[0].file);
    if (!c->kernel && !la_virt_has_firmware(m))
        return err_set(e, "nothing to boot: give a kernel (-kernel) or firmware (-bios)");
    return true;
}

static bool load_boot(struct machine *m, struct err *e)
{
    const struct machine_flash *vars = &m->flash[1];
    if (la_virt_has_firmware(m))
        return la_virt_boot_firmware(m, e);
    return la_virt_boot_kernel(m, e) &&
           (!vars->file || la_virt_add_flash(m, 1, vars->file, vars->is_readonly, e));
}

static bool la_virt_build(struct machine *m, struct err *e)
{
    m->board_state = calloc(1, sizeof(struct la_virt));
    BUG_ON(!m->board_state);
    return check_boot(m, e) && make_ram(m, e) && make_devices(m, e) && load_boot(m, e);
}

static void la_virt_reset(struct machine *m)
{
    struct la_virt *v = la_virt_of(m);
    v->dma_config_value = 0;
    la_virt_renew_seed(m);
    kernel_image_renew(&v->kernel);
    boot_image_load(&v->image, &m->mem);
    kernel_image_let_go(&v->kernel); // 25 MiB of a distribution's kernel
}

static void la_virt_power_button(struct machine *m)
{
    ged_press_power_button(la_virt_of(m)->ged);
}

static void la_virt_free(struct machine *m)
{
    struct la_virt *v = la_virt_of(m);
    if (!v)
        return;
    la_virt_free_boot(v);
    free(v);
    m->board_state = NULL;
}

const struct board la_virt_board = {
    .name = "virt",
    .doc = "LoongArch virtual machine: 3A5000 with LS7A interrupts, PCI Express, ACPI or firmware",
    .max_cpus = CORE_IRQ_MAX_CORES,
    .build = la_virt_build,
    .reset = la_virt_reset,
    .power_button = la_virt_power_button,
    .show_interrupts = la_virt_show_interrupts,
    .free = la_virt_free,
};
