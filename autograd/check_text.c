/* check_text.c: a report as a table.
 *
 *     gradcheck FAILED: 2 of 130 gradients are wrong (128 pass, 2 wrong sign)
 *
 *     tensor        index       x     step   analytic    numeric  …  verdict
 *     layer1.bias       3  0.1250  3.7e-04   0.031416  -0.031416  …  wrong sign
 *
 * A column is as wide as its widest cell, and left out when it has nothing to say. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autograd/gradcheck.h"
#include "autograd/text.h"

enum { CELL = 72 };

static void number(char out[CELL], const char *format, double v) {
    if (isnan(v)) {
        out[0] = '\0';
    } else {
        snprintf(out, CELL, format, v);
    }
}

static void name(const ag_check_row *r, char out[CELL]) { snprintf(out, CELL, "%s", r->name); }
static void order(const ag_check_row *r, char out[CELL]) { snprintf(out, CELL, "%s", r->order > 1 ? "second" : ""); }
static void at(const ag_check_row *r, char out[CELL]) { number(out, "%.5g", r->at); }
static void step(const ag_check_row *r, char out[CELL]) { number(out, "%.1e", r->step > 0 ? r->step : (double)NAN); }
static void numeric(const ag_check_row *r, char out[CELL]) { number(out, "%.8g", r->numeric); }
static void recorded(const ag_check_row *r, char out[CELL]) { number(out, "%.8g", r->recorded); }
static void ulps(const ag_check_row *r, char out[CELL]) { number(out, "%.1f", r->ulps); }
static void absolute(const ag_check_row *r, char out[CELL]) { number(out, "%.1e", r->absolute); }
static void relative(const ag_check_row *r, char out[CELL]) { number(out, "%.1e", r->relative); }
static void verdict(const ag_check_row *r, char out[CELL]) { snprintf(out, CELL, "%s", ag_verdict_name(r->verdict)); }

static void place(const ag_check_row *r, char out[CELL]) {
    if (r->index < 0) {
        snprintf(out, CELL, "%s", isnan(r->numeric) ? "" : "direction");
    } else {
        snprintf(out, CELL, "%lld", (long long)r->index);
    }
}

static void analytic(const ag_check_row *r, char out[CELL]) {
    bool computed = r->verdict == AG_NOT_FINITE && r->index >= 0; /* then NaN is news */
    if (computed && isnan(r->analytic)) {
        snprintf(out, CELL, "nan");
    } else {
        number(out, "%.8g", r->analytic);
    }
}

static void allowed(const ag_check_row *r, char out[CELL]) {
    number(out, "%.1e", isnan(r->absolute) ? (double)NAN : r->tolerance);
}

static const struct column {
    const char *title;
    void (*cell)(const ag_check_row *r, char out[CELL]);
    bool left;
} columns[] = {
    {"gradient of", name, true},    {"order", order, true},
    {"index", place, false},        {"x", at, false},
    {"step", step, false},          {"analytic", analytic, false},
    {"numeric", numeric, false},    {"recorded", recorded, false},
    {"ulps", ulps, false},          {"abs error", absolute, false},
    {"rel error", relative, false}, {"tolerance", allowed, false},
    {"verdict", verdict, true},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static void summary(ag__text *w, const ag_check_report *r) {
    const char *separator = " (";
    if (r->checked == 0) {
        ag__text_put(w, "gradcheck: nothing was checked");
        return;
    }
    if (r->failed) {
        ag__text_put(w, "gradcheck FAILED: %lld of %lld gradients %s wrong", (long long)r->failed,
                     (long long)r->checked, r->failed == 1 ? "is" : "are");
    } else {
        ag__text_put(w, "gradcheck %s: %lld gradient%s", r->passed ? "passed" : "was not finished",
                     (long long)r->checked, r->checked == 1 ? " agrees" : "s agree");
    }
    for (int v = 0; v < AG_VERDICT_COUNT; v++) {
        if (!r->count[v]) continue;
        ag__text_put(w, "%s%lld %s", separator, (long long)r->count[v], ag_verdict_name((ag_verdict)v));
        separator = ", ";
    }
    ag__text_put(w, ")");
}

/* A cell and the space to the next column; the last column ends the line. */
static void cell(ag__text *w, const struct column *c, const char *text, int width, bool last) {
    int gap = width - ag__text_width(text);
    ag__text_put(w, "%*s%s%*s", c->left ? 0 : gap, "", text, c->left && !last ? gap : 0, "");
    ag__text_put(w, last ? "" : "  ");
}

const char *ag_check_text(const ag_check_report *r, char *out, size_t size) {
    ag__text w = ag__text_in(out, out ? size : 0);
    int width[COLUMNS] = {0};
    char text[CELL];
    if (!out || !size) return out;
    if (!r) return out;
    summary(&w, r);
    ag__text_put(&w, "\n");
    for (int i = 0; i < r->rows; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            columns[c].cell(&r->row[i], text);
            if (ag__text_width(text) > width[c]) width[c] = ag__text_width(text);
        }
    }
    for (int i = -1; i < r->rows && r->rows; i++) {
        ag__text_put(&w, i < 0 ? "\n" : "");
        for (int c = 0; c < COLUMNS; c++) {
            int title = ag__text_width(columns[c].title), wide = width[c] > title ? width[c] : title;
            if (!width[c]) continue;
            if (i < 0) {
                snprintf(text, sizeof text, "%s", columns[c].title);
            } else {
                columns[c].cell(&r->row[i], text);
            }
            cell(&w, &columns[c], text, wide, c == COLUMNS - 1);
        }
        ag__text_put(&w, "\n");
    }
    return out;
}
