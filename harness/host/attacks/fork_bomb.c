/* verdict: forbidden-system-call Processes that make processes. */
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
    for (;;)
        fork();
}
