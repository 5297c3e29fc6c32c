/* remap.c: moving a tensor by tables, a run at a time; see remap.h. */
#include "ops/remap.h"

enum { GRAIN = 16384 }; /* elements worth waking a thread for */

/* Runs, from the end: one more than the next one's if that is the neighbour. */
static void find_runs(ag__remap *m) {
    int last = m->rank - 1;
    const int64_t *source = m->source[last];
    for (int64_t i = m->dim[last] - 1; i >= 0; i--) {
        bool more = i + 1 < m->dim[last] && source[i + 1] == (source[i] < 0 ? -1 : source[i] + 1);
        m->run[i] = more ? m->run[i + 1] + 1 : 1;
    }
}

bool ag__remap_start(ag_tensor *node, ag_shape x, ag_shape y, ag__source_fn *source, const void *context, ag__remap *m) {
    *m = (ag__remap){.rank = y.rank ? y.rank : 1, .dim = {1}, .stride = {1}};
    int64_t total = 0, stride = 1;
    for (int i = y.rank - 1; i >= 0; i--) {
        m->dim[i] = y.dim[i];
        m->stride[i] = stride;
        stride *= x.dim[i];
        total += y.dim[i];
    }
    if (y.rank == 0) total = 1;
    int last = m->rank - 1;
    int64_t *table = ag_op_workspace(node, (size_t)(total + m->dim[last]) * sizeof *table);
    if (!table) return false;
    m->still = m->rank > 1 && x.dim[0] == y.dim[0];
    for (int i = 0; i < m->rank; i++) {
        m->source[i] = table;
        table += m->dim[i];
        for (int64_t k = 0; k < m->dim[i]; k++) {
            m->source[i][k] = source(context, i, k);
            if (i == 0 && m->source[i][k] != k) m->still = false;
        }
    }
    m->run = table;
    find_runs(m);
    return true;
}

/* The walk over rows of y, which are its last axis. */
typedef struct walk {
    int64_t at[AG_MAX_RANK];
    int64_t base; /* where the row comes from in x */
    bool nowhere;
} walk;

static void locate(const ag__remap *m, walk *w) {
    w->base = 0;
    w->nowhere = false;
    for (int i = 0; i < m->rank - 1; i++) {
        int64_t from = m->source[i][w->at[i]];
        w->nowhere = w->nowhere || from < 0;
        w->base += from * m->stride[i];
    }
}

static walk walk_from(const ag__remap *m, int64_t row) {
    walk w = {{0}, 0, false};
    for (int i = m->rank - 2; i >= 0; i--) {
        w.at[i] = row % m->dim[i];
        row /= m->dim[i];
    }
    locate(m, &w);
    return w;
}

static void walk_on(const ag__remap *m, walk *w) {
    for (int i = m->rank - 2; i >= 0; i--) {
        if (++w->at[i] < m->dim[i]) break;
        w->at[i] = 0;
    }
    locate(m, w);
}

static int64_t rows_of(const ag__remap *m) {
    int64_t rows = 1;
    for (int i = 0; i < m->rank - 1; i++) rows *= m->dim[i];
    return m->dim[m->rank - 1] ? rows : 0;
}

typedef struct job {
    const ag__remap *m;
    const char *from;
    char *to;
    const void *fill;
    size_t element;
    ag_dtype dtype;
    int64_t rows; /* in one part of axis 0 */
} job;

static void fill_run(char *to, const void *value, int64_t n, size_t element) {
    for (int64_t i = 0; i < n; i++) ag__copy_slab(to + (size_t)i * element, value, element);
}

static void copy_rows(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__remap *m = j->m;
    int64_t n = m->dim[m->rank - 1];
    const int64_t *source = m->source[m->rank - 1];
    char *to = j->to + (size_t)(begin * n) * j->element;
    walk w = walk_from(m, begin);
    for (int64_t row = begin; row < end; row++, walk_on(m, &w)) {
        for (int64_t i = 0, count; i < n; i += count, to += (size_t)count * j->element) {
            count = w.nowhere ? n : m->run[i];
            if (w.nowhere || source[i] < 0) {
                fill_run(to, j->fill, count, j->element);
            } else {
                ag__copy_slab(to, j->from + (size_t)(w.base + source[i]) * j->element, (size_t)count * j->element);
            }
        }
    }
}

void ag__remap_copy(const ag__remap *m, const void *x, void *y, size_t element, const void *fill) {
    job j = {.m = m, .from = x, .to = y, .fill = fill, .element = element};
    ag_parallel_for(rows_of(m), 1 + GRAIN / (m->dim[m->rank - 1] + 1), copy_rows, &j);
}

#define ADD(NAME, T)                                                                  \
    static void NAME(const job *j, int64_t row, int64_t rows) {                       \
        const ag__remap *m = j->m;                                                    \
        int64_t n = m->dim[m->rank - 1];                                              \
        const int64_t *source = m->source[m->rank - 1];                               \
        const T *y = (const T *)(const void *)j->from + row * n;                      \
        walk w = walk_from(m, row);                                                   \
        for (; rows > 0; rows--, y += n, walk_on(m, &w)) {                            \
            if (w.nowhere) continue;                                                  \
            T *x = (T *)(void *)j->to + w.base;                                       \
            for (int64_t i = 0; i < n; i += m->run[i]) {                              \
                if (source[i] < 0) continue;                                          \
                for (int64_t k = 0; k < m->run[i]; k++) x[source[i] + k] += y[i + k]; \
            }                                                                         \
        }                                                                             \
    }
ADD(add_f32, float)
ADD(add_f64, double)
ADD(add_i64, uint64_t)

static void add_parts(void *context, int64_t begin, int64_t end) {
    static void (*const adds[AG_DTYPE_COUNT])(const job *, int64_t, int64_t) = {add_f32, add_f64, add_i64};
    const job *j = context;
    adds[j->dtype](j, begin * j->rows, (end - begin) * j->rows);
}

void ag__remap_add(const ag__remap *m, const void *y, void *x, ag_dtype dtype) {
    int64_t rows = rows_of(m), parts = m->still ? m->dim[0] : 1;
    if (rows == 0) return;
    job j = {.m = m, .from = y, .to = x, .dtype = dtype, .rows = rows / parts};
    ag_parallel_for(parts, 1 + GRAIN / (j.rows * m->dim[m->rank - 1]), add_parts, &j);
}
