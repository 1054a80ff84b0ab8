/* claims_traffic.c: what goes round in a ring, counted on the loop transport. */
#include "parts.h"
#include "runs.h"

#include "base/memory.h"

#include <stdlib.h>

#define EACH 6u

/* What a rank sends that hands on P times: its own block comes back to it. */
static int once_too_often(void *context, const struct at_link *link)
{
    char *block[2] = {context, (char *)context + 65536};
    int code = 0;
    for (uint32_t s = 0; s < link->ranks && !code; s++) {
        code = link->begin(link->self, block[s % 2], EACH * 2 * link->ranks * EACH * 4, block[(s + 1) % 2],
                           EACH * 2 * link->ranks * EACH * 4);
        code = code ? code : link->wait(link->self);
    }
    return code;
}

static double formula(uint32_t ranks, uint32_t d)
{
    return (ranks - 1.0) * 2 * EACH * d * 4;
}

static double sum_of_formulas(const struct claim_run *run)
{
    (void)run;
    double sum = 0;
    for (uint32_t ranks = 2; ranks <= 16; ranks++)
        sum += formula(ranks, ranks * EACH);
    return sum;
}

/* Bytes that rank 1 sends, for 2, 3, ... 16 ranks, all together. */
static double sent(const struct claim_run *run)
{
    double sum = 0;
    for (uint32_t ranks = 2; ranks <= 16; ranks++) {
        if (run->broken) {
            struct loop_settings settings = {.ranks = ranks};
            struct loop_record *record = xcalloc(1, sizeof *record);
            char *blocks = xcalloc(131072, 1);
            int code = loop_run(&settings, once_too_often, blocks, record);
            if (code)
                run_failed("a ring", code);
            sum += (double)record->rank[1].sent;
            free(blocks);
            free(record);
            continue;
        }
        struct ring_case c = {.entry = "ring", .ranks = ranks, .each = EACH, .layout = AT_CONTIGUOUS};
        struct ring_result r = ring_case_run(&c);
        sum += r.met ? (double)r.record.rank[1].sent : -1;
    }
    return sum;
}

static double rank_count(uint32_t i)
{
    return i + 1;
}

static double predicted_kib(const struct claim_run *run)
{
    return formula((uint32_t)run->x, 128) / 1024;
}

static double sent_kib(const struct claim_run *run)
{
    struct ring_case c = {.entry = "ring", .ranks = (uint32_t)run->x, .each = EACH, .layout = AT_CONTIGUOUS, .d = 128};
    struct ring_result r = ring_case_run(&c);
    return (double)r.record.rank[0].sent / 1024;
}

static const struct claim_series series[] = {
    {.name = "(P - 1) x 2 c d x 4 bytes", .line = true, .points = 16, .x = rank_count, .y = predicted_kib},
    {.name = "sent by a rank", .points = 16, .x = rank_count, .y = sent_kib},
    {.name = NULL},
};

static const struct claim_plot plots[] = {
    {.id = "traffic",
     .title = "Bytes that a rank sends (c = 6 tokens a rank, d = 128, float32)",
     .reading =
         "Each rank passes on every block but the last it gets: P - 1 rotations. With P, what it sends grows; what "
         "it sends in one step does not.",
     .x = "ranks P",
     .x_unit = "",
     .y = "sent by a rank",
     .y_unit = "KiB",
     .seeds = 1,
     .series = series},
};

static const struct claim claims[] = {
    {.id = "bytes",
     .statement = "In a ring of P ranks with c tokens each, a rank sends (P - 1) x 2 c d x 4 bytes, not one more, and "
                  "everybody still meets everybody.",
     .formula = "(P - 1) x 2 c d x 4, summed over P = 2 ... 16",
     .unit = "bytes",
     .source = "counted",
     .broken = "a ring of P rotations",
     .relation = CLAIM_EQUALS,
     .seeds = 1,
     .predict = sum_of_formulas,
     .measure = sent},
};

const struct claim_part part_traffic = {claims, COUNT(claims), plots, COUNT(plots)};
