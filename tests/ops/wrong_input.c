/* wrong_input.c: faults that can be made with any operation, one at a time, from a sample that is right.
 *
 * Each must give NULL, the status, one sentence that begins with the op's name, and leave the tape as it was: nothing recorded, and after ag_tape_clear the right sample works. */
#include <stdio.h>
#include <string.h>

#include "ops/property.h"

enum { ANY = -1 };

/* One op's attempts: a right sample on t, and a bit of another tape. */
typedef struct attempt {
    const sample *s;
    ag_tape *t, *elsewhere;
    ag_tensor *in[SAMPLE_INPUTS + 1];
} attempt;

static bool begins_with_op(const char *message, const char *name) {
    size_t n = strlen(name);
    return strncmp(message, name, n) == 0 && (message[n] == ':' || message[n] == ' ');
}

static bool sentence(const sample *s, const char *message) {
    size_t n = strlen(message);
    return begins_with_op(message, s->op->name) && n > strlen(s->op->name) + 8 && n < 400 && !strchr(message, '\n') &&
           message[n - 1] != '.' && message[n - 1] != ' ';
}

/* shown: part of the message */
static void refused_showing(attempt *a, ag_tensor *const in[], int n, const char *text, int status, const char *what,
                            const char *shown) {
    const sample *s = a->s;
    int64_t size = ag_tape_size(a->t);
    ag_tensor *y = ag_call(a->t, s->op->name, in, n, text);
    const char *message = ag_tape_message(a->t);
    need(s, y == NULL, "%s ('%s') is accepted", what, text);
    need(s, ag_tape_status(a->t) != AG_OK, "%s ('%s') sets no error", what, text);
    need(s, status == ANY || ag_tape_status(a->t) == (ag_status)status, "%s is an error of %s: %s", what,
         ag_status_name(ag_tape_status(a->t)), message);
    need(s, sentence(s, message), "%s: not a sentence on this op: '%s'", what, message);
    need(s, strstr(message, shown), "%s: '%s' does not show %s", what, message, shown);
    need(s, sample_call(s, a->t, a->in) == NULL, "%s: the op works while the error stands", what);
    need(s, ag_tape_size(a->t) == size, "%s leaves nodes on the tape", what);
    ag_tape_clear(a->t);
}

static void refused(attempt *a, ag_tensor *const in[], int n, const char *text, int status, const char *what) {
    refused_showing(a, in, n, text, status, what, "");
}

/* The inputs with number i replaced: by a tensor called wrong, of which name and shape are shown. */
static void refused_with(attempt *a, int i, ag_tensor *x, int status, const char *what) {
    ag_tensor *in[SAMPLE_INPUTS];
    char shown[96] = "";
    memcpy(in, a->in, sizeof in);
    in[i] = x;
    if (x && !ag_op_of(x)) ag_shape_text(ag_set_name(x, "wrong"), shown, sizeof shown);
    refused_showing(a, in, a->s->n, a->s->attributes, status, what, shown);
    if (x && status == AG_ERR_DTYPE) { /* both dtypes, or what is needed in words */
        const char *name = ag_dtype_name(ag_dtype_of(x)), *message = ag_last_message();
        need(a->s, strstr(message, name), "%s: '%s' does not say %s", what, message, name);
    }
}

static ag_tensor *zeros(ag_tape *t, ag_dtype dtype, ag_shape shape) { return ag_buffer(t, dtype, shape); }

static void wrong_tensors(attempt *a) {
    const sample *s = a->s;
    ag_tensor *pair = ag_call(a->t, "topk", (ag_tensor *[]){zeros(a->t, AG_F32, AG_SHAPE(3))}, 1, "k=1");
    for (int i = 0; i < s->n; i++) {
        ag_dtype dtype = sample_dtype(s, i, AG_F32);
        bool optional = s->op->optional && i >= s->op->arity;
        if (!optional) refused_with(a, i, NULL, AG_ERR_ARGUMENT, "NULL");
        refused_with(a, i, zeros(a->elsewhere, dtype, s->in[i].shape), s->n > 1 ? AG_ERR_ARGUMENT : ANY,
                     "a tensor of another tape");
        refused_with(a, i, pair, AG_ERR_ARGUMENT, "the whole of a tuple");
    }
}

static void wrong_counts(attempt *a) {
    const sample *s = a->s;
    int arity = s->op->arity, own = s->op->flags & AG_RANDOM ? arity - 1 : arity;
    for (int n = 0; n <= (arity < 0 ? 0 : arity + s->op->optional + 1) && n <= SAMPLE_INPUTS; n++) {
        ag_tensor *in[SAMPLE_INPUTS + 1];
        if (n == own || (arity >= 0 && n >= arity && n <= arity + s->op->optional)) continue;
        for (int i = 0; i < n; i++) in[i] = s->n ? a->in[i < s->n ? i : 0] : zeros(a->t, AG_F32, AG_SHAPE());
        refused(a, in, n, s->attributes, AG_ERR_ARGUMENT, "a wrong number of inputs");
    }
}

/* Scalars of the optimizers' steps may be of either float dtype. */
static bool any_float(const sample *s, int i) {
    return listed(" sgd_step momentum_step adam_step ", s->op->name) && s->in[i].shape.rank == 0;
}

static void wrong_dtypes(attempt *a) {
    const sample *s = a->s;
    ag_tensor *integers[SAMPLE_INPUTS], *bools[SAMPLE_INPUTS];
    int floats = 0;
    if (listed(" expand_as reshape_as ", a->s->op->name))
        return; /* any dtypes: of the second only the shape is looked at */
    memcpy(integers, a->in, sizeof integers);
    memcpy(bools, a->in, sizeof bools);
    for (int i = 0; i < s->n; i++) floats += sample_is_float(s, i);
    for (int i = 0; i < s->n; i++) {
        ag_shape shape = s->in[i].shape;
        if (!sample_is_float(s, i)) {
            refused_with(a, i, zeros(a->t, AG_F32, shape), AG_ERR_DTYPE, "f32 for i64 or bool");
            continue;
        }
        integers[i] = zeros(a->t, AG_I64, shape);
        bools[i] = zeros(a->t, AG_BOOL, shape);
        if (floats == 1) continue;
        if (!any_float(s, i)) refused_with(a, i, zeros(a->t, AG_F64, shape), AG_ERR_DTYPE, "f64 beside f32");
        bool exponent = !strcmp(s->op->name, "ldexp") && i == 1; /* or an integer */
        if (!exponent) refused_with(a, i, integers[i], AG_ERR_DTYPE, "i64 beside f32");
        refused_with(a, i, bools[i], AG_ERR_DTYPE, "bool beside f32");
    }
    if (floats == 0) return;
    if (!listed(integer_ops, s->op->name) && !listed(bool_ops, s->op->name))
        refused(a, integers, s->n, s->attributes, AG_ERR_DTYPE, "i64");
    if (!listed(bool_ops, s->op->name)) {
        refused(a, bools, s->n, s->attributes, AG_ERR_DTYPE, "bool");
    } else {
        ag_tensor *y = ag_call(a->t, s->op->name, bools, s->n, s->attributes);
        need(s, y != NULL, "bool: %s", ag_tape_message(a->t));
    }
}

static void wrong_text(attempt *a) {
    static const char *const malformed[] = {"bogus=1", "bogus",     "=1", "axis", "a b",
                                            "axis=",   "shape = 3", "(",  "p=1=2"};
    for (size_t k = 0; k < sizeof malformed / sizeof *malformed; k++) {
        char text[2 * SAMPLE_TEXT];
        snprintf(text, sizeof text, "%s %s", a->s->attributes, malformed[k]);
        refused(a, a->in, a->s->n, text, AG_ERR_ARGUMENT, "malformed attributes");
    }
}

/* The sample's attributes without `name`, with `name=value` at the end unless value is NULL. */
static void with_attribute(const sample *s, const char *name, const char *value, char out[2 * SAMPLE_TEXT]) {
    size_t n = strlen(name), used = 0;
    const char *p = s->attributes;
    while (*p) {
        size_t length = strcspn(p, " ");
        if (strncmp(p, name, n) != 0 || p[n] != '=') used += (size_t)sprintf(out + used, "%.*s ", (int)length, p);
        p += length + strspn(p + length, " ");
    }
    sprintf(out + used, value ? "%s=%s" : "%.0s%.0s", name, value ? value : "");
}

/* Shifts along one axis add up, as in NumPy and PyTorch. */
static bool repeats_axes(const sample *s, const char *value) {
    return strcmp(s->op->name, "roll") == 0 && strcmp(value, "0,0") == 0;
}

static void wrong_attributes(attempt *a) {
    static const struct {
        ag_attr_type type;
        const char *value;
    } bad[] = {
        {AG_ATTR_BOOL, "perhaps"},
        {AG_ATTR_BOOL, "2"},
        {AG_ATTR_INT, "x"},
        {AG_ATTR_INT, "1.5"},
        {AG_ATTR_INT, "2147483648"},
        {AG_ATTR_INT, "99999999999999999999"},
        {AG_ATTR_INT, "99"},
        {AG_ATTR_INT, "-99"},
        {AG_ATTR_I64, "x"},
        {AG_ATTR_I64, "1e3"},
        {AG_ATTR_I64, "99999999999999999999"},
        {AG_ATTR_I64, "-99999999999999999999"},
        {AG_ATTR_F64, "x"},
        {AG_ATTR_F64, "1.2.3"},
        {AG_ATTR_F64, "1,5"},
        {AG_ATTR_DTYPE, "f16"},
        {AG_ATTR_DTYPE, "F32"},
        {AG_ATTR_SHAPE, "2,,3"},
        {AG_ATTR_SHAPE, "(2,3"},
        {AG_ATTR_SHAPE, "x"},
        {AG_ATTR_SHAPE, "1,1,1,1,1,1,1,1,1"},
        {AG_ATTR_SHAPE, "99999999999999999999"},
        {AG_ATTR_SHAPE, "-5"},
        {AG_ATTR_SHAPE, "4194305,4194305,211106198978564"},
        {AG_ATTR_AXES, "x"},
        {AG_ATTR_AXES, "0,0"},
        {AG_ATTR_AXES, "0,99"},
        {AG_ATTR_AXES, "-99"},
        {AG_ATTR_AXES, "4294967296"},
        {AG_ATTR_AXES, "0,1,2,3,4,5,6,7,8"},
        {AG_ATTR_CHOICE, "x"},
        {AG_ATTR_CHOICE, "0"},
        {AG_ATTR_CHOICE, "\"mean\""},
        {AG_ATTR_CHOICE, "mean|sum"},
        {AG_ATTR_TEXT, "\"a"},
        {AG_ATTR_TEXT, "a\"b"},
        {AG_ATTR_TEXT, "\"a\"b"},
        {AG_ATTR_TEXT, "\"\\y\""},
    };
    char text[2 * SAMPLE_TEXT];
    for (const ag_attr_field *f = a->s->op->attrs; f && f->name; f++) {
        for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
            if (bad[k].type != f->type || repeats_axes(a->s, bad[k].value)) continue;
            with_attribute(a->s, f->name, bad[k].value, text);
            refused(a, a->in, a->s->n, text, ANY, "a wrong value");
        }
        if (f->preset) continue;
        with_attribute(a->s, f->name, NULL, text);
        refused(a, a->in, a->s->n, text, AG_ERR_ARGUMENT, "a missing attribute");
        need(a->s, strstr(ag_last_message(), f->name) != NULL, "'%s' does not name %s", ag_last_message(), f->name);
    }
}

static void wrong_broadcast(attempt *a) {
    const sample *s = a->s;
    ag_tensor *in[3];
    if (!(s->op->flags & AG_MAP) || s->n < 2) return;
    for (int odd = 0; odd < s->n; odd++) {
        for (int i = 0; i < s->n; i++)
            in[i] = zeros(a->t, sample_dtype(s, i, AG_F32), i == odd ? AG_SHAPE(4, 3) : AG_SHAPE(2, 3));
        refused(a, in, s->n, s->attributes, AG_ERR_SHAPE, "shapes that do not broadcast");
        need(s, strstr(ag_last_message(), "(4,3)") && strstr(ag_last_message(), "(2,3)"),
             "'%s' does not show the shapes", ag_last_message());
    }
}

static bool shows_one_of(ag_tensor *const in[], int n, const char *message) {
    char shape[96];
    bool shows = false;
    for (int i = 0; i < n; i++) shows = shows || strstr(message, ag_shape_text(in[i], shape, sizeof shape));
    return shows;
}

/* Shapes that most operations refuse: a scalar, one more axis, more elements on the last. */
static void wrong_shapes(attempt *a) {
    const sample *s = a->s;
    for (int i = 0; i < s->n; i++) {
        for (int k = 0; k < 3; k++) {
            ag_shape shape = s->in[i].shape;
            if (k == 0) shape.rank = 0;
            if (k == 1) shape.dim[shape.rank++] = 7;
            if (k == 2 && shape.rank) shape.dim[shape.rank - 1] += 11;
            ag_tensor *in[SAMPLE_INPUTS], *x = zeros(a->t, sample_dtype(s, i, AG_F32), shape);
            memcpy(in, a->in, sizeof in);
            in[i] = x;
            ag_mark here = ag_tape_mark(a->t);
            bool taken = ag_call(a->t, s->op->name, in, s->n, s->attributes) != NULL;
            bool by_value = ag_tape_status(a->t) == AG_ERR_VALUE; /* the shape is right, then */
            ag_tape_clear(a->t);
            ag_tape_rewind(a->t, here);
            if (taken || by_value) continue;
            refused(a, in, s->n, s->attributes, ANY, "a wrong shape");
            need(s, shows_one_of(in, s->n, ag_last_message()), "'%s' shows no operand's shape", ag_last_message());
        }
    }
}

void wrong_input(const sample *s) {
    attempt a = {.s = s, .t = ag_tape_new(), .elsewhere = ag_tape_new()};
    need(s, sample_tensors(s, a.t, AG_F32, 0, a.in), "%s", ag_tape_message(a.t));
    wrong_tensors(&a);
    wrong_counts(&a);
    wrong_dtypes(&a);
    wrong_text(&a);
    wrong_attributes(&a);
    wrong_broadcast(&a);
    wrong_shapes(&a);
    if (s->n) refused(&a, NULL, s->n, s->attributes, AG_ERR_ARGUMENT, "no array of inputs");
    need(s, ag_call(NULL, s->op->name, a.in, s->n, s->attributes) == NULL, "a NULL tape is accepted");
    need(s, sample_call(s, a.t, a.in) != NULL, "after all errors were cleared: %s", ag_tape_message(a.t));
    ag_tape_free(a.t);
    ag_tape_free(a.elsewhere);
}
