/* cuda_lanes.c: a block of threads of a GPU, emulated. */
#include "cuda_lanes.h"

#include "cuda/fragments.h"
#include "sim/rng.h"

#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>

#define MOST_THREADS 256u
#define STACK        (64u * 1024u)
#define MOST_COPIES  64u

enum what { RUNS, ENDED, AT_BLOCK, AT_WARP, AT_XOR, AT_ANY, AT_MATRICES, AT_TURNED, AT_PRODUCT };

/* A lane that waits, and with what. */
struct lane {
    ucontext_t context; /* where it begins */
    bool begun;
    jmp_buf jump; /* where it goes on: a ucontext would ask the kernel each time, and that takes longer than all else */
    enum what what;
    uint32_t at, b[2]; /* address or mask; registers of B */
    float x;
    bool flag;
    uint32_t *r;
    const uint32_t *a;
    float *c;
    struct copy {
        uint32_t to;
        const unsigned char *from;
    } copy[MOST_COPIES];
    uint32_t copies;
};

static struct {
    struct lane lane[MOST_THREADS];
    unsigned char *stack, *shared;
    size_t size;
    uint32_t threads, now;
    jmp_buf main;
    void (*kernel)(void *);
    void *argument;
    struct emulated *counts;
} block;

static void fault(const char *what)
{
    if (!block.counts->fault)
        block.counts->fault = what;
}

static struct lane *meet(enum what what)
{
    struct lane *l = &block.lane[block.now];
    l->what = what;
    return l;
}
static void rest(struct lane *l)
{
    if (_setjmp(l->jump) == 0)
        _longjmp(block.main, 1);
}
static void go_on(struct lane *l)
{
    if (_setjmp(block.main) == 0) {
        if (l->begun)
            _longjmp(l->jump, 1);
        l->begun = true;
        setcontext(&l->context);
    }
}

static void start(void)
{
    block.kernel(block.argument);
    if (meet(ENDED)->copies)
        fault("a thread ended with copies under way");
    _longjmp(block.main, 1);
}

void *emulated_shared(void)
{
    return block.shared;
}
uint32_t thread_id(void)
{
    return block.now;
}
void block_wait(void)
{
    rest(meet(AT_BLOCK));
}
void warp_wait(void)
{
    rest(meet(AT_WARP));
}
float lane_xor(float x, uint32_t mask)
{
    struct lane *l = meet(AT_XOR);
    l->x = x;
    l->at = mask;
    rest(l);
    return l->x;
}
bool any_lane(bool x)
{
    struct lane *l = meet(AT_ANY);
    l->flag = x;
    rest(l);
    return l->flag;
}
void load_matrices(uint32_t *r, uint32_t at)
{
    struct lane *l = meet(AT_MATRICES);
    l->r = r;
    l->at = at;
    rest(l);
}
void load_matrices_turned(uint32_t *r, uint32_t at)
{
    struct lane *l = meet(AT_TURNED);
    l->r = r;
    l->at = at;
    rest(l);
}
void multiply(float *c, const uint32_t *a, uint32_t b0, uint32_t b1)
{
    struct lane *l = meet(AT_PRODUCT);
    l->c = c;
    l->a = a;
    l->b[0] = b0;
    l->b[1] = b1;
    rest(l);
}

static bool inside(uint32_t at)
{
    if (at % 16 == 0 && at + 16 <= block.size)
        return true;
    fault("an address outside shared memory, or not a multiple of 16");
    return false;
}

void copy_16(uint32_t to, const void *from, size_t at, bool there)
{
    struct lane *l = &block.lane[block.now];
    if (!inside(to))
        return;
    if (l->copies == MOST_COPIES) {
        fault("more copies under way than are emulated");
        return;
    }
    memset(block.shared + to, 0xff, 16);
    l->copy[l->copies++] = (struct copy){to, there ? (const unsigned char *)from + at : NULL};
}
void copies_wait(void)
{
    struct lane *l = &block.lane[block.now];
    for (uint32_t i = 0; i < l->copies; i++)
        if (l->copy[i].from)
            memcpy(block.shared + l->copy[i].to, l->copy[i].from, 16);
        else
            memset(block.shared + l->copy[i].to, 0, 16);
    l->copies = 0;
}

/* ---- what the lanes of a warp do together ------------------------------------------------------------------------ */

static void exchange(struct lane *l)
{
    float x[32];
    for (uint32_t i = 0; i < 32; i++)
        x[i] = l[i ^ l[i].at].x;
    for (uint32_t i = 0; i < 32; i++)
        l[i].x = x[i];
}

static void any(struct lane *l)
{
    bool some = false;
    for (uint32_t i = 0; i < 32; i++)
        some |= l[i].flag;
    for (uint32_t i = 0; i < 32; i++)
        l[i].flag = some;
}

/* As PTX has it, not as fragments.h would like it. */
static void matrices(struct lane *l, bool turned)
{
    for (uint32_t m = 0; m < 4; m++) {
        uint16_t matrix[8][8];
        unsigned banks = 0;
        for (uint32_t row = 0; row < 8; row++) {
            uint32_t at = l[8 * m + row].at;
            if (!inside(at))
                return;
            memcpy(matrix[row], block.shared + at, 16);
            banks |= 1u << (at / 16 % 8);
        }
        block.counts->matrices++;
        block.counts->conflicts += 8u - (unsigned)__builtin_popcount(banks);
        for (uint32_t i = 0; i < 32; i++) {
            uint32_t row = i / 4, two = 2 * (i % 4);
            l[i].r[m] = turned ? matrix[two][row] | (uint32_t)matrix[two + 1][row] << 16
                               : matrix[row][two] | (uint32_t)matrix[row][two + 1] << 16;
        }
    }
}

static double half(uint32_t bits, uint32_t which)
{
    return (double)from_bits(which ? bits & 0xffff0000u : bits << 16);
}

static void product(struct lane *l)
{
    double a[16][16], b[16][8];
    block.counts->products++;
    for (uint32_t i = 0; i < 32; i++)
        for (uint32_t which = 0; which < 2; which++) {
            uint32_t g = i / 4, t = 2 * (i % 4) + which;
            a[g][t] = half(l[i].a[0], which);
            a[g + 8][t] = half(l[i].a[1], which);
            a[g][t + 8] = half(l[i].a[2], which);
            a[g + 8][t + 8] = half(l[i].a[3], which);
            b[t][g] = half(l[i].b[0], which);
            b[t + 8][g] = half(l[i].b[1], which);
        }
    for (uint32_t i = 0; i < 32; i++)
        for (uint32_t n = 0; n < 4; n++) {
            double sum = (double)l[i].c[n];
            for (uint32_t k = 0; k < 16; k++)
                sum += a[c_row(i, n)][k] * b[k][c_column(i, n)];
            l[i].c[n] = (float)sum;
        }
}

/* All lanes of the warp have stopped. */
static void together(struct lane *l)
{
    for (uint32_t i = 1; i < 32; i++)
        if (l[i].what != l[0].what) {
            fault("lanes of a warp have parted");
            return;
        }
    switch (l[0].what) {
    case AT_XOR:
        exchange(l);
        break;
    case AT_ANY:
        any(l);
        break;
    case AT_MATRICES:
    case AT_TURNED:
        matrices(l, l[0].what == AT_TURNED);
        break;
    case AT_PRODUCT:
        product(l);
        break;
    default:
        return; /* ENDED and AT_BLOCK stay */
    }
    l[0].what = RUNS;
}

/* ---- all threads ------------------------------------------------------------------------------------------------- */

static void prepare_lane(struct lane *l, unsigned char *stack)
{
    l->what = RUNS;
    l->copies = 0;
    l->begun = false;
    getcontext(&l->context);
    l->context.uc_stack.ss_sp = stack;
    l->context.uc_stack.ss_size = STACK;
    l->context.uc_link = NULL;
    makecontext(&l->context, start, 0);
}

static void prepare(uint32_t threads, size_t shared)
{
    block.threads = threads;
    block.size = shared;
    block.shared = aligned_alloc(128, (shared + 127) / 128 * 128);
    if (!block.stack)
        block.stack = malloc((size_t)MOST_THREADS * STACK);
    if (!block.shared || !block.stack)
        abort();
    memset(block.shared, 0xff, shared); /* NaN */
    for (uint32_t i = 0; i < threads; i++)
        prepare_lane(&block.lane[i], block.stack + (size_t)i * STACK);
}

static bool stopped(uint32_t warp)
{
    enum what what = block.lane[32 * warp].what;
    return what == AT_BLOCK || what == ENDED;
}

/* Every warp has come to the barrier, or ended. */
static bool all_together(uint32_t warps)
{
    uint32_t ended = 0;
    for (uint32_t w = 0; w < warps; w++)
        ended += block.lane[32 * w].what == ENDED;
    if (ended && ended < warps)
        fault("a warp ended while others wait for it");
    if (ended)
        return true;
    block.counts->barriers++;
    for (uint32_t w = 0; w < warps; w++)
        block.lane[32 * w].what = RUNS;
    return false;
}

void emulate(uint32_t threads, size_t shared, uint64_t seed, void (*kernel)(void *), void *argument,
             struct emulated *counts)
{
    uint32_t warps = threads / 32;
    struct rng r;
    if (warps == 0)
        return;
    rng_seed(&r, seed, 8);
    block.kernel = kernel;
    block.argument = argument;
    block.counts = counts;
    prepare(threads, shared);
    for (bool done = false; !done && !counts->fault;) {
        uint32_t w = (uint32_t)(rng_next(&r) % warps), tries = 0;
        while (stopped(w) && tries++ < warps)
            w = (w + 1) % warps;
        if (stopped(w)) {
            done = all_together(warps);
            continue;
        }
        for (uint32_t i = 0; i < 32; i++) {
            block.now = 32 * w + i;
            go_on(&block.lane[block.now]);
        }
        together(&block.lane[32 * w]);
    }
    free(block.shared);
}
