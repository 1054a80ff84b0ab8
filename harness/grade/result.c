/* result.c: the one internal result of a check or a grade, from which every format is written. */
#include "grade/result.h"

#include "base/version.h"
#include "host/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void grade_result_destroy(struct grade_result *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->tests; i++) {
        free(r->test[i].message);
        free(r->test[i].drawing);
    }
    free(r->test);
    free(r->submission);
    free(r->notes);
    free(r->build_output);
    free(r);
}

const char *grade_ramp_text(const struct lab_ramp *ramp, char *out, size_t size)
{
    bool small = ramp->full < ramp->none;
    snprintf(out, size, "full points at %g or %s, none at %g or %s", ramp->full, small ? "less" : "more", ramp->none,
             small ? "more" : "less");
    return out;
}

char *grade_rules_text(const struct grade_result *r, const struct grade_test *t)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        error_exit(EXIT_CANNOT_TELL, "out of memory");
    for (char **id = t->test->rules; *id && !t->passed && !t->hidden; id++)
        fprintf(out, "%srule %s: %s", id == t->test->rules ? "" : "\n", *id, lab_find_rule(r->lab, *id)->text);
    fclose(out);
    return text;
}

static double whole(double seconds)
{
    return (double)(uint64_t)(seconds + 0.5);
}

double grade_seconds(const struct grade_test *t)
{
    return t->hidden ? whole(t->seconds) : t->seconds;
}

double grade_time(const struct grade_result *r, double seconds)
{
    return r->secret ? whole(seconds) : seconds;
}

static json_t *layers_json(unsigned layers)
{
    json_t *list = json_array();
    for (unsigned layer = 1; layer < SANDBOX_ALL; layer *= 2)
        if (layers & layer)
            json_array_append_new(list, json_string(sandbox_layer_name(layer)));
    return list;
}

static json_t *test_json(const struct grade_test *t, bool times)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:i, s:i, s:i}", "task", t->test->task->id, "test",
                             t->test->id, "what", t->test->what, "runs", t->hidden ? "hidden" : "public", "passed",
                             t->passed, "verdict", verdict_id(t->verdict), "score", (int)t->score, "max", (int)t->max,
                             "seeds", (int)t->runs, "seeds_passed", (int)t->passed_runs);
    if (!t->hidden && t->measured > 0)
        json_object_update_new(json, json_pack("{s:f, s:f, s:f}", "measured", t->measured, "full_at",
                                               t->test->ramp.full, "none_at", t->test->ramp.none));
    if (!t->hidden && !t->passed) {
        json_object_set_new(json, "seed", json_integer((json_int_t)t->seed));
        json_object_set_new(json, "message", json_string(t->message));
    }
    json_t *rules = json_array();
    for (char **id = t->test->rules; *id; id++)
        json_array_append_new(rules, json_string(*id));
    json_object_set_new(json, "rules", rules);
    if (times)
        json_object_set_new(json, "seconds", json_real(grade_seconds(t)));
    return json;
}

json_t *grade_result_json(const struct grade_result *r, bool times)
{
    json_t *tests = json_array();
    for (uint32_t i = 0; i < r->tests; i++)
        json_array_append_new(tests, test_json(&r->test[i], times));
    json_t *json = json_pack("{s:i, s:s, s:s, s:b, s:s, s:s, s:o, s:b, s:b, s:o, s:i, s:i, s:i, s:i}", "format", 1,
                             "lab", r->lab->id, "submission", r->submission, "built", r->built, "build_output",
                             r->build_output, "notes", r->notes, "sandbox", layers_json(r->layers), "unsafe", r->unsafe,
                             "grader_fault", r->fault, "tests", tests, "score", (int)r->score, "max", (int)r->max,
                             "public_score", (int)r->public_score, "public_max", (int)r->public_max);
    if (times && json) {
        json_object_set_new(json, "seconds", json_real(r->seconds));
        json_object_set_new(json, "machine",
                            json_pack("{s:s, s:s, s:s}", "faultline", version_text, "compiler", version_compiler,
                                      "flags", version_flags));
    }
    return json;
}
