/* claims.c: the claims of "When round robin fails", measured.
 *
 * The article's sentences are in claims_article.c, claims_unequal.c, claims_equal.c, claims_queues.c,
 * claims_trouble.c and claims_cost.c, each with where its number comes from; the plots in plots_article.c,
 * plots_choices.c and plots_trouble.c; the formulas in theory.c. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_article,  &part_unequal, &part_equal,    &part_queues,
                                                     &part_trouble,  &part_cost,    &plots_article, &plots_choices,
                                                     &plots_trouble, NULL};
    runs_load();
    return claims_main_parts(argc, argv, "01-load-balancing", parts);
}
