// SPDX-License-Identifier: Apache-2.0
// Power-off and reset by the generic event device, as ACPI tables tell it.
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/machine.h"

enum { SLEEP_ENABLE = 0x20, SLEEP_TYPE_S5 = 5 << 2, RESET_VALUE = 0x42 };

static _Noreturn void stop(void)
{
    for (;;)
        __asm__ volatile("idle 0");
}

void machine_power_off(void)
{
    device_write8(BOARD_GED_SLEEP, SLEEP_ENABLE | SLEEP_TYPE_S5);
    stop();
}

void machine_reset(void)
{
    device_write8(BOARD_GED_RESET, RESET_VALUE);
    stop();
}
