// SPDX-License-Identifier: Apache-2.0
// Where things are in a guest that are no part of the program; for C and assembly.
//
// PLV0 reaches all guest-physical memory through a direct-mapped window, so that nothing of the
// guest's kernel is in page tables. The program may execute one page of ours.
#pragma once

#define GUEST_WINDOW 0x9000000000000000 // DMW0: PLV0 only, cached

// The page of code that PLV0 executes, from its start.
#define STUB_EXCEPTION 0      // EENTRY, with ECFG.VS = 0
#define STUB_REFILL    0x1000 // TLBRENTRY
#define STUB_SIZE      0x2000

// The program's page: what handlers return to, a system call to try, and what vectors there are.
#define GUEST_ENTRY_PAGE 0x500000100000
#define GUEST_SIGRETURN  (GUEST_ENTRY_PAGE + 0)
#define GUEST_PROBE      (GUEST_ENTRY_PAGE + 0x40)
#define GUEST_VECTORS    (GUEST_ENTRY_PAGE + 0x80) // 0: none, 1: LSX, 2: LASX
#define GUEST_DOOR_GPA   0x1000                    // behind it is nothing
#define GUEST_DOOR_IOCSR 0x4c48                    // a register that nobody has

// struct mailbox, of each vCPU.
#define BOX_PC      256
#define BOX_ESTAT   264
#define BOX_BADV    272
#define BOX_PRMD    280
#define BOX_AT_DOOR 288
#define BOX_FLUSH   296
#define BOX_ADDRESS 304
#define BOX_ROOT    312
#define BOX_DOOR    320
#define BOX_LEVEL   328
#define BOX_UPCALL  336
#define BOX_PLAN    344

// Behind it in the same page: what a handler is called for without an exit, see upcall.c. At the
// page's end is the stack of the code that calls it.
#define AREA          0x400
#define AREA_PC       (AREA + 256)
#define AREA_ADDRESS  (AREA + 264)
#define AREA_ECODE    (AREA + 272)
#define AREA_STATE    (AREA + 280)
#define AREA_PENDING  (AREA + 284)
#define AREA_FLUSH    (AREA + 288)
#define AREA_ENTRY    (AREA + 296)
#define AREA_FUNCTION (AREA + 304)
#define AREA_OPAQUE   (AREA + 312)
#define AREA_PAGE     0x4000

// AREA_STATE.
#define UPCALL_IDLE       0
#define UPCALL_BEGINS     1 // a handler is to be called
#define UPCALL_IN_HANDLER 2
#define UPCALL_ENDS       3 // and the thread goes on with what the area says

// struct upcall_plan: one bit for each exception, one byte for each number of a system call.
#define PLAN_CODES   0
#define PLAN_CALLS   8
#define PLAN_N_CALLS 512
