/* The portable kernel, compiled for vectors of 512 bits. blockwise.c says what for. */
#define LANES 16u
#define ROWS  8u
#define VECS  3u

#if defined(__x86_64__)
#define TARGET __attribute__((target("arch=skylake-avx512")))
#include "portable.h"

const struct kernel *const portable_512 = &kernel;
#else
#include "blocks.h"

extern const struct kernel *const portable_512;
const struct kernel *const portable_512 = NULL;
#endif
