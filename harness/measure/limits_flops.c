/* How many floating-point operations a core does at best: multiply-adds of float32 in each width of vector that it has,
 * products of bfloat16 tiles where it has AMX. One core, and two at the same time.
 *
 * Multiply-adds: twelve sums that do not wait for each other hide the latency (4 or 5 cycles, two units). They start
 * from different values, or a compiler would see that some are the same and compute them once. Values go to 1 and stay
 * there: no infinities, no denormal numbers, which would take another path in some processors.
 *
 * Tiles: a product takes 16 cycles in the unit and its result some 50, so six sums, and the two factors fill the eight
 * tiles that there are: nothing is loaded or stored while it runs. Products of 1/32 with 1/32: the sums grow slowly, and
 * end where float32 can no longer add so little, far from infinity. The tiles are given back after each call, since a
 * thread that holds some has 8 KiB more to save at every switch.
 */
#include "measure/limits_bench.h"
#include "measure/limits_loop.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
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

#define TILE_SUMS 6
#define TILE_WORK 16384.0 /* 16 x 16 sums of 32 products each */

__attribute__((target("amx-tile,amx-bf16"))) static void amx(void *context, uint64_t operations)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    uint16_t factor[512];
    for (int i = 0; i < 8; i++) {
        config.bytes[i] = 64;
        config.rows[i] = 16;
    }
    for (int i = 0; i < 512; i++)
        factor[i] = *(const uint16_t *)context;
    /* The compiler must believe that all of both is read. */
    __asm__ volatile("" : : "r"(&config), "r"(factor) : "memory");
    _tile_loadconfig(&config);
    _tile_loadd(6, factor, 64);
    _tile_loadd(7, factor, 64);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    for (uint64_t n = 0; n < operations; n++) {
        _tile_dpbf16ps(0, 6, 7);
        _tile_dpbf16ps(1, 6, 7);
        _tile_dpbf16ps(2, 6, 7);
        _tile_dpbf16ps(3, 6, 7);
        _tile_dpbf16ps(4, 6, 7);
        _tile_dpbf16ps(5, 6, 7);
    }
    _tile_release();
}

/* Why there are no tiles here, or NULL. The processor must have them, and the kernel must let this process use them,
 * which it does when it is asked: their state is large, and room for it is made on demand. */
static const char *no_tiles(void)
{
    enum { ASK_FOR_STATE = 0x1023, TILE_DATA = 18 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & 1u << 24) || !(d & 1u << 22))
        return "this processor has no AMX with bfloat16";
    if (syscall(SYS_arch_prctl, ASK_FOR_STATE, TILE_DATA) != 0)
        return "the kernel gives no permission for AMX tiles (arch_prctl; Linux 5.16 and later do)";
    return NULL;
}
#else
static const char *no_tiles(void)
{
    return "this processor has no AMX";
}
#endif

/* ---- loops by their names ---- */

static bool has(enum limits_unit unit, const char **reason)
{
    *reason = NULL;
    if (unit == LIMITS_PORTABLE)
        return true;
    if (unit == LIMITS_AMX)
        return (*reason = no_tiles()) == NULL;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (unit == LIMITS_AVX2 ? __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
                            : __builtin_cpu_supports("avx512f"))
        return true;
#endif
    *reason = unit == LIMITS_AVX2 ? "this processor has no AVX2 with FMA" : "this processor has no AVX-512";
    return false;
}

static void loop_of(enum limits_unit unit, struct limits_loop *loop)
{
    static float factor = 0.75F;
    *loop = (struct limits_loop){.run = portable, .context = &factor, .work = 2.0 * SUMS * PORTABLE_LANES};
#if defined(__x86_64__)
    static uint16_t small = 0x3d00; /* 2^-5 as bfloat16 */
    if (unit == LIMITS_AVX2)
        *loop = (struct limits_loop){.run = avx2, .context = &factor, .work = 2.0 * SUMS * 8};
    if (unit == LIMITS_AVX512)
        *loop = (struct limits_loop){.run = avx512, .context = &factor, .work = 2.0 * SUMS * 16};
    if (unit == LIMITS_AMX)
        *loop = (struct limits_loop){.run = amx, .context = &small, .work = TILE_SUMS * TILE_WORK};
#else
    (void)unit;
#endif
}

bool limits_loop(const char *id, struct limits_loop *loop, char *reason, size_t size)
{
    static const char *const ids[] = {[LIMITS_PORTABLE] = "flops-portable",
                                      [LIMITS_AVX2] = "flops-avx2",
                                      [LIMITS_AVX512] = "flops-avx512",
                                      [LIMITS_AMX] = "flops-amx"};
    const char *why = "there is no such limit";
    unsigned unit = 0;
    while (unit < LIMITS_UNITS && strcmp(ids[unit], id) != 0)
        unit++;
    if (unit == LIMITS_UNITS || !has((enum limits_unit)unit, &why)) {
        snprintf(reason, size, "%s", why);
        return false;
    }
    loop_of((enum limits_unit)unit, loop);
    return true;
}

/* ---- as limits of the machine ---- */

static const char *words_of(enum limits_unit unit)
{
    return unit == LIMITS_PORTABLE ? PORTABLE_WORDS
           : unit == LIMITS_AMX    ? "tiles of 16 x 32 and 32 x 16, all in registers"
                                   : FUSED_WORDS;
}

void limits_flops(struct limits_bench *b, struct limits_series *s, unsigned which)
{
    const enum limits_unit unit = (enum limits_unit)(which & ~LIMITS_BOTH);
    const char *reason;
    struct limits_loop loop;
    size_t first = s->chunks;
    if (!has(unit, &reason)) {
        limits_refuse(s, "%s", reason);
        return;
    }
    loop_of(unit, &loop);
    snprintf(s->how, sizeof s->how, "%s", words_of(unit));
    const struct limits_work work = {.run = loop.run, .context = loop.context};
    if (which & LIMITS_BOTH)
        limits_together(b, s, (const struct limits_work[2]){work, work});
    else
        limits_alone(b, s, &work);
    for (size_t i = first; i < s->chunks; i++)
        s->ns[i] /= loop.work;
}
