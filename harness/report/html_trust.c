/* html_trust.c: how far the times may be trusted, and what became dearer since an earlier result. */
#include "report/html_costs.h"

#include "base/text.h"
#include "report/number.h"

#include <math.h>
#include <string.h>

#define MOST_FINDINGS 200

/* ---- noise ---- */

struct noise {
    double least, most; /* floors */
    json_int_t samples, outliers, unexplained;
    size_t groups, unsettled, loose; /* loose: threads not bound to cores */
    json_t *explained;               /* witness -> outliers */
};

static void add_ranking(struct noise *noise, const json_t *ranking)
{
    size_t i;
    json_t *o, *count;
    const char *witness;
    json_array_foreach(ranking, i, o)
    {
        noise->samples += json_integer_value(json_object_get(o, "samples"));
        noise->outliers += json_integer_value(json_object_get(o, "outliers"));
        noise->unexplained += json_integer_value(json_object_get(o, "unexplained"));
        json_object_foreach(json_object_get(o, "explained"), witness, count)
        {
            json_int_t before = json_integer_value(json_object_get(noise->explained, witness));
            json_object_set_new(noise->explained, witness, json_integer(before + json_integer_value(count)));
        }
    }
}

static void add_group(struct noise *noise, const json_t *group)
{
    double floor = number_of(json_object_get(group, "floor"));
    noise->least = fmin(noise->least, floor);
    noise->most = fmax(noise->most, floor);
    noise->groups++;
    noise->unsettled += json_is_true(json_object_get(group, "unsettled"));
    noise->loose += json_is_false(json_object_get(group, "pinned"));
    add_ranking(noise, json_object_get(group, "ranking"));
}

static struct noise noise_create(void)
{
    return (struct noise){.least = INFINITY, .most = -INFINITY, .explained = json_object()};
}

static void put_witnesses(FILE *out, const struct noise *noise, const char *none)
{
    const char *witness;
    json_t *count;
    bool any = false;
    json_object_foreach(noise->explained, witness, count)
    {
        if (json_integer_value(count) == 0)
            continue;
        fprintf(out, "%s%lld with ", any ? ", " : "", (long long)json_integer_value(count));
        html_put(out, "", witness, "");
        any = true;
    }
    if (!any)
        fputs(none, out);
}

/* A whole number with its thousands set off. */
static const char *count(char out[TEXT_NUMBER], const json_t *o, const char *field)
{
    return text_count(out, (uint64_t)json_integer_value(json_object_get(o, field)));
}

static void put_group(FILE *out, const json_t *group)
{
    struct noise own = noise_create();
    double before = number_of(json_object_get(group, "ping_pong_before_ns")),
           after = number_of(json_object_get(group, "ping_pong_after_ns"));
    char size[TEXT_NUMBER];
    add_group(&own, group);
    html_put(out, "<tr><th scope=\"row\">", html_member(group, "operation"), "</th>");
    fprintf(out, "<td class=\"n\">%s</td><td class=\"n\">%lld</td>", count(size, group, "size"),
            (long long)json_integer_value(json_object_get(group, "threads")));
    html_put(out, "<td>", html_member(group, "state"), "</td>");
    html_put(out, "<td>", html_member(group, "place"), own.loose ? ", not bound</td>" : ", bound</td>");
    fputs("<td class=\"n\">", out);
    costs_put_number(out, isfinite(own.most) ? 100 * own.most : (double)NAN, 2);
    fprintf(out, "</td><td class=\"n\">%lld of %lld</td><td>", (long long)own.outliers, (long long)own.samples);
    put_witnesses(out, &own, own.outliers ? "none" : "");
    fputs("</td><td>", out);
    if (isfinite(before) || isfinite(after)) {
        costs_put_number(out, before, 0.1 * before);
        fputs(", then ", out);
        costs_put_number(out, after, 0.1 * after);
        fputs(own.unsettled ? "<b>: changed, so not ranked</b>" : "", out);
    } else
        fputs(own.unsettled ? "<b>changed, so not ranked</b>" : "", out);
    fputs("</td></tr>\n", out);
    json_decref(own.explained);
}

static void put_groups(FILE *out, const json_t *groups)
{
    size_t i;
    json_t *group;
    fputs("<details><summary>Each group that was timed side by side</summary>\n", out);
    costs_open_table(out, "what");
    fputs("<thead><tr><th scope=\"col\">operation</th><th scope=\"col\" class=\"n\">size</th><th scope=\"col\" "
          "class=\"n\">threads</th><th scope=\"col\">state</th><th scope=\"col\">where</th><th scope=\"col\" "
          "class=\"n\">floor %</th><th scope=\"col\" class=\"n\">outliers</th><th scope=\"col\">their witnesses</th>"
          "<th scope=\"col\">ping-pong, ns</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach(groups, i, group)
    {
        put_group(out, group);
    }
    costs_close_table(out);
    fputs("</details>\n", out);
}

void costs_trust(FILE *out, const json_t *costs)
{
    struct noise noise = noise_create();
    const json_t *groups = json_object_get(costs, "groups");
    char least[NUMBER_TEXT], most[NUMBER_TEXT];
    size_t i;
    json_t *group;
    json_array_foreach(groups, i, group)
    {
        add_group(&noise, group);
    }
    if (noise.groups > 0) {
        fputs("<h4>How far to trust it</h4>\n<ul>\n", out);
        if (isfinite(noise.most))
            fprintf(out,
                    "<li>Floor: two copies of one entry, timed side by side, came out up to %s to %s\u00a0%% apart, "
                    "depending on the group. Smaller differences are not claimed there.</li>\n",
                    number_text(least, 100 * noise.least, 2), number_text(most, 100 * noise.most, 2));
        fprintf(out, "<li>Outliers: %s of %s samples; of these, ", text_count(least, (uint64_t)noise.outliers),
                text_count(most, (uint64_t)noise.samples));
        put_witnesses(out, &noise, "none had a witness");
        fprintf(out, "%s (one may have several)", noise.unexplained ? ", the rest no witness" : "");
        fputs(".</li>\n", out);
        if (noise.loose)
            fprintf(out,
                    "<li>In %zu of %zu groups threads could not be bound to cores: expect more noise there.</li>\n",
                    noise.loose, noise.groups);
        else
            fprintf(out, "<li>All threads were bound to cores.</li>\n");
        if (noise.unsettled)
            fprintf(out,
                    "<li>%zu of %zu groups are not ranked: the time of handing a cache line over differed before and "
                    "after, so the machine changed meanwhile.</li>\n",
                    noise.unsettled, noise.groups);
        fputs("</ul>\n", out);
        put_groups(out, groups);
    }
    json_decref(noise.explained);
}

/* ---- against a baseline ---- */

static json_int_t count_of(const json_t *baseline, const char *name)
{
    return json_integer_value(json_object_get(baseline, name));
}

static void put_finding(FILE *out, const json_t *row)
{
    const char *verdict = html_member(row, "verdict");
    bool worse = strcmp(verdict, "regressed") == 0;
    char size[TEXT_NUMBER];
    html_put(out, "<tr><th scope=\"row\">", html_member(row, "entry"), "</th>");
    html_put(out, "<td>", html_member(row, "operation"), "</td>");
    fprintf(out, "<td class=\"n\">%s</td><td class=\"n\">%lld</td>", count(size, row, "size"),
            (long long)count_of(row, "threads"));
    html_put(out, "<td>", html_member(row, "state"), "</td>");
    html_put(out, "<td>", html_member(row, "metric"), "");
    costs_put_source(out, html_member(row, "source"));
    fputs("</td>", out);
    static const char *const figure[] = {"before", "now", "ratio"};
    for (size_t i = 0; i < 3; i++) {
        double v = number_of(json_object_get(row, figure[i]));
        fputs("<td class=\"n\">", out);
        costs_put_number(out, v, 0.02 * fabs(v));
        fputs("</td>", out);
    }
    fprintf(out, "<td class=\"why\"><span class=\"mark %s\">%s ", worse ? "bad" : "unknown", worse ? "\u2717" : "?");
    html_put(out, "", verdict, "</span>");
    html_put(out, "<small>", html_member(row, "reason"), "</small></td></tr>\n");
}

void costs_baseline(FILE *out, const json_t *costs)
{
    const json_t *b = json_object_get(costs, "baseline");
    size_t i, shown = 0;
    json_t *row;
    if (!b)
        return;
    fputs("<h4>Against the baseline</h4>\n", out);
    if (!json_is_true(json_object_get(b, "same_machine")))
        html_put(out, "<p class=\"note\">Times are not compared, since the machine or the build is another: ",
                 html_member(b, "why"), "</p>\n");
    if (!json_is_true(json_object_get(b, "same_build")))
        fputs("<p class=\"note\">Counts are not compared, since the compiler, its flags or the simulated caches "
              "differ.</p>\n",
              out);
    char number[TEXT_NUMBER];
    fprintf(out, "<p>%s figures compared with ", count(number, b, "compared"));
    html_put(out, "<code>", html_member(b, "file"), "</code>: ");
    fprintf(out, "%lld regressed, %lld cannot be told.</p>\n", (long long)count_of(b, "regressed"),
            (long long)count_of(b, "cannot_tell"));
    json_array_foreach(json_object_get(b, "rows"), i, row)
    {
        const char *verdict = html_member(row, "verdict");
        if ((strcmp(verdict, "regressed") != 0 && strcmp(verdict, "cannot tell") != 0) || shown == MOST_FINDINGS)
            continue;
        if (shown++ == 0) {
            costs_open_table(out, "what");
            fputs(
                "<thead><tr><th scope=\"col\">entry</th><th scope=\"col\">operation</th><th scope=\"col\" class=\"n\">"
                "size</th><th scope=\"col\" class=\"n\">threads</th><th scope=\"col\">state</th><th scope=\"col\">what"
                "</th><th scope=\"col\" class=\"n\">before</th><th scope=\"col\" class=\"n\">now</th><th scope=\"col\" "
                "class=\"n\">ratio</th><th scope=\"col\">verdict</th></tr></thead>\n<tbody>\n",
                out);
        }
        put_finding(out, row);
    }
    if (shown)
        costs_close_table(out);
    if (shown == MOST_FINDINGS)
        fprintf(out, "<p class=\"soft small\">The first %d; all are in the file.</p>\n", MOST_FINDINGS);
}
