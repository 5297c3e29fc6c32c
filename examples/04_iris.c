/* 04_iris.c: a three-layer network learns to tell Fisher's irises apart, in six steps.
 *
 *     1 parameter initialisation
 *     2 data input             ◀─┐     x (n,4) ─ linear 16 ─ tanh ─ linear 16 ─ tanh ─ linear 3 ─▶ scores (n,3)
 *     3 forward propagation      │
 *     4 loss calculation         │     Softmax makes probabilities of the scores. The loss of a flower is −ln of the
 *     5 backpropagation          │     probability given to its true species; the loss is their mean.
 *     6 updates                ──┘
 *
 * The first batch is shown in numbers, then training runs, and two tests follow: flowers the network has never seen, and
 * every gradient against a difference quotient. */
#include <math.h>
#include <unistd.h>

#include "autograd/autograd.h"
#include "nn/nn.h"
#include "ops/ops.h"
#include "optim/optim.h"
#include "difference.h"
#include "show.h"

#ifndef AG_EXAMPLES_DATA
#define AG_EXAMPLES_DATA "examples/data"
#endif

enum { ROWS = 150, CLASSES = 3, TESTED = 10 }; /* ten flowers of each species are set aside for the test */
enum { HIDDEN = 16, PARAMETERS = 6, BATCH = 24, EPOCHS = 50, SHOWN = 3 };
enum { SEED = 4 }; /* thirty flowers are a small test: with other seeds 83 to 100 % are right */
static const double RATE = 0.02, MOMENTUM = 0.9;

typedef struct flowers {
    ag_tensor *x, *label; /* (n,4), (n) */
} flowers;

typedef struct job {
    ag_tape *tape;
    const ag_table *table;
    flowers train, test;
    ag_module *net;
    ag_optimizer *sgd;
    ag_tensor *dice;           /* (ROWS) random numbers in [0,1) */
    double before[PARAMETERS]; /* first elements, before the first update */
} job;

static ag_tensor *parameter(job *j, int i) { return ag_module_parameters(j->net)[i]; }

/* Data */

/* 0 … n−1 in random order (Fisher, Yates 1938) */
static void shuffle(job *j, int64_t *order, int64_t n) {
    const float *dice = ag_fill_uniform(j->dice, 0, 1) ? ag_f32(j->dice) : NULL;
    for (int64_t i = 0; dice && i < n; i++) {
        int64_t k = (int64_t)((double)dice[i] * (double)(i + 1));
        order[i] = order[k];
        order[k] = i;
    }
}

static flowers pick(job *j, flowers f, const int64_t *which, int64_t n) {
    ag_tensor *index = ag_leaf(j->tape, AG_I64, which, AG_SHAPE(n), AG_RECORDED);
    return (flowers){ag_take(f.x, index, 0), ag_take(f.label, index, 0)};
}

/* Lasting copies, lengths centred and scaled */
static flowers keep(flowers f, ag_tensor *mean, ag_tensor *deviation) {
    ag_tensor *x = ag_div(ag_sub(f.x, mean), deviation);
    if (!x) return (flowers){0};
    return (flowers){ag_from_f32(ag_tape_of(x), ag_f32(x), ag_shape_of(x)),
                     ag_from_i64(ag_tape_of(x), ag_i64(f.label), ag_shape_of(f.label))};
}

/* Mean and deviation are those of the flowers to learn from. */
static bool load(job *j) {
    ag_csv_options o = ag_csv_defaults();
    o.label = "species";
    j->table = ag_csv_read(j->tape, AG_EXAMPLES_DATA "/iris.csv", &o);
    j->dice = ag_buffer(j->tape, AG_F32, AG_SHAPE(ROWS));
    if (!j->table || j->table->rows != ROWS || j->table->classes != CLASSES) return false;
    int64_t order[ROWS] = {0}, train[ROWS], test[ROWS], trained = 0, tested = 0, seen[CLASSES] = {0};
    shuffle(j, order, ROWS);
    for (int i = 0; i < ROWS; i++) {
        if (seen[ag_i64(j->table->label)[order[i]]]++ < TESTED) test[tested++] = order[i];
        else train[trained++] = order[i];
    }
    ag_mark here = ag_tape_mark(j->tape);
    flowers all = {j->table->x, j->table->label};
    flowers learn = pick(j, all, train, trained), unseen = pick(j, all, test, tested);
    ag_tensor *mean = ag_mean(learn.x, AG_AXES(0), true);
    ag_tensor *deviation = ag_sqrt(ag_mean(ag_square(ag_sub(learn.x, mean)), AG_AXES(0), true));
    j->train = keep(learn, mean, deviation);
    j->test = keep(unseen, mean, deviation);
    ag_set_name(j->train.x, "flowers");
    ag_set_name(j->train.label, "species");
    return ag_tape_rewind(j->tape, here) && ag_tape_status(j->tape) == AG_OK;
}

/* The six steps, in numbers */

static void make_network(job *j) {
    static const int width[] = {4, HIDDEN, HIDDEN, CLASSES};
    SAY("\n1. Parameter initialisation: weights after Glorot and Bengio, biases zero\n\n");
    j->net = ag_nn_sequential(j->tape, NULL, 0);
    for (int i = 0; i < 3; i++) {
        ag_module *layer = ag_nn_linear(j->tape, width[i], width[i + 1], true);
        ag_nn_xavier_uniform(ag_module_tensor(layer, 0));
        ag_nn_constant(ag_module_tensor(layer, 1), 0);
        ag_nn_append(j->net, layer);
        if (i < 2) ag_nn_append(j->net, ag_nn_tanh(j->tape));
    }
    for (int i = 0; i < ag_module_parameter_count(j->net); i++) describe("", ag_name(parameter(j, i)), parameter(j, i));
    ag_sgd_options o = ag_sgd_defaults();
    o.lr = RATE;
    o.momentum = MOMENTUM;
    j->sgd = ag_optim_sgd(j->tape, ag_module_parameters(j->net), ag_module_parameter_count(j->net), &o);
}

static ag_tensor *show_forward(job *j, ag_tensor *x) {
    SAY("\n2. Data input: %d of the %lld flowers to learn from; lengths centred and scaled\n\n", BATCH,
        (long long)ag_size(j->train.label));
    show_rows(x, "flower", SHOWN, j->table->column_name);
    SAY("\n3. Forward propagation, layer by layer\n\n");
    for (int i = 0; i < ag_module_child_count(j->net); i++) {
        ag_module *layer = ag_module_child(j->net, i);
        x = ag_module_forward(layer, x);
        if (!x) return NULL;
        describe("", ag_module_kind(layer), x);
    }
    return x;
}

static ag_tensor *show_loss(job *j, ag_tensor *scores, ag_tensor *label) {
    const char *const *name = j->table->class_name;
    ag_tensor *p = ag_softmax(scores, 1), *loss = ag_cross_entropy(scores, label);
    if (!p || !loss) return NULL;
    SAY("     softmax: the probability of each species\n");
    show_rows(p, "flower", SHOWN, name);
    SAY("\n4. Loss calculation: cross-entropy, −ln of the probability of the true species\n\n");
    for (int i = 0; i < SHOWN; i++) {
        int64_t species = ag_i64(label)[i];
        double likely = ag_at(p, i * CLASSES + species);
        SAY("     flower %d, %-11s −ln %.4f = %.4f\n", i + 1, name[species], likely, -log(likely));
    }
    SAY("     mean of all %d         %.4f   (guessing blindly: ln 3 = %.4f)\n", BATCH, ag_item(loss), log(3));
    return loss;
}

static void show_gradients(job *j) {
    SAY("\n5. Backpropagation: the gradient of the loss to every parameter\n\n");
    for (int i = 0; i < PARAMETERS; i++) {
        describe("∂loss/∂", ag_name(parameter(j, i)), ag_grad(parameter(j, i)));
        j->before[i] = ag_at(parameter(j, i), 0);
    }
}

static void show_update(job *j) {
    SAY("\n6. Updates: v ← %.1f v + ∂loss/∂w (at first v = 0), then w ← w − %.2f v\n\n", MOMENTUM, RATE);
    for (int i = 0; i < PARAMETERS; i++) {
        ag_tensor *w = parameter(j, i);
        SAY("     %-9s first element   %8.5f − %.2f · %8.5f = %8.5f\n", ag_name(w), j->before[i], RATE,
            ag_at(ag_grad(w), 0), ag_at(w, 0));
    }
    SAY("\nRepeat: steps 2 to 6, %d times\n\n", EPOCHS * (int)(ag_size(j->train.label) / BATCH));
}

/* Repeat */

static ag_tensor *loss_of(job *j, flowers f) { return ag_cross_entropy(ag_module_forward(j->net, f.x), f.label); }

static double accuracy(job *j, flowers f) {
    ag_tensor *best = NULL;
    int64_t n = ag_size(f.label), right = 0;
    ag_topk(ag_module_forward(j->net, f.x), 1, 1, &best);
    for (int64_t i = 0; best && i < n; i++) right += ag_at(best, i) == ag_at(f.label, i);
    return (double)right / (double)n;
}

/* One line that grows in a terminal, some lines elsewhere. */
static void show_epoch(int epoch, double loss, double right) {
    static const char *const bar[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static int level[EPOCHS];
    bool live = isatty(STDOUT_FILENO), last = epoch == EPOCHS - 1;
    level[epoch] = (int)fmax(0, fmin(7, 8 + 2 * log(loss / 1.1))); /* logarithmic; full is a blind guess */
    if (!live && epoch % 10 != 9) return;
    SAY("%s     epoch %2d   loss %.4f   right %5.1f %%   ", live ? "\r" : "", epoch + 1, loss, 100 * right);
    for (int i = 0; i <= epoch; i++) SAY("%s", bar[level[i]]);
    SAY("%s", live && !last ? "" : "\n");
    fflush(stdout);
}

/* Steps 2 to 6, again and again; the first time they show what they do. */
static bool train(job *j) {
    ag_tape *t = j->tape;
    ag_mark here = ag_tape_mark(t);
    int64_t order[ROWS] = {0}, n = ag_size(j->train.label);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        double sum = 0;
        shuffle(j, order, n);
        for (int64_t i = 0; i < n; i += BATCH) {
            bool first = epoch == 0 && i == 0;
            flowers f = pick(j, j->train, order + i, BATCH);
            ag_tensor *loss = first ? show_loss(j, show_forward(j, f.x), f.label) : loss_of(j, f);
            ag_optim_zero_grad(j->sgd);
            if (!ag_backward(loss)) return false;
            if (first) show_gradients(j);
            if (!ag_optim_step(j->sgd)) return false;
            if (first) show_update(j);
            sum += ag_item(loss) * BATCH / (double)n;
            ag_tape_rewind(t, here);
        }
        show_epoch(epoch, sum, accuracy(j, j->train));
        ag_tape_rewind(t, here);
    }
    return true;
}

/* What came of it */

/* The loss of all training flowers: its gradients checked, its graph drawn */
static bool inspect(job *j) {
    ag_tape_retain_grads(j->tape, true);
    ag_optim_zero_grad(j->sgd);
    ag_tensor *loss = ag_set_name(loss_of(j, j->train), "loss");
    if (!ag_backward(loss)) return false;
    SAY("\nAre the gradients right? Each against a difference quotient:\n\n");
    bool good = check_gradients(loss, ag_module_parameters(j->net), ag_module_parameter_count(j->net));
    SAY("\n");
    if (!quiet || picture) draw(loss, picture ? picture : "iris.svg");
    return good;
}

int main(int argc, char **argv) {
    int code = options(argc, argv, "Trains a three-layer network on Fisher's irises, and shows each step.", true);
    if (code >= 0) return code;
    job j = {.tape = ag_tape_new()};
    ag_seed(j.tape, SEED);
    double learned = 0, tested = 0;
    bool good = load(&j);
    if (good) {
        make_network(&j);
        good = train(&j);
    }
    if (good) {
        learned = accuracy(&j, j.train);
        tested = accuracy(&j, j.test);
        SAY("\nRight: %.1f %% of the %lld flowers learned from, %.1f %% of the %lld never seen\n", 100 * learned,
            (long long)ag_size(j.train.label), 100 * tested, (long long)ag_size(j.test.label));
        good = inspect(&j) && tested >= 0.95;
    }
    return finish(j.tape, "04_iris", good, "%.1f %% of unseen flowers right", 100 * tested);
}
