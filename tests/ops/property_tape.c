/* property_tape.c: a recorded op as part of a tape: cloned, replayed, and made again from its attributes' text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/property.h"

static void clone_in(const sample *s, ag_dtype from, ag_dtype to) {
    char text[CHECK_TEXT];
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *y[3], *copy[3];
    need(s, sample_tensors(s, t, from, AG_REQUIRES_GRAD, in), "%s", ag_tape_message(t));
    ag_tensor *made = sample_call(s, t, in);
    need(s, made != NULL, "%s", ag_tape_message(t));
    int n = sample_outputs(made, y, 3);
    need(s, ag_clone(u, y, n, to, 0, copy), "%s", ag_tape_message(u));
    for (int i = 0; i < n; i++) {
        bool converts = to != AG_DTYPE_COUNT && ag_dtype_of(y[i]) <= AG_F64;
        ag_dtype expected = converts ? to : ag_dtype_of(y[i]);
        need(s, ag_dtype_of(copy[i]) == expected, "output %d of the clone is %s", i, ag_dtype_name(ag_dtype_of(copy[i])));
        bool same = to == AG_DTYPE_COUNT ? check_same(copy[i], y[i], text) : check_near(copy[i], y[i], 1e-5, text);
        need(s, same, "output %d of the clone: %s", i, text);
        need(s, ag_requires_grad(copy[i]) == ag_requires_grad(y[i]),
             "the clone forgot whether output %d requires a gradient", i);
        bool leaf = s->op->flags & AG_EFFECT;
        need(s, leaf || strcmp(ag_op_name(copy[i]), ag_op_name(y[i])) == 0, "output %d is now made by %s", i,
             ag_op_name(copy[i]));
    }
    ag_tape_free(t); /* the clone stands alone */
    need(s, ag_replay(u), "%s", ag_tape_message(u));
    ag_tape_free(u);
}

void clones(const sample *s) {
    clone_in(s, AG_F32, AG_DTYPE_COUNT);
    clone_in(s, AG_F32, AG_F64);
    clone_in(s, AG_F64, AG_F32);
}

/* Other values for the leaves, as good as the sample's: every matrix, row or list is halved. */
static bool change(const sample *s, ag_tensor *const in[]) {
    static double values[SAMPLE_ELEMENTS];
    for (int i = 0; i < s->n; i++) {
        if (!sample_is_float(s, i)) continue;
        sample_values(s, i, values);
        for (int64_t k = 0; k < ag_size(in[i]); k++) values[k] *= 0.75;
        if (!ag_write(in[i], values)) return false;
    }
    return true;
}

void replays(const sample *s) {
    char text[CHECK_TEXT];
    ag_tape *t = ag_tape_new(), *u = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *fresh_in[SAMPLE_INPUTS], *y[3], *fresh[3];
    if (s->op->flags & AG_EFFECT) { /* skipped by a replay: the leaf keeps what was written */
        ag_tape_free(t);
        ag_tape_free(u);
        return;
    }
    need(s, sample_tensors(s, t, AG_F64, 0, in) && sample_tensors(s, u, AG_F64, 0, fresh_in), "leaves");
    ag_tensor *made = sample_call(s, t, in);
    need(s, made && change(s, in) && ag_replay(t) && change(s, fresh_in), "%s", ag_tape_message(t));
    ag_tensor *again = sample_call(s, u, fresh_in);
    need(s, again != NULL, "%s", ag_tape_message(u));
    int n = sample_outputs(made, y, 3);
    sample_outputs(again, fresh, 3);
    for (int i = 0; i < n; i++) need(s, check_same(y[i], fresh[i], text), "output %d: %s", i, text);
    ag_tape_free(t);
    ag_tape_free(u);
}

void attributes(const sample *s) {
    char text[SAMPLE_TEXT], same[SAMPLE_TEXT], reason[CHECK_TEXT];
    ag_tape *t = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS];
    need(s, sample_tensors(s, t, AG_F32, 0, in), "%s", ag_tape_message(t));
    ag_tensor *y = sample_call(s, t, in);
    need(s, y != NULL, "%s", ag_tape_message(t));
    bool own = ag_op_of(y) == s->op && !(s->op->flags & AG_EFFECT); /* composed ops leave other nodes, or one of other inputs */
    for (int i = 0; i < s->n; i++) own = own && ag_input(y, i) == in[i];
    if (own) {
        size_t length = ag_attr_text(y, text, sizeof text);
        need(s, length < sizeof text && length == strlen(text), "the text has %zu characters, said %zu", strlen(text),
             length);
        ag_tensor *again = ag_call(t, s->op->name, in, s->n, text), *a[3], *b[3];
        need(s, again != NULL, "'%s' is not read back: %s", text, ag_tape_message(t));
        ag_attr_text(again, same, sizeof same);
        need(s, strcmp(text, same) == 0, "'%s' came back as '%s'", text, same);
        int n = sample_outputs(y, a, 3);
        sample_outputs(again, b, 3);
        for (int i = 0; i < n; i++) need(s, check_same(a[i], b[i], reason), "'%s': %s", text, reason);
    }
    ag_tape_free(t);
}
