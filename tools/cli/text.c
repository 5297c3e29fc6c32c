/* text.c: growing text. Room doubles; one byte beyond `size` is always the NUL. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { CELLS = 16 };

static bool reserve(text *t, size_t more) {
    if (t->failed) return false;
    if (more < t->room - t->size) return true;
    size_t room = t->room ? t->room : 256;
    while (room - t->size <= more && room < SIZE_MAX / 4) room *= 2;
    char *at = room - t->size > more ? realloc(t->at, room) : NULL;
    if (!at) {
        t->failed = true;
        return false;
    }
    t->at = at;
    t->room = room;
    return true;
}

void text_add(text *t, const char *s, size_t n) {
    if (!reserve(t, n)) return;
    if (n) memcpy(t->at + t->size, s, n);
    t->size += n;
    t->at[t->size] = '\0';
}

void text_put(text *t, const char *s) { text_add(t, s, strlen(s)); }

void text_repeat(text *t, char c, int n) {
    for (; n > 0; n--) text_add(t, &c, 1);
}

void text_printf(text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n > 0 && reserve(t, (size_t)n)) {
        vsnprintf(t->at + t->size, (size_t)n + 1, format, again);
        t->size += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

const char *text_of(const text *t) { return t->at ? t->at : ""; }

void text_free(text *t) {
    free(t->at);
    *t = (text){0};
}

/* same, in `digits` significant digits: 1200, 0.00012, 1.2e+15 */
static void write_number(double same, int digits, char *out) {
    snprintf(out, NUMBER_ROOM, "%.*e", digits - 1, same);
    int exponent = atoi(strchr(out, 'e') + 1), decimals = digits - 1 - exponent;
    if (exponent >= -5 && exponent < 15) snprintf(out, NUMBER_ROOM, "%.*f", decimals > 0 ? decimals : 0, same);
    else snprintf(out, NUMBER_ROOM, "%.*g", digits, same);
}

const char *number_text(double v, int digits, char *out) {
    if (isnan(v)) return strcpy(out, "nan");
    if (isinf(v)) return strcpy(out, v < 0 ? "-inf" : "inf");
    snprintf(out, NUMBER_ROOM, "%.*g", digits, v);
    double same = strtod(out, NULL);
    if (same == 0) return strcpy(out, signbit(v) && digits == EXACT ? "-0" : "0");
    for (int d = 1; d <= digits; d++) {
        write_number(same, d, out);
        if (strtod(out, NULL) == same) break;
    }
    return out;
}

void text_number(text *t, double v, int digits) {
    char number[NUMBER_ROOM];
    text_put(t, number_text(v, digits, number));
}

void text_json_string(text *t, const char *s) {
    text_put(t, "\"");
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\') text_printf(t, "\\%c", c);
        else if (c == '\n') text_put(t, "\\n");
        else if (c < 0x20) text_printf(t, "\\u%04x", c);
        else text_add(t, s, 1);
    }
    text_put(t, "\"");
}

void text_json_number(text *t, double v) {
    if (isfinite(v)) {
        text_number(t, v, EXACT);
    } else {
        char number[NUMBER_ROOM];
        text_json_string(t, number_text(v, EXACT, number));
    }
}

int text_width(const char *s) {
    int n = 0;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        n += (c & 0xC0) != 0x80;
        /* marks that sit on the character before them (U+0300 to U+036F), as in ḡ written with a macron */
        if (c == 0xCC || (c == 0xCD && (unsigned char)s[1] < 0xB0)) n--;
    }
    return n;
}

static size_t cell_end(const char *p) { return strcspn(p, "\t\n"); }

static int cell_width(const char *p, size_t n) {
    char cell[512];
    n = n < sizeof cell ? n : sizeof cell - 1;
    memcpy(cell, p, n);
    cell[n] = '\0';
    return text_width(cell) - (*p == '>');
}

void text_table(text *out, const char *rows, const char *indent) {
    int width[CELLS] = {0}, column = 0;
    for (const char *p = rows; *p;) {
        size_t n = cell_end(p);
        if (column < CELLS && p[n] == '\t' && cell_width(p, n) > width[column]) width[column] = cell_width(p, n);
        column = p[n] == '\n' ? 0 : column + 1;
        p += n + (p[n] != '\0');
    }
    column = 0;
    for (const char *p = rows; *p;) {
        size_t n = cell_end(p);
        int gap = p[n] == '\t' && column < CELLS ? width[column] - cell_width(p, n) : 0;
        bool right = *p == '>';
        if (!column) text_put(out, indent);
        if (right) text_repeat(out, ' ', gap);
        text_add(out, p + right, n - right);
        column = p[n] == '\n' ? 0 : column + 1;
        if (p[n] == '\n') text_put(out, "\n");
        else if (p[n] == '\t' && p[n + 1] != '\n') text_repeat(out, ' ', (right ? 0 : gap) + 2);
        p += n + (p[n] != '\0');
    }
}

void text_wrap(text *out, const char *s, int indent, int columns) {
    int used = 0;
    for (s += strspn(s, " "); *s; s += strspn(s, " ")) {
        size_t n = strcspn(s, " ");
        int width = cell_width(s, n);
        if (used && used + 1 + width > columns) {
            text_put(out, "\n");
            used = 0;
        }
        text_repeat(out, ' ', used ? 1 : indent);
        text_add(out, s, n);
        used = (used ? used + 1 : indent) + width;
        s += n;
    }
    text_put(out, "\n");
}

void text_line(text *t, const char *s, size_t n) {
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        text_add(t, c < 0x20 || c == 0x7F ? " " : s + i, 1);
    }
}
