/* bench.c: what the families share: opening a problem, numbers in its name, random leaves, comparing, time. */
#include "bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/ops.h"

double bench_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool bench_fail(bench *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (!*b->error) vsnprintf(b->error, sizeof b->error, format, args);
    va_end(args);
    return false;
}

double bench_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(int64_t)(*state ^ *state >> 29) * 0x1p-63;
}

ag_tensor *bench_leaf(bench *b, ag_dtype dtype, ag_shape shape, double lo, double hi, unsigned flags) {
    ag_tensor *leaf = ag_leaf(b->tape, dtype, NULL, shape, flags);
    void *data = ag_mutable(leaf);
    uint64_t state = ++b->leaves;
    for (int64_t i = 0; data && i < ag_size(leaf); i++) {
        double v = lo + (hi - lo) * (bench_random(&state) + 1) / 2;
        if (dtype == AG_F32) {
            ((float *)data)[i] = (float)v;
        } else {
            ((double *)data)[i] = v;
        }
    }
    return leaf;
}

bool bench_near(bench *b, const char *what, double is, double expected, double tolerance) {
    double scale = fabs(expected) > 1 ? fabs(expected) : 1;
    if (fabs(is - expected) <= tolerance * scale) return true;
    return bench_fail(b, "%s is %.9g, not %.9g", what, is, expected);
}

bool bench_dims(bench *b, const char *word, int count, int64_t *out) {
    const char *at = word;
    for (int i = 0; i < count; i++) {
        char *end;
        double v = strtod(at, &end);
        if (end == at || v < 0 || v > 1e12 || floor(v) != v || *end != (i + 1 < count ? 'x' : '\0'))
            return bench_fail(b, "'%s' is not %d size(s), as in %s", word, count, count == 1 ? "1e6" : "64x128");
        out[i] = (int64_t)v;
        at = end + 1;
    }
    return true;
}

bool bench_dtype(bench *b, const char *word, ag_dtype *out) {
    for (int d = AG_F32; d <= AG_F64; d++) {
        if (strcmp(word, ag_dtype_name((ag_dtype)d)) == 0) {
            *out = (ag_dtype)d;
            return true;
        }
    }
    return bench_fail(b, "'%s' is not f32 or f64", word);
}

bool bench_open(bench *b, const char *name) {
    static const struct {
        const char *name;
        bool (*open)(bench *b);
    } family[] = {
        {"matmul", bench_matmul}, {"map", bench_map}, {"step", bench_step}, {"rows", bench_rows}, {"random", bench_random_ops}};
    *b = (bench){.tape = ag_tape_new()};
    snprintf(b->name, sizeof b->name, "%s", name);
    snprintf(b->text, sizeof b->text, "%s", name);
    char *rest = b->text;
    for (int i = 0; i < BENCH_WORDS - 1 && rest; i++) {
        b->word[i] = rest;
        rest = strchr(rest, ':');
        if (rest) *rest++ = '\0';
    }
    for (size_t i = 0; i < sizeof family / sizeof *family; i++) {
        if (strcmp(family[i].name, b->word[0]) != 0) continue;
        ag_seed(b->tape, 1);
        bool opened = family[i].open(b);
        if (b->runs == 0) b->runs = 1;
        if (opened && ag_tape_status(b->tape) == AG_OK) return true;
        return bench_fail(b, "%s", ag_tape_status(b->tape) ? ag_tape_message(b->tape) : "could not be set up");
    }
    return bench_fail(b, "unknown family '%s': matmul, map, step, rows, random", b->word[0]);
}

void bench_close(bench *b) { ag_tape_free(b->tape); }
