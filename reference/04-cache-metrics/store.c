/* store.c: objects by key: making, growing and ending. */
#include "store.h"

#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2048 * 1024)
#define FIRST     64u /* objects that there is room for at first */

void *store_space(size_t bytes)
{
    const size_t unit = bytes < HUGE_PAGE ? 64 : HUGE_PAGE;
    if (bytes > SIZE_MAX - unit)
        return NULL;
    void *space = aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
    if (space && unit == HUGE_PAGE)
        madvise(space, bytes, MADV_HUGEPAGE); /* a wish: it works without */
    return space;
}

void store_destroy(void *cache)
{
    struct store *s = cache;
    free(s->object);
    free(s->slot);
    free(s->more);
    free(s);
}

size_t store_bytes(const void *cache)
{
    const struct store *s = cache;
    return s->cache_size + s->room * (sizeof *s->object + 2 * sizeof *s->slot + s->more_size);
}

/* What the index held goes into the new one in the order of its places: neighbours stay neighbours. */
static void take_over(struct store *s, uint32_t *slot, uint32_t room)
{
    uint32_t *old = s->slot, places = 2 * s->room;
    s->slot = slot;
    s->mask = 2 * room - 1;
    s->shift = (uint32_t)__builtin_clzll(s->mask);
    for (uint32_t i = 0; i < places; i++)
        if (old[i]) {
            uint32_t at = store_home(s, s->object[old[i]].key);
            while (slot[at])
                at = (at + 1) & s->mask;
            slot[at] = old[i];
        }
    free(old);
}

static void *enlarged(const void *from, size_t old, size_t bytes)
{
    char *space = store_space(bytes);
    if (space && old)
        memcpy(space, from, old);
    if (space)
        memset(space + old, 0, bytes - old);
    return space;
}

bool store_grow(struct store *s)
{
    if (s->room > UINT32_MAX / 4)
        return false;
    const size_t old = s->room, room = old ? 2 * old : FIRST;
    void *object = enlarged(s->object, old * sizeof *s->object, room * sizeof *s->object);
    void *slot = enlarged(NULL, 0, 2 * room * sizeof *s->slot);
    void *more = s->more_size ? enlarged(s->more, old * s->more_size, room * s->more_size) : NULL;
    if (!object || !slot || (s->more_size && !more)) {
        free(object);
        free(slot);
        free(more);
        return false;
    }
    free(s->object);
    free(s->more);
    s->object = object;
    s->more = more;
    take_over(s, slot, (uint32_t)room);
    s->room = (uint32_t)room;
    return true;
}

int store_create(const struct cm_config *config, size_t cache_size, uint32_t lists, size_t more_size, void **cache)
{
    if (config->capacity < 1 || config->capacity > STORE_LARGEST)
        return -EINVAL;
    struct store *s = calloc(1, cache_size);
    if (!s)
        return -ENOMEM;
    s->capacity = config->capacity;
    s->cache_size = cache_size;
    s->more_size = more_size;
    s->fresh = lists;
    if (!store_grow(s)) {
        store_destroy(s);
        return -ENOMEM;
    }
    for (uint32_t list = 0; list < lists; list++)
        s->object[list] = (struct object){.prev = list, .next = list};
    *cache = s;
    return 0;
}
