/* demo, replay: what an engineer runs. Both start programs of the lab; demo makes the report out of what claims leave. */
#include "cli/command.h"

#include "base/json_file.h"
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

/* Runs one lab's claims program, which leaves its result in a folder of its own. The object, or NULL after saying why. */
static json_t *measure(const struct session *s, const struct lab *lab, const char *folder)
{
    char program[FILE_PATH], out[FILE_PATH], seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)(s->options.have_seed ? s->options.seed : 1));
    file_path(out, "%s/lab-%s.json", folder, lab->id);
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

/* All claims of a lab, kept for the page; a part of them, or the broken ones, are no result of the lab. */
static void keep(const struct session *s, const struct lab *lab, json_t *json)
{
    char path[FILE_PATH];
    struct error err;
    if (json_file_write(file_path(path, "%s/report/lab-%s.json", s->build, lab->id), json, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
}

/* Said before anything is measured. */
static void need_folder(const char *folder)
{
    struct error err;
    int code = file_make_dirs(folder, &err);
    if (code == 0 && access(folder, W_OK) < 0)
        code = error_set(&err, -errno, "%s: the report cannot be written there: %s", folder, strerror(errno));
    if (code)
        error_exit(EXIT_WRONG_USE, "%s; nothing was measured", err.text);
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

static void show(const json_t *lab, bool quiet)
{
    struct error err;
    const json_t *first = json_array_get(json_object_get(lab, "plots"), 0);
    report_print_claims(stdout, lab);
    if (first && !quiet) {
        putchar('\n');
        report_print_plot(stdout, first, &err);
    }
    putchar('\n');
    fflush(stdout);
}

enum exit_code command_demo(struct session *s)
{
    char program[FILE_PATH], folder[FILE_PATH], work[FILE_PATH];
    struct error err;
    if (s->options.owns)
        demo_of_lab(s);
    const bool whole = !s->options.only && !s->options.broken;
    json_t *labs = json_array();
    unsigned wrong = 0;
    need_folder(file_path(folder, "%s/%s", s->build, whole ? "report" : "report-partial"));
    file_remove_left_over();
    if (file_temp_dir(work, "faultline-demo", &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    for (struct lab **l = s->labs; *l; l++) {
        if (!s->lab && (*l)->broken)
            fprintf(stderr, "faultline: left out: %s\n", (*l)->broken);
        if ((*l)->broken || (s->lab && s->lab != *l) || !file_exists(session_file(s, *l, "claims", program)))
            continue;
        print_incident(*l);
        json_t *lab = measure(s, *l, work);
        if (!lab) {
            file_remove_tree(work);
            return EXIT_CANNOT_TELL;
        }
        show(lab, s->options.quiet);
        if (whole)
            keep(s, *l, lab);
        wrong += false_claims(lab);
        json_array_append_new(labs, lab);
    }
    file_remove_tree(work);
    if (json_array_size(labs) == 0)
        error_exit(EXIT_WRONG_USE, "there is no lab with claims here; make build first");
    if (json_array_size(labs) > 1)
        report_print_sum(stdout, labs);
    if (whole) {
        if (session_report(s) != EXIT_FINE)
            return EXIT_CANNOT_TELL;
    } else if (report_write(folder, labs, &err) != 0) {
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    } else {
        session_say_report(s, folder);
    }
    const struct lab *first = s->lab;
    for (struct lab **l = s->labs; *l && !first; l++)
        first = (*l)->broken ? NULL : *l;
    if (first)
        printf("next: read %s/README.md; make check LAB=%s says what your own code can do\n", first->folder, first->id);
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
