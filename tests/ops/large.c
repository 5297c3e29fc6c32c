/* large.c: sizes at which tiles, blocks, pieces and threads come into play: values against the references, views
 * against copies, and the same bits for any number of threads. */
#include <stdio.h>
#include <string.h>

#include "every_isa.h"
#include "ops/property.h"
#include "ops/reference.h"
#include <criterion/parameterized.h>

typedef struct large {
    const char *op, *samples;
} large;

static const large larges[] = {
    {"add", "f(40007) f(40007) ; f(130,300) f(300) ; f(300,1) f(130) ; f(7,259,11) f(259,1)"},
    {"tanh", "f(131,257) ; f(40001)"},
    {"lt", "f(150,300) f(150,1)"},
    {"where", "b(130,1) f(130,300) f(300)"},
    {"sum", "f(40001) ; f(130,300) | axes=0 ; f(130,300) | axes=1 ; f(3,2500,5) | axes=1 ; f(33,9,33,4) | axes=0,2 ; "
            "f(2,1100,3,7) | axes=1,3"},
    {"mean", "f(70,500) ; f(300,70) | axes=0 keepdim=true"},
    {"max", "f(40001) ; f(130,300) | axes=0 ; f(5,2000,4) | axes=1"},
    {"prod", "f(2000) ; f(130,300) | axes=0 ; f(130,300) | axes=1"},
    {"min", "f(40001) ; f(5,2000,4) | axes=1"},
    {"any", "b(40001) ; b(130,300) | axes=0"},
    {"count_nonzero", "b(40001) ; f(130,300) | axes=0 ; f(33,9,33,4) | axes=0,2"},
    {"var",
     "f(40001) ; f(130,300) | axes=0 ; f(130,300) | axes=1 ; f(33,9,33,4) | axes=0,2 ; f(2,1100,3,7) | axes=1,3"},
    {"logsumexp", "f(40001) ; f(130,300) | axes=0 ; f(33,9,33,4) | axes=0,2"},
    {"norm", "f(40001) ; f(130,300) | axes=0 p=3 ; f(130,300) | axes=1 p=inf"},
    {"argmax", "f(40001) ; f(130,300) | axes=0 ; f(130,300) | axes=1 ; f(5,2000,4) | axes=1"},
    {"cumsum", "f(1500) | axis=0 ; f(70,600) | axis=0 ; f(130,100) | axis=1"},
    {"cumprod", "f(19,3000) | axis=0"},
    {"mul_shifted",
     "f(40001) f(40001) | axis=0 b_shift=-1 ones=true ; f(130,300) f(130,300) | axis=0 a_shift=2 b_shift=-1"},
    {"prod_others", "f(9,3000) f(1,3000) | axis=0"},
    {"cummax", "f(70,600) | axis=0 ; f(100,100) | axis=1"},
    {"sum_to", "f(60,70,8) | shape=70,1 ; f(2000,17) | shape=17"},
    {"matmul",
     "f(140,70) f(70,270) ; f(3,33,129) f(129,65) ; f(257,3) f(3,1) ; f(1,600) f(600,5) ; f(5,1,40,30) f(3,30,20)"},
    {"linear",
     "f(140,70) f(270,70) f(270) ; f(3,33,129) f(65,129) f(65) ; f(130,200) f(90,200) ; f(1,240) f(300,240) f(300) ; "
     "f(64,270) f(128,270) f(128)"},
    {"linear_scan", "f(19,3000) f(19,3000) | axis=0 ; f(2000,19) f(2000,19) | axis=1 reverse=true"},
    {"conv2d", "f(2,9,20,21) f(13,9,3,3) | padding=1 ; f(1,130,5,5) f(4,130,2,2) ; f(2,3,40,41) f(5,3,5,4) | stride=2 "
               "padding=2,1"},
    {"conv2d_input", "f(2,13,20,21) f(13,9,3,3) | shape=2,9,20,21 padding=1 ; "
                     "f(1,3,20,20) f(3,64,3,3) | shape=1,64,20,20 padding=1"},
    {"conv2d_weight", "f(2,13,20,21) f(2,9,20,21) | shape=13,9,3,3 padding=1 ; "
                      "f(3,3,20,20) f(3,64,20,20) | shape=3,64,3,3 padding=1"},
    {"softmax", "f(200,70) | axis=1 ; f(70,200) | axis=0 ; f(5,70,60) | axis=1 ; f(6000,3) ; f(70,15) ; f(70,16)"},
    {"log_softmax", "f(200,70) | axis=1 ; f(6000,3) ; f(5,70,60) | axis=1"},
    {"softmax_grad", "f(6000,3) f(6000,3) | axis=1 ; f(5,70,60) f(5,70,60) | axis=1"},
    {"log_softmax_grad", "f(6000,3) f(6000,3) | axis=1 ; f(5,70,60) f(5,70,60) | axis=1"},
    {"cross_entropy", "f(300,40) i(300)<40 ; f(6000,3) i(6000)<3 ; f(70,15) i(70)<15 ; f(70,16) i(70)<16"},
    {"cross_entropy_grad",
     "f() f(300,40) i(300)<40 ; f() f(6000,3) i(6000)<3 ; f() f(300,15) i(300)<15 | ignore_index=7"},
    {"batch_norm_own", "f(70,37) f(37) f(37) | eps=0.01 ; f(20,19,13) f(19) f(19) | eps=0.01"},
    {"layer_norm",
     "f(70,700) f(700) f(700) | normalized_shape=700 ; f(3,4000) f(4000) f(4000) | normalized_shape=4000 ; "
     "f(900,37) f(37) | normalized_shape=37"},
    {"rms_norm", "f(70,500) f(500) | normalized_shape=500"},
    {"group_norm", "f(9,12,20,19) f(12) f(12) | num_groups=3 ; f(600,40) f(40) f(40) | num_groups=5"},
    {"row_norm_grad",
     "f(70,60) f(70,60) f(60) ; f(9,12,35) f(9,12,35) f(12) | num_groups=3 ; f(200,20) f(200,20) f(20) | "
     "num_groups=5 eps=0.1"},
    {"take", "f(100,70) i(300)<100 ; f(7,50,9) i(80,3)<50 | axis=1"},
    {"take_add", "f(300,70) i(300)<100 | shape=100,70"},
    {"gather", "f(100,90) i(100,90)<90 | axis=1"},
    {"gather", "f(100,40) i(300,40)<100 | axis=0 ; f(7,50,60) i(7,80,60)<50 | axis=1 ; "
               "f(90,200) i(170,199)<90 | axis=0"},
    {"gather_add", "f(300,70) i(300,70)<40 | axis=0 shape=40,70 ; f(200,170) i(200,170)<40 | axis=1 shape=200,40 ; "
                   "f(170,199) i(170,199)<40 | axis=0 shape=40,200"},
    {"scatter", "f(300,70) i(500,70)<300 f(500,70) | axis=0 ; f(200,170) i(200,170)<170 f(200,170) | axis=1 ; "
                "f(90,200) i(170,199)<90 f(170,199) | axis=0 ; f(2,50,200) i(2,170,200)<50 f(2,170,200) | axis=1"},
    {"index_copy", "f(300,70) i(500)<300 f(500,70) | axis=0 ; f(20,50,30) i(90)<50 f(20,90,30) | axis=1 ; "
                   "f(90,200) i(170)<90 f(170,200) | axis=0"},
    {"pad", "f(40,20,30) | pad=3,2,1,4 mode=reflect ; f(300,170) | pad=9,8,7,6 mode=circular ; f(200,100) | pad=1,1"},
    {"unpad",
     "f(40,25,35) | shape=40,20,30 pad=3,2,1,4 mode=reflect ; f(313,187) | shape=300,170 pad=9,8,7,6 mode=circular"},
    {"roll", "f(300,170) | shifts=7,-9 axes=0,1"},
    {"unfold_add", "f(9,40,30,5) | shape=9,83,30 axis=1 size=5 step=2"},
    {"searchsorted", "f(1)=0 f(20000)"},
    {"topk", "f(40,200) | k=11 ; f(200,40) | k=150 axis=0"},
    {"sort", "f(40,200) ; f(200,40) | axis=0 descending=true ; f(3,700) ; i(2,600)<90"},
    {"kthvalue", "f(40,200) | k=77 ; f(200,40) | k=9 axis=0"},
    {"median", "f(40,200) | axes=1 ; f(2000)"},
    {"quantile", "f(40,200) f(3)=0.21,0.5,0.93 | axes=1 ; f(200,40) | q=0.37 axes=0"},
    {"scatter_reduce",
     "f(100,40) i(300,40)<100 f(300,40) | axis=0 reduce=amax ; f(7,50,60) i(7,80,60)<50 f(7,80,60) | axis=1 "
     "reduce=amin include_self=false"},
    {"scatter_share",
     "f(100,40) f(100,40) f(300,40) i(300,40)<100 | axis=0 ; f(7,50,60) f(7,50,60) f(7,80,60) i(7,80,60)<50 | axis=1 "
     "largest=false"},
    {"scatter_scan", "f(300,40) i(300,40)<300 f(300,40) f(300,40) | axis=0 ; f(7,150,60) i(7,80,60)<150 f(7,80,60) | "
                     "axis=1 reverse=true"},
    {"im2col", "f(3,20,30,31) | kernel_size=3 padding=1"},
    {"col2im", "f(3,90,180) | output_size=30,31 kernel_size=3 stride=2 padding=0,1 dilation=3,2"},
    {"max_windows", "f(3,3710) | image=35,106 kernel_size=3,3 stride=1,2 padding=1,1 dilation=1,1 output_size=35,53 ;"
                    "f(8,1200) | image=1200 kernel_size=4 stride=2 padding=1 dilation=3 output_size=597 ;"
                    "f(20,300) | image=300 kernel_size=3 stride=1 padding=1 dilation=1 output_size=300 ;"
                    "f(4,900) | image=900 kernel_size=5 stride=3 padding=2 dilation=1 output_size=300"},
    {"mode", "i(40,200)<90 ; f(200,40) | axis=0"},
    {"concat", "f(100,70) f(100,50) f(100,3) | axis=1"},
    {"contiguous", "f(200,170)"},
    {"cast", "f(20000) | dtype=i64"},
    {"cholesky", "d(45,45) ; d(9,20,20)"},
    {"cholesky_grad", "f(45,45) d(45,45) ; f(9,20,20) d(9,20,20)"},
    {"kron", "f(70,20) f(2,15) ; f(200) f(200)"},
    {"kron_grad", "f(140,300) f(70,20) f(2,15) ; f(40000) f(200) f(200)"},
    {"solve_triangular", "d(70,70) f(70,33) ; d(6,20,20) f(6,20,30) | upper=true transpose=true"},
    {"dropout_mask", "| shape=33333 p=0.3"},
    {"uniform", "| shape=33333 high=3"},
    {"randn", "| shape=33333 std=2"},
    {"exponential", "| shape=33333"},
    {"randint", "| shape=33333 high=1000"},
    {"randperm", "| n=3333"},
};

enum { ROWS = sizeof larges / sizeof *larges };

ParameterizedTestParameters(ops, large) {
    static int index[ROWS];
    for (int i = 0; i < ROWS; i++) index[i] = i;
    return cr_make_param_array(int, index, ROWS);
}

/* A test each, for they take long under a sanitizer: several can then run side by side. */
ParameterizedTest(int *index, ops, large) {
    const large *row = &larges[*index];
    for (int i = 0; ag__isa_at(i); i++) {
        sample s;
        cr_assert(ag__isa_use(ag__isa_at(i)));
        for (const char *rest = row->samples; (rest = sample_next(rest, row->op, &s)) != NULL;) {
            values(&s);
            views(&s);
        }
    }
    ag__isa_use(ag__isa_at(0));
}

static int outputs_with(const sample *s, ag_tape *t, int threads, ag_tensor *out[]) {
    ag_tensor *in[SAMPLE_INPUTS];
    need(s, sample_tensors(s, t, AG_F32, 0, in), "%s", ag_tape_message(t));
    ag_set_threads(threads);
    ag_tensor *y = sample_call(s, t, in);
    need(s, y != NULL, "%s", ag_tape_message(t));
    return sample_outputs(y, out, 3);
}

static void any_threads(const sample *s) {
    char text[CHECK_TEXT];
    for (int threads = 2; threads <= 5; threads += 3) {
        ag_tape *t = ag_tape_new(), *u = ag_tape_new();
        ag_tensor *one[3], *many[3];
        int n = outputs_with(s, t, 1, one);
        outputs_with(s, u, threads, many);
        for (int i = 0; i < n; i++) need(s, check_same(many[i], one[i], text), "%d threads: %s", threads, text);
        ag_tape_free(t);
        ag_tape_free(u);
    }
}

TestEveryISA(ops, large_is_independent_of_threads) {
    for (size_t k = 0; k < ROWS; k++) {
        sample s;
        for (const char *rest = larges[k].samples; (rest = sample_next(rest, larges[k].op, &s)) != NULL;)
            any_threads(&s);
    }
}
