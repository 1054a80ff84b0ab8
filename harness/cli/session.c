/* session.c: finds the project's folders and labs for a command, and writes results where it is told to. */
#include "cli/command.h"

#include "base/json_file.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* build/faultline lies in the build folder; the project's folder is the first above it that has labs and a Makefile. */
static void find_folders(struct session *s)
{
    char path[PATH_MAX] = "", probe[FILE_PATH];
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        error_exit(EXIT_CANNOT_TELL, "cannot find out where this program lies: %s", strerror(errno));
    *strrchr(path, '/') = '\0';
    file_path(s->build, "%s", path);
    for (char *slash; (slash = strrchr(path, '/')); *slash = '\0')
        if (file_is_dir(file_path(probe, "%s/labs", path)) && file_exists(file_path(probe, "%s/Makefile", path)) &&
            strcmp(path, s->build) != 0) {
            file_path(s->root, "%s", path);
            return;
        }
    error_exit(EXIT_WRONG_USE, "%s lies in no Faultline project (no folder above it has labs and a Makefile)",
               s->build);
}

void session_need_lab(struct session *s, const char *name)
{
    const char *names[200];
    size_t n = 0;
    for (struct lab **l = s->labs; *l; l++) {
        uint64_t wanted, number;
        const char *folder = strchr((*l)->folder, '/') + 1;
        bool same = text_number(name, &wanted) && text_number((*l)->id, &number) && wanted == number;
        if (same || strcmp(name, (*l)->name) == 0 || strcmp(name, folder) == 0) {
            if ((*l)->broken)
                error_exit(EXIT_WRONG_USE, "%s", (*l)->broken);
            s->lab = *l;
            return;
        }
        if (n < 197) {
            names[n++] = (*l)->name;
            names[n++] = (*l)->id;
        }
    }
    names[n] = NULL;
    const char *meant = text_nearest(name, names);
    if (meant)
        error_exit(EXIT_WRONG_USE, "there is no lab %s; was %s meant? (faultline list shows all)", name, meant);
    error_exit(EXIT_WRONG_USE, "there is no lab %s (faultline list shows all)", name);
}

struct lab_test *session_test(const struct session *s)
{
    const char *name = s->options.test;
    if (!name)
        return NULL;
    struct lab_test *test = lab_find_test(s->lab, name);
    if (test)
        return test;
    static char full[100][160];
    const char *names[101], *ids[101];
    size_t n = 0;
    for (uint32_t i = 0; i < s->lab->tasks; i++)
        for (uint32_t j = 0; j < s->lab->task[i].tests && n < 100; j++, n++) {
            ids[n] = s->lab->task[i].test[j].id;
            snprintf(full[n], sizeof full[n], "%.70s/%.70s", s->lab->task[i].id, ids[n]);
            names[n] = full[n];
        }
    names[n] = ids[n] = NULL;
    const char *meant = text_nearest(name, strchr(name, '/') ? names : ids);
    if (lab_find_task(s->lab, name)) {
        fprintf(stderr, "faultline: %s is a task of lab %s; a test is one of:\n", name, s->lab->id);
        for (size_t i = 0; i < n; i++)
            if (strncmp(names[i], name, strlen(name)) == 0 && names[i][strlen(name)] == '/')
                fprintf(stderr, "  %s\n", names[i]);
        exit(EXIT_WRONG_USE);
    }
    fprintf(stderr, "faultline: lab %s has no test %s%s%s%s\nIts tests are:\n", s->lab->id, name, meant ? "; was " : "",
            meant ? meant : "", meant ? " meant?" : "");
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "  %s\n", names[i]);
    exit(EXIT_WRONG_USE);
}

const char *session_file(const struct session *s, const struct lab *lab, const char *file, char *out)
{
    return file_path(out, "%s/%s/%s", s->build, lab->folder, file);
}

int session_write_text(const char *path, char *text)
{
    struct error err;
    int code = EXIT_FINE;
    if (!text) {
        fprintf(stderr, "faultline: %s: out of memory\n", path);
        return EXIT_CANNOT_TELL;
    }
    if (strcmp(path, "-") == 0)
        puts(text);
    else if (file_write(path, text, strlen(text), &err) != 0) {
        fprintf(stderr, "faultline: %s\n", err.text);
        code = EXIT_WRONG_USE;
    }
    free(text);
    return code;
}

int session_write_json(const char *path, json_t *json)
{
    struct error err;
    int code = json_file_write(path, json, &err);
    json_decref(json);
    if (code)
        fprintf(stderr, "faultline: %s\n", err.text);
    return code ? EXIT_WRONG_USE : EXIT_FINE;
}

enum exit_code session_start(const struct command *command, struct session *s)
{
    struct error err;
    find_folders(s);
    setenv("FAULTLINE_BUILD", s->build, 1);
    s->labs = lab_list(s->root, &err);
    if (!s->labs)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    if (s->options.lab && command->own != OWN_NEW)
        session_need_lab(s, s->options.lab);
    else if (command->needs_lab)
        error_exit(EXIT_WRONG_USE, "%s: which lab? For example: %s", command->name, command->example);
    enum exit_code code = EXIT_FINE;
    if (s->options.help) {
        options_help(command, s->lab);
    } else {
        if (command->own >= OWN_REPLAY)
            options_of_lab(command, s->lab, &s->options);
        code = command->run(s);
    }
    lab_list_destroy(s->labs);
    return code;
}
