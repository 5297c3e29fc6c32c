/* bench.h: what a problem is to the benchmark: something that sets itself up, proves its result, and runs again and again.
 *
 *     "matmul:f32:nn:512x512x512"  ─ bench_open ─▶  verified problem  ─ run, run, run ─▶  samples  ─ report ─▶  one line
 *
 * The first word is the family, the rest is its own. Only public headers of the library are used. */
#ifndef AG_BENCH_H
#define AG_BENCH_H

#include "autograd/autograd.h"

enum { BENCH_WORDS = 8, BENCH_TEXT = 128 };

typedef struct bench {
    char name[BENCH_TEXT];         /* as typed */
    char text[BENCH_TEXT];         /* the same, cut at its colons into */
    const char *word[BENCH_WORDS]; /* words; NULL behind the last */
    ag_tape *tape;
    ag_mark mark;                 /* a run's nodes are dropped back to here */
    bool (*run)(struct bench *b); /* one run; false: the reason is in `error` or on the tape */
    double runs;                  /* how often the problem is done by one call of run; 0: once */
    double flops, bytes; /* of the problem once; 0: not said. Bytes: what must move at least, from or to memory */
    double units;        /* 0, or what the time is divided by: nodes of a chain */
    const char *unit;
    char error[256];
    ag_tensor *x[12]; /* the family's own: leaves, then whatever else */
    int64_t n[8];
    double v[4];
    void *own;
    uint64_t leaves; /* made so far, so that no two are alike */
} bench;

/* Each family makes its tensors, checks its result against something else, and fills in run and costs. */
bool bench_matmul(bench *b);
bool bench_map(bench *b);
bool bench_step(bench *b);
bool bench_rows(bench *b);
bool bench_random_ops(bench *b);

bool bench_fail(bench *b, const char *format, ...) AG_PRINTF(2, 3); /* false */
bool bench_open(bench *b, const char *name);                        /* sets up and verifies */
void bench_close(bench *b);
double bench_now(void);
double bench_random(uint64_t *state); /* uniform in [−1, 1) */
/* A leaf of random numbers in [lo, hi). */
ag_tensor *bench_leaf(bench *b, ag_dtype dtype, ag_shape shape, double lo, double hi, unsigned flags);
bool bench_near(bench *b, const char *what, double is, double expected, double tolerance); /* relative to max(|expected|, 1) */
bool bench_dims(bench *b, const char *word, int count, int64_t *out);                      /* "512x512x512", "1e6" */
bool bench_dtype(bench *b, const char *word, ag_dtype *out);

/* peak.c: what the machine can do with `threads` threads, measured once. */
double bench_peak_flops(int threads, bool f64); /* fused multiply-adds from registers, two operations each */
double bench_peak_bytes(int threads);           /* a = b + s c over arrays larger than the caches */

#endif
