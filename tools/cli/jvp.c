/* jvp.c: the derivative of the result along given tangents: y(x + h v) ≈ y(x) + h J v.
 *
 * J v by ag_jvp stands beside the five-point difference of a clone in f64 that is moved along v and replayed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "derivative.h"
#include "ops/ops.h"
#include "show.h"
#include "value.h"

typedef struct motion {
    int n;
    ag_tensor *x[JVPS], *v[JVPS]; /* on the session's tape */
    ag_tape *tape;                /* the clone's */
    ag_tensor *y, *at[JVPS];
    double *start[JVPS], *moved;
    double d;
} motion;

static ag_shape shape_text(text *out, const ag_tensor *x) {
    show_shape(out, x);
    return ag_shape_of(x);
}

static bool same_shape(const ag_tensor *x, const ag_tensor *v) {
    if (ag_rank(x) != ag_rank(v)) return false;
    for (int i = 0; i < ag_rank(x); i++) {
        if (ag_dim(x, i) != ag_dim(v, i)) return false;
    }
    return true;
}

/* "w=[1, 0]" → x[i], v[i]; a single number moves every element alike */
static bool read_tangent(session *s, motion *m, const char *pair) {
    const char *equals = strchr(pair, '=');
    if (!value_is_pair(pair)) return fault_say(&s->f, EXIT_USAGE, "--jvp: '%s' is not NAME=VALUE", pair);
    ag_tensor *x = session_named(s, "--jvp", pair, (size_t)(equals - pair));
    ag_tensor *v = x ? value_read(&s->e, "--jvp", equals + 1, &s->f) : NULL;
    if (!v) return false;
    if (ag_dtype_of(v) != ag_dtype_of(x)) v = ag_cast(v, ag_dtype_of(x));
    if (v && ag_rank(v) == 0) v = ag_contiguous(ag_expand(v, ag_shape_of(x)));
    if (!v) return session_failed(s);
    if (!same_shape(x, v)) {
        text want = {0}, have = {0};
        shape_text(&want, x);
        shape_text(&have, v);
        fault_say(&s->f, EXIT_VALUE, "--jvp: %s is %s, its tangent %s", ag_name(x), text_of(&want), text_of(&have));
        text_free(&want);
        text_free(&have);
        return false;
    }
    m->x[m->n] = x;
    m->v[m->n++] = v;
    return true;
}

/* Clones y and the moved inputs in f64. */
static bool copy(session *s, motion *m) {
    ag_tensor *from[JVPS + 1] = {s->y}, *to[JVPS + 1] = {0};
    size_t most = 0;
    m->tape = ag_tape_new();
    m->d = 3.7e-4;
    for (int i = 0; i < m->n; i++) from[i + 1] = m->x[i];
    if (!m->tape || !ag_clone(m->tape, from, m->n + 1, AG_F64, AG_CLONE_HOLD, to)) {
        return fault_say(&s->f, EXIT_VALUE, "%s", m->tape ? ag_tape_message(m->tape) : "out of memory");
    }
    m->y = to[0];
    for (int i = 0; i < m->n; i++) {
        size_t n = (size_t)ag_size(to[i + 1]);
        m->at[i] = to[i + 1];
        m->start[i] = malloc(n * sizeof(double) + 1);
        if (!m->start[i] || !ag_read(m->at[i], m->start[i])) return fault_memory(&s->f);
        most = n > most ? n : most;
    }
    m->moved = malloc(most * sizeof(double) + 1);
    return m->moved || fault_memory(&s->f);
}

static bool values_at(session *s, const motion *m, double steps, double *out) {
    for (int i = 0; i < m->n; i++) {
        for (int64_t k = 0; k < ag_size(m->at[i]); k++) m->moved[k] = m->start[i][k] + steps * m->d * ag_at(m->v[i], k);
        ag_write(m->at[i], m->moved);
    }
    if (!ag_replay(m->tape) || !ag_read(m->y, out)) {
        return fault_say(&s->f, EXIT_VALUE, "--jvp: along the tangent: %s", ag_tape_message(m->tape));
    }
    return true;
}

/* out[k] = (8 (y₁ − y₋₁) − (y₂ − y₋₂)) / 12d; *scale: the largest |y| */
static bool difference(session *s, const motion *m, double *out, double *scale) {
    static const double steps[] = {1, -1, 2, -2}, weight[] = {8, -8, -1, 1};
    int64_t n = ag_size(m->y);
    double *y = malloc((size_t)n * sizeof *y + 1);
    bool good = y || fault_memory(&s->f);
    memset(out, 0, (size_t)n * sizeof *out);
    for (int i = 0; i < 4 && good; i++) {
        good = values_at(s, m, steps[i], y);
        for (int64_t k = 0; k < n && good; k++) {
            out[k] += weight[i] * y[k];
            *scale = fmax(*scale, fabs(y[k]));
        }
    }
    for (int64_t k = 0; k < n; k++) out[k] /= 12 * m->d;
    free(y);
    return good;
}

static bool show(session *s, const motion *m, const ag_tensor *forward) {
    int64_t n = ag_size(forward);
    double *numeric = malloc((size_t)n * sizeof *numeric + 1), scale = 0, worst = 0, largest = 0;
    if (!numeric) return fault_memory(&s->f);
    if (!difference(s, m, numeric, &scale)) {
        free(numeric);
        return false;
    }
    for (int64_t k = 0; k < n; k++) {
        worst = fmax(worst, fabs(ag_at(forward, k) - numeric[k]));
        largest = fmax(largest, fabs(numeric[k]));
    }
    double tolerance = s->o->f32 ? 1e-4 * largest + 1e-6 : 1e-7 * largest + 8 * 2.2e-16 * scale / m->d + 1e-12;
    bool passed = worst <= tolerance;
    s->code = passed ? EXIT_FINE : EXIT_GRADIENT;
    ag_tensor *other = ag_leaf(s->e.tape, AG_F64, numeric, ag_shape_of(forward), AG_RECORDED);
    free(numeric);
    if (!other) return session_failed(s);
    if (s->o->json) {
        text_put(&s->out, "{\"value\": ");
        show_json(&s->out, s->y);
        text_put(&s->out, ", \"tangent\": ");
        show_json(&s->out, forward);
        text_put(&s->out, ", \"numeric\": ");
        show_json(&s->out, other);
        text_printf(&s->out, ", \"passed\": %s}\n", passed ? "true" : "false");
        return true;
    }
    derivative_value(s);
    text_put(&s->out, "along the tangent\n  forward mode  ");
    show_tensor(&s->out, forward, 16);
    text_put(&s->out, "\n  differences   ");
    show_tensor(&s->out, other, 16);
    text_printf(&s->out, "\n  error         %.1e, %s\n", worst, passed ? "pass" : "wrong");
    return true;
}

bool derivative_jvp(session *s) {
    motion m = {0};
    ag_tensor *out = NULL;
    bool good = true;
    for (int i = 0; i < s->o->jvps && good; i++) good = read_tangent(s, &m, s->o->jvp[i]);
    if (good && !ag_jvp(&s->y, 1, m.x, m.v, m.n, &out)) good = session_failed(s);
    good = good && copy(s, &m) && show(s, &m, out);
    for (int i = 0; i < m.n; i++) free(m.start[i]);
    free(m.moved);
    ag_tape_free(m.tape);
    return good;
}
