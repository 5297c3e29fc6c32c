/* copy.c: strided tensors read row-major, around the edges of the tiles in which planes are transposed, and past the caches. */
#include <stdlib.h>
#include <string.h>

#include "autograd/node.h"
#include "check.h"
#include "ops/ops.h"

/* Element i of x as bytes, by its place and strides alone. */
static const char *element(const ag_tensor *x, int64_t i) {
    int64_t offset = 0;
    for (int k = ag_rank(x) - 1; k >= 0; k--) {
        offset += i % ag_dim(x, k) * ag_stride(x, k);
        i /= ag_dim(x, k);
    }
    return (const char *)ag_data(x) + offset * (int64_t)ag_dtype_size(ag_dtype_of(x));
}

static void reads_as_it_lies(const ag_tensor *x, size_t shift) {
    size_t size = ag_dtype_size(ag_dtype_of(x)), bytes = (size_t)ag_size(x) * size;
    char *out = malloc(bytes + 2 * 64), *to = out + 64 + shift * size, text[160];
    memset(out, 0x5A, bytes + 2 * 64);
    ag__gather(x, to);
    for (int64_t i = 0; i < ag_size(x); i++) {
        if (memcmp(to + (size_t)i * size, element(x, i), size) == 0) continue;
        cr_assert(false, "element %lld of %s, %s, shift %zu", (long long)i, ag_shape_text(x, text, sizeof text),
                  ag_dtype_name(ag_dtype_of(x)), shift);
    }
    for (char *p = out; p < to; p++) cr_assert_eq(*p, 0x5A, "written before the beginning");
    for (char *p = to + bytes; p < out + bytes + 2 * 64; p++) cr_assert_eq(*p, 0x5A, "written behind the end");
    free(out);
}

/* Different bytes everywhere. */
static ag_tensor *counted(ag_tape *t, ag_dtype dtype, ag_shape shape) {
    ag_tensor *x = ag_buffer(t, dtype, shape);
    unsigned char *data = ag_mutable(x);
    uint32_t state = 1;
    for (size_t i = 0; i < (size_t)ag_size(x) * ag_dtype_size(dtype); i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = dtype == AG_BOOL ? state >> 31 : (unsigned char)(state >> 24);
    }
    return x;
}

Test(copy, planes_of_every_edge) {
    static const int64_t extent[] = {1, 3, 4, 15, 16, 17, 31, 32, 33, 64, 65, 100};
    enum { N = sizeof extent / sizeof *extent };
    ag_tape *t = ag_tape_new();
    for (ag_dtype dtype = AG_F32; dtype < AG_DTYPE_COUNT; dtype++) {
        for (int i = 0; i < N * N; i++) {
            ag_tensor *x = counted(t, dtype, AG_SHAPE(extent[i / N], extent[i % N]));
            reads_as_it_lies(ag_transpose(x, 0, 1), (size_t)i % 3);
        }
    }
    ag_tape_free(t);
}

Test(copy, axes_in_every_order) {
    ag_tape *t = ag_tape_new();
    for (ag_dtype dtype = AG_F32; dtype < AG_DTYPE_COUNT; dtype++) {
        ag_tensor *x = counted(t, dtype, AG_SHAPE(3, 36, 5, 34));
        for (int order = 0; order < 256; order++) {
            int a = order >> 6, b = order >> 4 & 3, c = order >> 2 & 3, d = order & 3;
            if ((1 << a | 1 << b | 1 << c | 1 << d) == 15) reads_as_it_lies(ag_permute(x, AG_AXES(a, b, c, d)), 0);
        }
        reads_as_it_lies(ag_transpose(ag_slice(x, 1, 35, 1, -2), 1, 3), 1);
        reads_as_it_lies(ag_expand(ag_slice(x, 0, 1, 2, 1), AG_SHAPE(4, 36, 5, 34)), 0);
        reads_as_it_lies(ag_slice(ag_transpose(x, 1, 3), 3, 0, AG_END, 3), 0);
    }
    ag_tape_free(t);
}

Test(copy, past_the_caches) {
    ag_tape *t = ag_tape_new();
    for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
        reads_as_it_lies(ag_transpose(counted(t, dtype, AG_SHAPE(1531, 1601)), 0, 1), 1);
        reads_as_it_lies(ag_transpose(counted(t, dtype, AG_SHAPE(64, 2, 128, 160)), 1, 3), 0);
    }
    ag_tape_free(t);
}

Test(copy, adds_what_it_would_copy) {
    ag_tape *t = ag_tape_new();
    for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
        ag_tensor *x = check_leaf(t, dtype, AG_SHAPE(70, 300, 8), 0, -1, 1, &(uint64_t){3});
        ag_tensor *views[] = {x, ag_transpose(x, 0, 1), ag_transpose(x, 0, 2), ag_slice(x, 1, -1, AG_END, -2),
                              ag_expand(ag_slice(x, 0, 3, 4, 1), AG_SHAPE(70, 300, 8))};
        for (size_t k = 0; k < sizeof views / sizeof *views; k++) {
            ag_tensor *sum = ag_add(ag_contiguous(views[k]), ag_full(t, dtype, ag_shape_of(views[k]), 0.25));
            ag_tensor *out = ag_buffer(t, dtype, ag_shape_of(views[k]));
            ag_fill(out, 0.25);
            ag__accumulate(views[k], ag_mutable(out));
            assert_same(out, sum);
        }
    }
    ag_tape_free(t);
}
