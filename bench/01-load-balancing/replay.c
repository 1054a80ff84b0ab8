/* replay: an access log through every entry, on the fleet of the article.
 *
 *     replay LOG|- [--rate N] [--entries A,B] [--plugin FILE.so] [--seed N] [--json FILE] [--quiet]
 *
 * Every entry gets the same requests at the same moments, so differences between rows are the entries' alone. What the
 * table can't say: the log has the requests that one real server answered, not those that a fleet would have got had it
 * answered faster or slower (clients wait for answers before they ask for more), and its bytes stand for work.
 */
#include "adapter.h"
#include "trace.h"

#include "base/memory.h"
#include "base/text.h"
#include "replay/replay.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static double rate = 6000;
static const char *log_path; /* which is read many times */
static struct trace_facts facts;

/* The article's ten servers. Weights say what the operator knows: a tenth of the speed. */
static const struct fleet_server servers[] = {{1500, 150, 0}, {1500, 150, 0}, {1500, 150, 0}, {1000, 100, 0},
                                              {1000, 100, 0}, {1000, 100, 0}, {1000, 100, 0}, {500, 50, 0},
                                              {500, 50, 0},   {500, 50, 0}};
enum { SERVERS = COUNT(servers) };
#define CAPACITY  10000.0
#define QUEUE_CAP 100

static int take_rate(const char *text, void *to, struct error *err)
{
    char *end;
    const double value = strtod(text, &end);
    if (*end || !(value > 0) || value > 1e9)
        return error_set(err, -EINVAL, "takes requests a second, above 0 and up to 1e9, not \"%s\"", text);
    *(double *)to = value;
    return 0;
}

static bool takes(const struct plugin_entry *entry)
{
    return !((const struct lb_ops *)entry->ops)->wraps;
}

static bool compound(const struct plugin *plugin, const char *name, struct replay_row *row)
{
    const struct lb_ops *inner;
    row->ops = adapter_find(plugin, name, &inner);
    row->inner = inner;
    return row->ops != NULL;
}

static int read_log(const char *path, const struct replay_options *options, struct error *err)
{
    (void)options;
    log_path = path;
    return trace_examine(path, &facts, err);
}

/* The busiest server's share of its time with work, over the mean of all: 1 is even. */
static double imbalance(const struct fleet_result *r)
{
    double most = 0, sum = 0;
    for (size_t i = 0; i < SERVERS; i++) {
        double busy = (double)r->server[i].busy_ns;
        most = busy > most ? busy : most;
        sum += busy;
    }
    return sum > 0 ? most * (double)SERVERS / sum : 1;
}

static double percentile(const struct fleet_result *r, double p)
{
    uint64_t ns;
    return hist_percentile(r->latency, p, &ns) == 0 ? (double)ns / 1e6 : NAN;
}

static int replay(struct replay_row *row, const struct replay_options *options)
{
    const struct fleet_scenario scenario = {.seed = options->seed,
                                            .servers = SERVERS,
                                            .balancers = 1,
                                            .work = dist_constant(1),
                                            .queue_cap = QUEUE_CAP,
                                            .report_every_ns = 1000000,
                                            .balancer = {.ewma_decay_ns = 1000000000,
                                                         .eject_after = 5,
                                                         .eject_max_percent = 50,
                                                         .eject_for_ns = 5000000000},
                                            .server = servers};
    struct trace *trace;
    struct fleet_result r;
    if (trace_open(log_path, &facts, rate, &trace, &row->err) != 0)
        return -1;
    struct fleet_source source = trace_source(trace);
    int code = fleet_run_entry(&scenario, &source, row->ops, row->inner, &r, &row->err);
    if (code == 0) {
        const double figure[] = {100 * fleet_loss(&r), r.mean_ns / 1e6,      percentile(&r, 50),
                                 percentile(&r, 99),   percentile(&r, 99.9), imbalance(&r)};
        memcpy(row->figure, figure, sizeof figure);
        fleet_result_free(&r);
    }
    if (code == 0 && trace_error(trace)) {
        row->err = *trace_error(trace);
        code = -1;
    }
    trace_close(trace);
    return code;
}

static void print(const struct replay_options *options)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
    printf("%s: %s requests in %s s (%.1f a second), %s each on average, the largest %s\n", options->trace,
           text_count(a, facts.requests), text_count(b, (uint64_t)(facts.last - facts.first + 1)), trace_rate(&facts),
           text_bytes(c, facts.mean_bytes), text_bytes(d, (double)facts.largest_bytes));
    printf("replayed at %.0f requests a second (--rate), %.0f %% of the capacity of the article's ten servers: 3 x "
           "1500, 4 x 1000, 3 x 500\n",
           rate, 100 * rate / CAPACITY);
    printf("work = (bytes + %.0f) / mean, FIFO, at most %d requests a server; servers report their load every 1 ms\n",
           TRACE_OVERHEAD, QUEUE_CAP);
    replay_print_lines(&facts.counts, facts.backwards);
}

static void json(json_t *result)
{
    json_object_set_new(result, "trace",
                        json_pack("{s:I, s:I, s:I, s:I, s:f, s:f}", "requests", (json_int_t)facts.requests, "lines",
                                  (json_int_t)facts.counts.lines, "malformed", (json_int_t)facts.counts.malformed,
                                  "backwards", (json_int_t)facts.backwards, "mean_bytes", facts.mean_bytes, "rate",
                                  rate));
}

int main(int argc, char **argv)
{
    static const struct option_row options[] = {
        {.name = "rate", .argument = "N", .kind = OPTION_OTHER, .to = &rate, .take = take_rate}};
    static const char few[] = "too few samples beyond it";
    static const struct replay_figure figures[] = {
        {"lost %", 2, "lost", "%", NULL},    {"mean ms", 2, "mean", "ms", NULL},
        {"p50 ms", 2, "p50", "ms", few},     {"p99 ms", 2, "p99", "ms", few},
        {"p99.9 ms", 2, "p99.9", "ms", few}, {"imbalance", 2, "imbalance", "1", NULL}};
    const struct replay_suite suite = {.lab_folder = "01-load-balancing",
                                       .example = "which trace? For example: faultline replay 01 access.log",
                                       .option = options,
                                       .options = COUNT(options),
                                       .takes = takes,
                                       .compound = compound,
                                       .usual_compound = "outlier-ejection+least-connections",
                                       .read = read_log,
                                       .run = replay,
                                       .none_may_fail = true,
                                       .print = print,
                                       .source = "simulated",
                                       .note = ", virtual time; one run, the same requests for every entry. imbalance: "
                                               "the busiest server's busy share over the mean.",
                                       .figure = figures,
                                       .figures = COUNT(figures),
                                       .json = json};
    return replay_main(argc, argv, &suite);
}
