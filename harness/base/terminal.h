/* terminal.h: what a person sees while something runs.
 *
 * Colour and progress appear only where standard output (colour) or standard error (progress) is a terminal, and colour
 * never where NO_COLOR is set or TERM is "dumb". Colour never stands alone: a mark or a word says the same. One thread
 * at a time.
 */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum terminal_style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_DIM, STYLE_BOLD };

/* The escape sequence that starts a style, or "" where there is no colour. End it with terminal_style(STYLE_PLAIN). */
const char *terminal_style(enum terminal_style style);
int terminal_width(void); /* columns of standard output; 100 where it is no terminal */

/* A progress line on standard error: "label [#####.....]  50 %  3 s left". Silent when quiet or no terminal. */
struct progress {
    const char *label;
    uint64_t total;
    bool shown;
    double started;
    double last;
};
void progress_start(struct progress *p, const char *label, uint64_t total, bool quiet);
void progress_set(struct progress *p, uint64_t done);
void progress_end(struct progress *p); /* wipes the line */

#endif
