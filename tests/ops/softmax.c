/* softmax.c: a line's softmax is the same to the last bit whether it lies in a row or in a column, whoever its neighbours are. */
#include "check.h"
#include "every_isa.h"
#include "ops/ops.h"

typedef ag_tensor *function(ag_tensor *g, ag_tensor *x, int axis);

static ag_tensor *softmax(ag_tensor *g, ag_tensor *x, int axis) { return (void)g, ag_softmax(x, axis); }
static ag_tensor *log_softmax(ag_tensor *g, ag_tensor *x, int axis) { return (void)g, ag_log_softmax(x, axis); }
static function *const functions[] = {softmax, log_softmax, ag_softmax_grad, ag_log_softmax_grad};

/* Fewer columns than are turned at once, as many, some more, and enough for several shares of the work. */
static const int64_t shapes[][3] = {{2, 5, 3}, {3, 40, 16}, {2, 16, 17}, {1, 300, 9}, {70, 3, 257}, {2, 1, 33}};
enum { SHAPES = sizeof shapes / sizeof *shapes, FUNCTIONS = sizeof functions / sizeof *functions };

static void columns_are_rows(function *f, const int64_t s[3], ag_dtype dtype) {
    ag_tape *t = ag_tape_new();
    uint64_t random = 7;
    char text[CHECK_TEXT];
    ag_tensor *g = check_leaf(t, dtype, AG_SHAPE(s[0], s[1], s[2]), 0, -1, 1, &random);
    ag_tensor *x = check_leaf(t, dtype, AG_SHAPE(s[0], s[1], s[2]), 0, -3, 0, &random);
    ag_tensor *rows = f(ag_contiguous(ag_transpose(g, 1, 2)), ag_contiguous(ag_transpose(x, 1, 2)), 2);
    cr_assert(check_same(f(g, x, 1), ag_contiguous(ag_transpose(rows, 1, 2)), text), "(%d,%d,%d) %s: %s", (int)s[0],
              (int)s[1], (int)s[2], ag_dtype_name(dtype), text);
    ag_tape_free(t);
}

TestEveryISA(softmax, of_columns_has_the_bits_of_rows) {
    int before = ag_threads();
    for (int threads = 1; threads <= 3; threads++) {
        ag_set_threads(threads);
        for (int i = 0; i < SHAPES * FUNCTIONS; i++) {
            columns_are_rows(functions[i / SHAPES], shapes[i % SHAPES], AG_F32);
            columns_are_rows(functions[i / SHAPES], shapes[i % SHAPES], AG_F64);
        }
    }
    ag_set_threads(before);
}
