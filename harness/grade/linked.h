/* linked.h: what a hand-in may be made of, once it is linked.
 *
 * A plugin is entries alone. It may call the functions that its lab's world shows and those of the C library that
 * compute (linked.c lists them), and nothing of it may run when it is loaded. Both are seen in the finished shared
 * object, so it makes no difference how they came in. The sandbox does not rely on it: what slips through here is met
 * by the layers there.
 */
#ifndef GRADE_LINKED_H
#define GRADE_LINKED_H

#include "grade/lab.h"

/* Is the plugin, linked with the world, made of what is allowed? 0; -ENOEXEC and a sentence that names what is not;
 * other -errno when it could not be read. A build with a sanitizer links calls of its own, so there all are taken. */
int linked_check(const struct lab *lab, const char *world, const char *plugin, struct error *err);

#endif
