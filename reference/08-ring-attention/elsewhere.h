/* elsewhere.h: what an entry is on a machine that it wasn't written for: there, and no use. */
#ifndef ELSEWHERE_H
#define ELSEWHERE_H

#include "ring_attention.h"

#include <errno.h>

static int workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    (void)p, (void)parts, (void)bytes;
    return -ENOTSUP;
}

static int forward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                   const struct at_result *result, uint32_t part, uint32_t parts, void *work)
{
    (void)p, (void)q, (void)k, (void)v, (void)result, (void)part, (void)parts, (void)work;
    return -ENOTSUP;
}

static int backward_workspace(const struct at_problem *p, uint32_t parts, size_t *bytes)
{
    return workspace(p, parts, bytes);
}

static int backward(const struct at_problem *p, const struct at_in *q, const struct at_in *k, const struct at_in *v,
                    const struct at_result *result, const struct at_in *d_out, const struct at_gradients *gradients,
                    uint32_t part, uint32_t parts, void *work)
{
    (void)d_out, (void)gradients;
    return forward(p, q, k, v, result, part, parts, work);
}

static bool here(void)
{
    return false;
}

#endif
