/* How fast the processor is besides its arithmetic (limits_flops.c): the length of a cycle, a branch that was guessed
 * wrong, a look at the clock.
 *
 * A cycle: additions of which each needs the last one's result take one cycle each on every processor met so far. They
 * add a register and not a constant: additions of small constants are folded together, several in a cycle, by some
 * processors since 2021.
 *
 * A wrong guess: the same loop with a branch on a random bit and on a bit that is always 0, in turns, chunk by chunk.
 * Half of the random branches are guessed wrong by whatever guesses, so twice the difference is the price of one.
 */
#include "measure/limits_bench.h"

#include "measure/clock.h"

#include <stdio.h>

/* ---- a cycle ---- */

#define ADDITIONS 32

static void add_up(void *context, uint64_t operations)
{
    uint64_t x = 0, by = *(const uint64_t *)context;
    for (uint64_t n = 0; n < operations; n++) {
#if defined(__x86_64__)
        __asm__ volatile(".rept 32\n\tadd %1, %0\n\t.endr" : "+r"(x) : "r"(by) : "cc");
#elif defined(__aarch64__)
        __asm__ volatile(".rept 32\n\tadd %0, %0, %1\n\t.endr" : "+r"(x) : "r"(by));
#else
        for (int i = 0; i < ADDITIONS; i++) {
            x += by;
            __asm__ volatile("" : "+r"(x));
        }
#endif
    }
    limits_keep(x);
}

void limits_cycle(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    static uint64_t three = 3;
    (void)which;
    size_t first = s->chunks;
    snprintf(s->how, sizeof s->how, "dependent additions, one a cycle");
    struct limits_work work = {.run = add_up, .context = &three};
    limits_alone(b, s, &work);
    for (size_t i = first; i < s->chunks; i++)
        s->ns[i] /= ADDITIONS;
}

/* ---- a branch ---- */

#define BRANCHES 2000

/* Counts the bits under `mask` that are set, with a branch for each; xorshift64 gives the bits. */
static uint64_t branches(uint64_t *state, uint64_t mask)
{
    uint64_t x = *state, count = 0;
    for (int i = 0; i < BRANCHES; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
#if defined(__x86_64__)
        __asm__ volatile("test %1, %2\n\tjz 1f\n\tinc %0\n1:" : "+r"(count) : "r"(x), "r"(mask) : "cc");
#elif defined(__aarch64__)
        __asm__ volatile("tst %1, %2\n\tb.eq 1f\n\tadd %0, %0, #1\n1:" : "+r"(count) : "r"(x), "r"(mask) : "cc");
#endif
    }
    *state = x;
    return count;
}

static double wrong_guess(void *context)
{
    uint64_t *state = context, begin = clock_now_ns();
    limits_keep(branches(state, 1u << 20));
    uint64_t middle = clock_now_ns();
    limits_keep(branches(state, 0));
    uint64_t end = clock_now_ns();
    double random = (double)(middle - begin), steady = (double)(end - middle);
    return 2 * (random - steady) / BRANCHES;
}

void limits_branch(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    uint64_t state = 88172645463325252u;
    (void)which;
#if !defined(__x86_64__) && !defined(__aarch64__)
    limits_refuse(s, "no code for this processor");
    (void)b;
    (void)state;
    (void)wrong_guess;
#else
    snprintf(s->how, sizeof s->how, "random branches beside steady ones");
    struct limits_work work = {.timed = wrong_guess, .context = &state};
    limits_alone(b, s, &work);
#endif
}

/* ---- the clock ---- */

static void look(void *context, uint64_t operations)
{
    (void)context;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < operations; i++)
        sum += clock_now_ns();
    limits_keep(sum);
}

void limits_clock(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    (void)which;
    snprintf(s->how, sizeof s->how, "clock_gettime(CLOCK_MONOTONIC)");
    struct limits_work work = {.run = look};
    limits_alone(b, s, &work);
}
