/* tests: gcra/bytes-a-key, sliding-log/log-is-given-back
 * verdict: forbidden-system-call, memory
 * Tables in shared memory, which the kernel does not count as the process's data. */
#include <stdlib.h>
#include <sys/mman.h>

static void *shared_calloc(size_t n, size_t size)
{
    size_t bytes = n * size + 16, *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return NULL;
    *room = bytes;
    return room + 2;
}

static void shared_free(void *p)
{
    if (p)
        munmap((size_t *)p - 2, ((size_t *)p)[-2]);
}

#define calloc shared_calloc
#define free   shared_free
#include "@SOLUTION@"
