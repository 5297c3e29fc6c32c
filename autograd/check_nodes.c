/* check_nodes.c: every node's rule alone, so that the one wrong op in a model has a name.
 *
 *     recorded inputs, in f64 ─▶ the op, with its attributes ─▶ outputs      f = Σ ⟨random weights, outputs⟩
 *
 * Each node becomes a trial on one tape, which is rewound to its beginning afterwards. An op's inputs are separate leaves,
 * also where the graph gives it one tensor twice. What was not finite when it came in is nobody's fault here. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradcheck.h"

static const double WORK = 1e7; /* elements read and written until samples have to do */

static int outputs(const ag_tensor *y) { return y->flags & AG__TUPLE ? y->op->nout : 1; }

static bool all_finite(const ag_tensor *x) {
    for (int64_t i = 0; ag__is_float(x->dtype) && i < x->shape->size; i++) {
        if (!isfinite(ag_at(x, i))) return false;
    }
    return true;
}

static bool finite_inputs(const ag_tensor *y) {
    for (uint32_t i = 0; i < y->nin; i++) {
        if (!all_finite(ag__in(y)[i])) return false;
    }
    return true;
}

static bool finite_outputs(const ag_tensor *y) {
    for (int o = 0; o < outputs(y); o++) {
        if (!all_finite(ag_out(y, o))) return false;
    }
    return true;
}

/* "#17 matmul[1] in mlp/0": the node, which of several inputs moves (< 0: not said), and the scope. */
void ag__check_node_name(char out[64], const ag_tensor *y, int input) {
    int path[8], depth = 0;
    const ag_tape *t = y->tape;
    int n = snprintf(out, 64, y->nin > 1 && input >= 0 ? "#%lld %s[%d]" : "#%lld %s", (long long)y->index, y->op->name,
                     input);
    for (int s = y->scope; s && depth < 8; s = t->scopes[s].parent) path[depth++] = s;
    for (int i = depth; i-- > 0 && n > 0 && n < 64;) {
        n += snprintf(out + n, (size_t)(64 - n), "%s%s", i == depth - 1 ? " in " : "/", t->scopes[path[i]].name);
    }
}

/* Where the graph asks no gradient at all, every float input counts. */
static bool moves(const ag_tensor *y, uint32_t i, bool all) {
    const ag_tensor *x = ag__in(y)[i];
    return ag__is_float(x->dtype) && (all || x->flags & AG__GRAD);
}

static bool add_weights(ag__trial *t, const ag_tensor *y, int o, uint64_t seed) {
    ag_tensor *out = ag_out(y, o), *w = NULL;
    if (!ag__is_float(out->dtype)) return true;
    w = ag_leaf(t->tape, AG_F64, NULL, ag_shape_of(out), AG_RECORDED);
    if (!w) return false;
    for (int64_t i = 0; i < out->shape->size; i++) {
        ((double *)w->data)[i] = isfinite(ag_at(out, i)) ? ag__check_random(seed, o, i) : 0;
    }
    t->y[t->m] = out;
    t->w[t->m++] = w;
    return true;
}

static bool take_inputs(ag__trial *t, const ag_tensor *y, bool all, ag_tensor **in) {
    for (uint32_t i = 0; i < y->nin; i++) {
        bool moved = moves(y, i, all);
        in[i] = ag__check_widen(t->tape, ag__in(y)[i], moved ? AG_RECORDED | AG_REQUIRES_GRAD : AG_RECORDED);
        if (!in[i]) return false;
        if (!moved) continue;
        ag__moved *x = &t->x[t->n++];
        *x = (ag__moved){.source = ag__in(y)[i], .leaf = in[i]};
        ag__check_node_name(x->name, y, (int)i);
    }
    return true;
}

/* The trial of y: its inputs as leaves, its op, weights. Returns the copy of y. */
static const ag_tensor *build(ag__check *c, const ag_tensor *y, bool all) {
    ag__trial *t = &c->t;
    ag__region *r = &t->tape->recorded;
    *t = (ag__trial){.tape = t->tape, .order = 1, .seed = c->o.seed, .floor = 16 * DBL_EPSILON};
    ag_tensor **in = ag__bump(t->tape, r, (y->nin + 1) * sizeof *in);
    t->x = ag__bump(t->tape, r, y->nin * sizeof *t->x);
    t->y = ag__bump(t->tape, r, (size_t)outputs(y) * sizeof *t->y);
    t->w = ag__bump(t->tape, r, (size_t)outputs(y) * sizeof *t->w);
    void *attrs = ag__bump(t->tape, r, y->op->attr_size + 1);
    if (!in || !t->x || !t->y || !t->w || !attrs || !take_inputs(t, y, all, in)) return NULL;
    if (y->op->attr_size) {
        memcpy(attrs, y->attrs, y->op->attr_size);
        ag__attrs_convert(y->op, attrs, AG_F64);
    }
    const ag_tensor *made = ag_apply_on(t->tape, y->op, in, (int)y->nin, y->op->attr_size ? attrs : NULL);
    for (int o = 0; made && o < outputs(y); o++) {
        if (!add_weights(t, made, o, c->o.seed + 3)) return NULL;
    }
    return made;
}

static double largest(const ag_tensor *x) {
    double most = 0;
    for (int64_t i = 0; ag__is_float(x->dtype) && i < x->shape->size; i++) most = fmax(most, fabs(ag_at(x, i)));
    return most;
}

/* Is the value in f64 far from the recorded one, by more than rounding explains? Then the op does not do in f64 what it does
 * in f32. Of random ops and of inputs written to since, nothing is known. */
static bool strays(const ag_tensor *y, const ag_tensor *made) {
    double size = 0;
    if (y->op->flags & AG_RANDOM) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        const ag_tensor *x = ag__in(y)[i];
        if (x->store && x->store->stamp > y->ran) return false;
        size = fmax(size, largest(x));
    }
    for (int o = 0; o < outputs(y); o++) {
        const ag_tensor *was = ag_out(y, o), *is = ag_out(made, o);
        double far = 1e-2 * fmax(size, largest(was));
        for (int64_t i = 0; ag__is_float(was->dtype) && i < was->shape->size; i++) {
            if (fabs(ag_at(was, i) - ag_at(is, i)) > far) return true;
        }
    }
    return false;
}

/* Elements read and written by a run of the trial. */
static double work_of(const ag__trial *t) {
    double work = 1;
    for (int64_t i = 0; i < t->tape->recorded.count; i++) work += (double)ag__node(&t->tape->recorded, i)->shape->size;
    return work;
}

/* A row that fails, for what could not be computed. */
static void blame(ag__check *c, const ag_tensor *y, ag_verdict verdict) {
    ag__tally tally;
    ag_check_row row = {.node = c->node, .order = 1, .index = -1, .verdict = verdict};
    row.at = row.analytic = row.numeric = row.recorded = row.ulps = row.absolute = row.relative = (double)NAN;
    ag__check_node_name(row.name, y, -1);
    row.x = y->nin ? ag__in(y)[0] : NULL;
    ag__tally_start(&tally);
    ag__tally_add(&tally, &row);
    ag__tally_close(&tally, c->report);
}

static bool check_node(ag__check *c, ag_tensor *y, bool all) {
    c->node = y;
    c->tainted = !finite_inputs(y);
    if (!c->tainted && !finite_outputs(y)) {
        blame(c, y, AG_NOT_FINITE);
        return true;
    }
    ag_mark here = ag_tape_mark(c->t.tape);
    const ag_tensor *made = build(c, y, all);
    bool steady = false, far = made && !c->tainted && strays(y, made);
    if (!made || (far && !ag__trial_settle(&c->t, &steady))) return false;
    double affordable = fmin(WORK / work_of(&c->t), AG__CHECK_ELEMENTS);
    c->samples = c->o.mode == AG_CHECK_AUTO ? (int)fmax(2, fmin(affordable, c->o.samples)) : c->o.samples;
    if (far && steady) {
        blame(c, y, AG_BRANCH_DIFFERS);
    } else if (!ag__check_run(c, (int64_t)affordable)) {
        blame(c, y, AG_WRONG); /* the rule gave up */
        return false;
    }
    return ag_tape_rewind(c->t.tape, here);
}

/* At a kink the outputs are looked at one by one; what comes after the first order is not defined there. */
static bool confirm(ag__check *c, const ag__line *l, ag_check_row *row) {
    bool right = false, kink = row->verdict == AG_KINK;
    (void)c;
    if (row->order > 1 && kink) return true;
    if (!(row->order > 1 ? ag__line_bends(l, &right) : ag__kink_outputs(l, &right))) return false;
    if (right) row->verdict = AG_KINK;
    if (kink && !right) row->verdict = AG_WRONG;
    return true;
}

static bool has_rule(const ag_tensor *y, bool all) {
    if (!y->op || !(y->op->grad || y->op->compose || ag__expands(y->op)) || ag__check_holds(y)) return false;
    for (uint32_t i = 0; i < y->nin; i++) {
        if (moves(y, i, all)) return true;
    }
    return false;
}

static bool check_all(ag__check *c, ag_tensor *loss, int64_t hi) {
    bool all = !(loss->flags & AG__GRAD);
    for (int64_t i = 0; i < hi; i++) {
        ag_tensor *y = ag__node(&loss->tape->recorded, i);
        if (!(y->flags & AG__TARGET) || !has_rule(y, all) || check_node(c, y, all)) continue;
        char name[64];
        ag__check_node_name(name, y, -1);
        ag_status status = c->t.tape->status;
        if (status) ag__fail(loss->tape, status, "gradcheck_nodes: %s: %s", name, c->t.tape->message);
        return false;
    }
    return true;
}

bool ag_gradcheck_nodes(ag_tensor *loss, const ag_check_options *options, ag_check_report *report) {
    static const char what[] = "gradcheck_nodes";
    ag_check_report own;
    ag__check c;
    if (!report) report = &own;
    ag__report_start(report);
    if (!ag__check_arguments(loss, NULL, 0, what) || !ag__check_start(&c, options, report, loss->tape, what))
        return false;
    c.confirm = confirm;
    int64_t hi = ag__check_mark(loss, true);
    bool done = check_all(&c, loss, hi);
    ag__check_unmark(loss->tape, hi);
    return ag__check_end(&c, done, NULL, what);
}
