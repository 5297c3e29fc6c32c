/* op.h: what an operation is, and how to add one.
 *
 * An operation is one constant record, ag_op. Everything else follows from it: recording, error text, the gradient to any
 * order, forward mode, replay, cloning, saving, lookup by name, the drawing and the generated tests.
 *
 *     y = ag_apply(&op, inputs, n, &attrs)
 *
 * checks the inputs, makes the node y, calls op->shape(y) to check shapes and dtypes and to declare the outputs, allocates
 * them, and calls op->run(y) to compute. Later op->grad(y, g, d) records, out of public operations, the gradient of each
 * input. All of these see one thing, the node: ag_in(y, i) are its inputs, ag_attrs(y) its attributes, ag_out(y, i) its
 * outputs. An op of one's own, outside the library, needs nothing more than this header:
 *
 *     static bool cube_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag_out_like(y, 0, ag_in(y, 0)); }
 *     static bool cube_run(ag_tensor *y) {
 *         const void *x = ag_op_dense(y, 0);
 *         void *out = ag_out_data(y, 0);
 *         if (!x) return false;
 *         for (int64_t i = 0; i < ag_size(y); i++) {
 *             const float *f = x;
 *             const double *d = x;
 *             if (ag_dtype_of(y) == AG_F32) ((float *)out)[i] = f[i] * f[i] * f[i];
 *             else ((double *)out)[i] = d[i] * d[i] * d[i];
 *         }
 *         return true;
 *     }
 *     static bool cube_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
 *         d[0] = ag_mul(g[0], ag_scale(ag_square(ag_in(y, 0)), 3));
 *         return d[0] != NULL;
 *     }
 *     static const ag_op cube = {.size = sizeof(ag_op), .name = "cube", .arity = 1,
 *                                .shape = cube_shape, .run = cube_run, .grad = cube_grad};
 */
#ifndef AUTOGRAD_OP_H
#define AUTOGRAD_OP_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    AG_MAP = 1,     /* elementwise over broadcast inputs, its gradient linear and diagonal in g */
    AG_VIEW = 2,    /* output 0 aliases input 0 (ag_out_view); run may be NULL */
    AG_FLAT = 4,    /* no gradient, by its mathematics: comparisons, argmax, detach */
    AG_RANDOM = 8,  /* attrs begin with `int64_t draw`, the last input is the tape's key; ag_apply supplies both */
    AG_EFFECT = 16, /* writes the leaves that `writes` names; skipped by replay and clone */
    AG_LINEAR = 32, /* linear in all float inputs together, with the same attributes: forward mode applies it to tangents */
    AG_MULTILINEAR = 64, /* linear in each float input while the others are held */
    AG_DETACH = 128      /* holds the value, cuts the gradient: clones may keep its recorded value */
};

/* Attributes are a plain struct; the fields described here are all that printing, cloning, saving and parsing know. */
typedef enum ag_attr_type {
    AG_ATTR_BOOL,  /* bool */
    AG_ATTR_INT,   /* int */
    AG_ATTR_I64,   /* int64_t */
    AG_ATTR_F64,   /* double */
    AG_ATTR_DTYPE, /* ag_dtype; cloning to another float dtype converts it */
    AG_ATTR_SHAPE, /* ag_shape, also any list of int64_t */
    AG_ATTR_AXES,  /* ag_axes */
    AG_ATTR_CHOICE, /* int, written as a name: the preset lists the names of 0, 1, …, like "mean|sum|none"; 0 is the default */
    AG_ATTR_TEXT /* char[AG_TEXT_SIZE], ended by a zero byte; in quotes where it has spaces, quotes or semicolons */
} ag_attr_type;

enum { AG_TEXT_SIZE = 256 };

typedef struct ag_attr_field {
    const char *name; /* NULL ends the table */
    ag_attr_type type;
    size_t offset;
    const char *preset; /* default, as text in ag_call's syntax; NULL: must be given. AG_ATTR_CHOICE: its names */
} ag_attr_field;

struct ag_map; /* scalar kernels of an elementwise row; rows are made by ops/elementwise.def */

struct ag_op {
    size_t size;              /* sizeof(ag_op): records may grow, and those of an earlier op.h go on working */
    const char *name;         /* as in ag_call, without ag_ */
    signed char arity;        /* number of inputs; -1: one or more */
    signed char optional;     /* how many more inputs may follow; a composed call may have NULL in their places too */
    signed char nout;         /* outputs; 0 means 1. With more, y is a tuple whose outputs are ag_part(y, i) */
    unsigned short attr_size; /* of the attribute struct, 0: none */
    unsigned flags;
    unsigned writes; /* AG_EFFECT: bit i set: input i is a leaf that run writes */
    const ag_attr_field *attrs;
    const char *formula; /* one line for people */
    double lo, hi;       /* where checks sample the inputs; both 0: [-2, 2] */

    /* Check inputs, declare every output (ag_out_shape, ag_out_like, ag_out_view). Never reads values. NULL: the op is
     * composed, its call is compose(y), and no node of its own appears. */
    bool (*shape)(ag_tensor *y);
    /* Compute the outputs from the inputs. May fail through ag_op_fail. */
    bool (*run)(ag_tensor *y);
    /* Record d[i] = Σ_o g[o]ᵀ ∂out[o]/∂in[i] for each i with ag_wants(y, i), out of public ops. g[o] is NULL if output o
     * is unused. d[i] may have any shape that broadcasts with in[i]'s: it is summed or expanded to fit; NULL is zero. */
    bool (*grad)(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]);
    /* The same value from other ops, of ag_in(y, i) and ag_attrs(y). Without grad, the gradient is taken through it. */
    ag_tensor *(*compose)(ag_tensor *y);
    /* Optional, beside shape and compose: is this one of the calls that run is made for? Any other is compose(y). Looks at
     * inputs and attributes, never at values. */
    bool (*plain)(const ag_tensor *y);
    /* Optional: out[o] = Σ_i ∂out[o]/∂in[i] tangent[i]. tangent[i] is NULL for zero; leave out[o] NULL for zero. */
    bool (*jvp)(ag_tensor *y, ag_tensor *const tangent[], ag_tensor *out[]);

    const struct ag_map *map; /* rows only */

    /* From here on fields came later than the first op.h. */

    /* Optional, for profiles: the floating-point operations of one run. NULL: one per output element; none for a view. */
    double (*flops)(const ag_tensor *y);

    /* Optional, compose for an op of several outputs: out[o], the same values from other ops. Without grad, the gradient is
     * taken through it. */
    bool (*expand)(ag_tensor *y, ag_tensor *out[]);

    /* Optional: what the inputs are called, in messages too, separated by spaces: "x weight bias". NULL: x; a b; a b c, … */
    const char *inputs;
};

/* Applies op. attrs points to the op's attribute struct, copied (NULL when it has none). */
AG_API ag_tensor *ag_apply(const ag_op *op, ag_tensor *const inputs[], int n, const void *attrs);
/* For AG_RANDOM and other ops without inputs from the user, where the tape must be said. */
AG_API ag_tensor *ag_apply_on(ag_tape *tape, const ag_op *op, ag_tensor *const inputs[], int n, const void *attrs);
/* Output i of a node with several outputs; of a node with one, the node itself for i = 0. */
AG_API ag_tensor *ag_part(ag_tensor *y, int i);

/* Inside shape, run, grad, compose and jvp */
AG_API ag_tensor *ag_in(const ag_tensor *y, int i); /* NULL: an optional one that was not given */
AG_API int ag_in_count(const ag_tensor *y);
AG_API const void *ag_attrs(const ag_tensor *y);
AG_API ag_tensor *ag_out(const ag_tensor *y, int i); /* y itself when it has one output */
AG_API bool ag_wants(const ag_tensor *y, int i);     /* grad: is d[i] asked for? */
AG_API bool ag_op_fail(ag_tensor *y, ag_status status, const char *format, ...) AG_PRINTF(3, 4); /* returns false */

/* Inside shape: declare output i */
AG_API bool ag_out_shape(ag_tensor *y, int i, ag_dtype dtype, ag_shape shape);
AG_API bool ag_out_like(ag_tensor *y, int i, const ag_tensor *x); /* x's dtype and shape */
/* AG_VIEW: output 0 sees the data of input 0 at `offset` elements with these strides (in elements; NULL: row-major). */
AG_API bool ag_out_view(ag_tensor *y, ag_shape shape, const int64_t *strides, int64_t offset);

/* Inside run. Outputs are row-major without gaps (views aside). */
AG_API void *ag_out_data(ag_tensor *y, int i);
AG_API void *ag_op_write(ag_tensor *y, int i);       /* AG_EFFECT: the data of leaf input i, to be written, row-major */
AG_API const void *ag_op_dense(ag_tensor *y, int i); /* input i row-major: its data, or a copy valid during run */
AG_API void *ag_op_workspace(ag_tensor *y, size_t bytes); /* uninitialised, 64-byte aligned, valid during run */

/* Names in messages: appends "x (2,3)"; ag_shape_text writes "(2,3)". Both return out. */
AG_API const char *ag_shape_text(const ag_tensor *x, char *out, size_t size);

/* Checks with a ready-made message, for shape functions: each returns false after ag_op_fail. */
AG_API bool ag_need_float(ag_tensor *y, int i); /* f32 or f64 */
AG_API bool ag_need_dtype(ag_tensor *y, int i, ag_dtype dtype);
AG_API bool ag_need_same_dtype(ag_tensor *y, int i, int j);
AG_API bool ag_need_same_shape(ag_tensor *y, int i, int j);
AG_API bool ag_need_rank(ag_tensor *y, int i, int least, int most);
AG_API bool ag_need_axis(ag_tensor *y, int axis, int rank, int *out);                     /* resolves a negative axis */
AG_API bool ag_need_axes(ag_tensor *y, ag_axes axes, int rank, bool chosen[AG_MAX_RANK]); /* no axis twice */
AG_API bool ag_broadcast(ag_tensor *y, const ag_tensor *a, const ag_tensor *b, ag_shape *out); /* NumPy's rule */
AG_API bool ag_broadcast_inputs(ag_tensor *y, ag_shape *out); /* the same for all inputs of y */

/* Makes an op known to ag_call, ag_find_op and loaders. The record must outlive its use. False: the name is taken by another
 * record, a required field is missing, or the table is full; ag_last_message says which. */
AG_API bool ag_op_register(const ag_op *op);
AG_API const ag_op *ag_find_op(const char *name); /* by its own or another name (cat for concat); NULL: unknown */
/* An attribute by its own or another name (dim for axis); NULL: unknown. */
AG_API const ag_attr_field *ag_find_attr(const ag_op *op, const char *name);
/* What input i is called, as the record says; "" past the names it has. Returns out. */
AG_API const char *ag_op_input_name(const ag_op *op, int i, char *out, size_t size);
AG_API const ag_op *ag_op_at(int i); /* every known op, built-in ones first; NULL past the end */

/* Zeroed memory that lives as long as the tape: for modules, optimizers and the like. NULL with the tape's error set. */
AG_API void *ag_tape_alloc(ag_tape *tape, size_t bytes);
/* Sets the tape's error (tape may be NULL: the thread's), prefixed by `where`. Returns NULL. */
AG_API void *ag_tape_fail(ag_tape *tape, ag_status status, const char *where, const char *format, ...) AG_PRINTF(4, 5);

/* Loops for kernels: body(context, begin, end) over [0, n) in pieces of at least `grain`, in this thread and the pool's.
 * Pieces are fixed by n and grain alone, so results do not depend on the number of threads; a grain of about 4 µs is worth
 * sharing. When the pool is busy, or inside
 * a body, everything runs in the calling thread. */
AG_API void ag_parallel_for(int64_t n, int64_t grain, void (*body)(void *context, int64_t begin, int64_t end),
                            void *context);

#ifdef __cplusplus
}
#endif
#endif
