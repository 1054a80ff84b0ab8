/* recall_needle.c: sentences that stand in a text once, at known places. */
#include "recall_needle.h"

#include "sim/rng.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define TRIES  1000
#define ERRORS 0.05

size_t recall_needles_room(uint32_t context, uint32_t each)
{
    return (size_t)2 * RECALL_DEPTHS * each * (context + RECALL_ANSWER);
}

/* ---- places ---- */

struct recall_places recall_where(const struct recall_text *t, const uint32_t *words, uint32_t n)
{
    struct recall_places p = {0, 0, 0};
    for (size_t i = n; n > 0 && i < t->tokens; i++) {
        if (t->token[i - 1] != words[n - 1] || memcmp(t->token + i - n, words, n * sizeof *words) != 0)
            continue;
        p.first = p.count++ ? p.first : i;
        p.last = i;
    }
    return p;
}

uint32_t recall_nearest(const struct recall_text *t, const uint32_t *after, uint32_t context, size_t *place)
{
    uint32_t most = 0;
    *place = 0;
    for (size_t i = context; i < t->tokens; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < context; k++)
            same += *(t->token + i - 1 - k) == *(after - 1 - k);
        if (same > most) {
            most = same;
            *place = i;
        }
    }
    return most;
}

/* ---- needles ---- */

/* Is there an answer's word that could be mistaken: one whose context stands in the text already? */
static bool known(const struct recall_text *t, const uint32_t *needle, uint32_t context)
{
    for (uint32_t i = 0; i < RECALL_ANSWER; i++)
        if (recall_where(t, needle + i, context).count)
            return true;
    return false;
}

static bool twice(const uint32_t *needle, uint32_t context)
{
    for (uint32_t i = 0; i < RECALL_ANSWER; i++)
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(needle + i, needle + k, context * sizeof *needle) == 0)
                return true;
    return false;
}

static bool draw(const struct recall_text *t, struct rng *r, uint32_t *needle, uint32_t context)
{
    for (int tries = 0; tries < TRIES; tries++) {
        for (uint32_t i = 0; i < context + RECALL_ANSWER; i++) {
            do
                needle[i] = t->token[(size_t)(rng_double(r) * (double)t->tokens)];
            while (needle[i] == RECALL_END && t->words > 1);
        }
        if (!twice(needle, context) && !known(t, needle, context))
            return true;
    }
    return false;
}

/* What stands side by side where a needle begins or ends may be a context of another one, though hardly ever is. */
static bool all_once(const struct recall_text *t, const struct recall_needles *n)
{
    for (uint32_t i = 0; i < n->questions; i++)
        if (recall_where(t, n->after[i] - n->context, n->context).count != 1)
            return false;
    return true;
}

int recall_plant(struct recall_text *t, uint32_t context, uint32_t each, uint64_t seed, struct recall_needles *out,
                 struct error *err)
{
    const size_t size = context + RECALL_ANSWER, span = each * size;
    uint32_t needle[RECALL_MOST_NEEDLE] = {0};
    struct rng random;
    if (context == 0 || context > RECALL_MOST_NEEDLE - RECALL_ANSWER || each == 0 || each > RECALL_EACH ||
        t->tokens < recall_needles_room(context, each))
        return error_set(err, -ENOSPC, "the text has no room for %u sentences at each depth", each);
    rng_seed(&random, seed, 8);
    *out = (struct recall_needles){.context = context, .each = each};
    for (uint32_t d = 0; d < RECALL_DEPTHS; d++) {
        const size_t depth = (size_t)((double)(t->tokens - span) * d / (RECALL_DEPTHS - 1));
        for (uint32_t i = 0; i < each; i++) {
            const size_t at = depth + i * size;
            if (!draw(t, &random, needle, context))
                return error_set(err, -EDEADLK,
                                 "no sentence of %zu words of the text was found that is not in it already: it says "
                                 "the same over and over",
                                 size);
            memcpy(t->token + at, needle, size * sizeof *needle);
            out->at[out->count++] = at;
            for (uint32_t k = 0; k < RECALL_ANSWER; k++)
                out->after[out->questions++] = t->token + at + context + k;
        }
    }
    return all_once(t, out) ? 0 : error_set(err, -EDEADLK, "two sentences got in each other's way: take another seed");
}

void recall_score(const struct recall_needles *n, const uint32_t *read, uint32_t found[RECALL_DEPTHS])
{
    memset(found, 0, RECALL_DEPTHS * sizeof *found);
    for (uint32_t i = 0; i < n->count; i++) {
        uint32_t right = 0;
        for (uint32_t k = i * RECALL_ANSWER; k < (i + 1) * RECALL_ANSWER; k++)
            right += read[k] == *n->after[k];
        found[i / n->each] += right == RECALL_ANSWER;
    }
}

/* ---- how sure ---- */

/* The probability of at most k in n throws of a coin that falls so with probability p. */
static double at_most(uint32_t k, uint32_t n, double p)
{
    double sum = 0;
    for (uint32_t i = 0; i <= k; i++) {
        double term = 1;
        for (uint32_t j = 0; j < i; j++) /* n over i, and i of the powers, in turn: stays in range */
            term *= (double)(n - j) / (i - j) * p;
        sum += term * pow(1 - p, n - i);
    }
    return sum;
}

/* The p at which at_most(k, n, p) is `chance`: it falls from 1 to 0 as p rises. */
static double where_chance_is(double chance, uint32_t k, uint32_t n)
{
    double low = 0, high = 1;
    for (int i = 0; i < 60; i++) {
        const double p = (low + high) / 2;
        if (at_most(k, n, p) > chance)
            low = p;
        else
            high = p;
    }
    return (low + high) / 2;
}

void recall_interval(uint32_t found, uint32_t n, double *low, double *high)
{
    *low = found == 0 ? 0 : where_chance_is(1 - ERRORS / 2, found - 1, n);
    *high = found == n ? 1 : where_chance_is(ERRORS / 2, found, n);
}
