/* dot_label.c: what stands in one node of a drawing or beside an edge, as one of Graphviz's HTML-like labels.
 *
 *     h = sum axes=0  (150, 16) f32           name and op, or the op alone; attributes, shape, dtype
 *     value  0.021 [-1.3, 1.2]   ▁▂▆█▅▁▁▁     the number of a scalar, a small matrix whole, else what it is like
 *     grad   1e-04 [-0.01, 0.02] ▁▁█▂▁▁▁▁     likewise, in a second colour
 *
 *     layer 0 … layer 11  × 12                a folded scope and how often it is repeated
 *     9 operations, 1240 parameters each
 *     (5, 16) f32 → (5, 16) f32               what goes in, what comes out */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/dot.h"

#define TABLE "<table border='0' cellborder='0' cellspacing='0' cellpadding='1'"
#define SMALL_PRINT "<font color='%s' point-size='9'>"

enum { NAME_LIMIT = 40, ATTR_LIMIT = 60, SHORT_ATTRS = 16 };

/* "h = matmul", or what it is when it has no name. */
static void title(FILE *out, const ag_tensor *x, ag__dot_kind kind) {
    const char *name = ag_name(x), *what = ag_op_name(x);
    if (ag_is_leaf(x)) what = kind == AG__DOT_PARAMETER ? "parameter" : "input";
    char part[24] = "";
    if (x->flags & AG__PART) what = part;
    snprintf(part, sizeof part, "output %d", x->flags & AG__PART ? x->out : 0);
    fputs("<b>", out);
    ag__dot_text(out, *name ? name : what, NAME_LIMIT);
    fputs("&#160;</b>", out); /* at the start of a run some readers of SVG drop even this space */
    if (*name && !ag_is_leaf(x)) {
        fputs("= ", out);
        ag__dot_text(out, what, NAME_LIMIT);
        fputs("&#160;", out);
    }
}

/* A default says "1,1" or 1e-5 where an attribute is written as (1,1) or 1e-05. */
static bool is_usual(const ag_attr_field *f, const char *value, size_t n) {
    char own[160], *end;
    if (!f->preset || n >= sizeof own) return false;
    size_t brackets = n > 1 && value[0] == '(' && value[n - 1] == ')', size = n - 2 * brackets;
    if (size == strcspn(f->preset, "|") && !strncmp(value + brackets, f->preset, size)) return true;
    memcpy(own, value, n);
    own[n] = '\0';
    double v = strtod(own, &end);
    return f->type == AG_ATTR_F64 && !*end && v == strtod(f->preset, &end) && !*end;
}

/* The attributes that differ from their defaults, which ag_attr_text writes in the order of the table; numbers to four digits. */
static size_t unusual_attributes(const ag_tensor *x, char *text, size_t size) {
    const ag_op *op = ag_op_of(x);
    char all[512], *from = all;
    size_t used = 0;
    ag_attr_text(x, all, sizeof all);
    text[0] = '\0';
    for (const ag_attr_field *f = op ? op->attrs : NULL; f && f->name && *from; f++) {
        size_t n = strcspn(from, " "), name = strlen(f->name) + 1;
        const char *between = used ? " " : "";
        if (n > name && !is_usual(f, from + name, n - name)) {
            size_t room = size - used;
            int wrote = f->type == AG_ATTR_F64
                            ? snprintf(text + used, room, "%s%s=%.4g", between, f->name, strtod(from + name, NULL))
                            : snprintf(text + used, room, "%s%.*s", between, (int)n, from);
            used += wrote < 0 ? 0 : (size_t)wrote < room ? (size_t)wrote : room - 1;
        }
        from += n + (from[n] == ' ');
    }
    return used;
}

/* Few attributes stand beside the name, many below. */
static void heading(FILE *out, const ag__dot *g, const ag_tensor *x, ag__dot_kind kind) {
    char attrs[4 * ATTR_LIMIT + 8];
    size_t n = unusual_attributes(x, attrs, sizeof attrs);
    fputs("<tr><td colspan='4'>", out);
    title(out, x, kind);
    fprintf(out, SMALL_PRINT, g->palette->muted);
    if (n && n <= SHORT_ATTRS) {
        ag__dot_text(out, attrs, ATTR_LIMIT);
        fputs("&#160; ", out);
    }
    ag__dot_shape(out, x);
    fputs("&#160;</font></td></tr>", out);
    if (n > SHORT_ATTRS) {
        fprintf(out, "<tr><td colspan='4'>" SMALL_PRINT, g->palette->muted);
        ag__dot_text(out, attrs, ATTR_LIMIT);
        fputs("</font></td></tr>", out);
    }
}

static void cells(FILE *out, const ag__dot *g, const ag_tensor *x, const ag_tensor *of, int span) {
    const ag__dot_palette *p = g->palette;
    bool grad = x != of;
    fprintf(out, "<td align='right'><font color='%s'>%s&#160;</font></td>", grad ? p->gradient : p->muted,
            grad ? "grad" : "value");
    bool drawn = span > 1 && ag__dot_histogram(NULL, x);
    fprintf(out, "<td align='left' colspan='%d'><font color='%s'>", drawn ? span - 1 : span, grad ? p->gradient : p->ink);
    ag__dot_content(out, g, x);
    fputs("</font></td>", out);
    if (!drawn) return;
    fprintf(out, "<td align='right'>&#160; <font color='%s' point-size='9'>", grad ? p->gradient : p->muted);
    ag__dot_histogram(out, x);
    fputs("</font></td>", out);
}

/* The value, then the gradient below it, or beside it where both are matrices of several rows. */
static void quantities(FILE *out, const ag__dot *g, const ag_tensor *x, bool value, const ag_tensor *grad) {
    int64_t rows;
    bool beside = value && grad && ag__dot_fits(x, &rows) && rows > 1;
    int span = beside ? 1 : 3;
    fputs("<tr>", out);
    if (value) cells(out, g, x, x, span);
    if (value && grad && !beside) fputs("</tr><tr>", out);
    if (grad) cells(out, g, grad, x, span);
    fputs("</tr>", out);
}

static void verdict(FILE *out, const ag__dot *g, const ag_check_row *row) {
    static const char *const mark[AG__DOT_MOODS] = {"✓", "≈", "✗"};
    if (!row) return;
    ag__dot_mood mood = ag__dot_mood_of(row->verdict);
    fprintf(out, "<tr><td colspan='4'><font color='%s'><b>%s %s</b></font></td></tr>", g->palette->mood[mood],
            mark[mood], ag_verdict_name(row->verdict));
}

void ag__dot_label(FILE *out, const ag__dot *g, int64_t i, ag__dot_kind kind) {
    ag_tensor *x = g->node[i];
    if (kind == AG__DOT_CONSTANT) {
        fputc('<', out);
        ag__dot_value(out, ag_at(x, 0), 4);
        fputc('>', out);
        return;
    }
    bool tuple = x->flags & AG__TUPLE, value = g->options->values && !tuple && (ag_data(x) || !ag_size(x));
    const ag_tensor *grad = g->options->gradients && !tuple && ag_has_grad(x) ? ag_grad(x) : NULL;
    fputs("<" TABLE ">", out);
    heading(out, g, x, kind);
    if (value || grad) quantities(out, g, x, value, grad);
    verdict(out, g, ag__dot_verdict(g, i, 0));
    fputs("</table>>", out);
}

/* Folded scopes */

static void side(FILE *out, const ag__dot_scope *s, int which) {
    for (int i = 0; i < s->sides[which] && i < AG__DOT_SHOWN; i++) {
        if (i) fputs(", ", out);
        ag__dot_shape(out, s->side[which][i]);
    }
    if (s->sides[which] > AG__DOT_SHOWN) fputs(", …", out);
}

/* "layer 0 … layer 11  × 12" */
void ag__dot_scope_name(FILE *out, const ag__dot *g, int scope) {
    const ag__dot_scope *s = &g->scopes[scope];
    int copies = s->into ? s->copies : s->stack, last = s->into ? s->last : s->stack_last;
    ag__dot_text(out, ag_scope_name(g->tape, scope), NAME_LIMIT);
    if (copies <= 1) return;
    fputs(" … ", out);
    ag__dot_text(out, ag_scope_name(g->tape, last), NAME_LIMIT);
    fprintf(out, " &#160; × %d", copies);
}

void ag__dot_scope_label(FILE *out, const ag__dot *g, int scope) {
    const ag__dot_scope *s = &g->scopes[scope];
    const char *each = s->copies > 1 ? " each" : "";
    fputs("<" TABLE "><tr><td colspan='4'><b>", out);
    ag__dot_scope_name(out, g, scope);
    fputs("</b></td></tr>", out);
    fprintf(out, "<tr><td colspan='4'><font color='%s'>%" PRId64 " operation%s", g->palette->muted, s->ops,
            s->ops == 1 ? "" : "s");
    if (s->parameters) fprintf(out, ", %" PRId64 " parameter%s", s->parameters, s->parameters == 1 ? "" : "s");
    fprintf(out, "%s</font></td></tr><tr><td colspan='4'><font point-size='9'>", each);
    side(out, s, 0);
    fputs(" → ", out);
    side(out, s, 1);
    fputs("</font></td></tr>", out);
    verdict(out, g, ag__dot_verdict(g, AG__DOT_NONE, scope));
    fputs("</table>>", out);
}

/* Edges */

/* An empty cell keeps the text off the line beside it; spaces in front would get lost on the way to some readers of SVG. */
#define EDGE_ROW "<tr><td width='5'></td><td align='left'><font color='%s'>"

/* What flows goes against the arrow: leftwards where the graph runs to the right, else upwards. */
void ag__dot_edge_label(FILE *out, const ag__dot *g, const ag__dot_flow *f) {
    const ag__dot_palette *p = g->palette;
    bool slope = f->known && g->scalar, flows = f->flows && g->options->gradients;
    if (!slope && !flows) return;
    fputs("label=<<table border='0' cellborder='0' cellspacing='0' cellpadding='0'>", out);
    if (slope) {
        fprintf(out, EDGE_ROW "∂ ", p->ink);
        ag__dot_value(out, f->slope, 4);
        fputs("</font></td></tr>", out);
    }
    if (flows) {
        fprintf(out, EDGE_ROW "%s ", p->gradient, g->across ? "←" : "↑");
        ag__dot_value(out, g->scalar ? f->flow : fabs(f->flow), g->scalar ? 4 : 3);
        fputs("</font></td></tr>", out);
    }
    fputs("</table>>", out);
}
