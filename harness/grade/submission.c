/* A submission's way from a folder of files to a plugin.
 *
 * Only the files that lab.json lists are taken, and only when they are regular files of a sane size. They are laid over
 * a fresh tree with the lab's own headers and nothing else: no reference, no tests, no results. The compiler runs in
 * the sandbox and sees that tree, /usr, and the lab's world, all under names of their own, so that no message tells
 * where they lie on this machine; what it leaves is one shared object, which is looked at (linked.h) before anybody
 * loads it.
 */
#include "grade/grade.h"

#include "grade/linked.h"

#include "base/process.h"
#include "base/text.h"
#include "host/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE_LIMIT (1u << 20)

/* ---- taking the files ---- */

static bool listed(const struct lab *lab, const char *file)
{
    for (char **f = lab->hand_in; *f; f++)
        if (strcmp(*f, file) == 0)
            return true;
    return false;
}

static char *ignored_files(const struct lab *lab, const char *folder)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    DIR *dir = opendir(folder);
    unsigned n = 0;
    for (struct dirent *e; dir && out && (e = readdir(dir));) {
        char clean[300];
        if (e->d_name[0] == '.' || listed(lab, e->d_name))
            continue;
        if (n++ < 10)
            fprintf(out, "%s%s", n == 1 ? "not taken: " : ", ", text_clean_line(clean, sizeof clean, e->d_name));
    }
    if (out && n > 10)
        fprintf(out, " and %u more", n - 10);
    if (dir)
        closedir(dir);
    if (out)
        fclose(out);
    return text;
}

int submission_take(const struct lab *lab, const char *folder, const char *into, char **notes, struct error *err)
{
    char from[FILE_PATH], to[FILE_PATH];
    *notes = NULL;
    if (!file_is_dir(folder))
        return error_set(err, -ENOENT, "%s: is no folder with a submission", folder);
    for (char **f = lab->hand_in; *f; f++) {
        file_path(from, "%s/%s", folder, *f);
        file_path(to, "%s/src/%s/%s", into, lab->folder, *f);
        int code = file_copy(from, to, SOURCE_LIMIT, err);
        if (code == -ENOENT)
            return error_set(err, -ENOENT, "%s: the file to hand in is missing", *f);
        if (code) { /* a link, a folder, too large; told by the file's own name, without this machine's folders */
            const char *why = strncmp(err->text, from, strlen(from)) == 0 ? err->text + strlen(from) : err->text;
            char kept[sizeof err->text];
            snprintf(kept, sizeof kept, "%s", why);
            return error_set(err, -EINVAL, "%.200s%.700s", *f, kept);
        }
    }
    *notes = ignored_files(lab, folder);
    return 0;
}

/* ---- building ---- */

static int copy_headers(const char *root, const char *folder, const char *into, struct error *err)
{
    char path[FILE_PATH], to[FILE_PATH];
    DIR *dir = opendir(file_path(path, "%s/%s", root, folder));
    if (!dir)
        return error_set(err, -errno, "%s: %s", path, strerror(errno));
    int code = 0;
    for (struct dirent *e; code == 0 && (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n > 2 && strcmp(e->d_name + n - 2, ".h") == 0 && e->d_name[0] != '.')
            code = file_copy(file_path(path, "%s/%s/%s", root, folder, e->d_name),
                             file_path(to, "%s/src/%s/%s", into, folder, e->d_name), SOURCE_LIMIT, err);
    }
    closedir(dir);
    return code;
}

/* The words of a file, separated by blanks and newlines; words point into *data. */
static int read_words(const char *path, char **data, const char **words, size_t most, struct error *err)
{
    size_t size, n = 0;
    int code = file_read(path, 1 << 20, data, &size, err);
    if (code) {
        error_prefix(err, "make build makes it");
        return code;
    }
    char *save = NULL;
    for (char *w = strtok_r(*data, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
        if (n + 1 >= most)
            return error_set(err, -E2BIG, "%s: too many words", path);
        words[n++] = w;
    }
    words[n] = NULL;
    return 0;
}

#define WORDS 100

/* Files and folders that the compiler sees, and where inside. */
enum part { PART_HOST, PART_SOURCE, PART_OUT, PART_WORLD, PART_MAP, PARTS };

struct compiler {
    const struct lab *lab;
    unsigned layers;
    char path[PARTS][PATH_MAX];
    const char *at[PARTS];
};

/* Runs `words` (a compiler's command line) inside. 0; -ENOEXEC with the compiler's first words in err; -errno when it
 * could not be run. */
static int compile(const struct compiler *c, const char *const *words, char **output, struct error *err)
{
    const char *argv[2 * WORDS + 8], *command[SANDBOX_ARGV];
    size_t n = 0;
    char seconds[24], memory[24] = "2147483648", file[24] = "67108864";
    snprintf(seconds, sizeof seconds, "%u", c->lab->build_seconds);
    const char *start[] = {
        c->at[PART_HOST], "--compile", seconds, memory, file, c->layers & SANDBOX_SECCOMP ? "1" : "0", NULL};
    for (const char **w = start; *w; w++)
        argv[n++] = *w;
    for (; *words; words++)
        argv[n++] = *words;
    argv[n] = NULL;
    struct sandbox_bind binds[PARTS + 1] = {{NULL}};
    for (int i = 0; i < PARTS; i++)
        binds[i] = (struct sandbox_bind){.path = c->path[i], .writable = i == PART_OUT, .at = c->at[i]};
    sandbox_command(command, c->layers, binds, c->at[PART_SOURCE], argv);
    struct process p = {.argv = command,
                        .folder = c->path[PART_SOURCE],
                        .wall_ms = 10000ull * c->lab->build_seconds,
                        .output_limit = 16384};
    struct process_result r;
    int code = process_run(&p, &r, err);
    if (code)
        return code;
    free(*output);
    *output = calloc(1, r.output_size + 1);
    if (*output)
        text_clean(*output, r.output_size + 1, r.output, r.output_size);
    if (r.timed_out)
        code = error_set(err, -ENOEXEC, "it does not build: the compiler was not done after %u s",
                         10 * c->lab->build_seconds);
    else if (r.status != 0) {
        char first[601];
        const char *said = *output && **output ? *output : "the compiler was stopped by a limit of time or memory";
        code = error_set(err, -ENOEXEC, "it does not build: %s", text_clean(first, sizeof first, said, strlen(said)));
    }
    process_result_free(&r);
    return code;
}

static int compile_and_link(struct compiler *c, const char *const *cc, char **output, struct error *err)
{
    const char *words[2 * WORDS + 16];
    char include[FILE_PATH], objects[10][FILE_PATH], sources[10][FILE_PATH], plugin[FILE_PATH], map[FILE_PATH];
    size_t files = 0;
    int code = 0;
    file_path(include, "-I%s", c->lab->folder);
    for (char **f = c->lab->hand_in; *f && code == 0; f++, files++) {
        size_t n = 0;
        for (const char *const *w = cc; *w; w++)
            words[n++] = *w;
        /* A student's warning is no error. */
        const char *rest[] = {"-Wno-error",  "-Wno-conversion",
                              "-Wno-shadow", include,
                              "-c",          file_path(sources[files], "%s/%s", c->lab->folder, *f),
                              "-o",          file_path(objects[files], "%s/%s.o", c->at[PART_OUT], *f),
                              NULL};
        for (const char **w = rest; *w; w++)
            words[n++] = *w;
        words[n] = NULL;
        code = compile(c, words, output, err);
    }
    size_t n = 0;
    words[n++] = cc[0];
    bool sanitized = false;
    for (const char *const *w = cc + 1; *w; w++)
        if (strncmp(*w, "-fsanitize", 10) == 0) {
            words[n++] = *w;
            sanitized = true;
        }
    if (!sanitized)
        words[n++] = "-nostartfiles";
    const char *rest[] = {"-shared",
                          "-Wl,-Bsymbolic,-z,now,--no-as-needed",
                          file_path(map, "-Wl,--version-script=%s", c->at[PART_MAP]),
                          "-o",
                          file_path(plugin, "%s/plugin.so", c->at[PART_OUT]),
                          c->at[PART_WORLD],
                          NULL};
    for (const char **w = rest; *w; w++)
        words[n++] = *w;
    for (size_t i = 0; i < files; i++)
        words[n++] = objects[i];
    words[n++] = "-lm";
    words[n] = NULL;
    return code ? code : compile(c, words, output, err);
}

/* Where each part lies, and under which name the compiler sees it. */
static int find_parts(struct compiler *c, const struct grade_options *options, const char *work, struct error *err)
{
    static const char *const inside[PARTS] = {"/host", "/src", "/out", NULL, "/plugin.map"};
    char path[PARTS][FILE_PATH];
    file_path(path[PART_HOST], "%s/faultline-host", options->build);
    file_path(path[PART_SOURCE], "%s/src", work);
    file_path(path[PART_OUT], "%s/out", work);
    lab_world(c->lab, options->build, path[PART_WORLD]);
    file_path(path[PART_MAP], "%s/harness/host/plugin.map", options->root);
    for (int i = 0; i < PARTS; i++) {
        if (!realpath(path[i], c->path[i]))
            return error_set(err, -errno, "%s: %s (make build makes it)", path[i], strerror(errno));
        c->at[i] = !(c->layers & SANDBOX_NAMESPACES) ? c->path[i] : inside[i] ? inside[i] : strrchr(c->path[i], '/');
    }
    return 0;
}

int submission_build(const struct lab *lab, const struct grade_options *options, const char *work, char *plugin,
                     char **output, struct error *err)
{
    struct compiler *c = calloc(1, sizeof *c);
    char path[FILE_PATH], *flags = NULL;
    const char *cc[WORDS] = {NULL};
    if (!c)
        return error_set(err, -ENOMEM, "out of memory");
    c->lab = lab;
    c->layers = sandbox_layers(NULL);
    file_path(plugin, "%s/out/plugin.so", work);
    *output = NULL;
    int code = file_make_dirs(file_path(path, "%s/out", work), err);
    /* The compiler's user inside may be another than we are. */
    if (code == 0 && (chmod(work, 0755) < 0 || chmod(path, 0777) < 0))
        code = error_set(err, -errno, "%s: %s", path, strerror(errno));
    static const char *const headers[] = {"harness/base", "harness/host", "harness/sim"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers && code == 0; i++)
        code = copy_headers(options->root, headers[i], work, err);
    if (code == 0)
        code = copy_headers(options->root, lab->folder, work, err);
    if (code == 0)
        code = find_parts(c, options, work, err);
    if (code == 0)
        code = read_words(file_path(path, "%s/flags", options->build), &flags, cc, WORDS, err);
    if (code == 0)
        code = compile_and_link(c, cc, output, err);
    if (code == 0 && !options->link_unchecked)
        code = linked_check(lab, c->path[PART_WORLD], plugin, err);
    free(flags);
    free(c);
    return code;
}
