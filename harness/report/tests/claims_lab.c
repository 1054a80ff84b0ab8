/* claims_lab.c: a lab in a folder of its own, to run a claims program in. */
#include "report/tests/claims_lab.h"

#include "base/file.h"
#include "report/tests/sample.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[FILE_PATH];

void claims_make_lab(void)
{
    static const char lab[] = "{\"faultline\": 1, \"id\": \"99\", \"name\": \"tiny\", \"title\": \"Tiny\", "
                              "\"incident\": [\"One.\", \"Two.\", \"Three.\"], \"next\": [\"More.\"],"
                              " \"hand_in\": [\"tiny.c\"], \"limits\": {\"build_seconds\": 10, \"cpu_seconds\": 10, "
                              "\"wall_seconds\": 10, \"memory_mib\": 64},"
                              " \"seeds\": {\"public\": [1], \"hidden\": 1}, \"tasks\": [{\"id\": \"task\", \"title\": "
                              "\"Task\", \"entry\": \"entry\","
                              " \"hints\": [\"a\", \"b\", \"c\"], \"tests\": [{\"id\": \"test\", \"what\": \"A "
                              "test.\", \"points\": 1, \"hidden_points\": 1}]}]}";
    char path[FILE_PATH];
    struct error err;
    int code = file_write(file_path(path, "%s/labs/99-tiny/lab.json", sample_folder(root)), lab, strlen(lab), &err);
    cr_assert(code == 0, "%s", err.text);
    setenv("FAULTLINE_ROOT", root, 1);
}

void claims_remove_lab(void)
{
    file_remove_tree(root);
}

/* The exit code; what it says on standard error is in root/said. */
int claims_run(const struct claim_suite *suite, const char *threads, const char *const *arguments)
{
    char *argv[16] = {"claims", "--quiet"}, path[FILE_PATH];
    int argc = 2, status = 0;
    while (*arguments)
        argv[argc++] = (char *)(uintptr_t)*arguments++;
    file_path(path, "%s/said", root);
    pid_t child = fork();
    if (child == 0) {
        int said = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(said, STDERR_FILENO);
        dup2(said, STDOUT_FILENO);
        setenv("FAULTLINE_THREADS", threads, 1);
        int code = claims_main(argc, argv, suite);
        fflush(NULL);
        _exit(code);
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child, "no child");
    cr_assert(WIFEXITED(status), "claims_main ended with status %x", status);
    return WEXITSTATUS(status);
}

json_t *claims_result(const char *name)
{
    char path[FILE_PATH];
    json_t *o = json_load_file(file_path(path, "%s/%s", root, name), 0, NULL);
    cr_assert(o, "%s is no JSON", name);
    return o;
}

const char *claims_path(char *path, const char *name)
{
    return file_path(path, "%s/%s", root, name);
}

char *claims_said(void)
{
    return sample_read(root, "said");
}
