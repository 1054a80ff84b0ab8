/* mistake: what a lab's wrong answers believe, and one of them as a file to hand in. */
#include "cli/command.h"

#include "base/process.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *patch_path(const struct session *s, const char *name, char *path)
{
    return file_path(path, "%s/reference/%s/mistakes/%s.patch", s->root, strchr(s->lab->folder, '/') + 1, name);
}

/* The first paragraph of the patch, to free. */
static char *believed(const struct session *s, const char *name)
{
    char path[FILE_PATH], *text;
    size_t size;
    struct error err;
    if (file_read(patch_path(s, name, path), 1 << 20, &text, &size, &err) != 0)
        error_exit(EXIT_WRONG_USE, "%s", err.text);
    char *end = strstr(text, "\n\n");
    if (end)
        *end = '\0';
    for (char *line = text; (line = strchr(line, '\n'));)
        *line = ' ';
    return text;
}

static enum exit_code list(const struct session *s)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < s->lab->mistakes; i++) {
        const struct lab_mistake *m = &s->lab->mistake[i];
        char *text = believed(s, m->name);
        if (!s->options.json || strcmp(s->options.json, "-") != 0)
            printf("%s (caught by %s)\n  %s\n", m->name, m->caught_by, text);
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s}", "name", m->name, "caught_by", m->caught_by, "believed", text));
        free(text);
    }
    if (s->options.json)
        return session_write_json(s->options.json, all) ? EXIT_WRONG_USE : EXIT_FINE;
    json_decref(all);
    return EXIT_FINE;
}

enum exit_code command_mistake(struct session *s)
{
    const char *names[101] = {NULL}; /* lab.json has 100 at most */
    bool found = false;
    if (!s->options.file)
        return list(s);
    for (uint32_t i = 0; i < s->lab->mistakes; i++) {
        names[i] = s->lab->mistake[i].name;
        found = found || strcmp(names[i], s->options.file) == 0;
    }
    if (!found) {
        const char *meant = text_nearest(s->options.file, names);
        error_exit(EXIT_WRONG_USE, "lab %s has no mistake %.80s; %s%s%s", s->lab->id, s->options.file,
                   meant ? "was " : "for their names: faultline mistake ", meant ? meant : s->lab->id,
                   meant ? " meant?" : "");
    }
    char solution[FILE_PATH], patch[FILE_PATH];
    file_path(solution, "%s/reference/%s/solution/%s", s->root, strchr(s->lab->folder, '/') + 1, s->lab->hand_in[0]);
    /* As the Makefile does it. It prints to where we print. */
    const char *const argv[] = {
        "patch", "-s", "-F0", "-r", "-", "-o", "-", solution, patch_path(s, s->options.file, patch), NULL};
    const struct process p = {.argv = argv};
    struct process_result r;
    struct error err;
    if (process_run(&p, &r, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    if (r.status != 0)
        error_exit(EXIT_WRONG_USE, "%s does not apply to %s", patch, solution);
    return EXIT_FINE;
}
