/* search.c: where values belong in sorted lines, by halving.
 *
 *     sorted 1 3 3 5:   value 3 ─▶ 1, with right ─▶ 3      the place before, or behind, what equals it
 *
 * A NaN belongs behind everything. Nothing checks that the lines are sorted. */
#include <stddef.h>

#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct search_attrs {
    bool right;
} search_attrs;

static const ag_attr_field search_fields[] = {{"right", AG_ATTR_BOOL, offsetof(search_attrs, right), "false"}, {0}};

typedef struct sorted_attrs {
    bool right;
    int side; /* 1: right too, by NumPy's name */
} sorted_attrs;

static const ag_attr_field sorted_fields[] = {{"right", AG_ATTR_BOOL, offsetof(sorted_attrs, right), "false"},
                                              {"side", AG_ATTR_CHOICE, offsetof(sorted_attrs, side), "left|right"},
                                              {0}};

static bool search_plain(const ag_tensor *y) { return !ag_in(y, 2); }

/* With the places that sort the lines */
static ag_tensor *search_compose(ag_tensor *y) {
    const sorted_attrs *a = ag_attrs(y);
    ag_tensor *sorted = ag_in(y, 0), *sorter = ag_in(y, 2);
    if (sorter && (!ag_need_dtype(y, 2, AG_I64) || !ag_need_same_shape(y, 0, 2))) return NULL;
    return ag_searchsorted(sorter ? ag_gather(sorted, -1, sorter) : sorted, ag_in(y, 1), a->right || a->side);
}

static bool search_shape(ag_tensor *y) {
    const ag_tensor *sorted = ag_in(y, 0), *values = ag_in(y, 1);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_rank(y, 0, 1, AG_MAX_RANK)) return false;
    bool fits = ag_rank(sorted) == 1 || ag_rank(sorted) == ag_rank(values);
    for (int i = 0; fits && ag_rank(sorted) > 1 && i < ag_rank(sorted) - 1; i++)
        fits = ag_dim(sorted, i) == ag_dim(values, i);
    if (fits) return ag_out_shape(y, 0, AG_I64, ag_shape_of(values));
    char line[AG__TEXT], value[AG__TEXT];
    return ag_op_fail(y, AG_ERR_SHAPE, "sorted %s must be one line, or have the axes of values %s, the last aside",
                      ag_shape_text(sorted, line, sizeof line), ag_shape_text(values, value, sizeof value));
}

typedef struct search {
    const void *sorted, *values;
    int64_t *out;
    int64_t n, each; /* a line's length; how many values are looked for in it */
    bool right;
} search;

#define SEARCH(NAME, T)                                                                               \
    static void NAME(void *context, int64_t begin, int64_t end) {                                     \
        const search *s = context;                                                                    \
        for (int64_t i = begin; i < end; i++) {                                                       \
            const T *line = (const T *)s->sorted + i / s->each * s->n, v = ((const T *)s->values)[i]; \
            int64_t low = 0, high = s->n;                                                             \
            while (low < high) {                                                                      \
                int64_t middle = low + (high - low) / 2;                                              \
                bool before = s->right ? !(line[middle] > v) : !(line[middle] >= v);                  \
                low = before ? middle + 1 : low;                                                      \
                high = before ? high : middle;                                                        \
            }                                                                                         \
            s->out[i] = low;                                                                          \
        }                                                                                             \
    }
SEARCH(search_f32, float)
SEARCH(search_f64, double)
SEARCH(search_i64, int64_t)

static bool search_run(ag_tensor *y) {
    static void (*const searches[AG_DTYPE_COUNT])(void *, int64_t, int64_t) = {search_f32, search_f64, search_i64};
    const sorted_attrs *a = ag_attrs(y);
    ag_tensor *sorted = ag_in(y, 0), *values = ag_in(y, 1);
    if (ag_size(y) == 0) return true;
    search s = {.out = ag_out_data(y, 0), .n = ag_dim(sorted, -1), .right = a->right || a->side};
    s.each = ag_rank(sorted) == 1 ? ag_size(values) : ag_dim(values, -1);
    s.sorted = ag_op_dense(y, 0);
    s.values = ag_op_dense(y, 1);
    if ((!s.sorted && ag_size(sorted)) || !s.values) return false;
    ag_parallel_for(ag_size(y), 2048, searches[ag_dtype_of(values)], &s);
    return true;
}

const ag_op ag__op_searchsorted = {
    .size = sizeof(ag_op),
    .name = "searchsorted",
    .arity = 2,
    .optional = 1,
    .inputs = "sorted values sorter",
    .flags = AG_FLAT,
    .attr_size = sizeof(sorted_attrs),
    .attrs = sorted_fields,
    .formula = "the place in a sorted line before (right: behind) what equals a value",
    .shape = search_shape,
    .run = search_run,
    .compose = search_compose,
    .plain = search_plain,
};

ag_tensor *ag_searchsorted(ag_tensor *sorted, ag_tensor *values, bool right) {
    return ag_apply(&ag__op_searchsorted, (ag_tensor *[]){sorted, values}, 2, &(sorted_attrs){right, 0});
}

static ag_tensor *bucketize(ag_tensor *y) {
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1) || !ag_need_rank(y, 1, 1, 1)) return NULL;
    return ag_searchsorted(ag_in(y, 1), ag_in(y, 0), ((const search_attrs *)ag_attrs(y))->right);
}

AG__COMPOSED_FLAT(bucketize, 2, sizeof(search_attrs), search_fields,
                  "the bucket of each element between sorted boundaries", bucketize, .inputs = "x boundaries");

ag_tensor *ag_bucketize(ag_tensor *x, ag_tensor *boundaries, bool right) {
    return ag_apply(&ag__op_bucketize, (ag_tensor *[]){x, boundaries}, 2, &(search_attrs){right});
}

typedef struct member_attrs {
    bool assume_unique, invert;
} member_attrs;

/* assume_unique promises what would make another algorithm faster, not this one. */
static const ag_attr_field member_fields[] = {{"assume_unique", AG_ATTR_BOOL, offsetof(member_attrs, assume_unique), "false"},
                                              {"invert", AG_ATTR_BOOL, offsetof(member_attrs, invert), "false"},
                                              {0}};

/* An element is in a sorted line if it stands where it would be put. */
static ag_tensor *isin(ag_tensor *y) {
    ag_tensor *x = ag_in(y, 0), *test = ag_in(y, 1);
    bool invert = ((const member_attrs *)ag_attrs(y))->invert;
    int64_t n = ag_size(test);
    if (!ag__need_number(y, 0) || !ag_need_same_dtype(y, 0, 1)) return NULL;
    if (n == 0) return ag_full(ag_tape_of(x), AG_BOOL, ag_shape_of(x), invert);
    ag_tensor *sorted = ag_sort(ag_reshape(test, AG_SHAPE(n)), 0, false, NULL), *at = ag_searchsorted(sorted, x, false);
    at = ag_minimum(at, ag_scalar(ag_tape_of(x), AG_I64, (double)(n - 1)));
    ag_tensor *found = ag_take(sorted, at, 0);
    return invert ? ag_ne(found, x) : ag_eq(found, x);
}

AG__COMPOSED_FLAT(isin, 2, sizeof(member_attrs), member_fields, "is x[…] one of test", isin, .inputs = "x test");

ag_tensor *ag_isin(ag_tensor *x, ag_tensor *test, bool invert) {
    return ag_apply(&ag__op_isin, (ag_tensor *[]){x, test}, 2, &(member_attrs){false, invert});
}
