/* Where a C file is changed, and where it is not. */
#include "cli/mutations.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "#define LIMIT 7 /* a < b */\n"
                           "typedef unsigned long uint64_t;\n"
                           "struct pair {\n"
                           "    uint64_t a, b;\n"
                           "};\n"
                           "static const int table[] = {1, 2};\n"
                           "int f(struct pair *p, int n)\n"
                           "{\n"
                           "    if (n <= LIMIT)\n"
                           "        p->a += 3; /* n > 1 */\n"
                           "    while (p->b != 0)\n"
                           "        p->b--;\n"
                           "    return n ? -n : table[0];\n"
                           "}\n";

static struct mutation *all;
static int count;

/* False where there is no libclang, which has then been said. */
static bool find(void)
{
    char folder[FILE_PATH], path[FILE_PATH];
    struct error err;
    const char *const flags[] = {"-std=c17", NULL};
    cr_assert(file_temp_dir(folder, "mutations", &err) == 0, "%s", err.text);
    cr_assert(file_write(file_path(path, "%s/f.c", folder), text, strlen(text), &err) == 0, "%s", err.text);
    count = mutations_find(path, text, strlen(text), flags, &all, &err);
    file_remove_tree(folder);
    if (count == -ENOSYS) {
        cr_assert(strstr(err.text, "libclang"), "%s", err.text);
        return false;
    }
    cr_assert(count > 0, "%s", err.text);
    return true;
}

/* Is there the change of `old`, where it first stands behind `after`, to `new`? */
static bool changes(const char *after, const char *old, const char *new)
{
    const char *at = strstr(strstr(text, after), old);
    for (int i = 0; i < count; i++)
        if (text + all[i].from == at && all[i].to - all[i].from == strlen(old) && strcmp(all[i].instead, new) == 0)
            return true;
    return false;
}

Test(mutations, are_what_a_person_gets_wrong)
{
    if (!find())
        return;
    cr_assert(changes("if", "<=", "<") && changes("if", "<=", ">="), "a comparison");
    cr_assert(changes("if", "n <= LIMIT", "!(n <= LIMIT)"), "a condition turned round");
    cr_assert(changes("if", "n <= LIMIT", "0 && (n <= LIMIT)"), "never");
    cr_assert(changes("p->a", "+=", "-=") && changes("p->a", "3", "4") && changes("p->a", "3", "2"), "off by one");
    cr_assert(changes("while", "!=", "==") && changes("while", "--", "++"), "a loop");
    cr_assert(changes("while", "p->b--", ""), "a statement left out");
    cr_assert(changes("return", "-", "") && changes("n ? ", "n", "!(n)"), "a value");
    cr_assert(changes("struct pair {", "uint64_t", "uint32_t"), "a narrower type");
    cr_assert(strcmp(all[0].function, "struct pair") == 0 && strcmp(all[count - 1].function, "f") == 0, "where it is");
    free(all);
}

Test(mutations, leave_the_rest_alone)
{
    if (!find())
        return;
    const char *const never[] = {"7 /*", "a < b", "{1, 2}", "n > 1"};
    for (size_t k = 0; k < sizeof never / sizeof *never; k++) {
        const size_t from = (size_t)(strstr(text, never[k]) - text), to = from + strlen(never[k]);
        for (int i = 0; i < count; i++)
            cr_assert(all[i].to <= from || all[i].from >= to, "%s was changed to %s", never[k], all[i].instead);
    }
    for (int i = 1; i < count; i++)
        cr_assert(all[i - 1].from <= all[i].from, "not in the order of the text");
    free(all);
}
