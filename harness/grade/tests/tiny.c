/* tiny.c: a lab of two tests, with check programs that are shell scripts. */
#include "tiny.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char root[FILE_PATH];

static void clean(void)
{
    file_remove_tree(root);
}

void write_text(const char *name, const char *text)
{
    char path[FILE_PATH];
    struct error err;
    cr_assert(file_write(file_path(path, "%s/%s", root, name), text, strlen(text), &err) == 0, "%s", err.text);
}

void make_root(void)
{
    struct error err;
    cr_assert(file_temp_dir(root, "grade-test", &err) == 0, "%s", err.text);
    atexit(clean);
}

const char good[] =
    "{\"faultline\": 1, \"id\": \"99\", \"name\": \"tiny\", \"title\": \"T <1>\", \"incident\": [\"a\", \"b\", \"c\"], "
    "\"next\": [\"n\"],"
    " \"hand_in\": [\"mine.c\"], \"limits\": {\"build_seconds\": 5, \"cpu_seconds\": 1, \"wall_seconds\": 2, "
    "\"memory_mib\": 64},"
    " \"seeds\": {\"public\": [1, 2], \"hidden\": 1},"
    " \"tasks\": [{\"id\": \"first\", \"title\": \"First\", \"entry\": \"mine\", \"hints\": [\"1\", \"2\", \"3\"],"
    "   \"tests\": [{\"id\": \"one-test\", \"what\": \"w & <x>\", \"points\": 3, \"hidden_points\": 2}, {\"id\": "
    "\"two\", \"what\": \"v\", \"rules\": [\"sums\", \"signs\"], \"points\": 4,"
    " \"hidden_points\": 0}]}],"
    " \"rules\": [{\"id\": \"sums\", \"text\": \"a + b <= c\"}, {\"id\": \"signs\", \"text\": \"no signs\"}],"
    " \"replay\": [{\"name\": \"limit\", \"argument\": \"N/T\", \"what\": \"a limit\"}, {\"name\": \"burst\", "
    "\"argument\": "
    "\"N\", \"what\": \"most\"}],"
    " \"mistakes\": [{\"name\": \"m\", \"caught_by\": \"first/two\"}]}";

char *with(const char *old, const char *new)
{
    const char *at = strstr(good, old);
    char *out = NULL;
    cr_assert(at, "no %s in the text", old);
    cr_assert(asprintf(&out, "%.*s%s%s", (int)(at - good), good, new, at + strlen(old)) > 0, "out of memory");
    return out;
}

struct lab *load_text(const char *text)
{
    struct lab *lab;
    struct error err;
    write_text("labs/99-tiny/lab.json", text);
    cr_assert(lab_load(root, "99-tiny", &lab, &err) == 0, "%s", err.text);
    return lab;
}

struct lab *load_good(void)
{
    return load_text(good);
}

struct grade_result *grade_seeds(struct lab *lab, const char *script, uint64_t seed, uint64_t secret)
{
    char path[FILE_PATH], build[FILE_PATH];
    struct error err;
    struct grade_result *result = NULL;
    write_text("build/labs/99-tiny/check", script);
    chmod(file_path(path, "%s/build/labs/99-tiny/check", root), 0755);
    write_text("build/plugin.so", "x");
    struct grade_options options = {
        .root = root, .build = file_path(build, "%s/build", root), .seed = seed, .secret = secret, .quiet = true};
    int code = grade_plugin(lab, file_path(path, "%s/build/plugin.so", root), &options, &result, &err);
    cr_assert(code == 0, "%s", err.text);
    return result;
}

struct grade_result *grade_with(struct lab *lab, const char *script)
{
    return grade_seeds(lab, script, 1, 0);
}
