/* verdict: forbidden-system-call Writes until there is no room left. */
#include <stdio.h>

__attribute__((constructor)) static void attack(void)
{
    for (int n = 0;; n++) {
        char name[64], block[65536] = {1};
        snprintf(name, sizeof name, "/tmp/fill.%d", n);
        FILE *file = fopen(name, "w");
        while (file && fwrite(block, sizeof block, 1, file) == 1)
            ;
    }
}
