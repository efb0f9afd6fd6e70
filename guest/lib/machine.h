// SPDX-License-Identifier: Apache-2.0
// What every architecture's library gives beside its own headers.
#pragma once

_Noreturn void machine_power_off(void);
// From the start again, as when power came on.
_Noreturn void machine_reset(void);
