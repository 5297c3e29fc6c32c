/* layers.c: the layers of nn.h, each made of the same functions that a user has. */
#include <math.h>
#include <stdio.h>

#include "autograd/op.h"
#include "nn/nn.h"
#include "ops/ops.h"

/* Linear: weight (out, in), bias (out) */

static ag_tensor *linear_forward(ag_module *m, ag_tensor *x) {
    return ag_linear(x, ag_module_tensor(m, 0), ag_module_tensor(m, 1));
}

ag_module *ag_nn_linear(ag_tape *t, int64_t in, int64_t out, bool bias) {
    if (in < 0 || out < 0) {
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "nn_linear", "%lld features in and %lld out: neither may be negative",
                            (long long)in, (long long)out);
    }
    double bound = in ? 1 / sqrt((double)in) : 0;
    ag_module *m = ag_module_new(t, "linear", linear_forward, NULL, 0);
    if (!m) return NULL;
    m = ag_module_add_parameter(m, "weight", ag_nn_uniform(ag_param(t, AG_F32, AG_SHAPE(out, in)), -bound, bound));
    if (!m || !bias) return m;
    return ag_module_add_parameter(m, "bias", ag_nn_uniform(ag_param(t, AG_F32, AG_SHAPE(out)), -bound, bound));
}

/* Sequential */

static ag_tensor *sequential_forward(ag_module *m, ag_tensor *x) {
    int n = ag_module_child_count(m);
    for (int i = 0; i < n && x; i++) x = ag_module_forward(ag_module_child(m, i), x);
    return x;
}

ag_module *ag_nn_append(ag_module *m, ag_module *layer) {
    char name[16];
    snprintf(name, sizeof name, "%d", ag_module_child_count(m));
    return ag_module_add_child(m, name, layer);
}

ag_module *ag_nn_sequential(ag_tape *t, ag_module *const layers[], int n) {
    if (n < 0 || (n && !layers))
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "nn_sequential", "%d layers, but none given", n);
    ag_module *m = ag_module_new(t, "sequential", sequential_forward, NULL, 0);
    for (int i = 0; i < n && m; i++) m = ag_nn_append(m, layers[i]);
    return m;
}

/* Functions */

typedef struct function_fields {
    ag_tensor *(*f)(ag_tensor *x);
} function_fields;

static ag_tensor *function_forward(ag_module *m, ag_tensor *x) {
    const function_fields *own = ag_module_fields(m);
    return own->f(x);
}

ag_module *ag_nn_function(ag_tape *t, const char *kind, ag_tensor *(*f)(ag_tensor *x)) {
    if (!f) return ag_tape_fail(t, AG_ERR_ARGUMENT, "nn_function", "the function is NULL");
    return ag_module_new(t, kind, function_forward, &(function_fields){f}, sizeof(function_fields));
}

ag_module *ag_nn_relu(ag_tape *t) { return ag_nn_function(t, "relu", ag_relu); }
ag_module *ag_nn_tanh(ag_tape *t) { return ag_nn_function(t, "tanh", ag_tanh); }
ag_module *ag_nn_sigmoid(ag_tape *t) { return ag_nn_function(t, "sigmoid", ag_sigmoid); }
ag_module *ag_nn_gelu(ag_tape *t) { return ag_nn_function(t, "gelu", ag_gelu); }

/* Dropout */

typedef struct dropout_fields {
    double p;
} dropout_fields;

static ag_tensor *dropout_forward(ag_module *m, ag_tensor *x) {
    const dropout_fields *own = ag_module_fields(m);
    return ag_module_training(m) && own->p > 0 ? ag_dropout(x, own->p) : x;
}

ag_module *ag_nn_dropout(ag_tape *t, double p) {
    if (!(p >= 0 && p <= 1))
        return ag_tape_fail(t, AG_ERR_ARGUMENT, "nn_dropout", "p is %g; it should be in [0, 1]", p);
    return ag_module_new(t, "dropout", dropout_forward, &(dropout_fields){p}, sizeof(dropout_fields));
}
