/* event_queue.c: a heap in which each parent has four children.
 *
 * Binary or 4-ary? Half as many levels, and the four children to compare are 64 bytes: one cache line, if the array
 * starts so that groups of siblings do not straddle two. That is what the gap of three slots before the root is for:
 * the root sits at the end of a line, its children 1..4 fill the next. (A. LaMarca and R. Ladner, "The influence of
 * caches on the performance of heaps", 1996.)
 *
 * Equal times in order: the upper half of `data` is the number of the push, the lower half what the caller gave. So
 * (time, data) read as one number of 128 bits orders the events completely, and an event is still 16 bytes. After 2^32
 * pushes the numbers run out: then the heap is sorted (a sorted array is a heap) and numbered anew from 0, which
 * happens so rarely that it costs nothing a push.
 *
 * Invariant: no event is smaller than its parent; events not yet popped have numbers below `pushed`, all different,
 * rising in the order pushed.
 *
 * Left out: taking an event out of the middle. A simulation cancels by making the event do nothing when it comes.
 */
#include "sim/event_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GAP      3 /* slots before the root */
#define CHILDREN 4
#ifndef EVENT_NUMBERS /* a test has it smaller */
#define EVENT_NUMBERS ((uint64_t)1 << 32)
#endif

struct event_queue {
    struct event *heap; /* memory + GAP */
    size_t size;
    size_t capacity;
    uint64_t pushed; /* number of the next push, at most EVENT_NUMBERS */
    struct event *memory;
};

__extension__ typedef unsigned __int128 order;

static order order_of(struct event e)
{
    return (order)e.time << 64 | e.data;
}

static int reserve(struct event_queue *q, size_t capacity)
{
    if (capacity > UINT32_MAX || capacity > SIZE_MAX / sizeof(struct event) - 2 * CHILDREN)
        return -ENOMEM;
    const size_t bytes = (GAP + capacity) * sizeof(struct event);
    struct event *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        return -ENOMEM;
    if (q->size)
        memcpy(memory + GAP, q->heap, q->size * sizeof(struct event));
    free(q->memory);
    q->memory = memory;
    q->heap = memory + GAP;
    q->capacity = capacity;
    return 0;
}

int event_queue_create(size_t capacity, struct event_queue **out)
{
    *out = NULL;
    struct event_queue *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    if (reserve(q, capacity > 16 ? capacity : 16)) {
        free(q);
        return -ENOMEM;
    }
    *out = q;
    return 0;
}

void event_queue_destroy(struct event_queue *q)
{
    if (!q)
        return;
    free(q->memory);
    free(q);
}

static int compare(const void *a, const void *b)
{
    const order x = order_of(*(const struct event *)a);
    const order y = order_of(*(const struct event *)b);
    return (x > y) - (x < y);
}

static void renumber(struct event_queue *q)
{
    qsort(q->heap, q->size, sizeof *q->heap, compare);
    for (size_t i = 0; i < q->size; i++)
        q->heap[i].data = (uint64_t)i << 32 | (uint32_t)q->heap[i].data;
    q->pushed = q->size;
}

static struct event numbered(struct event_queue *q, uint64_t time, uint32_t data)
{
    if (q->pushed >= EVENT_NUMBERS)
        renumber(q);
    return (struct event){time, q->pushed++ << 32 | data};
}

/* Puts `e` into the hole at i, or above it. */
static void sift_up(struct event *heap, size_t i, struct event e)
{
    while (i > 0) {
        const size_t parent = (i - 1) / CHILDREN;
        if (order_of(heap[parent]) <= order_of(e))
            break;
        heap[i] = heap[parent];
        i = parent;
    }
    heap[i] = e;
}

/* Puts `e` into the hole at the root, or below it. Which child is least cannot be predicted, so it is chosen without
 * branches: two pairs, then the winners. */
static void sift_down(struct event *heap, size_t size, struct event e)
{
    size_t i = 0;
    for (;;) {
        const size_t first = CHILDREN * i + 1;
        size_t least = first;
        if (first + CHILDREN <= size) {
            const size_t left = first + (order_of(heap[first + 1]) < order_of(heap[first]));
            const size_t right = first + 2 + (order_of(heap[first + 3]) < order_of(heap[first + 2]));
            least = order_of(heap[right]) < order_of(heap[left]) ? right : left;
        } else if (first < size) {
            for (size_t child = first + 1; child < size; child++)
                if (order_of(heap[child]) < order_of(heap[least]))
                    least = child;
        } else {
            break;
        }
        if (order_of(e) <= order_of(heap[least]))
            break;
        heap[i] = heap[least];
        i = least;
    }
    heap[i] = e;
}

int event_queue_push(struct event_queue *q, uint64_t time, uint32_t data)
{
    if (q->size == q->capacity) {
        const int rc = reserve(q, 2 * q->capacity);
        if (rc)
            return rc;
    }
    const struct event e = numbered(q, time, data); /* first: it may reorder the heap */
    sift_up(q->heap, q->size++, e);
    return 0;
}

bool event_queue_peek(const struct event_queue *q, struct event *out)
{
    if (!q->size)
        return false;
    *out = (struct event){q->heap[0].time, (uint32_t)q->heap[0].data};
    return true;
}

bool event_queue_pop(struct event_queue *q, struct event *out)
{
    if (!event_queue_peek(q, out))
        return false;
    q->size--;
    if (q->size)
        sift_down(q->heap, q->size, q->heap[q->size]);
    return true;
}

size_t event_queue_size(const struct event_queue *q)
{
    return q->size;
}
