// SPDX-License-Identifier: Apache-2.0
// A server under load as servers are built: threads that share an epoll descriptor, connections by
// the hundred, timeouts, and a signal that ends it. Passes on the host too.
#include "base/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, CLIENTS = 8, CONNECTIONS = 25, REQUESTS = 4, LISTENER = -1, STOP = -2 };

struct server {
    int epoll, listener, stop;
    struct sockaddr_in address;
    atomic_int n_answers, n_closed;
    pthread_t workers[WORKERS];
};

static void watch(struct server *s, int fd, int what, u32 events, int how)
{
    struct epoll_event e = {.events = events, .data.fd = what};
    epoll_ctl(s->epoll, how, fd, &e);
}

static void accept_all(struct server *s)
{
    int fd;
    while ((fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        watch(s, fd, fd, EPOLLIN | EPOLLET | EPOLLONESHOT, EPOLL_CTL_ADD);
    watch(s, s->listener, LISTENER, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_MOD);
}

// A request is a number; its answer the number's square.
static void answer(struct server *s, int fd)
{
    u64 request;
    ssize_t n;
    while ((n = read(fd, &request, sizeof(request))) == sizeof(request)) {
        request *= request;
        if (write(fd, &request, sizeof(request)) == sizeof(request))
            s->n_answers++;
    }
    if (n == 0 || errno != EAGAIN) {
        close(fd);
        s->n_closed++;
    } else {
        watch(s, fd, fd, EPOLLIN | EPOLLET | EPOLLONESHOT, EPOLL_CTL_MOD);
    }
}

static void *work(void *opaque)
{
    struct server *s = opaque;
    struct epoll_event events[16];
    for (;;) {
        int n = epoll_wait(s->epoll, events, 16, 10000);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == STOP)
                return NULL;
            if (events[i].data.fd == LISTENER)
                accept_all(s);
            else
                answer(s, events[i].data.fd);
        }
        if (n == 0)
            return s;
    }
}

static bool begin(struct server *s)
{
    socklen_t size = sizeof(s->address);
    s->address = (struct sockaddr_in){.sin_family = AF_INET};
    s->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->epoll = epoll_create1(0);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    s->stop = eventfd(0, EFD_NONBLOCK);
    if (bind(s->listener, (struct sockaddr *)&s->address, size) || listen(s->listener, 500) ||
        getsockname(s->listener, (struct sockaddr *)&s->address, &size))
        return false;
    watch(s, s->listener, LISTENER, EPOLLIN | EPOLLONESHOT, EPOLL_CTL_ADD);
    watch(s, s->stop, STOP, EPOLLIN, EPOLL_CTL_ADD);
    for (int i = 0; i < WORKERS; i++)
        if (pthread_create(s->workers + i, NULL, work, s))
            return false;
    return true;
}

static bool end(struct server *s)
{
    u64 one = 1;
    bool ok = write(s->stop, &one, sizeof(one)) == sizeof(one);
    for (int i = 0; i < WORKERS; i++) {
        void *gave_up;
        pthread_join(s->workers[i], &gave_up);
        ok &= !gave_up;
    }
    close(s->stop);
    close(s->epoll);
    close(s->listener);
    return ok;
}

// All connections of a client are open at the same time.
static void *ask(void *opaque)
{
    const struct server *s = opaque;
    int fds[CONNECTIONS];
    u64 n_good = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[i], (const struct sockaddr *)&s->address, sizeof(s->address)))
            return NULL;
    }
    for (u64 request = 1; request <= REQUESTS; request++) {
        for (int i = 0; i < CONNECTIONS; i++)
            if (send(fds[i], &request, sizeof(request), 0) != sizeof(request))
                return NULL;
        for (int i = 0; i < CONNECTIONS; i++) {
            u64 got = 0;
            n_good += recv(fds[i], &got, sizeof(got), MSG_WAITALL) == sizeof(got) &&
                      got == request * request;
        }
    }
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
    return (void *)n_good;
}

static u64 ask_from_threads(struct server *s)
{
    pthread_t clients[CLIENTS];
    u64 n_good = 0;
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(clients + i, NULL, ask, s);
    for (int i = 0; i < CLIENTS; i++) {
        void *good;
        pthread_join(clients[i], &good);
        n_good += (u64)good;
    }
    return n_good;
}

TEST(two_hundred_connections_are_served)
{
    struct server s = {0};
    REQUIRE(begin(&s));
    CHECK_EQ(ask_from_threads(&s), CLIENTS * CONNECTIONS * REQUESTS);
    for (int i = 0; i < 500 && s.n_closed < CLIENTS * CONNECTIONS; i++)
        usleep(10000);
    CHECK_EQ(s.n_closed, CLIENTS * CONNECTIONS);
    CHECK_EQ(s.n_answers, CLIENTS * CONNECTIONS * REQUESTS);
    CHECK(end(&s));
}

TEST(clients_in_other_processes)
{
    struct server s = {0};
    int status, n_good = 0;
    REQUIRE(begin(&s));
    for (int i = 0; i < 4; i++)
        if (!fork())
            _exit((u64)ask(&s) != CONNECTIONS * REQUESTS);
    for (int i = 0; i < 4; i++) {
        wait(&status);
        n_good += status == 0;
    }
    CHECK_EQ(n_good, 4);
    CHECK(end(&s));
}

// A server that forks for each connection, while threads run in it.
TEST(a_process_for_each_connection)
{
    struct server s = {0};
    int status, n_good = 0;
    REQUIRE(begin(&s));
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = s.address;
    socklen_t size = sizeof(a);
    a.sin_port = 0;
    REQUIRE(bind(listener, (struct sockaddr *)&a, size) == 0 && listen(listener, 50) == 0);
    getsockname(listener, (struct sockaddr *)&a, &size);
    for (u64 i = 0; i < 20; i++) {
        u64 got = 0;
        int c = socket(AF_INET, SOCK_STREAM, 0);
        REQUIRE(connect(c, (struct sockaddr *)&a, size) == 0);
        int there = accept(listener, NULL, NULL);
        pid_t child = fork();
        if (!child) {
            u64 request;
            bool ok = read(there, &request, 8) == 8;
            request *= request;
            _exit(!ok || write(there, &request, 8) != 8);
        }
        close(there);
        CHECK_EQ(write(c, &i, 8), 8);
        n_good += recv(c, &got, 8, MSG_WAITALL) == 8 && got == i * i;
        close(c);
        waitpid(child, &status, 0);
        CHECK_EQ(status, 0);
    }
    CHECK_EQ(n_good, 20);
    close(listener);
    CHECK(end(&s));
}

static volatile sig_atomic_t told_to_stop;

static void stop_it(int signal)
{
    told_to_stop = signal;
}

TEST(a_signal_ends_it)
{
    struct sigaction a = {.sa_handler = stop_it};
    struct server s = {0};
    sigset_t term, old;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &old); // the workers inherit it
    REQUIRE(begin(&s));
    sigaction(SIGTERM, &a, NULL);
    pid_t self = getpid(), child = fork();
    if (!child) {
        usleep(30000);
        _exit(kill(self, SIGTERM));
    }
    while (!told_to_stop)
        sigsuspend(&old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    waitpid(child, NULL, 0);
    CHECK_EQ(told_to_stop, SIGTERM);
    CHECK_EQ(ask_from_threads(&s), CLIENTS * CONNECTIONS * REQUESTS);
    CHECK(end(&s));
}
