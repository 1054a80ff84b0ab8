/* verdict: forbidden-system-call Kills the process that watches it, and everybody else it may kill. */
#include <signal.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
    kill(getppid(), SIGKILL);
    kill(-1, SIGKILL);
}
