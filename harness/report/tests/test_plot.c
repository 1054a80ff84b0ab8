/* test_plot.c: drawings are well-formed, refer to nothing outside, share a page, and come out the same each time. */
#include "base/memory.h"
#include "report/plot.h"
#include "report/report.h"
#include "report/svg.h"
#include "report/tests/markup.h"
#include "report/tests/sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

TestSuite(plot, .timeout = 60);

static const json_t *first_plot(const json_t *lab)
{
    return json_array_get(json_object_get(lab, "plots"), 0);
}

static char *draw(const char *odd, const char *name)
{
    struct error err;
    char *svg = NULL;
    json_t *lab = sample_lab("01", odd);
    int code = plot_svg(first_plot(lab), name, &svg, &err);
    cr_assert(code == 0, "%s", err.text);
    json_decref(lab);
    return svg;
}

static void check(const char *svg)
{
    char why[200];
    cr_assert(markup_is_good(svg, false, why, sizeof why), "the drawing is not well-formed: %s", why);
    cr_assert(!markup_fetches(svg), "the drawing refers to something outside: %.80s", markup_fetches(svg));
}

Test(plot, drawing_is_well_formed_and_closed)
{
    char *svg = draw("", "p-1");
    check(svg);
    cr_assert(markup_count(svg, "class=\"fl-0\"") >= 4,
              "the series of one group share a colour: %zu uses, expected the line, three bars and points",
              markup_count(svg, "class=\"fl-0\""));
    cr_assert(markup_count(svg, "black") == 0 && markup_count(svg, "white") == 0,
              "black or white would vanish on a dark or light page");
    cr_assert(strstr(svg, "role=\"img\"") && strstr(svg, "<title id=\"p-1-title\">Loss</title>"), "no accessible name");
    cr_assert(strstr(svg, ">loss (%)<") && strstr(svg, ">load (req/s)<"), "labels without units");
    free(svg);
}

Test(plot, hostile_text_stays_text)
{
    char *svg = draw(sample_hostile, "p-1");
    check(svg);
    cr_assert(strstr(svg, "$(id)") && strstr(svg, "`id`") && strstr(svg, "{/Bold x}_2^3"),
              "text was changed on the way through gnuplot");
    free(svg);
}

Test(plot, two_drawings_share_no_id)
{
    char *a = draw("", "p-1"), *b = draw("", "p-2"), *both = NULL, why[200];
    cr_assert(asprintf(&both, "<div>%s%s</div>", a, b) > 0, "no memory");
    cr_assert(markup_is_good(both, false, why, sizeof why), "%s", why);
    free(a), free(b), free(both);
}

Test(plot, same_plot_same_bytes)
{
    char *a = draw("", "p-1"), *b = draw("", "p-1");
    cr_assert(strcmp(a, b) == 0, "two drawings of one plot differ");
    free(a), free(b);
}

Test(plot, empty_and_wrong_plots_are_survived)
{
    struct error err;
    char *svg = NULL;
    json_t *none = json_pack("{ss, s[]}", "id", "none", "series");
    json_t *nothing = json_pack("{ss, sb, s[{ss, ss, s[n,f], s[f,n]}]}", "id", "nothing", "log_y", 1, "series", "name",
                                "x", "kind", "points", "x", 1.0, "y", -1.0);
    cr_assert(plot_svg(none, "p", &svg, &err) == -EINVAL, "a plot without series was drawn");
    int code = plot_svg(nothing, "p", &svg, &err);
    cr_assert(code == 0, "a plot of nothing that can be shown: expected empty axes, got: %s", err.text);
    check(svg);
    free(svg);
    json_decref(none);
    json_decref(nothing);
}

Test(plot, gnuplot_missing_is_said)
{
    struct error err;
    char *svg = NULL;
    json_t *lab = sample_lab("01", "");
    setenv("PATH", "/nonexistent", 1);
    int code = plot_svg(first_plot(lab), "p", &svg, &err);
    cr_assert(code == -ENOENT, "expected -ENOENT, got %d", code);
    cr_assert(strstr(err.text, "gnuplot-nox"), "the sentence does not say what to install: %s", err.text);
    json_decref(lab);
}

Test(plot, terminal_drawing_is_plain)
{
    struct error err;
    char *text = NULL;
    size_t size, longest = 0;
    json_t *lab = sample_lab("01", "");
    FILE *out = open_memstream(&text, &size);
    int code = report_print_plot(out, first_plot(lab), &err);
    fclose(out);
    cr_assert(code == 0, "%s", err.text);
    for (char *line = text; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] != 0))
        longest = strcspn(line, "\n") > longest ? strcspn(line, "\n") : longest;
    cr_assert(longest > 60 && longest <= 100, "the longest line has %zu columns, expected 60 to 100", longest);
    cr_assert(strncmp(text, "Loss\n", 5) == 0 && strstr(text, "a, theory") && !strchr(text, '\f'),
              "title, legend or paper feed: %s", text);
    free(text);
    json_decref(lab);
}

Test(plot, other_than_svg_is_refused)
{
    static const char *const bad[] = {"", "<html></html>", "<svg viewBox=\"0 0 1 1\"><g>", "<svg", "<svg><title>x"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *svg = svg_adapt(bad[i], "p", "t", "d");
        cr_assert(!svg, "\"%s\" was taken for a drawing", bad[i]);
    }
}
