/* cmd_ops.c: autograd ops: what operations there are, and all that is known of one. */
#include <stdlib.h>
#include <string.h>

#include "formula.h"
#include "manual.h"
#include "ops.h"
#include "show.h"
#include "value.h"

static const struct {
    unsigned flag;
    const char *word, *explanation;
} words[] = {
    {AG_MAP, "elementwise", "element by element; inputs broadcast"},
    {AG_VIEW, "view", "shares the memory of its input where strides allow"},
    {AG_FLAT, "flat", "has no gradient: a step function, or cut on purpose"},
    {AG_RANDOM, "random", "draws from the tape's key (--seed)"},
    {AG_EFFECT, "effect", "writes a leaf; replays and checks skip it"},
    {AG_LINEAR, "linear", "linear in its inputs together"},
    {AG_MULTILINEAR, "multilinear", "linear in each input"},
    {AG_DETACH, "detach", "keeps the value, cuts the gradient"},
};
enum { WORDS = sizeof words / sizeof *words };

static const char *type_name(const ag_attr_field *f) {
    static const char *const name[] = {
        "true or false",        "integer", "integer", "number", "f32, f64, i64 or bool", "list of integers",
        "list of axes, or all", "choice",  "text"};
    return f->type == AG_ATTR_CHOICE ? f->preset : name[f->type];
}

/* All of them */

enum { COLUMNS = 100, CALL = 34 /* columns of a call; behind a longer one the formula stands in the next line */ };

static void put_line(const ag_op *op, text *out) {
    text call = {0};
    ops_put_call(op, &call);
    int width = text_width(text_of(&call));
    text_printf(out, "  %s", text_of(&call));
    if (width > CALL) text_put(out, "\n  ");
    text_repeat(out, ' ', width > CALL ? CALL + 2 : CALL + 2 - width);
    text_put(out, op->formula ? op->formula : "");
    text_put(out, op->flags & AG_FLAT     ? "  (flat)\n"
                  : op->flags & AG_RANDOM ? "  (random)\n"
                  : op->flags & AG_EFFECT ? "  (effect)\n"
                                          : "\n");
    text_free(&call);
}

static void put_heading(const char *name, text *out) { text_printf(out, "%s%s\n", out->size ? "\n" : "", name); }

/* In the groups and the order of the manual; only: of one group, or NULL. What it does not know comes last. */
static bool list(session *s, const char *only) {
    const ag_op *op;
    const char *group = "";
    for (const manual_row *row = manual; row->name; row++) {
        op = ag_find_op(row->name);
        if (!op || (only && strcmp(row->group, only))) continue;
        if (strcmp(row->group, group)) put_heading(row->group, &s->out);
        group = row->group;
        put_line(op, &s->out);
    }
    for (int i = 0, others = 0; !only && (op = ag_op_at(i)) != NULL; i++) {
        if (manual_of(op->name)) continue;
        if (!others++) put_heading("Others", &s->out);
        put_line(op, &s->out);
    }
    return true;
}

static void json_op(const ag_op *op, text *out) {
    text_put(out, "{\"name\": ");
    text_json_string(out, op->name);
    text_put(out, ", \"formula\": ");
    text_json_string(out, op->formula ? op->formula : "");
    const manual_row *known = manual_of(op->name);
    text_put(out, ", \"group\": ");
    text_json_string(out, known ? known->group : "");
    text_put(out, ", \"manual\": ");
    text_json_string(out, known ? known->text : "");
    text_printf(out, ", \"inputs\": %d, \"optional_inputs\": %d, \"outputs\": %d, \"differentiable\": %s, \"flags\": [",
                ops_inputs(op), op->optional, op->nout > 1 ? op->nout : 1,
                op->grad || op->compose || op->expand ? "true" : "false");
    for (int i = 0, n = 0; i < WORDS; i++) {
        if (op->flags & words[i].flag) text_printf(out, "%s\"%s\"", n++ ? ", " : "", words[i].word);
    }
    text_put(out, "], \"attributes\": [");
    for (const ag_attr_field *f = ops_fields(op); f->name; f++) {
        text_printf(out, "%s{\"name\": \"%s\", \"type\": \"%s\", \"default\": ", f == ops_fields(op) ? "" : ", ",
                    f->name, type_name(f));
        if (f->type == AG_ATTR_CHOICE) text_printf(out, "\"%.*s\"", ops_default_length(f), f->preset);
        else if (f->preset) text_json_string(out, f->preset);
        else text_put(out, "null");
        text_put(out, "}");
    }
    text_put(out, "]}");
}

static bool list_json(session *s, const ag_op *only) {
    const ag_op *op;
    text_put(&s->out, "{\"ops\": [");
    for (int i = 0, n = 0; (op = ag_op_at(i)) != NULL; i++) {
        if (only && op != only) continue;
        if (n++) text_put(&s->out, ",\n ");
        json_op(op, &s->out);
    }
    text_put(&s->out, "]}\n");
    return true;
}

/* One of them */

static void put_attributes(const ag_op *op, text *rows) {
    for (const ag_attr_field *f = ops_fields(op); f->name; f++) {
        text_printf(rows, "%s\t%s: %s, ", f == ops_fields(op) ? "attributes" : "", f->name, type_name(f));
        if (f->preset) text_printf(rows, "else %.*s\t\n", ops_default_length(f), f->preset);
        else text_put(rows, "required\t\n");
    }
}

static void put_properties(const ag_op *op, text *rows) {
    int n = 0;
    for (int i = 0; i < WORDS; i++) {
        if (op->flags & words[i].flag) {
            text_printf(rows, "%s\t%s: %s\t\n", n++ ? "" : "properties", words[i].word, words[i].explanation);
        }
    }
}

/* f64 (3,4), i64 (3,4) → f64 (3,4), for every dtype that the call takes in f64's place */
static void put_examples(ag_tape *t, const ag_op *op, const trial *c, text *rows) {
    bool first = true;
    for (int d = 0; d < AG_DTYPE_COUNT; d++) {
        ag_dtype dtype[TRIAL_INPUTS];
        bool has_float = !c->n;
        for (int i = 0; i < c->n; i++) has_float = has_float || c->dtype[i] == AG_F64;
        for (int i = 0; i < c->n; i++) dtype[i] = c->dtype[i] == AG_F64 || !has_float ? (ag_dtype)d : c->dtype[i];
        if (!c->n && d) break;
        ag_tensor *y = ops_try_dtypes(t, op, c, dtype);
        if (!y) continue;
        text_put(rows, first ? "takes\t" : "\t");
        for (int i = 0; i < c->n; i++) {
            trial shown = *c;
            ag_tensor *x = ag_leaf(t, dtype[i], NULL, shown.shape[i], 0);
            if (i) text_put(rows, ", ");
            if (x) show_shape(rows, x);
        }
        text_put(rows, c->n ? " → " : "→ ");
        if (op->nout > 1) {
            for (int o = 0; o < op->nout; o++) {
                if (o) text_put(rows, ", ");
                show_shape(rows, ag_part(y, o));
            }
        } else {
            show_shape(rows, y);
        }
        text_put(rows, "\t\n");
        first = false;
    }
    if (*c->attributes && !first) text_printf(rows, "\twith%s%s\t\n", *c->attributes == ' ' ? "" : " ", c->attributes);
}

/* Lines as rows of the table */
static void put_cells(const char *first, const char *lines, text *rows) {
    for (bool again = false; *lines; again = true) {
        size_t n = strcspn(lines, "\n");
        text_printf(rows, "%s\t%s%.*s\t\n", again ? "" : first, again ? "    " : "", (int)n, lines);
        lines += n + (lines[n] == '\n');
    }
}

/* The rule, read off what it records at a gradient called g; of a composed operation, through the composition. False: a
 * formula is too long to show. */
static bool put_gradient(ag_tape *t, const ag_op *op, const trial *c, text *rows) {
    bool all = true;
    ag_tensor *y = ag_part(c->y, 0), *x[TRIAL_INPUTS], *d[TRIAL_INPUTS], *g = NULL;
    named names[TRIAL_INPUTS + 2];
    int n = 0, m = 0;
    if (op->flags & (AG_FLAT | AG_EFFECT) || !y) return true;
    for (int i = 0; i < c->n; i++) {
        names[n++] = (named){c->in[i], ag_name(c->in[i])};
        if (ag_dtype_of(c->in[i]) == AG_F64) x[m++] = c->in[i];
    }
    if (m) g = ag_full(t, ag_dtype_of(y), ag_shape_of(y), 1);
    if (!g || !ag_gradients(&y, &g, 1, x, m, d)) return true;
    const char *arrives = "g", *result = "y"; /* an input may have these names: softmax_grad(g, y) */
    for (int i = 0; i < c->n; i++) {
        if (!strcmp(ag_name(c->in[i]), "g")) arrives = "h";
        if (!strcmp(ag_name(c->in[i]), "y")) result = "z";
    }
    names[n++] = (named){g, arrives};
    if (ag_op_of(c->y) == op) names[n++] = (named){y, result};
    for (int i = 0; i < m; i++) {
        text formula = {0}, lines = {0};
        text_printf(&formula, "to %s: ", ag_name(x[i]));
        bool good = formula_put(&formula, d[i], names, n, false, FORMULA_PAGE);
        if (!good) text_put(&formula, "too long to show");
        text_wrap(&lines, text_of(&formula), 0, COLUMNS - 12);
        put_cells(i ? "" : "gradient", text_of(&lines), rows);
        text_free(&formula);
        text_free(&lines);
        all = all && good;
    }
    text_printf(rows, "\twhere %s is what arrives at the result %s\t\n", arrives, result);
    return all;
}

/* With the optional inputs, or, where that is too long to show, without them */
static void put_gradients(ag_tape *t, const ag_op *op, const char *given, const trial *c, text *rows) {
    text first = {0}, second = {0};
    trial plain;
    bool good = put_gradient(t, op, c, &first), other = !good && op->optional && ops_try(t, op, given, false, &plain);
    if (other) put_gradient(t, op, &plain, &second);
    text_put(rows, text_of(other ? &second : &first));
    text_free(&first);
    text_free(&second);
}

static bool describe(session *s, const ag_op *op, const char *given) {
    text rows = {0}, call = {0};
    trial c;
    ag_tape *t = s->e.tape;
    const manual_row *known = manual_of(op->name);
    ops_put_call(op, &call);
    text_printf(&s->out, "%s\n\n", text_of(&call));
    text_wrap(&s->out, known ? known->text : op->formula ? op->formula : "", 4, COLUMNS);
    text_put(&s->out, "\n");
    put_attributes(op, &rows);
    if (op->nout > 1) text_printf(&rows, "outputs\t%d, of which an expression gets the first\t\n", op->nout);
    put_properties(op, &rows);
    if (ops_try(t, op, given, true, &c)) {
        put_examples(t, op, &c, &rows);
        put_gradients(t, op, given, &c, &rows);
    }
    text_table(&s->out, text_of(&rows), "");
    text_free(&rows);
    text_free(&call);
    return true;
}

/* The pairs: x=[lo, hi] is the interval to draw, all others are attributes. */
static bool read_pairs(session *s, const ag_op *op, text *attributes, double interval[2]) {
    for (int i = 0; i < s->o->pairs; i++) {
        const char *pair = s->o->pair[i];
        if (strncmp(pair, "x=", 2)) {
            text_printf(attributes, "%s%s", i ? " " : "", pair);
            continue;
        }
        const ag_tensor *x = value_read(&s->e, "x", pair + 2, &s->f);
        if (!x) return false;
        if (ag_size(x) == 2) {
            interval[0] = ag_at(x, 0);
            interval[1] = ag_at(x, 1);
        }
        if (ag_size(x) != 2 || !(interval[0] < interval[1])) {
            return fault_say(&s->f, EXIT_USAGE, "ops: x= is the interval to draw %s on: x='[-2, 2]'", op->name);
        }
    }
    return true;
}

static bool draw(session *s, const ag_op *op, const char *attributes, const double interval[2]) {
    text svg = {0};
    bool good = ops_curve(s, op, attributes, interval[0], interval[1], &svg);
    size_t n = strlen(s->o->out);
    if (good && (n < 4 || strcmp(s->o->out + n - 4, ".svg")))
        good = fault_say(&s->f, EXIT_USAGE, "curves are SVG: '%s' must end in .svg", s->o->out);
    FILE *out = good ? fopen(s->o->out, "wb") : NULL;
    if (good) {
        good = out && fwrite(text_of(&svg), 1, svg.size, out) == svg.size;
        good = out && !fclose(out) && good;
        if (!good) fault_say(&s->f, EXIT_FILE, "%s cannot be written", s->o->out);
    }
    text_free(&svg);
    return good;
}

bool cmd_ops(session *s) {
    const char *name = s->o->expression;
    s->e.tape = ag_tape_new();
    s->e.dtype = AG_F64;
    if (!s->e.tape) return fault_memory(&s->f);
    if (!name && s->o->out)
        return fault_say(&s->f, EXIT_USAGE, "-o draws one operation: autograd ops tanh -o tanh.svg");
    if (!name) return s->o->json ? list_json(s, NULL) : list(s, NULL);
    const ag_op *op = ag_find_op(name);
    if (!op && manual_group(name) && !s->o->json && !s->o->out) return list(s, manual_group(name));
    if (!op) {
        nearest near = nearest_begin(name);
        for (int i = 0; (op = ag_op_at(i)) != NULL; i++) nearest_try(&near, op->name);
        return fault_say(&s->f, EXIT_USAGE, near.best ? "unknown op '%s'; did you mean '%s'?" : "unknown op '%s'%s",
                         name, near.best ? near.best : "; 'autograd ops' lists them");
    }
    text attributes = {0};
    double interval[2] = {0, 0};
    bool good = read_pairs(s, op, &attributes, interval);
    if (good && s->o->out) good = draw(s, op, text_of(&attributes), interval);
    else if (good) good = s->o->json ? list_json(s, op) : describe(s, op, text_of(&attributes));
    text_free(&attributes);
    return good;
}
