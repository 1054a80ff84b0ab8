/* test_costs.c: the costs on the page: every figure with its source, every gap with its reason, nothing of it markup.
 * */
#include "base/file.h"
#include "base/memory.h"
#include "report/report.h"
#include "report/tests/markup.h"
#include "report/tests/sample.h"
#include "report/tests/sample_costs.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(costs, .timeout = 60);

/* The page of one lab with the costs, which are taken. */
static char *page_of(json_t *lab, json_t *costs, char *folder)
{
    struct error err;
    json_t *labs = json_array();
    json_object_set_new(lab, "costs", costs);
    json_array_append_new(labs, lab);
    int code = report_write(sample_folder(folder), labs, &err);
    cr_assert(code == 0, "%s", err.text);
    json_decref(labs);
    return sample_read(folder, "index.html");
}

static char *page(const char *odd, char *folder)
{
    char why[200];
    char *html = page_of(sample_lab("01", odd), sample_costs(odd), folder);
    cr_assert(markup_is_good(html, true, why, sizeof why), "the page is not well-formed: %s", why);
    cr_assert(!markup_fetches(html), "the page refers to something outside: %.80s", markup_fetches(html));
    return html;
}

static void expect(const char *html, const char *const *parts)
{
    for (; *parts; parts++)
        cr_assert(strstr(html, *parts), "the page lacks \"%s\"", *parts);
}

#define EXPECT(html, ...) expect(html, (const char *const[]){__VA_ARGS__, NULL})

Test(costs, times_have_interval_mark_and_word)
{
    char folder[FILE_PATH];
    char *html = page("", folder);
    EXPECT(html, "One pick: a pick.", "ns for one pick, by number of backends", "1,000", "<b>\u25c6\u00a01.25</b>",
           "<small>1.12\u20131.38</small>", "<small class=\"word\">fastest</small>", "<b>78</b>",
           "<summary>1 thread, cold</summary>", "2 threads, steady: one for each", "costs-01.json", "costs-01.csv");
    /* swift is first in three columns; in the fourth nothing is ranked. */
    cr_assert(markup_count(html, ">fastest</small>") == 3, "%zu marks for the fastest, expected 3",
              markup_count(html, ">fastest</small>"));
    EXPECT(html, "not ranked: the machine changed");
    free(html);
    file_remove_tree(folder);
}

Test(costs, every_count_has_its_source)
{
    char folder[FILE_PATH];
    char *html = page("", folder);
    const char *table = strstr(html, "class=\"cost counted\""), *end = table ? strstr(table, "</table>") : NULL;
    cr_assert(table && end, "there is no table of counts");
    char *counted = strndup(table, (size_t)(end - table));
    size_t figures = markup_count(counted, "<span>"), tags = markup_count(counted, "<abbr title=");
    cr_assert(figures == 7 && tags == figures, "%zu figures and %zu sources, expected 7 of each:\n%s", figures, tags,
              counted);
    EXPECT(counted, "120 <abbr title=\"hardware", ">hw</abbr>", "100 <abbr title=\"simulated", ">sim</abbr>",
           "<small>hw/sim 1.20</small>", ">timed</abbr>", "2.0 KiB <abbr title=\"counted", ">count</abbr>");
    cr_assert(!strstr(counted, "cycles") && !strstr(counted, "page-faults"), "columns of nothing:\n%s", counted);
    EXPECT(html, "0 for all of them: page-faults <abbr title=\"software", "n/a: cycles (no such counter)");
    free(counted), free(html);
    file_remove_tree(folder);
}

Test(costs, every_gap_has_its_reason)
{
    char folder[FILE_PATH];
    char *html = page("", folder);
    EXPECT(html, "n/a<sup>1</sup>", "<li>it fails its tests</li>", "<li>callgrind gave up</li>", "<li>not counted</li>",
           "cannot tell<small>too few sizes</small>", "no AVX-512 here", "<td>n/a</td><td>no PMU</td>");
    char *costs = strstr(html, "<h3 id=\"lab-01-costs"), *end = strstr(html, "<figure id=\"01-cost");
    *end = '\0';
    cr_assert(markup_count(costs, "n/a") == markup_count(costs, "n/a<sup>") + 1,
              "%zu n/a, of which %zu with the number of a reason: one sentence is the other",
              markup_count(costs, "n/a"), markup_count(costs, "n/a<sup>"));
    free(html);
    file_remove_tree(folder);
}

Test(costs, growth_trust_baseline_and_machine)
{
    char folder[FILE_PATH];
    char *html = page("", folder);
    EXPECT(html, "<b>n</b></td><td class=\"n\">98.7</td><td class=\"n\">3.2</td><td class=\"n\">34.5</td>");
    EXPECT(html, "1.2 to 43.2\u00a0% apart", "24 of 8,000 samples", "16 with steal", "the rest no witness",
           "1 of 4 groups threads could not be bound", "1 of 4 groups are not ranked", "120, then 190",
           "changed, so not ranked");
    EXPECT(html, "Against the baseline", "flags: -O0 then", "Counts are not compared", "\u2717 regressed",
           "? cannot tell", "intervals too wide", "1.550");
    cr_assert(!strstr(html, "never-shown"), "a row that is the same is shown");
    EXPECT(html, "How to read the counters", "How to read it.", "D1 49152,12,64", "id=\"machine\"", "23.5 ns", "8.86",
           "8.80\u201310.9", "2 cores sharing L3; one word", "a note");
    free(html);
    file_remove_tree(folder);
}

Test(costs, hostile_text_is_escaped)
{
    char folder[FILE_PATH];
    char *html = page(sample_hostile, folder);
    cr_assert(!strstr(html, "<script"), "a name became a script");
    EXPECT(html, "swift &lt;script&gt;alert(1)", "it fails its tests &lt;script&gt;", "\u25c6");
    free(html);
    file_remove_tree(folder);
}

Test(costs, plots_are_files_and_on_the_page)
{
    char folder[FILE_PATH];
    char *html = page("", folder), *svg = sample_read(folder, "plots/01-cost-quality.svg");
    cr_assert(markup_count(html, "<svg") == 2, "expected the claims' plot and the costs', got %zu",
              markup_count(html, "<svg"));
    EXPECT(html, "id=\"01-cost-quality\"", "entries: entry-11");
    EXPECT(svg, ">L1 48 KiB<");
    free(svg), free(html);
    file_remove_tree(folder);
}

Test(costs, a_lab_without_claims_says_so)
{
    char folder[FILE_PATH], why[200];
    json_t *lab = sample_lab("01", "");
    json_object_set_new(lab, "claims", json_array());
    json_object_set_new(lab, "plots", json_array());
    char *html = page_of(lab, sample_costs(""), folder);
    cr_assert(markup_is_good(html, true, why, sizeof why), "%s", why);
    cr_assert(strstr(html, "claims not measured yet") && !strstr(html, "0 of 0"), "a sum of no claims");
    free(html);
    file_remove_tree(folder);
}

/* The sample with a rate of the entry "swift" at 10 backends, beside a limit; "wrong" has none. */
static json_t *with_rates(const char *odd)
{
    json_t *costs = sample_costs(odd), *operation = json_array_get(json_object_get(costs, "operations"), 0);
    json_t *limit = json_pack("{so, ss, sf, sf, sf, sf}", "id", json_sprintf("flops-x%s", odd), "unit", "GFLOP/s",
                              "value", 200.0, "low", 190.0, "high", 210.0, "best", 220.0);
    static const struct {
        const char *metric;
        double value;
        const char *unit;
    } told[] = {{"rate", 123, "GFLOP/s"}, {"share", 61.5, "% of flops-x"}, {"against", 98.2, "% of slow"}};
    json_object_set_new(operation, "rate", json_string("GFLOP/s"));
    json_object_set_new(operation, "against", json_string("slow"));
    json_object_set_new(json_array_get(json_object_get(costs, "groups"), 0), "limits", json_pack("[o]", limit));
    for (size_t i = 0; i < COUNT(told); i++) {
        json_t *row = json_pack("{ss, ss, si, si, ss, ss, so, ss, sf, sf, sf}", "entry", "swift", "operation", "pick",
                                "size", 10, "threads", 1, "state", "steady", "metric", told[i].metric, "unit",
                                json_sprintf("%s%s", told[i].unit, odd), "source", "measured", "value", told[i].value,
                                "low", 0.9 * told[i].value, "high", 1.1 * told[i].value);
        json_array_append_new(json_object_get(costs, "rows"), row);
    }
    json_array_append_new(json_object_get(costs, "rows"),
                          json_pack("{ss, ss, si, si, ss, ss, ss, ss, so}", "entry", "wrong", "operation", "pick",
                                    "size", 10, "threads", 1, "state", "steady", "metric", "rate", "unit", "GFLOP/s",
                                    "source", "n/a", "reason", json_sprintf("no rate for it%s", odd)));
    return costs;
}

Test(costs, rates_stand_with_their_share_and_limit)
{
    char folder[FILE_PATH], why[200];
    char *html = page_of(sample_lab("01", ""), with_rates(""), folder);
    cr_assert(markup_is_good(html, true, why, sizeof why), "%s", why);
    EXPECT(html, "class=\"cost rates\"", "GFLOP/s, by number of backends", "<b>123</b><small>111\u2013135</small>",
           "<small>62\u00a0% of flops-x</small>", "<small>98\u00a0% of slow</small>", "limit: flops-x", "<b>200</b>",
           "<li>no rate for it</li>", "<li>nothing there stands under it</li>", "<summary>times</summary>");
    free(html);
    file_remove_tree(folder);
    html = page_of(sample_lab("01", ""), with_rates(sample_hostile), folder);
    cr_assert(markup_is_good(html, true, why, sizeof why), "%s", why);
    cr_assert(!strstr(html, "<script"), "a unit, a limit or a reason became a script");
    free(html);
    file_remove_tree(folder);
}

/* Whatever else the file holds: no crash, and a page. */
Test(costs, odd_shapes_are_survived)
{
    static const char *const shapes[] = {
        "{}", "[]", "{\"rows\": 5, \"groups\": {}, \"plots\": \"x\", \"operations\": [1, {}]}",
        "{\"operations\": [{\"name\": \"pick\"}], \"rows\": [{\"operation\": \"pick\", \"metric\": \"time\"}, 7, {}], "
        "\"groups\": [{\"operation\": \"pick\"}], \"growth\": [{\"operation\": \"pick\"}], \"counters\": [{}], "
        "\"readings\": [{}], \"baseline\": {\"rows\": [{\"verdict\": \"regressed\"}]}, \"limits\": {\"limits\": [{}]}}",
        "{\"operations\": [{\"name\": \"p\"}], \"rows\": [{\"operation\": \"p\", \"metric\": \"time\", \"size\": "
        "\"x\", "
        "\"threads\": null, \"state\": 3, \"entry\": 4, \"value\": -1}]}"};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        char folder[FILE_PATH], why[200];
        json_t *costs = json_loads(shapes[i], 0, NULL);
        cr_assert(costs, "shape %zu is no JSON", i);
        char *html = page_of(sample_lab("01", ""), costs, folder);
        cr_assert(markup_is_good(html, true, why, sizeof why), "shape %zu: %s", i, why);
        free(html);
        file_remove_tree(folder);
    }
}
