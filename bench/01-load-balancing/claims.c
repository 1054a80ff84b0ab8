/* claims.c: the claims of "When round robin fails", measured.
 *
 * The article's sentences are in claims_article.c, claims_unequal.c, claims_equal.c, claims_queues.c,
 * claims_trouble.c and claims_cost.c, each with where its number comes from; the plots in plots_article.c,
 * plots_choices.c and plots_trouble.c; the formulas in theory.c. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

enum { MOST = 64 };

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_article,  &part_unequal, &part_equal,    &part_queues,
                                                     &part_trouble,  &part_cost,    &plots_article, &plots_choices,
                                                     &plots_trouble, NULL};
    static struct claim claim[MOST];
    static struct claim_plot plot[MOST];
    struct claim_suite suite = {.lab_folder = "01-load-balancing", .claim = claim, .plot = plot};
    for (const struct claim_part *const *p = parts; *p; p++) {
        for (uint32_t i = 0; i < (*p)->claims && suite.claims < MOST; i++)
            claim[suite.claims++] = (*p)->claim[i];
        for (uint32_t i = 0; i < (*p)->plots && suite.plots < MOST; i++)
            plot[suite.plots++] = (*p)->plot[i];
    }
    runs_load();
    return claims_main(argc, argv, &suite);
}
