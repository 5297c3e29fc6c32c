/* show.c: the last two axes are rows and columns, [a, b; c, d]; those before them nest. */
#include <string.h>

#include "show.h"

enum { WHOLE = 1000 /* elements printed in full */, EDGE = 3 /* rows and columns shown of more */, LINE = 100 };

typedef struct drawing {
    text *out;
    const ag_tensor *x;
    bool summary;
    int indent;
    int width; /* of a cell */
} drawing;

/* The axis's places to show: the k-th, −1 for the dots. */
static int64_t shown(const drawing *d, int64_t extent) {
    return d->summary && extent > 2 * EDGE ? 2 * EDGE + 1 : extent;
}

static int64_t shown_at(const drawing *d, int64_t extent, int64_t k) {
    if (shown(d, extent) == extent || k < EDGE) return k;
    return k == EDGE ? -1 : extent - (2 * EDGE + 1) + k;
}

static const char *cell(const drawing *d, int64_t i, char out[NUMBER_ROOM]) {
    if (i < 0) return "…";
    return number_text(ag_at(d->x, i), PEOPLE, out);
}

static void new_line(const drawing *d, int more) {
    text_put(d->out, "\n");
    text_repeat(d->out, ' ', d->indent + more);
}

static void put_cell(const drawing *d, int64_t i) {
    char number[NUMBER_ROOM];
    const char *s = cell(d, i, number);
    text_repeat(d->out, ' ', d->width - text_width(s));
    text_put(d->out, s);
}

static void put_row(const drawing *d, int64_t from, int64_t columns, int depth) {
    int used = 0, most = columns > 24 ? LINE : 4 * LINE;
    for (int64_t k = 0; k < shown(d, columns); k++) {
        int64_t j = shown_at(d, columns, k);
        if (k) text_put(d->out, ",");
        used += d->width + 2;
        if (k && used > most) {
            new_line(d, depth);
            used = d->width + 2;
        } else if (k) {
            text_put(d->out, " ");
        }
        put_cell(d, j < 0 ? -1 : from + j);
    }
}

/* Rows `from` … of the last two axes */
static void put_matrix(const drawing *d, int64_t from, int depth) {
    int64_t rows = ag_dim(d->x, -2), columns = ag_dim(d->x, -1);
    text_put(d->out, rows == 1 ? "[[" : "[");
    for (int64_t k = 0; k < shown(d, rows); k++) {
        int64_t i = shown_at(d, rows, k);
        if (k) {
            text_put(d->out, ";");
            new_line(d, depth + 1);
        }
        if (i < 0) text_put(d->out, "…");
        else put_row(d, from + i * columns, columns, depth + 1);
    }
    text_put(d->out, rows == 1 ? "]]" : "]");
}

/* A walk over the axes before the last two, with a counter for each. */
static void put_blocks(const drawing *d) {
    int rank = ag_rank(d->x), outer = rank - 2, opened = 0;
    int64_t k[AG_MAX_RANK] = {0};
    for (;;) {
        int64_t from = 0;
        bool dots = false;
        for (int a = 0; a < outer; a++) {
            int64_t i = shown_at(d, ag_dim(d->x, a), k[a]);
            dots = dots || i < 0;
            from = from * ag_dim(d->x, a) + i;
        }
        for (; opened < outer; opened++) text_put(d->out, "[");
        if (dots) text_put(d->out, "…");
        else put_matrix(d, from * ag_dim(d->x, -2) * ag_dim(d->x, -1), outer);
        int a = outer - 1;
        for (; a >= 0 && ++k[a] == shown(d, ag_dim(d->x, a)); a--) {
            k[a] = 0;
            text_put(d->out, "]");
            opened--;
        }
        if (a < 0) return;
        text_put(d->out, ",");
        new_line(d, opened);
    }
}

static void measure(drawing *d) {
    char number[NUMBER_ROOM];
    int64_t n = ag_size(d->x), most = n < 4000 ? n : 4000;
    for (int64_t i = 0; i < n; i++) { /* of a large tensor the two ends, where what is shown stands */
        if (i == most / 2 && n > most) i = n - most / 2;
        int w = text_width(cell(d, i, number));
        if (w > d->width) d->width = w;
    }
}

void show_shape(text *out, const ag_tensor *x) {
    text_printf(out, "%s (", ag_dtype_name(ag_dtype_of(x)));
    for (int i = 0; i < ag_rank(x); i++) text_printf(out, "%s%lld", i ? "," : "", (long long)ag_dim(x, i));
    text_put(out, ")");
}

void show_tensor(text *out, const ag_tensor *x, int indent) {
    drawing d = {.out = out, .x = x, .summary = ag_size(x) > WHOLE, .indent = indent};
    int rank = ag_rank(x);
    if (ag_size(x) == 0) {
        text_put(out, "[]  # ");
        show_shape(out, x);
        return;
    }
    measure(&d);
    if (rank == 0) {
        put_cell(&d, 0);
    } else if (rank == 1) {
        text_put(out, "[");
        put_row(&d, 0, ag_size(x), 1);
        text_put(out, "]");
    } else if (rank == 2) {
        put_matrix(&d, 0, 0);
    } else {
        put_blocks(&d);
    }
    if (!d.summary) return;
    text_put(out, "  # ");
    show_shape(out, x);
}

static void json_element(text *out, const ag_tensor *x, int64_t i) {
    if (ag_dtype_of(x) == AG_BOOL) text_put(out, ag_at(x, i) != 0 ? "true" : "false");
    else text_json_number(out, ag_at(x, i));
}

void show_json_data(text *out, const ag_tensor *x) {
    int rank = ag_rank(x);
    int64_t n = ag_size(x);
    if (n == 0) {
        text_put(out, "[]");
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t block = 1;
        int opens = 0, closes = 0;
        for (int a = rank; a-- > 0;) {
            block *= ag_dim(x, a);
            opens += i % block == 0;
            closes += (i + 1) % block == 0;
        }
        if (i) text_put(out, ", ");
        text_repeat(out, '[', opens);
        json_element(out, x, i);
        text_repeat(out, ']', closes);
    }
}

void show_json(text *out, const ag_tensor *x) {
    if (ag_rank(x) == 0) {
        json_element(out, x, 0);
        return;
    }
    text_printf(out, "{\"dtype\": \"%s\", \"shape\": [", ag_dtype_name(ag_dtype_of(x)));
    for (int i = 0; i < ag_rank(x); i++) text_printf(out, "%s%lld", i ? ", " : "", (long long)ag_dim(x, i));
    text_put(out, "], \"data\": ");
    show_json_data(out, x);
    text_put(out, "}");
}

void show_element(text *out, const char *name, const ag_tensor *x, int64_t index) {
    int64_t at[AG_MAX_RANK];
    text_put(out, name);
    for (int a = ag_rank(x); a-- > 0;) {
        at[a] = index % ag_dim(x, a);
        index /= ag_dim(x, a);
    }
    for (int a = 0; a < ag_rank(x); a++) text_printf(out, "%s%lld", a ? "," : "[", (long long)at[a]);
    if (ag_rank(x)) text_put(out, "]");
}
