/* replay: your own keys through every map: which move when nodes join or leave, and how evenly they lie.
 *
 *     replay KEYS|LOG|- [--nodes N] [--then M] [--of paths|clients] [--entries A,B] [--plugin FILE.so] [--json FILE]
 *            [--seed N] [--quiet]
 *
 * As many random 64-bit keys go the same way: what differs beyond chance is the hash's fault, not the map's. Nodes are
 * numbered 0 … N-1; those that leave are the last ones, which every map can do.
 */
#include "keys.h"
#include "owners.h"

#include "base/memory.h"
#include "base/text.h"
#include "replay/replay.h"
#include "sim/rng.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NODES 10000u

/* What became of one set of keys. */
struct result {
    struct movement movement;
    struct balance before, after; /* of different keys */
    struct balance requests;      /* before, each key as often as it was asked for */
};

static uint64_t nodes = 10, then;
static int of; /* what a key is, of an access log: which of these words */
static const char *const what[] = {"paths", "clients", NULL};
static struct keys keys;
static uint64_t *random_key; /* [keys.count] */

static void settle(void)
{
    then = then ? then : nodes + 1;
    if (then == nodes)
        error_exit(EXIT_WRONG_USE, "replay: --nodes and --then are both %llu: nothing changes",
                   (unsigned long long)nodes);
}

static int read_keys(const char *path, const struct replay_options *options, struct error *err)
{
    struct rng random;
    const int code = keys_read(path, of == 1, &keys, err);
    if (code)
        return code;
    if (keys.count > UINT32_MAX)
        return error_set(err, -EFBIG, "%s: more than 4 billion keys", options->trace);
    random_key = xcalloc(keys.count, sizeof *random_key);
    rng_seed(&random, options->seed, 0);
    for (size_t i = 0; i < keys.count; i++)
        random_key[i] = rng_next(&random);
    return 0;
}

/* ---- running ---- */

static int make(const struct ch_ops *ops, void **map)
{
    struct ch_config config = CH_USUAL;
    struct ch_node *node = xcalloc(nodes, sizeof *node);
    config.capacity = 2 * MOST_NODES;
    for (uint32_t i = 0; i < nodes; i++)
        node[i] = (struct ch_node){i, 1};
    int code = ops->create(&config, map);
    if (code == 0) {
        code = ops->add(*map, node, (uint32_t)nodes);
        if (code)
            ops->destroy(*map);
    }
    free(node);
    return code;
}

static int change(const struct ch_ops *ops, void *map)
{
    int code = 0;
    for (uint64_t i = nodes; i < then && code == 0; i++)
        code = ops->add(map, &(struct ch_node){(uint32_t)i, 1}, 1);
    for (uint64_t i = nodes; i > then && code == 0; i--)
        code = ops->remove(map, (uint32_t)i - 1);
    return code;
}

static void owners(const struct ch_ops *ops, const void *map, const uint64_t *key, uint32_t *owner)
{
    for (size_t i = 0; i < keys.count; i++)
        owner[i] = ops->lookup(map, key[i]);
}

static struct balance balance(const uint32_t *owner, const uint32_t *times, uint64_t n)
{
    uint64_t *load = xcalloc(n, sizeof *load);
    for (size_t i = 0; i < keys.count; i++) {
        if (owner[i] < n)
            load[owner[i]] += times ? times[i] : 1;
    }
    const struct balance b = balance_of(load, NULL, (uint32_t)n);
    free(load);
    return b;
}

/* What counts its loads is asked to place every request; nothing is ever gone. */
static int place_requests(const struct ch_ops *ops, struct balance *requests)
{
    void *map;
    uint64_t *load = xcalloc(nodes, sizeof *load);
    int code = make(ops, &map);
    for (size_t i = 0; i < keys.requests && code == 0; i++)
        load[ops->place(map, keys.request[i])]++;
    if (code == 0) {
        *requests = balance_of(load, NULL, (uint32_t)nodes);
        ops->destroy(map);
    }
    free(load);
    return code;
}

/* results: of the keys, and of as many random ones. */
static int move(const struct ch_ops *ops, struct result result[2], size_t *bytes)
{
    const uint64_t *const key[2] = {keys.distinct, random_key};
    const uint64_t less = nodes < then ? nodes : then;
    uint32_t *before[2] = {xcalloc(keys.count, sizeof **before), xcalloc(keys.count, sizeof **before)};
    uint32_t *after = xcalloc(keys.count, sizeof *after);
    bool *stays = xcalloc(less, sizeof *stays);
    void *map;
    memset(stays, true, less);
    int code = make(ops, &map);
    if (code == 0) {
        for (int i = 0; i < 2; i++)
            owners(ops, map, key[i], before[i]);
        *bytes = ops->bytes(map);
        code = change(ops, map);
        for (int i = 0; i < 2 && code == 0; i++) {
            owners(ops, map, key[i], after);
            result[i].movement = movement_of(before[i], after, keys.count, stays, (uint32_t)less);
            result[i].before = balance(before[i], NULL, nodes);
            result[i].after = balance(after, NULL, then);
            result[i].requests = balance(before[i], keys.times, nodes);
        }
        ops->destroy(map);
    }
    free(before[0]);
    free(before[1]);
    free(stays);
    free(after);
    return code;
}

static double percent(uint64_t part, uint64_t all)
{
    return 100.0 * (double)part / (double)all;
}

static int replay(struct replay_row *row, const struct replay_options *options)
{
    const struct ch_ops *ops = row->ops;
    struct result result[2];
    size_t bytes = 0;
    (void)options;
    int code = move(ops, result, &bytes);
    if (code == 0 && ops->place)
        code = place_requests(ops, &result[0].requests);
    if (code)
        return error_set(&row->err, code, "%s", strerror(-code));
    const struct result *r = &result[0], *random = &result[1];
    const double figure[] = {percent(r->movement.moved, keys.count),
                             percent(r->movement.necessary, keys.count),
                             percent(r->movement.extra, keys.count),
                             percent(random->movement.moved, keys.count),
                             r->before.max_to_mean,
                             100 * r->before.cv,
                             100 * random->before.cv,
                             r->after.max_to_mean,
                             r->requests.max_to_mean,
                             (double)bytes,
                             (double)bytes / 1024};
    memcpy(row->figure, figure, sizeof figure);
    return 0;
}

/* ---- telling ---- */

static void print(const struct replay_options *options)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    const double more = (double)(nodes > then ? nodes : then), less = (double)(nodes > then ? then : nodes);
    printf("%s: %s different keys in %s %s", options->trace, text_count(a, keys.count), text_count(b, keys.requests),
           !keys.log ? "lines"
           : of      ? "requests (clients)"
                     : "requests (paths)");
    if (keys.malformed)
        printf("; %s lines left out", text_count(a, keys.malformed));
    printf("\n%llu nodes, then %llu: %.2f %% of all keys have to move\n", (unsigned long long)nodes,
           (unsigned long long)then, 100 * (more - less) / more);
}

static void json(json_t *result)
{
    json_object_set_new(result, "trace",
                        json_pack("{s:I, s:I, s:I, s:s}", "requests", (json_int_t)keys.requests, "keys",
                                  (json_int_t)keys.count, "left-out", (json_int_t)keys.malformed, "of",
                                  keys.log ? what[of] : "lines"));
    json_object_set_new(result, "nodes",
                        json_pack("{s:I, s:I}", "before", (json_int_t)nodes, "after", (json_int_t)then));
}

int main(int argc, char **argv)
{
    static const struct option_row options[] = {
        {.name = "nodes", .argument = "N", .kind = OPTION_NUMBER, .to = &nodes, .least = 1, .most = MOST_NODES},
        {.name = "then", .argument = "N", .kind = OPTION_NUMBER, .to = &then, .least = 1, .most = MOST_NODES},
        {.name = "of", .argument = "paths|clients", .kind = OPTION_WORD, .to = &of, .words = what}};
    static const struct replay_figure figures[] = {{"moved %", 2, "moved", "%", NULL},
                                                   {NULL, 0, "necessary", "%", NULL},
                                                   {"extra %", 2, "extra", "%", NULL},
                                                   {"random moved %", 2, "moved-random", "%", NULL},
                                                   {"fullest", 3, "fullest", "x mean", NULL},
                                                   {"CV %", 1, "cv", "%", NULL},
                                                   {"random CV %", 1, "cv-random", "%", NULL},
                                                   {NULL, 0, "fullest-after", "x mean", NULL},
                                                   {"by requests", 3, "fullest-by-requests", "x mean", NULL},
                                                   {NULL, 0, "bytes", "B", NULL},
                                                   {"KiB", 1, NULL, NULL, NULL}};
    const struct replay_suite suite = {
        .lab_folder = "03-consistent-hashing",
        .example = "which keys? For example: faultline replay 03 keys.txt --nodes 10 --then 11",
        .option = options,
        .options = COUNT(options),
        .settle = settle,
        .read = read_keys,
        .run = replay,
        .print = print,
        .source = "counted",
        .note =
            ". extra: keys that moved between two nodes which were there before and after. fullest: what the fullest "
            "node has,\nover the mean, and CV: standard deviation over mean, of keys a node, before the change. by "
            "requests: the fullest when each key counts as often\nas it was asked for: a hot key's node is full "
            "whatever the map, but where loads are bounded. random: as many random keys, which should do\nalike. "
            "KiB: of state.",
        .figure = figures,
        .figures = COUNT(figures),
        .json = json};
    return replay_main(argc, argv, &suite);
}
