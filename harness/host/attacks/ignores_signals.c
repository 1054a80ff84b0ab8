/* verdict: wall-time Ignores every signal that can be ignored, and waits for a lock that it holds itself, so that no CPU
 * limit ends it. */
#include <pthread.h>
#include <signal.h>

__attribute__((constructor)) static void attack(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    for (int s = 1; s < 65; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_IGN);
    for (;;)
        pthread_mutex_lock(&lock);
}
