// SPDX-License-Identifier: Apache-2.0
#include "dune/enter.h"
#include "base/err.h"
#include "base/types.h"
#include "dune/exec.h"
#include "dune/load.h"
#include "dune/launch.h"
#include "dune/policy.h"
#include "dune/process.h"
#include "dune/script.h"
#include "dune/vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_USER_ERROR = 1 };

struct options {
    bool wants_trace, wants_stats, is_again;
    const char *trace_file, *again, *policy, *backend, *door;
    char **program;
};

extern char **environ;

static void print_help(void)
{
    printf(
        "Usage: lh enter [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
        "Run a program in guest mode of KVM, with its system calls forwarded.\n\n"
        "  --trace[=FILE]      print its system calls on standard error, or in a file\n"
        "  --stat              print counts of exits, calls and faults when it ends\n"
        "  --backend NAME      kvm: guest mode (usual); sud: on the host's processor, by "
        "syscall user\n"
        "                      dispatch, where there is no KVM: a tracer and no wall\n"
        "  --door NAME         how a guest leaves KVM, on LoongArch: hvcl, iocsr or mmio; usually "
        "the\n"
        "                      first of them that works\n"
        "  --policy NAME|FILE  refuse what a policy does not allow; names: none, pure, ro, rw,\n"
        "                      net; the language of files is in the manual page\n"
        "\nThe exit status is the program's; 1 when it could not be started.\n");
}

static const char *value_of(const char *word, const char *name)
{
    size_t n = strlen(name);
    return !strncmp(word, name, n) && word[n] == '=' ? word + n + 1 : NULL;
}

// "--name VALUE" or "--name=VALUE"; *found says whether it was this one.
static bool take_value(char ***words, const char *name, const char **value, bool *found,
                       struct err *e)
{
    const char *behind = value_of(**words, name);
    *found = behind || !strcmp(**words, name);
    if (!*found)
        return true;
    if (!behind && !(behind = *++*words))
        return err_set(e, "%s: a value is missing; lh enter --help", name);
    *value = behind;
    return true;
}

static bool take_option(struct options *o, char ***words, struct err *e)
{
    const char *word = **words, *value;
    bool found = false;
    if (!take_value(words, "--policy", &o->policy, &found, e) || found)
        return found && !err_is_set(e);
    if (!take_value(words, "--backend", &o->backend, &found, e) || found)
        return found && !err_is_set(e);
    if (!take_value(words, "--door", &o->door, &found, e) || found)
        return found && !err_is_set(e);
    if (!strcmp(word, "--trace"))
        o->wants_trace = true;
    else if ((value = value_of(word, "--trace")))
        o->wants_trace = true, o->trace_file = value;
    else if (!strcmp(word, "--stat"))
        o->wants_stats = true;
    else if (!strncmp(word, EXEC_AGAIN, strlen(EXEC_AGAIN)))
        o->again = word + strlen(EXEC_AGAIN);
    else
        return err_set(e, "no option '%s'; lh enter --help lists them", word);
    return true;
}

static bool check_options(const struct options *o, struct err *e)
{
    if (o->backend && strcmp(o->backend, "kvm") && strcmp(o->backend, "sud"))
        return err_set(e, "--backend: '%s' is neither kvm nor sud", o->backend);
    if (o->door && !vcpu_door_named(o->door))
        return err_set(e, "--door: '%s' is no way out of a guest of this processor", o->door);
    if (o->policy && o->backend && !strcmp(o->backend, "sud"))
        return err_set(e,
                       "--policy wants --backend kvm: on the host's processor a program can reach "
                       "the monitor and end its policy");
    return *o->program || err_set(e, "which program? lh enter PROGRAM [ARGUMENT]...");
}

static bool read_options(struct options *o, char **argv, struct err *e)
{
    for (; *argv && **argv == '-' && (*argv)[1]; argv++) {
        if (!strcmp(*argv, "--")) {
            argv++;
            break;
        }
        if (!take_option(o, &argv, e))
            return false;
    }
    o->program = argv;
    return check_options(o, e);
}

static bool hide_fd(struct settings *s, int fd, int *to, struct err *e)
{
    *to = hidden_move(&s->hidden, fd);
    return *to >= 0 || err_set(e, "no room for open files of our own: %s", strerror(-*to));
}

static bool open_hidden(struct settings *s, const char *file, int flags, int *to, struct err *e)
{
    int fd = open(file, flags | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(e, "%s: %s", file, strerror(errno));
    return hide_fd(s, fd, to, e);
}

static bool open_kvm(struct settings *s, struct err *e)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, "/dev/kvm: %s; --backend sud does without", strerror(errno));
    return hide_fd(s, fd, &s->kvm_fd, e);
}

static bool open_trace(struct settings *s, const struct options *o, struct err *e)
{
    if (!o->wants_trace)
        return true;
    if (o->trace_file)
        return open_hidden(s, o->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, &s->trace_fd,
                           e);
    int fd = dup(STDERR_FILENO);
    return fd >= 0 ? hide_fd(s, fd, &s->trace_fd, e) : err_set(e, "standard error is closed");
}

static bool map_stats(struct settings *s, struct err *e)
{
    void *at = mmap(NULL, sizeof(*s->stats), PROT_READ | PROT_WRITE, MAP_SHARED, s->stats_fd, 0);
    s->stats = at == MAP_FAILED ? NULL : at;
    return s->stats || err_set(e, "no memory for counters: %s", strerror(errno));
}

static bool open_stats(struct settings *s, const struct options *o, struct err *e)
{
    if (!o->wants_stats)
        return true;
    int fd = memfd_create("lh-stats", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, sizeof(*s->stats)) < 0)
        return err_set(e, "no memory for counters: %s", strerror(errno));
    return hide_fd(s, fd, &s->stats_fd, e) && map_stats(s, e);
}

static char *read_text(const char *file, struct err *e)
{
    enum { MOST = 1 << 20 };
    char *text = NULL;
    FILE *f = fopen(file, "re");
    if (!f) {
        err_set(e, "--policy: no profile of that name, and %s: %s", file, strerror(errno));
        return NULL;
    }
    text = calloc(1, MOST + 1);
    size_t n = text ? fread(text, 1, MOST, f) : 0;
    bool ok = text && !ferror(f) && feof(f) && strlen(text) == n;
    if (!ok)
        err_set(e, "%s: not a text of less than 1 MiB", file);
    fclose(f);
    if (ok)
        return text;
    free(text);
    return NULL;
}

static bool read_policy(struct policy *p, const char *name, struct err *e)
{
    if (policy_profile(p, name))
        return true;
    char *text = read_text(name, e);
    bool ok = text && policy_parse(p, name, text, e);
    free(text);
    return ok;
}

static bool map_policy(struct settings *s, struct err *e)
{
    void *at = mmap(NULL, sizeof(struct policy), PROT_READ, MAP_SHARED, s->policy_fd, 0);
    s->policy = at == MAP_FAILED ? NULL : at;
    return s->policy || err_set(e, "no memory for a policy: %s", strerror(errno));
}

// In a file in memory that nobody can change any more, for the programs that are executed.
static bool open_policy(struct settings *s, const struct options *o, struct err *e)
{
    struct policy *p = o->policy ? calloc(1, sizeof(*p)) : NULL;
    if (!o->policy)
        return true;
    bool ok = p && read_policy(p, o->policy, e);
    int fd = ok ? memfd_create("lh-policy", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    if (ok && (fd < 0 || write(fd, p, sizeof(*p)) != sizeof(*p) ||
               fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)))
        ok = err_set(e, "no memory for a policy: %s", strerror(errno));
    free(p);
    return ok && hide_fd(s, fd, &s->policy_fd, e) && map_policy(s, e);
}

static bool open_all(struct settings *s, const struct options *o, struct err *e)
{
    int ret = hidden_init(&s->hidden);
    ret = ret ? ret : hidden_begin(&s->hidden);
    if (ret < 0)
        return err_set(e, "the limit of open files: %s", strerror(-ret));
    s->root_pid = getpid();
    s->is_native = o->backend && !strcmp(o->backend, "sud");
    s->door = o->door ? vcpu_door_named(o->door) : 0;
    return open_policy(s, o, e) && (s->is_native || open_kvm(s, e)) &&
           open_hidden(s, "/proc/self/exe", O_PATH, &s->self_fd, e) && open_trace(s, o, e) &&
           open_stats(s, o, e);
}

// What exec would say before it looks into the file.
static int program_error(const char *file)
{
    struct stat st;
    if (stat(file, &st))
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    return access(file, X_OK) ? errno : 0;
}

static bool is_program(const char *file)
{
    struct stat st;
    return !stat(file, &st) && S_ISREG(st.st_mode) && !access(file, X_OK);
}

// As a shell looks for it. The result is allocated.
static char *find_program(const char *name, struct err *e)
{
    const char *path = getenv("PATH");
    char *list = strdup(path ? path : "/usr/local/bin:/usr/bin:/bin"), *rest = list, *file = NULL;
    bool found = false;
    if (strchr(name, '/')) {
        free(list);
        return strdup(name);
    }
    for (char *dir; !found && (dir = strsep(&rest, ":"));) {
        free(file);
        if (asprintf(&file, "%s/%s", *dir ? dir : ".", name) < 0)
            file = NULL;
        found = file && is_program(file);
    }
    free(list);
    if (!found)
        err_set(e, "%s: not found in PATH", name);
    return found ? file : NULL;
}

static bool read_script(const char *file, struct script *script)
{
    u8 head[SCRIPT_LINE + 1];
    FILE *f = fopen(file, "re");
    size_t n = f ? fread(head, 1, sizeof(head), f) : 0;
    if (f)
        fclose(f);
    return script_parse(script, head, n);
}

// What the kernel would do: the interpreter, its argument, the script, the script's arguments.
static bool start_script(struct settings *s, const struct script *script, char *file, char **rest,
                         struct err *e)
{
    size_t n = 0, n_rest = 0;
    while (rest[n_rest])
        n_rest++;
    char **words = calloc(n_rest + 4, sizeof(*words));
    if (!words)
        return err_set(e, "out of memory");
    words[n++] = (char *)script->interpreter;
    if (*script->argument)
        words[n++] = (char *)script->argument;
    words[n++] = file;
    memcpy(words + n, rest, n_rest * sizeof(*words));
    struct load l = {.file = script->interpreter, .arguments = words, .environment = environ};
    bool ok = launch_program(s, &l, e) || err_context(e, "%s: its interpreter", file);
    free(words);
    return ok;
}

static bool start_first(struct settings *s, const struct options *o, struct err *e)
{
    struct script script;
    char *file = find_program(o->program[0], e);
    if (!file)
        return false;
    struct load l = {.file = file, .arguments = o->program, .environment = environ};
    int wrong = program_error(file);
    bool ok = wrong ? err_set(e, "%s: %s", file, strerror(wrong)) : open_all(s, o, e);
    if (ok && read_script(file, &script))
        ok = start_script(s, &script, file, o->program + 1, e);
    else if (ok)
        ok = launch_program(s, &l, e);
    free(file);
    return ok;
}

// FILE N ARGUMENT... VARIABLE...
static bool start_again(struct settings *s, const struct options *o, int n_words, struct err *e)
{
    char **words = o->program;
    int n = n_words > 1 ? atoi(words[1]) : -1;
    if (!exec_state_read(s, o->again) || n < 0 || n > n_words - 2)
        return err_set(e, "'%s' is for the program itself", EXEC_AGAIN);
    char **arguments = calloc((size_t)n + 1, sizeof(*arguments));
    if (!arguments)
        return err_set(e, "out of memory");
    memcpy(arguments, words + 2, (size_t)n * sizeof(*arguments));
    const int kept[] = {s->kvm_fd, s->self_fd, s->trace_fd, s->stats_fd, s->policy_fd};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (kept[i] >= 0)
            fcntl(kept[i], F_SETFD, FD_CLOEXEC);
    struct load l = {
        .file = words[0], .is_again = true, .arguments = arguments, .environment = words + 2 + n};
    bool ok = (s->stats_fd < 0 || map_stats(s, e)) && (s->policy_fd < 0 || map_policy(s, e));
    s->is_again = true;
    ok = ok && launch_program(s, &l, e);
    free(arguments);
    return ok;
}

int enter_main(int argc, char **argv)
{
    struct err e = {0};
    struct options o = {0};
    static struct settings settings = {
        .kvm_fd = -1, .self_fd = -1, .trace_fd = -1, .stats_fd = -1, .policy_fd = -1};
    if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
        print_help();
        return STATUS_OK;
    }
    bool ok = read_options(&o, argv, &e);
    if (ok && o.again)
        ok = start_again(&settings, &o, argc - (int)(o.program - argv), &e);
    else if (ok)
        ok = start_first(&settings, &o, &e);
    if (!ok)
        fprintf(stderr, "lh enter: %s\n", e.text);
    return STATUS_USER_ERROR;
}
