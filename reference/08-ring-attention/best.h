/* best.h: the fastest rung that this machine has. */
#ifndef BEST_H
#define BEST_H

#include "ring_attention.h"

extern const struct at_ops blockwise_ops, blockwise_avx2_ops, blockwise_avx512_ops, blockwise_amx_ops,
    blockwise_neon_ops;

/* For inputs of this type. Never NULL: portable C is everywhere. With bfloat16 it may be one that rounds weights to
 * bfloat16 as well; its `can` says so (AT_ONLY_BF16). */
const struct at_ops *at_best(enum at_type type);

#endif
