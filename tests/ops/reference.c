/* reference.c: what the references share: arrays, attributes, places, and the lookup by name. */
#include "ops/reference.h"
#include "ops/property.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 1 << 20 };
static double pool[POOL]; /* of the reference that runs */
static int64_t pool_used;

double *reference_scratch(int64_t n) {
    cr_assert_leq(pool_used + n, POOL, "a sample is too large for its reference");
    double *v = pool + pool_used;
    pool_used += n;
    memset(v, 0, (size_t)n * sizeof *v);
    return v;
}

double *reference_out(problem *p, int o, ag_dtype dtype, ag_shape shape) {
    int64_t n = sample_size(shape);
    p->out[o] = (array){dtype, shape, n, reference_scratch(n)};
    if (p->nout <= o) p->nout = o + 1;
    return p->out[o].v;
}

/* Attributes */

/* What stands behind "name=", or NULL. */
static const char *find(const problem *p, const char *name) {
    size_t n = strlen(name);
    for (const char *at = p->s->attributes; (at = strstr(at, name)) != NULL; at += n) {
        if (at[n] == '=' && (at == p->s->attributes || at[-1] == ' ')) return at + n + 1;
    }
    return NULL;
}

double reference_number(const problem *p, const char *name, double preset) {
    const char *text = find(p, name);
    return !text ? preset : strncmp(text, "end", 3) == 0 ? (double)INT64_MAX : strtod(text, NULL);
}

bool reference_flag(const problem *p, const char *name) {
    const char *text = find(p, name);
    return text && strncmp(text, "true", 4) == 0;
}

const char *reference_text(const problem *p, const char *name, char out[SAMPLE_TEXT]) {
    const char *text = find(p, name);
    size_t n = 0;
    cr_assert(text, "%s: no %s", p->s->text, name);
    bool quoted = *text == '"';
    for (text += quoted; *text && (quoted ? *text != '"' : *text != ' '); text++) out[n++] = *text;
    out[n] = '\0';
    return out;
}

int reference_list(const problem *p, const char *name, int64_t out[AG_MAX_RANK]) {
    const char *text = find(p, name);
    int n = 0;
    if (!text) return -1;
    text += *text == '(';
    while (*text == '-' || (*text >= '0' && *text <= '9')) {
        char *end;
        out[n++] = strtoll(text, &end, 10);
        text = end + (*end == ',');
    }
    return n;
}

ag_shape reference_shape(const problem *p, const char *name) {
    ag_shape s = {0};
    s.rank = reference_list(p, name, s.dim);
    return s;
}

ag_dtype reference_dtype(const problem *p, const char *name, ag_dtype preset) {
    const char *text = find(p, name);
    for (int d = 0; text && d < AG_DTYPE_COUNT; d++) {
        const char *word = ag_dtype_name((ag_dtype)d);
        if (strncmp(text, word, strlen(word)) == 0) return (ag_dtype)d;
    }
    return preset;
}

int reference_axis(const problem *p, const char *name, int preset, int rank) {
    int axis = (int)reference_number(p, name, preset);
    return axis < 0 ? axis + rank : axis;
}

int64_t reference_extent(ag_shape s, int axis) { return s.rank ? s.dim[axis] : 1; }

/* Places */

void reference_place(ag_shape s, int64_t i, int64_t at[AG_MAX_RANK]) {
    for (int k = s.rank - 1; k >= 0; k--) {
        at[k] = i % s.dim[k];
        i /= s.dim[k];
    }
}

int64_t reference_index(ag_shape s, const int64_t at[AG_MAX_RANK]) {
    int64_t i = 0;
    for (int k = 0; k < s.rank; k++) i = i * s.dim[k] + at[k];
    return i;
}

double reference_at(const array *x, const int64_t at[AG_MAX_RANK], int rank) {
    int64_t own[AG_MAX_RANK], lead = rank - x->shape.rank;
    for (int k = 0; k < x->shape.rank; k++) own[k] = x->shape.dim[k] == 1 ? 0 : at[lead + k];
    return x->v[reference_index(x->shape, own)];
}

ag_shape reference_broadcast(ag_shape a, ag_shape b) {
    ag_shape s = {.rank = a.rank > b.rank ? a.rank : b.rank};
    for (int k = 1; k <= s.rank; k++) {
        int64_t p = k <= a.rank ? a.dim[a.rank - k] : 1, q = k <= b.rank ? b.dim[b.rank - k] : 1;
        s.dim[s.rank - k] = p == 1 ? q : p;
    }
    return s;
}

/* By name */

const reference *reference_find(const char *name) {
    static const reference *const tables[] = {
        references_rows,   references_smooth, references_special, references_shape,   references_axes,
        references_index,  references_order,  references_put,     references_part,    references_join,
        references_mask,   references_reduce, references_scan,    references_softmax, references_linear,
        references_conv,   references_other,  references_random,  references_norm,    references_product,
        references_loss,   references_blend,  references_forms,   references_pool,    references_combine,
        references_matrix, references_count,  references_svd};
    for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
        for (const reference *r = tables[k]; r->name; r++) {
            if (strcmp(r->name, name) == 0) return r;
        }
    }
    return NULL;
}

/* y[…] = value(inputs broadcast to …) */
static void run_elementwise(const reference *r, problem *p) {
    ag_shape s = {0};
    double v[3] = {0}, attribute[2] = {0};
    char name[2][32] = {"", ""};
    if (r->attributes) sscanf(r->attributes, "%31s %31s", name[0], name[1]);
    for (int k = 0; k < 2 && *name[k]; k++) attribute[k] = reference_number(p, name[k], (double)NAN);
    static const char to_bool[] =
        " eq ne lt le gt ge same logical_and logical_or logical_xor logical_not isnan isinf isfinite"
        " isposinf isneginf signbit isclose ";
    for (int i = 0; i < p->n; i++) s = reference_broadcast(s, p->in[i].shape);
    double *y = reference_out(p, 0, listed(to_bool, r->name) ? AG_BOOL : p->in[p->n - 1].dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK];
        reference_place(s, i, at);
        for (int k = 0; k < p->n; k++) v[k] = reference_at(&p->in[k], at, s.rank);
        y[i] = r->value(v, attribute[0], attribute[1]);
    }
}

const reference *reference_run(const sample *s, ag_dtype dtype, const ag_tensor *y, problem *p) {
    const reference *r = reference_find(s->op->name);
    cr_assert(r, "%s has no reference", s->op->name);
    *p = (problem){.s = s, .dtype = dtype, .y = y, .n = s->n};
    pool_used = 0;
    for (int i = 0; i < s->n; i++) {
        int64_t n = sample_size(s->in[i].shape);
        p->in[i] = (array){sample_dtype(s, i, dtype), s->in[i].shape, n, reference_scratch(n)};
        bool integers = dtype == AG_I64 && sample_is_float(s, i);
        (integers ? sample_integers : sample_values)(s, i, p->in[i].v);
    }
    if (r->value) run_elementwise(r, p);
    else r->run(p);
    return r;
}
