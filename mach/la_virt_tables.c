// SPDX-License-Identifier: Apache-2.0
// What the board's tables say about one machine.
#include "mach/la_virt.h"

#include "base/bits.h"
#include "mach/la_virt_map.h"

unsigned la_virt_n_cpus(const struct machine *m)
{
    return m->config->n_cpus ? m->config->n_cpus : 1;
}

// The first, and those that lead somewhere: a kernel takes 20 ms to find out what each one is.
static u32 serial_ports(const struct machine *m)
{
    u32 ports = 1;
    for (unsigned i = 0; i < VIRT_N_UARTS; i++)
        if (m->config->serials[i])
            ports |= BIT(i);
    return ports;
}

void la_virt_acpi(const struct machine *m, struct acpi_tables *t)
{
    struct acpi_board board = {.n_cpus = la_virt_n_cpus(m), .serial_ports = serial_ports(m)};
    board.n_memory = la_virt_memory(m, board.memory);
    acpi_build(t, &board);
}

void la_virt_smbios(const struct machine *m, struct bytes *tables)
{
    struct smbios_board board = {
        .name = m->board->name, .version = LH_VERSION, .n_cpus = la_virt_n_cpus(m)};
    struct acpi_memory memory[2];
    board.n_memory = la_virt_memory(m, memory);
    for (unsigned i = 0; i < board.n_memory; i++)
        board.memory[i] = (struct smbios_memory){memory[i].base, memory[i].size};
    smbios_build(tables, &board);
}
