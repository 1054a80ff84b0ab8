/* replay: an access log through every limiter, a key for each client.
 *
 *     replay LOG|- [--limit N/T] [--burst B] [--entries A,B] [--plugin FILE.so] [--json FILE] [--quiet]
 *
 * Every entry is asked the same at the same moments. What the table can't say: a client that is refused would have come
 * back, or gone away; the log has what one server saw, and nobody was refused then.
 */
#include "arrivals.h"
#include "rate_limiting.h"
#include "window.h"

#include "base/memory.h"
#include "base/text.h"
#include "replay/replay.h"
#include "sim/histogram.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rl_config config = {
    .limit = 100, .window_ns = 60000000000u, .threads = 1, .nodes = 1, .sync_ns = 1000000000u};
static struct arrivals arrivals;
static uint32_t *by_client; /* places in arrivals.list, client by client, by time in each */

/* ---- what was asked for ---- */

/* "100/60s": N, and T in s, ms, m or h. */
static int take_limit(const char *text, void *to, struct error *err)
{
    struct rl_config *c = to;
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    char *end = NULL;
    double n = strtod(text, &end), window = *end == '/' ? strtod(end + 1, &end) : 0;
    for (size_t i = 0; i < COUNT(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            window *= units[i].ns;
    if (!(n >= 1) || n != floor(n) || n > 1e9 || !(window >= 1e6) || window > 1e15 || !*end)
        return error_set(err, -EINVAL, "takes requests and a time, such as 100/60s, 10/500ms or 1000/1h, not \"%s\"",
                         text);
    c->limit = (uint64_t)n;
    c->window_ns = (uint64_t)window;
    return 0;
}

static void settle(void)
{
    config.burst = config.burst ? config.burst : config.limit;
}

/* A log does not say when requests ended, so limits on those under way have nothing to go by. */
static bool takes(const struct plugin_entry *entry)
{
    return !((const struct rl_ops *)entry->ops)->done;
}

/* ---- running ---- */

static int by_client_then_time(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t left = arrivals.list[x].key, right = arrivals.list[y].key;
    return left != right ? (left > right) - (left < right) : (x > y) - (x < y);
}

static void sort_by_client(void)
{
    by_client = xcalloc(arrivals.count, sizeof *by_client);
    for (size_t i = 0; i < arrivals.count; i++)
        by_client[i] = (uint32_t)i;
    qsort(by_client, arrivals.count, sizeof *by_client, by_client_then_time);
}

static int read_log(const char *path, const struct replay_options *options, struct error *err)
{
    int code = arrivals_read(path, &arrivals, err);
    if (code == 0 && arrivals.count > UINT32_MAX)
        code = error_set(err, -EFBIG, "%s: more than 4 billion requests", options->trace);
    if (code == 0)
        sort_by_client();
    return code;
}

/* The exact judge, client by client, over what was admitted. A request that was made to wait counts when it goes on. */
static struct window judge(const uint64_t *goes_at, size_t *clients_refused)
{
    struct window worst = {0};
    struct admitted *list = xcalloc(arrivals.count, sizeof *list);
    for (size_t i = 0, end; i < arrivals.count; i = end) {
        size_t n = 0;
        bool refused = false;
        uint64_t key = arrivals.list[by_client[i]].key;
        for (end = i; end < arrivals.count && arrivals.list[by_client[end]].key == key; end++)
            if (goes_at[by_client[end]] == RL_NEVER)
                refused = true;
            else
                list[n++] = (struct admitted){goes_at[by_client[end]], 1};
        *clients_refused += refused;
        struct window w = window_worst(list, n, config.window_ns);
        if (w.total > worst.total)
            worst = w;
    }
    free(list);
    return worst;
}

enum { REFUSED, CLIENTS, WORST, OVER, RETRY_50, RETRY_99, DELAY, STATE, FIGURES };

static int replay(struct replay_row *row, const struct replay_options *options)
{
    const struct rl_ops *ops = row->ops;
    const struct arrivals *a = &arrivals;
    struct histogram *retry;
    void *limiter;
    (void)options;
    int code = ops->create(&config, &limiter);
    if (code)
        return error_set(&row->err, code, "%s", strerror(-code));
    if (hist_create(&retry) != 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    uint64_t *goes_at = xcalloc(a->count, sizeof *goes_at), refused = 0, longest_delay = 0, ns;
    size_t clients = 0;
    for (size_t i = 0; i < a->count; i++) {
        const struct rl_answer answer = ops->allow(limiter, a->list[i].key, a->list[i].at, 1, 0);
        goes_at[i] = answer.allowed ? a->list[i].at + answer.delay_ns : RL_NEVER;
        refused += !answer.allowed;
        if (answer.allowed && answer.delay_ns > longest_delay)
            longest_delay = answer.delay_ns;
        if (!answer.allowed && answer.retry_ns != RL_NEVER)
            hist_record(retry, answer.retry_ns);
    }
    const double worst = (double)judge(goes_at, &clients).total;
    const bool few = hist_percentile(retry, 50, &ns) != 0 || hist_percentile(retry, 99, &ns) != 0;
    row->figure[REFUSED] = 100.0 * (double)refused / (double)a->count;
    row->figure[CLIENTS] = (double)clients;
    row->figure[WORST] = worst;
    row->figure[OVER] = fmax(0, worst - (double)config.limit);
    row->figure[RETRY_99] = few ? (double)NAN : (double)ns / 1e9;
    row->figure[RETRY_50] = few || hist_percentile(retry, 50, &ns) != 0 ? (double)NAN : (double)ns / 1e9;
    row->figure[DELAY] = (double)longest_delay / 1e9;
    row->figure[STATE] = (double)ops->bytes(limiter) / 1024;
    ops->destroy(limiter);
    hist_destroy(retry);
    free(goes_at);
    return 0;
}

/* ---- telling ---- */

static void print(const struct replay_options *options)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
    printf("%s: %s requests of %s clients in %s\n", options->trace, text_count(a, arrivals.count),
           text_count(b, arrivals.clients), text_duration(c, (double)(arrivals.list[arrivals.count - 1].at + 1)));
    printf("limit: %llu in %s for each client (--limit); buckets hold %llu (--burst)\n",
           (unsigned long long)config.limit, text_duration(a, (double)config.window_ns),
           (unsigned long long)config.burst);
    replay_print_lines(&arrivals.lines, arrivals.backwards);
}

static void json(json_t *result)
{
    json_object_set_new(result, "trace",
                        json_pack("{s:I, s:I, s:I, s:I, s:I}", "requests", (json_int_t)arrivals.count, "clients",
                                  (json_int_t)arrivals.clients, "lines", (json_int_t)arrivals.lines.lines, "malformed",
                                  (json_int_t)arrivals.lines.malformed, "backwards", (json_int_t)arrivals.backwards));
    json_object_set_new(result, "limit",
                        json_pack("{s:I, s:I, s:I}", "requests", (json_int_t)config.limit, "window_ns",
                                  (json_int_t)config.window_ns, "burst", (json_int_t)config.burst));
}

int main(int argc, char **argv)
{
    static const struct option_row options[] = {
        {.name = "limit", .argument = "N/T", .kind = OPTION_OTHER, .to = &config, .take = take_limit},
        {.name = "burst", .argument = "B", .kind = OPTION_NUMBER, .to = &config.burst, .least = 1, .most = 1000000000}};
    static const char few[] = "too few were refused";
    static const struct replay_figure figures[FIGURES] = {
        [REFUSED] = {"refused %", 2, "refused", "%", NULL},
        [CLIENTS] = {"clients refused", 0, "clients-refused", "clients", NULL},
        [WORST] = {"worst window", 0, "worst-window", "requests", NULL},
        [OVER] = {"over limit", 0, NULL, NULL, NULL},
        [RETRY_50] = {"retry p50 s", 2, "retry-p50", "s", few},
        [RETRY_99] = {"retry p99 s", 2, "retry-p99", "s", few},
        [DELAY] = {"longest delay s", 2, "longest-delay", "s", NULL},
        [STATE] = {"KiB of state", 0, NULL, NULL, NULL}};
    const struct replay_suite suite = {
        .lab_folder = "02-rate-limiting",
        .example = "which trace? For example: faultline replay 02 access.log --limit 100/60s",
        .option = options,
        .options = COUNT(options),
        .settle = settle,
        .takes = takes,
        .read = read_log,
        .run = replay,
        .print = print,
        .source = "counted",
        .note = "; the same requests at the same moments for every entry. worst window: the most that one client got "
                "through in\nany true window of the limit's length, found by the exact judge. retry: what refused "
                "requests were told to wait.",
        .figure = figures,
        .figures = COUNT(figures),
        .json = json};
    return replay_main(argc, argv, &suite);
}
