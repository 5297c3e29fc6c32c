/* inspect.h: look at a graph: draw it, check its gradients, save it, measure it, ask why.
 *
 *     ag_backward(loss);
 *     ag_dot_render(loss, "graph.svg", NULL);          a picture, through the program `dot`
 *     ag_check_report r;
 *     if (!ag_gradcheck(loss, NULL, 0, NULL, &r))      every gradient against five-point differences in f64
 *         puts(ag_check_text(&r, text, sizeof text));
 *     ag_graph_save(&loss, 1, "model.aggraph");
 *
 * Nothing here changes the graph it looks at, its gradients or the tape's marks; checks work on a clone.
 */
#ifndef AUTOGRAD_INSPECT_H
#define AUTOGRAD_INSPECT_H

#include "autograd/autograd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Drawing */

struct ag_check_report;
typedef struct ag_dot_options {
    size_t size;    /* set by ag_dot_defaults */
    bool values;    /* values on the nodes: the number of a scalar, a small matrix whole, else mean, range, histogram */
    bool gradients; /* gradients likewise, where a backward pass left them */
    bool constants; /* draw constant leaves too */
    const char *title; /* NULL: none */
    bool derivatives; /* on each edge: of scalars ∂y/∂x and the gradient that flows, of tensors its norm; up to 120 nodes */
    bool dark;      /* light on dark */
    bool backward;  /* draw too what ag_gradients(y) with respect to its parameters records, in a cluster of its own */
    int depth;      /* scopes nested this deep are one node each; 1: the outermost, 0: all are open */
    int most_nodes; /* 150; above it the innermost scopes are folded to one node each, level by level; 0: never */
    const struct ag_check_report *report; /* outline what its rows speak of; NULL: none */
} ag_dot_options;
AG_API ag_dot_options ag_dot_defaults(void);

/* Writes the graph that leads to y as Graphviz text. Parameters, other leaves, operations and y itself have shapes of
 * their own; scopes are clusters or, folded, nodes. Folded scopes of one structure, each feeding the next, are one node
 * with their number; in a graph of more than most_nodes, of three open ones or more the first is drawn for all. options
 * NULL: the defaults. The gradient of an inner node, and so what flows along its edges, is there when it was retained
 * (ag_tape_retain_grads). Any program draws its first backward pass, gradients kept, when the environment says
 * AG_DOT=file. */
AG_API bool ag_dot_write(ag_tensor *y, const char *path, const ag_dot_options *options);
/* The same through the program `dot`, without a shell; path ends in .svg, .png or .pdf (.dot: as ag_dot_write). */
AG_API bool ag_dot_render(ag_tensor *y, const char *path, const ag_dot_options *options);

/* Checking gradients: analytic against numeric
 *
 * The graph is cloned in f64 with its flat, random and detached nodes held at their recorded values; each sampled element x
 * is moved to x ± d and x ± 2d, d = 3.7e-4 max(1, |x|), the clone is replayed, and
 *     n = [8 (f(x+d) − f(x−d)) − (f(x+2d) − f(x−2d))] / 12d
 * is compared with the analytic f64 gradient a. It passes when
 *     |a − n| ≤ 1e-7 max(|a|, |n|) + 1e-10 max|a| + 8 ε max|f| / d;
 * signs count. Where it does not, smaller steps are tried that end before a kink or a pole beside x, and the rounding of f is
 * measured, so that a right gradient is not called wrong: what is still wrong then is. The gradient of the graph in its own
 * dtypes is reported beside them. */

typedef enum ag_verdict {
    AG_PASS,
    AG_NOISE_LIMITED,     /* passes, but only the rounding of f covers the error */
    AG_KINK,              /* passes: a branch changes between the points, and a lies between the one-sided slopes */
    AG_WRONG,             /* none of the below describes the error */
    AG_WRONG_SIGN,        /* a ≈ −n */
    AG_WRONG_SCALE,       /* a is a constant times n over the whole tensor */
    AG_MISSING_TERM,      /* a is 0, or lacks a part that other elements have */
    AG_BRANCH_DIFFERS,    /* the f64 clone took another branch than the recorded f32 graph */
    AG_NOT_FINITE,        /* NaN or infinity in a or f */
    AG_DOMAIN_EDGE,       /* f is not finite at a moved point, though it is at x */
    AG_NOT_DETERMINISTIC, /* replaying changes f */
    AG_VERDICT_COUNT
} ag_verdict;
AG_API const char *ag_verdict_name(ag_verdict verdict); /* "wrong sign" */
AG_API bool ag_verdict_passes(ag_verdict verdict);

typedef enum ag_check_mode {
    AG_CHECK_AUTO,       /* every element up to 2000 in all, else samples and a direction */
    AG_CHECK_ELEMENTS,   /* every element */
    AG_CHECK_SAMPLES,    /* `samples` elements of each x */
    AG_CHECK_DIRECTIONAL /* one random direction through all xs: four forward passes, however large the net */
} ag_check_mode;

typedef struct ag_check_options {
    size_t size;        /* set by ag_check_defaults */
    ag_check_mode mode; /* AG_CHECK_AUTO */
    int order;          /* 1; 2 checks second derivatives too: the same rule on ⟨v, gradient⟩ */
    int samples;        /* 20 */
    uint64_t seed;      /* of samples and directions: 0 */
} ag_check_options;
AG_API ag_check_options ag_check_defaults(void);

typedef struct ag_check_row {
    char name[64];   /* of the parameter, or the op and its place: "layer1.weight", "#17 tanh" */
    ag_tensor *x;    /* the tensor moved, in the graph checked */
    ag_tensor *node; /* ag_gradcheck_nodes: whose rule; else NULL */
    int order;       /* 1 or 2 */
    int64_t index;   /* row-major element; −1: a direction */
    double at, step; /* x and d */
    double analytic, numeric;
    double recorded; /* the gradient of the graph as recorded; NaN where there is none */
    double ulps;     /* |recorded − analytic| in ulps of the largest f32 gradient of x */
    double absolute, relative, tolerance;
    ag_verdict verdict;
} ag_check_row;

enum { AG_CHECK_ROWS = 16 };
typedef struct ag_check_report {
    bool passed;
    int64_t checked, failed;
    int64_t count[AG_VERDICT_COUNT];
    int rows; /* worst first: failures, then by absolute / tolerance */
    ag_check_row row[AG_CHECK_ROWS];
} ag_check_report;

/* Checks the gradient of the one-element loss to xs[0..n); n = 0: to every leaf that requires one. options NULL: the
 * defaults; report may be NULL. True: everything passed. False: something failed, see report, or could not be done, see the
 * status of the loss's tape. */
AG_API bool ag_gradcheck(ag_tensor *loss, ag_tensor *const xs[], int n, const ag_check_options *options,
                         ag_check_report *report);
/* Each node's rule alone, at the recorded values, with random weights on its outputs: names the one wrong op in a model. */
AG_API bool ag_gradcheck_nodes(ag_tensor *loss, const ag_check_options *options, ag_check_report *report);
/* For a function that builds its graph anew from f64 leaves xs[0..n) at every call, branches included. */
typedef ag_tensor *ag_check_fn(void *context, ag_tape *tape, ag_tensor *const xs[], int n);
AG_API bool ag_gradcheck_fn(ag_check_fn *f, void *context, ag_tensor *const xs[], int n,
                            const ag_check_options *options, ag_check_report *report);
/* The report as a table for people; like snprintf, but returns out. */
AG_API const char *ag_check_text(const ag_check_report *report, char *out, size_t size);

/* Saving a graph: ops by name, attributes, leaves with their present values, names, scopes; effects are left out. The format
 * is text with the values behind it: docs/aggraph.md. */

/* Writes what leads to ys[0..n). The file appears whole, or what stood there stays. */
AG_API bool ag_graph_save(ag_tensor *const ys[], int n, const char *path);
/* Runs a saved graph onto the tape, inside the open scope, persistent leaves as such. out[0..capacity) are the saved ys, NULL
 * beyond them; returns how many there are, or −1. Values and gradients are those saved, to the last bit. Ops of one's own must
 * be registered. A file that is cut short, altered or hostile is an error, never more, and leaves nothing on the tape. */
AG_API int ag_graph_load(ag_tape *tape, const char *path, ag_tensor *out[], int capacity);

/* Asking why */

/* One sentence on why the last ag_backward on this tape left x without a gradient, or that it did not: where every path from
 * the loss to x was cut (detached, not recorded, an integer cast, a flat op, frozen) or that there is none, or that the
 * gradient is zero because an op saturated. Ask before a rewind drops the loss. Like snprintf, but returns out. */
AG_API const char *ag_why_no_grad(ag_tensor *x, char *out, size_t size);

typedef struct ag_origin {
    ag_tensor *node; /* the first whose value is not finite though its inputs are; NULL: all finite */
    bool backward;   /* not its value, but what its rule makes of a finite gradient */
    int64_t index;   /* row-major element of the value, or of the gradient it gives an input; −1: none */
    double value;
    char text[400]; /* a sentence with op, scope, element and the inputs that made it; "": all finite */
} ag_origin;
/* Finds where the NaN or infinity in y began; if y is finite, where one begins in its backward pass (run aside, on the
 * leaves' present values; no gradient changes); if that is finite too, an op that made one of finite inputs though nothing
 * came of it. True: found. */
AG_API bool ag_find_nonfinite(ag_tensor *y, ag_origin *origin);

/* Called by ag_backward with the gradient of x when it is complete; what it returns (a tensor of the same shape made with
 * ops, or g itself) takes its place; NULL is an error. Of a leaf it is the gradient of this pass alone, and a hook that
 * fails leaves all gradients as they were. g lives until the hook returns. One hook a tensor, gone with it; NULL removes it.
 * ag_gradients, being the pure form, calls no hooks. */
typedef ag_tensor *ag_grad_hook(void *context, ag_tensor *x, ag_tensor *g);
AG_API bool ag_hook_grad(ag_tensor *x, ag_grad_hook *hook, void *context);

/* Measuring: time, bytes and floating-point operations of every op run between start and stop. What a gradient rule runs
 * counts as backward, and for the scope of the node whose rule it is. Starting again forgets the profile before. */

AG_API bool ag_profile_start(ag_tape *tape);
AG_API bool ag_profile_stop(ag_tape *tape);
/* A table by op and by scope, the most expensive first; like snprintf, but returns out. */
AG_API const char *ag_profile_text(const ag_tape *tape, char *out, size_t size);
/* One event a run, inside slices for the scopes and the backward pass, in the trace-event JSON that Perfetto and
 * chrome://tracing open. It holds the first million runs; the table counts them all. */
AG_API bool ag_profile_trace(ag_tape *tape, const char *path);

#ifdef __cplusplus
}
#endif
#endif
