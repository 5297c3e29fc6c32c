/* einsum_read.c: the equation of einsum: which label each axis has.
 *
 *     terms   letters, at most one "...", spaces anywhere; separated by commas
 *     output  behind "->"; without it, the ellipsis and then the letters that occur once, in order */
#include <stdio.h>
#include <string.h>

#include "ops/einsum.h"
#include "ops/need.h"

enum { DOTS = 255 };

typedef struct reader {
    ag_tensor *y;
    const char *equation, *at;
    int width;                       /* axes of the widest ellipsis */
    unsigned char uses[AG__LETTERS]; /* of each letter in the operands, at most 2 */
} reader;

static bool fault(const reader *r, const char *what) {
    return ag_op_fail(r->y, AG_ERR_ARGUMENT, "\"%s\": %s", r->equation, what);
}

static int letter(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    return c >= 'a' && c <= 'z' ? 26 + c - 'a' : -1;
}

static char character(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }

static void skip_spaces(reader *r) { r->at += strspn(r->at, " \t"); }

/* Letters and DOTS as written, up to a comma, an arrow or the end; −1 after a fault. */
static int take_term(reader *r, unsigned char out[AG_MAX_RANK + 1], bool *dots) {
    int n = 0;
    *dots = false;
    for (skip_spaces(r); *r->at && *r->at != ',' && *r->at != '-'; skip_spaces(r)) {
        bool ellipsis = strncmp(r->at, "...", 3) == 0;
        int label = ellipsis ? DOTS : letter(*r->at);
        if (label < 0) return fault(r, "only letters, \"...\", commas and \"->\" may stand there") - 1;
        if (ellipsis && *dots) return fault(r, "an operand has one \"...\" at most") - 1;
        if (n - *dots >= AG_MAX_RANK) return fault(r, "a tensor has at most 8 axes") - 1;
        *dots = *dots || ellipsis;
        out[n++] = (unsigned char)label;
        r->at += ellipsis ? 3 : 1;
    }
    return n;
}

/* Writes labels for axes: DOTS becomes `width` of them. */
static bool spell(const unsigned char written[], int n, int width, ag__term *t) {
    t->rank = 0;
    for (int i = 0; i < n; i++) {
        int count = written[i] == DOTS ? width : 1;
        if (t->rank + count > AG_MAX_RANK) return false;
        for (int k = 0; k < count; k++) {
            t->label[t->rank++] = (unsigned char)(written[i] == DOTS ? AG__LETTERS + count - 1 - k : written[i]);
        }
    }
    return true;
}

static bool read_operand(reader *r, int i, ag__term *t) {
    unsigned char written[AG_MAX_RANK + 1];
    char text[AG__TEXT];
    bool dots;
    int n = take_term(r, written, &dots), rank = ag_rank(ag_in(r->y, i)), width = rank - (n - dots);
    if (n < 0) return false;
    if (width < 0 || (!dots && width > 0)) {
        return ag_op_fail(r->y, AG_ERR_SHAPE, "\"%s\": operand %d has %d subscripts for the axes of %s", r->equation, i,
                          n - dots, ag_shape_text(ag_in(r->y, i), text, sizeof text));
    }
    for (int k = 0; k < n; k++) {
        if (written[k] != DOTS && r->uses[written[k]] < 2) r->uses[written[k]]++;
    }
    if (dots && width > r->width) r->width = width;
    spell(written, n, width, t); /* as many as x has axes */
    return true;
}

/* A label's extent is that of every operand that has it, but for extents of 1. */
static bool join_extents(reader *r, ag__einsum *e) {
    for (int i = 0; i < e->n; i++) {
        const ag__term *t = &e->in[i];
        int64_t own[AG__LABELS];
        for (int k = 0; k < t->rank; k++) own[t->label[k]] = ag_dim(ag_in(r->y, i), k);
        for (int k = 0; k < t->rank; k++) {
            int label = t->label[k];
            int64_t n = ag_dim(ag_in(r->y, i), k), *extent = &e->extent[label];
            char name[8] = {label < AG__LETTERS ? character(label) : '.', 0}, text[AG__TEXT];
            if (label >= AG__LETTERS) strcpy(name, "...");
            if (n != own[label] || (n != 1 && *extent != 1 && n != *extent)) {
                return ag_op_fail(r->y, AG_ERR_SHAPE, "\"%s\": '%s' stands for extents %lld and %lld (operand %d, %s)",
                                  r->equation, name, (long long)(n != own[label] ? own[label] : *extent), (long long)n,
                                  i, ag_shape_text(ag_in(r->y, i), text, sizeof text));
            }
            if (*extent == 1) *extent = n;
        }
    }
    return true;
}

static bool implicit_output(const reader *r, ag__term *out) {
    unsigned char written[1 + AG__LETTERS];
    int n = 0;
    if (r->width) written[n++] = DOTS;
    for (int i = 0; i < AG__LETTERS; i++) {
        if (r->uses[i] == 1) written[n++] = (unsigned char)i;
    }
    return spell(written, n, r->width, out) || fault(r, "the result would have more than 8 axes");
}

static bool read_output(reader *r, ag__term *out) {
    unsigned char written[AG_MAX_RANK + 1];
    bool dots;
    int n = take_term(r, written, &dots);
    uint64_t seen = 0;
    if (n < 0) return false;
    if (*r->at) return fault(r, "there is one output, and nothing behind it");
    for (int i = 0; i < n; i++) {
        if (written[i] == DOTS) continue;
        if (!r->uses[written[i]]) return fault(r, "the output has a letter that no operand has");
        if (seen >> written[i] & 1) return fault(r, "the output has a letter twice");
        seen |= (uint64_t)1 << written[i];
    }
    return spell(written, n, r->width, out) || fault(r, "the result would have more than 8 axes");
}

bool ag__einsum_read(ag_tensor *y, const char *equation, ag__einsum *e) {
    reader r = {.y = y, .equation = equation, .at = equation};
    *e = (ag__einsum){.n = ag_in_count(y)};
    for (int i = 0; i < AG__LABELS; i++) e->extent[i] = 1;
    if (e->n > AG__EINSUM_MOST) return ag_op_fail(y, AG_ERR_ARGUMENT, "takes at most %d operands", AG__EINSUM_MOST);
    for (int i = 0; i < e->n; i++) {
        if (!read_operand(&r, i, &e->in[i])) return false;
        bool last = i == e->n - 1;
        if (last ? *r.at == ',' : *r.at != ',') {
            return ag_op_fail(y, AG_ERR_ARGUMENT, "\"%s\" is not for %d operand%s", equation, e->n, e->n == 1 ? "" : "s");
        }
        r.at += !last;
    }
    if (!join_extents(&r, e)) return false;
    if (!*r.at) return implicit_output(&r, &e->out);
    if (strncmp(r.at, "->", 2) != 0) return fault(&r, "the output stands behind \"->\"");
    r.at += 2;
    return read_output(&r, &e->out);
}
