/* cmd_grad.c: autograd grad: every gradient beside its five-point difference. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/inspect.h"
#include "derivative.h"
#include "graph.h"
#include "show.h"

enum { WORST = 5 /* rows shown of an input with more than AG_CHECK_ROWS elements */ };

static int by_index(const void *a, const void *b) {
    const ag_check_row *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static void put_row(session *s, text *rows, const ag_tensor *x, const ag_check_row *r) {
    if (r->index >= 0) show_element(rows, ag_name(x), x, r->index);
    else if (r->verdict == AG_NOT_FINITE) text_put(rows, ag_name(x)); /* nothing was moved */
    else text_printf(rows, "%s, along a direction", ag_name(x));
    text_put(rows, "\t>");
    text_number(rows, r->analytic, SIDE);
    text_put(rows, "\t>");
    text_number(rows, r->numeric, SIDE);
    if (s->o->f32) {
        text_put(rows, "\t>");
        text_number(rows, r->recorded, SIDE);
    }
    text_printf(rows, "\t>%.1e\t%s\t\n", r->absolute, ag_verdict_name(r->verdict));
}

static void json_row(text *out, const ag_tensor *x, const ag_check_row *r) {
    text_put(out, "{\"element\": ");
    text e = {0};
    show_element(&e, ag_name(x), x, r->index < 0 ? 0 : r->index);
    text_json_string(out, text_of(&e));
    text_free(&e);
    const struct {
        const char *name;
        double v;
    } field[] = {{"analytic", r->analytic}, {"numeric", r->numeric}, {"error", r->absolute}, {"tolerance", r->tolerance}};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        text_printf(out, ", \"%s\": ", field[i].name);
        text_json_number(out, field[i].v);
    }
    text_printf(out, ", \"verdict\": \"%s\"}", ag_verdict_name(r->verdict));
}

/* One input: its rows of the table, or its object of the JSON. */
static bool put_input(session *s, ag_tensor *x, ag_check_report *r, text *rows) {
    bool passed = ag_gradcheck(s->y, &x, 1, NULL, r);
    if (ag_tape_status(s->e.tape)) return session_failed(s);
    if (!passed) s->code = EXIT_GRADIENT;
    bool all = r->checked <= r->rows;
    if (all) qsort(r->row, (size_t)r->rows, sizeof *r->row, by_index);
    int shown = all || s->o->json || r->rows < WORST ? r->rows : WORST;
    if (!s->o->json) {
        for (int i = 0; i < shown; i++) put_row(s, rows, x, &r->row[i]);
        if (!all) {
            text_printf(rows, "%s: the worst %d of %lld elements checked, %lld failed\n", ag_name(x), shown,
                        (long long)r->checked, (long long)r->failed);
        }
        return true;
    }
    ag_tensor *g = NULL;
    if (!ag_gradients(&s->y, NULL, 1, &x, 1, &g)) return session_failed(s);
    text_printf(rows, "%s{\"name\": \"%s\", \"gradient\": ", rows->size ? ", " : "", ag_name(x));
    show_json(rows, g);
    text_printf(rows, ", \"checked\": %lld, \"failed\": %lld, \"rows\": [", (long long)r->checked, (long long)r->failed);
    for (int i = 0; i < shown; i++) {
        if (i) text_put(rows, ", ");
        json_row(rows, x, &r->row[i]);
    }
    text_put(rows, "]}");
    return true;
}

static bool put_inputs(session *s, ag_tensor *const *xs, int n, text *rows, bool *seen) {
    ag_check_report *r = malloc(sizeof *r);
    bool good = r != NULL || fault_memory(&s->f);
    for (int i = 0; i < n && good; i++) {
        if (graph_uses(s->y, xs[i])) {
            good = put_input(s, xs[i], r, rows);
            for (int v = 0; v < AG_VERDICT_COUNT; v++) seen[v] = seen[v] || r->count[v];
        } else if (s->o->json) {
            text_printf(rows, "%s{\"name\": \"%s\", \"gradient\": null}", rows->size ? ", " : "", ag_name(xs[i]));
        } else {
            text_printf(rows, "%s\tnone: no path of operations with gradients leads to it\n", ag_name(xs[i]));
        }
    }
    free(r);
    return good;
}

/* What a verdict means, where it is not plain */
static void put_meanings(session *s, const bool seen[AG_VERDICT_COUNT]) {
    static const char *const meaning[AG_VERDICT_COUNT] = {
        [AG_NOISE_LIMITED] = "passes; only the rounding of the value covers the error",
        [AG_KINK] = "passes; the slopes on the two sides differ here, and the gradient is one of them or between",
        [AG_WRONG] = "the two disagree, in no way that has a name",
        [AG_WRONG_SIGN] = "the gradient has the opposite sign",
        [AG_WRONG_SCALE] = "the gradient is off by a constant factor",
        [AG_MISSING_TERM] = "part of the gradient is missing",
        [AG_BRANCH_DIFFERS] = "the graph takes another branch in f64 than in f32",
        [AG_NOT_FINITE] = "the value or the gradient is nan or infinite here",
        [AG_DOMAIN_EDGE] = "the function ends here: it has no value on one side",
        [AG_NOT_DETERMINISTIC] = "evaluating twice gives two values",
    };
    for (int v = 0; v < AG_VERDICT_COUNT; v++) {
        if (seen[v] && meaning[v]) text_printf(&s->out, "\n%s: %s\n", ag_verdict_name((ag_verdict)v), meaning[v]);
    }
}

/* The value is finite, a gradient is not: where that began. */
static void put_origin(session *s) {
    ag_origin o;
    if (!s->e.odd.code && ag_find_nonfinite(s->y, &o) && *o.text) fprintf(stderr, "autograd: %s\n", eval_origin(&o));
}

static bool gradients(session *s, ag_tensor *const *xs, int n) {
    text rows = {0};
    bool seen[AG_VERDICT_COUNT] = {0};
    if (ag_requires_grad(s->y) && !ag_backward(s->y)) return session_failed(s); /* the gradient as recorded, in f32 */
    bool good = put_inputs(s, xs, n, &rows, seen);
    if (good && seen[AG_NOT_FINITE]) put_origin(s);
    if (good && s->o->json) {
        text_put(&s->out, "{\"value\": ");
        text_json_number(&s->out, ag_item(s->y));
        text_printf(&s->out, ", \"passed\": %s, \"inputs\": [%s]}\n", s->code ? "false" : "true", text_of(&rows));
    } else if (good) {
        text table = {0};
        text_printf(&table, "\t>analytic\t>numeric%s\t>error\tverdict\t\n%s", s->o->f32 ? "\t>in f32" : "", text_of(&rows));
        derivative_value(s);
        text_table(&s->out, text_of(&table), "");
        put_meanings(s, seen);
        text_free(&table);
    }
    text_free(&rows);
    return good;
}

void derivative_value(session *s) {
    text_put(&s->out, "value  ");
    show_tensor(&s->out, s->y, 7);
    text_put(&s->out, "\n\n");
}

bool cmd_grad(session *s) {
    ag_tensor **xs = NULL;
    if (!session_begin(s)) return false;
    if (s->o->jvps) return derivative_jvp(s);
    if (!session_scalar(s, "grad")) return false;
    int n = session_inputs(s, &xs);
    bool good = n > 0 && (s->o->hessian ? derivative_hessian(s, xs, n) : gradients(s, xs, n));
    free(xs);
    return good;
}
