/* conv_run.c: the three sums of a convolution, as matrix products with the unfolded input (kernels/conv.h).
 *
 *     y = w · unfold(x)         a task: one image, one group, one tile of output pixels
 *     x = fold(wᵀ · y)          a task: one image, one group, one block of channels; tile after tile
 *     w = Σ y · unfold(x)ᵀ      a task: one group, one block of channels; image after image
 *
 * Tasks write disjoint parts of the result, and each adds in an order that the shapes alone decide. A lane is a thread's
 * share of memory: it holds one tile of unfolded pixels and takes tasks until there are none. */
#include <stdatomic.h>
#include <string.h>

#include "autograd/node.h"
#include "ops/caches.h"
#include "ops/conv.h"
#include "ops/isa.h"

enum {
    TILE = 1 << 16, /* elements of an unfolded tile: it stays in the cache of one core */
    LEAST_PIXELS = 32,
    BLOCK_ROWS = 128, /* of an unfolded block of channels: channels times taps */
    PIECE = 1 << 18   /* multiplications, about 4 µs */
};

typedef struct job {
    const ag__conv2d *s;
    const ag__window *window;
    const ag__conv *kernels;
    const ag__gemm *gemm;
    const char *x, *w, *y;
    char *out;
    int64_t element;
    int64_t taps, plane, pixels; /* of a channel: kernel, input, output */
    int64_t tile, tiles;         /* output pixels at a time */
    int64_t block, blocks;       /* channels at a time */
    void (*task)(const struct job *j, int64_t i, char *columns);
    int64_t tasks, room, bytes; /* bytes of the columns, and of one lane */
    char *work;
    atomic_llong next; /* first task that no lane has taken */
} job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Group q of n·groups starts at these elements of x and y; its weights belong to group q % groups. */
static const char *x_at(const job *j, int64_t q) { return j->x + q * j->s->c * j->plane * j->element; }
static const char *y_at(const job *j, int64_t q) { return j->y + q * j->s->o * j->pixels * j->element; }
static int64_t w_start(const job *j, int64_t q) { return q % j->s->groups * j->s->o * j->s->c * j->taps; }

/* Behind the columns is the memory that the product needs. */
static void multiply(const job *j, ag__product *p, char *columns) {
    p->lean = true;
    j->gemm->plan(p, ag__caches_here());
    j->gemm->run(p, 0, p->tiles, columns + j->room);
}

static void task_y(const job *j, int64_t i, char *columns) {
    int64_t q = i / j->tiles, first = i % j->tiles * j->tile, last = least(first + j->tile, j->pixels);
    int64_t rows = j->s->c * j->taps;
    j->kernels->unfold(j->window, j->s->c, x_at(j, q), first, last, columns);
    ag__matrix w = {j->w + w_start(j, q) * j->element, rows, 1}, seen = {columns, last - first, 1};
    ag__product p = {.m = j->s->o, .n = last - first, .k = rows, .a = w, .b = seen, .c_row = j->pixels};
    p.c = j->out + (q * j->s->o * j->pixels + first) * j->element;
    multiply(j, &p, columns);
}

static void task_x(const job *j, int64_t i, char *columns) {
    int64_t q = i / j->blocks, channel = i % j->blocks * j->block, channels = least(j->block, j->s->c - channel);
    char *planes = j->out + (q * j->s->c + channel) * j->plane * j->element;
    memset(planes, 0, (size_t)(channels * j->plane * j->element));
    ag__matrix w = {j->w + (w_start(j, q) + channel * j->taps) * j->element, 1, j->s->c * j->taps};
    for (int64_t first = 0; first < j->pixels; first += j->tile) {
        int64_t count = least(j->tile, j->pixels - first);
        ag__matrix y = {y_at(j, q) + first * j->element, j->pixels, 1};
        ag__product p = {.m = channels * j->taps, .n = count, .k = j->s->o, .a = w, .b = y, .c = columns, .c_row = count};
        multiply(j, &p, columns);
        j->kernels->fold(j->window, channels, columns, first, first + count, planes);
    }
}

static void task_w(const job *j, int64_t i, char *columns) {
    int64_t group = i / j->blocks, channel = i % j->blocks * j->block, channels = least(j->block, j->s->c - channel);
    char *w = j->out + (w_start(j, group) + channel * j->taps) * j->element;
    for (int64_t q = group; q < j->s->n * j->s->groups; q += j->s->groups) {
        for (int64_t first = 0; first < j->pixels; first += j->tile) {
            int64_t count = least(j->tile, j->pixels - first);
            j->kernels->unfold(j->window, channels, x_at(j, q) + channel * j->plane * j->element, first, first + count,
                               columns);
            ag__matrix y = {y_at(j, q) + first * j->element, j->pixels, 1}, seen = {columns, 1, count};
            ag__product p = {.m = j->s->o, .n = channels * j->taps, .k = count, .a = y, .b = seen, .c = w};
            p.c_row = j->s->c * j->taps, p.add = q != group || first > 0;
            multiply(j, &p, columns);
        }
    }
}

static void run_lanes(void *context, int64_t begin, int64_t end) {
    job *j = context;
    for (int64_t lane = begin; lane < end; lane++) {
        for (int64_t i; (i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < j->tasks;) {
            j->task(j, i, j->work + lane * j->bytes);
        }
    }
}

static void plan(job *j, bool wants_y, bool wants_w) {
    const ag__conv2d *s = j->s;
    int64_t images = s->n * s->groups;
    j->blocks = least(s->c, (s->c * j->taps - 1) / BLOCK_ROWS + 1);
    j->block = (s->c - 1) / j->blocks + 1;
    j->blocks = (s->c - 1) / j->block + 1;
    int64_t rows = (wants_y ? s->c : j->block) * j->taps;
    j->tile = least(j->pixels, TILE / rows > LEAST_PIXELS ? TILE / rows : LEAST_PIXELS);
    j->tiles = (j->pixels - 1) / j->tile + 1;
    j->room = (rows * j->tile * j->element + 63) / 64 * 64;
    j->bytes = j->room + 2 * ag__caches_here()->l1;
    j->task = wants_y ? task_y : wants_w ? task_w : task_x;
    j->tasks = wants_y ? images * j->tiles : wants_w ? s->groups * j->blocks : images * j->blocks;
}

bool ag__conv2d_run(ag_tensor *node, const ag__conv2d *s, const void *x, const void *w, const void *y) {
    const ag__window *p = &s->window;
    bool wide = ag_dtype_of(node) == AG_F64;
    const ag__kernels *kernel = ag__kernel();
    job j = {.s = s, .window = p, .kernels = wide ? kernel->conv_f64 : kernel->conv_f32};
    j.gemm = wide ? kernel->gemm_f64 : kernel->gemm_f32;
    j.x = x, j.w = w, j.y = y, j.out = ag_out_data(node, 0);
    j.element = (int64_t)ag_dtype_size(ag_dtype_of(node));
    j.taps = p->kh * p->kw, j.plane = p->h * p->w, j.pixels = p->oh * p->ow;
    plan(&j, !y, !w);
    int64_t lanes = least(j.tasks, ag_threads());
    j.work = ag_op_workspace(node, (size_t)lanes * (size_t)j.bytes);
    if (!j.work) return false;
    double products = (double)(s->n * s->groups * s->o) * (double)(s->c * j.taps) * (double)j.pixels;
    ag__parallel_lanes((int)lanes, products / PIECE, run_lanes, &j);
    return true;
}
