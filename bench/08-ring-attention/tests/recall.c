/* What a text recalls: words, codes, passes, planted sentences, and the program. */
#include "replay/recall_needle.h"
#include "replay/recall_pass.h"
#include "runs.h"
#include "test_file.h"

#include "base/file.h"
#include "base/memory.h"
#include "host/host.h"
#include "sim/rng.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(recall, .timeout = 120);

static struct recall_text text_of(const char *data, uint64_t most)
{
    char path[FILE_PATH];
    struct recall_text t;
    struct error err;
    cr_assert(recall_text_read(test_file(path, "text", data, strlen(data)), most, &t, &err) == 0, "%s", err.text);
    return t;
}

/* ---- words ---- */

static void expect_words(const char *data, const char *words)
{
    char said[1000] = "";
    size_t n = 0;
    struct recall_text t = text_of(data, 1000);
    for (size_t i = 0; i < t.tokens; i++)
        n += (size_t)snprintf(said + n, sizeof said - n, "%s%s", i ? "|" : "", recall_text_word(&t, t.token[i]));
    cr_assert_str_eq(said, words);
    recall_text_free(&t);
}

Test(recall, words_are_letters_and_digits)
{
    expect_words("To be, or NOT to be -- that's it", "to|be|or|not|to|be|that's|it");
    expect_words("'quoted' o'clock' \u201cdon\u2019t\u201d\u2026 x", "quoted|o'clock|don't|x");
    expect_words("\ufeffCaf\u00e9\u00a0na\u00efve\t\u65e5\u3002", "caf\u00e9|na\u00efve|\u65e5");
}

Test(recall, sentences_end)
{
    expect_words("...One, two.\nThree?! (Four 3.14 a.b) five.\" Six", "one|two|.|three|.|four|3|14|a|b|five|.|six");
    expect_words("\n\nA title\n\n\nand text\nthat goes on.\n\nNew", "a|title|.|and|text|that|goes|on|.|new");
}

Test(recall, numbers_of_words)
{
    struct recall_text t = text_of("b a b. c a", 1000);
    const uint32_t expected[] = {1, 2, 1, RECALL_END, 3, 2};
    cr_assert_eq(t.tokens, 6);
    cr_assert_eq(t.words, 4);
    cr_assert_arr_eq(t.token, expected, sizeof expected);
    recall_text_free(&t);
    t = text_of("b a b. c a", 4);
    cr_assert_eq(t.tokens, 4);
    recall_text_free(&t);
    /* More words than a table begins with, and each one once. */
    char *many = malloc(100000);
    size_t n = 0;
    for (uint32_t i = 0; i < 10000; i++)
        n += (size_t)snprintf(many + n, 100000 - n, "w%u%c", i % 5000, i % 10 == 9 ? '\n' : ' ');
    t = text_of(many, UINT64_MAX);
    cr_assert_eq(t.tokens, 10000);
    cr_assert_eq(t.words, 5001);
    for (uint32_t i = 0; i < 10000; i++)
        cr_assert_eq(t.token[i], 1 + i % 5000);
    free(many);
    recall_text_free(&t);
}

Test(recall, words_of_a_question)
{
    struct recall_text t = text_of("The cat sat. The dog stood.", 1000);
    uint32_t token[4];
    size_t n;
    struct error err;
    cr_assert_eq(recall_text_find(&t, "The CAT, stood.", token, 4, &n, &err), 0);
    cr_assert_eq(n, 4);
    const uint32_t expected[] = {t.token[0], t.token[1], t.token[6], RECALL_END};
    cr_assert_arr_eq(token, expected, sizeof expected);
    cr_assert_eq(recall_text_find(&t, "a cat and a dog", token, 4, &n, &err), -ENOENT);
    cr_assert(strstr(err.text, "\"a\", \"and\"") && !strstr(err.text, "cat"), "%s", err.text);
    cr_assert_eq(recall_text_find(&t, "the cat the cat the cat", token, 4, &n, &err), -E2BIG);
    recall_text_free(&t);
}

Test(recall, what_is_no_text)
{
    char path[FILE_PATH], noise[4096];
    struct recall_text t;
    struct error err;
    struct rng r;
    rng_seed(&r, 1, 0);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)rng_next(&r);
    cr_assert_eq(recall_text_read(test_file(path, "noise", noise, sizeof noise), 100000, &t, &err), -EINVAL);
    cr_assert(strstr(err.text, "is no text"), "%s", err.text);
    cr_assert_eq(recall_text_read(test_file(path, "empty", "", 0), 10, &t, &err), -EINVAL);
    cr_assert_eq(recall_text_read(test_file(path, "none", "?!\n--\n", 6), 10, &t, &err), -EINVAL);
    cr_assert(strstr(err.text, "has no words"), "%s", err.text);
    cr_assert_eq(recall_text_read(test_file(path, "not-there", NULL, 0), 10, &t, &err), -ENOENT);
}

/* ---- codes ---- */

Test(recall, tau_is_the_smallest_that_does)
{
    static const struct {
        double places, others;
        uint32_t width;
    } cases[] = {{1e6, 1 / 128.0, 32}, {1048576, 1 / 128.0, 32}, {300, 0.01, 16}, {1e9, 1e-3, 128}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const double tau = recall_tau(cases[i].places, cases[i].width, cases[i].others);
        const double all = cases[i].places * pow((1 + exp(-2 * tau)) / 2, cases[i].width);
        cr_assert(fabs(all / cases[i].others - 1) < 1e-9, "case %zu: the others weigh %g", i, all);
    }
    cr_assert(isnan(recall_tau(1 << 20, 27, 1 / 128.0)), "27 bits for 2^27: only where tau is infinite");
    cr_assert(!isnan(recall_tau(1 << 20, 28, 1 / 128.0)), "28 bits are more than 27");
    cr_assert_eq(recall_width(4), 32);
    cr_assert_eq(recall_width(3), 40);
    cr_assert_eq(recall_longest(1 << 20, 1 / 128.0), 4);
    cr_assert_eq(recall_longest(1e60, 1 / 128.0), 0);
}

static int dot(const float *a, const float *b)
{
    float s = 0;
    for (uint32_t i = 0; i < RECALL_D; i++)
        s += a[i] * b[i];
    return (int)s;
}

/* Of m words in m slices: those that agree count whole, the others by chance. */
Test(recall, keys_compare_contexts)
{
    struct recall_text t = text_of("a b c d e a b c d f x b c d g", 1000);
    struct recall_code c;
    float one[RECALL_D], other[RECALL_D];
    uint16_t narrow[RECALL_D];
    cr_assert_eq(recall_code_create(&t, 4, 1e6, 7, &c), 0);
    recall_key(&c, t.token + 4, AT_F32, one);
    recall_key(&c, t.token + 9, AT_F32, other);
    cr_assert_eq(dot(one, other), (int)RECALL_D);
    recall_key(&c, t.token + 14, AT_F32, other); /* x in place of a */
    for (uint32_t i = 0; i < 96; i++)
        cr_assert_eq(one[i], other[i]);
    cr_assert(dot(one, other) < (int)RECALL_D && dot(one, other) >= 64);
    recall_key(&c, t.token + 5, AT_F32, other); /* one word later */
    cr_assert(abs(dot(one, other)) < 64, "%d of other words", dot(one, other));
    recall_key(&c, t.token + 4, AT_BF16, narrow);
    for (uint32_t i = 0; i < RECALL_D; i++)
        cr_assert_eq(narrow[i], one[i] > 0 ? 0x3f80 : 0xbf80);
    recall_code_free(&c);
    recall_text_free(&t);
}

Test(recall, output_is_read)
{
    struct recall_text t = text_of("a b c d e f g h", 1000);
    struct recall_code c;
    float v[RECALL_D], w[RECALL_D];
    double share;
    cr_assert_eq(recall_code_create(&t, 2, 1000, 3, &c), 0);
    for (uint32_t word = 0; word < t.words; word++) {
        recall_value(&c, word, AT_F32, v);
        cr_assert_eq(recall_read(&c, v, &share), word);
        cr_assert_float_eq(share, 1, 1e-6);
    }
    recall_value(&c, 5, AT_F32, v);
    recall_value(&c, 3, AT_F32, w);
    for (uint32_t i = 0; i < RECALL_D; i++)
        w[i] = 0.5f * v[i] + 0.5f * w[i] + (i % 2 ? 1e-6f : -1e-6f) * v[i];
    cr_assert_eq(recall_read(&c, w, &share), 3, "of two that are as good, the first");
    cr_assert(share > 0.3 && share < 0.7);
    cr_assert_float_eq(recall_places(&c, (float)(c.tau * RECALL_D + log(3))), 3, 1e-4);
    recall_code_free(&c);
    recall_text_free(&t);
}

/* As many places as there may be, and each differs in just one word: then the others weigh what they are allowed to, on
 * average over seeds. (One seed's standard deviation is about 0.6 of it, that of 150 0.05.) */
Test(recall, one_place_outweighs_all_others)
{
    enum { PLACES = 2048, SEEDS = 150 };
    char *data = malloc(PLACES * 16);
    size_t n = 0;
    double mean = 0, half = 0;
    for (uint32_t i = 0; i <= PLACES; i++)
        n += (size_t)snprintf(data + n, PLACES * 16 - n, "same same w%u\n", i);
    struct recall_text t = text_of(data, UINT64_MAX);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct recall_code c;
        float asked[RECALL_D], key[RECALL_D];
        cr_assert_eq(recall_code_create(&t, 4, PLACES, seed, &c), 0);
        recall_key(&c, t.token + 6, AT_F32, asked); /* w0 same same w1 */
        for (uint32_t i = 2; i <= PLACES; i++) {
            uint32_t words[4];
            memcpy(words, t.token + 2, sizeof words);
            words[3] = t.token[3 * i + 2];
            recall_key(&c, words + 4, AT_F32, key);
            const double score = (double)c.tau * (dot(asked, key) - (int)RECALL_D);
            mean += exp(score) / SEEDS;
            half += exp(score / 2) / SEEDS;
        }
        recall_code_free(&c);
    }
    cr_assert(mean > 0.7 * RECALL_OTHERS && mean < 1.3 * RECALL_OTHERS, "the others weigh %g", mean);
    cr_assert(half > 10 * RECALL_OTHERS, "half of tau would do as well: %g", half);
    free(data);
    recall_text_free(&t);
}

/* ---- passes ---- */

static struct recall_text play(uint64_t most)
{
    char path[FILE_PATH];
    struct recall_text t;
    struct error err;
    const char *root = getenv("FAULTLINE_ROOT");
    file_path(path, "%s/datasets/hamlet/hamlet.txt.gz", root ? root : ".");
    cr_assert(recall_text_read(path, most, &t, &err) == 0, "%s", err.text);
    return t;
}

/* In float64, all at once. */
static void expect_exact(const struct recall_pass *p, const char *entry, double tolerance)
{
    for (uint32_t i = 0; i < p->n; i++) {
        float q[RECALL_D], k[RECALL_D], v[RECALL_D];
        double sum = 0, out[RECALL_D] = {0};
        recall_key(p->code, p->after[i], AT_F32, q);
        for (size_t j = p->first; j < p->end; j++) {
            recall_key(p->code, p->code->text->token + j, AT_F32, k);
            recall_value(p->code, p->code->text->token[j], AT_F32, v);
            const double w = exp((double)p->code->tau * dot(q, k));
            sum += w;
            for (uint32_t c = 0; c < RECALL_D; c++)
                out[c] += w * v[c];
        }
        cr_assert_float_eq(p->lse[i], log(sum), tolerance, "%s: row %u of %u over %zu keys: lse %g, not %g", entry, i,
                           p->n, p->end - p->first, p->lse[i], log(sum));
        for (uint32_t c = 0; c < RECALL_D; c++)
            cr_assert_float_eq(p->out[i * RECALL_D + c], out[c] / sum, tolerance, "%s: row %u of %u over %zu keys",
                               entry, i, p->n, p->end - p->first);
    }
}

static void try_way(const struct recall_way *way, const char *entry, const struct recall_code *c)
{
    enum { MOST = 70 };
    static const struct {
        uint32_t n;
        size_t first, end;
    } cases[] = {{1, 4, 2000}, {MOST, 4, 1500}, {3, 1777, 1800}, {2, 100, 2149}, {1, 7, 8}};
    const struct recall_text *t = c->text;
    const uint32_t *after[MOST];
    float out[MOST * RECALL_D], lse[MOST];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recall_pass p = {c, after, cases[i].n, cases[i].first, cases[i].end, out, lse};
        for (uint32_t k = 0; k < p.n; k++) /* among them the last key: what came last of all must not be lost */
            after[k] = t->token + p.end - 1 - 20 * k;
        cr_assert_eq(recall_attend(way, &p, NULL, NULL), 0, "%s", entry);
        expect_exact(&p, entry, recall_type(way) == AT_BF16 ? 0.02 : 2e-4);
    }
}

/* Every entry that runs here, and the ring over each of them. */
Test(recall, a_pass_is_attention)
{
    struct recall_text t = play(3000);
    struct recall_code c;
    uint32_t tried = 0, left = 0;
    runs_load();
    const struct at_ops *ring = runs_entry("ring");
    cr_assert_eq(recall_code_create(&t, 4, (double)t.tokens, 1, &c), 0);
    char path[FILE_PATH];
    struct error err;
    file_build_path(path, "labs/08-ring-attention/reference.so");
    const struct plugin *plugin = host_load_trusted(path, &err);
    cr_assert(plugin, "%s", err.text);
    for (const struct plugin_entry *const *e = plugin->first; e != plugin->last; e++) {
        const struct at_ops *ops = (*e)->ops;
        if (!ops->forward)
            continue;
        if (ops->here && !ops->here()) {
            left++;
            continue;
        }
        try_way(&(struct recall_way){.blocks = ops}, (*e)->name, &c);
        try_way(&(struct recall_way){ops, ring, 3}, (*e)->name, &c);
        tried++;
    }
    cr_assert(tried >= 2, "%u entries ran", tried);
    if (left)
        printf("recall: entries left out, since they don't run on this machine: %u\n", left);
    recall_code_free(&c);
    recall_text_free(&t);
}

/* ---- planted sentences ---- */

static uint32_t count_of(const uint32_t *found)
{
    uint32_t all = 0;
    for (uint32_t d = 0; d < RECALL_DEPTHS; d++)
        all += found[d];
    return all;
}

Test(recall, needles_stand_once)
{
    struct recall_text t = play(30000);
    struct recall_needles *n = malloc(sizeof *n);
    struct error err;
    uint32_t found[RECALL_DEPTHS], read[3 * RECALL_DEPTHS * RECALL_ANSWER] = {0};
    cr_assert_eq(recall_plant(&t, 4, 3, 5, n, &err), 0);
    cr_assert_eq(n->count, 3 * RECALL_DEPTHS);
    cr_assert_eq(n->at[0], 0);
    cr_assert_eq(n->at[n->count - 1] + 4 + RECALL_ANSWER, t.tokens, "the last one ends with the text");
    for (uint32_t i = 0; i < n->questions; i++) {
        const struct recall_places p = recall_where(&t, n->after[i] - 4, 4);
        cr_assert_eq(p.count, 1, "question %u stands %llu times", i, (unsigned long long)p.count);
        cr_assert_eq(t.token + p.first, n->after[i]);
        read[i] = *n->after[i];
    }
    recall_score(n, read, found);
    cr_assert_eq(count_of(found), n->count);
    read[5] ^= 1; /* the second one's second word */
    recall_score(n, read, found);
    cr_assert(found[0] == 2 && found[1] == 3);
    recall_text_free(&t);
    t = text_of("again and again and again and again", 1000);
    cr_assert_eq(recall_plant(&t, 4, 1, 5, n, &err), -ENOSPC);
    recall_text_free(&t);
    char same[4000] = "";
    for (uint32_t i = 0; i < 400; i++)
        memcpy(same + 6 * i, "again ", 7);
    t = text_of(same, 1000);
    cr_assert_eq(recall_plant(&t, 4, 1, 5, n, &err), -EDEADLK);
    recall_text_free(&t);
    free(n);
}

/* The claim itself: everything finds them at every depth; a window those within it, and no others. */
Test(recall, a_window_loses_what_lies_before_it)
{
    struct recall_text t = play(20000);
    struct recall_needles *n = malloc(sizeof *n);
    struct recall_code c;
    struct error err;
    float *out = malloc(sizeof(float) * RECALL_DEPTHS * 2 * RECALL_ANSWER * RECALL_D);
    float lse[RECALL_DEPTHS * 2 * RECALL_ANSWER];
    uint32_t read[RECALL_DEPTHS * 2 * RECALL_ANSWER], found[RECALL_DEPTHS];
    runs_load();
    const struct recall_way way = {.blocks = runs_entry("blockwise")};
    cr_assert_eq(recall_plant(&t, 4, 2, 9, n, &err), 0);
    cr_assert_eq(recall_code_create(&t, 4, (double)t.tokens, 9, &c), 0);
    for (size_t keys = t.tokens - 4; keys > 1000; keys /= 3) {
        const struct recall_pass p = {&c, n->after, n->questions, t.tokens - keys, t.tokens, out, lse};
        cr_assert_eq(recall_attend(&way, &p, NULL, NULL), 0);
        for (uint32_t i = 0; i < n->questions; i++) {
            double share;
            const bool inside = (size_t)(n->after[i] - t.token) >= p.first;
            read[i] = recall_read(&c, out + (size_t)i * RECALL_D, &share);
            cr_assert_eq(recall_places(&c, lse[i]) > 0.5, inside, "keys %zu, question %u", keys, i);
            cr_assert(share > 0.9 || !inside, "keys %zu, question %u: a share of %g", keys, i, share);
        }
        recall_score(n, read, found);
        for (uint32_t i = 0; i < n->count; i += 2) /* both of a depth lie to the same side of these windows */
            cr_assert_eq(found[i / 2], n->at[i] + 4 >= p.first ? 2 : 0, "keys %zu, depth %u", keys, i / 2);
    }
    free(out);
    free(n);
    recall_code_free(&c);
    recall_text_free(&t);
}

/* Tables: 0 of 10, 5 of 10 (Clopper & Pearson); 8 of 8: 0.025^(1/8). */
Test(recall, intervals)
{
    double low, high;
    recall_interval(0, 10, &low, &high);
    cr_assert(low == 0 && fabs(high - 0.30850) < 1e-5, "%g", high);
    recall_interval(5, 10, &low, &high);
    cr_assert(fabs(low - 0.18709) < 1e-5 && fabs(high - 0.81291) < 1e-5, "%g %g", low, high);
    recall_interval(8, 8, &low, &high);
    cr_assert(high == 1 && fabs(low - pow(0.025, 0.125)) < 1e-9, "%g", low);
    recall_interval(352, 704, &low, &high);
    cr_assert(low > 0.46 && low < 0.4635 && fabs(low + high - 1) < 1e-9, "%g %g", low, high);
}
