/* reference.h: what each operation should compute, written again as plain loops over arrays of double.
 *
 *     sample, inputs as arrays  ─ reference of that name ─▶  outputs as arrays, with the dtypes and shapes they
 * should have
 *
 * Nothing of the library is called but for reading a random op's key; attributes are read from the sample's text,
 * with the defaults that ops.h states. An op that writes its inputs leaves in p->in what should be in them
 * afterwards. */
#ifndef TESTS_OPS_REFERENCE_H
#define TESTS_OPS_REFERENCE_H

#include "ops/sample.h"

typedef struct array {
    ag_dtype dtype;
    ag_shape shape;
    int64_t size;
    double *v; /* row-major */
} array;

typedef struct problem {
    const sample *s;
    ag_dtype dtype;     /* of the floats in this run */
    const ag_tensor *y; /* the node, of which random ops tell key and draw */
    array in[SAMPLE_INPUTS], out[3];
    int n, nout;
} problem;

typedef struct reference {
    const char *name;
    void (*run)(problem *p);
    bool exact;                                            /* moves or chooses: equal to the last bit */
    double (*value)(const double v[], double p, double q); /* of an elementwise op, of its inputs and attributes */
    const char *attributes;                                /* their names, one or two with a space between */
} reference;

/* The tables, one for each reference_….c, each ended by a NULL name. */
extern const reference references_rows[], references_smooth[], references_special[], references_shape[],
    references_axes[], references_index[], references_order[], references_put[], references_part[], references_join[],
    references_mask[], references_reduce[], references_scan[], references_softmax[], references_linear[],
    references_conv[], references_other[], references_random[], references_norm[], references_product[],
    references_loss[], references_blend[], references_forms[], references_pool[], references_combine[],
    references_matrix[], references_count[], references_svd[];
const reference *reference_find(const char *name);
/* Reads the sample's inputs and runs the op's reference; arrays are good until the next call. */
const reference *reference_run(const sample *s, ag_dtype dtype, const ag_tensor *y, problem *p);

/* The norm 2, -2 or nuc of a matrix (m,n), at most 8 by 8, element (i, j) at i row + j column. */
double reference_singular_norm(const double *a, int m, int n, int64_t row, int64_t column, const char *ord);

/* For references */

/* Output o, all zeros. */
double *reference_out(problem *p, int o, ag_dtype dtype, ag_shape shape);
double *reference_scratch(int64_t n);

/* Attributes of the sample; preset where it does not say. A list's length is returned, −1 where the sample has none. */
double reference_number(const problem *p, const char *name, double preset);
bool reference_flag(const problem *p, const char *name);
const char *reference_text(const problem *p, const char *name, char out[SAMPLE_TEXT]);
int reference_list(const problem *p, const char *name, int64_t out[AG_MAX_RANK]);
ag_shape reference_shape(const problem *p, const char *name);
ag_dtype reference_dtype(const problem *p, const char *name, ag_dtype preset);
int reference_axis(const problem *p, const char *name, int preset, int rank); /* not negative */
int64_t reference_extent(ag_shape s, int axis); /* of a scalar: 1, it is one element along axis 0 */

/* Row-major places: element i's coordinates, and back. */
void reference_place(ag_shape s, int64_t i, int64_t at[AG_MAX_RANK]);
int64_t reference_index(ag_shape s, const int64_t at[AG_MAX_RANK]);
/* The element of x that broadcasting puts at `at` of a shape of this rank. */
double reference_at(const array *x, const int64_t at[AG_MAX_RANK], int rank);
ag_shape reference_broadcast(ag_shape a, ag_shape b);

#endif
