/* sketch.c: counts are never too low, seldom too high, fade, and survive growing. */
#include "sketch.h"

#include <criterion/criterion.h>

TestSuite(sketch, .timeout = 60);

Test(sketch, counts_are_not_too_low_and_seldom_too_high)
{
    struct sketch k = {0};
    uint32_t high = 0;
    cr_assert(sketch_fit(&k, 4096), "memory");
    for (uint64_t key = 0; key < 2000; key++)
        for (uint64_t i = 0; i < 1 + key % 14; i++)
            sketch_add(&k, key << 40);
    for (uint64_t key = 0; key < 2000; key++) {
        const uint32_t estimate = sketch_estimate(&k, key << 40);
        cr_assert(estimate >= 1 + key % 14, "key %lu: expected: %lu or more; actual: %u", key, 1 + key % 14, estimate);
        high += estimate > 1 + key % 14;
    }
    cr_assert(high < 100, "expected: fewer than 100 of 2000 too high; actual: %u", high);
    free(k.word);
}

Test(sketch, a_counter_stops_at_fifteen)
{
    struct sketch k = {0};
    cr_assert(sketch_fit(&k, 64), "memory");
    for (uint32_t i = 0; i < 100; i++)
        sketch_add(&k, UINT64_MAX);
    cr_assert(sketch_estimate(&k, UINT64_MAX) == 15, "expected: 15; actual: %u", sketch_estimate(&k, UINT64_MAX));
    cr_assert(sketch_estimate(&k, 0) == 0, "expected: its neighbours have nothing");
    free(k.word);
}

Test(sketch, counts_fade_and_growing_keeps_them)
{
    struct sketch k = {0};
    cr_assert(sketch_fit(&k, 64), "memory");
    for (uint32_t i = 0; i < 12; i++)
        sketch_add(&k, 5);
    for (uint64_t i = 12; i < 639; i++)
        sketch_add(&k, 6);
    cr_assert(sketch_estimate(&k, 5) == 12, "expected: 12 until there were ten requests an object");
    cr_assert(sketch_fit(&k, 1000) && k.blocks == 128, "expected: 128 blocks for 1000 objects; actual: %u", k.blocks);
    cr_assert(sketch_estimate(&k, 5) == 12 && sketch_estimate(&k, 6) == 15,
              "expected: the same counts in a larger one");
    for (uint64_t i = 639; i < 10240; i++)
        sketch_add(&k, 6);
    cr_assert(sketch_estimate(&k, 5) == 6, "expected: half; actual: %u", sketch_estimate(&k, 5));
    free(k.word);
}
