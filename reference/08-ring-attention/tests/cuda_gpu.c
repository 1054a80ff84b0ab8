/* The CUDA plugin's own text, over the emulated device of cuda_device.c. */
#include "cuda/gpu.c"
