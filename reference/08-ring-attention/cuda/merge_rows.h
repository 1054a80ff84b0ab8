/* merge_rows.h: the algebra of merge for kernels; problem.c has the essay. Floats suffice: the share is of weights that
 * came from floats, and each is right to its last bits.
 *
 * A kernel merges what it found into what stands there before it writes: a partial result never goes through memory on
 * its own, and a ring has no launches for merging. */
#ifndef CUDA_MERGE_ROWS_H
#define CUDA_MERGE_ROWS_H

struct merged {
    float share, lse; /* share: of the new one; the old one keeps 1 - share */
};

DEVICE struct merged merged(float old_lse, float new_lse)
{
    struct merged m = {0, old_lse};
    if (new_lse == -INFINITY)
        return m;
    float apart = new_lse - old_lse; /* inf when there was nothing: then the share is 1 */
    m.share = 1 / (1 + expf(-apart));
    m.lse = fmaxf(old_lse, new_lse) + log1pf(expf(-fabsf(apart)));
    return m;
}

/* With a share of 0 or 1 the bits of one side come back. */
DEVICE float merged_number(float old, float found, float share)
{
    return share == 1 ? found : old + share * (found - old);
}

#endif
