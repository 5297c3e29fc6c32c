/* rng.c: Philox, and leaves filled with random numbers.
 *
 * A block of four words gives four numbers to an f32 leaf and two to an f64 one, in order of place: which numbers a leaf gets
 * depends on the tape's key and on how many draws went before, not on threads. */
#include <math.h>

#include "autograd/node.h"
#include "autograd/rng.h"

void ag__philox(uint64_t key, uint64_t hi, uint64_t lo, uint32_t out[4]) {
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)lo, c1 = (uint32_t)(lo >> 32), c2 = (uint32_t)hi, c3 = (uint32_t)(hi >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53 * c0, b = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

typedef struct fill {
    uint64_t key, draw;
    void *out;
    int64_t n;
    bool single, normal;
    double a, b; /* lo and hi, or mean and deviation */
} fill;

/* The numbers of one block, in [0, 1). */
static int uniforms(const fill *f, int64_t block, double u[4]) {
    uint32_t word[4];
    ag__philox(f->key, f->draw, (uint64_t)block, word);
    if (!f->single) {
        u[0] = ag__uniform64(word[0], word[1]);
        u[1] = ag__uniform64(word[2], word[3]);
        return 2;
    }
    for (int i = 0; i < 4; i++) u[i] = ag__uniform32(word[i]);
    return 4;
}

/* Box and Muller (1958): r = √(−2 ln u), φ = 2πv give two independent normal numbers, r cos φ and r sin φ. */
static void to_normal(double u[2]) {
    double r = sqrt(-2 * log(1 - u[0])), phi = 6.283185307179586477 * u[1]; /* 1 − u: in (0, 1] */
    u[0] = r * cos(phi);
    u[1] = r * sin(phi);
}

/* Rounding may reach the open end hi, which then gives way to the number below. */
static void store(const fill *f, int64_t i, double u) {
    double value = f->normal ? f->a + f->b * u : f->a + (f->b - f->a) * u;
    if (f->single) {
        float single = (float)value;
        if (!f->normal && (double)single >= f->b) single = nextafterf((float)f->b, (float)f->a);
        ((float *)f->out)[i] = single;
    } else {
        if (!f->normal && value >= f->b) value = nextafter(f->b, f->a);
        ((double *)f->out)[i] = value;
    }
}

static void fill_blocks(void *context, int64_t begin, int64_t end) {
    const fill *f = context;
    for (int64_t block = begin; block < end; block++) {
        double u[4];
        int count = uniforms(f, block, u);
        for (int i = 0; f->normal && i < count; i += 2) to_normal(u + i);
        for (int i = 0; i < count && block * count + i < f->n; i++) store(f, block * count + i, u[i]);
    }
}

static bool run(ag_tensor *leaf, bool normal, double a, double b, const char *what) {
    if (!leaf) return ag__fail(NULL, AG_ERR_ARGUMENT, "%s: the leaf is NULL", what) != NULL;
    ag_tape *t = leaf->tape;
    if (t->status) return false;
    if (!ag__is_float(leaf->dtype)) {
        char text[160];
        return ag__fail(t, AG_ERR_DTYPE, "%s: %s is %s; only f32 and f64 leaves can be filled", what,
                        ag__label(leaf, text, sizeof text), ag_dtype_name((ag_dtype)leaf->dtype)) != NULL;
    }
    fill f = {.n = ag_size(leaf), .single = leaf->dtype == AG_F32, .normal = normal, .a = a, .b = b};
    f.out = ag_mutable(leaf);
    if (!f.out) return false;
    f.key = ag__key(t);
    f.draw = ag__next_draw(t);
    int64_t count = f.single ? 4 : 2;
    ag_parallel_for(f.n / count + (f.n % count != 0), 1024, fill_blocks, &f);
    return true;
}

bool ag_fill_uniform(ag_tensor *leaf, double lo, double hi) {
    if (lo <= hi && isfinite(hi - lo)) return run(leaf, false, lo, hi, "fill_uniform");
    return ag__fail(ag_tape_of(leaf), AG_ERR_ARGUMENT, "fill_uniform: [%g, %g) is not an interval of finite numbers",
                    lo, hi) != NULL;
}

bool ag_fill_normal(ag_tensor *leaf, double mean, double deviation) {
    if (isfinite(mean) && isfinite(deviation) && deviation >= 0) return run(leaf, true, mean, deviation, "fill_normal");
    return ag__fail(ag_tape_of(leaf), AG_ERR_ARGUMENT,
                    "fill_normal: mean %g and deviation %g must be finite, the deviation not negative", mean,
                    deviation) != NULL;
}
