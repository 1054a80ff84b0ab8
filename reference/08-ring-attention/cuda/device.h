/* device.h: what the C side asks of the device: memory, streams, events, launches. Plain C; *.cu implement it.
 *
 * 0 or -errno: -ENOMEM, -ENODEV, -EIO (the device's own complaint; device_complaint() says which). A stream of NULL is
 * the default one. */
#ifndef CUDA_DEVICE_H
#define CUDA_DEVICE_H

#include "work.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NULL: there is a GPU that can do it. Else a sentence that says what is missing. */
const char *device_missing(void);
const char *device_complaint(void);
int device_name(char *name, size_t size); /* "NVIDIA H100 80GB HBM3, compute capability 9.0, 132 multiprocessors" */
int device_count(void);
int device_use(int device); /* for this thread's calls that follow */

int device_alloc(void **memory, size_t bytes); /* of 0: NULL */
void device_free(void *memory);
int device_put(void *device, const void *host, size_t bytes);
int device_get(void *host, const void *device, size_t bytes);
int device_copy(void *to, const void *from, size_t bytes, void *stream);
int device_zero(void *memory, size_t bytes, void *stream);

int device_stream(void **stream);
void device_stream_end(void *stream);
int device_event(void **event);
void device_event_end(void *event);
int device_record(void *event, void *stream);
int device_wait(void *stream, void *event); /* what is put into the stream from now on waits for the event */
int device_sync(void);
int device_seconds(void *first, void *last, double *seconds); /* between two events; waits for them */

/* One launch of a rung on device memory. */
int device_run(enum gpu_rung rung, const struct gpu_work *work, void *stream);
/* c = a times b, square, dense, bfloat16 with float32 sums (or float32): the rate that others are compared with. */
int device_gemm(uint32_t n, bool bf16, const void *a, const void *b, void *c, void *stream);

/* cuDNN's attention of a problem in bfloat16, without a mask: into `out`, bfloat16, (pairs, n_q, d), and work->lse. Made
 * once, run often. -ENOTSUP: there is no cuDNN here, or it has nothing for such a problem. */
int device_cudnn(const struct gpu_work *work, void *out, void **attention);
int device_cudnn_run(const void *attention, void *stream);
void device_cudnn_end(void *attention);
/* Whether it could be made on a device that is described in cuDNN's own JSON, and needn't be here. */
int device_cudnn_plans(const struct gpu_work *work, const char *device);

/* One process, a device a rank, NCCL. In a step each rank sends to the next and receives from the one before, in a
 * stream of its own. */
struct device_pass {
    const void *out;
    void *in, *stream;
    size_t out_bytes, in_bytes;
};
int device_links(uint32_t ranks, void **links);
void device_links_end(void *links);
int device_links_step(void *links, const struct device_pass *pass);

#ifdef __cplusplus
}
#endif
#endif
