// SPDX-License-Identifier: Apache-2.0
// What else is on the board: holes in the address map, the chip's registers by instruction and by
// address, fw_cfg, the PCI host bridge, the event device.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/fw_cfg.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

#define PCI_ABSENT 0xffffffffu

static u64 read_all_widths(u64 physical, u64 b, u64 c)
{
    bool ones = device_read8(physical) == 0xff && device_read16(physical) == 0xffff &&
                device_read32(physical) == ~0u && device_read64(physical) == ~0ULL;
    device_write8(physical, 0);
    device_write16(physical, 0);
    device_write32(physical, 0);
    device_write64(physical, 0);
    return ones && device_read64(physical) == ~0ULL;
}

static void test_holes(void)
{
    static const struct {
        u64 address;
        const char *name;
    } holes[] = {
        {BOARD_ISA, "ISA window"},
        {BOARD_ISA + 0x60, "keyboard controller that is not there"},
        {BOARD_ISA + 0x3ff8, "end of the ISA window"},
        {0x11000000, "above the bridge's interrupt controller"},
        {0x16000000, "platform bus"},
        {0x1e030000, "above fw_cfg"},
        {0x30000000, "below the PCI window"},
        {0x7f000000, "PCI window without device"},
        {0x4000000000, "above RAM"},
        {0x7ffffffffff8, "far above RAM"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(holes); i++) {
        struct trap t = trap_call(0, read_all_widths, holes[i].address, 0, 0);
        report_trap(&t, EXC_NONE, "%s raises nothing", holes[i].name);
        report_eq(t.value, 1, "%s reads all ones and ignores writes", holes[i].name);
    }
}

// Constants of the chip: by instruction in every width, and by both addresses.
static void test_chip_constants(void)
{
    static const struct {
        const char *name;
        u32 offset;
        u64 mask, value;
    } regs[] = {
        {"version", 0x0, 0xff, 0x11},
        {"features", 0x8, BIT(2) | BIT(3) | BIT(4) | BIT(11), BIT(2) | BIT(3) | BIT(4)},
        {"vendor", 0x10, ~0ULL, 0x6e6f73676e6f6f4c},
        {"name", 0x20, ~0ULL, 0x0000303030354133},
    };
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        u64 d = iocsr_read_d(regs[i].offset);
        report_eq(d & regs[i].mask, regs[i].value, "chip: %s", regs[i].name);
        report_eq(iocsr_read_w(regs[i].offset), (u64)(s64)(s32)d, "chip: %s as a word",
                  regs[i].name);
        report_eq(iocsr_read_h(regs[i].offset), (u64)(s64)(s16)d, "chip: %s as a half",
                  regs[i].name);
        report_eq(iocsr_read_b(regs[i].offset), (u64)(s64)(s8)d, "chip: %s as a byte",
                  regs[i].name);
        report_eq(device_read64(BOARD_CHIP + regs[i].offset), d, "chip: %s by address",
                  regs[i].name);
        report_eq(device_read64(0x3ff00000 + regs[i].offset), d, "chip: %s by the other address",
                  regs[i].name);
        iocsr_write_d(regs[i].offset, ~d);
        report_eq(iocsr_read_d(regs[i].offset), d, "chip: %s is read-only", regs[i].name);
    }
}

// Registers that keep what they are given, the same from both sides.
static void test_chip_storage(void)
{
    static const u16 offsets[] = {0x188, 0x420, 0x14a0, 0x14c0, 0x1600, 0x1680, 0x1c00, 0x1038};
    for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
        u64 before = iocsr_read_d(offsets[i]);
        iocsr_write_w(offsets[i], before ^ 0x5500);
        report_eq(device_read32(BOARD_CHIP + offsets[i]), (u32)before ^ 0x5500,
                  "chip register 0x%x: written by instruction, read by address", offsets[i]);
        device_write32(BOARD_CHIP + offsets[i], (u32)before);
        report_eq(iocsr_read_d(offsets[i]), before,
                  "chip register 0x%x: written by address, read by instruction", offsets[i]);
    }
    report_eq(iocsr_read_d(0x3000), 0, "an absent chip register reads 0");
}

struct fw_cfg_dma {
    u32 control, length;
    u64 address;
};

static u32 swap32(u32 v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static u64 swap64(u64 v)
{
    return (u64)swap32((u32)v) << 32 | swap32((u32)(v >> 32));
}

// All fields are big-endian; the control word reads 0 when it is done.
static u32 fw_cfg_dma(u32 control, void *to, u32 length)
{
    static volatile struct fw_cfg_dma d __attribute__((aligned(16)));
    d.control = swap32(control);
    d.length = swap32(length);
    d.address = swap64(physical_of(to));
    device_write64(BOARD_FW_CFG + 16, swap64(physical_of((void *)&d)));
    return swap32(d.control);
}

static void test_fw_cfg(void)
{
    static char text[64] __attribute__((aligned(16)));
    if (args_has("direct") && !fw_cfg_exists()) {
        report_skip("a kernel that is entered directly gets none", "fw_cfg");
        return;
    }
    fw_cfg_select(0);
    report_eq(device_read8(BOARD_FW_CFG), 'Q', "fw_cfg: signature by bytes, first");
    report_eq(device_read8(BOARD_FW_CFG), 'E', "fw_cfg: second");
    report_eq(device_read16(BOARD_FW_CFG), 'M' | 'U' << 8, "fw_cfg: the rest as a half word");
    report_eq(device_read8(BOARD_FW_CFG), 0, "fw_cfg: behind the end is 0");
    fw_cfg_select(0);
    report_eq(device_read32(BOARD_FW_CFG), 0x554d4551, "fw_cfg: as a word");
    fw_cfg_select(1);
    report_eq(device_read32(BOARD_FW_CFG), 3, "fw_cfg: it has DMA");
    report_eq(device_read64(BOARD_FW_CFG + 16), 0x47464320554d4551, "fw_cfg: DMA register");
    memset(text, 'x', sizeof(text));
    report_eq(fw_cfg_dma(0 << 16 | 8 | 2, text, 4), 0, "fw_cfg: DMA read");
    report(!memcmp(text, "QEMUx", 5), "fw_cfg: the signature by DMA");
    report_eq(fw_cfg_dma(0 << 16 | 8 | 4, NULL, 2), 0, "fw_cfg: DMA skip");
    report_eq(fw_cfg_dma(2, text, 2), 0, "fw_cfg: DMA goes on");
    report(!memcmp(text, "MU", 2), "fw_cfg: where the skip ended");
    fw_cfg_select(0x19);
    u32 n_files = swap32(device_read32(BOARD_FW_CFG));
    report(n_files > 0 && n_files < 1000, "fw_cfg: a directory of %u files", n_files);
    fw_cfg_select(0x3fff);
    report_eq(device_read8(BOARD_FW_CFG), 0, "fw_cfg: an unknown key reads 0");
}

static u64 pci_address(unsigned bus, unsigned slot, unsigned function, unsigned reg)
{
    return BOARD_ECAM + (bus << 20 | slot << 15 | function << 12 | reg);
}

static void test_pci(void)
{
    unsigned n_devices = 0, n_bad_class = 0, n_other_functions = 0;
    report_eq(device_read32(pci_address(0, 0, 0, 0)), 0x00081b36, "PCI: host bridge");
    report_eq(device_read16(pci_address(0, 0, 0, 10)), 0x0600, "PCI: its class");
    report_eq(device_read8(pci_address(0, 0, 0, 3)), 0x00, "PCI: a byte of its identity");
    report_eq(device_read16(pci_address(0, 0, 0, 2)), 0x0008, "PCI: a half word");
    for (unsigned slot = 0; slot < 32; slot++) {
        u32 id = device_read32(pci_address(0, slot, 0, 0));
        if (id == PCI_ABSENT) {
            n_other_functions += device_read32(pci_address(0, slot, 5, 0)) != PCI_ABSENT;
            continue;
        }
        n_devices++;
        n_bad_class += device_read32(pci_address(0, slot, 0, 8)) == PCI_ABSENT;
    }
    report(n_devices >= 1, "PCI: %u devices on bus 0", n_devices);
    report_eq(n_bad_class, 0, "PCI: each has a class");
    report_eq(n_other_functions, 0, "PCI: no functions where there is no device");
    u64 absent = pci_address(0, 31, 7, 0x10);
    report_eq(device_read32(absent), PCI_ABSENT, "PCI: an absent device reads all ones");
    device_write32(absent, 0);
    report_eq(device_read32(absent), PCI_ABSENT, "PCI: and ignores writes");
    report_eq(device_read32(pci_address(0x7f, 0, 0, 0)), PCI_ABSENT, "PCI: last bus");
    u64 id = pci_address(0, 0, 0, 0);
    device_write32(id, 0);
    report_eq(device_read32(id), 0x00081b36, "PCI: the identity is read-only");
}

static void test_event_device(void)
{
    report_eq(device_read32(BOARD_GED), 0, "event device: no event");
    report_eq(device_read8(BOARD_GED_STATUS), 0, "event device: sleep status");
    device_write8(BOARD_GED_SLEEP, 0x14);
    report(true, "event device: a sleep type without its enable does nothing");
    device_write8(BOARD_GED_RESET, 0x41);
    report(true, "event device: another value in the reset register does nothing");
}

int main(void)
{
    report_prefix_push("holes");
    test_holes();
    report_prefix_pop();
    test_chip_constants();
    test_chip_storage();
    test_fw_cfg();
    test_pci();
    test_event_device();
    return 0;
}
