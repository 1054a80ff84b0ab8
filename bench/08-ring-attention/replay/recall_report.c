/* recall_report.c: what attention recalled, for people, for programs and as a plot. */
#include "recall_report.h"

#include "base/memory.h"
#include "base/text.h"
#include "report/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double percent(double part, double all)
{
    return 100 * part / all;
}

/* To so many digits behind the point: what rounding elsewhere can't change. */
static double digits(double x, int n)
{
    const double unit = pow(10, n);
    return round(x * unit) / unit;
}

static double depth_of(const struct recall_report *r, size_t place)
{
    return percent((double)place, (double)r->text->tokens);
}

const char *recall_view_name(const struct recall_view *v, char out[40])
{
    char number[TEXT_NUMBER];
    if (v->all)
        snprintf(out, 40, "all keys");
    else if (v->keys % 1024 == 0)
        snprintf(out, 40, "last %lluK", (unsigned long long)v->keys / 1024);
    else
        snprintf(out, 40, "last %s", text_count(number, v->keys));
    return out;
}

/* The words, as far as there is room: nothing in them that a terminal or JSON would stumble over. */
static const char *answer_text(const struct recall_report *r, const struct recall_answer *a, char *out, size_t size)
{
    char line[1024] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < a->words && n + 1 < sizeof line; i++) {
        const char *word = recall_text_word(r->text, a->word[i]);
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%s", i && a->word[i] != RECALL_END ? " " : "", word);
    }
    return text_clean(out, size, line, n < sizeof line ? n : sizeof line - 1);
}

/* ---- for people ---- */

static void print_facts(const struct recall_report *r)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
    const struct recall_text *t = r->text;
    printf("%s: %s tokens (words, and ends of sentences), %s different, in %s lines\n", r->trace,
           text_count(a, t->tokens), text_count(b, t->words), text_count(c, t->lines));
    if (r->tokens > t->tokens)
        printf("fewer than the %s that were asked for: that is the whole text\n", text_count(a, r->tokens));
    if (t->cut)
        printf("%s lines are longer than 65,535 bytes: what is beyond is left out\n", text_count(a, t->cut));
    printf(
        "a key: the %u words before a token; its value: the token; %u signs each. With a scale of %.4f the right key "
        "has\n%g times the weight of all others together, or more (on average)\n",
        r->code->context, RECALL_D, (double)r->code->tau, 1 / RECALL_OTHERS);
}

static void print_places(const struct recall_report *r)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
    const struct recall_places *p = &r->places;
    if (p->count == 1)
        printf("compared word by word: these words stand in the text once, before token %s: at %.2f %%\n",
               text_count(a, p->first), depth_of(r, p->first));
    else if (p->count)
        printf("compared word by word: these words stand in the text %s times, first before token %s (at %.2f %%), "
               "last before %s (at %.2f %%)\n",
               text_count(c, p->count), text_count(a, p->first), depth_of(r, p->first), text_count(b, p->last),
               depth_of(r, p->last));
    else
        printf("compared word by word: these words stand nowhere in the text in this order. The nearest place has %u "
               "of them, before token %s (at %.2f %%)\n",
               r->nearest, text_count(a, r->nearest_at), depth_of(r, r->nearest_at));
}

static void answer_row(const struct recall_report *r, const struct recall_view *v, struct table *t)
{
    char name[40], words[1024], count[TEXT_NUMBER];
    const struct recall_answer *a = &v->answer;
    table_cell(t, "%s", recall_view_name(v, name));
    table_cell(t, "%s", v->entry);
    if (v->failed || a->words == 0) {
        table_cell(t, "%s", v->failed ? "n/a" : "- (these words are not there)");
        table_cell(t, "%s", "");
        table_cell(t, "%s", v->failed ? "" : "0");
        return;
    }
    table_cell(t, "%s", answer_text(r, a, words, sizeof words));
    table_cell(t, "%.2f", a->share);
    table_cell(t, "%s", text_count(count, (uint64_t)round(a->places)));
}

static void print_question(const struct recall_report *r)
{
    static const char *const columns[] = {"attention over", "by", "says"};
    char clean[300];
    struct table *t = table_create();
    printf("\n%s ...\n\n", text_clean(clean, sizeof clean, r->question, strlen(r->question)));
    for (size_t i = 0; i < COUNT(columns); i++)
        table_column(t, columns[i], TABLE_LEFT);
    table_column(t, "share", TABLE_POINT);
    table_column(t, "places", TABLE_RIGHT);
    for (uint32_t i = 0; i < r->views; i++)
        answer_row(r, &r->view[i], t);
    table_print(stdout, t, 0);
    table_destroy(t);
    puts("\nshare: of the weight that says so (the least of the answer's words). places: with the question's last "
         "words, "
         "from the log-sum-exp.");
    print_places(r);
}

static void depth_row(const struct recall_report *r, uint32_t depth, struct table *t)
{
    const bool sum = depth == RECALL_DEPTHS;
    if (sum)
        table_rule(t), table_cell(t, "all");
    else
        table_cell(t, "%u", 100 * depth / (RECALL_DEPTHS - 1));
    for (uint32_t i = 0; i < r->views; i++) {
        uint32_t found = 0;
        for (uint32_t d = 0; d < RECALL_DEPTHS; d++)
            found += sum || d == depth ? r->view[i].found[d] : 0;
        if (r->view[i].failed)
            table_cell(t, "n/a");
        else
            table_cell(t, "%u of %u", found, sum ? r->needles.count : r->needles.each);
    }
}

static void print_needles(const struct recall_report *r)
{
    char name[40], column[160];
    double low, high;
    struct table *t = table_create();
    printf(
        "\n%u sentences of %u words of this text, in an order that occurs nowhere, planted at each of %u depths. Who "
        "is\ngiven the first %u words: does he find the other %u?\n\n",
        r->needles.each, r->code->context + RECALL_ANSWER, RECALL_DEPTHS, r->code->context, RECALL_ANSWER);
    table_column(t, "depth %", TABLE_RIGHT);
    for (uint32_t i = 0; i < r->views; i++) {
        const struct recall_view *v = &r->view[i];
        snprintf(column, sizeof column, "%s%s%s", recall_view_name(v, name), v->all && i ? ", " : "",
                 v->all && i ? v->entry : "");
        table_column(t, column, TABLE_RIGHT);
    }
    for (uint32_t d = 0; d <= RECALL_DEPTHS; d++)
        depth_row(r, d, t);
    table_print(stdout, t, 0);
    table_destroy(t);
    recall_interval(r->needles.each, r->needles.each, &low, &high);
    printf("\nSource: counted. With 95 %% confidence %u of %u is %.0f %% or more", r->needles.each, r->needles.each,
           100 * low);
    recall_interval(r->needles.count, r->needles.count, &low, &high);
    printf(", and %u of %u %.0f %% or more (exact binomial interval).\n", r->needles.count, r->needles.count,
           100 * low);
}

void recall_report_print(const struct recall_report *r)
{
    print_facts(r);
    if (r->question)
        print_question(r);
    if (r->needles.each)
        print_needles(r);
    putchar('\n');
    for (uint32_t i = 1; i < r->views; i++) {
        const struct recall_view *v = &r->view[i];
        if (v->all && v->asked && !v->failed)
            printf("%s and %s say the same in %u of %u answers\n", r->view[0].entry, v->entry, v->same, v->asked);
    }
    for (uint32_t i = 0; i < r->views; i++)
        if (r->view[i].failed)
            printf("%s n/a: %s\n", r->view[i].entry,
                   r->view[i].failed == -ENOTSUP ? "this machine does not have what it needs, or it does not do this"
                                                 : strerror(-r->view[i].failed));
}

/* ---- for programs ---- */

static json_t *question_json(const struct recall_report *r)
{
    json_t *answers = json_array();
    char text[1024], name[40];
    for (uint32_t i = 0; i < r->views; i++) {
        const struct recall_view *v = &r->view[i];
        const struct recall_answer *a = &v->answer;
        json_t *o = json_pack("{s:s, s:s, s:I, s:b}", "entry", v->entry, "keys", recall_view_name(v, name), "size",
                              (json_int_t)v->keys, "found", v->failed == 0 && a->words > 0);
        if (v->failed)
            json_object_set_new(o, "reason", json_string(strerror(-v->failed)));
        else if (a->words) {
            json_object_set_new(o, "answer", json_string(answer_text(r, a, text, sizeof text)));
            json_object_set_new(o, "share", json_real(digits(a->share, 2)));
            json_object_set_new(o, "places", json_integer((json_int_t)round(a->places)));
        }
        json_array_append_new(answers, o);
    }
    json_t *o =
        json_pack("{s:s, s:I, s:o}", "question", text_clean(text, sizeof text, r->question, strlen(r->question)),
                  "places", (json_int_t)r->places.count, "answers", answers);
    if (r->places.count) {
        json_object_set_new(o, "first_depth", json_real(digits(depth_of(r, r->places.first), 2)));
        json_object_set_new(o, "last_depth", json_real(digits(depth_of(r, r->places.last), 2)));
    }
    return o;
}

static void add_row(json_t *rows, const struct recall_view *v, const char *metric, int depth, uint32_t some,
                    uint32_t of)
{
    char name[40];
    json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "lab", "08", "entry", v->entry, "operation",
                            "replay", "size", (json_int_t)v->keys, "state", recall_view_name(v, name), "metric", metric,
                            "unit", "%", "source", v->failed ? "n/a" : "counted");
    if (depth >= 0)
        json_object_set_new(row, "depth", json_integer(depth));
    if (v->failed) {
        json_object_set_new(row, "reason", json_string(strerror(-v->failed)));
    } else {
        double low, high;
        recall_interval(some, of, &low, &high);
        json_object_set_new(row, "value", json_real(digits(percent(some, of), 4)));
        json_object_set_new(row, "low", json_real(digits(100 * low, 4)));
        json_object_set_new(row, "high", json_real(digits(100 * high, 4)));
    }
    json_array_append_new(rows, row);
}

static json_t *rows_json(const struct recall_report *r)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < r->views; i++) {
        const struct recall_view *v = &r->view[i];
        uint32_t all = 0;
        for (uint32_t d = 0; d < RECALL_DEPTHS && r->needles.each; d++) {
            add_row(rows, v, "found", (int)(100 * d / (RECALL_DEPTHS - 1)), v->found[d], r->needles.each);
            all += v->found[d];
        }
        if (r->needles.each)
            add_row(rows, v, "found", -1, all, r->needles.count);
        if (v->asked)
            add_row(rows, v, "agrees", -1, v->same, v->asked);
    }
    return rows;
}

json_t *recall_report_json(const struct recall_report *r)
{
    json_t *o = json_pack("{s:i, s:s, s:I, s:{s:I, s:I, s:I, s:I}, s:{s:i, s:i, s:f}, s:o}", "format", 1, "lab", "08",
                          "seed", (json_int_t)r->seed, "trace", "tokens", (json_int_t)r->text->tokens, "different",
                          (json_int_t)r->text->words, "lines", (json_int_t)r->text->lines, "cut",
                          (json_int_t)r->text->cut, "keys", "context", (int)r->code->context, "d", (int)RECALL_D,
                          "scale", digits((double)r->code->tau, 4), "rows", rows_json(r));
    if (r->question)
        json_object_set_new(o, "question", question_json(r));
    if (r->needles.each)
        json_object_set_new(o, "plot", recall_report_plot(r));
    return o;
}

/* ---- the plot ---- */

static json_t *reals(const double *x, uint32_t n)
{
    json_t *a = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(a, json_real(digits(x[i], 4)));
    return a;
}

/* A window sees what lies behind its beginning, and nothing before it. */
static json_t *predicted(const struct recall_report *r, const struct recall_view *v, const char *name)
{
    const double edge = v->all ? 0 : 100 - percent((double)v->keys, (double)r->text->tokens);
    const double x[] = {0, edge, edge, 100}, y[] = {v->all ? 100 : 0, v->all ? 100 : 0, 100, 100};
    json_t *o = json_pack("{s:s, s:o, s:o}", "kind", "line", "x", reals(x, 4), "y", reals(y, 4));
    json_object_set_new(o, "name", json_sprintf("%s, predicted", name));
    return o;
}

static json_t *measured(const struct recall_report *r, const struct recall_view *v, const char *name)
{
    double x[RECALL_DEPTHS], y[RECALL_DEPTHS], low[RECALL_DEPTHS], high[RECALL_DEPTHS];
    for (uint32_t d = 0; d < RECALL_DEPTHS; d++) {
        x[d] = 100.0 * d / (RECALL_DEPTHS - 1);
        y[d] = percent(v->found[d], r->needles.each);
        recall_interval(v->found[d], r->needles.each, &low[d], &high[d]);
        low[d] *= 100, high[d] *= 100;
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", name, "kind", "points", "x", reals(x, RECALL_DEPTHS),
                     "y", reals(y, RECALL_DEPTHS), "low", reals(low, RECALL_DEPTHS), "high",
                     reals(high, RECALL_DEPTHS));
}

/* Where ways to compute agree they would hide each other: the first stands for all. */
json_t *recall_report_plot(const struct recall_report *r)
{
    json_t *series = json_array();
    char name[40];
    for (uint32_t i = 0; i < r->views; i++) {
        const struct recall_view *v = &r->view[i];
        if (v->failed || (v->all && i > 0 && memcmp(v->found, r->view[0].found, sizeof v->found) == 0))
            continue;
        recall_view_name(v, name);
        if (!v->all || i == 0)
            json_array_append_new(series, predicted(r, v, name));
        json_array_append_new(series, measured(r, v, v->all && i ? v->entry : name));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:o}", "id", "recall", "title",
        "Sentences found, by where they stand in the text", "reading",
        "Attention over all keys finds a sentence wherever it stands. Over a window it finds what stands in "
        "the window.",
        "x", "depth in the text", "x_unit", "%", "y", "sentences found", "y_unit", "%", "log_x", 0, "log_y", 0, "seeds",
        1, "series", series);
}
