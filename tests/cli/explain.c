/* explain.c: the paths of the chain rule add up to the gradient, and the largest come first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cli/language.h"
#include "tools/cli/explain.h"

static session begin(const char *typed, options *o) {
    static char x[] = "x=0.7", y[] = "y=-0.4", z[] = "z=0.2", *pair[] = {x, y, z};
    *o = (options){.expression = typed, .pair = pair, .pairs = 3, .k = 10};
    session s = {.o = o};
    return s;
}

/* The largest |sum of products − gradient| over x, y, z, in units of the sum of |products|; counts paths. */
static double distance(session *s, double *paths, bool *ordered) {
    double worst = 0;
    for (int i = 0; i < s->e.count; i++) {
        story t = {.s = s, .y = s->y, .w = s->e.bindings[i].x};
        web_sum sum = {0};
        path *all = NULL;
        int count = 0;
        cr_assert(story_begin(&t), "%s", s->f.message);
        if (t.nodes) {
            cr_assert(t.scalar && web_sums(&t.web, &sum));
            worst = fmax(worst, fabs(sum.total - ag_item(t.gradient)) / fmax(1, sum.magnitude));
            int k = sum.count < 2000 ? (int)sum.count : 20;
            cr_assert(web_largest(&t.web, k + 1, &all, &count));
            cr_assert_eq(count, sum.count < 2000 ? k : k + 1);
            double total = 0;
            for (int p = 0; p < count; p++) {
                total += all[p].product;
                if (p && fabs(all[p].product) > fabs(all[p - 1].product)) *ordered = false;
            }
            if (sum.count < 2000) worst = fmax(worst, fabs(total - ag_item(t.gradient)) / fmax(1, sum.magnitude));
            *paths += sum.count;
        }
        web_free_paths(all, count);
        story_end(&t);
    }
    return worst;
}

Test(cli_explain, paths_add_up_to_the_gradient_on_1000_expressions) {
    uint64_t state = 3;
    double paths = 0;
    bool ordered = true;
    for (int i = 0; i < 1000; i++) {
        text typed = {0};
        options o;
        language_random_formula(&typed, &state);
        session s = begin(text_of(&typed), &o);
        cr_assert(session_begin(&s), "%s: %s", text_of(&typed), s.f.message);
        double d = distance(&s, &paths, &ordered);
        cr_assert(d <= 1e-12, "%s: apart by %g", text_of(&typed), d);
        session_end(&s);
        text_free(&typed);
    }
    cr_assert(ordered);
    cr_assert(paths > 15000, "only %g paths", paths);
}

/* The k largest by search are the k largest of all. */
Test(cli_explain, the_search_finds_the_largest) {
    uint64_t state = 5;
    for (int round = 0; round < 200; round++) {
        web g = {0};
        int nodes = 3 + (int)(check_random(&state) * 9), count = 0, few = 0;
        for (int i = 0; i + 1 < nodes; i++) {
            cr_assert(web_add(&g, i, i + 1, 0, check_random(&state) * 4 - 2));
            for (int k = i + 1; k < nodes; k++) {
                if (check_random(&state) < 0.6) cr_assert(web_add(&g, i, k, 1, (int)(check_random(&state) * 5) - 2));
            }
        }
        path *all = NULL, *some = NULL;
        web_sum sum;
        cr_assert(web_close(&g, nodes) && web_sums(&g, &sum));
        cr_assert(web_largest(&g, 100000, &all, &count) && web_largest(&g, 7, &some, &few));
        cr_assert_eq(count, (int)sum.count);
        for (int i = 0; i < few; i++) assert_close(fabs(some[i].product), fabs(all[i].product), 1e-12);
        web_free_paths(all, count);
        web_free_paths(some, few);
        web_free(&g);
    }
}

/* 2^60 paths of equal size: ten of them are found at once. */
Test(cli_explain, exponentially_many_paths) {
    web g = {0};
    for (int i = 0; i < 60; i++) cr_assert(web_add(&g, i, i + 1, 0, 0.3) && web_add(&g, i, i + 1, 1, -0.3));
    path *paths = NULL;
    int count = 0;
    web_sum sum;
    cr_assert(web_close(&g, 61) && web_sums(&g, &sum) && web_largest(&g, 10, &paths, &count));
    cr_assert_eq(count, 10);
    cr_assert_eq(sum.count, ldexp(1, 60));
    cr_assert_eq(sum.total, 0);
    for (int i = 0; i < count; i++) assert_close(fabs(paths[i].product), pow(0.3, 60), 1e-12);
    web_free_paths(paths, count);
    web_free(&g);
}

static void assert_explains(const char *typed, const char *part) {
    options o;
    session s = begin(typed, &o);
    cr_assert(cmd_explain(&s), "%s: %s", typed, s.f.message);
    cr_assert_eq(s.code, EXIT_FINE);
    cr_assert(strstr(text_of(&s.out), part), "%s: '%s' is not in\n%s", typed, part, text_of(&s.out));
    session_end(&s);
}

Test(cli_explain, formulas_are_the_rules) {
    assert_explains("tanh(x*y*z)", "(1 - f^2)");
    assert_explains("let t = tanh(x); t + y*z", "(1 - t^2)");
    assert_explains("x*y + z", "= 1 · y");
    assert_explains("x^3 + y + z", "3*x^2");
    assert_explains("x/y + z", "-v1/y");
    assert_explains("sigmoid(x) + y + z", "v1*(1 - v1)");
    assert_explains("relu(x) + relu(y) + z", "(x > 0)");
    assert_explains("x^z + y", "v1*log(x)");
    assert_explains("sqrt(x) + y + z", "1/(2*v1)");
    assert_explains("max([x, y, z])*x", "share");
}
