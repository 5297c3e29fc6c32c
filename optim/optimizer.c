/* optimizer.c: parameters, their state, and a step operation that is applied to each.
 *
 *     lr ────────────────┬───────────────┐
 *     w₀  grad(w₀)  m₀ v₀ k₀      w₁  grad(w₁)  m₁ v₁ k₁      …      one operation each
 *
 * All state is made at the start, the gradients' memory too, and a step only records: after the first one, nothing
 * asks the system for memory. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "optim/optimizer.h"

enum { MAX_SLOTS = 8 };

struct ag_optimizer {
    ag_tape *tape;
    const ag_op *step;
    const void *attrs;
    ag_tensor *lr;
    int n, slots;
    ag_tensor **w;     /* [n] */
    ag_tensor **state; /* [n][slots] */
};

/* For the step operations */

static bool need_number(ag_tensor *y, int i) {
    char text[160];
    if (!ag_need_float(y, i)) return false;
    if (ag_size(ag_in(y, i)) == 1) return true;
    return ag_op_fail(y, AG_ERR_SHAPE, "input %d is one number, not %s", i, ag_shape_text(ag_in(y, i), text, sizeof text));
}

bool ag__step_shape(ag_tensor *y, int like, bool counts) {
    if (!ag_need_float(y, AG__W) || !need_number(y, AG__LR)) return false;
    for (int i = AG__G; i < AG__STATE + like; i++) {
        if (i != AG__LR && !(ag_need_same_dtype(y, AG__W, i) && ag_need_same_shape(y, AG__W, i))) return false;
    }
    if (counts && !need_number(y, AG__STATE + like)) return false;
    return ag_out_view(y, ag_shape_of(ag_in(y, AG__W)), NULL, 0);
}

static ag_tensor *count(const ag_tensor *y) { return ag_in(y, ag_in_count(y) - 1); }

double ag__step_count(const ag_tensor *y) { return ag_item(count(y)); }

void ag__step_count_up(ag_tensor *y) {
    void *k = ag_op_write(y, ag_in_count(y) - 1);
    if (ag_dtype_of(count(y)) == AG_F32) *(float *)k += 1;
    else *(double *)k += 1;
}

/* Options */

bool ag__options_take(ag_tape *t, const char *where, void *to, size_t size, const void *from) {
    if (!from) return true;
    size_t known;
    memcpy(&known, from, sizeof known);
    if (!known) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, where,
                            "the options have size 0: begin with ag_sgd_defaults() or ag_adam_defaults()") != NULL;
    }
    memcpy(to, from, known < size ? known : size);
    return true;
}

bool ag__option_check(ag_tape *t, const char *where, bool ok, const char *name, double value, const char *interval) {
    return ok || ag_tape_fail(t, AG_ERR_ARGUMENT, where, "%s is %g; it should be %s", name, value, interval) != NULL;
}

/* Making one */

static bool params_ok(ag_tape *t, ag_tensor *const params[], int n) {
    static const char where[] = "optim";
    char text[160];
    if (n < 1 || !params) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "there are no parameters") != NULL;
    for (int i = 0; i < n; i++) {
        ag_tensor *w = params[i];
        if (!w) return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "parameter %d is NULL", i) != NULL;
        ag_shape_text(w, text, sizeof text);
        if (ag_tape_of(w) != t)
            return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "parameter %d, %s, is on another tape", i, text) != NULL;
        if (!ag_is_leaf(w) || ag_index(w) >= 0) {
            return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "parameter %d, %s, is not a persistent leaf", i, text) != NULL;
        }
        if (ag_dtype_of(w) > AG_F64) {
            return ag_tape_fail(t, AG_ERR_DTYPE, where, "parameter %d, %s, is %s, not f32 or f64", i, text,
                                ag_dtype_name(ag_dtype_of(w))) != NULL;
        }
        for (int j = 0; j < i; j++) {
            if (params[j] != w) continue;
            return ag_tape_fail(t, AG_ERR_ARGUMENT, where, "parameters %d and %d are the same, %s", j, i, text) != NULL;
        }
    }
    return true;
}

static ag_tensor *make_state(ag_tensor *w, int i, const ag_optim_slot *slot) {
    char name[300];
    if (*ag_name(w)) snprintf(name, sizeof name, "%s.%s", ag_name(w), slot->name);
    else snprintf(name, sizeof name, "%d.%s", i, slot->name);
    ag_tape *t = ag_tape_of(w);
    ag_tensor *s = slot->like_weight ? ag_buffer(t, ag_dtype_of(w), ag_shape_of(w)) : ag_buffer(t, AG_F64, AG_SHAPE());
    return ag_set_name(s, name);
}

static void *alloc_array(ag_tape *t, size_t n, size_t element) {
    if (n > SIZE_MAX / element) return ag_tape_fail(t, AG_ERR_MEMORY, "optim", "out of memory");
    return ag_tape_alloc(t, n * element);
}

ag_optimizer *ag_optim_new(ag_tape *t, ag_tensor *const params[], int n, double lr, const ag_op *step,
                           const void *attrs, const ag_optim_slot *slots, int slot_count) {
    if (!t || ag_tape_status(t) || !params_ok(t, params, n))
        return t ? NULL : ag_tape_fail(NULL, AG_ERR_ARGUMENT, "optim", "the tape is NULL");
    if (!step || slot_count < 0 || slot_count > MAX_SLOTS || (slot_count && !slots)) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "optim", "a step operation with 0 to %d states is needed", MAX_SLOTS);
    }
    ag_optimizer *o = ag_tape_alloc(t, sizeof *o);
    void *own = o ? ag_tape_alloc(t, step->attr_size) : NULL;
    if (!own) return NULL;
    if (attrs) memcpy(own, attrs, step->attr_size);
    *o = (ag_optimizer){.tape = t, .step = step, .attrs = attrs ? own : NULL, .n = n, .slots = slot_count};
    o->w = alloc_array(t, (size_t)n, sizeof *o->w);
    o->state = alloc_array(t, (size_t)n * (size_t)slot_count + 1, sizeof *o->state);
    o->lr = ag_set_name(ag_buffer(t, AG_F64, AG_SHAPE()), "lr");
    if (!o->w || !o->state || !o->lr) return NULL;
    memcpy(o->w, params, (size_t)n * sizeof *o->w);
    for (int i = 0; i < n; i++) {
        if (ag_requires_grad(o->w[i])) ag_grad(o->w[i]);
        for (int j = 0; j < slot_count; j++) o->state[i * slot_count + j] = make_state(o->w[i], i, &slots[j]);
    }
    return ag_optim_set_lr(o, lr) ? o : NULL;
}

/* Using it */

static bool usable(const ag_optimizer *o, const char *where) {
    if (!o) return ag_tape_fail(NULL, AG_ERR_ARGUMENT, where, "the optimizer is NULL") != NULL;
    return ag_tape_status(o->tape) == AG_OK;
}

bool ag_optim_step(ag_optimizer *o) {
    if (!usable(o, "optim_step")) return false;
    for (int i = 0; i < o->n; i++) {
        ag_tensor *w = o->w[i];
        if (!ag_has_grad(w) || !ag_requires_grad(w)) continue;
        ag_tensor *in[AG__STATE + MAX_SLOTS] = {[AG__W] = w, [AG__G] = ag_grad(w), [AG__LR] = o->lr};
        for (int j = 0; j < o->slots; j++) in[AG__STATE + j] = o->state[i * o->slots + j];
        if (!ag_apply_on(o->tape, o->step, in, AG__STATE + o->slots, o->attrs)) return false;
    }
    return true;
}

bool ag_optim_zero_grad(ag_optimizer *o) {
    if (!usable(o, "optim_zero_grad")) return false;
    for (int i = 0; i < o->n; i++) {
        if (ag_has_grad(o->w[i]) && !ag_zero_grad(o->w[i])) return false;
    }
    return true;
}

bool ag_optim_set_lr(ag_optimizer *o, double lr) {
    static const char where[] = "optim_set_lr";
    return usable(o, where) && ag__option_check(o->tape, where, lr >= 0, "lr", lr, "at least 0") && ag_fill(o->lr, lr);
}

double ag_optim_lr(const ag_optimizer *o) { return o ? ag_item(o->lr) : (double)NAN; }

int ag_optim_state_count(const ag_optimizer *o) { return o ? 1 + o->n * o->slots : 0; }

ag_tensor *ag_optim_state(const ag_optimizer *o, int i) {
    if (i < 0 || i >= ag_optim_state_count(o)) return NULL;
    return i ? o->state[i - 1] : o->lr;
}
