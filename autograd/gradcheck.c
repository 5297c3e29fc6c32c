/* gradcheck.c: gradients, analytic against numeric: the way through orders, tensors and elements.
 *
 *     order 1: f            for each x: elements, all or some ─▶ line ─▶ row ─▶ tally of x ─▶ report
 *     order 2: ⟨v, ∇f⟩      and, where samples stand for many, one direction through all xs
 *
 * A direction whose slope the noise covers is followed by one uphill. One that fails, or meets a kink, is followed by one for
 * each x: so the tensor at fault has a row, and the others are checked where nothing blurs them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradcheck.h"

ag_check_options ag_check_defaults(void) {
    return (ag_check_options){.size = sizeof(ag_check_options), .mode = AG_CHECK_AUTO, .order = 1, .samples = 20};
}

bool ag__check_start(ag__check *c, const ag_check_options *options, ag_check_report *report, ag_tape *errors,
                     const char *what) {
    *c = (ag__check){.o = ag_check_defaults(), .report = report};
    if (options) memcpy(&c->o, options, options->size < sizeof c->o ? options->size : sizeof c->o);
    if (c->o.order < 1 || c->o.order > 2)
        return ag__fail(errors, AG_ERR_ARGUMENT, "%s: the order is %d; it must be 1 or 2", what, c->o.order) != NULL;
    if (c->o.mode < AG_CHECK_AUTO || c->o.mode > AG_CHECK_DIRECTIONAL)
        return ag__fail(errors, AG_ERR_ARGUMENT, "%s: no mode has the number %d", what, (int)c->o.mode) != NULL;
    if (c->o.samples < 1)
        return ag__fail(errors, AG_ERR_ARGUMENT, "%s: %d samples; take at least 1", what, c->o.samples) != NULL;
    c->t.seed = c->o.seed;
    c->samples = c->o.samples;
    c->t.tape = ag_tape_new();
    if (!c->t.tape) return ag__fail(errors, AG_ERR_MEMORY, "%s: out of memory", what) != NULL;
    c->t.tape->debug = 0; /* values that are not finite are a verdict here, not an error */
    report->passed = true;
    return true;
}

bool ag__check_end(ag__check *c, bool done, ag_tape *errors, const char *what) {
    ag_tape *t = c->t.tape;
    if (!done && t && t->status) ag__fail(errors, t->status, "%s: %s", what, t->message);
    ag_tape_free(t);
    if (!done) c->report->passed = false;
    return c->report->passed;
}

/* Rows */

/* A row for x[j] (j < 0: all of them) with everything but what the line finds. */
static ag_check_row row_of(const ag__check *c, int j, int64_t index) {
    const ag__trial *t = &c->t;
    ag_check_row row = {
        .node = c->node, .order = t->order, .index = index < 0 ? -1 : index, .at = (double)NAN, .numeric = (double)NAN};
    row.analytic = row.recorded = row.ulps = row.absolute = row.relative = (double)NAN;
    if (j < 0 && c->node) {
        ag__check_node_name(row.name, c->node, -1);
    } else if (j < 0) {
        snprintf(row.name, sizeof row.name, "all %d tensors", t->n);
    }
    if (j < 0) return row;
    const ag__moved *x = &t->x[j];
    memcpy(row.name, x->name, sizeof row.name);
    row.x = x->source;
    if (index < 0) return row;
    row.at = ag_at(x->source, index);
    row.analytic = x->a[index];
    if (t->order == 1 && x->recorded) {
        row.recorded = x->recorded[index];
        row.ulps = fabs(row.recorded - row.analytic) / x->ulp;
    }
    return row;
}

static bool check_line(ag__check *c, int j, int64_t index, ag__tally *tally) {
    ag__line l = ag__trial_line(&c->t, j, index);
    ag_check_row row = row_of(c, j, index);
    row.analytic = l.a;
    if (c->tainted && (!isfinite(l.at) || !isfinite(l.a) || !isfinite(c->t.home.f))) return true;
    if (!ag__line_check(&l, &row)) return false;
    bool open = row.verdict >= AG_KINK && row.verdict <= AG_MISSING_TERM;
    if (open && c->confirm && !c->confirm(c, &l, &row)) return false;
    ag__tally_add(tally, &row);
    if (index < 0) return ag__line_home(&l);
    ag__line_move(&l, 0);
    return true;
}

/* Elements spread over x, one at random from each of `samples` stretches. */
static bool check_samples(ag__check *c, int j, ag__tally *tally) {
    int64_t size = c->t.x[j].leaf->shape->size, n = c->every || size < c->samples ? size : c->samples;
    double stretch = n ? (double)size / (double)n : 0;
    for (int64_t i = 0; i < n; i++) {
        double u = fabs(ag__check_random(c->o.seed + 2, j, i)) - 0.5;
        int64_t at = n == size ? i : (int64_t)(((double)i + u) * stretch);
        if (!check_line(c, j, at < size ? at : size - 1, tally)) return false;
    }
    if (n == 0) return true;
    ag__line any = {.t = &c->t, .j = j, .index = 0, .at = ag_at(c->t.x[j].source, 0)};
    return ag__line_home(&any);
}

static bool check_tensors(ag__check *c) {
    for (int j = 0; j < c->t.n; j++) {
        ag__tally tally;
        ag__tally_start(&tally);
        if (!ag__trial_watch(&c->t, j) || !check_samples(c, j, &tally)) return false;
        ag__tally_close(&tally, c->report);
    }
    return true;
}

static bool check_direction(ag__check *c, int j, int64_t how) {
    ag__tally tally;
    ag__tally_start(&tally);
    if (!ag__trial_watch(&c->t, j) || !check_line(c, j, how, &tally)) return false;
    ag__tally_close(&tally, c->report);
    return true;
}

static bool check_directions(ag__check *c) {
    const int64_t *count = c->report->count;
    int all = c->t.n == 1 ? 0 : -1;
    int64_t noisy = count[AG_NOISE_LIMITED], clear = count[AG_PASS] + noisy;
    if (!check_direction(c, all, AG__CHECK_DIRECTION)) return false;
    bool covered = count[AG_NOISE_LIMITED] > noisy;
    if (covered && !check_direction(c, all, AG__CHECK_UPHILL)) return false;
    bool split = count[AG_PASS] + count[AG_NOISE_LIMITED] < clear + 1 + covered;
    for (int j = 0; j < c->t.n && c->t.n > 1 && split; j++) {
        if (!check_direction(c, j, AG__CHECK_DIRECTION)) return false;
    }
    return true;
}

/* f itself is no good: one row for each x. */
static void condemn(ag__check *c, ag_verdict verdict) {
    for (int j = 0; j < c->t.n; j++) {
        ag__tally tally;
        ag_check_row row = row_of(c, j, -1);
        if (!c->t.x[j].leaf->shape->size) continue;
        row.verdict = verdict;
        ag__tally_start(&tally);
        ag__tally_add(&tally, &row);
        ag__tally_close(&tally, c->report);
    }
}

static bool check_order(ag__check *c) {
    bool steady = true;
    if (!ag__trial_settle(&c->t, &steady)) return false;
    if (!steady || !isfinite(c->t.home.f)) {
        c->condemned = true;
        if (steady && c->tainted) return true;
        condemn(c, steady ? AG_NOT_FINITE : AG_NOT_DETERMINISTIC);
        return true;
    }
    if (!ag__trial_analytic(&c->t)) return false;
    if (c->o.mode == AG_CHECK_DIRECTIONAL) return check_directions(c);
    return check_tensors(c) && (c->every || c->o.mode == AG_CHECK_SAMPLES || check_directions(c));
}

bool ag__check_run(ag__check *c, int64_t limit) {
    int64_t total = 0;
    for (int j = 0; j < c->t.n; j++) total += c->t.x[j].leaf->shape->size;
    c->condemned = false;
    c->t.both = c->o.order > 1;
    c->every = c->o.mode == AG_CHECK_ELEMENTS || (c->o.mode == AG_CHECK_AUTO && total <= limit);
    if (!check_order(c)) return false;
    return c->o.order < 2 || c->condemned || (ag__trial_raise(&c->t) && check_order(c));
}

/* Are the rules of all nodes right? */
static bool check_rules(ag__check *c) {
    if (!c->rules) {
        ag_check_report nodes;
        ag_check_options o = c->o;
        o.mode = AG_CHECK_AUTO;
        c->rules = ag_gradcheck_nodes(c->loss, &o, &nodes) ? 1 : -1;
    }
    return c->rules > 0;
}

/* A whole graph: its rules choose slopes at kinks, and their sum is right if each of them is. Between the slopes along a
 * direction through many kinks there is room for errors, so there, too, the rules decide; and over second derivatives so small,
 * or errors of them so small, that they are made of the rounding of the first, and over a slope so slight that f, which may be the
 * multiple of a 1 − p, does not change at all. */
static bool confirm_rules(ag__check *c, const ag__line *l, ag_check_row *row) {
    bool kink = row->verdict == AG_KINK, bends = false;
    if (kink && row->index >= 0) return true;
    if (!ag__line_bends(l, &bends)) return false;
    bool still = row->numeric == 0 && fabs(row->analytic) * row->step <= 1e-8 * c->t.home.size;
    bool tiny =
        !bends && (still || (row->order > 1 && (row->absolute <= 1e-9 * fmax(1, c->t.gain) || row->relative <= 1e-2)));
    if ((bends || tiny) && check_rules(c)) {
        row->verdict = tiny ? AG_NOISE_LIMITED : AG_KINK;
    } else if (kink) {
        row->verdict = AG_WRONG;
    }
    return c->loss->tape->status == AG_OK;
}

bool ag__check_arguments(ag_tensor *loss, ag_tensor *const xs[], int n, const char *what) {
    char text[160];
    if (!loss) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the loss is NULL", what) != NULL;
    ag_tape *t = loss->tape;
    if (t == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "%s: %s", what, t->message) != NULL;
    if (t->status) return false;
    if (ag__inside(t)) return ag__fail(t, AG_ERR_STATE, "%s: called inside a gradient rule", what) != NULL;
    if (loss->flags & AG__TUPLE || !ag__is_float(loss->dtype) || loss->shape->size != 1) {
        return ag__fail(t, AG_ERR_SHAPE, "%s: the loss %s must be one float element", what,
                        ag__label(loss, text, sizeof text)) != NULL;
    }
    if (n < 0 || (n > 0 && !xs))
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: %d tensors, or no list of them", what, n) != NULL;
    for (int j = 0; j < n; j++) {
        const ag_tensor *x = xs[j];
        if (!x || x->tape != t) {
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: tensor %d is NULL or on another tape than the loss", what, j) != NULL;
        }
        if (x->flags & AG__TUPLE || !ag__is_float(x->dtype)) {
            return ag__fail(t, AG_ERR_DTYPE, "%s: %s is not a float tensor", what, ag__label(x, text, sizeof text)) != NULL;
        }
    }
    return true;
}

bool ag_gradcheck(ag_tensor *loss, ag_tensor *const xs[], int n, const ag_check_options *options, ag_check_report *report) {
    static const char what[] = "gradcheck";
    ag_check_report own;
    ag__check c;
    if (!report) report = &own;
    ag__report_start(report);
    if (!ag__check_arguments(loss, xs, n, what) || !ag__check_start(&c, options, report, loss->tape, what))
        return false;
    c.loss = loss;
    c.confirm = confirm_rules;
    bool done = ag__check_copy(&c, loss, xs, n) && ag__check_run(&c, AG__CHECK_ELEMENTS);
    return ag__check_end(&c, done, loss->tape, what);
}
