/* verify: is the lab itself right? A grader is a program that is tested with wrong answers and with attacks.
 *
 * Each line is one thing that must be so; the last line counts them. Starter, reference and mistakes are plugins that
 * are built already. Attacks go the whole way of a submission: the starter with the attack behind it, laid over the
 * tree, compiled and run in the sandbox. The first lines of an
 * attack name the verdicts that are right for it:   verdict: left-early, short-log
 */
#include "cli/command.h"

#include "base/process.h"
#include "base/terminal.h"
#include "grade/grade.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct tally {
    struct session *session;
    const struct lab *lab;
    unsigned passed, failed;
};

__attribute__((format(printf, 3, 4))) static void line(struct tally *t, bool good, const char *format, ...)
{
    va_list args;
    if (good)
        t->passed++;
    else
        t->failed++;
    printf("  %s%s%s  ", terminal_style(good ? STYLE_GOOD : STYLE_BAD), good ? "pass" : "FAIL",
           terminal_style(STYLE_PLAIN));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static struct grade_options options_of(const struct session *s, const char *only, uint64_t seed, uint64_t secret)
{
    return (struct grade_options){
        .root = s->root, .build = s->build, .only = only, .seed = seed, .secret = secret, .quiet = true};
}

static struct grade_result *grade_file(struct tally *t, const char *file, const char *only, uint64_t secret)
{
    char path[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    struct grade_options options = options_of(t->session, only, 0, secret);
    if (grade_plugin(t->lab, session_file(t->session, t->lab, file, path), &options, &result, &err) != 0)
        line(t, false, "%s: %s", file, err.text);
    return result;
}

/* ---- starter, reference, mistakes ---- */

static void verify_starter(struct tally *t)
{
    struct grade_result *r = grade_file(t, "pristine.so", NULL, 1);
    for (uint32_t i = 0; r && i < r->tests; i++) {
        const struct grade_test *g = &r->test[i];
        line(t,
             !g->passed && g->verdict != VERDICT_GRADER_FAULT && g->verdict != VERDICT_NO_ENTRY &&
                 strlen(g->message) > 20,
             "starter fails %s/%s%s (%s)", g->test->task->id, g->test->id, g->hidden ? ", secret seeds" : "",
             verdict_name(g->verdict));
    }
    grade_result_destroy(r);
}

static void verify_reference(struct tally *t)
{
    struct grade_result *r = grade_file(t, "reference.so", NULL, 1);
    for (uint32_t i = 0; r && i < r->tests; i++) {
        const struct grade_test *g = &r->test[i];
        line(t, g->passed, "reference passes %s/%s%s%s%s", g->test->task->id, g->test->id,
             g->hidden ? ", secret seeds" : "", g->passed ? "" : ": ", g->passed ? "" : g->message);
    }
    grade_result_destroy(r);
}

static void verify_mistake(struct tally *t, const struct lab_mistake *m)
{
    char plugin[200];
    snprintf(plugin, sizeof plugin, "mistakes/%.*s.so", (int)(strlen(m->file) > 2 ? strlen(m->file) - 2 : 0), m->file);
    struct grade_result *r = grade_file(t, plugin, m->caught_by, 0);
    if (!r)
        return;
    const struct grade_test *g = &r->test[0];
    bool wrong = g->verdict != VERDICT_GRADER_FAULT && g->verdict != VERDICT_NO_ENTRY && g->verdict != VERDICT_NO_BUILD;
    line(t, !g->passed && wrong, "mistake %s is caught by %s (%s)", m->file, m->caught_by, verdict_name(g->verdict));
    grade_result_destroy(r);
}

static int is_c_file(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 2 && e->d_name[0] != '.' && strcmp(e->d_name + n - 2, ".c") == 0;
}

static void verify_mistakes(struct tally *t)
{
    char folder[FILE_PATH];
    struct dirent **files;
    int n = scandir(file_path(folder, "%s/reference/%s/mistakes", t->session->root, strchr(t->lab->folder, '/') + 1),
                    &files, is_c_file, alphasort);
    for (int i = 0; i < n; i++) {
        bool named = false;
        for (uint32_t k = 0; k < t->lab->mistakes; k++)
            named = named || strcmp(t->lab->mistake[k].file, files[i]->d_name) == 0;
        if (!named)
            line(t, false, "mistake %s is not named in lab.json", files[i]->d_name);
        free(files[i]);
    }
    if (n >= 0)
        free(files);
    for (uint32_t k = 0; k < t->lab->mistakes; k++)
        verify_mistake(t, &t->lab->mistake[k]);
}

/* ---- attacks
 * ---------------------------------------------------------------------------------------------------------------------
 */

/* text with each @ROOT@ replaced by the project's folder and each @REFERENCE@ by that of the lab's reference. */
static void write_replaced(FILE *out, const struct tally *t, const char *text)
{
    while (*text) {
        if (strncmp(text, "@ROOT@", 6) == 0) {
            fputs(t->session->root, out);
            text += 6;
        } else if (strncmp(text, "@REFERENCE@", 11) == 0) {
            fprintf(out, "%s/reference/%s", t->session->root, strchr(t->lab->folder, '/') + 1);
            text += 11;
        } else {
            fputc(*text++, out);
        }
    }
}

/* folder/HAND_IN = the file at `base`, with `more` (may be NULL) behind it. */
static int write_submission(const struct tally *t, const char *folder, const char *base, const char *more,
                            struct error *err)
{
    char path[FILE_PATH], *data = NULL, *text = NULL;
    size_t size;
    int code = file_read(base, 1 << 20, &data, &size, err);
    FILE *out = code == 0 ? open_memstream(&text, &size) : NULL;
    if (out) {
        fprintf(out, "%s\n", data);
        if (more)
            write_replaced(out, t, more);
        fclose(out);
        code = file_write(file_path(path, "%s/%s", folder, t->lab->hand_in[0]), text, strlen(text), err);
    }
    free(text);
    free(data);
    return code;
}

/* Grades base+more as a submission, one public seed. NULL after a line that says why not. */
static struct grade_result *grade_text(struct tally *t, const char *what, const char *base, const char *more)
{
    char folder[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    struct grade_options options = options_of(t->session, NULL, t->lab->public_seed[0], 0);
    options.as_found = true;
    int code = file_temp_dir(folder, "faultline-attack", &err);
    if (code == 0) {
        code = write_submission(t, folder, base, more, &err);
        if (code == 0)
            code = grade_submission(t->lab, folder, &options, &result, &err);
        file_remove_tree(folder);
    }
    if (code)
        line(t, false, "%s: %s", what, err.text);
    return result;
}

/* Is `id` in the list behind "verdict:" in the first lines of text? */
static bool expected(const char *text, const char *id)
{
    const char *list = strstr(text, "verdict:");
    size_t n = list ? strcspn(list, "\n*") : 0;
    const char *at = list ? strstr(list, id) : NULL;
    return at && at < list + n;
}

/* All descendants that lose their parent become children of this process (it is a subreaper), so what is left running
 * can be seen. The kernel may take a moment to end a PID namespace whose first process was killed. */
static bool left_running(void)
{
    for (int tries = 0; tries < 40; tries++) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            ;
        if (pid < 0) /* no children at all */
            return false;
        usleep(50000);
    }
    return true;
}

static void verify_attack(struct tally *t, const char *file, const char *starter)
{
    char path[FILE_PATH], *text;
    size_t size;
    struct error err;
    if (file_read(file_path(path, "%s/harness/host/attacks/%s", t->session->root, file), 1 << 20, &text, &size, &err) !=
        0) {
        line(t, false, "%s", err.text);
        return;
    }
    uint64_t start = process_clock_ns();
    struct grade_result *r = grade_text(t, file, starter, text);
    double seconds = (double)(process_clock_ns() - start) * 1e-9;
    if (r) {
        const struct grade_test *odd = NULL;
        for (uint32_t i = 0; i < r->tests && !odd; i++)
            if (!expected(text, verdict_id(r->test[i].verdict)))
                odd = &r->test[i];
        bool alive = left_running();
        double limit = 30 + (double)t->lab->limits.wall_ms * 1e-3 * r->tests;
        bool good = r->score == 0 && !r->fault && !odd && !alive && seconds < limit;
        line(t, good, "attack %s scores %u/%u (%s)%s%s", file, r->score, r->max,
             verdict_name((odd ? odd : &r->test[0])->verdict), alive ? ", and processes are LEFT RUNNING" : "",
             odd ? ", which is not the verdict it should have: " : "");
        if (odd)
            printf("        %s\n", odd->message);
        grade_result_destroy(r);
    }
    free(text);
}

/* The submission that is graded before and after the attacks: the model solution, or a mistake, which solves some things and not others. */
static bool find_honest(const struct tally *t, char *path)
{
    const char *folder = strchr(t->lab->folder, '/') + 1;
    if (file_exists(file_path(path, "%s/reference/%s/solution/%s", t->session->root, folder, t->lab->hand_in[0])))
        return true;
    if (t->lab->mistakes == 0)
        return false;
    file_path(path, "%s/reference/%s/mistakes/%s", t->session->root, folder, t->lab->mistake[0].file);
    return file_exists(path);
}

static uint32_t verify_normal(struct tally *t, const char *when, const char *path)
{
    struct grade_result *r = grade_text(t, when, path, NULL);
    uint32_t score = r && !r->fault ? r->score : 0;
    if (r)
        line(t, score > 0, "an honest submission %s gets its points (%u/%u)", when, score, r->max);
    grade_result_destroy(r);
    return score;
}

static void verify_attacks(struct tally *t)
{
    char folder[FILE_PATH], starter[FILE_PATH], honest[FILE_PATH];
    struct dirent **files;
    struct lab quick = *t->lab; /* an endless loop costs its limit in every test, so a short one */
    quick.limits.cpu_seconds = 1;
    quick.limits.wall_ms = 1500;
    quick.build_seconds = 5;
    const struct lab *whole = t->lab;
    file_path(starter, "%s/%s/starter/%s", t->session->root, whole->folder, whole->hand_in[0]);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int n = scandir(file_path(folder, "%s/harness/host/attacks", t->session->root), &files, is_c_file, alphasort);
    bool have_honest = find_honest(t, honest);
    uint32_t before = have_honest ? verify_normal(t, "before the attacks", honest) : 0;
    t->lab = &quick;
    for (int i = 0; i < n; i++) {
        verify_attack(t, files[i]->d_name, starter);
        free(files[i]);
    }
    if (n >= 0)
        free(files);
    t->lab = whole;
    if (have_honest)
        line(t, verify_normal(t, "after the attacks", honest) == before, "its points are the same as before (%u)",
             before);
}

/* ---- claims
 * ----------------------------------------------------------------------------------------------------------------------
 */

static void verify_claims(struct tally *t, bool broken)
{
    char program[FILE_PATH], out[FILE_PATH];
    if (!file_exists(session_file(t->session, t->lab, "claims", program)))
        return;
    file_path(out, "%s/verify-%s.json", t->session->build, t->lab->id);
    const char *argv[] = {program, "--quiet", "--out", out, broken ? "--broken" : NULL, NULL};
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
            line(t, true, "claim %s cannot be told here: %s", json_string_value(json_object_get(claim, "id")),
                 json_string_value(json_object_get(claim, "reason")));
            continue;
        }
        line(t, holds != broken, "claim %s %s (predicted %g, measured %g, tolerance %g)",
             json_string_value(json_object_get(claim, "id")), broken ? "turns false without its cure" : "holds",
             json_number_value(json_object_get(claim, "predicted")),
             json_number_value(json_object_get(claim, "measured")),
             json_number_value(json_object_get(claim, "tolerance")));
    }
    if (json_array_size(json_object_get(json, "claims")) == 0)
        line(t, false, "the claims program left no claims");
    json_decref(json);
    remove(out);
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------------------------
 */

static bool wanted(const struct session *s, const char *group)
{
    return !s->options.only || strcmp(s->options.only, group) == 0;
}

enum exit_code command_verify(struct session *s)
{
    struct tally t = {.session = s};
    static const char *const groups[] = {"starter", "reference", "mistakes", "attacks", "claims", NULL};
    bool known = !s->options.only;
    for (const char *const *g = groups; *g; g++)
        known = known || strcmp(s->options.only, *g) == 0;
    if (!known)
        error_exit(EXIT_WRONG_USE, "verify: --only takes starter, reference, mistakes, attacks or claims, not %s",
                   s->options.only);
    for (struct lab **l = s->labs; *l; l++) {
        if (s->lab && s->lab != *l)
            continue;
        t.lab = *l;
        printf("%slab %s: %s%s\n", terminal_style(STYLE_BOLD), (*l)->id, (*l)->title, terminal_style(STYLE_PLAIN));
        if (wanted(s, "starter"))
            verify_starter(&t);
        if (wanted(s, "reference"))
            verify_reference(&t);
        if (wanted(s, "mistakes"))
            verify_mistakes(&t);
        if (wanted(s, "attacks"))
            verify_attacks(&t);
        if (wanted(s, "claims")) {
            verify_claims(&t, false);
            verify_claims(&t, true);
        }
    }
    const char *counts = getenv("FAULTLINE_COUNTS");
    char text[64];
    snprintf(text, sizeof text, "%u %u\n", t.passed, t.failed);
    if (counts)
        file_write(counts, text, strlen(text), NULL);
    printf("%u passed, %u failed\n", t.passed, t.failed);
    return t.failed || t.passed == 0 ? EXIT_FAILED : EXIT_FINE;
}
