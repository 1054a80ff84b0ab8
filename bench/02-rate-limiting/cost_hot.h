/* cost_hot.h: decisions beside what the machine can do at best, so that a ratio of the two is one of the same minute.
 *
 * One hot key: the bare ones are limiters that decide nothing: `allow` is one atomic operation on a word. They are asked
 * by the same loop through the same pointer, so the ratio of an entry to one of them is the price of deciding. Many
 * keys: the bare one is a load that needs the last one's result, from a random place in as much memory as so many slots
 * of 32 bytes take.
 */
#ifndef COST_HOT_H
#define COST_HOT_H

#include "cost/cost.h"

/* Names of parts, ending with NULL: "bare:fetch-add", ..., "entry:gcra-atomic", ... */
extern const char *const hot_names[];  /* for a size of 1 */
extern const char *const many_names[]; /* for more keys: asked for by Zipf's law */

/* As in struct cost_operation; subject->plugin is not looked at, the entries are the reference's. */
int hot_create(const struct cost_subject *subject, void **state, struct error *err);
void hot_run(void *state, unsigned thread, uint64_t n);
void hot_destroy(void *state);

/* HOT_SEQUENCE keys, numbered by how often they ask, to free; zipf: the k-th asks 1/k as often as the first. NULL: no
 * memory. */
#define HOT_SEQUENCE (1u << 15)
uint32_t *hot_draw_keys(uint64_t keys, bool zipf, uint64_t seed, unsigned thread);

#endif
