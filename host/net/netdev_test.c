// SPDX-License-Identifier: Apache-2.0
// The command line of networks, and tap interfaces as far as this host has them.
#include "host/net/netdev.h"
#include "base/bug.h"
#include "base/test.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void check_error(const char *text, const char *wanted)
{
    struct err e = {0};
    char *id;
    CHECK(!netdev_open(text, &id, &e));
    if (!CHECK(strstr(e.text, wanted) != NULL))
        printf("# %s\n", e.text);
}

TEST(wrong_options_say_what_is_wrong)
{
    check_error("vde,id=n0", "netdev: there is no network 'vde', only user and tap");
    check_error("", "there is no network ''");
    check_error("tap,id=n0", "netdev n0: ifname= is missing");
    check_error("tap,ifname=a-name-that-is-too-long", "longer than 15 characters");
    check_error("tap,ifname=x,script=up.sh", "there is no 'script=up.sh'");
    for (size_t i = 0; i < 2; i++)
        CHECK(netdev_grammar(i) != NULL);
    CHECK(!netdev_grammar(2));
}

// Brings the interface up.
static bool set_up(const char *name)
{
    struct ifreq r = {0};
    strcpy(r.ifr_name, name);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0;
    r.ifr_flags |= IFF_UP;
    ok = ok && ioctl(fd, SIOCSIFFLAGS, &r) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

struct card {
    pthread_mutex_t lock;
    unsigned n_frames;
};

static bool receive(void *opaque, const u8 *frame, size_t size)
{
    ((struct card *)opaque)->n_frames++;
    return true;
}

// The host's own chatter on a new interface (IPv6 neighbour discovery) comes in, frames go out.
TEST(tap_interfaces_carry_frames)
{
    struct card c = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct err e = {0};
    char *id, name[IFNAMSIZ], text[100];
    int fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0)
        SKIP("no /dev/net/tun on this host");
    close(fd);
    snprintf(name, sizeof(name), "lh%d", (int)getpid());
    snprintf(text, sizeof(text), "tap,id=t0,ifname=%s,script=no,downscript=no", name);
    struct netdev *n = netdev_open(text, &id, &e);
    if (!n && strstr(e.text, "not permitted"))
        SKIP("no right to make a tap interface");
    if (!CHECK(n != NULL)) {
        printf("# %s\n", e.text);
        return;
    }
    CHECK_STR(id, "t0");
    free(id);
    struct netdev_client client = {.receive = receive, .opaque = &c};
    netdev_attach(n, &client, &c.lock);
    CHECK(set_up(name));
    u8 frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    struct iovec v = {frame, sizeof(frame)};
    pthread_mutex_lock(&c.lock);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(netdev_send(n, &v, 1), 0);
    pthread_mutex_unlock(&c.lock);
    char path[100], count[32] = "";
    snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_packets", name);
    for (int i = 0; i < 100 && atoi(count) < 10; i++) {
        usleep(20000);
        int stat = open(path, O_RDONLY);
        if (stat < 0)
            break;
        CHECK(read(stat, count, sizeof(count) - 1) > 0);
        close(stat);
    }
    CHECK_EQ(atoi(count), 10);
    netdev_detach(n);
    netdev_free(n);
}
