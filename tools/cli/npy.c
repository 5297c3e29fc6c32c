/* npy.c: NumPy's .npy, versions 1 to 3.
 *
 *     \x93NUMPY  major minor  length of what follows (2 bytes; from version 2 on 4)
 *     {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
 *     the elements, without gaps
 *
 * Nothing in the header is believed before it is checked: it has at most 64 KiB, the shape's product must not
 * overflow and must be exactly what the file holds. */
#include <stdlib.h>
#include <string.h>

#include "value.h"

enum { HEADER_MOST = 1 << 16, MAGIC = 6 };

typedef struct npy {
    const char *path, *at, *end; /* of the header's text */
    fault *f;
    char type;    /* f, i or b */
    int bytes;    /* an element */
    bool columns; /* fortran_order */
    bool known[3];
    ag_shape shape;
} npy;

static bool fail(const npy *n, const char *why) { return fault_say(n->f, EXIT_FILE, "%s: %s", n->path, why); }

static void blanks(npy *n) {
    while (n->at < n->end && strchr(" \t\r\n", *n->at)) n->at++;
}

static bool take(npy *n, char c) {
    blanks(n);
    if (n->at == n->end || *n->at != c) return false;
    n->at++;
    return true;
}

/* 'text' or "text" */
static bool string(npy *n, char *out, size_t room) {
    blanks(n);
    char quote = '\0';
    size_t size = 0;
    if (n->at < n->end) quote = *n->at;
    if (quote != '\'' && quote != '"') return false;
    for (n->at++; n->at < n->end && *n->at != quote; n->at++) {
        if (size + 1 == room) return false;
        out[size++] = *n->at;
    }
    out[size] = '\0';
    return take(n, quote);
}

static bool read_type(npy *n) {
    static const struct {
        const char *name;
        char type;
        int bytes;
    } types[] = {{"<f8", 'f', 8}, {"<f4", 'f', 4}, {"<i8", 'i', 8}, {"<i4", 'i', 4}, {"|b1", 'b', 1}};
    char name[16];
    if (!string(n, name, sizeof name)) return fail(n, "its elements are records or text; numbers are needed");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name)) continue;
        n->type = types[i].type;
        n->bytes = types[i].bytes;
        return true;
    }
    return fault_say(n->f, EXIT_FILE,
                     "%s: elements of type '%s'; use f4, f8, i4, i8 or bool, little-endian: a.astype('<f8')", n->path,
                     name);
}

static bool read_order(npy *n) {
    static const char *const word[] = {"False", "True"};
    blanks(n);
    for (int i = 0; i < 2; i++) {
        size_t size = strlen(word[i]);
        if ((size_t)(n->end - n->at) < size || memcmp(n->at, word[i], size)) continue;
        n->at += size;
        n->columns = i;
        return true;
    }
    return false;
}

static bool read_shape(npy *n) {
    if (!take(n, '(')) return false;
    while (!take(n, ')')) {
        int64_t extent = 0;
        const char *start;
        blanks(n);
        for (start = n->at; n->at < n->end && *n->at >= '0' && *n->at <= '9'; n->at++) {
            if (extent > INT64_MAX / 100) return fail(n, "its shape is too large");
            extent = 10 * extent + (*n->at - '0');
        }
        if (n->at == start) return false;
        if (n->shape.rank == AG_MAX_RANK) return fail(n, "it has more than 8 axes");
        n->shape.dim[n->shape.rank++] = extent;
        if (!take(n, ',') && n->at < n->end && *n->at != ')') return false;
    }
    return true;
}

static bool read_header(npy *n) {
    static const char *const key[] = {"descr", "fortran_order", "shape"};
    static bool (*const reader[])(npy *) = {read_type, read_order, read_shape};
    if (!take(n, '{')) return fail(n, "its header is damaged");
    while (!take(n, '}')) {
        char name[32];
        int k = 0;
        bool good = string(n, name, sizeof name) && take(n, ':');
        while (good && k < 3 && strcmp(key[k], name)) k++;
        good = good && k < 3 && !n->known[k] && reader[k](n);
        if (!good) return fail(n, "its header is damaged");
        n->known[k] = true;
        take(n, ',');
    }
    return (n->known[0] && n->known[1] && n->known[2]) || fail(n, "its header is incomplete");
}

/* Elements, or −1 when their bytes are not exactly `have`. */
static int64_t count(const npy *n, size_t have) {
    int64_t total = 1;
    bool empty = false;
    for (int i = 0; i < n->shape.rank; i++) {
        if (n->shape.dim[i] == 0) empty = true;
        else if (total > (int64_t)(INT64_MAX / 16) / n->shape.dim[i]) return -1;
        else total *= n->shape.dim[i];
    }
    if (empty) total = 0;
    return (uint64_t)total * (uint64_t)n->bytes == have ? total : -1;
}

/* Where row-major element i stands in the file */
static int64_t element(const npy *n, int64_t i) {
    int64_t at = 0, stride = 1, left = i;
    if (!n->columns) return i;
    int64_t index[AG_MAX_RANK];
    for (int k = n->shape.rank; k-- > 0;) {
        index[k] = left % n->shape.dim[k];
        left /= n->shape.dim[k];
    }
    for (int k = 0; k < n->shape.rank; k++) {
        at += index[k] * stride;
        stride *= n->shape.dim[k];
    }
    return at;
}

static ag_tensor *leaf(const npy *n, ag_tape *tape, ag_dtype dtype, const char *data, int64_t total) {
    void *out = malloc((size_t)total * 8 + 8);
    if (!out) {
        fault_memory(n->f);
        return NULL;
    }
    for (int64_t i = 0; i < total; i++) {
        const char *at = data + element(n, i) * n->bytes;
        float narrow;
        int32_t small;
        if (n->type == 'b') ((bool *)out)[i] = *at != 0;
        else if (n->type == 'i' && n->bytes == 8) memcpy((int64_t *)out + i, at, 8);
        else if (n->type == 'i') ((int64_t *)out)[i] = *(int32_t *)memcpy(&small, at, 4);
        else if (n->bytes == 8) memcpy((double *)out + i, at, 8);
        else ((double *)out)[i] = (double)*(float *)memcpy(&narrow, at, 4);
    }
    ag_tensor *x = n->type == 'f'   ? eval_leaf(tape, dtype, out, n->shape, AG_REQUIRES_GRAD)
                   : n->type == 'i' ? ag_leaf(tape, AG_I64, out, n->shape, 0)
                                    : ag_leaf(tape, AG_BOOL, out, n->shape, 0);
    free(out);
    if (!x)
        fault_say(n->f, EXIT_FILE, "%s: %s", n->path, ag_tape_status(tape) ? ag_tape_message(tape) : "out of memory");
    return x;
}

bool npy_recognised(const char *bytes, size_t size) { return size >= MAGIC && !memcmp(bytes, "\x93NUMPY", MAGIC); }

ag_tensor *npy_read(ag_tape *tape, ag_dtype dtype, const char *path, const char *bytes, size_t size, fault *f) {
    npy n = {.path = path, .f = f};
    const unsigned char *b = (const unsigned char *)bytes;
    size_t start = 10, length = 0;
    if (!npy_recognised(bytes, size) || size < 12 || b[6] < 1 || b[6] > 3) {
        fail(&n, "not a .npy file of version 1, 2 or 3");
        return NULL;
    }
    length = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1) {
        length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
        start = 12;
    }
    if (length > HEADER_MOST || length > size - start) {
        fail(&n, length > HEADER_MOST ? "its header is longer than 64 KiB" : "the file ends within its header");
        return NULL;
    }
    n.at = bytes + start;
    n.end = n.at + length;
    if (!read_header(&n)) return NULL;
    int64_t total = count(&n, size - start - length);
    if (total < 0) {
        fail(&n, "it does not hold as many bytes as its shape says");
        return NULL;
    }
    return leaf(&n, tape, dtype, bytes + start + length, total);
}
