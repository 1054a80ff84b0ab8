/* counters: what can be counted here, from where, why the rest can't, and how to read it. */
#include "cli/command.h"

#include "base/terminal.h"
#include "measure/callgrind.h"
#include "measure/counters.h"
#include "report/table.h"

#include <stdio.h>
#include <string.h>

static struct counters *plan(const struct session *s)
{
    enum counter_mode mode = COUNT_AUTO;
    struct counters *counters;
    if (s->options.counters && counter_mode_from(s->options.counters, &mode) != 0)
        error_exit(EXIT_WRONG_USE, "counters: --counters is auto, hardware, software, simulated or all, not \"%s\"",
                   s->options.counters);
    if (counters_plan(mode, NULL, &counters) != 0)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    return counters;
}

/* "hardware (PAPI)", "simulated (callgrind)", "n/a". */
static const char *source_of(const struct counters *counters, enum counter_id id, bool callgrind, char *out,
                             size_t size)
{
    const struct counter_choice *c = counters_choice(counters, id);
    bool simulated = callgrind && counters_simulate(counters, id);
    if (c->source == SOURCE_NONE)
        snprintf(out, size, "%s", simulated ? "simulated (callgrind)" : counter_source_name(SOURCE_NONE));
    else
        snprintf(out, size, "%s (%s)%s", counter_source_name(c->source), c->provider->name,
                 simulated ? " and simulated" : "");
    return out;
}

void session_print_counters(const struct session *s)
{
    char reason[200] = "", source[80];
    struct counters *counters = plan(s);
    bool callgrind = callgrind_there(reason, sizeof reason);
    struct table *t = table_create();
    table_column(t, "group", TABLE_LEFT);
    table_column(t, "counter", TABLE_LEFT);
    table_column(t, "source", TABLE_LEFT);
    table_column(t, "why nothing better", TABLE_LEFT);
    for (int id = 0; id < COUNTERS; id++) {
        table_cell(t, "%s", counter_group_info[counter_info[id].group].name);
        table_cell(t, "%s", counter_info[id].name);
        table_cell(t, "%s", source_of(counters, (enum counter_id)id, callgrind, source, sizeof source));
        table_cell(t, "%s", counters_choice(counters, (enum counter_id)id)->reason);
    }
    table_print(stdout, t, 0);
    table_destroy(t);
    if (!callgrind)
        printf("nothing can be simulated: %s\n", reason);
    counters_destroy(counters);
}

json_t *session_counters_json(const struct session *s)
{
    char reason[200] = "", source[80];
    struct counters *counters = plan(s);
    bool callgrind = callgrind_there(reason, sizeof reason);
    json_t *list = json_array();
    for (int id = 0; id < COUNTERS; id++)
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", counter_info[id].name, "what", counter_info[id].what,
                            "group", counter_group_info[counter_info[id].group].name, "source",
                            source_of(counters, (enum counter_id)id, callgrind, source, sizeof source), "reason",
                            counters_choice(counters, (enum counter_id)id)->reason));
    counters_destroy(counters);
    return list;
}

enum exit_code command_counters(struct session *s)
{
    if (!s->options.json || strcmp(s->options.json, "-") != 0) {
        session_print_counters(s);
        for (int g = 0; g < COUNTER_GROUPS; g++) {
            const char *text = counter_group_info[g].reading;
            printf("\n%s%s%s\n", terminal_style(STYLE_BOLD), counter_group_info[g].title, terminal_style(STYLE_PLAIN));
            /* Wrapped at words, for whatever width there is. */
            int width = terminal_width() < 100 ? terminal_width() : 100, used = 0;
            while (*text) {
                int n = (int)strcspn(text, " ");
                if (used && used + 1 + n > width) {
                    putchar('\n');
                    used = 0;
                }
                used += printf("%s%.*s", used ? " " : "", n, text);
                text += n;
                text += strspn(text, " ");
            }
            putchar('\n');
        }
    }
    return s->options.json
               ? (enum exit_code)session_write_json(
                     s->options.json, json_pack("{s:i, s:o}", "format", 1, "counters", session_counters_json(s)))
               : EXIT_FINE;
}
