/* cuda_device.h: cuda/device.h on the host: a GPU's memory, streams and events, emulated, so that the CUDA rungs run
 * where there is none: entries, packing, tiles, the ring's schedule and the kernels' text are the real ones.
 *
 * What is put into streams waits until somebody asks for it. Then it is done in any order, drawn at random, that the
 * streams and their events allow: what was not waited for happens too early or too late for some seed. Memory is NaN
 * until it is written. */
#ifndef CUDA_DEVICE_TEST_H
#define CUDA_DEVICE_TEST_H

#include "cuda/device.h"
#include "cuda_lanes.h"

/* Off at first: then device_missing says so, and the entries are like those of a machine without a GPU. */
extern bool emulated_on;
extern uint64_t emulated_seed;

/* What all launches since it was last cleared have counted. */
extern struct emulated emulated_counts;

extern size_t emulated_bytes;   /* of memory that is allocated now */
extern uint32_t emulated_fails; /* so many allocations from now fails one: -ENOMEM; 0: none does */
extern bool emulated_no_cudnn;  /* there is a device, and no cuDNN */
extern bool emulated_deaf;      /* streams don't wait for events */

#endif
