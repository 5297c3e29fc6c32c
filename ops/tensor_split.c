/* tensor_split.c: parts of a tensor along an axis whose number, or whose ends, are given; the parts need not be of one size.
 *
 *     x (7):   3 sections: [0 1 2] [3 4] [5 6]       indices 1, −2: [0] [1 2 3 4] [5 6]
 *
 * NumPy's array_split; see part.c for how several results are returned. */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct split_attrs {
    int64_t sections; /* AG_END: indices */
    ag_shape indices; /* where parts end and the next begin */
    int axis;
    int64_t part;
} split_attrs;

static const ag_attr_field fields[] = {{"sections", AG_ATTR_I64, offsetof(split_attrs, sections), "end"},
                                       {"indices", AG_ATTR_SHAPE, offsetof(split_attrs, indices), "()"},
                                       {"axis", AG_ATTR_INT, offsetof(split_attrs, axis), "0"},
                                       {"part", AG_ATTR_I64, offsetof(split_attrs, part), "0"},
                                       {0}};

static const ag_attr_field equal_fields[] = {{"sections", AG_ATTR_I64, offsetof(split_attrs, sections), "end"},
                                             {"indices", AG_ATTR_SHAPE, offsetof(split_attrs, indices), "()"},
                                             {"part", AG_ATTR_I64, offsetof(split_attrs, part), "0"},
                                             {0}};

/* The first n % sections parts have one element more than the others. */
static int64_t section_start(int64_t n, int64_t sections, int64_t part) {
    int64_t more = n % sections;
    return n / sections * part + (part < more ? part : more);
}

static ag_tensor *part_along(ag_tensor *y, int axis) {
    const split_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    bool listed = a->sections == AG_END;
    int64_t count = listed ? (int64_t)a->indices.rank + 1 : a->sections;
    if (!listed && (a->sections < 1 || a->indices.rank)) {
        ag_op_fail(y, AG_ERR_ARGUMENT,
                   a->indices.rank ? "give sections or indices, not both" : "sections is %lld; it must be at least 1",
                   (long long)a->sections);
        return NULL;
    }
    if (a->indices.rank > AG_MAX_RANK || a->part < 0 || a->part >= count) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "part is %lld; there are %lld parts, counted from 0", (long long)a->part,
                   (long long)count);
        return NULL;
    }
    if (!listed) {
        int64_t n = ag_dim(x, axis);
        return ag_slice(x, axis, section_start(n, count, a->part), section_start(n, count, a->part + 1), 1);
    }
    return ag_slice(x, axis, a->part ? a->indices.dim[a->part - 1] : 0,
                    a->part + 1 < count ? a->indices.dim[a->part] : AG_END, 1);
}

static ag_tensor *tensor_split(ag_tensor *y) {
    int axis;
    if (!ag_need_axis(y, ((const split_attrs *)ag_attrs(y))->axis, ag_rank(ag_in(y, 0)), &axis)) return NULL;
    return part_along(y, axis);
}

/* hsplit, vsplit, dsplit: along one axis of x, which has `least`; sections are all of one size. */
static ag_tensor *equal_part(ag_tensor *y, int least, int axis) {
    const split_attrs *a = ag_attrs(y);
    char text[AG__TEXT];
    if (!ag_need_rank(y, 0, least, AG_MAX_RANK)) return NULL;
    if (a->sections != AG_END && a->sections > 0 && ag_dim(ag_in(y, 0), axis) % a->sections) {
        ag_op_fail(y, AG_ERR_SHAPE, "axis %d of %s does not split in %lld equal parts", axis,
                   ag_shape_text(ag_in(y, 0), text, sizeof text), (long long)a->sections);
        return NULL;
    }
    return part_along(y, axis);
}

static ag_tensor *hsplit(ag_tensor *y) { return equal_part(y, 1, ag_rank(ag_in(y, 0)) > 1); }
static ag_tensor *vsplit(ag_tensor *y) { return equal_part(y, 2, 0); }
static ag_tensor *dsplit(ag_tensor *y) { return equal_part(y, 3, 2); }

AG__COMPOSED(hsplit, 1, split_attrs, equal_fields, "parts along axis 1, of a line along axis 0", hsplit);
AG__COMPOSED(vsplit, 1, split_attrs, equal_fields, "parts along axis 0", vsplit);
AG__COMPOSED(dsplit, 1, split_attrs, equal_fields, "parts along axis 2", dsplit);
AG__COMPOSED(tensor_split, 1, split_attrs, fields, "parts along axis, by their number or where they end", tensor_split);

static ag_tensor **sections_of(const ag_op *op, ag_tensor *x, int64_t sections, int axis, ag_tensor *out[], int n) {
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    if (!out) return ag_tape_fail(t, AG_ERR_ARGUMENT, op->name, "out is NULL");
    if (x && sections > 0 && sections != n)
        return ag_tape_fail(t, AG_ERR_ARGUMENT, op->name, "there are %lld parts, not %d", (long long)sections, n);
    for (int k = 0; k < (x && sections > 0 ? n : 1); k++) { /* else the op itself says what is wrong */
        ag_tensor *part = ag_apply(op, &x, 1, &(split_attrs){sections, {0}, axis, k});
        if (!part) return NULL;
        out[k] = part;
    }
    return out;
}

ag_tensor **ag_tensor_split(ag_tensor *x, int64_t sections, int axis, ag_tensor *out[], int n) {
    return sections_of(&ag__op_tensor_split, x, sections, axis, out, n);
}
ag_tensor **ag_hsplit(ag_tensor *x, int64_t sections, ag_tensor *out[], int n) {
    return sections_of(&ag__op_hsplit, x, sections, 0, out, n);
}
ag_tensor **ag_vsplit(ag_tensor *x, int64_t sections, ag_tensor *out[], int n) {
    return sections_of(&ag__op_vsplit, x, sections, 0, out, n);
}
ag_tensor **ag_dsplit(ag_tensor *x, int64_t sections, ag_tensor *out[], int n) {
    return sections_of(&ag__op_dsplit, x, sections, 0, out, n);
}

ag_tensor **ag_tensor_split_indices(ag_tensor *x, const int64_t indices[], int axis, ag_tensor *out[], int n) {
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    const char *where = ag__op_tensor_split.name;
    if (!x || (!indices && n != 1) || !out) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "an argument is NULL");
    if (n < 1) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "there is at least one part, not %d", n);
    for (int k = 0; k < n; k++) {
        ag_tensor *part = ag_slice(x, axis, k ? indices[k - 1] : 0, k + 1 < n ? indices[k] : AG_END, 1);
        if (!part) return NULL;
        out[k] = part;
    }
    return out;
}
