/* curve.c: a drawing, in SVG, of an elementwise operation and of its derivative.
 *
 *     ┌──────────────────────────┐  plot(x, y): from numbers to the picture; what leaves the frame is clipped.
 *     │ y = tanh(x)   dy/dx = …  │  Colours are Okabe and Ito's, for the colour-blind; a style sheet in the file
 *     │  ─────┼───────           │  switches to the dark palette where the viewer asks for it.
 *     └──────────────────────────┘ */
#include <math.h>
#include <stdlib.h>

#include "formula.h"
#include "ops.h"

enum { SAMPLES = 801, WIDTH = 640, HEIGHT = 400, LEFT = 52, RIGHT = 20, TOP = 64, BOTTOM = 36 };

typedef struct frame {
    double lo, hi, bottom, top;
    double x[SAMPLES], y[SAMPLES], slope[SAMPLES];
} frame;

static double plot_x(const frame *f, double x) { return LEFT + (x - f->lo) / (f->hi - f->lo) * (WIDTH - LEFT - RIGHT); }
static double plot_y(const frame *f, double y) {
    return HEIGHT - BOTTOM - (y - f->bottom) / (f->top - f->bottom) * (HEIGHT - TOP - BOTTOM);
}

static void widen(double v, double *lo, double *hi) {
    if (!isfinite(v)) return;
    *lo = fmin(*lo, v);
    *hi = fmax(*hi, v);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The range of v, but of what rises to a pole only as much again as eight tenths of the values need */
static bool range_of(const double *v, double *lo, double *hi) {
    double sorted[SAMPLES];
    int n = 0;
    for (int i = 0; i < SAMPLES; i++) {
        if (isfinite(v[i])) sorted[n++] = v[i];
    }
    if (!n) return false;
    qsort(sorted, (size_t)n, sizeof *sorted, by_size);
    double low = sorted[n / 10], high = sorted[n - 1 - n / 10], more = high - low;
    *lo = more > 0 ? fmax(sorted[0], low - more) : sorted[0];
    *hi = more > 0 ? fmin(sorted[n - 1], high + more) : sorted[n - 1];
    return true;
}

/* The value decides; the derivative may add as much again above and below. */
static void fit(frame *f, bool truth) {
    double lo = -1, hi = 1, slope_lo, slope_hi;
    range_of(f->y, &lo, &hi);
    widen(0, &lo, &hi);
    if (truth) widen(1, &lo, &hi);
    double more = fmax(hi - lo, 0.5);
    if (range_of(f->slope, &slope_lo, &slope_hi)) {
        widen(fmax(slope_lo, lo - more), &lo, &hi);
        widen(fmin(slope_hi, hi + more), &lo, &hi);
    }
    if (lo == hi) lo = -1, hi = 1;
    f->bottom = lo - 0.06 * (hi - lo);
    f->top = hi + 0.06 * (hi - lo);
}

/* A step of 1, 2 or 5 times a power of ten, about `count` of which make `span` */
static double nice_step(double range, int count) {
    double raw = range / count, power = pow(10, floor(log10(raw))), part = raw / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

static void put_ticks(const frame *f, text *out) {
    char number[NUMBER_ROOM];
    double step = nice_step(f->hi - f->lo, 8);
    for (double k = ceil(f->lo / step); k * step <= f->hi; k++) {
        double at = plot_x(f, k * step);
        text_printf(out, "<path class=\"%s\" d=\"M%.2f %dV%d\"/>\n", k == 0 ? "zero" : "grid", at, TOP, HEIGHT - BOTTOM);
        text_printf(out, "<text class=\"tick\" x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", at,
                    HEIGHT - BOTTOM + 18, number_text(k * step, 6, number));
    }
    step = nice_step(f->top - f->bottom, 6);
    for (double k = ceil(f->bottom / step); k * step <= f->top; k++) {
        double at = plot_y(f, k * step);
        text_printf(out, "<path class=\"%s\" d=\"M%d %.2fH%d\"/>\n", k == 0 ? "zero" : "grid", LEFT, at, WIDTH - RIGHT);
        text_printf(out, "<text class=\"tick\" x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%s</text>\n", LEFT - 8, at + 4,
                    number_text(k * step, 6, number));
    }
}

/* Is the way from v[i - 1] to v[i] a step, or over to the other side of a pole, and no steep slope? */
static bool jumps(const double *v, int i, double height) {
    double step = v[i] - v[i - 1], before = i > 1 ? v[i - 1] - v[i - 2] : 0, after = i + 1 < SAMPLES ? v[i + 1] - v[i] : 0;
    bool turns = step * before < 0 && step * after < 0;
    double larger = 10 * fmax(fabs(before), fabs(after)), smaller = 10 * fmin(fabs(before), fabs(after));
    return (fabs(step) > 0.01 * height && (turns || fabs(step) > larger)) ||
           (fabs(step) > 0.05 * height && fabs(step) > smaller); /* in two, with a value between */
}

/* A line through the finite values, lifted where the curve jumps. */
static void put_curve(const frame *f, const double *v, const char *class, text *out) {
    double height = f->top - f->bottom;
    bool down = false;
    text_printf(out, "<path class=\"%s\" clip-path=\"url(#frame)\" d=\"", class);
    for (int i = 0; i < SAMPLES; i++) {
        bool inside = isfinite(v[i]) && fabs(v[i] - f->bottom) < 20 * height;
        bool jump = i && down && inside && jumps(v, i, height);
        if (inside) text_printf(out, "%c%.2f %.2f", down && !jump ? 'L' : 'M', plot_x(f, f->x[i]), plot_y(f, v[i]));
        down = inside;
    }
    text_put(out, "\"/>\n");
}

static void put_escaped(text *out, const char *s) {
    for (; *s; s++) {
        if (*s == '<') text_put(out, "&lt;");
        else if (*s == '>') text_put(out, "&gt;");
        else if (*s == '&') text_put(out, "&amp;");
        else text_add(out, s, 1);
    }
}

/* y = name(x, attributes), and behind it, paler, what that is; dy/dx as the rule has it */
static void put_legend(const char *y, const char *formula, const char *slope, text *out) {
    const char *class[] = {"value", "slope"}, *lead[] = {"y = ", "dy/dx = "}, *body[] = {y, slope};
    for (int i = 0; i < 2; i++) {
        int at = 22 + 22 * i;
        text_printf(out, "<path class=\"%s\" d=\"M%d %dh34\"/>\n<text class=\"label\" x=\"%d\" y=\"%d\">%s", class[i],
                    LEFT, at - 5, LEFT + 44, at, lead[i]);
        put_escaped(out, body[i]);
        if (i == 0 && *formula) {
            text_put(out, "<tspan class=\"tick\" dx=\"18\">");
            put_escaped(out, formula);
            text_put(out, "</tspan>");
        }
        text_put(out, "</text>\n");
    }
}

static void put_svg(const frame *f, const char *y, const char *formula, const char *slope, text *out) {
    text_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n<style>\n"
        "rect{fill:#fff}text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1a1a1a}\n"
        ".label{font-size:15px}.tick{font-size:12px;fill:#5f6b76}path{fill:none}\n"
        ".grid{stroke:#e3e6e9}.zero{stroke:#8a949e;stroke-width:1.2}\n"
        ".value{stroke:#0072b2;stroke-width:2.6;stroke-linejoin:round}\n"
        ".slope{stroke:#d55e00;stroke-width:2.2;stroke-dasharray:7 5;stroke-linejoin:round}\n"
        "@media (prefers-color-scheme:dark){rect{fill:#14181d}text{fill:#e8eaed}.tick{fill:#9aa4ae}"
        ".grid{stroke:#2a3037}.zero{stroke:#6b7680}.value{stroke:#56b4e9}.slope{stroke:#e69f00}}\n"
        "</style>\n<clipPath id=\"frame\"><path d=\"M%d %dH%dV%dH%dZ\"/></clipPath>\n"
        "<rect width=\"%d\" height=\"%d\" rx=\"8\"/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM, LEFT, WIDTH, HEIGHT);
    put_ticks(f, out);
    put_curve(f, f->y, "value", out);
    put_curve(f, f->slope, "slope", out);
    put_legend(y, formula, slope, out);
    text_put(out, "</svg>\n");
}

/* The derivative as the op's own rule writes it, and y as its formula */
static void put_formulas(ag_tape *t, ag_tensor *y, text *slope) {
    rule r;
    ag_mark here = ag_tape_mark(t);
    if (!ag_op_of(y) || !rule_run(&r, y, NULL)) {
        text_put(slope, "0");
    } else {
        named names[] = {{r.in[0], "x"}, {r.y, "y"}, {r.g, "1"}};
        if (!formula_put(slope, r.d[0], names, 3, false, FORMULA_LINE)) text_put(slope, "…");
    }
    ag_tape_clear(t);
    ag_tape_rewind(t, here);
}

/* Evenly, but exactly at multiples of a half: steps, kinks and ends of domains like to be there. */
static void place_samples(frame *f) {
    double step = (f->hi - f->lo) / (SAMPLES - 1);
    for (int i = 0; i < SAMPLES; i++) {
        double x = f->lo + step * i, near = nearbyint(2 * x) / 2;
        f->x[i] = fabs(x - near) < 0.5 * step ? near : x;
    }
}

/* Values and slopes at x; NULL after a fault. */
static ag_tensor *evaluate(session *s, const ag_op *op, const char *attributes, frame *f) {
    ag_tape *t = s->e.tape;
    ag_tensor *x = ag_leaf(t, AG_F64, f->x, AG_SHAPE(SAMPLES), AG_REQUIRES_GRAD), *g = NULL;
    ag_tensor *y = ag_call(t, op->name, &x, 1, attributes);
    bool is_float = y && ag_dtype_of(y) == AG_F64;
    if (ag_tape_status(t) == AG_ERR_DTYPE) {
        fault_say(&s->f, EXIT_USAGE, "%s cannot be drawn as a curve: it does not take real numbers", op->name);
        return NULL;
    }
    if (!y || (is_float && !ag_gradients(&y, NULL, 1, &x, 1, &g))) {
        session_failed(s);
        return NULL;
    }
    for (int i = 0; i < SAMPLES; i++) {
        f->y[i] = ag_at(y, i);
        f->slope[i] = !isfinite(f->y[i]) ? (double)NAN : g ? ag_at(g, i) : 0;
    }
    return y;
}

/* Beyond where checks sample. What has values on both sides of 0 is shown on both, else 0 is in the picture. */
static bool choose_interval(session *s, const ag_op *op, const char *attributes, frame *f) {
    f->lo = 1.5 * (op->lo < op->hi ? op->lo : -2);
    f->hi = 1.5 * (op->lo < op->hi ? op->hi : 2);
    if (f->lo <= 0) return true;
    f->lo = -f->hi;
    place_samples(f);
    if (!evaluate(s, op, attributes, f)) return false;
    int finite = 0;
    for (int i = 0; i < SAMPLES / 2; i++) finite += isfinite(f->y[i]) != 0;
    if (finite < SAMPLES / 4) f->lo = -0.05 * f->hi;
    return true;
}

bool ops_curve(session *s, const ag_op *op, const char *attributes, double lo, double hi, text *svg) {
    if (!(op->flags & AG_MAP) || ops_inputs(op) != 1) {
        return fault_say(&s->f, EXIT_USAGE,
                         "%s cannot be drawn as a curve: it is not an elementwise operation of one input", op->name);
    }
    frame *f = calloc(1, sizeof *f);
    if (!f) return fault_memory(&s->f);
    f->lo = lo;
    f->hi = hi;
    text slope = {0}, y = {0};
    ag_tensor *values = NULL;
    if (lo < hi || choose_interval(s, op, attributes, f)) {
        place_samples(f);
        values = evaluate(s, op, attributes, f);
    }
    if (values) {
        fit(f, ag_dtype_of(values) == AG_BOOL);
        put_formulas(s->e.tape, values, &slope);
        text_printf(&y, "%s(x%s%s)", op->name, *attributes ? ", " : "", attributes);
        put_svg(f, text_of(&y), op->formula ? op->formula : "", text_of(&slope), svg);
    }
    text_free(&slope);
    text_free(&y);
    free(f);
    return values != NULL;
}
