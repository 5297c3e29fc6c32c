/* property_values.c: what operations compute, against the references. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/property.h"
#include "ops/reference.h"

/* By family, one line each. */
const char integer_ops[] =
    " add sub mul neg maximum minimum abs sign eq ne lt le gt ge same where cast"
    " floor_divide remainder fmod fmax fmin floor ceil round trunc heaviside square relu"
    " logical_and logical_or logical_xor logical_not isnan isinf isfinite isposinf isneginf signbit"
    " sum max sum_to prod min amax amin nansum any all count_nonzero prod_others argmax argmin"
    " cumsum cumprod mul_shifted linear_scan cummax cummin diff topk sort argsort msort kthvalue median nanmedian mode"
    " aminmax tensor_split scatter_reduce scatter_scan index_reduce im2col col2im"
    " reshape permute transpose expand slice unslice concat contiguous alias detach"
    " take take_add embedding gather gather_add"
    " swapaxes movedim squeeze unsqueeze flatten unflatten broadcast_to"
    " index_select index_add index_copy scatter scatter_pick scatter_add"
    " take_along_axis put_along_axis"
    " select narrow split split_with_sizes chunk unbind flip fliplr flipud rot90 diagonal undiagonal"
    " diag_embed diag diagflat unfold stack hstack vstack column_stack dstack broadcast_tensors"
    " meshgrid tile repeat repeat_interleave roll pad full_like zeros_like ones_like randint_like masked_select "
    "flatnonzero nonzero"
    " masked_fill triu unfold_add unpad masked_scatter searchsorted bucketize"
    " rsub expand_as reshape_as t atleast_1d atleast_2d atleast_3d pixel_shuffle pixel_unshuffle"
    " add_scaled sub_scaled div_rounded clamp_between masked_fill_tensor nan_to_num clamp_min clamp_max isclose"
    " matmul mm bmm mv dot vdot vecdot inner outer kron cross addmm addmv baddbmm addbmm addr"
    " linear bilinear tensordot multi_dot chain_matmul einsum matrix_power trace"
    " hsplit vsplit dsplit put select_scatter slice_scatter diagonal_scatter block_diag cartesian_prod combinations"
    " isin allclose equal index_put tril assign ";
const char bool_ops[] =
    " cast any all count_nonzero where eq ne lt le gt ge same"
    " logical_and logical_or logical_xor logical_not isnan isinf isfinite isposinf isneginf signbit"
    " reshape permute transpose expand slice unslice concat contiguous alias detach"
    " take embedding gather"
    " swapaxes movedim squeeze unsqueeze flatten unflatten broadcast_to"
    " index_select index_copy index_fill scatter scatter_pick take_along_axis put_along_axis"
    " select narrow split split_with_sizes chunk unbind flip fliplr flipud rot90 diagonal undiagonal"
    " diag_embed diag diagflat unfold stack hstack vstack column_stack dstack broadcast_tensors"
    " meshgrid tile repeat repeat_interleave roll pad full_like zeros_like ones_like masked_select flatnonzero nonzero"
    " masked_fill masked_fill_tensor tensor_split sort argsort msort mode assign"
    " hsplit vsplit dsplit put index_put select_scatter slice_scatter diagonal_scatter block_diag cartesian_prod "
    "combinations"
    " expand_as reshape_as t atleast_1d atleast_2d atleast_3d pixel_shuffle pixel_unshuffle equal ";

bool listed(const char *list, const char *word) {
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n) {
        if (at > list && at[-1] == ' ' && at[n] == ' ') return true;
    }
    return false;
}

static void compare(const sample *s, const char *what, const ag_tensor *y, const array *expected, double tolerance) {
    char text[CHECK_TEXT];
    ag_dtype dtype = ag_dtype_of(y);
    need(s, dtype == expected->dtype, "%s is %s, not %s", what, ag_dtype_name(dtype), ag_dtype_name(expected->dtype));
    need(s, check_shape(y, expected->shape, text), "%s %s", what, text);
    if (dtype == AG_F32) { /* the reference as f32 holds it, so that exact can be exact */
        for (int64_t i = 0; i < expected->size; i++) expected->v[i] = (double)(float)expected->v[i];
    }
    need(s, check_values(y, expected->v, expected->size, tolerance, text), "%s in %s: %s", what, ag_dtype_name(dtype), text);
}

/* Under valgrind a long double has the digits of a double, too few for a reference that takes differences. */
static bool long_doubles_are_long(void) {
    volatile long double one = 1, more = one + LDBL_EPSILON;
    return more != one;
}

static void run_in(const sample *s, ag_dtype dtype) {
    ag_tape *t = ag_tape_new();
    ag_tensor *in[SAMPLE_INPUTS], *out[3];
    need(s, sample_tensors(s, t, dtype, 0, in), "%s", ag_tape_message(t));
    ag_tensor *y = sample_call(s, t, in);
    need(s, y != NULL, "in %s: %s", ag_dtype_name(dtype), ag_tape_message(t));
    problem p;
    const reference *r = reference_run(s, dtype, y, &p);
    double terms = 1; /* the rounding of long sums adds up */
    for (int i = 0; i < s->n; i++) terms = fmax(terms, 1 + (double)p.in[i].size / 4096);
    int nout = sample_outputs(y, out, 3);
    double unit = dtype == AG_F64 && ag_dtype_of(out[0]) != AG_F32 ? 1e-12 : 1e-5;
    if (unit < 1e-9 && !long_doubles_are_long() && strcmp(s->op->name, "standard_gamma_grad") == 0) unit = 1e-9;
    double tolerance = r->exact || dtype == AG_I64 ? 0 : unit * terms;
    need(s, nout == p.nout, "has %d outputs, not %d", nout, p.nout);
    for (int i = 0; i < nout; i++) {
        char what[16];
        snprintf(what, sizeof what, "output %d", i);
        compare(s, what, out[i], &p.out[i], tolerance);
    }
    for (int i = 0; i < s->n; i++) {
        if (s->op->writes >> i & 1) compare(s, "the written leaf", in[i], &p.in[i], tolerance);
    }
    ag_tape_free(t);
}

void values(const sample *s) {
    bool definite = false;
    for (int i = 0; i < s->n; i++) definite = definite || s->in[i].kind == 'd';
    run_in(s, AG_F64);
    run_in(s, AG_F32);
    if (listed(integer_ops, s->op->name) && !definite) run_in(s, AG_I64);
}

/* The same values from other ops: of one output by compose, of several by expand. */
static int other_ops(const sample *s, ag_tensor *y, ag_tensor *out[]) {
    if (s->op->expand) return s->op->expand(y, out) ? s->op->nout : 0;
    ag_tensor *same = ag_op_of(y) == s->op ? s->op->compose(y) : y; /* else the call was no plain one, and is its composition */
    return same ? sample_outputs(same, out, 3) : 0;
}

void composition(const sample *s) {
    if ((!s->op->compose && !s->op->expand) || !s->op->run) return;
    for (ag_dtype dtype = AG_F32; dtype <= AG_F64; dtype++) {
        char text[CHECK_TEXT];
        ag_tape *t = ag_tape_new();
        ag_tensor *in[SAMPLE_INPUTS], *out[3], *same[3];
        need(s, sample_tensors(s, t, dtype, 0, in), "%s", ag_tape_message(t));
        ag_tensor *y = sample_call(s, t, in);
        int n = y ? sample_outputs(y, out, 3) : 0;
        need(s, n > 0 && other_ops(s, y, same) == n, "%s", ag_tape_message(t));
        for (int i = 0; i < n; i++) {
            need(s, check_near(same[i], out[i], dtype == AG_F64 ? 1e-12 : 1e-5, text), "output %d in %s: %s", i,
                 ag_dtype_name(dtype), text);
        }
        ag_tape_free(t);
    }
}
