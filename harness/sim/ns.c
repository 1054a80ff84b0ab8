/* ns.c: virtual time as people read it. */
#include "sim/ns.h"

void ns_print(FILE *out, uint64_t ns)
{
    const uint64_t unit = ns < 10000 ? 1 : ns < 1000000000 ? 1000000 : 1000000000;
    uint64_t rest = ns % unit;
    int digits = unit == 1 ? 0 : unit == 1000000 ? 6 : 9;
    if (ns == UINT64_MAX) {
        fputs("never", out);
        return;
    }
    for (; digits > 0 && rest % 10 == 0; digits--)
        rest /= 10;
    fprintf(out, "%llu", (unsigned long long)(ns / unit));
    if (digits)
        fprintf(out, ".%0*llu", digits, (unsigned long long)rest);
    fputs(unit == 1 ? " ns" : unit == 1000000 ? " ms" : " s", out);
}
