/* blas_peer.c: a matrix product by another library, for tools/bench/compare.py. Compiled there, once for each library:
 *
 *     cc -O2 -D PEER_DNNL blas_peer.c -ldnnl              oneDNN: dnnl_sgemm
 *     cc -O2 blas_peer.c -lopenblas                       OpenBLAS, or BLIS: -lblis
 *
 * Serves like `ag_bench --serve`, for its problems matmul:f32:nn:MxNxK, with f64 but for oneDNN, and t for a turned operand. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(PEER_DNNL)
#include <dnnl.h>
#else
#include <cblas.h>
#endif

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct product {
    int m, n, k, ta, tb, f64;
    void *a, *b, *c;
} product;

static int run(const product *p) {
    int lda = p->ta ? p->m : p->k, ldb = p->tb ? p->k : p->n;
#if defined(PEER_DNNL)
    return dnnl_sgemm(p->ta ? 'T' : 'N', p->tb ? 'T' : 'N', p->m, p->n, p->k, 1, p->a, lda, p->b, ldb, 0, p->c, p->n) ==
           dnnl_success;
#else
    enum CBLAS_TRANSPOSE ta = p->ta ? CblasTrans : CblasNoTrans, tb = p->tb ? CblasTrans : CblasNoTrans;
    if (p->f64) {
        cblas_dgemm(CblasRowMajor, ta, tb, p->m, p->n, p->k, 1, p->a, lda, p->b, ldb, 0, p->c, p->n);
    } else {
        cblas_sgemm(CblasRowMajor, ta, tb, p->m, p->n, p->k, 1, p->a, lda, p->b, ldb, 0, p->c, p->n);
    }
    return 1;
#endif
}

static void *random_matrix(size_t size, int f64) {
    void *v = aligned_alloc(64, (size * 8 + 63) / 64 * 64);
    if (!v) exit(1);
    for (size_t i = 0; i < size; i++) {
        double x = (double)rand() / RAND_MAX - 0.5;
        if (f64) {
            ((double *)v)[i] = x;
        } else {
            ((float *)v)[i] = (float)x;
        }
    }
    return v;
}

int main(int argc, char **argv) {
    product p = {0};
    char dtype[4], way[3], line[64];
    if (argc != 2 || sscanf(argv[1], "matmul:%3[f0-9]:%2[nt]:%dx%dx%d", dtype, way, &p.m, &p.n, &p.k) != 5) return 2;
    p.f64 = strcmp(dtype, "f64") == 0;
    p.ta = way[0] == 't';
    p.tb = way[1] == 't';
    size_t m = (size_t)p.m, n = (size_t)p.n, k = (size_t)p.k;
    p.a = random_matrix(m * k, p.f64);
    p.b = random_matrix(k * n, p.f64);
    p.c = random_matrix(m * n, p.f64);
    for (int i = 0; i < 3; i++) { /* the library makes its kernels and threads */
        if (!run(&p)) return 1;
    }
    long count = 1; /* of a batch that takes 20 ms */
    for (double took = 0; took < 0.02; count *= took < 0.02 ? 2 : 1) {
        double start = now();
        for (long i = 0; i < count; i++) {
            if (!run(&p)) return 1;
        }
        took = now() - start;
    }
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        double start = now();
        for (long i = 0; i < count; i++) run(&p);
        printf("%.9g\n", (now() - start) / (double)count);
        fflush(stdout);
    }
    return 0;
}
