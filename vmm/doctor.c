// SPDX-License-Identifier: Apache-2.0
// `lh doctor`: what this host can do for a machine. Each line begins with "ok" or, where something
// is missing that some option wants, with "--". Nothing is changed and nothing is fetched.
#include "base/types.h"
#include "dune/doctor.h"
#include "vmm/guest.h"
#include "vmm/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

static void report(bool ok, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void report(bool ok, const char *topic, const char *format, ...)
{
    va_list ap;
    printf("%s  %-13s ", ok ? "ok" : "--", topic);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n");
}

// What follows "KEY<blanks>:" or "KEY:" in the first such line of a file, without blanks around it.
static bool read_value(const char *path, const char *key, char *value, size_t size)
{
    FILE *f = fopen(path, "re");
    char line[4096];
    bool found = false;
    while (f && !found && fgets(line, sizeof(line), f)) {
        size_t n = strlen(key);
        const char *rest = line + n + strspn(line + n, " \t");
        found = !strncmp(line, key, n) && *rest == ':';
        if (found)
            snprintf(value, size, "%.*s", (int)strcspn(rest + 1 + strspn(rest + 1, " \t"), "\n"),
                     rest + 1 + strspn(rest + 1, " \t"));
    }
    if (f)
        fclose(f);
    return found;
}

static u64 memory_value(const char *key)
{
    char text[64] = "";
    read_value("/proc/meminfo", key, text, sizeof(text));
    return strtoull(text, NULL, 10);
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += n)
        if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
            return true;
    return false;
}

// What a translator can use.
static void print_features(const char *flags, char *text, size_t size)
{
    static const char *const names[] = {"sse4_1", "sse4_2", "popcnt", "movbe", "bmi1", "bmi2",
                                        "avx",    "avx2",   "fma",    "f16c",  "cx16", "avx512f",
                                        "lsx",    "lasx",   "lvz",    "ptw"};
    size_t n = 0;
    text[0] = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (has_word(flags, names[i]) && n < size)
            n += (size_t)snprintf(text + n, size - n, " %s", names[i]);
}

static void check_processor(void)
{
    struct utsname host;
    char model[256] = "", flags[4096] = "", features[256];
    if (!read_value("/proc/cpuinfo", "model name", model, sizeof(model)))
        read_value("/proc/cpuinfo", "Model Name", model, sizeof(model));
    if (!read_value("/proc/cpuinfo", "flags", flags, sizeof(flags)))
        read_value("/proc/cpuinfo", "Features", flags, sizeof(flags));
    print_features(flags, features, sizeof(features));
    uname(&host);
    report(true, "processor", "%s, %s:%s", host.machine, *model ? model : "unknown model",
           features);
}

static void check_cores(void)
{
    cpu_set_t ours;
    int n = !sched_getaffinity(0, sizeof(ours), &ours) ? CPU_COUNT(&ours) : 1;
    report(true, "cores", "%d for this process, %ld in all", n, sysconf(_SC_NPROCESSORS_CONF));
}

static void check_memory(void)
{
    u64 total = memory_value("MemTotal"), free = memory_value("MemAvailable");
    report(free >= 1 << 20, "memory", "%.1f GiB, %.1f GiB of it available (-m)",
           (double)total / (1 << 20), (double)free / (1 << 20));
}

static void check_huge_pages(void)
{
    char mode[64] = "none";
    FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
    if (f && !fgets(mode, sizeof(mode), f))
        mode[0] = 0;
    if (f)
        fclose(f);
    mode[strcspn(mode, "\n")] = 0;
    report(f && !strstr(mode, "[never]"), "huge pages",
           "transparent: %s; reserved: %llu of %llu KiB, %llu free", mode,
           (unsigned long long)memory_value("HugePages_Total"),
           (unsigned long long)memory_value("Hugepagesize"),
           (unsigned long long)memory_value("HugePages_Free"));
}

static void check_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        report(false, "/dev/kvm", "%s; machines run without it", strerror(errno));
        return;
    }
#ifdef __loongarch64
    const char *use = "machines can run with it (-accel kvm)";
#else
    const char *use = "only a Loongson host could run machines with it";
#endif
    report(true, "/dev/kvm", "API version %d; %s", ioctl(fd, KVM_GET_API_VERSION, 0), use);
    close(fd);
}

static void check_guest_mode(void)
{
    char text[256];
    bool ok = doctor_guest_mode(text, sizeof(text));
    report(ok, "guest mode", "%s", text);
    ok = doctor_dispatch(text, sizeof(text));
    report(ok, "dispatch", "%s", text);
}

static void check_user_network(void)
{
    report(LH_HAS_USER_NETWORK, "user network", "%s",
           LH_HAS_USER_NETWORK ? "libslirp is built in (-nic user)"
                               : "not built in: build with libslirp-dev for -nic user");
}

static void check_terminal(void)
{
    const char *type = getenv("TERM");
    struct winsize size = {0};
    bool is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    if (is_terminal)
        report(true, "terminal", "%s, %u columns, %u lines", type ? type : "of unknown type",
               size.ws_col, size.ws_row);
    else
        report(false, "terminal",
               "standard input and output are not one; -serial stdio has no keys of its own there");
}

// In PATH, or where programs for administrators are.
static bool has_program(const char *name)
{
    const char *path = getenv("PATH");
    char list[8192], file[8448];
    snprintf(list, sizeof(list), "%s:/sbin:/usr/sbin", path ? path : "/usr/bin:/bin");
    char *rest = list;
    for (char *dir; (dir = strsep(&rest, ":"));) {
        snprintf(file, sizeof(file), "%s/%s", *dir ? dir : ".", name);
        if (!access(file, X_OK))
            return true;
    }
    return false;
}

static void check_programs(void)
{
    char missing[512] = "";
    for (const struct guest_program *p = guest_programs; p->name; p++) {
        size_t n = strlen(missing);
        if (!has_program(p->name) && !has_word(missing, p->package))
            snprintf(missing + n, sizeof(missing) - n, " %s", p->package);
    }
    if (*missing)
        report(false, "guest fetch", "programs are missing: apt-get install%s", missing);
    else
        report(true, "guest fetch", "every program that it calls is here");
}

// As guest_fetch.sh looks for one.
static void check_archive(void)
{
    char line[512];
    bool has_lists = false, has_debian = false;
    FILE *f = popen("apt-get indextargets --format '$(ORIGIN)/$(LABEL)' 'Identifier: Packages' "
                    "2> /dev/null < /dev/null",
                    "r");
    while (f && fgets(line, sizeof(line), f)) {
        has_lists = true;
        has_debian |= !strcmp(line, "Debian/Debian\n");
    }
    if (f)
        pclose(f);
    if (has_debian)
        report(true, "archive", "apt's configuration names a Debian archive");
    else if (has_lists)
        report(true, "archive",
               "apt's configuration names archives; it has not read their lists yet");
    else
        report(false, "archive",
               "apt's configuration names none; lh guest fetch wants --archive URI");
}

int doctor_main(int argc, char **argv)
{
    static void (*const checks[])(void) = {
        check_processor,  check_cores,        check_memory,   check_huge_pages, check_kvm,
        check_guest_mode, check_user_network, check_terminal, check_programs,   check_archive};
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        checks[i]();
    return 0;
}
