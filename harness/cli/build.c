/* build.c: is what a command needs built, and newer than its sources? Only check and watch build anything: what the
 * student edits. */
#include "cli/command.h"

#include "base/memory.h"
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- up to date? ---- */

static bool is_hand_in(const struct lab *lab, const char *path)
{
    const char *file = strrchr(path, '/') + 1;
    const size_t folder = (size_t)(file - path) - 1, n = strlen(lab->folder);
    bool in_lab = folder >= n && strncmp(path + folder - n, lab->folder, n) == 0;
    for (char **f = lab->hand_in; *f && in_lab; f++)
        if (strcmp(*f, file) == 0)
            return true;
    return false;
}

static bool newer(const struct stat *a, const struct stat *b)
{
    return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

/* A source of the lab that is newer than the stamp which make leaves when the lab is built; "" when there is no stamp;
 * NULL when all is well. The patterns are those of the Makefile's $B/labs/NN/built. */
static const char *find_newer(const struct session *s, const struct lab *lab, char *out)
{
    const char *folder = strchr(lab->folder, '/') + 1;
    const char *const pattern[][2] = {{"Makefile", ""},          {"harness/*/*.[ch]", ""},  {"labs/", "/*.[ch]"},
                                      {"labs/", "/starter/*.c"}, {"reference/", "/*.[ch]"}, {"bench/", "/*.[ch]"},
                                      {"bench/", "/*/*.[ch]"}};
    char path[FILE_PATH];
    struct stat stamp, st;
    if (stat(session_file(s, lab, "built", path), &stamp) < 0)
        return "";
    const char *found = NULL;
    for (size_t i = 0; i < COUNT(pattern) && !found; i++) {
        glob_t files;
        file_path(path, "%s/%s%s%s", s->root, pattern[i][0], *pattern[i][1] ? folder : "", pattern[i][1]);
        if (glob(path, 0, NULL, &files) != 0)
            continue;
        for (size_t k = 0; k < files.gl_pathc && !found; k++)
            if (!is_hand_in(lab, files.gl_pathv[k]) && stat(files.gl_pathv[k], &st) == 0 && newer(&st, &stamp))
                found = file_path(out, "%s", files.gl_pathv[k] + strlen(s->root) + 1);
        globfree(&files);
    }
    return found;
}

void session_need_build(const struct session *s, const struct lab *lab)
{
    char path[FILE_PATH];
    const char *source = find_newer(s, lab, path);
    if (source)
        error_exit(EXIT_CANNOT_TELL, "lab %s %s%s: run make build in %s", lab->id,
                   *source ? "was built before a change of " : "is not built", source, s->root);
}

/* ---- building ---- */

/* 0 or make's exit status. */
static int run_make(const struct session *s, const char *target)
{
    const char *argv[40] = {"make", "-s", "-C", s->root};
    size_t n = 4, size, root = strlen(s->root);
    char *settings = NULL, *save = NULL, path[FILE_PATH];
    struct error err;
    /* The settings of this build (compiler, sanitizer): with others, make would build everything anew. */
    if (file_read(file_path(path, "%s/settings", s->build), 4096, &settings, &size, &err) == 0)
        for (char *word = strtok_r(settings, "\n", &save); word && n < 20; word = strtok_r(NULL, "\n", &save))
            argv[n++] = word;
    /* The Makefile's own names are below its folder. */
    argv[n] = strncmp(target, s->root, root) == 0 && target[root] == '/' ? target + root + 1 : target;
    struct process p = {.argv = argv};
    struct process_result r;
    if (process_run(&p, &r, &err) != 0)
        error_exit(EXIT_CANNOT_TELL, "%s", err.text);
    free(settings);
    return r.status;
}

/* Is the student's plugin newer than the lab's stamp and than all files that are handed in? */
static bool plugin_is_new(const struct session *s, const char *plugin)
{
    char path[FILE_PATH];
    struct stat own, other;
    if (stat(plugin, &own) < 0 || stat(session_file(s, s->lab, "built", path), &other) < 0 || newer(&other, &own))
        return false;
    for (char **f = s->lab->hand_in; *f; f++)
        if (stat(file_path(path, "%s/%s/%s", s->root, s->lab->folder, *f), &other) < 0 || newer(&other, &own))
            return false;
    return true;
}

void session_build_plugin(const struct session *s, char *plugin)
{
    char path[FILE_PATH];
    session_file(s, s->lab, "starter.so", plugin);
    if (!find_newer(s, s->lab, path) && plugin_is_new(s, plugin))
        return;
    int lock = open(file_path(path, "%s/lock", s->build), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (lock < 0 || flock(lock, LOCK_EX) < 0)
        error_exit(
            EXIT_CANNOT_TELL,
            "%s was edited since it was built, and nothing can be built in %s: %s. Grade a copy: faultline grade "
            "%s --submission FOLDER",
            s->lab->hand_in[0], s->build, strerror(errno), s->lab->id);
    if (run_make(s, session_file(s, s->lab, "built", path)) != 0)
        error_exit(EXIT_CANNOT_TELL, "the lab itself does not build (see above); what you wrote was not looked at");
    if (run_make(s, plugin) != 0)
        error_exit(EXIT_FAILED, "it does not build (see above)");
    close(lock);
}
