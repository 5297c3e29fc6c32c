/* sample.c: reading samples, and the numbers in them.
 *
 * Floats of one sample are drawn without replacement from a grid over [lo, hi] that leaves out what is within 0.02 of
 * zero:
 *
 *     lo ├──┼──┼──┼──┤      0      ├──┼──┼──┼──┤ hi          one value in each cell, cells dealt out in random order
 *
 * so no two are closer than half a cell, in one operand or in two: no ties, no kinks. */
#include "sample.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const listed_op listed_ops[] = {
#define AG_OP(name, samples) {#name, samples},
#include "ops/ops.def"
#undef AG_OP
    {NULL, NULL},
};

int listed_op_count(void) { return (int)(sizeof listed_ops / sizeof *listed_ops) - 1; }

/* Reading */

static void skip_spaces(const char **p) {
    while (isspace((unsigned char)**p)) ++*p;
}

/* "(2,3)"; false when it is something else. */
static bool read_shape(const char **p, ag_shape *s) {
    *s = (ag_shape){0};
    if (*(*p)++ != '(') return false;
    while (**p != ')') {
        char *end;
        if (s->rank == AG_MAX_RANK) return false;
        s->dim[s->rank++] = strtoll(*p, &end, 10);
        if (end == *p) return false;
        *p = end + (*end == ',');
    }
    ++*p;
    return true;
}

static bool read_given(const char **p, operand *x) {
    do {
        char *end;
        if (x->given == SAMPLE_GIVEN) return false;
        x->value[x->given++] = strtod(++*p, &end);
        if (end == *p) return false;
        *p = end;
    } while (**p == ',');
    return x->given == sample_size(x->shape);
}

static bool read_operand(const char **p, operand *x) {
    *x = (operand){.kind = *(*p)++};
    if (!strchr("fibds", x->kind) || !read_shape(p, &x->shape)) return false;
    if (**p == '=') return read_given(p, x);
    if (**p != '<') return x->kind != 'i';
    char *end;
    x->limit = strtoll(++*p, &end, 10);
    *p = end;
    return x->kind == 'i' && x->limit > 0;
}

static void trimmed(const char *from, const char *to, char out[SAMPLE_TEXT]) {
    while (from < to && isspace((unsigned char)*from)) from++;
    while (to > from && isspace((unsigned char)to[-1])) to--;
    snprintf(out, SAMPLE_TEXT, "%.*s", (int)(to - from), from);
}

const char *sample_next(const char *list, const char *op, sample *s) {
    const char *p = list + strspn(list, " ;");
    if (!*p) return NULL;
    *s = (sample){.op = ag_find_op(op)};
    cr_assert(s->op, "'%s' is not a known operation", op);
    const char *start = p, *end = p + strcspn(p, ";");
    trimmed(start, end, s->text);
    for (skip_spaces(&p); p < end && *p != '|'; skip_spaces(&p)) {
        cr_assert(s->n < SAMPLE_INPUTS && read_operand(&p, &s->in[s->n]), "%s: '%s' is not a sample", op, s->text);
        s->n++;
    }
    if (p < end) trimmed(p + 1, end, s->attributes);
    return end;
}

int64_t sample_size(ag_shape s) {
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++) n *= s.dim[i];
    return n;
}

bool sample_is_float(const sample *s, int i) { return strchr("fds", s->in[i].kind) != NULL; }

ag_dtype sample_dtype(const sample *s, int i, ag_dtype dtype) {
    return s->in[i].kind == 'i' ? AG_I64 : s->in[i].kind == 'b' ? AG_BOOL : dtype;
}

/* Numbers */

static uint64_t seed_of(const sample *s) {
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *p = s->op->name; *p; p++) h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    for (const char *p = s->text; *p; p++) h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    return h;
}

/* Place u of [0, 1) in [lo, hi] without (−0.02, 0.02). */
static double spread(double u, double lo, double hi) {
    double gap = lo < 0 && hi > 0 ? 0.02 : 0, v = lo + u * (hi - lo - 2 * gap);
    return gap > 0 && v > -gap ? v + 2 * gap : v;
}

static void fill_floats(const sample *s, int wanted, double *out) {
    static int cell[SAMPLE_ELEMENTS];
    uint64_t state = seed_of(s);
    double lo = s->op->lo, hi = s->op->hi;
    int count = 0, at = 0;
    if (lo == 0 && hi == 0) lo = -2, hi = 2;
    for (int i = 0; i < s->n; i++) count += s->in[i].kind == 'f' ? (int)sample_size(s->in[i].shape) : 0;
    cr_assert_leq(count, SAMPLE_ELEMENTS, "%s, %s: too many elements", s->op->name, s->text);
    for (int i = 0; i < count; i++) {
        int j = (int)(check_random(&state) * (i + 1));
        cell[i] = cell[j];
        cell[j] = i;
    }
    for (int i = 0; i < wanted; i++) at += s->in[i].kind == 'f' ? (int)sample_size(s->in[i].shape) : 0;
    for (int64_t k = 0; k < sample_size(s->in[wanted].shape); k++) {
        double jitter = 0.25 + 0.5 * check_random(&state);
        out[k] = (double)(float)spread((cell[at + k] + jitter) / count, lo, hi);
    }
}

/* Symmetric, off the diagonal in [−½, ½], on it above n/2. */
static void fill_definite(const sample *s, int i, double *out) {
    const operand *x = &s->in[i];
    uint64_t state = seed_of(s) + (uint64_t)i;
    int64_t n = x->shape.dim[x->shape.rank - 1], square = n * n;
    for (int64_t m = 0; square && m < sample_size(x->shape) / square; m++) {
        for (int64_t r = 0; r < n; r++) {
            for (int64_t c = 0; c <= r; c++) {
                double v = r == c ? 0.5 * (double)n + 0.5 + check_random(&state) : check_random(&state) - 0.5;
                out[m * square + r * n + c] = out[m * square + c * n + r] = (double)(float)v;
            }
        }
    }
}

void sample_values(const sample *s, int i, double *out) {
    const operand *x = &s->in[i];
    uint64_t state = seed_of(s) + 17 * (uint64_t)i;
    int64_t n = sample_size(x->shape);
    if (x->given) {
        memcpy(out, x->value, (size_t)n * sizeof *out);
    } else if (x->kind == 'f') {
        fill_floats(s, i, out);
    } else if (x->kind == 'd') {
        fill_definite(s, i, out);
    } else {
        double limit = x->kind == 'i' ? (double)x->limit : 2;
        for (int64_t k = 0; k < n; k++) out[k] = floor(check_random(&state) * limit);
        for (int64_t k = 0; x->kind == 's' && k < n; k++) out[k] = 2 * out[k] - 1;
    }
}

void sample_integers(const sample *s, int i, double *out) {
    sample_values(s, i, out);
    for (int64_t k = 0; k < sample_size(s->in[i].shape); k++) out[k] = round(3 * out[k]) + 0.0; /* not -0 */
}

/* Tensors */

static void store(ag_dtype dtype, void *data, int64_t i, double v) {
    switch (dtype) {
    case AG_F32: ((float *)data)[i] = (float)v; break;
    case AG_F64: ((double *)data)[i] = v; break;
    case AG_I64: ((int64_t *)data)[i] = (int64_t)v; break;
    default: ((bool *)data)[i] = v != 0; break;
    }
}

ag_tensor *sample_leaf(ag_tape *t, ag_dtype dtype, ag_shape shape, unsigned flags, const double *values) {
    static double data[SAMPLE_ELEMENTS];
    cr_assert_leq(sample_size(shape), SAMPLE_ELEMENTS);
    for (int64_t i = 0; i < sample_size(shape); i++) store(dtype, data, i, values[i]);
    return ag_leaf(t, dtype, data, shape, dtype <= AG_F64 ? flags : 0);
}

bool sample_tensors(const sample *s, ag_tape *t, ag_dtype dtype, unsigned flags, ag_tensor *in[]) {
    static double values[SAMPLE_ELEMENTS];
    for (int i = 0; i < s->n; i++) {
        bool integers = dtype == AG_I64 && sample_is_float(s, i);
        (integers ? sample_integers : sample_values)(s, i, values);
        in[i] = sample_leaf(t, sample_dtype(s, i, dtype), s->in[i].shape, flags, values);
        if (!in[i]) return false;
    }
    return true;
}

ag_tensor *sample_call(const sample *s, ag_tape *t, ag_tensor *const in[]) {
    return ag_call(t, s->op->name, in, s->n, s->attributes);
}

int sample_outputs(ag_tensor *y, ag_tensor *ys[], int most) {
    int nout = ag_op_of(y) && ag_op_of(y)->nout > 1 ? ag_op_of(y)->nout : 1;
    for (int i = 0; i < nout && i < most; i++) ys[i] = ag_part(y, i);
    return nout;
}
