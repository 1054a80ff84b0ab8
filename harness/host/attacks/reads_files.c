/* verdict: left-early Looks for the reference, the tests, other submissions and passwords. What it finds it says by its
 * exit code, so that this fails when there is any. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
    const char *const files[] = {"@ROOT@/README.md", "@REFERENCE@/README.md", "@ROOT@/Makefile", "/etc/passwd",
                                 "/etc/hostname",    "/proc/1/maps",          "/proc/self/maps", "/proc/1/fd/5",
                                 "/etc/shadow",      "/var/log/dpkg.log"};
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        if (open(files[i], O_RDONLY) >= 0)
            abort(); /* a crash is not the verdict that is expected above */
    _exit(0);
}
