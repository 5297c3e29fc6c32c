/* habits.c: tables of foreign words. That an operation is suggested only if it exists is asked of the library where its name
 * comes from what was typed; of the tables, a test sees to it. */
#include "habits.h"

#include <stdio.h>
#include <string.h>

#include "autograd/op.h"

typedef struct habit {
    const char *name, *hint;
} habit;

static const habit ops[] = {
    {"ln", "log(x) is the natural logarithm"},
    {"swish", "write silu(x)"},
    {"logistic", "write sigmoid(x)"},
    {"tgamma", "write exp(lgamma(x))"},
    {"factorial", "write exp(lgamma(x + 1))"},
    {"mod", "write remainder(a, b)"},
    {"fabs", "write abs(x)"},
    {"average", "write mean(x)"},
    {"len", "write sum(x == x)"},
    {"float", "write cast(x, f64)"},
    {"int", "write cast(x, i64)"},
    {"array", "a vector is written [1, 2, 3], a matrix [1, 2; 3, 4]"},
    {"tensor", "a vector is written [1, 2, 3], a matrix [1, 2; 3, 4]"},
    {"if", "a choice is where(condition, a, b)"},
    {"grad", "gradients are what 'autograd grad' prints"},
    {"backward", "gradients are what 'autograd grad' prints"},
};

static const habit words[] = {
    {"if", "a choice is where(condition, a, b)"},
    {"then", "a choice is where(condition, a, b)"},
    {"else", "a choice is where(condition, a, b)"},
    {"and", "write logical_and(a, b)"},
    {"or", "write logical_or(a, b)"},
    {"xor", "write logical_xor(a, b)"},
    {"not", "write logical_not(a)"},
    {"for", "there are no loops; operations take whole tensors: sum(x^2)"},
    {"lambda", "write the expression itself, with values for its names behind it"},
    {"def", "write the expression itself, with values for its names behind it"},
    {"return", "the value is that of the last statement"},
    {"True", "write 1, or a comparison"},
    {"False", "write 0, or a comparison"},
    {"true", "write 1, or a comparison"},
    {"false", "write 0, or a comparison"},
    {"None", "leave it out"},
};

static const char *find(const habit *of, size_t count, const char *name, size_t n) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(of[i].name) == n && !strncmp(of[i].name, name, n)) return of[i].hint;
    }
    return NULL;
}

const char *habit_of_op(const char *name) { return find(ops, sizeof ops / sizeof *ops, name, strlen(name)); }
const char *habit_of_word(const char *name, size_t n) { return find(words, sizeof words / sizeof *words, name, n); }
const char *habit_op_at(int i) { return i < (int)(sizeof ops / sizeof *ops) ? ops[i].name : NULL; }

/* In the text around the place */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static size_t word_start(const source *in, size_t end) {
    while (end && (is_letter(in->text[end - 1]) || is_digit(in->text[end - 1]))) end--;
    return end;
}

static size_t word_end(const source *in, size_t start) {
    while (start < in->size && (is_letter(in->text[start]) || is_digit(in->text[start]))) start++;
    return start;
}

static bool is_op(const char *name, size_t n) {
    char copy[64];
    if (!n || n >= sizeof copy) return false;
    memcpy(copy, name, n);
    copy[n] = '\0';
    return ag_find_op(copy) != NULL;
}

void habit_between(const source *in, size_t end, span at, const char *listed, char *out, size_t size) {
    size_t start = word_start(in, end), n = end - start, m = at.end - at.start;
    const char *first = in->text + start, *second = in->text + at.start, *hint = habit_of_word(first, n);
    bool number = n && is_digit(*first);
    if (!hint) hint = habit_of_word(second, m);
    if (hint) {
        snprintf(out, size, "; %s", hint);
    } else if (!number && is_op(first, n)) {
        bool word = is_letter(*second) || is_digit(*second);
        int shown = word && m < 20 ? (int)m : 20;
        snprintf(out, size, "; apply it: %.*s(%.*s)", (int)n, first, shown, word ? second : "…");
    } else if (listed) {
        snprintf(out, size, "; to multiply write '*', between %s ','", listed);
    } else {
        bool numbers = number && m && is_digit(*second) && end < at.start;
        snprintf(out, size, "; to multiply write '*'%s", numbers ? ", a list is [1, 2]" : "");
    }
}

static bool is_among(const char *const words_of[], const char *name, size_t n) {
    for (int i = 0; words_of[i]; i++) {
        if (strlen(words_of[i]) == n && !strncmp(words_of[i], name, n)) return true;
    }
    return false;
}

void habit_of_point(const source *in, size_t at, char *out, size_t size) {
    static const char *const modules[] = {"np", "numpy", "torch", "math", "jnp", "jax", "tf", "F", "nn", "ag", NULL};
    static const char *const files[] = {"csv", "npy", "txt", "dat", "tsv", NULL};
    size_t start = word_start(in, at), end = word_end(in, at + 1), m = at - start, n = end - at - 1;
    const char *owner = in->text + start, *name = in->text + at + 1;
    *out = '\0';
    if (is_among(files, name, n)) {
        snprintf(out, size, "a file's values are given to a name: X=@%.*s", (int)(end - start), owner);
    } else if (n && is_letter(*name) && is_among(modules, owner, m)) {
        snprintf(out, size, "operations stand without a module: %.*s(…)", (int)n, name);
    } else if (is_op(name, n)) {
        snprintf(out, size, "there are no methods; write %.*s(%.*s)", (int)n, name, m ? (int)m : 3, m ? owner : "…");
    } else if (n && at > 0 && is_letter(*name)) {
        snprintf(out, size, "there are no methods; operations are called by name: sum(x)");
    }
}
