/* claims.c: the sentences of the article, as numbers that can turn out false. */
#include "skeleton.h"

#include "host/trusted.h"
#include "report/claims.h"
#include "sim/rng.h"

#define LIMIT 1000u

static const struct plugin *reference;

/* Groups of up to 20 ask, until twice the limit have; of the limit, how many are in. */
static double inside(const struct claim_run *run)
{
    const struct skeleton_ops *ops = plugin_find(reference, run->entry);
    struct rng random;
    uint32_t in = 0;
    void *counter;
    if (!ops || ops->create(LIMIT, &counter) != 0)
        error_exit(EXIT_CANNOT_TELL, "no counter %s could be made", run->entry);
    rng_seed(&random, run->seed, 0);
    for (uint32_t asked = 0; asked < 2 * LIMIT;) {
        const uint32_t n = 1 + rng_below(&random, 20);
        in += ops->take(counter, n);
        asked += n;
    }
    ops->destroy(counter);
    return (double)in / LIMIT;
}

static const struct claim claims[] = {
    {.id = "full-and-no-fuller",
     .statement = "Where twice as many ask as there is room for, a bounded counter lets in exactly the limit.",
     .formula = "limit / limit",
     .unit = "of the limit",
     .source = "counted",
     .broken = "unbounded in place of bounded",
     .relation = CLAIM_EQUALS,
     .seeds = 8,
     .of = {.entry = "bounded"},
     .instead = {.entry = "unbounded"},
     .predicted = 1,
     .measure = inside},
};

int main(int argc, char **argv)
{
    const struct claim_suite suite = {
        .lab_folder = "SKELETON_NUMBER-SKELETON_NAME", .claim = claims, .claims = sizeof claims / sizeof *claims};
    reference = trusted_reference(suite.lab_folder, EXIT_CANNOT_TELL);
    return claims_main(argc, argv, &suite);
}
