/* claims.c: the main program of every lab's claims: what to measure, judgement, and the JSON object that it
 * leaves (report.h).
 *
 * With --broken each claim is measured twice, with the cure and without it, and the measurement without it is judged by
 * the tolerance of the one with it: a failing algorithm is often erratic too, and its own spread would excuse it.
 */
#include "report/claims_request.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "grade/lab.h"
#include "report/measure.h"
#include "report/number.h"
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what to measure ---- */

/* Jobs in the order in which their results are read again: claim by claim (with the cure, then broken), then plot by
 * plot, series by series, point by point; each time all seeds. */
struct jobs {
    struct measure_job *job;
    uint32_t n, room, read;
};

static void add(struct jobs *jobs, struct measure_job job)
{
    if (jobs->n == jobs->room) {
        jobs->room = jobs->room ? 2 * jobs->room : 256;
        jobs->job = xrealloc(jobs->job, jobs->room, sizeof *jobs->job);
    }
    jobs->job[jobs->n++] = job;
}

static uint32_t at_least_one(uint32_t seeds)
{
    return seeds ? seeds : 1;
}

static struct claim_run run_of(const struct claim *c, uint64_t seed, bool broken)
{
    const struct claim_subject none = {NULL, 0, 0}, *of = &c->of, *instead = broken ? &c->instead : &none;
    return (struct claim_run){.seed = seed,
                              .broken = broken,
                              .entry = instead->entry ? instead->entry : of->entry,
                              .x = instead->x != 0 ? instead->x : of->x,
                              .n = instead->n ? instead->n : of->n};
}

static double prediction(const struct claim *c)
{
    const struct claim_run run = run_of(c, 0, false);
    return c->predict ? c->predict(&run) : c->predicted;
}

static void add_claim(struct jobs *jobs, const struct request *r, const struct claim *c, bool broken)
{
    for (uint32_t i = 0; i < at_least_one(c->seeds) && !c->measure_here; i++)
        add(jobs,
            (struct measure_job){.measure = c->measure, .run = run_of(c, measure_seed(r->seed, c->id, i), broken)});
}

static double x_of(const struct claim_series *s, uint32_t point)
{
    return s->at ? s->at[point] : s->x(point);
}

/* All points and series of a plot see the same seeds: what they differ in is then not chance. */
static void add_plot(struct jobs *jobs, const struct request *r, const struct claim_plot *p)
{
    for (const struct claim_series *s = p->series; s->name; s++)
        for (uint32_t point = 0; point < s->points; point++)
            for (uint32_t i = 0; i < (s->line ? 1 : at_least_one(p->seeds)); i++)
                add(jobs, (struct measure_job){
                              .measure = s->y,
                              .run = {measure_seed(r->seed, p->id, i), false, s->of.entry, x_of(s, point), s->of.n}});
}

static bool with_plots(const struct request *r)
{
    return !r->some && !r->broken;
}

static struct jobs collect(const struct request *r)
{
    const struct claim_suite *s = r->suite;
    struct jobs jobs = {0};
    for (uint32_t i = 0; i < s->claims; i++)
        if (r->wanted[i]) {
            add_claim(&jobs, r, &s->claim[i], false);
            if (r->broken)
                add_claim(&jobs, r, &s->claim[i], true);
        }
    for (uint32_t i = 0; i < s->plots && with_plots(r); i++)
        add_plot(&jobs, r, &s->plot[i]);
    return jobs;
}

/* The next n results, as one figure. */
static struct measure_mean next_mean(struct jobs *jobs, uint32_t n)
{
    double *value = xcalloc(n, sizeof *value);
    for (uint32_t i = 0; i < n; i++)
        value[i] = jobs->job[jobs->read++].value;
    struct measure_mean m = measure_mean(value, n);
    free(value);
    return m;
}

/* ---- judgement ---- */

/* The error of the mean, and what the formula leaves open; at least what floating point leaves open. */
static double tolerance(const struct claim *c, const struct measure_mean *m, double predicted)
{
    double exact = 1e-9 * fabs(predicted);
    return fmax(m->error + c->slack, exact);
}

static json_t *tolerance_why(const struct claim *c, const struct measure_mean *m)
{
    char why[200] = "", slack[NUMBER_TEXT];
    if (m->error > 0)
        snprintf(why, sizeof why, "%.1f standard errors of the mean over %u seeds", measure_quantile(m->n), m->n);
    else
        snprintf(why, sizeof why, m->n > 1 ? "the same value with all %u seeds" : "one exact value, nothing random",
                 m->n);
    if (c->slack <= 0)
        return json_string(why);
    return json_sprintf("%s; plus %s: %s", why, number_text(slack, c->slack, 0),
                        c->slack_why ? c->slack_why : "left open by the formula");
}

/* False for what is no number: every comparison with NaN is, and infinities are refused. */
static bool holds(const struct claim *c, double predicted, double measured, double allowed)
{
    if (!isfinite(measured) || !isfinite(predicted))
        return false;
    switch (c->relation) {
    case CLAIM_EQUALS:
        return fabs(measured - predicted) <= allowed;
    case CLAIM_AT_LEAST:
        return measured >= predicted - allowed;
    case CLAIM_AT_MOST:
        return measured <= predicted + allowed;
    }
    return false;
}

/* ---- JSON ---- */

static json_t *real(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *string(const char *text)
{
    return json_string(text ? text : "");
}

static void add_text(json_t *o, const struct lab *lab, const struct claim *c)
{
    static const char *const relation[] = {
        [CLAIM_EQUALS] = "equals", [CLAIM_AT_LEAST] = "at-least", [CLAIM_AT_MOST] = "at-most"};
    json_object_set_new(o, "lab", json_string(lab->id));
    json_object_set_new(o, "id", string(c->id));
    json_object_set_new(o, "statement", string(c->statement));
    json_object_set_new(o, "formula", string(c->formula));
    json_object_set_new(o, "relation", json_string(relation[c->relation]));
    json_object_set_new(o, "unit", string(c->unit));
    json_object_set_new(o, "source", string(c->source));
    json_object_set_new(o, "broken", string(c->broken));
}

static void add_figures(json_t *o, double predicted, double measured, double low, double high, double allowed)
{
    json_object_set_new(o, "predicted", real(predicted));
    json_object_set_new(o, "measured", real(measured));
    json_object_set_new(o, "low", real(low));
    json_object_set_new(o, "high", real(high));
    json_object_set_new(o, "tolerance", real(allowed));
}

static json_t *claim_json(const struct request *r, const struct lab *lab, const struct claim *c, struct jobs *jobs)
{
    uint32_t n = at_least_one(c->seeds);
    struct measure_mean cure = next_mean(jobs, n), m = r->broken ? next_mean(jobs, n) : cure;
    double predicted = prediction(c), allowed = tolerance(c, &cure, predicted);
    json_t *o = json_object();
    add_text(o, lab, c);
    add_figures(o, predicted, m.mean, m.mean - m.error, m.mean + m.error, allowed);
    json_object_set_new(o, "tolerance_why", tolerance_why(c, &cure));
    json_object_set_new(o, "seeds", json_integer(n));
    json_object_set_new(o, "holds", json_boolean(holds(c, predicted, m.mean, allowed)));
    return o;
}

/* Why it can't be told whether a claim about this machine holds; NULL: it can, and then *verdict says. It holds when
 * the whole interval is right, and is false when all of it is wrong on one side. */
static const char *judge_here(const struct claim *c, const struct claim_here *here, double predicted, double allowed,
                              bool *verdict)
{
    double least = c->relation == CLAIM_AT_MOST ? -INFINITY : predicted - allowed,
           most = c->relation == CLAIM_AT_LEAST ? INFINITY : predicted + allowed;
    *verdict = here->low >= least && here->high <= most;
    if (isnan(here->value))
        return *here->why ? here->why : "it was not measured";
    if (isnan(here->low) || isnan(here->high) || here->low > here->high ||
        (here->low < here->high && (isinf(here->low) || isinf(here->high))))
        return "its interval is not known"; /* an infinite error, the same at both ends, is known, and judged */
    if (!*verdict && !(here->high < least) && !(here->low > most) && isfinite(predicted))
        return "its interval reaches from the right side to the wrong one";
    return NULL;
}

static json_t *claim_here_json(const struct request *r, const struct lab *lab, const struct claim *c)
{
    struct claim_here here = {NAN, NAN, NAN, ""};
    double predicted = prediction(c), allowed = fmax(c->slack, 1e-9 * fabs(predicted));
    const struct claim_run run = run_of(c, r->seed, r->broken);
    json_t *o = json_object();
    bool verdict;
    c->measure_here(&run, &here);
    const char *why = judge_here(c, &here, predicted, allowed, &verdict);
    add_text(o, lab, c);
    add_figures(o, predicted, here.value, here.low, here.high, allowed);
    json_object_set_new(o, "tolerance_why", json_string(c->slack_why ? c->slack_why : "the whole interval must agree"));
    json_object_set_new(o, "seeds", json_integer(1));
    json_object_set_new(o, "holds", why ? json_null() : json_boolean(verdict));
    if (why)
        json_object_set_new(o, "reason", json_string(why));
    return o;
}

static json_t *series_json(const struct claim_plot *p, const struct claim_series *s, struct jobs *jobs)
{
    json_t *o = json_object(), *x = json_array(), *y = json_array(), *low = json_array(), *high = json_array();
    for (uint32_t i = 0; i < s->points; i++) {
        struct measure_mean m = next_mean(jobs, s->line ? 1 : at_least_one(p->seeds));
        json_array_append_new(x, real(x_of(s, i)));
        json_array_append_new(y, real(m.mean));
        json_array_append_new(low, real(m.mean - m.error));
        json_array_append_new(high, real(m.mean + m.error));
    }
    json_object_set_new(o, "name", json_string(s->name));
    json_object_set_new(o, "kind", json_string(s->line ? "line" : "points"));
    json_object_set_new(o, "x", x);
    json_object_set_new(o, "y", y);
    if (!s->line) {
        json_object_set(o, "low", low);
        json_object_set(o, "high", high);
    }
    json_decref(low);
    json_decref(high);
    return o;
}

static json_t *plot_json(const struct claim_plot *p, struct jobs *jobs)
{
    json_t *o = json_object(), *series = json_array();
    const struct {
        const char *name, *text;
    } texts[] = {{"id", p->id},         {"title", p->title}, {"reading", p->reading}, {"x", p->x},
                 {"x_unit", p->x_unit}, {"y", p->y},         {"y_unit", p->y_unit}};
    for (size_t i = 0; i < COUNT(texts); i++)
        json_object_set_new(o, texts[i].name, string(texts[i].text));
    json_object_set_new(o, "log_x", json_boolean(p->log_x));
    json_object_set_new(o, "log_y", json_boolean(p->log_y));
    json_object_set_new(o, "seeds", json_integer(at_least_one(p->seeds)));
    for (const struct claim_series *s = p->series; s->name; s++)
        json_array_append_new(series, series_json(p, s, jobs));
    json_object_set_new(o, "series", series);
    return o;
}

static json_t *texts_json(char *const *text, size_t most)
{
    json_t *list = json_array();
    for (size_t i = 0; i < most && text[i]; i++)
        json_array_append_new(list, json_string(text[i]));
    return list;
}

/* Measures what is about this machine on the way, so `start` and not the seconds. */
static json_t *result_json(const struct request *r, const struct lab *lab, struct jobs *jobs, uint64_t start)
{
    const struct claim_suite *s = r->suite;
    json_t *o = json_object(), *claims = json_array(), *plots = json_array();
    for (uint32_t i = 0; i < s->claims; i++)
        if (r->wanted[i])
            json_array_append_new(claims, s->claim[i].measure_here ? claim_here_json(r, lab, &s->claim[i])
                                                                   : claim_json(r, lab, &s->claim[i], jobs));
    for (uint32_t i = 0; i < s->plots && with_plots(r); i++)
        json_array_append_new(plots, plot_json(&s->plot[i], jobs));
    json_object_set_new(o, "format", json_integer(1));
    json_object_set_new(o, "lab", json_string(lab->id));
    json_object_set_new(o, "name", json_string(lab->name));
    json_object_set_new(o, "title", json_string(lab->title));
    json_object_set_new(o, "seed", json_integer((json_int_t)r->seed));
    json_object_set_new(o, "broken", json_boolean(r->broken));
    json_object_set_new(o, "incident", texts_json(lab->incident, 3));
    json_object_set_new(o, "next", texts_json(lab->next, SIZE_MAX));
    json_object_set_new(o, "claims", claims);
    json_object_set_new(o, "plots", plots);
    json_object_set_new(o, "seconds", json_real(1e-9 * (double)(process_clock_ns() - start)));
    return o;
}

/* ---- main ---- */

static void leave(const struct request *r, const json_t *result)
{
    struct error err;
    if (!r->out) {
        report_print_claims(stdout, result);
        return;
    }
    if (json_file_write(r->out, result, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
}

static bool as_expected(const struct request *r, const json_t *result)
{
    size_t i;
    json_t *claim;
    bool good = true;
    json_array_foreach(json_object_get(result, "claims"), i, claim)
    {
        const json_t *verdict = json_object_get(claim, "holds");
        good = good && (json_is_null(verdict) || json_is_true(verdict) != r->broken);
    }
    return good;
}

int claims_main(int argc, char **argv, const struct claim_suite *suite)
{
    struct request r = {.suite = suite, .seed = 1, .wanted = xcalloc(suite->claims, sizeof(bool))};
    claims_parse(&r, argc, argv);
    const char *root = getenv("FAULTLINE_ROOT");
    struct lab *lab;
    struct error err;
    if (lab_load(root && *root ? root : ".", suite->lab_folder, &lab, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s (run this from the project's folder, or set FAULTLINE_ROOT to it)", err.text);
    uint64_t start = process_clock_ns();
    struct jobs jobs = collect(&r);
    measure_all(jobs.job, jobs.n, r.quiet);
    json_t *result = result_json(&r, lab, &jobs, start);
    leave(&r, result);
    int code = as_expected(&r, result) ? EXIT_FINE : EXIT_FAILED;
    json_decref(result);
    lab_destroy(lab);
    free(jobs.job);
    free(r.wanted);
    return code;
}

int claims_main_parts(int argc, char **argv, const char *lab_folder, const struct claim_part *const *parts)
{
    struct claim_suite suite = {.lab_folder = lab_folder};
    uint32_t claims = 0, plots = 0;
    for (const struct claim_part *const *p = parts; *p; p++) {
        claims += (*p)->claims;
        plots += (*p)->plots;
    }
    struct claim *claim = xcalloc(claims, sizeof *claim);
    struct claim_plot *plot = xcalloc(plots, sizeof *plot);
    for (const struct claim_part *const *p = parts; *p; p++) {
        for (uint32_t i = 0; i < (*p)->claims; i++)
            claim[suite.claims++] = (*p)->claim[i];
        for (uint32_t i = 0; i < (*p)->plots; i++)
            plot[suite.plots++] = (*p)->plot[i];
    }
    suite.claim = claim;
    suite.plot = plot;
    int code = claims_main(argc, argv, &suite);
    free(claim);
    free(plot);
    return code;
}
