/* reference_pool.c: windows of images and images of other sizes, pixel by pixel, each from its definition in coordinates. */
#include <math.h>
#include <string.h>

#include "ops/reference.h"

enum { AXES = 3 };

/* One number for all axes of pixels, or one for each; `preset` where the sample has none. */
static void sizes(const problem *p, const char *name, int axes, const int64_t preset[], int64_t out[]) {
    int64_t list[AG_MAX_RANK];
    int n = reference_list(p, name, list);
    for (int i = 0; i < axes; i++) out[i] = n < 1 ? preset[i] : list[n == 1 ? 0 : i];
}

typedef struct window {
    int axes;
    int64_t size[AXES], step[AXES], before[AXES], dilation[AXES];
} window;

static window window_of(const problem *p, int axes) {
    static const int64_t zero[AXES], one[AXES] = {1, 1, 1};
    window w = {.axes = axes};
    sizes(p, "kernel_size", axes, one, w.size);
    sizes(p, "stride", axes, w.size, w.step);
    sizes(p, "padding", axes, zero, w.before);
    sizes(p, "dilation", axes, one, w.dilation);
    return w;
}

/* Windows laid one after the other, each beginning in x or the padding before it, and, unless rounded up, ending in x or the
 * padding behind it; rounded up, there is one more where pixels are left that none has reached. */
static ag_shape pooled(const problem *p, const window *w) {
    ag_shape s = p->in[0].shape;
    for (int i = 0; i < w->axes; i++) {
        int64_t *n = &s.dim[s.rank - w->axes + i], end = *n + w->before[i], start = -w->before[i], count = 0, left = 1;
        while (left > 0 && start < *n) {
            int64_t last = start + w->dilation[i] * (w->size[i] - 1);
            if (last >= end && !reference_flag(p, "ceil_mode")) break;
            left = end - 1 - last;
            start += w->step[i];
            count++;
        }
        *n = count;
    }
    return s;
}

/* Walks the window of y's element `at`: coordinates in x of its k-th pixel; false when there are no more. */
static bool pixel(const window *w, const int64_t at[], int rank, int64_t k, int64_t out[]) {
    memcpy(out, at, AG_MAX_RANK * sizeof *out);
    for (int i = w->axes - 1; i >= 0; i--) {
        int axis = rank - w->axes + i;
        out[axis] = at[axis] * w->step[i] - w->before[i] + k % w->size[i] * w->dilation[i];
        k /= w->size[i];
    }
    return k == 0;
}

static bool inside(const window *w, ag_shape s, const int64_t at[], bool padding) {
    bool in = true;
    for (int i = 0; i < w->axes; i++) {
        int axis = s.rank - w->axes + i;
        int64_t more = padding ? w->before[i] : 0;
        in = in && at[axis] >= -more && at[axis] < s.dim[axis] + more;
    }
    return in;
}

static void means(problem *p, int axes) {
    const array *x = &p->in[0];
    window w = window_of(p, axes);
    bool padding = strstr(p->s->attributes, "count_include_pad=false") == NULL;
    double divisor = reference_number(p, "divisor_override", 0), *y = reference_out(p, 0, p->dtype, pooled(p, &w));
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, from[AG_MAX_RANK];
        double sum = 0, count = 0;
        reference_place(p->out[0].shape, i, at);
        for (int64_t k = 0; pixel(&w, at, x->shape.rank, k, from); k++) {
            count += inside(&w, x->shape, from, padding);
            if (inside(&w, x->shape, from, false)) sum += x->v[reference_index(x->shape, from)];
        }
        y[i] = sum / (divisor != 0 ? divisor : count);
    }
}

static void largest(problem *p, int axes) {
    const array *x = &p->in[0];
    window w = window_of(p, axes);
    bool places = reference_number(p, "part", 0) == 1;
    double *y = reference_out(p, 0, places ? AG_I64 : p->dtype, pooled(p, &w));
    int64_t pixels = 1;
    for (int i = 1; i <= axes; i++) pixels *= x->shape.dim[x->shape.rank - i];
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, from[AG_MAX_RANK], best = -1;
        reference_place(p->out[0].shape, i, at);
        for (int64_t k = 0; pixel(&w, at, x->shape.rank, k, from); k++) {
            if (!inside(&w, x->shape, from, false)) continue;
            int64_t place = reference_index(x->shape, from);
            if (best < 0 || x->v[place] > x->v[best]) best = place;
        }
        y[i] = places ? (double)(best % pixels) : x->v[best];
    }
}

/* (Σ xᵖ)^(1/p), the sum of a window that sticks out made up to that of a whole one. */
static void powers(problem *p, int axes) {
    const array *x = &p->in[0];
    window w = window_of(p, axes);
    double norm = reference_number(p, "norm_type", 0), *y = reference_out(p, 0, p->dtype, pooled(p, &w));
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, from[AG_MAX_RANK], k;
        double sum = 0, count = 0;
        reference_place(p->out[0].shape, i, at);
        for (k = 0; pixel(&w, at, x->shape.rank, k, from); k++) {
            if (!inside(&w, x->shape, from, false)) continue;
            sum += pow(x->v[reference_index(x->shape, from)], norm);
            count++;
        }
        y[i] = pow(sum * (double)k / count, 1 / norm);
    }
}

static void lp_pool1d(problem *p) { powers(p, 1); }
static void lp_pool2d(problem *p) { powers(p, 2); }

/* How many pixels an image has */
static int64_t pixels_of(ag_shape s, int axes) {
    int64_t n = 1;
    for (int i = 1; i <= axes; i++) n *= s.dim[s.rank - i];
    return n;
}

static void unpool(problem *p, int axes) {
    ag_shape s = p->in[0].shape;
    window w = window_of(p, axes);
    int64_t list[AG_MAX_RANK];
    int n = reference_list(p, "output_size", list);
    for (int i = 0; i < axes; i++) {
        int64_t *out = &s.dim[s.rank - axes + i];
        *out = n < 1 ? (*out - 1) * w.step[i] - 2 * w.before[i] + w.size[i] : list[n - axes + i];
    }
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->in[0].size; i++) {
        int64_t image = i / pixels_of(p->in[0].shape, axes);
        y[image * pixels_of(s, axes) + (int64_t)p->in[1].v[i]] = p->in[0].v[i];
    }
}

static void max_unpool1d(problem *p) { unpool(p, 1); }
static void max_unpool2d(problem *p) { unpool(p, 2); }
static void max_unpool3d(problem *p) { unpool(p, 3); }

static void avg_pool1d(problem *p) { means(p, 1); }
static void avg_pool2d(problem *p) { means(p, 2); }
static void avg_pool3d(problem *p) { means(p, 3); }
static void max_pool1d(problem *p) { largest(p, 1); }
static void max_pool2d(problem *p) { largest(p, 2); }
static void max_pool3d(problem *p) { largest(p, 3); }

/* Images in the last axis, windows of them in that of the results. */
static void max_windows(problem *p) {
    static const int64_t none[AXES];
    const array *x = &p->in[0];
    int64_t list[AG_MAX_RANK], pixels = 1, windows = 1;
    ag_shape image = {.rank = reference_list(p, "image", list)}, out = image, s = x->shape;
    window w = window_of(p, image.rank);
    sizes(p, "image", image.rank, none, image.dim);
    sizes(p, "output_size", image.rank, none, out.dim);
    for (int i = 0; i < image.rank; i++) {
        pixels *= image.dim[i];
        windows *= out.dim[i];
    }
    s.dim[s.rank - 1] = windows;
    double *y = reference_out(p, 0, p->dtype, s), *index = reference_out(p, 1, AG_I64, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, from[AG_MAX_RANK], best = -1, start = i / windows * pixels;
        reference_place(out, i % windows, at);
        for (int64_t k = 0; pixel(&w, at, image.rank, k, from); k++) {
            if (!inside(&w, image, from, false)) continue;
            int64_t place = reference_index(image, from);
            if (best < 0 || x->v[start + place] > x->v[start + best]) best = place;
        }
        y[i] = x->v[start + best];
        index[i] = (double)best;
    }
}

/* How much of pixel j of n along an axis is in pixel i of the result. */
typedef double share_fn(const problem *p, int64_t i, int64_t j, int64_t n, int64_t out);

/* Every pixel of the result of every pixel of x, by the product of its shares along the axes. */
static void shared(problem *p, ag_shape s, int axes, share_fn *share) {
    const array *x = &p->in[0];
    double *y = reference_out(p, 0, p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        for (int64_t j = 0; j < x->size; j++) {
            int64_t to[AG_MAX_RANK] = {0}, from[AG_MAX_RANK] = {0};
            double part = 1;
            reference_place(s, i, to);
            reference_place(x->shape, j, from);
            for (int k = 0; k < s.rank; k++)
                part *= k < s.rank - axes ? to[k] == from[k] : share(p, to[k], from[k], x->shape.dim[k], s.dim[k]);
            y[i] += part * x->v[j];
        }
    }
}

static double evenly(const problem *p, int64_t i, int64_t j, int64_t n, int64_t out) {
    (void)p;
    int64_t start = i * n / out, end = ((i + 1) * n + out - 1) / out;
    return j >= start && j < end ? 1 / (double)(end - start) : 0;
}

static void adaptive(problem *p, int axes) {
    ag_shape s = p->in[0].shape;
    int64_t out[AXES];
    sizes(p, "output_size", axes, s.dim + s.rank - axes, out);
    for (int i = 0; i < axes; i++) {
        if (out[i] > 0) s.dim[s.rank - axes + i] = out[i];
    }
    shared(p, s, axes, evenly);
}

static void adaptive_avg_pool1d(problem *p) { adaptive(p, 1); }
static void adaptive_avg_pool2d(problem *p) { adaptive(p, 2); }
static void adaptive_avg_pool3d(problem *p) { adaptive(p, 3); }

/* Every pixel of an image in turn: is it in the window, and larger than what was found? */
static void largest_evenly(problem *p, int axes) {
    const array *x = &p->in[0];
    ag_shape s = x->shape;
    bool places = reference_number(p, "part", 0) == 1;
    int64_t out[AXES], pixels = pixels_of(s, axes);
    sizes(p, "output_size", axes, s.dim + s.rank - axes, out);
    for (int i = 0; i < axes; i++) {
        if (out[i] > 0) s.dim[s.rank - axes + i] = out[i];
    }
    double *y = reference_out(p, 0, places ? AG_I64 : p->dtype, s);
    for (int64_t i = 0; i < p->out[0].size; i++) {
        int64_t at[AG_MAX_RANK] = {0}, from[AG_MAX_RANK] = {0}, start = i / pixels_of(s, axes) * pixels, best = -1;
        reference_place(s, i, at);
        for (int64_t j = 0; j < pixels; j++) {
            bool in = true;
            reference_place(x->shape, start + j, from);
            for (int k = s.rank - axes; k < s.rank; k++)
                in = in && evenly(p, at[k], from[k], x->shape.dim[k], s.dim[k]) > 0;
            if (in && (best < 0 || x->v[start + j] > x->v[start + best])) best = j;
        }
        y[i] = places ? (double)best : x->v[start + best];
    }
}

static void adaptive_max_pool1d(problem *p) { largest_evenly(p, 1); }
static void adaptive_max_pool2d(problem *p) { largest_evenly(p, 2); }
static void adaptive_max_pool3d(problem *p) { largest_evenly(p, 3); }

static double place_of(const problem *p, int64_t i, int64_t n, int64_t out, bool halves) {
    double scale = reference_number(p, "scale_factor", NAN);
    if (reference_flag(p, "align_corners")) return out > 1 ? (double)(i * (n - 1)) / (double)(out - 1) : 0;
    double ratio = isnan(scale) ? (double)n / (double)out : 1 / scale;
    return halves ? ratio * ((double)i + 0.5) - 0.5 : ratio * (double)i;
}

static double nearest(const problem *p, int64_t i, int64_t j, int64_t n, int64_t out) {
    return j == (int64_t)fmin(floor(place_of(p, i, n, out, false)), (double)(n - 1));
}

/* A hat around every pixel; beyond the ends the first and the last stay. */
static double hat(const problem *p, int64_t i, int64_t j, int64_t n, int64_t out) {
    double at = fmin(fmax(place_of(p, i, n, out, true), 0), (double)(n - 1));
    return fmax(0, 1 - fabs(at - (double)j));
}

static double keys(double t) {
    t = fabs(t);
    if (t <= 1) return 1.25 * t * t * t - 2.25 * t * t + 1;
    return t < 2 ? -0.75 * (t * t * t - 5 * t * t + 8 * t - 4) : 0;
}

static double bicubic(const problem *p, int64_t i, int64_t j, int64_t n, int64_t out) {
    double at = place_of(p, i, n, out, true), sum = 0;
    for (int64_t k = (int64_t)floor(at) - 1; k <= (int64_t)floor(at) + 2; k++) {
        int64_t kept = k < 0 ? 0 : k >= n ? n - 1 : k;
        if (kept == j) sum += keys(at - (double)k);
    }
    return sum;
}

static void interpolate(problem *p) {
    ag_shape s = p->in[0].shape;
    char mode[SAMPLE_TEXT] = "nearest";
    int64_t out[AXES];
    double scale = reference_number(p, "scale_factor", NAN);
    if (strstr(p->s->attributes, "mode=")) reference_text(p, "mode", mode);
    sizes(p, "size", s.rank - 2, s.dim + 2, out);
    for (int i = 2; i < s.rank; i++) s.dim[i] = isnan(scale) ? out[i - 2] : (int64_t)floor((double)s.dim[i] * scale);
    share_fn *share = strcmp(mode, "nearest") == 0   ? nearest
                      : strcmp(mode, "area") == 0    ? evenly
                      : strcmp(mode, "bicubic") == 0 ? bicubic
                                                     : hat;
    shared(p, s, s.rank - 2, share);
}

#define ENTRY(name, exact) \
    { #name, name, exact, NULL, NULL }
const reference references_pool[] = {
    ENTRY(avg_pool1d, false),          ENTRY(avg_pool2d, false),          ENTRY(avg_pool3d, false),
    ENTRY(max_unpool1d, true),         ENTRY(max_unpool2d, true),         ENTRY(max_unpool3d, true),
    ENTRY(max_pool1d, true),           ENTRY(max_pool2d, true),           ENTRY(max_pool3d, true),
    ENTRY(adaptive_avg_pool1d, false), ENTRY(adaptive_avg_pool2d, false), ENTRY(adaptive_avg_pool3d, false),
    ENTRY(adaptive_max_pool1d, true),  ENTRY(adaptive_max_pool2d, true),  ENTRY(adaptive_max_pool3d, true),
    ENTRY(lp_pool1d, false),           ENTRY(lp_pool2d, false),           ENTRY(interpolate, false),
    ENTRY(max_windows, true),          {NULL, NULL, false, NULL, NULL},
};
