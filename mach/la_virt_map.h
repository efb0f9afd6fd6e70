// SPDX-License-Identifier: Apache-2.0
// The board `virt`: physical addresses and interrupt pins. Boot tables, firmware and devices all
// read them from here.
#pragma once

#define VIRT_LOW_RAM_SIZE  0x10000000ULL // at 0; the rest of RAM is at VIRT_HIGH_RAM_BASE
#define VIRT_HIGH_RAM_BASE 0x80000000ULL

#define VIRT_PCH_PIC_BASE    0x10000000ULL
#define VIRT_PCH_PIC_SIZE    0x1000ULL
#define VIRT_DMA_CONFIG_BASE 0x1001041cULL
#define VIRT_RTC_BASE        0x100d0100ULL
#define VIRT_RTC_SIZE        0x100ULL
#define VIRT_GED_BASE        0x100e0000ULL // event register; +0x1c sleep control, status, reset
#define VIRT_GED_SLEEP       0x100e001cULL
#define VIRT_GED_STATUS      0x100e001dULL
#define VIRT_GED_RESET       0x100e001eULL
#define VIRT_PLATFORM_BASE   0x16000000ULL // window that EDK2 knows; nothing is in it
#define VIRT_PLATFORM_SIZE   0x02000000ULL

// PCI I/O port p is at VIRT_PIO_BASE + p. The ports below VIRT_PIO_FIRST are the ISA window:
// nothing is there, and it reads as all ones.
#define VIRT_PIO_BASE  0x18000000ULL
#define VIRT_PIO_FIRST 0x4000ULL
#define VIRT_PIO_LAST  0xffffULL
#define VIRT_ECAM_BASE 0x20000000ULL
#define VIRT_ECAM_SIZE 0x08000000ULL
#define VIRT_PCI_BUSES 0x80
#define VIRT_PCI_SLOTS 32
#define VIRT_PMEM_BASE 0x40000000ULL // 32-bit PCI memory window, not translated
#define VIRT_PMEM_SIZE 0x40000000ULL

#define VIRT_FLASH0_BASE 0x1c000000ULL // processors start here
#define VIRT_FLASH1_BASE 0x1d000000ULL
#define VIRT_FLASH_SIZE  0x01000000ULL
#define VIRT_FW_CFG_BASE 0x1e020000ULL
#define VIRT_FW_CFG_SIZE 0x18ULL
#define VIRT_CHIP_BASE   0x1fe00000ULL // chip configuration; the UARTs lie in it
#define VIRT_UART_BASE   0x1fe001e0ULL // UART n is at + n * VIRT_UART_STRIDE
#define VIRT_UART_STRIDE 0x100ULL
#define VIRT_UART_SIZE   8
#define VIRT_UART_CLOCK  100000000
#define VIRT_N_UARTS     4
#define VIRT_MSI_BASE    0x2ff00000ULL

// Input pins of the bridge's interrupt controller; ACPI's number is 64 more.
#define VIRT_GSI_BASE 64
#define VIRT_PIN_UART 2 // UART n: 2 + n
#define VIRT_PIN_RTC  6
#define VIRT_PIN_GED  7
#define VIRT_PIN_PCI  16 // INTx of slot s: 16 + (s + x) % 4, x = 0 for INTA
#define VIRT_N_PINS   32

// Vectors of the processor's interrupt controller that devices' messages may use.
#define VIRT_MSI_FIRST 0x40
#define VIRT_MSI_COUNT 0xc0

// What the boot loader puts into low RAM. The kernel keeps the first 2 MiB for itself.
#define VIRT_SMBIOS_BASE 0x14000ULL
#define VIRT_SMBIOS_SIZE 0x4000ULL
#define VIRT_ACPI_BASE   0x20000ULL
#define VIRT_ACPI_SIZE   0x10000ULL
#define VIRT_BOOT_END    (VIRT_ACPI_BASE + VIRT_ACPI_SIZE)
#define VIRT_FDT_BASE    0x100000ULL // for firmware
