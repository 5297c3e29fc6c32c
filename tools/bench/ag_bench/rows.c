/* rows.c: "rows:softmax_ce:256x10000" and its kin: work on the rows of a matrix, forward and backward unless said otherwise.
 *
 *   softmax_ce:256x10000       softmax and cross-entropy of logits
 *   layer_norm:4096x768        layer norm with weight and bias
 *   sum0:4096x1024, sum1:…     Σ over axis 0, axis 1
 *   max0, max1, logsumexp0, logsumexp1, argmax0, argmax1 (forward)
 *   scatter_add:4096x1024      a matrix added to rows that an index names for each element
 *   transpose:4096x4096        a copy with the axes swapped, forward
 *   embedding:8192x50000x128   rows taken from a table; the gradient is dense */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "ops/ops.h"

static double item(const ag_tensor *x, int64_t row, int64_t column) { return ag_at(x, row * ag_dim(x, -1) + column); }

/* The gradient of y, all weights 1 or those in x[3], from nothing; y's nodes dropped unless they shall be looked at. */
static bool back(bench *b, ag_tensor *y) {
    for (int i = 0; i < 3; i++) {
        if (b->x[i] && ag_requires_grad(b->x[i])) ag_zero_grad(b->x[i]);
    }
    return ag_backward_from(&y, b->x[3] ? &b->x[3] : NULL, 1) && ag_tape_rewind(b->tape, b->mark);
}

static bool run_softmax_ce(bench *b) { return back(b, ag_cross_entropy(b->x[0], b->x[1])); }

static bool open_softmax_ce(bench *b) {
    int64_t n = b->n[0], c = b->n[1];
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -3, 3, AG_REQUIRES_GRAD);
    b->x[1] = ag_buffer(b->tape, AG_I64, AG_SHAPE(n));
    int64_t *label = ag_mutable(b->x[1]);
    for (int64_t i = 0; label && i < n; i++) label[i] = i * 37 % c;
    b->mark = ag_tape_mark(b->tape);
    if (!run_softmax_ce(b)) return false;
    for (int64_t i = 0; i < n; i += 31) {
        double sum = 0;
        for (int64_t j = 0; j < c; j++) sum += exp(item(b->x[0], i, j));
        for (int64_t j = 0; j < c; j += j == ag_i64(b->x[1])[i] ? 1 : 7) {
            double expected = (exp(item(b->x[0], i, j)) / sum - (j == ag_i64(b->x[1])[i])) / (double)n;
            if (!bench_near(b, "a gradient", (double)n * item(ag_grad(b->x[0]), i, j), (double)n * expected, 1e-5))
                return false;
        }
    }
    b->bytes = 4.0 * (double)(n * c) * 5; /* read twice; the gradient zeroed, read and written */
    b->run = run_softmax_ce;
    return true;
}

static ag_tensor *layer_norm(bench *b) {
    ag_tensor *inputs[3] = {b->x[0], b->x[1], b->x[2]};
    char attributes[64];
    snprintf(attributes, sizeof attributes, "normalized_shape=%lld", (long long)b->n[1]);
    return ag_call(b->tape, "layer_norm", inputs, 3, attributes);
}

static bool run_layer_norm(bench *b) { return back(b, layer_norm(b)); }

/* With weights w on the outputs and h = w γ: dx = rstd (h − mean h − x̂ mean(h x̂)). */
static bool open_layer_norm(bench *b) {
    int64_t n = b->n[0], c = b->n[1];
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -3, 3, AG_REQUIRES_GRAD);
    b->x[1] = bench_leaf(b, AG_F32, AG_SHAPE(c), 0.5, 2, AG_REQUIRES_GRAD);
    b->x[2] = bench_leaf(b, AG_F32, AG_SHAPE(c), -1, 1, AG_REQUIRES_GRAD);
    b->x[3] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    if (!run_layer_norm(b)) return false;
    for (int64_t i = 0; i < n; i += 101) {
        double mean = 0, var = 0, mh = 0, mhx = 0;
        for (int64_t j = 0; j < c; j++) mean += item(b->x[0], i, j) / (double)c;
        for (int64_t j = 0; j < c; j++) var += pow(item(b->x[0], i, j) - mean, 2) / (double)c;
        double rstd = 1 / sqrt(var + 1e-5);
        for (int64_t j = 0; j < c; j++) {
            double h = item(b->x[3], i, j) * ag_at(b->x[1], j);
            mh += h / (double)c;
            mhx += h * (item(b->x[0], i, j) - mean) * rstd / (double)c;
        }
        for (int64_t j = 0; j < c; j += 5) {
            double h = item(b->x[3], i, j) * ag_at(b->x[1], j), hat = (item(b->x[0], i, j) - mean) * rstd;
            if (!bench_near(b, "a gradient", item(ag_grad(b->x[0]), i, j), rstd * (h - mh - hat * mhx), 1e-5))
                return false;
        }
    }
    b->bytes = 4.0 * (double)(n * c) * 8; /* x, y; x, g, and the gradient zeroed, read, written; g once more */
    b->run = run_layer_norm;
    return true;
}

static bool run_sum(bench *b) { return back(b, ag_sum(b->x[0], AG_AXES((int)b->v[0]), false)); }

static bool open_sum(bench *b, int axis) {
    int64_t n = b->n[0], c = b->n[1];
    b->v[0] = axis;
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, AG_REQUIRES_GRAD);
    b->x[3] = bench_leaf(b, AG_F32, AG_SHAPE(axis ? n : c), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    if (!run_sum(b)) return false;
    ag_tensor *y = ag_sum(b->x[0], AG_AXES(axis), false);
    for (int64_t k = 0; y && k < ag_size(y); k += 13) {
        double sum = 0;
        for (int64_t i = 0; i < (axis ? c : n); i++) sum += axis ? item(b->x[0], k, i) : item(b->x[0], i, k);
        double g = axis ? item(ag_grad(b->x[0]), k, 3) : item(ag_grad(b->x[0]), 3, k);
        if (!bench_near(b, "a sum", ag_at(y, k), sum, 1e-5) || !bench_near(b, "a gradient", g, ag_at(b->x[3], k), 0))
            return false;
    }
    b->bytes = 4.0 * (double)(n * c) * 4; /* read; the gradient zeroed, read, written */
    b->run = run_sum;
    return ag_tape_rewind(b->tape, b->mark);
}

/* What a reduction of line k should be: its largest element, that one's place, or ln Σ eˣ. */
static double expected_of(bench *b, char which, int64_t k) {
    int axis = (int)b->v[0];
    double most = (double)-INFINITY, place = 0, sum = 0;
    for (int64_t i = 0; i < b->n[1 - !axis]; i++) {
        double x = axis ? item(b->x[0], k, i) : item(b->x[0], i, k);
        if (x > most) place = (double)i;
        most = fmax(most, x);
        sum += exp(x);
    }
    return which == 'm' ? most : which == 'a' ? place : log(sum);
}

static bool run_max(bench *b) { return back(b, ag_max(b->x[0], AG_AXES((int)b->v[0]), false)); }
static bool run_logsumexp(bench *b) { return back(b, ag_logsumexp(b->x[0], AG_AXES((int)b->v[0]), false)); }

static bool run_argmax(bench *b) {
    return ag_argmax(b->x[0], AG_AXES((int)b->v[0]), false) && ag_tape_rewind(b->tape, b->mark);
}

static bool open_reduction(bench *b, const char *which, int axis) {
    int64_t n = b->n[0], c = b->n[1];
    ag_axes axes = AG_AXES(axis);
    bool forward = *which == 'a';
    b->v[0] = axis;
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, forward ? 0 : AG_REQUIRES_GRAD);
    b->x[3] = bench_leaf(b, AG_F32, AG_SHAPE(axis ? n : c), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    ag_tensor *y = forward         ? ag_argmax(b->x[0], axes, false)
                   : *which == 'm' ? ag_max(b->x[0], axes, false)
                                   : ag_logsumexp(b->x[0], axes, false);
    for (int64_t k = 0; y && k < ag_size(y); k += 13) {
        if (!bench_near(b, which, ag_at(y, k), expected_of(b, *which, k), 1e-5)) return false;
    }
    b->bytes = 4.0 * (double)(n * c) * (forward ? 1 : 3); /* read; back read and written */
    b->run = forward ? run_argmax : *which == 'm' ? run_max : run_logsumexp;
    return y && ag_tape_rewind(b->tape, b->mark) && b->run(b);
}

static bool run_scatter_add(bench *b) { return back(b, ag_scatter_add(b->x[0], 0, b->x[1], b->x[2])); }

static bool open_scatter_add(bench *b) {
    int64_t n = b->n[0], c = b->n[1];
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, AG_REQUIRES_GRAD);
    b->x[1] = ag_buffer(b->tape, AG_I64, AG_SHAPE(n, c));
    b->x[2] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, AG_REQUIRES_GRAD);
    b->x[3] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, 0);
    int64_t *index = ag_mutable(b->x[1]);
    uint64_t state = 3;
    for (int64_t i = 0; index && i < n * c; i++) index[i] = (int64_t)((bench_random(&state) + 1) / 2 * (double)n);
    b->mark = ag_tape_mark(b->tape);
    if (!run_scatter_add(b)) return false;
    ag_tensor *y = ag_scatter_add(b->x[0], 0, b->x[1], b->x[2]);
    for (int64_t j = 0; y && j < c; j += 101) {
        double sum = item(b->x[0], 5, j);
        for (int64_t i = 0; i < n; i++) sum += index[i * c + j] == 5 ? item(b->x[2], i, j) : 0;
        if (!bench_near(b, "a sum", item(y, 5, j), sum, 1e-5)) return false;
        double back = item(b->x[3], index[3 * c + j], j);
        if (!bench_near(b, "a gradient", item(ag_grad(b->x[2]), 3, j), back, 0)) return false;
    }
    b->bytes = (double)(n * c) * (4 * 6 + 8 * 2); /* x, src in, y out; g in, both gradients out; the index twice */
    b->run = run_scatter_add;
    return y && ag_tape_rewind(b->tape, b->mark);
}

static bool run_transpose(bench *b) {
    return ag_contiguous(ag_transpose(b->x[0], 0, 1)) && ag_tape_rewind(b->tape, b->mark);
}

static bool open_transpose(bench *b) {
    int64_t n = b->n[0], c = b->n[1];
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, 0);
    b->mark = ag_tape_mark(b->tape);
    ag_tensor *y = ag_contiguous(ag_transpose(b->x[0], 0, 1));
    const float *from = ag_f32(b->x[0]), *to = ag_f32(y);
    for (int64_t i = 0; to && i < n * c; i++) {
        if (to[i % c * n + i / c] != from[i]) return bench_fail(b, "element %lld is wrong", (long long)i);
    }
    b->bytes = 8.0 * (double)(n * c);
    b->run = run_transpose;
    return to && ag_tape_rewind(b->tape, b->mark);
}

static bool run_embedding(bench *b) { return back(b, ag_embedding(b->x[0], b->x[1])); }

static bool open_embedding(bench *b) {
    int64_t n = b->n[0], rows = b->n[1], c = b->n[2];
    b->x[0] = bench_leaf(b, AG_F32, AG_SHAPE(rows, c), -1, 1, AG_REQUIRES_GRAD);
    b->x[1] = ag_buffer(b->tape, AG_I64, AG_SHAPE(n));
    b->x[3] = bench_leaf(b, AG_F32, AG_SHAPE(n, c), -1, 1, 0);
    int64_t *index = ag_mutable(b->x[1]);
    uint64_t state = 3;
    for (int64_t i = 0; index && i < n; i++) index[i] = (int64_t)((bench_random(&state) + 1) / 2 * (double)rows);
    b->mark = ag_tape_mark(b->tape);
    if (!run_embedding(b)) return false;
    for (int64_t k = 0; k < n; k += 511) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) sum += index[i] == index[k] ? item(b->x[3], i, 5) : 0;
        if (!bench_near(b, "a gradient", item(ag_grad(b->x[0]), index[k], 5), sum, 1e-6)) return false;
    }
    b->bytes = 4.0 * (double)(2 * n * c + 2 * n * c + rows * c); /* rows out; rows back, added; the gradient zeroed */
    b->run = run_embedding;
    return true;
}

bool bench_rows(bench *b) {
    const char *which = b->word[1] ? b->word[1] : "";
    bool embedding = strcmp(which, "embedding") == 0;
    if (!b->word[2]) return bench_fail(b, "say rows:NAME:ROWSxCOLUMNS");
    if (!bench_dims(b, b->word[2], embedding ? 3 : 2, b->n)) return false;
    if (embedding) return open_embedding(b);
    if (strcmp(which, "softmax_ce") == 0) return open_softmax_ce(b);
    if (strcmp(which, "layer_norm") == 0) return open_layer_norm(b);
    if (strcmp(which, "sum0") == 0) return open_sum(b, 0);
    if (strcmp(which, "sum1") == 0) return open_sum(b, 1);
    if (strcmp(which, "max0") == 0 || strcmp(which, "max1") == 0) return open_reduction(b, "max", which[3] - '0');
    if (strcmp(which, "argmax0") == 0 || strcmp(which, "argmax1") == 0)
        return open_reduction(b, "argmax", which[6] - '0');
    if (strcmp(which, "logsumexp0") == 0 || strcmp(which, "logsumexp1") == 0)
        return open_reduction(b, "logsumexp", which[9] - '0');
    if (strcmp(which, "scatter_add") == 0) return open_scatter_add(b);
    if (strcmp(which, "transpose") == 0) return open_transpose(b);
    return bench_fail(
        b, "'%s' is none of softmax_ce, layer_norm, sum0, max0, argmax0, logsumexp0 (or 1), scatter_add, transpose, embedding",
        which);
}
