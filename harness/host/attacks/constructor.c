/* verdict: wrong, short-log A constructor that sets the test library's switches and filters, had that library been in
 * this process. */
#include <dlfcn.h>
#include <stdlib.h>

__attribute__((constructor)) static void attack(void)
{
    setenv("CRITERION_ALWAYS_SUCCEED", "1", 1);
    setenv("CRITERION_TEST_PATTERN", "nothing/*", 1);
    setenv("FAULTLINE_DEBUG", "1", 1);
    void *options = dlsym(RTLD_DEFAULT, "criterion_options");
    if (options)
        *(int *)options = 1;
}
