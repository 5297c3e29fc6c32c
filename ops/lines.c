/* lines.c: walking an index and the large tensor that it points into; see lines.h. */
#include "ops/lines.h"

#include "ops/ops.h"

enum { GRAIN = 16384 }; /* elements worth waking a thread for */

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
    if (ag_rank(index) == 0) return false;
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
    int last = large.rank - 1;
    int64_t stride = 1, outer = 1;
    for (int k = last; k >= 0; k--) {
        if (k == axis) l->by_index = stride;
        l->stride[k] = k == axis ? 0 : stride;
        stride *= large.dim[k];
        if (k < axis) outer *= l->shape.dim[k];
    }
    l->slabs = names_slabs(index, large, axis);
    l->length = l->slabs ? l->by_index : l->shape.dim[last];
    l->step = l->slabs || axis != last;
    if (ag_size(index) == 0) {
        l->count = 0;
        return ag__indices(y, i, l->n) != NULL;
    }
    l->count = ag_size(index) / l->length;
    l->group = l->count / outer;
    l->index = l->slabs ? slab_indices(y, i, axis, l) : ag__indices(y, i, l->n);
    return l->index != NULL;
}

typedef struct job {
    const ag__lines *l;
    ag__line_fn *move;
    char *to;
    const char *from;
    size_t row; /* bytes of a line */
    bool picks;
} job;

static void move_line(const job *j, int64_t line, const int64_t *index, int64_t base) {
    size_t at = (size_t)line * j->row;
    if (j->picks) {
        j->move(j->l, j->to + at, j->from, index, base);
    } else {
        j->move(j->l, j->to, j->from + at, index, base);
    }
}

static void move_slabs(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__lines *l = j->l;
    for (int64_t outer = begin; outer < end; outer++) {
        for (int64_t k = 0; k < l->group; k++)
            move_line(j, outer * l->group + k, NULL, (outer * l->n + l->index[k]) * l->length);
    }
}

static void move_rows(void *context, int64_t begin, int64_t end) {
    const job *j = context;
    const ag__lines *l = j->l;
    int64_t at[AG_MAX_RANK] = {0}, base = 0, rest = begin * l->group;
    for (int k = l->shape.rank - 2; k >= 0; k--) {
        at[k] = rest % l->shape.dim[k];
        rest /= l->shape.dim[k];
        base += at[k] * l->stride[k];
    }
    for (int64_t line = begin * l->group; line < end * l->group; line++) {
        move_line(j, line, l->index + line * l->length, base);
        for (int k = l->shape.rank - 2; k >= 0; k--) {
            base += l->stride[k];
            if (++at[k] < l->shape.dim[k]) break;
            base -= at[k] * l->stride[k];
            at[k] = 0;
        }
    }
}

static void move_lines(const job *j) {
    const ag__lines *l = j->l;
    if (l->count == 0) return;
    ag_parallel_for(l->count / l->group, 1 + GRAIN / (l->group * l->length), l->slabs ? move_slabs : move_rows,
                    (void *)(uintptr_t)j);
}

void ag__lines_pick(const ag__lines *l, ag__line_fn *move, void *lines, const void *large, size_t bytes) {
    move_lines(&(job){l, move, lines, large, (size_t)l->length * bytes, true});
}

void ag__lines_put(const ag__lines *l, ag__line_fn *move, void *large, const void *lines, size_t bytes) {
    move_lines(&(job){l, move, large, lines, (size_t)l->length * bytes, false});
}

/* Elements are moved as words of their size, whatever they are. */
typedef uint64_t __attribute__((may_alias)) word64;
typedef uint32_t __attribute__((may_alias)) word32;

#define COPY(T)                                                                                                     \
    static void get_##T(const ag__lines *l, void *to, const void *from, const int64_t *index, int64_t base) {       \
        const T *x = (const T *)from + base;                                                                        \
        if (l->slabs) {                                                                                             \
            ag__copy_slab(to, x, (size_t)l->length * sizeof(T));                                                    \
        } else {                                                                                                    \
            for (int64_t i = 0; i < l->length; i++) ((T *)to)[i] = x[index[i] * l->by_index + i * l->step];         \
        }                                                                                                           \
    }                                                                                                               \
    static void set_##T(const ag__lines *l, void *to, const void *from, const int64_t *index, int64_t base) {       \
        T *x = (T *)to + base;                                                                                      \
        if (l->slabs) {                                                                                             \
            ag__copy_slab(x, from, (size_t)l->length * sizeof(T));                                                  \
        } else {                                                                                                    \
            for (int64_t i = 0; i < l->length; i++) x[index[i] * l->by_index + i * l->step] = ((const T *)from)[i]; \
        }                                                                                                           \
    }
COPY(word64)
COPY(word32)
COPY(bool)

ag__line_fn *ag__line_get(size_t bytes) { return bytes == 8 ? get_word64 : bytes == 4 ? get_word32 : get_bool; }
ag__line_fn *ag__line_set(size_t bytes) { return bytes == 8 ? set_word64 : bytes == 4 ? set_word32 : set_bool; }

#define FILL(NAME, T)                                                                                      \
    static void NAME(const ag__lines *l, void *to, const void *from, const int64_t *index, int64_t base) { \
        T *y = (T *)to + base, value = *(const T *)from;                                                   \
        if (l->slabs) {                                                                                    \
            for (int64_t j = 0; j < l->length; j++) y[j] = value;                                          \
        } else {                                                                                           \
            for (int64_t j = 0; j < l->length; j++) y[index[j] * l->by_index + j * l->step] = value;       \
        }                                                                                                  \
    }
FILL(fill_f32, float)
FILL(fill_f64, double)
FILL(fill_i64, int64_t)
FILL(fill_bool, bool)

ag__line_fn *ag__line_fill(ag_dtype dtype) {
    static ag__line_fn *const fills[AG_DTYPE_COUNT] = {fill_f32, fill_f64, fill_i64, fill_bool};
    return fills[dtype];
}
