/* Runs the Criterion tests of this program one after the other in one process, without Criterion's own runner.
 *
 * Criterion forks and execs for every test, which ThreadSanitizer does not survive and whose errors valgrind loses. The
 * tests themselves are only pointers in the section cr_tst, and all they ask of Criterion are the few functions below;
 * defined in the program, they take the place of those in the shared library.
 *
 *     inprocess [-v] [-K/N] [glob]     glob matches "suite/name"; -K/N: of N parts the K-th, each every N-th test, for as many
 *                                      processes side by side
 *
 * Without a glob, suites called slow_… (minutes under valgrind), digits_… (their references need a long double and a
 * multiply-add as the processor has them; valgrind rounds the one to a double and loses the zero's sign in the other) and
 * process_… (a process of their own: they fork, set limits or the environment, or need a first call) are left out. Tests that expect a signal or an exit code always are.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern struct criterion_test *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak)), *__stop_cr_sts[] __attribute__((weak));

static struct {
    const struct criterion_test *test;
    const struct criterion_test_extra_data *suite;
    void *param;   /* of a parameterized test */
    jmp_buf leave; /* out of the test's body, or of its init */
    bool failed, skipped;
} now;

/* what a failing assert calls */

static void report(const char *file, unsigned long line, const char *message) {
    now.failed = true;
    fprintf(stderr, "%s:%lu: %s/%s: %s\n", file, line, now.test->category, now.test->name, message);
}

/* An assert of <criterion/new/assert.h> is a tree: all(eq(…), …). */
static void report_node(const char *file, size_t line, const struct cri_assert_node *node) {
    if (node->pass) return;
    bool said = node->message && *node->message;
    if (said || node->nchild == 0) report(file, line, said ? node->message : node->repr);
    for (int i = 0; i < CRI_ASSERT_MAX_PARAMS && node->params[i].name; i++)
        if (node->params[i].type == CRI_ASSERT_RT_STR)
            fprintf(stderr, "    %s: %s\n", node->params[i].name, (const char *)node->params[i].data);
    for (unsigned i = 0; i < node->nchild; i++) report_node(file, line, &node->children[i]);
}

void criterion_send_assert(struct criterion_assert_stats *stats) {
    if (!stats->passed) report(stats->file, stats->line, stats->message);
}

void cri_assert_node_send(const char *file, size_t line, struct cri_assert_node *tree) {
    if (!tree->pass) report_node(file, line, tree);
}

void cri_asserts_passed_incr(void) {}
void criterion_continue_test(void) { now.failed = true; }

void criterion_abort_test(void) {
    now.failed = true;
    longjmp(now.leave, 1);
}

void criterion_skip_test(const char *format, ...) {
    (void)format;
    now.skipped = true;
    longjmp(now.leave, 1);
}

/* what Test() calls, in this order */

static void guarded(void (*f)(void)) {
    if (f && setjmp(now.leave) == 0) f();
}

void criterion_internal_test_setup(void) {
    guarded(now.suite ? now.suite->init : NULL);
    guarded(now.test->data->init);
}

void criterion_internal_test_main(void (*body)(void)) {
    if (now.failed || now.skipped || setjmp(now.leave)) return;
    if (now.test->data->kind_ == CR_TEST_PARAMETERIZED) ((void (*)(void *))body)(now.param);
    else body();
}

void criterion_internal_test_teardown(void) {
    guarded(now.test->data->fini);
    guarded(now.suite ? now.suite->fini : NULL);
}

/* the loop */

static struct { int passed, failed, skipped; } total;

static void run(const struct criterion_test *test, const struct criterion_test_extra_data *suite, void *param, size_t i,
                bool verbose) {
    now.test = test, now.suite = suite, now.param = param, now.failed = now.skipped = false;
    if (verbose) fprintf(stderr, "%s/%s %zu\n", test->category, test->name, i);
    test->test();
    if (now.failed) fprintf(stderr, "FAILED %s/%s %zu\n", test->category, test->name, i);
    if (now.failed) total.failed++;
    else if (now.skipped) total.skipped++;
    else total.passed++;
}

static const struct criterion_test_extra_data *suite_of(const struct criterion_test *test) {
    for (struct criterion_suite **s = __start_cr_sts; s < __stop_cr_sts; s++)
        if (*s && strcmp((*s)->name, test->category) == 0) return (*s)->data;
    return NULL;
}

static bool starts(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

/* Can `data`, of a test or of its suite, be run here? */
static bool runs_here(const struct criterion_test_extra_data *data) {
    return !data || (!data->signal && !data->exit_code && !data->disabled);
}

static bool wanted(const struct criterion_test *test, const char *glob) {
    char name[512];
    snprintf(name, sizeof name, "%s/%s", test->category, test->name);
    if (glob) return fnmatch(glob, name, 0) == 0;
    return !starts(name, "slow_") && !starts(name, "digits_") && !starts(name, "process_");
}

/* Part `part` of `parts`; everything is part 1 of 1. */
static struct { int part, parts, seen; } share = {1, 1, 0};

static bool mine(void) { return share.seen++ % share.parts == share.part - 1; }

static void run_all(const struct criterion_test *test, bool verbose) {
    const struct criterion_test_extra_data *suite = suite_of(test);
    if (!runs_here(test->data) || !runs_here(suite)) {
        total.skipped += mine();
    } else if (test->data->kind_ == CR_TEST_PARAMETERIZED) {
        struct criterion_test_params p = test->data->param_();
        for (size_t i = 0; i < p.length; i++) {
            if (mine()) run(test, suite, (char *)p.params + i * p.size, i, verbose);
        }
        if (p.cleanup) p.cleanup(&p);
    } else if (mine()) {
        run(test, suite, NULL, 0, verbose);
    }
}

int main(int argc, char **argv) {
    bool verbose = false;
    const char *glob = NULL;
    for (int i = 1; i < argc; i++) {
        char end;
        if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (argv[i][0] != '-') {
            glob = argv[i];
        } else if (sscanf(argv[i], "-%d/%d%c", &share.part, &share.parts, &end) != 2 || share.part < 1 ||
                   share.part > share.parts) {
            fprintf(stderr, "inprocess: %s: usage: inprocess [-v] [-K/N] [glob], 1 <= K <= N\n", argv[i]);
            return 2;
        }
    }
    for (struct criterion_test **t = __start_cr_tst; t < __stop_cr_tst; t++) {
        if (*t && wanted(*t, glob)) run_all(*t, verbose);
    }
    printf("%d passed, %d failed, %d skipped\n", total.passed, total.failed, total.skipped);
    return total.failed || total.passed == 0;
}
