/* verdict: left-early Leaves with the exit code of success, before anything was asked. */
#include <stdlib.h>

__attribute__((constructor)) static void attack(void)
{
    exit(0);
}
