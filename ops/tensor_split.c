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

/* The first n % sections parts have one element more than the others. */
static int64_t section_start(int64_t n, int64_t sections, int64_t part) {
    int64_t more = n % sections;
    return n / sections * part + (part < more ? part : more);
}

static ag_tensor *tensor_split(ag_tensor *y) {
    const split_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 0);
    bool listed = a->sections == AG_END;
    int64_t count = listed ? (int64_t)a->indices.rank + 1 : a->sections;
    int axis;
    if (!ag_need_axis(y, a->axis, ag_rank(x), &axis)) return NULL;
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

AG__COMPOSED(tensor_split, 1, split_attrs, fields, "parts along axis, by their number or where they end", tensor_split);

ag_tensor **ag_tensor_split(ag_tensor *x, int64_t sections, int axis, ag_tensor *out[], int n) {
    ag_tape *t = x ? ag_tape_of(x) : NULL;
    const char *where = ag__op_tensor_split.name;
    if (!out) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "out is NULL");
    if (x && sections > 0 && sections != n)
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "there are %lld parts, not %d", (long long)sections, n);
    for (int k = 0; k < (x && sections > 0 ? n : 1); k++) { /* else the op itself says what is wrong */
        ag_tensor *part = ag_apply(&ag__op_tensor_split, &x, 1, &(split_attrs){sections, {0}, axis, k});
        if (!part) return NULL;
        out[k] = part;
    }
    return out;
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
