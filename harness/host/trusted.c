/* trusted.c: loads the plugins that a main program of the judge's side can't do without. */
#include "host/trusted.h"

#include "base/file.h"
#include "base/text.h"
#include "host/host.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const struct plugin *trusted_plugin(const char *path, const char *lab_folder, enum exit_code otherwise)
{
    struct error err;
    const struct plugin *plugin = host_load_trusted(path, &err);
    if (!plugin)
        error_exit(otherwise, "%s", err.text);
    if (strncmp(plugin->lab, lab_folder, strlen(plugin->lab)) != 0)
        error_exit(otherwise, "%s: is a plugin of lab %s", path, plugin->lab);
    return plugin;
}

const struct plugin *trusted_reference(const char *lab_folder, enum exit_code otherwise)
{
    char path[FILE_PATH];
    return trusted_plugin(file_build_path(path, "labs/%s/reference.so", lab_folder), lab_folder, otherwise);
}

void trusted_check_entries(const char *program, const char *list, const char *lab_folder, const char *const *names)
{
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',') {
        bool found = false;
        char word[80];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(p, ","), p);
        for (const char *const *name = names; *name; name++)
            found = found || strcmp(*name, word) == 0;
        const char *meant = text_nearest(word, names);
        if (!found && meant)
            error_exit(EXIT_WRONG_USE, "%s: there is no entry %s; was %s meant?", program, word, meant);
        if (!found)
            error_exit(EXIT_WRONG_USE, "%s: there is no entry %s here; faultline list %.*s shows all", program, word,
                       (int)strcspn(lab_folder, "-"), lab_folder);
    }
}
