/* Which rung? Asked at run time, since a program is built on one machine and run on another.
 *
 * Idea       All rungs are compiled into the program, each for its own instructions; `here` asks the processor, and the
 *            kernel where that has a say too (tiles, upper halves of registers). The first that can wins.
 * Invariant  What was chosen can run, and takes the type.
 * Cost       A few cpuid a call, and for tiles a system call: choose once, not for each block.
 * Gets wrong It knows which is faster from the table of measurements (README.md), not from this machine.
 */
#include "best.h"

const struct at_ops *at_best(enum at_type type)
{
    enum { RUNGS = 4 };
    const struct at_ops *const fastest_first[RUNGS] = {&blockwise_amx_ops, &blockwise_avx512_ops, &blockwise_avx2_ops,
                                                       &blockwise_neon_ops};
    for (int i = 0; i < RUNGS; i++) {
        const struct at_ops *ops = fastest_first[i];
        bool takes = type == AT_BF16 ? ops->can & AT_TAKES_BF16 : !(ops->can & AT_ONLY_BF16);
        if (takes && ops->here())
            return ops;
    }
    return &blockwise_ops;
}
