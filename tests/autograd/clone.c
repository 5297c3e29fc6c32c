/* ag_clone and ag_replay: the graph again, elsewhere or with other values. */
#include <math.h>
#include <string.h>

#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* A net with what clones must take care of: parameters, data, integers, constants, views, a tuple, randomness, scopes, names. */
typedef struct net {
    ag_tensor *w, *x, *label, *hidden, *loss;
} net;

static net build(ag_tape *t, ag_dtype dtype) {
    net n;
    uint64_t state = 3;
    n.x = ag_set_name(check_leaf(t, dtype, AG_SHAPE(4, 3), 0, -1, 1, &state), "x");
    n.label = ag_from_i64(t, (int64_t[]){0, 1, 1, 0}, AG_SHAPE(4));
    ag_scope_push(t, "net");
    n.w = ag_set_name(check_leaf(t, dtype, AG_SHAPE(2, 3), AG_REQUIRES_GRAD, -1, 1, &state), "weight");
    n.hidden = ag_set_name(ag_matmul(n.x, ag_transpose(n.w, 0, 1)), "hidden");
    ag_scope_push(t, "drop");
    ag_tensor *dropped = ag_dropout(ag_add(n.hidden, ag_full(t, dtype, AG_SHAPE(4, 2), 0.5)), 0.25);
    ag_scope_pop(t);
    ag_tensor *top = ag_topk(dropped, 1, 1, NULL), *cut = ag_detach(ag_exp(n.hidden));
    n.loss = ag_add(ag_cross_entropy(ag_add(dropped, cut), n.label), SUM(top));
    ag_scope_pop(t);
    return n;
}

static const struct {
    ag_dtype from, to;
    double tolerance;
} conversions[] = {
    {AG_F32, AG_DTYPE_COUNT, 0}, {AG_F32, AG_F32, 0}, {AG_F32, AG_F64, 1e-6}, {AG_F64, AG_F32, 1e-6}, {AG_F64, AG_F64, 0}};

Test(graph, clones_have_the_same_values_names_and_scopes) {
    for (int i = 0; i < COUNT_OF(conversions); i++) {
        ag_tape *t = ag_tape_new(), *other = ag_tape_new();
        ag_dtype to = conversions[i].to == AG_DTYPE_COUNT ? conversions[i].from : conversions[i].to;
        net n = build(t, conversions[i].from);
        ag_tensor *ys[] = {n.loss, n.w, n.hidden, n.label}, *out[4];
        int64_t size = ag_tape_size(t);
        cr_assert(ag_clone(other, ys, 4, conversions[i].to, 0, out), "%s", ag_tape_message(other));
        cr_assert_eq(ag_tape_size(t), size, "nothing is recorded on the source");
        for (int k = 0; k < 4; k++) {
            assert_near(out[k], ys[k], conversions[i].tolerance);
            cr_assert_eq(ag_dtype_of(out[k]), k == 3 ? AG_I64 : to);
            cr_assert_eq(ag_tape_of(out[k]), other);
            cr_assert_str_eq(ag_name(out[k]), ag_name(ys[k]));
            cr_assert_str_eq(ag_scope_name(other, ag_scope_of(out[k])), ag_scope_name(t, ag_scope_of(ys[k])));
            cr_assert_eq(ag_index(out[k]) < 0, ag_index(ys[k]) < 0, "persistent stays persistent");
        }
        cr_assert(ag_requires_grad(out[1]) && ag_is_leaf(out[1]) && !ag_requires_grad(out[3]));
        cr_assert_eq(ag_scope_of(ag_neg(out[0])), 0, "no scope stays open");
        cr_assert(ag_backward(out[0]) && ag_backward(n.loss), "%s", ag_tape_message(t));
        assert_near(ag_grad(out[1]), ag_grad(n.w), 10 * conversions[i].tolerance);
        cr_assert(ag_fill(out[1], 0));
        cr_assert_neq(ag_at(n.w, 0), 0, "copies, not loans");
        ag_tape_free(t);
        ag_tape_free(other);
    }
}

/* A shared subgraph is copied once, and what does not lead to the ys is not. */
Test(graph, clones_copy_what_is_needed_once) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *h = ag_square(w), *y = ag_add(h, h), *out[3];
    ag_neg(w);
    ag_exp(h);
    cr_assert(ag_clone(other, (ag_tensor *[]){y, h, y}, 3, AG_DTYPE_COUNT, 0, out));
    cr_assert_eq(ag_tape_size(other), 2);
    cr_assert(ag_input(out[0], 0) == out[1] && ag_input(out[0], 1) == out[1] && out[2] == out[0]);
    cr_assert(ag_clone(other, &w, 1, AG_DTYPE_COUNT, 0, &w), "out may be ys");
    cr_assert_eq(ag_tape_of(w), other);
    cr_assert(ag_backward(SUM(y)), "the source is as it was");
    ag_tape_free(t);
    ag_tape_free(other);
}

/* ag_full of any size stays without memory. */
Test(graph, clones_of_constants_are_constants) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *huge = ag_full(t, AG_F32, AG_SHAPE(1 << 20, 1 << 20), 0.5),
              *y = ag_slice(ag_slice(huge, 0, 0, 1, 1), 1, 0, 2, 1), *out;
    cr_assert(ag_clone(other, &y, 1, AG_F64, 0, &out), "%s", ag_tape_message(other));
    assert_values(out, 0, 0.5, 0.5);
    cr_assert_lt(ag_tape_bytes(other), 8u << 20);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph, clones_leave_effects_out) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2), *leaf = ag_set_name(DATA(t, 0, 0), "average"), *out[2];
    ag_tensor *effect = ag_lerp_into(leaf, ag_detach(w), 0.5), *y = SUM(ag_mul(w, effect));
    cr_assert(ag_clone(other, (ag_tensor *[]){y, leaf}, 2, AG_DTYPE_COUNT, 0, out), "%s", ag_tape_message(other));
    assert_values(out[0], 0, 2.5);
    assert_values(out[1], 0, 0.5, 1);
    cr_assert(ag_replay(other));
    assert_values(out[1], 0, 0.5, 1);
    for (int64_t i = 0; i < ag_tape_size(other); i++)
        cr_assert_str_neq(ag_op_name(ag_tape_node(other, i)), "lerp_into");
    assert_values(leaf, 0, 0.5, 1);
    ag_tape_free(t);
    ag_tape_free(other);
}

/* With AG_CLONE_HOLD, what has no gradient keeps its recorded value when the leaves change. */
Test(graph, clones_may_hold_what_has_no_gradient) {
    for (int hold = 0; hold < 2; hold++) {
        ag_tape *t = ag_tape_new(), *other = ag_tape_new();
        ag_tensor *w = PARAM(t, 1, 4, 2), *index, *out[7];
        ag_topk(w, 3, 0, &index);
        ag_set_recording(t, false);
        ag_tensor *cut = ag_square(w), *cut_part = ag_topk(w, 1, 0, NULL);
        ag_set_recording(t, true);
        ag_tensor *mask = ag_dropout_mask(t, AG_F64, AG_SHAPE(3), 0.5);
        ag_tensor *ys[] = {ag_detach(w), ag_sign(ag_add_scalar(w, -3)), cut, cut_part, mask, ag_square(w), w};
        cr_assert(ag_clone(other, ys, 7, AG_DTYPE_COUNT, hold ? AG_CLONE_HOLD : 0, out), "%s", ag_tape_message(other));
        for (int i = 0; i < 7; i++) assert_same(out[i], ys[i]);
        cr_assert(ag_fill(out[6], 5) && ag_replay(other));
        assert_values(out[5], 0, 25, 25, 25);
        if (hold) {
            for (int i = 0; i < 5; i++) assert_same(out[i], ys[i]);
            for (int i = 0; i < 5; i++) cr_assert(ag_is_leaf(out[i]) && !ag_requires_grad(out[i]), "y %d", i);
        } else {
            assert_values(out[0], 0, 5, 5, 5);
            assert_values(out[1], 0, 1, 1, 1);
            assert_values(out[2], 0, 25, 25, 25);
            assert_values(out[3], 0, 5);
            assert_same(out[4], mask);
        }
        cr_assert(!ag_requires_grad(out[2]), "what was not recorded for gradients is not");
        ag_tape_free(t);
        ag_tape_free(other);
    }
}

/* The copy draws the same numbers, also on a tape that has another key; and the source's key stays the source's. */
Test(graph, clones_of_random_nodes_repeat_them) {
    for (int seeded = 0; seeded < 2; seeded++) {
        ag_tape *t = ag_tape_new(), *other = ag_tape_new();
        ag_seed(t, 1234);
        if (seeded) ag_seed(other, 99);
        ag_dropout_mask(t, AG_F32, AG_SHAPE(100), 0.5);
        ag_tensor *mask = ag_dropout_mask(t, AG_F32, AG_SHAPE(100), 0.5), *out;
        cr_assert(ag_clone(other, &mask, 1, AG_F64, 0, &out), "%s", ag_tape_message(other));
        cr_assert_eq(ag_dtype_of(out), AG_F64);
        assert_near(out, mask, 0);
        cr_assert(ag_replay(other));
        assert_near(out, mask, 0);
        ag_tape_free(t);
        ag_tape_free(other);
    }
}

/* What is drawn after cloning is not what the copied nodes drew. */
Test(graph, clones_draw_other_numbers_than_their_copies) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_seed(t, 7);
    ag_tensor *x = ag_rand(t, AG_F64, AG_SHAPE(8)), *y = ag_rand(t, AG_F64, AG_SHAPE(8)), *ys[2] = {x, y}, *out[2];
    cr_assert(ag_clone(other, ys, 2, AG_DTYPE_COUNT, 0, out), "%s", ag_tape_message(other));
    const double *next = ag_f64(ag_rand(other, AG_F64, AG_SHAPE(8)));
    for (int i = 0; i < 8; i++) cr_assert(next[i] != ag_at(x, i) && next[i] != ag_at(y, i));
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph, wrong_clones_are_errors) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new(), *third = ag_tape_new();
    ag_tensor *w = PARAM(t, 1), *foreign = PARAM(third, 1), *out[2];
    cr_assert(!ag_clone(NULL, &w, 1, AG_F32, 0, out));
    cr_assert(!ag_clone(other, &w, 1, AG_I64, 0, out));
    assert_error(other, AG_ERR_DTYPE, "clone");
    cr_assert(!ag_clone(other, (ag_tensor *[]){w, foreign}, 2, AG_F32, 0, out));
    assert_error(other, AG_ERR_ARGUMENT, "tensor 1 is NULL or on another tape");
    cr_assert(!ag_clone(other, (ag_tensor *[]){NULL}, 1, AG_F32, 0, out));
    assert_error(other, AG_ERR_ARGUMENT, "NULL");
    cr_assert(!ag_clone(other, &w, 0, AG_F32, 0, out));
    ag_tape_clear(other);
    cr_assert(!ag_clone(t, &w, 1, AG_F32, 0, out));
    assert_error(t, AG_ERR_ARGUMENT, "the tape of the graph itself");
    ag_tape_free(t);
    ag_tape_free(other);
    ag_tape_free(third);
}

/* Replay */

Test(graph, replay_follows_the_leaves) {
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    net n = build(t, AG_F64);
    ag_tensor *d, *fresh[2], *average = DATA(t, 0, 0), *effect = ag_assign(average, DATA(t, 3, 4)),
                             *view = ag_reshape(n.hidden, AG_SHAPE(8));
    cr_assert(ag_gradients(&n.loss, NULL, 1, &n.w, 1, &d));
    double loss = ag_item(n.loss);
    const double *pointer = ag_f64(n.hidden);
    cr_assert(ag_fill(average, 7));
    cr_assert(ag_replay(t));
    assert_close(ag_item(n.loss), loss, 0); /* the same leaves and random numbers: the same bits */
    assert_values(average, 0, 7, 7);
    assert_values(effect, 0, 7, 7);
    cr_assert(ag_fill(n.w, 0.25) && ag_replay(t));
    cr_assert_neq(ag_item(n.loss), loss);
    cr_assert(ag_clone(other, (ag_tensor *[]){n.loss, d}, 2, AG_DTYPE_COUNT, 0, fresh), "%s", ag_tape_message(other));
    assert_same(n.loss, fresh[0]);
    assert_same(d, fresh[1]); /* the recorded gradient was replayed, too */
    cr_assert_eq(ag_f64(n.hidden), pointer, "results stay where they are");
    assert_close(ag_at(view, 1), ag_at(n.hidden, 1), 0);
    cr_assert(ag_backward(n.loss), "replayed nodes are not stale");
    assert_near(ag_grad(n.w), d, 1e-12);
    cr_assert(!ag_replay(NULL));
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph, replay_can_fail) {
    ag_tape *t = ag_tape_new();
    ag_tensor *a = ag_leaf(t, AG_F64, (double[]){4, 2, 2, 3}, AG_SHAPE(2, 2), AG_REQUIRES_GRAD);
    ag_tensor *scaled = ag_scale(a, 1), *l = ag_cholesky(scaled), *y = SUM(ag_square(l));
    assert_values(l, 1e-15, 2, 0, 1, sqrt(2));
    cr_assert(ag_write(a, (double[]){-4, 2, 2, 3}));
    cr_assert(!ag_replay(t));
    assert_error(t, AG_ERR_VALUE, "cholesky");
    cr_assert(!ag_backward(y), "its nodes are of two minds");
    assert_error(t, AG_ERR_STATE, "was overwritten");
    cr_assert(ag_write(a, (double[]){9, 3, 3, 2}) && ag_replay(t));
    assert_values(l, 1e-15, 3, 0, 1, 1);
    cr_assert(ag_backward(y)); /* the trace of a: the identity */
    assert_values(ag_grad(a), 1e-15, 1, 0, 0, 1);
    ag_tape_free(t);
}
