/* verdict: wrong, short-log Prints what no XML and no YAML may hold: U+FFFE, U+FFFF, half a letter, a zero, an escape. */
#include <stdio.h>

__attribute__((constructor)) static void attack(void)
{
    static const char odd[] = "\xEF\xBF\xBE \xEF\xBF\xBF \xC3 \0 \x1b[2J ]]> \xE2\x80\xAE";
    fwrite(odd, 1, sizeof odd, stdout);
    fflush(stdout);
}
