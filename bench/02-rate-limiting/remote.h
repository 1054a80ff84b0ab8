/* remote.h: limits kept by a real Redis on this machine: what a decision across a socket costs, and what goes wrong when
 * it takes two commands.
 *
 * One server is started when it is first needed, on a free port of the loopback, with nothing written to disk, and ended
 * with the program. Where redis-server is not installed, or this was built without hiredis, remote_connect says so: a
 * claim then cannot be told, and a cost is n/a with that reason.
 *
 * A client is one connection, for one thread at a time.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum remote_rule {
    REMOTE_GET_SET, /* GET, and if that is below the limit, SET to one more: two commands, and others between them */
    REMOTE_INCR_EXPIRE, /* INCR; who finds 1 sends EXPIRE: the article's snippet */
    REMOTE_GCRA,        /* GCRA as a script, which the server runs as one command */
};

struct remote;

/* limit in window_s; NULL and the reason where there is no Redis. Keys of one `name` are shared by its clients. */
struct remote *remote_connect(enum remote_rule rule, const char *name, uint64_t limit, unsigned window_s, char *why,
                              size_t size);
void remote_close(struct remote *remote);

/* 1 allowed, 0 refused, -1 when the server does not answer. `now` in us, for REMOTE_GCRA. */
int remote_allow(struct remote *remote, uint64_t key, uint64_t now_us);

/* Does the first half of a decision of REMOTE_INCR_EXPIRE and dies, as a client may: its connection is gone. With any
 * other rule it decides, and dies then. Closes the remote. */
void remote_die(struct remote *remote, uint64_t key);

/* How many keys of this name the server will never forget. -1 when it does not answer. */
long remote_leaked(struct remote *remote);

#endif
