/* reference_part.c: parts of a tensor, axes walked backwards, diagonals and windows: where each element comes from, by its
 * coordinates. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

/* Finds the place in x (of shape x) for each place of y; false: y is 0 there. */
typedef bool from_fn(const problem *p, const int64_t at[], int64_t from[]);

static void looked_up(problem *p, ag_shape s, from_fn *from) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, x->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, place[AG_MAX_RANK] = {0};
        reference_place(s, i, at);
        y[i] = from(p, at, place) ? x->v[reference_index(x->shape, place)] : 0;
    }
}

static int axis_of(const problem *p) { return reference_axis(p, "axis", 0, p->in[0].shape.rank); }

/* Parts */

static int64_t start; /* of the part */

static bool shifted(const problem *p, const int64_t at[], int64_t from[]) {
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    from[axis_of(p)] += start;
    return true;
}

static bool inserted(const problem *p, const int64_t at[], int64_t from[]) {
    int axis = axis_of(p);
    for (int k = 0; k < p->in[0].shape.rank; k++) from[k] = k < axis ? at[k] : k == axis ? start : at[k - 1];
    return true;
}

static void part(problem *p, int64_t first, int64_t length) {
    ag_shape s = p->in[0].shape;
    start = first;
    s.dim[axis_of(p)] = length;
    looked_up(p, s, shifted);
}

static void slab(problem *p, int64_t at) {
    ag_shape x = p->in[0].shape, s = {0};
    for (int k = 0; k < x.rank; k++) {
        if (k != axis_of(p)) s.dim[s.rank++] = x.dim[k];
    }
    start = at;
    looked_up(p, s, inserted);
}

static void select_one(problem *p) {
    int64_t i = (int64_t)reference_number(p, "index", 0);
    slab(p, i < 0 ? i + p->in[0].shape.dim[axis_of(p)] : i);
}

static void unbind(problem *p) { slab(p, (int64_t)reference_number(p, "part", 0)); }

static void narrow(problem *p) {
    int64_t i = (int64_t)reference_number(p, "start", 0);
    part(p, i < 0 ? i + p->in[0].shape.dim[axis_of(p)] : i, (int64_t)reference_number(p, "length", 0));
}

/* Parts handed out one after the other until the wanted one's turn. */
static void split_by(problem *p, int64_t size) {
    int64_t left = p->in[0].shape.dim[axis_of(p)], first = 0;
    for (int64_t k = (int64_t)reference_number(p, "part", 0); k > 0; k--) {
        first += size;
        left -= size;
    }
    part(p, first, left < size ? left : size);
}

static void chunk(problem *p) {
    split_by(p, (int64_t)ceil((double)p->in[0].shape.dim[axis_of(p)] / reference_number(p, "chunks", 1)));
}

static void split_by_sizes(problem *p, const int64_t sizes[]) {
    int64_t first = 0, k = (int64_t)reference_number(p, "part", 0);
    for (int64_t i = 0; i < k; i++) first += sizes[i];
    part(p, first, sizes[k]);
}

static void split_with_sizes(problem *p) {
    int64_t sizes[AG_MAX_RANK];
    reference_list(p, "split_sizes", sizes);
    split_by_sizes(p, sizes);
}

static void split(problem *p) {
    int64_t sizes[AG_MAX_RANK];
    if (reference_list(p, "split_size", sizes) == 1) split_by(p, sizes[0]);
    else split_by_sizes(p, sizes);
}

static void tensor_split(problem *p) {
    int64_t n = p->in[0].shape.dim[axis_of(p)], end[AG_MAX_RANK + 2] = {0}, k = (int64_t)reference_number(p, "part", 0);
    double sections = reference_number(p, "sections", NAN);
    if (!isnan(sections)) {
        int64_t first = 0, size = 0;
        for (int64_t i = 0; i <= k; i++) {
            first += size;
            size = n / (int64_t)sections + (i < n % (int64_t)sections);
        }
        part(p, first, size);
        return;
    }
    int count = reference_list(p, "indices", end + 1);
    if (count < 0) count = 0;
    end[count + 1] = n;
    for (int i = 1; i <= count; i++) end[i] = end[i] < 0 ? end[i] + n : end[i] > n ? n : end[i];
    part(p, end[k], end[k + 1] > end[k] ? end[k + 1] - end[k] : 0);
}

/* Flips and turns */

static bool backwards(const problem *p, const int64_t at[], int64_t from[]) {
    int64_t axes[AG_MAX_RANK] = {strcmp(p->s->op->name, "fliplr") == 0};
    ag_shape x = p->in[0].shape;
    bool named = strcmp(p->s->op->name, "flip") != 0;
    int n = named ? 1 : reference_list(p, "axes", axes);
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    for (int i = 0; i < x.rank; i++) {
        bool flips = n < 0;
        for (int k = 0; k < n; k++) flips = flips || (axes[k] + x.rank) % x.rank == i;
        if (flips) from[i] = x.dim[i] - 1 - at[i];
    }
    return true;
}

static void flip(problem *p) { looked_up(p, p->in[0].shape, backwards); }

static int turns; /* quarter turns */
static int64_t plane[AG_MAX_RANK];

static bool turned(const problem *p, const int64_t at[], int64_t from[]) {
    ag_shape x = p->in[0].shape;
    int64_t i = plane[0], j = plane[1], ai = at[i], aj = at[j];
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    if (turns == 1) from[i] = aj, from[j] = x.dim[j] - 1 - ai;
    if (turns == 2) from[i] = x.dim[i] - 1 - ai, from[j] = x.dim[j] - 1 - aj;
    if (turns == 3) from[i] = x.dim[i] - 1 - aj, from[j] = ai;
    return true;
}

static void rot90(problem *p) {
    ag_shape x = p->in[0].shape, s = x;
    turns = (int)((((int64_t)reference_number(p, "k", 1) % 4) + 4) % 4);
    if (reference_list(p, "axes", plane) < 0) plane[0] = 0, plane[1] = 1;
    for (int k = 0; k < 2; k++) plane[k] = (plane[k] + x.rank) % x.rank;
    if (turns % 2) {
        s.dim[plane[0]] = x.dim[plane[1]];
        s.dim[plane[1]] = x.dim[plane[0]];
    }
    looked_up(p, s, turned);
}

/* Diagonals */

static int64_t offset;
static int first, second; /* axes of the tensor that has the diagonal */

static void read_diagonal(const problem *p, const char *name, int a, int b, int rank) {
    offset = (int64_t)reference_number(p, name, 0);
    first = reference_axis(p, "axis1", a, rank);
    second = reference_axis(p, "axis2", b, rank);
}

/* Coordinates in the whole of the element at `at` of the diagonal. */
static void on_diagonal(ag_shape whole, const int64_t at[], int64_t out[]) {
    int64_t i = at[whole.rank - 2];
    for (int k = 0, next = 0; k < whole.rank; k++) {
        out[k] = k == first ? i + (offset < 0 ? -offset : 0) : k == second ? i + (offset > 0 ? offset : 0) : at[next++];
    }
}

static bool of_diagonal(const problem *p, const int64_t at[], int64_t from[]) {
    on_diagonal(p->in[0].shape, at, from);
    return true;
}

static ag_shape diagonal_shape(ag_shape whole) {
    ag_shape s = {0};
    int64_t rows = whole.dim[first], cols = whole.dim[second], n = 0;
    for (int k = 0; k < whole.rank; k++) {
        if (k != first && k != second) s.dim[s.rank++] = whole.dim[k];
    }
    for (int64_t i = 0; i < rows; i++) n += i + offset >= 0 && i + offset < cols;
    s.dim[s.rank++] = n;
    return s;
}

static void diagonal(problem *p) {
    read_diagonal(p, "offset", 0, 1, p->in[0].shape.rank);
    looked_up(p, diagonal_shape(p->in[0].shape), of_diagonal);
}

static void put_diagonal(problem *p, ag_shape g, ag_shape whole) {
    double *y = reference_out(p, 0, p->in[0].dtype, whole);
    for (int64_t i = 0; i < p->in[0].size; i++) {
        int64_t at[AG_MAX_RANK], to[AG_MAX_RANK];
        reference_place(g, i, at);
        on_diagonal(whole, at, to);
        y[reference_index(whole, to)] = p->in[0].v[i];
    }
}

static void undiagonal(problem *p) {
    ag_shape s = reference_shape(p, "shape");
    read_diagonal(p, "offset", 0, 1, s.rank);
    put_diagonal(p, p->in[0].shape, s);
}

static void embed(problem *p, ag_shape g) {
    ag_shape s = {.rank = g.rank + 1};
    for (int k = 0, next = 0; k < s.rank; k++) {
        s.dim[k] = k == first || k == second ? g.dim[g.rank - 1] + (offset < 0 ? -offset : offset) : g.dim[next++];
    }
    put_diagonal(p, g, s);
}

static void diag_embed(problem *p) {
    read_diagonal(p, "offset", -2, -1, p->in[0].shape.rank + 1);
    embed(p, p->in[0].shape);
}

static void diagflat(problem *p) {
    read_diagonal(p, "offset", 0, 1, 2);
    embed(p, (ag_shape){.rank = 1, .dim = {p->in[0].size}});
}

static void diag(problem *p) {
    read_diagonal(p, "diagonal", 0, 1, 2);
    if (p->in[0].shape.rank == 1) {
        embed(p, p->in[0].shape);
    } else {
        looked_up(p, diagonal_shape(p->in[0].shape), of_diagonal);
    }
}

static bool above(const problem *p, const int64_t at[], int64_t from[]) {
    int rank = p->in[0].shape.rank;
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    return at[rank - 1] - at[rank - 2] >= reference_number(p, "diagonal", 0);
}

static void triu(problem *p) { looked_up(p, p->in[0].shape, above); }

/* Windows */

static ag_shape windows(const problem *p, ag_shape x, int *axis) {
    int64_t size = (int64_t)reference_number(p, "size", 0), step = (int64_t)reference_number(p, "step", 0), count = 0;
    int64_t reach = size ? (size - 1) * (int64_t)reference_number(p, "dilation", 1) + 1 : 0;
    *axis = reference_axis(p, "axis", 0, x.rank);
    if (x.rank) {
        for (int64_t i = 0; i + reach <= x.dim[*axis]; i += step) count++;
        x.dim[*axis] = count;
    }
    x.dim[x.rank++] = size;
    return x;
}

static void in_window(const problem *p, ag_shape x, int axis, const int64_t at[], int64_t from[]) {
    memcpy(from, at, AG_MAX_RANK * sizeof *from);
    if (!x.rank) return;
    from[axis] =
        at[axis] * (int64_t)reference_number(p, "step", 0) + at[x.rank] * (int64_t)reference_number(p, "dilation", 1);
}

static bool of_window(const problem *p, const int64_t at[], int64_t from[]) {
    int axis;
    windows(p, p->in[0].shape, &axis);
    in_window(p, p->in[0].shape, axis, at, from);
    return true;
}

static void unfold(problem *p) {
    int axis;
    looked_up(p, windows(p, p->in[0].shape, &axis), of_window);
}

static void unfold_add(problem *p) {
    const array *g = &p->in[0];
    ag_shape x = reference_shape(p, "shape");
    int axis;
    double *y = reference_out(p, 0, g->dtype, x);
    windows(p, x, &axis);
    for (int64_t i = 0; i < g->size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, to[AG_MAX_RANK] = {0};
        reference_place(g->shape, i, at);
        in_window(p, x, axis, at, to);
        y[reference_index(x, to)] += g->v[i];
    }
}

const reference references_part[] = {
    {"select", select_one, true, NULL, NULL},
    {"narrow", narrow, true, NULL, NULL},
    {"split", split, true, NULL, NULL},
    {"split_with_sizes", split_with_sizes, true, NULL, NULL},
    {"chunk", chunk, true, NULL, NULL},
    {"tensor_split", tensor_split, true, NULL, NULL},
    {"unbind", unbind, true, NULL, NULL},
    {"flip", flip, true, NULL, NULL},
    {"fliplr", flip, true, NULL, NULL},
    {"flipud", flip, true, NULL, NULL},
    {"rot90", rot90, true, NULL, NULL},
    {"diagonal", diagonal, true, NULL, NULL},
    {"undiagonal", undiagonal, true, NULL, NULL},
    {"diag_embed", diag_embed, true, NULL, NULL},
    {"diagflat", diagflat, true, NULL, NULL},
    {"diag", diag, true, NULL, NULL},
    {"triu", triu, true, NULL, NULL},
    {"unfold", unfold, true, NULL, NULL},
    {"unfold_add", unfold_add, false, NULL, NULL},
    {NULL, NULL, false, NULL, NULL},
};
