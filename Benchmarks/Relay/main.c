// walden-bench-relay PORT UPSTREAM_PORT
//
// Carries bytes between each client and a server connection of its own, without looking at them, on one thread: what a
// pass-through costs at the least.

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBenchmark.h"

enum { BUFFER_BYTES = 64 * 1024, EVENTS_MAX = 256 };

/// One side of a relayed connection, with the bytes that wait to be written to it.
struct side {
    int socket;
    struct side *peer;
    size_t offset, size;
    bool is_closed;
    struct side *next_closed;
    char waiting[BUFFER_BYTES];
};

static int poller;
static int upstream_port;
static struct side *closed;

/// A side is read while nothing waits for its peer, and asked for room while something waits for itself.
static void watch(struct side *side, int operation) {
    uint32_t interest = (side->peer->size ? 0 : EPOLLIN) | (side->size ? EPOLLOUT : 0);
    struct epoll_event event = {.events = interest, .data.ptr = side};
    epoll_ctl(poller, operation, side->socket, &event);
}

/// Both sides go together; they are freed after the batch of events, which may still name the other one.
static void close_both(struct side *side) {
    if (side->is_closed) return;
    struct side *both[] = {side, side->peer};
    for (int index = 0; index < 2; index++) {
        close(both[index]->socket);
        both[index]->is_closed = true;
        both[index]->next_closed = closed;
        closed = both[index];
    }
}

static void free_closed(void) {
    while (closed) {
        struct side *next = closed->next_closed;
        free(closed);
        closed = next;
    }
}

static bool would_block(ssize_t count) { return count < 0 && (errno == EAGAIN || errno == EINTR); }

/// Writes what waits; false when the connection is gone.
static bool write_waiting(struct side *side) {
    ssize_t count = send(side->socket, side->waiting + side->offset, side->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return would_block(count);
    side->offset += (size_t)count;
    side->size -= (size_t)count;
    return true;
}

static void carry(struct side *from) {
    struct side *to = from->peer;
    ssize_t count = recv(from->socket, to->waiting, BUFFER_BYTES, MSG_DONTWAIT);
    if (would_block(count)) return;
    if (count <= 0) return close_both(from);
    to->offset = 0;
    to->size = (size_t)count;
    if (!write_waiting(to)) return close_both(from);
    if (to->size) {
        watch(from, EPOLL_CTL_MOD);
        watch(to, EPOLL_CTL_MOD);
    }
}

static void handle(struct side *side, uint32_t events) {
    if (side->is_closed) return;
    if (side->size && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))) {
        if (!write_waiting(side)) return close_both(side);
        if (!side->size) {
            watch(side, EPOLL_CTL_MOD);
            watch(side->peer, EPOLL_CTL_MOD);
        }
    }
    if (!side->peer->size && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) carry(side);
}

static struct side *make_side(int socket) {
    struct side *side = calloc(1, sizeof *side);
    if (!side) exit(1);
    side->socket = socket;
    return side;
}

static void accept_clients(int listener) {
    int client;
    while ((client = bench_accept(listener)) >= 0) {
        int server = bench_connect((uint16_t)upstream_port);
        if (server < 0) {
            close(client);
            continue;
        }
        struct side *one = make_side(client);
        struct side *other = make_side(server);
        one->peer = other;
        other->peer = one;
        watch(one, EPOLL_CTL_ADD);
        watch(other, EPOLL_CTL_ADD);
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: walden-bench-relay PORT UPSTREAM_PORT\n");
        return 2;
    }
    upstream_port = atoi(arguments[2]);
    int listener = bench_listen((uint16_t)atoi(arguments[1]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS_MAX, -1);
        for (int index = 0; index < ready; index++) {
            if (events[index].data.ptr) {
                handle(events[index].data.ptr, events[index].events);
            } else {
                accept_clients(listener);
            }
        }
        free_closed();
    }
}
