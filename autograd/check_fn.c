/* check_fn.c: the checker on a function that builds its graph anew at every call, branches and loops of C included.
 *
 *     xs ─ copied in f64 ─▶ leaves of the trial's tape ─ f(context, tape, leaves) ─▶ one element, dropped by a rewind
 *
 * Nothing is recorded on the tape of xs, and xs do not change. */
#include "autograd/gradcheck.h"

static bool start_function(ag__check *c, ag_tensor *const xs[], int n) {
    ag__trial *t = &c->t;
    ag__region *r = &t->tape->persistent;
    t->x = ag__bump(t->tape, r, (size_t)n * sizeof *t->x);
    t->y = ag__bump(t->tape, r, sizeof *t->y);
    t->w = ag__bump(t->tape, r, sizeof *t->w);
    if (!t->x || !t->y || !t->w) return false;
    for (int j = 0; j < n; j++) {
        t->x[j] = (ag__moved){.source = xs[j], .leaf = ag__check_widen(t->tape, xs[j], AG_REQUIRES_GRAD)};
        if (!t->x[j].leaf) return false;
        ag__check_name(t->x[j].name, xs[j]);
        if (*ag_name(xs[j])) ag_set_name(t->x[j].leaf, ag_name(xs[j]));
    }
    t->w[0] = NULL;
    t->n = n;
    t->m = t->order = 1;
    t->mark = ag_tape_mark(t->tape);
    return t->mark.serial != 0;
}

bool ag_gradcheck_fn(ag_check_fn *f, void *context, ag_tensor *const xs[], int n, const ag_check_options *options,
                     ag_check_report *report) {
    static const char what[] = "gradcheck_fn";
    ag_check_report own;
    ag__check c;
    if (!report) report = &own;
    ag__report_start(report);
    if (!f || !xs || n < 1 || !xs[0]) {
        return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: needs a function, and one tensor or more to move", what) != NULL;
    }
    ag_tape *t = xs[0]->tape;
    if (t == &ag__dropped) return ag__fail(NULL, AG_ERR_STATE, "%s: %s", what, t->message) != NULL;
    if (t->status) return false;
    for (int j = 0; j < n; j++) {
        char text[160];
        if (xs[j] && !(xs[j]->flags & AG__TUPLE) && xs[j]->tape == t && ag__is_float(xs[j]->dtype)) continue;
        return ag__fail(t, AG_ERR_DTYPE, "%s: %s is not a float tensor, or on another tape than the first", what,
                        ag__label(xs[j], text, sizeof text)) != NULL;
    }
    if (!ag__check_start(&c, options, report, t, what)) return false;
    c.t.f = f;
    c.t.context = context;
    bool done = start_function(&c, xs, n) && ag__check_run(&c, AG__CHECK_ELEMENTS);
    return ag__check_end(&c, done, t, what);
}
