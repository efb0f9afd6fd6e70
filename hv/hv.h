// SPDX-License-Identifier: Apache-2.0
// What the hypervisor keeps: processors, cells, vCPUs. One struct hv exists; everything is reached
// from a struct cpu.
//
// A vCPU runs on one processor of the machine and nowhere else. While it runs, its general
// registers are the processor's, saved in cpu.gpr during an exit, and its control registers stay in
// the guest's set of the hardware.
#pragma once

#include "base/types.h"
#include "include/longhouse/cell_blob.h"
#include "include/longhouse/control.h"

#define HV_MAX_CPUS  CONTROL_MAX_CPUS
#define HV_MAX_CELLS CONTROL_MAX_CELLS
#define HV_PAGE_SIZE 0x4000ULL
#define HV_BLOCK     0x2000000ULL // 32 MiB: what a cell's RAM is made of
#define HV_N_EVENTS  256          // of the trace, per processor
#define HV_N_REGIONS 16

struct hv;
struct cell;

enum exit_kind {
#define EXIT(name, text) EXIT_##name,
#include "include/longhouse/exits.def"
#undef EXIT
    N_EXITS
};

enum vcpu_state {
    VCPU_OFF,      // waits for somebody to start it
    VCPU_STARTING, // entry is valid; its processor starts it at the next look
    VCPU_RUNNING,
    VCPU_IDLE, // running, in `idle`
    VCPU_LENT, // its processor is another cell's
};

struct vcpu {
    struct cell *cell;
    struct cpu *cpu; // the processor that runs it, or would
    u32 index;       // what the cell calls it
    u32 state;       // enum vcpu_state; written by its processor, read by others
    u64 entry, args[3];
    u32 ipi_status; // set by any processor, atomically
    u32 ipi_enable;
    u64 mailbox[4];
    // In `idle` with nothing enabled but the interrupt between processors: what Linux's processors
    // do that have been taken offline.
    u32 is_offline;
    struct control_registers registers; // when it stopped
};

// Requests that any processor may set in cpu.pending, followed by arch_cpu_kick.
enum cpu_request {
    REQUEST_INJECT = 1, // pending interrupts of the vCPU changed
    REQUEST_STOP = 2,   // park
    REQUEST_START = 4,  // a vCPU waits in VCPU_STARTING
    REQUEST_FLUSH = 8,  // forget stage 2 of the vCPU's cell
    REQUEST_FREEZE = 16,
};

enum cpu_state { CPU_ABSENT, CPU_PARKED, CPU_RUNNING, CPU_FROZEN };

// The architecture's entry code knows where gpr lies, and that the stack ends where this begins.
struct cpu {
    u64 gpr[32];
    struct hv *hv;
    struct vcpu *vcpu; // NULL while none is assigned
    u32 id;            // of the machine, and index into hv.cpu
    u32 state;         // enum cpu_state; written by the processor itself
    u32 pending;       // enum cpu_request, atomically
    u32 is_stopping;   // leaves the cell at the end of this exit
    u32 has_extioi;    // the vCPU has the machine's interrupt controller, not one of its cell's
    u64 era;           // where the guest goes on; valid during an exit
    u64 n[N_EXITS], ticks[N_EXITS];
    u64 n_flushes, n_flushes_wanted; // the second is written by whoever wants one
    u64 n_events;
    struct control_event events[HV_N_EVENTS];
};

struct region {
    u64 gpa, hpa, size;
    u32 tag;    // of shared memory; else 0
    u32 served; // 1 + its first block in the BAR of served memory; 0: not there
};

// Memory that several cells have. It belongs to none of them, and goes with the last.
struct share {
    u32 tag, members; // members: bitmap of cells; 0: not in use
    u64 hpa, size;
};

// A device that the hypervisor shows to a cell. Registers are 1 to 8 bytes wide, naturally aligned.
struct vdev {
    u64 gpa, size;
    u64 (*read)(struct cpu *cpu, struct vdev *d, u64 offset, unsigned size);
    void (*write)(struct cpu *cpu, struct vdev *d, u64 offset, u64 value, unsigned size);
    u64 state; // the device's own
};

#define CONSOLE_SIZE  0x4000u
#define CONSOLE_BREAK 0x100u

// Bytes from the cell and to it. Positions only grow; the lock of the console guards all of it.
struct console {
    u32 lock;
    u32 in_head, in_tail;
    u64 out_head, out_tail;
    u8 ier, lcr, mcr, dlm, dll, fcr, scratch;
    u16 in[256]; // CONSOLE_BREAK: no byte
    u8 out[CONSOLE_SIZE];
};

// The interrupt controller of a cell that has no share of the machine's: 256 vectors.
struct vintc {
    u32 lock;
    u64 line[4]; // levels of devices
    u64 enable[4], bounce[4], pending[4];
    u64 node_type[4], ipmap, misc;
    u64 route[32]; // a byte per vector
};

struct virtio_queue {
    u64 desc, driver, device; // guest-physical, as the driver wrote them
    u16 size, vector;
    u32 is_enabled;
};

// A virtio function on a cell's PCI bus. What it offers comes from the program that serves it.
struct virtio_dev {
    u32 kind;     // virtio's number of the device; 0: the cell has none in this slot
    u32 is_there; // the rest of what it offers is known
    u32 class_code, n_queues, config_size;
    u64 offered;
    u16 max_size[CONTROL_MAX_QUEUES];
    u8 config[64];

    u64 accepted;
    u32 offered_half, accepted_half;
    u16 selected, config_vector;
    u8 status, isr, wants_reset, line_register;
    bool line;    // the level of its wire
    u32 epoch;    // counts resets
    u32 n_forced; // those that nobody answered
    u64 reset_since;
    struct virtio_queue queue[CONTROL_MAX_QUEUES];

    u32 bar;
    u16 command, msix_control;
    u32 msix_pending;
    u32 msix[CONTROL_MAX_QUEUES + 1][4];
};

// Blocks of a function's BAR; the MSI-X table is behind the interrupt status.
#define VIRTIO_BAR_COMMON 0x0000
#define VIRTIO_BAR_ISR    0x1000
#define VIRTIO_BAR_DEVICE 0x2000
#define VIRTIO_BAR_NOTIFY 0x3000
#define VIRTIO_BAR_SIZE   0x4000
#define VPCI_BARS         0x80000ULL // in the cell's window

// The lock is taken before that of the interrupt controller.
struct vpci {
    u32 lock, vector;
    u64 gpa;
    struct virtio_dev slot[CONTROL_MAX_SLOTS];
};

struct cell {
    struct hv *hv;
    u32 id, generation;
    u32 state; // enum control_cell_state
    u32 flags;
    u32 n_vcpus, n_regions, n_vdevs;
    u32 cpus; // bitmap of processors of the machine
    char name[CELL_NAME_SIZE];
    char cause[96];
    u64 fault_era, fault_address;
    u64 entry, args[3];
    u64 starts, time_offset;
    u32 ending;         // 0, or the enum control_cell_state that it ends in
    u32 wants_restart;  // after that end
    u32 wants_shutdown; // somebody asked; the cell sees it in its power register
    u64 stage2;         // physical address of the root table
    struct vcpu vcpu[HV_MAX_CPUS];
    struct region region[HV_N_REGIONS];
    struct vdev vdev[CELL_MAX_DEVICES + 4];
    struct console console;
    struct vintc intc;
    struct vpci pci;
    u32 is_served; // a program in the root cell sees its memory and is told of its devices
};

#define LOG_SIZE  0x4000u
#define N_UNKNOWN 32
#define N_SHARES  8

#define SHARE_OWNER(i) (HV_MAX_CELLS + (i)) // in hv.block_owner

// Tables that lead nowhere, shared by all cells; physical addresses, 0 until they are made.
struct stage2_empty {
    u64 directory, page;
};

struct hv {
    u32 lock; // for the life of cells, the pool and the tables; see lock.h
    u32 n_cpus;
    bool is_booting; // messages go to the serial port
    u32 n_tables, n_tables_free;
    struct stage2_empty empty;
    u64 free_tables; // physical address of the first free page; it holds that of the next
    u64 pool_base, pool_size;
    u32 block_owner[256]; // per block of the pool: 0 free, else a cell's number or SHARE_OWNER
    struct share share[N_SHARES];
    u64 image_base, image_size;
    u32 gid_bits;
    u32 log_lock;
    u64 log_head;
    struct control_unknown unknown[N_UNKNOWN];
    struct cpu *cpu[HV_MAX_CPUS];
    struct cell cell[HV_MAX_CELLS];
    struct manage *manage;
    u32 root_vector; // of the root cell's controller, raised by the hypervisor; 0: none
    u32 root_cpu;    // that it is for
    char log[LOG_SIZE];
};
