/* sample.c: labs to make reports of, tame and hostile. */
#include "report/tests/sample.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>

const char sample_hostile[] = "<script>alert(1)</script> & \"two\" 'one' </title></svg>]]> &lt; `id` $(id) %s \\n \x01 "
                              "{/Bold x}_2^3 \xe2\x89\xa4";

static json_t *with(const char *text, const char *odd)
{
    return *odd ? json_sprintf("%s %s", text, odd) : json_string(text);
}

static json_t *claim(const char *lab, const char *id, double measured, bool holds, const char *odd)
{
    return json_pack("{ss, so, so, so, ss, sf, sf, sf, sf, so, sf, so, si, so, so, sb}", "lab", lab, "id",
                     with(id, odd), "statement", with("A statement.", odd), "formula", with("n x r", odd), "relation",
                     "equals", "predicted", 5000.0, "measured", measured, "low", measured - 4, "high", measured + 4,
                     "unit", with("req/s", odd), "tolerance", 50.0, "tolerance_why", with("because", odd), "seeds", 8,
                     "source", with("counted", odd), "broken", with("x in place of y", odd), "holds", (int)holds);
}

static json_t *plot(const char *odd)
{
    json_t *line = json_pack("{so, ss, s[f,f,f,f], s[f,f,f,f]}", "name", with("a, theory", odd), "kind", "line", "x",
                             1.0, 10.0, 100.0, 1000.0, "y", 0.0, 1.0, 2.0, 3.0);
    json_t *points = json_pack("{so, ss, s[f,f,f,f], s[f,n,f,f], s[f,n,f,f], s[f,n,f,f]}", "name",
                               with("a, measured", odd), "kind", "points", "x", 1.0, 10.0, 100.0, 1000.0, "y", 0.1, 2.1,
                               3.1, "low", 0.0, 2.0, 3.0, "high", 0.3, 2.3, 3.3);
    return json_pack("{ss, so, so, so, so, so, so, sb, sb, si, s[o,o]}", "id", "loss", "title", with("Loss", odd),
                     "reading", with("Read it.", odd), "x", with("load", odd), "x_unit", with("req/s", odd), "y",
                     with("loss", odd), "y_unit", with("%", odd), "log_x", 1, "log_y", 0, "seeds", 8, "series", line,
                     points);
}

json_t *sample_lab(const char *id, const char *odd)
{
    json_t *lab = json_pack("{si, ss, ss, so, si, sb, s[o,o,o], s[o], s[o,o], s[o], sf}", "format", 1, "lab", id,
                            "name", "sample", "title", with("A title", odd), "seed", 7, "broken", 0, "incident",
                            with("First.", odd), with("Second.", odd), with("Third.", odd), "next",
                            with("Try this.", odd), "claims", claim(id, "true-one", 4991.2374, true, odd),
                            claim(id, "false-one", 6000, false, odd), "plots", plot(odd), "seconds", 1.5);
    cr_assert(lab, "the sample is no JSON");
    return lab;
}

char *sample_read(const char *folder, const char *name)
{
    char path[FILE_PATH], *data = NULL;
    size_t size;
    struct error err;
    int code = file_read(file_path(path, "%s/%s", folder, name), 1 << 24, &data, &size, &err);
    cr_assert(code == 0, "%s", err.text);
    return data;
}

const char *sample_folder(char *path)
{
    struct error err;
    int code = file_temp_dir(path, "faultline-test", &err);
    cr_assert(code == 0, "%s", err.text);
    return path;
}
