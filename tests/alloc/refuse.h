/* refuse.h: runs parts of programs again and again, each time with another allocation refused, once or with all after it. */
#ifndef TESTS_ALLOC_REFUSE_H
#define TESTS_ALLOC_REFUSE_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/op.h"
#include "count.h"

typedef struct part {
    const char *name;
    bool (*run)(ag_tape *t, double *result);
    bool lenient; /* may leave something out and go on, and then the result may be less */
} part;

static bool refuse_one(const part *p, long k, bool after, double expected) {
    long live = memory.live;
    double result = NAN;
    memory.after = after;
    memory.failed = false;
    memory.fail_at = k;
    ag_tape *t = ag_tape_new();
    bool done = t && p->run(t, &result);
    bool refused = memory.failed;
    memory.fail_at = 0;
    memory.failed = false;
    const char *when = after ? "from there on" : "once";
    if (!refused)
        cr_assert(done && result == expected, "%s: %.17g, not %.17g: %s", p->name, result, expected, ag_tape_message(t));
    if (refused && !t) cr_assert_not_null(strstr(ag_last_message(), "out of memory"));
    if (refused && t) {
        cr_assert(!done || p->lenient, "%s: allocation %ld failed %s, and nobody said so", p->name, k, when);
        cr_assert_eq(ag_tape_status(t), done ? AG_OK : AG_ERR_MEMORY, "%s, allocation %ld %s: %s", p->name, k, when,
                     ag_tape_message(t));
        ag_tape_clear(t);
        if (!done) ag_seed(t, 0); /* the same random numbers again */
        cr_assert(p->run(t, &result), "%s, again after allocation %ld failed %s: %s", p->name, k, when, ag_tape_message(t));
        if (!done) {
            cr_assert_eq(result, expected, "%s, again after allocation %ld failed %s: %.17g, not %.17g", p->name, k,
                         when, result, expected);
        }
    }
    ag_tape_free(t);
    cr_assert_eq(memory.live, live, "%s, allocation %ld %s: %ld blocks leaked", p->name, k, when, memory.live - live);
    return refused;
}

/* path: a template for mkstemp, of a file that the parts may write. */
static void refuse_all(const part parts[], int n, char *path) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    ag_set_threads(1);
    for (int i = 0; i < n; i++) {
        double expected;
        ag_tape *t = ag_tape_new();
        cr_assert(parts[i].run(t, &expected), "%s: %s", parts[i].name, ag_tape_message(t));
        ag_tape_free(t);
        for (int after = 0; after < 2; after++) {
            long k = 1;
            while (refuse_one(&parts[i], k, after, expected)) k++;
            cr_assert_gt(k, 5, "%s: only %ld allocations", parts[i].name, k - 1);
        }
    }
    unlink(path);
}

#endif
