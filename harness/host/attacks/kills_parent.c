/* verdict: forbidden-system-call Kills the process that watches it, and everybody else it may kill. */
#include <signal.h>

__attribute__((constructor)) static void attack(void)
{
    kill(1, SIGKILL); /* its parent is process 1 in there; getppid() itself would be refused, and nothing shown */
    kill(-1, SIGKILL);
}
