/* eval.c: one loop over the tree's array, which holds children before parents. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "eval.h"
#include "habits.h"
#include "ops/ops.h"

bool eval_whole(double v) { return v == nearbyint(v) && fabs(v) <= 9007199254740992.0; }

static span place(const evaluator *e, int id) { return e->p->node[id].at; }

bool eval_store(evaluator *e, int id, ag_tensor *x) {
    if (!x && !ag_tape_status(e->tape)) return fault_memory(e->f);
    if (!x) return fault_tape(e->f, e->tape, e->in, place(e, id));
    e->v[id] = (value){.kind = VALUE_TENSOR, .x = ag_part(x, 0)}; /* of several outputs the first */
    return true;
}

ag_tensor *eval_tensor(evaluator *e, int id, ag_dtype dtype) {
    value *v = &e->v[id];
    ag_tensor *x = v->x;
    if (v->kind == VALUE_NUMBER) {
        x = ag_scalar(e->tape, dtype == AG_DTYPE_COUNT ? e->dtype : dtype, v->number);
    } else if (v->kind == VALUE_TENSOR && dtype != AG_DTYPE_COUNT && ag_dtype_of(x) != dtype) {
        x = ag_cast(x, dtype);
    }
    if (!x) fault_tape(e->f, e->tape, e->in, place(e, id));
    return x;
}

ag_tensor *eval_leaf(ag_tape *tape, ag_dtype dtype, const double *data, ag_shape shape, unsigned flags) {
    if (dtype == AG_F64) return ag_leaf(tape, dtype, data, shape, flags);
    size_t n = 1;
    for (int i = 0; i < shape.rank; i++) n *= (size_t)shape.dim[i];
    void *copy = malloc(n * ag_dtype_size(dtype) + 1);
    if (!copy) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (dtype == AG_F32) ((float *)copy)[i] = (float)data[i];
        else if (dtype == AG_I64) ((int64_t *)copy)[i] = (int64_t)data[i];
        else ((bool *)copy)[i] = data[i] != 0;
    }
    ag_tensor *x = ag_leaf(tape, dtype, copy, shape, flags);
    free(copy);
    return x;
}

/* Names */

static bool constant(const char *name, double *out) {
    static const struct {
        const char *name;
        double value;
    } table[] = {
        {"pi", 3.14159265358979323846}, {"e", 2.71828182845904523536}, {"inf", (double)INFINITY}, {"nan", (double)NAN}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(name, table[i].name)) continue;
        *out = table[i].value;
        return true;
    }
    return false;
}

static bool is_bound(const evaluator *e, const char *name, size_t n) {
    for (int i = 0; i < e->lets; i++) {
        const char *let = e->p->node[e->let[i]].name;
        if (strlen(let) == n && !strncmp(let, name, n)) return true;
    }
    for (int i = 0; i < e->count; i++) {
        if (strlen(e->bindings[i].name) == n && !strncmp(e->bindings[i].name, name, n)) return true;
    }
    return false;
}

static bool unknown_name(evaluator *e, int id) {
    const char *name = e->p->node[id].name;
    span at = place(e, id);
    for (size_t i = 1; i < strlen(name); i++) {
        if (!is_bound(e, name, i) || !is_bound(e, name + i, strlen(name) - i)) continue;
        return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown name '%s'; to multiply write %.*s*%s", name, (int)i,
                         name, name + i);
    }
    nearest near = nearest_begin(name);
    for (int i = 0; i < e->lets; i++) nearest_try(&near, e->p->node[e->let[i]].name);
    for (int i = 0; i < e->count; i++) nearest_try(&near, e->bindings[i].name);
    if (near.best) {
        return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown name '%s'; did you mean '%s'?", name, near.best);
    }
    const char *hint = habit_of_word(name, strlen(name));
    if (hint) return fault_set(e->f, EXIT_USAGE, e->in, at, "'%s' means nothing here; %s", name, hint);
    if (ag_find_op(name)) {
        return fault_set(e->f, EXIT_USAGE, e->in, at, "'%s' is an operation; apply it: %s(…)", name, name);
    }
    return fault_set(e->f, EXIT_USAGE, e->in, at, "unknown name '%s'; give it a value after the expression: %s=1.5",
                     name, name);
}

static bool eval_name(evaluator *e, int id) {
    const char *name = e->p->node[id].name;
    value *v = &e->v[id];
    for (int i = e->lets; i-- > 0;) {
        if (strcmp(e->p->node[e->let[i]].name, name)) continue;
        *v = e->v[e->let[i]];
        return true;
    }
    for (int i = 0; i < e->count; i++) {
        if (strcmp(e->bindings[i].name, name)) continue;
        e->bindings[i].used = true;
        *v = (value){.kind = VALUE_TENSOR, .x = e->bindings[i].x};
        return true;
    }
    if (constant(name, &v->number)) {
        v->kind = VALUE_NUMBER;
        return true;
    }
    if (e->skip[id] != SKIP_ATTRIBUTE) return unknown_name(e, id);
    *v = (value){.kind = VALUE_WORD, .word = name};
    return true;
}

/* Operators */

static bool fold(evaluator *e, int id, symbol s, double a, double b) {
    double y = s == SYMBOL_ADD   ? a + b
               : s == SYMBOL_SUB ? a - b
               : s == SYMBOL_MUL ? a * b
               : s == SYMBOL_DIV ? a / b
                                 : pow(a, b);
    e->v[id] = (value){.kind = VALUE_NUMBER, .number = y};
    if (!isfinite(y) && isfinite(a) && isfinite(b)) {
        char c[3][NUMBER_ROOM];
        fault_set(&e->odd, EXIT_VALUE, e->in, place(e, id), "%s: the value is %s, from a = %s, b = %s", symbol_op(s),
                  number_text(y, PEOPLE, c[0]), number_text(a, PEOPLE, c[1]), number_text(b, PEOPLE, c[2]));
    }
    return true;
}

/* How wide a dtype is for arithmetic: 0 bool, 1 i64, 2 float. Numbers fit themselves to the other operand. */
static int width(const evaluator *e, int id) {
    const value *v = &e->v[id];
    if (v->kind == VALUE_NUMBER) return eval_whole(v->number) ? 1 : 2;
    ag_dtype d = ag_dtype_of(v->x);
    return d == AG_BOOL ? 0 : d == AG_I64 ? 1 : 2;
}

/* The dtype in which the two are brought together */
static ag_dtype common(const evaluator *e, int a, int b, symbol s) {
    int wide = width(e, a) > width(e, b) ? width(e, a) : width(e, b);
    if (s == SYMBOL_DIV || s == SYMBOL_POW || s == SYMBOL_MATMUL) wide = 2;
    bool numbers = e->v[a].kind == VALUE_NUMBER && e->v[b].kind == VALUE_NUMBER;
    if (wide < 2 && !numbers && width(e, a) > 0 && width(e, b) > 0) return AG_I64;
    for (int i = 0; i < 2; i++) { /* --f32 of a program that made f64 on purpose */
        const value *v = &e->v[i ? b : a];
        if (v->kind == VALUE_TENSOR && width(e, i ? b : a) == 2) return ag_dtype_of(v->x);
    }
    return e->dtype;
}

ag_tensor *eval_apply(evaluator *e, const char *op, ag_tensor *const in[], int n, const char *attributes) {
    bool product = n == 2 && !strcmp(op, symbol_op(SYMBOL_MATMUL));
    return product ? ag_matmul(in[0], in[1]) : ag_call(e->tape, op, in, n, attributes);
}

/* x² and powers with a number above are operations of one input: their gradients need no logarithm. */
static ag_tensor *power(evaluator *e, int left, int right, ag_dtype dtype) {
    ag_tensor *a = NULL, *b = NULL;
    const node *base = &e->p->node[left];
    bool natural = base->kind == NODE_NAME && e->v[left].kind == VALUE_NUMBER && !strcmp(base->name, "e");
    if (!natural && !(a = eval_tensor(e, left, dtype))) return NULL;
    if (e->v[right].kind == VALUE_NUMBER) {
        double p = e->v[right].number;
        return p == 2 ? ag_square(a) : ag_pow_scalar(a, p);
    }
    if (!(b = eval_tensor(e, right, dtype))) return NULL;
    return natural ? ag_exp(b) : ag_pow(a, b);
}

static bool eval_binary(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    int a = child_of(e->p, id, 0), b = child_of(e->p, id, 1);
    symbol s = n->symbol;
    if (e->v[a].kind == VALUE_WORD || e->v[b].kind == VALUE_WORD)
        return unknown_name(e, e->v[a].kind == VALUE_WORD ? a : b);
    if (e->v[a].kind == VALUE_NUMBER && e->v[b].kind == VALUE_NUMBER && s <= SYMBOL_POW && s != SYMBOL_MATMUL) {
        return fold(e, id, s, e->v[a].number, e->v[b].number);
    }
    ag_dtype dtype = common(e, a, b, s);
    ag_tensor *y = NULL;
    if (s == SYMBOL_POW) {
        y = power(e, a, b, dtype);
    } else {
        ag_tensor *in[] = {eval_tensor(e, a, dtype), eval_tensor(e, b, dtype)};
        if (!in[0] || !in[1]) return false;
        y = eval_apply(e, symbol_op(s), in, 2, "");
    }
    if (e->f->code) return false;
    if (!y && (s == SYMBOL_MUL || s == SYMBOL_MATMUL) && ag_tape_status(e->tape) == AG_ERR_SHAPE) {
        bool scalar = s == SYMBOL_MATMUL && (!ag_rank(e->v[a].x) || !ag_rank(e->v[b].x));
        fault_set(e->f, EXIT_VALUE, e->in, n->at, "%s%s", ag_tape_message(e->tape),
                  s == SYMBOL_MUL ? "; the matrix product is 'a @ b'"
                  : scalar        ? "; by a number one multiplies with '*'"
                                  : "");
        ag_tape_clear(e->tape);
        return false;
    }
    return eval_store(e, id, y);
}

static bool eval_unary(evaluator *e, int id) {
    int child = child_of(e->p, id, 0);
    value v = e->v[child];
    if (v.kind == VALUE_WORD) return unknown_name(e, child);
    if (v.kind == VALUE_NUMBER) {
        e->v[id] = (value){.kind = VALUE_NUMBER, .number = -v.number};
        return true;
    }
    ag_tensor *x = eval_tensor(e, child, ag_dtype_of(v.x) == AG_BOOL ? e->dtype : AG_DTYPE_COUNT);
    return x && eval_store(e, id, ag_neg(x));
}

/* A vector is its own transpose, as in NumPy. */
static bool eval_transpose(evaluator *e, int id) {
    value v = e->v[child_of(e->p, id, 0)];
    if (v.kind == VALUE_TENSOR && ag_rank(v.x) >= 2) return eval_store(e, id, ag_transpose(v.x, -2, -1));
    e->v[id] = v;
    return true;
}

static bool eval_let(evaluator *e, int id) {
    value v = e->v[child_of(e->p, id, 0)];
    e->v[id] = v;
    e->let[e->lets++] = id;
    if (v.kind == VALUE_TENSOR && !ag_is_leaf(v.x) && !*ag_name(v.x)) ag_set_name(v.x, e->p->node[id].name);
    return true;
}

static bool eval_text(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    e->v[id] = (value){.kind = VALUE_WORD, .word = n->name};
    return e->skip[id] == SKIP_ATTRIBUTE ||
           fault_set(e->f, EXIT_USAGE, e->in, n->at,
                     "a text can only be an attribute: einsum(A, B, equation=\"ij,jk->ik\")");
}

static bool eval_node(evaluator *e, int id) {
    const node *n = &e->p->node[id];
    if (e->skip[id] == SKIP_ATTRIBUTE && n->kind > NODE_NAME && n->kind != NODE_UNARY && n->kind != NODE_BINARY)
        return true;
    switch (n->kind) {
    case NODE_NUMBER: e->v[id] = (value){.kind = VALUE_NUMBER, .number = n->number}; return true;
    case NODE_TEXT: return eval_text(e, id);
    case NODE_NAME: return eval_name(e, id);
    case NODE_LIST: return eval_list(e, id);
    case NODE_CALL: return eval_call(e, id);
    case NODE_UNARY: return eval_unary(e, id);
    case NODE_BINARY: return eval_binary(e, id);
    case NODE_TRANSPOSE: return eval_transpose(e, id);
    case NODE_INDEX: return eval_index(e, id);
    case NODE_LET: return eval_let(e, id);
    case NODE_NAMED:
    case NODE_RANGE:
    case NODE_ELLIPSIS: return true; /* read by the call or index that they belong to */
    }
    return true;
}

static bool run(evaluator *e) {
    for (int i = 0; i < e->p->nodes; i++) {
        if (e->p->node[i].kind == NODE_CALL && !eval_plan_call(e, i)) return false;
    }
    for (int i = 0; i < e->p->nodes; i++) {
        if (e->skip[i] != SKIP_NODE && !eval_node(e, i)) return false;
    }
    return true;
}

/* What is not finite */

static bool is_odd(const value *v) {
    if (v->kind == VALUE_NUMBER) return !isfinite(v->number);
    if (v->kind != VALUE_TENSOR || (ag_dtype_of(v->x) != AG_F32 && ag_dtype_of(v->x) != AG_F64)) return false;
    for (int64_t i = 0; i < ag_size(v->x); i++) {
        if (!isfinite(ag_at(v->x, i))) return true;
    }
    return false;
}

const char *eval_origin(ag_origin *o) {
    char *at = strstr(o->text, " at #"), *rest = at ? at + 5 + strspn(at + 5, "0123456789") : NULL;
    if (rest) memmove(at, rest, strlen(rest) + 1);
    return o->text;
}

static void find_odd(evaluator *e, ag_tensor *y) {
    ag_origin o;
    value result = {.kind = VALUE_TENSOR, .x = y};
    if (!is_odd(&result)) e->odd = (fault){0};
    else if (!e->odd.code && ag_find_nonfinite(y, &o) && !ag_is_leaf(o.node)) {
        for (int id = 0; id < e->p->nodes; id++) {
            const node *n = &e->p->node[id];
            bool before = !n->count;
            for (int i = 0; i < n->count; i++)
                before = before || (child_of(e->p, id, i) >= 0 && is_odd(&e->v[child_of(e->p, id, i)]));
            if (before || !is_odd(&e->v[id])) continue;
            fault_set(&e->odd, EXIT_VALUE, e->in, n->at, "%s", eval_origin(&o));
            return;
        }
    }
}

ag_tensor *eval_program(evaluator *e, const program *p, const source *in, fault *f) {
    size_t n = (size_t)p->nodes;
    e->p = p;
    e->in = in;
    e->f = f;
    e->v = calloc(n + 1, sizeof *e->v);
    e->skip = calloc(n + 1, 1);
    e->let = calloc(n + 1, sizeof *e->let);
    e->lets = 0;
    e->odd = (fault){0};
    ag_tensor *y = NULL;
    if (!e->v || !e->skip || !e->let) {
        fault_memory(f);
    } else if (run(e)) {
        y = eval_tensor(e, p->statement[p->statements - 1], AG_DTYPE_COUNT);
        if (y) find_odd(e, y);
    }
    free(e->v);
    free(e->skip);
    free(e->let);
    return f->code ? NULL : y;
}
