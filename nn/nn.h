/* nn.h: modules, layers, initialisation, and data from CSV files. This header is the manual.
 *
 * A module is parameters, buffers, child modules and a forward function. The tape owns it, for as long as the tape
 * lives; there is nothing to free. Names are PyTorch's: the first layer of a sequence owns "0.weight" and "0.bias".
 *
 *     ag_module *net = ag_nn_sequential(t, NULL, 0);
 *     ag_nn_append(net, ag_nn_linear(t, 4, 16, true));
 *     ag_nn_append(net, ag_nn_tanh(t));
 *     ag_nn_append(net, ag_nn_linear(t, 16, 3, true));
 *     ag_optimizer *adam = ag_optim_adam(t, ag_module_parameters(net), ag_module_parameter_count(net), NULL);
 *     ag_tensor *loss = ag_cross_entropy(ag_module_forward(net, x), label);
 *
 * (One statement a layer: C leaves open in which order the elements of an array literal would draw their random
 * weights.)
 *
 * A module of one's own is a forward function, here y = x + gain · body(x), and what it adds to itself:
 *
 *     static ag_tensor *residual_forward(ag_module *m, ag_tensor *x) {
 *         ag_tensor *body = ag_module_forward(ag_module_child(m, 0), x);
 *         return ag_add(x, ag_mul(ag_module_tensor(m, 0), body));
 *     }
 *     ag_module *residual(ag_tape *t, ag_module *body) {
 *         ag_module *m = ag_module_new(t, "residual", residual_forward, NULL, 0);
 *         ag_module_add_parameter(m, "gain", ag_nn_constant(ag_param(t, AG_F32, AG_SHAPE()), 1));
 *         return ag_module_add_child(m, "body", body);
 *     }
 *
 * Errors stick to the tape as everywhere: functions that return a pointer return NULL, the others false or 0.
 */
#ifndef NN_NN_H
#define NN_NN_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Modules */

typedef struct ag_module ag_module;
typedef ag_tensor *ag_forward_fn(ag_module *m, ag_tensor *x);

/* y = forward(x). What it records stands in a scope named after the module, so that pictures and messages show it. */
AG_API ag_tensor *ag_module_forward(ag_module *m, ag_tensor *x);

/* Training or evaluation, of m and all below it; new modules train. Dropout, for one, acts only in training. */
AG_API bool ag_module_train(ag_module *m, bool training);
AG_API bool ag_module_training(const ag_module *m);

/* The parameters (buffers) of m and all below it: own ones first, then child by child, each tensor once. ag_name
 * gives the dotted name. The array belongs to the tape; after an addition, ask again. */
AG_API ag_tensor *const *ag_module_parameters(ag_module *m);
AG_API int ag_module_parameter_count(ag_module *m);
AG_API ag_tensor *const *ag_module_buffers(ag_module *m);
AG_API int ag_module_buffer_count(ag_module *m);
/* One of them by its dotted name, counted from m: "0.weight". An unknown name is an error. */
AG_API ag_tensor *ag_module_find(ag_module *m, const char *name);

/* Frozen parameters get no gradient, and optimizers leave them alone. */
AG_API bool ag_module_freeze(ag_module *m, bool frozen);

/* Makes every float parameter and buffer f32 or f64, by new leaves with the values converted. Do it before an
 * optimizer or a graph holds the old ones. */
AG_API bool ag_module_cast(ag_module *m, ag_dtype dtype);

/* The same module on another tape, for another thread: parameters and buffers borrow m's memory, read-only, and have
 * gradients of their own (ag_share). m's tape must outlive `tape`, and must not be written while another thread
 * reads. */
AG_API ag_module *ag_module_share(ag_tape *tape, ag_module *m);

/* Modules of one's own */

/* A root without contents. kind is its name while it has no parent ("residual"). fields: `size` bytes that are copied
 * into the module, and by ag_module_share byte by byte, so they may not point to tensors or modules of a tape; NULL:
 * zeros. forward NULL: the module only holds others. */
AG_API ag_module *ag_module_new(ag_tape *tape, const char *kind, ag_forward_fn *forward, const void *fields, size_t size);

/* Each returns m, or NULL. A name is not empty, has no dot, and is new to m. The leaf is persistent and on m's tape;
 * the same one may be added in several places (tied weights). A child is a root of the same tape, and belongs to m
 * from then on. */
AG_API ag_module *ag_module_add_parameter(ag_module *m, const char *name, ag_tensor *leaf);
AG_API ag_module *ag_module_add_buffer(ag_module *m, const char *name, ag_tensor *leaf);
AG_API ag_module *ag_module_add_child(ag_module *m, const char *name, ag_module *child);

/* For forward functions. Own tensors and children are numbered as they were added; NULL past the end. */
AG_API ag_tape *ag_module_tape(const ag_module *m);
AG_API void *ag_module_fields(ag_module *m);
AG_API ag_tensor *ag_module_tensor(const ag_module *m, int i);
AG_API ag_module *ag_module_child(const ag_module *m, int i);
AG_API int ag_module_child_count(const ag_module *m);
AG_API const char *ag_module_kind(const ag_module *m);
AG_API const char *ag_module_name(const ag_module *m); /* its name in its parent; "" for a root */

/* Layers: f32; ag_module_cast makes them f64 */

/* y = x Wᵀ + b. x (…, in), weight W (out, in), bias b (out). Both start uniform in ±1/√in, as PyTorch's. */
AG_API ag_module *ag_nn_linear(ag_tape *tape, int64_t in, int64_t out, bool bias);

/* y = fₙ(… f₂(f₁(x))). The layers are called "0", "1", … in the order given and appended. */
AG_API ag_module *ag_nn_sequential(ag_tape *tape, ag_module *const layers[], int n);
AG_API ag_module *ag_nn_append(ag_module *sequential, ag_module *layer); /* returns the sequence */

/* y = f(x), for any operation of one input: ag_nn_function(t, "exp", ag_exp). */
AG_API ag_module *ag_nn_function(ag_tape *tape, const char *kind, ag_tensor *(*f)(ag_tensor *x));
AG_API ag_module *ag_nn_relu(ag_tape *tape);    /* max(x, 0) */
AG_API ag_module *ag_nn_tanh(ag_tape *tape);    /* tanh x */
AG_API ag_module *ag_nn_sigmoid(ag_tape *tape); /* 1 / (1 + e⁻ˣ) */
AG_API ag_module *ag_nn_gelu(ag_tape *tape);    /* x Φ(x) */

/* In training each element is 0 with probability p, else x / (1 − p); otherwise y = x (Srivastava et al. 2014). 0 ≤ p ≤ 1. */
AG_API ag_module *ag_nn_dropout(ag_tape *tape, double p);

/* Initialisation */

/* Each overwrites a float leaf and returns it. Random numbers come from the tape's key: see ag_seed. Fans are those
 * of a weight (out, in, …): fan_in = in · r, fan_out = out · r, where r is the product of the extents after the
 * second. */
AG_API ag_tensor *ag_nn_xavier_uniform(ag_tensor *w); /* uniform in ±√(6 / (fan_in + fan_out))    (Glorot, Bengio 2010) */
AG_API ag_tensor *ag_nn_xavier_normal(ag_tensor *w); /* normal, σ = √(2 / (fan_in + fan_out))    (Glorot, Bengio 2010) */
AG_API ag_tensor *ag_nn_he_uniform(ag_tensor *w); /* uniform in ±√(6 / fan_in), before ReLU   (He et al. 2015) */
AG_API ag_tensor *ag_nn_he_normal(ag_tensor *w);  /* normal, σ = √(2 / fan_in), before ReLU   (He et al. 2015) */
AG_API ag_tensor *ag_nn_uniform(ag_tensor *w, double lo, double hi);         /* uniform in [lo, hi) */
AG_API ag_tensor *ag_nn_normal(ag_tensor *w, double mean, double deviation); /* normal */
AG_API ag_tensor *ag_nn_constant(ag_tensor *w, double value);

/* Data */

typedef struct ag_csv_options {
    size_t size;                /* set by ag_csv_defaults */
    char separator;             /* ',' */
    bool header;                /* true: the first line names the columns; false: they are "1", "2", … */
    ag_dtype dtype;             /* of the numbers: AG_F32 or AG_F64 */
    const char *label;          /* the column of class names; NULL: none */
    const char *const *columns; /* the columns of numbers, in the order wanted; NULL: all but the label */
    int column_count;           /* how many `columns` names */
} ag_csv_options;
AG_API ag_csv_options ag_csv_defaults(void);

typedef struct ag_table { /* read-only, persistent */
    int64_t rows;
    int columns;                    /* of numbers */
    const char *const *column_name; /* [columns] */
    ag_tensor *x;                   /* (rows, columns), of the dtype asked for */
    ag_tensor *label;               /* (rows) i64, which class; NULL when no label was asked for */
    int classes;
    const char *const *class_name; /* [classes], in order of first appearance */
} ag_table;

/* Reads a file of comma-separated values (RFC 4180): fields may be quoted, "" in quotes is a quote, lines end in LF
 * or CRLF, the last one need not end. Empty lines and a byte-order mark are passed over. A number has a decimal point
 * whatever the locale says; nan and inf are numbers, an empty field is not. options NULL: the defaults. An error
 * names file, line and column (byte in the line): "iris.csv:7:9: 'x' in column petal_length is not a number". */
AG_API const ag_table *ag_csv_read(ag_tape *tape, const char *path, const ag_csv_options *options);

#ifdef __cplusplus
}
#endif
#endif
