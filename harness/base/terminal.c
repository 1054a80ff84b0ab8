/* terminal.c: what a person sees while something runs. */
#include "base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

const char *terminal_style(enum terminal_style style)
{
    static const char *const codes[] = {"\033[0m", "\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m"};
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    if ((none && *none) || !term || strcmp(term, "dumb") == 0 || !isatty(STDOUT_FILENO))
        return "";
    return codes[style];
}

int terminal_width(void)
{
    struct winsize size;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 100;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_start(struct progress *p, const char *label, uint64_t total, bool quiet)
{
    const char *term = getenv("TERM");
    *p = (struct progress){.label = label, .total = total, .started = now()};
    p->shown = !quiet && total > 0 && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    progress_set(p, 0);
}

void progress_set(struct progress *p, uint64_t done)
{
    double t = now();
    if (!p->shown || (done > 0 && done < p->total && t - p->last < 0.1))
        return;
    p->last = t;
    char bar[25] = "........................";
    memset(bar, '#', done >= p->total ? 24 : (size_t)(24 * done / p->total));
    double left = done ? (t - p->started) * (double)(p->total - (done < p->total ? done : p->total)) / (double)done : 0;
    fprintf(stderr, "\r\033[K%s [%s] %3.0f %%", p->label, bar, 100.0 * (double)done / (double)p->total);
    if (done && left >= 1)
        fprintf(stderr, "  %.0f s left", left);
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
