/* stack.c: LRU stack distances. */
#include "stack.h"

enum { BLOCK = 64 * STACK_LINE };

static void add(struct stack *s, uint32_t position, uint32_t what)
{
    for (uint32_t i = position / BLOCK + 1; i <= s->blocks; i += i & -i)
        s->sum[i] += what;
}

/* Bits before this position. */
static uint32_t before(const struct stack *s, uint32_t position)
{
    const uint64_t *line = &s->bits[(size_t)position / BLOCK * STACK_LINE];
    const uint32_t word = position / 64 % STACK_LINE;
    uint32_t sum = (uint32_t)__builtin_popcountll(line[word] & ((UINT64_C(1) << position % 64) - 1));
    for (uint32_t i = 0; i < word; i++)
        sum += (uint32_t)__builtin_popcountll(line[i]);
    for (uint32_t i = position / BLOCK; i; i &= i - 1)
        sum += s->sum[i];
    return sum;
}

static void clear(struct stack *s, uint32_t position)
{
    s->bits[position / 64] &= ~(UINT64_C(1) << position % 64);
    add(s, position, UINT32_MAX); /* - 1 */
    s->live--;
}

static void set(struct stack *s, uint32_t position, uint32_t n)
{
    s->bits[position / 64] |= UINT64_C(1) << position % 64;
    s->at[position] = n;
    s->store->object[n].prev = position;
    add(s, position, 1);
    s->live++;
}

/* All that is live to the begin of arrays of so many blocks. */
static bool compact(struct stack *s, uint32_t blocks)
{
    struct stack t = {.store = s->store, .blocks = blocks};
    t.bits = calloc((size_t)blocks * STACK_LINE, sizeof *t.bits);
    t.sum = calloc((size_t)blocks + 1, sizeof *t.sum);
    t.at = store_space((size_t)blocks * BLOCK * sizeof *t.at);
    if (!t.bits || !t.sum || !t.at) {
        free(t.bits);
        free(t.sum);
        free(t.at);
        return false;
    }
    for (uint32_t word = 0; word < s->blocks * STACK_LINE; word++)
        for (uint64_t bits = s->bits[word]; bits; bits &= bits - 1)
            set(&t, t.next++, s->at[64 * word + (uint32_t)__builtin_ctzll(bits)]);
    const struct stack old = *s;
    *s = t;
    free(old.bits);
    free(old.sum);
    free(old.at);
    return true;
}

int stack_create(struct stack *s)
{
    const struct cm_config any = {.capacity = 1};
    void *store = NULL;
    *s = (struct stack){0};
    int code = store_create(&any, sizeof *s->store, 1, 0, &store);
    s->store = store;
    return code ? code : compact(s, 4) ? 0 : -ENOMEM;
}

void stack_end(struct stack *s)
{
    if (s->store)
        store_destroy(s->store);
    free(s->bits);
    free(s->sum);
    free(s->at);
}

uint32_t stack_ask(struct stack *s, uint64_t key, uint32_t *distance)
{
    if (s->next == s->blocks * BLOCK && !compact(s, s->live > s->next / 2 ? 2 * s->blocks : s->blocks))
        return 0;
    uint32_t n = store_find(s->store, key);
    *distance = 0;
    if (n) {
        const uint32_t position = s->store->object[n].prev;
        *distance = s->live - before(s, position);
        clear(s, position);
    } else {
        n = store_add(s->store, key);
        if (!n)
            return 0;
    }
    set(s, s->next++, n);
    return n;
}

void stack_forget(struct stack *s, uint32_t n)
{
    clear(s, s->store->object[n].prev);
    store_forget(s->store, n);
}
