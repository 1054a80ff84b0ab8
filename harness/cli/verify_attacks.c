/* verify, its second part: attacks. They go the whole way of a submission: the starter with the attack behind it, laid
 * over the tree, compiled and run in the sandbox. The first lines of an attack name the verdicts that are right for it:
 *
 *     verdict: left-early, short-log
 *
 * Each must score nothing in any test, leave nothing running, and change nothing for an honest submission.
 */
#include "cli/verify.h"

#include "base/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
static struct grade_result *grade_text(struct tally *t, const char *what, const char *base, const char *more,
                                       unsigned jobs, bool unchecked)
{
    char folder[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    const struct grade_options options = {.root = t->session->root,
                                          .build = t->session->build,
                                          .seed = t->lab->public_seed[0],
                                          .as_found = true,
                                          .link_unchecked = unchecked,
                                          .jobs = jobs,
                                          .quiet = true};
    int code = file_temp_dir(folder, "faultline-attack", &err);
    if (code == 0) {
        code = write_submission(t, folder, base, more, &err);
        if (code == 0)
            code = grade_submission(t->lab, folder, &options, &result, &err);
        file_remove_tree(folder);
    }
    if (code)
        verify_line(t, false, "%s: %s", what, err.text);
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

static void verify_attack(struct tally *t, const char *file, const char *starter)
{
    char path[FILE_PATH], *text;
    size_t size;
    struct error err;
    if (file_read(file_path(path, "%s/harness/host/attacks/%s", t->session->root, file), 1 << 20, &text, &size, &err) !=
        0) {
        verify_line(t, false, "%s", err.text);
        return;
    }
    unsigned jobs;
    const struct lab lab = lab_for(t->lab, expected(text, verdict_id(VERDICT_WALL_TIME)), &jobs);
    struct tally with = *t; /* the same, but for the lab's limits */
    with.lab = &lab;
    uint64_t start = process_clock_ns();
    struct grade_result *r = grade_text(&with, file, starter, text, jobs, true);
    t->counts = with.counts;
    double seconds = (double)(process_clock_ns() - start) * 1e-9;
    if (r) {
        const struct grade_test *odd = NULL;
        for (uint32_t i = 0; i < r->tests && !odd; i++)
            if (!expected(text, verdict_id(r->test[i].verdict)))
                odd = &r->test[i];
        bool alive = left_running();
        double limit = 30 + (double)lab.limits.wall_ms * 1e-3 * r->tests;
        bool good = r->score == 0 && !r->fault && !odd && !alive && seconds < limit;
        verify_line(t, good, "attack %s scores %u/%u (%s)%s%s", file, r->score, r->max,
                    verdict_name((odd ? odd : &r->test[0])->verdict), alive ? ", and processes are LEFT RUNNING" : "",
                    odd ? ", which is not the verdict it should have: " : "");
        if (odd)
            printf("        %s\n", odd->message);
        grade_result_destroy(r);
    }
    free(text);
}

/* The submission that is graded before and after the attacks: the model solution. */
static bool find_honest(const struct tally *t, char *path)
{
    return file_exists(file_path(path, "%s/reference/%s/solution/%s", t->session->root, strchr(t->lab->folder, '/') + 1,
                                 t->lab->hand_in[0]));
}

static uint32_t verify_normal(struct tally *t, const char *when, const char *path)
{
    struct grade_result *r = grade_text(t, when, path, NULL, 0, false);
    uint32_t score = r && !r->fault ? r->score : 0;
    if (r)
        verify_line(t, score > 0, "an honest submission %s gets its points (%u/%u)", when, score, r->max);
    grade_result_destroy(r);
    return score;
}

/* ---- side by side ---- */

static int is_c_file(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 2 && e->d_name[0] != '.' && strcmp(e->d_name + n - 2, ".c") == 0;
}

struct attacks {
    struct dirent **file;
    char starter[FILE_PATH];
};

/* In a process of its own: what the attack leaves behind becomes a child of this one, and of no other attack's. */
static void attack_piece(struct tally *t, uint32_t i, void *context)
{
    const struct attacks *a = context;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    verify_attack(t, a->file[i]->d_name, a->starter);
}

static const char *attack_name(uint32_t i, void *context)
{
    return ((const struct attacks *)context)->file[i]->d_name;
}

void verify_attacks(struct tally *t)
{
    char folder[FILE_PATH], honest[FILE_PATH];
    struct attacks a;
    file_path(a.starter, "%s/%s/starter/%s", t->session->root, t->lab->folder, t->lab->hand_in[0]);
    int n = scandir(file_path(folder, "%s/harness/host/attacks", t->session->root), &a.file, is_c_file, alphasort);
    bool have_honest = find_honest(t, honest);
    uint32_t before = have_honest ? verify_normal(t, "before the attacks", honest) : 0;
    if (n <= 0)
        verify_line(t, false, "%s has no attacks", folder);
    else
        verify_pieces(t, (uint32_t)n, attack_piece, attack_name, &a);
    if (have_honest)
        verify_line(t, verify_normal(t, "after the attacks", honest) == before,
                    "its points are the same as before (%u)", before);
    for (int i = 0; i < n; i++)
        free(a.file[i]);
    if (n >= 0)
        free(a.file);
}
