/* The README's first C block, made a program. It needs `rows` (150,4) and `species` (150); here they are three clusters
 * in the three directions that a linear layer can tell apart. Before the tape is freed, w must have learned them. */
#include <stdio.h>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"

static float rows[150 * 4];
static int64_t species[150];
static int status = 1;

static void make_data(void) {
    for (int i = 0; i < 150; i++) {
        species[i] = i % 3;
        for (int j = 0; j < 4; j++) rows[4 * i + j] = (j == i % 3 ? 5.0f : 1.0f) + (float)((i * 7 + j * 5) % 11) / 10;
    }
}

static void check(ag_tensor *w) {
    int right = 0;
    for (int i = 0; i < 150; i++) {
        double score[3] = {0}; /* row i of x·w */
        for (int k = 0; k < 12; k++) score[k % 3] += (double)rows[4 * i + k / 3] * ag_at(w, k);
        int best = score[1] > score[0] ? 1 : 0;
        right += species[i] == (score[2] > score[best] ? 2 : best);
    }
    fprintf(stdout, "%d of 150 right\n", right);
    status = right < 145;
}

#define ag_tape_free(t) (check(w), ag_tape_free(t))

int main(void) {
    make_data();
#include "README.c"
    return status;
}
