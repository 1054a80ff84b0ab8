/* verdict: cpu-time, wall-time Prints without end. */
#include <stdio.h>

__attribute__((constructor)) static void attack(void)
{
    for (;;)
        puts("pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass "
             "pass");
}
