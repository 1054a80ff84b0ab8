/* problem.h: what every rung of the ladder does alike: which problems are legal, which keys a query sees, merge. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "ring_attention.h"

#include <math.h>

/* 0; -EINVAL: not a problem as the contract has it. */
int at_check(const struct at_problem *problem, uint32_t parts);

/* How many keys query row `i` sees. Positions rise with the row, so they are the first ones: one number says it all,
 * and it never falls from one row to the next. */
uint32_t at_visible(const struct at_problem *problem, uint32_t i);

/* at_ops.merge, for all rungs. */
void at_merge(const struct at_problem *problem, const struct at_result *into, const struct at_result *from);

/* Row i of batch b and head h. */
static inline const void *at_row(const struct at_in *t, enum at_type type, uint32_t b, uint32_t h, uint32_t i)
{
    size_t offset = b * t->batch + h * t->head + i * t->row;
    return (const char *)t->data + offset * (type == AT_F32 ? sizeof(float) : sizeof(uint16_t));
}
static inline float *at_out_row(const struct at_out *t, uint32_t b, uint32_t h, uint32_t i)
{
    return t->data + b * t->batch + h * t->head + i * t->row;
}

static inline float at_from_bf16(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}
static inline float at_element(const void *row, enum at_type type, uint32_t c)
{
    return type == AT_F32 ? ((const float *)row)[c] : at_from_bf16(((const uint16_t *)row)[c]);
}

/* The first of n rows that part `part` of `parts` has; its last is before the first of the next part. */
static inline uint32_t at_first_of(uint32_t n, uint32_t part, uint32_t parts)
{
    return (uint32_t)((uint64_t)n * part / parts);
}

#endif
