/* pack.h: from the contract's strides to the dense rows of the device, and back; plain C, for entries and tests. */
#ifndef CUDA_PACK_H
#define CUDA_PACK_H

#include "cuda/work.h"
#include "problem.h"

static inline size_t pack_element(enum at_type type)
{
    return type == AT_F32 ? sizeof(float) : sizeof(uint16_t);
}

static inline void pack_signs(enum at_type type, uint32_t width, void *row)
{
    uint32_t *f = row;
    uint16_t *b = row;
    for (uint32_t c = 0; c < width; c++)
        if (type == AT_F32)
            f[c] ^= UINT32_C(1) << 31;
        else
            b[c] ^= (uint16_t)(1u << 15);
}

/* Row i of a pair of q (k, v), filled up with zeros to `width` numbers; `times` is 1, -1 or 0. */
static inline void pack_row(const struct at_problem *p, const struct at_in *from, uint32_t heads, uint32_t pair,
                            uint32_t i, uint32_t width, float times, void *row)
{
    size_t element = pack_element(p->type), bytes = p->d * element;
    memset((char *)row + bytes, 0, (width - p->d) * element);
    if (times == 0)
        memset(row, 0, bytes);
    else
        memcpy(row, at_row(from, p->type, pair / heads, pair % heads, i), bytes);
    if (times < 0)
        pack_signs(p->type, p->d, row);
}

/* Rows `first` ... of all rows: those of head 0 of sequence 0, then of head 1, ... */
static inline void pack_rows(const struct at_problem *p, const struct at_in *from, uint32_t heads, uint32_t n,
                             uint64_t first, uint64_t rows, uint32_t width, float times, void *to)
{
    size_t row = width * pack_element(p->type);
    for (uint64_t x = first; x < first + rows; x++)
        pack_row(p, from, heads, (uint32_t)(x / n), (uint32_t)(x % n), width, times, (char *)to + (x - first) * row);
}

static inline void unpack_rows(const struct at_problem *p, const struct at_out *to, uint64_t first, uint64_t rows,
                               uint32_t width, const float *from)
{
    for (uint64_t x = first; x < first + rows; x++) {
        uint32_t pair = (uint32_t)(x / p->n_q);
        memcpy(at_out_row(to, pair / p->heads, pair % p->heads, (uint32_t)(x % p->n_q)), from + (x - first) * width,
               p->d * sizeof(float));
    }
}

static inline void pack_seen(const struct at_problem *p, uint32_t first, uint32_t rows, uint32_t *seen)
{
    for (uint32_t i = 0; i < rows; i++)
        seen[i] = at_visible(p, first + i);
}

#endif
