/* entries.h: any entry, driven by hand or at random, with a model beside it of what the contract lets it know.
 *
 * The model is kept by the driver from the calls alone. Each pick is held against the contract; a test that knows more
 * of an entry gives a `picked`, which sees the model as it was when the entry had to decide.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include "adapter.h"

#define MOST        64u  /* backends */
#define MOST_FLYING 512u /* requests not answered */

struct driver {
    const struct lb_ops *ops;
    void *balancer;
    const char *name;
    struct lb_config config, inner_config;
    struct rng random; /* the driver's own */
    uint64_t now;
    bool member[MOST];
    uint32_t weight[MOST], in_flight[MOST], reported[MOST];
    uint32_t members; /* with a weight above 0 */
    uint32_t flying[MOST_FLYING], flights;
    void (*picked)(const struct driver *d, uint32_t backend);
    void (*ended)(struct driver *d, uint32_t backend, enum lb_outcome outcome);
    void *context;
};

extern const struct plugin linked; /* the reference, linked into this program */

/* Creates the entry; "wrapper+inner" too. n: backends; seed: of the entry's random numbers and of the driver's. */
void driver_start(struct driver *d, const char *name, uint32_t n, uint64_t seed);
void driver_stop(struct driver *d);

void driver_add(struct driver *d, uint32_t backend, uint32_t weight);
void driver_remove(struct driver *d, uint32_t backend);
void driver_weight(struct driver *d, uint32_t backend, uint32_t weight);
uint32_t driver_pick(struct driver *d);
void driver_end(struct driver *d, uint32_t flight, enum lb_outcome outcome, uint64_t latency);
void driver_report(struct driver *d, uint32_t backend, uint32_t load);
void driver_idle(struct driver *d, uint32_t backend);

/* One call, at random: about half are picks, two in five answers, the rest changes and messages. `changes`: members
 * join, leave and change weights, 0 included. */
void driver_step(struct driver *d, bool changes);

/* A wrapper can't be created alone. */
bool entry_wraps(const struct plugin_entry *e);

/* False for a chi-square so large that chance alone gives it once in a million: by Wilson and Hilferty's normal
 * approximation. */
bool chi_square_fits(double chi_square, uint32_t degrees);

#endif
