/* verdict: forbidden-system-call Sleeps for as long as a run may wait, and answers wrongly then, so that making the
 * failing input smaller takes hours. */
#include <time.h>

__attribute__((constructor)) static void attack(void)
{
    struct timespec t = {27, 0};
    nanosleep(&t, NULL);
}
