// SPDX-License-Identifier: Apache-2.0
#include "vmm/ports.h"
#include "base/bug.h"
#include "vmm/chardev_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool to_monitor(struct port *port)
{
    if (port->is_monitor)
        return false;
    port->session = monitor_guest_of(port->ports->monitor, port->console);
    monitor_toggle(port->session);
    return true;
}

static bool key_pressed(void *opaque, char key)
{
    struct port *port = opaque;
    if (key == 'c')
        return to_monitor(port);
    if (key != 'x')
        return false;
    port->ports->wants_to_quit = true;
    loop_wake(port->ports->loop);
    return true;
}

// What the monitor says is not the guest's.
static bool is_of_guest(const struct port *port)
{
    return !port->is_monitor && !(port->session && monitor_writes(port->session));
}

static void guest_wrote(void *opaque, const void *bytes, size_t n)
{
    struct port *port = opaque;
    struct ports *p = port->ports;
    if (port->is_on_terminal || is_of_guest(port))
        screen_end_status(p->screen);
    if (port->is_on_terminal)
        screen_note_output(p->screen, bytes, n);
    if (is_of_guest(port))
        panic_watch_note(p->panic, &port->panic_place, bytes, n, clock_now(p->clock));
}

static struct console *make_port(struct ports *p, const char *option, const char *text,
                                 struct err *e)
{
    struct port *port = &p->list[p->n++];
    *port = (struct port){
        .ports = p, .option = option, .is_on_terminal = !strncmp(text, "stdio", strlen("stdio"))};
    port->console = console_new(text, p->loop, e);
    if (!port->console) {
        err_context(e, "%s", option);
        return NULL;
    }
    if (p->clock->is_counted)
        console_set_patient(port->console);
    console_set_keys(port->console, &(struct console_keys){key_pressed, port});
    console_set_tap(port->console, &(struct console_tap){guest_wrote, port});
    return port->console;
}

static bool make_chardev(struct ports *p, const char *text, struct err *e)
{
    struct chardev_option c;
    if (p->n_chardevs == PORTS_MAX_CHARDEVS)
        return err_set(e, "-chardev: there is room for %d", PORTS_MAX_CHARDEVS);
    if (!chardev_option_parse(&c, text, e))
        return false;
    struct console *console = make_port(p, "-chardev", c.console, e);
    p->chardevs[p->n_chardevs++] = (struct machine_chardev){c.id, console};
    c.id = NULL;
    chardev_option_free(&c);
    return console;
}

static bool has_terminal(const struct ports *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->list[i].is_on_terminal)
            return true;
    return false;
}

// Without -serial the first port is on the terminal, if nothing else is.
static bool make_serials(struct ports *p, const struct option_list *serials,
                         struct machine_config *c, struct err *e)
{
    if (!serials->n && !has_terminal(p))
        return (c->serials[0] = make_port(p, "-serial", "stdio", e));
    for (size_t i = 0; i < serials->n; i++)
        if (!(c->serials[i] = make_port(p, "-serial", serials->texts[i], e)))
            return false;
    return true;
}

// "unix:PATH,OPTIONS" with the options of a server in front; they can be overruled. Owned by the
// caller.
static char *monitor_console(const char *text)
{
    static const char socket[] = "unix:";
    char *console = NULL;
    size_t n = strlen(socket);
    if (strncmp(text, socket, n))
        return strdup(text);
    while (text[n] && (text[n] != ',' || text[n + 1] == ','))
        n += text[n] == ',' ? 2 : 1;
    return asprintf(&console, "%.*s,server,wait=off%s", (int)n, text, text + n) < 0 ? NULL
                                                                                    : console;
}

static enum monitor_kind kind_of(const char *text)
{
    return !strncmp(text, "unix", 4)  ? MONITOR_LINES
           : !strncmp(text, "pty", 3) ? MONITOR_RAW
                                      : MONITOR_TERMINAL;
}

static bool make_monitor(struct ports *p, const char *text, struct err *e)
{
    if (strncmp(text, "unix:", 5) && strncmp(text, "pty", 3) && strncmp(text, "stdio", 5))
        return err_set(e, "-monitor '%s': it is unix:PATH, pty or stdio", text);
    char *console_text = monitor_console(text);
    BUG_ON(!console_text);
    struct console *console = make_port(p, "-monitor", console_text, e);
    free(console_text);
    if (!console)
        return false;
    p->list[p->n - 1].is_monitor = true;
    monitor_attach(p->monitor, console, kind_of(text));
    return true;
}

static bool make_monitors(struct ports *p, const struct option_list *monitors, struct err *e)
{
    if (monitors->n > PORTS_MAX_MONITORS)
        return err_set(e, "-monitor: there is room for %d", PORTS_MAX_MONITORS);
    for (size_t i = 0; i < monitors->n; i++)
        if (!make_monitor(p, monitors->texts[i], e))
            return false;
    return true;
}

bool ports_make(struct ports *p, const struct run_options *o, struct machine_config *c,
                struct err *e)
{
    for (size_t i = 0; i < o->chardevs.n; i++)
        if (!make_chardev(p, o->chardevs.texts[i], e))
            return false;
    c->chardevs = p->chardevs;
    c->n_chardevs = p->n_chardevs;
    return make_monitors(p, &o->monitors, e) && make_serials(p, &o->serials, c, e);
}

bool ports_start(struct ports *p, struct err *e)
{
    for (unsigned i = 0; i < p->n; i++)
        if (!console_start(p->list[i].console, e))
            return err_context(e, "%s", p->list[i].option);
    return true;
}

bool ports_await_client(const struct ports *p)
{
    for (unsigned i = 0; i < p->n; i++)
        if (console_awaits_client(p->list[i].console))
            return true;
    return false;
}

void ports_close(struct ports *p)
{
    for (unsigned i = 0; i < p->n; i++)
        console_close(p->list[i].console);
    for (unsigned i = 0; i < p->n_chardevs; i++)
        free((char *)(uintptr_t)p->chardevs[i].id);
    p->n = p->n_chardevs = 0;
}
