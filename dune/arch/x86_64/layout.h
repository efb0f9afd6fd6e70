// SPDX-License-Identifier: Apache-2.0
// Where things are in a guest's address space that are no part of the program, and the selectors
// of its descriptor tables. Everything above SPACE_END is out of the program's reach but for one
// page of entry code that it may execute and one page that it may write to, which is the door.
#pragma once

#define GUEST_ENTRY_PAGE 0x500000100000ULL // readable and executable in ring 3
#define GUEST_DOOR_PAGE  0x500000200000ULL // writable in ring 3; behind it is nothing
#define GUEST_DOOR_GPA   0x1000ULL
// Of a process that entered by itself: the vCPUs' pages once more, for ring 3.
#define GUEST_UPCALL_PAGES 0x500000400000ULL
#define GUEST_UPCALL_AREA  0xe00ULL              // in such a page; its stack is below
#define GUEST_KERNEL       0xffff888000000000ULL // ring 0 only, from here on
#define GUEST_STUBS        GUEST_KERNEL          // 256 gates of 16 bytes
#define GUEST_IDT          (GUEST_KERNEL + 0x1000)
#define GUEST_RETURNS      (GUEST_KERNEL + 0x2000) // system call entry, sysretq, iretq
#define GUEST_UPCALL_IDT   (GUEST_KERNEL + 0x3000)
#define GUEST_VCPU_PAGES   (GUEST_KERNEL + 0x100000)

// Within GUEST_RETURNS.
#define GUEST_SYSCALL (GUEST_RETURNS + 0x00)
#define GUEST_SYSRET  (GUEST_RETURNS + 0x01)
#define GUEST_IRET    (GUEST_RETURNS + 0x10)
#define GUEST_UPCALL  (GUEST_RETURNS + 0x20) // the gate of page faults in GUEST_UPCALL_IDT
// Within GUEST_ENTRY_PAGE.
#define GUEST_PROBE     (GUEST_ENTRY_PAGE + 0x00)
#define GUEST_DOOR_CODE (GUEST_ENTRY_PAGE + 0x40)

enum {
    SELECTOR_KERNEL_CODE = 0x10,
    SELECTOR_KERNEL_DATA = 0x18,
    SELECTOR_USER_DATA = 0x2b,
    SELECTOR_USER_CODE = 0x33,
    SELECTOR_TSS = 0x40,
};
