/* Tests of task 4, outlier ejection, wrapped round the submission's own round robin: the judge knows who is to be out,
 * and that who is in gets its turn. */
#include "check_script.h"

#include <stdlib.h>

/* ---- outlier ejection ---- */

static bool respects_ejection(const struct model *m, const struct script_step *step, uint32_t backend, char *why,
                              size_t size)
{
    if (step->op != SCRIPT_PICK)
        return true;
    if (backend < MODEL_BACKENDS && m->back_at[backend]) {
        snprintf(why, size,
                 "expected: any but backend %u, which failed %u times in a row and is out until %.3f s (its ejection "
                 "number %u in a row); actual: backend %u at %.3f s",
                 backend, m->config->eject_after, (double)m->back_at[backend] / 1e9, m->ejections[backend], backend,
                 (double)m->now / 1e9);
        return false;
    }
    /* The inner balancer takes turns, so who is in comes up within a round or two. */
    uint64_t patience = 3ull * m->members + 3;
    for (uint32_t i = 0; i < MODEL_BACKENDS; i++)
        if (m->member[i] && !m->back_at[i] && i != backend && m->picks > m->seen[i] + patience) {
            snprintf(why, size,
                     "expected: backend %u gets its turn again: it is not to be out (%u failures in a row since it was "
                     "last in; %u of %u members are out, at most "
                     "%u %% may be); actual: none of the last %llu picks named it",
                     i, m->failures[i], m->out, m->members, m->config->eject_max_percent,
                     (unsigned long long)(m->picks - m->seen[i]));
            return false;
        }
    return true;
}

struct ejection_test {
    uint32_t backends, picks;
    uint64_t step_ns;
    uint32_t bad;          /* fails always, until heals; LB_NONE: none */
    uint32_t heals;        /* from this pick on ... */
    uint32_t relapses;     /* ... to this one; 0: for ever */
    uint32_t fail_percent; /* of all, when there is no bad one */
    uint32_t most_percent; /* that may be out; 0: 50 */
    uint32_t late;         /* answers come up to so many picks later */
    bool leaving;          /* now and then one is away for a while */
};

static void ejection_with(struct ejection_test t, uint64_t stream)
{
    struct rng r = random_of_test(stream);
    struct steps *steps = new_steps();
    for (uint32_t i = 0; i < t.backends; i++)
        steps_add(steps, i, 1);
    uint32_t flying[64], n = 0, away = LB_NONE;
    for (uint32_t k = 0; k < t.picks; k++) {
        flying[n++] = steps_pick(steps);
        while (n > t.late || (n > 0 && rng_below(&r, 2))) {
            uint32_t which = rng_below(&r, n), id = flying[which];
            flying[which] = flying[--n];
            if (t.bad != LB_NONE)
                steps_answer(steps, id, k < t.heals || (t.relapses && k >= t.relapses) ? t.bad : LB_NONE, MS, false);
            else
                steps_done(steps, id,
                           rng_below(&r, 100) < t.fail_percent ? (enum lb_outcome)between(&r, LB_ERROR, LB_TIMEOUT)
                                                               : LB_OK,
                           MS);
        }
        if (t.leaving && k % 40 == 39) { /* one at a time, so that never all are away or out */
            if (away != LB_NONE)
                steps_add(steps, away, 1);
            away = rng_below(&r, 2) ? rng_below(&r, t.backends) : LB_NONE;
            if (away != LB_NONE)
                steps_remove(steps, away);
        }
        steps->now += t.step_ns;
    }
    struct lb_config config = config_for(t.backends);
    if (t.most_percent)
        config.eject_max_percent = t.most_percent;
    check_property("outlier-ejection+round-robin", &config, steps, respects_ejection);
    free(steps);
}

CHECK(outlier_ejection, fail_fast_ejected)
{
    struct rng r = random_of_test(30);
    uint32_t n = check_large() ? 20 : 5;
    ejection_with((struct ejection_test){.backends = n,
                                         .picks = check_large() ? 8000 : 1500,
                                         .step_ns = 5 * MS,
                                         .bad = rng_below(&r, n),
                                         .heals = UINT32_MAX},
                  30);
}

CHECK(outlier_ejection, healthy_stays)
{
    ejection_with((struct ejection_test){.backends = check_large() ? 20 : 5,
                                         .picks = check_large() ? 8000 : 800,
                                         .step_ns = 5 * MS,
                                         .bad = LB_NONE,
                                         .late = 6,
                                         .fail_percent = 30},
                  31);
}

CHECK(outlier_ejection, comes_back)
{
    struct rng r = random_of_test(32);
    ejection_with((struct ejection_test){.backends = 4,
                                         .picks = check_large() ? 9000 : 1500,
                                         .step_ns = 10 * MS,
                                         .bad = rng_below(&r, 4),
                                         .heals = check_large() ? 4000 : 500,
                                         .relapses = check_large() ? 5500 : 900},
                  32);
    /* Answers that come late, of those that are out as well; then some leave besides, and come back as if new. */
    for (uint32_t leaving = 0; leaving < 2; leaving++)
        ejection_with((struct ejection_test){.backends = 5,
                                             .picks = check_large() ? 6000 : 900,
                                             .step_ns = 10 * MS,
                                             .bad = LB_NONE,
                                             .fail_percent = 50,
                                             .late = 12,
                                             .leaving = leaving},
                      34 + leaving);
}

CHECK(outlier_ejection, never_all)
{
    struct rng r = random_of_test(33);
    const uint32_t cases[][2] = {{1, 50}, {2, 50}, {5, 50}, {4, 10}, {between(&r, 3, check_large() ? 20 : 6), 50},
                                 {3, 100}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ejection_with((struct ejection_test){.backends = cases[i][0],
                                             .most_percent = cases[i][1],
                                             .picks = check_large() ? 3000 : 400,
                                             .step_ns = 10 * MS,
                                             .bad = LB_NONE,
                                             .fail_percent = 100},
                      40 + i);
}
