/* attr.c: attributes as text and back, from the fields an op record describes.
 *
 *     axes=0,1 keepdim=true        lists with or without brackets; axes=all; shape=() is a scalar's
 *
 * Numbers are written so that reading gives the same bits, and with a decimal point in every locale. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"

enum { TOKEN = 256 };

static bool parse_double(const char *text, double *out) {
    char local[TOKEN], *end = NULL;
    size_t n = strlen(text);
    const char *point = localeconv()->decimal_point;
    const char *dot = strchr(text, '.');
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

static bool parse_dtype(const char *text, ag_dtype *out) {
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
    case AG_ATTR_F64: return parse_double(text, at);
    case AG_ATTR_DTYPE: return parse_dtype(text, at);
    case AG_ATTR_AXES: return parse_axes(text, at);
    case AG_ATTR_SHAPE: return (shape->rank = parse_list(text, shape->dim)) >= 0;
    }
    return false;
}

static const char *type_name(ag_attr_type type) {
    static const char *const name[] = {"true or false",
                                       "an integer",
                                       "an integer",
                                       "a number",
                                       "f32, f64, i64 or bool",
                                       "a list of integers like 2,3",
                                       "a list of axes like 0,1, or all"};
    return name[type];
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

/* Splits "name=value rest" and returns the rest; brackets keep spaces together. NULL at the end or on a fault. */
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
    for (int depth = 0; *text && (depth > 0 || !strchr(" \t;", *text)); text++) {
        depth += (*text == '(' || *text == '[') - (*text == ')' || *text == ']');
        if (*text == ' ') continue;
        if (v + 1 >= TOKEN) break;
        value[v++] = *text;
    }
    value[v] = '\0';
    *bad = v == 0 || v + 1 >= TOKEN;
    return *bad ? NULL : text;
}

bool ag__attrs_parse(ag_tape *t, const ag_op *op, const char *text, void *attrs) {
    char name[TOKEN], value[TOKEN];
    uint64_t given = 0;
    bool bad = false;
    const char *rest = text ? text : "";
    memset(attrs, 0, op->attr_size);
    while ((rest = next_token(rest, name, value, &bad)) != NULL) {
        const ag_attr_field *f = find(op, name);
        if (!f) return fail_unknown(t, op, name);
        if (!parse_value(f, value, (char *)attrs + f->offset)) {
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: %s='%s': expected %s", op->name, name, value, type_name(f->type)) !=
                   NULL;
        }
        if (given >> (f - op->attrs) & 1)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s: '%s' is given twice", op->name, name) != NULL;
        given |= (uint64_t)1 << (f - op->attrs);
    }
    if (bad)
        return ag__fail(t, AG_ERR_ARGUMENT, "%s: attributes are written name=value name=value, not '%s'", op->name,
                        text) != NULL;
    for (const ag_attr_field *f = op->attrs; f && f->name; f++) {
        if (given >> (f - op->attrs) & 1) continue;
        if (!f->preset)
            return ag__fail(t, AG_ERR_ARGUMENT, "%s needs the attribute '%s': %s", op->name, f->name,
                            type_name(f->type)) != NULL;
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
    }
}

size_t ag_attr_text(const ag_tensor *y, char *out, size_t size) {
    size_t used = 0;
    if (size) out[0] = '\0';
    if (!y || !y->op || !y->attrs) return 0;
    for (const ag_attr_field *f = y->op->attrs; f && f->name; f++) {
        char value[TOKEN];
        format_value(f, (const char *)y->attrs + f->offset, value, sizeof value);
        size_t room = used < size ? size - used : 0;
        used += (size_t)snprintf(room ? out + used : NULL, room, "%s%s=%s", used ? " " : "", f->name, value);
    }
    return used;
}
