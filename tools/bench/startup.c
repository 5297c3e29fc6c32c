/* startup.c: from exec to the first gradient, and to the end of the process, against a process that does nothing; and the memory
 * that such a process holds, its code and the C library included, before any work worth the name. */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "autograd/autograd.h"
#include "ops/ops.h"

extern char **environ;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* d(x²)/dx at 3 */
static int first_gradient(void) {
    ag_tape *t = ag_tape_new();
    ag_tensor *x = ag_param(t, AG_F32, AG_SHAPE());
    bool good = ag_fill(x, 3) && ag_backward(ag_square(x)) && ag_item(ag_grad(x)) == 6;
    ag_tape_free(t);
    return good ? 0 : 1;
}

/* MiB resident; −1 where the system does not say. */
static double resident(void) {
    long all, here = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return -1;
    if (fscanf(file, "%ld %ld", &all, &here) != 2) here = -1;
    fclose(file);
    return here < 0 ? -1 : (double)here * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static int first_memory(void) {
    double before = resident();
    int failed = first_gradient();
    printf("resident before and after it     %.2f, %.2f MiB\n", before, resident());
    return failed;
}

static double median_run(const char *self, const char *what) {
    enum { RUNS = 201 };
    static double seconds[RUNS];
    for (int i = 0; i < RUNS; i++) {
        char *args[] = {strdup(self), strdup(what), NULL};
        int status = 1;
        pid_t child;
        double start = now();
        if (posix_spawn(&child, self, NULL, NULL, args, environ) || waitpid(child, &status, 0) < 0 || status) {
            fprintf(stderr, "startup: the child failed\n");
            exit(1);
        }
        seconds[i] = now() - start;
        free(args[0]);
        free(args[1]);
    }
    qsort(seconds, RUNS, sizeof *seconds, by_value);
    return 1e3 * seconds[RUNS / 2];
}

int main(int argc, char **argv) {
    if (argc > 1) return strcmp(argv[1], "gradient") == 0 ? first_gradient() : 0;
    double empty = median_run(argv[0], "empty"), gradient = median_run(argv[0], "gradient");
    printf("process that does nothing        %.3f ms\n", empty);
    printf("process that takes a gradient    %.3f ms\n", gradient);
    printf("start-up of the library          %.3f ms\n", gradient - empty);
    return first_memory();
}
