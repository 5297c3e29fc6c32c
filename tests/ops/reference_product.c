/* reference_product.c: sums of products over labelled axes, one multiplication at a time, and everything that can be said
 * so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/reference.h"

enum { MOST = 16, DOTS = 200 }; /* DOTS + k: the ellipsis's axis k, from the last one */

typedef struct labelled {
    int rank, label[AG_MAX_RANK];
} labelled;

/* The labels of a term written [from, to); rank < 0: of an output, whose ellipsis has `width` axes. */
static labelled read_term(const char *from, const char *to, int rank, int width) {
    labelled t = {0};
    int letters = 0;
    for (const char *p = from; p < to; p++) letters += *p != '.' && *p != ' ';
    if (rank >= 0) width = rank - letters;
    for (const char *p = from; p < to; p++) {
        if (*p == ' ') continue;
        for (int k = width - 1; *p == '.' && k >= 0; k--) t.label[t.rank++] = DOTS + k;
        if (*p == '.') p += 2;
        else t.label[t.rank++] = *p;
    }
    return t;
}

typedef struct sum {
    labelled in[SAMPLE_INPUTS], out;
    int label[MOST], labels; /* all, those of the output first */
    int64_t extent[256];
} sum;

static void know(sum *s, int label) {
    for (int i = 0; i < s->labels; i++) {
        if (s->label[i] == label) return;
    }
    cr_assert_lt(s->labels, MOST);
    s->label[s->labels++] = label;
}

/* "a,b" alone: the ellipsis, then what occurs once, by its code */
static void implicit(sum *s, int n, int width) {
    int uses[256] = {0};
    for (int k = width - 1; k >= 0; k--) s->out.label[s->out.rank++] = DOTS + k;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < s->in[i].rank; k++) uses[s->in[i].label[k]]++;
    }
    for (int c = 0; c < DOTS; c++) {
        if (uses[c] == 1) s->out.label[s->out.rank++] = c;
    }
}

static void read_equation(const problem *p, const array in[], int n, const char *text, sum *s) {
    int width = 0;
    const char *at = text, *arrow = strstr(text, "->"), *end = text + strlen(text);
    *s = (sum){.labels = 0};
    for (int c = 0; c < 256; c++) s->extent[c] = 1;
    for (int i = 0; i < n; i++) {
        const char *stop = strchr(at, ',');
        if (!stop || (arrow && stop > arrow)) stop = arrow ? arrow : end;
        s->in[i] = read_term(at, stop, in[i].shape.rank, 0);
        cr_assert_eq(s->in[i].rank, in[i].shape.rank, "%s", p->s->text);
        for (int k = 0; k < s->in[i].rank; k++) {
            int label = s->in[i].label[k];
            if (label >= DOTS && label - DOTS + 1 > width) width = label - DOTS + 1;
            if (in[i].shape.dim[k] != 1) s->extent[label] = in[i].shape.dim[k];
        }
        at = stop + 1;
    }
    if (arrow) s->out = read_term(arrow + 2, end, -1, width);
    else implicit(s, n, width);
    for (int k = 0; k < s->out.rank; k++) know(s, s->out.label[k]);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < s->in[i].rank; k++) know(s, s->in[i].label[k]);
    }
}

/* The sum over every value of every label, into output 0. */
static double *sum_of_products(problem *p, const array in[], int n, const char *equation) {
    sum s;
    ag_shape out = {0};
    read_equation(p, in, n, equation, &s);
    for (int k = 0; k < s.out.rank; k++) out.dim[out.rank++] = s.extent[s.out.label[k]];
    double *y = reference_out(p, 0, p->dtype, out);
    int64_t terms = 1, at[256];
    for (int k = 0; k < s.labels; k++) terms *= s.extent[s.label[k]];
    for (int64_t term = 0; term < terms; term++) {
        int64_t rest = term, place[AG_MAX_RANK];
        double v = 1;
        for (int k = s.labels - 1; k >= 0; k--) {
            at[s.label[k]] = rest % s.extent[s.label[k]];
            rest /= s.extent[s.label[k]];
        }
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < s.in[i].rank; k++) place[k] = in[i].shape.dim[k] == 1 ? 0 : at[s.in[i].label[k]];
            v *= in[i].v[reference_index(in[i].shape, place)];
        }
        for (int k = 0; k < s.out.rank; k++) place[k] = at[s.out.label[k]];
        y[reference_index(out, place)] += v;
    }
    return y;
}

static void einsum(problem *p) {
    char equation[SAMPLE_TEXT];
    sum_of_products(p, p->in, p->n, reference_text(p, "equation", equation));
}

static void mm(problem *p) { sum_of_products(p, p->in, 2, "ij,jk->ik"); }
static void bmm(problem *p) { sum_of_products(p, p->in, 2, "bij,bjk->bik"); }
static void mv(problem *p) { sum_of_products(p, p->in, 2, "ij,j->i"); }
static void dot(problem *p) { sum_of_products(p, p->in, 2, "i,i->"); }
static void outer(problem *p) { sum_of_products(p, p->in, 2, "i,j->ij"); }

/* y ← beta x + alpha y, x broadcast */
static void add(problem *p, const array *x, double beta, double alpha) {
    array *y = &p->out[0];
    for (int64_t i = 0; i < y->size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(y->shape, i, at);
        y->v[i] = alpha * y->v[i] + beta * reference_at(x, at, y->shape.rank);
    }
}

static void add_product(problem *p, const char *equation) {
    sum_of_products(p, p->in + 1, 2, equation);
    add(p, &p->in[0], reference_number(p, "beta", 1), reference_number(p, "alpha", 1));
}

static void addmm(problem *p) { add_product(p, "ij,jk->ik"); }
static void addmv(problem *p) { add_product(p, "ij,j->i"); }
static void baddbmm(problem *p) { add_product(p, "bij,bjk->bik"); }

static void linear(problem *p) {
    sum_of_products(p, p->in, 2, p->in[1].shape.rank == 1 ? "...i,i->..." : "...i,oi->...o");
    if (p->n > 2) add(p, &p->in[2], 1, 1);
}

static void bilinear(problem *p) {
    sum_of_products(p, p->in, 3, "...i,...j,oij->...o");
    if (p->n > 3) add(p, &p->in[3], 1, 1);
}

static void inner(problem *p) {
    static const char *const left[] = {"", "a", "ba", "cba"}, *const right[] = {"", "a", "xa", "yxa"};
    static const char *const rest[] = {"", "", "b", "cb"}, *const other[] = {"", "", "x", "yx"};
    char equation[64];
    int m = p->in[0].shape.rank, n = p->in[1].shape.rank;
    bool scalar = m == 0 || n == 0;
    snprintf(equation, sizeof equation, "%s,%s->%s%s", left[m], right[n], scalar ? left[m] : rest[m],
             scalar ? right[n] : other[n]);
    sum_of_products(p, p->in, 2, equation);
}

static void tensordot(problem *p) {
    char equation[64], *to = equation;
    int m = p->in[0].shape.rank, n = p->in[1].shape.rank, count = (int)reference_number(p, "count", 2);
    int64_t a[AG_MAX_RANK], b[AG_MAX_RANK];
    char left[AG_MAX_RANK], right[AG_MAX_RANK];
    if (reference_list(p, "a_axes", a) >= 0) {
        count = reference_list(p, "b_axes", b);
    } else {
        for (int k = 0; k < count; k++) a[k] = m - count + k, b[k] = k;
    }
    for (int k = 0; k < m; k++) left[k] = (char)('a' + k);
    for (int k = 0; k < n; k++) right[k] = (char)('p' + k);
    for (int k = 0; k < count; k++) right[(b[k] + n) % n] = left[(a[k] + m) % m];
    to += sprintf(to, "%.*s,%.*s->", m, left, n, right);
    for (int k = 0; k < m; k++) {
        if (!memchr(right, left[k], (size_t)n)) *to++ = left[k];
    }
    for (int k = 0; k < n; k++) {
        if (right[k] >= 'p') *to++ = right[k];
    }
    *to = '\0';
    sum_of_products(p, p->in, 2, equation);
}

static void chain(problem *p) {
    char equation[64], *to = equation;
    bool row = p->in[0].shape.rank == 1, column = p->in[p->n - 1].shape.rank == 1;
    for (int i = 0; i < p->n; i++) {
        if (i) *to++ = ',';
        if (i || !row) *to++ = (char)('a' + i);
        if (i < p->n - 1 || !column) *to++ = (char)('b' + i);
    }
    to += sprintf(to, "->");
    if (!row) *to++ = 'a';
    if (!column) *to++ = (char)('a' + p->n);
    *to = '\0';
    sum_of_products(p, p->in, p->n, equation);
}

static void vecdot(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape), out = {0};
    int axis = reference_axis(p, "axis", -1, s.rank);
    for (int k = 0; k < s.rank; k++) {
        if (k != axis) out.dim[out.rank++] = s.dim[k];
    }
    double *y = reference_out(p, 0, p->dtype, out);
    for (int64_t i = 0; i < sample_size(s); i++) {
        int64_t at[AG_MAX_RANK], rest[AG_MAX_RANK], n = 0;
        reference_place(s, i, at);
        for (int k = 0; k < s.rank; k++) {
            if (k != axis) rest[n++] = at[k];
        }
        y[reference_index(out, rest)] += reference_at(&p->in[0], at, s.rank) * reference_at(&p->in[1], at, s.rank);
    }
}

static void cross(problem *p) {
    ag_shape s = reference_broadcast(p->in[0].shape, p->in[1].shape);
    int axis = reference_axis(p, "axis", -1, s.rank);
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t one[AG_MAX_RANK], two[AG_MAX_RANK];
        reference_place(s, i, one);
        reference_place(s, i, two);
        one[axis] = (one[axis] + 1) % 3;
        two[axis] = (two[axis] + 2) % 3;
        y[i] = reference_at(&p->in[0], one, s.rank) * reference_at(&p->in[1], two, s.rank) -
               reference_at(&p->in[0], two, s.rank) * reference_at(&p->in[1], one, s.rank);
    }
}

/* Element i of a ⊗ b, of shape s: which elements of a and b it is the product of */
static void kron_places(const array *a, const array *b, ag_shape s, int64_t i, int64_t *left, int64_t *right) {
    int64_t at[AG_MAX_RANK], high[AG_MAX_RANK] = {0}, low[AG_MAX_RANK] = {0};
    reference_place(s, i, at);
    for (int k = 1; k <= s.rank; k++) {
        int64_t n = k <= b->shape.rank ? b->shape.dim[b->shape.rank - k] : 1;
        if (k <= a->shape.rank) high[a->shape.rank - k] = at[s.rank - k] / n;
        if (k <= b->shape.rank) low[b->shape.rank - k] = at[s.rank - k] % n;
    }
    *left = reference_index(a->shape, high);
    *right = reference_index(b->shape, low);
}

static void kron(problem *p) {
    const array *a = &p->in[0], *b = &p->in[1];
    int rank = a->shape.rank > b->shape.rank ? a->shape.rank : b->shape.rank;
    ag_shape s = {.rank = rank};
    int64_t left, right;
    for (int k = 1; k <= rank; k++) {
        int64_t m = k <= a->shape.rank ? a->shape.dim[a->shape.rank - k] : 1;
        s.dim[rank - k] = m * (k <= b->shape.rank ? b->shape.dim[b->shape.rank - k] : 1);
    }
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        kron_places(a, b, s, i, &left, &right);
        y[i] = a->v[left] * b->v[right];
    }
}

static void kron_grad(problem *p) {
    const array *g = &p->in[0], *a = &p->in[1], *b = &p->in[2];
    double *da = reference_out(p, 0, p->dtype, a->shape), *db = reference_out(p, 1, p->dtype, b->shape);
    int64_t left, right;
    for (int64_t i = 0; i < g->size; i++) {
        kron_places(a, b, g->shape, i, &left, &right);
        da[left] += g->v[i] * b->v[right];
        db[right] += g->v[i] * a->v[left];
    }
}

static void trace(problem *p) {
    const array *x = &p->in[0];
    int i = reference_axis(p, "axis1", 0, x->shape.rank), j = reference_axis(p, "axis2", 1, x->shape.rank);
    double offset = reference_number(p, "offset", 0);
    ag_shape out = {0};
    for (int k = 0; k < x->shape.rank; k++) {
        if (k != i && k != j) out.dim[out.rank++] = x->shape.dim[k];
    }
    double *y = reference_out(p, 0, p->dtype, out);
    for (int64_t e = 0; e < x->size; e++) {
        int64_t at[AG_MAX_RANK], rest[AG_MAX_RANK], n = 0;
        reference_place(x->shape, e, at);
        for (int k = 0; k < x->shape.rank; k++) {
            if (k != i && k != j) rest[n++] = at[k];
        }
        if ((double)(at[j] - at[i]) == offset) y[reference_index(out, rest)] += x->v[e];
    }
}

const reference references_product[] = {
    {"einsum", einsum, false, NULL, NULL},   {"mm", mm, false, NULL, NULL},
    {"bmm", bmm, false, NULL, NULL},         {"mv", mv, false, NULL, NULL},
    {"dot", dot, false, NULL, NULL},         {"vdot", dot, false, NULL, NULL},
    {"outer", outer, false, NULL, NULL},     {"addmm", addmm, false, NULL, NULL},
    {"addmv", addmv, false, NULL, NULL},     {"baddbmm", baddbmm, false, NULL, NULL},
    {"linear", linear, false, NULL, NULL},   {"bilinear", bilinear, false, NULL, NULL},
    {"inner", inner, false, NULL, NULL},     {"tensordot", tensordot, false, NULL, NULL},
    {"multi_dot", chain, false, NULL, NULL}, {"chain_matmul", chain, false, NULL, NULL},
    {"vecdot", vecdot, false, NULL, NULL},   {"cross", cross, false, NULL, NULL},
    {"kron", kron, false, NULL, NULL},       {"kron_grad", kron_grad, false, NULL, NULL},
    {"trace", trace, false, NULL, NULL},     {NULL, NULL, false, NULL, NULL},
};
