/* claims.c: the claims of "Why your API collapsed at 2 AM", measured.
 *
 * The article's sentences are in claims_window.c, claims_trace.c, claims_bucket.c, claims_many.c, claims_hot.c and
 * claims_remote.c, each with where its number comes from; the plot in plots_window.c. Here they are put in a row.
 */
#include "parts.h"
#include "runs.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    static const struct claim_part *const parts[] = {&part_window, &part_trace,  &part_bucket,  &part_many,
                                                     &part_hot,    &part_remote, &plots_window, NULL};
    runs_load();
    return claims_main_parts(argc, argv, "02-rate-limiting", parts);
}
