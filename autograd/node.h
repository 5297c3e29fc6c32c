/* node.h: how tape, node and storage lie in memory. Private to the library.
 *
 *   ag_tape ── persistent ─▶ leaves that live as long as the tape
 *           ── recorded ───▶ node 0 │ node 1 │ node 2 │ …        in execution order; the end is cut off by a rewind
 *           ── scratch ────▶ what a gradient rule records        emptied after each rule of ag_backward
 *           ── pool ───────▶ free blocks by size class
 *
 *   ag_tensor (128 bytes) ── op, in[] ─▶ earlier nodes
 *                         ── shape ────▶ ag__shape, one per distinct shape and tape: equal pointers, equal shapes
 *                         ── store ────▶ ag__storage, counted; NULL: the value (≤ 8 bytes) lies in the node, or is a view of such
 *
 * Invariants. A node's inputs were recorded before it. Leaves that persist always have a storage, so every write has a
 * place for its stamp. node.slot is NULL outside a reverse loop.
 */
#ifndef AUTOGRAD_NODE_H
#define AUTOGRAD_NODE_H

#include <stdarg.h>
#include <stddef.h>

#include "autograd/inspect.h"
#include "autograd/op.h"

/* Paths off the common one: kept out of line, so that the common one saves no registers for them. */
#define AG__COLD __attribute__((__cold__, __noinline__))

typedef struct ag__shape {
    struct ag__shape *next; /* in its hash bucket */
    int64_t size;           /* elements */
    int64_t dim[AG_MAX_RANK];
    int64_t stride[AG_MAX_RANK]; /* row-major, in elements */
    int rank;
} ag__shape;

typedef enum ag__kind { AG__POOL, AG__EXTERNAL, AG__MAPPED, AG__BORROWED } ag__kind;

/* The record stands in the 64 bytes before a pooled block; the other kinds are records alone. */
typedef struct ag__storage {
    char *base;
    size_t bytes;             /* usable */
    uint64_t stamp;           /* clock of the last write; atomic access where tapes share it */
    struct ag__storage *next; /* free list, list of workspaces, or list of a tape's foreign storages */
    union {
        struct {
            ag_release_fn *release;
            void *context;
        };
        struct {
            struct ag__storage *owner; /* AG__BORROWED */
            uint64_t seen;             /* owner's stamp when last looked at */
        };
    };
    uint32_t refs;
    uint8_t kind, size_class;
    bool read_only;
    bool handle; /* of a gradient that ag_grad returns */
} ag__storage;
_Static_assert(sizeof(ag__storage) <= 64, "a storage record fits in front of its block");

enum {                      /* node flags */
       AG__LIVE = 1,        /* cleared when poisoned */
       AG__GRAD = 2,        /* requires a gradient */
       AG__MARK = 4,        /* on a path of the running ag_gradients */
       AG__TARGET = 8,      /* an x of the running ag_gradients */
       AG__CUT = 16,        /* recorded while recording was off */
       AG__LEAF = 32,       /* a leaf */
       AG__PERSISTENT = 64, /* in the persistent region */
       AG__TUPLE = 128,     /* several outputs; data is an ag_tensor *[] of its parts */
       AG__PART = 256,      /* output of the tuple in[0] */
       AG__RETAIN = 512,    /* keep the gradient */
       AG__HAS_GRAD = 1024, /* on a leaf: its gradient handle has been filled */
       AG__BORROWS = 2048,  /* leaf of another tape's storage */
       AG__CELL = 4096,     /* a gradient held by a slot */
       AG__HOOK = 8192,     /* meta.hook wants to see the gradient */
       AG__PENDING = 16384, /* recorded by a gradient rule, computed when somebody asks: ag__settle */
       AG__HANDLE = 32768   /* the gradient of a persistent leaf */
};

typedef struct ag__meta { /* pooled blocks, dropped with their node */
    char *name;
    ag_tensor *grad; /* the stable handle: a persistent leaf, or the cell of a recorded node */
    ag_grad_hook *hook;
    void *context; /* of the hook */
} ag__meta;

struct ag_tensor {
    const ag_op *op; /* NULL: a leaf or a part */
    ag_tape *tape;
    const ag__shape *shape;
    const int64_t *strides; /* NULL: row-major */
    union {
        void *data;
        ag_tensor **part; /* AG__TUPLE */
    };
    ag__storage *store;
    union {
        double f64;
        float f32[2];
        int64_t i64;
        unsigned char bytes[8];
    } scalar;
    ag_tensor *in[3]; /* more than 3: in[0] is an ag_tensor *[nin]; AG__HANDLE, without inputs: in[0] is its leaf */
    void *attrs;
    ag_tensor *slot; /* the gradient that has arrived, while a reverse loop runs */
    ag__meta *meta;
    uint64_t ran; /* clock when the value was computed */
    uint32_t index;
    uint32_t nin;
    uint16_t flags, scope;
    uint8_t dtype, out; /* out: AG__PART: which output; AG__PENDING: nodes of its chain; AG__HANDLE: AG__HANDLE_… */
};
_Static_assert(sizeof(ag_tensor) <= 128, "a node is at most 128 bytes");

/* A gradient that a slot holds while a reverse loop runs: a copy of the node a rule returned, with strides of its own. */
typedef struct ag__cell {
    ag_tensor tensor;
    int64_t strides[AG_MAX_RANK];
} ag__cell;

/* Nodes in segments of 2^shift cells that never move, and the bytes that go with them (attributes, names, strides). */
typedef struct ag__chunk {
    _Alignas(16) struct ag__chunk *prev;
    size_t size, below; /* below: how much of prev is used */
} ag__chunk;

typedef struct ag__region {
    ag_tensor **segment;
    int64_t segments, capacity;
    int shift;
    int64_t count; /* nodes */
    ag__chunk *chunk;
    size_t used;      /* bytes of chunk */
    ag__chunk *spare; /* emptied chunks, kept */
} ag__region;

typedef struct ag__place {
    int64_t count;
    ag__chunk *chunk;
    size_t used;
} ag__place;

typedef struct ag__markrec { /* lives in the recorded bytes, so that a rewind below it forgets it */
    struct ag__markrec *prev;
    uint64_t serial;
    ag__place place; /* just behind this record */
} ag__markrec;

typedef struct ag__scope {
    const char *name;
    int parent;
} ag__scope;

/* The last call of ag_backward, for ag_why_no_grad. */
typedef struct ag__ends {
    ag_tensor **y;
    int64_t count, capacity;
    int64_t past; /* just behind the last of them on the tape */
    enum { AG__ENDS_NONE, AG__ENDS_DROPPED, AG__ENDS_FAILED, AG__ENDS_DONE } state;
} ag__ends;

enum {
    AG__WATCH_DEBUG = 1,
    AG__WATCH_PROFILE = 2,
    AG__WATCH_WORK = 4,
    AG__WATCH_REPEAT = 8
};                                                    /* bits of ag_tape.watch; REPEAT: effects do not happen */
enum { AG__ATTEND_RETAIN = 1, AG__ATTEND_VISIT = 2 }; /* bits of ag_tape.attend */
enum { AG__HANDLE_USED = 1, AG__HANDLE_LENT = 2 };    /* bits of a handle's out: lend.c */
typedef struct ag__profile ag__profile;

enum { AG__SHAPE_BUCKETS = 256, AG__SIZE_CLASSES = 192, AG__MESSAGE = 512, AG__LENDERS = 4 };

struct ag_tape {
    ag__region *region; /* where results go now: recorded, or scratch inside ag_backward */
    uint64_t clock;
    ag_status status;
    bool recording;
    bool pure;         /* ag_gradients is running: what a rule records stays, wherever that is */
    uint8_t attend;    /* what ag_backward does at every node: AG__ATTEND_… */
    bool poison;       /* dropped memory is overwritten and set aside */
    bool hooked;       /* some gradient has had a hook */
    uint8_t debug;     /* AG_DEBUG */
    uint8_t watch;     /* who looks at every run: AG__WATCH_… */
    uint16_t want_bit; /* node flag that ag_wants tests */
    uint16_t scope;
    uint32_t scope_skipped; /* pushes refused while an error stood */
    uint32_t want_only;     /* bit i: ag_wants(y, i) may be true */

    ag__region recorded, persistent, scratch;
    ag__storage *pool[AG__SIZE_CLASSES];
    ag__storage *work;    /* workspaces of the run in progress */
    ag__storage *foreign; /* external, mapped and borrowed storages */
    ag_tensor *cells;     /* free gradient cells, linked through slot */
    ag_tensor **touched;  /* leaves that the running backward has reached */
    int64_t touched_count, touched_capacity;
    ag_tensor *lender[AG__LENDERS]; /* leaves whose gradient handle's memory the next results may take */
    int lenders;
    ag__ends ends;
    size_t bytes, peak, limit; /* limit: what bytes may reach */
    double allowance;          /* AG__WATCH_WORK: operations that may still be spent */
    ag__profile *profile;
    const ag_tensor *visited; /* AG__ATTEND_VISIT: whose gradient rule is running */

    ag__shape *shapes[AG__SHAPE_BUCKETS];
    ag__scope *scopes;
    int scope_count, scope_capacity;
    ag__markrec *mark;
    uint64_t serial;
    ag_tensor *key; /* i64 leaf: the key of the random numbers */
    uint64_t draws;
    int64_t executed; /* ops run, for tests of cost */
    int64_t own;      /* 1 + the place in region where what gradient rules record begins; 0: no loop calls any */
    ag_tensor **quarantine;
    int64_t quarantine_next;
    char message[AG__MESSAGE];
};

/* Field by field: a 128-byte clear would cost more than the arithmetic of a small node. */
static inline void ag__node_init(ag_tensor *x, ag_tape *t, const ag_op *op, uint32_t nin, unsigned flags) {
    x->op = op;
    x->tape = t;
    x->shape = NULL;
    x->strides = NULL;
    x->data = NULL;
    x->store = NULL;
    x->in[0] = x->in[1] = x->in[2] = NULL;
    x->attrs = NULL;
    x->slot = NULL;
    x->meta = NULL;
    x->ran = 0;
    x->nin = nin;
    x->flags = (uint16_t)flags;
    x->scope = t->scope;
    x->dtype = x->out = 0;
}

/* error.c */
/* The one function every error passes: keeps the first on the tape (t may be NULL) and the last in the thread. Returns NULL. */
void *ag__fail(ag_tape *t, ag_status status, const char *format, ...) AG_PRINTF(3, 4);
void *ag__vfail(ag_tape *t, ag_status status, const char *prefix, const char *format, va_list args);
void ag__fail_within(ag_tape *t, const char *op); /* the error of an operation that composes another is the other's */
void ag__log(const char *format, ...) AG_PRINTF(1, 2);
extern ag_tape ag__dropped; /* the tape of poisoned nodes: its status says so */

/* arena.c: the only file that calls malloc and its kin */
enum { AG__HUGE_PAGE = 2 << 20 };                          /* as an alignment it also asks for huge pages */
void *ag__get(ag_tape *t, size_t bytes, size_t alignment); /* counted; NULL with the tape's error set. t may be NULL */
void ag__give(ag_tape *t, void *block, size_t bytes);
void *ag__grow(ag_tape *t, void *array, size_t element, int64_t count, int64_t *capacity); /* room for one more */
void *ag__bump(ag_tape *t, ag__region *r, size_t bytes); /* 16-byte aligned, uninitialised */
char *ag__bump_text(ag_tape *t, ag__region *r, const char *text);
bool ag__region_more(ag_tape *t, ag__region *r); /* another segment */
static inline ag__place ag__place_of(const ag__region *r) { return (ag__place){r->count, r->chunk, r->used}; }
void ag__region_cut(ag_tape *t, ag__region *r, const ag__place *place); /* nodes and bytes beyond place are dropped */
void ag__region_trim(ag_tape *t, ag__region *r);                        /* frees what a cut has emptied */
void ag__region_free(ag_tape *t, ag__region *r);
void ag__quarantine_free(ag_tape *t);
static inline ag_tensor *ag__node(const ag__region *r, int64_t i) {
    return &r->segment[i >> r->shift][i & (((int64_t)1 << r->shift) - 1)];
}
/* The next node, everything zero but these; the caller raises r->count to keep it. */
static inline ag_tensor *ag__node_new(ag_tape *t, ag__region *r, const ag_op *op, uint32_t nin, unsigned flags) {
    if (r->count >> r->shift >= r->segments && !ag__region_more(t, r)) return NULL;
    ag_tensor *x = ag__node(r, r->count);
    ag__node_init(x, t, op, nin, flags);
    x->index = (uint32_t)r->count;
    return x;
}

/* storage.c */
ag__storage *ag__storage_new(ag_tape *t, size_t bytes);     /* pooled, one reference */
ag__storage *ag__storage_lasting(ag_tape *t, size_t bytes); /* the same, for what lives as long as the tape */
void ag__storage_drop(ag_tape *t, ag__storage *s);          /* one reference less */
ag__storage *ag__storage_foreign(ag_tape *t, ag__kind kind, void *base, size_t bytes); /* freed with the tape */
void ag__storage_free_all(ag_tape *t);
void *ag__temp(ag_tape *t, size_t bytes); /* pooled memory outside any node; NULL with the tape's error set */
void ag__temp_free(ag_tape *t, void *block);
void ag__work_free(ag_tape *t);
void ag__borrow_refresh(ag_tape *t, ag__storage *s); /* stamps a borrowed storage that its owner wrote */

/* shape.c */
/* Checks rank, signs and overflow; `what` begins the message. */
const ag__shape *ag__shape_intern(ag_tape *t, const ag_shape *shape, const char *what);
bool ag__contiguous(const ag_tensor *x);
int64_t ag__stride(const ag_tensor *x, int axis);

/* copy.c: x's elements row-major to out, or added to what is there (floats) */
void ag__gather(const ag_tensor *x, void *out);
void ag__accumulate(const ag_tensor *x, void *out);
void ag__zero(void *out, size_t bytes);

/* turn.c: `rows` of `wide` elements, `step` bytes apart, become `wide` lines, `line` bytes apart. */
enum { AG__STRIP = 128 /* bytes of a line */ };
typedef struct ag__strip {
    const char *from;
    char *to;
    int64_t step, line, rows, wide;
    size_t element;
    bool large; /* the result, of which this is a part, does not fit the caches */
} ag__strip;
/* How many lines are done; the last few are not, nor is any where AG__STRIP bytes are not filled. `next`: what will be read then. */
int64_t ag__turn(const ag__strip *s, const char *next);

/* tensor.c */
ag_tensor *ag__leaf_in(ag_tape *t, ag__region *r, ag_dtype dtype, const ag__shape *shape, bool inline_ok);
ag__meta *ag__meta_of(ag_tensor *x);                               /* made when missing; NULL when memory is short */
void ag__meta_free(ag_tensor *x);                                  /* of a node that is dropped */
const char *ag__label(const ag_tensor *x, char *out, size_t size); /* "layer1.weight (5,3)" */
void ag__stamp_write(ag_tensor *leaf);                             /* its memory is written */
extern const size_t ag__dtype_bytes[AG_DTYPE_COUNT];
static inline bool ag__is_float(int dtype) { return dtype <= AG_F64; }
static inline ag_tensor *const *ag__in(const ag_tensor *y) {
    return y->nin <= 3 ? y->in : (ag_tensor *const *)(void *)y->in[0];
}
/* Does the running loop want the gradient of x, input i of a node? */
static inline bool ag__wanted(const ag_tensor *x, uint32_t i) {
    const ag_tape *t = x->tape;
    return x->flags & t->want_bit && (i >= 32 || t->want_only >> i & 1) && ag__is_float(x->dtype);
}
static inline bool ag__wants(const ag_tensor *y, uint32_t i) { return ag__wanted(ag__in(y)[i], i); }
/* Just past x on the tape, and past the parts beside it; 0 for what is not recorded. */
static inline int64_t ag__end(const ag_tensor *x) {
    if (x->flags & (AG__PERSISTENT | AG__CELL)) return 0;
    return x->flags & AG__PART ? (int64_t)x->in[0]->index + 1 + x->in[0]->op->nout : (int64_t)x->index + 1;
}
double ag__load(const void *p, int dtype);
void ag__store_value(void *p, int dtype, double value);

/* apply.c */
bool ag__run(ag_tensor *y); /* op->run with its workspaces, stamps and debugging; replay uses it too */
/* Large elementwise nodes that a gradient rule records in scratch are not computed at once: a chain of at most AG__CHAIN of
 * them runs in one pass when its last value is asked for (ops/chain.c). Whoever reads x.data of such a node settles it. */
enum { AG__CHAIN = 8, AG__CHAIN_LEAST = 4096 /* elements */ };
bool ag__settle(ag_tensor *x); /* AG__PENDING: computes x; false with the tape's error set */
bool ag__chain_run(ag_tensor *y, void *onto);
/* What folds a pending x may compute it piece by piece instead, elements [begin, begin + n) at a time, and never store it whole.
 * False: not this one. */
extern const size_t ag__chain_bytes; /* of `memory` */
bool ag__chain_open(ag_tensor *x, void *memory);
void ag__chain_read(const void *memory, int64_t begin, int64_t n, char *out);
enum { AG__STREAMS = 1 << 16 }; /* op flag: its run takes input 0 pending */

/* gradient.c: what a gradient is kept in */
ag_tensor *ag__cell_keep(ag_tape *t, ag_tensor *d); /* holds d's value; NULL when memory is short */
void ag__cell_drop(ag_tape *t, ag_tensor *cell);
ag_tensor *ag__grad_handle(ag_tensor *x); /* made, zeroed, when missing */

/* lend.c: gradients computed in the memory of their handles */
/* A lent handle's memory for a result of this shape, with a reference; NULL: none. */
ag__storage *ag__borrow(ag_tape *t, const ag__shape *shape, int dtype);
bool ag__handle_seen(const ag_tensor *handle); /* false, an error: its memory is lent */
bool ag__handles_used(const ag_tensor *y);     /* notes that y has handles among its inputs; false as above */

/* Has a record the field, one of those that came after the first version, and is it set? Older records end before it. */
#define AG__OP_HAS(op, field) ((op)->size >= offsetof(ag_op, field) + sizeof(op)->field && (op)->field)

/* backward.c */
/* Does y's record state its value by other ops, of which the gradient can be taken? */
static inline bool ag__expands(const ag_op *op) { return AG__OP_HAS(op, expand); }
/* Records d[i] for every wanted input of y, by its rule or through its composition. */
bool ag__rule(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]);
ag_tensor *ag__fit(ag_tensor *d, const ag_tensor *x); /* sums or expands d to x's shape; checks the dtype */
/* Does a gradient rule or a hook run? The loop that called it owns the slots and marks of all nodes before tape.own. */
static inline bool ag__inside(const ag_tape *t) { return t->own != 0; }
bool ag__stale(ag_tensor *y);           /* was an input overwritten since y ran? Then the tape's error is set */
void ag__cut(ag_tape *t, int64_t from); /* what was recorded since node `from` shall depend on nothing */

/* attr.c */
#define AG__SAME INT64_MIN /* in a list that says padding=same; padding=valid is 0 */
bool ag__attrs_parse(ag_tape *t, const ag_op *op, const char *text, void *attrs);
/* Is an attribute of that name in the text? Its first value goes to `value`, the text without it to `rest`, which is NULL or as
 * large as the text. */
bool ag__attrs_take(const char *text, const char *name, char *rest, char *value, size_t size);
bool ag__dtype_parse(const char *text, ag_dtype *out);
bool ag__number_parse(const char *text, double *out);                 /* inf, nan and true (1), false (0) among them */
void ag__attrs_convert(const ag_op *op, void *attrs, ag_dtype dtype); /* dtype fields that are float become dtype */

/* hook.c */
bool ag__hook_call(ag_tensor *x); /* puts what x's hook makes of x.slot in its place */

/* profile.c */
double ag__op_flops(const ag_tensor *y); /* of one run */
double ag__op_bytes(const ag_tensor *y); /* read and written by one run */
bool ag__work_take(ag_tensor *y);        /* AG__WATCH_WORK: takes the cost of a run from tape.allowance, or fails */
double ag__bytes_of(const ag_tensor *x); /* distinct ones: what broadcasting repeats counts once */
void ag__profile_ran(const ag_tensor *y, double bytes, double start, double seconds); /* bytes: read and written */
void ag__profile_free(ag_tape *t);

/* rng.c's needs */
uint64_t ag__next_draw(ag_tape *t);
uint64_t ag__key(const ag_tape *t);
ag_tensor *ag__key_leaf(ag_tape *t);

/* parallel.c */
/* body once for each of at most 64 lanes, which share some work among them, of `work` times about 4 µs. A lane may find that
 * others have done all. */
void ag__parallel_lanes(int lanes, double work, void (*body)(void *context, int64_t begin, int64_t end), void *context);

/* registry.c */
const char *ag__nearest_op(const char *name); /* for suggestions; NULL: none is near */

/* debug.c */
void ag__debug_start(ag_tape *t);
void ag__debug_end(const ag_tape *t);
void ag__debug_ran(ag_tensor *y, double seconds);
bool ag__debug_check(ag_tensor *y); /* AG_DEBUG=4: NaN and Inf become errors */
double ag__now(void);               /* seconds, monotonic */
bool ag__dot_wanted(bool claim);    /* does AG_DOT ask for a drawing, and has nobody claimed it yet? */

/* dot.c */
void ag__dot_from_environment(ag_tensor *loss);

/* ops: the built-in records, ended by NULL; other names of theirs and of attributes, ended by a NULL name */
typedef struct ag__op_name {
    const char *other;
    const ag_op *op;
} ag__op_name;
typedef struct ag__attribute_name {
    const char *other, *own;
} ag__attribute_name;
typedef struct ag__op_form {
    const ag_op *op, *form; /* form NULL: op of input 0 in the dtype that `attribute` says */
    const char *attribute;  /* NULL: more inputs than op takes */
    const char *word;       /* NULL, or what that attribute then says */
    double neutral;         /* form and attribute NULL: one more input, a mask, leaves out what then counts as this */
} ag__op_form;
extern const ag_op *const ag__ops[]; /* NULL past the end */
extern const int ag__op_count;
extern const ag__op_form ag__op_forms[]; /* ended by a NULL op */
extern const ag__op_name ag__op_names[];
extern const ag__attribute_name ag__attribute_names[];

#endif
