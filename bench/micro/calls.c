// SPDX-License-Identifier: Apache-2.0
// Control flow: calls and returns, calls through pointers, and the loop of a bytecode interpreter.
#include "bench/micro/workload.h"

static NOINLINE u64 fib(u64 n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

u64 fib_run(void *state)
{
    return fib(25);
}

struct shape {
    s64 (*area)(const struct shape *);
    s64 a, b;
};

static s64 square_area(const struct shape *s)
{
    return s->a * s->a;
}

static s64 box_area(const struct shape *s)
{
    return s->a * s->b;
}

static s64 wedge_area(const struct shape *s)
{
    return s->a * s->b >> 1;
}

static s64 frame_area(const struct shape *s)
{
    return 2 * (s->a + s->b) - 4;
}

enum { N_SHAPES = 1024 };

void *virtual_setup(void)
{
    static s64 (*const kinds[])(const struct shape *) = {square_area, box_area, wedge_area,
                                                         frame_area};
    struct shape *shapes = get_memory(N_SHAPES * sizeof(*shapes));
    u64 random = 31;
    for (u32 i = 0; i < N_SHAPES; i++) {
        u64 r = next_random(&random);
        shapes[i] = (struct shape){kinds[r >> 20 & 3], (s64)(r & 0xff), (s64)(r >> 8 & 0xff)};
    }
    return shapes;
}

u64 virtual_run(void *state)
{
    const struct shape *shapes = state;
    s64 sum = 0;
    for (u32 round = 0; round < 200; round++)
        for (u32 i = 0; i < N_SHAPES; i++)
            sum += shapes[i].area(&shapes[i]);
    return (u64)sum;
}

// A machine with eight registers: the steps of Collatz's sequences that begin below r7.
enum op { SET, MOVE, ADD, SHIFT_RIGHT, AND, TRIPLE, JUMP_LESS, JUMP_EQUAL, JUMP_NOT, JUMP, STOP };

struct step {
    u8 op, a, b, c;
};

static const struct step collatz[] = {
    /*  0 */ {SET, 0, 1, 0},  // r0: the start
    /*  1 */ {SET, 1, 0, 0},  // r1: steps of all
    /*  2 */ {SET, 2, 1, 0},  // r2: the constant 1
    /*  3 */ {MOVE, 3, 0, 0}, // r3: the number
    /*  4 */ {JUMP_EQUAL, 3, 2, 12},
    /*  5 */ {ADD, 1, 1, 2},
    /*  6 */ {AND, 4, 3, 2},
    /*  7 */ {JUMP_NOT, 4, 0, 10},
    /*  8 */ {TRIPLE, 3, 3, 0},
    /*  9 */ {JUMP, 0, 0, 4},
    /* 10 */ {SHIFT_RIGHT, 3, 3, 1},
    /* 11 */ {JUMP, 0, 0, 4},
    /* 12 */ {ADD, 0, 0, 2},
    /* 13 */ {JUMP_LESS, 0, 7, 3},
    /* 14 */ {STOP, 0, 0, 0},
};

static NOINLINE u64 interpret(const struct step *program, u64 limit)
{
    u64 r[8] = {[7] = limit};
    for (const struct step *s = program;;) {
        struct step i = *s++;
        switch ((enum op)i.op) {
        case SET: r[i.a] = i.b; break;
        case MOVE: r[i.a] = r[i.b]; break;
        case ADD: r[i.a] = r[i.b] + r[i.c]; break;
        case SHIFT_RIGHT: r[i.a] = r[i.b] >> i.c; break;
        case AND: r[i.a] = r[i.b] & r[i.c]; break;
        case TRIPLE: r[i.a] = 3 * r[i.b] + 1; break;
        case JUMP_LESS: s = r[i.a] < r[i.b] ? program + i.c : s; break;
        case JUMP_EQUAL: s = r[i.a] == r[i.b] ? program + i.c : s; break;
        case JUMP_NOT: s = r[i.a] ? s : program + i.c; break;
        case JUMP: s = program + i.c; break;
        case STOP: return r[1];
        }
    }
}

u64 dispatch_run(void *state)
{
    return interpret(collatz, 1000);
}
