/* verdict: cpu-time, wall-time, memory, crashed, forbidden-system-call Threads that make threads; threads are allowed,
 * so limits of memory and time must end it; where instructions are counted they are not allowed. */
#include <pthread.h>

static void *more(void *argument)
{
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, more, argument) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

__attribute__((constructor)) static void attack(void)
{
    more(NULL);
}
