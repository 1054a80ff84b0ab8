/* verdict: wall-time Ignores every signal that can be ignored, and sleeps, so that no CPU limit ends it. */
#include <signal.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
    for (int s = 1; s < 65; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_IGN);
    for (;;)
        sleep(1000);
}
