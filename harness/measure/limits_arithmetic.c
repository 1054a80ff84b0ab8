/* How fast the processor counts: multiply-adds of float32 in each width of vector that it has, the length of a cycle,
 * a branch that was guessed wrong, a look at the clock.
 *
 * Multiply-adds: twelve sums that do not wait for each other hide the latency (4 or 5 cycles, two units). They start
 * from different values, or a compiler would see that some are the same and compute them once. Values go to 1 and stay
 * there: no infinities, no denormal numbers, which would take another path in some processors.
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

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/* ---- multiply-adds ---- */

#define SUMS           12
#define PORTABLE_LANES 4
#define FUSED_WORDS    "multiply-add in one instruction"

static void keep_float(float value)
{
    __asm__ volatile("" : : "m"(value));
}

#if defined(__aarch64__)
#define PORTABLE_WORDS FUSED_WORDS
static void portable(void *context, uint64_t operations)
{
    float32x4_t m = vdupq_n_f32(*(const float *)context), add = vdupq_n_f32(1 - *(const float *)context);
    float32x4_t a = add, b = vaddq_f32(a, add), c = vaddq_f32(b, add), d = vaddq_f32(c, add), e = vaddq_f32(d, add),
                f = vaddq_f32(e, add), g = vaddq_f32(f, add), h = vaddq_f32(g, add), i = vaddq_f32(h, add),
                j = vaddq_f32(i, add), k = vaddq_f32(j, add), l = vaddq_f32(k, add);
    for (uint64_t n = 0; n < operations; n++) {
        a = vfmaq_f32(add, a, m);
        b = vfmaq_f32(add, b, m);
        c = vfmaq_f32(add, c, m);
        d = vfmaq_f32(add, d, m);
        e = vfmaq_f32(add, e, m);
        f = vfmaq_f32(add, f, m);
        g = vfmaq_f32(add, g, m);
        h = vfmaq_f32(add, h, m);
        i = vfmaq_f32(add, i, m);
        j = vfmaq_f32(add, j, m);
        k = vfmaq_f32(add, k, m);
        l = vfmaq_f32(add, l, m);
    }
    a = vaddq_f32(vaddq_f32(vaddq_f32(a, b), vaddq_f32(c, d)),
                  vaddq_f32(vaddq_f32(vaddq_f32(e, f), vaddq_f32(g, h)), vaddq_f32(vaddq_f32(i, j), vaddq_f32(k, l))));
    keep_float(vaddvq_f32(a));
}
#else
#define PORTABLE_WORDS "a multiplication, then an addition"
typedef float lanes __attribute__((vector_size(16)));

/* A multiplication and an addition each, as every x86-64 has them. */
static void portable(void *context, uint64_t operations)
{
    const float x = *(const float *)context;
    const lanes m = {x, x, x, x}, add = 1 - m;
    lanes a = add, b = a + add, c = b + add, d = c + add, e = d + add, f = e + add, g = f + add, h = g + add,
          i = h + add, j = i + add, k = j + add, l = k + add;
    for (uint64_t n = 0; n < operations; n++) {
        a = a * m + add;
        b = b * m + add;
        c = c * m + add;
        d = d * m + add;
        e = e * m + add;
        f = f * m + add;
        g = g * m + add;
        h = h * m + add;
        i = i * m + add;
        j = j * m + add;
        k = k * m + add;
        l = l * m + add;
    }
    a = a + b + c + d + e + f + g + h + i + j + k + l;
    keep_float(a[0] + a[1] + a[2] + a[3]);
}
#endif

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void avx2(void *context, uint64_t operations)
{
    const __m256 m = _mm256_set1_ps(*(const float *)context), add = _mm256_set1_ps(1 - *(const float *)context);
    __m256 a = add, b = a + add, c = b + add, d = c + add, e = d + add, f = e + add, g = f + add, h = g + add,
           i = h + add, j = i + add, k = j + add, l = k + add;
    for (uint64_t n = 0; n < operations; n++) {
        a = _mm256_fmadd_ps(a, m, add);
        b = _mm256_fmadd_ps(b, m, add);
        c = _mm256_fmadd_ps(c, m, add);
        d = _mm256_fmadd_ps(d, m, add);
        e = _mm256_fmadd_ps(e, m, add);
        f = _mm256_fmadd_ps(f, m, add);
        g = _mm256_fmadd_ps(g, m, add);
        h = _mm256_fmadd_ps(h, m, add);
        i = _mm256_fmadd_ps(i, m, add);
        j = _mm256_fmadd_ps(j, m, add);
        k = _mm256_fmadd_ps(k, m, add);
        l = _mm256_fmadd_ps(l, m, add);
    }
    a += b + c + d + e + f + g + h + i + j + k + l;
    keep_float(a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7]);
}

__attribute__((target("avx512f"))) static void avx512(void *context, uint64_t operations)
{
    const __m512 m = _mm512_set1_ps(*(const float *)context), add = _mm512_set1_ps(1 - *(const float *)context);
    __m512 a = add, b = a + add, c = b + add, d = c + add, e = d + add, f = e + add, g = f + add, h = g + add,
           i = h + add, j = i + add, k = j + add, l = k + add;
    for (uint64_t n = 0; n < operations; n++) {
        a = _mm512_fmadd_ps(a, m, add);
        b = _mm512_fmadd_ps(b, m, add);
        c = _mm512_fmadd_ps(c, m, add);
        d = _mm512_fmadd_ps(d, m, add);
        e = _mm512_fmadd_ps(e, m, add);
        f = _mm512_fmadd_ps(f, m, add);
        g = _mm512_fmadd_ps(g, m, add);
        h = _mm512_fmadd_ps(h, m, add);
        i = _mm512_fmadd_ps(i, m, add);
        j = _mm512_fmadd_ps(j, m, add);
        k = _mm512_fmadd_ps(k, m, add);
        l = _mm512_fmadd_ps(l, m, add);
    }
    a += b + c + d + e + f + g + h + i + j + k + l;
    keep_float(_mm512_reduce_add_ps(a));
}
#endif

void limits_multiply_add(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    static float factor = 0.75F;
    struct limits_work work = {.run = portable, .context = &factor};
    unsigned lanes_used = PORTABLE_LANES;
    size_t first = s->chunks;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (which == LIMITS_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        work.run = avx2;
        lanes_used = 8;
    }
    if (which == LIMITS_AVX512 && __builtin_cpu_supports("avx512f")) {
        work.run = avx512;
        lanes_used = 16;
    }
#endif
    if (which != LIMITS_PORTABLE && work.run == portable) {
        limits_refuse(s,
                      which == LIMITS_AVX2 ? "this processor has no AVX2 with FMA" : "this processor has no AVX-512");
        return;
    }
    snprintf(s->how, sizeof s->how, "%s", which == LIMITS_PORTABLE ? PORTABLE_WORDS : FUSED_WORDS);
    limits_alone(b, s, &work);
    for (size_t i = first; i < s->chunks; i++)
        s->ns[i] /= 2.0 * SUMS * lanes_used;
}

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
