/* claims.c: the claims of "When one slow service took down a region", measured.
 *
 * The article's sentences are in claims_retries.c, claims_cures.c, claims_counts.c, claims_event.c and claims_nginx.c,
 * each with where its number comes from; the plots in plots_time.c and plots_phase.c. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_retries, &part_cures, &part_counts, &part_event,
                                                     &part_nginx,   &plots_time, &plots_phase, NULL};
    runs_load();
    return claims_main_parts(argc, argv, "05-circuit-breaker", parts);
}
