/* sample_costs.c: what a small bench left, tame and hostile. */
#include "report/tests/sample_costs.h"

#include "base/memory.h"
#include "report/tests/sample.h"

#include <criterion/criterion.h>

static json_t *with(const char *text, const char *odd)
{
    return *odd ? json_sprintf("%s %s", text, odd) : json_string(text);
}

/* ---- rows ---- */

struct place {
    const char *operation, *state;
    int size, threads;
};

static json_t *row(const struct place *p, const char *entry, const char *odd, const char *metric, const char *source)
{
    return json_pack("{ss, so, ss, si, si, ss, ss, ss, ss}", "lab", "01", "entry", with(entry, odd), "operation",
                     p->operation, "size", p->size, "threads", p->threads, "state", p->state, "metric", metric, "unit",
                     "ns", "source", source);
}

static void value(json_t *rows, json_t *o, double v)
{
    json_object_set_new(o, "value", json_real(v));
    json_object_set_new(o, "low", json_real(0.9 * v));
    json_object_set_new(o, "high", json_real(1.1 * v));
    json_array_append_new(rows, o);
}

static void missing(json_t *rows, json_t *o, const char *reason, const char *odd)
{
    json_object_set_new(o, "reason", with(reason, odd));
    json_array_append_new(rows, o);
}

static json_t *rows_of(const char *odd)
{
    json_t *rows = json_array();
    static const struct place places[] = {
        {"pick", "steady", 10, 1}, {"pick", "steady", 1000, 1}, {"pick", "cold", 1000, 1}, {"pick", "steady", 1000, 2}};
    for (size_t i = 0; i < COUNT(places); i++) {
        const struct place *p = &places[i];
        value(rows, row(p, "swift", odd, "time", "measured"), 1.25);
        value(rows, row(p, "slow", odd, "time", "measured"), 77.5);
        missing(rows, row(p, "wrong", odd, "time", "n/a"), "it fails its tests", odd);
        if (p->threads > 1 || p->size != 1000 || *p->state != 's')
            continue;
        value(rows, row(p, "swift", odd, "instructions", "hardware"), 120);
        value(rows, row(p, "swift", odd, "instructions", "simulated"), 100);
        value(rows, row(p, "slow", odd, "instructions", "simulated"), 4321);
        missing(rows, row(p, "swift", odd, "cycles", "n/a"), "no such counter", odd);
        missing(rows, row(p, "slow", odd, "cycles", "n/a"), "no such counter", odd);
        value(rows, row(p, "swift", odd, "page-faults", "software"), 0);
        value(rows, row(p, "slow", odd, "page-faults", "software"), 0);
        value(rows, row(p, "swift", odd, "l1d-misses", "simulated"), 0.5);
        missing(rows, row(p, "slow", odd, "l1d-misses", "n/a"), "callgrind gave up", odd);
        value(rows, row(p, "swift", odd, "bytes", "counted"), 2048);
    }
    return rows;
}

/* ---- groups ---- */

static json_t *ranked(const char *entry, const char *odd, int rank)
{
    return json_pack("{so, si, si, si, si, s{si, si}}", "entry", with(entry, odd), "rank", rank, "samples", 1000,
                     "outliers", 3, "unexplained", 1, "explained", "steal", 2, "page fault", 0);
}

static json_t *group(const struct place *p, const char *odd, bool unsettled)
{
    return json_pack("{ss, si, si, ss, so, sb, sb, sf, sf, sf, sf, s[o,o]}", "operation", p->operation, "size", p->size,
                     "threads", p->threads, "state", p->state, "place", with("1 core", odd), "pinned", !unsettled,
                     "unsettled", unsettled, "floor", unsettled ? 0.4321 : 0.0123, "yardstick_ns", 21.0,
                     "ping_pong_before_ns", 120.0, "ping_pong_after_ns", 190.0, "ranking", ranked("swift", odd, 1),
                     ranked("slow", odd, 2));
}

/* ---- the rest ---- */

static json_t *counter(const char *name, const char *odd, const char *source, const char *reason)
{
    return json_pack("{ss, so, ss, ss, sb, so}", "name", name, "what", with("what it counts", odd), "group", "work",
                     "source", source, "simulated", *source != 'n', "reason", with(reason, odd));
}

static json_t *growth(const char *entry, const char *odd, bool told)
{
    json_t *o = json_pack("{so, ss, ss, sb, so, sf, sf, s{s{sf, sf}, s{sf, sf}}}", "entry", with(entry, odd),
                          "operation", "pick", "metric", "instructions", "told", told, "why",
                          told ? json_string("") : with("too few sizes", odd), "confidence", 0.987, "times", 34.5,
                          "fits", "n", "residual", 0.0321, "weight", 0.9, "log n", "residual", 0.5, "weight", 0.1);
    if (told)
        json_object_set_new(o, "model", json_string("n"));
    return o;
}

json_t *sample_scatter(const char *odd)
{
    json_t *x = json_array(), *y = json_array(), *labels = json_array();
    for (int i = 0; i < 12; i++) {
        json_array_append_new(x, json_real(10 + 0.2 * (i % 4)));
        json_array_append_new(y, json_real(5 + 0.1 * i));
        json_array_append_new(labels, *odd ? json_sprintf("entry-%d %.20s", i, odd) : json_sprintf("entry-%d", i));
    }
    return json_pack("{ss, so, ss, ss, ss, ss, ss, sb, sb, s[{sf, so}, {sf, ss}, {sf, ss}], s[{ss, ss, so, so, so}]}",
                     "id", "quality", "title", with("Good against dear", odd), "reading", "Read it.", "x", "time",
                     "x_unit", "ns", "y", "p99", "y_unit", "ms", "log_x", 1, "log_y", 1, "marks", "x", 10.3, "label",
                     with("L1 48 KiB", odd), "x", 20.0, "label", "L2 near", "x", 1e6, "label", "L3 far", "series",
                     "name", "entries", "kind", "points", "x", x, "y", y, "labels", labels);
}

static json_t *baseline(const char *odd)
{
    json_t *bad = json_pack("{so, ss, si, si, ss, ss, ss, sf, sf, sf, ss, ss}", "entry", with("slow", odd), "operation",
                            "pick", "size", 10, "threads", 1, "state", "steady", "metric", "time", "source", "measured",
                            "before", 50.0, "now", 77.5, "ratio", 1.55, "verdict", "regressed", "reason", "");
    json_t *open =
        json_pack("{so, ss, si, si, ss, ss, ss, sf, sf, sn, ss, so}", "entry", with("swift", odd), "operation", "pick",
                  "size", 10, "threads", 1, "state", "steady", "metric", "time", "source", "measured", "before", 1.0,
                  "now", 1.25, "ratio", "verdict", "cannot tell", "reason", with("intervals too wide", odd));
    json_t *fine = json_pack("{ss, ss}", "entry", "never-shown", "verdict", "same");
    return json_pack("{so, sb, so, sb, si, si, si, s[o,o,o]}", "file", with("old.json", odd), "same_machine", 0, "why",
                     with("flags: -O0 then", odd), "same_build", 0, "compared", 3, "regressed", 1, "cannot_tell", 1,
                     "rows", bad, open, fine);
}

static json_t *limits(const char *odd)
{
    return json_pack("{si, so, s[{so, so, sf, sf, sf, ss, ss, so, so, ss}, {ss, ss, sn, ss, so}]}", "format", 1, "note",
                     with("a note", odd), "limits", "id", with("cas", odd), "what", with("compare and swap", odd),
                     "value", 8.86, "low", 8.8, "high", 10.9, "unit", "ns", "statistic", "p10", "place",
                     with("2 cores sharing L3", odd), "how", with("one word", odd), "source", "measured", "id",
                     "flops-avx512", "what", "multiply-adds", "value", "unit", "GFLOP/s", "reason",
                     with("no AVX-512 here", odd));
}

json_t *sample_costs(const char *odd)
{
    static const struct place places[] = {
        {"pick", "steady", 10, 1}, {"pick", "steady", 1000, 1}, {"pick", "cold", 1000, 1}, {"pick", "steady", 1000, 2}};
    json_t *o = json_pack(
        "{si, ss, s{sf}, so, ss, s[{ss, so, so, so, sb}], s[o,o,o,o], s[{ss, so, so}], so, s[o,o,o,o], s[o,o], s[o], "
        "so, so, sf}",
        "format", 1, "lab", "01", "machine", "clock_ns", 23.5, "simulated_caches", with("D1 49152,12,64", odd),
        "callgrind", "", "operations", "name", "pick", "what", with("a pick.", odd), "size_name", with("backends", odd),
        "threads_what", with("one for each", odd), "parts", 0, "counters", counter("instructions", odd, "hardware", ""),
        counter("cycles", odd, "n/a", "no PMU"), counter("page-faults", odd, "software", ""),
        counter("l1d-misses", odd, "simulated", "no PMU"), "readings", "group", "work", "title", with("Work", odd),
        "reading", with("How to read it.", odd), "rows", rows_of(odd), "groups", group(&places[0], odd, false),
        group(&places[1], odd, false), group(&places[2], odd, false), group(&places[3], odd, true), "growth",
        growth("swift", odd, true), growth("slow", odd, false), "plots", sample_scatter(odd), "baseline", baseline(odd),
        "limits", limits(odd), "seconds", 12.5);
    cr_assert(o, "the sample is no JSON");
    return o;
}
