// SPDX-License-Identifier: Apache-2.0
#include "dune/policy.h"
#include "base/test.h"
#include "dune/calls.h"
#include "dune/wall.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

static struct policy p;

static const char *refusal(const char *text)
{
    static struct err e;
    e = (struct err){0};
    return policy_parse(&p, "f", text, &e) ? "" : e.text;
}

TEST(nothing_is_allowed_by_an_empty_policy)
{
    CHECK_STR(refusal(""), "");
    for (u64 i = 0; i < POLICY_CALLS; i++)
        CHECK(policy_error(&p, i) != 0);
    CHECK_EQ(policy_rights(&p, "/"), 0);
}

TEST(calls_and_groups)
{
    CHECK_STR(refusal("allow read (net) # both\n\n  deny write ENOSYS\nkill ptrace\nlog read\n"),
              "");
    CHECK_EQ(policy_error(&p, SYS_read), 0);
    CHECK_EQ(policy_error(&p, SYS_socket), 0);
    CHECK_EQ(policy_error(&p, SYS_write), -ENOSYS);
    CHECK_EQ(policy_error(&p, SYS_open), -EPERM);
    CHECK_EQ(p.action[SYS_ptrace], POLICY_KILL);
    CHECK(p.logs[SYS_read] && !p.logs[SYS_write]);
    CHECK_EQ(policy_error(&p, 500), -ENOSYS);
}

TEST(later_lines_win)
{
    CHECK_STR(refusal("allow (io)\ndeny read\nallow read\ndeny (io) EACCES"), "");
    CHECK_EQ(policy_error(&p, SYS_read), -EACCES);
}

TEST(profiles)
{
    CHECK_STR(refusal("profile pure\ndeny getpid"), "");
    CHECK_EQ(policy_error(&p, SYS_read), 0);
    CHECK_EQ(policy_error(&p, SYS_openat), -EPERM);
    CHECK_EQ(policy_error(&p, SYS_getpid), -EPERM);
    CHECK_EQ(policy_rights(&p, "/etc"), 0);
    CHECK_STR(refusal("profile ro"), "");
    CHECK_EQ(policy_rights(&p, "/etc"), POLICY_READ | POLICY_EXEC);
    CHECK(policy_error(&p, SYS_unlink) && policy_error(&p, SYS_ptrace) &&
          policy_error(&p, SYS_mount));
    CHECK(!policy_profile(&p, "everything"));
}

TEST(paths_are_prefixes_of_whole_parts)
{
    CHECK_STR(refusal("read /usr/\nwrite /tmp/box\nexec /usr/bin\n"), "");
    CHECK_EQ(policy_rights(&p, "/usr"), POLICY_READ);
    CHECK_EQ(policy_rights(&p, "/usr/lib/a"), POLICY_READ);
    CHECK_EQ(policy_rights(&p, "/usrlocal"), 0);
    CHECK_EQ(policy_rights(&p, "/usr/bin/a"), POLICY_READ | POLICY_EXEC);
    CHECK_EQ(policy_rights(&p, "/tmp/box/x"), POLICY_READ | POLICY_WRITE);
    CHECK_EQ(policy_rights(&p, "/tmp/boxes"), 0);
    CHECK_EQ(policy_rights(&p, "/"), 0);
}

TEST(mistakes_have_a_place)
{
    CHECK_STR(refusal("allow reed"), "f:1:7: no call or group 'reed'");
    CHECK_STR(refusal("allow read\n  forbid write"), "f:2:3: no rule 'forbid'");
    CHECK_STR(refusal("allow read\nprofile pure"), "f:2:9: a profile behind other lines: 'pure'");
    CHECK_STR(refusal("profile no"), "f:1:9: no profile 'no'");
    CHECK_STR(refusal("read usr"), "f:1:6: not an absolute path 'usr'");
    CHECK_STR(refusal("read /usr more"), "f:1:11: not expected here: 'more'");
    CHECK_STR(refusal("allow (nets)"), "f:1:7: no call or group '(nets)'");
    CHECK(strstr(refusal("\n\nallow"), "f:3:6: a call is missing"));
    CHECK(strstr(refusal("deny EPERM"), "f:1:11: a call is missing"));
}

TEST(tables_are_full)
{
    char text[8192] = "";
    for (int i = 0; i < POLICY_PATHS + 1; i++)
        strcat(text, "read /a\n");
    CHECK_STR(refusal(text), "f:65:6: one path too many '/a'");
    memset(text, 'a', 1000);
    memcpy(text, "read /", 6);
    text[1000] = 0;
    CHECK(strstr(refusal(text), "f:1:6: too long a path"));
}

// A call of Linux up to the newest that the table knows is in the table.
TEST(every_call_is_classified)
{
    for (u64 i = 0; i <= 334; i++)
        CHECK(calls_find(i) != NULL);
    for (u64 i = 424; i <= 467; i++)
        CHECK(calls_find(i) != NULL);
    CHECK(!calls_find(335) && !calls_find(512) && !calls_find(~0ULL));
    CHECK_EQ(calls_number("openat"), SYS_openat);
    CHECK_EQ(calls_number("opanet"), -1);
}

static u32 filter(const struct sock_filter *code, u32 n, u32 arch, u32 number)
{
    u32 a = 0;
    for (u32 pc = 0; pc < n; pc++) {
        const struct sock_filter *i = code + pc;
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            a = i->k == offsetof(struct seccomp_data, arch) ? arch : number;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K: pc += a == i->k ? i->jt : i->jf; break;
        case BPF_JMP | BPF_JGE | BPF_K: pc += a >= i->k ? i->jt : i->jf; break;
        default: return i->k;
        }
    }
    return 0xdead;
}

TEST(the_second_wall_lets_pass_what_is_needed)
{
    struct sock_filter code[600];
    policy_profile(&p, "pure");
    u32 n = wall_write(&p, code, ARRAY_LEN(code));
    REQUIRE(n > 0);
    CHECK_EQ(filter(code, n, AUDIT_ARCH_X86_64, SYS_ioctl), SECCOMP_RET_ALLOW);
    CHECK_EQ(filter(code, n, AUDIT_ARCH_X86_64, SYS_getpid), SECCOMP_RET_ALLOW);
    for (u32 i = 0; i < 600; i++) {
        u32 answer = filter(code, n, AUDIT_ARCH_X86_64, i);
        if (policy_error(&p, i) == 0)
            CHECK_EQ(answer, SECCOMP_RET_ALLOW);
        CHECK(answer == SECCOMP_RET_ALLOW || answer == (SECCOMP_RET_ERRNO | ENOSYS));
    }
    static const u16 never[] = {SYS_ptrace, SYS_mount,  SYS_bpf,
                                SYS_socket, SYS_unlink, SYS_kexec_load};
    for (u32 i = 0; i < ARRAY_LEN(never); i++)
        CHECK_EQ(filter(code, n, AUDIT_ARCH_X86_64, never[i]), SECCOMP_RET_ERRNO | ENOSYS);
    CHECK_EQ(filter(code, n, AUDIT_ARCH_X86_64, 0x40000000), SECCOMP_RET_ERRNO | ENOSYS);
    CHECK_EQ(filter(code, n, AUDIT_ARCH_I386, SYS_read), SECCOMP_RET_KILL_PROCESS);
    CHECK_EQ(wall_write(&p, code, 20), 0);
}
