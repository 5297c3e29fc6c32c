/* dot_text.c: names, numbers and tensors, written so that Graphviz takes them.
 *
 *     0.021 [-1.3, 1.2]   ▁▂▆█▅▁▁▁      a large tensor: mean, range; how many elements lie in each eighth of the range
 *
 * Invariant: whatever bytes a name holds, what is written is UTF-8 and well-formed; whatever the locale, numbers have a
 * point. */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "autograd/dot.h"

#define TABLE "<table border='0' cellborder='0' cellspacing='0' cellpadding='1'"

enum { WHOLE_ROWS = 4, WHOLE_COLUMNS = 4, WHOLE = 12, BINS = 8, FEWEST = 16 /* elements worth a histogram */ };
static const double noise = 1e-6; /* of the range: a mean below it is rounding */

/* Names */

/* The code point at s and its bytes: a space for a line's end or a tab, U+FFFD for what is not UTF-8 or XML forbids. */
static int decode(const unsigned char *s, uint32_t *c) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    *c = n < 2 ? s[0] : s[0] & (0xFFu >> (n + 1));
    for (int i = 1; i < n; i++) {
        if (s[i] >> 6 != 2) n = 0; /* also where the string ends */
        else *c = *c << 6 | (s[i] & 0x3F);
    }
    if (*c == '\n' || *c == '\t' || *c == '\r') *c = ' ';
    bool control = *c < 0x20 || (*c >= 0x7F && *c < 0xA0), surrogate = *c >= 0xD800 && *c < 0xE000;
    if (n && *c >= least[n] && *c <= 0x10FFFF && !control && !surrogate && (*c & 0xFFFE) != 0xFFFE) return n;
    *c = 0xFFFD;
    return n ? n : 1;
}

void ag__dot_text(FILE *out, const char *text, int limit) {
    const unsigned char *s = (const unsigned char *)text;
    for (int count = 0; *s; count++) {
        if (count == limit) {
            fputs("…", out);
            return;
        }
        uint32_t c;
        int n = decode(s, &c);
        switch (c) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\\': fputs("\\\\", out); break; /* Graphviz replaces \N, \G and others even here */
        case ' ': fputc(' ', out); break;
        case 0xFFFD: fputs("\xEF\xBF\xBD", out); break;
        default: fwrite(s, 1, (size_t)n, out);
        }
        s += n;
    }
}

/* Numbers */

void ag__dot_value(FILE *out, double v, int digits) {
    char text[48];
    if (isnan(v)) {
        fputs("NaN", out);
        return;
    }
    if (isinf(v)) {
        fputs(v < 0 ? "-∞" : "∞", out);
        return;
    }
    snprintf(text, sizeof text, "%.*g", digits, v + 0.0); /* + 0.0: -0 is shown as 0 */
    bool point = false;
    for (const char *s = text; *s; s++) {
        bool plain = (*s >= '0' && *s <= '9') || *s == '-' || *s == '+' || *s == 'e';
        if (plain) fputc(*s, out);
        else if (!point) fputc('.', out); /* a locale's decimal point may have several bytes */
        point = point || !plain;
    }
}

/* Tensors */

/* Element i, row-major; flat: x's data where it lies so. */
static double element(const ag_tensor *x, const void *flat, int64_t i) {
    if (!flat) return ag_at(x, i);
    ag_dtype dtype = ag_dtype_of(x);
    return ag__load((const char *)flat + (size_t)i * ag_dtype_size(dtype), dtype);
}

static const void *flat_data(const ag_tensor *x) { return ag_is_contiguous(x) ? ag_data(x) : NULL; }

typedef struct summary {
    int64_t finite;
    double mean, lo, hi; /* of the finite elements */
} summary;

static summary summary_of(const ag_tensor *x, const void *flat) {
    summary s = {0, 0, DBL_MAX, -DBL_MAX};
    for (int64_t i = 0; i < ag_size(x); i++) {
        double v = element(x, flat, i);
        if (!isfinite(v)) continue;
        s.finite++;
        s.mean += v;
        s.lo = v < s.lo ? v : s.lo;
        s.hi = v > s.hi ? v : s.hi;
    }
    if (s.finite) s.mean /= (double)s.finite;
    return s;
}

static void summarize(FILE *out, const ag_tensor *x) {
    const void *flat = flat_data(x);
    summary s = summary_of(x, flat);
    if (s.lo == s.hi && s.finite == ag_size(x)) {
        fputs("all ", out);
        ag__dot_value(out, s.lo, 3);
    } else if (s.finite) {
        ag__dot_value(out, fabs(s.mean) < noise * (s.hi - s.lo) ? 0 : s.mean, 3);
        fputs(" [", out);
        ag__dot_value(out, s.lo, 3);
        fputs(", ", out);
        ag__dot_value(out, s.hi, 3);
        fputc(']', out);
    }
    if (s.finite < ag_size(x)) fprintf(out, "%s%" PRId64 " not finite", s.finite ? ", " : "", ag_size(x) - s.finite);
}

bool ag__dot_fits(const ag_tensor *x, int64_t *rows) {
    ag_shape s = ag_shape_of(x);
    int64_t columns = s.rank ? s.dim[s.rank - 1] : 1;
    *rows = s.rank > 1 ? s.dim[0] : 1; /* a vector is a row */
    return s.rank <= 2 && *rows <= WHOLE_ROWS && columns <= WHOLE_COLUMNS && *rows * columns <= WHOLE;
}

/* On a panel of its own; nested tables stretch, so brackets would not stay with their numbers. */
static void matrix(FILE *out, const ag__dot *g, const ag_tensor *x, int64_t rows, int digits) {
    const void *flat = flat_data(x);
    int64_t columns = ag_size(x) / rows;
    fprintf(out, TABLE " style='rounded' bgcolor='%s'>", g->palette->panel);
    for (int64_t i = 0; i < rows; i++) {
        fputs("<tr>", out);
        for (int64_t j = 0; j < columns; j++) {
            fputs("<td align='right'>&#160;", out);
            ag__dot_value(out, element(x, flat, i * columns + j), digits);
            fputs(j + 1 < columns ? "</td>" : "&#160;</td>", out);
        }
        fputs("</tr>", out);
    }
    fputs("</table>", out);
}

void ag__dot_content(FILE *out, const ag__dot *g, const ag_tensor *x) {
    int digits = ag_dtype_of(x) == AG_I64 ? 15 : ag_size(x) == 1 ? 4 : 3; /* 15: whole numbers whole */
    int64_t rows;
    if (ag_size(x) == 0) {
        fputs("empty", out);
    } else if (ag_size(x) == 1) {
        ag__dot_value(out, ag_at(x, 0), digits);
    } else if (ag__dot_fits(x, &rows)) {
        matrix(out, g, x, rows, digits);
    } else {
        summarize(out, x);
    }
}

bool ag__dot_histogram(FILE *out, const ag_tensor *x) {
    static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { TOP = sizeof block / sizeof *block - 1 };
    int64_t bin[BINS] = {0}, most = 0, rows;
    if (ag_size(x) < FEWEST || ag__dot_fits(x, &rows)) return false;
    const void *flat = flat_data(x);
    summary s = summary_of(x, flat);
    if (s.finite < FEWEST || s.lo == s.hi) return false;
    if (!out) return true;
    for (int64_t i = 0; i < ag_size(x); i++) {
        double v = element(x, flat, i);
        if (!isfinite(v)) continue;
        double place = (v / 2 - s.lo / 2) / (s.hi / 2 - s.lo / 2) * BINS; /* halves: the range may overflow */
        int k = place < BINS ? (int)place : BINS - 1; /* NaN where the halves of tiny numbers are equal */
        if (++bin[k] > most) most = bin[k];
    }
    for (int k = 0; k < BINS; k++) {
        double part = (double)bin[k] / (double)most;
        fputs(block[bin[k] ? 1 + (int)(part * (TOP - 1) + 0.5) : 0], out);
    }
    return true;
}

void ag__dot_shape(FILE *out, const ag_tensor *x) {
    if (x->flags & AG__TUPLE) {
        fprintf(out, "%d outputs", ag_op_of(x)->nout);
        return;
    }
    ag_shape s = ag_shape_of(x);
    for (int i = 0; i < s.rank; i++) fprintf(out, "%s%" PRId64, i ? ", " : "(", s.dim[i]);
    fprintf(out, "%s%s", s.rank ? ") " : "", ag_dtype_name(ag_dtype_of(x)));
}
