/* scatter_share.c: the gradient of scatter_reduce's largest and smallest: who gets what arrives at a place.
 *
 *     place p:   x[p]  src src src          best, and how many are as large as it      ─▶   share = g[p] / count
 *                 └────┴───┴───┘
 *                                           each that is as large as best gets the share, all others 0;  NaN is no one's
 *                nothing put there          x gets g
 *
 * Linear in g; in x and src it only jumps. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "ops/lines.h"
#include "ops/ops.h"
#include "ops/table.h"

enum { GRAIN = 16384 };

typedef struct share_attrs {
    int axis;
    bool largest, include_self;
} share_attrs;

static const ag_attr_field fields[] = {{"axis", AG_ATTR_INT, offsetof(share_attrs, axis), NULL},
                                       {"largest", AG_ATTR_BOOL, offsetof(share_attrs, largest), "true"},
                                       {"include_self", AG_ATTR_BOOL, offsetof(share_attrs, include_self), "true"},
                                       {0}};

static bool share_shape(ag_tensor *y) {
    ag_tensor *g = ag_in(y, 0), *src = ag_in(y, 2);
    int axis;
    return ag_need_float(y, 0) && ag_need_same_dtype(y, 0, 1) && ag_need_same_dtype(y, 0, 2) &&
           ag_need_same_shape(y, 0, 1) && ag_need_same_shape(y, 2, 3) &&
           ag__need_index(y, 3, ag_shape_of(g), ((const share_attrs *)ag_attrs(y))->axis, &axis) &&
           ag_out_like(y, 0, g) && ag_out_like(y, 1, src);
}

typedef struct job {
    void *places;
    const void *g, *x, *src;
    void *dx, *dsrc;
    double sign;
    bool include_self;
} job;

enum { NONE = -1 }; /* count of a place where nothing is put */

#define T float
#define KEY int32_t
#define MOST INT32_MAX
#define NAME(of) of##_f32
#include "ops/scatter_share_tmpl.h"
#define T double
#define KEY int64_t
#define MOST INT64_MAX
#define NAME(of) of##_f64
#include "ops/scatter_share_tmpl.h"

static bool share_run(ag_tensor *y) {
    static const struct walks {
        void (*start)(void *, int64_t, int64_t), (*settle)(void *, int64_t, int64_t);
        ag__line_fn *tally, *give;
        size_t place;
    } walks[] = {{start_f32, settle_f32, tally_f32, give_f32, sizeof(place_f32)},
                 {start_f64, settle_f64, tally_f64, give_f64, sizeof(place_f64)}};
    const share_attrs *a = ag_attrs(y);
    const struct walks *w = &walks[ag_dtype_of(ag_in(y, 0))];
    ag_shape large = ag_shape_of(ag_in(y, 0));
    int64_t size = ag_size(ag_in(y, 0));
    job s = {.dx = ag_out_data(y, 0), .dsrc = ag_out_data(y, 1), .sign = a->largest ? 1 : -1, .include_self = a->include_self};
    int axis;
    ag__lines l;
    if (!ag__need_index(y, 3, large, a->axis, &axis) || !ag__lines_start(y, 3, large, axis, &l)) return false;
    if (l.count == 0) return ag_read(ag_in(y, 0), s.dx);
    if (!(s.places = ag_op_workspace(y, (size_t)size * w->place)) || !(s.g = ag_op_dense(y, 0)) ||
        !(s.x = ag_op_dense(y, 1)) || !(s.src = ag_op_dense(y, 2)))
        return false;
    ag_parallel_for(size, GRAIN, w->start, &s);
    ag__lines_walk(&l, AG__FORWARDS, w->tally, &s);
    ag_parallel_for(size, GRAIN, w->settle, &s);
    ag__lines_walk(&l, AG__ANY_ORDER, w->give, &s);
    return true;
}

/* g = Σ v share over those that share, their shares being what becomes of 1. */
static bool share_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    const share_attrs *a = ag_attrs(y);
    ag_tensor *x = ag_in(y, 1), *index = ag_in(y, 3), *one = ag_full(ag_tape_of(y), ag_dtype_of(x), ag_shape_of(x), 1);
    ag_tensor *of_src, *of_x = ag_scatter_share(one, x, ag_in(y, 2), a->axis, index, a->largest, a->include_self, &of_src);
    if (g[0]) d[0] = ag_mul(g[0], of_x);
    if (g[1]) {
        ag_tensor *sum = ag_gather_add(ag_mul(g[1], of_src), a->axis, index, ag_shape_of(x));
        d[0] = g[0] ? ag_add(d[0], sum) : sum;
    }
    return d[0] != NULL;
}

static double share_flops(const ag_tensor *y) { return 2 * (double)(ag_size(ag_in(y, 1)) + ag_size(ag_in(y, 2))); }

const ag_op ag__op_scatter_share = {
    .size = sizeof(ag_op),
    .name = "scatter_share",
    .arity = 4,
    .nout = 2,
    .inputs = "g x src index",
    .attr_size = sizeof(share_attrs),
    .attrs = fields,
    .formula = "g at each place in equal shares to the largest of x there and src[i][j] with index[i][j], j (axis 0): "
               "to x, to src",
    .shape = share_shape,
    .run = share_run,
    .grad = share_grad,
    .flops = share_flops,
};

ag_tensor *ag_scatter_share(ag_tensor *g, ag_tensor *x, ag_tensor *src, int axis, ag_tensor *index, bool largest,
                            bool include_self, ag_tensor **to_src) {
    return ag__parts(ag_apply(&ag__op_scatter_share, (ag_tensor *[]){g, x, src, index}, 4,
                              &(share_attrs){axis, largest, include_self}),
                     to_src);
}
