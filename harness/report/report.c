/* report.c: the files of a report: claims.json and claims.csv for programs, index.html and the drawings for people.
 *
 * What depends on the machine or the moment stands in claims.json under "machine" and "timing" and nowhere else in it,
 * so that two reports of one seed can be compared byte by byte once these are taken away. A drawing that cannot be made
 * is no reason to lose the figures: the page says why it is missing.
 */
#include "report/report.h"

#include "base/file.h"
#include "base/json_file.h"
#include "base/memory.h"
#include "base/version.h"
#include "measure/machine.h"
#include "report/html.h"
#include "report/number.h"
#include "report/plot.h"
#include "report/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const claim_fields[] = {"lab",      "id",     "statement", "formula", "relation",  "predicted",
                                           "measured", "low",    "high",      "unit",    "tolerance", "tolerance_why",
                                           "seeds",    "source", "holds",     "reason"};
#define CLAIM_FIELDS COUNT(claim_fields)

/* ---- claims.json ---- */

static json_t *all_claims(const json_t *labs, bool *broken)
{
    json_t *all = json_array(), *lab, *claim;
    size_t i, k;
    json_array_foreach(labs, i, lab)
    {
        *broken = *broken || json_is_true(json_object_get(lab, "broken"));
        json_array_foreach(json_object_get(lab, "claims"), k, claim)
        {
            json_t *copy = json_object();
            for (size_t f = 0; f < CLAIM_FIELDS; f++)
                if (json_object_get(claim, claim_fields[f]))
                    json_object_set(copy, claim_fields[f], json_object_get(claim, claim_fields[f]));
            json_array_append_new(all, copy);
        }
    }
    return all;
}

static json_t *timing(const json_t *labs)
{
    json_t *o = json_object(), *each = json_object(), *lab;
    size_t i;
    double seconds = 0;
    json_array_foreach(labs, i, lab)
    {
        const json_t *s = json_object_get(lab, "seconds");
        seconds += json_number_value(s);
        json_object_set_new(each, html_member(lab, "lab"), json_real(json_number_value(s)));
    }
    json_object_set_new(o, "seconds", json_real(seconds));
    json_object_set_new(o, "labs", each);
    return o;
}

static int write_json(const char *folder, const json_t *labs, const json_t *machine, struct error *err)
{
    char path[FILE_PATH];
    bool broken = false;
    json_t *o = json_object(), *seed = json_object_get(json_array_get(labs, 0), "seed");
    json_object_set_new(o, "faultline", json_string(version_text));
    json_object_set_new(o, "format", json_integer(1));
    if (seed)
        json_object_set(o, "seed", seed);
    json_object_set_new(o, "machine", json_deep_copy(machine));
    json_object_set_new(o, "timing", timing(labs));
    json_object_set_new(o, "claims", all_claims(labs, &broken));
    if (broken) /* measured to be false: nobody should take these for the project's claims */
        json_object_set_new(o, "broken", json_true());
    int code = json_file_write(file_path(path, "%s/claims.json", folder), o, err);
    json_decref(o);
    return code;
}

/* ---- claims.csv ---- */

static void csv_cell(struct table *t, const json_t *value)
{
    if (json_is_string(value))
        table_cell(t, "%s", json_string_value(value));
    else if (json_is_boolean(value))
        table_cell(t, "%s", json_is_true(value) ? "true" : "false");
    else if (json_is_number(value))
        table_cell(t, "%.12g", json_number_value(value));
    else
        table_cell(t, "%s", "");
}

static void csv(FILE *out, const void *labs)
{
    struct table *t = table_create();
    bool broken = false;
    json_t *claims = all_claims(labs, &broken), *claim;
    size_t i;
    for (size_t f = 0; f < CLAIM_FIELDS; f++)
        table_column(t, claim_fields[f], TABLE_LEFT);
    json_array_foreach(claims, i, claim)
    {
        for (size_t f = 0; f < CLAIM_FIELDS; f++)
            csv_cell(t, json_object_get(claim, claim_fields[f]));
    }
    table_write_csv(out, t);
    table_destroy(t);
    json_decref(claims);
}

static void html(FILE *out, const void *page)
{
    html_write(out, page);
}

/* Writes into memory, then the file whole or not at all. */
static int write_with(const char *path, void (*write)(FILE *, const void *), const void *context, struct error *err)
{
    char *data = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&data, &size);
    if (!out)
        return error_set(err, -ENOMEM, "out of memory");
    write(out, context);
    int bad = ferror(out);
    bad |= fclose(out);
    int code = bad ? error_set(err, -ENOMEM, "%s: out of memory", path) : file_write(path, data, size, err);
    free(data);
    return code;
}

/* ---- drawings ---- */

struct drawings {
    json_t *svg, *missing; /* as in html.h */
};

static int write_plot(const char *folder, const json_t *lab, const char *kind, const json_t *plot,
                      const struct drawings *d, struct error *err)
{
    char path[FILE_PATH], name[HTML_NAME];
    char *svg = NULL;
    struct error why;
    html_plot_name(name, lab, kind, plot);
    file_path(path, "%s/plots/%s.svg", folder, name);
    if (plot_svg(plot, name, &svg, &why) != 0) {
        json_object_set_new(d->missing, name, json_string(why.text));
        remove(path); /* one of an earlier report would show other figures */
        return 0;
    }
    json_object_set_new(d->svg, name, json_string(svg));
    int code = file_write(path, svg, strlen(svg), err);
    free(svg);
    return code;
}

static int write_plots(const char *folder, const json_t *labs, const struct drawings *d, struct error *err)
{
    size_t i, k;
    json_t *lab, *plot;
    int code = 0;
    json_array_foreach(labs, i, lab)
    {
        json_array_foreach(json_object_get(lab, "plots"), k, plot)
        {
            code = code ? code : write_plot(folder, lab, "", plot, d, err);
        }
        json_array_foreach(json_object_get(json_object_get(lab, "costs"), "plots"), k, plot)
        {
            code = code ? code : write_plot(folder, lab, HTML_COSTS, plot, d, err);
        }
    }
    return code;
}

int report_write(const char *folder, const json_t *labs, struct error *err)
{
    char path[FILE_PATH];
    if (!json_is_array(labs))
        return error_set(err, -EINVAL, "a report is made of an array of labs");
    json_t *machine = machine_describe();
    struct drawings drawings = {json_object(), json_object()};
    struct html_page page = {labs, machine, drawings.svg, drawings.missing};
    int code = write_json(folder, labs, machine, err);
    if (code == 0)
        code = write_with(file_path(path, "%s/claims.csv", folder), csv, labs, err);
    if (code == 0)
        code = write_plots(folder, labs, &drawings, err);
    if (code == 0)
        code = write_with(file_path(path, "%s/index.html", folder), html, &page, err);
    json_decref(machine);
    json_decref(drawings.svg);
    json_decref(drawings.missing);
    return code;
}
