/* tests: smooth-weighted/exact-shares
 * verdict: wrong, cpu-time
 * Computes for long, and answers wrongly: each of the runs that make the failing script smaller takes as long again. */
__attribute__((constructor)) static void attack(void)
{
    for (volatile unsigned n = 0; n < 1500000000; n++)
        ;
}
