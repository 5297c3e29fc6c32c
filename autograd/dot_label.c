/* dot_label.c: what stands in one node of a drawing, as one of Graphviz's HTML-like labels.
 *
 *     h = sum axes=0  (150, 16) f32     name and op, or the op alone; attributes, shape, dtype
 *     value  0.021 [-1.3, 1.2]          the number of a scalar, a small matrix whole, else mean and [min, max]
 *     grad   1e-04 [-0.01, 0.02]        likewise, in a second colour
 *
 * Invariant: whatever bytes a name holds, the label is UTF-8 and well-formed; whatever the locale, numbers have a point. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "autograd/dot.h"
#include "autograd/node.h"

#define TABLE "<table border='0' cellborder='0' cellspacing='0' cellpadding='1'"
#define SMALL_PRINT "<font color='" AG__DOT_MUTED "' point-size='9'>&#160;"

enum { NAME_LIMIT = 40, ATTR_LIMIT = 60, WHOLE_ROWS = 4, WHOLE_COLUMNS = 4, WHOLE = 12, SHORT_ATTRS = 16 };

/* ---- Text ------------------------------------------------------------------------------------------------------- */

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

/* ---- Numbers ---------------------------------------------------------------------------------------------------- */

static void number(FILE *out, double v, int digits) {
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

/* ---- Values ----------------------------------------------------------------------------------------------------- */

/* Element i, row-major; flat: x's data where it lies so. */
static double element(const ag_tensor *x, const void *flat, int64_t i) {
    if (!flat) return ag_at(x, i);
    ag_dtype dtype = ag_dtype_of(x);
    return ag__load((const char *)flat + (size_t)i * ag_dtype_size(dtype), dtype);
}

static const void *flat_data(const ag_tensor *x) { return ag_is_contiguous(x) ? ag_data(x) : NULL; }

/* Mean and range of the finite elements; how many are not is said beside. */
static void summary(FILE *out, const ag_tensor *x) {
    const void *flat = flat_data(x);
    int64_t size = ag_size(x), finite = 0;
    double sum = 0, lo = DBL_MAX, hi = -DBL_MAX;
    for (int64_t i = 0; i < size; i++) {
        double v = element(x, flat, i);
        if (!isfinite(v)) continue;
        finite++;
        sum += v;
        lo = v < lo ? v : lo;
        hi = v > hi ? v : hi;
    }
    if (lo == hi && finite == size) {
        fputs("all ", out);
        number(out, lo, 3);
    } else if (finite) {
        number(out, sum / (double)finite, 3);
        fputs(" [", out);
        number(out, lo, 3);
        fputs(", ", out);
        number(out, hi, 3);
        fputc(']', out);
    }
    if (finite < size) fprintf(out, "%s%" PRId64 " not finite", finite ? ", " : "", size - finite);
}

/* A vector is a row. */
static int64_t rows_of(const ag_shape *s) { return s->rank > 1 ? s->dim[0] : 1; }

static bool fits(const ag_shape *s) {
    int64_t rows = rows_of(s), columns = s->rank ? s->dim[s->rank - 1] : 1;
    return s->rank <= 2 && rows <= WHOLE_ROWS && columns <= WHOLE_COLUMNS && rows * columns <= WHOLE;
}

/* On a panel of its own; nested tables stretch, so brackets would not stay with their numbers. */
static void matrix(FILE *out, const ag_tensor *x, int64_t rows, int digits) {
    const void *flat = flat_data(x);
    int64_t columns = ag_size(x) / rows;
    fputs(TABLE " style='rounded' bgcolor='#FFFFFFB0'>", out);
    for (int64_t i = 0; i < rows; i++) {
        fputs("<tr>", out);
        for (int64_t j = 0; j < columns; j++) {
            fputs("<td align='right'>&#160;", out);
            number(out, element(x, flat, i * columns + j), digits);
            fputs(j + 1 < columns ? "</td>" : "&#160;</td>", out);
        }
        fputs("</tr>", out);
    }
    fputs("</table>", out);
}

static void content(FILE *out, const ag_tensor *x) {
    ag_shape s = ag_shape_of(x);
    int digits = ag_dtype_of(x) == AG_I64 ? 15 : ag_size(x) == 1 ? 4 : 3; /* 15: whole numbers whole */
    if (ag_size(x) == 0) fputs("empty", out);
    else if (ag_size(x) == 1) number(out, ag_at(x, 0), digits);
    else if (fits(&s)) matrix(out, x, rows_of(&s), digits);
    else summary(out, x);
}

static void cells(FILE *out, const char *what, const char *tint, const char *ink, const ag_tensor *x, int span) {
    fprintf(out, "<td align='right'><font color='%s'>%s&#160;</font></td>", tint, what);
    fprintf(out, "<td align='left' colspan='%d'><font color='%s'>", span, ink);
    content(out, x);
    fputs("</font></td>", out);
}

/* ---- The label -------------------------------------------------------------------------------------------------- */

static void shape_text(FILE *out, const ag_tensor *x) {
    if (x->flags & AG__TUPLE) {
        fprintf(out, "%d outputs", ag_op_of(x)->nout);
        return;
    }
    ag_shape s = ag_shape_of(x);
    for (int i = 0; i < s.rank; i++) fprintf(out, "%s%" PRId64, i ? ", " : "(", s.dim[i]);
    fprintf(out, "%s%s", s.rank ? ") " : "", ag_dtype_name(ag_dtype_of(x)));
}

/* "h = matmul", or what it is when it has no name. */
static void title(FILE *out, const ag_tensor *x, ag__dot_kind kind) {
    const char *name = ag_name(x), *what = ag_op_name(x);
    if (ag_is_leaf(x)) what = kind == AG__DOT_PARAMETER ? "parameter" : "input";
    fputs("<b>", out);
    ag__dot_text(out, *name ? name : what, NAME_LIMIT);
    fputs("</b>", out);
    if (*name && !ag_is_leaf(x)) {
        fputs(" = ", out);
        ag__dot_text(out, what, NAME_LIMIT);
    }
    if (x->flags & AG__PART) fprintf(out, " %d", x->out);
}

/* The attributes that differ from their defaults, which ag_attr_text writes in the order of the table. */
static size_t unusual_attributes(const ag_tensor *x, char *text, size_t size) {
    const ag_op *op = ag_op_of(x);
    ag_attr_text(x, text, size);
    char *to = text, *from = text;
    for (const ag_attr_field *f = op ? op->attrs : NULL; f && f->name && *from; f++) {
        size_t n = strcspn(from, " "), value = strlen(f->name) + 1;
        bool usual = f->preset && n == value + strlen(f->preset) && !strncmp(from + value, f->preset, n - value);
        if (!usual) {
            if (to != text) *to++ = ' ';
            memmove(to, from, n);
            to += n;
        }
        from += n + (from[n] == ' ');
    }
    *to = '\0';
    return (size_t)(to - text);
}

/* Few attributes stand beside the name, many below. */
static void heading(FILE *out, const ag_tensor *x, ag__dot_kind kind) {
    char attrs[4 * ATTR_LIMIT + 8];
    size_t n = unusual_attributes(x, attrs, sizeof attrs);
    fputs("<tr><td colspan='4'>", out);
    title(out, x, kind);
    fputs(SMALL_PRINT, out);
    if (n && n <= SHORT_ATTRS) {
        ag__dot_text(out, attrs, ATTR_LIMIT);
        fputs("&#160; ", out);
    }
    shape_text(out, x);
    fputs("&#160;</font></td></tr>", out);
    if (n > SHORT_ATTRS) {
        fputs("<tr><td colspan='4'>" SMALL_PRINT, out);
        ag__dot_text(out, attrs, ATTR_LIMIT);
        fputs("</font></td></tr>", out);
    }
}

/* The value, then the gradient below it, or beside it where both are matrices of several rows. */
static void quantities(FILE *out, const ag_tensor *x, const ag_tensor *value, const ag_tensor *g) {
    ag_shape s = ag_shape_of(x);
    bool beside = value && g && fits(&s) && rows_of(&s) > 1;
    int span = beside ? 1 : 3;
    fputs("<tr>", out);
    if (value) cells(out, "value", AG__DOT_MUTED, AG__DOT_INK, value, span);
    if (value && g && !beside) fputs("</tr><tr>", out);
    if (g) cells(out, "grad", AG__DOT_GRADIENT, AG__DOT_GRADIENT, g, span);
    fputs("</tr>", out);
}

void ag__dot_label(FILE *out, ag_tensor *x, ag__dot_kind kind, const ag_dot_options *o) {
    if (kind == AG__DOT_CONSTANT) {
        fputc('<', out);
        number(out, ag_at(x, 0), 4);
        fputc('>', out);
        return;
    }
    bool tuple = x->flags & AG__TUPLE;
    const ag_tensor *value = o->values && !tuple && (ag_data(x) || !ag_size(x)) ? x : NULL;
    const ag_tensor *g = o->gradients && !tuple && ag_has_grad(x) ? ag_grad(x) : NULL;
    fputs("<" TABLE ">", out);
    heading(out, x, kind);
    if (value || g) quantities(out, x, value, g);
    fputs("</table>>", out);
}
