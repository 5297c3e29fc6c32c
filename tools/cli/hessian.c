/* hessian.c: H[i][k] = ∂²y / ∂x[i] ∂x[k], one backward pass over the gradient for each row. */
#include <math.h>
#include <stdlib.h>

#include "autograd/inspect.h"
#include "derivative.h"
#include "show.h"

enum { MOST = 1000 /* elements of x: a million entries */ };

static bool fill(session *s, ag_tensor *x, double *h, double *unit, int64_t n) {
    ag_tape *t = s->e.tape;
    ag_tensor *g = NULL, *row = NULL;
    if (!ag_gradients(&s->y, NULL, 1, &x, 1, &g)) return session_failed(s);
    ag_mark here = ag_tape_mark(t);
    for (int64_t i = 0; i < n; i++) {
        unit[i] = 1;
        ag_tensor *u = eval_leaf(t, ag_dtype_of(x), unit, ag_shape_of(x), AG_RECORDED);
        unit[i] = 0;
        if (!u || !ag_gradients(&g, &u, 1, &x, 1, &row)) return session_failed(s);
        for (int64_t k = 0; k < n; k++) h[i * n + k] = ag_at(row, k);
        ag_tape_rewind(t, here);
    }
    return true;
}

static double asymmetry(const double *h, int64_t n) {
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t k = 0; k < i; k++) worst = fmax(worst, fabs(h[i * n + k] - h[k * n + i]));
    }
    return worst;
}

static bool show(session *s, ag_tensor *x, const double *h, int64_t n) {
    ag_check_options o = ag_check_defaults();
    ag_check_report *r = malloc(sizeof *r);
    ag_tensor *m = ag_leaf(s->e.tape, AG_F64, h, ag_rank(x) ? AG_SHAPE(n, n) : AG_SHAPE(), AG_RECORDED);
    o.order = 2;
    bool good = r && m;
    bool passed = good && ag_gradcheck(s->y, &x, 1, &o, r);
    if (!good || ag_tape_status(s->e.tape)) {
        free(r);
        return m ? r ? session_failed(s) : fault_memory(&s->f) : session_failed(s);
    }
    s->code = passed ? EXIT_FINE : EXIT_GRADIENT;
    if (s->o->json) {
        text_put(&s->out, "{\"value\": ");
        text_json_number(&s->out, ag_item(s->y));
        text_printf(&s->out, ", \"wrt\": \"%s\", \"hessian\": ", ag_name(x));
        if (n) show_json_data(&s->out, m);
        text_printf(&s->out, ", \"checked\": %lld, \"failed\": %lld, \"passed\": %s}\n", (long long)r->checked,
                    (long long)r->failed, passed ? "true" : "false");
    } else {
        derivative_value(s);
        text_printf(&s->out, "second derivatives by %s, row-major:\n\n", ag_name(x));
        show_tensor(&s->out, m, 0);
        text_printf(&s->out, "\n\nchecked against differences: %lld of %lld pass", (long long)(r->checked - r->failed),
                    (long long)r->checked);
        if (n > 1) text_printf(&s->out, "; symmetric to %.0e", asymmetry(h, n));
        text_put(&s->out, "\n");
        if (!passed) text_printf(&s->out, "%s: %s\n", r->row[0].name, ag_verdict_name(r->row[0].verdict));
    }
    free(r);
    return true;
}

bool derivative_hessian(session *s, ag_tensor *const *xs, int n) {
    if (n > 1) {
        text names = {0};
        for (int i = 0; i < n; i++) text_printf(&names, "%s%s", i ? ", " : "", ag_name(xs[i]));
        fault_say(&s->f, EXIT_USAGE, "--hessian is taken by one input: name one of %s with --wrt", text_of(&names));
        text_free(&names);
        return false;
    }
    int64_t size = ag_size(xs[0]);
    if (size > MOST) {
        return fault_say(&s->f, EXIT_USAGE, "--hessian: %s has %lld elements; the matrix is shown for %d at most",
                         ag_name(xs[0]), (long long)size, MOST);
    }
    double *h = calloc((size_t)(size * size) + 1, sizeof *h), *unit = calloc((size_t)size + 1, sizeof *unit);
    bool good = (h && unit) || fault_memory(&s->f);
    good = good && fill(s, xs[0], h, unit, size) && show(s, xs[0], h, size);
    free(h);
    free(unit);
    return good;
}
