/* new_lab.c: the three folders of a lab that builds and passes its own verify, to begin a lab of one's own with.
 *
 * harness/skeleton has the files. In their text and their names the lab's number and name take the place of
 * SKELETON_NUMBER, SKELETON_NAME, skeleton and SKELETON. The folders are made under names of their own, which no command
 * looks at, and renamed when they are whole.
 */
#include "cli/command.h"

#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Identifiers and files of its own begin with the lab's name, so it must not be long. */
#define NAME_MOST 30

static const char *const places[] = {"labs", "reference", "bench"};

struct words {
    const char *from;
    char to[NAME_MOST + 1];
};

/* What stands for what; the longer ones first. */
static void set_words(struct words *w, const char *number, const char *name)
{
    w[0] = (struct words){.from = "SKELETON_NUMBER"};
    w[1] = (struct words){.from = "SKELETON_NAME"};
    w[2] = (struct words){.from = "skeleton"};
    w[3] = (struct words){.from = "SKELETON"};
    snprintf(w[0].to, sizeof w->to, "%s", number);
    for (int i = 1; i < 4; i++)
        snprintf(w[i].to, sizeof w->to, "%s", name);
    for (char *c = w[2].to; *c; c++)
        *c = *c == '-' ? '_' : *c;
    for (size_t i = 0; w[2].to[i]; i++)
        w[3].to[i] = (char)toupper((unsigned char)w[2].to[i]);
}

/* text with the words replaced, to free. */
static char *replaced(const char *text, const struct words *w)
{
    char *result = NULL;
    size_t size;
    FILE *out = open_memstream(&result, &size);
    if (!out)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    while (*text) {
        int i = 0;
        while (i < 4 && strncmp(text, w[i].from, strlen(w[i].from)) != 0)
            i++;
        if (i < 4) {
            fputs(w[i].to, out);
            text += strlen(w[i].from);
        } else {
            fputc(*text++, out);
        }
    }
    fclose(out);
    return result;
}

static int copy_file(const char *from, const char *to, const struct words *w, struct error *err)
{
    char *text;
    size_t size;
    int code = file_read(from, 1 << 20, &text, &size, err);
    if (code)
        return code;
    char *own = replaced(text, w);
    code = file_write(to, own, strlen(own), err);
    free(own);
    free(text);
    return code;
}

/* Everything below `from`. A starter is written twice: it is also what the student begins to edit. */
static int copy_tree(const char *from, const char *to, const struct words *w, struct error *err)
{
    char source[FILE_PATH], target[FILE_PATH];
    DIR *dir = opendir(from);
    if (!dir)
        return error_set(err, -errno, "%s: %s", from, strerror(errno));
    int code = file_make_dirs(to, err);
    const char *folder = strrchr(to, '/');
    for (struct dirent *e; code == 0 && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        char *name = replaced(e->d_name, w);
        file_path(source, "%s/%s", from, e->d_name);
        file_path(target, "%s/%s", to, name);
        code = file_is_dir(source) ? copy_tree(source, target, w, err) : copy_file(source, target, w, err);
        if (code == 0 && strcmp(folder, "/starter") == 0)
            code = copy_file(source, file_path(target, "%.*s/%s", (int)(folder - to), to, name), w, err);
        free(name);
    }
    closedir(dir);
    return code;
}

/* ---- what is refused ---- */

static const char *wrong_name(const char *name)
{
    const size_t n = strlen(name);
    if (n == 0 || n > NAME_MOST)
        return "it must have 1 to 30 characters";
    if (!islower((unsigned char)name[0]) || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != n ||
        name[n - 1] == '-' || strstr(name, "--"))
        return "it must be small letters, figures and single hyphens between them, as in rate-limiting";
    if (strncmp(name, "check", 5) == 0 || strcmp(name, "adapter") == 0 || strncmp(name, "skeleton", 8) == 0)
        return "files of that name have another meaning";
    return NULL;
}

static void must_be_new(const struct session *s, const char *number, const char *name)
{
    uint64_t own, other;
    text_number(number, &own);
    for (struct lab **l = s->labs; *l; l++) {
        if (text_number((*l)->id, &other) && own == other)
            error_exit(EXIT_WRONG_USE, "new-lab: there is a lab %s already: %s", number, (*l)->folder);
        if (strcmp((*l)->name, name) == 0)
            error_exit(EXIT_WRONG_USE, "new-lab: there is a lab named %s already: %s", name, (*l)->folder);
    }
}

enum exit_code command_new_lab(struct session *s)
{
    const char *number = s->options.lab, *name = s->options.file, *wrong;
    char from[FILE_PATH], made[COUNT(places)][FILE_PATH], folder[COUNT(places)][FILE_PATH];
    struct words words[4];
    struct error err;
    if (!number || !name)
        error_exit(EXIT_WRONG_USE, "new-lab: which number and name? For example: faultline new-lab 42 leader-election");
    if (strlen(number) != 2 || !isdigit((unsigned char)number[0]) || !isdigit((unsigned char)number[1]))
        error_exit(EXIT_WRONG_USE, "new-lab: %s is no number of a lab; it must have two figures, as in 07", number);
    if ((wrong = wrong_name(name)))
        error_exit(EXIT_WRONG_USE, "new-lab: %s is no name of a lab: %s", name, wrong);
    must_be_new(s, number, name);
    set_words(words, number, name);
    for (size_t i = 0; i < COUNT(places); i++) {
        file_path(folder[i], "%s/%s/%s-%s", s->root, places[i], number, name);
        file_path(made[i], "%s/%s/.new-%s.%ld", s->root, places[i], number, (long)getpid());
        if (access(folder[i], F_OK) == 0)
            error_exit(EXIT_WRONG_USE, "new-lab: %s is there already", folder[i]);
    }
    int code = 0;
    for (size_t i = 0; i < COUNT(places) && code == 0; i++)
        code = copy_tree(file_path(from, "%s/harness/skeleton/%s", s->root, places[i]), made[i], words, &err);
    /* labs/ comes last: a folder there is what makes it a lab. */
    size_t done = COUNT(places);
    for (; code == 0 && done > 0; done--)
        if (rename(made[done - 1], folder[done - 1]) < 0) {
            code = error_set(&err, -errno, "%s: %s", folder[done - 1], strerror(errno));
            break;
        }
    if (code) {
        for (size_t i = 0; i < COUNT(places); i++)
            file_remove_tree(i < done ? made[i] : folder[i]);
        error_exit(EXIT_CANNOT_TELL, "new-lab: nothing was made: %s", err.text);
    }
    printf("labs/%s-%s, reference/%s-%s and bench/%s-%s are there: a lab of one task that passes its own verify.\n"
           "  make verify LAB=%s     after each change\n"
           "  docs/adding-a-lab.md   in what order to make it yours\n"
           "To take it away again, remove these three folders.\n",
           number, name, number, name, number, name, number);
    return EXIT_FINE;
}
