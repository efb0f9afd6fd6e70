// SPDX-License-Identifier: Apache-2.0
// A parser that is not trusted, in a compartment: it sees its input and its output, no key, and may
// make no system call. The parser has a fault, as parsers have: a length that it does not check.
#include "dune/examples/clock.h"
#include "dune/examples/page.h"
#include "include/longhouse/dune.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK = 16 * PAGE };

struct job {
    uint8_t input[1000];
    uint64_t offset; // the input can set it
    uint8_t output[1000];
};

static struct job *job;
static uint8_t *key;

// Reads "LENGTH:TEXT;OFFSET" and copies TEXT from where OFFSET says.
static uint64_t parse(uint64_t unused)
{
    uint64_t n = 0, at = 0;
    const uint8_t *p = job->input;
    while (*p >= '0' && *p <= '9')
        n = 10 * n + (uint64_t)(*p++ - '0');
    if (*p++ != ':')
        return 0;
    const uint8_t *text = p;
    p += n;
    if (*p == ';')
        memcpy(&at, p + 1, sizeof(at));
    for (uint64_t i = 0; i < n && i < sizeof(job->output); i++)
        job->output[i] = text[at + i];
    return n;
}

static uint8_t *page(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int space;
static uint8_t *stack;
static uint64_t result;

static int run(void)
{
    return dune_space_call(space, parse, 0, stack, STACK, &result);
}

static void attack(void)
{
    uint64_t at = (uint64_t)key - (uint64_t)(job->input + 2);
    memcpy(job->input, "6:abcdef;", 9);
    memcpy(job->input + 9, &at, sizeof(at));
    memset(job->output, 0, sizeof(job->output));
}

static void call_compartment(void *opaque)
{
    run();
}

// The host's way: a process of its own for each piece of input, or for all with a pipe. This is the
// pipe.
static int to_child[2], from_child[2];

static void serve(void)
{
    char c;
    while (read(to_child[0], &c, 1) == 1) {
        parse(0);
        if (write(from_child[1], &c, 1) != 1)
            break;
    }
    _exit(0);
}

static void call_child(void *opaque)
{
    char c = 0;
    if (write(to_child[1], &c, 1) != 1 || read(from_child[0], &c, 1) != 1)
        abort();
}

static double time_child(void)
{
    if (pipe(to_child) || pipe(from_child))
        return 0;
    pid_t child = fork();
    if (!child) {
        close(to_child[1]);
        serve();
    }
    double best = clock_best(call_child, NULL, 200, 1);
    close(to_child[1]);
    waitpid(child, NULL, 0);
    return best;
}

int main(void)
{
    job = (struct job *)page(PAGE);
    key = page(PAGE);
    stack = page(STACK);
    strcpy((char *)key, "secret");
    memcpy(job->input, "5:hello", 8);
    double host = time_child();
    int ret = dune_enter();
    if (ret || (space = ret = dune_space_new()) < 0 ||
        (ret = dune_space_protect(space, key, PAGE, 0)) < 0) {
        fprintf(stderr, "privsep: guest mode: %s\n", strerror(-ret));
        return CLOCK_SKIPPED;
    }
    bool parses = run() == 0 && result == 5 && !memcmp(job->output, "hello", 5);
    double guest = clock_best(call_compartment, NULL, 200, 1);
    attack();
    parse(0);
    bool leaks_outside = !memcmp(job->output, "secret", 6);
    attack();
    bool is_stopped = run() == -EFAULT && memcmp(job->output, "secret", 6) != 0;
    dune_leave();
    printf("the parser works: %s; without a compartment it gives the key away: %s; in one: %s\n",
           parses ? "yes" : "no", leaks_outside ? "yes" : "no", is_stopped ? "no" : "yes");
    clock_tell("a call of the parser", guest, "a child and two pipes", host);
    return !parses || !leaks_outside || !is_stopped;
}
