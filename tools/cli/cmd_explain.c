/* cmd_explain.c: autograd explain: the chain rule, path by path. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "show.h"

enum { FACTORS = 16 /* of one path written out; the middle of a longer one is left out */, LINE = 110 };

/* What stands for one arc: ∂v/∂u, its formula, its number */
typedef enum row { PARTIALS, SYMBOLS, NUMBERS } row;

static void put_factor(story *t, const arc *a, row which, text *out) {
    if (which == PARTIALS) story_put_partial(t, t->node[a->from], t->node[a->to], out);
    else if (which == SYMBOLS) story_symbol(t, a, out);
    else text_number(out, a->d, 6);
}

/* a · b · c, broken into lines of at most LINE columns */
static void put_product(story *t, const path *p, row which, const char *lead, text *out) {
    int used = text_width(lead);
    text_put(out, lead);
    for (int i = 0; i < p->length; i++) {
        text factor = {0};
        if (p->length > FACTORS && i == FACTORS / 2) {
            text_printf(&factor, "… %d more …", p->length - FACTORS);
            i = p->length - FACTORS / 2 - 1;
        } else {
            put_factor(t, &t->web.arc[p->arc[i]], which, &factor);
        }
        int width = text_width(text_of(&factor)) + 3;
        if (i && used + width > LINE) {
            text_put(out, "\n        ");
            used = 8;
        }
        if (i) text_put(out, " · ");
        text_put(out, text_of(&factor));
        used += width;
        text_free(&factor);
    }
    text_put(out, "\n");
}

static void put_path(story *t, const path *p, text *out) {
    put_product(t, p, PARTIALS, "    ", out);
    put_product(t, p, SYMBOLS, "      = ", out);
    if (p->length > 1) put_product(t, p, NUMBERS, "      = ", out);
    text_put(out, "      = ");
    text_number(out, p->product, PEOPLE);
    text_put(out, "\n\n");
}

static void put_count(double count, text *out) {
    char number[NUMBER_ROOM];
    text_printf(out, "%s path%s", count < 1e15 ? number_text(count, 15, number) : number_text(count, 3, number),
                count == 1 ? "" : "s");
}

static void put_summary(story *t, const web_sum *sum, const path *paths, int count, double gradient) {
    text *out = &t->s->out, rows = {0};
    double shown = 0;
    for (int i = 0; i < count; i++) shown += paths[i].product;
    if (sum->count > count) {
        text_put(&rows, "the other ");
        put_count(sum->count - count, &rows);
        text_put(&rows, "\t>");
        text_number(&rows, sum->total - shown, PEOPLE);
        text_put(&rows, "\t\n");
    }
    text_put(&rows, "sum of all paths\t>");
    text_number(&rows, sum->total, PEOPLE);
    text_put(&rows, "\t\ngradient, by the backward pass\t>");
    text_number(&rows, gradient, PEOPLE);
    text_put(&rows, "\t\n");
    text_table(out, text_of(&rows), "    ");
    text_free(&rows);
}

static void json_path(story *t, const path *p, text *out) {
    text_put(out, "{\"nodes\": [");
    for (int i = 0; i <= p->length; i++) {
        const ag_tensor *x = i ? t->node[t->web.arc[p->arc[i - 1]].to] : t->y;
        if (i) text_put(out, ", ");
        text_json_string(out, story_name(t, x));
    }
    text_put(out, "], \"symbols\": [");
    for (int i = 0; i < p->length; i++) {
        text formula = {0};
        story_symbol(t, &t->web.arc[p->arc[i]], &formula);
        if (i) text_put(out, ", ");
        text_json_string(out, text_of(&formula));
        text_free(&formula);
    }
    text_put(out, "], \"factors\": [");
    for (int i = 0; i < p->length; i++) {
        if (i) text_put(out, ", ");
        text_json_number(out, t->web.arc[p->arc[i]].d);
    }
    text_put(out, "], \"product\": ");
    text_json_number(out, p->product);
    text_put(out, "}");
}

static void put_json(story *t, const web_sum *sum, const path *paths, int count, double gradient) {
    text *out = &t->s->out;
    double shown = 0;
    text_put(out, "{\"wrt\": ");
    text_json_string(out, story_name(t, t->w));
    text_put(out, ", \"gradient\": ");
    text_json_number(out, gradient);
    text_put(out, ", \"count\": ");
    text_json_number(out, sum->count);
    text_put(out, ", \"paths\": [");
    for (int i = 0; i < count; i++) {
        if (i) text_put(out, ", ");
        json_path(t, &paths[i], out);
        shown += paths[i].product;
    }
    text_put(out, "], \"remainder\": ");
    text_json_number(out, sum->count > count ? sum->total - shown : 0);
    text_put(out, ", \"sum\": ");
    text_json_number(out, sum->total);
    text_put(out, "}");
}

static bool tell_numbers(story *t) {
    text *out = &t->s->out;
    double gradient = ag_item(t->gradient);
    int k = t->s->o->k > 1000000 ? 1000000 : (int)t->s->o->k, count = 0;
    path *paths = NULL;
    web_sum sum = {0};
    if (!web_sums(&t->web, &sum) || !web_largest(&t->web, k, &paths, &count)) {
        web_free_paths(paths, count);
        return fault_memory(&t->s->f);
    }
    if (t->s->o->json) {
        put_json(t, &sum, paths, count, gradient);
    } else {
        story_put_partial(t, t->y, t->w, out);
        text_put(out, ": ");
        put_count(sum.count, out);
        text_put(out, sum.count > count && count ? ", the largest first\n\n" : "\n\n");
        for (int i = 0; i < count; i++) put_path(t, &paths[i], out);
        put_summary(t, &sum, paths, count, gradient);
    }
    web_free_paths(paths, count);
    double tolerance = (t->s->o->f32 ? 1e-5 : 1e-12) * sum.magnitude;
    if (isfinite(gradient) && !(fabs(sum.total - gradient) <= tolerance)) {
        t->s->code = EXIT_GRADIENT;
        fprintf(stderr, "autograd: the paths do not add up to the gradient\n");
    }
    return true;
}

static bool tell(session *s, ag_tensor *w, bool first) {
    story t = {.s = s, .y = s->y, .w = w};
    bool good = story_begin(&t);
    if (good && !s->o->json && first) {
        int last = s->p.statement[s->p.statements - 1];
        if (s->p.node[last].kind != NODE_NAME && s->p.node[last].kind != NODE_LET) {
            text_printf(&s->out, "%s = ", story_name(&t, s->y));
            program_print_node(&s->p, last, &s->out);
            text_put(&s->out, "\n\n");
        }
        good = story_put_steps(&t, &s->out);
    }
    if (good && !s->o->json) text_put(&s->out, "\n");
    if (good && s->o->json && !first) text_put(&s->out, ", ");
    if (!good) {
    } else if (!t.nodes && s->o->json) {
        text_printf(&s->out, "{\"wrt\": \"%s\", \"gradient\": 0, \"count\": 0, \"paths\": []}", ag_name(w));
    } else if (!t.nodes) {
        story_put_partial(&t, s->y, w, &s->out);
        text_put(&s->out, ": no path; the result does not depend on it, or only through what has no gradient\n");
    } else {
        good = t.scalar ? tell_numbers(&t) : story_tell_tensors(&t);
    }
    story_end(&t);
    return good;
}

bool cmd_explain(session *s) {
    ag_tensor **xs = NULL;
    if (!session_begin(s) || !session_scalar(s, "explain")) return false;
    int n = session_inputs(s, &xs);
    bool good = n > 0;
    if (s->o->json) {
        text_put(&s->out, "{\"value\": ");
        text_json_number(&s->out, ag_item(s->y));
        text_put(&s->out, ", \"explained\": [");
    }
    for (int i = 0; i < n && good; i++) good = tell(s, xs[i], !i);
    if (s->o->json) text_put(&s->out, "]}\n");
    free(xs);
    return good;
}
