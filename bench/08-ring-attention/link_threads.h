/* link_threads.h: a ring of threads in one process, over memory that they share.
 *
 * A link holds nothing: `out` is copied straight to `in`, once both sides are there for it. begin only says where they
 * are; whoever of the two comes to `wait` first does the copying, for both. So a rank that computes longer keeps
 * nobody waiting, and there is no thread besides the ranks'. Where a link has a speed (bytes_per_second) one is needed:
 * link_slow.c.
 *
 * Errors, besides those of struct at_link: -EINVAL for NULL with bytes. When a rank has left with an error, all calls
 * of the others fail with -EPIPE; when it has left without, those that need it.
 */
#ifndef LINK_THREADS_H
#define LINK_THREADS_H

#include "ring_attention.h"

#define LINK_MAX_RANKS 256u /* TEAM_MOST */

struct link_group;

/* One transfer from a rank to the next, by clock_now_ns. */
struct link_transfer {
    uint64_t bytes, begin, end;
};

struct link_settings {
    uint32_t ranks;          /* 1 ... LINK_MAX_RANKS */
    double bytes_per_second; /* of each link; 0: as fast as it goes */
    uint32_t transfers;      /* of each link to keep a record of */
};

/* 0; -EINVAL, -ENOMEM, -EAGAIN (no more threads). */
int link_group_create(const struct link_settings *settings, struct link_group **group);
void link_group_destroy(struct link_group *group); /* when all ranks have left */

/* A rank's own, to be used from one thread. */
struct at_link link_of_rank(struct link_group *group, uint32_t rank);

/* The rank calls nothing any more: `code` is how it ended. What it began and didn't wait for is withdrawn. */
void link_leave(struct link_group *group, uint32_t rank, int code);

/* What has gone from that rank to the next: the oldest first. To be looked at when all have left. */
const struct link_transfer *link_transfers(const struct link_group *group, uint32_t rank, uint32_t *n);

#endif
