/* test_claims_here.c: claims about this machine: true or false only where the whole interval says so, else null with
 * the reason; left out with --seeded; never a reason to fail. */
#include "base/file.h"
#include "base/memory.h"
#include "report/tests/claims_lab.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(claims_here, .timeout = 60, .init = claims_make_lab, .fini = claims_remove_lab);

static double exactly_ten(const struct claim_run *run)
{
    return run->broken ? 11 : 10;
}

/* What the claim under test is told; the child that measures is a copy of this process. */
static struct claim_here told;

static void tell(const struct claim_run *run, struct claim_here *here)
{
    *here = told;
    if (run->broken)
        here->value = here->low = here->high = -1000;
}

static struct claim claim[] = {{.id = "seeded",
                                .statement = "Ten.",
                                .formula = "10",
                                .unit = "ms",
                                .source = "counted",
                                .broken = "eleven",
                                .seeds = 1,
                                .predicted = 10,
                                .measure = exactly_ten},
                               {.id = "here",
                                .statement = "Ten here.",
                                .formula = "10",
                                .unit = "ns",
                                .source = "measured",
                                .broken = "minus a thousand",
                                .seeds = 1,
                                .predicted = 10,
                                .measure_here = tell,
                                .slack = 1,
                                .slack_why = "slack"}};
static const struct claim_suite suite = {"99-tiny", claim, 2, NULL, 0};

static const json_t *the_claim(const json_t *o)
{
    return json_array_get(json_object_get(o, "claims"), 1);
}

static void expect(enum claim_relation relation, struct claim_here here, int verdict, const char *why)
{
    char out[FILE_PATH];
    claim[1].relation = relation;
    told = here;
    int code = RUN(&suite, "1", "--out", claims_path(out, "r.json"));
    json_t *o = claims_result("r.json");
    const json_t *holds = json_object_get(the_claim(o), "holds");
    const char *reason = json_string_value(json_object_get(the_claim(o), "reason"));
    int got = json_is_true(holds) ? 1 : json_is_false(holds) ? 0 : json_is_null(holds) ? -1 : -2;
    cr_assert(got == verdict, "relation %d, %g in %g to %g: expected %d, got %d", (int)relation, here.value, here.low,
              here.high, verdict, got);
    cr_assert(code == (verdict == 0), "verdict %d: exit code %d", verdict, code);
    cr_assert(verdict == -1 ? reason && strstr(reason, why) : !reason, "the reason is \"%s\"", reason ? reason : "");
    json_decref(o);
}

Test(claims_here, the_whole_interval_decides)
{
    static const struct {
        double low, high;
        enum claim_relation relation;
        int verdict;
    } cases[] = {
        {9.5, 10.5, CLAIM_EQUALS, 1}, {8, 10.5, CLAIM_EQUALS, -1},     {5, 8, CLAIM_EQUALS, 0},
        {12, 20, CLAIM_EQUALS, 0},    {1, 20, CLAIM_EQUALS, -1}, /* both ends wrong, on different sides */
        {9, 50, CLAIM_AT_LEAST, 1},   {8.9, 50, CLAIM_AT_LEAST, -1},   {1, 8.9, CLAIM_AT_LEAST, 0},
        {-100, 11, CLAIM_AT_MOST, 1}, {-100, 11.1, CLAIM_AT_MOST, -1}, {11.1, 12, CLAIM_AT_MOST, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect(cases[i].relation,
               (struct claim_here){0.5 * (cases[i].low + cases[i].high), cases[i].low, cases[i].high, ""},
               cases[i].verdict, "interval");
}

Test(claims_here, what_was_not_measured_says_why)
{
    expect(CLAIM_EQUALS, (struct claim_here){NAN, NAN, NAN, "one core only"}, -1, "one core only");
    expect(CLAIM_AT_MOST, (struct claim_here){NAN, 1, 2, ""}, -1, "not measured");
    expect(CLAIM_AT_MOST, (struct claim_here){5, NAN, 6, ""}, -1, "interval");
    expect(CLAIM_AT_MOST, (struct claim_here){5, -INFINITY, 6, ""}, -1, "interval");
}

Test(claims_here, seeded_leaves_it_out)
{
    char out[FILE_PATH];
    told = (struct claim_here){100, 100, 100, ""};
    int code = RUN(&suite, "1", "--seeded", "--out", claims_path(out, "r.json"));
    json_t *o = claims_result("r.json");
    cr_assert(code == 0, "the false one is left out: expected exit code 0, got %d", code);
    cr_assert(json_array_size(json_object_get(o, "claims")) == 1 && !the_claim(o), "expected one claim");
    json_decref(o);
}

Test(claims_here, broken_must_turn_it_false_or_untold)
{
    told = (struct claim_here){10, 10, 10, ""};
    int code = RUN(&suite, "1", "--broken");
    cr_assert(code == 0, "both turn false: expected exit code 0, got %d", code);
}

Test(claims_here, printed_with_its_reason_and_in_the_sum)
{
    told = (struct claim_here){NAN, NAN, NAN, "one core only"};
    int code = RUN(&suite, "1", "--seed", "1");
    char *said = claims_said();
    static const char *const parts[] = {"? cannot tell  here", "cannot tell here: one core only",
                                        "\n1 of 2 claims hold, 1 cannot be told here\n"};
    cr_assert(code == 0, "expected exit code 0, got %d", code);
    for (size_t i = 0; i < COUNT(parts); i++)
        cr_assert(strstr(said, parts[i]), "expected \"%s\" in:\n%s", parts[i], said);
    free(said);
}
