/* parallel.h: the same function over 0 … n-1, on all cores.
 *
 * Calls of `body` run at the same time on different threads and in no fixed order; each must touch only what belongs to
 * its index, so that the result does not depend on the number of threads. `done` (may be NULL) is called on the calling
 * thread with the number finished so far.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <stdint.h>

unsigned parallel_threads(void); /* cores that this process may use; FAULTLINE_THREADS overrides */
void parallel_for(uint32_t n, void (*body)(uint32_t index, void *context), void *context,
                  void (*done)(uint32_t finished, void *context));

#endif
