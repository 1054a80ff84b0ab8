/* entry.h: the functions of an ops table around blocks.c, for whoever has said `chosen`: which kernel. */
#ifndef ENTRY_H
#define ENTRY_H

#include "best.h"
#include "blocks.h"

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return blocks_workspace(chosen(), p, parts, bytes);
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    return blocks_forward(chosen(), p, q, k, v, result, part, parts, work);
}

static int backward_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return blocks_backward_workspace(chosen(), p, parts, bytes);
}

static int backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                    const struct at_result *result, const struct at_in *d_out, const struct at_gradients *gradients,
                    uint32_t part, uint32_t parts, void *work)
{
    return blocks_backward(chosen(), p, q, k, v, result, d_out, gradients, part, parts, work);
}

#endif
