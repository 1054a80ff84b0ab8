/* verify, its second part: attacks. They go the whole way of a submission: laid over the tree, compiled and run in the
 * sandbox. Each must score nothing, leave nothing running, and change nothing for the model solution.
 *
 * Those on the host and the grader, harness/host/attacks/, stand behind the starter; they are the group "sandbox", which
 * is run for one lab only (harness/skeleton_test.sh). Those on what a lab measures, reference/NN/attacks/, are that
 * lab's. The first lines of an attack name the verdicts that are right for it, and of a lab's own the tests in which it
 * must score nothing:
 *
 *     tests: fast-ring/bytes-a-point
 *     verdict: forbidden-system-call, memory
 *
 * The line #include "@SOLUTION@" becomes the model solution, in place of the starter before all else.
 *
 * Attacks are run although linked.h would refuse them, so that the sandbox is proven on its own; and each is linked once
 * more, and must be refused there, unless its first lines say "links:" and why.
 */
#include "cli/verify.h"

#include "base/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* To free. NULL after a line that says why not. */
static char *read_text(struct tally *t, const char *path)
{
    char *text;
    size_t size;
    struct error err;
    if (file_read(path, 1 << 20, &text, &size, &err) == 0)
        return text;
    verify_line(t, false, "%s", err.text);
    return NULL;
}

static const char solution_line[] = "#include \"@SOLUTION@\"";

/* text with each @ROOT@ replaced by the project's folder, each @REFERENCE@ by that of the lab's reference, and the line
 * of the solution by what `solution` holds. */
static void write_replaced(FILE *out, const struct tally *t, const char *text, const char *solution)
{
    while (*text) {
        if (strncmp(text, "@ROOT@", 6) == 0) {
            fputs(t->session->root, out);
            text += 6;
        } else if (strncmp(text, "@REFERENCE@", 11) == 0) {
            fprintf(out, "%s/reference/%s", t->session->root, strchr(t->lab->folder, '/') + 1);
            text += 11;
        } else if (strncmp(text, solution_line, strlen(solution_line)) == 0 && solution) {
            fputs(solution, out);
            text += strlen(solution_line);
        } else {
            fputc(*text++, out);
        }
    }
}

/* The text to hand in, to free: the attack behind the starter, or round the solution; without an attack the solution.
 * NULL after a line that says why not. */
static char *hand_in_of(struct tally *t, const char *attack)
{
    char path[FILE_PATH], *text = NULL;
    size_t size;
    const char *folder = strchr(t->lab->folder, '/') + 1, *file = t->lab->hand_in[0], *root = t->session->root;
    const bool of_starter = attack && !strstr(attack, solution_line);
    char *base = read_text(t, of_starter ? file_path(path, "%s/%s/starter/%s", root, t->lab->folder, file)
                                         : file_path(path, "%s/reference/%s/solution/%s", root, folder, file));
    FILE *out = base ? open_memstream(&text, &size) : NULL;
    if (out) {
        if (of_starter || !attack)
            fprintf(out, "%s\n", base);
        if (attack)
            write_replaced(out, t, attack, base);
        fclose(out);
    }
    free(base);
    return text;
}

/* A folder with the text as what is handed in, to remove. False after a line that says why not. */
static bool write_submission(struct tally *t, const char *text, char *folder)
{
    char path[FILE_PATH];
    struct error err;
    if (file_temp_dir(folder, "faultline-attack", &err) != 0) {
        verify_line(t, false, "%s", err.text);
        return false;
    }
    if (file_write(file_path(path, "%s/%s", folder, t->lab->hand_in[0]), text, strlen(text), &err) == 0)
        return true;
    verify_line(t, false, "%s", err.text);
    file_remove_tree(folder);
    return false;
}

/* Grades text as a submission, one public seed. NULL after a line that says why not. */
static struct grade_result *grade_text(struct tally *t, const char *what, const char *text,
                                       const struct grade_options *how)
{
    char folder[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    struct grade_options options = *how;
    options.root = t->session->root;
    options.build = t->session->build;
    options.seed = t->lab->public_seed[0];
    options.quiet = true;
    if (!write_submission(t, text, folder))
        return NULL;
    if (grade_submission(t->lab, folder, &options, &result, &err) != 0)
        verify_line(t, false, "%s: %s", what, err.text);
    file_remove_tree(folder);
    return result;
}

/* Nothing of it is run: what was linked is looked at, and must be refused in a sentence. */
static void verify_refused(struct tally *t, const char *what, const char *text, bool links)
{
    char folder[FILE_PATH], work[FILE_PATH], plugin[FILE_PATH], *notes = NULL, *output = NULL;
    struct error err = {""};
    const struct grade_options options = {.root = t->session->root, .build = t->session->build, .quiet = true};
    if (!write_submission(t, text, folder))
        return;
    int code = file_temp_dir(work, "faultline-attack", &err);
    if (code == 0) {
        code = submission_take(t->lab, folder, work, &notes, &err);
        if (code == 0)
            code = submission_build(t->lab, &options, work, plugin, &output, &err);
        file_remove_tree(work);
    }
    verify_line(t, links ? code == 0 : code == -ENOEXEC && strlen(err.text) > 20, "attack %s %s%s%.200s", what,
                links ? "has nothing that linking refuses" : "is refused when it is linked", code ? ": " : "",
                code ? err.text : "");
    file_remove_tree(folder);
    free(notes);
    free(output);
}

/* What the line `key: ...` of an attack's first lines says; its length in *n. NULL: there is no such line. */
static const char *said(const char *text, const char *key, size_t *n)
{
    const char *at = strstr(text, key);
    *n = at ? strcspn(at, "\n*") : 0;
    return at;
}

/* Is `id` in the list behind "verdict:"? */
static bool expected(const char *text, const char *id)
{
    size_t n;
    const char *list = said(text, "verdict:", &n), *at = list ? strstr(list, id) : NULL;
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

/* Those that only a deadline ends cost one in each test, so it is a short one and many tests wait for theirs at the
 * same time: however little processor time each then gets, it may not get further. All others have done what they do
 * long before theirs. */
static struct lab lab_for(const struct lab *lab, bool waits, unsigned *jobs)
{
    struct lab quick = *lab;
    quick.build_seconds = 5;
    quick.limits.cpu_seconds = waits ? 1 : 2;
    quick.limits.wall_ms = waits ? 1500 : 6000;
    *jobs = waits ? 16 : 0;
    return quick;
}

/* Whole, or the one test in which a lab's own attack must score nothing. */
static void run_attack(struct tally *t, const char *what, const char *attack, const char *text, const char *test)
{
    const bool waits = expected(attack, verdict_id(VERDICT_WALL_TIME));
    unsigned jobs = 0;
    const struct lab lab = test ? *t->lab : lab_for(t->lab, waits, &jobs);
    struct tally with = *t; /* the same, but for the lab's limits */
    with.lab = &lab;
    const struct grade_options how = {.link_unchecked = true, .as_found = !test, .only = test, .jobs = jobs};
    uint64_t start = process_clock_ns();
    struct grade_result *r = grade_text(&with, what, text, &how);
    t->counts = with.counts;
    double seconds = (double)(process_clock_ns() - start) * 1e-9;
    if (!r)
        return;
    const struct grade_test *odd = NULL;
    for (uint32_t i = 0; i < r->tests && !odd; i++)
        if (!expected(attack, verdict_id(r->test[i].verdict)))
            odd = &r->test[i];
    bool alive = left_running();
    double limit = 30 + (double)lab.limits.wall_ms * 1e-3 * r->tests;
    bool good = r->tests > 0 && r->score == 0 && !r->fault && !odd && !alive && seconds < limit;
    verify_line(t, good, "attack %s scores %u/%u%s%s (%s)%s%s", what, r->score, r->max, test ? " in " : "",
                test ? test : "", r->tests ? verdict_name((odd ? odd : &r->test[0])->verdict) : "no test",
                alive ? ", and processes are LEFT RUNNING" : "",
                odd ? ", which is not the verdict it should have: " : "");
    if (odd)
        printf("        %s\n", odd->message);
    grade_result_destroy(r);
}

static void verify_attack(struct tally *t, const char *folder, const char *file)
{
    char path[FILE_PATH], *tests = NULL, *save = NULL;
    size_t n;
    char *attack = read_text(t, file_path(path, "%s/%s", folder, file));
    char *text = attack ? hand_in_of(t, attack) : NULL;
    const char *list = text ? said(attack, "tests:", &n) : NULL;
    if (text && !list)
        run_attack(t, file, attack, text, NULL);
    if (list && (tests = strndup(list + strlen("tests:"), n - strlen("tests:"))))
        for (char *test = strtok_r(tests, " ,", &save); test; test = strtok_r(NULL, " ,", &save))
            run_attack(t, file, attack, text, test);
    if (text && !expected(attack, verdict_id(VERDICT_NO_BUILD)))
        verify_refused(t, file, text, said(attack, "links:", &n));
    free(tests);
    free(text);
    free(attack);
}

/* Whatever the attacks did, the model solution has full marks after them. */
static void verify_honest(struct tally *t)
{
    char *text = hand_in_of(t, NULL);
    struct grade_result *r =
        text ? grade_text(t, "the model solution", text, &(struct grade_options){.as_found = true}) : NULL;
    if (r)
        verify_line(t, !r->fault && r->max > 0 && r->score == r->max,
                    "the model solution has full marks after the attacks (%u/%u)", r->score, r->max);
    for (uint32_t i = 0; r && i < r->tests; i++)
        if (r->test[i].score < r->test[i].max)
            printf("        %s/%s: %s\n", r->test[i].test->task->id, r->test[i].test->id, r->test[i].message);
    grade_result_destroy(r);
    free(text);
}

/* ---- side by side ---- */

static int is_c_file(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 2 && e->d_name[0] != '.' && strcmp(e->d_name + n - 2, ".c") == 0;
}

#define ATTACKS_MOST 200

struct attacks {
    uint32_t n;
    struct attack {
        const char *folder;
        char file[256];
    } attack[ATTACKS_MOST];
};

/* Those of a folder, or the one of this name. */
static void find_attacks(struct attacks *a, const char *folder, const char *only)
{
    struct dirent **file;
    const int n = scandir(folder, &file, is_c_file, alphasort);
    for (int i = 0; i < n; i++) {
        if (a->n < ATTACKS_MOST && (!only || strcmp(file[i]->d_name, only) == 0)) {
            a->attack[a->n].folder = folder;
            snprintf(a->attack[a->n++].file, sizeof a->attack->file, "%s", file[i]->d_name);
        }
        free(file[i]);
    }
    if (n >= 0)
        free(file);
}

/* In a process of its own: what the attack leaves behind becomes a child of this one, and of no other attack's. */
static void attack_piece(struct tally *t, uint32_t i, void *context)
{
    const struct attacks *a = context;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    verify_attack(t, a->attack[i].folder, a->attack[i].file);
}

static const char *attack_name(uint32_t i, void *context)
{
    return ((const struct attacks *)context)->attack[i].file;
}

void verify_attacks(struct tally *t, bool on_the_host)
{
    char of_host[FILE_PATH], of_lab[FILE_PATH];
    struct attacks a = {0};
    find_attacks(&a, file_path(of_host, "%s/harness/host/attacks", t->session->root),
                 on_the_host ? NULL : "includes_reference.c");
    if (!on_the_host)
        find_attacks(
            &a, file_path(of_lab, "%s/reference/%s/attacks", t->session->root, strchr(t->lab->folder, '/') + 1), NULL);
    if (a.n == 0)
        verify_line(t, false, "%s has no attacks", of_host);
    verify_pieces(t, a.n, attack_piece, attack_name, &a);
    verify_honest(t);
}
