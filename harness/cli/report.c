/* The report out of what demo (claims) and bench (costs) left in build/report. */
#include "cli/command.h"

#include "measure/machine.h"
#include "report/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What is there and fits: the costs of another machine (a build folder that was copied) are left out. */
static json_t *costs_of(const struct session *s, const struct lab *lab)
{
    char path[FILE_PATH], here[MACHINE_FINGERPRINT];
    json_t *costs = json_load_file(file_path(path, "%s/report/costs-%s.json", s->build, lab->id), 0, NULL);
    const char *there = json_string_value(json_object_get(json_object_get(costs, "machine"), "fingerprint"));
    machine_fingerprint(here);
    if (costs && there && strcmp(there, here) == 0)
        return costs;
    json_decref(costs);
    return NULL;
}

/* Of a file's last change, local time, as the page shows it; 0 and "" where there is none. */
static time_t date_of(const char *path, char text[20])
{
    struct stat st;
    struct tm local;
    text[0] = '\0';
    if (stat(path, &st) < 0)
        return 0;
    strftime(text, 20, "%Y-%m-%d %H:%M", localtime_r(&st.st_mtime, &local));
    return st.st_mtime;
}

static void attach_dates(const struct session *s, const struct lab *lab, json_t *json)
{
    char path[FILE_PATH], text[20];
    const time_t claims = date_of(file_path(path, "%s/report/lab-%s.json", s->build, lab->id), text);
    if (claims)
        json_object_set_new(json, "claims_date", json_string(text));
    const time_t costs = date_of(file_path(path, "%s/report/costs-%s.json", s->build, lab->id), text);
    if (costs && json_object_get(json, "costs"))
        json_object_update_new(json,
                               json_pack("{s:s, s:b}", "costs_date", text, "costs_older", claims && costs < claims));
}

static void attach_costs(const struct session *s, const struct lab *lab, json_t *json)
{
    char path[FILE_PATH];
    json_t *costs = costs_of(s, lab), *limits = json_load_file(file_path(path, "%s/machine.json", s->build), 0, NULL);
    if (costs && limits)
        json_object_set(costs, "limits", limits);
    if (costs)
        json_object_set_new(json, "costs", costs);
    json_decref(limits);
}

/* A lab whose costs were measured and whose claims were not. */
static json_t *bare(const struct lab *lab)
{
    json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:i, s:[], s:[], s:[], s:[]}", "format", 1, "lab", lab->id, "name",
                          lab->name, "title", lab->title, "seed", 1, "incident", "next", "claims", "plots");
    for (int i = 0; i < 3; i++)
        json_array_append_new(json_object_get(o, "incident"), json_string(lab->incident[i]));
    for (char **next = lab->next; *next; next++)
        json_array_append_new(json_object_get(o, "next"), json_string(*next));
    return o;
}

void session_say_report(const struct session *s, const char *folder)
{
    size_t root = strlen(s->root);
    bool inside = strncmp(folder, s->root, root) == 0 && folder[root] == '/';
    printf("report: %s/index.html\n", inside ? folder + root + 1 : folder);
}

enum exit_code session_report(const struct session *s)
{
    char path[FILE_PATH], folder[FILE_PATH];
    struct error err;
    json_t *labs = json_array();
    for (struct lab **l = s->labs; *l; l++) {
        if ((*l)->broken)
            continue;
        json_t *lab = json_load_file(file_path(path, "%s/report/lab-%s.json", s->build, (*l)->id), 0, NULL);
        bool claims = lab != NULL;
        if (!lab)
            lab = bare(*l);
        attach_costs(s, *l, lab);
        attach_dates(s, *l, lab);
        if (claims || json_object_get(lab, "costs"))
            json_array_append(labs, lab);
        json_decref(lab);
    }
    int code = report_write(file_path(folder, "%s/report", s->build), labs, &err);
    json_decref(labs);
    if (code) {
        fprintf(stderr, "faultline: %s\n", err.text);
        return EXIT_CANNOT_TELL;
    }
    session_say_report(s, folder);
    return EXIT_FINE;
}
