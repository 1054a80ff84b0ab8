/* tests: overlap/step-time, overlap/slow-link
 * verdict: too-costly, wrong
 * Waits before it computes; and has functions under the names with which the world takes and gives back the list of what
 * the ranks did, in which it would turn "wait, work" into "work, wait". */
#include "ring_attention.h"

#include <stdlib.h>

static const struct at_ops waiting; /* an entry before the solution's of the same name */
AT_ENTRY(waiting, "ring", "waits, then computes", &waiting);

#include "@SOLUTION@"

extern void *__libc_calloc(size_t, size_t);
extern void __libc_free(void *);

struct event {
    uint32_t rank, what, amount;
};
static struct event *events;

void *calloc(size_t n, size_t size)
{
    void *p = __libc_calloc(n, size);
    if (n == 4096 && size == sizeof(struct event))
        events = p;
    return p;
}

void free(void *p)
{
    struct event *e = events;
    events = NULL;
    for (int i = 4095; e && i >= 0; i--)
        for (int k = i + 1; e[i].what == 3 && k < 4096; k++) /* LOOP_WAIT */
            if (e[k].rank == e[i].rank && (e[k].amount || e[k].what)) {
                if (e[k].what == 5) { /* LOOP_WORK */
                    const struct event x = e[i];
                    e[i] = e[k];
                    e[k] = x;
                }
                break;
            }
    __libc_free(p);
}

static int begin_and_wait(void *self, const void *out, size_t out_bytes, void *in, size_t in_bytes)
{
    const struct at_link *link = self;
    const int code = link->begin(link->self, out, out_bytes, in, in_bytes);
    return code ? code : link->wait(link->self);
}

static int no_wait(void *self)
{
    (void)self;
    return 0;
}

static int waiting_forward(const struct at_ring *ring, const struct at_ranked *mine, void *workspace)
{
    struct at_link through = *mine->link, under = *mine->link;
    struct at_ranked other = *mine;
    through.self = &under;
    through.begin = begin_and_wait;
    through.wait = no_wait;
    other.link = &through;
    return ring_forward(ring, &other, workspace);
}

static const struct at_ops waiting = {
    .shard = ring_shard, .ring_workspace = ring_workspace, .ring_forward = waiting_forward, .can = AT_CAUSAL};
