/* verdict: memory, crashed Takes ten gigabytes and writes to all of it. */
#include <stdlib.h>
#include <string.h>

char *volatile kept[10]; /* so that the compiler can't leave it out */

__attribute__((constructor)) static void attack(void)
{
    for (int i = 0; i < 10; i++) {
        char *memory = malloc(1ul << 30);
        memset(memory, 1, 1ul << 30);
        kept[i] = memory;
    }
}
