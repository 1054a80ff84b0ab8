/* The exact judge of lab 02, against windows counted by hand and by brute force; and the reader of logs. */
#include "window.h"
#include "arrivals.h"

#include "sim/rng.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(window, .timeout = 60);
TestSuite(arrivals, .timeout = 60);

Test(window, by_hand)
{
    const struct admitted a[] = {{0, 1}, {5, 2}, {9, 1}, {10, 1}, {19, 4}, {20, 1}};
    struct window w = window_worst(a, 6, 10);
    cr_assert(w.total == 5 && w.begin == 10 && w.first == 3 && w.count == 2,
              "[10, 20) holds 1 + 4; got %llu from %llu on, %zu requests", (unsigned long long)w.total,
              (unsigned long long)w.begin, w.count);
}

Test(window, empty_and_single)
{
    const struct admitted one = {7, 3};
    cr_assert(window_worst(NULL, 0, 10).total == 0, "nothing");
    cr_assert(window_worst(&one, 1, 10).total == 3, "a single request");
}

/* What lies exactly T apart is in different windows. */
Test(window, the_end_is_outside)
{
    const struct admitted a[] = {{100, 1}, {109, 1}, {110, 1}};
    cr_assert(window_worst(a, 3, 10).total == 2, "[100, 110) holds two: %llu",
              (unsigned long long)window_worst(a, 3, 10).total);
    cr_assert(window_worst(a, 3, 11).total == 3, "[100, 111) holds three");
}

Test(window, brute_force)
{
    struct rng random;
    struct admitted a[60];
    rng_seed(&random, 1, 0);
    for (int round = 0; round < 300; round++) {
        uint64_t now = 0, length = 1 + rng_below(&random, 40), worst = 0;
        size_t n = rng_below(&random, 60);
        for (size_t i = 0; i < n; i++) {
            now += rng_below(&random, 8);
            a[i] = (struct admitted){now, 1 + rng_below(&random, 3)};
        }
        for (uint64_t begin = 0; begin <= now; begin++) {
            uint64_t total = 0;
            for (size_t i = 0; i < n; i++)
                total += a[i].at >= begin && a[i].at < begin + length ? a[i].cost : 0;
            worst = total > worst ? total : worst;
        }
        struct window w = window_worst(a, n, length);
        cr_assert(w.total == worst, "round %d: %llu, by brute force %llu", round, (unsigned long long)w.total,
                  (unsigned long long)worst);
    }
}

static void with_log(const char *text, int expected, struct arrivals *out)
{
    char path[] = "/tmp/faultline-arrivals.XXXXXX";
    struct error err = {""};
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "written");
    close(fd);
    int code = arrivals_read(path, out, &err);
    unlink(path);
    cr_assert(code == expected, "%d expected, got %d: %s", expected, code, err.text);
}

#define LINE(client, second) client " - - [21/Nov/2026:20:38:" second " +0000] \"GET / HTTP/1.1\" 200 5\n"

Test(arrivals, requests_of_a_second_are_spread)
{
    struct arrivals a;
    with_log(LINE("a", "01") LINE("b", "01") LINE("a", "01") LINE("a", "01") LINE("b", "03"), 0, &a);
    cr_assert(a.count == 5 && a.clients == 2, "%zu requests of %zu clients", a.count, a.clients);
    for (uint64_t i = 0; i < 4; i++)
        cr_assert(a.list[i].at == i * 250000000, "request %d at %llu", (int)i, (unsigned long long)a.list[i].at);
    cr_assert(a.list[4].at == 2000000000 && a.list[4].key == a.list[1].key && a.list[0].key != a.list[1].key,
              "two seconds later, the same client");
    arrivals_free(&a);
}

Test(arrivals, time_does_not_go_back)
{
    struct arrivals a;
    with_log(LINE("a", "05") LINE("a", "03") LINE("a", "06"), 0, &a);
    cr_assert(a.backwards == 1 && a.list[1].at == 500000000, "%llu lines back; the second at %llu",
              (unsigned long long)a.backwards, (unsigned long long)a.list[1].at);
    arrivals_free(&a);
}

Test(arrivals, what_is_no_log_is_refused)
{
    struct arrivals a;
    with_log("hello\nworld\n", -22, &a);
    with_log("", -22, &a);
}
