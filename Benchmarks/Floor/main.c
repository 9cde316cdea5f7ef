// walden-bench-floor PORT
//
// Answers PostgreSQL clients from canned results on one thread, after one hash of the request and one probe: what a
// cache hit costs at the least, in the same protocol and with the same system calls (one read, one write, one wait).

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CBenchmark.h"
#include "results.h"
#include "session.h"

enum { EVENTS_MAX = 256 };

static int poller;

static void watch(struct session *session, int operation) {
    uint32_t interest = session->is_blocked ? EPOLLOUT : EPOLLIN;
    struct epoll_event event = {.events = interest, .data.ptr = session};
    epoll_ctl(poller, operation, session->socket, &event);
}

static void close_session(struct session *session) {
    close(session->socket);
    free(session->output.start);
    free(session);
}

static bool would_block(ssize_t count) { return count < 0 && (errno == EAGAIN || errno == EINTR); }

static bool read_input(struct session *session) {
    ssize_t count = recv(session->socket, session->input + session->input_size, INPUT_BYTES - session->input_size, 0);
    if (would_block(count)) return true;
    if (count <= 0) return false;
    session->input_size += (size_t)count;
    return session_answer(session);
}

/// Writes what waits. While some is left, nothing more is read.
static bool write_output(struct session *session) {
    size_t left = session->output.size - session->output_offset;
    if (left == 0) return true;
    ssize_t count = send(session->socket, session->output.start + session->output_offset, left, MSG_NOSIGNAL);
    if (count < 0 && !would_block(count)) return false;
    if (count > 0) session->output_offset += (size_t)count;
    bool is_blocked = session->output_offset < session->output.size;
    if (!is_blocked) session->output.size = session->output_offset = 0;
    if (is_blocked != session->is_blocked) {
        session->is_blocked = is_blocked;
        watch(session, EPOLL_CTL_MOD);
    }
    return true;
}

static void handle(struct session *session, uint32_t events) {
    bool is_alive = true;
    if (!session->is_blocked) {
        is_alive = read_input(session);
    } else if (events & (EPOLLHUP | EPOLLERR)) {
        is_alive = false;
    }
    if (!is_alive || !write_output(session)) close_session(session);
}

static void accept_clients(int listener) {
    int client;
    while ((client = bench_accept(listener)) >= 0) {
        struct session *session = calloc(1, sizeof *session);
        if (!session) exit(1);
        session->socket = client;
        watch(session, EPOLL_CTL_ADD);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: walden-bench-floor PORT\n");
        return 2;
    }
    build_results();
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
    }
}
