/* demo, replay: what an engineer runs. Both start programs of the lab; demo makes the report out of what claims leave. */
#include "cli/command.h"

#include "base/memory.h"
#include "base/process.h"
#include "base/terminal.h"
#include "report/report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- demo ---- */

/* Runs one lab's claims program. The object that it left, or NULL after saying why. */
static json_t *measure(const struct session *s, const struct lab *lab)
{
    char program[FILE_PATH], out[FILE_PATH], seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)(s->options.have_seed ? s->options.seed : 1));
    file_path(out, "%s/report/lab-%s.json", s->build, lab->id);
    unlink(out);
    const char *argv[12] = {session_file(s, lab, "claims", program), "--out", out, "--seed", seed};
    int n = 5;
    if (s->options.quiet)
        argv[n++] = "--quiet";
    if (s->options.broken)
        argv[n++] = "--broken";
    if (s->options.only) {
        argv[n++] = "--only";
        argv[n++] = s->options.only;
    }
    struct process p = {.argv = argv, .folder = s->root};
    struct process_result r;
    struct error err;
    if (process_run(&p, &r, &err) != 0) {
        fprintf(stderr, "faultline: %s\n", err.text);
        return NULL;
    }
    json_error_t where;
    json_t *json = json_load_file(out, 0, &where);
    if (!json) {
        char how[100];
        fprintf(stderr, "faultline: lab %s: its claims program left no result (%s)\n", lab->id,
                process_status_text(r.status, how, sizeof how));
    }
    return json;
}

static unsigned false_claims(const json_t *lab)
{
    unsigned n = 0;
    size_t i;
    json_t *claim;
    json_array_foreach(json_object_get(lab, "claims"), i, claim) n += json_is_false(json_object_get(claim, "holds"));
    return n;
}

static void print_incident(const struct lab *lab)
{
    printf("%slab %s: %s%s\n", terminal_style(STYLE_BOLD), lab->id, lab->title, terminal_style(STYLE_PLAIN));
    for (int i = 0; i < 3; i++)
        printf("  %s\n", lab->incident[i]);
    putchar('\n');
    fflush(stdout);
}

/* A program of the lab in this process's place, so that its input may be standard input: with `file` when there is one,
 * the lab's own options, and what all of them take. */
static _Noreturn void become(const struct session *s, const char *program)
{
    const struct options *o = &s->options;
    const char *argv[12 + 2 * LAB_OPTIONS] = {program, o->file};
    char own[LAB_OPTIONS][sizeof o->own->name + 2], seed[24];
    int n = o->file ? 2 : 1;
    for (uint32_t i = 0; i < o->owns; i++) {
        snprintf(own[i], sizeof own[i], "--%s", o->own[i].name);
        argv[n++] = own[i];
        argv[n++] = o->own[i].value;
    }
    const struct {
        const char *name, *value;
    } pass[] = {{"--entries", o->entries}, {"--plugin", o->plugin}, {"--json", o->json}};
    for (size_t i = 0; i < COUNT(pass); i++)
        if (pass[i].value) {
            argv[n++] = pass[i].name;
            argv[n++] = pass[i].value;
        }
    if (o->have_seed) {
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)o->seed);
        argv[n++] = "--seed";
        argv[n++] = seed;
    }
    if (o->quiet)
        argv[n++] = "--quiet";
    fflush(NULL);
    execv(program, (char **)(uintptr_t)argv);
    error_exit(EXIT_CANNOT_TELL, "%s: cannot be started: %s", program, strerror(errno));
}

/* What a lab shows besides its claims, when it is asked with one of its own options. */
static _Noreturn void demo_of_lab(const struct session *s)
{
    char program[FILE_PATH];
    if (s->options.broken || s->options.only)
        error_exit(EXIT_WRONG_USE, "demo: --%s is about claims, --%s is not: one of them at a time",
                   s->options.broken ? "broken" : "only", s->options.own[0].name);
    session_need_build(s, s->lab);
    session_file(s, s->lab, "demo", program);
    become(s, program);
}

enum exit_code command_demo(struct session *s)
{
    char program[FILE_PATH], folder[FILE_PATH];
    if (s->options.owns)
        demo_of_lab(s);
    json_t *labs = json_array();
    unsigned wrong = 0;
    for (struct lab **l = s->labs; *l; l++) {
        if (!s->lab && (*l)->broken)
            fprintf(stderr, "faultline: left out: %s\n", (*l)->broken);
        if ((*l)->broken || (s->lab && s->lab != *l) || !file_exists(session_file(s, *l, "claims", program)))
            continue;
        print_incident(*l);
        json_t *lab = measure(s, *l);
        if (!lab)
            return EXIT_CANNOT_TELL;
        report_print_claims(stdout, lab);
        struct error err;
        const json_t *first = json_array_get(json_object_get(lab, "plots"), 0);
        if (first && !s->options.quiet) {
            putchar('\n');
            report_print_plot(stdout, first, &err);
        }
        putchar('\n');
        wrong += false_claims(lab);
        if (!s->options.only && !s->options.broken)
            session_attach_costs(s, *l, lab);
        json_array_append_new(labs, lab);
    }
    if (json_array_size(labs) == 0)
        error_exit(EXIT_WRONG_USE, "there is no lab with claims here; make build first");
    struct error err;
    /* A part of the claims, or the broken ones, must not be taken for the report. */
    file_path(folder, "%s/%s", s->build, s->options.only || s->options.broken ? "report-partial" : "report");
    if (report_write(folder, labs, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    char relative[FILE_PATH];
    size_t root = strlen(s->root);
    file_path(relative, "%s", strncmp(folder, s->root, root) == 0 && folder[root] == '/' ? folder + root + 1 : folder);
    printf("report: %s/index.html   figures: %s/claims.json\n", relative, relative);
    const struct lab *first = s->lab;
    for (struct lab **l = s->labs; !first; l++)
        first = (*l)->broken ? NULL : *l;
    printf("next: read %s/README.md; make check LAB=%s says what your own code can do\n", first->folder, first->id);
    if (wrong)
        printf("%s%u claim%s not hold%s\n", terminal_style(STYLE_BAD), wrong, wrong == 1 ? " does" : "s do",
               terminal_style(STYLE_PLAIN));
    enum exit_code code = wrong ? EXIT_FAILED : EXIT_FINE;
    if (s->options.json && session_write_json(s->options.json, json_incref(labs)) != EXIT_FINE)
        code = EXIT_WRONG_USE;
    json_decref(labs);
    return code;
}

/* ---- replay ---- */

enum exit_code command_replay(struct session *s)
{
    char program[FILE_PATH];
    if (!s->options.file)
        error_exit(EXIT_WRONG_USE,
                   "replay: which trace? For example: faultline replay %s access.log (and faultline replay %s --help)",
                   s->lab->id, s->lab->id);
    session_need_build(s, s->lab);
    session_file(s, s->lab, "replay", program);
    become(s, program);
}
