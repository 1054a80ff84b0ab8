/* races.c: the entries for threads under ThreadSanitizer, by the program that students have for that. */
#include "base/process.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(races, .timeout = 240);

#define REFERENCE "reference/02-rate-limiting"

/* Runs race.sh on what follows; its exit code, and what it printed, to free. */
static int race(const char *arguments, char **output)
{
    const char *const argv[] = {"sh", "-c", arguments, NULL};
    struct process p = {.argv = argv, .wall_ms = 200000, .output_limit = 20000};
    struct process_result r;
    struct error err;
    int code = process_run(&p, &r, &err);
    cr_assert(code == 0 && !r.timed_out, "expected: it ends; actual: %d", code);
    *output = r.output;
    return WIFEXITED(r.status) ? WEXITSTATUS(r.status) : -1;
}

Test(races, the_reference_has_none)
{
    char *output;
    int code = race("INCLUDE=" REFERENCE " labs/02-rate-limiting/race.sh " REFERENCE "/*.c -- "
                    "fixed-window-atomic gcra-atomic sharded-window fixed-window-mutex gcra-mutex",
                    &output);
    cr_assert(code == 0 && !strstr(output, "data race"), "expected: 0, no race; actual: %d\n%s", code, output);
    free(output);
    code = race("labs/02-rate-limiting/race.sh " REFERENCE "/solution/rate_limiting.c", &output);
    cr_assert(code == 0 && !strstr(output, "data race"), "the solution: expected: 0; actual: %d\n%s", code, output);
    free(output);
}

Test(races, a_planted_one_is_found)
{
    char *output;
    int code = race("labs/02-rate-limiting/race.sh "
                    "${FAULTLINE_BUILD:-build}/labs/02-rate-limiting/mistakes/atomic_not_at_all.c",
                    &output);
    cr_assert(code == 66 && strstr(output, "data race") && strstr(output, "atomic_not_at_all.c:"),
              "expected: 66, and where the race is; actual: %d\n%s", code, output);
    free(output);
}
