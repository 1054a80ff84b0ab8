/* A submission's way from a folder of files to a plugin.
 *
 * Only the files that lab.json lists are taken, and only when they are regular files of a sane size. They are laid over
 * a fresh tree with the lab's own headers and nothing else: no reference, no tests, no results. The compiler runs in
 * the sandbox and sees that tree, /usr, and the ready-made objects of the lab's world; what it leaves is one shared
 * object.
 */
#include "grade/grade.h"

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
            fprintf(out, "%s%s", n == 1 ? "not taken: " : ", ",
                    text_clean(clean, sizeof clean, e->d_name, strlen(e->d_name)));
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

struct compiler {
    const struct lab *lab;
    const struct grade_options *options;
    const char *work;
    char host[PATH_MAX], source[FILE_PATH], out[FILE_PATH];
    const char *world[WORDS]; /* objects of the lab's world; absolute paths in world_path */
    char world_path[WORDS][FILE_PATH];
};

/* Runs `words` (a compiler's command line) inside. 0; -ENOEXEC with the compiler's first words in err; -errno when it
 * could not be run. */
static int compile(const struct compiler *c, const char *const *words, char **output, struct error *err)
{
    const char *argv[2 * WORDS + 8], *command[SANDBOX_ARGV];
    size_t n = 0;
    char seconds[24], memory[24] = "2147483648", file[24] = "67108864";
    unsigned layers = sandbox_layers(NULL);
    snprintf(seconds, sizeof seconds, "%u", c->lab->build_seconds);
    const char *start[] = {c->host, "--compile", seconds, memory, file, layers & SANDBOX_SECCOMP ? "1" : "0", NULL};
    for (const char **w = start; *w; w++)
        argv[n++] = *w;
    for (; *words; words++)
        argv[n++] = *words;
    argv[n] = NULL;
    struct sandbox_bind binds[WORDS + 8] = {{.path = c->host}, {.path = c->source}, {.path = c->out, .writable = true}};
    for (size_t i = 0; c->world[i]; i++)
        binds[3 + i] = (struct sandbox_bind){.path = c->world_path[i]};
    sandbox_command(command, layers, binds, c->source, argv);
    struct process p = {
        .argv = command, .folder = c->source, .wall_ms = 2000ull * c->lab->build_seconds, .output_limit = 16384};
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
                         2 * c->lab->build_seconds);
    else if (r.status != 0)
        code = error_set(err, -ENOEXEC, "it does not build: %.600s",
                         *output && **output ? *output : "the compiler was stopped by a limit of time or memory");
    process_result_free(&r);
    return code;
}

/* Objects of the world are listed relative to the root; inside the sandbox they need their absolute names. */
static int find_world(struct compiler *c, char **data, struct error *err)
{
    char path[FILE_PATH];
    const char *words[WORDS];
    int code =
        read_words(file_path(path, "%s/%s/world.list", c->options->build, c->lab->folder), data, words, WORDS, err);
    size_t n = 0;
    for (; code == 0 && words[n]; n++) {
        if (words[n][0] == '/')
            file_path(c->world_path[n], "%s", words[n]);
        else
            file_path(c->world_path[n], "%s/%s", c->options->root, words[n]);
        c->world[n] = c->world_path[n];
    }
    c->world[n] = NULL;
    return code;
}

static int compile_and_link(struct compiler *c, const char *const *cc, const char *plugin, char **output,
                            struct error *err)
{
    const char *words[2 * WORDS + 16];
    char include[FILE_PATH], objects[10][FILE_PATH], sources[10][FILE_PATH];
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
                              "-o",          file_path(objects[files], "%s/%s.o", c->out, *f),
                              NULL};
        for (const char **w = rest; *w; w++)
            words[n++] = *w;
        words[n] = NULL;
        code = compile(c, words, output, err);
    }
    size_t n = 0;
    words[n++] = cc[0];
    for (const char *const *w = cc + 1; *w; w++)
        if (strncmp(*w, "-fsanitize", 10) == 0)
            words[n++] = *w;
    words[n++] = "-shared";
    words[n++] = "-Wl,-Bsymbolic";
    words[n++] = "-o";
    words[n++] = plugin;
    for (size_t i = 0; i < files; i++)
        words[n++] = objects[i];
    for (size_t i = 0; c->world[i]; i++)
        words[n++] = c->world[i];
    words[n++] = "-lm";
    words[n] = NULL;
    return code ? code : compile(c, words, output, err);
}

int submission_build(const struct lab *lab, const struct grade_options *options, const char *work, char *plugin,
                     char **output, struct error *err)
{
    struct compiler *c = calloc(1, sizeof *c);
    char path[FILE_PATH], *flags = NULL, *world = NULL;
    const char *cc[WORDS] = {NULL};
    if (!c)
        return error_set(err, -ENOMEM, "out of memory");
    c->lab = lab, c->options = options, c->work = work;
    file_path(c->source, "%s/src", work);
    file_path(c->out, "%s/out", work);
    file_path(plugin, "%s/plugin.so", c->out);
    *output = NULL;
    int code = file_make_dirs(c->out, err);
    static const char *const headers[] = {"harness/base", "harness/host", "harness/sim"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers && code == 0; i++)
        code = copy_headers(options->root, headers[i], work, err);
    if (code == 0)
        code = copy_headers(options->root, lab->folder, work, err);
    if (code == 0 && !realpath(file_path(path, "%s/faultline-host", options->build), c->host))
        code = error_set(err, -errno, "%s: %s (make build makes it)", path, strerror(errno));
    if (code == 0)
        code = read_words(file_path(path, "%s/flags", options->build), &flags, cc, WORDS, err);
    if (code == 0)
        code = find_world(c, &world, err);
    /* The compiler's user inside may be another than we are. */
    if (code == 0 && (chmod(work, 0755) < 0 || chmod(c->out, 0777) < 0))
        code = error_set(err, -errno, "%s: %s", c->out, strerror(errno));
    if (code == 0)
        code = compile_and_link(c, cc, plugin, output, err);
    free(flags);
    free(world);
    free(c);
    return code;
}
