// SPDX-License-Identifier: Apache-2.0
#include "dune/policy.h"
#include "dune/calls.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *name, *groups;
    u8 root_rights;
} profiles[] = {
    {"none", "", 0},
    {"pure", "basic io", 0},
    {"ro", "basic io open read proc", POLICY_READ | POLICY_EXEC},
    {"rw", "basic io open read write proc ipc", POLICY_READ | POLICY_WRITE | POLICY_EXEC},
    {"net", "basic io open read write proc ipc net", POLICY_READ | POLICY_WRITE | POLICY_EXEC},
};

static const struct {
    const char *name;
    u8 number;
} errors[] = {
    {"EPERM", EPERM},   {"EACCES", EACCES}, {"ENOSYS", ENOSYS}, {"ENOENT", ENOENT},
    {"EINVAL", EINVAL}, {"EAGAIN", EAGAIN}, {"ENOMEM", ENOMEM}, {"EAFNOSUPPORT", EAFNOSUPPORT},
};

struct parser {
    struct policy *policy;
    const char *name, *line_start, *at;
    int line;
    bool has_rule;
    struct err *err;
};

static bool wrong(const struct parser *p, const char *at, const char *what, const char *word,
                  int size)
{
    return err_set(p->err, "%s:%d:%d: %s '%.*s'", p->name, p->line, (int)(at - p->line_start) + 1,
                   what, size, word);
}

static bool has_word(const char *list, const char *word, size_t n)
{
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (size == n && !memcmp(at, word, n))
            return true;
        at += size;
    }
    return false;
}

static void set_group(struct policy *p, enum call_group group, u8 action, u8 error)
{
    for (u32 i = 0; i < POLICY_CALLS; i++) {
        const struct call *c = calls_find(i);
        if (c && c->group == group) {
            p->action[i] = action;
            p->error[i] = error;
        }
    }
}

bool policy_profile(struct policy *p, const char *name)
{
    for (u32 i = 0; i < ARRAY_LEN(profiles); i++) {
        if (strcmp(profiles[i].name, name))
            continue;
        memset(p, 0, sizeof(*p));
        memset(p->error, EPERM, sizeof(p->error));
        for (int g = 0; g < CALL_N_GROUPS; g++) {
            const char *group = calls_group_name((enum call_group)g);
            if (has_word(profiles[i].groups, group, strlen(group)))
                set_group(p, (enum call_group)g, POLICY_ALLOW, 0);
        }
        if (profiles[i].root_rights)
            p->paths[p->n_paths++] = (struct policy_path){"/", profiles[i].root_rights};
        return true;
    }
    return false;
}

// The next word of the line, or an empty one.
static const char *next_word(struct parser *p, size_t *size)
{
    p->at += strspn(p->at, " \t\r");
    const char *word = p->at;
    *size = *word == '#' ? 0 : strcspn(word, " \t\r\n#");
    p->at += *size;
    return word;
}

static int find_group(const char *word, size_t n)
{
    for (int g = 0; g < CALL_N_GROUPS && n > 2; g++) {
        const char *name = calls_group_name((enum call_group)g);
        if (strlen(name) == n - 2 && word[0] == '(' && word[n - 1] == ')' &&
            !memcmp(word + 1, name, n - 2))
            return g;
    }
    return -1;
}

static int find_call(const char *word, size_t n)
{
    char name[64];
    if (n >= sizeof(name))
        return -1;
    memcpy(name, word, n);
    name[n] = 0;
    return calls_number(name);
}

static u8 find_error(const char *word, size_t n)
{
    for (u32 i = 0; i < ARRAY_LEN(errors); i++)
        if (strlen(errors[i].name) == n && !memcmp(errors[i].name, word, n))
            return errors[i].number;
    return 0;
}

struct rule {
    u8 action;
    bool is_log;
};

// One call or group of a rule.
static bool apply(struct parser *p, const struct rule *r, const char *word, size_t n, u8 error)
{
    int group = find_group(word, n), number = group < 0 ? find_call(word, n) : -1;
    if (group < 0 && number < 0)
        return wrong(p, word, "no call or group", word, (int)n);
    for (int i = 0; i < POLICY_CALLS; i++) {
        const struct call *c = calls_find((u64)i);
        if (i != number && !(c && group >= 0 && c->group == (enum call_group)group))
            continue;
        if (r->is_log) {
            p->policy->logs[i] = true;
            continue;
        }
        p->policy->action[i] = r->action;
        p->policy->error[i] = error;
    }
    return true;
}

// The error is at the end of the line and holds for all of it, so the line is read twice.
static bool parse_calls(struct parser *p, const struct rule *r)
{
    const char *start = p->at, *word, *last = NULL;
    size_t n, n_last = 0;
    u32 n_words = 0;
    while ((word = next_word(p, &n)), n)
        last = word, n_last = n, n_words++;
    u8 error = r->action == POLICY_DENY && !r->is_log && last ? find_error(last, n_last) : 0;
    if (n_words < 1 + (u32)(error != 0))
        return wrong(p, p->at, "a call is missing behind", start, (int)strcspn(start, "\n"));
    p->at = start;
    for (u32 i = 0; i < n_words - (error != 0); i++) {
        word = next_word(p, &n);
        if (!apply(p, r, word, n, error ? error : EPERM))
            return false;
    }
    if (error)
        next_word(p, &n);
    return true;
}

static bool parse_path(struct parser *p, u8 rights)
{
    size_t n;
    const char *word = next_word(p, &n);
    struct policy *policy = p->policy;
    if (!n || *word != '/')
        return wrong(p, word, "not an absolute path", word, (int)n);
    while (n > 1 && word[n - 1] == '/')
        n--;
    if (n >= POLICY_PATH_SIZE)
        return wrong(p, word, "too long a path", word, 32);
    if (policy->n_paths == POLICY_PATHS)
        return wrong(p, word, "one path too many", word, (int)n);
    struct policy_path *to = policy->paths + policy->n_paths++;
    *to = (struct policy_path){.rights = rights};
    memcpy(to->path, word, n);
    return true;
}

static bool parse_profile(struct parser *p)
{
    size_t n;
    const char *word = next_word(p, &n);
    char name[32] = "";
    if (p->has_rule)
        return wrong(p, word, "a profile behind other lines:", word, (int)n);
    memcpy(name, word, n < sizeof(name) ? n : sizeof(name) - 1);
    return policy_profile(p->policy, name) || wrong(p, word, "no profile", word, (int)n);
}

static bool parse_rule(struct parser *p, const char *word, size_t n)
{
    static const struct {
        const char *name;
        struct rule rule;
        u8 rights;
    } rules[] = {
        {"allow", {POLICY_ALLOW, false}, 0},
        {"deny", {POLICY_DENY, false}, 0},
        {"kill", {POLICY_KILL, false}, 0},
        {"log", {POLICY_DENY, true}, 0},
        {"read", {0}, POLICY_READ},
        {"write", {0}, POLICY_READ | POLICY_WRITE},
        {"exec", {0}, POLICY_READ | POLICY_EXEC},
    };
    if (n == 7 && !memcmp(word, "profile", n))
        return parse_profile(p);
    p->has_rule = true;
    for (u32 i = 0; i < ARRAY_LEN(rules); i++)
        if (strlen(rules[i].name) == n && !memcmp(rules[i].name, word, n))
            return rules[i].rights ? parse_path(p, rules[i].rights)
                                   : parse_calls(p, &rules[i].rule);
    return wrong(p, word, "no rule", word, (int)n);
}

static bool parse_line(struct parser *p)
{
    size_t n;
    const char *word = next_word(p, &n);
    if (n && !parse_rule(p, word, n))
        return false;
    word = next_word(p, &n);
    if (n)
        return wrong(p, word, "not expected here:", word, (int)n);
    p->at += strcspn(p->at, "\n");
    return true;
}

bool policy_parse(struct policy *policy, const char *name, const char *text, struct err *e)
{
    struct parser p = {.policy = policy, .name = name, .at = text, .line = 1, .err = e};
    policy_profile(policy, "none");
    for (;; p.line++) {
        p.line_start = p.at;
        if (!parse_line(&p))
            return false;
        if (!*p.at)
            return true;
        p.at++;
    }
}

u8 policy_rights(const struct policy *p, const char *path)
{
    u8 rights = 0;
    for (u32 i = 0; i < p->n_paths; i++) {
        const char *prefix = p->paths[i].path;
        size_t n = strlen(prefix);
        bool is_root = n == 1;
        if (is_root || (!strncmp(path, prefix, n) && (!path[n] || path[n] == '/')))
            rights |= p->paths[i].rights;
    }
    return rights;
}

long policy_error(const struct policy *p, u64 number)
{
    if (number >= POLICY_CALLS || !calls_find(number))
        return -ENOSYS;
    return p->action[number] == POLICY_ALLOW ? 0
                                             : -(long)(p->error[number] ? p->error[number] : EPERM);
}
