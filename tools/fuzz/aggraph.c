/* aggraph.c: a libFuzzer target for the reader of .aggraph files.
 * Built and run by run.sh.
 *
 * An input is a graph file without its first line. If it begins with '!', the rest is taken as the whole file, first line too.
 * Else the target makes of it what a checksum and strict rules would never let mutation reach: it numbers the lines, pads the
 * text, and writes the first line. What loads must then save, load and save again to the same values and bytes; what does not
 * must say why in one line and leave nothing on the tape. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "autograd/op.h"

enum { MOST = 1 << 16, OUTS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most); /* libFuzzer's own */

#define need(condition)                                                     \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

/* The checksum as docs/aggraph.md states it. */
static uint64_t checksum(const uint8_t *data, size_t size) {
    uint64_t state = 0;
    for (size_t at = 0; at < size / 8 * 8 + 16; at += 8) { /* the words, the last filled up, then the length */
        uint64_t word = at > size / 8 * 8 ? size : 0;
        for (size_t i = at; i < at + 8 && i < size && at <= size / 8 * 8; i++)
            word |= (uint64_t)data[i] << 8 * (i - at);
        state = (state ^ word) * 0x9E3779B97F4A7C15;
        state ^= state >> 32;
    }
    return state;
}

/* Copies a line, "%7 = …" with the number that is its turn. Returns what follows it. */
static const uint8_t *copy_line(const uint8_t *at, const uint8_t *end, char **to, int *number) {
    const uint8_t *stop = memchr(at, '\n', (size_t)(end - at)), *p = at + 1;
    const uint8_t *next = stop ? stop + 1 : end;
    while (*at == '%' && p < next && *p >= '0' && *p <= '9') p++;
    if (*at == '%' && next - p >= 3 && !memcmp(p, " = ", 3)) {
        *to += sprintf(*to, "%%%d", (*number)++);
        at = p;
    }
    memcpy(*to, at, (size_t)(next - at));
    *to += next - at;
    return next;
}

/* Makes a file of the input; room is for 4 bytes a byte and 64 more. Returns its size. */
static size_t seal(const uint8_t *data, size_t size, char *file) {
    enum { FIRST = 27 };
    const uint8_t *at = data, *end = data + size;
    char *to = file + FIRST, first[FIRST + 1];
    int number = 0;
    while (at < end && (end - at < 5 || memcmp(at, "data\n", 5) != 0)) at = copy_line(at, end, &to, &number);
    if (at < end) {
        memcpy(to, at, 5);
        to += 5;
        at += 5;
    }
    while ((to - file) % 8) *to++ = '\0';
    memcpy(to, at, (size_t)(end - at));
    to += end - at;
    snprintf(first, sizeof first, "aggraph 1 %016llx\n",
             (unsigned long long)checksum((uint8_t *)file + FIRST, (size_t)(to - file) - FIRST));
    memcpy(file, first, FIRST);
    return (size_t)(to - file);
}

static size_t read_file(const char *path, char *to) {
    FILE *in = fopen(path, "rb");
    need(in);
    size_t n = fread(to, 1, 8 * MOST, in);
    fclose(in);
    return n;
}

static void need_same(const ag_tensor *x, const ag_tensor *y) {
    if (ag_op_of(x) && ag_op_of(x)->nout > 1) return; /* a tuple has no values of its own */
    ag_shape a = ag_shape_of(x), b = ag_shape_of(y);
    size_t bytes = (size_t)ag_size(x) * ag_dtype_size(ag_dtype_of(x));
    need(ag_dtype_of(x) == ag_dtype_of(y) && a.rank == b.rank && !memcmp(a.dim, b.dim, sizeof a.dim));
    char *p = malloc(bytes + 1), *q = malloc(bytes + 1);
    if (p && q && ag_read(x, p) && ag_read(y, q)) need(!memcmp(p, q, bytes));
    free(p);
    free(q);
}

static void need_round_trip(ag_tensor *const out[], int n, const char *path) {
    static char first[8 * MOST], second[8 * MOST];
    ag_tensor *again[OUTS];
    n = n < OUTS ? n : OUTS;
    need(ag_graph_save(out, n, path));
    size_t bytes = read_file(path, first);
    ag_tape *t = ag_tape_new();
    need(t && ag_graph_load(t, path, again, OUTS) == n && !ag_tape_status(t));
    for (int i = 0; i < n; i++) need_same(out[i], again[i]);
    need(ag_graph_save(again, n, path));
    need(bytes == read_file(path, second) && !memcmp(first, second, bytes));
    ag_tape_free(t);
}

/* Mutation: half of the time, a line that calls some op on some tensors, with attributes from the edge of what is sane */

static unsigned draw(unsigned *seed, unsigned n) {
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 8) % n;
}

static size_t write_call(char *to, unsigned *seed) {
    static const char *const values[] = {"0",          "1",
                                         "-1",         "2",
                                         "3",          "0.5",
                                         "end",        "true",
                                         "f64",        "i64",
                                         "f32",        "()",
                                         "(2,3)",      "all",
                                         "1,0",        "nan",
                                         "1e300",      "-inf",
                                         "(0,-1)",     "(1,1,1,1)",
                                         "2147483648", "9223372036854775807"};
    int ops = 0;
    while (ag_op_at(ops)) ops++;
    const ag_op *op = ag_op_at((int)draw(seed, (unsigned)ops));
    size_t n = (size_t)sprintf(to, "%%0 = %s", op->name);
    int arity = op->arity < 0 ? 1 + (int)draw(seed, 3) : op->arity;
    for (int i = 0; i < arity; i++) n += (size_t)sprintf(to + n, " %%%u", draw(seed, 6));
    for (const ag_attr_field *f = op->attrs; f && f->name && op->attr_size; f++) {
        if (draw(seed, 3) == 0) continue;
        n += (size_t)sprintf(to + n, "%s%s=%s", f == op->attrs ? " : " : " ", f->name,
                             values[draw(seed, sizeof values / sizeof *values)]);
    }
    to[n++] = '\n';
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    char call[2048];
    if (draw(&seed, 2)) return LLVMFuzzerMutate(data, size, most);
    size_t n = write_call(call, &seed), at = draw(&seed, (unsigned)size + 1);
    if (size + n > most) return LLVMFuzzerMutate(data, size, most);
    while (at > 0 && data[at - 1] != '\n') at--;
    memmove(data + at + n, data + at, size - at);
    memcpy(data + at, call, n);
    return size + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char file[5 * MOST], path[64];
    ag_tensor *out[OUTS];
    if (size > MOST) return 0;
    if (!*path) {
        snprintf(path, sizeof path, "%s/aggraph-%ld", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
        ag_set_threads(1);
    }
    bool raw = size && data[0] == '!';
    if (raw) memcpy(file, data + 1, size - 1);
    size = raw ? size - 1 : seal(data, size, file);
    FILE *f = fopen(path, "wb");
    need(f && fwrite(file, 1, size, f) == size && !fclose(f));

    ag_tape *t = ag_tape_new();
    need(t);
    int n = ag_graph_load(t, path, out, OUTS);
    if (n < 0) {
        const char *message = ag_tape_message(t);
        need(ag_tape_status(t) && *message && !strchr(message, '\n'));
        need(ag_tape_size(t) == 0 && ag_scope_count(t) == 1 && !out[0]);
    } else {
        need(!ag_tape_status(t) && out[0]);
        need_round_trip(out, n, path);
    }
    ag_tape_free(t);
    unlink(path);
    return 0;
}
