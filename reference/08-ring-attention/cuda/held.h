/* held.h: a problem on the device: its memory, and the way there and back. */
#ifndef CUDA_HELD_H
#define CUDA_HELD_H

#include "cuda/device.h"
#include "problem.h"

#define HELD_STAGE (256u * 1024u) /* bytes of host memory that everything passes through; a row is 4 KiB at most */

/* 0; -EINVAL as for everybody; -ENOTSUP: no kernel of this rung takes such numbers, or there is no GPU. */
int held_check(enum gpu_rung rung, const struct at_problem *problem, uint32_t parts);

struct held {
    enum gpu_rung rung;
    struct at_problem p;
    struct gpu_work w;
    struct gpu_scale scale;
    uint32_t first, pairs; /* of (batch, kv_head) pairs, these */
    size_t bytes;          /* of device memory */
    void *cudnn, *narrow; /* where cuDNN computes it: its plan; the output, bfloat16, in the place of w.out's float32 */
};

/* Some of the pairs. After an error nothing is held. */
int held_put(struct held *held, enum gpu_rung rung, const struct at_problem *problem, const struct at_in *q,
             const struct at_in *k, const struct at_in *v, uint32_t first, uint32_t pairs, void *stage);
int held_put_cudnn(
    struct held *held); /* from now on cuDNN computes it. -ENOTSUP: it does not; only held_end may follow */
int held_get(const struct held *held, const struct at_result *result, void *stage);
void held_end(struct held *held);

#endif
