/* Loads that wait for each other, loads that do not, and how many bytes a second come and go.
 *
 * The working sets follow the caches that hwloc found: half of L1 and of L2, a quarter of the last cache (half, where a
 * quarter would lie too near the size of the cache below), never more than 64 MiB of it, since a large one is shared
 * with others; and for memory four times the last cache, at most 512 MiB and at most an eighth of what is available.
 * Where the last cache is so large that this is less than four times its size, the row says so: some loads then hit.
 *
 * Dependent loads: each line holds the address of the next, in one cycle through all lines, in an order that no
 * prefetcher guesses. The order is a mixing of the bits of 0, 1, 2 …, which is one-to-one, so the cycle is complete by
 * construction and takes no memory to build. Each chunk goes on where the last one ended; going through the same few
 * lines again would measure a nearer cache.
 *
 * Independent loads: addresses from the same mixing of a counter, so that many are under way at once. Working out an
 * address sets a floor of a few cycles: for L1, and nearly for L2, it is that floor that shows.
 *
 * All memory is touched first by the thread that will use it (so it lies near it), and asked to be on huge pages, so
 * that the translation of addresses is not what is measured.
 *
 * What it leaves out: stores that bypass the caches, other strides, loads from the other socket.
 */
#include "measure/limits_bench.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE       64 /* stride of the loads; a cache with longer lines gets more hits, and there is none in use */
#define HUGE_PAGE  ((uint64_t)2 << 20)
#define MOST_CACHE ((uint64_t)64 << 20)
#define MOST       ((uint64_t)512 << 20)
#define LEVELS     4    /* 0: memory; 1, 2, 3 */
#define BLOCK      4096 /* bytes of one operation of read and copy */

struct line {
    struct line *next;
    char rest[LINE - sizeof(struct line *)];
};

struct set {
    struct line *line;
    uint64_t bytes, mapped; /* bytes: a power of two; 0: no such set */
    void *mapping;
    const struct line *at; /* of the dependent loads */
    uint64_t counter;      /* of the independent ones */
    bool failed, small;    /* no memory was to be had; less than four times the last cache */
    uint64_t of;           /* size of the cache that it lies in */
};

struct stream {                       /* two threads, two lines: `at` is written for every block */
    _Alignas(LIMITS_LINE) char *from; /* two halves */
    char *to;
    uint64_t half, at, mapped;
    void *mapping;
    bool failed;
};

struct limits_memory {
    struct set set[LEVELS];
    struct stream stream[2]; /* one a thread */
};

/* ---- sizes ---- */

static uint64_t power_below(uint64_t x)
{
    while (x & (x - 1))
        x &= x - 1;
    return x;
}

/* Bytes that can be taken without pressing anybody: what the kernel calls available, or what a cgroup allows. */
static uint64_t available(void)
{
    uint64_t bytes = (uint64_t)2 << 30;
    char line[256];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "MemAvailable:", 13) == 0)
            bytes = strtoull(line + 13, NULL, 10) << 10;
    if (file)
        fclose(file);
    file = fopen("/sys/fs/cgroup/memory.max", "r");
    if (file && fgets(line, sizeof line, file) && *line >= '0' && *line <= '9') {
        uint64_t most = strtoull(line, NULL, 10);
        bytes = most < bytes ? most : bytes;
    }
    if (file)
        fclose(file);
    return bytes;
}

static uint64_t set_bytes(const struct topology *t, unsigned level)
{
    unsigned last = topology_last_level(t);
    uint64_t size = topology_data_cache(t, level ? level : last), most = power_below(available() / 8);
    if (level == 0) {
        uint64_t bytes = 4 * (size ? size : (uint64_t)32 << 20);
        bytes = bytes > MOST ? MOST : bytes;
        return power_below(bytes < most ? bytes : most);
    }
    if (size == 0)
        return 0;
    uint64_t below = level > 1 ? topology_data_cache(t, level - 1) : 0, bytes = size / 2;
    if (level == last && level > 1 && size / 4 >= 4 * below)
        bytes = size / 4;
    bytes = bytes > MOST_CACHE ? MOST_CACHE : bytes;
    return power_below(bytes < most ? bytes : most);
}

/* ---- building ---- */

/* One-to-one from numbers of `bits` bits to such numbers: odd factors and shifted exclusive ors can be undone. */
static uint64_t mix(uint64_t x, unsigned bits)
{
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    unsigned half = (bits + 1) / 2;
    x = (x * 0x9e3779b97f4a7c15u) & mask;
    x ^= x >> half;
    x = (x * 0xd1b54a32d192ed03u) & mask;
    return x ^ x >> half;
}

/* Memory at a border of huge pages; NULL when there is none. *mapping and *mapped are for munmap. */
static void *take(uint64_t bytes, void **mapping, uint64_t *mapped)
{
    *mapped = bytes + HUGE_PAGE;
    *mapping = mmap(NULL, *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (*mapping == MAP_FAILED) {
        *mapping = NULL;
        return NULL;
    }
    char *start = (char *)*mapping + (HUGE_PAGE - (uintptr_t)*mapping % HUGE_PAGE) % HUGE_PAGE;
    madvise(start, bytes < HUGE_PAGE ? HUGE_PAGE : bytes, MADV_HUGEPAGE); /* a wish: refused, it costs some accuracy */
    return start;
}

static unsigned bits_of(const struct set *s)
{
    return (unsigned)__builtin_ctzll(s->bytes / LINE);
}

static struct limits_memory *memory(struct limits_bench *b)
{
    if (b->memory)
        return b->memory;
    struct limits_memory *m = aligned_alloc(_Alignof(struct limits_memory), sizeof *m);
    if (!m)
        return NULL;
    memset(m, 0, sizeof *m);
    for (unsigned level = 0; level < LEVELS; level++) {
        struct set *s = &m->set[level];
        s->of = topology_data_cache(b->topology, level ? level : topology_last_level(b->topology));
        s->bytes = set_bytes(b->topology, level);
        s->small = level == 0 && s->bytes < 4 * s->of;
    }
    b->memory = m;
    return m;
}

/* On the thread that will read: builds the set at the first call, and brings it into its cache at each. */
static void warm_set(void *context)
{
    struct set *s = context;
    uint64_t lines = s->bytes / LINE, sum = 0;
    if (!s->line && !s->failed) {
        s->line = take(s->bytes, &s->mapping, &s->mapped);
        s->failed = !s->line;
        for (uint64_t i = 0; s->line && i < lines; i++)
            s->line[mix(i, bits_of(s))].next = &s->line[mix(i + 1, bits_of(s))];
        s->at = s->line;
        return;
    }
    for (uint64_t i = 0; s->line && i < lines; i++)
        sum += (uintptr_t)s->line[i].next;
    limits_keep(sum);
}

/* ---- loads ---- */

static void load_dependent(void *context, uint64_t operations)
{
    struct set *s = context;
    const struct line *at = s->at;
    for (uint64_t i = 0; at && i < operations; i++)
        at = at->next;
    s->at = at;
}

static void load_independent(void *context, uint64_t operations)
{
    struct set *s = context;
    unsigned bits = bits_of(s);
    uint64_t sum = 0;
    for (uint64_t i = s->counter; s->line && i < s->counter + operations; i++)
        sum += (uintptr_t)s->line[mix(i, bits)].next;
    limits_keep(sum);
    s->counter += operations;
}

/* "64 MiB of the 480 MiB L3". */
static void say_set(struct limits_series *s, const struct set *set, unsigned level, unsigned last)
{
    char bytes[TEXT_NUMBER], of[TEXT_NUMBER];
    text_bytes(bytes, (double)set->bytes);
    text_bytes(of, (double)set->of);
    if (level)
        snprintf(s->how, sizeof s->how, "%s of the %s L%u", bytes, of, level);
    else if (last == 0)
        snprintf(s->how, sizeof s->how, "%s; no cache is known", bytes);
    else
        snprintf(s->how, sizeof s->how, "%s; the L%u has %s%s", bytes, last, of,
                 set->small ? ": part of it may hit" : "");
}

static void load(struct limits_bench *b, struct limits_series *s, unsigned level,
                 void (*run)(void *context, uint64_t operations))
{
    struct limits_memory *m = memory(b);
    struct set *set = m ? &m->set[level] : NULL;
    if (!set) {
        limits_refuse(s, "out of memory");
        return;
    }
    if (set->bytes < (uint64_t)2 * LINE) {
        limits_refuse(s, level ? "hwloc found no L%u cache here" : "too little memory is available", level);
        return;
    }
    say_set(s, set, level, topology_last_level(b->topology));
    struct limits_work work = {.run = run, .warm = warm_set, .context = set};
    limits_alone(b, s, &work);
    if (set->failed)
        limits_refuse(s, "no %llu MiB of memory were to be had", (unsigned long long)set->bytes >> 20);
}

void limits_load_dependent(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    load(b, s, which, load_dependent);
}

void limits_load_independent(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    load(b, s, which, load_independent);
}

/* ---- streams ---- */

static void warm_stream(void *context)
{
    struct stream *s = context;
    if (s->from || s->failed)
        return;
    s->from = take(2 * s->half, &s->mapping, &s->mapped);
    s->failed = !s->from;
    if (s->from) {
        memset(s->from, 1, 2 * s->half); /* pages that nobody has written may all be the one page of zeros */
        s->to = s->from + s->half;
    }
}

/* Where the next block lies; round and round. */
static uint64_t next_block(struct stream *s, uint64_t whole)
{
    uint64_t at = s->at;
    s->at = at + BLOCK < whole ? at + BLOCK : 0;
    return at < whole ? at : 0;
}

/* As wide as every processor has them; wider ones would be kept in memory where the build may not assume them, and then
 * that is what is measured. */
typedef uint64_t wide __attribute__((vector_size(16)));

static void read_blocks(void *context, uint64_t operations)
{
    struct stream *s = context;
    wide a = {0}, b = {0}, c = {0}, d = {0};
    for (uint64_t i = 0; s->from && i < operations; i++) {
        const wide *from = (const wide *)(const void *)(s->from + next_block(s, 2 * s->half));
        for (size_t k = 0; k < BLOCK / sizeof(wide); k += 8) {
            a += from[k] + from[k + 4];
            b += from[k + 1] + from[k + 5];
            c += from[k + 2] + from[k + 6];
            d += from[k + 3] + from[k + 7];
        }
    }
    a += b + c + d;
    limits_keep(a[0] + a[1]);
}

static void copy_blocks(void *context, uint64_t operations)
{
    struct stream *s = context;
    for (uint64_t i = 0; s->from && i < operations; i++) {
        uint64_t at = next_block(s, s->half);
        memcpy(s->to + at, s->from + at, BLOCK);
    }
}

static void stream(struct limits_bench *b, struct limits_series *s, unsigned threads,
                   void (*run)(void *context, uint64_t operations), unsigned bytes)
{
    struct limits_memory *m = memory(b);
    size_t first = s->chunks;
    if (!m || m->set[0].bytes < (uint64_t)64 * BLOCK) {
        limits_refuse(s, "too little memory is available");
        return;
    }
    struct limits_work work[2];
    for (unsigned i = 0; i < 2; i++) {
        m->stream[i].half = m->set[0].bytes / 4;
        work[i] = (struct limits_work){.run = run, .warm = warm_stream, .context = &m->stream[i]};
    }
    snprintf(s->how, sizeof s->how, "%llu MiB a thread%s%s", (unsigned long long)m->set[0].bytes >> 21,
             bytes == BLOCK ? "" : ", bytes read + bytes written", m->set[0].small ? "; part of it may be cached" : "");
    if (threads == 1)
        limits_alone(b, s, &work[0]);
    else
        limits_together(b, s, work);
    if (m->stream[0].failed || (threads == 2 && m->stream[1].failed))
        limits_refuse(s, "no %llu MiB of memory were to be had", (unsigned long long)m->set[0].bytes >> 21);
    for (size_t i = first; i < s->chunks; i++)
        s->ns[i] /= bytes;
}

void limits_read(struct limits_bench *b, struct limits_series *s, unsigned threads)
{
    stream(b, s, threads, read_blocks, BLOCK);
}

void limits_copy(struct limits_bench *b, struct limits_series *s, unsigned threads)
{
    stream(b, s, threads, copy_blocks, 2 * BLOCK);
}

void limits_memory_free(struct limits_bench *b)
{
    struct limits_memory *m = b->memory;
    for (unsigned i = 0; m && i < LEVELS; i++)
        if (m->set[i].mapping)
            munmap(m->set[i].mapping, m->set[i].mapped);
    for (unsigned i = 0; m && i < 2; i++)
        if (m->stream[i].mapping)
            munmap(m->stream[i].mapping, m->stream[i].mapped);
    free(m);
    b->memory = NULL;
}
