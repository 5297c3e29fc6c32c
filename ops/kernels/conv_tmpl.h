/* conv_tmpl.h: unfold and fold for elements of type REAL.
 *
 * One tap sees one row of output pixels as a run of input pixels, `stride` apart, with padding before and after it:
 *
 *     output  begin ──── from ──────── to ──── end
 *     input          0   plane[at + j stride]   0            the whole run is padding where the input row lies outside */
#include <string.h>

typedef struct run {
    int64_t begin, from, to, end; /* output columns, from the row's first */
    int64_t at; /* input offset in the plane of output column 0 of this row; only [from, to) is inside */
} run;

static int64_t clamp(int64_t i, int64_t least, int64_t most) { return i < least ? least : i > most ? most : i; }

/* ⌈i / n⌉ for i of any sign, n > 0 */
static int64_t divide_up(int64_t i, int64_t n) { return i > 0 ? (i - 1) / n + 1 : -(-i / n); }

/* What tap (r,s) sees of output pixels [p, last) as far as p's row goes. */
static run run_of(const ag__window *s, int64_t r, int64_t t, int64_t p, int64_t last) {
    int64_t row = p / s->ow, start = row * s->ow, shift = t * s->dilation[1] - s->padding[1];
    int64_t y = row * s->stride[0] + r * s->dilation[0] - s->padding[0];
    run u = {.begin = p - start, .at = y * s->w + shift};
    u.end = last - start < s->ow ? last - start : s->ow;
    u.from = clamp(divide_up(-shift, s->stride[1]), u.begin, u.end);
    u.to = clamp(divide_up(s->w - shift, s->stride[1]), u.from, u.end);
    if (y < 0 || y >= s->h) u.from = u.to = u.end;
    return u;
}

static void unfold(const ag__window *s, int64_t channels, const void *input, int64_t first, int64_t last, void *columns) {
    const REAL *plane = input;
    REAL *out = columns;
    for (int64_t c = 0; c < channels; c++, plane += s->h * s->w) {
        for (int64_t tap = 0; tap < s->kh * s->kw; tap++) {
            for (int64_t p = first; p < last;) {
                run u = run_of(s, tap / s->kw, tap % s->kw, p, last);
                for (int64_t j = u.begin; j < u.from; j++) *out++ = 0;
                if (s->stride[1] == 1 && u.from < u.to) {
                    memcpy(out, plane + u.at + u.from, (size_t)(u.to - u.from) * sizeof(REAL));
                    out += u.to - u.from;
                } else {
                    for (int64_t j = u.from; j < u.to; j++) *out++ = plane[u.at + j * s->stride[1]];
                }
                for (int64_t j = u.to; j < u.end; j++) *out++ = 0;
                p += u.end - u.begin;
            }
        }
    }
}

static void fold(const ag__window *s, int64_t channels, const void *columns, int64_t first, int64_t last, void *output) {
    const REAL *in = columns;
    REAL *plane = output;
    for (int64_t c = 0; c < channels; c++, plane += s->h * s->w) {
        for (int64_t tap = 0; tap < s->kh * s->kw; tap++) {
            for (int64_t p = first; p < last;) {
                run u = run_of(s, tap / s->kw, tap % s->kw, p, last);
                for (int64_t j = u.from; j < u.to; j++) plane[u.at + j * s->stride[1]] += in[j - u.begin];
                in += u.end - u.begin;
                p += u.end - u.begin;
            }
        }
    }
}
