/* claims.c: the claims of "How ring attention breaks the memory barrier", measured.
 *
 * The article's sentences are in claims_*.c, by subject, each with where its number comes from. Here they are put in a
 * row.
 */
#include "misses.h"
#include "parts.h"
#include "runs.h"

#include <stddef.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_memory,  &part_exact, &part_traffic, &part_balance,
                                                     &part_overlap, &part_here,  &part_misses,  NULL};
    runs_load();
    if (argc > 1 && strcmp(argv[1], MISSES_OPTION) == 0)
        return misses_main(argc, argv);
    return claims_main_parts(argc, argv, "08-ring-attention", parts);
}
