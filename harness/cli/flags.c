/* flags: what a plugin of one's own is compiled with, from any folder. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* A word of a command line; quoted where a shell would take it apart. */
static void word(const char *option, const char *value)
{
    const bool plain =
        strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,=") == strlen(value);
    printf(" %s", option);
    if (!plain)
        putchar('\'');
    for (const char *p = value; *p; p++)
        if (*p == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*p);
    if (!plain)
        putchar('\'');
}

enum exit_code command_flags(struct session *s)
{
    char path[FILE_PATH], folder[FILE_PATH];
    session_need_build(s, s->lab);
    fputs("-std=c17 -D_GNU_SOURCE -O2 -g -fPIC -fvisibility=hidden -ffp-contract=off -fno-math-errno -shared "
          "-nostartfiles -Wl,-Bsymbolic,-z,now,--no-as-needed",
          stdout);
    word("-I", file_path(path, "%s/harness", s->root));
    word("-I", file_path(path, "%s/%s", s->root, s->lab->folder));
    word("-Wl,--version-script=", file_path(path, "%s/harness/host/plugin.map", s->root));
    word("-Wl,-rpath,", file_path(folder, "%s/%s", s->build, s->lab->folder));
    word("", lab_world(s->lab, s->build, path));
    puts(" -lm");
    return EXIT_FINE;
}
