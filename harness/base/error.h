/* error.h: how a function that can fail says why.
 *
 * A function that meets bad input or a failing system returns -errno (or NULL) and fills the `struct error` it was
 * given with one sentence for a person: what is wrong, in which file and line or field, and what to do next. The caller
 * decides whether to print it. Programs end with the exit codes below and no others.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

enum exit_code {
    EXIT_FINE = 0,
    EXIT_FAILED = 1,      /* the implementation failed, a claim does not hold, a regression is resolved */
    EXIT_WRONG_USE = 2,   /* wrong use or bad input */
    EXIT_CANNOT_TELL = 3, /* cannot tell, or the grader itself failed */
};

struct error {
    char text[1024];
};

/* Sets the sentence and returns `code`, so that a failure is one line: `return error_set(err, -EINVAL, "%s: ...",
 * path);`. err may be NULL. */
int error_set(struct error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the sentence that is there. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints "faultline: sentence" on standard error and leaves with `code`. Only for main programs, never for the library.
 */
_Noreturn void error_exit(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
