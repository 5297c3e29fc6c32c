/* factor.h: square matrices as L D U in double precision, and triangles applied. For lu.c and determinant.c. */
#ifndef OPS_FACTOR_H
#define OPS_FACTOR_H

#include "autograd/op.h"

/* One matrix a (n,n), all in place at t, rows `row` apart:
 *
 *     a[rows[i]][cols[j]] = (L D U)[i][j]      below the diagonal −L, whose own diagonal is 1;  on it D;  above it −U or D U
 *
 * ag__factor:  D U, and cols is 0, 1, …     ag__factor_apply needs −D U (ag__factor_turn) or 1 − U (ag__factor_fully). */
typedef struct ag__factors {
    int64_t n, row;
    double *t, *other; /* other: where another is asked for, as large as t */
    double *x, *d;     /* the caller's: x (n,m), rows x_row apart; d has room for 2 n */
    int64_t m, x_row;
    bool another;
    int64_t *rows, *cols;
    int64_t reached; /* n, or the first pivot that is 0 */
    bool odd;        /* rows and columns traded places an odd number of times */
    int lanes;       /* threads that may share one matrix */
    char *work;      /* of each of them */
} ag__factors;

/* In run: one(context, f, i) for each i of `count`, in whatever threads, with memory for f's n, m and another.
 * It says false of a matrix that is singular, which is then the op's error: that of a, its input. `work`: multiplications of one. */
bool ag__factor_each(ag_tensor *y, const ag_tensor *a, int64_t count, ag__factors f, double work,
                     bool (*one)(const void *context, ag__factors *f, int64_t i), const void *context);

/* t becomes x, a float tensor, at `at` elements, with strides row and col. */
void ag__factor_load(ag__factors *f, const ag_tensor *x, int64_t at, int64_t row, int64_t col);
void ag__factor(ag__factors *f); /* the largest pivot of each column; goes on where that is 0 */
void ag__factor_turn(ag__factors *f);
/* Of what is loaded: the largest pivot of all that is left, so that D falls, and ends in zeros if a is singular. D goes to d, and
 * its place gets ones. ag__factor_split does the same to a matrix that ag__factor did, where no pivot is 0. */
void ag__factor_fully(ag__factors *f);
void ag__factor_split(ag__factors *f);
/* x = T⁻¹ x, T the triangle below or, upper, that on and above the diagonal; from the identity, which then need not be there to
 * its full extent: the columns of x to the right of row i of a lower T⁻¹ are 0. */
void ag__factor_apply(const ag__factors *f, bool upper, bool identity);
void ag__factor_identity(ag__factors *f); /* x = 1 */

#endif
