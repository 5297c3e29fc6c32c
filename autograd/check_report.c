/* check_report.c: rows become a report: counted, the worst kept in order, and the failures of a tensor told apart by what they
 * have in common. */
#include <math.h>
#include <string.h>

#include "autograd/gradcheck.h"

const char *ag_verdict_name(ag_verdict verdict) {
    static const char *const name[AG_VERDICT_COUNT] = {
        [AG_PASS] = "pass",
        [AG_NOISE_LIMITED] = "noise-limited",
        [AG_KINK] = "kink",
        [AG_WRONG] = "wrong",
        [AG_WRONG_SIGN] = "wrong sign",
        [AG_WRONG_SCALE] = "wrong scale",
        [AG_MISSING_TERM] = "missing term",
        [AG_BRANCH_DIFFERS] = "branch differs",
        [AG_NOT_FINITE] = "not finite",
        [AG_DOMAIN_EDGE] = "domain edge",
        [AG_NOT_DETERMINISTIC] = "not deterministic",
    };
    return verdict >= AG_PASS && verdict < AG_VERDICT_COUNT ? name[verdict] : "unknown";
}

bool ag_verdict_passes(ag_verdict verdict) {
    return verdict == AG_PASS || verdict == AG_NOISE_LIMITED || verdict == AG_KINK;
}

void ag__report_start(ag_check_report *r) { memset(r, 0, sizeof *r); }

static double badness(const ag_check_row *row) {
    double ratio = row->absolute / row->tolerance;
    return isnan(ratio) ? (row->absolute > 0 || isnan(row->absolute) ? (double)INFINITY : 0) : ratio;
}

static bool worse(const ag_check_row *a, const ag_check_row *b) {
    bool fails = !ag_verdict_passes(a->verdict), other = !ag_verdict_passes(b->verdict);
    return fails != other ? fails : badness(a) > badness(b);
}

static void insert(ag_check_report *r, const ag_check_row *row) {
    if (r->rows == AG_CHECK_ROWS && !worse(row, &r->row[AG_CHECK_ROWS - 1])) return;
    int i = r->rows < AG_CHECK_ROWS ? r->rows++ : AG_CHECK_ROWS - 1;
    for (; i > 0 && worse(row, &r->row[i - 1]); i--) r->row[i] = r->row[i - 1];
    r->row[i] = *row;
}

void ag__tally_start(ag__tally *t) {
    ag__report_start(&t->rows);
    t->least = (double)INFINITY;
    t->most = (double)-INFINITY;
    t->ratios = t->right = 0;
}

void ag__tally_add(ag__tally *t, const ag_check_row *row) {
    t->rows.checked++;
    t->rows.count[row->verdict]++;
    insert(&t->rows, row);
    if (row->index < 0 || !(fabs(row->numeric) > 100 * row->tolerance)) return; /* one number of many, or drowned */
    t->ratios++;
    t->right += ag_verdict_passes(row->verdict);
    t->least = fmin(t->least, row->analytic / row->numeric);
    t->most = fmax(t->most, row->analytic / row->numeric);
}

/* What all rows that are wrong without a name have in common. */
static ag_verdict pattern(const ag__tally *t) {
    double spread = t->most - t->least, size = fmax(fabs(t->most), fabs(t->least));
    if (t->right) return AG_MISSING_TERM;
    return t->ratios && spread <= 1e-3 * size ? AG_WRONG_SCALE : AG_WRONG;
}

void ag__tally_close(ag__tally *t, ag_check_report *report) {
    ag_verdict name = pattern(t);
    if (name != AG_WRONG) {
        t->rows.count[name] += t->rows.count[AG_WRONG];
        t->rows.count[AG_WRONG] = 0;
    }
    for (int i = 0; i < t->rows.rows; i++) {
        if (t->rows.row[i].verdict == AG_WRONG) t->rows.row[i].verdict = name;
        insert(report, &t->rows.row[i]);
    }
    report->checked += t->rows.checked;
    for (int v = 0; v < AG_VERDICT_COUNT; v++) {
        report->count[v] += t->rows.count[v];
        if (!ag_verdict_passes((ag_verdict)v)) report->failed += t->rows.count[v];
    }
    report->passed = report->failed == 0;
}
