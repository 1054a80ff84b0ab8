/* lines.h: which lines of memory an instruction of the runner is about to touch, told by the supervisor.
 *
 * A program that waits for memory waits a line at a time (64 bytes, here and on most processors), so how many different
 * lines an operation touches says what it costs when nothing is in a cache; and unlike time it is the same on every
 * run. The supervisor stops the runner before each instruction (count.h), decodes it (Zydis), and works out from the
 * registers where its operands lie.
 *
 * A line counts once in each stretch between two markers (log_count_from_here), however often it is touched: data that
 * is read, written or prefetched, the stack too; not the instructions themselves. Where it is not seen what was touched,
 * the count is too high rather than too low: a gather counts a line for each element, each time; a vector under a mask
 * as if the mask were full; a system call, for which the kernel can read anything, 16 lines. x86-64 only.
 */
#ifndef HOST_LINES_H
#define HOST_LINES_H

#include <stdint.h>
#include <sys/types.h>

#define LINE_BYTES 64u
#define LINES_MOST (1u << 17) /* so many different ones can be told apart, 8 MiB */

/* Why no lines can be counted here, or NULL. */
const char *lines_impossible(void);

struct lines;
struct lines *lines_create(void); /* NULL without memory. The supervisor's, which ends with it */

/* The runner, traced and stopped, is about to carry out an instruction: how many lines it touches that were not touched
 * since lines_forget; or -errno: -E2BIG when there are more than LINES_MOST, -EPERM when it hides what it touches, which
 * only code does that was written to, -EILSEQ when the one before it was carried out and could not be decoded (the
 * processor knows more than Zydis does), -ESRCH when the runner is gone. */
int lines_step(struct lines *lines, pid_t runner);

void lines_forget(struct lines *lines);

#endif
