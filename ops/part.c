/* part.c: parts of a tensor along an axis, and the axis walked backwards: slices by other names, so views.
 *
 *     x (7):   narrow 2,3: [2 3 4]    select 2: 2    split 3: [0 1 2] [3 4 5] [6]    chunk 2: [0 1 2 3] [4 5 6]
 *
 * A call of several results fills an array of the caller's, who says how many there should be; by name, as in ag_call, the
 * attribute `part` says which one is meant. Each is a node of its own and costs what a slice costs. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static void *failed(ag_tensor *y, const char *what, int64_t have, int64_t least, int64_t most) {
    char text[AG__TEXT];
    ag_op_fail(y, AG_ERR_ARGUMENT, "%s %lld of %s is not in [%lld, %lld]", what, (long long)have,
               ag_shape_text(ag_in(y, 0), text, sizeof text), (long long)least, (long long)most);
    return NULL;
}

/* x without the axis, at place i of it. */
static ag_tensor *at(ag_tensor *x, int axis, int64_t i) {
    ag_shape s = ag_shape_of(x);
    for (int k = axis; k + 1 < s.rank; k++) s.dim[k] = s.dim[k + 1];
    s.rank--;
    return ag_reshape(ag_slice(x, axis, i, i + 1, 1), s);
}

typedef struct select_attrs {
    int axis;
    int64_t index;
} select_attrs;

static const ag_attr_field select_fields[] = {{"axis", AG_ATTR_INT, offsetof(select_attrs, axis), NULL},
                                              {"index", AG_ATTR_I64, offsetof(select_attrs, index), NULL},
                                              {0}};

static ag_tensor *select_one(ag_tensor *y) {
    const select_attrs *a = ag_attrs(y);
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    int64_t n = ag_dim(ag_in(y, 0), axis);
    if (a->index < -n || a->index >= n) return failed(y, "index", a->index, -n, n - 1);
    return at(ag_in(y, 0), axis, a->index < 0 ? a->index + n : a->index);
}

AG__COMPOSED(select, 1, select_attrs, select_fields, "x at one place of an axis, which goes", select_one);

ag_tensor *ag_select(ag_tensor *x, int axis, int64_t index) {
    return ag_apply(&ag__op_select, &x, 1, &(select_attrs){axis, index});
}

typedef struct narrow_attrs {
    int axis;
    int64_t start, length;
} narrow_attrs;

static const ag_attr_field narrow_fields[] = {{"axis", AG_ATTR_INT, offsetof(narrow_attrs, axis), NULL},
                                              {"start", AG_ATTR_I64, offsetof(narrow_attrs, start), NULL},
                                              {"length", AG_ATTR_I64, offsetof(narrow_attrs, length), NULL},
                                              {0}};

static ag_tensor *narrow(ag_tensor *y) {
    const narrow_attrs *a = ag_attrs(y);
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    int64_t n = ag_dim(ag_in(y, 0), axis), start = a->start < 0 ? a->start + n : a->start;
    if (start < 0 || start > n) return failed(y, "start", a->start, -n, n);
    if (a->length < 0 || a->length > n - start) return failed(y, "length", a->length, 0, n - start);
    return ag_slice(ag_in(y, 0), axis, start, start + a->length, 1);
}

AG__COMPOSED(narrow, 1, narrow_attrs, narrow_fields, "x[start:start+length] along axis", narrow);

ag_tensor *ag_narrow(ag_tensor *x, int axis, int64_t start, int64_t length) {
    return ag_apply(&ag__op_narrow, &x, 1, &(narrow_attrs){axis, start, length});
}

/* Parts of `size`, the last one what is left. */
static ag_tensor *part_of(ag_tensor *y, int axis, int64_t size, int64_t count, int64_t part) {
    int64_t n = ag_dim(ag_in(y, 0), axis);
    if (part < 0 || part >= count) return failed(y, "part", part, 0, count - 1);
    int64_t start = part * size;
    return ag_slice(ag_in(y, 0), axis, start, n - start < size ? n : start + size, 1);
}

static int64_t rounded_up(int64_t n, int64_t size) { return n / size + (n % size != 0); }

typedef struct split_attrs {
    int64_t size; /* or how many */
    int axis;
    int64_t part;
} split_attrs;

static const ag_attr_field chunk_fields[] = {{"chunks", AG_ATTR_I64, offsetof(split_attrs, size), NULL},
                                             {"axis", AG_ATTR_INT, offsetof(split_attrs, axis), "0"},
                                             {"part", AG_ATTR_I64, offsetof(split_attrs, part), "0"},
                                             {0}};
static const ag_attr_field unbind_fields[] = {{"axis", AG_ATTR_INT, offsetof(split_attrs, axis), "0"},
                                              {"part", AG_ATTR_I64, offsetof(split_attrs, part), "0"},
                                              {0}};

static ag_tensor *chunk(ag_tensor *y) {
    const split_attrs *a = ag_attrs(y);
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    int64_t n = ag_dim(ag_in(y, 0), axis);
    if (a->size < 1) return failed(y, "chunks", a->size, 1, INT64_MAX);
    int64_t size = rounded_up(n, a->size);
    return part_of(y, axis, size, size ? rounded_up(n, size) : a->size, a->part);
}

static ag_tensor *unbind(ag_tensor *y) {
    const split_attrs *a = ag_attrs(y);
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    int64_t n = ag_dim(ag_in(y, 0), axis);
    return a->part < 0 || a->part >= n ? failed(y, "part", a->part, 0, n - 1) : at(ag_in(y, 0), axis, a->part);
}

AG__COMPOSED(chunk, 1, split_attrs, chunk_fields, "at most so many equal parts along axis", chunk);
AG__COMPOSED(unbind, 1, split_attrs, unbind_fields, "the slabs along axis, without it", unbind);

/* All n parts; `count` is what there are, *part the member of the attributes that says which one. */
static ag_tensor **parts(const ag_op *op, ag_tensor *x, int axis, const void *attrs, int64_t *part, int64_t count,
                         ag_tensor *out[], int n) {
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    bool known = x && axis >= -ag_rank(x) && axis < ag_rank(x); /* else the op itself says what is wrong */
    if (known && (!out || n != count)) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, op->name, out ? "there are %lld parts, not %d" : "out is NULL",
                            (long long)count, n);
    }
    for (*part = 0; *part < (known ? n : 1); ++*part) {
        ag_tensor *y = ag_apply(op, &x, 1, attrs);
        if (!y) return NULL;
        out[*part] = y;
    }
    return out;
}

ag_tensor **ag_chunk(ag_tensor *x, int64_t chunks, int axis, ag_tensor *out[], int n) {
    int64_t extent = x ? ag_dim(x, axis) : 0;
    int64_t count = chunks < 1 ? n : extent < 1 ? chunks : rounded_up(extent, rounded_up(extent, chunks));
    split_attrs a = {chunks, axis, 0};
    return parts(&ag__op_chunk, x, axis, &a, &a.part, count, out, n);
}

ag_tensor **ag_unbind(ag_tensor *x, int axis, ag_tensor *out[], int n) {
    split_attrs a = {0, axis, 0};
    return parts(&ag__op_unbind, x, axis, &a, &a.part, x ? ag_dim(x, axis) : 0, out, n);
}

typedef struct sizes_attrs {
    ag_shape sizes;
    int axis;
    int64_t part;
} sizes_attrs;

static const ag_attr_field sizes_fields[] = {{"split_sizes", AG_ATTR_SHAPE, offsetof(sizes_attrs, sizes), NULL},
                                             {"axis", AG_ATTR_INT, offsetof(sizes_attrs, axis), "0"},
                                             {"part", AG_ATTR_I64, offsetof(sizes_attrs, part), "0"},
                                             {0}};
static const ag_attr_field split_fields[] = {{"split_size", AG_ATTR_SHAPE, offsetof(sizes_attrs, sizes), NULL},
                                             {"axis", AG_ATTR_INT, offsetof(sizes_attrs, axis), "0"},
                                             {"part", AG_ATTR_I64, offsetof(sizes_attrs, part), "0"},
                                             {0}};

/* Where the parts begin must add up to the extent n. */
static const char *fault_of(const int64_t sizes[], int count, int64_t n) {
    int64_t left = n;
    for (int k = 0; k < count; k++) {
        if (sizes[k] < 0) return "negative";
        if (sizes[k] > left) return "too large";
        left -= sizes[k];
    }
    return left ? "too small" : NULL;
}

static ag_tensor *split_with_sizes(ag_tensor *y) {
    const sizes_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    char text[AG__TEXT], list[AG__TEXT];
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(x), &axis)) return NULL;
    const char *fault = a->sizes.rank > AG_MAX_RANK ? "too many" : fault_of(a->sizes.dim, a->sizes.rank, ag_dim(x, axis));
    if (fault) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "split_sizes %s are %s for axis %d of %s", ag__dims_text(a->sizes, list), fault,
                   axis, ag_shape_text(x, text, sizeof text));
        return NULL;
    }
    if (a->part < 0 || a->part >= a->sizes.rank) return failed(y, "part", a->part, 0, a->sizes.rank - 1);
    int64_t start = 0;
    for (int k = 0; k < a->part; k++) start += a->sizes.dim[k];
    return ag_slice(x, axis, start, start + a->sizes.dim[a->part], 1);
}

/* One number is the size of all parts but the last; several are their sizes. */
static ag_tensor *split(ag_tensor *y) {
    const sizes_attrs *a = ag_attrs(y);
    int axis;
    if (a->sizes.rank != 1) return split_with_sizes(y);
    if (!ag_need_axis(y, a->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    int64_t n = ag_dim(ag_in(y, 0), axis), size = a->sizes.dim[0];
    if (size < 0 || (size == 0 && n > 0)) return failed(y, "split_size", size, 1, INT64_MAX);
    return part_of(y, axis, size, n ? rounded_up(n, size) : 1, a->part);
}

AG__COMPOSED(split, 1, sizes_attrs, split_fields, "the parts of split_size along axis", split);
AG__COMPOSED(split_with_sizes, 1, sizes_attrs, sizes_fields, "the parts of these sizes along axis", split_with_sizes);

ag_tensor **ag_split(ag_tensor *x, int64_t split_size, int axis, ag_tensor *out[], int n) {
    int64_t extent = x ? ag_dim(x, axis) : 0;
    int64_t count = extent < 1 ? 1 : split_size > 0 ? rounded_up(extent, split_size) : n;
    sizes_attrs a = {{1, {split_size}}, axis, 0};
    return parts(&ag__op_split, x, axis, &a, &a.part, count, out, n);
}

ag_tensor **ag_split_with_sizes(ag_tensor *x, const int64_t split_sizes[], int axis, ag_tensor *out[], int n) {
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    const char *where = ag__op_split_with_sizes.name;
    if (!x || !split_sizes || !out) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "an argument is NULL");
    const char *fault = n < 0 ? "too few" : fault_of(split_sizes, n, ag_dim(x, axis));
    if (fault) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "the %d sizes are %s for axis %d", n, fault, axis);
    for (int64_t k = 0, start = 0; k < n; start += split_sizes[k++]) {
        ag_tensor *part = ag_slice(x, axis, start, start + split_sizes[k], 1);
        if (!part) return NULL;
        out[k] = part;
    }
    return out;
}
