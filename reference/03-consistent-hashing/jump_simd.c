/* Jump, eight keys at a time: the same buckets, bit for bit.
 *
 * Idea       Jump computes, and its steps wait for each other: a division, a conversion, and at the end a branch that
 *            nobody can predict. One key can't go faster. But keys know nothing of each other: AVX-512 takes eight of
 *            them one step further with each instruction, and two such vectors in turn, so that one's division runs
 *            while the other multiplies. A lane that is at its end keeps its bucket until all are there.
 * Invariant  The scalar program rounds twice, in the quotient and in the product, and then cuts. So do these
 *            instructions, lane by lane, as IEEE 754 has it. All numbers are exact where they have to be: a divisor has
 *            31 bits, and a bucket, as the one after the last may be anywhere, 51.
 * Cost       As many steps as the slowest lane needs, 12 instead of 7.5 at n = 1000, for 8 keys: 5 times as fast as
 *            jump.c. With AVX2, four keys and a product put together from three, 4 times. Without either as jump.c.
 * Gets wrong Nothing that jump gets right. It wants keys in batches; a single lookup is jump.c's.
 * Tried      A reciprocal made exact by Newton's steps in place of the division: no faster, as the divider is not alone
 *            in having work. Giving a lane that is at its end the next key at once: a quarter faster with four vectors,
 *            for twice the code.
 * Source     Lamping & Veach 2014 for the buckets.
 */
#include "jump.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CAN CH_MONOTONE

static int create(const struct ch_config *config, void **out)
{
    (void)config;
    return nodes_create(sizeof(struct nodes), CAN, out);
}

static uint32_t lookup(const void *map, uint64_t key)
{
    const struct nodes *n = map;
    return n->count ? n->id[jump(key, n->count)] : CH_NONE;
}

#if defined(__x86_64__)

#define ABREAST 2

__attribute__((target("avx512f,avx512dq,avx512vl"))) size_t jump_eight_lanes(const struct nodes *m, const uint64_t *key,
                                                                             uint32_t *node, size_t n)
{
    const __m512d count = _mm512_set1_pd(m->count), one = _mm512_set1_pd(1), top = _mm512_set1_pd(0x1p31);
    const __m512i factor = _mm512_set1_epi64(JUMP_FACTOR), unit = _mm512_set1_epi64(1);
    size_t done = 0;
    for (; done + 8 * ABREAST <= n; done += 8 * ABREAST) {
        __m512i k[ABREAST];
        __m512d bucket[ABREAST], next[ABREAST];
        __mmask8 on[ABREAST]; /* lanes whose next bucket is one */
        unsigned some;
        for (int v = 0; v < ABREAST; v++) {
            k[v] = _mm512_loadu_si512(key + done + 8 * v);
            bucket[v] = next[v] = _mm512_setzero_pd();
            on[v] = 0xff;
        }
        do {
            some = 0;
            for (int v = 0; v < ABREAST; v++) {
                bucket[v] = _mm512_mask_mov_pd(bucket[v], on[v], next[v]);
                k[v] = _mm512_add_epi64(_mm512_mullo_epi64(k[v], factor), unit);
                __m512d divisor = _mm512_cvtepi64_pd(_mm512_add_epi64(_mm512_srli_epi64(k[v], 33), unit));
                __m512d far = _mm512_mul_pd(_mm512_add_pd(bucket[v], one), _mm512_div_pd(top, divisor));
                next[v] = _mm512_roundscale_pd(far, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
                on[v] = _mm512_mask_cmp_pd_mask(on[v], next[v], count, _CMP_LT_OQ);
                some |= on[v];
            }
        } while (some);
        for (int v = 0; v < ABREAST; v++)
            _mm256_storeu_si256((__m256i *)(void *)(node + done + 8 * v),
                                _mm256_i32gather_epi32((const int *)m->id, _mm512_cvtpd_epi32(bucket[v]), 4));
    }
    return done;
}

/* No product of 64 bits, no conversion of them, no masks: from halves, by way of the bits of 2^52 + x, by blending. */
__attribute__((target("avx2"))) size_t jump_four_lanes(const struct nodes *m, const uint64_t *key, uint32_t *node,
                                                       size_t n)
{
    const __m256d count = _mm256_set1_pd(m->count), one = _mm256_set1_pd(1), top = _mm256_set1_pd(0x1p31);
    const __m256d base = _mm256_set1_pd(0x1p52);
    const __m256i low = _mm256_set1_epi64x(JUMP_FACTOR & UINT32_MAX), high = _mm256_set1_epi64x(JUMP_FACTOR >> 32);
    const __m256i unit = _mm256_set1_epi64x(1);
    size_t done = 0;
    for (; done + 8 * ABREAST <= n; done += 8 * ABREAST) {
        __m256i k[2 * ABREAST];
        __m256d bucket[2 * ABREAST], next[2 * ABREAST], on[2 * ABREAST];
        int some;
        for (int v = 0; v < 2 * ABREAST; v++) {
            k[v] = _mm256_loadu_si256((const __m256i *)(const void *)(key + done + 4 * v));
            bucket[v] = next[v] = _mm256_setzero_pd();
            on[v] = _mm256_cmp_pd(one, one, _CMP_EQ_OQ);
        }
        do {
            some = 0;
            for (int v = 0; v < 2 * ABREAST; v++) {
                bucket[v] = _mm256_blendv_pd(bucket[v], next[v], on[v]);
                __m256i crossed =
                    _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(k[v], 32), low), _mm256_mul_epu32(k[v], high));
                k[v] = _mm256_add_epi64(_mm256_mul_epu32(k[v], low), _mm256_slli_epi64(crossed, 32));
                k[v] = _mm256_add_epi64(k[v], unit);
                __m256i divisor = _mm256_add_epi64(_mm256_srli_epi64(k[v], 33), unit);
                divisor = _mm256_or_si256(divisor, _mm256_castpd_si256(base));
                __m256d quotient = _mm256_div_pd(top, _mm256_sub_pd(_mm256_castsi256_pd(divisor), base));
                next[v] = _mm256_round_pd(_mm256_mul_pd(_mm256_add_pd(bucket[v], one), quotient),
                                          _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
                on[v] = _mm256_and_pd(on[v], _mm256_cmp_pd(next[v], count, _CMP_LT_OQ));
                some |= _mm256_movemask_pd(on[v]);
            }
        } while (some);
        for (int v = 0; v < 2 * ABREAST; v++)
            _mm_storeu_si128((__m128i *)(void *)(node + done + 4 * v),
                             _mm_i32gather_epi32((const int *)m->id, _mm256_cvtpd_epi32(bucket[v]), 4));
    }
    return done;
}

static size_t lanes(const struct nodes *m, const uint64_t *key, uint32_t *node, size_t n)
{
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return jump_eight_lanes(m, key, node, n);
    return __builtin_cpu_supports("avx2") ? jump_four_lanes(m, key, node, n) : 0;
}

#else

static size_t lanes(const struct nodes *m, const uint64_t *key, uint32_t *node, size_t n)
{
    (void)m, (void)key, (void)node, (void)n;
    return 0;
}

#endif

static void lookup_many(const void *map, const uint64_t *key, uint32_t *node, size_t n)
{
    const struct nodes *m = map;
    for (size_t i = m->count ? lanes(m, key, node, n) : 0; i < n; i++)
        node[i] = lookup(m, key[i]);
}

static uint32_t replicas(const void *map, uint64_t key, uint32_t most, uint32_t *node)
{
    return replicas_again(map, lookup, key, most, node);
}

static const struct ch_ops ops = {.create = create,
                                  .destroy = nodes_end,
                                  .add = nodes_add,
                                  .remove = nodes_remove,
                                  .lookup = lookup,
                                  .lookup_many = lookup_many,
                                  .replicas = replicas,
                                  .bytes = nodes_bytes,
                                  .can = CAN};
CH_ENTRY(jump_simd, "jump-simd", "jump for eight keys at a time, the same buckets bit for bit", &ops);
