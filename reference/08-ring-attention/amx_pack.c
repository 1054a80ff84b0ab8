/* amx_pack.c: keys and values into tiles, and whether there are any.
 *
 * Idea       Pairs of a second operand stand side by side. Of keys, which are used transposed, a pair is two numbers of
 *            one row: so they are transposed by pairs, 32 bits. Of values a pair is two numbers of one column: two rows
 *            become one, like the teeth of a zip.
 * Invariant  Whatever the number of keys and d, a unit is whole tiles: what is missing is zero, and zeros add nothing.
 * Cost       2.5 instructions a vector for keys: four quarters of rows are loaded into one vector, which does half of
 *            a transposition on the way in; the other half is unpacking. A unit is packed once for each group of
 *            queries.
 * Gets wrong Numbers below 1.2e-38, since tiles take what is denormal for zero.
 * Source     Intel 64 and IA-32 Architectures Optimization Reference Manual, chapter on AMX (data in pairs).
 */
#include "amx.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARCH_REQ_XCOMP_PERM 0x1023
#define TILE_DATA           18

bool amx_here(void)
{
    unsigned a, b, c, d;
    if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bf16"))
        return false;
    bool tiles = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1); /* AMX-BF16, AMX-TILE */
    return tiles && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, TILE_DATA) == 0;
}

/* Rows i, i + 4, i + 8 and i + 12 of 16: eight numbers of each, 16 bytes. */
AMX_INLINE __m512 quarters(const uint16_t *from, size_t row)
{
    __m512 x = _mm512_castps128_ps512(_mm_loadu_ps((const float *)(const void *)from));
    x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps((const float *)(const void *)(from + 4 * row)));
    x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps((const float *)(const void *)(from + 8 * row)));
    return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps((const float *)(const void *)(from + 12 * row)));
}

/* 16 rows of 32 numbers into 16 rows of pairs. */
AMX_TARGET static void transpose(const uint16_t *from, size_t row, uint16_t *to)
{
    for (uint32_t c = 0; c < 4; c++, from += 8, to += AMX_TILE / 4) {
        __m512 r0 = quarters(from, row), r1 = quarters(from + row, row);
        __m512 r2 = quarters(from + 2 * row, row), r3 = quarters(from + 3 * row, row);
        __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(r0, r1)), b = _mm512_castps_pd(_mm512_unpacklo_ps(r2, r3));
        __m512d e = _mm512_castps_pd(_mm512_unpackhi_ps(r0, r1)), f = _mm512_castps_pd(_mm512_unpackhi_ps(r2, r3));
        _mm512_store_pd(to, _mm512_unpacklo_pd(a, b));
        _mm512_store_pd(to + 32, _mm512_unpackhi_pd(a, b));
        _mm512_store_pd(to + 64, _mm512_unpacklo_pd(e, f));
        _mm512_store_pd(to + 96, _mm512_unpackhi_pd(e, f));
    }
}

/* 32 rows of 32 numbers into two tiles. */
AMX_TARGET static void zip(const uint16_t *from, size_t row, uint16_t *to)
{
    const __m512i low = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0), high = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    for (uint32_t r = 0; r < 16; r++, from += 2 * row, to += 32) {
        __m512i a = _mm512_loadu_si512(from), b = _mm512_loadu_si512(from + row);
        __m512i even = _mm512_unpacklo_epi16(a, b), odd = _mm512_unpackhi_epi16(a, b);
        _mm512_store_si512(to, _mm512_permutex2var_epi64(even, low, odd));
        _mm512_store_si512(to + AMX_TILE, _mm512_permutex2var_epi64(even, high, odd));
    }
}

/* A unit that isn't whole, filled up. */
static const uint16_t *whole(const uint16_t *from, size_t *row, uint32_t keys, uint32_t d, uint16_t *room)
{
    uint32_t wide = amx_wide(d);
    if (keys == AMX_UNIT && d == wide)
        return from;
    for (uint32_t j = 0; j < AMX_UNIT; j++) {
        uint32_t some = j < keys ? d : 0;
        if (some)
            memcpy(room + (size_t)j * wide, from + j * *row, d * sizeof *room);
        memset(room + (size_t)j * wide + some, 0, (wide - some) * sizeof *room);
    }
    *row = wide;
    return room;
}

void amx_pack_keys(const uint16_t *from, size_t row, uint32_t keys, uint32_t d, uint16_t *to, uint16_t *room)
{
    from = whole(from, &row, keys, d, room);
    for (uint32_t j = 0; j < AMX_UNIT; j += 32)
        for (uint32_t c = 0; c < d; c += 32)
            for (uint32_t half = 0; half < 32; half += 16, to += AMX_TILE)
                transpose(from + (j + half) * row + c, row, to);
}

void amx_pack_values(const uint16_t *from, size_t row, uint32_t keys, uint32_t d, uint16_t *to, uint16_t *room)
{
    from = whole(from, &row, keys, d, room);
    for (uint32_t c = 0; c < d; c += 32)
        for (uint32_t j = 0; j < AMX_UNIT; j += 32, to += 2 * AMX_TILE)
            zip(from + j * row + c, row, to);
}
#else
bool amx_here(void)
{
    return false;
}
#endif
