/* vectors.c: published values, and forms of one function against each other. */
#include "jump.h"
#include "ketama.h"
#include "maps.h"
#include "md5.h"

#include "sim/real.h"

#include <stdio.h>

TestSuite(vectors, .timeout = 60);

/* ---- jump -------------------------------------------------------------------------------------------------------- */

/* Lamping & Veach's program and Guava, as the tests of public implementations have them. */
Test(vectors, jump_has_the_published_buckets)
{
    static const uint32_t of_hundred[] = {0, 55, 62, 8, 45, 59, 86, 97, 82, 59, 73, 37, 17, 56, 86, 21, 90, 37, 38, 83};
    static const uint32_t of_beef[] = {0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16};
    static const struct {
        uint64_t key;
        uint32_t n, bucket;
    } some[] = {{UINT64_C(10863919174838991), 11, 6},
                {UINT64_C(2016238256797177309), 11, 3},
                {UINT64_C(1673758223894951030), 11, 5},
                {2, 100001, 80343},
                {2201, 100001, 22152},
                {2202, 100001, 15018}};
    for (uint64_t key = 0; key < 20; key++)
        cr_assert(jump(key, 100) == of_hundred[key], "key %lu of 100: expected: %u; actual: %u", key, of_hundred[key],
                  jump(key, 100));
    for (uint32_t i = 0; i < sizeof some / sizeof *some; i++)
        cr_assert(jump(some[i].key, some[i].n) == some[i].bucket, "key %lu of %u: expected: %u; actual: %u",
                  some[i].key, some[i].n, some[i].bucket, jump(some[i].key, some[i].n));
    for (uint32_t n = 1; n < 20; n++) {
        uint32_t one = n <= 6 ? 0 : n <= 17 ? 6 : 17;
        cr_assert(jump(1, n) == one, "key 1 of %u: expected: %u; actual: %u", n, one, jump(1, n));
        cr_assert(jump(0xdeadbeef, n) == of_beef[n - 1], "key 0xdeadbeef of %u: expected: %u; actual: %u", n,
                  of_beef[n - 1], jump(0xdeadbeef, n));
    }
}

/* Nodes join in a disorder of their own: bucket b belongs to the b-th that came. */
Test(vectors, jump_counts_nodes_as_they_came)
{
    static const struct ch_node node[] = {{9, 1}, {2, 1}, {700, 1}, {1, 1}, {8, 1}};
    struct ch_config c = map_config();
    struct map_run m;
    map_start_with(&m, "jump", &c, node, 5);
    for (uint64_t key = 0; key < 500; key++)
        if (map_ask(&m, key) != node[jump(key, 5)].id)
            cr_assert(false, "key %lu: expected: %u", key, node[jump(key, 5)].id);
    map_stop(&m);
    cr_assert(true, "all buckets had their nodes");
}

#define KEYS 20011u

static void expect_lanes(const struct nodes *n, const uint64_t *key, const uint32_t *node, size_t done, const char *how)
{
    for (size_t i = 0; i < done; i++)
        if (node[i] != n->id[jump(key[i], n->count)])
            cr_assert(false, "%s, %u buckets, key %lx: expected: %u; actual: %u", how, n->count, key[i],
                      n->id[jump(key[i], n->count)], node[i]);
}

Test(vectors, jump_simd_is_jump)
{
    static const uint32_t sizes[] = {1, 2, 7, 8, 1000, 100001, CH_MAX_NODES};
    static uint64_t key[KEYS];
    static uint32_t node[KEYS];
    struct ch_node *all = malloc(CH_MAX_NODES * sizeof *all);
    plain_nodes(all, CH_MAX_NODES);
    for (uint32_t i = 0; i < KEYS; i++)
        key[i] = i < 64 ? UINT64_C(1) << i : i < 128 ? UINT64_MAX >> (i - 64) : i < 3000 ? i : key_of(i);
    for (uint32_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct ch_config c = map_config();
        struct map_run m;
        map_start_with(&m, "jump-simd", &c, all, sizes[s]);
        for (size_t n = 0; n < KEYS; n = n < 70 ? n + 1 : 3 * n) {
            memset(node, 0xee, sizeof node);
            m.ops->lookup_many(m.map, key + n % 5, node, n);
            expect_lanes(m.map, key + n % 5, node, n, "lookup_many");
            cr_assert(node[n] == 0xeeeeeeee, "%zu keys: expected: nothing is written behind them", n);
        }
        m.ops->lookup_many(m.map, key, node, KEYS);
        expect_lanes(m.map, key, node, KEYS, "lookup_many");
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2"))
            expect_lanes(m.map, key, node, jump_four_lanes(m.map, key, node, KEYS), "four lanes");
        if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
            expect_lanes(m.map, key, node, jump_eight_lanes(m.map, key, node, KEYS), "eight lanes");
#endif
        map_stop(&m);
    }
    free(all);
}

/* ---- rendezvous: by definition ----------------------------------------------------------------------------------- */

static double clock_of(uint64_t key, struct ch_node node)
{
    double u = ((double)(ch_mix(key ^ ch_point(node.id, 0)) >> 12) + 0.5) * 0x1p-52;
    return -real_log(u) / node.weight;
}

Test(vectors, rendezvous_asks_everybody)
{
    struct ch_config c = map_config();
    struct map_run plain, weighted;
    struct ch_node node[50], one[50];
    struct rng r;
    rng_seed(&r, 3, 7);
    random_nodes(&r, node, 50, CH_WEIGHTS, CH_MAX_WEIGHT);
    memcpy(one, node, sizeof one);
    for (uint32_t k = 0; k < 50; k++)
        one[k].weight = 1;
    map_start_with(&plain, "rendezvous", &c, one, 50);
    map_start_with(&weighted, "weighted-rendezvous", &c, node, 50);
    for (uint32_t i = 0; i < 5000; i++) {
        uint64_t key = key_of(i);
        uint32_t highest = 0, first = 0, second[2], list[2];
        for (uint32_t k = 1; k < 50; k++) {
            if (ch_mix(key ^ ch_point(one[k].id, 0)) > ch_mix(key ^ ch_point(one[highest].id, 0)))
                highest = k;
            if (clock_of(key, node[k]) < clock_of(key, node[first]))
                first = k;
        }
        weighted.ops->replicas(weighted.map, key, 2, second);
        plain.ops->replicas(plain.map, key, 2, list);
        bool good = map_ask(&plain, key) == one[highest].id && list[0] == one[highest].id &&
                    map_ask(&weighted, key) == node[first].id && second[0] == node[first].id;
        for (uint32_t k = 0; k < 50; k++) /* nobody comes between the first two */
            good &= node[k].id == second[0] || node[k].id == second[1] ||
                    clock_of(key, node[k]) > clock_of(key, node[first]);
        if (!good)
            cr_assert(false, "key %lx: expected: %u, and with weights %u", key, one[highest].id, node[first].id);
    }
    map_stop(&plain);
    map_stop(&weighted);
    cr_assert(true, "all owners were right");
}

/* ---- MD5, ketama ------------------------------------------------------------------------------------------------- */

/* RFC 1321, A.5; and a million times "a" by another implementation. */
Test(vectors, md5_is_the_rfc_s)
{
    static const struct {
        const char *text, *digest;
    } rfc[] = {{"", "d41d8cd98f00b204e9800998ecf8427e"},
               {"a", "0cc175b9c0f1b6a831c399e269772661"},
               {"abc", "900150983cd24fb0d6963f7d28e17f72"},
               {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
               {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
               {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"},
               {"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"}};
    for (uint32_t i = 0; i <= sizeof rfc / sizeof *rfc; i++) {
        bool last = i == sizeof rfc / sizeof *rfc;
        size_t size = last ? 1000000 : strlen(rfc[i].text);
        uint8_t digest[16];
        char text[33], *many = malloc(size + 1);
        if (last)
            memset(many, 'a', size);
        else
            memcpy(many, rfc[i].text, size);
        md5(many, size, digest);
        free(many);
        for (int k = 0; k < 16; k++)
            (void)snprintf(text + 2 * k, 3, "%02x", digest[k]);
        const char *should = last ? "7707d6ae4e027c70eea2a935c2296f21" : rfc[i].digest;
        cr_assert(strcmp(text, should) == 0, "%zu bytes: expected: %s; actual: %s", size, should, text);
    }
}

struct ketama_list {
    const char *title;
    uint32_t servers, points;
    struct ch_node node[61];
    struct {
        uint32_t key, owner;
    } owner[20];
};

struct ketama_string {
    const char *text;
    uint32_t hash;
};

#include "ketama_vectors.h"

/* Bytes of a ring: 12 for each point; what else there is, is the same for the same nodes. */
Test(vectors, ketama_has_the_owners_of_libketama_s_rules)
{
    for (uint32_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct ch_config c = map_config();
        const struct ketama_list *l = &lists[i];
        struct map_run m;
        uint64_t total = 0;
        uint32_t points = 0;
        cr_assert(map_start(&m, "ketama", &c) == 0, "created");
        for (uint32_t k = l->servers; k-- > 0; total += l->node[k].weight)
            cr_assert(m.ops->add(m.map, &l->node[k], 1) == 0, "%s: one joins", l->title);
        for (uint32_t k = 0; k < l->servers; k++)
            points += 4 * ketama_digests(l->node[k].weight, total, l->servers);
        cr_assert(points == l->points, "%s: expected: %u points; actual: %u", l->title, l->points, points);
        for (uint32_t k = 0; k < 20; k++)
            for (uint64_t high = 0; high < 3; high++) /* only the lower half of a key is looked at */
                cr_assert(map_ask(&m, high << 40 | l->owner[k].key) == l->owner[k].owner,
                          "%s, key %x: expected: %u; actual: %u", l->title, l->owner[k].key, l->owner[k].owner,
                          map_ask(&m, l->owner[k].key));
        map_stop(&m);
    }
}

Test(vectors, ketama_names_and_hashes)
{
    char name[KETAMA_NAME];
    for (uint32_t i = 0; i < sizeof strings / sizeof *strings; i++)
        cr_assert(ketama_hash(strings[i].text, strlen(strings[i].text)) == strings[i].hash, "\"%s\": expected: %x",
                  strings[i].text, strings[i].hash);
    ketama_name(0x0b0c0d, name);
    cr_assert(strcmp(name, "10.11.12.13:11211") == 0, "expected: 10.11.12.13:11211; actual: %s", name);
    ketama_name(UINT32_MAX, name);
    cr_assert(strcmp(name, "10.255.255.255:11211") == 0, "expected: 10.255.255.255:11211; actual: %s", name);
}
