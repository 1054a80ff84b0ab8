/* The pool of connections by hand, and the keys that costs are measured with. */
#include "origin.h"
#include "cost_keys.h"

#include <criterion/criterion.h>

TestSuite(origin, .timeout = 60);

/* Three queries of 10 come at 0, 1 and 2. */
static struct origin *three(uint32_t pool)
{
    struct origin *o = origin_create(pool);
    for (uint64_t at = 0; at < 3; at++)
        origin_ask(o, at, 10);
    return o;
}

Test(origin, as_many_as_are_asked_for)
{
    struct origin *o = three(0);
    cr_assert_eq(origin_waiting(o, 2), 0, "nobody waits");
    cr_assert_float_eq(origin_busy(o, 0, 12), 30 / 12.0, 1e-12, "three times ten within twelve");
    cr_assert_float_eq(origin_busy(o, 2, 10), 3, 1e-12, "all three");
    cr_assert_float_eq(origin_busy(o, 12, 20), 0, 1e-12, "nobody any more");
    origin_destroy(o);
}

Test(origin, one_connection)
{
    struct origin *o = three(1);
    cr_assert_eq(origin_waiting(o, 0), 0, "the first has it");
    cr_assert_eq(origin_waiting(o, 1), 1, "the second waits");
    cr_assert_eq(origin_waiting(o, 2), 2, "and the third");
    cr_assert_eq(origin_waiting(o, 9), 2, "until the first is done");
    cr_assert_eq(origin_waiting(o, 10), 1, "then the second begins");
    cr_assert_eq(origin_waiting(o, 20), 0, "and then the third");
    cr_assert_float_eq(origin_busy(o, 0, 30), 1, 1e-12, "it is never idle");
    cr_assert_float_eq(origin_busy(o, 0, 60), 0.5, 1e-12, "until 30");
    origin_destroy(o);
}

Test(origin, two_connections)
{
    struct origin *o = three(2);
    cr_assert_eq(origin_waiting(o, 2), 1, "the third waits");
    cr_assert_eq(origin_waiting(o, 10), 0, "for the first to end");
    cr_assert_float_eq(origin_busy(o, 0, 20), 1.5, 1e-12, "30 within 20");
    origin_ask(o, 100, 10);
    cr_assert_eq(origin_waiting(o, 100), 0, "long behind them all are free");
    origin_destroy(o);
}

/* Each key comes again exactly where it is said to, and not before. */
Test(origin, when_keys_come_again)
{
    for (int by_zipf = 0; by_zipf < 2; by_zipf++) {
        const struct cost_keys *k = cost_keys(3000, by_zipf, 5);
        cr_assert(k && k->n >= 30000 && (k->n & (k->n - 1)) == 0, "ten for each, and a power of two");
        for (uint32_t i = 0; i < k->n; i += 37) {
            uint32_t ahead = 1;
            while (k->key[(i + ahead) & (k->n - 1)] != k->key[i])
                ahead++;
            cr_assert_eq(k->next[i], ahead, "key %u: %u, not %u", i, k->next[i], ahead);
        }
        cr_assert_eq(cost_keys(3000, by_zipf, 5), k, "the same for the next who asks");
        cr_assert_neq(cost_keys(3000, by_zipf, 6), k, "not for another seed");
    }
}
