/* main.c: ag_bench, which verifies problems, then times them.
 *
 *     ag_bench [--json] [--threads N] [--seconds S] PROBLEM…      median, minimum, rate, share of the machine's peak, memory
 *     ag_bench --serve PROBLEM                                    for comparisons: one batch for each line of input
 *
 * A sample is a batch of runs of at least 50 µs; the median is taken over samples that fill S seconds and are 30 at least. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "ops/ops.h"

static const char usage[] =
    "usage: ag_bench [--json] [--threads N] [--seconds S] PROBLEM...\n"
    "       ag_bench --serve PROBLEM\n"
    "\n"
    "  matmul:f32:nn:512x512x512   C (M,N) = A (M,K) B (K,N), given as MxNxK; t for n: stored transposed\n"
    "  map:tanh:f32:1e6            an elementwise operation, forward; map:gelu:f32:1e6:backward: and backward\n"
    "  step:a                      a training step: a (XOR), b (iris), c1, c2 (784-..-10), h (elementwise chain),\n"
    "                              i, i:wanted, i:cold (one-element nodes)\n"
    "  rows:softmax_ce:256x10000   forward and backward: softmax_ce, layer_norm, embedding:NxROWSxWIDTH, scatter_add;\n"
    "                              sum, max, logsumexp over an axis: sum0, sum1; forward: transpose, argmax0\n"
    "  random:uniform:f32:1e6      random numbers: uniform, normal, exponential, gamma, bernoulli, dropout, randint, "
    "randperm\n"
    "\n"
    "Every problem is verified before it is timed. Memory is what one run takes beyond what lasts: parameters, their\n"
    "gradients, data. AG_ISA chooses the instruction set, --threads or AG_THREADS the "
    "threads.\n";

typedef struct options {
    bool json, serve;
    double seconds;
} options;

static bool run_batch(bench *b, int64_t runs, double *seconds) {
    double start = bench_now();
    for (int64_t i = 0; i < runs; i++) {
        if (!b->run(b)) return bench_fail(b, "%s", ag_tape_message(b->tape));
    }
    *seconds = (bench_now() - start) / ((double)runs * b->runs);
    return true;
}

/* How many runs last `least` seconds; also warms up. */
static int64_t batch_of(bench *b, double least) {
    for (int64_t runs = 1;; runs *= 2) {
        double each = 0;
        if (!run_batch(b, runs, &each)) return 0;
        if (each * b->runs * (double)runs >= least) return runs;
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What a run takes from the system when the tape holds nothing that it does not need, but the tables of its nodes, which a
 * gradient of nothing much has made. */
static bool run_bytes(bench *b, size_t *bytes) {
    double seconds;
    ag_tensor *x = ag_param(b->tape, AG_F32, AG_SHAPE());
    ag_mark mark = ag_tape_mark(b->tape);
    ag_tape_trim(b->tape);
    if (!ag_backward(ag_square(x)) || !ag_tape_rewind(b->tape, mark)) return false;
    size_t before = ag_tape_bytes(b->tape);
    if (!run_batch(b, 1, &seconds)) return false;
    *bytes = ag_tape_bytes(b->tape) - before;
    return true;
}

static const char *time_text(double seconds, char out[32]) {
    const char *unit = seconds < 1e-6 ? "ns" : seconds < 1e-3 ? "µs" : "ms";
    snprintf(out, 32, "%.3g %s", seconds * (seconds < 1e-6 ? 1e9 : seconds < 1e-3 ? 1e6 : 1e3), unit);
    return out;
}

static void report(const bench *b, const options *o, double median, double least, int samples, size_t bytes) {
    double units = b->units > 0 ? b->units : 1, rate = b->flops > 0 ? b->flops / median : b->bytes / median;
    bool f64 = strstr(b->name, ":f64") != NULL;
    double peak = b->flops > 0   ? bench_peak_flops(ag_threads(), f64)
                  : b->bytes > 0 ? bench_peak_bytes(ag_threads())
                                 : 0;
    const char *rate_unit = b->flops > 0 ? "GFLOP/s" : "GB/s";
    if (o->json) {
        printf("{\"problem\": \"%s\", \"median_s\": %.6g, \"minimum_s\": %.6g, \"per\": \"%s\", \"samples\": %d, ",
               b->name, median / units, least / units, b->unit ? b->unit : "run", samples);
        if (peak > 0)
            printf("\"%s\": %.4g, \"of_peak\": %.3g, ", b->flops > 0 ? "gflops" : "gbytes", rate * 1e-9, rate / peak);
        printf("\"run_bytes\": %zu, \"isa\": \"%s\", \"threads\": %d}\n", bytes, ag_isa(), ag_threads());
        return;
    }
    char a[32], c[32];
    printf("%-34s %9s median %9s min", b->name, time_text(median / units, a), time_text(least / units, c));
    if (b->unit) printf(" per %s", b->unit);
    if (peak > 0)
        printf("  %7.1f %s, %.0f %% of %s", rate * 1e-9, rate_unit, 100 * rate / peak, b->flops > 0 ? "peak" : "triad");
    if (bytes > 0) printf(", %.3g MB", 1e-6 * (double)bytes);
    printf("  (%s, %d thread%s)\n", ag_isa(), ag_threads(), ag_threads() == 1 ? "" : "s");
}

static bool measure(bench *b, const options *o) {
    enum { MOST = 20000, LEAST = 30 };
    static double sample[MOST];
    int count = 0;
    int64_t runs = batch_of(b, 50e-6);
    if (!runs) return false;
    for (double end = bench_now() + o->seconds; count < MOST && (count < LEAST || bench_now() < end); count++) {
        if (!run_batch(b, runs, &sample[count])) return false;
    }
    qsort(sample, (size_t)count, sizeof *sample, by_value);
    size_t bytes;
    if (!run_bytes(b, &bytes)) return false;
    report(b, o, sample[count / 2], sample[0], count, bytes);
    return true;
}

/* One line in, one batch of at least 20 ms, its time per problem out. */
static bool serve(bench *b) {
    char line[64];
    int64_t runs = batch_of(b, 20e-3);
    double seconds = 0;
    if (!runs) return false;
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (!run_batch(b, runs, &seconds)) return false;
        printf("%.9g\n", seconds / (b->units > 0 && strcmp(b->unit, "node") == 0 ? b->units : 1));
        fflush(stdout);
    }
    return true;
}

static bool one(const char *name, const options *o) {
    bench b;
    bool good = bench_open(&b, name) && (o->serve ? serve(&b) : measure(&b, o));
    if (!good) fprintf(stderr, "ag_bench: %s: %s\n", name, *b.error ? b.error : ag_tape_message(b.tape));
    bench_close(&b);
    return good;
}

int main(int argc, char **argv) {
    options o = {false, false, 1};
    int first = 1;
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first++) {
        const char *word = argv[first], *value = first + 1 < argc ? argv[first + 1] : "";
        if (strcmp(word, "--json") == 0) {
            o.json = true;
        } else if (strcmp(word, "--serve") == 0) {
            o.serve = true;
        } else if (strcmp(word, "--threads") == 0 && atoi(value) > 0) {
            ag_set_threads(atoi(value));
            first++;
        } else if (strcmp(word, "--seconds") == 0 && atof(value) > 0) {
            o.seconds = atof(value);
            first++;
        } else {
            fputs(usage, strcmp(word, "--help") ? stderr : stdout);
            return strcmp(word, "--help") ? 2 : 0;
        }
    }
    if (first == argc) {
        fputs(usage, stderr);
        return 2;
    }
    bool good = true;
    for (int i = first; i < argc; i++) good = one(argv[i], &o) && good;
    return good ? 0 : 1;
}
