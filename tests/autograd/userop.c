/* An operation from outside the library, through autograd/op.h alone: called by name, differentiated, cloned, replayed, drawn. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autograd/inspect.h"
#include "autograd/op.h"
#include "make.h"
#include "ops/ops.h"

/* cube: op.h's own example, for both float dtypes */

static bool cube_shape(ag_tensor *y) { return ag_need_float(y, 0) && ag_out_like(y, 0, ag_in(y, 0)); }

static bool cube_run(ag_tensor *y) {
    const void *dense = ag_op_dense(y, 0);
    if (!dense) return false;
    bool single = ag_dtype_of(y) == AG_F32;
    for (int64_t i = 0; i < ag_size(y); i++) {
        if (single) {
            float v = ((const float *)dense)[i];
            ((float *)ag_out_data(y, 0))[i] = v * v * v;
        } else {
            double v = ((const double *)dense)[i];
            ((double *)ag_out_data(y, 0))[i] = v * v * v;
        }
    }
    return true;
}

static bool cube_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    ag_tensor *x = ag_in(y, 0);
    d[0] = ag_scale(ag_mul(g[0], ag_mul(x, x)), 3);
    return d[0] != NULL;
}

static const ag_op cube = {
    .size = sizeof(ag_op), .name = "test_cube", .arity = 1, .shape = cube_shape, .run = cube_run, .grad = cube_grad};

static ag_tensor *cube_of(ag_tensor *y) { return ag_mul(ag_square(ag_in(y, 0)), ag_in(y, 0)); }

/* polar: two outputs, r = √(x² + y²) and φ = atan2(y, x), and an attribute */

typedef struct polar_attrs {
    bool degrees;
    double offset;
} polar_attrs;

static const ag_attr_field polar_fields[] = {{"degrees", AG_ATTR_BOOL, offsetof(polar_attrs, degrees), "false"},
                                             {"offset", AG_ATTR_F64, offsetof(polar_attrs, offset), "0"},
                                             {0}};

static double unit(const ag_tensor *y) {
    return ((const polar_attrs *)ag_attrs(y))->degrees ? 180 / 3.141592653589793 : 1;
}

static bool polar_shape(ag_tensor *y) {
    return ag_need_float(y, 0) && ag_need_same_dtype(y, 0, 1) && ag_need_same_shape(y, 0, 1) &&
           ag_out_like(y, 0, ag_in(y, 0)) && ag_out_like(y, 1, ag_in(y, 0));
}

static void put(ag_tensor *y, int o, int64_t i, double v) {
    if (ag_dtype_of(y) == AG_F32) ((float *)ag_out_data(y, o))[i] = (float)v;
    else ((double *)ag_out_data(y, o))[i] = v;
}

static bool polar_run(ag_tensor *y) {
    double scale = unit(y), offset = ((const polar_attrs *)ag_attrs(y))->offset;
    for (int64_t i = 0; i < ag_size(ag_in(y, 0)); i++) {
        double a = ag_at(ag_in(y, 0), i), b = ag_at(ag_in(y, 1), i);
        put(y, 0, i, sqrt(a * a + b * b));
        put(y, 1, i, scale * atan2(b, a) + offset);
    }
    return true;
}

/* ∂r = (x, y) / r, ∂φ = (−y, x) / r² */
static bool polar_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    for (int i = 0; i < 2; i++) {
        if (!ag_wants(y, i)) continue;
        ag_tensor *r = ag_out(y, 0), *radial = NULL, *turning = NULL;
        if (g[0]) radial = ag_div(ag_mul(g[0], ag_in(y, i)), r);
        if (g[1]) turning = ag_scale(ag_div(ag_mul(g[1], ag_in(y, 1 - i)), ag_square(r)), i ? unit(y) : -unit(y));
        d[i] = radial && turning ? ag_add(radial, turning) : radial ? radial : turning;
        if (!d[i]) return false;
    }
    return true;
}

static const ag_op polar = {.size = sizeof(ag_op),
                            .name = "test_polar",
                            .arity = 2,
                            .nout = 2,
                            .attr_size = sizeof(polar_attrs),
                            .attrs = polar_fields,
                            .shape = polar_shape,
                            .run = polar_run,
                            .grad = polar_grad};

/* composed: no node of its own */

static ag_tensor *hypot_of(ag_tensor *y) { return ag_sqrt(ag_add(ag_square(ag_in(y, 0)), ag_square(ag_in(y, 1)))); }
static const ag_op hypotenuse = {.size = sizeof(ag_op), .name = "test_hypot", .arity = 2, .compose = hypot_of};

/* noise: random, on [0, 1), by its own means */

typedef struct noise_attrs {
    int64_t draw;
} noise_attrs;

static const ag_attr_field noise_fields[] = {{"draw", AG_ATTR_I64, offsetof(noise_attrs, draw), "-1"}, {0}};
static bool noise_shape(ag_tensor *y) { return ag_out_like(y, 0, ag_in(y, 0)); }
static bool noise_run(ag_tensor *y) {
    uint64_t state = (uint64_t)ag_i64(ag_in(y, 1))[0] * 1000 + (uint64_t)((const noise_attrs *)ag_attrs(y))->draw;
    for (int64_t i = 0; i < ag_size(y); i++) put(y, 0, i, check_random(&state));
    return true;
}
static const ag_op noise = {.size = sizeof(ag_op),
                            .name = "test_noise",
                            .arity = 2,
                            .flags = AG_RANDOM | AG_FLAT,
                            .attr_size = sizeof(noise_attrs),
                            .attrs = noise_fields,
                            .shape = noise_shape,
                            .run = noise_run};

/* half: a rule of its own beside an expand, which must not be taken: it says 1 where the rule says 1/2. */

static bool half_run(ag_tensor *y) {
    for (int64_t i = 0; i < ag_size(y); i++) put(y, 0, i, ag_at(ag_in(y, 0), i) / 2);
    return true;
}
static bool half_grad(ag_tensor *y, ag_tensor *const g[], ag_tensor *d[]) {
    (void)y;
    return (d[0] = ag_scale(g[0], 0.5)) != NULL;
}
static bool half_expand(ag_tensor *y, ag_tensor *out[]) { return (out[0] = ag_alias(ag_in(y, 0))) != NULL; }

static const ag_op half = {.size = sizeof(ag_op),
                           .name = "test_half",
                           .arity = 1,
                           .shape = cube_shape,
                           .run = half_run,
                           .grad = half_grad,
                           .expand = half_expand};

static void register_all(void) {
    cr_assert(ag_op_register(&cube) && ag_op_register(&polar) && ag_op_register(&hypotenuse) && ag_op_register(&noise),
              "%s", ag_last_message());
}

/* The life of an op */

Test(graph, a_users_op_is_called_by_name) {
    ag_tape *t = ag_tape_new();
    ag_tensor *w = PARAM(t, 1, 2, -3), *d;
    register_all();
    register_all(); /* again is fine */
    cr_assert_eq(ag_find_op("test_cube"), &cube);
    ag_tensor *y = ag_call(t, "test_cube", &w, 1, "");
    assert_values(y, 0, 1, 8, -27);
    assert_values(ag_apply(&cube, (ag_tensor *[]){ag_expand(ag_scalar(t, AG_F32, 2), AG_SHAPE(2))}, 1, NULL), 0, 8, 8);
    cr_assert_null(ag_call(t, "test_cub", &w, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "did you mean 'test_cube'?");
    for (int order = 1; order <= 4; order++) { /* 3x², 6x, 6, 0 */
        cr_assert(ag_gradients(&y, NULL, 1, &w, 1, &y), "%s", ag_tape_message(t));
        static const double expected[][3] = {{3, 12, 27}, {6, 12, -18}, {6, 6, 6}, {0, 0, 0}};
        for (int i = 0; i < 3; i++) assert_close(ag_at(y, i), expected[order - 1][i], 1e-15);
    }
    ag_tensor *z = ag_call(t, "test_cube", &w, 1, NULL);
    cr_assert(ag_jvp(&z, 1, &w, &w, 1, &d), "by its gradient's transpose: %s", ag_tape_message(t));
    assert_values(d, 0, 3, 24, -81);
    ag_tape_free(t);
}

Test(graph, a_users_op_may_have_several_outputs) {
    register_all();
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_tensor *x[] = {PARAM(t, 3, 0), PARAM(t, 4, 2)}, *d[2], *dd[2], *copy[2];
    ag_tensor *whole = ag_call(t, "test_polar", x, 2, "degrees=true"), *r = ag_part(whole, 0), *phi = ag_part(whole, 1);
    ag_set_name(r, "radius");
    assert_values(r, 1e-15, 5, 2);
    assert_values(phi, 1e-14, 53.13010235415598, 90);
    char text[64];
    ag_attr_text(whole, text, sizeof text);
    cr_assert_str_eq(text, "degrees=true offset=0");
    cr_assert(ag_gradients(&r, NULL, 1, x, 2, d), "one output unused");
    assert_values(d[0], 1e-15, 0.6, 0);
    assert_values(d[1], 1e-15, 0.8, 1);
    ag_tensor *both = ag_add(SUM(r), SUM(ag_scale(phi, 3.141592653589793 / 180)));
    cr_assert(ag_backward(both));
    assert_values(ag_grad(x[0]), 1e-14, 0.6 - 0.16, -0.5);
    assert_values(ag_grad(x[1]), 1e-14, 0.8 + 0.12, 1);
    cr_assert(ag_gradients(&d[0], NULL, 1, x, 2, dd), "twice: ∂²r/∂x² = y²/r³");
    assert_values(dd[0], 1e-14, 16 / 125., 4 / 8.);
    cr_assert(ag_clone(other, (ag_tensor *[]){phi, both}, 2, AG_F32, 0, copy), "%s", ag_tape_message(other));
    cr_assert_eq(ag_dtype_of(copy[0]), AG_F32);
    assert_near(copy[0], phi, 1e-6);
    assert_near(copy[1], both, 1e-6);
    cr_assert_str_eq(ag_name(ag_part(ag_input(copy[0], 0), 0)), "radius");
    ag_write(x[0], (double[]){0, 1});
    ag_write(x[1], (double[]){7, 0});
    cr_assert(ag_replay(t));
    assert_values(r, 1e-15, 7, 1);
    assert_values(phi, 1e-14, 90, 0);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph, a_users_op_may_be_composed) {
    register_all();
    ag_tape *t = ag_tape_new();
    ag_tensor *x[] = {PARAM(t, 3), PARAM(t, 4)}, *y = ag_call(t, "test_hypot", x, 2, ""), *d[2];
    assert_values(y, 1e-15, 5);
    cr_assert_str_eq(ag_op_name(y), "sqrt");
    cr_assert(ag_gradients(&y, NULL, 1, x, 2, d));
    assert_values(d[1], 1e-15, 0.8);
    cr_assert_null(ag_call(t, "test_hypot", x, 1, ""));
    assert_error(t, AG_ERR_ARGUMENT, "takes 2 input(s), not 1");
    ag_tape_free(t);
}

Test(graph, a_users_rule_comes_before_its_composition) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 3, 4), *y = ag_apply(&half, &x, 1, NULL), *d;
    cr_assert(ag_backward(SUM(y)) && ag_gradients(&y, NULL, 1, &x, 1, &d), "%s", ag_tape_message(t));
    assert_values(ag_grad(x), 0, 0.5, 0.5);
    assert_values(d, 0, 0.5, 0.5);
    ag_tape_free(t);
}

/* Of a record made for an earlier op.h, the fields it ends before are not looked at: here they hold what would be wrong. */
Test(graph, an_older_record_is_read_no_further_than_it_goes) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = PARAM(t, 3, 4);
    static ag_op older[3];
    static const char *const names[] = {"test_old", "test_older", "test_oldest"};
    static const size_t size[] = {offsetof(ag_op, flops), offsetof(ag_op, expand), offsetof(ag_op, inputs)};
    for (int i = 0; i < COUNT_OF(older); i++) {
        older[i] = cube;
        older[i].name = names[i];
        older[i].size = size[i];
        older[i].inputs = "beyond";
        if (i < 2) older[i].expand = half_expand, older[i].grad = NULL, older[i].compose = cube_of;
        cr_assert(ag_op_register(&older[i]), "%s", ag_last_message());
        ag_tensor *y = ag_call(t, names[i], &x, 1, NULL);
        cr_assert(y && ag_backward(SUM(y)), "row %d: %s", i, ag_tape_message(t));
        assert_values(ag_grad(x), 0, 27, 48);
        ag_zero_grad(x);
        char name[16];
        cr_assert_str_eq(ag_op_input_name(&older[i], 0, name, sizeof name), "x");
    }
    ag_tape_free(t);
}

Test(graph, a_users_op_may_be_random) {
    register_all();
    ag_tape *t = ag_tape_new(), *other = ag_tape_new();
    ag_seed(t, 5);
    ag_tensor *w = PARAM(t, 0, 0, 0), *a = ag_call(t, "test_noise", &w, 1, ""),
              *b = ag_call(t, "test_noise", &w, 1, ""), *copy;
    cr_assert_neq(ag_at(a, 0), ag_at(b, 0), "every draw is new");
    cr_assert_eq(ag_input_count(a), 2, "the key is an input");
    double before = ag_at(b, 2);
    cr_assert(ag_replay(t));
    assert_close(ag_at(b, 2), before, 0);
    cr_assert(ag_clone(other, &b, 1, AG_DTYPE_COUNT, 0, &copy));
    assert_same(copy, b);
    ag_seed(t, 5);
    assert_same(ag_call(t, "test_noise", &w, 1, ""), a);
    assert_same(ag_call(t, "test_noise", &w, 1, "draw=1"), b);
    ag_tape_free(t);
    ag_tape_free(other);
}

Test(graph, a_users_op_is_drawn) {
    register_all();
    char path[] = "/tmp/autograd-userop-XXXXXX", text[20000] = "";
    int fd = mkstemp(path);
    ag_tape *t = ag_tape_new();
    ag_tensor *x[] = {ag_set_name(PARAM(t, 3), "east"), ag_set_name(PARAM(t, 4), "north")};
    ag_tensor *y = SUM(ag_part(ag_call(t, "test_polar", x, 2, "offset=2"), 0));
    cr_assert(ag_backward(y));
    cr_assert(ag_dot_write(y, path, NULL), "%s", ag_tape_message(t));
    FILE *file = fopen(path, "r");
    cr_assert_gt(fread(text, 1, sizeof text - 1, file), 0u);
    fclose(file);
    close(fd);
    unlink(path);
    static const char *const parts[] = {"test_polar", "offset=2", "east", "north", "sum"};
    for (int i = 0; i < COUNT_OF(parts); i++)
        cr_assert_not_null(strstr(text, parts[i]), "%s is not in %s", parts[i], text);
    ag_tape_free(t);
}

/* Records that are refused */

static const ag_attr_field no_draw[] = {{"p", AG_ATTR_F64, 0, "0.5"}, {0}};

static const struct {
    ag_op op;
    const char *part;
} refused[] = {
    {{.size = sizeof(ag_op), .arity = 1, .shape = cube_shape, .run = cube_run}, "it has no name"},
    {{.size = sizeof(ag_op), .name = "", .arity = 1, .shape = cube_shape, .run = cube_run}, "it has no name"},
    {{.name = "test_a", .arity = 1, .shape = cube_shape, .run = cube_run}, "its size is that of no ag_op"},
    {{.size = offsetof(ag_op, map), .name = "test_a", .arity = 1, .shape = cube_shape, .run = cube_run}, "its size"},
    {{.size = sizeof(ag_op) + 8, .name = "test_a", .arity = 1, .shape = cube_shape, .run = cube_run}, "its size"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1}, "neither shape nor compose"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1, .shape = cube_shape}, "it has no run"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1, .shape = cube_shape, .run = cube_run, .attr_size = 8},
     "not described"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1, .shape = cube_shape, .run = cube_run, .writes = 1},
     "without AG_EFFECT"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = -2, .shape = cube_shape, .run = cube_run}, "out of range"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1, .nout = 100, .shape = cube_shape, .run = cube_run}, "outputs"},
    {{.size = sizeof(ag_op), .name = "test_a", .arity = 1, .flags = AG_RANDOM, .shape = cube_shape, .run = cube_run},
     "int64_t draw"},
    {{.size = sizeof(ag_op),
      .name = "test_a",
      .arity = 1,
      .flags = AG_RANDOM,
      .attr_size = 8,
      .attrs = no_draw,
      .shape = cube_shape,
      .run = cube_run},
     "int64_t draw"},
    {{.size = sizeof(ag_op), .name = "matmul", .arity = 1, .shape = cube_shape, .run = cube_run},
     "the name 'matmul' is taken"},
};

Test(graph, records_that_cannot_work_are_refused) {
    cr_assert(!ag_op_register(NULL));
    for (int i = 0; i < COUNT_OF(refused); i++) {
        cr_assert(!ag_op_register(&refused[i].op), "row %d", i);
        cr_assert_not_null(strstr(ag_last_message(), refused[i].part), "row %d: %s", i, ag_last_message());
    }
    cr_assert_null(ag_find_op("test_a"));
    cr_assert_null(ag_find_op(NULL));
    cr_assert_null(ag_op_at(-1));
    int known = 0;
    while (ag_op_at(known)) known++;
    cr_assert_null(ag_op_at(known + 100));
    cr_assert_geq(known, 60);
}

Test(process_graph, the_table_of_users_ops_ends) {
    enum { MORE = 600 };
    static ag_op many[MORE];
    static char name[MORE][16];
    int taken = 0;
    for (int i = 0; i < MORE; i++) {
        snprintf(name[i], sizeof name[i], "test_%d", i);
        many[i] = cube;
        many[i].name = name[i];
        if (ag_op_register(&many[i])) taken++;
    }
    cr_assert_eq(taken, 512);
    cr_assert_not_null(strstr(ag_last_message(), "the table holds 512 operations"));
    cr_assert_eq(ag_find_op("test_511"), &many[511]);
    cr_assert_null(ag_find_op("test_512"));
}
