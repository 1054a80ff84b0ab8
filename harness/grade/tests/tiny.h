/* tiny.h: a lab with one task and two tests, in a folder of its own, and results of check programs that are shell
 * scripts, so as to leave what a broken or forged one might. */
#ifndef GRADE_TESTS_TINY_H
#define GRADE_TESTS_TINY_H

#include "grade/grade.h"

extern char root[FILE_PATH];
extern const char good[]; /* the lab.json */

void make_root(void);
void write_text(const char *name, const char *text);                  /* below root */
char *with(const char *old, const char *new);                         /* good with the first `old` replaced */
struct lab *load_good(void);                                          /* the lab as `good` describes it */
struct lab *load_text(const char *text);                              /* the same from another text */
struct grade_result *grade_with(struct lab *lab, const char *script); /* with seed 1 */
/* seed 0: both public seeds; secret 0: no secret one */
struct grade_result *grade_seeds(struct lab *lab, const char *script, uint64_t seed, uint64_t secret);

#define RECORD(test, passed, verdict)                                                                                  \
    "echo '{\"task\": \"first\", \"test\": \"" test "\", \"passed\": " passed ", \"verdict\": \"" verdict              \
    "\", \"message\": \"m <&> \\\"q\\\"\"}' > $FAULTLINE_RESULTS/first." test ".json\n"
#define RUNNER(a, b)                                                                                                   \
    "echo '{\"tests\": [{\"task\": \"first\", \"test\": \"one_test\", \"passed\": " a ", \"seconds\": 0.5}, "          \
    "{\"task\": \"first\", \"test\": \"two\", \"passed\": " b ", \"seconds\": 0.5}]}' > $FAULTLINE_RESULTS/run.json\n"

#endif
