/* verdict: memory, crashed
 * Takes ten gigabytes and writes to all of it. */
#include <stdlib.h>
#include <string.h>

__attribute__((constructor)) static void attack(void)
{
    char *memory = malloc(10ul << 30);
    memset(memory, 1, 10ul << 30);
}
