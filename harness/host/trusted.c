/* trusted.c: loads the plugins that a main program of the judge's side can't do without. */
#include "host/trusted.h"

#include "base/file.h"
#include "host/host.h"

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
