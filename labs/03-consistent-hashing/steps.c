/* steps.c: a list of steps for a map, carried out by the host and replayed by the judge. */
#include "steps.h"

#include "host/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint32_t steps_records(const struct step *s)
{
    switch (s->op) {
    case STEP_LOOKUP:
    case STEP_PLACE:
        return s->n;
    case STEP_REPLICAS:
        return 1 + s->n;
    case STEP_COUNT:
        return 0;
    default:
        return 1;
    }
}

uint64_t steps_all_records(const struct step *step, uint32_t n)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += steps_records(&step[i]);
    return all;
}

static bool is_valid(const struct step *s)
{
    switch (s->op) {
    case STEP_ADD:
        return s->n >= 1 && s->n <= CH_MAX_NODES;
    case STEP_REPLICAS:
        return s->n >= 1 && s->n <= REPLICAS_MOST;
    case STEP_LOOKUP:
    case STEP_PLACE:
        return s->n >= 1 && s->n <= KEYS_MOST;
    default:
        return s->op <= STEP_COUNT;
    }
}

/* ---- carrying them out ---- */

static void log_one(struct decision_log *log, uint32_t record)
{
    log_append(log, &record);
}

static int add(const struct step *s, const struct ch_ops *ops, void *map)
{
    struct ch_node *node = malloc(s->n * sizeof *node);
    if (!node)
        return -ENOMEM;
    for (uint32_t i = 0; i < s->n; i++)
        node[i] = (struct ch_node){s->id + i, s->weight};
    const int code = ops->add(map, node, s->n);
    free(node);
    return code;
}

static void replicas(const struct step *s, const struct ch_ops *ops, void *map, struct decision_log *log)
{
    uint32_t node[REPLICAS_MOST], found = ENOTSUP;
    memset(node, 0xff, sizeof node); /* CH_NONE */
    if (ops->replicas)
        found = ops->replicas(map, s->key, s->n, node);
    log_one(log, found);
    for (uint32_t i = 0; i < s->n; i++)
        log_one(log, node[i]);
}

static void place(const struct step *s, const struct ch_ops *ops, void *map, struct decision_log *log)
{
    for (uint32_t i = 0; i < s->n; i++)
        log_one(log, ops->place ? ops->place(map, steps_key(s, i)) : i ? CH_NONE : ENOTSUP);
}

static void carry_out(const struct step *s, const struct ch_ops *ops, void *map, struct decision_log *log)
{
    switch (s->op) {
    case STEP_ADD:
        log_one(log, (uint32_t)-add(s, ops, map));
        break;
    case STEP_REMOVE:
        log_one(log, (uint32_t)-ops->remove(map, s->id));
        break;
    case STEP_LOOKUP:
        for (uint32_t i = 0; i < s->n; i++)
            log_one(log, ops->lookup(map, steps_key(s, i)));
        break;
    case STEP_REPLICAS:
        replicas(s, ops, map, log);
        break;
    case STEP_PLACE:
        place(s, ops, map, log);
        break;
    case STEP_RELEASE:
        log_one(log, ops->release ? (uint32_t)-ops->release(map, s->id) : ENOTSUP);
        break;
    default:
        log_count_from_here();
    }
}

int steps_run(const struct steps *steps, const struct ch_ops *ops, struct decision_log *log)
{
    void *map;
    if (steps->late > steps->count)
        return -EINVAL;
    int code = ops->create(&steps->config, &map);
    /* What is late is all zeros until counting begins, so each step is looked at when its turn has come. */
    for (uint32_t i = 0; i < steps->count && code == 0; i++) {
        if (!is_valid(&steps->step[i]))
            return -EINVAL; /* of our own making: the map goes with the process */
        carry_out(&steps->step[i], ops, map, log);
    }
    if (code == 0 && !steps->late) /* or it would be counted too */
        ops->destroy(map);
    return code;
}

/* ---- the judge's side ---- */

int64_t steps_replay(const struct steps *steps, const uint32_t *answers, uint64_t count, steps_visit *visit,
                     void *context)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < steps->count; i++) {
        const struct step *s = &steps->step[i];
        if (!is_valid(s))
            return -EINVAL;
        const uint32_t records = steps_records(s);
        if (!visit(context, i, s, at + records <= count ? answers + at : NULL))
            return i;
        at += records;
    }
    return steps->count;
}

static void print_node(FILE *out, uint32_t node)
{
    if (node == CH_NONE)
        fputs("none", out);
    else
        fprintf(out, "%u", node);
}

const char *steps_code(uint32_t record)
{
    switch (record) {
    case 0:
        return "0";
    case EEXIST:
        return "-EEXIST";
    case ENOENT:
        return "-ENOENT";
    case EINVAL:
        return "-EINVAL";
    case ENOTSUP: /* which also has another name */
        return "-ENOTSUP";
    case ENOSPC:
        return "-ENOSPC";
    case ENOMEM:
        return "-ENOMEM";
    default:
        return "no error that the contract has";
    }
}

static void print_nodes(FILE *out, const uint32_t *node, uint32_t n)
{
    for (uint32_t i = 0; i < n && i < 8; i++) {
        fputs(i ? ", " : " ", out);
        print_node(out, node[i]);
    }
    if (n > 8)
        fputs(", …", out);
}

void step_print(FILE *out, uint32_t number, const struct step *s, const uint32_t *answer)
{
    const unsigned long long key = s->key;
    fprintf(out, "%4u. ", number);
    switch (s->op) {
    case STEP_ADD:
        if (s->n == 1)
            fprintf(out, "node %u joins (weight %u)", s->id, s->weight);
        else
            fprintf(out, "nodes %u to %u join (weight %u)", s->id, s->id + s->n - 1, s->weight);
        break;
    case STEP_REMOVE:
        fprintf(out, "node %u leaves", s->id);
        break;
    case STEP_RELEASE:
        fprintf(out, "a key of node %u is gone", s->id);
        break;
    case STEP_COUNT:
        fputs("from here on it is counted", out);
        break;
    default:
        if (s->op == STEP_REPLICAS)
            fprintf(out, "%u replicas of key %#llx", s->n, key);
        else if (s->n == 1)
            fprintf(out, "%s key %#llx", s->op == STEP_LOOKUP ? "look up" : "place", key);
        else
            fprintf(out, "%s %u keys", s->op == STEP_LOOKUP ? "look up" : "place", s->n);
    }
    if (answer && (s->op == STEP_ADD || s->op == STEP_REMOVE || s->op == STEP_RELEASE)) {
        fprintf(out, ": %s", answer[0] ? steps_code(answer[0]) : "done");
    } else if (answer && s->op == STEP_REPLICAS) {
        fprintf(out, ": %u of them:", answer[0]);
        print_nodes(out, answer + 1, s->n);
    } else if (answer && s->op != STEP_COUNT) {
        fputs(": node", out);
        print_nodes(out, answer, s->n);
    } else if (s->op != STEP_COUNT) {
        fputs(": no answer", out);
    }
    fputc('\n', out);
}
