/* claims.c: the claims of "When a 99 % cache hit ratio means nothing", measured.
 *
 * The article's sentences are in claims_article.c, claims_policies.c, claims_curves.c, claims_recompute.c and claims_live.c, each with
 * where its number comes from. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_article,   &part_policies, &part_curves,
                                                     &part_recompute, &part_live,     NULL};
    runs_load();
    return claims_main_parts(argc, argv, "04-cache-metrics", parts);
}
