/* list.c: [a, b, c] and x[i, j:k].
 *
 * A list stacks elements of one shape along a new first axis, as NumPy's array() does: numbers make a vector, rows a
 * matrix. Lists of numbers become one leaf; a list that holds results of operations is joined by concat, so gradients
 * flow. */
#include <stdlib.h>

#include "eval.h"
#include "ops/ops.h"

enum { FEW = 64 };

static bool same_shape(ag_shape a, ag_shape b) {
    if (a.rank != b.rank) return false;
    for (int i = 0; i < a.rank; i++) {
        if (a.dim[i] != b.dim[i]) return false;
    }
    return true;
}

static ag_shape shape_of(const value *v) { return v->kind == VALUE_TENSOR ? ag_shape_of(v->x) : (ag_shape){.rank = 0}; }

static bool check_shapes(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    for (int i = 1; i < n->count; i++) {
        int first = child_of(e->p, id, 0), child = child_of(e->p, id, i);
        ag_shape a = shape_of(&e->v[first]), b = shape_of(&e->v[child]);
        if (same_shape(a, b)) continue;
        if (a.rank == 1 && b.rank == 1) {
            return fault_set(e->f, EXIT_VALUE, e->in, e->p->node[child].at,
                             "this row has %lld element%s, the first has %lld", (long long)b.dim[0],
                             b.dim[0] == 1 ? "" : "s", (long long)a.dim[0]);
        }
        return fault_set(e->f, EXIT_VALUE, e->in, e->p->node[child].at,
                         "the elements of a list have one shape; this one has %d axes where the first has %d", b.rank,
                         a.rank);
    }
    if (n->count && shape_of(&e->v[child_of(e->p, id, 0)]).rank == AG_MAX_RANK) {
        return fault_set(e->f, EXIT_VALUE, e->in, n->at, "a tensor has at most %d axes", AG_MAX_RANK);
    }
    return true;
}

/* Leaves without a name stand only for lists of numbers. */
static bool is_literal(const value *v) { return v->kind == VALUE_NUMBER || (ag_is_leaf(v->x) && !*ag_name(v->x)); }

static ag_tensor *leaf_of(evaluator *e, int id, ag_shape shape) {
    const node *n = &e->p->node[id];
    int64_t each = 1;
    for (int i = 1; i < shape.rank; i++) each *= shape.dim[i];
    double *data = malloc(((size_t)n->count * (size_t)each + 1) * sizeof *data);
    if (!data) {
        fault_memory(e->f);
        return NULL;
    }
    for (int i = 0; i < n->count; i++) {
        const value *v = &e->v[child_of(e->p, id, i)];
        for (int64_t k = 0; k < each; k++) data[i * each + k] = v->kind == VALUE_NUMBER ? v->number : ag_at(v->x, k);
    }
    ag_tensor *x = eval_leaf(e->tape, e->dtype, data, shape, AG_RECORDED);
    free(data);
    return x;
}

static ag_tensor *joined(evaluator *e, int id, ag_shape shape) {
    const node *n = &e->p->node[id];
    ag_tensor *few[FEW], **part = n->count <= FEW ? few : malloc((size_t)n->count * sizeof *part);
    if (!part) {
        fault_memory(e->f);
        return NULL;
    }
    shape.dim[0] = 1;
    for (int i = 0; i < n->count; i++) {
        ag_tensor *x = eval_tensor(e, child_of(e->p, id, i), e->dtype);
        part[i] = x ? ag_reshape(x, shape) : NULL;
    }
    ag_tensor *y = n->count == 1 ? part[0] : ag_concat(part, n->count, 0);
    if (part != few) free(part);
    return y;
}

bool eval_list(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    bool literal = true;
    if (!check_shapes(e, id)) return false;
    for (int i = 0; i < n->count; i++) literal = literal && is_literal(&e->v[child_of(e->p, id, i)]);
    ag_shape element = {0}, shape = {.rank = 1, .dim = {n->count}};
    if (n->count) element = shape_of(&e->v[child_of(e->p, id, 0)]);
    for (int i = 0; i < element.rank; i++) shape.dim[shape.rank++] = element.dim[i];
    ag_tensor *y = literal ? leaf_of(e, id, shape) : joined(e, id, shape);
    return !e->f->code && eval_store(e, id, y);
}

/* Indices */

typedef struct indexing {
    evaluator *e;
    int id, axis; /* of x, the next to index */
    int lists;    /* of indices so far */
    ag_tensor *x;
    bool drop[AG_MAX_RANK]; /* axes of x indexed by one number */
} indexing;

/* A whole number that stands in an index; `omitted` for −1 */
static bool whole(const evaluator *e, int id, int64_t omitted, int64_t *out) {
    *out = omitted;
    if (id < 0) return true;
    const value *v = &e->v[id];
    if (v->kind != VALUE_NUMBER || !eval_whole(v->number)) {
        return fault_set(e->f, EXIT_VALUE, e->in, e->p->node[id].at, "start, stop and step are whole numbers written out");
    }
    *out = (int64_t)v->number;
    return true;
}

static bool take_range(indexing *s, int item) {
    const evaluator *e = s->e;
    int64_t start, stop, step;
    if (!whole(e, child_of(e->p, item, 2), 1, &step)) return false;
    if (!whole(e, child_of(e->p, item, 0), step < 0 ? AG_END : 0, &start)) return false;
    if (!whole(e, child_of(e->p, item, 1), AG_END, &stop)) return false;
    if (step != 1 || start != 0 || stop != AG_END) s->x = ag_slice(s->x, s->axis, start, stop, step);
    s->axis++;
    return s->x != NULL;
}

static bool take_one(indexing *s, int item) {
    double at = s->e->v[item].number;
    int64_t extent = ag_dim(s->x, s->axis);
    if (!eval_whole(at) || at < -(double)extent || at >= (double)extent) {
        char number[NUMBER_ROOM];
        return fault_set(s->e->f, EXIT_VALUE, s->e->in, s->e->p->node[item].at,
                         "index %s is out of range for axis %d, whose extent is %lld", number_text(at, PEOPLE, number),
                         s->axis, (long long)extent);
    }
    int64_t i = (int64_t)at + (at < 0 ? extent : 0);
    s->x = ag_slice(s->x, s->axis, i, i + 1, 1);
    s->drop[s->axis++] = true;
    return s->x != NULL;
}

static bool take_many(indexing *s, int item) {
    evaluator *e = s->e;
    ag_tensor *index = e->v[item].x;
    span at = e->p->node[item].at;
    if (ag_dtype_of(index) == AG_BOOL) {
        return fault_set(e->f, EXIT_VALUE, e->in,
                         at, "a mask would select a number of elements that depends on values; multiply by it, or use where");
    }
    if (s->lists++) return fault_set(e->f, EXIT_VALUE, e->in, at, "only one index may be a list; write x[i][:, j]");
    int rank = ag_rank(index), before = ag_rank(s->x);
    if (before - 1 + rank > AG_MAX_RANK) return fault_set(e->f, EXIT_VALUE, e->in, at, "the result has too many axes");
    for (int64_t i = 0; i < ag_size(index); i++) {
        if (eval_whole(ag_at(index, i))) continue;
        return fault_set(e->f, EXIT_VALUE, e->in, at, "indices are whole numbers");
    }
    index = ag_dtype_of(index) == AG_I64 ? index : ag_cast(index, AG_I64);
    s->x = ag_take(s->x, index, s->axis);
    s->axis += rank;
    return s->x != NULL;
}

static bool drop_axes(indexing *s) {
    ag_shape shape = {0};
    for (int i = 0; i < ag_rank(s->x); i++) {
        if (!s->drop[i]) shape.dim[shape.rank++] = ag_dim(s->x, i);
    }
    if (shape.rank < ag_rank(s->x)) s->x = ag_reshape(s->x, shape);
    return s->x != NULL;
}

static bool take_item(indexing *s, int item, int given) {
    const evaluator *e = s->e;
    switch (e->p->node[item].kind) {
    case NODE_ELLIPSIS: s->axis += ag_rank(e->v[child_of(e->p, s->id, 0)].x) - given; return true;
    case NODE_RANGE: return take_range(s, item);
    default: return e->v[item].kind == VALUE_NUMBER ? take_one(s, item) : take_many(s, item);
    }
}

bool eval_index(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    int base = child_of(e->p, id, 0), given = 0, ellipses = 0;
    indexing s = {.e = e, .id = id, .x = eval_tensor(e, base, AG_DTYPE_COUNT)};
    if (!s.x) return false;
    e->v[base] = (value){.kind = VALUE_TENSOR, .x = s.x};
    for (int i = 1; i < n->count; i++) {
        bool ellipsis = e->p->node[child_of(e->p, id, i)].kind == NODE_ELLIPSIS;
        ellipses += ellipsis;
        given += !ellipsis;
    }
    if (ellipses > 1) return fault_set(e->f, EXIT_USAGE, e->in, n->at, "only one '...' may stand in an index");
    if (given > ag_rank(s.x)) {
        return fault_set(e->f, EXIT_VALUE, e->in, n->at, "%d indices for a tensor of %d axes", given, ag_rank(s.x));
    }
    for (int i = 1; i < n->count; i++) {
        int item = child_of(e->p, id, i);
        if (take_item(&s, item, given)) continue;
        return !e->f->code && fault_tape(e->f, e->tape, e->in, e->p->node[item].at);
    }
    drop_axes(&s);
    return eval_store(e, id, s.x);
}
