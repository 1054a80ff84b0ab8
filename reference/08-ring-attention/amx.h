/* amx.h: tiles of AMX, and matrices packed into them.
 *
 * A tile is 16 rows of 64 bytes. TDPBF16PS adds to a tile of float32, (16, 16), the product of two tiles of bfloat16,
 * (16, 32) and (32, 16). Of the second one two rows lie in one, pairwise: (k, n) and (k + 1, n) side by side. So a row
 * of 64 bytes holds 16 columns of 2 rows. Here such pairs are made once, and used by many queries.
 *
 * Everything is done four tiles at a time: 32 x 32 numbers are the sums, tiles 0 to 3; two tiles of either side make
 * four products. d is filled up with zeros to `wide`, a multiple of 32. */
#ifndef AMX_H
#define AMX_H

#include "problem.h"

#define AMX_PANEL       32u  /* queries that are worked on at a time: two tiles */
#define AMX_UNIT        128u /* keys that they meet at a time */
#define AMX_BLOCK_UNITS 4u   /* that are packed at a time */
#define AMX_TILE        512u /* numbers in a tile of bfloat16; twice as many as in one of float32 */

/* Does the processor have tiles, and does the kernel let this process use them? Asks for it. */
bool amx_here(void);

static inline uint32_t amx_wide(uint32_t d)
{
    return (d + 31) / 32 * 32;
}

/* A panel of queries: for each 32 of d two tiles. Where 32 numbers of row i are, from c on, c a multiple of 32. */
static inline size_t amx_query(uint32_t i, uint32_t c)
{
    return (size_t)c * AMX_PANEL + i * 32;
}

/* A panel of output: for each 32 of d four tiles. Where 16 numbers of row i are, from c on, c a multiple of 16. */
static inline size_t amx_output(uint32_t i, uint32_t c)
{
    return (size_t)c / 32 * 2 * AMX_TILE + (i / 16 * 2 + c % 32 / 16) * (AMX_TILE / 2) + i % 16 * 16;
}

/* A unit of keys and values, from `keys` <= AMX_UNIT rows; the others count as zeros. Both take AMX_UNIT x wide numbers
 * at `to`; `room` is as large. Tiles stand in the order of their use:
 *   keys    for each 32 of them: for each 32 of d: two tiles, (d pairwise) x 16 keys
 *   values  for each 32 of d: for each 32 keys: two tiles, (keys pairwise) x 16 of d */
void amx_pack_keys(const uint16_t *from, size_t row, uint32_t keys, uint32_t d, uint16_t *to, uint16_t *room);
void amx_pack_values(const uint16_t *from, size_t row, uint32_t keys, uint32_t d, uint16_t *to, uint16_t *room);

/* 32 x 32 sums in memory: four tiles with rows `row` bytes apart. `right` numbers further is the tile to the right,
 * `down` that below. */
struct amx_sums {
    float *at;
    size_t row, right, down;
};

/* One head's share of the work: its panels, and the block of keys that they meet. */
struct amx_item {
    const struct at_problem *p;
    const struct at_in *k, *v;
    uint32_t wide, b, h, kv;
    uint32_t first, panels; /* panels first ... first + panels - 1 of head h */
    uint32_t block, all;    /* the block's first key; keys that some query sees */
    float scale;            /* of scores into powers of two; not negative */
    uint16_t *queries, *keys, *values, *room;
    float *output;
    float *sums;           /* of each row's weights, in 16 parts */
    float *reference;      /* of each row: its weights are powers of two of what scores are above this */
    float *shrink;         /* (AMX_PANEL) */
    float *scores;         /* (2, AMX_PANEL, AMX_UNIT) */
    uint32_t *visible;     /* how many keys each row sees */
    struct amx_sums tiles; /* where the sums in the tiles belong */
    bool grown; /* some rows of a panel have a new reference: `shrink` is what their output must be multiplied with */
};

/* All panels of the item and the AMX_BLOCK_UNITS units of its block, already packed. */
void amx_meet(struct amx_item *it);

#if defined(__x86_64__)
#include <immintrin.h>

#define AMX_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16")))
#define AMX_INLINE AMX_TARGET static inline __attribute__((always_inline))

/* All eight tiles as large as they get. */
AMX_INLINE void amx_begin(void)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int i = 0; i < 8; i++)
        config.bytes[i] = 64, config.rows[i] = 16;
    __asm__ volatile("" : : "r"(&config) : "memory"); /* gcc 12 thinks that only the first 8 bytes are read */
    _tile_loadconfig(&config);
}

AMX_INLINE void amx_store(const struct amx_sums *to)
{
    _tile_stored(0, to->at, to->row);
    _tile_stored(1, to->at + to->right, to->row);
    _tile_stored(2, to->at + to->down, to->row);
    _tile_stored(3, to->at + to->down + to->right, to->row);
}

/* Adds to the sums 32 rows of a, `row` bytes apart, the second 16 `down` numbers further, times two tiles of b. */
AMX_INLINE void amx_multiply(const uint16_t *a, size_t row, size_t down, const uint16_t *b)
{
    _tile_loadd(4, a, row);
    _tile_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + AMX_TILE, 64);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + down, row);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
}

/* The same, but first the sums go where they belong, and others come; from NULL: zeros. One by one between the
 * products, for stores and loads of many tiles in a row make the products wait. */
AMX_INLINE void amx_change(const struct amx_sums *to, const struct amx_sums *from, const uint16_t *a, size_t row,
                           size_t down, const uint16_t *b)
{
    _tile_loadd(4, a, row);
    _tile_loadd(6, b, 64);
    _tile_stored(0, to->at, to->row);
    if (from)
        _tile_loadd(0, from->at, from->row);
    else
        _tile_zero(0);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, b + AMX_TILE, 64);
    _tile_stored(1, to->at + to->right, to->row);
    if (from)
        _tile_loadd(1, from->at + from->right, from->row);
    else
        _tile_zero(1);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + down, row);
    _tile_stored(2, to->at + to->down, to->row);
    if (from)
        _tile_loadd(2, from->at + from->down, from->row);
    else
        _tile_zero(2);
    _tile_dpbf16ps(2, 5, 6);
    _tile_stored(3, to->at + to->down + to->right, to->row);
    if (from)
        _tile_loadd(3, from->at + from->down + from->right, from->row);
    else
        _tile_zero(3);
    _tile_dpbf16ps(3, 5, 7);
}
#endif
#endif
