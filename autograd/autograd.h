/* autograd.h: tapes, tensors, gradients.
 *
 * Calling an operation (ops/ops.h) computes its value at once and records a node on a tape. Tape order is a topological
 * order of the graph, so the backward pass is one loop from the loss down: no recursion, no depth limit.
 *
 *     ag_tape   *t = ag_tape_new();
 *     ag_tensor *w = ag_param(t, AG_F32, AG_SHAPE(4, 3));          leaf, persistent, wants a gradient
 *     ag_mark    m = ag_tape_mark(t);
 *     ag_tensor *y = ag_sum(ag_mul(w, w), AG_ALL, false);          recorded, lives until the rewind
 *     ag_backward(y);                                              ag_grad(w) holds 2w
 *     ag_tape_rewind(t, m);                                        drops what was recorded since the mark
 *     ag_tape_free(t);                                             frees everything
 *
 * Ownership. The tape owns all that is made on it; the only thing to free is the tape. Two lifetimes:
 *   persistent  until ag_tape_free: parameters, buffers, leaves made from data, their gradients, modules, optimizers;
 *   recorded    until the tape is rewound: results of operations, ag_scalar, ag_full, and leaves made with AG_RECORDED.
 *
 * Errors. Nothing aborts or prints. The first error sticks to the tape: a status and one sentence. While it stands,
 * every call that records returns NULL at once, so a long expression needs one test at its end. NULL always means error.
 *
 * Threads. A tape belongs to one thread at a time; different tapes are independent. ag_share lends a leaf to another tape.
 */
#ifndef AUTOGRAD_AUTOGRAD_H
#define AUTOGRAD_AUTOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#include <initializer_list>
#endif

#define AG_VERSION_MAJOR 0
#define AG_VERSION_MINOR 1
#define AG_VERSION_PATCH 0

#if defined(__GNUC__)
#define AG_API __attribute__((__visibility__("default")))
#define AG_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))
#else
#define AG_API
#define AG_PRINTF(at, first)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Types */

typedef struct ag_tape ag_tape;     /* an arena and, in execution order, the nodes recorded on it */
typedef struct ag_tensor ag_tensor; /* a node: dtype, shape, strides, data; the op that made it and its inputs */
typedef struct ag_op ag_op;         /* what an operation is: autograd/op.h */

typedef enum ag_dtype { AG_F32, AG_F64, AG_I64, AG_BOOL, AG_DTYPE_COUNT } ag_dtype; /* bool: one byte, 0 or 1 */

typedef enum ag_status {
    AG_OK,
    AG_ERR_ARGUMENT, /* NULL, an attribute or axis out of range, tensors of two tapes */
    AG_ERR_SHAPE,    /* shapes that do not go together, or too large */
    AG_ERR_DTYPE,    /* an operation does not take this dtype, or two dtypes were mixed */
    AG_ERR_VALUE,  /* data an operation cannot work on: label out of range, matrix not positive definite, NaN hunted */
    AG_ERR_STATE,  /* stale mark, tensor used after rewind, input overwritten before backward, no gradient path */
    AG_ERR_MEMORY, /* allocation failed */
    AG_ERR_IO      /* a file or another program */
} ag_status;

enum { AG_MAX_RANK = 8 };

/* Extents, outermost first. Rank 0 is a scalar; any extent may be 0. AG_SHAPE(2, 3), AG_SHAPE(). */
typedef struct ag_shape {
    int rank;
    int64_t dim[AG_MAX_RANK];
} ag_shape;

/* A set of axes; negative ones count from the last. AG_AXES(0, -1); AG_ALL is every axis. */
typedef struct ag_axes {
    int count; /* -1: all */
    int axis[AG_MAX_RANK];
} ag_axes;

/* dims[0] is skipped, so that the macros work without arguments; more than AG_MAX_RANK: reported where it is used. */
AG_API ag_shape ag_shape_list(const int64_t *dims, size_t count);
AG_API ag_axes ag_axes_list(const int *axes, size_t count);

#ifndef __cplusplus
#define AG_SHAPE(...) \
    ag_shape_list((const int64_t[]){0, __VA_ARGS__}, sizeof((const int64_t[]){0, __VA_ARGS__}) / sizeof(int64_t))
#define AG_AXES(...) ag_axes_list((const int[]){0, __VA_ARGS__}, sizeof((const int[]){0, __VA_ARGS__}) / sizeof(int))
#endif
#define AG_ALL ag_axes_list(NULL, 0)

/* Tapes */

AG_API ag_tape *ag_tape_new(void); /* NULL when memory is short */
AG_API void ag_tape_free(ag_tape *tape); /* frees everything made on it; NULL is fine. Inside a gradient rule or hook: an error */

/* A place on the tape. Rewinding to it drops every node recorded since and makes later marks stale; using a stale mark,
 * or one of another tape, is an error. The same mark serves any number of rewinds. */
typedef struct ag_mark {
    uint64_t serial; /* 0: no mark, because taking it failed */
} ag_mark;
AG_API ag_mark ag_tape_mark(ag_tape *tape);
AG_API bool ag_tape_rewind(ag_tape *tape, ag_mark mark);

/* Gives pooled memory that nothing uses back to the system. Bytes are those the tape holds, in use or pooled. */
AG_API void ag_tape_trim(ag_tape *tape);
AG_API size_t ag_tape_bytes(const ag_tape *tape);
AG_API size_t ag_tape_peak_bytes(const ag_tape *tape);

/* Random numbers are Philox4x32-10 (Salmon et al., 2011) under the tape's key: the same seed gives the same numbers. */
AG_API void ag_seed(ag_tape *tape, uint64_t seed);

/* Errors */

AG_API ag_status ag_tape_status(const ag_tape *tape);    /* of the first error since the last clear; AG_OK: none */
AG_API const char *ag_tape_message(const ag_tape *tape); /* one sentence; "" when there is no error */
AG_API void ag_tape_clear(ag_tape *tape);                /* forgets the error; the tape goes on working */
AG_API const char *ag_last_message(void); /* of this thread, also when no tape was at hand; the NULLs that an error leaves behind do not replace it */
AG_API const char *ag_status_name(ag_status status); /* "shape", "memory", … */

/* Diagnostics (AG_DEBUG) go through this function, one line without newline each; NULL: to stderr. Set before use. */
typedef void ag_log_fn(void *context, const char *line);
AG_API void ag_set_log(ag_log_fn *log, void *context);

/* Leaves */

enum {
    AG_REQUIRES_GRAD = 1, /* ag_backward fills its gradient */
    AG_RECORDED = 2       /* dropped by the next rewind, as a batch of one step is */
};

AG_API ag_tensor *ag_param(ag_tape *tape, ag_dtype dtype, ag_shape shape);  /* zeros, persistent, wants a gradient */
AG_API ag_tensor *ag_buffer(ag_tape *tape, ag_dtype dtype, ag_shape shape); /* zeros, persistent, no gradient */

/* Leaves holding a copy of row-major data (NULL: zeros), persistent unless flags say AG_RECORDED. */
AG_API ag_tensor *ag_leaf(ag_tape *tape, ag_dtype dtype, const void *data, ag_shape shape, unsigned flags);
AG_API ag_tensor *ag_from_f32(ag_tape *tape, const float *data, ag_shape shape);
AG_API ag_tensor *ag_from_f64(ag_tape *tape, const double *data, ag_shape shape);
AG_API ag_tensor *ag_from_i64(ag_tape *tape, const int64_t *data, ag_shape shape);
AG_API ag_tensor *ag_from_bool(ag_tape *tape, const bool *data, ag_shape shape);

/* Recorded constants. ag_full takes no memory whatever its shape: its strides are 0. */
AG_API ag_tensor *ag_scalar(ag_tape *tape, ag_dtype dtype, double value);
AG_API ag_tensor *ag_full(ag_tape *tape, ag_dtype dtype, ag_shape shape, double value);

/* A persistent leaf on the caller's row-major memory, not copied. release(context, data) is called, if given, when the
 * tape is freed, or at once if this call fails. The memory must stay valid until then; after writing to it directly,
 * say so with ag_touch. */
typedef void ag_release_fn(void *context, void *data);
AG_API ag_tensor *ag_wrap(ag_tape *tape, ag_dtype dtype, void *data, ag_shape shape, ag_release_fn *release, void *context);

/* A persistent read-only leaf on bytes of a file, mapped: row-major, machine byte order, from byte `offset`. */
AG_API ag_tensor *ag_map_file(ag_tape *tape, ag_dtype dtype, const char *path, int64_t offset, ag_shape shape);

/* A persistent leaf of `tape` that borrows the storage of a leaf of another tape, read-only; it has a gradient of its own
 * (and wants one if the leaf does). The owner must outlive `tape`, and must not be written while another thread reads. */
AG_API ag_tensor *ag_share(ag_tape *tape, ag_tensor *leaf);

/* Reading and writing tensors */

AG_API ag_tape *ag_tape_of(const ag_tensor *x);
AG_API ag_dtype ag_dtype_of(const ag_tensor *x);
AG_API ag_shape ag_shape_of(const ag_tensor *x);
AG_API int ag_rank(const ag_tensor *x);
AG_API int64_t ag_dim(const ag_tensor *x, int axis);    /* axis may be negative; out of range: -1 */
AG_API int64_t ag_stride(const ag_tensor *x, int axis); /* in elements; may be 0 or negative */
AG_API int64_t ag_size(const ag_tensor *x);             /* number of elements */
AG_API bool ag_is_contiguous(const ag_tensor *x);       /* row-major without gaps */
AG_API size_t ag_dtype_size(ag_dtype dtype);            /* bytes of an element */
AG_API const char *ag_dtype_name(ag_dtype dtype);       /* "f32", "f64", "i64", "bool" */

/* The first element; the others lie at the strides. Valid as long as the tensor. */
AG_API const void *ag_data(const ag_tensor *x);
/* The same, dtype checked and contiguous, or NULL with an error: read row-major. */
AG_API const float *ag_f32(const ag_tensor *x);
AG_API const double *ag_f64(const ag_tensor *x);
AG_API const int64_t *ag_i64(const ag_tensor *x);
AG_API const bool *ag_bool(const ag_tensor *x);

AG_API double ag_item(const ag_tensor *x);                        /* the value of a one-element tensor; NaN on error */
AG_API double ag_at(const ag_tensor *x, int64_t row_major_index); /* one element of any tensor; NaN on error */
AG_API bool ag_read(const ag_tensor *x, void *out);               /* all elements, row-major, in x's dtype */
AG_API bool ag_write(ag_tensor *leaf, const void *data);          /* overwrite a leaf; marks its uses as stale */
AG_API void *ag_mutable(ag_tensor *leaf);                         /* pointer to write through; counts as a write now */
AG_API void ag_touch(ag_tensor *leaf);                            /* its memory was written from outside */
AG_API bool ag_fill(ag_tensor *leaf, double value);
AG_API bool ag_fill_uniform(ag_tensor *leaf, double lo, double hi); /* float leaf; uniform in [lo, hi), from the tape's key */
AG_API bool ag_fill_normal(ag_tensor *leaf, double mean, double deviation); /* float leaf; normal, from the tape's key */

/* Names appear in messages and pictures. Scopes nest ("block1/attention"); nodes belong to the scope they were made in. */
AG_API ag_tensor *ag_set_name(ag_tensor *x, const char *name); /* copies the name, returns x */
AG_API const char *ag_name(const ag_tensor *x);                /* "" when it has none */
AG_API bool ag_scope_push(ag_tape *tape, const char *name);
AG_API void ag_scope_pop(ag_tape *tape);

/* Gradients */

/* Adds d loss / d x to the gradient of every leaf x that requires one, all of them or, on an error, none. The loss has one
 * element. Nothing stays on the tape, so the graph may be used again. */
AG_API bool ag_backward(ag_tensor *loss);
/* The same from n tensors of any shape: Σ_i ⟨gys[i], ys[i]⟩. gys NULL, or gys[i] NULL: ones. */
AG_API bool ag_backward_from(ag_tensor *const ys[], ag_tensor *const gys[], int n);

/* The accumulated gradient: the same handle at every call, zeros at first. For x that is not a leaf, after
 * ag_retain_grad(x) and a backward; else NULL with an error. A persistent leaf's may be written as a leaf is: the next pass
 * adds to what was written. */
AG_API ag_tensor *ag_grad(ag_tensor *x);
AG_API bool ag_has_grad(const ag_tensor *x); /* has a backward pass, or a write, filled it since ag_zero_grad? */
AG_API bool ag_zero_grad(ag_tensor *x);
AG_API bool ag_retain_grad(ag_tensor *x);                  /* keep the gradient of an inner node; recorded lifetime */
AG_API void ag_tape_retain_grads(ag_tape *tape, bool all); /* keep those of all inner nodes */

AG_API bool ag_requires_grad(const ag_tensor *x);
AG_API bool ag_set_requires_grad(ag_tensor *leaf, bool requires_grad); /* false freezes a parameter */
/* Between set_recording(t, false) and (t, true), results do not depend on anything, for gradients. Returns the old value. */
AG_API bool ag_set_recording(ag_tape *tape, bool recording);

/* Pure form: out[j] = Σ_i gys[i]ᵀ ∂ys[i]/∂xs[j], recorded on the tape like any other expression, so it can be differentiated
 * again. Any tensor may be in xs, inner ones too. Unreachable ones get zeros. gys as in ag_backward_from. */
AG_API bool ag_gradients(ag_tensor *const ys[], ag_tensor *const gys[], int n, ag_tensor *const xs[], int m,
                         ag_tensor *out[]);
/* Forward mode: out[i] = Σ_j ∂ys[i]/∂xs[j] tangents[j], recorded. A NULL tangent is zero. */
AG_API bool ag_jvp(ag_tensor *const ys[], int n, ag_tensor *const xs[], ag_tensor *const tangents[], int m,
                   ag_tensor *out[]);

/* Matrices of derivatives, recorded: out[i · m + j] = ∂ys[i]/∂xs[j], of ys[i]'s shape followed by xs[j]'s, in xs[j]'s dtype. One
 * forward pass for each element of the xs, or one reverse pass for each of the ys, whichever are fewer. */
AG_API bool ag_jacobian(ag_tensor *const ys[], int n, ag_tensor *const xs[], int m, ag_tensor *out[]);
/* Of a loss of one element: out[i · m + j] = ∂²loss/∂xs[i]∂xs[j], shaped likewise. */
AG_API bool ag_hessian(ag_tensor *loss, ag_tensor *const xs[], int m, ag_tensor *out[]);
/* The same matrix H times vs, vs[j] of xs[j]'s shape, without making it: H v by forward over reverse, vᵀH by reverse over
 * reverse. They are equal to rounding; each costs a few gradients. ag_gradients with gys is the product vᵀJ, ag_jvp is J v. */
AG_API bool ag_hvp(ag_tensor *loss, ag_tensor *const xs[], ag_tensor *const vs[], int m, ag_tensor *out[]);
AG_API bool ag_vhp(ag_tensor *loss, ag_tensor *const xs[], ag_tensor *const vs[], int m, ag_tensor *out[]);

/* Checkpoints (Griewank, Walther 2000): memory for time. A segment of the graph becomes one node: fn makes outputs of inputs;
 * its inner nodes are dropped at once, and made again where a gradient needs them, with the same random numbers and without
 * repeating effects. Backward gives the same gradients to the bit. fn must use no tensor but its inputs (parameters are
 * inputs too) and what it makes of them, and give the same shapes each time; it returns false after an error. fn and
 * context must live as long as the tape and its clones. Segments nest. ag_seed between forward and backward is an error if the
 * segment draws numbers. A graph file cannot hold it. */
typedef bool ag_segment_fn(void *context, ag_tensor *const inputs[], int n, ag_tensor *outputs[], int m);
enum { AG_CHECKPOINT_OUTPUTS = 8 };
AG_API bool ag_checkpoint(ag_tape *tape, ag_segment_fn *fn, void *context, ag_tensor *const inputs[], int n,
                          ag_tensor *outputs[], int m);

/* The graph, from outside */

/* Runs the recorded nodes again, in order, on the present values of the leaves. Random nodes repeat their numbers;
 * effects (ag_assign, running statistics, optimizer updates) are skipped. */
AG_API bool ag_replay(ag_tape *tape);

enum {
    AG_CLONE_HOLD = 1 /* nodes without a gradient (flat, random, detached) become leaves holding their recorded values */
};
/* Copies the graph that leads to ys[0..n) onto another tape: leaves with their values, nodes by running their ops there.
 * dtype AG_F32 or AG_F64 converts every float tensor and dtype attribute, AG_DTYPE_COUNT keeps them. out[i] is the copy of
 * ys[i]; a leaf may be among ys. Effects are left out. */
AG_API bool ag_clone(ag_tape *target, ag_tensor *const ys[], int n, ag_dtype dtype, unsigned flags, ag_tensor *out[]);

AG_API int64_t ag_tape_size(const ag_tape *tape);               /* recorded nodes */
AG_API ag_tensor *ag_tape_node(const ag_tape *tape, int64_t i); /* i-th in execution order; NULL out of range */
AG_API int64_t ag_index(const ag_tensor *x);                    /* its place there; -1 for persistent leaves */
AG_API bool ag_is_leaf(const ag_tensor *x);
AG_API const ag_op *ag_op_of(const ag_tensor *x);  /* NULL for a leaf */
AG_API const char *ag_op_name(const ag_tensor *x); /* "leaf" for a leaf */
AG_API int ag_input_count(const ag_tensor *x);
AG_API ag_tensor *ag_input(const ag_tensor *x, int i);
AG_API size_t ag_attr_text(const ag_tensor *x, char *out, size_t size); /* "stride=2 padding=1"; like snprintf */
AG_API int ag_scope_of(const ag_tensor *x);                             /* 0: outside every scope */
AG_API const char *ag_scope_name(const ag_tape *tape, int scope);       /* its own, last name */
AG_API int ag_scope_parent(const ag_tape *tape, int scope);
AG_API int ag_scope_count(const ag_tape *tape); /* scopes are 0 … count-1 */

/* An operation by name, its attributes as text: ag_call(t, "sum", &x, 1, "axes=0,1 keepdim=true"). */
AG_API ag_tensor *ag_call(ag_tape *tape, const char *op, ag_tensor *const inputs[], int n, const char *attributes);

/* Threads */

/* Threads that large operations may use: AG_THREADS, else the processors at hand; at least 1. Results do not depend on it. */
AG_API void ag_set_threads(int threads);
AG_API int ag_threads(void);

/* The instruction set that the kernels of this process are compiled for: avx512, avx2, baseline or neon. The best that the
 * processor and the system support, or AG_ISA; chosen once. Results may differ between instruction sets in the last bits. */
AG_API const char *ag_isa(void);

#ifdef __cplusplus
}

inline ag_shape ag_shape_from(std::initializer_list<int64_t> dims) {
    ag_shape s = ag_shape();
    s.rank = static_cast<int>(dims.size());
    int i = 0;
    for (int64_t d : dims) {
        if (i < AG_MAX_RANK) s.dim[i++] = d;
    }
    return s;
}
inline ag_axes ag_axes_from(std::initializer_list<int> axes) {
    ag_axes a = ag_axes();
    a.count = static_cast<int>(axes.size());
    int i = 0;
    for (int x : axes) {
        if (i < AG_MAX_RANK) a.axis[i++] = x;
    }
    return a;
}
#define AG_SHAPE(...) ag_shape_from({__VA_ARGS__})
#define AG_AXES(...) ag_axes_from({__VA_ARGS__})
#endif

#endif
