/* fill.c: leaves filled with random numbers, by the kernels of uniform and randn and the tape's next draw. */
#include <math.h>

#include "autograd/node.h"
#include "ops/draw.h"
#include "ops/isa.h"

static bool fill(ag_tensor *leaf, ag__draw_fn *const run[2], double a, double b, const char *what) {
    if (!leaf) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the leaf is NULL", what) != NULL;
    ag_tape *t = leaf->tape;
    if (t->status) return false;
    if (!ag__is_float(leaf->dtype)) {
        char text[160];
        return ag__fail(t, AG_ERR_DTYPE, "%s: %s is %s; only f32 and f64 leaves can be filled", what,
                        ag__label(leaf, text, sizeof text), ag_dtype_name((ag_dtype)leaf->dtype)) != NULL;
    }
    void *out = ag_mutable(leaf);
    if (!out) return false;
    ag__draw d = {.key = ag__key(t), .draw = ag__next_draw(t)};
    ag__fill_memory(&d, run[leaf->dtype], a, b, ag_size(leaf), ag__dtype_bytes[leaf->dtype], out);
    return true;
}

bool ag_fill_uniform(ag_tensor *leaf, double lo, double hi) {
    if (lo <= hi && isfinite(hi - lo)) return fill(leaf, ag__kernel()->random->uniform, lo, hi, "fill_uniform");
    return ag__fail(ag_tape_of(leaf), AG_ERR_ARGUMENT, "fill_uniform: [%g, %g) is not an interval of finite numbers",
                    lo, hi) != NULL;
}

bool ag_fill_normal(ag_tensor *leaf, double mean, double deviation) {
    if (isfinite(mean) && isfinite(deviation) && deviation >= 0)
        return fill(leaf, ag__kernel()->random->normal, mean, deviation, "fill_normal");
    return ag__fail(ag_tape_of(leaf), AG_ERR_ARGUMENT,
                    "fill_normal: mean %g and deviation %g must be finite, the deviation not negative", mean,
                    deviation) != NULL;
}
