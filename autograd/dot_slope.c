/* dot_slope.c: the chain rule on the edges that enter one node.
 *
 *     x ──── ∂y/∂x ────▶ y        slope   the rule of y with 1 in g's place
 *       ◀─── g ∂y/∂x ───          flow    the rule of y with its gradient in g's place, or g times the slope
 *
 * The op runs once more, on a tape aside, from leaves that hold the values its inputs have: one leaf for each input, so that
 * a tensor that goes in twice gets its two shares apart. The graph itself is only read. */
#include <math.h>

#include "autograd/dot.h"

/* More would make drawing slower than running. */
static const double most_elements = 1 << 20, most_work = 1e8;

/* Inputs overwritten since y ran would give a derivative elsewhere than at the value shown. */
static bool worth_it(const ag_tensor *y) {
    if (!y->op || y->flags & (AG__LEAF | AG__CUT) || y->op->flags & (AG_FLAT | AG_EFFECT)) return false;
    if (y->nin > AG__DOT_INPUTS || y->op->nout > AG__DOT_INPUTS || !(y->flags & (AG__GRAD | AG__TUPLE))) return false;
    double elements = y->flags & AG__TUPLE ? 0 : (double)ag_size(y);
    for (uint32_t i = 0; i < y->nin; i++) {
        const ag_tensor *x = ag__in(y)[i];
        if (x->store && x->store->stamp > y->ran) return false;
        elements += (double)ag_size(x);
    }
    return elements <= most_elements && ag__op_flops(y) <= most_work;
}

static ag_tensor *copy(ag_tape *aside, const ag_tensor *x) {
    ag_tensor *y = ag_leaf(aside, ag_dtype_of(x), NULL, ag_shape_of(x), AG_RECORDED);
    if (y) ag__gather(x, y->data);
    return y;
}

/* The outputs of z, a copy of y, from which a gradient flows, and those gradients. Ones where y has one element. */
static int seeds(ag_tape *aside, ag_tensor *y, ag_tensor *z, ag_tensor *ys[], ag_tensor *gys[]) {
    int n = 0, outputs = y->flags & AG__TUPLE ? y->op->nout : 1;
    bool one = !(y->flags & AG__TUPLE) && ag_size(y) == 1;
    for (int o = 0; o < outputs; o++) {
        ag_tensor *part = ag_out(y, o);
        if (!ag__is_float(part->dtype) || (!one && !ag_has_grad(part))) continue;
        ys[n] = ag_out(z, o);
        gys[n] = one ? NULL : copy(aside, ag_grad(part));
        if (!one && !gys[n]) return 0;
        n++;
    }
    return n;
}

static double norm(const ag_tensor *d) {
    double sum = 0;
    for (int64_t i = 0; i < ag_size(d); i++) sum = hypot(sum, ag_at(d, i));
    return sum;
}

static void measure(const ag_tensor *y, const ag_tensor *d, ag__dot_flow *f) {
    bool one = !(y->flags & AG__TUPLE) && ag_size(y) == 1;
    f->known = one && ag_size(d) == 1;
    f->slope = f->known ? ag_at(d, 0) : 0;
    f->flows = !one || ag_has_grad(y);
    double g = one && f->flows ? ag_at(ag_grad((ag_tensor *)(uintptr_t)y), 0) : 1;
    f->flow = f->known ? g * f->slope : fabs(g) * norm(d);
}

void ag__dot_flows(ag_tape *aside, ag_tensor *y, ag__dot_flow flow[AG__DOT_INPUTS]) {
    ag_tensor *in[AG__DOT_INPUTS], *xs[AG__DOT_INPUTS], *ys[AG__DOT_INPUTS], *gys[AG__DOT_INPUTS], *d[AG__DOT_INPUTS];
    int m = 0, input[AG__DOT_INPUTS];
    for (int i = 0; i < AG__DOT_INPUTS; i++) flow[i] = (ag__dot_flow){0};
    if (!worth_it(y)) return;
    ag_mark start = ag_tape_mark(aside);
    for (uint32_t i = 0; i < y->nin; i++) {
        const ag_tensor *x = ag__in(y)[i];
        in[i] = copy(aside, x);
        if (!(x->flags & AG__GRAD) || !ag__is_float(x->dtype)) continue;
        input[m] = (int)i;
        xs[m++] = in[i];
    }
    ag_tensor *z = m ? ag_apply_on(aside, y->op, in, (int)y->nin, y->attrs) : NULL;
    int n = z ? seeds(aside, y, z, ys, gys) : 0;
    if (n && ag_gradients(ys, gys, n, xs, m, d)) {
        for (int k = 0; k < m; k++) measure(y, d[k], &flow[input[k]]);
    }
    ag_tape_clear(aside);
    ag_tape_rewind(aside, start);
}
