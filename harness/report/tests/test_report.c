/* test_report.c: the files of a report: complete, safe to open, and the same for the same seed. */
#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "report/report.h"
#include "report/tests/markup.h"
#include "report/tests/sample.h"
#include "report/tests/sample_costs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TestSuite(report, .timeout = 60);

static void write_report(const char *folder, const char *odd, int labs)
{
    struct error err;
    json_t *all = json_array();
    for (int i = 0; i < labs; i++)
        json_array_append_new(all, sample_lab(i ? "02" : "01", odd));
    int code = report_write(folder, all, &err);
    cr_assert(code == 0, "%s", err.text);
    json_decref(all);
}

static void check_page(const char *html)
{
    char why[200];
    cr_assert(markup_is_good(html, true, why, sizeof why), "the page is not well-formed: %s", why);
    cr_assert(!markup_fetches(html), "the page refers to something outside: %.80s", markup_fetches(html));
}

Test(report, page_tells_everything)
{
    char folder[FILE_PATH];
    write_report(sample_folder(folder), "", 2);
    char *html = sample_read(folder, "index.html");
    check_page(html);
    static const char *const parts[] = {"A title",
                                        "First. Second. Third.",
                                        "\u2713 holds",
                                        "\u2717 FALSE",
                                        "1 of 2 claims hold",
                                        "2 of 4 claims hold",
                                        "A statement.",
                                        "n x r",
                                        "4991.2",
                                        "because",
                                        "counted",
                                        "Try this.",
                                        "Read it.",
                                        "<svg",
                                        "href=\"#lab-02\"",
                                        "Compiler"};
    for (size_t i = 0; i < COUNT(parts); i++)
        cr_assert(strstr(html, parts[i]), "the page lacks \"%s\"", parts[i]);
    cr_assert(markup_count(html, "<svg") == 2, "expected 2 drawings, got %zu", markup_count(html, "<svg"));
    free(html);
    free(sample_read(folder, "plots/01-loss.svg"));
    free(sample_read(folder, "plots/02-loss.svg"));
    file_remove_tree(folder);
}

Test(report, hostile_text_is_escaped)
{
    char folder[FILE_PATH];
    write_report(sample_folder(folder), sample_hostile, 2);
    char *html = sample_read(folder, "index.html");
    check_page(html);
    cr_assert(!strstr(html, "<script"), "a title became a script");
    cr_assert(strstr(html, "&lt;script&gt;alert(1)"), "the title is missing");
    char *csv = sample_read(folder, "claims.csv");
    cr_assert(strstr(csv, "& \"\"two\"\" 'one'"), "a quote in a CSV field is not doubled: %s", csv);
    free(html), free(csv);
    file_remove_tree(folder);
}

Test(report, claims_json_has_the_fields)
{
    static const char *const fields[] = {"lab",      "id",   "statement",     "formula",  "predicted",
                                         "measured", "unit", "tolerance",     "holds",    "source",
                                         "low",      "high", "tolerance_why", "relation", "seeds"};
    static const char *const machine[] = {"cpu", "cores", "compiler", "flags"};
    char folder[FILE_PATH], path[FILE_PATH];
    write_report(sample_folder(folder), "", 2);
    json_t *o = json_load_file(file_path(path, "%s/claims.json", folder), JSON_REJECT_DUPLICATES, NULL);
    cr_assert(o, "claims.json is no JSON");
    const json_t *claims = json_object_get(o, "claims");
    cr_assert(json_array_size(claims) == 4, "expected 4 claims, got %zu", json_array_size(claims));
    for (size_t i = 0; i < COUNT(fields); i++)
        cr_assert(json_object_get(json_array_get(claims, 3), fields[i]), "a claim lacks \"%s\"", fields[i]);
    for (size_t i = 0; i < COUNT(machine); i++)
        cr_assert(json_object_get(json_object_get(o, "machine"), machine[i]), "machine lacks \"%s\"", machine[i]);
    cr_assert(json_integer_value(json_object_get(o, "format")) == 1 &&
                  json_integer_value(json_object_get(o, "seed")) == 7,
              "format or seed is wrong");
    cr_assert(json_number_value(json_object_get(json_object_get(o, "timing"), "seconds")) == 3.0,
              "timing.seconds is not the sum of the labs' 1.5");
    cr_assert(json_is_string(json_object_get(o, "faultline")), "no version");
    cr_assert(!json_object_get(o, "broken"), "marked as broken");
    json_decref(o);
    file_remove_tree(folder);
}

/* claims.json but for the machine, of which a part is timed. */
static char *timeless(const char *folder)
{
    char path[FILE_PATH];
    json_t *o = json_load_file(file_path(path, "%s/claims.json", folder), 0, NULL);
    json_object_del(o, "machine");
    char *text = json_dumps(o, JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

Test(report, same_labs_same_bytes)
{
    static const char *const files[] = {"claims.csv", "index.html", "plots/01-loss.svg", "claims.json"};
    char a[FILE_PATH], b[FILE_PATH];
    write_report(sample_folder(a), "", 1);
    write_report(sample_folder(b), "", 1);
    for (size_t i = 0; i < COUNT(files); i++) {
        char *one = i < 3 ? sample_read(a, files[i]) : timeless(a),
             *two = i < 3 ? sample_read(b, files[i]) : timeless(b);
        /* What the page says of the machine is timed in part. */
        char *machine[] = {strstr(one, "<section class=\"lab\" id=\"machine\">"),
                           strstr(two, "<section class=\"lab\" id=\"machine\">")};
        for (int k = 0; k < 2; k++)
            if (machine[k]) {
                char *end = strstr(machine[k], "</section>");
                memmove(machine[k], end, strlen(end) + 1);
            }
        cr_assert(strcmp(one, two) == 0, "%s differs between two reports of the same labs", files[i]);
        free(one), free(two);
    }
    file_remove_tree(a);
    file_remove_tree(b);
}

Test(report, without_gnuplot_the_page_says_so)
{
    char folder[FILE_PATH];
    sample_folder(folder);
    setenv("PATH", "/nonexistent", 1);
    write_report(folder, "", 1);
    char *html = sample_read(folder, "index.html");
    check_page(html);
    cr_assert(!strstr(html, "<svg") && strstr(html, "gnuplot-nox") && strstr(html, "The data as a table"),
              "the page does not say why there is no drawing");
    free(html);
    file_remove_tree(folder);
}

Test(report, folder_that_cannot_be_written_is_named)
{
    struct error err;
    json_t *all = json_pack("[o]", sample_lab("01", ""));
    int code = report_write("/proc/faultline", all, &err);
    cr_assert(code < 0 && strstr(err.text, "/proc/faultline"), "code %d, \"%s\"", code, err.text);
    json_decref(all);
}

Test(report, table_for_the_terminal)
{
    char *text = NULL;
    size_t size;
    json_t *lab = sample_lab("01", "");
    FILE *out = open_memstream(&text, &size);
    report_print_claims(out, lab);
    fclose(out);
    static const char *const parts[] = {"+ holds  true-one", "! FALSE  false-one", "4991.2",
                                        "FALSE false-one: A statement.", "\n1 of 2 claims hold, 1 is false\n"};
    for (size_t i = 0; i < COUNT(parts); i++)
        cr_assert(strstr(text, parts[i]), "expected \"%s\" in:\n%s", parts[i], text);
    cr_assert(!strchr(text, '\033'), "colour in a file");
    free(text);
    json_decref(lab);
}

/* One claim of the first lab can't be told, which makes the longest sum; the costs are there too. */
Test(report, page_fits_a_phone_and_a_desk, .timeout = 300)
{
    char folder[FILE_PATH], page[FILE_PATH];
    struct error err;
    json_t *all = json_array(), *lab = sample_lab("01", " and some words more");
    json_object_set_new(json_array_get(json_object_get(lab, "claims"), 0), "holds", json_null());
    json_object_set_new(lab, "costs", sample_costs(""));
    json_object_update_new(lab, json_pack("{s:s, s:s, s:b}", "claims_date", "2026-11-30 23:10", "costs_date",
                                          "2026-11-29 08:15", "costs_older", 1));
    json_array_append_new(all, lab);
    json_array_append_new(all, sample_lab("02", ""));
    cr_assert(report_write(sample_folder(folder), all, &err) == 0, "%s", err.text);
    json_decref(all);
    char *html = sample_read(folder, "index.html");
    cr_assert(strstr(html, "0 of 2 claims hold, 1 cannot be told here, 1 is false"));
    cr_assert(strstr(html, "Claims measured 2026-11-30 23:10. Costs measured 2026-11-29 08:15, before the claims."));
    free(html);
    const char *argv[] = {"harness/report/overflow.sh", file_path(page, "%s/index.html", folder), NULL};
    struct process p = {.argv = argv, .wall_ms = 250000, .output_limit = 4000};
    struct process_result r;
    cr_assert(process_run(&p, &r, &err) == 0, "%s", err.text);
    if (WEXITSTATUS(r.status) == EXIT_CANNOT_TELL)
        fprintf(stderr, "   left out: %s", r.output);
    else
        cr_assert(r.status == 0, "%s", r.output);
    process_result_free(&r);
    file_remove_tree(folder);
}
