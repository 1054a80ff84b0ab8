/* verdict: wrong, forbidden-system-call Does its work in a thread, so that nobody counts it. Threads are allowed where
 * no instructions are counted; the starter's answers are then as wrong as without. */
#include <pthread.h>

static void *work(void *argument)
{
    for (volatile int n = 0; n < 1000000; n++)
        ;
    return argument;
}

__attribute__((constructor)) static void attack(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) == 0)
        pthread_join(thread, NULL);
}
