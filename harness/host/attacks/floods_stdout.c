/* verdict: too-costly Prints without end. */
#include <stdio.h>

__attribute__((constructor)) static void attack(void)
{
    for (;;)
        puts("pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass pass "
             "pass");
}
