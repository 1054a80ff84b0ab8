/* lab.c: reads lab.json, and answers what stands in it. */
#include "grade/lab.h"

#include "base/text.h"
#include "grade/schema.h"
#include "sim/real.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct field ramp_fields[] = {
    {"full", FIELD_POSITIVE, true, 0, 0, NULL},
    {"none", FIELD_POSITIVE, true, 0, 0, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field rule_fields[] = {
    {"id", FIELD_NAME, true, 0, 0, NULL},
    {"text", FIELD_TEXT, true, 0, 0, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field test_fields[] = {
    {"id", FIELD_NAME, true, 0, 0, NULL},
    {"what", FIELD_TEXT, true, 0, 0, NULL},
    {"points", FIELD_INTEGER, true, 0, 1000, NULL},
    {"hidden_points", FIELD_INTEGER, true, 0, 1000, NULL},
    {"ramp", FIELD_OBJECT, false, 0, 0, ramp_fields},
    {"needs", FIELD_NAME, false, 0, 0, NULL},
    {"rules", FIELD_TEXTS, false, 1, 30, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field task_fields[] = {
    {"id", FIELD_NAME, true, 0, 0, NULL},
    {"title", FIELD_TEXT, true, 0, 0, NULL},
    {"entry", FIELD_NAME, true, 0, 0, NULL},
    {"hints", FIELD_TEXTS, true, LAB_HINTS, LAB_HINTS, NULL},
    {"tests", FIELD_OBJECTS, true, 1, 50, test_fields},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field mistake_fields[] = {
    {"name", FIELD_FILE, true, 0, 0, NULL},
    {"caught_by", FIELD_TEXT, true, 0, 0, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field option_fields[] = {
    {"name", FIELD_NAME, true, 0, 0, NULL},
    {"argument", FIELD_TEXT, true, 0, 0, NULL},
    {"what", FIELD_TEXT, true, 0, 0, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field limit_fields[] = {
    {"build_seconds", FIELD_INTEGER, true, 1, 600, NULL},
    {"cpu_seconds", FIELD_INTEGER, true, 1, 600, NULL},
    {"wall_seconds", FIELD_INTEGER, true, 1, 3600, NULL},
    {"memory_mib", FIELD_INTEGER, true, 16, 16384, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field seed_fields[] = {
    {"public", FIELD_INTEGERS, true, 1, 20, NULL},
    {"hidden", FIELD_INTEGER, true, 0, 20, NULL},
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static const struct field lab_fields[] = {
    {"faultline", FIELD_INTEGER, true, 1, 1, NULL},
    {"id", FIELD_NAME, true, 0, 0, NULL},
    {"name", FIELD_NAME, true, 0, 0, NULL},
    {"title", FIELD_TEXT, true, 0, 0, NULL},
    {"incident", FIELD_TEXTS, true, 3, 3, NULL},
    {"next", FIELD_TEXTS, true, 1, 10, NULL},
    {"hand_in", FIELD_FILES, true, 1, 10, NULL},
    {"threads", FIELD_BOOLEAN, false, 0, 0, NULL},
    {"limits", FIELD_OBJECT, true, 0, 0, limit_fields},
    {"seeds", FIELD_OBJECT, true, 0, 0, seed_fields},
    {"rules", FIELD_OBJECTS, false, 1, 100, rule_fields},
    {"tasks", FIELD_OBJECTS, true, 1, 20, task_fields},
    {"mistakes", FIELD_OBJECTS, false, 0, 100, mistake_fields},
    {"replay", FIELD_OBJECTS, false, 0, LAB_OPTIONS, option_fields},
    {"demo", FIELD_OBJECTS, false, 0, LAB_OPTIONS, option_fields},
    {"sample", FIELD_TEXT, false, 0, 0, NULL}, /* what its replay can read, below the root; harness/same_bytes.sh */
    {NULL, FIELD_TEXT, false, 0, 0, NULL},
};

static char *text(const json_t *object, const char *name)
{
    return (char *)(uintptr_t)json_string_value(json_object_get(object, name));
}

static uint32_t number(const json_t *object, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(object, name));
}

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return p;
}

static char **texts(const json_t *object, const char *name)
{
    const json_t *list = json_object_get(object, name);
    char **out = allocate(json_array_size(list) + 1, sizeof *out);
    for (size_t i = 0; i < json_array_size(list); i++)
        out[i] = (char *)(uintptr_t)json_string_value(json_array_get(list, i));
    return out;
}

static struct lab_option *read_options(const json_t *list, uint32_t *n)
{
    *n = (uint32_t)json_array_size(list);
    struct lab_option *option = allocate(*n, sizeof *option);
    for (uint32_t i = 0; i < *n; i++) {
        const json_t *o = json_array_get(list, i);
        option[i] = (struct lab_option){text(o, "name"), text(o, "argument"), text(o, "what")};
    }
    return option;
}

static void read_task(struct lab_task *task, const json_t *json)
{
    task->id = text(json, "id");
    task->title = text(json, "title");
    task->entry = text(json, "entry");
    for (size_t i = 0; i < LAB_HINTS; i++)
        task->hint[i] = (char *)(uintptr_t)json_string_value(json_array_get(json_object_get(json, "hints"), i));
    const json_t *tests = json_object_get(json, "tests");
    task->tests = (uint32_t)json_array_size(tests);
    task->test = allocate(task->tests, sizeof *task->test);
    for (uint32_t i = 0; i < task->tests; i++) {
        const json_t *t = json_array_get(tests, i), *ramp = json_object_get(t, "ramp");
        task->test[i] = (struct lab_test){.id = text(t, "id"),
                                          .what = text(t, "what"),
                                          .points = number(t, "points"),
                                          .hidden_points = number(t, "hidden_points"),
                                          .ramp = {json_number_value(json_object_get(ramp, "full")),
                                                   json_number_value(json_object_get(ramp, "none"))},
                                          .rules = texts(t, "rules"),
                                          .needs = text(t, "needs"),
                                          .task = task};
    }
}

static void read_fields(struct lab *lab, const json_t *json)
{
    lab->id = text(json, "id");
    lab->name = text(json, "name");
    lab->title = text(json, "title");
    for (size_t i = 0; i < 3; i++)
        lab->incident[i] = (char *)(uintptr_t)json_string_value(json_array_get(json_object_get(json, "incident"), i));
    lab->next = texts(json, "next");
    lab->hand_in = texts(json, "hand_in");
    lab->threads = json_is_true(json_object_get(json, "threads"));
    const json_t *limits = json_object_get(json, "limits"), *seeds = json_object_get(json, "seeds");
    lab->build_seconds = number(limits, "build_seconds");
    lab->limits = (struct host_limits){number(limits, "cpu_seconds"), 1000u * number(limits, "wall_seconds"),
                                       (uint64_t)number(limits, "memory_mib") << 20};
    const json_t *public = json_object_get(seeds, "public");
    lab->public_seeds = (uint32_t)json_array_size(public);
    lab->public_seed = allocate(lab->public_seeds, sizeof *lab->public_seed);
    for (uint32_t i = 0; i < lab->public_seeds; i++)
        lab->public_seed[i] = (uint64_t)json_integer_value(json_array_get(public, i));
    lab->hidden_seeds = number(seeds, "hidden");
    const json_t *rules = json_object_get(json, "rules"), *tasks = json_object_get(json, "tasks"),
                 *mistakes = json_object_get(json, "mistakes");
    lab->rules = (uint32_t)json_array_size(rules);
    lab->rule = allocate(lab->rules, sizeof *lab->rule);
    for (uint32_t i = 0; i < lab->rules; i++) {
        const json_t *r = json_array_get(rules, i);
        lab->rule[i] = (struct lab_rule){text(r, "id"), text(r, "text")};
    }
    lab->tasks = (uint32_t)json_array_size(tasks);
    lab->task = allocate(lab->tasks, sizeof *lab->task);
    for (uint32_t i = 0; i < lab->tasks; i++)
        read_task(&lab->task[i], json_array_get(tasks, i));
    lab->mistakes = (uint32_t)json_array_size(mistakes);
    lab->mistake = allocate(lab->mistakes, sizeof *lab->mistake);
    for (uint32_t i = 0; i < lab->mistakes; i++) {
        const json_t *m = json_array_get(mistakes, i);
        lab->mistake[i] = (struct lab_mistake){text(m, "name"), text(m, "caught_by")};
    }
    lab->replay = read_options(json_object_get(json, "replay"), &lab->replays);
    lab->demo = read_options(json_object_get(json, "demo"), &lab->demos);
}

static int check_rules(const struct lab *lab, const struct lab_test *test, uint32_t i, uint32_t j, struct error *err)
{
    const char *names[101]; /* 100 at most */
    for (uint32_t k = 0; k < lab->rules; k++)
        names[k] = lab->rule[k].id;
    names[lab->rules] = NULL;
    for (uint32_t k = 0; test->rules[k]; k++) {
        const char *meant = lab_find_rule(lab, test->rules[k]) ? NULL : text_nearest(test->rules[k], names);
        if (!lab_find_rule(lab, test->rules[k]))
            return error_set(err, -EINVAL, "tasks[%u].tests[%u].rules[%u]: there is no rule %.100s%s%s%s", i, j, k,
                             test->rules[k], meant ? "; was " : "", meant ? meant : "", meant ? " meant?" : "");
        for (uint32_t m = 0; m < k; m++)
            if (strcmp(test->rules[m], test->rules[k]) == 0)
                return error_set(err, -EINVAL, "tasks[%u].tests[%u].rules[%u]: %.100s stands there twice", i, j, k,
                                 test->rules[k]);
    }
    return 0;
}

static int check_test(const struct lab_test *test, uint32_t i, uint32_t j, struct error *err)
{
    if (test->needs && strcmp(test->needs, "reference") != 0)
        return error_set(err, -EINVAL, "tasks[%u].tests[%u].needs: must be \"reference\", which is all that there is",
                         i, j);
    if (test->ramp.full > 0 && test->ramp.full == test->ramp.none)
        return error_set(err, -EINVAL, "tasks[%u].tests[%u].ramp: full and none must differ", i, j);
    return 0;
}

static int check_options(const char *field, const struct lab_option *option, uint32_t n, struct error *err)
{
    static const char *const of_every_lab[] = {"entries", "plugin", "json", "seed", "quiet", "help", "broken", "only"};
    for (uint32_t i = 0; i < n; i++) {
        const char *name = option[i].name;
        for (size_t k = 0; k < sizeof of_every_lab / sizeof *of_every_lab; k++)
            if (strcmp(name, of_every_lab[k]) == 0)
                return error_set(err, -EINVAL, "%s[%u].name: every %s has --%s already", field, i, field, name);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(name, option[k].name) == 0)
                return error_set(err, -EINVAL, "%s[%u].name: %s stands there twice", field, i, name);
    }
    return 0;
}

/* What the schema can't say: the folder's name, unique names, and that mistakes point to tests that exist. */
static int check_sense(const struct lab *lab, const char *folder_name, struct error *err)
{
    char expected[200];
    snprintf(expected, sizeof expected, "%.20s-%.150s", lab->id, lab->name);
    if (strcmp(expected, folder_name) != 0)
        return error_set(err, -EINVAL, "id, name: say %s, but the folder is %.150s", expected, folder_name);
    for (uint32_t i = 0; i < lab->rules; i++)
        if (lab_find_rule(lab, lab->rule[i].id) != &lab->rule[i])
            return error_set(err, -EINVAL, "rules[%u].id: %s stands there twice", i, lab->rule[i].id);
    for (uint32_t i = 0; i < lab->tasks; i++) {
        const struct lab_task *task = &lab->task[i];
        if (lab_find_task(lab, task->id) != task)
            return error_set(err, -EINVAL, "tasks[%u].id: %s stands there twice", i, task->id);
        for (uint32_t j = 0; j < task->tests; j++) {
            for (uint32_t k = 0; k < j; k++)
                if (strcmp(task->test[j].id, task->test[k].id) == 0)
                    return error_set(err, -EINVAL, "tasks[%u].tests[%u].id: %s stands there twice", i, j,
                                     task->test[j].id);
            int code = check_test(&task->test[j], i, j, err);
            code = code ? code : check_rules(lab, &task->test[j], i, j, err);
            if (code)
                return code;
        }
    }
    for (uint32_t i = 0; i < lab->mistakes; i++)
        if (!lab_find_test(lab, lab->mistake[i].caught_by))
            return error_set(err, -EINVAL, "mistakes[%u].caught_by: there is no test %.100s", i,
                             lab->mistake[i].caught_by);
    int code = check_options("replay", lab->replay, lab->replays, err);
    return code ? code : check_options("demo", lab->demo, lab->demos, err);
}

int lab_load(const char *root, const char *folder_name, struct lab **out, struct error *err)
{
    char path[FILE_PATH];
    char *data;
    size_t size;
    file_path(path, "%s/labs/%s/lab.json", root, folder_name);
    int code = file_read(path, 1 << 20, &data, &size, err);
    if (code)
        return code;
    json_error_t where;
    json_t *json = json_loadb(data, size, JSON_REJECT_DUPLICATES, &where);
    free(data);
    if (!json)
        return error_set(err, -EINVAL, "%s:%d:%d: %s", path, where.line, where.column, where.text);
    struct lab *lab = allocate(1, sizeof *lab);
    lab->json = json;
    file_path(lab->folder, "labs/%s", folder_name);
    code = schema_check(json, lab_fields, "", err);
    if (code == 0) {
        read_fields(lab, json);
        code = check_sense(lab, folder_name, err);
    }
    if (code) {
        error_prefix(err, "%s", path);
        lab_destroy(lab);
        return code;
    }
    *out = lab;
    return 0;
}

void lab_destroy(struct lab *lab)
{
    if (!lab)
        return;
    for (uint32_t i = 0; i < lab->tasks; i++) {
        for (uint32_t j = 0; j < lab->task[i].tests; j++)
            free(lab->task[i].test[j].rules);
        free(lab->task[i].test);
    }
    free(lab->task);
    free(lab->rule);
    free(lab->mistake);
    free(lab->replay);
    free(lab->demo);
    free(lab->public_seed);
    free(lab->hand_in);
    free(lab->next);
    json_decref(lab->json);
    free(lab);
}

const char *lab_world(const struct lab *lab, const char *build, char *out)
{
    return file_path(out, "%s/%s/world-%s.so", build, lab->folder, lab->id);
}

double lab_share(const struct lab_ramp *ramp, double figure)
{
    double share = real_log(ramp->none / figure) / real_log(ramp->none / ramp->full);
    return share >= 1 ? 1 : share > 0 ? share : 0;
}

uint32_t lab_share_points(double share, uint32_t points)
{
    return (uint32_t)(share * points + 1e-9);
}

uint32_t lab_points(const struct lab *lab)
{
    uint32_t sum = lab_public_points(lab);
    for (uint32_t i = 0; i < lab->tasks; i++)
        for (uint32_t j = 0; j < lab->task[i].tests; j++)
            sum += lab->task[i].test[j].hidden_points;
    return sum;
}

uint32_t lab_public_points(const struct lab *lab)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < lab->tasks; i++)
        for (uint32_t j = 0; j < lab->task[i].tests; j++)
            sum += lab->task[i].test[j].points;
    return sum;
}

struct lab_task *lab_find_task(const struct lab *lab, const char *id)
{
    for (uint32_t i = 0; i < lab->tasks; i++)
        if (strcmp(lab->task[i].id, id) == 0)
            return &lab->task[i];
    return NULL;
}

const struct lab_rule *lab_find_rule(const struct lab *lab, const char *id)
{
    for (uint32_t i = 0; i < lab->rules; i++)
        if (strcmp(lab->rule[i].id, id) == 0)
            return &lab->rule[i];
    return NULL;
}

struct lab_test *lab_find_test(const struct lab *lab, const char *name)
{
    const char *slash = strchr(name, '/');
    struct lab_test *found = NULL;
    for (uint32_t i = 0; i < lab->tasks; i++) {
        struct lab_task *task = &lab->task[i];
        if (slash &&
            (strlen(task->id) != (size_t)(slash - name) || strncmp(task->id, name, (size_t)(slash - name)) != 0))
            continue;
        for (uint32_t j = 0; j < task->tests; j++)
            if (strcmp(task->test[j].id, slash ? slash + 1 : name) == 0) {
                if (found)
                    return NULL;
                found = &task->test[j];
            }
    }
    return found;
}

static int is_lab_folder(const struct dirent *entry)
{
    const char *n = entry->d_name;
    return isdigit((unsigned char)n[0]) && isdigit((unsigned char)n[1]) && n[2] == '-';
}

/* Known by its folder's name alone. */
static struct lab *broken_lab(const char *folder_name, const struct error *why)
{
    struct lab *lab = allocate(1, sizeof *lab);
    file_path(lab->folder, "labs/%s", folder_name);
    lab->json = json_pack("{s:s#, s:s, s:s}", "id", folder_name, 2, "name", folder_name + 3, "broken", why->text);
    if (!lab->json)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    lab->id = text(lab->json, "id");
    lab->name = text(lab->json, "name");
    lab->broken = text(lab->json, "broken");
    return lab;
}

struct lab **lab_list(const char *root, struct error *err)
{
    char path[FILE_PATH];
    struct dirent **entries;
    int n = scandir(file_path(path, "%s/labs", root), &entries, is_lab_folder, alphasort);
    if (n < 0) {
        error_set(err, -errno, "%s: %s (run this from the project's folder)", path, strerror(errno));
        return NULL;
    }
    struct lab **labs = allocate((size_t)n + 1, sizeof(struct lab *));
    int loaded = 0;
    for (int i = 0; i < n; i++) {
        struct error why;
        const char *name = entries[i]->d_name;
        if (file_exists(file_path(path, "%s/labs/%s/lab.json", root, name))) {
            if (lab_load(root, name, &labs[loaded], &why) != 0)
                labs[loaded] = broken_lab(name, &why);
            loaded++;
        }
        free(entries[i]);
    }
    free(entries);
    return labs;
}

void lab_list_destroy(struct lab **labs)
{
    for (struct lab **l = labs; l && *l; l++)
        lab_destroy(*l);
    free(labs);
}
