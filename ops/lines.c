/* lines.c: walking an index and the large tensor that it points into; see lines.h. */
#include "ops/lines.h"

#include "ops/ops.h"

enum { GRAIN = 16384, PART = 64 }; /* elements worth waking a thread for; of a line, worth a walk over the index */

static ag_shape at_least_a_line(ag_shape s) { return s.rank ? s : AG_SHAPE(1); }

bool ag__need_index(ag_tensor *y, int i, ag_shape large, int wanted, int *axis) {
    ag_shape index = at_least_a_line(ag_shape_of(ag_in(y, i))), whole = at_least_a_line(large);
    if (!ag_need_dtype(y, i, AG_I64) || !ag_need_axis(y, wanted, whole.rank, axis)) return false;
    bool fits = index.rank == whole.rank;
    for (int k = 0; fits && k < index.rank; k++) fits = k == *axis || index.dim[k] <= whole.dim[k];
    if (fits) return true;
    char small[AG__TEXT], big[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "index %s must have as many axes as %s and, but for axis %d, not be larger",
                      ag_shape_text(ag_in(y, i), small, sizeof small), ag__dims_text(large, big), *axis);
}

ag_tensor *ag__line_source(ag_tensor *y, ag_tensor *index, ag_tensor *src) {
    bool fits = ag_rank(src) == ag_rank(index);
    for (int k = 0; fits && k < ag_rank(index); k++) fits = ag_dim(index, k) <= ag_dim(src, k);
    if (!fits) {
        char small[AG__TEXT], big[AG__TEXT];
        ag_op_fail(y, AG_ERR_SHAPE, "index %s must have as many axes as src %s and not be larger",
                   ag_shape_text(index, small, sizeof small), ag_shape_text(src, big, sizeof big));
        return NULL;
    }
    for (int k = 0; k < ag_rank(index); k++) {
        if (ag_dim(index, k) != ag_dim(src, k)) src = ag_slice(src, k, 0, ag_dim(index, k), 1);
    }
    return src;
}

/* Is the index the same wherever one looks, the axis aside, and as wide there as the large tensor? */
static bool names_slabs(const ag_tensor *index, ag_shape large, int axis) {
    for (int k = 0; k < large.rank; k++) {
        if (k == axis) continue;
        if (ag_dim(index, k) != large.dim[k] || (large.dim[k] > 1 && ag_stride(index, k) != 0)) return false;
    }
    return true;
}

/* Of a slab, only its first element's index is read: element k · stride of what the index tensor holds. */
static const int64_t *slab_indices(ag_tensor *y, int i, int axis, const ag__lines *l) {
    const ag_tensor *x = ag_in(y, i);
    int64_t count = ag_dim(x, axis), *resolved = ag_op_workspace(y, (size_t)count * sizeof *resolved);
    const int64_t *given = ag_data(x);
    for (int64_t k = 0; resolved && k < count; k++) {
        int64_t at = given[k * ag_stride(x, axis)];
        if (at < -l->n || at >= l->n) return ag__index_fail(y, ag_shape_of(x), k * l->length, at, l->n);
        resolved[k] = at < 0 ? at + l->n : at;
    }
    return resolved;
}

bool ag__lines_start(ag_tensor *y, int i, ag_shape large, int axis, ag__lines *l) {
    const ag_tensor *index = ag_in(y, i);
    large = at_least_a_line(large);
    *l = (ag__lines){.shape = at_least_a_line(ag_shape_of(index)), .n = large.dim[axis], .count = 1, .group = 1};
    int64_t stride = 1, outer = 1;
    for (int k = large.rank - 1; k >= 0; k--) {
        if (k == axis) l->by_index = stride;
        l->stride[k] = k == axis ? 0 : stride;
        stride *= large.dim[k];
        if (k < axis) outer *= l->shape.dim[k];
    }
    if (ag_size(index) == 0) {
        l->count = 0;
        return ag__indices(y, i, l->n) != NULL;
    }
    if (l->by_index == 1) l->shape.rank = axis + 1; /* nothing lies side by side: a line runs along the axis */
    l->slabs = l->by_index > 1 && names_slabs(index, large, axis);
    l->length = l->slabs ? l->by_index : l->shape.dim[l->shape.rank - 1];
    l->step = l->slabs || axis != l->shape.rank - 1;
    l->count = ag_size(index) / l->length;
    l->group = l->count / outer;
    l->index = l->slabs ? slab_indices(y, i, axis, l) : ag__indices(y, i, l->n);
    return l->index != NULL;
}

/* A walk's tasks: `columns` columns of all lines that must keep their order. */
typedef struct walk {
    const ag__lines *l;
    ag__line_fn *line;
    void *context;
    int64_t together, columns, pieces; /* lines of a task, columns of a task, tasks side by side */
    bool backwards;
} walk;

static void walk_slabs(const walk *w, const ag__lines *l, int64_t first, int64_t end, int64_t column) {
    int64_t width = w->l->length, outer = first / l->group, k = first % l->group;
    for (int64_t i = first; i < end; i++) {
        int64_t number = w->backwards ? l->count - 1 - i : i, o = w->backwards ? l->count / l->group - 1 - outer : outer;
        int64_t at = w->backwards ? l->group - 1 - k : k;
        w->line(w->context, l, number * width + column, NULL, (o * l->n + l->index[at]) * width + column);
        if (++k < l->group) continue;
        k = 0;
        outer++;
    }
}

static void walk_rows(const walk *w, const ag__lines *l, int64_t first, int64_t end, int64_t column) {
    int64_t at[AG_MAX_RANK] = {0}, base = column * l->step, width = w->l->length;
    int64_t number = w->backwards ? l->count - 1 - first : first, rest = number, by = w->backwards ? -1 : 1;
    for (int k = l->shape.rank - 2; k >= 0; k--) {
        at[k] = rest % l->shape.dim[k];
        rest /= l->shape.dim[k];
        base += at[k] * l->stride[k];
    }
    for (int64_t i = first; i < end; i++, number += by) {
        w->line(w->context, l, number * width + column, l->index + number * width + column, base);
        for (int k = l->shape.rank - 2; k >= 0; k--) {
            int64_t last = l->shape.dim[k] - 1, stop = w->backwards ? 0 : last;
            if (at[k] != stop) {
                at[k] += by;
                base += by * l->stride[k];
                break;
            }
            base += (last - 2 * at[k]) * l->stride[k]; /* to the other end */
            at[k] = last - at[k];
        }
    }
}

static void walk_tasks(void *context, int64_t begin, int64_t end) {
    const walk *w = context;
    int64_t by = w->pieces > 1 ? 1 : end - begin; /* tasks in turn, if they have all columns, are one of more lines */
    for (int64_t task = begin; task < end; task += by) {
        ag__lines l = *w->l;
        int64_t column = task % w->pieces * w->columns, first = task / w->pieces * w->together;
        l.length = w->columns < l.length - column ? w->columns : l.length - column;
        (l.slabs ? walk_slabs : walk_rows)(w, &l, first, first + by * w->together, column);
    }
}

void ag__lines_walk(const ag__lines *l, ag__order order, ag__line_fn *line, void *context) {
    walk w = {l, line, context, .columns = l->length, .pieces = 1, .backwards = order == AG__BACKWARDS};
    if (l->count == 0) return;
    w.together = order == AG__ANY_ORDER ? 1 : l->group;
    int64_t tasks = l->count / w.together, threads = ag_threads();
    if (order == AG__ANY_ORDER && tasks < threads) {
        w.columns = (l->length - 1) / ((threads - 1) / tasks + 1) + 1;
    } else if (order != AG__ANY_ORDER && l->step) {
        /* No two columns meet in the large tensor; few of them stay in a near cache. */
        int64_t most = l->length / PART, worth = w.together * l->length / GRAIN, parts = most < worth ? most : worth;
        if (parts > 1) w.columns = (l->length - 1) / parts + 1;
    }
    w.pieces = (l->length - 1) / w.columns + 1;
    ag_parallel_for(tasks * w.pieces, 1 + GRAIN / (w.together * w.columns), walk_tasks, &w);
}

/* Elements are moved as words of their size, whatever they are. */
typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

#define COPY(T)                                                                                              \
    static void get_##T(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const ag__move *m = context;                                                                         \
        const T *x = m->from;                                                                                \
        T *y = (T *)m->to + at;                                                                              \
        if (l->slabs) {                                                                                      \
            ag__copy_slab(y, x + base, (size_t)l->length * sizeof(T));                                       \
        } else {                                                                                             \
            for (int64_t j = 0; j < l->length; j++) y[j] = x[ag__line_at(l, index, base, j)];                \
        }                                                                                                    \
    }                                                                                                        \
    static void set_##T(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const ag__move *m = context;                                                                         \
        const T *x = (const T *)m->from + at;                                                                \
        T *y = m->to;                                                                                        \
        if (l->slabs) {                                                                                      \
            ag__copy_slab(y + base, x, (size_t)l->length * sizeof(T));                                       \
        } else {                                                                                             \
            for (int64_t j = 0; j < l->length; j++) y[ag__line_at(l, index, base, j)] = x[j];                \
        }                                                                                                    \
    }
COPY(word64)
COPY(word32)
COPY(bool)

ag__line_fn *ag__line_get(size_t bytes) { return bytes == 8 ? get_word64 : bytes == 4 ? get_word32 : get_bool; }
ag__line_fn *ag__line_set(size_t bytes) { return bytes == 8 ? set_word64 : bytes == 4 ? set_word32 : set_bool; }

#define FILL(NAME, T)                                                                                     \
    static void NAME(void *context, const ag__lines *l, int64_t at, const int64_t *index, int64_t base) { \
        const ag__move *m = context;                                                                      \
        T *y = m->to, value = *(const T *)m->from;                                                        \
        (void)at;                                                                                         \
        for (int64_t j = 0; j < l->length; j++) y[ag__line_at(l, index, base, j)] = value;                \
    }
FILL(fill_f32, float)
FILL(fill_f64, double)
FILL(fill_i64, int64_t)
FILL(fill_bool, bool)

ag__line_fn *ag__line_fill(ag_dtype dtype) {
    static ag__line_fn *const fills[AG_DTYPE_COUNT] = {fill_f32, fill_f64, fill_i64, fill_bool};
    return fills[dtype];
}
