/* like.c: shapes that another tensor, or a least number of axes, asks for.
 *
 *     expand_as, reshape_as      x in the shape of `other`, whose values do not matter
 *     atleast_2d  (), (n)  ─▶  (1,1), (1,n)          atleast_3d  (n), (m,n)  ─▶  (1,n,1), (m,n,1) */
#include "ops/compose.h"
#include "ops/need.h"
#include "ops/ops.h"
#include "ops/table.h"

static ag_tensor *expand_as(ag_tensor *y) { return ag_expand(ag_in(y, 0), ag_shape_of(ag_in(y, 1))); }
static ag_tensor *reshape_as(ag_tensor *y) { return ag_reshape(ag_in(y, 0), ag_shape_of(ag_in(y, 1))); }

AG__COMPOSED_BARE(expand_as, 2, "x repeated to the shape of other", expand_as, .inputs = "x other");
AG__COMPOSED_BARE(reshape_as, 2, "x in the shape of other", reshape_as, .inputs = "x other");

ag_tensor *ag_expand_as(ag_tensor *x, ag_tensor *other) {
    return ag_apply(&ag__op_expand_as, (ag_tensor *[]){x, other}, 2, NULL);
}
ag_tensor *ag_reshape_as(ag_tensor *x, ag_tensor *other) {
    return ag_apply(&ag__op_reshape_as, (ag_tensor *[]){x, other}, 2, NULL);
}

static ag_tensor *t(ag_tensor *y) {
    if (!ag_need_rank(y, 0, 0, 2)) return NULL;
    return ag_rank(ag_in(y, 0)) < 2 ? ag_alias(ag_in(y, 0)) : ag_transpose(ag_in(y, 0), 0, 1);
}

typedef struct part_attrs {
    int64_t part;
} part_attrs;

static const ag_attr_field part_fields[] = {{"part", AG_ATTR_I64, offsetof(part_attrs, part), "0"}, {0}};

/* Input `part` as it is, or with axes in front of and behind a line's own, `behind` of them. */
static ag_tensor *with_axes(ag_tensor *y, int least, int behind) {
    int64_t part = ((const part_attrs *)ag_attrs(y))->part;
    if (part < 0 || part >= ag_in_count(y)) {
        ag_op_fail(y, AG_ERR_ARGUMENT, "part %lld: there are %d", (long long)part, ag_in_count(y));
        return NULL;
    }
    ag_tensor *x = ag_in(y, (int)part);
    ag_shape s = {.rank = least};
    int rank = ag_rank(x), first = least - behind - rank;
    if (rank >= least) return ag_alias(x);
    for (int i = 0; i < least; i++) s.dim[i] = 1;
    if (first < 0) first = 0;
    for (int i = 0; i < rank; i++) s.dim[first + i] = ag_dim(x, i);
    return ag_reshape(x, s);
}

static ag_tensor *atleast_1d(ag_tensor *y) { return with_axes(y, 1, 0); }
static ag_tensor *atleast_2d(ag_tensor *y) { return with_axes(y, 2, 0); }
static ag_tensor *atleast_3d(ag_tensor *y) { return with_axes(y, 3, 1); }

AG__COMPOSED_BARE(t, 1, "a matrix transposed; a line or a scalar as it is", t);
AG__COMPOSED(atleast_1d, -1, part_attrs, part_fields, "x, a scalar as (1)", atleast_1d);
AG__COMPOSED(atleast_2d, -1, part_attrs, part_fields, "x, a line as one row", atleast_2d);
AG__COMPOSED(atleast_3d, -1, part_attrs, part_fields, "x, a line as (1,n,1), a matrix as (m,n,1)", atleast_3d);

ag_tensor *ag_t(ag_tensor *x) { return ag_apply(&ag__op_t, &x, 1, NULL); }
ag_tensor *ag_atleast_1d(ag_tensor *x) { return ag_apply(&ag__op_atleast_1d, &x, 1, &(part_attrs){0}); }
ag_tensor *ag_atleast_2d(ag_tensor *x) { return ag_apply(&ag__op_atleast_2d, &x, 1, &(part_attrs){0}); }
ag_tensor *ag_atleast_3d(ag_tensor *x) { return ag_apply(&ag__op_atleast_3d, &x, 1, &(part_attrs){0}); }

/* Pixels and channels (Shi et al. 2016): r² channels become one of r times the height and the width. */

typedef struct factor_attrs {
    int64_t factor;
} factor_attrs;

static const ag_attr_field up_fields[] = {{"upscale_factor", AG_ATTR_I64, offsetof(factor_attrs, factor), NULL}, {0}};
static const ag_attr_field down_fields[] = {{"downscale_factor", AG_ATTR_I64, offsetof(factor_attrs, factor), NULL}, {0}};

static bool need_blocks(ag_tensor *y, int64_t r, bool channels, bool pixels) {
    const ag_tensor *x = ag_in(y, 0);
    char text[AG__TEXT];
    if (!ag_need_rank(y, 0, 3, AG_MAX_RANK - 2)) return false;
    if (r < 1 || r > (1 << 20))
        return ag_op_fail(y, AG_ERR_ARGUMENT, "the factor is %lld; it must be at least 1 and at most 2^20", (long long)r);
    if ((!channels || ag_dim(x, -3) % (r * r) == 0) && (!pixels || (ag_dim(x, -2) % r == 0 && ag_dim(x, -1) % r == 0)))
        return true;
    return ag_op_fail(y, AG_ERR_SHAPE, channels ? "the channels of %s do not split by %lld²" : "%s does not split by %lld",
                      ag_shape_text(x, text, sizeof text), (long long)r);
}

/* n times `by`, which only an empty x, whose other extents bound nothing, lets overflow. */
static bool grown(ag_tensor *y, int64_t n, int64_t by, int64_t *out) {
    return !__builtin_mul_overflow(n, by, out) ||
           ag_op_fail(y, AG_ERR_SHAPE, "an extent of %lld times %lld is beyond what an index can count", (long long)n,
                      (long long)by);
}

/* The leading axes, then these; `order` names them among themselves. */
static ag_tensor *moved(ag_tensor *x, const int64_t split[5], const int order[5], const int64_t joined[3]) {
    ag_shape s = ag_shape_of(x), out;
    ag_axes axes = {.count = s.rank + 2};
    int lead = s.rank - 3;
    s.rank = lead + 5;
    for (int i = 0; i < lead; i++) axes.axis[i] = i;
    for (int i = 0; i < 5; i++) s.dim[lead + i] = split[i], axes.axis[lead + i] = lead + order[i];
    out = s;
    out.rank = lead + 3;
    for (int i = 0; i < 3; i++) out.dim[lead + i] = joined[i];
    return ag_reshape(ag_permute(ag_reshape(x, s), axes), out);
}

static ag_tensor *pixel_shuffle(ag_tensor *y) {
    int64_t r = ((const factor_attrs *)ag_attrs(y))->factor;
    if (!need_blocks(y, r, true, false)) return NULL;
    ag_tensor *x = ag_in(y, 0);
    int64_t c = ag_dim(x, -3) / (r * r), h = ag_dim(x, -2), w = ag_dim(x, -1), high, wide;
    if (!grown(y, h, r, &high) || !grown(y, w, r, &wide)) return NULL;
    return moved(x, (const int64_t[]){c, r, r, h, w}, (const int[]){0, 3, 1, 4, 2}, (const int64_t[]){c, high, wide});
}

static ag_tensor *pixel_unshuffle(ag_tensor *y) {
    int64_t r = ((const factor_attrs *)ag_attrs(y))->factor;
    if (!need_blocks(y, r, false, true)) return NULL;
    ag_tensor *x = ag_in(y, 0);
    int64_t c = ag_dim(x, -3), h = ag_dim(x, -2) / r, w = ag_dim(x, -1) / r, deep;
    if (!grown(y, c, r * r, &deep)) return NULL;
    return moved(x, (const int64_t[]){c, h, r, w, r}, (const int[]){0, 2, 4, 1, 3}, (const int64_t[]){deep, h, w});
}

AG__COMPOSED(pixel_shuffle, 1, factor_attrs, up_fields, "r² channels as one of r times the height and width", pixel_shuffle);
AG__COMPOSED(pixel_unshuffle, 1, factor_attrs, down_fields, "blocks of r × r pixels as r² channels", pixel_unshuffle);

ag_tensor *ag_pixel_shuffle(ag_tensor *x, int64_t upscale_factor) {
    return ag_apply(&ag__op_pixel_shuffle, &x, 1, &(factor_attrs){upscale_factor});
}
ag_tensor *ag_pixel_unshuffle(ag_tensor *x, int64_t downscale_factor) {
    return ag_apply(&ag__op_pixel_unshuffle, &x, 1, &(factor_attrs){downscale_factor});
}
