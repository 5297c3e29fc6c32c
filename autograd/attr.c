/* attr.c: attributes as text and back, from the fields an op record describes.
 *
 *     axes=0,1 keepdim=true        lists with or without brackets; axes=all; shape=() is a scalar's
 *     reduction=sum                one of the names in the field's preset
 *     equation="ij, jk -> ik"      text, with or without quotes; inside \", \\ and \xHH
 *     dim=0                        for axis, and other names of PyTorch's and NumPy's: ops/names.def
 *
 * Numbers are written so that reading gives the same bits, and with a decimal point in every locale. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"

enum { TOKEN = 256, VALUE = 4 * AG_TEXT_SIZE /* every byte escaped, and quotes */ };

bool ag__number_parse(const char *text, double *out) {
    char local[TOKEN], *end = NULL;
    size_t n = strlen(text);
    const char *point = localeconv()->decimal_point;
    const char *dot = strchr(text, '.');
    if (!strcmp(text, "true") || !strcmp(text, "false")) { /* numbers, as in Python */
        *out = text[0] == 't';
        return true;
    }
    if (n + strlen(point) >= sizeof local || strchr(text, ',')) return false;
    size_t lead = dot ? (size_t)(dot - text) : n, step = dot ? strlen(point) : 0;
    memcpy(local, text, lead);
    memcpy(local + lead, point, step);
    memcpy(local + lead + step, dot ? dot + 1 : "", n - lead + !dot);
    *out = strtod(local, &end);
    return n && *end == '\0';
}

static bool read_int(const char *text, char **end, int64_t *out) {
    errno = 0;
    *out = strtoll(text, end, 10);
    return *end != text && errno != ERANGE;
}

static bool parse_int(const char *text, int64_t *out) {
    char *end = NULL;
    if (!strcmp(text, "end")) {
        *out = INT64_MAX;
        return true;
    }
    return read_int(text, &end, out) && *end == '\0';
}

/* "2,3", "(2,3)", "[2,3]", "()" → out[0..count); −1 when it is not a list of at most AG_MAX_RANK integers. */
static int parse_list(const char *text, int64_t out[AG_MAX_RANK]) {
    int count = 0;
    size_t n = strlen(text);
    bool open = n && (text[0] == '(' || text[0] == '[');
    if (open && text[n - 1] != (text[0] == '(' ? ')' : ']')) return -1;
    const char *p = text + open, *stop = text + n - open;
    while (p < stop) {
        char *end = NULL;
        if (count == AG_MAX_RANK) return -1;
        if (!read_int(p, &end, &out[count++]) || end > stop || (end < stop && *end != ',')) return -1;
        p = end + (end < stop);
    }
    return count;
}

bool ag__dtype_parse(const char *text, ag_dtype *out) {
    for (int d = 0; d < AG_DTYPE_COUNT; d++) {
        if (strcmp(text, ag_dtype_name((ag_dtype)d))) continue;
        *out = (ag_dtype)d;
        return true;
    }
    return false;
}

static bool parse_axes(const char *text, ag_axes *out) {
    int64_t list[AG_MAX_RANK] = {0};
    out->count = -1;
    if (!strcmp(text, "all")) return true;
    out->count = parse_list(text, list);
    for (int i = 0; i < out->count; i++) {
        if (list[i] < INT32_MIN || list[i] > INT32_MAX) return false;
        out->axis[i] = (int)list[i];
    }
    return out->count >= 0;
}

/* The place of `text` among names like "mean|sum|none". */
static bool parse_choice(const char *names, const char *text, int *out) {
    size_t n = strlen(text);
    *out = 0;
    for (const char *p = names; n && !strpbrk(text, "|"); ++*out) {
        size_t length = strcspn(p, "|");
        if (length == n && !strncmp(p, text, n)) return true;
        if (!p[length]) break;
        p += length + 1;
    }
    return false;
}

static int hex(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* The byte that \", \\ or \xHH at *p stands for; −1: another escape. */
static int parse_escape(const char **p) {
    char c = *++*p;
    int high = c == 'x' ? hex((*p)[1]) : -1, low = high < 0 ? -1 : hex((*p)[2]);
    *p += low < 0 ? 1 : 3;
    return c == '"' || c == '\\' ? c : low < 0 || high + low == 0 ? -1 : 16 * high + low;
}

static bool parse_text(const char *text, char out[AG_TEXT_SIZE]) {
    bool quoted = *text == '"';
    size_t n = 0;
    const char *p = text + quoted;
    while (*p && !(quoted && *p == '"')) {
        int c = (unsigned char)*p;
        if (c == '"' || (quoted && (c < 0x20 || c == 0x7F))) return false;
        if (quoted && c == '\\') {
            c = parse_escape(&p);
        } else {
            p++;
        }
        if (c < 0 || n + 1 >= AG_TEXT_SIZE) return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return !quoted || (p[0] == '"' && !p[1]);
}

static bool parse_value(const ag_attr_field *f, const char *text, void *at) {
    bool yes = !strcmp(text, "true") || !strcmp(text, "1");
    int64_t i = 0;
    ag_shape *shape = at;
    switch (f->type) {
    case AG_ATTR_BOOL: *(bool *)at = yes; return yes || !strcmp(text, "false") || !strcmp(text, "0");
    case AG_ATTR_INT:
        if (!parse_int(text, &i) || i < INT32_MIN || i > INT32_MAX) return false;
        *(int *)at = (int)i;
        return true;
    case AG_ATTR_I64: return parse_int(text, at);
    case AG_ATTR_F64: return ag__number_parse(text, at);
    case AG_ATTR_DTYPE: return ag__dtype_parse(text, at);
    case AG_ATTR_AXES: return parse_axes(text, at);
    case AG_ATTR_SHAPE:
        if (!strcmp(text, "same")) *shape = (ag_shape){1, {AG__SAME}};
        else shape->rank = parse_list(strcmp(text, "valid") ? text : "0", shape->dim);
        return shape->rank >= 0;
    case AG_ATTR_CHOICE: return parse_choice(f->preset, text, at);
    case AG_ATTR_TEXT: return parse_text(text, at);
    }
    return false;
}

/* What a value of the field looks like, for messages. */
static const char *expected(const ag_attr_field *f) {
    static const char *const name[] = {"true or false",
                                       "an integer",
                                       "an integer",
                                       "a number",
                                       "f32, f64, i64 or bool",
                                       "a list of integers like 2,3",
                                       "a list of axes like 0,1, or all",
                                       "one of its names",
                                       "a text of at most 255 bytes, in double quotes if it has spaces"};
    return f->type == AG_ATTR_CHOICE ? f->preset : name[f->type];
}

static bool fail_unknown(ag_tape *t, const ag_op *op, const char *name) {
    char known[TOKEN] = "";
    for (const ag_attr_field *f = op->attrs; f && f->name; f++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", f->name);
    }
    return ag__fail(t, AG_ERR_ARGUMENT,
                    *known ? "%s has no attribute '%s'; it has %s" : "%s has no attribute '%s'; it has none%s",
                    op->name, name, known) != NULL;
}

static const ag_attr_field *find(const ag_op *op, const char *name) {
    for (const ag_attr_field *f = op->attrs; f && f->name; f++) {
        if (!strcmp(f->name, name)) return f;
    }
    return NULL;
}

const ag_attr_field *ag_find_attr(const ag_op *op, const char *name) {
    const ag_attr_field *f = op && name ? find(op, name) : NULL;
    for (const ag__attribute_name *n = ag__attribute_names; op && name && !f && n->other; n++) {
        if (!strcmp(n->other, name)) f = find(op, n->own);
    }
    return f;
}

/* Copies a text in quotes, quotes included, and returns what follows; NULL: it does not end, or something clings to it. */
static const char *quoted_token(const char *text, char value[VALUE]) {
    size_t n = 1;
    while (text[n] && text[n] != '"') n += 1 + (text[n] == '\\' && text[n + 1]);
    if (text[n] != '"' || n + 1 >= VALUE || (text[n + 1] && !strchr(" \t;", text[n + 1]))) return NULL;
    memcpy(value, text, n + 1);
    value[n + 1] = '\0';
    return text + n + 1;
}

/* Splits "name=value rest" and returns the rest; brackets and quotes keep spaces together. NULL at the end or on a fault. */
static const char *next_token(const char *text, char *name, char *value, bool *bad) {
    text += strspn(text, " \t;");
    *bad = false;
    if (!*text) return NULL;
    size_t n = strcspn(text, "= \t;"), v = 0;
    *bad = text[n] != '=' || n == 0 || n >= TOKEN;
    if (*bad) return NULL;
    memcpy(name, text, n);
    name[n] = '\0';
    text += n + 1;
    if (*text == '"') {
        text = quoted_token(text, value);
        *bad = !text;
        return text;
    }
    for (int depth = 0; *text && (depth > 0 || !strchr(" \t;", *text)); text++) {
        depth += (*text == '(' || *text == '[') - (*text == ')' || *text == ']');
        if (*text == ' ') continue;
        if (v + 1 >= VALUE) break;
        value[v++] = *text;
    }
    value[v] = '\0';
    *bad = v == 0 || v + 1 >= VALUE;
    return *bad ? NULL : text;
}

bool ag__attrs_take(const char *text, const char *name, char *rest, char *value, size_t size) {
    char other[TOKEN], found[VALUE];
    bool bad = false, is = false;
    const char *at = text ? text : "", *next;
    while ((next = next_token(at, other, found, &bad)) != NULL) {
        bool same = !strcmp(other, name);
        if (same && !is) snprintf(value, size, "%s", found);
        if (rest && !same) {
            memcpy(rest, at, (size_t)(next - at));
            rest += next - at;
        }
        is = is || same;
        at = next;
    }
    if (rest) strcpy(rest, at); /* nothing, or what the parser will object to */
    return is;
}

bool ag__attrs_parse(ag_tape *t, const ag_op *op, const char *text, void *attrs) {
    char name[TOKEN], value[VALUE];
    uint64_t given = 0;
    bool bad = false;
    const char *rest = text ? text : "";
    memset(attrs, 0, op->attr_size);
    while ((rest = next_token(rest, name, value, &bad)) != NULL) {
        const ag_attr_field *f = ag_find_attr(op, name);
        if (!f) return fail_unknown(t, op, name);
        if (!parse_value(f, value, (char *)attrs + f->offset)) {
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: %s='%s': expected %s", op->name, name, value, expected(f)) != NULL;
        }
        if (given >> (f - op->attrs) & 1)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: '%s' is given twice", op->name, f->name) != NULL;
        given |= (uint64_t)1 << (f - op->attrs);
    }
    if (bad)
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: attributes are written name=value name=value, not '%s'", op->name,
                        text) != NULL;
    for (const ag_attr_field *f = op->attrs; f && f->name; f++) {
        if (given >> (f - op->attrs) & 1 || f->type == AG_ATTR_CHOICE) continue;
        if (!f->preset)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s needs the attribute '%s': %s", op->name, f->name, expected(f)) != NULL;
        if (!parse_value(f, f->preset, (char *)attrs + f->offset))
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: the default of '%s' does not parse", op->name, f->name) != NULL;
    }
    return true;
}

void ag__attrs_convert(const ag_op *op, void *attrs, ag_dtype dtype) {
    for (const ag_attr_field *f = op->attrs; f && f->name; f++) {
        ag_dtype *d = (ag_dtype *)(void *)((char *)attrs + f->offset);
        if (f->type == AG_ATTR_DTYPE && ag__is_float((int)*d)) *d = dtype;
    }
}

static void format_double(double v, char *out, size_t size) {
    if (isnan(v) || isinf(v)) {
        snprintf(out, size, "%s", isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, v);
        if (strtod(out, NULL) == v) break;
    }
    const char *point = localeconv()->decimal_point;
    char *at = strstr(out, point);
    if (at && strcmp(point, ".")) {
        *at = '.';
        memmove(at + 1, at + strlen(point), strlen(at + strlen(point)) + 1);
    }
}

static void format_list(const int64_t *list, int count, char *out, size_t size) {
    if (count > AG_MAX_RANK) count = AG_MAX_RANK; /* an op may have let a wrong list pass */
    size_t used = (size_t)snprintf(out, size, count == 1 ? "" : "(");
    for (int i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", i ? "," : "", (long long)list[i]);
    if (used < size && count != 1) snprintf(out + used, size - used, ")");
}

static void format_choice(const char *names, int choice, char *out, size_t size) {
    while (choice-- > 0 && strchr(names, '|')) names = strchr(names, '|') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(names, "|"), names);
}

static void format_text(const char *text, char *out, size_t size) {
    size_t used = (size_t)snprintf(out, size, "\"");
    for (int i = 0; i < AG_TEXT_SIZE && text[i] && used < size; i++) {
        unsigned char c = (unsigned char)text[i];
        const char *form = c == '"' || c == '\\' ? "\\%c" : c < 0x20 || c == 0x7F ? "\\x%02x" : "%c";
        used += (size_t)snprintf(out + used, size - used, form, c);
    }
    if (used < size) snprintf(out + used, size - used, "\"");
}

static void format_value(const ag_attr_field *f, const void *at, char *out, size_t size) {
    const ag_shape *shape = at;
    const ag_axes *axes = at;
    int64_t list[AG_MAX_RANK];
    switch (f->type) {
    case AG_ATTR_BOOL: snprintf(out, size, "%s", *(const bool *)at ? "true" : "false"); break;
    case AG_ATTR_INT: snprintf(out, size, "%d", *(const int *)at); break;
    case AG_ATTR_I64:
        if (*(const int64_t *)at == INT64_MAX) {
            snprintf(out, size, "end");
        } else {
            snprintf(out, size, "%lld", (long long)*(const int64_t *)at);
        }
        break;
    case AG_ATTR_F64: format_double(*(const double *)at, out, size); break;
    case AG_ATTR_DTYPE: snprintf(out, size, "%s", ag_dtype_name(*(const ag_dtype *)at)); break;
    case AG_ATTR_SHAPE: format_list(shape->dim, shape->rank, out, size); break;
    case AG_ATTR_AXES:
        for (int i = 0; i < axes->count && i < AG_MAX_RANK; i++) list[i] = axes->axis[i];
        if (axes->count < 0) {
            snprintf(out, size, "all");
        } else {
            format_list(list, axes->count, out, size);
        }
        break;
    case AG_ATTR_CHOICE: format_choice(f->preset, *(const int *)at, out, size); break;
    case AG_ATTR_TEXT: format_text(at, out, size); break;
    }
}

size_t ag_attr_text(const ag_tensor *y, char *out, size_t size) {
    size_t used = 0;
    if (size) out[0] = '\0';
    if (!y || !y->op || !y->attrs) return 0;
    for (const ag_attr_field *f = y->op->attrs; f && f->name; f++) {
        char value[VALUE + 2];
        format_value(f, (const char *)y->attrs + f->offset, value, sizeof value);
        size_t room = used < size ? size - used : 0;
        used += (size_t)snprintf(room ? out + used : NULL, room, "%s%s=%s", used ? " " : "", f->name, value);
    }
    return used;
}
