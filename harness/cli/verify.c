/* verify: is the lab itself right? A grader is a program that is tested with wrong answers and with attacks.
 *
 * Each line is one thing that must be so; the last line counts them. Starter, reference and mistakes are plugins that
 * are built already. verify_attacks.c has the hostile ones.
 *
 * Much of it waits for the sandbox, so pieces run side by side, each in a process of its own; claims don't, since some
 * of them measure this machine.
 */
#include "cli/verify.h"

#include "base/parallel.h"
#include "base/process.h"
#include "base/terminal.h"
#include "host/sandbox.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Children print to us, and we to the terminal: colours are ours to choose, before there are any. */
static const char *good_style, *bad_style, *plain_style;

void verify_line(struct tally *t, bool good, const char *format, ...)
{
    va_list args;
    if (good)
        t->counts.passed++;
    else
        t->counts.failed++;
    printf("  %s%s%s  ", good ? good_style : bad_style, good ? "pass" : "FAIL", plain_style);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

/* ---- side by side ---- */

struct pieces {
    struct tally *tally;
    void (*piece)(struct tally *t, uint32_t i, void *context);
    const char *(*name)(uint32_t i, void *context);
    void *context;
};

static void run_piece(uint32_t i, void *context, struct side_counts *counts)
{
    const struct pieces *p = context;
    struct tally own = {.session = p->tally->session, .lab = p->tally->lab};
    p->piece(&own, i, p->context);
    *counts = own.counts;
}

static void piece_lost(uint32_t i, void *context, const char *how)
{
    const struct pieces *p = context;
    verify_line(p->tally, false, "%s: its process was lost: %s", p->name(i, p->context), how);
}

void verify_pieces(struct tally *t, uint32_t n, void (*piece)(struct tally *t, uint32_t i, void *context),
                   const char *(*name)(uint32_t i, void *context), void *context)
{
    struct pieces pieces = {t, piece, name, context};
    const struct side_work work = {n, parallel_threads(), &pieces, run_piece, piece_lost};
    struct side_counts sum;
    side_by_side(&work, &sum);
    t->counts.passed += sum.passed;
    t->counts.failed += sum.failed;
}

/* ---- starter, reference, mistakes ---- */

/* seed 0: all public ones. NULL after a line that says why not. */
static struct grade_result *grade_file(struct tally *t, const char *file, const char *only, uint64_t seed,
                                       uint64_t secret)
{
    char path[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    const struct grade_options options = {.root = t->session->root,
                                          .build = t->session->build,
                                          .only = only,
                                          .seed = seed,
                                          .secret = secret,
                                          .quiet = true};
    if (grade_plugin(t->lab, session_file(t->session, t->lab, file, path), &options, &result, &err) != 0)
        verify_line(t, false, "%s: %s", file, err.text);
    return result;
}

static void verify_starter(struct tally *t)
{
    struct grade_result *r = grade_file(t, "pristine.so", NULL, 0, 1);
    for (uint32_t i = 0; r && i < r->tests; i++) {
        const struct grade_test *g = &r->test[i];
        verify_line(t,
                    !g->passed && g->verdict != VERDICT_GRADER_FAULT && g->verdict != VERDICT_NO_ENTRY &&
                        strlen(g->message) > 20,
                    "starter fails %s/%s%s (%s)", g->test->task->id, g->test->id, g->hidden ? ", secret seeds" : "",
                    verdict_name(g->verdict));
    }
    grade_result_destroy(r);
}

static void verify_reference(struct tally *t)
{
    struct grade_result *r = grade_file(t, "reference.so", NULL, 0, 1);
    for (uint32_t i = 0; r && i < r->tests; i++) {
        const struct grade_test *g = &r->test[i];
        verify_line(t, g->passed, "reference passes %s/%s%s%s%s", g->test->task->id, g->test->id,
                    g->hidden ? ", secret seeds" : "", g->passed ? "" : ": ", g->passed ? "" : g->message);
    }
    grade_result_destroy(r);
}

/* One seed on which it is caught is enough; the verdict is that of the first. */
static void verify_mistake(struct tally *t, const struct lab_mistake *m)
{
    char plugin[200];
    bool caught = false, wrong = false;
    enum verdict verdict = VERDICT_FINISHED;
    snprintf(plugin, sizeof plugin, "mistakes/%.150s.so", m->name);
    for (uint32_t i = 0; i < t->lab->public_seeds && !caught; i++) {
        struct grade_result *r = grade_file(t, plugin, m->caught_by, t->lab->public_seed[i], 0);
        if (!r)
            return;
        const struct grade_test *g = &r->test[0];
        verdict = g->verdict;
        caught = !g->passed;
        wrong = verdict != VERDICT_GRADER_FAULT && verdict != VERDICT_NO_ENTRY && verdict != VERDICT_NO_BUILD;
        grade_result_destroy(r);
    }
    verify_line(t, caught && wrong, "mistake %s is caught by %s (%s)", m->name, m->caught_by, verdict_name(verdict));
}

static int is_patch(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return dot && dot > e->d_name && strcmp(dot, ".patch") == 0;
}

static void all_are_named(struct tally *t)
{
    char folder[FILE_PATH];
    struct dirent **files;
    int n = scandir(file_path(folder, "%s/reference/%s/mistakes", t->session->root, strchr(t->lab->folder, '/') + 1),
                    &files, is_patch, alphasort);
    for (int i = 0; i < n; i++) {
        bool named = false;
        *strrchr(files[i]->d_name, '.') = '\0';
        for (uint32_t k = 0; k < t->lab->mistakes; k++)
            named = named || strcmp(t->lab->mistake[k].name, files[i]->d_name) == 0;
        if (!named)
            verify_line(t, false, "mistake %s is not named in lab.json", files[i]->d_name);
        free(files[i]);
    }
    if (n >= 0)
        free(files);
}

/* Pieces: starter and reference where they are wanted, then each mistake. */
struct plugins {
    const struct lab *lab;
    void (*first[2])(struct tally *t);
    uint32_t firsts;
};

static void verify_plugin(struct tally *t, uint32_t i, void *context)
{
    const struct plugins *p = context;
    if (i < p->firsts)
        p->first[i](t);
    else
        verify_mistake(t, &t->lab->mistake[i - p->firsts]);
}

static const char *plugin_name(uint32_t i, void *context)
{
    const struct plugins *p = context;
    return i >= p->firsts ? p->lab->mistake[i - p->firsts].name : "starter or reference";
}

static void verify_plugins(struct tally *t, bool starter, bool reference, bool mistakes)
{
    struct plugins p = {.lab = t->lab};
    if (starter)
        p.first[p.firsts++] = verify_starter;
    if (reference)
        p.first[p.firsts++] = verify_reference;
    if (mistakes)
        all_are_named(t);
    verify_pieces(t, p.firsts + (mistakes ? t->lab->mistakes : 0), verify_plugin, plugin_name, &p);
}

/* ---- claims ---- */

/* The result stays: harness/same_bytes.sh compares it with that of another build, from the same seed. */
static void verify_claims(struct tally *t, bool broken)
{
    char program[FILE_PATH], out[FILE_PATH];
    if (!file_exists(session_file(t->session, t->lab, "claims", program)))
        return;
    file_path(out, "%s/%sclaims-%s.json", t->session->build, broken ? "broken-" : "", t->lab->id);
    remove(out);
    const char *argv[] = {program, "--quiet", "--seed", broken ? "1" : "3", "--out", out, broken ? "--broken" : NULL,
                          NULL};
    struct process p = {.argv = argv, .folder = t->session->root, .wall_ms = 600000};
    struct process_result r;
    struct error err;
    json_t *json = process_run(&p, &r, &err) == 0 ? json_load_file(out, 0, NULL) : NULL;
    size_t i;
    json_t *claim;
    json_array_foreach(json_object_get(json, "claims"), i, claim)
    {
        const json_t *verdict = json_object_get(claim, "holds");
        bool holds = json_is_true(verdict);
        if (json_is_null(verdict)) { /* a claim about this machine, which is not fit to judge it now */
            verify_line(t, true, "claim %s cannot be told here: %s", json_string_value(json_object_get(claim, "id")),
                        json_string_value(json_object_get(claim, "reason")));
            continue;
        }
        verify_line(t, holds != broken, "claim %s %s (predicted %g, measured %g, tolerance %g)",
                    json_string_value(json_object_get(claim, "id")), broken ? "turns false without its cure" : "holds",
                    json_number_value(json_object_get(claim, "predicted")),
                    json_number_value(json_object_get(claim, "measured")),
                    json_number_value(json_object_get(claim, "tolerance")));
    }
    if (json_array_size(json_object_get(json, "claims")) == 0)
        verify_line(t, false, "the claims program left no claims");
    json_decref(json);
    if (broken)
        remove(out);
}

/* ---- all ---- */

static bool wanted(const struct session *s, const char *group)
{
    return !s->options.only || strcmp(s->options.only, group) == 0;
}

enum exit_code command_verify(struct session *s)
{
    struct tally t = {.session = s};
    static const char *const groups[] = {"starter", "reference", "mistakes", "attacks", "sandbox", "claims", NULL};
    bool known = !s->options.only;
    for (const char *const *g = groups; *g; g++)
        known = known || strcmp(s->options.only, *g) == 0;
    if (!known)
        error_exit(EXIT_WRONG_USE,
                   "verify: --only takes starter, reference, mistakes, attacks, sandbox or claims, not %s",
                   s->options.only);
    good_style = terminal_style(STYLE_GOOD);
    bad_style = terminal_style(STYLE_BAD);
    plain_style = terminal_style(STYLE_PLAIN);
    sandbox_layers(NULL); /* found out once, for all children */
    for (struct lab **l = s->labs; *l; l++) {
        if (s->lab && s->lab != *l)
            continue;
        t.lab = *l;
        if ((*l)->broken) {
            verify_line(&t, false, "%s", (*l)->broken);
            continue;
        }
        printf("%slab %s: %s%s\n", terminal_style(STYLE_BOLD), (*l)->id, (*l)->title, plain_style);
        verify_plugins(&t, wanted(s, "starter"), wanted(s, "reference"), wanted(s, "mistakes"));
        if (wanted(s, "attacks"))
            verify_attacks(&t, false);
        if (s->options.only && wanted(s, "sandbox"))
            verify_attacks(&t, true);
        if (wanted(s, "claims")) {
            verify_claims(&t, false);
            verify_claims(&t, true);
        }
    }
    const char *counts = getenv("FAULTLINE_COUNTS");
    char text[64];
    snprintf(text, sizeof text, "%u %u\n", t.counts.passed, t.counts.failed);
    if (counts)
        file_write(counts, text, strlen(text), NULL);
    printf("%u passed, %u failed\n", t.counts.passed, t.counts.failed);
    return t.counts.failed || t.counts.passed == 0 ? EXIT_FAILED : EXIT_FINE;
}
