/* The portable kernel, compiled for vectors of 256 bits. blockwise.c says what for. */
#define LANES 8u
#define ROWS  4u
#define VECS  3u

#if defined(__x86_64__)
#define TARGET __attribute__((target("arch=haswell")))
#include "portable.h"

const struct kernel *const portable_256 = &kernel;
#else
#include "blocks.h"

extern const struct kernel *const portable_256;
const struct kernel *const portable_256 = NULL;
#endif
