/* list, status, hint, reset: where one stands, and how to get on. */
#include "cli/command.h"

#include "base/terminal.h"
#include "host/host.h"
#include "host/plugin.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- list
 * --------------------------------------------------------------------------------------------------------------------
 */

static void list_entries(const struct session *s)
{
    char path[FILE_PATH];
    struct error err;
    const struct plugin *plugin =
        file_exists(session_file(s, s->lab, "reference.so", path)) ? host_load_trusted(path, &err) : NULL;
    if (!plugin)
        return;
    puts("\nReference entries:");
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++)
        printf("  %-32s %s\n", (*e)->name, (*e)->summary);
}

static void list_lab(const struct session *s)
{
    const struct lab *lab = s->lab;
    printf("%slab %s: %s%s\n", terminal_style(STYLE_BOLD), lab->id, lab->title, terminal_style(STYLE_PLAIN));
    for (int i = 0; i < 3; i++)
        printf("  %s\n", lab->incident[i]);
    printf("\nTasks, %u points (%u for the public tests):\n", lab_points(lab), lab_public_points(lab));
    for (uint32_t i = 0; i < lab->tasks; i++) {
        const struct lab_task *task = &lab->task[i];
        printf("  %s: %s\n", task->id, task->title);
        for (uint32_t j = 0; j < task->tests; j++)
            printf("    %2u+%-2u  %-28s %s\n", task->test[j].points, task->test[j].hidden_points, task->test[j].id,
                   task->test[j].what);
    }
    list_entries(s);
}

static void list_markdown(const struct lab *lab)
{
    printf("%u points: %u for the public tests, %u for the same tests with secret seeds.\n\n", lab_points(lab),
           lab_public_points(lab), lab_points(lab) - lab_public_points(lab));
    puts("| task | entry | test | public | secret | what it shows |\n|---|---|---|---|---|---|");
    for (uint32_t i = 0; i < lab->tasks; i++)
        for (uint32_t j = 0; j < lab->task[i].tests; j++) {
            const struct lab_test *t = &lab->task[i].test[j];
            printf("| %s | %s%s%s | `%s` | %u | %u | %s |\n", j ? "" : t->task->title, j ? "" : "`",
                   j ? "" : t->task->entry, j ? "" : "`", t->id, t->points, t->hidden_points, t->what);
        }
}

/* As in the handout; fails for a rule that no test names. */
static enum exit_code list_rules(const struct lab *lab)
{
    enum exit_code code = EXIT_FINE;
    for (uint32_t k = 0; k < lab->rules; k++) {
        bool held = false;
        printf("- **%s**: %s\n", lab->rule[k].id, lab->rule[k].text);
        for (uint32_t i = 0; i < lab->tasks; i++)
            for (uint32_t j = 0; j < lab->task[i].tests; j++)
                for (char **id = lab->task[i].test[j].rules; *id; id++)
                    held = held || strcmp(*id, lab->rule[k].id) == 0;
        if (!held) {
            fprintf(stderr, "faultline: %s/lab.json: rules[%u]: no test names %s\n", lab->folder, k, lab->rule[k].id);
            code = EXIT_FAILED;
        }
    }
    return code;
}

enum exit_code command_list(struct session *s)
{
    if (s->options.markdown) {
        if (!s->lab)
            error_exit(EXIT_WRONG_USE, "list: --markdown needs a lab");
        list_markdown(s->lab);
        return EXIT_FINE;
    }
    if (s->options.rules) {
        if (!s->lab)
            error_exit(EXIT_WRONG_USE, "list: --rules needs a lab");
        return list_rules(s->lab);
    }
    json_t *all = json_array();
    if (s->lab)
        list_lab(s);
    for (struct lab **l = s->labs; *l; l++) {
        if (!s->lab && (*l)->broken)
            printf("  %-4s %-24s %sbroken%s      %s\n", (*l)->id, (*l)->name, terminal_style(STYLE_BAD),
                   terminal_style(STYLE_PLAIN), (*l)->broken);
        else if (!s->lab)
            printf("  %-4s %-24s %3u points  %s\n", (*l)->id, (*l)->name, lab_points(*l), (*l)->title);
        if ((!s->lab || s->lab == *l) && !(*l)->broken)
            json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:i}", "lab", (*l)->id, "name", (*l)->name, "title",
                                                 (*l)->title, "points", (int)lab_points(*l)));
    }
    if (!s->lab)
        printf("\nOne of them: faultline list %s\n", *s->labs ? (*s->labs)->id : "01");
    if (s->options.json)
        return session_write_json(s->options.json, all) ? EXIT_WRONG_USE : EXIT_FINE;
    json_decref(all);
    return EXIT_FINE;
}

/* ---- status ---- */

static json_t *progress_of(const struct session *s, const struct lab *lab)
{
    char path[FILE_PATH], *data;
    size_t size;
    if (file_read(file_path(path, "%s/progress/%s.json", s->build, lab->id), 16 << 20, &data, &size, NULL) != 0)
        return NULL;
    json_t *json = json_loadb(data, size, 0, NULL);
    free(data);
    return json;
}

static void bar(unsigned part, unsigned whole)
{
    unsigned full = whole ? 20 * part / whole : 0;
    printf("[%s%.*s%s%.*s]", terminal_style(STYLE_GOOD), (int)full, "####################", terminal_style(STYLE_PLAIN),
           (int)(20 - full), "....................");
}

static void status_tasks(const struct lab *lab, const json_t *progress)
{
    for (uint32_t i = 0; i < lab->tasks; i++) {
        unsigned score = 0, max = 0;
        size_t k;
        json_t *t;
        json_array_foreach(json_object_get(progress, "tests"), k, t)
        {
            const char *task = json_string_value(json_object_get(t, "task"));
            if (!task || strcmp(task, lab->task[i].id) != 0)
                continue;
            score += (unsigned)json_integer_value(json_object_get(t, "score"));
            max += (unsigned)json_integer_value(json_object_get(t, "max"));
        }
        fputs("       ", stdout);
        bar(score, max);
        printf(" %3u/%-3u %s\n", score, max, lab->task[i].title);
    }
}

enum exit_code command_status(struct session *s)
{
    json_t *all = json_array();
    for (struct lab **l = s->labs; *l; l++) {
        if ((*l)->broken)
            continue;
        json_t *progress = progress_of(s, *l);
        unsigned score = (unsigned)json_integer_value(json_object_get(progress, "public_score")),
                 max = lab_public_points(*l);
        if (s->lab && s->lab != *l) {
            json_decref(progress);
            continue;
        }
        printf("  %-4s ", (*l)->id);
        bar(score, max);
        printf(" %3u/%-3u public points  %s%s\n", score, max, (*l)->title, progress ? "" : "  (not checked yet)");
        if (progress)
            status_tasks(*l, progress);
        json_array_append_new(all, json_pack("{s:s, s:i, s:i, s:b}", "lab", (*l)->id, "public_score", (int)score,
                                             "public_max", (int)max, "checked", progress != NULL));
        json_decref(progress);
    }
    puts("\nAs of the last whole check of each lab: make check LAB=01");
    if (s->options.json)
        return session_write_json(s->options.json, all) ? EXIT_WRONG_USE : EXIT_FINE;
    json_decref(all);
    return EXIT_FINE;
}

/* ---- hint
 * --------------------------------------------------------------------------------------------------------------------
 */

static const struct lab_task *hint_task(struct session *s)
{
    if (!s->options.test) {
        fprintf(stderr, "faultline: hint: for which task? One of:\n");
        for (uint32_t i = 0; i < s->lab->tasks; i++)
            fprintf(stderr, "  --test %s\n", s->lab->task[i].id);
        exit(EXIT_WRONG_USE);
    }
    const struct lab_task *task = lab_find_task(s->lab, s->options.test);
    return task ? task : session_test(s)->task;
}

/* Each call shows one step more; how many were shown is kept below the build folder. */
enum exit_code command_hint(struct session *s)
{
    char path[FILE_PATH], *data = NULL;
    size_t size;
    const struct lab_task *task = hint_task(s);
    file_path(path, "%s/progress/%s.%s.hints", s->build, s->lab->id, task->id);
    unsigned shown = file_read(path, 16, &data, &size, NULL) == 0 ? (unsigned)strtoul(data, NULL, 10) : 0;
    free(data);
    if (shown < LAB_HINTS)
        shown++;
    if (s->options.all || shown > LAB_HINTS)
        shown = LAB_HINTS;
    printf("%s%s%s\n", terminal_style(STYLE_BOLD), task->title, terminal_style(STYLE_PLAIN));
    for (unsigned i = 0; i < shown; i++)
        printf("  %u of %d. %s\n", i + 1, LAB_HINTS, task->hint[i]);
    if (shown < LAB_HINTS)
        printf("%sThe same command shows the next.%s\n", terminal_style(STYLE_DIM), terminal_style(STYLE_PLAIN));
    char number[8];
    snprintf(number, sizeof number, "%u\n", shown);
    struct error err;
    if (file_write(path, number, strlen(number), &err) != 0)
        fprintf(stderr, "faultline: %s\n", err.text);
    if (!s->options.json)
        return EXIT_FINE;
    json_t *hints = json_array();
    for (unsigned i = 0; i < shown; i++)
        json_array_append_new(hints, json_string(task->hint[i]));
    return session_write_json(s->options.json, json_pack("{s:s, s:o}", "task", task->id, "hints", hints))
               ? EXIT_WRONG_USE
               : EXIT_FINE;
}

/* ---- reset
 * -------------------------------------------------------------------------------------------------------------------
 */

/* A name beside `path` that is not taken: path.2026-11-21, then path.2026-11-21.2 … */
static void free_name(char *out, const char *path)
{
    char day[16];
    time_t now = time(NULL);
    struct tm local;
    strftime(day, sizeof day, "%Y-%m-%d", localtime_r(&now, &local));
    file_path(out, "%s.%s", path, day);
    for (unsigned n = 2; access(out, F_OK) == 0; n++)
        file_path(out, "%s.%s.%u", path, day, n);
}

static bool same_content(const char *a, const char *b)
{
    char *da = NULL, *db = NULL;
    size_t na, nb;
    bool same = file_read(a, 1 << 24, &da, &na, NULL) == 0 && file_read(b, 1 << 24, &db, &nb, NULL) == 0 && na == nb &&
                memcmp(da, db, na) == 0;
    free(da);
    free(db);
    return same;
}

enum exit_code command_reset(struct session *s)
{
    for (char **f = s->lab->hand_in; *f; f++) {
        char starter[FILE_PATH], own[FILE_PATH], kept[FILE_PATH];
        struct error err;
        file_path(starter, "%s/%s/starter/%s", s->root, s->lab->folder, *f);
        file_path(own, "%s/%s/%s", s->root, s->lab->folder, *f);
        if (same_content(starter, own)) {
            printf("%s/%s is the starter already\n", s->lab->folder, *f);
            continue;
        }
        free_name(kept, own);
        /* A copy first, then the new one under the old name: at no moment is there no file, or only half of one. */
        if ((file_exists(own) && file_copy(own, kept, 1 << 24, &err) != 0) ||
            file_copy(starter, own, 1 << 24, &err) != 0)
            error_exit(EXIT_WRONG_USE, "%s", err.text);
        printf("%s/%s is the starter again", s->lab->folder, *f);
        if (file_exists(kept))
            printf("; what you wrote is in %s", strrchr(kept, '/') + 1);
        putchar('\n');
    }
    return EXIT_FINE;
}
