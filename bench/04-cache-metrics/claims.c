/* claims.c: the claims of "When a 99 % cache hit ratio means nothing", measured.
 *
 * The article's sentences are in claims_ratio.c, claims_cost.c, claims_policy.c, claims_curve.c, claims_expiry.c,
 * claims_waiting.c and claims_database.c, each with where its number comes from. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_ratio,  &part_cost,    &part_policy,   &part_curve,
                                                     &part_expiry, &part_waiting, &part_database, NULL};
    runs_load();
    return claims_main_parts(argc, argv, "04-cache-metrics", parts);
}
