/* traced_report.c: what a replay says: what was read, a table for each size, and where the ranking changes with the metric. */
#include "traced_report.h"

#include "base/memory.h"
#include "base/text.h"
#include "report/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PAIRS_SHOWN 3u
#define PAIRS_KEPT  10u

/* ---- what was read ----------------------------------------------------------------------------------------------- */

static const char *amount(char *out, const struct traced_report *r, uint64_t n)
{
    if (r->input.sizes && r->options.unit == 0)
        return text_bytes(out, (double)n);
    char count[TEXT_NUMBER];
    snprintf(out, TEXT_NUMBER, "%.24s object%s", text_count(count, n), n == 1 ? "" : "s");
    return out;
}

static void print_left_out(const struct traced_report *r)
{
    const struct request_counts *c = &r->input.counts;
    char a[TEXT_NUMBER];
    if (c->writes)
        printf("%s writes are no requests; the TTL and the size that they say are their key's from then on\n",
               text_count(a, c->writes));
    if (c->not_get || c->failed || c->out_of_range)
        printf(
            "left out: %llu requests that are no GET, %llu that were answered with an error, %llu of more than 4 GiB "
            "or of before 1970\n",
            (unsigned long long)c->not_get, (unsigned long long)c->failed, (unsigned long long)c->out_of_range);
    replay_print_lines(&c->log, 0);
    if (c->no_size && r->options.unit == 0)
        printf("%s requests have a size of 0: they get the size that their key had last, or 1\n",
               text_count(a, c->no_size));
}

/* Traces are put together from several, and clocks are wrong. */
static void print_time(const struct traced_report *r)
{
    const struct traced_input *in = &r->input;
    const struct request_counts *c = &in->counts;
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    if (c->backwards)
        printf("%s records have an earlier time than one before them, by up to %s (line or record %llu): sorted by "
               "time\n",
               text_count(a, c->backwards), text_duration(b, (double)c->furthest_ns),
               (unsigned long long)c->furthest_at);
    if (in->times && in->gap_ns > in->span_ns / 2 && in->gap_ns > UINT64_C(3600000000000))
        printf(
            "Nobody asked for anything during %s of these %s. Is a clock wrong? Figures that need time mean little\n",
            text_duration(a, (double)in->gap_ns), text_duration(b, (double)in->span_ns));
}

static void print_input(const struct traced_report *r)
{
    const struct traced_input *in = &r->input;
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
    printf("%s: read as %s: %s requests for %s keys, together %s (each at its largest; the largest: %s)",
           r->options.all.trace, request_format_name[in->format], text_count(a, in->count), text_count(b, in->keys),
           amount(c, r, in->size), amount(d, r, in->largest));
    if (in->times)
        printf(", in %s", text_duration(a, (double)in->span_ns));
    printf("\n%s of memory for them\n", text_bytes(a, (double)in->count * sizeof *in->request));
    if (in->keys == in->count)
        puts("No key is asked for twice: no cache can be of use");
    print_left_out(r);
    print_time(r);
    printf("A hit takes %s (--hit-us), and a miss what the origin needs besides: ",
           text_duration(a, 1e3 * (double)r->options.hit_us));
    if (in->counts.with_cost == in->counts.reads)
        puts("the trace has it");
    else
        printf("%s (--miss-us)%s\n", text_duration(a, 1e3 * (double)r->options.miss_us),
               in->counts.with_cost ? ", where the trace does not have it" : "; the trace does not have it");
    if (r->warm_up)
        printf("The first %s requests fill the caches and count nowhere (--warm-up)\n", text_count(a, r->warm_up));
}

/* ---- a table ----------------------------------------------------------------------------------------------------- */

static void cell(struct table *t, int digits, double value)
{
    if (isnan(value))
        table_cell(t, "-");
    else
        table_cell(t, "%.*f", digits, value);
}

static void print_table(const struct traced_report *r, const struct traced_row *row)
{
    static const char *const columns[] = {"hit %",  "byte hit %",  "work avoided %", "mean ms",
                                          "p99 ms", "origin busy", "evictions",      "bypasses"};
    struct table *t = table_create();
    table_column(t, "entry", TABLE_LEFT);
    for (size_t i = 0; i < COUNT(columns); i++)
        table_column(t, columns[i], TABLE_POINT);
    for (uint32_t i = 0; i < r->rows; i++) {
        const struct account_figures *f = &row[i].figures;
        table_cell(t, "%s", row[i].name);
        if (row[i].failed) {
            for (size_t k = 0; k < COUNT(columns); k++)
                table_cell(t, "%s", k ? "" : "n/a");
            continue;
        }
        cell(t, 2, 100 * f->all.hit_ratio);
        cell(t, 2, 100 * f->all.byte_ratio);
        cell(t, 2, 100 * f->all.work_ratio);
        cell(t, 3, f->all.mean_ns / 1e6);
        cell(t, 3, f->all.p99_ns / 1e6);
        cell(t, 3, r->input.times ? f->load : (double)NAN);
        table_cell(t, "%llu", (unsigned long long)f->evictions);
        table_cell(t, "%llu", (unsigned long long)f->all.bypasses);
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    for (uint32_t i = 0; i < r->rows; i++)
        if (row[i].failed)
            printf("%s n/a: %s\n", row[i].name, row[i].err.text);
}

/* ---- where the ranking changes ----------------------------------------------------------------------------------- */

/* The figures of the entries that have some, and their names. */
struct ranked {
    struct account_figures *figures;
    const char **name;
    uint32_t n;
    struct account_swap *swap;
};

static struct ranked rank(const struct traced_report *r, const struct traced_row *row)
{
    struct ranked k = {xcalloc(r->rows, sizeof *k.figures), xcalloc(r->rows, sizeof *k.name), 0,
                       xcalloc((size_t)r->rows * r->rows, sizeof *k.swap)};
    for (uint32_t i = 0; i < r->rows; i++) {
        if (row[i].failed)
            continue;
        k.figures[k.n] = row[i].figures;
        k.name[k.n++] = row[i].name;
    }
    return k;
}

static void rank_free(struct ranked *k)
{
    free(k->figures);
    free(k->name);
    free(k->swap);
}

static const char *shown(char *out, const struct account_figures *f, enum account_metric metric)
{
    const double value = account_metric(f, metric);
    if (metric < ACCOUNT_MEAN)
        snprintf(out, TEXT_NUMBER, "%.2f %%", 100 * value);
    else
        text_duration(out, value);
    return out;
}

static void print_swaps(struct ranked *k, enum account_metric other)
{
    const uint32_t swaps = account_swaps(k->figures, k->n, ACCOUNT_HITS, other, k->swap);
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
    printf("  %s: %u of %u pairs of entries change places\n", account_metric_name[other], swaps, k->n * (k->n - 1) / 2);
    for (uint32_t i = 0; i < swaps && i < PAIRS_SHOWN; i++) {
        const uint32_t first = k->swap[i].first, second = k->swap[i].second;
        printf("    %s has more hits than %s (%s, %s), and is worse by %s (%s, %s)\n", k->name[first], k->name[second],
               shown(a, &k->figures[first], ACCOUNT_HITS), shown(b, &k->figures[second], ACCOUNT_HITS),
               account_metric_name[other], shown(c, &k->figures[first], other), shown(d, &k->figures[second], other));
    }
}

/* Where all objects are of one size, bytes are hits; where all misses cost the same, work is. */
static void print_ranking(const struct traced_report *r, const struct traced_row *row)
{
    struct ranked k = rank(r, row);
    if (k.n > 1) {
        puts("Where the ranking by hits changes:");
        if (r->input.sizes && r->options.unit == 0)
            print_swaps(&k, ACCOUNT_BYTES);
        if (r->input.counts.with_cost)
            print_swaps(&k, ACCOUNT_WORK);
        print_swaps(&k, ACCOUNT_P99);
    }
    rank_free(&k);
}

void traced_report_print(const struct traced_report *r)
{
    char a[TEXT_NUMBER];
    print_input(r);
    for (uint32_t i = 0; i < r->options.sizes; i++) {
        const struct traced_row *row = r->row + (size_t)i * r->rows;
        printf("\nA cache of %s (%s):\n", amount(a, r, r->capacity[i]), r->options.size[i].text);
        print_table(r, row);
        print_ranking(r, row);
    }
    puts("\nSource of all figures: counted, from what each entry answered. work avoided: the part of the origin's time "
         "that was not needed.\nmean, p99: of the requests' latency. origin busy: connections on average. bypasses: "
         "fetched and not kept.");
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static void add_metric(json_t *rows, const struct traced_report *r, uint32_t size, const struct traced_row *row,
                       const char *metric, const char *unit, double value)
{
    const char *why = row->failed ? row->err.text : isnan(value) ? "too few requests, or no times" : NULL;
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "lab", "04", "entry", row->name, "operation", "replay", "size",
                  (json_int_t)r->capacity[size], "metric", metric, "unit", unit, "source", why ? "n/a" : "counted");
    json_object_set_new(o, why ? "reason" : "value", why ? json_string(why) : json_real(value));
    json_array_append_new(rows, o);
}

static void add_row(json_t *rows, const struct traced_report *r, uint32_t size, const struct traced_row *row)
{
    const struct account_figures *f = &row->figures;
    const bool times = r->input.times;
    const double none = (double)NAN;
    const struct account_window *worst = &f->worst;
    const struct {
        const char *metric, *unit;
        double value;
    } metrics[] = {{"hit-ratio", "%", 100 * f->all.hit_ratio},
                   {"byte-hit-ratio", "%", 100 * f->all.byte_ratio},
                   {"work-avoided", "%", 100 * f->all.work_ratio},
                   {"mean", "ns", f->all.mean_ns},
                   {"p50", "ns", f->all.p50_ns},
                   {"p90", "ns", f->all.p90_ns},
                   {"p99", "ns", f->all.p99_ns},
                   {"p99.9", "ns", f->all.p999_ns},
                   {"origin-busy", "connections", times ? f->load : none},
                   {"origin-busy-worst-window", "connections", times ? f->busiest_load : none},
                   {"hit-ratio-worst-window", "%",
                    times && worst->requests > 0 ? 100 * (double)worst->hits / (double)worst->requests : none},
                   {"evictions", "objects", (double)f->evictions},
                   {"evictions-a-second", "objects/s", times ? f->evictions_per_s : none},
                   {"bypasses", "requests", (double)f->all.bypasses}};
    for (size_t i = 0; i < COUNT(metrics); i++)
        add_metric(rows, r, size, row, metrics[i].metric, metrics[i].unit, metrics[i].value);
}

static void add_ranking(json_t *ranking, const struct traced_report *r, uint32_t size)
{
    struct ranked k = rank(r, r->row + (size_t)size * r->rows);
    for (enum account_metric other = ACCOUNT_BYTES; other < ACCOUNT_METRICS; other++) {
        const uint32_t swaps = account_swaps(k.figures, k.n, ACCOUNT_HITS, other, k.swap);
        json_t *pairs = json_array();
        for (uint32_t i = 0; i < swaps && i < PAIRS_KEPT; i++)
            json_array_append_new(pairs, json_pack("[s, s]", k.name[k.swap[i].first], k.name[k.swap[i].second]));
        json_array_append_new(ranking, json_pack("{s:I, s:s, s:s, s:i, s:o}", "size", (json_int_t)r->capacity[size],
                                                 "by", account_metric_name[ACCOUNT_HITS], "and-by",
                                                 account_metric_name[other], "swaps", (int)swaps, "clearest", pairs));
    }
    rank_free(&k);
}

static json_t *input_json(const struct traced_report *r)
{
    const struct traced_input *in = &r->input;
    const struct request_counts *c = &in->counts;
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "format",
                     request_format_word[in->format], "requests", (json_int_t)in->count, "keys", (json_int_t)in->keys,
                     "size", (json_int_t)in->size, "span_ns", (json_int_t)(in->times ? in->span_ns : 0), "writes",
                     (json_int_t)c->writes, "with-cost", (json_int_t)c->with_cost, "no-size", (json_int_t)c->no_size,
                     "backwards", (json_int_t)c->backwards, "malformed", (json_int_t)c->log.malformed, "left-out",
                     (json_int_t)(c->not_get + c->failed + c->out_of_range), "warm-up", (json_int_t)r->warm_up);
}

json_t *traced_report_json(const struct traced_report *r)
{
    json_t *rows = json_array(), *ranking = json_array();
    for (uint32_t i = 0; i < r->options.sizes; i++) {
        for (uint32_t k = 0; k < r->rows; k++)
            add_row(rows, r, i, &r->row[(size_t)i * r->rows + k]);
        add_ranking(ranking, r, i);
    }
    return json_pack("{s:i, s:s, s:I, s:o, s:s, s:I, s:I, s:o, s:o}", "format", 1, "lab", "04", "seed",
                     (json_int_t)r->options.all.seed, "trace", input_json(r), "unit",
                     r->options.unit || !r->input.sizes ? "objects" : "bytes", "hit_us", (json_int_t)r->options.hit_us,
                     "miss_us", (json_int_t)r->options.miss_us, "ranking", ranking, "rows", rows);
}
