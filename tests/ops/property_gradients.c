/* property_gradients.c: reverse and forward mode against five points and against each other. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "ops/property.h"

bool sample_function(const sample *s, ag_tape *t, function *f) {
    ag_tensor *in[SAMPLE_INPUTS], *out[FUNCTION_YS];
    *f = (function){.tape = t, .positive = s->op->lo > 0, .random = 7};
    need(s, sample_tensors(s, t, AG_F64, AG_REQUIRES_GRAD, in), "%s", ag_tape_message(t));
    ag_tensor *y = sample_call(s, t, in);
    need(s, y != NULL, "%s", ag_tape_message(t));
    int nout = sample_outputs(y, out, FUNCTION_YS);
    for (int i = 0; i < s->n; i++) {
        if (sample_is_float(s, i) && s->in[i].kind != 's') f->x[f->n++] = in[i];
        f->positive = f->positive && s->in[i].kind != 'd';
    }
    for (int i = 0; i < nout; i++) {
        if (ag_dtype_of(out[i]) <= AG_F64) f->y[f->m++] = out[i];
    }
    return f->n && f->m && function_weights(f);
}

/* Flat, random without inputs, or written: nothing to differentiate, and the graph must know it. */
static bool flat(const sample *s, const function *f) {
    if (!(s->op->flags & (AG_FLAT | AG_EFFECT))) return false;
    for (int i = 0; i < f->m; i++) need(s, !ag_requires_grad(f->y[i]), "output %d is flat and requires a gradient", i);
    return true;
}

static void backward_agrees(const sample *s, const function *f) {
    char text[CHECK_TEXT];
    ag_tensor *g[FUNCTION_XS];
    need(s, ag_gradients(f->y, f->w, f->m, f->x, f->n, g), "%s", ag_tape_message(f->tape));
    need(s, ag_backward_from(f->y, f->w, f->m), "%s", ag_tape_message(f->tape));
    for (int i = 0; i < f->n; i++) {
        ag_tensor *alone;
        need(s, check_near(ag_grad(f->x[i]), g[i], 1e-14, text), "ag_backward and ag_gradients differ at input %d: %s",
             i, text);
        need(s, ag_gradients(f->y, f->w, f->m, &f->x[i], 1, &alone), "%s", ag_tape_message(f->tape));
        need(s, check_same(alone, g[i], text), "input %d has another gradient when no other is wanted: %s", i, text);
    }
}

/* op(x, x): what arrives by both ways adds up to what two equal leaves get. */
static void one_tensor_twice(const sample *s) {
    static double values[SAMPLE_ELEMENTS];
    char text[CHECK_TEXT];
    if (s->n != 2 || !sample_is_float(s, 0) || s->in[0].kind != s->in[1].kind || s->op->flags & AG_FLAT) return;
    ag_tape *t = ag_tape_new(), *u = ag_tape_new(); /* whose random ops draw alike */
    ag_tensor *x[2], *g[2], *both, *ys[FUNCTION_YS], *sames[FUNCTION_YS];
    sample_values(s, 0, values);
    for (int i = 0; i < 2; i++) x[i] = sample_leaf(t, AG_F64, s->in[0].shape, AG_REQUIRES_GRAD, values);
    ag_tensor *one = sample_leaf(u, AG_F64, s->in[0].shape, AG_REQUIRES_GRAD, values), *pair[2] = {one, one};
    ag_tensor *y = sample_call(s, t, x), *same = sample_call(s, u, pair);
    if (y) { /* some ops want two shapes */
        int m = sample_outputs(y, ys, FUNCTION_YS);
        sample_outputs(same, sames, FUNCTION_YS);
        need(s, ag_gradients(ys, NULL, m, x, 2, g), "%s", ag_tape_message(t));
        need(s, ag_gradients(sames, NULL, m, &one, 1, &both), "%s", ag_tape_message(u));
        need(s, check_near(both, ag_add(g[0], g[1]), 1e-14, text), "with one tensor as both inputs: %s", text);
    }
    ag_tape_free(t);
    ag_tape_free(u);
}

void gradients(const sample *s) {
    ag_tape *t = ag_tape_new();
    function f;
    if (sample_function(s, t, &f) && !flat(s, &f)) {
        verdict v;
        need(s, gradient_check(&f, &v), "%s", v.text);
        need(s, v.kinks == 0, "%d kinks: the sample is too close to one", v.kinks);
        backward_agrees(s, &f);
    }
    ag_tape_free(t);
    one_tensor_twice(s);
}

static double dot(ag_tensor *const a[], ag_tensor *const b[], int n, double *size) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
        for (int64_t i = 0; i < ag_size(a[k]); i++) {
            sum += ag_at(a[k], i) * ag_at(b[k], i);
            *size += fabs(ag_at(a[k], i) * ag_at(b[k], i));
        }
    }
    return sum;
}

/* Moves xs by `by` along the direction f->v, from the values in x0. */
static void move(const function *f, const double *x0, double by) {
    for (int i = 0; i < f->n; i++) {
        double *x = ag_mutable(f->x[i]);
        for (int64_t k = 0; k < ag_size(f->x[i]); k++) x[k] = *x0++ + by * ag_at(f->v[i], k);
    }
}

/* ys at the four points into at[], one after the other. */
static bool read_points(const function *f, const double *x0, double d, double at[4][SAMPLE_ELEMENTS]) {
    static const double step[4] = {-2, -1, 1, 2};
    for (int q = 0; q < 4; q++) {
        double *to = at[q];
        move(f, x0, step[q] * d);
        if (!ag_replay(f->tape)) return false;
        for (int i = 0; i < f->m; to += ag_size(f->y[i++])) {
            if (!ag_read(f->y[i], to)) return false;
        }
    }
    move(f, x0, 0);
    return ag_replay(f->tape);
}

static void directional(const sample *s, const function *f, ag_tensor *const ju[]) {
    static double x0[SAMPLE_ELEMENTS], at[4][SAMPLE_ELEMENTS];
    double *to = x0, most = 0, d = f->positive ? 1e-4 : 3.7e-4;
    for (int i = 0; i < f->n; to += ag_size(f->x[i++])) ag_read(f->x[i], to);
    need(s, read_points(f, x0, d, at), "replay: %s", ag_tape_message(f->tape));
    for (int i = 0; i < f->m; i++) {
        for (int64_t k = 0; k < ag_size(ju[i]); k++) most = fmax(most, fabs(ag_at(ju[i], k)));
    }
    for (int i = 0, e = 0; i < f->m; i++) {
        for (int64_t k = 0; k < ag_size(ju[i]); k++, e++) {
            double n = gradient_slope((const double[]){at[0][e], at[1][e], at[2][e], at[3][e]}, d), a = ag_at(ju[i], k);
            double allowed = 1e-7 * fmax(fabs(a), fabs(n)) + 1e-10 * most + 8 * DBL_EPSILON * fabs(at[0][e]) / d + 1e-300;
            need(s, fabs(a - n) <= allowed, "output %d [%d]: jvp %.10g, numeric %.10g, off by %.3g, allowed %.3g", i,
                 (int)k, a, n, a - n, allowed);
        }
    }
}

/* ⟨w, J u⟩ = ⟨Jᵀ w, u⟩, and the tangent of the gradient, H v, is the gradient of ⟨v, gradient⟩: H is symmetric. */
static void adjoint(const sample *s, function *f, ag_tensor *const ju[]) {
    char text[CHECK_TEXT];
    ag_tensor *g[FUNCTION_XS], *h[FUNCTION_XS], *hv[FUNCTION_XS];
    double size = 0;
    need(s, ag_gradients(f->y, f->w, f->m, f->x, f->n, g), "%s", ag_tape_message(f->tape));
    double forward = dot(f->w, ju, f->m, &size), reverse = dot(g, f->v, f->n, &size);
    need(s, fabs(forward - reverse) <= 1e-13 * size, "forward %.17g, reverse %.17g", forward, reverse);
    need(s, ag_gradients(g, f->v, f->n, f->x, f->n, h), "%s", ag_tape_message(f->tape));
    need(s, ag_jvp(g, f->n, f->x, f->v, f->n, hv), "forward over reverse: %s", ag_tape_message(f->tape));
    for (int i = 0; i < f->n; i++) {
        need(s, check_near(hv[i], h[i], 1e-11, text), "forward over reverse, input %d: %s", i, text);
    }
}

/* J u = Σ_i J u_i, u_i the direction with all inputs but i at rest. */
static void one_by_one(const sample *s, function *f, ag_tensor *const ju[]) {
    char text[CHECK_TEXT];
    ag_tensor *sum[FUNCTION_YS] = {NULL};
    for (int i = 0; i < f->n; i++) {
        ag_tensor *u[FUNCTION_XS] = {NULL}, *part[FUNCTION_YS];
        u[i] = f->v[i];
        need(s, ag_jvp(f->y, f->m, f->x, u, f->n, part), "of input %d alone: %s", i, ag_tape_message(f->tape));
        for (int k = 0; k < f->m; k++) sum[k] = sum[k] ? ag_add(sum[k], part[k]) : part[k];
    }
    for (int k = 0; k < f->m; k++) need(s, check_near(sum[k], ju[k], 1e-12, text), "the sum over inputs: %s", text);
}

void forward_mode(const sample *s) {
    ag_tape *t = ag_tape_new();
    function f;
    if (sample_function(s, t, &f) && !(s->op->flags & (AG_FLAT | AG_EFFECT))) {
        ag_tensor *ju[FUNCTION_YS];
        need(s, ag_jvp(f.y, f.m, f.x, f.v, f.n, ju), "%s", ag_tape_message(t));
        directional(s, &f, ju);
        adjoint(s, &f, ju);
        one_by_one(s, &f, ju);
    }
    ag_tape_free(t);
}

/* The sample's outputs and, for all but flat ones, gradients under weights that are the same for both dtypes. */
static int outputs_in(const sample *s, ag_tape *t, ag_dtype dtype, ag_tensor *out[]) {
    ag_tensor *in[SAMPLE_INPUTS], *parts[3], *y[3], *w[3], *x[SAMPLE_INPUTS];
    int count = 0, m = 0, n = 0;
    uint64_t random = 5;
    need(s, sample_tensors(s, t, dtype, AG_REQUIRES_GRAD, in), "%s", ag_tape_message(t));
    ag_tensor *made = sample_call(s, t, in);
    need(s, made != NULL, "%s", ag_tape_message(t));
    int parts_count = sample_outputs(made, parts, 3);
    for (int i = 0; i < parts_count; i++) {
        out[count++] = parts[i];
        if (ag_dtype_of(parts[i]) > AG_F64) continue;
        w[m] = check_leaf(t, ag_dtype_of(parts[i]), ag_shape_of(parts[i]), 0, -1, 1, &random);
        y[m++] = parts[i];
    }
    for (int i = 0; i < s->n; i++) {
        if (sample_is_float(s, i)) x[n++] = in[i];
    }
    if (n == 0 || m == 0 || s->op->flags & (AG_FLAT | AG_EFFECT)) return count;
    need(s, ag_gradients(y, w, m, x, n, out + count), "%s", ag_tape_message(t));
    for (int i = 0; i < n; i++) {
        need(s, ag_dtype_of(out[count + i]) == ag_dtype_of(x[i]), "the gradient of input %d is %s", i,
             ag_dtype_name(ag_dtype_of(out[count + i])));
    }
    return count + n;
}

void single_precision(const sample *s) {
    ag_tape *t32 = ag_tape_new(), *t64 = ag_tape_new();
    ag_tensor *single[FUNCTION_XS + 3], *twice[FUNCTION_XS + 3];
    int n = outputs_in(s, t32, AG_F32, single), m = outputs_in(s, t64, AG_F64, twice);
    need(s, n == m, "%d outputs and gradients in f32, %d in f64", n, m);
    for (int k = 0; k < n; k++) {
        double most = 0;
        for (int64_t i = 0; i < ag_size(twice[k]); i++) most = fmax(most, fabs(ag_at(twice[k], i)));
        for (int64_t i = 0; i < ag_size(twice[k]); i++) {
            double a = ag_at(single[k], i), b = ag_at(twice[k], i);
            need(s, fabs(a - b) <= 1e-5 * fmax(most, 1) || (isnan(a) && isnan(b)), "tensor %d [%d]: f32 %.9g, f64 %.9g",
                 k, (int)i, a, b);
        }
    }
    ag_tape_free(t32);
    ag_tape_free(t64);
}
