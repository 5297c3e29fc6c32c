/* peak.c: the machine's limits, to hold results against: multiply-adds from registers, and a triad through memory.
 *
 * The widest vectors of the processor are used, whatever the library was told to use. Best of several tries. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { ROUNDS = 200000, CHAINS = 16, MOST_THREADS = 64 };

/* CHAINS independent multiply-adds in a loop: enough to hide the latency of any processor. */
#define CHAIN(name, T, bytes, attributes)                                                                        \
    attributes static double name(void) {                                                                        \
        typedef T vec __attribute__((vector_size(bytes)));                                                       \
        const volatile T seed = (T)0.5; /* sixteen different values that the compiler cannot know */             \
        const vec m = (vec){0} + (T)0.999, c = (vec){0} + (T)0.001, s0 = (vec){0} + seed;                        \
        vec a0 = s0, a1 = s0 + 1, a2 = s0 + 2, a3 = s0 + 3, a4 = s0 + 4, a5 = s0 + 5, a6 = s0 + 6, a7 = s0 + 7;  \
        vec b0 = s0 - 1, b1 = s0 - 2, b2 = s0 - 3, b3 = s0 - 4, b4 = s0 - 5, b5 = s0 - 6, b6 = s0 - 7, b7 = -s0; \
        double start = bench_now();                                                                              \
        for (int i = 0; i < ROUNDS; i++) {                                                                       \
            a0 = a0 * m + c, a1 = a1 * m + c, a2 = a2 * m + c, a3 = a3 * m + c;                                  \
            a4 = a4 * m + c, a5 = a5 * m + c, a6 = a6 * m + c, a7 = a7 * m + c;                                  \
            b0 = b0 * m + c, b1 = b1 * m + c, b2 = b2 * m + c, b3 = b3 * m + c;                                  \
            b4 = b4 * m + c, b5 = b5 * m + c, b6 = b6 * m + c, b7 = b7 * m + c;                                  \
        }                                                                                                        \
        double seconds = bench_now() - start;                                                                    \
        vec s = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7;                   \
        volatile T keep = s[0];                                                                                  \
        (void)keep;                                                                                              \
        return 2.0 * CHAINS * ROUNDS * ((double)(bytes) / sizeof(T)) / seconds;                                  \
    }

/* Contraction is off in this project; here it is the point. */
#if defined(__GNUC__) && !defined(__clang__)
#define CONTRACT __attribute__((optimize("fp-contract=fast")))
#else
#define CONTRACT
#pragma clang fp contract(fast)
#endif
#if defined(__x86_64__)
CHAIN(wide_f32, float, 64, CONTRACT __attribute__((target("avx512f,fma"))))
CHAIN(wide_f64, double, 64, CONTRACT __attribute__((target("avx512f,fma"))))
CHAIN(half_f32, float, 32, CONTRACT __attribute__((target("avx2,fma"))))
CHAIN(half_f64, double, 32, CONTRACT __attribute__((target("avx2,fma"))))
#endif
CHAIN(base_f32, float, 16, CONTRACT)
CHAIN(base_f64, double, 16, CONTRACT)

static double flops_once(bool f64) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return f64 ? wide_f64() : wide_f32();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return f64 ? half_f64() : half_f32();
#endif
    return f64 ? base_f64() : base_f32();
}

typedef struct task {
    bool f64, memory;
    double best;
} task;

enum { TRIAD = 8 << 20 }; /* doubles an array: 64 MiB */

static double triad_once(double *a, const double *b, const double *c) {
    double start = bench_now();
    for (int64_t i = 0; i < TRIAD; i++) a[i] = b[i] + 3 * c[i];
    return 3.0 * sizeof(double) * TRIAD / (bench_now() - start);
}

static void *measure(void *argument) {
    task *w = argument;
    double *a = w->memory ? malloc(3 * sizeof(double) * TRIAD) : NULL;
    if (a) memset(a, 0, 3 * sizeof(double) * TRIAD);
    for (int i = 0; i < 12; i++) {
        double now = !w->memory ? flops_once(w->f64) : a ? triad_once(a, a + TRIAD, a + 2 * TRIAD) : 0;
        if (now > w->best) w->best = now;
    }
    free(a);
    return NULL;
}

static double together(int threads, bool f64, bool memory) {
    pthread_t thread[MOST_THREADS];
    task w[MOST_THREADS];
    double sum = 0;
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    for (int i = 0; i < threads; i++) {
        w[i] = (task){f64, memory, 0};
        if (pthread_create(&thread[i], NULL, measure, &w[i])) threads = i;
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
        sum += w[i].best;
    }
    return sum;
}

double bench_peak_flops(int threads, bool f64) {
    static double known[2];
    if (known[f64] == 0) known[f64] = together(threads, f64, false);
    return known[f64];
}

double bench_peak_bytes(int threads) {
    static double known;
    if (known == 0) known = together(threads, false, true);
    return known;
}
