/* matmul.c: "matmul:f32:nn:MxNxK" is C (M,N) = A (M,K) · B (K,N). t in place of n: that operand is stored transposed.
 *
 * The nodes of several products are recorded once and run again by ag_replay, so what is timed is the kernel and little else.
 * Their results together fit a first-level cache where one alone does. */
#include <math.h>
#include <string.h>

#include "bench.h"
#include "ops/ops.h"

enum { RESULTS = 16 << 10 }; /* bytes of all results, unless one alone is larger */

static bool replay(bench *b) { return ag_replay(b->tape); }

/* |c − ref| / (ε Σ|a||b|) < 16 at up to 4096 places, as netlib's tester does it. */
static bool verify(bench *b, ag_tensor *p, ag_tensor *q, ag_tensor *y, double eps) {
    int64_t m = b->n[0], n = b->n[1], k = b->n[2], size = m * n, step = size > 4096 ? size / 4096 | 1 : 1;
    for (int64_t e = 0; e < size; e += step) {
        double sum = 0, scale = 0;
        for (int64_t i = 0; i < k; i++) {
            double term = ag_at(p, e / n * k + i) * ag_at(q, i * n + e % n);
            sum += term;
            scale += fabs(term);
        }
        if (!(fabs(ag_at(y, e) - sum) <= 16 * eps * scale))
            return bench_fail(b, "element %lld is %.9g, not %.9g", (long long)e, ag_at(y, e), sum);
    }
    return true;
}

bool bench_matmul(bench *b) {
    ag_dtype dtype;
    const char *way = b->word[2];
    if (!b->word[3]) return bench_fail(b, "say matmul:f32:nn:MxNxK");
    if (!bench_dtype(b, b->word[1], &dtype) || !bench_dims(b, b->word[3], 3, b->n)) return false;
    if (strlen(way) != 2 || strspn(way, "nt") != 2) return bench_fail(b, "'%s' is not nn, nt, tn or tt", way);
    int64_t m = b->n[0], n = b->n[1], k = b->n[2];
    bool ta = way[0] == 't', tb = way[1] == 't';
    ag_tensor *p = bench_leaf(b, dtype, ta ? AG_SHAPE(k, m) : AG_SHAPE(m, k), -1, 1, 0);
    ag_tensor *q = bench_leaf(b, dtype, tb ? AG_SHAPE(n, k) : AG_SHAPE(k, n), -1, 1, 0), *y = NULL;
    if (ta) p = ag_transpose(p, 0, 1);
    if (tb) q = ag_transpose(q, 0, 1);
    int64_t bytes = m * n * (int64_t)ag_dtype_size(dtype), times = bytes ? RESULTS / bytes : 1;
    times = times < 1 ? 1 : times > 16 ? 16 : times;
    for (int64_t i = 0; i < times; i++) y = ag_matmul(p, q);
    if (!y || !verify(b, p, q, y, dtype == AG_F32 ? 0x1p-24 : 0x1p-53)) return false;
    b->run = replay;
    b->runs = (double)times;
    b->flops = 2.0 * (double)m * (double)n * (double)k;
    return true;
}
