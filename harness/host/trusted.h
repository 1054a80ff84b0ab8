/* trusted.h: plugins that a main program of the judge's side can't do without: its lab's reference, an engineer's own.
 * What can't be loaded, or is of another lab, ends the program with `otherwise` and a sentence. */
#ifndef HOST_TRUSTED_H
#define HOST_TRUSTED_H

#include "base/error.h"
#include "host/plugin.h"

/* lab_folder: "01-load-balancing". */
const struct plugin *trusted_plugin(const char *path, const char *lab_folder, enum exit_code otherwise);
/* reference.so of the build folder. */
const struct plugin *trusted_reference(const char *lab_folder, enum exit_code otherwise);

/* Leaves with 2 when a name in "a,b" (NULL: none is) is none of `names`, which ends with NULL, and says which one was
 * meant. program: "replay". */
void trusted_check_entries(const char *program, const char *list, const char *lab_folder, const char *const *names);

#endif
