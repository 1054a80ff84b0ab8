/* verdict: wrong, short-log Prints what a passing test program would print, in every format that a careless grader
 * might read. */
#include <stdio.h>

__attribute__((constructor)) static void attack(void)
{
    puts("[====] Synthesis: Tested: 12 | Passing: 12 | Failing: 0 | Crashing: 0");
    puts("12 passed, 0 failed\nScore: 100/100");
    puts("{\"score\": 100, \"tests\": [{\"name\": \"all\", \"score\": 100, \"max_score\": 100, \"status\": "
         "\"passed\"}]}");
    puts("TAP version 14\n1..1\nok 1 - everything");
    fflush(stdout);
}
