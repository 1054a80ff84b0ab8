/* A trace as requests, the sizes that are asked for, and the replay as an engineer runs it. */
#include "account.h"
#include "replay/traced_options.h"
#include "replay/traced_run.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(traced, .timeout = 120);

static char folder[FILE_PATH], path[FILE_PATH], said[30000];

static void clean(void)
{
    file_remove_tree(folder);
}

static void write_trace(const void *data, size_t size)
{
    struct error err;
    if (!*folder) {
        cr_assert(file_temp_dir(folder, "traced-test", &err) == 0, "%s", err.text);
        atexit(clean);
    }
    cr_assert(file_write(file_path(path, "%s/trace", folder), data, size, &err) == 0, "%s", err.text);
}

static struct traced_input read_text(const char *text, const struct traced_params *params)
{
    struct traced_input in;
    struct error err;
    write_trace(text, strlen(text));
    cr_assert_eq(traced_input_read(path, params, &in, &err), 0, "%s", err.text);
    return in;
}

static const struct traced_params usual = {.miss_us = 1000};

/* ---- input ---- */

Test(traced, next_is_the_number_of_the_next_request_for_the_key)
{
    struct traced_input in = read_text("a\nb\na\nc\nb\na\n", &usual);
    static const uint64_t next[] = {2, 4, 5, CM_NEVER, CM_NEVER, CM_NEVER};
    cr_assert(in.count == 6 && in.keys == 3 && in.size == 3 && in.largest == 1 && !in.times && !in.sizes);
    for (size_t i = 0; i < 6; i++)
        cr_assert(in.request[i].next == next[i] && in.request[i].size == 1 && in.request[i].cost_us == 1000 &&
                      in.request[i].time == i * 1000000 && in.request[i].ttl_ms == 0,
                  "request %zu: next %llu", i, (unsigned long long)in.request[i].next);
    traced_input_free(&in);
}

/* On random keys, against looking for it. */
Test(traced, next_of_random_keys)
{
    static char text[40000];
    struct rng random;
    rng_seed(&random, 1, 0);
    for (size_t n = 0; n < 3000; n++)
        sprintf(text + strlen(text), "k%u\n", rng_below(&random, 1500));
    struct traced_input in = read_text(text, &usual);
    uint64_t distinct = 0;
    for (uint64_t i = 0; i < in.count; i++) {
        uint64_t k = i + 1;
        while (k < in.count && in.request[k].key != in.request[i].key)
            k++;
        cr_assert_eq(in.request[i].next, k < in.count ? k : CM_NEVER);
        distinct += in.request[i].next == CM_NEVER;
    }
    cr_assert(in.count == 3000 && in.keys == distinct);
    traced_input_free(&in);
}

Test(traced, sizes_ttls_and_writes)
{
    struct traced_input in = read_text("10,a,1,0,1,get,0\n"   /* nothing is known of it */
                                       "10,a,1,99,1,set,60\n" /* a write */
                                       "11,a,1,0,1,get,0\n"   /* has the size and the TTL of the write */
                                       "11,a,1,299,1,get,0\n"
                                       "12,a,1,0,1,get,0\n"
                                       "12,b,1,7,1,set,9999999\n"
                                       "12,b,1,7,1,get,0\n",
                                       &usual);
    static const uint32_t size[] = {1, 100, 300, 300, 8}, ttl_ms[] = {0, 60000, 60000, 60000, UINT32_MAX};
    cr_assert(in.count == 5 && in.keys == 2 && in.size == 308 && in.largest == 300 && in.ttl &&
              in.span_ns == 2000000000 && in.counts.writes == 2 && in.counts.no_size == 3);
    for (size_t i = 0; i < 5; i++)
        cr_assert(in.request[i].size == size[i] && in.request[i].ttl_ms == ttl_ms[i], "request %zu: %u, %u", i,
                  in.request[i].size, in.request[i].ttl_ms);
    traced_input_free(&in);
    in = read_text("10,a,1,299,1,get,0\n10,b,1,0,1,set,0\n", &(struct traced_params){.objects = true});
    cr_assert(in.count == 1 && in.keys == 1 && in.size == 1 && in.request[0].size == 1, "what is only written counts");
    traced_input_free(&in);
}

Test(traced, requests_are_sorted_by_time_and_those_of_one_time_stay_as_they_are)
{
    struct traced_input in = read_text("time_us,key,cost_us\n30,a,1\n20,b,2\n30,c,3\n20,d,4\n10,e,5\n", &usual);
    static const uint32_t cost[] = {5, 2, 4, 1, 3};
    static const uint64_t time[] = {0, 10000, 10000, 20000, 20000};
    for (size_t i = 0; i < 5; i++)
        cr_assert(in.request[i].cost_us == cost[i] && in.request[i].time == time[i] && in.request[i].next == CM_NEVER,
                  "request %zu: %u at %llu", i, in.request[i].cost_us, (unsigned long long)in.request[i].time);
    cr_assert(in.span_ns == 20000 && in.gap_ns == 10000 && in.counts.backwards == 3 && in.counts.furthest_ns == 20000);
    traced_input_free(&in);
}

Test(traced, a_trace_without_requests_is_refused)
{
    struct traced_input in;
    struct error err;
    static const char *const texts[] = {"10,b,1,0,1,set,0\n", "time_us,key\n"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        write_trace(texts[i], strlen(texts[i]));
        cr_assert(traced_input_read(path, &usual, &in, &err) == -EINVAL && strstr(err.text, path) &&
                      strstr(err.text, "no request in it"),
                  "%s", err.text);
    }
}

/* ---- sizes ---- */

Test(traced, sizes_are_shares_or_amounts)
{
    struct traced_options o;
    struct error err;
    cr_assert_eq(traced_options_take_sizes("1%,0.1%,100%,1000,64K,64KiB,2m,1GiB", &o, &err), 0, "%s", err.text);
    static const uint64_t capacity[] = {12345, 1234, 1234567, 1000, 65536, 65536, 2097152, 1073741824};
    cr_assert_eq(o.sizes, 8);
    for (uint32_t i = 0; i < 8; i++)
        cr_assert_eq(traced_capacity(&o.size[i], 1234567), capacity[i], "size %u: %llu", i,
                     (unsigned long long)traced_capacity(&o.size[i], 1234567));
    cr_assert_eq(traced_capacity(&o.size[1], 3), 1, "never 0");
    cr_assert_str_eq(o.size[5].text, "64KiB");
    static const char *const bad[] = {"",
                                      "0",
                                      "0%",
                                      "101%",
                                      "-1%",
                                      "1%,",
                                      ",1%",
                                      "1 %",
                                      "1%;2%",
                                      "64KB",
                                      "x",
                                      "1e3",
                                      "1%%",
                                      "nan%",
                                      "64XiB",
                                      "281474976710657",
                                      "1,2,3,4,5,6,7,8,9",
                                      "1.2.3%",
                                      ".%",
                                      "1.5"};
    for (size_t i = 0; i < COUNT(bad); i++)
        cr_assert(traced_options_take_sizes(bad[i], &o, &err) == -EINVAL && strstr(err.text, "takes up to 8 sizes"),
                  "\"%s\" is taken", bad[i]);
}

/* ---- an entry that breaks the contract ---- */

static int create_nothing(const struct cm_config *config, void **cache)
{
    static int nothing;
    (void)config;
    *cache = &nothing;
    return 0;
}

static void destroy_nothing(void *cache)
{
    (void)cache;
}

static enum cm_answer always_hit(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache, (void)request, (void)evicted;
    return CM_HIT;
}

static enum cm_answer bypass_and_look(void *cache, const struct cm_request *request, struct cm_evicted *evicted)
{
    (void)cache, (void)evicted;
    return request->next == CM_NEVER ? CM_BYPASS : CM_HIT;
}

Test(traced, who_breaks_the_contract_has_no_figures_and_who_is_not_offline_sees_no_future)
{
    struct traced_input in = read_text("a\na\n", &usual);
    struct cm_cache_ops ops = {.create = create_nothing, .destroy = destroy_nothing, .request = always_hit};
    const struct traced_run_params params = {.capacity = 10, .hit_ns = 1000, .window_ns = 1000};
    struct account_figures f;
    struct error err;
    cr_assert(traced_run(&in, &ops, &params, &f, &err) != 0 && strstr(err.text, "request 1: "), "%s", err.text);
    ops.request = bypass_and_look;
    cr_assert(traced_run(&in, &ops, &params, &f, &err) == 0 && f.all.bypasses == 2 && f.all.hits == 0, "%s", err.text);
    ops.can = CM_OFFLINE;
    cr_assert(traced_run(&in, &ops, &params, &f, &err) != 0, "the future is not told");
    traced_input_free(&in);
}

/* ---- the program ---- */

static int run_replay(const char *const *arguments)
{
    char program[FILE_PATH];
    const char *argv[32] = {file_build_path(program, "labs/04-cache-metrics/replay"), "--quiet"};
    struct process_result r;
    struct error err;
    for (size_t n = 2; *arguments && n < 31;)
        argv[n++] = *arguments++;
    const struct process p = {.argv = argv, .wall_ms = 100000, .output_limit = sizeof said - 1};
    cr_assert_eq(process_run(&p, &r, &err), 0, "%s", err.text);
    snprintf(said, sizeof said, "%s", r.output);
    const int code = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
    process_result_free(&r);
    return code;
}
#define REPLAY(...) run_replay((const char *const[]){__VA_ARGS__, NULL})

/* Cheap keys that are asked for often, and dear ones now and then, which a cost-blind cache throws out. */
static void write_costs(void)
{
    char *text = NULL;
    size_t size;
    struct rng random;
    rng_seed(&random, 3, 0);
    FILE *out = open_memstream(&text, &size);
    fputs("time_us,key,size,cost_us\n", out);
    for (int i = 0; i < 20000; i++) {
        const bool dear = i % 50 == 0;
        fprintf(out, "%d,%s%u,10,%d\n", i * 100, dear ? "dear" : "cheap",
                dear ? (unsigned)i / 50 % 20 : rng_below(&random, 100), dear ? 500000 : 100);
    }
    fclose(out);
    write_trace(text, size);
    free(text);
}

static double value_of(const json_t *rows, const char *entry, const char *metric)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) if (strcmp(json_string_value(json_object_get(row, "entry")), entry) == 0 &&
                                         strcmp(json_string_value(json_object_get(row, "metric")), metric) ==
                                             0) return json_number_value(json_object_get(row, "value"));
    cr_assert(false, "no %s of %s", metric, entry);
    return 0;
}

Test(traced, says_where_the_ranking_changes)
{
    char result[FILE_PATH], plugin[FILE_PATH];
    write_costs();
    file_path(result, "%s/result.json", folder);
    file_build_path(plugin, "labs/04-cache-metrics/reference.so");
    cr_assert_eq(REPLAY(path, "--entries=lru,fifo,gdsf", "--plugin", plugin, "--sizes=50%,100%", "--json", result), 0,
                 "%s", said);
    cr_assert(strstr(said, "read as a CSV with costs: 20,000 requests for 120 keys") && strstr(said, "lru (yours)") &&
                  strstr(said, "the trace has it") && strstr(said, "A cache of 600 B (50%)") &&
                  strstr(said, "Where the ranking by hits changes:"),
              "%s", said);
    json_t *all = json_load_file(result, 0, NULL), *rows = json_object_get(all, "rows");
    cr_assert(all && json_array_size(rows) == 2 * 6 * 14);
    cr_assert(value_of(rows, "gdsf", "work-avoided") > value_of(rows, "lru", "work-avoided"));
    cr_assert_eq(value_of(rows, "lru", "hit-ratio"), value_of(rows, "lru (yours)", "hit-ratio"));
    /* With room for all, each key misses once: 20 dear ones and 100 cheap ones of 400 and 19,600 requests. */
    const double avoided = 100 * (380 * 500000.0 + 19500 * 100) / (400 * 500000.0 + 19600 * 100);
    for (size_t i = 6 * (size_t)14; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const double value = json_number_value(json_object_get(row, "value"));
        const char *metric = json_string_value(json_object_get(row, "metric"));
        cr_assert(strcmp(metric, "hit-ratio") != 0 || fabs(value - 100 * 19880.0 / 20000) < 1e-9);
        cr_assert(strcmp(metric, "evictions") != 0 || value == 0);
        cr_assert(strcmp(metric, "work-avoided") != 0 || fabs(value - avoided) < 1e-9, "%g", value);
    }
    json_decref(all);
}

/* Belady, Nelson & Shedler 1969: with room for 3 FIFO misses 9 of these 12 requests, with room for 4 it misses 10. The
 * same in three forms. */
Test(traced, beladys_anomaly)
{
    static const unsigned char key[12] = {1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5};
    char keys[100] = "", arc[200] = "", result[FILE_PATH];
    unsigned char binary[12 * 24] = {0};
    for (int i = 0; i < 12; i++) {
        sprintf(keys + strlen(keys), "%d\n", key[i]);
        sprintf(arc + strlen(arc), "%d 1 0 %d\n", key[i], i);
        binary[24 * i + 4] = key[i];
        binary[24 * i + 12] = 100; /* bytes */
        memset(binary + 24 * (size_t)i + 16, 0xFF, 8);
    }
    const struct {
        const void *data;
        size_t size;
    } forms[] = {{keys, strlen(keys)}, {arc, strlen(arc)}, {binary, sizeof binary}};
    for (size_t f = 0; f < COUNT(forms); f++) {
        write_trace(forms[f].data, forms[f].size);
        file_path(result, "%s/result.json", folder);
        cr_assert_eq(REPLAY(path, "--entries=fifo", "--sizes=3,4", "--unit=objects", "--json", result), 0, "%s", said);
        json_t *all = json_load_file(result, 0, NULL), *rows = json_object_get(all, "rows");
        cr_assert(all && json_array_size(rows) == 2 * (size_t)14);
        const double three = json_number_value(json_object_get(json_array_get(rows, 0), "value"));
        const double four = json_number_value(json_object_get(json_array_get(rows, 14), "value"));
        cr_assert(fabs(three - 100 * 3.0 / 12) < 1e-9 && fabs(four - 100 * 2.0 / 12) < 1e-9, "form %zu: %g %g", f,
                  three, four);
        json_decref(all);
    }
}

Test(traced, warm_up_counts_nowhere)
{
    write_trace("a\nb\na\nb\n", 8);
    cr_assert_eq(REPLAY(path, "--entries=lru", "--sizes=100%", "--warm-up=50%"), 0, "%s", said);
    cr_assert(strstr(said, "100.00") && strstr(said, "The first 2 requests fill the caches"), "%s", said);
    cr_assert_eq(REPLAY(path, "--entries=lru", "--sizes=100%"), 0, "%s", said);
    cr_assert(strstr(said, "50.00") && !strstr(said, "fill the caches"), "%s", said);
}

Test(traced, says_what_makes_figures_worthless)
{
    static const char *const line = "192.0.2.7 - - [21/Nov/%d:20:38:0%d +0000] \"GET /%d HTTP/1.1\" 200 5\n";
    char text[1000] = "";
    static const int year[] = {2099, 2026, 2026};
    for (int i = 0; i < 3; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), line, year[i], i, i);
    write_trace(text, strlen(text));
    cr_assert_eq(REPLAY(path, "--entries=lru"), 0, "%s", said);
    cr_assert(strstr(said, "No key is asked for twice") && strstr(said, "2 records have an earlier time") &&
                  strstr(said, "(line or record 2): sorted by time") && strstr(said, "Is a clock wrong?"),
              "%s", said);
    write_costs();
    cr_assert_eq(REPLAY(path, "--entries=lru"), 0, "%s", said);
    cr_assert(!strstr(said, "No key is asked") && !strstr(said, "earlier time") && !strstr(said, "a clock"), "%s",
              said);
}

Test(traced, figures_that_need_time_are_missing_where_there_is_none)
{
    write_trace("a\nb\na\nb\n", 8);
    cr_assert_eq(REPLAY(path, "--entries=lru", "--json=-", "--sizes=1"), 0, "%s", said);
    json_t *all = json_loads(said, 0, NULL), *rows = json_object_get(all, "rows"), *row;
    size_t i;
    cr_assert_not_null(all, "%s", said);
    json_array_foreach(rows, i, row)
    {
        const char *metric = json_string_value(json_object_get(row, "metric"));
        const bool timed =
            strstr(metric, "busy") || strstr(metric, "a-second") || strstr(metric, "worst") || *metric == 'p';
        cr_assert_eq(json_object_get(row, "value") == NULL, timed, "%s", metric);
    }
    json_decref(all);
}

Test(traced, standard_input_is_read_like_a_file)
{
    char command[2 * FILE_PATH], program[FILE_PATH];
    write_costs();
    file_build_path(program, "labs/04-cache-metrics/replay");
    snprintf(command, sizeof command, "%.900s --quiet --entries lru - <%.900s", program, path);
    FILE *out = popen(command, "r"); /* NOLINT(cert-env33-c): paths of our own */
    cr_assert_not_null(out);
    said[fread(said, 1, sizeof said - 1, out)] = '\0';
    cr_assert(pclose(out) == 0 && strstr(said, "-: read as a CSV with costs: 20,000 requests"), "%s", said);
}

Test(traced, wrong_use_and_bad_traces_end_with_2)
{
    char good[FILE_PATH], bad[FILE_PATH];
    write_trace("1,a,1,5,1,get,0\n1,a,1,x,1,get,0\n", 32);
    cr_assert_eq(rename(path, file_path(bad, "%s/bad", folder)), 0);
    write_trace("a\nb\n", 4);
    cr_assert_eq(rename(path, file_path(good, "%s/good", folder)), 0);
    const struct {
        const char *argument[4], *says;
    } cases[] = {{{NULL}, "replay: which trace? For example"},
                 {{good, "--size=5"}, "there is no option --size; was --sizes meant?"},
                 {{good, "--sizes", "1%,200%"}, "--sizes takes up to 8 sizes"},
                 {{good, "--unit", "pages"}, "--unit is one of bytes, objects, not \"pages\""},
                 {{good, "--format", "csv"}, "--format is one of by-content, oracle-general, twitter"},
                 {{good, "--format", "twitter"}, "line 1 (byte 0), read as Twitter's cache-trace CSV: it has 1 fields"},
                 {{good, "--warm-up", "100%"}, "--warm-up takes a share of the requests below 100%"},
                 {{good, "--hit-us", "x"}, "--hit-us takes a number"},
                 {{good, "--entries", "lur"}, "there is no entry lur; was lru meant?"},
                 {{bad}, "bad: line 2 (byte 16), read as Twitter's cache-trace CSV: field 4 (value size) is \"x\""},
                 {{"/nowhere/trace"}, "/nowhere/trace: "}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        cr_assert_eq(run_replay(cases[i].argument), 2, "case %zu: %s", i, said);
        cr_assert(strstr(said, cases[i].says), "case %zu: expected \"%s\" in: %s", i, cases[i].says, said);
    }
}
