/* claims.c: the claims of "When round robin fails", measured.
 *
 * The article's sentences are in claims_unequal.c, claims_equal.c, claims_queues.c and claims_trouble.c, each with where
 * its number comes from; the plots in plots.c; the formulas in theory.c. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

int main(int argc, char **argv)
{
    static const struct claim_part *const part[] = {&part_unequal, &part_equal, &part_queues, &part_trouble};
    static struct claim claim[64];
    uint32_t n = 0;
    for (size_t p = 0; p < sizeof part / sizeof *part; p++)
        for (uint32_t i = 0; i < part[p]->claims && n < sizeof claim / sizeof *claim; i++)
            claim[n++] = part[p]->claim[i];
    const struct claim_suite suite = {
        .lab_folder = "01-load-balancing", .claim = claim, .claims = n, .plot = plots, .plots = plots_count};
    runs_load();
    return claims_main(argc, argv, &suite);
}
