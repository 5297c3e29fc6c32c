/* gradcheck.h: the parts of the gradient checker.
 *
 *     graph ─ check_copy.c ──▶ trial ─ check_trial.c ─▶ line: f along one element or direction, as a function of s
 *     node ── check_nodes.c ──▶  │                        │ check_line.c: five points, steps, kinks, noise
 *     function ─ check_fn.c ──▶  ▼                        ▼ check_noise.c, check_kink.c: where that does not suffice
 *                        analytic gradient ───────────▶ row ─ check_report.c ─▶ report ─ check_text.c ─▶ table
 *                        (check_recorded.c: as the f32 graph has it)
 *
 * gradcheck.c goes through orders, tensors and elements. A trial has a tape of its own, all in f64; its arrays lie in that tape's
 * recorded bytes and go with them. The graph that is checked is only read: what is marked in it is unmarked again. */
#ifndef AUTOGRAD_GRADCHECK_H
#define AUTOGRAD_GRADCHECK_H

#include "autograd/inspect.h"
#include "autograd/node.h"

/* Trial: a function f = Σ_k ⟨w_k, y_k⟩ of leaves, that can be evaluated again after they were moved */

typedef struct ag__moved {
    ag_tensor *source;     /* the tensor of the graph that is checked */
    ag_tensor *leaf;       /* f64, on the trial's tape */
    bool offset;           /* source is the result of an op: leaf is added to it, and starts at 0 */
    bool differs;          /* a flat node behind it has another value in f64 than was recorded */
    double *a;             /* analytic gradient of f, row-major */
    double most;           /* max |a| */
    double noise;          /* of a, when measured */
    double *recorded, ulp; /* the gradient as recorded, or NULL, and the last place of its largest element */
    char name[64];
} ag__moved;

/* A flat node is held at its recorded value; beside it runs one that is not, to see whether it would change. */
typedef struct ag__shadow {
    struct ag__shadow *next;
    ag_tensor *live;
    void *home;   /* its value before anything moves */
    bool differs; /* from what was recorded */
    bool watched;
} ag__shadow;

/* Is flat x, but for what rounding and a little movement do, still the row-major value at home? */
bool ag__shadow_same(const ag_tensor *x, const void *home);

typedef struct ag__point {
    double f;    /* NaN: could not be computed */
    double size; /* Σ of the magnitudes of f's terms, to which its rounding is proportional */
    bool branch; /* a shadow changed */
} ag__point;

typedef struct ag__trial {
    ag_tape *tape;
    ag__moved *x;
    int n, m;
    int order;          /* 1: of f; 2: of ⟨v, ∇f⟩, v random */
    ag_tensor **y, **w; /* w_k NULL: ones */
    ag__shadow *shadow;
    ag_tensor **run; /* what depends on the leaves watched, in order */
    int64_t runs;
    ag__point home; /* where nothing is moved */
    double noise;   /* of f, by shaking; −1: not measured */
    double floor;   /* of a: the rounding of numbers of order one, where weights of order one make that the scale */
    double gain; /* the largest gradient at any node, 1 or more: by so much f magnifies a rounding; when both orders are checked */
    bool both; /* orders are */
    uint64_t seed;
    ag_check_fn *f; /* instead of a recorded graph: makes one anew, from mark on */
    void *context;
    ag_mark mark;
} ag__trial;

/* From f to ⟨v, ∇f⟩. */
bool ag__trial_raise(ag__trial *t);
/* Evaluates f where nothing is moved, more than once; *steady: always the same. */
bool ag__trial_settle(ag__trial *t, bool *steady);
bool ag__trial_analytic(ag__trial *t);
bool ag__trial_again(ag__trial *t, ag__point *p); /* runs all of it */
bool ag__trial_gradients(ag__trial *t, ag_tensor *const *ys, ag_tensor *const *ws, int m, ag_tensor **out);
/* x[j], or for j < 0 all of them, are about to move. */
bool ag__trial_watch(ag__trial *t, int j);

/* Line: x[j] at `index` (< 0: along a random direction; then j < 0 means all of them), moved by s. Uphill, every element of the
 * direction has the sign of its analytic gradient: the slopes then add up, where they might cancel until noise covers them. */
enum { AG__CHECK_DIRECTION = -1, AG__CHECK_UPHILL = -2 };
typedef struct ag__line {
    ag__trial *t;
    int j;
    int64_t index;
    double at, scale; /* x, and max(1, |x|); for a direction 0 and 1 */
    double norm;      /* makes the direction a unit vector */
    double a, most;   /* the analytic slope; max |a| over the tensor */
} ag__line;

ag__line ag__trial_line(ag__trial *t, int j, int64_t index);
bool ag__line_at(const ag__line *l, double s, ag__point *p); /* false: an error that is not one of values */
bool ag__line_home(const ag__line *l);                       /* moves back, and recomputes what had moved */
void ag__line_move(const ag__line *l, double s);
/* The part of the slope along the line that x[j], of gradient d, has. */
double ag__line_dot(const ag__line *l, int j, const ag_tensor *d);
/* The rounding error of f near here, as measured; d: of the first step. Fills t->noise and x[].noise when missing. */
bool ag__line_noise(const ag__line *l, double d, double *noise);
/* Does a node have a kink here? True if a value's one-sided slopes along the line differ. */
bool ag__line_bends(const ag__line *l, bool *bends);
/* For a node's trial, order 1: is the rule right for each output by itself, at a kink of some of them? */
bool ag__kink_outputs(const ag__line *l, bool *right);

/* Random numbers of magnitude ½ to 3/2 and any sign, for weights and directions. */
double ag__check_random(uint64_t seed, int64_t j, int64_t i);

/* Fills step, numeric, errors, tolerance and verdict from l and row->analytic. False: an error. */
bool ag__line_check(const ag__line *l, ag_check_row *row);

/* Rows of one tensor, kept until it is known whether its failures have a pattern */
typedef struct ag__tally {
    ag_check_report rows;
    double least, most; /* a / n, where n stands out of the tolerance */
    int64_t ratios, right;
} ag__tally;
void ag__tally_start(ag__tally *t);
void ag__tally_add(ag__tally *t, const ag_check_row *row);
void ag__tally_close(ag__tally *t, ag_check_report *report);
void ag__report_start(ag_check_report *r);

/* A check in progress */
enum { AG__CHECK_ELEMENTS = 2000 }; /* up to which AG_CHECK_AUTO takes every one */
typedef struct ag__check ag__check;
struct ag__check {
    ag_check_options o;
    ag__trial t;
    ag_check_report *report;
    ag_tensor *node; /* whose rule, or NULL */
    bool condemned;  /* f was not finite, or not the same twice */
    bool tainted;    /* its inputs are not all finite: what is not finite then is not its fault */
    bool every;      /* every element, not samples */
    int samples;     /* else so many */
    ag_tensor *loss;
    int rules; /* of the nodes of loss: 0 not yet checked, 1 all pass, −1 not */
    /* Looks into a row that fails, or shows a kink, and may change its verdict. NULL: it stays. */
    bool (*confirm)(ag__check *c, const ag__line *l, ag_check_row *row);
};

/* Loss one float element, xs floats, all on one tape without an error? Else its error is set. */
bool ag__check_arguments(ag_tensor *loss, ag_tensor *const xs[], int n, const char *what);
bool ag__check_start(ag__check *c, const ag_check_options *options, ag_check_report *report, ag_tape *errors,
                     const char *what);
bool ag__check_run(ag__check *c, int64_t limit); /* all orders of the trial; every element up to `limit` in AG_CHECK_AUTO */
/* Ends the trial's tape and passes its error on; returns whether all passed. */
bool ag__check_end(ag__check *c, bool done, ag_tape *errors, const char *what);

/* Makes c->t the graph of loss, with xs (n = 0: the leaves that require a gradient) to be moved. */
bool ag__check_copy(ag__check *c, ag_tensor *loss, ag_tensor *const xs[], int n);
bool ag__check_recorded(ag__trial *t, ag_tensor *loss);                     /* fills x[].recorded if it can */
ag_tensor *ag__check_widen(ag_tape *t, const ag_tensor *x, unsigned flags); /* a leaf with x's value, floats in f64 */
void ag__check_name(char out[64], const ag_tensor *x);
void ag__check_node_name(char out[64], const ag_tensor *y, int input);

/* Sets AG__TARGET on what leads to y; returns the end of that part of the tape. */
int64_t ag__check_mark(ag_tensor *y, bool whole);
void ag__check_unmark(ag_tape *t, int64_t hi);
/* Is y's value held in a copy, so that no gradient flows through it? */
bool ag__check_holds(const ag_tensor *y);

#endif
