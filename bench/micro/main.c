// SPDX-License-Identifier: Apache-2.0
// Runs workloads of workloads.def and tells how long an operation of each takes.
//
//     micro list                    the workloads: kind, name, what an operation is
//     micro run SECONDS NAME...     measures those; a NAME may be a kind, or "all"
//     micro sums                    the sums that this machine finds, for workloads.def
//     micro time OUTPUT COMMAND...  runs a command with its output into a file, and tells its time
//     micro nothing                 ends at once; what the workload "exec" starts
//
// Each line of "run", and the one of "time", is: NAME, nanoseconds per operation, seconds measured,
// "ok" or "WRONG" with the sum that came out. Status 1 when one was wrong. A workload runs for at
// least the given time, but no longer than one unit takes where a unit takes longer. The clock is
// the system's monotonic one.
#include "bench/micro/workload.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKLOAD(kind, name, setup, n_ops, sum, doc) u64 name##_run(void *state);
#include "bench/micro/workloads.def"
#undef WORKLOAD

#define SETUP(name) void *name(void);
#include "bench/micro/setups.def"
#undef SETUP

static const struct workload workloads[] = {
#define WORKLOAD(kind, name, setup, n_ops, sum, doc) \
    {#kind, #name, doc, setup, name##_run, n_ops, sum},
#include "bench/micro/workloads.def"
#undef WORKLOAD
};

enum { N_WORKLOADS = sizeof(workloads) / sizeof(workloads[0]) };

struct measured {
    double seconds;
    u64 n_units, sum;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// The first sum that is not the one of the table, or that one.
static u64 run_units(const struct workload *w, void *state, u64 n)
{
    u64 sum = w->sum;
    for (u64 i = 0; i < n && sum == w->sum; i++)
        sum = w->run(state);
    return sum;
}

static struct measured time_units(const struct workload *w, void *state, u64 n)
{
    double began = now();
    u64 sum = run_units(w, state, n);
    return (struct measured){now() - began, n, sum};
}

// Twice as many units until they take long enough, so that what the first ones cost a translator
// stays out unless one of them takes all the time.
static struct measured measure(const struct workload *w, double seconds)
{
    void *state = w->setup();
    struct measured m = time_units(w, state, 1);
    while (m.seconds < seconds && m.sum == w->sum) {
        double wanted = 1.1 * seconds / (m.seconds + 1e-7) * (double)m.n_units;
        double most = 16 * (double)m.n_units;
        m = time_units(w, state, (u64)(wanted < most ? wanted : most) + 1);
    }
    return m;
}

static int report(const struct workload *w, double seconds)
{
    struct measured m = measure(w, seconds);
    double ns = m.seconds * 1e9 / (double)(m.n_units * w->n_ops);
    printf("%s %.3f %.3f ", w->name, ns, m.seconds);
    if (m.sum == w->sum)
        puts("ok");
    else
        printf("WRONG %#llx, not %#llx\n", (unsigned long long)m.sum, (unsigned long long)w->sum);
    fflush(stdout);
    return m.sum != w->sum;
}

static int is_wanted(const struct workload *w, char **names)
{
    for (; *names; names++)
        if (!strcmp(*names, w->name) || !strcmp(*names, w->kind) || !strcmp(*names, "all"))
            return 1;
    return 0;
}

static int run_all(double seconds, char **names)
{
    int n = 0, n_wrong = 0;
    for (unsigned i = 0; i < N_WORKLOADS; i++)
        if (is_wanted(&workloads[i], names)) {
            n++;
            n_wrong += report(&workloads[i], seconds);
        }
    if (!n)
        fprintf(stderr, "micro: no workload %s\n", *names ? *names : "named");
    return !n || n_wrong;
}

static int list(void)
{
    for (unsigned i = 0; i < N_WORKLOADS; i++)
        printf("%s %s %s\n", workloads[i].kind, workloads[i].name, workloads[i].doc);
    return 0;
}

static int sums(void)
{
    for (unsigned i = 0; i < N_WORKLOADS; i++) {
        const struct workload *w = &workloads[i];
        double began = now();
        u64 sum = w->run(w->setup());
        printf("%-16s %#018llx %8.3f ms\n", w->name, (unsigned long long)sum,
               (now() - began) * 1e3);
    }
    return 0;
}

static NOINLINE pid_t start_command(const char *output, char **command)
{
    pid_t child = fork();
    if (child == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (fd >= 0 && dup2(fd, 1) == 1)
            execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    return child;
}

static int time_command(const char *output, char **command)
{
    double began = now();
    int status = 1;
    waitpid(start_command(output, command), &status, 0);
    double seconds = now() - began;
    printf("command %.0f %.3f ", seconds * 1e9, seconds);
    if (status)
        printf("FAILED, status %#x\n", (unsigned)status);
    else
        puts("ok");
    return status != 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    if (!strcmp(verb, "nothing"))
        return 0;
    if (!strcmp(verb, "list"))
        return list();
    if (!strcmp(verb, "sums"))
        return sums();
    if (!strcmp(verb, "run") && argc > 3)
        return run_all(strtod(argv[2], NULL), argv + 3);
    if (!strcmp(verb, "time") && argc > 3)
        return time_command(argv[2], argv + 3);
    fprintf(stderr, "usage: micro list | micro run SECONDS NAME... | micro sums\n");
    return 2;
}
