/* verdict: cpu-time, wall-time Never returns. */
__attribute__((constructor)) static void attack(void)
{
    for (volatile unsigned n = 0;; n++)
        ;
}
