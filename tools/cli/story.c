/* story.c: what lies between y and w: found by one loop up and one down the tape, named, connected by arcs. */
#include <stdlib.h>
#include <string.h>

#include "autograd/op.h"
#include "explain.h"
#include "graph.h"
#include "show.h"

enum { STEPS = 60 /* operations listed at most */ };

static bool is_float(const ag_tensor *x) { return ag_dtype_of(x) == AG_F32 || ag_dtype_of(x) == AG_F64; }

static bool is_tuple(const ag_tensor *x) { return ag_op_of(x) && ag_op_of(x)->nout > 1; }

/* Does a derivative pass from the inputs of x to x? */
static bool passes(const ag_tensor *x) {
    const ag_op *op = ag_op_of(x);
    if (op && op->flags & (AG_FLAT | AG_EFFECT)) return false;
    return is_tuple(x) || is_float(x);
}

static bool find_between(story *t) {
    ag_tape *tape = t->s->e.tape;
    t->n = ag_tape_size(tape);
    t->below = graph_below(t->y);
    t->between = calloc((size_t)t->n + 1, 1);
    if (!t->below || !t->between) return false;
    for (int64_t i = 0; i < t->n; i++) {
        const ag_tensor *x = ag_tape_node(tape, i);
        t->between[i] = x == t->w;
        for (int k = 0; passes(x) && !t->between[i] && k < ag_input_count(x); k++) {
            const ag_tensor *in = ag_input(x, k);
            t->between[i] = in == t->w || (ag_index(in) >= 0 && t->between[ag_index(in)]);
        }
    }
    for (int64_t i = 0; i < t->n; i++) t->between[i] = t->between[i] && t->below[i];
    return true;
}

static bool list_nodes(story *t) {
    t->node = calloc((size_t)t->n + 2, sizeof(ag_tensor *));
    t->number = malloc(((size_t)t->n + 1) * sizeof *t->number);
    if (!t->node || !t->number) return false;
    for (int64_t i = t->n; i-- > 0;) {
        ag_tensor *x = ag_tape_node(t->s->e.tape, i);
        t->number[i] = -1;
        if (!t->between[i] || is_tuple(x) || x == t->w) continue;
        t->number[i] = t->nodes;
        t->node[t->nodes++] = x;
    }
    if (t->nodes || t->w == t->y) t->node[t->nodes++] = t->w;
    t->scalar = true;
    for (int i = 0; i < t->nodes; i++) t->scalar = t->scalar && ag_size(t->node[i]) == 1;
    return true;
}

/* Names */

static bool taken(const story *t, const char *name, bool with_digits) {
    size_t n = strlen(name);
    for (int i = 0; i < t->s->e.count; i++) {
        const char *b = t->s->e.bindings[i].name;
        if (!strncmp(b, name, n) && strspn(b + n, with_digits ? "0123456789" : "") == strlen(b + n)) return true;
    }
    return false;
}

static const char *free_name(const story *t, const char *const *candidates, bool with_digits) {
    while (candidates[1] && taken(t, *candidates, with_digits)) candidates++;
    return *candidates;
}

/* A name that was given again, as in `let a = x; let a = a^2`, gets a number: a_2. */
typedef struct use {
    const char *name;
    int count;
} use;

static int count_use(use *uses, int *n, const char *name) {
    int i = 0;
    while (i < *n && strcmp(uses[i].name, name)) i++;
    if (i == *n) uses[(*n)++] = (use){name, 0};
    return ++uses[i].count;
}

static const char *make_name(story *t, const ag_tensor *x, const char *result, const char *prefix, int *number) {
    char made[NUMBER_ROOM] = "a constant";
    if (ag_is_leaf(x) && ag_size(x) == 1) number_text(ag_at(x, 0), 6, made);
    else if (x == t->y) snprintf(made, sizeof made, "%s", result);
    else if (!ag_is_leaf(x)) snprintf(made, sizeof made, "%s%d", prefix, ++*number);
    return program_name(&t->names, made, strlen(made));
}

static const char *tell_apart(story *t, const char *name, int which) {
    text made = {0};
    text_printf(&made, "%s_%d", name, which);
    const char *copy = made.failed ? NULL : program_name(&t->names, text_of(&made), made.size);
    text_free(&made);
    return copy;
}

static bool name_all(story *t, use *uses, int used) {
    static const char *const results[] = {"f", "F", "result", "the_result", NULL};
    static const char *const inner[] = {"v", "u", "t", "node", NULL};
    static const char *const gradients[] = {"g", "G", "grad", "the_gradient", NULL};
    const char *result = free_name(t, results, false), *prefix = free_name(t, inner, true);
    int number = 0;
    t->g = free_name(t, gradients, false);
    for (int64_t i = 0; i < t->n; i++) {
        const ag_tensor *x = ag_tape_node(t->s->e.tape, i);
        const char *name = ag_name(x);
        if (!t->below[i] || is_tuple(x)) continue;
        int which = *name ? count_use(uses, &used, name) : 0;
        t->name[i] = !*name ? make_name(t, x, result, prefix, &number) : which > 1 ? tell_apart(t, name, which) : name;
        if (!t->name[i]) return false;
    }
    return true;
}

static bool give_names(story *t) {
    int used = 0;
    use *uses = malloc(((size_t)t->n + (size_t)t->s->e.count + 1) * sizeof *uses);
    t->name = calloc((size_t)t->n + 1, sizeof *t->name);
    for (int i = 0; uses && i < t->s->e.count; i++) count_use(uses, &used, t->s->e.bindings[i].name);
    bool good = uses && t->name && name_all(t, uses, used);
    free(uses);
    return good;
}

const char *story_name(story *t, const ag_tensor *x) {
    int64_t at = ag_index(x);
    const char *name = at >= 0 && at < t->n ? t->name[at] : ag_name(x);
    return name && *name ? name : "a constant";
}

/* Arcs */

static bool add_arcs(story *t, int from) {
    ag_tape *tape = t->s->e.tape;
    ag_tensor *x = t->node[from];
    ag_mark here = ag_tape_mark(tape);
    rule r = {0};
    int output;
    const ag_tensor *made = formula_maker(x, &output);
    if (ag_op_of(made)->flags & AG_FLAT) return true;
    if (t->scalar && !rule_run(&r, x, NULL)) {
        if (ag_tape_status(tape)) return session_failed(t->s);
        return fault_say(&t->s->f, EXIT_VALUE, "explain: %s has more than %d inputs", ag_op_name(made), RULE_INPUTS);
    }
    for (int k = 0; k < ag_input_count(made); k++) {
        const ag_tensor *in = ag_input(made, k);
        int64_t at = ag_index(in);
        int to = in == t->w ? t->nodes - 1 : at >= 0 && at < t->n ? t->number[at] : -1;
        if (to < 0) continue;
        if (!web_add(&t->web, from, to, k, t->scalar ? ag_at(r.d[k], 0) : 1)) return fault_memory(&t->s->f);
    }
    ag_tape_rewind(tape, here);
    return true;
}

bool story_begin(story *t) {
    if (!find_between(t) || !list_nodes(t) || !give_names(t)) return fault_memory(&t->s->f);
    if (!t->nodes) return true;
    for (int i = 0; i + 1 < t->nodes; i++) {
        if (!add_arcs(t, i)) return false;
    }
    if (!web_close(&t->web, t->nodes)) return fault_memory(&t->s->f);
    return ag_gradients(&t->y, NULL, 1, &t->w, 1, &t->gradient) || session_failed(t->s);
}

void story_end(story *t) {
    free(t->below);
    free(t->between);
    free(t->name);
    free(t->node);
    free(t->number);
    program_free(&t->names);
    web_free(&t->web);
}

/* Text */

void story_put_partial(story *t, const ag_tensor *f, const ag_tensor *x, text *out) {
    text_printf(out, "∂%s/∂%s", story_name(t, f), story_name(t, x));
}

void story_symbol(story *t, const arc *a, text *out) {
    ag_tape *tape = t->s->e.tape;
    ag_mark here = ag_tape_mark(tape);
    ag_tensor *x = t->node[a->from];
    named names[RULE_INPUTS + 2];
    rule r;
    int n = 0, output;
    const ag_tensor *made = formula_maker(x, &output);
    bool good = rule_run(&r, x, NULL) && r.d[a->slot];
    for (int k = 0; good && k < r.n; k++) names[n++] = (named){r.in[k], story_name(t, ag_input(made, k))};
    if (good) {
        names[n++] = (named){r.y, story_name(t, x)};
        names[n++] = (named){r.g, t->scalar ? "1" : t->g};
    }
    if (!good || !formula_put(out, r.d[a->slot], names, n, true, FORMULA_LINE))
        story_put_partial(t, x, t->node[a->to], out);
    ag_tape_clear(tape);
    ag_tape_rewind(tape, here);
}

static void put_step(story *t, ag_tensor *x, text *rows) {
    int output;
    const ag_tensor *made = formula_maker(x, &output);
    named inputs[RULE_INPUTS];
    for (int k = 0; k < ag_input_count(made) && k < RULE_INPUTS; k++) {
        inputs[k] = (named){ag_input(made, k), story_name(t, ag_input(made, k))};
    }
    text_printf(rows, "%s\t= ", story_name(t, x));
    if (ag_input_count(made) > RULE_INPUTS || !formula_put_step(rows, x, inputs)) text_put(rows, ag_op_name(made));
    text_put(rows, "\t>");
    if (ag_size(x) == 1) text_number(rows, ag_at(x, 0), PEOPLE);
    else show_shape(rows, x);
    text_put(rows, "\t\n");
}

bool story_put_steps(story *t, text *out) {
    text rows = {0};
    int count = 0;
    for (int64_t i = 0; i < t->n; i++) {
        ag_tensor *x = ag_tape_node(t->s->e.tape, i);
        if (!t->below[i] || ag_is_leaf(x) || is_tuple(x)) continue;
        if (++count <= STEPS) put_step(t, x, &rows);
    }
    if (count > STEPS) text_printf(&rows, "… and %d more operations\n", count - STEPS);
    text_table(out, text_of(&rows), "  ");
    bool good = !rows.failed;
    text_free(&rows);
    return good || fault_memory(&t->s->f);
}
