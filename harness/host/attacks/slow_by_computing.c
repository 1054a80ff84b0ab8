/* verdict: wrong, cpu-time The same without a call that could be refused: computes for most of the time that a run has,
 * and answers wrongly then. */
__attribute__((constructor)) static void attack(void)
{
    for (volatile unsigned n = 0; n < 400000000; n++)
        ;
}
