/* claims.c: the claims of "How consistent hashing scales distributed systems", measured.
 *
 * The article's sentences are in claims_movement.c, claims_balance.c, claims_lines.c and claims_outage.c, each with where its number
 * comes from. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_movement, &part_balance, &part_lines, &part_outage, NULL};
    runs_load();
    return claims_main_parts(argc, argv, "03-consistent-hashing", parts);
}
